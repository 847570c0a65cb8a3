//! One round: a folder, the files in it, and bout after bout of two processes.

use std::{fmt, ops::AddAssign, process::Command};

use flow_tests::program::{Ended, Place, Running};

use super::{
    logs::Logs,
    oracle::{Expected, Verdict},
    process::{Process, Settled},
    script::{Bout, Extent, Script, Start, What},
};
use crate::logs;

const PROGRAM: &str = env!("CARGO_BIN_EXE_fault_flows");

/// No round has a target on a server.
const NO_SCHEMA: &str = "";

/// How long a process waits for what another holds that stands still.
const PATIENCE_MS: &str = "40";

/// Runs after all that happened until nothing is left to do.
const RECOVERIES_MAX: usize = 4;

/// What came to pass.
#[derive(Clone, Debug, Default)]
pub(crate) struct Played {
    pub(crate) kills: u64,
    pub(crate) pauses: u64,
    /// Processes that ended with an error, or found another at work.
    pub(crate) failures: u64,
    pub(crate) processes: u64,
    pub(crate) records: u64,
    pub(crate) iterations: u64,
    /// The most that a process was seen to have.
    pub(crate) memory_kib: u64,
    pub(crate) verdict: Verdict,
}

impl AddAssign for Played {
    fn add_assign(&mut self, other: Self) {
        self.kills += other.kills;
        self.pauses += other.pauses;
        self.failures += other.failures;
        self.processes += other.processes;
        self.records += other.records;
        self.iterations += other.iterations;
        self.memory_kib = self.memory_kib.max(other.memory_kib);
        self.verdict += other.verdict;
    }
}

impl fmt::Display for Played {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kills, pauses, records, verdict, .. } = self;
        write!(f, "{kills} kills, {pauses} pauses, {records} records: {verdict}")
    }
}

/// A round under way.
#[derive(Debug)]
pub(crate) struct Round {
    extent: Extent,
    script: Script,
    place: Place,
    logs: Logs,
    expected: Expected,
    played: Played,
    /// What was done, and what became of it.
    pub(crate) told: Vec<String>,
}

impl Round {
    pub(crate) fn new(seed: u64, extent: Extent) -> Self {
        let place = if extent.on_disk { Place::new(PROGRAM) } else { Place::in_memory(PROGRAM) };
        let script = Script::new(seed, extent);
        let logs = Logs::new(&place);
        let told = vec![format!("{}, lock off: {}", script.combination, script.is_lock_off)];
        Self { extent, script, place, logs, expected: Expected::default(), played: Played::default(), told }
    }

    /// Plays it to its end.
    pub(crate) fn play(&mut self) -> Played {
        let mut bouts = 0;
        while (bouts < self.extent.bouts
            || self.played.kills < self.extent.kills
            || self.logs.records() < self.extent.records)
            && self.played.verdict.is_right()
        {
            let bout = self.script.bout(self.logs.files());
            self.told.push(bout.to_string());
            self.fight(&bout);
            bouts += 1;
        }
        self.come_to_rest();
        // What is replaced shows the last iteration alone: one that is known.
        self.logs.end_lines(&self.place);
        self.come_to_rest();
        for output in self.script.combination.outputs {
            self.played.verdict += self.expected.judge(&self.place, NO_SCHEMA, output);
        }
        self.played.records = self.logs.records();
        self.played.iterations = self.iterations();
        self.played.clone()
    }

    fn command(&self) -> Command {
        let Script { combination, is_lock_off, .. } = &self.script;
        let mut command =
            self.place.command(&format!("--lines {} {}", logs::ADDRESS, combination.arguments(NO_SCHEMA)));
        command.env("FLOW_UNDER_TEST", combination.flow).env("FLOW_PATIENCE_MS", PATIENCE_MS);
        command.env("FLOW_LOCK", if *is_lock_off { "off" } else { "" });
        command
    }

    fn fight(&mut self, bout: &Bout) {
        for change in &bout.before {
            self.logs.change(&self.place, *change);
        }
        let processes = bout.starts.map(|start| Process::start(start, self.command()));
        for (effects, change) in &bout.meanwhile {
            processes[0].passed(*effects);
            self.logs.change(&self.place, *change);
        }
        let settled = [processes[0].settle(), processes[1].settle()];
        let stopped = settled.iter().filter(|settled| **settled == Settled::Stopped).count();
        self.played.pauses += stopped as u64;
        if stopped > 0 && bout.has_third {
            self.ended(Start::CALM, Process::start(Start::CALM, self.command()));
        }
        for (process, settled) in processes.iter().zip(settled) {
            if settled == Settled::Stopped {
                process.wake();
            }
        }
        for (process, start) in processes.into_iter().zip(bout.starts) {
            self.ended(start, process);
        }
    }

    /// Counts what became of a process, which must not be a person's work.
    fn ended(&mut self, start: Start, process: Process) {
        self.played.processes += 1;
        self.played.memory_kib = self.played.memory_kib.max(process.memory_kib());
        let ended = process.end();
        self.told.push(format!("    {start}: {}", said(&ended)));
        let may_be_killed = matches!(start.what, What::Kill(_) | What::KillLater(_));
        match ended.code {
            Some(0) => {}
            None if may_be_killed => self.played.kills += 1,
            // Asked to end before it could heed that.
            None if start.follows => {}
            Some(1 | 4 | 130 | 143) if !ended.stderr.contains("panicked") => self.played.failures += 1,
            _ => self.played.verdict += Verdict::stuck(said(&ended)),
        }
    }

    /// Runs until nothing is left to do; all lines that are whole must be there then.
    fn come_to_rest(&mut self) {
        self.expected.add(&self.logs.take());
        let mut last = None;
        for _ in 0..RECOVERIES_MAX {
            let ended = Running::start(self.command()).end();
            self.told.push(format!("    at rest: {}", said(&ended)));
            if ended.code == Some(0) && ended.stderr.lines().any(|line| line.starts_with("nothing new")) {
                return;
            }
            last = Some(ended);
        }
        self.played.verdict += Verdict::stuck(last.as_ref().map(said).unwrap_or_default());
    }

    fn iterations(&self) -> u64 {
        let store = self.place.database(&format!("{}.flow.db", self.script.combination.flow));
        let count =
            |store: &rusqlite::Connection| store.query_row("SELECT count(*) FROM iterations", [], |row| row.get(0));
        store.and_then(|store| count(&store).ok()).unwrap_or_default()
    }
}

/// How a process ended, in a line.
fn said(ended: &Ended) -> String {
    format!("exit code {:?}: {}", ended.code, ended.stderr.lines().collect::<Vec<_>>().join(" "))
}
