//! A proxy before a service that breaks chosen calls: `rules.rs` has what can be asked for, `operation.rs` how a request is known,
//! `answer.rs` and `entries.rs` what a broken one gets, `http.rs` where messages begin and end.
//!
//! What it does not break it passes on as it comes, answers of many events too. A thread serves each connection.

#![expect(clippy::expect_used, reason = "a test cannot go on")]

mod answer;
mod entries;
pub(crate) mod http;
mod operation;
mod rules;

use std::{
    collections::BTreeMap,
    io::{self, BufReader, Read as _, Write as _},
    net::{TcpListener, TcpStream},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

use socket2::SockRef;

use crate::Service;
use http::{Body, Head, pass_body, read_body};

pub use rules::{Calls, Fault, Rule, Struck};

/// A proxy on a port of 127.0.0.1. Dropped, it takes no more connections.
#[derive(Debug)]
pub struct Proxy {
    port: u16,
    state: Arc<State>,
}

/// What all connections share.
#[derive(Debug)]
struct State {
    upstream: u16,
    has_ended: AtomicBool,
    log: Mutex<Log>,
}

#[derive(Debug, Default)]
struct Log {
    rules: Vec<Rule>,
    /// How often each operation was called.
    calls: BTreeMap<String, u64>,
    struck: Vec<Struck>,
}

impl Proxy {
    /// Starts a proxy before `service`. Of the rules that fit a call the first strikes.
    ///
    /// # Panics
    /// Without a free port.
    #[must_use]
    pub fn before(service: &Service, rules: &[Rule]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = listener.local_addr().expect("a bound port").port();
        let log = Mutex::new(Log { rules: rules.to_vec(), ..Log::default() });
        let state = Arc::new(State { upstream: service.port(), has_ended: AtomicBool::new(false), log });
        let shared = Arc::clone(&state);
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                if shared.has_ended.load(Ordering::SeqCst) {
                    return;
                }
                let state = Arc::clone(&shared);
                // However a connection ends, the client sees it.
                thread::spawn(move || drop(serve(&client, &state)));
            }
        });
        Self { port, state }
    }

    /// Where it listens, on 127.0.0.1.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Its address, as `AWS_ENDPOINT_URL` and `?endpoint=` take it.
    #[must_use]
    pub fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// From now on these rules hold, and calls are counted anew.
    pub fn obey(&self, rules: &[Rule]) {
        *self.state.log() = Log { rules: rules.to_vec(), ..Log::default() };
    }

    /// What was broken, in order.
    #[must_use]
    pub fn struck(&self) -> Vec<Struck> {
        self.state.log().struck.clone()
    }

    /// How often each operation was called, broken calls too.
    #[must_use]
    pub fn calls(&self) -> BTreeMap<String, u64> {
        self.state.log().calls.clone()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.state.has_ended.store(true, Ordering::SeqCst);
        // Wakes the thread that waits for connections.
        let _ = TcpStream::connect(("127.0.0.1", self.port));
    }
}

impl State {
    fn log(&self) -> MutexGuard<'_, Log> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts a call, and says what happens to it.
    fn fault(&self, operation: &str) -> Option<Fault> {
        let mut log = self.log();
        let calls = log.calls.entry(operation.to_owned()).or_default();
        *calls += 1;
        let call = *calls;
        let fault = log.rules.iter().find(|rule| rule.strikes(operation, call))?.fault;
        log.struck.push(Struck { operation: operation.to_owned(), call, fault });
        Some(fault)
    }
}

/// One request after the other, until either side ends or a fault does.
fn serve(mut client: &TcpStream, state: &State) -> io::Result<()> {
    // A small message is not to wait until the other side has acknowledged one before.
    client.set_nodelay(true)?;
    let mut requests = BufReader::new(client);
    let mut upstream = Upstream::connect(state.upstream)?;
    while let Some(head) = Head::read(&mut requests)? {
        if head.get("expect").is_some() {
            client.write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?;
        }
        let body = read_body(&mut requests, head.request_framing())?;
        let (operation, is_last) = (operation::name(&head, &body), head.is_last());
        let method = head.word(0).to_owned();
        let Some(fault) = state.fault(&operation) else {
            let answer = upstream.ask(head, &body)?;
            answer.write(&mut client)?;
            let framing = answer.answer_framing(&method);
            pass_body(&mut upstream.answers, framing, &mut client)?;
            if is_last || framing == http::Framing::Rest {
                return Ok(());
            }
            continue;
        };
        match fault {
            Fault::ResetBefore => return reset(client),
            Fault::ResetAfter => {
                upstream.ask_whole(head, &body)?;
                return reset(client);
            }
            Fault::Stalled => {
                upstream.ask_whole(head, &body)?;
                return until_it_leaves(client);
            }
            Fault::StalledBody => {
                write_part(client, upstream.ask_whole(head, &body)?)?;
                return until_it_leaves(client);
            }
            Fault::TruncatedBody => {
                write_part(client, upstream.ask_whole(head, &body)?)?;
                return Ok(());
            }
            Fault::FailedEntries => {
                let parted = entries::parted(&operation, &body);
                let parted = parted.ok_or_else(|| io::Error::other(format!("{operation} has no entries to fail")))?;
                let (mut head, body) = upstream.ask_whole(head, &parted.rest())?;
                if parted.is_empty() {
                    // The service has refused to be asked for nothing.
                    head.first = "HTTP/1.1 200 OK".to_owned();
                }
                write_whole(client, head, &parted.answer(&body.bytes))?;
            }
            _ => client.write_all(&answer::refusal(&operation, &method, fault))?,
        }
        if is_last {
            return Ok(());
        }
    }
    Ok(())
}

/// The connection to the service, of one client.
struct Upstream {
    requests: TcpStream,
    answers: BufReader<TcpStream>,
}

impl Upstream {
    fn connect(port: u16) -> io::Result<Self> {
        let requests = TcpStream::connect(("127.0.0.1", port))?;
        requests.set_nodelay(true)?;
        let answers = BufReader::new(requests.try_clone()?);
        Ok(Self { requests, answers })
    }

    /// Passes a request on; the answer's body is left to be read.
    fn ask(&mut self, head: Head, body: &[u8]) -> io::Result<Head> {
        head.before(body.len()).write(&mut self.requests)?;
        self.requests.write_all(body)?;
        loop {
            let answer = Head::read(&mut self.answers)?.ok_or(io::ErrorKind::UnexpectedEof)?;
            // One that only says to go on is followed by the answer.
            if !answer.word(1).starts_with('1') {
                return Ok(answer);
            }
        }
    }

    /// Passes a request on and reads the answer; of events that come for minutes, the first.
    fn ask_whole(&mut self, head: Head, body: &[u8]) -> io::Result<(Head, Body)> {
        let method = head.word(0).to_owned();
        let answer = self.ask(head, body)?;
        let framing = answer.answer_framing(&method);
        let body = match answer.has_events() {
            true => Body::of_events(&mut self.answers)?,
            false => Body::whole(read_body(&mut self.answers, framing)?),
        };
        Ok((answer, body))
    }
}

fn write_whole(mut client: &TcpStream, head: Head, body: &[u8]) -> io::Result<()> {
    head.before(body.len()).write(&mut client)?;
    client.write_all(body)
}

/// Says that the whole answer comes, and writes some of it.
fn write_part(mut client: &TcpStream, (head, body): (Head, Body)) -> io::Result<()> {
    head.before(body.bytes.len()).write(&mut client)?;
    client.write_all(&body.bytes[..body.part])
}

/// Makes the connection end by a reset, once it is closed.
fn reset(client: &TcpStream) -> io::Result<()> {
    SockRef::from(client).set_linger(Some(Duration::ZERO))
}

/// Says nothing more until the client has had enough.
fn until_it_leaves(mut client: &TcpStream) -> io::Result<()> {
    let mut byte = [0];
    while client.read(&mut byte)? > 0 {}
    Ok(())
}
