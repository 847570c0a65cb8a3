//! Iterations over hand-written flows: order, bounds, ends, failures.

#[path = "execute_tests/flows.rs"]
mod flows;

use std::{
    fmt, fs,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
        mpsc,
    },
};

use flows::{BAD, GROUPS, Grouped, HOSTS, LINES, MORE, OUT, Paired, TableOnly};
use proptest::prelude::*;
use tempfile::TempDir;

use super::*;
use crate::{
    Failure, MemoryRecords,
    source::{self, Framing, Input, KnownShard, Next, Piece, Reader, Shard},
};

/// What an iteration is run with; the rest is the test's own.
struct Setting {
    workers: usize,
    bounds: Bounds,
    run_when_empty: bool,
    stop: Arc<AtomicBool>,
    progress: Arc<Progress>,
    seconds: Arc<AtomicU64>,
}

impl Default for Setting {
    fn default() -> Self {
        Self {
            workers: 2,
            bounds: Bounds::default(),
            run_when_empty: false,
            stop: Arc::default(),
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
            workers: NonZeroUsize::new(self.workers).unwrap(),
            bounds: &self.bounds,
            run_when_empty: self.run_when_empty,
            stop: &self.stop,
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
    fn rows(&mut self, port: usize, rows: &RowBuffer) -> Result<(), Error> {
        let text = if port == OUT { &mut self.out } else { &mut self.groups };
        assert!([OUT, GROUPS].contains(&port));
        text.push_str(std::str::from_utf8(rows.bytes()).unwrap());
        match self.rows_max {
            Some(max) if text.lines().count() > max => Err(Error::Store(Failure::new("no space left on device"))),
            _ => Ok(()),
        }
    }

    fn trapped(&mut self, port: usize, record: &TrappedRecord<'_>) -> Result<(), Error> {
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
    InputJob { port, tap, shards: tap.shards(known).unwrap(), take_tail: !is_source, is_source }
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
    let shards = executed.inputs[input].shards.iter();
    shards.map(|read| KnownShard { id: read.id.clone(), name: read.name.clone(), next: read.next.clone() }).collect()
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
        let inputs = vec![InputJob { take_tail, ..source(LINES, &*lines) }, table(&hosts)];
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

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

    /// However iterations are cut, together they read every record once, and each stays within its bounds.
    #[test]
    fn bounds_are_exact(max_records in 1_500_u64..50_000, max_bytes in 20_000_u64..2_000_000, workers in 1..4_usize) {
        let (dir, passed) = many_lines();
        let lines = files(&dir, "*.log");
        let bounds = Bounds { max_records: Some(max_records), max_bytes: Some(max_bytes), ..Bounds::default() };
        let (mut known, mut out) = (Vec::new(), String::new());
        loop {
            let setting = Setting { workers, ..Setting::with_bounds(bounds) };
            let hosts = MemoryRecords::default();
            let mut gathered = Gathered::default();
            let inputs = vec![job(LINES, &*lines, true, &known), table(&hosts)];
            let executed = setting.run::<Grouped>(inputs, &mut gathered).unwrap();
            out.push_str(&gathered.out);
            known = known_after(&executed, 0);
            let shards = &executed.inputs[0].shards;
            let records: u64 = shards.iter().map(|shard| shard.records).sum();
            let bytes: u64 = shards.iter().map(|shard| shard.bytes).sum();
            match executed.closed_by {
                ClosedBy::MaxRecords => prop_assert!(records == max_records && bytes < max_bytes + 100),
                ClosedBy::MaxBytes => prop_assert!(records <= max_records && (max_bytes..max_bytes + 100).contains(&bytes)),
                closed_by => {
                    prop_assert!(records < max_records && bytes < max_bytes, "{closed_by:?}");
                    break;
                }
            }
        }
        prop_assert!(out == passed);
    }
}

#[test]
fn tables_are_read_whole_whatever_the_bounds() {
    let (lines, hosts) = (MemoryRecords::lines(["x", "y", "z"]), MemoryRecords::lines(["q", "r"]));
    let bounds = Bounds { max_records: Some(1), max_bytes: Some(1), ..Bounds::default() };
    let inputs = vec![source(LINES, &lines), table(&hosts)];
    let executed = Setting::with_bounds(bounds).run::<Grouped>(inputs, &mut Gathered::default()).unwrap();
    assert_eq!(executed.inputs.iter().map(|input| input.shards[0].records).collect::<Vec<_>>(), [1, 2]);
}

/// One shard whose reader says what a test wants it to say.
#[derive(Clone, Debug)]
struct Scripted(Arc<Mutex<Script>>);

struct Script(Box<dyn FnMut(usize) -> Said + Send>);

enum Said {
    Lines(&'static str),
    Idle,
    End,
    Failure,
    Panic,
    /// Waits as long as a reader may, and has nothing new.
    Wait,
}

impl fmt::Debug for Script {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Script")
    }
}

/// A tap whose reader asks `say` for its first, second, … answer.
fn scripted(say: impl FnMut(usize) -> Said + Send + 'static) -> Scripted {
    Scripted(Arc::new(Mutex::new(Script(Box::new(say)))))
}

impl SourceTap for Scripted {
    fn shards(&self, _known: &[KnownShard]) -> Result<Vec<ShardFrom>, Error> {
        let shard = Shard { id: "s".to_owned(), name: "shard".to_owned(), start: Position::counted(0) };
        Ok(vec![ShardFrom { from: shard.start.clone(), shard }])
    }

    fn open(&self, _shards: &[ShardFrom], _take_tail: bool) -> Result<Box<dyn Reader>, Error> {
        Ok(Box::new(ScriptedReader { script: Arc::clone(&self.0), answers: 0, position: Position::counted(0) }))
    }
}

#[derive(Debug)]
struct ScriptedReader {
    script: Arc<Mutex<Script>>,
    answers: usize,
    position: Position,
}

impl Reader for ScriptedReader {
    fn next(&mut self, _buffer: Vec<u8>, wait: Duration) -> Result<Next, Error> {
        let said = (self.script.lock().unwrap().0)(self.answers);
        self.answers += 1;
        match said {
            Said::Lines(lines) => {
                let to = self.position.after(lines.len());
                let from = std::mem::replace(&mut self.position, to.clone());
                let bytes = lines.as_bytes().to_vec();
                let starts_shard = from.count() == Some(0);
                Ok(Next::Piece(Piece { shard: 0, bytes, framing: Framing::Lines, from, to, starts_shard }))
            }
            Said::Idle => Ok(Next::Idle),
            Said::End => Ok(Next::End),
            Said::Failure => Err(Error::Input(Failure::new("the disk is gone").at("shard"))),
            Said::Panic => panic!("a reader's own fault"),
            Said::Wait => {
                let (_silent, nothing) = mpsc::channel::<()>();
                let _ = nothing.recv_timeout(wait);
                Ok(Next::Idle)
            }
        }
    }
}

#[test]
fn an_iteration_is_closed_by_its_time_and_keeps_what_was_read() {
    let bounds = Bounds { iteration_timeout: Some(Duration::from_secs(10)), ..Bounds::default() };
    let setting = Setting::with_bounds(bounds);
    let seconds = Arc::clone(&setting.seconds);
    let lines = scripted(move |_| {
        seconds.fetch_add(1, Ordering::SeqCst);
        Said::Lines("x\n")
    });
    let (executed, gathered) = setting.run_lines(&lines);
    let executed = executed.unwrap();
    assert_eq!(executed.closed_by, ClosedBy::IterationTimeout);
    let read = &executed.inputs[0].shards[0];
    assert!(read.records > 0);
    assert_eq!((read.records as usize, &read.next), (gathered.out.lines().count(), &Position::counted(read.bytes)));
}

#[test]
fn a_source_that_waits_is_closed_when_nothing_came_for_long_enough() {
    let bounds = Bounds { no_data_timeout: Some(Duration::from_secs(10)), ..Bounds::default() };
    let setting = Setting::with_bounds(bounds);
    let seconds = Arc::clone(&setting.seconds);
    let lines = scripted(move |answer| {
        if answer == 0 || answer == 3 {
            return Said::Lines("x\n");
        }
        seconds.fetch_add(1, Ordering::SeqCst);
        Said::Idle
    });
    let (executed, gathered) = setting.run_lines(&lines);
    assert_eq!(executed.unwrap().closed_by, ClosedBy::NoDataTimeout);
    assert_eq!(gathered.out, "x\nx\n");
}

#[test]
fn without_a_bound_on_waiting_a_source_that_waits_has_ended() {
    let lines = scripted(|answer| if answer == 0 { Said::Lines("x\n") } else { Said::Idle });
    let (executed, gathered) = Setting::default().run_lines(&lines);
    assert_eq!((executed.unwrap().closed_by, gathered.out.as_str()), (ClosedBy::End, "x\n"));
}

#[test]
fn a_source_that_waits_does_not_hold_up_another() {
    let bounds = Bounds { no_data_timeout: Some(Duration::from_secs(10)), ..Bounds::default() };
    let setting = Setting::with_bounds(bounds);
    let (seconds, progress) = (Arc::clone(&setting.seconds), Arc::clone(&setting.progress));
    // No time passes before the other one is done.
    let waiting = scripted(move |_| {
        let is_done = progress.records.load(Ordering::Relaxed) == 2;
        seconds.fetch_add(u64::from(is_done), Ordering::SeqCst);
        Said::Idle
    });
    let busy = MemoryRecords::lines(["x", "y"]);
    let mut gathered = Gathered::default();
    setting.run::<Paired>(vec![source(LINES, &waiting), source(MORE, &busy)], &mut gathered).unwrap();
    assert_eq!(gathered.out, "x\ny\n");
}

#[test]
fn readers_read_ahead_no_further_than_they_have_buffers() {
    struct Watching(Arc<AtomicU64>, u64);
    impl Collect for Watching {
        fn rows(&mut self, port: usize, _rows: &RowBuffer) -> Result<(), Error> {
            self.1 += u64::from(port == OUT);
            // Every piece handed on gives one buffer back.
            assert!(self.0.load(Ordering::SeqCst) <= self.1 + 2 * 2 + 1);
            Ok(())
        }

        fn trapped(&mut self, _port: usize, _record: &TrappedRecord<'_>) -> Result<(), Error> {
            Ok(())
        }
    }
    let answers = Arc::new(AtomicU64::new(0));
    let counted = Arc::clone(&answers);
    let lines = scripted(move |answer| {
        counted.fetch_add(1, Ordering::SeqCst);
        if answer < 1000 { Said::Lines("x\n") } else { Said::End }
    });
    let hosts = MemoryRecords::default();
    let mut watching = Watching(answers, 0);
    Setting::default().run::<Grouped>(vec![source(LINES, &lines), table(&hosts)], &mut watching).unwrap();
    assert_eq!(watching.1, 1000);
}

fn fails(lines: &dyn SourceTap, workers: usize) -> String {
    Setting::with_workers(workers).run_lines(lines).0.unwrap_err().to_string()
}

#[test]
fn a_record_that_no_trap_takes_ends_the_run_with_its_place() {
    let (dir, _) = many_lines();
    fs::write(dir.path().join("b.log"), "x\r\nstop here\r\nx\nstop there\n").unwrap();
    for workers in [1, 2, 7] {
        let text = fails(&*files(&dir, "*.log"), workers);
        assert!(text.starts_with("a record failed and no trap takes it (port `lines`, "), "{text}");
        let rest = "/b.log, position 3): Each(stop): it says so; it is `stop here`; \
                    mend it, or add `trap bad for checked;` to the flow to set such records aside";
        assert!(text.ends_with(rest), "{text}");
    }
}

#[test]
fn a_panic_in_the_flows_code_ends_the_run_with_the_records_place() {
    for workers in [1, 2, 7] {
        let text = fails(&MemoryRecords::lines(["x", "panic now", "x"]), workers);
        let expected = "the flow's code panicked (port `lines`, memory, position 1): \
                        it says panic now; it is `panic now`; \
                        mend the code; where it returns a Result, a failing record can go to a trap";
        assert_eq!(text, expected);
    }
}

#[test]
fn a_row_that_fails_in_a_drain_is_trapped_or_ends_the_run() {
    let (executed, gathered) = Setting::default().run_lines(&MemoryRecords::lines(["drain-trap 1", "x"]));
    executed.unwrap();
    assert_eq!(gathered.trapped, ["key=\"drain-trap\" | - - - | GroupBy(key) | it says so"]);
    assert_eq!(gathered.groups, "x 1\n");

    let text = fails(&MemoryRecords::lines(["drain-stop 1"]), 2);
    let expected = "a row failed and no trap takes it (when all records had been read): \
                    Every(Sum => total): it says so; it is `key=\"drain-stop\"`; \
                    what a whole group comes to is never trapped: use a wider type, or group by more";
    assert_eq!(text, expected);
    let text = fails(&MemoryRecords::lines(["drain-panic 1"]), 2);
    assert!(text.starts_with("the flow's code panicked (when all records had been read): in a drain"), "{text}");
}

#[test]
fn a_readers_failure_or_panic_ends_the_run_with_its_port() {
    let text = fails(&scripted(|answer| if answer < 3 { Said::Lines("x\n") } else { Said::Failure }), 2);
    assert_eq!(text, "the disk is gone (port `lines`, shard)");
    let text = fails(&scripted(|_| Said::Panic), 2);
    assert!(text.starts_with("the reader panicked (port `lines`): a reader's own fault"), "{text}");
    let hosts = scripted(|_| Said::Failure);
    let lines = scripted(|_| Said::Lines("x\n"));
    let inputs = vec![source(LINES, &lines), table(&hosts)];
    let error = Setting::default().run::<Grouped>(inputs, &mut Gathered::default()).unwrap_err();
    assert_eq!(error.to_string(), "the disk is gone (port `hosts`, shard)");
}

#[test]
fn a_full_disk_ends_the_run_though_the_source_never_ends() {
    for workers in [1, 2, 7] {
        let (lines, hosts) = (scripted(|_| Said::Lines("x\ny\n")), MemoryRecords::default());
        let mut gathered = Gathered { rows_max: Some(100), ..Gathered::default() };
        let inputs = vec![source(LINES, &lines), table(&hosts)];
        let error = Setting::with_workers(workers).run::<Grouped>(inputs, &mut gathered).unwrap_err();
        assert!(matches!(error, Error::Store(_)), "{error}");
    }
}

#[test]
fn the_stop_flag_ends_a_run_that_waits_and_one_that_works() {
    for waits in [true, false] {
        let bounds = Bounds { no_data_timeout: Some(Duration::from_secs(3600)), ..Bounds::default() };
        let setting = Setting::with_bounds(bounds);
        let stop = Arc::clone(&setting.stop);
        let lines = scripted(move |answer| {
            stop.store(answer >= 3, Ordering::SeqCst);
            if waits && answer > 0 { Said::Wait } else { Said::Lines("x\n") }
        });
        let error = setting.run_lines(&lines).0.unwrap_err();
        assert!(matches!(error, Error::Interrupted), "{error}");
    }
}

#[test]
fn an_input_without_a_job_is_refused() {
    let lines = MemoryRecords::lines(["x"]);
    let error = Setting::default().run::<Grouped>(vec![source(LINES, &lines)], &mut Gathered::default()).unwrap_err();
    assert_eq!(error.to_string(), "port `hosts` is not bound");
}
