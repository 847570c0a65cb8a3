//! Records that the Kinesis Producer Library has put into one.
//!
//! Such a record is known by its first bytes and by the MD5 of what is in it, both: anything else is an ordinary record, and
//! so is what has both and is no message. As the client library does it, an aggregate of which a record belongs to another
//! shard is left out as a whole: the producer library sends what landed in a wrong shard, after a split or a merge, again.

use std::ops::RangeInclusive;

use md5::{Digest as _, Md5};
use prost::Message as _;

use crate::aws::kpl::{self, AggregatedRecord};

/// What a record of a stream is.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Content {
    /// Itself.
    Plain,
    /// Several records, in their order.
    Aggregate(AggregatedRecord),
    /// So many records, at least one of which belongs to another shard: its sender sends them again.
    Elsewhere(usize),
}

/// Looks at a record of a shard that has these hash keys; nothing is known of them if `None`.
pub(super) fn content(data: &[u8], hash_keys: Option<(u128, u128)>) -> Content {
    let Some(aggregate) = message(data).filter(has_keys) else { return Content::Plain };
    match hash_keys {
        Some((first, last)) if !belongs(&aggregate, first..=last) => Content::Elsewhere(aggregate.records.len()),
        _ => Content::Aggregate(aggregate),
    }
}

fn message(data: &[u8]) -> Option<AggregatedRecord> {
    let rest = data.strip_prefix(&kpl::MAGIC)?;
    let (message, digest) = rest.split_at_checked(rest.len().checked_sub(kpl::DIGEST_BYTES)?)?;
    if Md5::digest(message)[..] != *digest {
        return None;
    }
    AggregatedRecord::decode(message).ok()
}

/// Whether every record has its keys among those that are there.
fn has_keys(aggregate: &AggregatedRecord) -> bool {
    let is_in = |index: u64, keys: &[String]| usize::try_from(index).is_ok_and(|index| index < keys.len());
    aggregate.records.iter().all(|record| {
        is_in(record.partition_key_index, &aggregate.partition_key_table)
            && record.explicit_hash_key_index.is_none_or(|index| is_in(index, &aggregate.explicit_hash_key_table))
    })
}

/// Whether all records have hash keys of this shard. An explicit one that is no number is taken for right.
fn belongs(aggregate: &AggregatedRecord, hash_keys: RangeInclusive<u128>) -> bool {
    aggregate.records.iter().all(|record| {
        let explicit = record.explicit_hash_key_index.and_then(|index| usize::try_from(index).ok());
        let key = match explicit.and_then(|index| aggregate.explicit_hash_key_table.get(index)) {
            Some(explicit) => explicit.parse().ok(),
            None => {
                let key = usize::try_from(record.partition_key_index).unwrap_or(usize::MAX);
                aggregate.partition_key_table.get(key).map(|key| u128::from_be_bytes(Md5::digest(key).into()))
            }
        };
        key.is_none_or(|key| hash_keys.contains(&key))
    })
}

#[cfg(test)]
#[path = "aggregate_tests.rs"]
pub(super) mod tests;
