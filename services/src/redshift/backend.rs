//! A session of PostgreSQL's, as it is asked from within.

use std::{
    io::{self, BufReader, Write as _},
    net::TcpStream,
};

use super::{
    error::Refusal,
    wire::{self, Message, Start},
};

/// Rows of an answer.
pub(crate) type Rows = Vec<Vec<Option<String>>>;

/// An open session.
#[derive(Debug)]
pub(crate) struct Backend {
    stream: BufReader<TcpStream>,
    /// As it was said last: `I` for no transaction, `T` for one, `E` for one that has failed.
    pub(crate) status: u8,
    /// The process that serves it.
    pub(crate) pid: i32,
}

impl Backend {
    /// Opens a connection; nothing is said yet.
    pub(crate) fn dial(port: u16) -> io::Result<Self> {
        let stream = TcpStream::connect(("127.0.0.1", port))?;
        stream.set_nodelay(true)?;
        Ok(Self { stream: BufReader::with_capacity(1 << 16, stream), status: b'I', pid: 0 })
    }

    /// A session of one who needs no password.
    pub(crate) fn connect(port: u16, user: &str, database: &str) -> io::Result<Self> {
        let mut backend = Self::dial(port)?;
        let parameters = [("user", user), ("database", database), ("client_encoding", "UTF8")];
        backend.start(&parameters.map(|(name, value)| (name.to_owned(), value.to_owned())))?;
        loop {
            let message = backend.read()?;
            match message.kind {
                b'Z' => return Ok(backend),
                b'E' => return Err(io::Error::other(Refusal::read(&message).text().to_owned())),
                _ => {}
            }
        }
    }

    pub(crate) fn start(&mut self, parameters: &[(String, String)]) -> io::Result<()> {
        Start::write(self.stream.get_mut(), parameters)
    }

    /// Reads a message, and notes what it says of the session.
    pub(crate) fn read(&mut self) -> io::Result<Message> {
        let message = Message::read(&mut self.stream)?.ok_or(io::ErrorKind::UnexpectedEof)?;
        match (message.kind, message.body.as_slice()) {
            (b'Z', [status, ..]) => self.status = *status,
            (b'K', [pid @ .., _, _, _, _]) => self.pid = pid.try_into().map_or(0, i32::from_be_bytes),
            _ => {}
        }
        Ok(message)
    }

    /// Whether something was said that nobody asked for: that the session is over.
    pub(crate) fn is_interrupted(&self) -> io::Result<bool> {
        if !self.stream.buffer().is_empty() {
            return Ok(true);
        }
        let stream = self.stream.get_ref();
        stream.set_nonblocking(true)?;
        let said = stream.peek(&mut [0]);
        stream.set_nonblocking(false)?;
        Ok(said.is_ok())
    }

    pub(crate) fn send(&mut self, message: &Message) -> io::Result<()> {
        let mut bytes = Vec::with_capacity(message.body.len() + 5);
        message.write(&mut bytes)?;
        self.stream.get_mut().write_all(&bytes)
    }

    pub(crate) fn send_query(&mut self, sql: &str) -> io::Result<()> {
        self.send(&Message::text(b'Q', sql))
    }

    /// Sends rows to the COPY that runs.
    pub(crate) fn send_data(&mut self, rows: &[u8]) -> io::Result<()> {
        let mut bytes = Vec::with_capacity(rows.len() + 5);
        wire::write(&mut bytes, b'd', rows)?;
        self.stream.get_mut().write_all(&bytes)
    }

    /// Runs SQL, whose answer nobody else sees.
    pub(crate) fn ask(&mut self, sql: &str) -> io::Result<Result<Rows, Refusal>> {
        self.send_query(sql)?;
        let mut answer = Ok(Rows::new());
        loop {
            let message = self.read()?;
            match (message.kind, &mut answer) {
                (b'D', Ok(rows)) => rows.push(message.values()),
                (b'E', _) => {
                    let error = Refusal::read(&message);
                    if error.is_fatal() {
                        return Ok(Err(error));
                    }
                    answer = Err(error);
                }
                (b'Z', _) => return Ok(answer),
                _ => {}
            }
        }
    }

    /// The same when nothing but success is right.
    pub(crate) fn run(&mut self, sql: &str) -> io::Result<Rows> {
        self.ask(sql)?.map_err(|error| io::Error::other(format!("{sql}: {}", error.text())))
    }
}
