//! A log that is written, rotated and compressed at random while a program reads it, run after run: each line counts once.

#![expect(clippy::unwrap_used, reason = "a test may")]

use std::{collections::BTreeMap, fs, process::Command};

use fastrand::Rng;
use flow_tests::program::{Place, hit};

const PROGRAM: &str = env!("CARGO_BIN_EXE_count_hits");

/// A writer of a log, its log rotation, and what it has written.
struct Writer {
    place: Place,
    random: Rng,
    hits: i64,
    /// Lines that the flow traps, each unlike all others.
    others: usize,
    /// A line was begun.
    is_within_line: bool,
}

impl Writer {
    fn new(seed: u64) -> Self {
        let place = Place::new(PROGRAM);
        place.write("hosts.txt", "a\n");
        place.write("access.log", "");
        Self { place, random: Rng::with_seed(seed), hits: 0, others: 0, is_within_line: false }
    }

    fn write(&mut self) {
        let mut text = String::new();
        for _ in 0..self.random.usize(..60) {
            if self.random.bool() {
                text += &hit("a");
                self.hits += 1;
            } else {
                text += &format!("line {:06}\n", self.others);
                self.others += 1;
            }
        }
        self.end_line();
        if self.random.bool() {
            text += "line ";
            self.is_within_line = true;
        }
        self.place.append("access.log", text);
    }

    fn end_line(&mut self) {
        if std::mem::take(&mut self.is_within_line) {
            self.place.append("access.log", format!("{:06}\n", self.others));
            self.others += 1;
        }
    }

    fn exists(&self, name: &str) -> bool {
        self.place.path(name).exists()
    }

    fn rename(&self, from: &str, to: &str) {
        fs::rename(self.place.path(from), self.place.path(to)).unwrap();
    }

    /// As logrotate does it: the numbers go up, and the log becomes number 1, by renaming or by copying and truncating.
    fn rotate(&mut self) {
        self.end_line();
        for number in (1..9).rev() {
            for end in ["", ".gz"] {
                let name = format!("access.log.{number}{end}");
                if self.exists(&name) {
                    self.rename(&name, &format!("access.log.{}{end}", number + 1));
                }
            }
        }
        if self.random.bool() {
            self.rename("access.log", "access.log.1");
            self.place.write("access.log", "");
        } else {
            fs::copy(self.place.path("access.log"), self.place.path("access.log.1")).unwrap();
            fs::OpenOptions::new().write(true).truncate(true).open(self.place.path("access.log")).unwrap();
        }
    }

    fn compress(&mut self) {
        let name = format!("access.log.{}", self.random.usize(1..4));
        if self.exists(&name) {
            let done = Command::new("gzip").arg(self.place.path(&name)).status().unwrap();
            assert!(done.success());
        }
    }

    /// Runs the program once; says whether anything was new.
    fn run(&mut self, address: &str) -> bool {
        let bound = match self.random.usize(..3) {
            0 => format!("--max-records {}", self.random.usize(1..80)),
            1 => format!("--max-bytes {}", self.random.usize(1..4000)),
            _ => String::new(),
        };
        let outcome = self.place.succeed(&format!("--log {address} --json {bound}")).json();
        outcome["outcome"] != "nothing_new"
    }

    /// What the program has made of it, against what was written.
    fn compare(&self, seed: u64) {
        let counts = self.place.counts("counts.db").into_iter().filter(|(host, _)| host.as_deref() == Some("a"));
        assert_eq!(counts.map(|(_, count)| count).sum::<i64>(), self.hits, "seed {seed}");
        let trapped = if self.exists("bad_lines.csv") { self.place.text("bad_lines.csv") } else { String::new() };
        let mut times = BTreeMap::new();
        for record in
            trapped.lines().filter_map(|line| line.split(',').next()).filter(|record| record.starts_with("line"))
        {
            *times.entry(record).or_insert(0) += 1;
        }
        let expected: Vec<String> = (0..self.others).map(|number| format!("line {number:06}")).collect();
        assert_eq!(times.keys().copied().collect::<Vec<_>>(), expected, "seed {seed}");
        assert!(times.values().all(|times| *times == 1), "seed {seed}: {times:?}");
    }
}

/// As many seeds from `first` on, or as many as the environment says.
fn seeds(first: u64, count: u64) -> std::ops::Range<u64> {
    let count = std::env::var("FLOW_SEEDS").map_or(count, |count| count.parse().unwrap());
    first..first + count
}

#[test]
fn however_a_log_is_rotated_each_line_counts_once() {
    for seed in seeds(0, 4) {
        let mut writer = Writer::new(seed);
        writer.run("file:access.log*");
        for _ in 0..25 {
            match writer.random.usize(..8) {
                0..3 => writer.write(),
                3 => writer.rotate(),
                4 => writer.compress(),
                _ => drop(writer.run("file:access.log*")),
            }
        }
        writer.end_line();
        while writer.run("file:access.log*") {}
        writer.compare(seed);
    }
}

#[test]
fn a_log_that_is_rotated_at_most_once_between_two_runs_needs_no_glob() {
    for seed in seeds(100, 3) {
        let mut writer = Writer::new(seed);
        for _ in 0..8 {
            writer.write();
            while writer.run("file:access.log") {}
            writer.write();
            writer.rotate();
            if writer.random.bool() {
                writer.compress();
            }
            writer.write();
            while writer.run("file:access.log") {}
        }
        writer.end_line();
        while writer.run("file:access.log") {}
        writer.compare(seed);
    }
}

#[test]
fn standard_input_is_read_to_its_end_and_only_without_a_store() {
    let place = Place::new(PROGRAM);
    place.write("hosts.txt", "a\n");
    place.write("lines", hit("a").repeat(3));
    let refusal = place.refused("--log stdin:", 2);
    assert!(refusal.contains("port `log`") && refusal.contains("--checkpoint none"), "{refusal}");
    let mut command = place.command("--log stdin: --checkpoint none --counts stdout: --quiet");
    let ended = command.stdin(fs::File::open(place.path("lines")).unwrap()).output().unwrap();
    let text = String::from_utf8(ended.stdout).unwrap();
    assert!(ended.status.success() && text.contains('a') && text.contains('3'), "{text}");
}

#[test]
fn the_tail_of_a_log_is_taken_on_demand() {
    let place = Place::new(PROGRAM);
    place.write("hosts.txt", "a\n");
    place.write("access.log", hit("a").trim_end());
    place.succeed("");
    assert_eq!(place.counts("counts.db"), [(None, 1)]);
    place.succeed("--take-tail");
    assert!(place.counts("counts.db").contains(&(Some("a".to_owned()), 1)));
}
