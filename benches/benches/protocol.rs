//! What it costs that an iteration cannot be lost or doubled: on a big log, for a thousand records, and after a kill.
//!
//! `cargo bench -p flow-benches --bench protocol`, or with the size of the log in MB, the number of rounds, parts and jobs:
//! `… --bench protocol -- 1000 5 overhead recovery counts`
//!
//! - *overhead*: a job with a store and tables in SQLite, against the same without a store and into memory, in turn.
//! - *small*: fifty iterations of a thousand records each, in one process; and a process for each.
//! - *recovery*: a process is killed while it reads, seals or loads; how long the next one takes, but for reading again.

use std::{
    collections::BTreeSet,
    env,
    error::Error,
    fs::{self, File, OpenOptions},
    io::{self, BufRead, BufReader, Write},
    path::{Path, PathBuf},
    process::{Child, Command, ExitCode, Stdio},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use flow_benches::{
    interleaved::{median, median_ratio, median_seconds},
    jobs::{AccessLogCounts, Files, Served, ServedToNobody, file},
    process::processor_seconds,
};
use flow_runtime::{
    Flow, MemoryRows, Sink, Source, Table, Trap,
    driver::{self, Checkpoint, Options, Outcome, Phase, Progress},
};

const LOG_MEGABYTES: u64 = 1000;
const ROUNDS: usize = 5;
const SMALL_ITERATIONS: usize = 50;
const SMALL_RECORDS: usize = 1000;

const PARTS: [&str; 3] = ["overhead", "small", "recovery"];
const JOBS: [&str; 2] = ["counts", "served"];

/// How often a run is asked how far it is.
const LOOK: Duration = Duration::from_micros(100);

/// Set for a child: the job that it runs, and the phase at which it asks to be killed, if any.
const JOB: &str = "FLOW_BENCH_JOB";
const PHASE: &str = "FLOW_BENCH_PHASE";

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// When a run was where.
#[derive(Clone, Copy, Debug, Default)]
struct Times {
    /// Since the first record was there, until there was none.
    reading: Duration,
    /// Sync and seal.
    sealing: Duration,
    /// Load, done.
    loading: Duration,
    whole: Duration,
}

/// Runs a flow and looks at it all the while; `at` is called once, as soon as the moment `until` is reached.
fn watched<F: Flow>(
    flow: &F,
    checkpoint: Checkpoint,
    until: Option<Until>,
    at: impl FnOnce() + Send,
) -> Result<(Outcome, Times)> {
    let progress = Arc::new(Progress::default());
    let mut options = Options::default();
    (options.checkpoint, options.progress) = (checkpoint, Arc::clone(&progress));
    let is_over = AtomicBool::new(false);
    let began = Instant::now();
    thread::scope(|threads| {
        let watcher = threads.spawn(|| watch(&progress, &is_over, began, until, at));
        let outcome = driver::run(flow, &options);
        let whole = began.elapsed();
        is_over.store(true, Ordering::Relaxed);
        let seen = watcher.join().map_err(|_| "the watcher panicked")?;
        Ok((outcome?, seen.times(whole)))
    })
}

/// A moment of a run.
#[derive(Clone, Copy, Debug)]
enum Until {
    /// So much is read.
    Bytes(u64),
    /// It has got so far.
    Phase(Phase),
}

/// When what was first seen.
#[derive(Clone, Copy, Debug, Default)]
struct Seen {
    record: Option<Duration>,
    sealing: Option<Duration>,
    loading: Option<Duration>,
}

impl Seen {
    fn times(self, whole: Duration) -> Times {
        let loading = self.loading.unwrap_or(whole);
        let sealing = self.sealing.unwrap_or(loading);
        let reading = self.record.map_or(Duration::ZERO, |first| sealing.saturating_sub(first));
        Times { reading, sealing: loading.saturating_sub(sealing), loading: whole.saturating_sub(loading), whole }
    }
}

fn watch(progress: &Progress, is_over: &AtomicBool, began: Instant, until: Option<Until>, at: impl FnOnce()) -> Seen {
    let (mut seen, mut at) = (Seen::default(), Some(at));
    while !is_over.load(Ordering::Relaxed) {
        let (now, bytes) = (progress.phase(), progress.bytes.load(Ordering::Relaxed));
        let note = |place: &mut Option<Duration>, is_reached: bool| {
            if is_reached && place.is_none() {
                *place = Some(began.elapsed());
            }
        };
        note(&mut seen.record, bytes > 0);
        note(&mut seen.sealing, now >= Phase::Sealing);
        note(&mut seen.loading, now >= Phase::Loading);
        let is_reached = until.is_some_and(|until| match until {
            Until::Bytes(enough) => bytes >= enough,
            Until::Phase(phase) => now >= phase,
        });
        if is_reached && let Some(at) = at.take() {
            at();
        }
        thread::sleep(LOOK);
    }
    seen
}

/// A job with everything in `out`: the store, and the targets in SQLite.
fn kept(
    job: &str,
    log: &Path,
    hosts: &Path,
    out: &Path,
    until: Option<Until>,
    at: impl FnOnce() + Send,
) -> Result<(Outcome, Times)> {
    let checkpoint = Checkpoint::Sqlite(out.join("store.db"));
    let (log, sink) = (Source::at(file(log)), Sink::at(format!("sqlite:{}", out.join("target.db").display())));
    let bad_lines = Trap::at(format!("sqlite:{}", out.join("bad_lines.db").display()));
    match job {
        "counts" => {
            let hosts = Table::at(file(hosts));
            watched(&AccessLogCounts { log, hosts, counts: sink.merge(), bad_lines }, checkpoint, until, at)
        }
        _ => watched(&Served { log, served: sink.append(), bad_lines }, checkpoint, until, at),
    }
}

/// The same without a store, into memory; rows of a job that has many are dropped at the end of the flow.
fn bare(job: &str, log: &Path, hosts: &Path) -> Result<(Outcome, Times)> {
    let (rows, bad) = (MemoryRows::default(), MemoryRows::default());
    let (log, sink, bad_lines) = (Source::at(file(log)), Sink::memory(&rows).replace(), Trap::memory(&bad));
    match job {
        "counts" => {
            let hosts = Table::at(file(hosts));
            watched(&AccessLogCounts { log, hosts, counts: sink, bad_lines }, Checkpoint::None, None, || {})
        }
        _ => watched(&ServedToNobody { log, served: sink, bad_lines }, Checkpoint::None, None, || {}),
    }
}

fn overhead(files: &Files, log: &Path, jobs: &[&str], rounds: usize) -> Result<()> {
    println!(
        "\n| job | bare, s (of processors) | with the protocol, s (of processors) | ratio | sync and seal, ms | load and done, ms |"
    );
    println!("|---|---|---|---|---|---|");
    for job in jobs {
        let (mut without, mut with) = (Measured::default(), Measured::default());
        for round in 0..=rounds {
            // The first round only warms up.
            without.add(round > 0, || bare(job, log, &files.hosts()))?;
            let out = files.emptied("out")?;
            with.add(round > 0, || kept(job, log, &files.hosts(), &out, None, || {}))?;
        }
        println!(
            "| {job} | {:.2} ({:.2}) | {:.2} ({:.2}) | {:.3} ({:.3}) | {} | {} |",
            median_seconds(&without.whole),
            median(without.processors.clone()),
            median_seconds(&with.whole),
            median(with.processors.clone()),
            median_ratio(&with.whole, &without.whole),
            median(with.processors.iter().zip(&without.processors).map(|(with, without)| with / without).collect()),
            millis(&with.sealing),
            millis(&with.loading),
        );
    }
    Ok(())
}

/// What was measured, round by round.
#[derive(Debug, Default)]
struct Measured {
    whole: Vec<Duration>,
    reading: Vec<Duration>,
    sealing: Vec<Duration>,
    loading: Vec<Duration>,
    processors: Vec<f64>,
}

impl Measured {
    fn add(&mut self, counts: bool, run: impl FnOnce() -> Result<(Outcome, Times)>) -> Result<Times> {
        let before = processor_seconds();
        let (_, times) = run()?;
        if counts {
            self.processors.push(processor_seconds() - before);
            self.whole.push(times.whole);
            self.reading.push(times.reading);
            self.sealing.push(times.sealing);
            self.loading.push(times.loading);
        }
        Ok(times)
    }
}

/// The median of some times with the least and the most, in milliseconds.
fn millis(times: &[Duration]) -> String {
    let of = |time: Option<&Duration>| time.copied().unwrap_or_default().as_secs_f64() * 1e3;
    let (least, most) = (of(times.iter().min()), of(times.iter().max()));
    format!("{:.1} ({least:.1} to {most:.1})", median_seconds(times) * 1e3)
}

fn small(files: &Files, log: &Path) -> Result<()> {
    let out = files.emptied("out")?;
    let (growing, once) = (files.path("growing.log"), files.path("once.log"));
    File::create(&growing)?;
    let mut lines = BufReader::new(File::open(log)?);
    let (mut with, mut without, mut processes) = (Measured::default(), Measured::default(), Vec::new());
    for iteration in 0..2 * SMALL_ITERATIONS {
        let text = next_lines(&mut lines)?;
        OpenOptions::new().append(true).open(&growing)?.write_all(&text)?;
        fs::write(&once, &text)?;
        if iteration % 2 == 0 {
            with.add(iteration > 0, || kept("counts", &growing, &files.hosts(), &out, None, || {}))?;
            without.add(iteration > 0, || bare("counts", &once, &files.hosts()))?;
        } else {
            let began = Instant::now();
            let child = child_of("counts", &growing, &files.hosts(), &out, None)?.wait_with_output()?;
            processes.push(began.elapsed());
            assert!(child.status.success(), "{}", child.status);
        }
    }
    println!("\n{SMALL_RECORDS} records an iteration, ms: median (least to most) of {}", with.whole.len());
    println!("- `driver::run`, with the protocol: {}", millis(&with.whole));
    println!(
        "- of it reading: {}; sync and seal: {}; load and done: {}",
        millis(&with.reading),
        millis(&with.sealing),
        millis(&with.loading)
    );
    println!("- `driver::run`, bare: {}", millis(&without.whole));
    let pairs = with.whole.iter().zip(&without.whole);
    println!(
        "- the difference, pair by pair: {}",
        millis(&pairs.map(|(with, without)| with.saturating_sub(*without)).collect::<Vec<_>>())
    );
    println!("- the whole process, with the protocol: {}", millis(&processes));
    Ok(())
}

fn next_lines(lines: &mut impl BufRead) -> io::Result<Vec<u8>> {
    let mut text = Vec::new();
    for _ in 0..SMALL_RECORDS {
        lines.read_until(b'\n', &mut text)?;
    }
    Ok(text)
}

/// Starts a process that runs a job.
fn child_of(job: &str, log: &Path, hosts: &Path, out: &Path, kill_at: Option<&str>) -> Result<Child> {
    let mut command = Command::new(env::current_exe()?);
    command.env(JOB, job).args([log, hosts, out]).stdout(Stdio::piped());
    if let Some(phase) = kill_at {
        command.env(PHASE, phase);
    }
    Ok(command.spawn()?)
}

/// What a child does: it runs the job, and says on a line when the phase is reached, and how long it has read.
fn child(job: &str) -> Result<()> {
    let paths: Vec<PathBuf> = env::args_os().skip(1).map(PathBuf::from).collect();
    let [log, hosts, out] = paths.as_slice() else { return Err("a child needs log, hosts and a folder".into()) };
    let until = match env::var(PHASE).as_deref() {
        Ok("reading") => Some(Until::Bytes(fs::metadata(log)?.len() / 2)),
        Ok("sealing") => Some(Until::Phase(Phase::Sealing)),
        Ok("loading") => Some(Until::Phase(Phase::Loading)),
        _ => None,
    };
    let (outcome, times) = kept(job, log, hosts, out, until, || println!("now"))?;
    println!("{} {} {}", outcome.resumed.len(), outcome.ports[0].rows, times.reading.as_secs_f64());
    Ok(())
}

/// What a process that was not killed says of itself.
#[derive(Debug)]
struct Told {
    resumed: u64,
    records: u64,
    reading: Duration,
    whole: Duration,
}

fn run_to_the_end(job: &str, log: &Path, hosts: &Path, out: &Path) -> Result<Told> {
    let began = Instant::now();
    let output = child_of(job, log, hosts, out, None)?.wait_with_output()?;
    let whole = began.elapsed();
    let text = String::from_utf8(output.stdout)?;
    let words: Vec<&str> = text.split_whitespace().collect();
    let [resumed, records, reading] = words.as_slice() else { return Err(format!("a child said `{text}`").into()) };
    let reading = Duration::from_secs_f64(reading.parse()?);
    Ok(Told { resumed: resumed.parse()?, records: records.parse()?, reading, whole })
}

/// Runs a job in a process and kills it as soon as it has reached the phase.
fn run_to_its_death(job: &str, log: &Path, hosts: &Path, out: &Path, phase: &str) -> Result<()> {
    let mut child = child_of(job, log, hosts, out, Some(phase))?;
    let mut line = String::new();
    BufReader::new(child.stdout.take().ok_or("a child without stdout")?).read_line(&mut line)?;
    child.kill()?;
    match child.wait()?.success() || line != "now\n" {
        true => Err(format!("a process was to die while {phase}, and did not").into()),
        false => Ok(()),
    }
}

fn recovery(files: &Files, log: &Path, jobs: &[&str], rounds: usize) -> Result<()> {
    println!(
        "\n| job | killed while | the next process, s | records read again | of it reading, s | the rest, ms: median (least to most) |"
    );
    println!("|---|---|---|---|---|---|");
    for job in jobs {
        for phase in ["never", "reading", "sealing", "loading"] {
            let mut told = Vec::new();
            for _ in 0..rounds {
                let (out, hosts) = (files.emptied("out")?, files.hosts());
                if phase != "never" {
                    run_to_its_death(job, log, &hosts, &out, phase)?;
                }
                told.push(run_to_the_end(job, log, &hosts, &out)?);
            }
            let times = |of: fn(&Told) -> Duration| told.iter().map(of).collect::<Vec<_>>();
            let kinds: BTreeSet<String> =
                told.iter().map(|told| format!("{} ({} resumed)", told.records, told.resumed)).collect();
            let kinds: Vec<String> = kinds.into_iter().collect();
            println!(
                "| {job} | {phase} | {:.2} | {} | {:.2} | {} |",
                median_seconds(&times(|told| told.whole)),
                kinds.join(", "),
                median_seconds(&times(|told| told.reading)),
                millis(&times(|told| told.whole.saturating_sub(told.reading))),
            );
        }
    }
    Ok(())
}

/// Those of `all` that the command line names; all, if none.
fn wanted<'a>(words: &[String], all: &[&'a str]) -> Vec<&'a str> {
    let named: Vec<&str> = all.iter().copied().filter(|name| words.iter().any(|word| word == name)).collect();
    if named.is_empty() { all.to_vec() } else { named }
}

fn parent() -> Result<()> {
    // Cargo adds `--bench` of its own.
    let words: Vec<String> = env::args().skip(1).filter(|word| word != "--bench").collect();
    let mut numbers = words.iter().filter_map(|word| word.parse::<usize>().ok());
    let megabytes = numbers.next().map_or(Ok(LOG_MEGABYTES), u64::try_from)?;
    let rounds = numbers.next().unwrap_or(ROUNDS);
    let jobs = wanted(&words, &JOBS);
    let parts = wanted(&words, &PARTS);

    let files = Files::new()?;
    let log = files.log(megabytes)?;
    if parts.contains(&"overhead") {
        overhead(&files, &log, &jobs, rounds)?;
    }
    if parts.contains(&"small") {
        small(&files, &log)?;
    }
    if parts.contains(&"recovery") {
        recovery(&files, &log, &jobs, rounds)?;
    }
    Ok(())
}

fn main() -> ExitCode {
    let done = match env::var(JOB) {
        Ok(job) => child(&job),
        Err(_) => parent(),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
