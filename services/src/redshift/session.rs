//! One client's session: its requests, statement by statement, and what goes wrong with them on demand. How a statement is
//! done is in `perform.rs`.

use std::{
    io::{self, BufReader, Read as _, Write as _},
    mem,
    time::Duration,
};

use socket2::SockRef;

use super::{
    Warehouse,
    backend::Backend,
    error::Refusal,
    faults::{Fault, Faults},
    sql::{self, Statement},
    tls::Stream,
    wire::Message,
};

/// Answers are passed on when there are so many bytes of them, and at the end of a request.
const BUFFER_BYTES: usize = 1 << 16;

/// What a statement came to: the tag that says that it is done, or an error.
pub(super) type Done = Result<String, Refusal>;

pub(super) struct Session<'a> {
    pub(super) warehouse: &'a Warehouse,
    pub(super) faults: &'a Faults,
    pub(super) backend: Backend,
    /// Until it is lost.
    client: Option<BufReader<Stream>>,
    /// What the client is to be told.
    answers: Vec<u8>,
    /// Whether the answers have to wait for the end of the statement.
    is_held: bool,
    /// Whether the transaction is only that of a request with several statements.
    pub(super) is_implicit: bool,
    /// After what was refused nothing is looked at until the client has heard of it.
    is_skipping: bool,
}

/// What becomes of a request after a statement.
enum Next {
    Statement,
    /// The others of the request are not done.
    Ready,
    /// The client is gone.
    End,
}

impl<'a> Session<'a> {
    pub(super) fn new(warehouse: &'a Warehouse, faults: &'a Faults, client: BufReader<Stream>, b: Backend) -> Self {
        Self {
            warehouse,
            faults,
            backend: b,
            client: Some(client),
            answers: Vec::new(),
            is_held: false,
            is_implicit: false,
            is_skipping: false,
        }
    }

    /// One request after the other, until either side ends.
    pub(super) fn serve(&mut self) -> io::Result<()> {
        while let Some(client) = &mut self.client
            && let Some(message) = Message::read(client)?
        {
            match message.kind {
                b'Q' => match self.request(&message.texts().next().unwrap_or_default())? {
                    Next::End => return Ok(()),
                    Next::Statement | Next::Ready => self.ready()?,
                },
                b'X' => return Ok(()),
                b'S' => {
                    self.is_skipping = false;
                    self.ready()?;
                }
                b'H' => self.flush()?,
                _ if self.is_skipping => {}
                _ => {
                    self.is_skipping = true;
                    self.tell(&Refusal::unsupported("the extended query protocol").message())?;
                }
            }
        }
        Ok(())
    }

    fn request(&mut self, text: &str) -> io::Result<Next> {
        let statements = sql::split(text);
        if statements.is_empty() {
            self.tell(&Message::new(b'I', []))?;
        }
        for statement in &statements {
            if statements.len() > 1
                && let Err(refusal) = self.join_batch(statement)?
            {
                self.tell(&refusal.message())?;
                break;
            }
            match self.statement(statement)? {
                Next::Statement => {}
                Next::Ready => break,
                Next::End => return Ok(Next::End),
            }
        }
        if mem::take(&mut self.is_implicit) {
            let end = if self.backend.status == b'T' { "COMMIT" } else { "ROLLBACK" };
            if let Err(refusal) = self.backend.ask(end)? {
                self.tell(&self.translated(refusal).message())?;
            }
        }
        Ok(Next::Ready)
    }

    /// Several statements in one request are one transaction, whose snapshot is taken before any of them.
    fn join_batch(&mut self, statement: &Statement<'_>) -> io::Result<Result<(), Refusal>> {
        let is_control = matches!(statement.kind().as_str(), "begin" | "commit" | "rollback");
        if self.backend.status == b'I' && !is_control {
            self.is_implicit = true;
            self.backend.run("BEGIN")?;
        }
        if statement.kind() == "lock" && self.backend.status == b'T' {
            return Ok(self.backend.ask("SELECT 1")?.map(drop));
        }
        Ok(Ok(()))
    }

    /// Does one statement, or what a rule wants instead.
    fn statement(&mut self, statement: &Statement<'_>) -> io::Result<Next> {
        while self.backend.is_interrupted()? {
            let message = self.backend.read()?;
            if message.kind == b'E' {
                return self.conclude(Err(Refusal::read(&message)));
            }
            self.tell(&message)?;
        }
        let fault = self.faults.strike(&statement.kind());
        let start = self.answers.len();
        let refused = match fault {
            None => None,
            Some(Fault::ResetBefore) => return self.lose_client(),
            Some(Fault::Zombie | Fault::Late) => {
                self.lose_client()?;
                self.faults.haunt();
                if fault == Some(Fault::Late) {
                    let _ = self.perform(statement)?;
                }
                return Ok(Next::End);
            }
            Some(Fault::Conflict) => Some(Refusal::conflict(self.warehouse.isolation, self.backend.pid)),
            Some(Fault::Deadlock) => Some(Refusal::deadlock()),
            Some(Fault::ResetAfter | Fault::Stalled | Fault::ErrorAfter) => {
                self.is_held = true;
                None
            }
        };
        let mut done = match refused {
            Some(refusal) => Err(refusal),
            None => self.perform(statement)?,
        };
        let is_refused = done.as_ref().is_err_and(|refusal| !refusal.is_fatal());
        if is_refused && self.backend.status == b'T' {
            // One that PostgreSQL has not seen has to end its transaction, too.
            let _ = self.backend.ask("refused")?;
        }
        self.is_held = false;
        match fault {
            Some(Fault::ResetAfter) => return self.lose_client(),
            Some(Fault::Stalled) => return self.stall(),
            Some(Fault::ErrorAfter) => {
                self.answers.truncate(start);
                done = Err(Refusal::internal("Query cancelled on system's request: the node is restarting"));
            }
            _ => {}
        }
        self.conclude(done)
    }

    fn conclude(&mut self, done: Done) -> io::Result<Next> {
        match done {
            Ok(tag) => {
                self.tell(&Message::text(b'C', &tag))?;
                Ok(Next::Statement)
            }
            Err(refusal) => {
                self.tell(&refusal.message())?;
                self.flush()?;
                Ok(if refusal.is_fatal() { Next::End } else { Next::Ready })
            }
        }
    }

    pub(super) fn tell(&mut self, message: &Message) -> io::Result<()> {
        message.write(&mut self.answers)?;
        if self.answers.len() > BUFFER_BYTES && !self.is_held { self.flush() } else { Ok(()) }
    }

    fn ready(&mut self) -> io::Result<()> {
        self.tell(&Message::new(b'Z', [self.backend.status]))?;
        self.flush()
    }

    fn flush(&mut self) -> io::Result<()> {
        let answers = mem::take(&mut self.answers);
        let Some(client) = &mut self.client else { return Ok(()) };
        client.get_mut().write_all(&answers)?;
        client.get_mut().flush()
    }

    /// Resets the client's connection.
    fn lose_client(&mut self) -> io::Result<Next> {
        if let Some(client) = self.client.take() {
            SockRef::from(client.get_ref().tcp()).set_linger(Some(Duration::ZERO))?;
        }
        Ok(Next::End)
    }

    /// Says nothing more until the client has had enough.
    fn stall(&mut self) -> io::Result<Next> {
        if let Some(client) = &mut self.client.take() {
            until_it_leaves(client)?;
        }
        Ok(Next::End)
    }
}

pub(super) fn until_it_leaves(client: &mut BufReader<Stream>) -> io::Result<()> {
    let mut byte = [0];
    while client.read(&mut byte)? > 0 {}
    Ok(())
}
