//! A stream in memory: what Kinesis would answer to who reads it, over HTTP, made beforehand. It takes part in nothing else,
//! and tells what its answers have cost, so that the rest of the process can be told from it.

use std::{
    fmt::Write as _,
    io::{self, BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    thread,
};

use base64_simd::STANDARD as BASE64;
use rustix::time::{ClockId, clock_gettime};

use crate::process::seconds;

/// Bytes of each record.
pub const RECORD_BYTES: usize = 200;

/// The stream: all its shards have the same records.
#[derive(Debug)]
pub struct Canned {
    port: u16,
    nanoseconds: Arc<AtomicU64>,
}

impl Canned {
    /// Makes all answers, and begins to give them; it goes on until the process ends.
    ///
    /// # Errors
    /// When there is no port for it.
    pub fn start(shards: usize, bodies: usize, records: usize) -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let port = listener.local_addr()?.port();
        let answers = Arc::new(Answers {
            shards: list_of(shards),
            bodies: (0..=bodies).map(|body| answer(&page(body, records, bodies))).collect(),
        });
        let nanoseconds = Arc::new(AtomicU64::new(0));
        let spent = Arc::clone(&nanoseconds);
        thread::spawn(move || {
            for connection in listener.incoming().flatten() {
                let (answers, spent) = (Arc::clone(&answers), Arc::clone(&spent));
                // Whoever asked is gone then.
                thread::spawn(move || drop(serve(&connection, &answers, &spent)));
            }
        });
        Ok(Self { port, nanoseconds })
    }

    /// Where it listens.
    #[must_use]
    pub fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// What the processors have worked for its answers.
    #[must_use]
    pub fn processor_seconds(&self) -> f64 {
        self.nanoseconds.load(Ordering::Relaxed) as f64 / 1e9
    }
}

/// Ready to be sent, heads and all.
struct Answers {
    shards: Vec<u8>,
    bodies: Vec<Vec<u8>>,
}

fn serve(mut connection: &TcpStream, answers: &Answers, spent: &AtomicU64) -> io::Result<()> {
    connection.set_nodelay(true)?;
    let mut requests = BufReader::new(connection);
    let (mut line, mut body, mut before) = (String::new(), Vec::new(), 0);
    loop {
        let (mut operation, mut bytes) = (String::new(), 0);
        loop {
            line.clear();
            if requests.read_line(&mut line)? == 0 {
                return Ok(());
            }
            match line.trim_end().split_once(": ") {
                Some((name, value)) if name.eq_ignore_ascii_case("x-amz-target") => value.clone_into(&mut operation),
                Some((name, value)) if name.eq_ignore_ascii_case("content-length") => {
                    bytes = value.parse().unwrap_or(0);
                }
                Some(_) => {}
                None if line.trim_end().is_empty() => break,
                None => {}
            }
        }
        body.resize(bytes, 0);
        requests.read_exact(&mut body)?;
        let body = String::from_utf8_lossy(&body);
        match operation.rsplit('.').next() {
            Some("DescribeStreamSummary") => connection.write_all(&answer(SUMMARY))?,
            Some("ListShards") => connection.write_all(&answers.shards)?,
            Some("GetShardIterator") => connection.write_all(&answer(r#"{"ShardIterator":"0"}"#))?,
            _ => connection.write_all(&answers.bodies[wanted(&body).min(answers.bodies.len() - 1)])?,
        }
        let now = (seconds(clock_gettime(ClockId::ThreadCPUTime)) * 1e9) as u64;
        spent.fetch_add(now - before, Ordering::Relaxed);
        before = now;
    }
}

/// The body that an iterator names.
fn wanted(request: &str) -> usize {
    let named = request.split_once(r#""ShardIterator":""#).and_then(|(_, rest)| rest.split_once('"'));
    named.and_then(|(iterator, _)| iterator.parse().ok()).unwrap_or(usize::MAX)
}

const SUMMARY: &str = r#"{"StreamDescriptionSummary":{"StreamName":"canned","StreamARN":"arn:aws:kinesis:us-east-1:000000000000:stream/canned","StreamStatus":"ACTIVE","RetentionPeriodHours":24,"StreamCreationTimestamp":1.7638E9,"EnhancedMonitoring":[],"OpenShardCount":1}}"#;

fn answer(body: &str) -> Vec<u8> {
    let head = "HTTP/1.1 200 OK\r\nx-amzn-RequestId: 00000000-0000-0000-0000-000000000000\r\n\
                Content-Type: application/x-amz-json-1.1\r\nContent-Length: ";
    format!("{head}{}\r\n\r\n{body}", body.len()).into_bytes()
}

fn list_of(shards: usize) -> Vec<u8> {
    let keys = u128::MAX / shards as u128;
    let shard = |shard: usize| {
        let first = keys * shard as u128;
        format!(
            r#"{{"ShardId":"shardId-{shard:012}","HashKeyRange":{{"StartingHashKey":"{first}","EndingHashKey":"{}"}},"SequenceNumberRange":{{"StartingSequenceNumber":"1"}}}}"#,
            first + keys - 1
        )
    };
    answer(&format!(r#"{{"Shards":[{}]}}"#, (0..shards).map(shard).collect::<Vec<_>>().join(",")))
}

/// What Kinesis answers to GetRecords; the last body, `bodies`, has no records.
fn page(body: usize, records: usize, bodies: usize) -> String {
    let (records, behind, next) = if body < bodies { (records, 60_000, body + 1) } else { (0, 0, body) };
    let mut text = r#"{"Records":["#.to_owned();
    for record in 0..records {
        let number = body * records + record;
        let comma = if record > 0 { "," } else { "" };
        let data = BASE64.encode_to_string(line(number));
        let _ = write!(
            text,
            r#"{comma}{{"SequenceNumber":"4957{number:052}","ApproximateArrivalTimestamp":1.7638{:05}123E9,"Data":"{data}","PartitionKey":"{:032x}"}}"#,
            number % 100_000,
            (number as u128 + 1) * 0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c834,
        );
    }
    let _ = write!(text, r#"],"NextShardIterator":"{next}","MillisBehindLatest":{behind}}}"#);
    text
}

/// A line of an access log, as a record.
#[must_use]
pub fn line(number: usize) -> String {
    let mut line = format!(
        r#"10.{}.{}.{} - - [22/Nov/2026:10:00:00 +0000] "GET /{number:x}/"#,
        number % 200,
        number % 211,
        number % 223
    );
    while line.len() < RECORD_BYTES - 20 {
        let _ = write!(line, "{:x}", number * 31 + line.len());
    }
    line.truncate(RECORD_BYTES - 20);
    line + r#" HTTP/1.1" 200 123456"#.get(..20).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_record_has_as_many_bytes() {
        for number in [0, 7, 4711, 10_000_000] {
            assert_eq!(line(number).len(), RECORD_BYTES, "{}", line(number));
        }
    }

    #[test]
    fn an_iterator_names_a_body() {
        assert_eq!(wanted(r#"{"ShardIterator":"12","Limit":10000}"#), 12);
        assert_eq!(wanted("{}"), usize::MAX);
    }
}
