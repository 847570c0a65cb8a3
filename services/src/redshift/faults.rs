//! What goes wrong on demand: which statement, which of its calls, how.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use crate::Calls;

/// One thing that is to go wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rule {
    /// The first word of the statement, in lower case: `begin`, `lock`, `select`, `copy`, `insert`, `merge`, `commit`, …;
    /// `connect` is the beginning of a session, which is reset or stalled; `*` is all of these.
    pub statement: &'static str,
    /// Of its calls, those that are struck.
    pub calls: Calls,
    /// What happens to them.
    pub fault: Fault,
}

impl Rule {
    /// A rule for one call, counted from 1.
    #[must_use]
    pub const fn nth(statement: &'static str, call: u64, fault: Fault) -> Self {
        Self { statement, calls: Calls::Nth(call), fault }
    }

    /// A rule for the first calls.
    #[must_use]
    pub const fn first(statement: &'static str, calls: u64, fault: Fault) -> Self {
        Self { statement, calls: Calls::First(calls), fault }
    }
}

/// How a statement goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Fault {
    /// The connection is reset, and the server never gets the statement.
    ResetBefore,
    /// The statement is done, then the connection is reset.
    ResetAfter,
    /// The statement is done, and answered by an error.
    ErrorAfter,
    /// The statement is done, and the answer does not come.
    Stalled,
    /// The statement is not done: a transaction is in its way, as the isolation has it.
    Conflict,
    /// The statement is not done: two transactions wait for each other.
    Deadlock,
    /// The connection is reset, and the session lives on with all its locks, without the statement, until
    /// [`super::Redshift::end_zombies`].
    Zombie,
    /// The same, and the statement is done then: a COMMIT takes effect when its sender has long given up.
    Late,
}

impl Fault {
    /// All there are.
    pub const ALL: [Self; 8] = [
        Self::ResetBefore,
        Self::ResetAfter,
        Self::ErrorAfter,
        Self::Stalled,
        Self::Conflict,
        Self::Deadlock,
        Self::Zombie,
        Self::Late,
    ];
}

/// A statement that went wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Struck {
    /// As in [`Rule::statement`], never `*`.
    pub statement: String,
    /// Its number among the calls of the statement, from 1.
    pub call: u64,
    /// What happened.
    pub fault: Fault,
}

impl fmt::Display for Struck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}#{} {:?}", self.statement, self.call, self.fault)
    }
}

/// What all sessions behind a door share.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    log: Mutex<Log>,
    /// Told whenever zombies are to end, and whenever there is one more.
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Log {
    rules: Vec<Rule>,
    /// How often each statement came.
    calls: BTreeMap<String, u64>,
    struck: Vec<Struck>,
    zombies: usize,
    /// How often zombies were told to end.
    endings: u64,
}

impl Faults {
    pub(crate) fn new(rules: &[Rule]) -> Self {
        let log = Log { rules: rules.to_vec(), ..Log::default() };
        Self { log: Mutex::new(log), changed: Condvar::new() }
    }

    fn log(&self) -> MutexGuard<'_, Log> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// From now on these rules hold, and statements are counted anew.
    pub(crate) fn obey(&self, rules: &[Rule]) {
        let mut log = self.log();
        log.rules = rules.to_vec();
        log.calls.clear();
        log.struck.clear();
    }

    /// Counts a statement, and says what happens to it.
    pub(crate) fn strike(&self, statement: &str) -> Option<Fault> {
        let mut log = self.log();
        let calls = log.calls.entry(statement.to_owned()).or_default();
        *calls += 1;
        let call = *calls;
        let is_meant = |rule: &&Rule| (rule.statement == "*" || rule.statement == statement) && rule.calls.has(call);
        let fault = log.rules.iter().find(is_meant)?.fault;
        log.struck.push(Struck { statement: statement.to_owned(), call, fault });
        Some(fault)
    }

    pub(crate) fn struck(&self) -> Vec<Struck> {
        self.log().struck.clone()
    }

    pub(crate) fn calls(&self) -> BTreeMap<String, u64> {
        self.log().calls.clone()
    }

    /// Waits, as a session that has lost its client and does not know, until all such are told to end.
    pub(crate) fn haunt(&self) {
        let mut log = self.log();
        let endings = log.endings;
        log.zombies += 1;
        self.changed.notify_all();
        while log.endings == endings {
            log = self.changed.wait(log).unwrap_or_else(PoisonError::into_inner);
        }
        log.zombies -= 1;
    }

    /// Waits until so many sessions have lost their clients; says whether that happened in time.
    pub(crate) fn await_zombies(&self, sessions: usize, patience: Duration) -> bool {
        let waited = self.changed.wait_timeout_while(self.log(), patience, |log| log.zombies != sessions);
        !waited.unwrap_or_else(PoisonError::into_inner).1.timed_out()
    }

    pub(crate) fn end_zombies(&self) {
        self.log().endings += 1;
        self.changed.notify_all();
    }
}
