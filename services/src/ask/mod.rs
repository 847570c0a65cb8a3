//! Asks a service directly, over plain HTTP: for what a test needs beforehand, and for what it compares with. It shares no code
//! with flow or with AWS' clients, and signs nothing, since no service here looks.

#![expect(clippy::expect_used, reason = "a test cannot go on")]

mod aggregate;
mod dynamodb;
mod kinesis;
mod s3;

use std::{
    io::{self, Read as _, Write as _},
    net::TcpStream,
    time::Duration,
};

use serde_json::Value;

use crate::Service;

pub use aggregate::aggregate;
pub use kinesis::{Put, Shard};

/// What a service answers.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The status of HTTP.
    pub status: u16,
    /// Everything before the body.
    pub head: String,
    /// The body.
    pub body: Vec<u8>,
}

impl Answer {
    /// A header's value.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.head.lines().filter_map(|line| line.split_once(':'));
        headers.find(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
    }

    /// The body as text.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

impl Service {
    /// Calls an operation that speaks JSON: `Kinesis_20131202.ListShards`, `DynamoDB_20120810.GetItem`.
    ///
    /// # Errors
    /// What the service says, when it refuses.
    ///
    /// # Panics
    /// When there is no answer.
    pub fn try_ask(&self, target: &str, request: &Value) -> Result<Value, String> {
        let target = format!("X-Amz-Target: {target}\r\nContent-Type: application/x-amz-json-1.1\r\n");
        let answer = self.http("POST", "/", &target, request.to_string().as_bytes());
        match answer.status {
            200 if answer.body.is_empty() => Ok(Value::Null),
            200 => Ok(serde_json::from_slice(&answer.body).expect("an answer in JSON")),
            status => Err(format!("{status} {}", answer.text())),
        }
    }

    /// The same when nothing but success is right.
    ///
    /// # Panics
    /// When the service refuses.
    pub fn ask(&self, target: &str, request: &Value) -> Value {
        self.try_ask(target, request).unwrap_or_else(|said| panic!("{target} {request}: {said}"))
    }

    /// Sends a request of HTTP; `headers` is a line each.
    ///
    /// # Panics
    /// When there is no answer.
    #[must_use]
    pub fn http(&self, method: &str, path: &str, headers: &str, body: &[u8]) -> Answer {
        http(self.port(), method, path, headers, body).expect("an answer")
    }
}

/// Sends a request of HTTP to a port of this machine; `headers` is a line each.
///
/// # Errors
/// When there is no answer, or less of it than it says.
pub fn http(port: u16, method: &str, path: &str, headers: &str, body: &[u8]) -> io::Result<Answer> {
    let bytes = body.len();
    // One that speaks 1.0 gets the whole body as it is, and then the end.
    let head = format!(
        "{method} {path} HTTP/1.0\r\nHost: 127.0.0.1:{port}\r\n{headers}{AUTHORIZATION}Content-Length: {bytes}\r\n\r\n"
    );
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.write_all(&[head.as_bytes(), body].concat())?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    let cut = || io::Error::from(io::ErrorKind::UnexpectedEof);
    let end = answer.windows(4).position(|bytes| bytes == b"\r\n\r\n").ok_or_else(cut)?;
    let body = answer.split_off(end + 4);
    let head = String::from_utf8_lossy(&answer).into_owned();
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).ok_or_else(cut)?;
    let answer = Answer { status, head, body };
    let said = answer.header("content-length").and_then(|bytes| bytes.parse().ok());
    if method != "HEAD" && said.is_some_and(|bytes: usize| bytes != answer.body.len()) {
        return Err(cut());
    }
    Ok(answer)
}

/// How long an answer is waited for.
const PATIENCE: Duration = Duration::from_secs(60);

/// It has to look like one. Of a service that is none ministack would look through all it knows, for seconds.
pub(crate) const AUTHORIZATION: &str = "X-Amz-Date: 20260101T000000Z\r\nAuthorization: AWS4-HMAC-SHA256 \
    Credential=test/20260101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=0\r\n";
