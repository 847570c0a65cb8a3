//! A program's own log lines, shipped to a stream while it runs.

use std::{
    cell::Cell,
    fmt, io,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
        mpsc::{self, Receiver, SyncSender, TrySendError},
    },
    thread,
    time::Duration,
};

use tracing::{Metadata, Subscriber};
use tracing_subscriber::{Layer, fmt::MakeWriter, registry::LookupSpan};

use super::{
    lines::Lines,
    publication::Publication,
    sender::{Put, Stream},
    totals::Totals,
};
use crate::{Address, Error, Failure, aws::limits::LINE_BYTES_MAX};

/// Lines that wait unless told otherwise; what Amazon's appender for log4j had.
const BUFFER_LINES: usize = 2_000;

/// How long the end waits for what is left, unless told otherwise; likewise.
const PATIENCE: Duration = Duration::from_secs(30);

/// What is written about shipping itself must not be shipped: it would never end.
const OWN_TARGETS: [&str; 8] =
    ["aws_", "flow_runtime::aws", "flow_runtime::publish", "h2", "hyper", "rustls", "tokio", "tower"];

thread_local! {
    static IS_SHIPPING: Cell<bool> = const { Cell::new(false) };
}

/// What happens to a line while the buffer is full.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum WhenFull {
    /// Whoever logs waits: nothing is lost, and the program is as slow as the stream.
    Block,
    /// The line is dropped and counted: the program is never held up.
    #[default]
    Drop,
}

/// How log lines are shipped; see [`LogStream`].
#[derive(Clone, Debug)]
pub struct LogStreamOptions {
    address: String,
    buffer_lines: usize,
    when_full: WhenFull,
    patience: Duration,
}

impl LogStreamOptions {
    /// Holds so many lines at most that are not sent yet, beside those on their way [2,000].
    #[must_use]
    pub fn buffer(mut self, lines: usize) -> Self {
        self.buffer_lines = lines.max(1);
        self
    }

    /// What happens to a line while the buffer is full [it is dropped].
    #[must_use]
    pub fn when_full(mut self, when_full: WhenFull) -> Self {
        self.when_full = when_full;
        self
    }

    /// How long the end waits for what is left to be sent [30 s].
    #[must_use]
    pub fn patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// Begins to ship.
    ///
    /// # Errors
    /// When the address is none of a stream, no region is known, or there is no thread to spare. Whether the stream is
    /// there shows when the first lines are sent.
    pub fn start(self) -> Result<(LogStream, LogStreamGuard), Error> {
        let stream = Stream::at(&self.address.parse::<Address>()?)?;
        self.start_with(stream)
    }

    fn start_with(self, mut put: impl Put + Send + 'static) -> Result<(LogStream, LogStreamGuard), Error> {
        let (sender, lines) = mpsc::sync_channel(self.buffer_lines);
        let (done, is_done) = mpsc::channel();
        let shared = Arc::new(Shared {
            sender: Mutex::new(Some(sender)),
            when_full: self.when_full,
            taken: AtomicU64::new(0),
            dropped: AtomicU64::new(0),
            totals: Arc::default(),
            stop: Arc::default(),
            last_error: Mutex::default(),
        });
        let shipping = Arc::clone(&shared);
        let thread = thread::Builder::new().name("log-stream".to_owned()).spawn(move || {
            IS_SHIPPING.set(true);
            shipping.ship(&lines, &mut put);
            // Nobody waits any more, if nobody takes it.
            let _ = done.send(());
        });
        thread.map_err(|error| {
            Error::Config(Failure::new("cannot start the thread that ships log lines").cause(error))
        })?;
        let guard = LogStreamGuard { shared: Arc::clone(&shared), is_done: Some(is_done), patience: self.patience };
        Ok((LogStream { shared }, guard))
    }
}

/// Ships the log lines of a program to a Kinesis stream, a record each, with random partition keys.
///
/// It takes lines of any subscriber of `tracing` that writes to a [`MakeWriter`], or is a [`layer`](Self::layer) of its own
/// that writes JSON. Lines wait in a bounded buffer and are sent in batches by a thread; what the stream refuses is sent
/// again for minutes. Events of the AWS SDK, of its HTTP client, and of shipping itself are never shipped.
///
/// The guard that comes with it must live as long as lines are to be sent: when it is dropped, what waits is sent first.
///
/// # Example
/// ```no_run
/// use flow_runtime::publish::{LogStream, WhenFull};
/// use tracing_subscriber::prelude::*;
///
/// # fn main() -> Result<(), flow_runtime::Error> {
/// let (log, guard) = LogStream::to("kinesis://app-log?region=eu-central-1").when_full(WhenFull::Block).start()?;
/// tracing_subscriber::registry().with(log.layer()).init();
///
/// tracing::info!(user = 7, "logged in");
///
/// let shipped = guard.finish();
/// assert_eq!(shipped.dropped + shipped.unsent, 0, "{shipped}");
/// # Ok(())
/// # }
/// ```
///
/// The bare messages, as `%m` of log4j has them:
/// ```no_run
/// # let (log, _guard) = flow_runtime::publish::LogStream::to("kinesis://app-log").start().unwrap();
/// let lines = tracing_subscriber::fmt().without_time().with_level(false).with_target(false).with_ansi(false);
/// lines.with_writer(log).init();
/// ```
#[derive(Clone)]
pub struct LogStream {
    shared: Arc<Shared>,
}

impl LogStream {
    /// To the stream of this address: `kinesis://app-log?region=eu-central-1`.
    pub fn to(address: impl Into<String>) -> LogStreamOptions {
        LogStreamOptions {
            address: address.into(),
            buffer_lines: BUFFER_LINES,
            when_full: WhenFull::default(),
            patience: PATIENCE,
        }
    }

    /// A layer that ships every event as a line of JSON.
    pub fn layer<S: Subscriber + for<'a> LookupSpan<'a>>(&self) -> impl Layer<S> + use<S> {
        tracing_subscriber::fmt::layer().json().with_writer(self.clone())
    }
}

impl fmt::Debug for LogStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LogStream").field("shipped", &self.shared.shipped()).finish()
    }
}

impl<'a> MakeWriter<'a> for LogStream {
    type Writer = LogLine;

    fn make_writer(&'a self) -> LogLine {
        let is_own = IS_SHIPPING.get();
        LogLine { to: (!is_own).then(|| Arc::clone(&self.shared)), bytes: Vec::new() }
    }

    fn make_writer_for(&'a self, meta: &Metadata<'_>) -> LogLine {
        let is_own = OWN_TARGETS.iter().any(|target| meta.target().starts_with(target));
        if is_own { LogLine { to: None, bytes: Vec::new() } } else { self.make_writer() }
    }
}

/// A line that is being written; it is shipped when this is dropped.
pub struct LogLine {
    to: Option<Arc<Shared>>,
    bytes: Vec<u8>,
}

impl fmt::Debug for LogLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LogLine").field("bytes", &self.bytes.len()).finish_non_exhaustive()
    }
}

impl io::Write for LogLine {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.to.is_some() {
            self.bytes.extend_from_slice(bytes);
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for LogLine {
    fn drop(&mut self) {
        let mut line = std::mem::take(&mut self.bytes);
        if line.last() == Some(&b'\n') {
            line.pop();
        }
        if let Some(shared) = self.to.take().filter(|_| !line.is_empty()) {
            shared.take(line);
        }
    }
}

/// What came of shipping.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Shipped {
    /// Lines that the stream has acknowledged.
    pub sent: u64,
    /// Lines that were dropped: the buffer was full, they were too long for a record, or shipping had ended.
    pub dropped: u64,
    /// Lines that were taken, and that the stream has not acknowledged.
    pub unsent: u64,
    /// Of those that were sent, the ones that may be there twice: the answer to an earlier attempt was lost.
    pub maybe_twice: u64,
    /// Why lines could not be sent, last.
    pub last_error: Option<String>,
}

impl fmt::Display for Shipped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { sent, dropped, unsent, maybe_twice, last_error } = self;
        write!(f, "log lines: {sent} sent, {dropped} dropped, {unsent} not sent")?;
        if *maybe_twice > 0 {
            write!(f, ", {maybe_twice} maybe twice")?;
        }
        last_error.as_ref().map_or(Ok(()), |error| write!(f, ": {error}"))
    }
}

/// Ends the shipping when it is dropped: what waits is sent first, and if something could not be, how much that was is said
/// on stderr.
#[derive(Debug)]
#[must_use = "what waits when the program ends is sent when this is dropped"]
pub struct LogStreamGuard {
    shared: Arc<Shared>,
    is_done: Option<Receiver<()>>,
    patience: Duration,
}

impl LogStreamGuard {
    /// Ends the shipping, and says what came of it.
    #[must_use]
    pub fn finish(mut self) -> Shipped {
        self.drain()
    }

    fn drain(&mut self) -> Shipped {
        // The thread ends when it has sent what was taken until now.
        *self.shared.sender.lock().unwrap_or_else(PoisonError::into_inner) = None;
        if let Some(is_done) = self.is_done.take()
            && is_done.recv_timeout(self.patience).is_err()
        {
            self.shared.stop.store(true, Ordering::Relaxed);
        }
        self.shared.shipped()
    }
}

impl Drop for LogStreamGuard {
    fn drop(&mut self) {
        if self.is_done.is_some() {
            let shipped = self.drain();
            if shipped.dropped + shipped.unsent > 0 {
                eprintln!("{shipped}");
            }
        }
    }
}

/// What those who log, the thread and the guard share.
struct Shared {
    /// Nothing when shipping has ended.
    sender: Mutex<Option<SyncSender<io::Result<Vec<u8>>>>>,
    when_full: WhenFull,
    taken: AtomicU64,
    dropped: AtomicU64,
    totals: Arc<Mutex<Totals>>,
    /// Set when nobody waits any more.
    stop: Arc<AtomicBool>,
    last_error: Mutex<Option<String>>,
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared").field("when_full", &self.when_full).finish_non_exhaustive()
    }
}

impl Shared {
    fn take(&self, line: Vec<u8>) {
        let sender = self.sender.lock().unwrap_or_else(PoisonError::into_inner).clone();
        // Counted first, so that never more is sent than was taken.
        self.taken.fetch_add(1, Ordering::Relaxed);
        let is_taken = match (sender, self.when_full) {
            _ if line.len() > LINE_BYTES_MAX => false,
            (None, _) => false,
            (Some(sender), WhenFull::Block) => sender.send(Ok(line)).is_ok(),
            (Some(sender), WhenFull::Drop) => match sender.try_send(Ok(line)) {
                Ok(()) => true,
                Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => false,
            },
        };
        if !is_taken {
            self.taken.fetch_sub(1, Ordering::Relaxed);
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Sends until there is nobody who logs. Lines that cannot be sent are lost, those after them are tried all the same.
    fn ship(&self, lines: &Lines, put: &mut dyn Put) {
        let publication =
            Publication { totals: Arc::clone(&self.totals), stop: Arc::clone(&self.stop), ..Publication::default() };
        while let (_, Err(error)) = publication.run(lines, put) {
            let is_over = matches!(error, Error::Interrupted);
            *self.last_error.lock().unwrap_or_else(PoisonError::into_inner) = Some(error.to_string());
            if is_over {
                return;
            }
        }
    }

    fn shipped(&self) -> Shipped {
        let totals = *self.totals.lock().unwrap_or_else(PoisonError::into_inner);
        Shipped {
            sent: totals.sent,
            dropped: self.dropped.load(Ordering::Relaxed),
            unsent: self.taken.load(Ordering::Relaxed).saturating_sub(totals.sent),
            maybe_twice: totals.maybe_twice,
            last_error: self.last_error.lock().unwrap_or_else(PoisonError::into_inner).clone(),
        }
    }
}

#[cfg(test)]
#[path = "log_stream_tests.rs"]
mod tests;
