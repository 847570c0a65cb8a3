//! Reader threads: one for each input port, reading ahead as far as it has been given buffers.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
        mpsc::{self, Receiver, Sender},
    },
    thread,
    time::Duration,
};

use super::{panics::caught, run::Event};
use crate::{
    Error, Failure,
    effect::{counted, inherited},
    source::{Next, Reader},
};

/// How long a reader may wait for something new before it must say so: the time in which it heeds being closed.
const WAIT: Duration = Duration::from_millis(100);

/// A reader at work in its thread. Dropped, it makes the thread end.
#[derive(Debug)]
pub(super) struct ReaderThread {
    /// One request a buffer: who has no buffer to fill has nothing to say, so nothing need be held back.
    requests: Sender<Vec<u8>>,
    closed: Arc<AtomicBool>,
    /// Raised by each effect of the thread: it may read for long before it has something to say.
    moves: Arc<AtomicU64>,
}

impl ReaderThread {
    /// Starts `reader` for the input with index `input`.
    pub(super) fn start<'s>(
        threads: &'s thread::Scope<'s, '_>,
        name: &str,
        input: usize,
        reader: Box<dyn Reader>,
        events: Sender<Event>,
    ) -> Result<Self, Error> {
        let (requests, asked) = mpsc::channel();
        let closed = Arc::new(AtomicBool::new(false));
        let heeded = Arc::clone(&closed);
        let moves = Arc::new(AtomicU64::new(0));
        let count = Arc::clone(&moves);
        // A count of its own: the driver's would hide that another reader hangs.
        let read = move || counted(&count, || answer(input, reader, &asked, &heeded, &events));
        thread::Builder::new()
            .name(format!("read {name}"))
            .spawn_scoped(threads, inherited(read))
            .map_err(|error| cannot_start_thread(&error))?;
        Ok(Self { requests, closed, moves })
    }

    /// A number that stands still while the thread gets nothing done.
    pub(super) fn moves(&self) -> u64 {
        self.moves.load(Ordering::Relaxed)
    }

    /// Asks for one more piece, to be read into `buffer`.
    pub(super) fn request(&self, buffer: Vec<u8>) {
        // A thread that is gone has said why.
        let _ = self.requests.send(buffer);
    }
}

impl Drop for ReaderThread {
    fn drop(&mut self) {
        self.closed.store(true, Ordering::Relaxed);
    }
}

/// Answers each request, and says the end once: when the reader ended or failed, or when it was closed.
fn answer(
    input: usize,
    mut reader: Box<dyn Reader>,
    requests: &Receiver<Vec<u8>>,
    closed: &AtomicBool,
    events: &Sender<Event>,
) {
    while let Ok(buffer) = requests.recv() {
        if closed.load(Ordering::Relaxed) {
            break;
        }
        let answer = caught(|| reader.next(buffer, WAIT)).unwrap_or_else(|message| Err(panicked(&message)));
        let is_last = matches!(answer, Err(_) | Ok(Next::End));
        let has_looked = reader.has_looked() && !matches!(answer, Ok(Next::Looking));
        if events.send(Event::Answered { input, answer, has_looked }).is_err() || is_last {
            return;
        }
    }
    // Nobody may be listening any more.
    let _ = events.send(Event::Answered { input, answer: Ok(Next::End), has_looked: true });
}

/// A reader of a tap panicked.
pub(super) fn panicked(message: &str) -> Error {
    Error::Input(Failure::new("the reader panicked").cause(message).help("this is a fault of flow: please report it"))
}

/// The system refused a thread.
pub(super) fn cannot_start_thread(error: &std::io::Error) -> Error {
    Error::Config(
        Failure::new("cannot start a thread").cause(error).help("ask for fewer workers, or raise the limit of threads"),
    )
}
