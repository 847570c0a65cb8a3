//! Time and peak memory of whole processes, on logs of several sizes: a job whose tables stay small; one that stages and
//! appends most of what it reads, also to a disk that is slower than the reader; one whose groups outgrow any bound, with
//! several bounds. The same log gives the same rows whatever the bound, the number of workers and the disk.
//!
//! `cargo bench -p flow-benches --bench memory`, or with the sizes of the logs in MB and the jobs:
//! `… --bench memory -- 100 10000 hosts append`. The slow disk is made by `strace`.

use std::{
    collections::BTreeMap,
    env,
    error::Error,
    fs::{self, File},
    io::{self, Read},
    path::Path,
    process::{Command, ExitCode},
    time::Instant,
};

use flow_benches::{
    jobs::{AccessLogCounts, Files, Lines, Served, file},
    process::{peak_megabytes, processor_seconds},
};
use flow_runtime::{Sink, Source, Table, Trap};
use xxhash_rust::xxh3::Xxh3;

const LOG_MEGABYTES: [u64; 2] = [100, 1000];

/// Beyond it, a job that needs memory by the size of its log is left out.
const UNBOUNDED_MEGABYTES_MAX: u64 = 1000;

/// A job, and how it is run.
struct Variant {
    job: &'static str,
    disk: &'static str,
    workers: &'static str,
    memory: &'static str,
}

const fn variant(job: &'static str, disk: &'static str, workers: &'static str, memory: &'static str) -> Variant {
    Variant { job, disk, workers, memory }
}

const VARIANTS: [Variant; 9] = [
    variant("hosts", "fast", "1", "1TB"),
    variant("hosts", "fast", "2", "16MB"),
    variant("append", "fast", "1", "1TB"),
    variant("append", "fast", "2", "16MB"),
    variant("append", SLOW, "2", "16MB"),
    variant("lines", "fast", "2", UNBOUNDED),
    variant("lines", "fast", "2", "256MB"),
    variant("lines", "fast", "2", "64MB"),
    variant("lines", "fast", "2", "16MB"),
];

const UNBOUNDED: &str = "1TB";
const SLOW: &str = "slow";

/// Each write of 64 KiB or less takes a millisecond longer: less than 60 MB a second.
const SLOW_DISK: [&str; 8] =
    ["-f", "--quiet=all", "--seccomp-bpf", "-o", "/dev/null", "--trace=write", "--inject=write:delay_enter=1000", "--"];

/// Set for a child: the job that it runs.
const JOB: &str = "FLOW_BENCH_JOB";

/// Runs a job in a process of its own, prints a row, and returns a hash of what came out.
fn measure(files: &Files, variant: &Variant, log: &Path) -> Result<u64, Box<dyn Error>> {
    let Variant { job, disk, workers, memory } = variant;
    let out = files.emptied("out")?;
    let counts = out.join("counts.csv");
    let mut child = program(disk == &SLOW)?;
    child.current_dir(&out).env(JOB, job).args(["--quiet", "--workers", workers, "--memory", memory]);
    child.args(["--log", &file(log), if *job == "append" { "--served" } else { "--counts" }, &file(&counts)]);
    child.args(["--bad-lines", &file(&out.join("bad_lines.csv"))]);
    if *job == "hosts" {
        child.args(["--hosts", &file(&files.hosts())]);
    }
    let started = Instant::now();
    let output = child.output()?;
    let seconds = started.elapsed().as_secs_f64();
    if !output.status.success() {
        return Err(format!("{}: {}", output.status, String::from_utf8_lossy(&output.stderr)).into());
    }
    let megabytes = fs::metadata(log)?.len() / 1_000_000;
    let told = String::from_utf8_lossy(&output.stdout);
    println!("| {job} | {megabytes} | {disk} | {workers} | {memory} | {seconds:.1} | {} |", told.trim());
    let hash = hash(&counts)?;
    fs::remove_dir_all(&out)?;
    Ok(hash)
}

/// This program, as a child; on a slow disk if need be.
fn program(is_disk_slow: bool) -> io::Result<Command> {
    let program = env::current_exe()?;
    if !is_disk_slow {
        return Ok(Command::new(program));
    }
    let mut command = Command::new("strace");
    command.args(SLOW_DISK).arg(program);
    Ok(command)
}

fn hash(path: &Path) -> io::Result<u64> {
    let (mut file, mut hash, mut window) = (File::open(path)?, Xxh3::new(), vec![0; 1 << 16]);
    loop {
        match file.read(&mut window)? {
            0 => return Ok(hash.digest()),
            taken => hash.update(&window[..taken]),
        }
    }
}

/// Runs the job as a flow's program would, and prints what the process took.
fn child(job: &str) -> ExitCode {
    let (log, bad_lines) = (Source::unbound(), Trap::unbound());
    let sink = Sink::unbound();
    let code = match job {
        "hosts" => {
            let counts = sink.replace();
            flow_runtime::main(AccessLogCounts { log, hosts: Table::unbound(), counts, bad_lines })
        }
        "append" => flow_runtime::main(Served { log, served: sink, bad_lines }),
        _ => flow_runtime::main(Lines { log, counts: sink.replace(), bad_lines }),
    };
    println!("{:.1} | {:.1}", processor_seconds(), peak_megabytes());
    code
}

fn parent() -> Result<(), Box<dyn Error>> {
    // Cargo adds `--bench` of its own.
    let words: Vec<String> = env::args().skip(1).filter(|word| word != "--bench").collect();
    let sizes: Vec<u64> = words.iter().filter_map(|word| word.parse().ok()).collect();
    let sizes = if sizes.is_empty() { LOG_MEGABYTES.to_vec() } else { sizes };
    let jobs: Vec<&String> = words.iter().filter(|word| word.parse::<u64>().is_err()).collect();
    let is_wanted = |job: &str| jobs.is_empty() || jobs.iter().any(|wanted| *wanted == job);

    let files = Files::new()?;
    println!("| job | log, MB | disk | workers | --memory | seconds | of processors | peak, MB |");
    println!("|---|---|---|---|---|---|---|---|");
    for megabytes in sizes {
        let log = files.log(megabytes)?;
        let mut hashes: BTreeMap<&str, u64> = BTreeMap::new();
        for variant in VARIANTS.iter().filter(|variant| is_wanted(variant.job)) {
            if variant.job == "lines" && variant.memory == UNBOUNDED && megabytes > UNBOUNDED_MEGABYTES_MAX {
                continue;
            }
            let hash = measure(&files, variant, &log)?;
            let first = *hashes.entry(variant.job).or_insert(hash);
            assert_eq!(hash, first, "the same log gave other rows");
        }
        fs::remove_file(log)?;
    }
    Ok(())
}

fn main() -> ExitCode {
    if let Ok(job) = env::var(JOB) {
        return child(&job);
    }
    match parent() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
