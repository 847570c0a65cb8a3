//! Time and peak memory of whole processes: a job whose tables stay small, and one whose groups outgrow any bound, with
//! several bounds. The same log gives the same rows whatever the bound.
//!
//! `cargo bench -p flow-benches --bench memory`, or with the sizes of the logs in MB: `… --bench memory -- 100 10000`

use std::{
    env,
    error::Error,
    fs::{self, File},
    io::{self, BufWriter, Read, Write},
    path::{Path, PathBuf},
    process::{Command, ExitCode},
    time::Instant,
};

use flow_examples::generate::{Amount, write_hosts, write_log};
use flow_runtime::{Sink, Source, Table, Trap, flow};
use xxhash_rust::xxh3::Xxh3;

const LOG_MEGABYTES: [u64; 2] = [100, 1000];
const BOUNDS: [&str; 4] = ["1TB", "256MB", "64MB", "16MB"];

/// Set for a child: the job that it runs.
const JOB: &str = "FLOW_BENCH_JOB";

/// How often the clock of processes ticks, on Linux.
const TICKS_A_SECOND: f64 = 100.0;

flow! {
    /// Hits of every listed host.
    pub flow AccessLogCounts {
        source log { data: &str };
        table  hosts: TextDelimited(delimiter = "|") { ip: Option<&str> };
        sink   counts key(ip) { ip: Option<&str>, count: i64 add };
        trap   bad_lines for hits;

        hits = log
            -> Assert(NotNull)
            -> Each(data => RegexParser(r#"^([^ ]*) \S+ \S+ \[([\w:/]+\s[+\-]\d{4})\] "(.+?)" (\d{3}) ([^ ]*).*$"#)
                    => ip, time, request, response, size)
            -> Retain(ip);

        listed = hosts -> Rename(ip => userip);

        HashJoin(hits on ip, listed on userip, RightJoin)
            -> Discard(userip)
            -> GroupBy(ip)
            -> Every(Count => count)
            -> counts;
    }
}

flow! {
    /// How often each line occurs: nearly as many groups as there are lines.
    pub flow Lines {
        source log { data: &str };
        sink   counts key(data) { data: &str, count: i64 add };
        trap   bad_lines;

        log -> GroupBy(data) -> Every(Count => count) -> counts;
    }
}

/// What a job is run on.
struct Files {
    folder: tempfile::TempDir,
}

impl Files {
    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn generate(&self, megabytes: u64) -> io::Result<PathBuf> {
        let path = self.path(&format!("{megabytes}.log"));
        let mut log = BufWriter::new(File::create(&path)?);
        write_log(&mut log, Amount::Bytes(megabytes * 1_000_000), 1)?;
        log.flush()?;
        Ok(path)
    }

    /// Runs a job in a process of its own, prints a row, and returns a hash of what came out.
    fn measure(&self, job: &str, log: &Path, bound: &str) -> Result<u64, Box<dyn Error>> {
        let out = self.path("out");
        fs::create_dir(&out)?;
        let counts = out.join("counts.csv");
        let address = |path: &Path, options: &str| format!("file:{}{options}", path.display());
        let mut child = Command::new(env::current_exe()?);
        child.env(JOB, job).args(["--quiet", "--checkpoint", "none", "--memory", bound]);
        child.args(["--log", &address(log, ""), "--counts", &address(&counts, "?mode=replace")]);
        child.args(["--bad-lines", &address(&out.join("bad_lines.csv"), "")]);
        if job == "hosts" {
            child.args(["--hosts", &address(&self.path("hosts.txt"), "")]);
        }
        let started = Instant::now();
        let output = child.output()?;
        let seconds = started.elapsed().as_secs_f64();
        if !output.status.success() {
            return Err(format!("{}: {}", output.status, String::from_utf8_lossy(&output.stderr)).into());
        }
        let megabytes = fs::metadata(log)?.len() / 1_000_000;
        let told = String::from_utf8_lossy(&output.stdout);
        println!("| {job} | {megabytes} | {bound} | {seconds:.1} | {} |", told.trim());
        let hash = hash(&counts)?;
        fs::remove_dir_all(&out)?;
        Ok(hash)
    }
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
    let (log, counts, bad_lines) = (Source::unbound(), Sink::unbound(), Trap::unbound());
    let code = match job {
        "hosts" => flow_runtime::main(AccessLogCounts { log, hosts: Table::unbound(), counts, bad_lines }),
        _ => flow_runtime::main(Lines { log, counts, bad_lines }),
    };
    println!("{:.1} | {:.1}", processor_seconds().unwrap_or(f64::NAN), peak_megabytes().unwrap_or(f64::NAN));
    code
}

/// The 14th and the 15th word: ticks in the program, and in the system for it. The program's name, the 2nd, has no blank.
fn processor_seconds() -> Option<f64> {
    let stat = fs::read_to_string("/proc/self/stat").ok()?;
    let ticks = stat.split(' ').skip(13).take(2).filter_map(|word| word.parse::<f64>().ok());
    Some(ticks.sum::<f64>() / TICKS_A_SECOND)
}

fn peak_megabytes() -> Option<f64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let kilobytes = status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB"))?;
    Some(kilobytes.parse::<f64>().ok()? * 1024.0 / 1e6)
}

fn parent() -> Result<(), Box<dyn Error>> {
    // Cargo adds `--bench` of its own.
    let sizes = env::args().skip(1).filter(|word| word != "--bench").map(|word| word.parse::<u64>());
    let sizes = sizes.collect::<Result<Vec<_>, _>>()?;
    let sizes = if sizes.is_empty() { LOG_MEGABYTES.to_vec() } else { sizes };

    let files = Files { folder: tempfile::tempdir()? };
    write_hosts(&mut File::create(files.path("hosts.txt"))?, 40, 1)?;
    println!("| groups | log, MB | --memory | seconds | of processors | peak, MB |\n|---|---|---|---|---|---|");
    for megabytes in sizes {
        let log = files.generate(megabytes)?;
        files.measure("hosts", &log, BOUNDS[0])?;
        let hashes = BOUNDS.iter().map(|bound| files.measure("lines", &log, bound)).collect::<Result<Vec<_>, _>>()?;
        assert!(hashes.iter().all(|hash| *hash == hashes[0]), "another bound, another result");
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
