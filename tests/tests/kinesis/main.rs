//! Flows that read streams, as programs, from services that behave as Kinesis does: reshards, restarts, other streams under
//! the same name, aggregates, bounds. What reads that fail come to is shown over a stream in memory
//! (`flow-runtime/src/source/kinesis/`).
//!
//! What other readers of streams are known to suffer from, and where it is shown that this one does not. Files without a
//! folder are in `flow-runtime/src/source/kinesis/`.
//!
//! | trouble | shown by |
//! |---|---|
//! | an iterator expires between two reads, and the reader with it | `reader_tests.rs`: `an_iterator_that_expires_is_made_anew_behind_what_was_read_last`; `aws_faults/table.rs` |
//! | a renewed iterator begins where the first one did | `reader_tests.rs`: `each_record_comes_once_whatever_happens` |
//! | a position that has aged out is passed over without a word | `survey_tests.rs`: `a_position_that_is_older_than_what_is_kept_is_held_with_the_size_of_the_hole` |
//! | after a reshard some shards are never read | `lineage_tests.rs`: `however_a_stream_is_resharded_no_record_is_left_out_or_read_twice`; here |
//! | children wait for a parent that lags | they do, for the order of a key: `kinesis.md` says so |
//! | a parent that has aged out takes all below it along | `survey_tests.rs`: `a_parent_that_has_aged_out_is_noted_as_read_at_first_and_a_hole_later` |
//! | a start is given that counts no more, or begins too late | `survey_tests.rs`: `a_start_counts_when_nothing_was_read_and_changes_nothing_later`; here `the_latest_…` |
//! | two readers take the work from each other for ever | `aws_streams/iterations.rs`: `two_processes_at_once_do_each_iteration_once`; `iteration/dynamodb/owner_tests.rs` |
//! | a table for each program, written to all the time | `aws_streams/iterations.rs`: `a_run_writes_a_few_items_…`, `two_flows_read_one_stream_and_share_one_table_…` |
//! | a throttled table makes leases lapse, and records come twice | `iteration/dynamodb/owner_tests.rs`: `one_whose_table_takes_nothing_for_a_while_is_still_at_work`; `aws_store/faults.rs` |
//! | throttled reads become a storm, or an end | `reader_tests.rs`: `a_throttled_shard_is_tried_no_more_often_than_it_may_be_read`, `throttling_is_waited_out_…` |
//! | empty reads although more is there, or a silent shard that says it is behind | `pace.rs`; `reader_tests.rs`: `empty_reads_with_more_behind_them_are_read_past`, `a_silent_shard_…` |
//! | aggregates are garbage, or begin anew at their first record | `inputs.rs`; `aws_streams/iterations.rs`: `iterations_that_begin_and_end_within_an_aggregate_…`; `aws_faults/` |
//! | shards beyond the first page of their list | `a_stream_whose_shards_are_listed_on_several_pages_is_read_whole` |
//! | a call that never comes back | `reader_tests.rs`: `a_call_that_never_comes_back_stops_nobody_else`; `aws_faults/table.rs`: `Stalled` |
//! | a subscription ends every five minutes | `pushed_tests.rs`: `a_subscription_that_has_ended_is_renewed_behind_what_was_pushed`; `fanout.rs` |

#![expect(clippy::unwrap_used, reason = "a test may")]

mod addresses;
mod fanout;
mod inputs;

use std::process::Command;

use flow_tests::{
    program::{Counted, Place, counted, hit},
    services::{CREDENTIALS, Proxy, Service, kinesalite, kinesis_local},
};
use serde_json::json;

/// A place with a host list, and a stream for its log.
struct Streamed {
    place: Place,
    service: &'static Service,
    stream: &'static str,
    /// How it is read, as options of its address.
    read: &'static str,
    /// Where the program calls.
    endpoint: String,
}

impl Streamed {
    fn new(service: Option<&'static Service>, stream: &'static str, shards: usize) -> Option<Self> {
        let service = service?;
        service.create_stream(stream, shards);
        let place = Place::new(env!("CARGO_BIN_EXE_count_hits"));
        place.write("hosts.txt", "h1\nh2\n");
        Some(Self { place, service, stream, read: "reads=50", endpoint: service.endpoint() })
    }

    /// Puts so many hits of each host, under keys that spread them.
    fn put(&self, hits: usize) {
        let lines: Vec<(String, String)> =
            (0..hits).flat_map(|nth| ["h1", "h2"].map(|host| (format!("{host} {nth}"), hit(host)))).collect();
        for some in lines.chunks(400) {
            let records: Vec<(&str, &[u8])> = some.iter().map(|(key, line)| (&**key, line.as_bytes())).collect();
            self.service.put_records(self.stream, &records);
        }
    }

    fn run(&self, options: &str) -> Command {
        let log = format!("--log kinesis://{}?{}&endpoint={}", self.stream, self.read, self.endpoint);
        let mut command = self.place.command(&format!("{options} --checkpoint sqlite:s.db {log}"));
        command.envs(CREDENTIALS);
        command
    }

    /// Runs until nothing is new, at most so often.
    fn run_through(&self, options: &str) {
        for _ in 0..20 {
            let output = self.run(options).output().unwrap();
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
            if said.contains("nothing new") || said.contains("no new records") {
                return;
            }
        }
        panic!("something is new each time");
    }

    fn counts(&self) -> Vec<Counted> {
        self.place.counts("counts.db")
    }
}

#[test]
fn a_stream_is_read_on_through_splits_and_merges() {
    let Some(test) = Streamed::new(kinesis_local(), "resharded", 2) else { return };
    test.put(30);
    test.run_through("");
    assert_eq!(test.counts(), counted(&[("h1", 30), ("h2", 30)]));
    test.put(10);
    let open = || test.service.shards("resharded").into_iter().filter(|shard| !shard.is_closed).collect::<Vec<_>>();
    test.service.split_shard("resharded", &open()[0].id);
    test.put(20);
    let mut shards = open();
    shards.sort_by_key(|shard| shard.from);
    test.service.merge_shards("resharded", &shards[1].id, &shards[2].id);
    test.put(5);
    test.run_through("");
    assert_eq!(test.counts(), counted(&[("h1", 65), ("h2", 65)]));
}

#[test]
fn iterations_of_any_size_read_each_record_once() {
    let Some(test) = Streamed::new(kinesalite(), "bounded", 3) else { return };
    test.put(50);
    test.run_through("--max-records 13");
    assert_eq!(test.counts(), counted(&[("h1", 50), ("h2", 50)]));
}

#[test]
fn a_stream_that_was_made_again_is_held_until_its_gap_is_accepted() {
    let Some(test) = Streamed::new(kinesis_local(), "made-again", 1) else { return };
    test.put(3);
    test.run_through("");
    test.service.kinesis("DeleteStream", &json!({ "StreamName": "made-again" }));
    while test.service.try_ask("Kinesis_20131202.DescribeStreamSummary", &json!({ "StreamName": "made-again" })).is_ok()
    {
    }
    test.service.create_stream("made-again", 1);
    test.put(4);
    let refused = test.run("").output().unwrap();
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(!refused.status.success() && said.contains("the stream is another one"), "{said}");
    test.run_through("--accept-gap");
    assert_eq!(test.counts(), counted(&[("h1", 7), ("h2", 7)]));
    let listed = test.place.succeed("iterations --json --checkpoint sqlite:s.db").stdout;
    assert!(
        listed.contains("gap accepted in made-again/") && listed.contains("what was read is made-again/"),
        "{listed}"
    );
}

#[test]
fn the_latest_begins_when_the_flow_begins() {
    // kinesalite does not answer who asks for what comes after its last record.
    let Some(test) = Streamed::new(kinesis_local(), "latest", 1) else { return };
    test.put(3);
    let log = format!("--log kinesis://latest?start=latest&reads=50&endpoint={}", test.service.endpoint());
    let run = || {
        let mut command = test.place.command(&format!("--checkpoint sqlite:s.db {log}"));
        let output = command.envs(CREDENTIALS).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    };
    run();
    test.put(2);
    run();
    assert_eq!(
        test.counts().into_iter().filter(|(host, _)| host.is_some()).collect::<Vec<_>>(),
        counted(&[("h1", 2), ("h2", 2)])
    );
}

#[test]
fn a_stream_that_is_not_there_is_told_with_what_to_do() {
    let Some(test) = Streamed::new(kinesalite(), "there", 1) else { return };
    let log = format!("--log kinesis://not-there?endpoint={}", test.service.endpoint());
    let mut command = test.place.command(&log);
    let refused = command.envs(CREDENTIALS).output().unwrap();
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(!refused.status.success() && said.contains("there is no such stream (port `log`, not-there)"), "{said}");
}

#[test]
fn a_stream_whose_shards_are_listed_on_several_pages_is_read_whole() {
    // A page of this service has a hundred.
    let Some(mut test) = Streamed::new(kinesis_local(), "wide", 120) else { return };
    let list = |request| test.service.try_ask("Kinesis_20131202.ListShards", &request);
    let token = list(json!({ "StreamName": "wide" })).unwrap()["NextToken"].clone();
    assert!(list(json!({ "StreamName": "wide", "NextToken": token })).is_err(), "the token stands for the stream");
    test.put(40);
    let proxy = Proxy::before(test.service, &[]);
    test.endpoint = proxy.endpoint();
    let checked = test.run("check").output().unwrap();
    assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stdout));
    assert_eq!(proxy.calls()["kinesis.list_shards"], 2);
    // Once: so many shards keep this service busy for long.
    let read = test.run("").output().unwrap();
    assert!(read.status.success(), "{}", String::from_utf8_lossy(&read.stderr));
    assert_eq!(test.counts(), counted(&[("h1", 40), ("h2", 40)]));
}
