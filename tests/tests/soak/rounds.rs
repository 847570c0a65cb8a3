//! Many rounds, some at a time.

use std::{
    collections::VecDeque,
    env, fmt,
    ops::RangeInclusive,
    panic::{self, AssertUnwindSafe},
    sync::{Mutex, PoisonError},
    thread,
    time::{Duration, Instant},
};

use super::{
    oracle::Verdict,
    round::{Played, Round},
    script::Extent,
};

/// Rounds at a time: their processes wait for each other most of the time.
const THREADS: usize = 3;

/// The seeds from 1 on, or as `FLOW_SOAK_SEED` and `FLOW_SOAK_ROUNDS` say.
pub(crate) fn seeds(usual: u64) -> RangeInclusive<u64> {
    let number = |name: &str| env::var(name).ok().map(|text| text.parse::<u64>().unwrap());
    let first = number("FLOW_SOAK_SEED");
    let rounds = number("FLOW_SOAK_ROUNDS").unwrap_or(if first.is_some() { 1 } else { usual });
    let first = first.unwrap_or(1);
    first..=first + rounds - 1
}

/// Plays a round for each seed.
pub(crate) fn play(seeds: RangeInclusive<u64>, extent: Extent) -> Report {
    let report = Mutex::new(Report::default());
    let (seeds, began) = (Mutex::new(seeds.collect::<VecDeque<_>>()), Instant::now());
    thread::scope(|threads| {
        for _ in 0..THREADS {
            threads.spawn(|| {
                while let Some(seed) = next(&seeds) {
                    play_one(seed, extent, &report);
                }
            });
        }
    });
    let mut report = report.into_inner().unwrap_or_else(PoisonError::into_inner);
    report.took = began.elapsed();
    report
}

fn next(seeds: &Mutex<VecDeque<u64>>) -> Option<u64> {
    seeds.lock().unwrap_or_else(PoisonError::into_inner).pop_front()
}

fn play_one(seed: u64, extent: Extent, report: &Mutex<Report>) {
    let mut round = Round::new(seed, extent);
    // What panics is a harness that waited in vain; the other rounds are told of all the same.
    let played = panic::catch_unwind(AssertUnwindSafe(|| round.play())).unwrap_or_else(|_| Played {
        verdict: Verdict::stuck("the round was given up".to_owned()),
        ..Played::default()
    });
    let mut report = report.lock().unwrap_or_else(PoisonError::into_inner);
    report.rounds += 1;
    if !played.verdict.is_right() {
        let test = if extent.on_disk {
            "--release -p flow-tests --test soak -- --ignored"
        } else {
            "-p flow-tests --test soak --"
        };
        report.failures.push(format!(
            "seed {seed}: {}\n{}\nagain: FLOW_SOAK_SEED={seed} cargo test {test} --nocapture",
            played.verdict.told.join("; "),
            round.told.join("\n"),
        ));
    }
    report.played += played;
}

/// What came of it.
#[derive(Debug, Default)]
pub(crate) struct Report {
    rounds: u64,
    pub(crate) played: Played,
    failures: Vec<String>,
    took: Duration,
}

impl Report {
    /// Whether nothing was lost, doubled or invented, and nobody was needed.
    pub(crate) fn is_clean(&self) -> bool {
        self.failures.is_empty()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for failure in self.failures.iter().take(5) {
            writeln!(f, "{failure}")?;
        }
        writeln!(f, "{} rounds, {}", self.rounds, self.played)?;
        let Played { processes, failures, iterations, memory_kib, .. } = &self.played;
        write!(
            f,
            "({} failed, {processes} processes, {failures} of them with an error, {iterations} iterations, at most {} MB each, {} s)",
            self.failures.len(),
            memory_kib / 1024,
            self.took.as_secs(),
        )
    }
}
