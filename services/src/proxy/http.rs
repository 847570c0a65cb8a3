//! As much of HTTP/1.1 as it takes to pass messages on, or not to their end.

use std::io::{self, BufRead, Read as _, Write};

/// What is read of a message before its body.
#[derive(Debug, Default)]
pub(crate) struct Head {
    /// `POST / HTTP/1.1` or `HTTP/1.1 200 OK`
    pub(crate) first: String,
    headers: Vec<(String, String)>,
}

/// How it is known where a body ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Framing {
    Bytes(u64),
    Chunks,
    /// It goes on to the end of the connection.
    Rest,
}

/// A body that was read, and where it may be cut.
#[derive(Debug)]
pub(crate) struct Body {
    pub(crate) bytes: Vec<u8>,
    /// So many bytes are not all of it.
    pub(crate) part: usize,
}

impl Body {
    pub(crate) fn whole(bytes: Vec<u8>) -> Self {
        Self { part: bytes.len() / 2, bytes }
    }

    /// The first two events, each of which has its chunk; the part ends within the second.
    pub(crate) fn of_events(from: &mut impl BufRead) -> io::Result<Self> {
        let (mut bytes, mut part) = (Vec::new(), 0);
        for _ in 0..2 {
            let start = bytes.len();
            pass_chunk(from, |chunk, _| bytes.extend_from_slice(chunk))?;
            part = start + (bytes.len() - start) / 2;
        }
        Ok(Self { bytes, part })
    }
}

impl Head {
    /// Reads one; nothing at the end of the connection.
    pub(crate) fn read(from: &mut impl BufRead) -> io::Result<Option<Self>> {
        let mut head = Self { first: line(from)?, ..Self::default() };
        if head.first.is_empty() {
            return Ok(None);
        }
        loop {
            let line = line(from)?;
            match line.split_once(':') {
                Some((name, value)) => head.headers.push((name.to_ascii_lowercase(), value.trim().to_owned())),
                None if line.is_empty() => return Ok(Some(head)),
                None => return Err(io::Error::new(io::ErrorKind::InvalidData, line)),
            }
        }
    }

    /// The `index`th word of the first line.
    pub(crate) fn word(&self, index: usize) -> &str {
        self.first.split(' ').nth(index).unwrap_or_default()
    }

    /// A header's value; `name` is in lower case.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_str())
    }

    /// Whether the one who wrote it says no more, or wants to hear no more.
    pub(crate) fn is_last(&self) -> bool {
        self.word(2) == "HTTP/1.0" || self.get("connection").is_some_and(|value| value.eq_ignore_ascii_case("close"))
    }

    /// Whether the body of this answer goes on as long as something happens.
    pub(crate) fn has_events(&self) -> bool {
        self.get("content-type").is_some_and(|kind| kind.starts_with("application/vnd.amazon.eventstream"))
    }

    /// The framing of a request's body.
    pub(crate) fn request_framing(&self) -> Framing {
        self.framing().unwrap_or(Framing::Bytes(0))
    }

    /// The framing of the body that answers a request of `method`.
    pub(crate) fn answer_framing(&self, method: &str) -> Framing {
        let has_none = method == "HEAD" || matches!(self.word(1), "204" | "304");
        if has_none { Framing::Bytes(0) } else { self.framing().unwrap_or(Framing::Rest) }
    }

    fn framing(&self) -> Option<Framing> {
        if self.get("transfer-encoding").is_some_and(|coding| coding.eq_ignore_ascii_case("chunked")) {
            return Some(Framing::Chunks);
        }
        self.get("content-length").and_then(|bytes| bytes.parse().ok()).map(Framing::Bytes)
    }

    /// The same before a body of so many bytes.
    pub(crate) fn before(mut self, bytes: usize) -> Self {
        // The checksum was of another body, and who expects to be told to go on was told.
        let gone = ["content-length", "transfer-encoding", "x-amz-crc32", "expect"];
        self.headers.retain(|(name, _)| !gone.contains(&name.as_str()));
        self.headers.push(("content-length".to_owned(), bytes.to_string()));
        self
    }

    pub(crate) fn write(&self, to: &mut impl Write) -> io::Result<()> {
        let headers: String = self.headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        to.write_all(format!("{}\r\n{headers}\r\n", self.first).as_bytes())
    }
}

/// Reads a whole body.
pub(crate) fn read_body(from: &mut impl BufRead, framing: Framing) -> io::Result<Vec<u8>> {
    let mut body = Vec::new();
    match framing {
        Framing::Bytes(bytes) => {
            body.resize(bytes.try_into().unwrap_or_default(), 0);
            from.read_exact(&mut body)?;
        }
        Framing::Rest => drop(from.read_to_end(&mut body)?),
        Framing::Chunks => while pass_chunk(from, |chunk, _| body.extend_from_slice(chunk))? {},
    }
    Ok(body)
}

/// Passes a body on as it comes.
pub(crate) fn pass_body(from: &mut impl BufRead, framing: Framing, to: &mut impl Write) -> io::Result<()> {
    match framing {
        Framing::Bytes(bytes) => drop(io::copy(&mut from.take(bytes), to)?),
        Framing::Rest => drop(io::copy(from, to)?),
        Framing::Chunks => {
            let mut passed = Ok(());
            while pass_chunk(from, |_, raw| passed = to.write_all(raw))? && passed.is_ok() {}
            passed?;
        }
    }
    to.flush()
}

/// Reads a chunk and gives it away, bare and as it came; says whether another one comes.
fn pass_chunk(from: &mut impl BufRead, mut give: impl FnMut(&[u8], &[u8])) -> io::Result<bool> {
    let size = line(from)?;
    let digits = size.split(';').next().unwrap_or_default().trim();
    let bytes = usize::from_str_radix(digits, 16).map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
    let mut raw = format!("{size}\r\n").into_bytes();
    let start = raw.len();
    raw.resize(start + bytes + 2, 0);
    from.read_exact(&mut raw[start..])?;
    give(&raw[start..start + bytes], &raw);
    Ok(bytes > 0)
}

fn line(from: &mut impl BufRead) -> io::Result<String> {
    let mut line = Vec::new();
    from.read_until(b'\n', &mut line)?;
    Ok(String::from_utf8_lossy(&line).trim_end().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_are_one_body_and_pass_as_they_came() {
        let message = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n2\r\nde\r\n0\r\n\r\nnext";
        let head = Head::read(&mut &message[..]).unwrap().unwrap();
        assert_eq!(head.answer_framing("GET"), Framing::Chunks);
        let chunks = &message[message.len() - 32 + 4..];
        assert!(chunks.starts_with(b"3;x=y"), "{}", String::from_utf8_lossy(chunks));
        assert_eq!(read_body(&mut &chunks[..], Framing::Chunks).unwrap(), b"abcde");
        let (mut rest, mut passed) = (chunks, Vec::new());
        pass_body(&mut rest, Framing::Chunks, &mut passed).unwrap();
        assert_eq!((rest, passed.as_slice()), (&b"next"[..], &chunks[..chunks.len() - 4]));
    }

    #[test]
    fn of_events_that_do_not_end_there_is_one_and_a_part_of_the_next() {
        let mut events = &b"3\r\nabc\r\n4\r\ndefg\r\nwhat never comes"[..];
        let Body { bytes, part } = Body::of_events(&mut events).unwrap();
        assert_eq!((bytes.as_slice(), part), (&b"abcdefg"[..], 5));
    }

    #[test]
    fn an_answer_to_head_has_no_body_whatever_it_says() {
        let head = Head::read(&mut &b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n"[..]).unwrap().unwrap();
        assert_eq!(head.answer_framing("HEAD"), Framing::Bytes(0));
        assert_eq!(head.answer_framing("GET"), Framing::Bytes(5));
    }

    #[test]
    fn a_connection_that_ends_between_messages_has_ended() {
        assert!(Head::read(&mut &b""[..]).unwrap().is_none());
    }
}
