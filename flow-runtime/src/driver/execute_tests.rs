//! Iterations over hand-written flows: records, their order, what is kept of them.

#[path = "execute_tests/bounds.rs"]
mod bounds;
#[path = "execute_tests/failures.rs"]
mod failures;
#[path = "execute_tests/flows.rs"]
mod flows;
#[path = "execute_tests/growing.rs"]
mod growing;
#[path = "execute_tests/scripted.rs"]
mod scripted;

use std::{
    fs,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use flows::{BAD, GROUPS, Grouped, HOSTS, LINES, MORE, OUT, Paired, TableOnly};
use tempfile::TempDir;

use super::*;
use crate::{
    Failure, MemoryRecords,
    source::{self, Input, KnownShard},
};

/// What an iteration is run with; the rest is the test's own.
struct Setting {
    workers: usize,
    bounds: Bounds,
    memory_bytes: u64,
    spill: TempDir,
    run_when_empty: bool,
    stop: Arc<AtomicBool>,
    drain: Arc<AtomicBool>,
    progress: Arc<Progress>,
    seconds: Arc<AtomicU64>,
}

impl Default for Setting {
    fn default() -> Self {
        Self {
            workers: 2,
            bounds: Bounds::default(),
            memory_bytes: 1 << 30,
            spill: TempDir::new().unwrap(),
            run_when_empty: false,
            stop: Arc::default(),
            drain: Arc::default(),
            progress: Arc::default(),
            seconds: Arc::default(),
        }
    }
}

impl Setting {
    fn with_workers(workers: usize) -> Self {
        Self { workers, ..Self::default() }
    }

    fn with_bounds(bounds: Bounds) -> Self {
        Self { bounds, ..Self::default() }
    }

    fn run<F: Flow>(&self, inputs: Vec<InputJob<'_>>, collect: &mut dyn Collect) -> Result<Executed, Error> {
        let clock = || Duration::from_secs(self.seconds.load(Ordering::SeqCst));
        let job = Execution {
            inputs,
            demands: Arc::default(),
            workers: NonZeroUsize::new(self.workers).unwrap(),
            bounds: &self.bounds,
            memory_bytes: self.memory_bytes,
            spill: self.spill.path().join("spill"),
            run_when_empty: self.run_when_empty,
            stop: &self.stop,
            drain: &self.drain,
            progress: &self.progress,
            clock: &clock,
        };
        execute::<F>(job, collect)
    }

    /// Runs [`Grouped`] over lines, and no hosts.
    fn run_lines(&self, lines: &dyn SourceTap) -> (Result<Executed, Error>, Gathered) {
        let hosts = MemoryRecords::default();
        let mut gathered = Gathered::default();
        (self.run::<Grouped>(vec![source(LINES, lines), table(&hosts)], &mut gathered), gathered)
    }
}

/// What came out, as text.
#[derive(Debug, Default, PartialEq, Eq)]
struct Gathered {
    out: String,
    groups: String,
    trapped: Vec<String>,
    /// Fails when this many rows are exceeded.
    rows_max: Option<usize>,
}

impl Collect for Gathered {
    fn rows(&mut self, port: usize, rows: &RowBuffer, _origin: &Origin<'_>) -> Result<(), Error> {
        let text = if port == OUT { &mut self.out } else { &mut self.groups };
        assert!([OUT, GROUPS].contains(&port));
        text.push_str(std::str::from_utf8(rows.bytes()).unwrap());
        match self.rows_max {
            Some(max) if text.lines().count() > max => Err(Error::Store(Failure::new("no space left on device"))),
            _ => Ok(()),
        }
    }

    fn trapped(&mut self, port: usize, record: &TrappedRecord<'_>, _origin: &Origin<'_>) -> Result<(), Error> {
        assert_eq!(port, BAD);
        let TrappedRecord { record, source, shard, position, operator, reason } = record;
        let record = record.map_or("-".into(), String::from_utf8_lossy);
        let shard = shard.map(|shard| shard.rsplit('/').next().unwrap_or_default());
        let place = format!(
            "{} {} {}",
            source.unwrap_or("-"),
            shard.unwrap_or("-"),
            position.as_ref().map_or("-", |p| p.as_str())
        );
        self.trapped.push(format!("{record} | {place} | {operator} | {reason}"));
        Ok(())
    }
}

fn job<'a>(port: usize, tap: &'a dyn SourceTap, is_source: bool, known: &[KnownShard]) -> InputJob<'a> {
    InputJob {
        port,
        tap,
        shards: tap.shards(known).unwrap(),
        reading: Reading { take_tail: !is_source, once: !is_source, is_look: false, is_aside: false },
        is_source,
    }
}

fn source(port: usize, tap: &dyn SourceTap) -> InputJob<'_> {
    job(port, tap, true, &[])
}

fn table(tap: &dyn SourceTap) -> InputJob<'_> {
    job(HOSTS, tap, false, &[])
}

fn files(dir: &TempDir, pattern: &str) -> Box<dyn SourceTap> {
    source::open(&Input::Address(format!("file:{}/{pattern}", dir.path().display())), "lines").unwrap()
}

fn known_after(executed: &Executed, input: usize) -> Vec<KnownShard> {
    let known = |read: &ShardRead| {
        let ShardRead { id, name, mark, next, .. } = read.clone();
        KnownShard { id, name, mark, next, last: None, covered_us: None }
    };
    executed.inputs[input].shards.iter().map(known).collect()
}

/// Several blocks of lines in two files, some of them bad, with what [`Grouped`] makes of them.
fn many_lines() -> (TempDir, String) {
    let dir = TempDir::new().unwrap();
    let mut all = String::new();
    for file in ["a.log", "b.log"] {
        let mut text = String::new();
        for index in 0..20_000 {
            match index % 1000 {
                7 => text.push_str(&format!("trap {file} {index}\n")),
                9 => text.push_str("\r\n"),
                _ => text.push_str(&format!("{} {file} {index}\r\n", ["x", "y", "z"][index % 3])),
            }
        }
        fs::write(dir.path().join(file), &text).unwrap();
        all.push_str(&text);
    }
    let passed = all.lines().filter(|line| !line.starts_with("trap")).map(|line| format!("{line}\n")).collect();
    (dir, passed)
}

#[test]
fn the_number_of_workers_changes_nothing() {
    let (dir, passed) = many_lines();
    let lines = files(&dir, "*.log");
    let run = |workers: usize| {
        let setting = Setting::with_workers(workers);
        let (executed, gathered) = setting.run_lines(&*lines);
        assert_eq!(setting.progress.records.load(Ordering::Relaxed), 40_000);
        (executed.unwrap(), gathered)
    };
    let (one, gathered) = run(1);
    assert_eq!(gathered.out, passed);
    assert_eq!(gathered.groups, " 40\nx 13308\ny 13306\nz 13306\n");
    assert_eq!(gathered.trapped.len(), 40);
    assert_eq!(gathered.trapped[20], "trap b.log 7 | lines b.log 77 | Each(check) | it says so");
    assert_eq!(one.counts[1], Counts { rows_in: 40_000, rows_out: 39_960, filtered: 0, trapped: 40 });
    let read: Vec<_> = one.inputs[0].shards.iter().map(|read| (read.records, read.bytes, read.next.clone())).collect();
    let length = |file: &str| fs::metadata(dir.path().join(file)).unwrap().len();
    assert_eq!(read[0], (20_000, length("a.log"), Position::counted(length("a.log"))));
    assert_eq!(read[1].0, 20_000);
    for workers in [2, 7] {
        let (executed, same) = run(workers);
        assert_eq!((&executed.inputs[0], &executed.counts), (&one.inputs[0], &one.counts));
        assert!(same == gathered, "{workers} workers");
    }
}

#[test]
fn inputs_of_one_step_take_turns() {
    let (dir, _) = many_lines();
    let (first, second) = (files(&dir, "a.log"), files(&dir, "b.log"));
    let run = |workers: usize| {
        let mut gathered = Gathered::default();
        let inputs = vec![source(LINES, &*first), source(MORE, &*second)];
        Setting::with_workers(workers).run::<Paired>(inputs, &mut gathered).unwrap();
        gathered
    };
    let one = run(1);
    assert!(one.out.find("b.log") < one.out.rfind("a.log"));
    for workers in [2, 2, 7] {
        assert!(run(workers) == one, "{workers} workers");
    }
}

#[test]
fn lines_are_what_stands_between_line_ends() {
    for (text, take_tail, out, records) in [
        ("a\r\nb\n\nc", true, "a\nb\n\nc\n", 4),
        ("a\r\nb\n\nc", false, "a\nb\n\n", 3),
        ("", true, "", 0),
        ("\n", false, "\n", 1),
        ("a\r", true, "a\r\n", 1),
    ] {
        let dir = TempDir::new().unwrap();
        fs::write(dir.path().join("a"), text).unwrap();
        let (lines, hosts) = (files(&dir, "a"), MemoryRecords::default());
        let mut gathered = Gathered::default();
        let inputs = vec![
            InputJob { reading: Reading { take_tail, ..Reading::default() }, ..source(LINES, &*lines) },
            table(&hosts),
        ];
        let executed = Setting::default().run::<Grouped>(inputs, &mut gathered).unwrap();
        let read: u64 = executed.inputs[0].shards.iter().map(|shard| shard.records).sum();
        assert_eq!((gathered.out.as_str(), read, executed.new_records), (out, records, records > 0), "{text:?}");
    }
}

#[test]
fn a_record_of_five_megabytes_is_a_record() {
    let dir = TempDir::new().unwrap();
    let text = format!("a\n{}\nb\n", "x".repeat(5_000_000));
    fs::write(dir.path().join("a"), &text).unwrap();
    let (executed, gathered) = Setting::default().run_lines(&*files(&dir, "a"));
    assert_eq!(executed.unwrap().inputs[0].shards[0].records, 3);
    assert!(gathered.out == text);
}

#[test]
fn a_record_that_is_not_utf8_is_trapped_whole_and_its_neighbours_are_not() {
    let dir = TempDir::new().unwrap();
    fs::write(dir.path().join("a"), b"good\nb\xffd\ngood\n").unwrap();
    let (executed, gathered) = Setting::default().run_lines(&*files(&dir, "a"));
    assert_eq!(executed.unwrap().counts[0].trapped, 1);
    assert_eq!(gathered.out, "good\ngood\n");
    assert_eq!(gathered.trapped, ["b\u{fffd}d | lines a 5 | lines | not UTF-8 at byte 1 of the record"]);
}

#[test]
fn a_held_side_is_there_before_the_records_that_look_it_up() {
    let (lines, hosts) = (MemoryRecords::lines(["x", "q"]), MemoryRecords::lines(["q"]));
    let mut gathered = Gathered::default();
    let inputs = vec![source(LINES, &lines), table(&hosts)];
    let executed = Setting::with_workers(7).run::<Grouped>(inputs, &mut gathered).unwrap();
    assert_eq!(gathered.out, "x\nq is listed\n");
    assert_eq!(executed.inputs[1].shards[0].records, 1);
}

#[test]
fn without_a_new_record_no_operator_runs_unless_asked_to() {
    let (lines, hosts) = (MemoryRecords::default(), MemoryRecords::lines(["q"]));
    for run_when_empty in [false, true] {
        let setting = Setting { run_when_empty, ..Setting::default() };
        let mut gathered = Gathered::default();
        let executed = setting.run::<Grouped>(vec![source(LINES, &lines), table(&hosts)], &mut gathered).unwrap();
        assert!(!executed.new_records);
        assert_eq!(executed.closed_by, ClosedBy::End);
        assert_eq!(executed.inputs[1].shards[0].records, u64::from(run_when_empty));
        assert_eq!(executed.inputs[0].shards[0].next.as_str(), "0");
        assert_eq!(gathered.groups, if run_when_empty { "hosts 1\n" } else { "" });
    }
}

#[test]
fn a_flow_without_sources_always_runs() {
    let hosts = MemoryRecords::default();
    let mut gathered = Gathered::default();
    let executed = Setting::default().run::<TableOnly>(vec![table(&hosts)], &mut gathered).unwrap();
    assert!(executed.new_records);
    assert_eq!(gathered.groups, "hosts 0\n");
}

#[test]
fn records_in_memory_are_hashed_with_their_limits() {
    let hash = |lines: &[&str]| {
        let (executed, _) = Setting::default().run_lines(&MemoryRecords::lines(lines));
        executed.unwrap().inputs[0].shards[0].hash.clone()
    };
    assert_eq!(hash(&["ab", "c"]), hash(&["ab", "c"]));
    assert_ne!(hash(&["ab", "c"]), hash(&["a", "bc"]));
}
