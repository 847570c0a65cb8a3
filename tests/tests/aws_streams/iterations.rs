//! What holds from iteration to iteration.

use std::collections::BTreeSet;

use flow_tests::{
    aws::Cloud,
    program::{Ended, Place, Running},
    services::{Proxy, ask::aggregate},
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
        Self::of(stream, 2)
    }

    fn of(stream: &'static str, shards: usize) -> Option<Self> {
        let cloud = Cloud::exact()?;
        cloud.streams.create_stream(stream, shards);
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

    /// Adds so many, `lines` of them in each record of the stream, all in one shard.
    fn grow_aggregated(&mut self, count: usize, lines: usize) {
        let new: Vec<String> = (self.next..self.next + count).map(|n| format!("{n},a,60")).collect();
        self.next += count;
        for lines in new.chunks(lines) {
            let lines: Vec<&[u8]> = lines.iter().map(|line| line.as_bytes()).collect();
            self.cloud.streams.put_records(self.stream, &[("a", &aggregate("a", &lines))]);
        }
    }

    /// Reads an iteration again, into a file of its own: the numbers of its records.
    fn replayed(&self, iteration: u64) -> Vec<usize> {
        let target = format!("again-{iteration}.csv");
        let ended = self.start("filtered", &format!("replay {iteration} --rows file:{target}?header=false")).end();
        assert_eq!(ended.code, Some(0), "{ended:?}");
        self.numbers(&target)
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

    /// What the store says.
    fn ask(&self, arguments: &str) -> Ended {
        let mut command =
            self.cloud.on(self.place.command(&format!("{arguments} --checkpoint dynamodb://{}", self.stream)));
        command.env("FLOW_UNDER_TEST", "filtered");
        let ended = Running::start(command).end();
        assert_eq!(ended.code, Some(0), "{ended:?}");
        ended
    }

    /// The numbers of the iterations that the store knows.
    fn iterations(&self) -> Vec<u64> {
        let ended = self.ask("iterations --json");
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
fn iterations_that_begin_and_end_within_an_aggregate_are_read_again_as_they_were() {
    let Some(mut kept) = Kept::of("within", 1) else { return };
    kept.grow_aggregated(20, 5);
    for _ in 0..3 {
        // From the third of an aggregate to the fourth of the next one, say.
        kept.run("--max-records 6");
    }
    kept.grow_aggregated(10, 10);
    kept.cloud.streams.split_shard("within", "shardId-000000000000");
    kept.run("");
    for (iteration, numbers) in (0..).zip([0..6, 6..12, 12..18, 18..30]) {
        assert_eq!(kept.replayed(iteration), numbers.collect::<Vec<_>>());
    }
    assert_eq!(kept.numbers("rows.csv"), kept.all());
}

#[test]
fn a_shard_that_ends_without_a_record_makes_an_empty_iteration_and_its_children_are_read() {
    let Some(mut kept) = Kept::of("ends", 1) else { return };
    // A first iteration is there whatever was read.
    kept.run("");
    kept.cloud.streams.split_shard("ends", "shardId-000000000000");
    let ended = kept.run("");
    assert!(!ended.stderr.contains("nothing new"), "that the shard has ended is new: {ended:?}");
    let shown = kept.ask("iterations 1 --json");
    let ranges = shown.json()["ranges"].as_array().unwrap().clone();
    let parent = ranges.iter().find(|range| range["name"].as_str().unwrap().ends_with("shardId-000000000000"));
    let parent = parent.unwrap_or_else(|| panic!("{ranges:?}"));
    assert_eq!((&parent["next"], &parent["records"]), (&Value::from("end"), &Value::from(0)), "{ranges:?}");
    kept.grow(20);
    let ended = kept.run("");
    assert_eq!(ended.json()["ports"][0]["rows"], 20, "{ended:?}");
    assert_eq!(kept.iterations(), [0, 1, 2]);
    assert_eq!(kept.numbers("rows.csv"), kept.all());
}

#[test]
fn a_run_writes_a_few_items_for_each_iteration_however_long_it_waits_and_scans_nothing() {
    let Some(mut kept) = Kept::new("cost") else { return };
    let proxy = Proxy::before(kept.cloud.tables, &[]);
    kept.cloud = kept.cloud.clone().with_tables_through(&proxy);
    kept.grow(10);
    // Time enough for many more writes, if there were one a read.
    kept.run("--no-data-timeout 4s --iteration-timeout 60s");
    let calls = proxy.calls();
    assert!(calls["dynamodb.put_item"] <= 14, "{calls:?}");
    assert!(!calls.contains_key("dynamodb.scan"), "{calls:?}");
    proxy.obey(&[]);
    kept.run("");
    let calls = proxy.calls();
    // Who is at work, that it has gone, and an attempt that was begun and given up.
    assert!(calls["dynamodb.put_item"] <= 4, "nothing was new: {calls:?}");
    assert!(!calls.contains_key("dynamodb.scan"), "{calls:?}");
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
