//! A proxy before a PostgreSQL server that loses connections at a chosen message.
//!
//! It knows nothing of what flows through but where a message begins and ends, which message ends a request, and which
//! ends an answer.

use std::{
    collections::VecDeque,
    io::{self, Read, Write as _},
    net::{Shutdown, TcpListener, TcpStream},
    sync::{
        Arc, Mutex, OnceLock,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

/// Which message of a client a connection is cut at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// The one with this number, from 0.
    Nth(usize),
    /// The statement `COMMIT`.
    Commit,
}

/// How a connection is cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    /// The server never gets the message.
    Before,
    /// The server gets it, and has answered it if it is one to be answered; the client never gets the answer.
    After,
    /// As `After`, and the client is left waiting.
    Silence,
}

/// A proxy on a port of 127.0.0.1.
#[derive(Debug)]
pub struct Proxy {
    port: u16,
    connections: Arc<AtomicUsize>,
    messages: Arc<Mutex<Vec<bool>>>,
}

impl Proxy {
    /// Starts a proxy that cuts connections like this, one after the other: each cut is made by the first connection that
    /// comes to its message. All else is let through.
    ///
    /// # Panics
    /// Without a free port.
    #[must_use]
    #[expect(clippy::expect_used, reason = "a test cannot go on")]
    pub fn start(server: u16, cuts: &[(When, Cut)]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = listener.local_addr().expect("a bound port").port();
        let (connections, messages) = <(Arc<AtomicUsize>, Arc<Mutex<Vec<bool>>>)>::default();
        let (count, seen) = (Arc::clone(&connections), Arc::clone(&messages));
        let cuts = Arc::new(Mutex::new(cuts.iter().copied().collect()));
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                count.fetch_add(1, Ordering::SeqCst);
                let (cuts, seen) = (Arc::clone(&cuts), Arc::clone(&seen));
                thread::spawn(move || pass(client, server, cuts, &seen));
            }
        });
        Self { port, connections, messages }
    }

    /// Where it listens, on 127.0.0.1.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// How many connections there have been.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    /// The messages that clients have sent: whether each is one to be answered.
    #[must_use]
    pub fn messages(&self) -> Vec<bool> {
        self.messages.lock().map_or_else(|_| Vec::new(), |messages| messages.clone())
    }
}

type Cuts = VecDeque<(When, Cut)>;

/// One connection through the proxy.
struct Passage {
    client: TcpStream,
    server: TcpStream,
    /// Those that nobody has made yet.
    cuts: Arc<Mutex<Cuts>>,
    /// The one that was made here: answers are no longer let through.
    cut: OnceLock<Cut>,
    /// Requests that the server has not answered.
    unanswered: AtomicUsize,
}

impl Passage {
    /// Passes requests on until the message to cut at, or the end.
    fn requests(&self, seen: &Mutex<Vec<bool>>) -> io::Result<()> {
        let mut number = 0;
        while let Some(message) = read_message(&self.client, number == 0)? {
            // The first message, which has no letter, and those that end a request, are answered.
            let is_answered = number == 0 || matches!(message.first(), Some(b'Q' | b'S'));
            if let Ok(mut seen) = seen.lock() {
                seen.push(is_answered);
            }
            match self.next_cut(number, &message) {
                Some(Cut::Before) => return Ok(()),
                Some(cut) => drop(self.cut.set(cut)),
                None => {}
            }
            self.unanswered.fetch_add(is_answered.into(), Ordering::SeqCst);
            (&self.server).write_all(&message)?;
            if self.is_over() && !is_answered {
                return Ok(());
            }
            number += 1;
        }
        Ok(())
    }

    /// Passes answers on, and keeps back those that are to be lost.
    fn answers(&self) -> io::Result<()> {
        while let Some(message) = read_message(&self.server, false)? {
            let is_cut = self.cut.get().is_some();
            // In the middle of COPY the end of the request that began it has no answer of its own: `G` stands for it.
            let is_answer = matches!(message.first(), Some(b'Z' | b'G'));
            let is_last = is_answer && self.unanswered.fetch_sub(1, Ordering::SeqCst) == 1;
            match is_cut {
                false => (&self.client).write_all(&message)?,
                true if is_last && self.is_over() => return Ok(()),
                true => {}
            }
        }
        Ok(())
    }

    /// The cut that is to be made at this message.
    fn next_cut(&self, number: usize, message: &[u8]) -> Option<Cut> {
        let mut cuts = self.cuts.lock().ok()?;
        let (when, cut) = *cuts.front()?;
        when.is(number, message).then(|| {
            cuts.pop_front();
            cut
        })
    }

    /// Whether the connection is cut, and to end.
    fn is_over(&self) -> bool {
        matches!(self.cut.get(), Some(Cut::Before | Cut::After))
    }

    fn close(&self) {
        let _ = self.client.shutdown(Shutdown::Both);
        let _ = self.server.shutdown(Shutdown::Both);
    }
}

impl When {
    fn is(self, number: usize, message: &[u8]) -> bool {
        match self {
            Self::Nth(wanted) => number == wanted,
            Self::Commit => message.get(5..) == Some(b"COMMIT\0"),
        }
    }
}

/// Passes both directions on, each on a thread of its own, until either ends.
fn pass(client: TcpStream, server: u16, cuts: Arc<Mutex<Cuts>>, seen: &Mutex<Vec<bool>>) {
    let Ok(server) = TcpStream::connect(("127.0.0.1", server)) else { return };
    for stream in [&client, &server] {
        // Messages are small: without this each of them waits for the other side's acknowledgement.
        let _ = stream.set_nodelay(true);
    }
    let passage = Passage { client, server, cuts, cut: OnceLock::new(), unanswered: AtomicUsize::new(0) };
    thread::scope(|scope| {
        scope.spawn(|| {
            // What fails on one side is the end of the connection on the other.
            let _ = passage.answers();
            passage.close();
        });
        let _ = passage.requests(seen);
        passage.close();
    });
}

/// Reads a message: a letter, which the first of a client lacks, a length that counts itself, and the rest.
fn read_message(mut from: &TcpStream, is_first: bool) -> io::Result<Option<Vec<u8>>> {
    let head_bytes = if is_first { 4 } else { 5 };
    let mut message = vec![0; head_bytes];
    if from.read(&mut message[..1])? == 0 {
        return Ok(None);
    }
    from.read_exact(&mut message[1..])?;
    let length = message[head_bytes - 4..].iter().fold(0_usize, |length, byte| length << 8 | usize::from(*byte));
    let mut rest = vec![0; length.saturating_sub(4)];
    from.read_exact(&mut rest)?;
    message.append(&mut rest);
    Ok(Some(message))
}
