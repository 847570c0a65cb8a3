//! A program's own log lines, shipped to a stream while it runs: how they get in. `shipping.rs` sends them.

use std::{
    cell::Cell,
    fmt, io,
    sync::{Arc, mpsc},
    thread,
    time::Duration,
};

use tracing::{Metadata, Subscriber};
use tracing_subscriber::{Layer, fmt::MakeWriter, registry::LookupSpan};

use super::{
    sender::{Put, Stream},
    shipping::{LogStreamGuard, Shipping},
};
use crate::{Address, Error, Failure, carriers::is_of_carrier};

/// Lines that wait unless told otherwise; what Amazon's appender for log4j had.
const BUFFER_LINES: usize = 2_000;

/// How long the end waits for what is left, unless told otherwise; likewise.
const PATIENCE: Duration = Duration::from_secs(30);

/// What is written about shipping itself must not be shipped, as little as what its carriers write: it would never end.
const OWN_TARGETS: [&str; 2] = ["flow_runtime::aws", "flow_runtime::publish"];

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
    /// Holds so many lines at most that are not sent yet, beside those on their way; 2,000 if nobody says.
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
        let shared = Arc::new(Shipping::new(sender, self.when_full));
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
        let guard = LogStreamGuard::new(Arc::clone(&shared), is_done, self.patience);
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
    shared: Arc<Shipping>,
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
        if is_own || is_of_carrier(meta.target()) {
            LogLine { to: None, bytes: Vec::new() }
        } else {
            self.make_writer()
        }
    }
}

/// A line that is being written; it is shipped when this is dropped.
pub struct LogLine {
    to: Option<Arc<Shipping>>,
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

#[cfg(test)]
#[path = "log_stream_tests.rs"]
mod tests;
