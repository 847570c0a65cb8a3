//! A process of the flow under way, watched by the effects that it tells of.

use std::{
    fs,
    io::{BufRead as _, BufReader, Read as _},
    process::{Child, ChildStdout, Command, Stdio},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread::{self, JoinHandle},
    time::Duration,
};

use flow_tests::program::{Ended, until};

use super::script::{Start, What};

/// How long anything is waited for: far longer than it takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(120);

/// Effects that a service has before it is asked to end, when it does not come to the one at which something happens.
const SERVICE_EFFECTS: u64 = 800;

/// Effects after the one at which something happens, when that has not happened: an effect that failed has no after.
const OVERRUN: u64 = 200;

/// Memory is looked at every so many effects.
const MEMORY_EVERY: u64 = 20;

/// What is known of a process.
#[derive(Debug, Default)]
struct Progress {
    effects: u64,
    /// How many effects there were with the one at which something happens.
    met: Option<u64>,
    /// Whether it was sent the signal that awaited it.
    is_signalled: bool,
    has_ended: bool,
    memory_kib: u64,
}

impl Progress {
    fn runs_on(&self) -> bool {
        self.met.is_some_and(|met| self.effects > met + OVERRUN)
    }
}

#[derive(Debug)]
struct Watch {
    child: Mutex<Child>,
    id: u32,
    progress: Mutex<Progress>,
    changed: Condvar,
}

/// A process; dropped, it is killed.
#[derive(Debug)]
pub(crate) struct Process {
    start: Start,
    watch: Arc<Watch>,
    watcher: Option<JoinHandle<()>>,
    stderr: Option<JoinHandle<String>>,
}

/// Where a process has come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Settled {
    Ended,
    Stopped,
}

impl Process {
    /// Starts `command`; what it prints on stdout are its effects.
    pub(crate) fn start(start: Start, mut command: Command) -> Self {
        command.args(start.arguments().split_whitespace()).env("FLOW_EFFECTS", "/dev/stdout");
        if let Some(fault) = start.fault() {
            command.env("FLOW_FAULT", fault);
        }
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let (stdout, mut stderr) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
        let (id, child) = (child.id(), Mutex::new(child));
        let watch = Arc::new(Watch { child, id, progress: Mutex::default(), changed: Condvar::new() });
        let watched = Arc::clone(&watch);
        let watcher = thread::spawn(move || watched.follow(stdout, start));
        let stderr = thread::spawn(move || {
            let mut bytes = Vec::new();
            let _ = stderr.read_to_end(&mut bytes);
            String::from_utf8_lossy(&bytes).into_owned()
        });
        Self { start, watch, watcher: Some(watcher), stderr: Some(stderr) }
    }

    /// Waits until it has come so far, or to its end, or to where it may stand still.
    pub(crate) fn passed(&self, effects: u64) {
        let may_stop = self.may_stop();
        self.watch.wait(|progress| progress.effects >= effects || (may_stop && progress.met.is_some()));
    }

    fn may_stop(&self) -> bool {
        matches!(self.start.what, What::Stop(_) | What::StopLater(_))
    }

    /// Waits until it goes no further by itself.
    pub(crate) fn settle(&self) -> Settled {
        let is_over = |progress: &Progress| self.start.follows && progress.effects > SERVICE_EFFECTS;
        self.watch.wait(|progress| progress.met.is_some() || is_over(progress));
        let is_late = self.start.follows && self.watch.lock().met.is_none();
        if is_late {
            self.watch.signal("TERM");
        }
        // Asked to end, a service may still come to where it stops.
        if self.may_stop() && self.stands_still() {
            return Settled::Stopped;
        }
        // A second signal would not let it end well.
        if self.start.follows && !is_late {
            self.watch.signal("TERM");
        }
        self.watch.wait_for_end();
        Settled::Ended
    }

    /// Waits until it stands still, or has ended, or runs on although it should have stopped.
    fn stands_still(&self) -> bool {
        let is_later = matches!(self.start.what, What::StopLater(_));
        self.watch.wait(|progress| if is_later { progress.is_signalled } else { progress.met.is_some() });
        let stat = format!("/proc/{}/stat", self.watch.id);
        until("the process stands still", || {
            let runs_on = !is_later && self.watch.lock().runs_on();
            let text = fs::read_to_string(&stat).ok()?;
            match text.rsplit_once(") ")?.1.chars().next()? {
                'T' => Some(true),
                'Z' => Some(false),
                _ => runs_on.then_some(false),
            }
        })
    }

    /// Lets it go on that stands still, to its end; a service for some effects more.
    pub(crate) fn wake(&self) {
        self.watch.signal("CONT");
        if self.start.follows {
            let effects = self.watch.lock().effects + OVERRUN;
            self.watch.wait(|progress| progress.effects >= effects);
            self.watch.signal("TERM");
        }
        self.watch.wait_for_end();
    }

    /// The most memory that it was seen to have.
    pub(crate) fn memory_kib(&self) -> u64 {
        self.watch.lock().memory_kib
    }

    /// What became of it.
    pub(crate) fn end(mut self) -> Ended {
        self.watch.wait_for_end();
        self.watcher.take().unwrap().join().unwrap();
        let stderr = self.stderr.take().unwrap().join().unwrap();
        let status = self.watch.child.lock().unwrap_or_else(PoisonError::into_inner).wait().unwrap();
        Ended { code: status.code(), stdout: String::new(), stderr }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let mut child = self.watch.child.lock().unwrap_or_else(PoisonError::into_inner);
        let _ = child.kill();
        let _ = child.wait();
    }
}

impl Watch {
    /// Counts effects, and does from outside what awaits the process.
    fn follow(&self, stdout: ChildStdout, start: Start) {
        for line in BufReader::new(stdout).lines().map_while(Result::ok) {
            let mut progress = self.lock();
            progress.effects += 1;
            if progress.effects.is_multiple_of(MEMORY_EVERY) {
                progress.memory_kib = progress.memory_kib.max(memory_kib(self.id));
            }
            let is_met = start.at.is(progress.effects, &line);
            if is_met {
                progress.met = Some(progress.effects);
            }
            drop(progress);
            self.changed.notify_all();
            if let (What::KillLater(moments) | What::StopLater(moments), true) = (start.what, is_met) {
                (0..moments).for_each(|_| std::hint::spin_loop());
                self.signal(if matches!(start.what, What::KillLater(_)) { "KILL" } else { "STOP" });
                self.lock().is_signalled = true;
                self.changed.notify_all();
            }
        }
        self.lock().has_ended = true;
        self.changed.notify_all();
    }

    /// Waits until this holds, or the process has ended.
    fn wait(&self, holds: impl Fn(&Progress) -> bool) {
        let is_before = |progress: &mut Progress| !holds(progress) && !progress.has_ended;
        let waited = self.changed.wait_timeout_while(self.lock(), PATIENCE, is_before);
        let (_progress, timeout) = waited.unwrap_or_else(PoisonError::into_inner);
        assert!(!timeout.timed_out(), "a process neither goes on nor ends");
    }

    fn wait_for_end(&self) {
        self.wait(|_| false);
    }

    fn lock(&self) -> MutexGuard<'_, Progress> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Nobody has waited for it yet, so the id is its own.
    fn signal(&self, name: &str) {
        let status = Command::new("kill").args([format!("-{name}"), self.id.to_string()]).status().unwrap();
        assert!(status.success());
    }
}

fn memory_kib(id: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{id}/status")).unwrap_or_default();
    let most = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    most.and_then(|most| most.trim().trim_end_matches(" kB").parse().ok()).unwrap_or_default()
}
