//! What an address says of a stream: where to begin, and as whom and where to ask.

use std::time::{SystemTime, UNIX_EPOCH};

use flow_tests::{
    program::{Place, Running, counted, until},
    services::{CREDENTIALS, Proxy, kinesis_local, ministack},
};

use super::Streamed;

/// The next full second, as an address takes it. It has come.
fn next_second() -> String {
    let now = || SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let next = now() + 1;
    until("the second is over", || (now() >= next).then_some(()));
    let text = "SELECT strftime('%Y-%m-%dT%H:%M:%SZ', ?, 'unixepoch')";
    rusqlite::Connection::open_in_memory().unwrap().query_row(text, [next], |row| row.get(0)).unwrap()
}

#[test]
fn without_a_store_all_that_is_kept_is_read_each_time_or_what_came_since_a_time() {
    let Some(test) = Streamed::new(kinesis_local(), "window", 2) else { return };
    let count = |start: &str, hits: i64| {
        let log = format!("--log kinesis://window?reads=50&start={start}&endpoint={}", test.endpoint);
        let mut command =
            test.place.command(&format!("{log} --checkpoint none --counts sqlite:window.db?table=counts&mode=replace"));
        command.envs(CREDENTIALS);
        let ended = Running::start(command).end();
        assert_eq!(ended.code, Some(0), "{ended:?}");
        assert_eq!(test.place.counts("window.db"), counted(&[("h1", hits), ("h2", hits)]), "start={start}");
    };
    test.put(20);
    test.service.split_shard("window", "shardId-000000000000");
    test.put(10);
    count("oldest", 30);
    count("oldest", 30);
    let second = next_second();
    test.put(5);
    count("oldest", 35);
    // The window slides.
    count(&second, 5);
    let second = next_second();
    test.put(2);
    count(&second, 2);
}

#[test]
fn a_time_to_begin_at_counts_for_the_first_iteration_and_nothing_is_left_out_later() {
    let Some(mut test) = Streamed::new(kinesis_local(), "since", 2) else { return };
    test.put(20);
    let read = format!("reads=50&start={}", next_second());
    test.read = read.leak();
    test.put(3);
    test.run_through("");
    test.put(4);
    test.service.split_shard("since", "shardId-000000000001");
    test.put(5);
    test.run_through("");
    let hits: Vec<_> = test.counts().into_iter().filter(|(host, _)| host.is_some()).collect();
    assert_eq!(hits, counted(&[("h1", 12), ("h2", 12)]));
}

#[test]
fn a_stream_of_another_account_and_region_is_read_in_a_role() {
    let Some(service) = ministack() else { return };
    let place = Place::new(env!("CARGO_BIN_EXE_count_hits"));
    place.write("hosts.txt", "h1\n");
    let proxy = Proxy::before(service, &[]);
    let run = |arguments: &str| {
        let mut command = place.command(arguments);
        command.envs(CREDENTIALS).env("AWS_ENDPOINT_URL", proxy.endpoint());
        Running::start(command).end()
    };
    let (role, region) = ("role=arn:aws:iam::111122223333:role/reader", "region=eu-west-1");
    let there = format!("kinesis://elsewhere?{role}&{region}");
    let made = run(&format!("setup --yes --shards 2 --log {there}"));
    assert_eq!(made.code, Some(0), "{made:?}");
    proxy.obey(&[]);
    let ended = run(&format!("run --log {there}"));
    // Without records: this service numbers them as Kinesis does not.
    assert!(ended.code == Some(0) && ended.stderr.starts_with("iteration 0 done"), "{ended:?}");
    let calls = proxy.calls();
    assert!(calls["sts.assume_role"] == 1 && calls["kinesis.get_records"] >= 2, "{calls:?}");
    // Each of both says where it is.
    for options in ["start=oldest", role, region] {
        let refused = run(&format!("run --log kinesis://elsewhere?{options} --checkpoint none --counts stdout:"));
        assert!(refused.code == Some(1) && refused.stderr.contains("no such stream"), "{options}: {refused:?}");
    }
}
