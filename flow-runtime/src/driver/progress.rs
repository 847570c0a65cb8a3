//! What a run is at, for whoever watches it from another thread: counters, the phase, and what a service says of itself.

use std::{
    fmt,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicI64, AtomicU8, AtomicU64, Ordering},
    },
};

use super::{Outcome, events::Totals};
use crate::{Error, Failure, Plan, effect::clock};

/// Counters that the driver raises while it runs.
#[derive(Debug, Default)]
pub struct Progress {
    /// Records read from sources and tables.
    pub records: AtomicU64,
    /// Bytes read from sources and tables.
    pub bytes: AtomicU64,
    /// Records trapped.
    pub trapped: AtomicU64,
    /// What arrived up to then has been read, in microseconds since the epoch of Unix; 0 while nothing is known to be left.
    behind_since_us: AtomicI64,
    /// A [`Phase`].
    phase: AtomicU8,
    /// Set when the run is over.
    pub finished: AtomicBool,
    /// Raised by whatever moves on.
    beats: Arc<AtomicU64>,
    status: Mutex<Status>,
}

/// What a run does, one after the other; prints itself as people call it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// Records are read, processed and staged.
    Reading,
    /// What was read becomes final.
    Sealing,
    /// The targets get it.
    Loading,
    /// Nothing is left to do.
    Done,
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Reading => "reading",
            Self::Sealing => "sealing",
            Self::Loading => "loading",
            Self::Done => "done",
        })
    }
}

/// What a service says of itself.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Status {
    /// What it does.
    pub activity: Activity,
    /// The iteration that is under way, or was the last one.
    pub iteration: Option<u64>,
    /// Failures since something last succeeded.
    pub failures: u32,
    /// Why the last attempt failed, while none has succeeded since.
    pub trouble: Option<Trouble>,
    /// The last iteration that every target has.
    pub last_done: Option<LastDone>,
    /// Iterations done since the service began.
    pub iterations_done: u64,
    /// Records read from sources in them.
    pub records: u64,
    /// Rows written to sinks in them.
    pub rows: u64,
    /// Records trapped in them.
    pub trapped: u64,
    /// Since when there have been records that no target has, in microseconds since the epoch of Unix; nothing while
    /// everything that is there has been loaded.
    pub behind_since_us: Option<i64>,
}

/// What a service does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Activity {
    /// It finds out what an earlier run has left.
    #[default]
    Starting,
    /// An iteration is under way; [`Progress::phase`] says how far.
    Working,
    /// It waits for new records.
    Idle,
    /// It waits before it tries again what has failed.
    Retrying,
    /// It has ended.
    Ended,
}

/// Why something failed, as people read it.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[non_exhaustive]
pub struct Trouble {
    /// [`Error::kind`].
    pub kind: String,
    /// What happened, where and why.
    pub message: String,
    /// What to do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
}

impl From<&Error> for Trouble {
    fn from(error: &Error) -> Self {
        Self {
            kind: error.kind().to_owned(),
            message: error.failure().map_or_else(|| error.to_string(), Failure::account),
            help: error.failure().and_then(Failure::advice).map(str::to_owned),
        }
    }
}

/// An iteration that every target has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LastDone {
    /// Its number.
    pub iteration: u64,
    /// When, in microseconds since the epoch of Unix.
    pub at_us: i64,
}

impl Progress {
    /// What the run does now.
    pub fn phase(&self) -> Phase {
        match self.phase.load(Ordering::Relaxed) {
            0 => Phase::Reading,
            1 => Phase::Sealing,
            2 => Phase::Loading,
            _ => Phase::Done,
        }
    }

    pub(super) fn enter(&self, phase: Phase) {
        self.phase.store(phase as u8, Ordering::Relaxed);
        if phase == Phase::Done {
            self.behind_since(None);
        }
        self.beat();
    }

    /// What the service says of itself.
    pub fn status(&self) -> Status {
        let mut status = self.lock().clone();
        // When records arrived is better than when they were seen.
        if let Some(since) = self.arrived_us() {
            status.behind_since_us = Some(status.behind_since_us.map_or(since, |seen| seen.min(since)));
        }
        status
    }

    /// When the last record arrived that was read of a stream that has more.
    #[must_use]
    pub fn arrived_us(&self) -> Option<i64> {
        Some(self.behind_since_us.load(Ordering::Relaxed)).filter(|since| *since != 0)
    }

    pub(super) fn behind_since(&self, since_us: Option<i64>) {
        self.behind_since_us.store(since_us.unwrap_or(0), Ordering::Relaxed);
    }

    pub(super) fn note(&self, change: impl FnOnce(&mut Status)) {
        change(&mut self.lock());
        self.beat();
    }

    /// A number that stands still while nothing moves, although there is something to do or to look for.
    #[must_use]
    pub fn beats(&self) -> u64 {
        self.beats.load(Ordering::Relaxed)
    }

    /// The number itself.
    pub(super) fn moves(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.beats)
    }

    pub(crate) fn beat(&self) {
        self.beats.fetch_add(1, Ordering::Relaxed);
    }

    /// An iteration is under way.
    pub(super) fn opened(&self, iteration: u64) {
        self.note(|status| {
            status.activity = Activity::Working;
            status.iteration = Some(iteration);
        });
    }

    /// An iteration was loaded, or several that earlier runs had left.
    pub(super) fn done(&self, plan: &Plan, outcome: &Outcome) {
        let totals = Totals::of(plan, &outcome.ports);
        self.note(|status| {
            status.iterations_done += outcome.published();
            let iteration = outcome.iteration.or(outcome.resumed.last().copied());
            status.last_done = iteration.map(|iteration| LastDone { iteration, at_us: clock::now_us() });
            if outcome.iteration.is_some() {
                status.records += totals.records;
                status.rows += totals.rows;
                status.trapped += totals.trapped;
            }
        });
    }

    /// Nobody panics while holding the lock, so a poisoned one is as good as another.
    fn lock(&self) -> MutexGuard<'_, Status> {
        self.status.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
