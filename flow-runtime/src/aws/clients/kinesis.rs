//! One Kinesis stream, read: what it is, its shards, their records. Making streams and writing to them is `streams.rs`, what
//! is pushed to a consumer `consumers.rs`.

use std::{sync::OnceLock, time::Duration};

use aws_sdk_kinesis::{
    Client,
    operation::get_shard_iterator::builders::GetShardIteratorFluentBuilder,
    types::{self, ShardIteratorType},
};
use aws_smithy_types::DateTime;

use super::{call, configuration};
use crate::{
    Error,
    aws::{Account, Kind, Trouble, limits},
};

/// A stream of one account and region.
#[derive(Clone, Debug)]
pub(crate) struct Stream {
    pub(super) client: Client,
    pub(super) name: String,
    /// What calls about its consumers name it by, once that is known.
    pub(super) arn: OnceLock<String>,
}

/// What is to be known of a stream before it is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct About {
    /// When it was made, in milliseconds since the epoch of Unix: what tells it from others that had its name.
    pub(crate) created_ms: i64,
    /// How long it keeps a record.
    pub(crate) retention: Duration,
}

/// A shard as the stream lists it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ListedShard {
    pub(crate) id: String,
    /// The shards that it was split off, or merged from; they may not be listed any more.
    pub(crate) parents: Vec<String>,
    /// The first and the last hash key that belong to it.
    pub(crate) hash_keys: Option<(u128, u128)>,
    /// Whether nothing more comes into it.
    pub(crate) is_closed: bool,
}

/// Where an iterator begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Beginning<'a> {
    /// The oldest record that is there.
    Oldest,
    /// What comes from now on.
    Latest,
    /// The first record that came then or later, in microseconds since the epoch of Unix.
    Time(i64),
    /// The record of this number.
    At(&'a str),
    /// The record after the one of this number.
    After(&'a str),
}

/// What one read gives.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Page {
    pub(crate) records: Vec<StreamRecord>,
    /// Where to read on; nothing at the end of a closed shard.
    pub(crate) next: Option<String>,
    /// How far what was read is behind the latest.
    pub(crate) behind: Duration,
}

/// A record as it lies in the stream.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct StreamRecord {
    /// A decimal number of some 56 digits.
    pub(crate) sequence: String,
    /// When it came, in microseconds since the epoch of Unix.
    pub(crate) arrived_us: Option<i64>,
    pub(crate) data: Vec<u8>,
}

impl Stream {
    /// Calls nothing yet, but for what finds credentials out.
    ///
    /// # Errors
    /// As [`configuration`].
    pub(crate) async fn of(account: &Account, name: &str) -> Result<Self, Error> {
        Ok(Self { client: Client::new(&configuration(account).await?), name: name.to_owned(), arn: OnceLock::new() })
    }

    pub(crate) async fn about(&self) -> Result<About, Trouble> {
        let answer = self.client.describe_stream_summary().stream_name(&self.name).send();
        let summary = call("kinesis.describe_stream_summary", answer).await?.stream_description_summary;
        if let Some(stream) = &summary {
            // Of its name alone: one that is made anew has the same.
            self.arn.get_or_init(|| stream.stream_arn.clone());
        }
        Ok(About {
            created_ms: summary.as_ref().map_or(0, |stream| micros(&stream.stream_creation_timestamp) / 1000),
            retention: summary.map_or(limits::RETENTION_LEAST, |stream| {
                Duration::from_secs(3600 * u64::try_from(stream.retention_period_hours).unwrap_or(24))
            }),
        })
    }

    /// A page of its shards: the first, or the one behind `token`; and the token of the next.
    pub(crate) async fn shards(&self, token: Option<&str>) -> Result<(Vec<ListedShard>, Option<String>), Trouble> {
        let request = match token {
            // The name may only be given with the first.
            Some(token) => self.client.list_shards().next_token(token),
            None => self.client.list_shards().stream_name(&self.name),
        };
        let answer = call("kinesis.list_shards", request.send()).await?;
        Ok((answer.shards.unwrap_or_default().into_iter().map(listed).collect(), answer.next_token))
    }

    pub(crate) async fn iterator(&self, shard: &str, from: Beginning<'_>) -> Result<String, Trouble> {
        const NAME: &str = "kinesis.get_shard_iterator";
        let request = self.client.get_shard_iterator().stream_name(&self.name).shard_id(shard);
        let iterator = call(NAME, begun(request, from).send()).await?.shard_iterator;
        iterator.ok_or_else(|| Trouble::new(NAME, Kind::Passing, "the answer has no iterator"))
    }

    /// A read of so many records at most.
    pub(crate) async fn records(&self, iterator: &str, most: i32) -> Result<Page, Trouble> {
        let request = self.client.get_records().shard_iterator(iterator).limit(most.min(limits::READ_RECORDS_MAX));
        let answer = call("kinesis.get_records", request.send()).await?;
        let behind = answer.millis_behind_latest.and_then(|behind| u64::try_from(behind).ok()).unwrap_or(0);
        Ok(Page {
            records: answer.records.into_iter().map(record).collect(),
            next: answer.next_shard_iterator,
            behind: Duration::from_millis(behind),
        })
    }
}

fn begun(request: GetShardIteratorFluentBuilder, from: Beginning<'_>) -> GetShardIteratorFluentBuilder {
    let of = |kind| request.clone().shard_iterator_type(kind);
    match from {
        Beginning::Oldest => of(ShardIteratorType::TrimHorizon),
        Beginning::Latest => of(ShardIteratorType::Latest),
        Beginning::At(number) => of(ShardIteratorType::AtSequenceNumber).starting_sequence_number(number),
        Beginning::After(number) => of(ShardIteratorType::AfterSequenceNumber).starting_sequence_number(number),
        Beginning::Time(us) => {
            // To the millisecond, which is what the service goes by (API reference, GetShardIterator, read 2026-11-22).
            let time = DateTime::from_millis(us.div_euclid(1000));
            of(ShardIteratorType::AtTimestamp).timestamp(time)
        }
    }
}

fn listed(shard: types::Shard) -> ListedShard {
    let key = |text: String| text.parse().ok();
    ListedShard {
        is_closed: shard.sequence_number_range.is_some_and(|range| range.ending_sequence_number.is_some()),
        id: shard.shard_id,
        parents: shard.parent_shard_id.into_iter().chain(shard.adjacent_parent_shard_id).collect(),
        hash_keys: shard
            .hash_key_range
            .and_then(|range| Some((key(range.starting_hash_key)?, key(range.ending_hash_key)?))),
    }
}

pub(super) fn record(record: types::Record) -> StreamRecord {
    StreamRecord {
        sequence: record.sequence_number,
        arrived_us: record.approximate_arrival_timestamp.as_ref().map(micros),
        data: record.data.into_inner(),
    }
}

pub(super) fn micros(time: &DateTime) -> i64 {
    time.secs().saturating_mul(1_000_000).saturating_add(i64::from(time.subsec_nanos() / 1000))
}
