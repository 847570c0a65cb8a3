//! What tests do with streams.

use std::{
    thread,
    time::{Duration, Instant},
};

use base64_simd::STANDARD as BASE64;
use serde_json::{Value, json};

use crate::Service;

/// A record that was put.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Put {
    /// The shard that it went to.
    pub shard: String,
    /// Its place there.
    pub sequence_number: String,
}

/// A shard of a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shard {
    /// `shardId-000000000000`
    pub id: String,
    /// Those that it was split or merged from.
    pub parents: Vec<String>,
    /// The first of its hash keys.
    pub from: u128,
    /// The last of its hash keys.
    pub to: u128,
    /// Whether nothing more will be put there.
    pub is_closed: bool,
}

/// Records of one read.
const READ_RECORDS_MAX: usize = 10_000;

impl Service {
    /// Calls an operation of Kinesis by its name: `ListShards`.
    ///
    /// # Panics
    /// When the service refuses.
    pub fn kinesis(&self, operation: &str, request: &Value) -> Value {
        self.ask(&format!("Kinesis_20131202.{operation}"), request)
    }

    /// Makes a stream, and waits until it is active.
    ///
    /// # Panics
    /// When the service refuses.
    pub fn create_stream(&self, stream: &str, shards: usize) {
        self.kinesis("CreateStream", &json!({ "StreamName": stream, "ShardCount": shards }));
        self.await_active(stream);
    }

    /// Waits until what was last asked of a stream is done.
    ///
    /// # Panics
    /// When there is no such stream, or it is not done within a minute.
    pub fn await_active(&self, stream: &str) {
        let status = || {
            let described = self.kinesis("DescribeStreamSummary", &json!({ "StreamName": stream }));
            described["StreamDescriptionSummary"]["StreamStatus"] == "ACTIVE"
        };
        let began = Instant::now();
        while !status() {
            assert!(began.elapsed() < Duration::from_secs(60), "the stream {stream} does not get active");
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// Puts records, each with its partition key, at most 500.
    ///
    /// # Panics
    /// When the service refuses.
    pub fn put_records(&self, stream: &str, records: &[(&str, &[u8])]) -> Vec<Put> {
        let entry = |(key, data): &(&str, &[u8])| json!({ "PartitionKey": key, "Data": BASE64.encode_to_string(data) });
        let records: Vec<Value> = records.iter().map(entry).collect();
        let answer = self.kinesis("PutRecords", &json!({ "StreamName": stream, "Records": records }));
        assert_eq!(answer["FailedRecordCount"].as_u64().unwrap_or_default(), 0, "{answer}");
        list(&answer["Records"])
            .iter()
            .map(|put| Put { shard: text(&put["ShardId"]), sequence_number: text(&put["SequenceNumber"]) })
            .collect()
    }

    /// All shards of a stream, closed ones too.
    ///
    /// # Panics
    /// When there is no such stream.
    #[must_use]
    pub fn shards(&self, stream: &str) -> Vec<Shard> {
        let (mut shards, mut request) = (Vec::new(), json!({ "StreamName": stream }));
        loop {
            let page = self.kinesis("ListShards", &request);
            shards.extend(list(&page["Shards"]).iter().map(Shard::of));
            match page["NextToken"].as_str() {
                Some(token) => request = json!({ "NextToken": token }),
                None => return shards,
            }
        }
    }

    /// Splits a shard in the middle, and waits until that is done.
    ///
    /// # Panics
    /// When the service refuses.
    pub fn split_shard(&self, stream: &str, shard: &str) {
        let shards = self.shards(stream);
        let Some(found) = shards.iter().find(|found| found.id == shard) else { panic!("{shard}: {shards:?}") };
        let middle = found.from + (found.to - found.from) / 2 + 1;
        let request = json!({
            "StreamName": stream, "ShardToSplit": shard, "NewStartingHashKey": middle.to_string(),
        });
        self.kinesis("SplitShard", &request);
        self.await_active(stream);
    }

    /// Merges two shards that lie side by side, and waits until that is done.
    ///
    /// # Panics
    /// When the service refuses.
    pub fn merge_shards(&self, stream: &str, shard: &str, adjacent: &str) {
        let request = json!({ "StreamName": stream, "ShardToMerge": shard, "AdjacentShardToMerge": adjacent });
        self.kinesis("MergeShards", &request);
        self.await_active(stream);
    }

    /// Everything that a shard holds now, in order.
    ///
    /// # Panics
    /// When there is no such shard.
    #[must_use]
    pub fn records(&self, stream: &str, shard: &str) -> Vec<Vec<u8>> {
        let request = json!({ "StreamName": stream, "ShardId": shard, "ShardIteratorType": "TRIM_HORIZON" });
        let mut iterator = self.kinesis("GetShardIterator", &request)["ShardIterator"].clone();
        let mut records = Vec::new();
        while iterator.is_string() {
            let request = json!({ "ShardIterator": iterator, "Limit": READ_RECORDS_MAX });
            let mut page = self.kinesis("GetRecords", &request);
            let read = list(&page["Records"]);
            if read.is_empty() {
                break;
            }
            records.extend(read.iter().map(|record| decoded(&record["Data"])));
            iterator = page["NextShardIterator"].take();
        }
        records
    }
}

impl Shard {
    fn of(shard: &Value) -> Self {
        let keys = &shard["HashKeyRange"];
        let key = |key: &Value| text(key).parse().unwrap_or_default();
        let parents = ["ParentShardId", "AdjacentParentShardId"].map(|parent| shard[parent].as_str());
        Self {
            id: text(&shard["ShardId"]),
            parents: parents.into_iter().flatten().map(str::to_owned).collect(),
            from: key(&keys["StartingHashKey"]),
            to: key(&keys["EndingHashKey"]),
            is_closed: shard["SequenceNumberRange"]["EndingSequenceNumber"].is_string(),
        }
    }
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn decoded(data: &Value) -> Vec<u8> {
    BASE64.decode_to_vec(text(data)).expect("a record in base64")
}
