//! Objects of S3, over plain HTTP: the manifest, and the files that it names.

use std::{
    io::{self, BufReader, Read, Write as _},
    net::TcpStream,
    time::Duration,
};

use serde_json::Value;

use super::options::Compression;
use crate::{
    ask::AUTHORIZATION,
    proxy::http::{Framing, Head},
    redshift::error::Refusal,
};

/// A file to load.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) url: String,
    pub(super) is_mandatory: bool,
}

/// Why an object cannot be had.
#[derive(Debug)]
pub(super) struct Absent {
    url: String,
    said: String,
    pub(super) is_missing: bool,
}

/// How long an answer of S3's is waited for.
const PATIENCE: Duration = Duration::from_secs(60);

impl Absent {
    /// As COPY says it.
    pub(super) fn refusal(&self, query: u64) -> Refusal {
        let detail = format!(
            "\n  -----------------------------------------------\n  error:  {}\n  code:      8001\n  context:   S3 key being \
             read : {}\n  query:     {query}\n  -----------------------------------------------\n",
            self.said, self.url
        );
        Refusal::internal(self.said.clone()).detail(detail)
    }
}

/// The entries of a manifest.
pub(super) fn manifest(s3: u16, url: &str, query: u64) -> Result<Vec<Entry>, Refusal> {
    let wrong = |why: &str| Refusal::internal(format!("Manifest file {url} is not valid: {why}"));
    let mut text = Vec::new();
    let object = open(s3, url).map_err(|mut absent| {
        absent.said = format!("Problem reading manifest file - {}", absent.said);
        absent.refusal(query)
    });
    object?.read_to_end(&mut text).map_err(|error| wrong(&error.to_string()))?;
    let manifest: Value = serde_json::from_slice(&text).map_err(|error| wrong(&error.to_string()))?;
    let entries = manifest["entries"].as_array().ok_or_else(|| wrong("it has no entries"))?;
    let entry = |entry: &Value| {
        let url =
            entry["url"].as_str().filter(|url| url.starts_with("s3://")).ok_or_else(|| wrong("an entry has no url"))?;
        let length = &entry["meta"]["content_length"];
        if !length.is_null() && !length.is_u64() {
            return Err(wrong("a content_length is no number"));
        }
        Ok(Entry { url: url.to_owned(), is_mandatory: entry["mandatory"].as_bool().unwrap_or(false) })
    };
    entries.iter().map(entry).collect()
}

/// The bytes of an object, decompressed.
pub(super) fn read(s3: u16, url: &str, compression: Compression) -> Result<Box<dyn Read>, Absent> {
    let object = open(s3, url)?;
    Ok(match compression {
        Compression::None => Box::new(object),
        Compression::Gzip => Box::new(flate2::bufread::MultiGzDecoder::new(BufReader::with_capacity(1 << 16, object))),
        Compression::Zstd => {
            let absent = |error: io::Error| Absent { url: url.to_owned(), said: error.to_string(), is_missing: false };
            Box::new(zstd::stream::read::Decoder::new(object).map_err(absent)?)
        }
    })
}

/// Asks for an object.
fn open(s3: u16, url: &str) -> Result<Body, Absent> {
    let failed = |said: String, is_missing| Absent { url: url.to_owned(), said, is_missing };
    let (head, body) = get(s3, url).map_err(|error| failed(format!("S3CurlException: {error},CanRetry 1"), false))?;
    if head.word(1) == "200" {
        return Ok(body);
    }
    let mut text = String::new();
    let _ = body.take(1 << 16).read_to_string(&mut text);
    let part = |name: &str| text.split_once(&format!("<{name}>")).and_then(|(_, rest)| rest.split('<').next());
    let (code, message) = (part("Code").unwrap_or("Unknown"), part("Message").unwrap_or("no message"));
    let (status, is_missing) = (head.word(1), code == "NoSuchKey");
    Err(failed(
        format!("S3ServiceException:{message},Status {status},Error {code},Rid 0,ExtRid 0,CanRetry 1"),
        is_missing,
    ))
}

fn get(s3: u16, url: &str) -> io::Result<(Head, Body)> {
    let mut stream = TcpStream::connect(("127.0.0.1", s3))?;
    stream.set_read_timeout(Some(PATIENCE))?;
    let path = escaped(url.trim_start_matches("s3:/"));
    let request = format!("GET {path} HTTP/1.0\r\nHost: 127.0.0.1:{s3}\r\n{AUTHORIZATION}\r\n");
    stream.write_all(request.as_bytes())?;
    let mut stream = BufReader::with_capacity(1 << 16, stream);
    let head = Head::read(&mut stream)?.ok_or(io::ErrorKind::UnexpectedEof)?;
    let left = match head.answer_framing("GET") {
        Framing::Bytes(bytes) => Some(bytes),
        Framing::Rest => None,
        Framing::Chunks => return Err(io::Error::other("S3 answers HTTP/1.0 in chunks")),
    };
    Ok((head, Body { stream, left }))
}

/// A path as it stands in a request.
fn escaped(path: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte);
    let byte = |byte: u8| if is_plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") };
    path.bytes().map(byte).collect()
}

/// What follows the head of an answer; one that ends too soon is an error.
#[derive(Debug)]
struct Body {
    stream: BufReader<TcpStream>,
    left: Option<u64>,
}

impl Read for Body {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let Some(left) = &mut self.left else { return self.stream.read(into) };
        let wanted = into.len().min(usize::try_from(*left).unwrap_or(usize::MAX));
        let bytes = self.stream.read(&mut into[..wanted])?;
        *left -= bytes as u64;
        if bytes == 0 && wanted > 0 { Err(io::ErrorKind::UnexpectedEof.into()) } else { Ok(bytes) }
    }
}
