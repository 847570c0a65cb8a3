//! Records become entries of a stream: one each, or many in one as the Kinesis Producer Library does it.

use std::collections::HashMap;

use md5::{Digest as _, Md5};
use prost::Message as _;

use super::{
    keys::{KeyBy, random_key},
    sender::Outgoing,
};
use crate::aws::{
    clients::streams::Entry,
    kpl::{self, AggregatedRecord},
    limits::AGGREGATE_BYTES,
};

/// Aggregates that are filled at the same time, where records go by their keys: each takes an equal part of the hash keys.
const PARTS: u128 = 64;

/// What the numbers and lengths of one record take in an aggregate at most.
const OVERHEAD_BYTES: usize = 24;

/// Turns records into entries.
#[derive(Debug)]
pub(crate) struct Packing {
    key_by: KeyBy,
    is_aggregated: bool,
    /// Aggregates that are being filled, by their part.
    open: HashMap<u128, Aggregate>,
    done: Vec<Outgoing>,
    done_bytes: usize,
}

impl Packing {
    pub(crate) fn new(key_by: KeyBy, is_aggregated: bool) -> Self {
        Self { key_by, is_aggregated, open: HashMap::new(), done: Vec::new(), done_bytes: 0 }
    }

    /// Takes a record.
    pub(crate) fn add(&mut self, record: Vec<u8>) {
        let key = self.key_by.key_of(&record);
        if !self.is_aggregated {
            let entry = Entry { partition_key: key.unwrap_or_else(random_key), explicit_hash_key: None, data: record };
            let bytes = entry.data.len() as u64;
            return self.finish(Outgoing { entry, records: 1, bytes });
        }
        let part = key.as_ref().map_or(0, |key| part_of(key));
        let is_random = key.is_none();
        let new_bytes = record.len() + key.as_ref().map_or(0, String::len) + OVERHEAD_BYTES;
        if self.open.get(&part).is_some_and(|aggregate| aggregate.bytes + new_bytes > AGGREGATE_BYTES) {
            self.close(part);
        }
        let aggregate = self.open.entry(part).or_insert_with(|| Aggregate::new(is_random, part));
        aggregate.add(key, record, new_bytes);
    }

    /// Entries that are ready to be sent, and their bytes.
    pub(crate) fn ready(&self) -> (usize, usize) {
        (self.done.len(), self.done_bytes)
    }

    /// Gives what is ready.
    pub(crate) fn take_ready(&mut self) -> Vec<Outgoing> {
        self.done_bytes = 0;
        std::mem::take(&mut self.done)
    }

    /// Gives all there is.
    pub(crate) fn take_all(&mut self) -> Vec<Outgoing> {
        let mut parts: Vec<u128> = self.open.keys().copied().collect();
        parts.sort_unstable();
        parts.into_iter().for_each(|part| self.close(part));
        self.take_ready()
    }

    fn close(&mut self, part: u128) {
        if let Some(aggregate) = self.open.remove(&part) {
            self.finish(aggregate.closed());
        }
    }

    fn finish(&mut self, outgoing: Outgoing) {
        self.done_bytes += outgoing.entry.bytes();
        self.done.push(outgoing);
    }
}

/// The part of the hash keys in which a partition key lies.
fn part_of(key: &str) -> u128 {
    let hash: [u8; 16] = Md5::digest(key.as_bytes()).into();
    u128::from_be_bytes(hash) / (u128::MAX / PARTS + 1)
}

/// Records that will be one entry.
///
/// All of them have the entry's explicit hash key, so that they belong to whatever shard the entry lands in: readers drop
/// what lies outside their shard, and the shards may be split and merged while the entry is on its way.
#[derive(Debug)]
struct Aggregate {
    hash_key: u128,
    content: AggregatedRecord,
    key_numbers: HashMap<String, u64>,
    /// At least what it takes as an entry.
    bytes: usize,
    data_bytes: u64,
}

impl Aggregate {
    fn new(is_random: bool, part: u128) -> Self {
        let hash_key = if is_random { fastrand::u128(..) } else { part * (u128::MAX / PARTS + 1) };
        let content = AggregatedRecord { explicit_hash_key_table: vec![hash_key.to_string()], ..Default::default() };
        Self { hash_key, content, key_numbers: HashMap::new(), bytes: 2 * OVERHEAD_BYTES + 40, data_bytes: 0 }
    }

    /// A random key is made for the first record, and serves all.
    fn add(&mut self, key: Option<String>, data: Vec<u8>, bytes: usize) {
        let keys = &mut self.content.partition_key_table;
        let number = match key {
            None => {
                if keys.is_empty() {
                    keys.push(random_key());
                }
                0
            }
            Some(key) => *self.key_numbers.entry(key).or_insert_with_key(|key| {
                keys.push(key.clone());
                keys.len() as u64 - 1
            }),
        };
        self.bytes += bytes;
        self.data_bytes += data.len() as u64;
        self.content.records.push(kpl::Record {
            partition_key_index: number,
            explicit_hash_key_index: Some(0),
            data,
            tags: Vec::new(),
        });
    }

    /// One record alone is sent as it is.
    fn closed(mut self) -> Outgoing {
        let records = self.content.records.len() as u64;
        let partition_key = self.content.partition_key_table.first().cloned().unwrap_or_else(random_key);
        let data = match self.content.records.as_mut_slice() {
            [only] => std::mem::take(&mut only.data),
            _ => encoded(&self.content),
        };
        let entry = Entry { data, partition_key, explicit_hash_key: Some(self.hash_key) };
        Outgoing { entry, records, bytes: self.data_bytes }
    }
}

/// Magic, message, digest.
fn encoded(content: &AggregatedRecord) -> Vec<u8> {
    let message = content.encode_to_vec();
    let mut data = kpl::MAGIC.to_vec();
    data.extend_from_slice(&message);
    data.extend_from_slice(&Md5::digest(&message));
    data
}

#[cfg(test)]
#[path = "packing_tests.rs"]
mod tests;
