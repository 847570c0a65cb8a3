//! What holds from iteration to iteration.

use std::collections::BTreeSet;

use flow_tests::{
    aws::Cloud,
    program::{Ended, Place, Running},
};
use serde_json::Value;

/// A flow over a stream that keeps the records of large amounts: each line is one.
struct Kept {
    cloud: Cloud,
    place: Place,
    stream: &'static str,
    next: usize,
}

impl Kept {
    fn new(stream: &'static str) -> Option<Self> {
        let cloud = Cloud::exact()?;
        cloud.streams.create_stream(stream, 2);
        let kept = Self { cloud, place: Place::new(env!("CARGO_BIN_EXE_fault_flows")), stream, next: 0 };
        let ended = kept.start("filtered", "setup --yes").end();
        assert_eq!(ended.code, Some(0), "{ended:?}");
        Some(kept)
    }

    fn grow(&mut self, count: usize) {
        let lines: Vec<String> = (self.next..self.next + count).map(|n| format!("{n},a,60")).collect();
        self.next += count;
        let records: Vec<(&str, &[u8])> = lines.iter().map(|line| (line.as_str(), line.as_bytes())).collect();
        self.cloud.streams.put_records(self.stream, &records);
    }

    fn start(&self, flow: &str, arguments: &str) -> Running {
        let given = format!("{arguments} --lines kinesis://{0}?start=oldest --checkpoint dynamodb://{0}", self.stream);
        let mut command = self.cloud.on(self.place.command(&given));
        command.env("FLOW_UNDER_TEST", flow);
        Running::start(command)
    }

    fn run(&self, arguments: &str) -> Ended {
        let ended = self.start("filtered", &format!("run --json {arguments}")).end();
        assert_eq!(ended.code, Some(0), "{ended:?}");
        ended
    }

    /// The numbers of the records in a target.
    fn numbers(&self, target: &str) -> Vec<usize> {
        let text = self.place.text(target);
        let mut numbers: Vec<usize> = text.lines().filter_map(|line| line.split(',').next()?.parse().ok()).collect();
        numbers.sort_unstable();
        numbers
    }

    fn all(&self) -> Vec<usize> {
        (0..self.next).collect()
    }

    /// The numbers of the iterations that the store knows.
    fn iterations(&self) -> Vec<u64> {
        let arguments = format!("iterations --json --checkpoint dynamodb://{}", self.stream);
        let mut command = self.cloud.on(self.place.command(&arguments));
        command.env("FLOW_UNDER_TEST", "filtered");
        let ended = Running::start(command).end();
        assert_eq!(ended.code, Some(0), "{ended:?}");
        let number = |line: &str| serde_json::from_str::<Value>(line).unwrap()["iteration"].as_u64();
        ended.stdout.lines().filter_map(number).collect()
    }
}

#[test]
fn an_iteration_ends_at_its_bound_and_the_next_one_goes_on_right_there() {
    let Some(mut kept) = Kept::new("bounds") else { return };
    kept.grow(40);
    let mut seen = BTreeSet::new();
    for _ in 0..3 {
        kept.run("--max-records 15 --rows file:part.csv?header=false&mode=replace");
        let part = kept.numbers("part.csv");
        assert!(!part.is_empty() && part.len() <= 15, "{part:?}");
        for number in part {
            assert!(seen.insert(number), "{number} comes twice");
        }
    }
    assert_eq!(seen.into_iter().collect::<Vec<_>>(), kept.all());
}

#[test]
fn a_sealed_iteration_is_read_again_as_it_was_though_the_stream_has_grown_and_was_split() {
    let Some(mut kept) = Kept::new("replay") else { return };
    kept.grow(10);
    kept.run("--rows file:first.csv?header=false");
    kept.grow(10);
    kept.cloud.streams.split_shard("replay", "shardId-000000000000");
    kept.grow(10);
    kept.run("--rows file:first.csv?header=false");
    let ended = kept.start("filtered", "replay 0 --rows file:again.csv?header=false").end();
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert_eq!(kept.numbers("again.csv"), (0..10).collect::<Vec<_>>());
    let ended = kept.start("filtered", "replay 1 --rows file:second.csv?header=false").end();
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert_eq!(kept.numbers("second.csv"), (10..30).collect::<Vec<_>>());
}

#[test]
fn nothing_new_is_no_iteration_and_changes_nothing() {
    let Some(mut kept) = Kept::new("nothing") else { return };
    kept.grow(5);
    kept.run("");
    for _ in 0..2 {
        let ended = kept.start("filtered", "run").end();
        assert!(ended.stderr.contains("nothing new"), "{ended:?}");
    }
    kept.grow(5);
    kept.run("");
    assert_eq!(kept.numbers("rows.csv"), kept.all());
}

#[test]
fn two_flows_read_one_stream_and_share_one_table_and_know_nothing_of_each_other() {
    let Some(mut kept) = Kept::new("names") else { return };
    kept.grow(10);
    kept.run("");
    kept.grow(10);
    let ended = kept.start("counted", "run --counts sqlite:counts.db?table=counts&mode=merge").end();
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let database = kept.place.database("counts.db").unwrap();
    let counted: i64 = database.query_row("SELECT sum(count) FROM counts", [], |row| row.get(0)).unwrap();
    assert_eq!(counted, 20);
    assert_eq!(kept.numbers("rows.csv"), (0..10).collect::<Vec<_>>());
    kept.run("");
    assert_eq!(kept.numbers("rows.csv"), kept.all());
}

#[test]
fn two_processes_at_once_do_each_iteration_once() {
    let Some(mut kept) = Kept::new("both") else { return };
    for _ in 0..5 {
        kept.grow(20);
        let both = [kept.start("filtered", "run"), kept.start("filtered", "run")];
        let codes = both.map(|running| running.end()).map(|ended| (ended.code, ended.stderr));
        // One may find the other at work.
        assert!(codes.iter().all(|(code, _)| matches!(code, Some(0 | 4))), "{codes:?}");
        assert!(codes.iter().any(|(code, _)| *code == Some(0)), "{codes:?}");
    }
    kept.run("");
    assert_eq!(kept.numbers("rows.csv"), kept.all());
    let numbers = kept.iterations();
    let distinct: BTreeSet<u64> = numbers.iter().copied().collect();
    assert!(!numbers.is_empty() && numbers.len() == distinct.len(), "{numbers:?}");
}
