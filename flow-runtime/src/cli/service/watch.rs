//! The watcher: a thread of its own, which tells how a service is, finds out when it is stuck, and ends it when it
//! cannot be drained in time. Whatever hangs, this thread goes on.

use std::{
    fmt,
    io::{self, Write as _},
    path::{Path, PathBuf},
    process,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
        mpsc::{self, RecvTimeoutError, Sender},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use tracing::{error, info, warn};

use super::health::{Facts, Health, State, state};
use crate::{
    Error, Failure,
    driver::Progress,
    effect::{self, clock, disk},
};

/// How often the watcher looks.
const TICK: Duration = Duration::from_millis(200);

/// How often the document is written when nothing has changed.
const WRITE_INTERVAL: Duration = Duration::from_secs(5);

/// How long an iteration that was abandoned may take to end, before the process is ended.
const GRACE: Duration = Duration::from_secs(2);

/// What is watched, and what is done about it.
pub(super) struct Watched {
    pub(super) flow: String,
    pub(super) progress: Arc<Progress>,
    /// Set from outside when the service is to end.
    pub(super) drain: Arc<AtomicBool>,
    /// Set by the watcher when draining takes too long.
    pub(super) stop: Arc<AtomicBool>,
    pub(super) drain_timeout: Duration,
    pub(super) stuck_after: Duration,
    /// Where the document is written to.
    pub(super) file: Option<PathBuf>,
    /// The exit code when draining takes too long.
    pub(super) exit_code: Box<dyn Fn() -> u8 + Send>,
}

/// The last document, for whoever asks.
pub(super) type Latest = Arc<Mutex<Option<Health>>>;

/// The watcher at work; dropped, it writes a last time and ends.
#[derive(Debug)]
pub(super) struct Watcher {
    /// Nothing is ever sent: dropping it wakes and ends the thread.
    end: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Watcher {
    /// Writes the first document, and goes on by itself.
    ///
    /// # Errors
    /// [`Error::Config`] when the file cannot be written, or there is no thread to spare.
    pub(super) fn start(watched: Watched, latest: Latest) -> Result<Self, Error> {
        let (end, ended) = mpsc::channel();
        let mut watch = Watch::new(watched, latest, clock::elapsed(), clock::now_us());
        watch.look(Now::here()).map_err(|error| watch.cannot_write(error))?;
        let go_on = effect::inherited(move || {
            while ended.recv_timeout(TICK) == Err(RecvTimeoutError::Timeout) {
                watch.look_and_tell();
            }
            watch.look_and_tell();
        });
        let thread = thread::Builder::new().name("watch".to_owned()).spawn(go_on).map_err(|error| {
            Error::Config(Failure::new("cannot start a thread").cause(error).help("raise the limit of threads"))
        })?;
        Ok(Self { end: Some(end), thread: Some(thread) })
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        self.end = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// What the watcher remembers from look to look.
struct Watch {
    watched: Watched,
    latest: Latest,
    movement: Movement,
    state: State,
    since_us: i64,
    /// When draining began.
    draining_since: Option<Duration>,
    /// When the document was last written, or tried to be.
    written: Option<Duration>,
    was_written: bool,
}

/// The time, by both clocks.
#[derive(Clone, Copy, Debug)]
struct Now {
    elapsed: Duration,
    us: i64,
}

impl Now {
    fn here() -> Self {
        Self { elapsed: clock::elapsed(), us: clock::now_us() }
    }
}

/// What becomes of the process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    GoOn,
    /// It does not end by itself.
    Leave,
}

impl Watch {
    fn new(watched: Watched, latest: Latest, now: Duration, now_us: i64) -> Self {
        Self {
            watched,
            latest,
            movement: Movement { last: 0, since: now },
            state: State::Starting,
            since_us: now_us,
            draining_since: None,
            written: None,
            was_written: true,
        }
    }

    /// Looks, ends the process if that must be, and tells the log what cannot be written, once.
    fn look_and_tell(&mut self) {
        let looked = self.look(Now::here());
        if let (Err(error), true) = (&looked, self.was_written) {
            let error = self.cannot_write(error);
            warn!(flow = self.watched.flow, "{error}");
        }
        self.was_written = looked.is_ok();
        if let Ok(Verdict::Leave) = looked {
            process::exit(i32::from((self.watched.exit_code)()));
        }
    }

    fn cannot_write(&self, error: impl fmt::Display) -> Error {
        let path = self.watched.file.as_deref().unwrap_or(Path::new("")).display().to_string();
        let failure = Failure::new("cannot write the health file").at(path).cause(error);
        Error::Config(failure.help("give --health-file a place that can be written to"))
    }

    fn look(&mut self, now: Now) -> io::Result<Verdict> {
        let facts = self.facts(now);
        let verdict = self.heed_drain_timeout(now.elapsed);
        let health = self.health(&facts);
        let is_news = {
            let mut latest = self.latest.lock().unwrap_or_else(PoisonError::into_inner);
            let is_news = latest.as_ref().is_none_or(|latest| is_other(latest, &health));
            *latest = Some(health.clone());
            is_news
        };
        let is_due = self.written.is_none_or(|written| now.elapsed.saturating_sub(written) >= WRITE_INTERVAL);
        if let Some(path) = self.watched.file.as_ref().filter(|_| is_news || is_due) {
            self.written = Some(now.elapsed);
            let written = write(path, &health);
            // Who leaves does not care.
            if verdict == Verdict::GoOn {
                written?;
            }
        }
        Ok(verdict)
    }

    fn facts(&mut self, now: Now) -> Facts {
        let progress = &self.watched.progress;
        let is_stuck = self.movement.is_stuck(progress.beats(), now.elapsed, self.watched.stuck_after);
        Facts {
            status: progress.status(),
            phase: progress.phase(),
            is_draining: self.watched.drain.load(Ordering::Relaxed),
            is_stuck,
            now_us: now.us,
        }
    }

    fn health(&mut self, facts: &Facts) -> Health {
        let flow = &self.watched.flow;
        let now = state(facts);
        if now != self.state {
            let stuck_seconds = self.watched.stuck_after.as_secs();
            match (self.state, now) {
                (_, State::Stuck) => error!(flow, stuck_seconds, was = self.state.as_str(), "stuck: nothing moves"),
                (State::Stuck, _) => info!(flow, "not stuck any more"),
                (_, State::Draining) => {
                    let drain_timeout_seconds = self.watched.drain_timeout.as_secs();
                    info!(flow, drain_timeout_seconds, "draining: the open iteration is closed and loaded");
                }
                _ => {}
            }
            (self.state, self.since_us) = (now, facts.now_us);
        }
        Health::new(flow, now, self.since_us, facts)
    }

    /// Abandons what cannot be drained in time. That loses nothing: what is not sealed is read again, what is sealed is
    /// loaded by the next run.
    fn heed_drain_timeout(&mut self, now: Duration) -> Verdict {
        if !self.watched.drain.load(Ordering::Relaxed) {
            return Verdict::GoOn;
        }
        let drained_for = now.saturating_sub(*self.draining_since.get_or_insert(now));
        let flow = &self.watched.flow;
        if drained_for >= self.watched.drain_timeout && !self.watched.stop.swap(true, Ordering::Relaxed) {
            warn!(flow, "draining took too long: the open iteration is abandoned");
        }
        if drained_for >= self.watched.drain_timeout + GRACE {
            warn!(flow, "something does not end: the process ends without it");
            return Verdict::Leave;
        }
        Verdict::GoOn
    }
}

/// Whether somebody may want to know at once.
fn is_other(before: &Health, now: &Health) -> bool {
    (before.state, before.good, before.iteration, before.failures, &before.last_done)
        != (now.state, now.good, now.iteration, now.failures, &now.last_done)
}

/// Readers see the old document or the new, never a part.
fn write(path: &Path, health: &Health) -> io::Result<()> {
    let mut new = path.as_os_str().to_owned();
    new.push(".new");
    let new = Path::new(&new);
    disk::File::create("health", new)?.write_all(health.to_json().as_bytes())?;
    disk::rename("health", new, path)
}

/// Finds out for how long a number has stood still.
#[derive(Debug)]
struct Movement {
    last: u64,
    since: Duration,
}

impl Movement {
    fn is_stuck(&mut self, movement: u64, now: Duration, stuck_after: Duration) -> bool {
        if movement != self.last {
            *self = Self { last: movement, since: now };
        }
        now.saturating_sub(self.since) >= stuck_after
    }
}

#[cfg(test)]
#[path = "watch_tests.rs"]
mod tests;
