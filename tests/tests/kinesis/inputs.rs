//! The tap itself, held against what every source must do: with a record of the stream for each, and with many in one.

use std::sync::atomic::{AtomicUsize, Ordering};

use flow_runtime::source::{Input, conformance};
use flow_tests::{
    aws::run_with_credentials,
    services::{Service, ask::aggregate, kinesis_local},
};
use serde_json::json;

/// How many there have been.
static STREAMS: AtomicUsize = AtomicUsize::new(0);

/// A stream of one shard, which is split and merged again in turn: so the order of its records is known.
struct Stream {
    service: &'static Service,
    name: String,
    is_aggregated: bool,
}

impl Stream {
    fn new(service: &'static Service, is_aggregated: bool) -> Self {
        let name = format!("source-{}", STREAMS.fetch_add(1, Ordering::Relaxed));
        service.create_stream(&name, 1);
        Self { service, name, is_aggregated }
    }
}

impl conformance::Subject for Stream {
    fn input(&self) -> Input {
        Input::Address(format!("kinesis://{}?reads=100&endpoint={}", self.name, self.service.endpoint()))
    }

    fn add(&mut self, records: &[&str]) {
        let records: Vec<&[u8]> = records.iter().map(|record| record.as_bytes()).collect();
        if self.is_aggregated {
            self.service.put_records(&self.name, &[("key", &aggregate("key", &records))]);
        } else {
            records.iter().for_each(|record| drop(self.service.put_records(&self.name, &[("key", *record)])));
        }
    }

    fn reshard(&mut self) -> bool {
        let open =
            |shards: Vec<_>| shards.into_iter().filter(|shard: &flow_tests::services::ask::Shard| !shard.is_closed);
        let ids: Vec<String> = open(self.service.shards(&self.name)).map(|shard| shard.id).collect();
        match &ids[..] {
            [one] => self.service.split_shard(&self.name, one),
            [one, other, ..] => self.service.merge_shards(&self.name, one, other),
            [] => {}
        }
        true
    }

    fn has_first_records(&self) -> bool {
        false
    }

    fn spoil(&mut self) -> bool {
        let stream = json!({ "StreamName": self.name });
        self.service.kinesis("DeleteStream", &stream);
        while self.service.try_ask("Kinesis_20131202.DescribeStreamSummary", &stream).is_ok() {}
        self.service.create_stream(&self.name, 1);
        self.add(&["x", "y", "z"]);
        true
    }
}

#[test]
fn a_stream_is_a_source() {
    if kinesis_local().is_some() {
        run_with_credentials("inputs::a_stream_is_a_source_indeed");
    }
}

#[test]
#[ignore = "needs credentials"]
fn a_stream_is_a_source_indeed() {
    let service = kinesis_local().unwrap();
    for is_aggregated in [false, true] {
        conformance::check(|| Stream::new(service, is_aggregated));
    }
}
