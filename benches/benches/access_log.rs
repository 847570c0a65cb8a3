//! The access-log job through flow and by hand, on the same generated log, in turn: seconds, and their ratio.
//!
//! `cargo bench -p flow-benches`, or with the log's size in MB and the number of rounds: `… --bench access_log -- 1000 5`

use std::{io, num::NonZeroUsize, path::PathBuf};

use flow_benches::{
    by_hand,
    interleaved::{self, Contender},
    jobs::{AccessLogCounts, Files, access_log_counts::OwnedCountsRow, file},
};
use flow_runtime::{
    MemoryRows, Sink, Source, Table, Trap,
    driver::{self, Options},
};

const LOG_MEGABYTES: u64 = 100;
const ROUNDS: u64 = 7;
const WORKERS: [u64; 2] = [1, 2];

type Counted = Vec<(Option<String>, u64)>;

/// The job on its log.
struct Job {
    files: Files,
    log: PathBuf,
}

impl Job {
    fn generate(megabytes: u64) -> io::Result<Self> {
        let files = Files::new()?;
        Ok(Self { log: files.log(megabytes)?, files })
    }

    fn by_hand(&self, workers: u64) -> io::Result<Counted> {
        let bad_lines = self.files.path(&format!("bad_lines_by_hand_{workers}"));
        by_hand::access_log_counts(&self.log, &self.files.hosts(), &bad_lines, workers)
    }

    fn through_flow(&self, workers: u64) -> Result<Counted, Box<dyn std::error::Error>> {
        let counts = MemoryRows::default();
        let flow = AccessLogCounts {
            log: Source::at(file(&self.log)),
            hosts: Table::at(file(&self.files.hosts())),
            counts: Sink::memory(&counts).replace(),
            // A run without a store appends to an empty target only.
            bad_lines: Trap::at(file(&self.files.emptied("out")?.join("bad_lines.csv"))),
        };
        let mut options = Options::default();
        options.workers = NonZeroUsize::try_from(usize::try_from(workers)?)?;
        driver::run(&flow, &options)?;
        let rows: Vec<OwnedCountsRow> = counts.rows();
        Ok(rows.into_iter().map(|row| (row.ip, row.count.unsigned_abs())).collect())
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    // Cargo adds `--bench` of its own.
    let mut numbers = std::env::args().skip(1).filter(|word| word != "--bench").map(|word| word.parse::<u64>());
    let megabytes = numbers.next().transpose()?.unwrap_or(LOG_MEGABYTES);
    let rounds = usize::try_from(numbers.next().transpose()?.unwrap_or(ROUNDS))?;

    let job = Job::generate(megabytes)?;
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
