//! The access-log job through flow and by hand, on the same generated log, in turn: seconds, and their ratio.
//!
//! `cargo bench -p flow-benches`, or with the log's size in MB and the number of rounds: `… --bench access_log -- 1000 5`

use std::{
    fs::File,
    io::{self, BufWriter, Write},
    num::NonZeroUsize,
    path::{Path, PathBuf},
};

use access_log_counts::OwnedCountsRow;
use flow_benches::{
    by_hand,
    interleaved::{self, Contender},
};
use flow_examples::generate::{Amount, write_hosts, write_log};
use flow_runtime::{
    MemoryRows, Sink, Source, Table, Trap,
    driver::{self, Options},
    flow,
};

const LOG_MEGABYTES: u64 = 100;
const ROUNDS: u64 = 7;
const WORKERS: [u64; 2] = [1, 2];

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

type Counted = Vec<(Option<String>, u64)>;

/// The files of the job.
struct Job {
    folder: tempfile::TempDir,
}

impl Job {
    fn generate(bytes: u64) -> io::Result<Self> {
        let job = Self { folder: tempfile::tempdir()? };
        let mut log = BufWriter::new(File::create(job.path("access.log"))?);
        write_log(&mut log, Amount::Bytes(bytes), 1)?;
        log.flush()?;
        write_hosts(&mut File::create(job.path("hosts.txt"))?, 40, 1)?;
        Ok(job)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn by_hand(&self, workers: u64) -> io::Result<Counted> {
        let bad_lines = self.path(&format!("bad_lines_by_hand_{workers}"));
        by_hand::access_log_counts(&self.path("access.log"), &self.path("hosts.txt"), &bad_lines, workers)
    }

    fn through_flow(&self, workers: u64) -> Result<Counted, Box<dyn std::error::Error>> {
        let file = |path: &Path| format!("file:{}", path.display());
        let counts = MemoryRows::default();
        let flow = AccessLogCounts {
            log: Source::at(file(&self.path("access.log"))),
            hosts: Table::at(file(&self.path("hosts.txt"))),
            counts: Sink::memory(&counts).replace(),
            // A run without a store appends to an empty target only.
            bad_lines: Trap::at(file(&self.empty_file("bad_lines.csv")?)),
        };
        let mut options = Options::default();
        options.workers = NonZeroUsize::try_from(usize::try_from(workers)?)?;
        driver::run(&flow, &options)?;
        let rows: Vec<OwnedCountsRow> = counts.rows();
        Ok(rows.into_iter().map(|row| (row.ip, row.count.unsigned_abs())).collect())
    }

    fn empty_file(&self, name: &str) -> io::Result<PathBuf> {
        let folder = self.path("out");
        if folder.exists() {
            std::fs::remove_dir_all(&folder)?;
        }
        std::fs::create_dir(&folder)?;
        Ok(folder.join(name))
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    // Cargo adds `--bench` of its own.
    let mut numbers = std::env::args().skip(1).filter(|word| word != "--bench").map(|word| word.parse::<u64>());
    let megabytes = numbers.next().transpose()?.unwrap_or(LOG_MEGABYTES);
    let rounds = usize::try_from(numbers.next().transpose()?.unwrap_or(ROUNDS))?;

    let job = Job::generate(megabytes * 1_000_000)?;
    let expected = job.by_hand(1)?;
    let mut contenders = Vec::new();
    for workers in WORKERS {
        let (job, expected) = (&job, &expected);
        contenders.push(Contender {
            name: format!("by hand, {workers}"),
            run: Box::new(move || assert_eq!(job.by_hand(workers).as_ref().ok(), Some(expected))),
        });
        contenders.push(Contender {
            name: format!("flow, {workers}"),
            run: Box::new(move || match job.through_flow(workers) {
                Ok(counted) => assert_eq!(&counted, expected),
                Err(error) => panic!("{error}"),
            }),
        });
    }

    let times = interleaved::rounds(&mut contenders, rounds);
    println!("access-log job, {megabytes} MB, 40 hosts listed, medians of {rounds} interleaved rounds\n");
    println!("| workers | by hand, s | flow, s | flow ÷ by hand |\n|---|---|---|---|");
    for (workers, pair) in WORKERS.iter().zip(times.chunks(2)) {
        let [by_hand, flow] = pair else { continue };
        let (hand_seconds, flow_seconds) = (interleaved::median_seconds(by_hand), interleaved::median_seconds(flow));
        let ratio = interleaved::median_ratio(flow, by_hand);
        println!("| {workers} | {hand_seconds:.3} | {flow_seconds:.3} | {ratio:.2} |");
    }
    Ok(())
}
