//! Sends log lines in a thread until nobody logs any more, and counts what becomes of them.

use std::{
    fmt, io,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
        mpsc::{Receiver, SyncSender, TrySendError},
    },
    time::Duration,
};

use super::{WhenFull, lines::Lines, publication::Publication, sender::Put, totals::Totals};
use crate::{Error, aws::limits::LINE_BYTES_MAX};

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
    shared: Arc<Shipping>,
    is_done: Option<Receiver<()>>,
    patience: Duration,
}

impl LogStreamGuard {
    pub(super) fn new(shared: Arc<Shipping>, is_done: Receiver<()>, patience: Duration) -> Self {
        Self { shared, is_done: Some(is_done), patience }
    }

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
pub(super) struct Shipping {
    /// Nothing when shipping has ended.
    sender: Mutex<Option<SyncSender<io::Result<Vec<u8>>>>>,
    when_full: WhenFull,
    pub(super) taken: AtomicU64,
    dropped: AtomicU64,
    totals: Arc<Mutex<Totals>>,
    /// Set when nobody waits any more.
    stop: Arc<AtomicBool>,
    last_error: Mutex<Option<String>>,
}

impl fmt::Debug for Shipping {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shipping").field("when_full", &self.when_full).finish_non_exhaustive()
    }
}

impl Shipping {
    pub(super) fn new(sender: SyncSender<io::Result<Vec<u8>>>, when_full: WhenFull) -> Self {
        Self {
            sender: Mutex::new(Some(sender)),
            when_full,
            taken: AtomicU64::new(0),
            dropped: AtomicU64::new(0),
            totals: Arc::default(),
            stop: Arc::default(),
            last_error: Mutex::default(),
        }
    }

    /// Takes a line, or drops it.
    pub(super) fn take(&self, line: Vec<u8>) {
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
    pub(super) fn ship(&self, lines: &Lines, put: &mut dyn Put) {
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

    /// What has come of it so far.
    pub(super) fn shipped(&self) -> Shipped {
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
