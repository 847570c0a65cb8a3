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

use super::script::{Doom, Start};

/// How long anything is waited for: far longer than it takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(120);

/// Effects after which what should have happened to a service has not: its effect failed before.
const OVERRUN: u64 = 150;

/// Memory is looked at every so many effects.
const MEMORY_EVERY: u64 = 20;

/// What is known of a process.
#[derive(Debug, Default)]
struct Progress {
    effects: u64,
    /// Whether it was sent the signal that awaited it.
    is_signalled: bool,
    has_ended: bool,
    memory_kib: u64,
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
        let watcher = thread::spawn(move || watched.follow(stdout, start.doom));
        let stderr = thread::spawn(move || {
            let mut bytes = Vec::new();
            let _ = stderr.read_to_end(&mut bytes);
            String::from_utf8_lossy(&bytes).into_owned()
        });
        Self { start, watch, watcher: Some(watcher), stderr: Some(stderr) }
    }

    /// Waits until it has come so far, or to its end, or to where it stands still.
    pub(crate) fn passed(&self, effects: u64) {
        let most = match self.start.doom {
            Doom::StopAt(at, _) | Doom::StopFrom(at, _) => at,
            _ => u64::MAX,
        };
        self.watch.wait(effects.min(most));
    }

    /// Waits until it goes no further by itself.
    pub(crate) fn settle(&self) -> Settled {
        match self.start.doom {
            Doom::StopAt(at, _) => {
                self.watch.wait(at);
                // A service whose effect failed before it could stop there runs on.
                if self.stands_still(|| self.start.follows && self.effects() > at + OVERRUN) {
                    return Settled::Stopped;
                }
            }
            Doom::StopFrom(..) => {
                self.watch.wait_until(|progress| progress.is_signalled);
                if self.stands_still(|| false) {
                    return Settled::Stopped;
                }
            }
            Doom::None(at) if self.start.follows => self.watch.wait(at),
            _ => {}
        }
        self.drain();
        Settled::Ended
    }

    /// Waits until it stands still, or has ended, or will do neither.
    fn stands_still(&self, runs_on: impl Fn() -> bool) -> bool {
        let stat = format!("/proc/{}/stat", self.watch.id);
        until("the process stands still", || {
            let text = fs::read_to_string(&stat).ok()?;
            match text.rsplit_once(") ")?.1.chars().next()? {
                'T' => Some(true),
                'Z' => Some(false),
                _ => runs_on().then_some(false),
            }
        })
    }

    /// Waits until it has ended; a service is asked to, as soon as all has happened to it.
    fn drain(&self) {
        if self.start.follows {
            self.watch.wait(self.effects().max(self.start.at()) + OVERRUN);
            self.watch.signal("TERM");
        }
        self.watch.wait(u64::MAX);
    }

    /// Lets it go on that stands still, to its end.
    pub(crate) fn wake(&self) {
        self.watch.signal("CONT");
        self.drain();
    }

    fn effects(&self) -> u64 {
        self.watch.lock().effects
    }

    /// The most memory that it was seen to have.
    pub(crate) fn memory_kib(&self) -> u64 {
        self.watch.lock().memory_kib
    }

    /// Whether a signal ended it that it could not heed, and what became of it otherwise.
    pub(crate) fn end(mut self) -> Ended {
        self.watch.wait(u64::MAX);
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
    fn follow(&self, stdout: ChildStdout, doom: Doom) {
        let mut lines = BufReader::new(stdout).lines();
        while let Some(Ok(_)) = lines.next() {
            let effects = {
                let mut progress = self.lock();
                progress.effects += 1;
                if progress.effects.is_multiple_of(MEMORY_EVERY) {
                    progress.memory_kib = progress.memory_kib.max(memory_kib(self.id));
                }
                progress.effects
            };
            self.changed.notify_all();
            match doom {
                Doom::KillFrom(at, delay) if at == effects => {
                    (0..delay).for_each(|_| std::hint::spin_loop());
                    self.child.lock().unwrap_or_else(PoisonError::into_inner).kill().unwrap();
                }
                Doom::StopFrom(at, delay) if at == effects => {
                    (0..delay).for_each(|_| std::hint::spin_loop());
                    self.signal("STOP");
                    self.lock().is_signalled = true;
                    self.changed.notify_all();
                }
                _ => {}
            }
        }
        self.lock().has_ended = true;
        self.changed.notify_all();
    }

    /// Waits until there were so many effects, or the process has ended.
    fn wait(&self, effects: u64) {
        self.wait_until(|progress| progress.effects >= effects);
    }

    /// Waits until this holds, or the process has ended.
    fn wait_until(&self, holds: impl Fn(&Progress) -> bool) {
        let progress = self.lock();
        let is_before = |progress: &mut Progress| !holds(progress) && !progress.has_ended;
        let waited = self.changed.wait_timeout_while(progress, PATIENCE, is_before);
        let (_progress, timeout) = waited.unwrap_or_else(PoisonError::into_inner);
        assert!(!timeout.timed_out(), "a process neither goes on nor ends");
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
