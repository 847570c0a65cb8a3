//! The whole job: a stream that is split and merged, joined with a bucket, into a warehouse, bad lines below a prefix.

use std::collections::BTreeMap;

use flow_tests::{
    aws::Cloud,
    manifests::followed,
    program::{Place, Running},
    services::redshift,
};

use super::{
    await_that,
    volume::{HOSTS, Log, stop},
};

const LINES: usize = 200_000;

#[test]
fn what_comes_through_a_stream_is_in_the_warehouse_once_and_what_is_no_line_in_the_trap() {
    let (Some(cloud), Some(warehouse)) = (Cloud::fast(), redshift()) else { return };
    let (place, log) = (Place::new(env!("CARGO_BIN_EXE_count_hits")), Log::of(LINES));
    place.write("lines.log", &log.text);
    let start = |arguments: &str| Running::start(cloud.on(place.command(arguments)));
    let rest = "table=cascading_results&staging=s3://loaded-staging/rows&role=default&sslmode=disable";
    let ports = format!(
        "--log kinesis://loaded?start=oldest --hosts s3://loaded-hosts/hosts.txt --counts {} \
         --bad-lines s3://loaded-trap/lines --checkpoint dynamodb://loaded",
        warehouse.address(rest)
    );
    let ended = start(&format!("setup --yes --shards 4 {ports}")).end();
    assert_eq!(ended.code, Some(0), "{ended:?}");
    cloud.tables.put_object(
        "loaded-hosts",
        "hosts.txt",
        (0..HOSTS).map(|n| format!("10.0.0.{n}\n")).collect::<String>(),
    );

    let bounds = "--max-records 30_000 --iteration-timeout 60s --no-data-timeout 5s";
    let service = start(&format!("run {ports} --follow {bounds}"));
    let publisher = start("publish kinesis://loaded --from lines.log --json");
    let counted = || -> i64 {
        warehouse.ask("SELECT coalesce(sum(count), 0) FROM cascading_results WHERE ip IS NOT NULL").parse().unwrap()
    };
    await_that("a tenth is counted", || counted() > 20_000);
    cloud.streams.split_shard("loaded", "shardId-000000000001");
    await_that("a quarter is counted", || counted() > 50_000);
    cloud.streams.merge_shards("loaded", "shardId-000000000002", "shardId-000000000003");
    let published = publisher.end();
    assert_eq!(published.json()["sent"], LINES, "{published:?}");
    let trapped = || followed(cloud.tables, "loaded-trap", "lines");
    let hits: i64 = log.hits.values().sum();
    await_that("all is counted", || counted() >= hits && trapped().len() >= log.bad.len());
    stop(service);

    let found = warehouse.ask("SELECT ip, count FROM cascading_results WHERE ip IS NOT NULL");
    let row = |row: &str| row.split_once('|').map(|(host, count)| (host.to_owned(), count.parse().unwrap()));
    assert_eq!(found.lines().filter_map(row).collect::<BTreeMap<String, i64>>(), log.hits);
    assert_eq!(found.lines().count(), log.hits.len(), "each host once");
    let trapped = trapped();
    let mut trapped: Vec<&str> = trapped.iter().filter_map(|row| row.split(',').next()).collect();
    let mut bad: Vec<&str> = log.bad.iter().map(String::as_str).collect();
    trapped.sort_unstable();
    bad.sort_unstable();
    assert_eq!(trapped, bad);
}
