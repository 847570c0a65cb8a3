//! A client that speaks as much of PostgreSQL's protocol as it takes to see what is answered, byte by byte.

use std::{
    io::{self, Read as _, Write as _},
    net::TcpStream,
    time::Duration,
};

use flow_services::redshift::Redshift;

/// A session.
#[derive(Debug)]
pub(crate) struct Client {
    stream: TcpStream,
    /// What the server says that it is.
    pub(crate) version: String,
    /// Its process.
    pub(crate) pid: i32,
    /// Names it to who cancels what it does.
    key: Vec<u8>,
}

/// What a request is answered by.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Answer {
    /// A line a row, columns between `|`, null as `∅`.
    pub(crate) rows: Vec<String>,
    pub(crate) tags: Vec<String>,
    pub(crate) notices: Vec<String>,
    /// Code, text and detail.
    pub(crate) error: Option<(String, String, String)>,
    /// `I`, `T` or `E`.
    pub(crate) status: char,
}

impl Answer {
    /// The error's code and text.
    pub(crate) fn error(&self) -> String {
        self.error.as_ref().map(|(code, text, _)| format!("{code} {text}")).unwrap_or_default()
    }
}

impl Client {
    pub(crate) fn connect(redshift: &Redshift) -> Self {
        Self::try_connect(redshift, &[]).unwrap()
    }

    pub(crate) fn try_connect(redshift: &Redshift, parameters: &[(&str, &str)]) -> io::Result<Self> {
        let stream = TcpStream::connect(("127.0.0.1", redshift.port()))?;
        stream.set_read_timeout(Some(Duration::from_secs(60)))?;
        let mut client = Self { stream, version: String::new(), pid: 0, key: Vec::new() };
        let mut start = 196_608_u32.to_be_bytes().to_vec();
        for (name, value) in [("user", "awsuser"), ("database", "dev")].iter().chain(parameters) {
            start.extend_from_slice(format!("{name}\0{value}\0").as_bytes());
        }
        start.push(0);
        let length = u32::try_from(start.len() + 4).unwrap();
        client.stream.write_all(&[&length.to_be_bytes()[..], &start].concat())?;
        let answer = client.answer()?;
        match answer.error {
            Some((_, text, _)) => Err(io::Error::other(text)),
            None => Ok(client),
        }
    }

    /// Sends a request, and reads its answer.
    pub(crate) fn try_ask(&mut self, sql: &str) -> io::Result<Answer> {
        self.send(b'Q', format!("{sql}\0").as_bytes())?;
        self.answer()
    }

    /// The same when there has to be an answer, an error perhaps.
    pub(crate) fn ask(&mut self, sql: &str) -> Answer {
        self.try_ask(sql).unwrap()
    }

    /// The rows of what has to succeed.
    pub(crate) fn rows(&mut self, sql: &str) -> Vec<String> {
        let answer = self.ask(sql);
        assert_eq!(answer.error, None, "{sql}");
        answer.rows
    }

    /// The error of what has to fail.
    pub(crate) fn error(&mut self, sql: &str) -> String {
        let answer = self.ask(sql);
        assert!(answer.error.is_some(), "{sql} is done: {answer:?}");
        answer.error()
    }

    pub(crate) fn send(&mut self, kind: u8, body: &[u8]) -> io::Result<()> {
        let length = u32::try_from(body.len() + 4).unwrap();
        self.stream.write_all(&[&[kind], &length.to_be_bytes()[..], body].concat())
    }

    /// What another connection says, to cancel what this one does.
    pub(crate) fn cancellation(&self) -> Vec<u8> {
        [&16_u32.to_be_bytes()[..], &80_877_102_u32.to_be_bytes(), &self.key].concat()
    }

    /// How long an answer is waited for.
    pub(crate) fn set_patience(&self, patience: Duration) {
        self.stream.set_read_timeout(Some(patience)).unwrap();
    }

    /// Reads until the server is ready for the next request.
    pub(crate) fn answer(&mut self) -> io::Result<Answer> {
        let mut answer = Answer::default();
        loop {
            let mut head = [0; 5];
            self.stream.read_exact(&mut head)?;
            let length = u32::from_be_bytes(head[1..].try_into().unwrap()) as usize;
            let mut body = vec![0; length - 4];
            self.stream.read_exact(&mut body)?;
            let texts: Vec<String> = body.split(|b| *b == 0).map(|t| String::from_utf8_lossy(t).into_owned()).collect();
            let field = |kind| texts.iter().find_map(|text| text.strip_prefix(kind)).unwrap_or_default().to_owned();
            match head[0] {
                b'D' => answer.rows.push(values(&body)),
                b'C' => answer.tags.push(texts[0].clone()),
                b'N' => answer.notices.push(format!("{}: {}", field('S'), field('M'))),
                b'S' if texts[0] == "server_version" => self.version = texts[1].clone(),
                b'K' => {
                    self.pid = i32::from_be_bytes(body[..4].try_into().unwrap());
                    self.key = body;
                }
                b'E' => {
                    answer.error = Some((field('C'), field('M'), field('D')));
                    if field('S') == "FATAL" {
                        return Ok(answer);
                    }
                }
                b'Z' => {
                    answer.status = char::from(body[0]);
                    return Ok(answer);
                }
                _ => {}
            }
        }
    }
}

fn values(body: &[u8]) -> String {
    let mut rest = &body[2..];
    let mut values = Vec::new();
    while let Some((length, after)) = rest.split_first_chunk() {
        let length = i32::from_be_bytes(*length);
        let (value, after) = after.split_at(usize::try_from(length).unwrap_or(0));
        values.push(if length < 0 { "∅".to_owned() } else { String::from_utf8_lossy(value).into_owned() });
        rest = after;
    }
    values.join("|")
}
