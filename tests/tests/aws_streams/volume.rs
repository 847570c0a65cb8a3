//! Many records, published while a service reads them and the stream is split and merged.

use std::collections::BTreeMap;

use flow_tests::{
    aws::Cloud,
    program::{Place, Running, hit},
};

use super::await_that;

pub(super) const HOSTS: usize = 50;

/// One line in so many is no line of a log.
const LINES_A_BAD_ONE: usize = 1000;

/// A log, its hits by host, and its lines that are none.
pub(super) struct Log {
    pub(super) text: String,
    pub(super) hits: BTreeMap<String, i64>,
    pub(super) bad: Vec<String>,
}

impl Log {
    pub(super) fn of(lines: usize) -> Self {
        let mut log = Self { text: String::new(), hits: BTreeMap::new(), bad: Vec::new() };
        for n in 0..lines {
            if n % LINES_A_BAD_ONE == LINES_A_BAD_ONE / 2 {
                log.bad.push(format!("no line of a log {n}"));
                log.text += &format!("no line of a log {n}\n");
            } else {
                let host = format!("10.0.0.{}", n * n % HOSTS);
                log.text += &hit(&host);
                *log.hits.entry(host).or_default() += 1;
            }
        }
        log
    }
}

/// A flow over a stream, with what it is to count.
struct Counting {
    cloud: Cloud,
    place: Place,
    log: Log,
    stream: &'static str,
}

impl Counting {
    fn new(cloud: Cloud, stream: &'static str, shards: usize, lines: usize) -> Self {
        let place = Place::new(env!("CARGO_BIN_EXE_count_hits"));
        let log = Log::of(lines);
        place.write("lines.log", &log.text);
        place.write("hosts.txt", (0..HOSTS).map(|n| format!("10.0.0.{n}\n")).collect::<String>());
        cloud.streams.create_stream(stream, shards);
        let counting = Self { cloud, place, log, stream };
        let ended = counting.start(&format!("setup --yes {}", counting.ports())).end();
        assert_eq!(ended.code, Some(0), "{ended:?}");
        counting
    }

    fn ports(&self) -> String {
        format!("--log kinesis://{0}?start=oldest --checkpoint dynamodb://{0}", self.stream)
    }

    fn start(&self, arguments: &str) -> Running {
        Running::start(self.cloud.on(self.place.command(arguments)))
    }

    fn follow(&self) -> Running {
        // On a busy machine the service of streams takes seconds to answer.
        let bounds = "--max-records 30_000 --iteration-timeout 60s --no-data-timeout 5s";
        self.start(&format!("run {} --follow {bounds}", self.ports()))
    }

    fn publish(&self, options: &str) -> Running {
        self.start(&format!("publish kinesis://{} --from lines.log --json {options}", self.stream))
    }

    /// How many hits there are in the table now.
    fn counted(&self) -> i64 {
        let Some(database) = self.place.database("counts.db") else { return 0 };
        // The service may be about to make the table, or to write.
        database
            .query_row("SELECT coalesce(sum(count), 0) FROM counts WHERE ip IS NOT NULL", [], |row| row.get(0))
            .unwrap_or(0)
    }

    /// All hits, and the lines that are trapped.
    fn is_complete(&self) -> bool {
        let hits: i64 = self.log.hits.values().sum();
        let trapped = self.place.text("bad_lines.csv").matches("no line of a log").count();
        self.counted() >= hits && trapped >= self.log.bad.len()
    }

    /// Compares what is in the targets with what was published.
    fn judge(&self) {
        // A host without a hit in an iteration is one of null there.
        let found = self.place.counts("counts.db").into_iter().filter_map(|(host, count)| Some((host?, count)));
        let found: BTreeMap<String, i64> = found.collect();
        assert_eq!(found, self.log.hits);
        let trapped = self.place.text("bad_lines.csv");
        let mut trapped: Vec<&str> = trapped
            .lines()
            .filter_map(|line| line.split([',', '"']).find(|field| field.starts_with("no line")))
            .collect();
        let mut bad: Vec<&str> = self.log.bad.iter().map(String::as_str).collect();
        trapped.sort_unstable();
        bad.sort_unstable();
        assert_eq!(trapped, bad);
    }
}

/// Ends a service, which is done with what it began.
pub(super) fn stop(service: Running) {
    service.signal("TERM");
    let served = service.end();
    assert!(matches!(served.code, Some(0 | 143)), "{served:?}");
}

#[test]
fn what_is_published_while_a_stream_is_read_split_and_merged_is_counted_once() {
    let Some(cloud) = Cloud::fast() else { return };
    let counting = Counting::new(cloud, "volume", 4, 200_000);
    let service = counting.follow();
    let publisher = counting.publish("");
    let streams = counting.cloud.streams;
    await_that("a tenth is counted", || counting.counted() > 20_000);
    streams.split_shard("volume", "shardId-000000000001");
    await_that("a quarter is counted", || counting.counted() > 50_000);
    streams.merge_shards("volume", "shardId-000000000002", "shardId-000000000003");
    let published = publisher.end();
    assert_eq!(published.code, Some(0), "{published:?}");
    assert_eq!(published.json()["sent"], 200_000, "{published:?}");
    await_that("all is counted", || counting.is_complete());
    stop(service);
    counting.judge();
    assert_eq!(streams.shards("volume").len(), 7);
}

#[test]
fn lines_that_the_producer_library_would_put_into_one_record_are_counted_once() {
    let Some(cloud) = Cloud::exact() else { return };
    let counting = Counting::new(cloud, "aggregates", 2, 5_000);
    let service = counting.follow();
    let published = counting.publish("--aggregate").end();
    assert_eq!(published.code, Some(0), "{published:?}");
    assert_eq!(published.json()["sent"], 5_000, "{published:?}");
    counting.cloud.streams.split_shard("aggregates", "shardId-000000000000");
    let published = published.json()["stream_records"].as_u64().unwrap();
    assert!(published < 1_000, "{published} records of the stream for 5,000 lines");
    await_that("all is counted", || counting.is_complete());
    stop(service);
    counting.judge();
}
