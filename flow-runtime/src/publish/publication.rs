//! Publishes lines: takes, packs, sends, paces.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
        mpsc::RecvTimeoutError,
    },
    time::Duration,
};

use super::{
    keys::KeyBy,
    lines::Lines,
    pace::Pace,
    packing::Packing,
    sender::{Put, Sender},
    totals::Totals,
};
use crate::{Error, Failure, aws::limits::PUT_RECORDS_MAX, effect::clock};

/// After how long without a line what has come is sent.
const SILENCE: Duration = Duration::from_millis(100);

/// How long a record waits for others at most.
const WAIT_MAX: Duration = Duration::from_secs(1);

/// Bytes that are sent at once, if they come so fast: what the service would take, ten megabytes, gets through many an uplink
/// no sooner than a call is given up, to be sent anew.
const REQUEST_BYTES: usize = 2 << 20;

/// How to publish.
#[derive(Clone, Debug, Default)]
pub(crate) struct Publication {
    pub(crate) key_by: KeyBy,
    pub(crate) is_aggregated: bool,
    /// Records a second.
    pub(crate) rate: Option<u64>,
    /// No more than so many.
    pub(crate) records_max: Option<u64>,
    /// What has been done so far, for whoever shows it.
    pub(crate) totals: Arc<Mutex<Totals>>,
    /// Set when it is to stop: what was read is sent, nothing more is read.
    pub(crate) stop: Arc<AtomicBool>,
}

impl Publication {
    /// Publishes `lines`, and says what became of them; with an error, too, they add up.
    pub(crate) fn run(&self, lines: &Lines, put: &mut dyn Put) -> (Totals, Result<(), Error>) {
        let mut sender = Sender::new(put, Arc::clone(&self.totals), Arc::clone(&self.stop));
        let mut packing = Packing::new(self.key_by.clone(), self.is_aggregated);
        let taken = self.take(lines, &mut packing, &mut sender);
        // After a failure to send, too, what waits is counted: nobody has it.
        let left = packing.take_all();
        let sent = match taken {
            Ok(()) | Err(Error::Interrupted | Error::Input(_)) => sender.send(left),
            Err(_) => {
                let lost: u64 = left.iter().map(|outgoing| outgoing.records).sum();
                sender.count(|totals| totals.failed += lost);
                Ok(())
            }
        };
        let totals = *self.totals.lock().unwrap_or_else(PoisonError::into_inner);
        let balanced = match totals.add_up() {
            true => Ok(()),
            false => Err(Error::Imbalance(Failure::new(format!("the counts do not add up: {totals:?}")))),
        };
        (totals, taken.and(sent).and(balanced))
    }

    fn take(&self, lines: &Lines, packing: &mut Packing, sender: &mut Sender<'_>) -> Result<(), Error> {
        let mut pace = self.rate.map(|rate| Pace::new(rate, clock::elapsed()));
        let mut sent_at = clock::elapsed();
        for number in 0_u64.. {
            if self.stop.load(Ordering::Relaxed) {
                return Err(Error::Interrupted);
            }
            if self.records_max == Some(number) {
                return Ok(());
            }
            let line = match lines.recv_timeout(SILENCE) {
                Ok(line) => line,
                Err(RecvTimeoutError::Disconnected) => return Ok(()),
                Err(RecvTimeoutError::Timeout) => {
                    sender.send(packing.take_all())?;
                    match self.next(lines)? {
                        Some(line) => line,
                        None => return Ok(()),
                    }
                }
            };
            let line = line.map_err(|error| Error::Input(Failure::new("cannot read on").cause(error)))?;
            sender.count(|totals| totals.read += 1);
            packing.add(line);
            let now = clock::elapsed();
            let due = pace.as_mut().and_then(|pace| pace.taken(now));
            let (entries, bytes) = packing.ready();
            if now.saturating_sub(sent_at) > WAIT_MAX {
                sender.send(packing.take_all())?;
                sent_at = now;
            } else if due.is_some() || entries >= PUT_RECORDS_MAX || bytes >= REQUEST_BYTES {
                sender.send(packing.take_ready())?;
            }
            if let Some(due) = due {
                clock::sleep(due.saturating_sub(clock::elapsed()));
            }
        }
        Ok(())
    }

    /// Waits for a line, whatever that takes.
    fn next(&self, lines: &Lines) -> Result<Option<std::io::Result<Vec<u8>>>, Error> {
        loop {
            match lines.recv_timeout(SILENCE) {
                Ok(line) => return Ok(Some(line)),
                Err(RecvTimeoutError::Disconnected) => return Ok(None),
                Err(RecvTimeoutError::Timeout) if self.stop.load(Ordering::Relaxed) => return Err(Error::Interrupted),
                Err(RecvTimeoutError::Timeout) => {}
            }
        }
    }
}

#[cfg(test)]
#[path = "publication_tests.rs"]
mod tests;
