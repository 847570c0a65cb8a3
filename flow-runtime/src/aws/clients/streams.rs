//! Kinesis streams as a whole: made, looked at, deleted, and written to. Reading their shards is `kinesis.rs`.

use aws_sdk_kinesis::{
    Client,
    primitives::Blob,
    types::{PutRecordsRequestEntry, StreamMode, StreamModeDetails, StreamStatus},
};

use super::{call, configuration};
use crate::{
    Error,
    aws::{Account, Kind, Trouble},
};

/// The streams of one account and region.
#[derive(Clone, Debug)]
pub(crate) struct Streams {
    pub(super) client: Client,
    /// For people and policies.
    pub(crate) region: String,
}

/// A record on its way to a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) data: Vec<u8>,
    /// From 1 to 256 characters.
    pub(crate) partition_key: String,
    /// Where it belongs, instead of the MD5 of its key.
    pub(crate) explicit_hash_key: Option<u128>,
}

impl Entry {
    /// What it counts towards the limit of a request.
    pub(crate) fn bytes(&self) -> usize {
        self.data.len() + self.partition_key.len()
    }
}

/// What is to be known of a stream before it is used or deleted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct StreamSummary {
    pub(crate) state: StreamState,
    pub(crate) open_shards: u32,
    pub(crate) retention_hours: u32,
    pub(crate) is_on_demand: bool,
}

/// Whether a stream can be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum StreamState {
    Creating,
    /// Also while its shards change.
    Active,
    Deleting,
}

impl Streams {
    /// Calls nothing yet, but for what finds credentials out.
    ///
    /// # Errors
    /// As [`configuration`].
    pub(crate) async fn of(account: &Account) -> Result<Self, Error> {
        let config = configuration(account).await?;
        let region = config.region().map(ToString::to_string).unwrap_or_default();
        Ok(Self { client: Client::new(&config), region })
    }

    /// A stream, if there is one of this name.
    pub(crate) async fn summary(&self, stream: &str) -> Result<Option<StreamSummary>, Trouble> {
        let answer = self.client.describe_stream_summary().stream_name(stream).send();
        let answer = match call("kinesis.describe_stream_summary", answer).await {
            Err(trouble) if trouble.kind == Kind::Missing => return Ok(None),
            answer => answer?,
        };
        Ok(answer.stream_description_summary.map(|stream| StreamSummary {
            state: match stream.stream_status {
                StreamStatus::Creating => StreamState::Creating,
                StreamStatus::Deleting => StreamState::Deleting,
                _ => StreamState::Active,
            },
            open_shards: u32::try_from(stream.open_shard_count).unwrap_or(0),
            retention_hours: u32::try_from(stream.retention_period_hours).unwrap_or(0),
            is_on_demand: stream.stream_mode_details.is_some_and(|mode| mode.stream_mode == StreamMode::OnDemand),
        }))
    }

    /// Has a stream made: of so many shards, or of as many as it takes from day to day.
    pub(crate) async fn create(&self, stream: &str, shards: Option<u32>) -> Result<(), Trouble> {
        const NAME: &str = "kinesis.create_stream";
        let mut request = self.client.create_stream().stream_name(stream);
        match shards {
            Some(shards) => request = request.shard_count(i32::try_from(shards).unwrap_or(i32::MAX)),
            None => {
                let mode = StreamModeDetails::builder().stream_mode(StreamMode::OnDemand).build();
                let mode = mode.map_err(|error| Trouble::new(NAME, Kind::Invalid, error.to_string()))?;
                request = request.stream_mode_details(mode);
            }
        }
        call(NAME, request.send()).await.map(drop)
    }

    /// Has a stream deleted, with all that is in it; one that somebody reads by enhanced fan-out stays.
    pub(crate) async fn delete(&self, stream: &str) -> Result<(), Trouble> {
        call("kinesis.delete_stream", self.client.delete_stream().stream_name(stream).send()).await.map(drop)
    }

    /// Sends records; says of each, in their order, whether the stream has it.
    pub(crate) async fn put(&self, stream: &str, entries: &[&Entry]) -> Result<Vec<Result<(), Trouble>>, Trouble> {
        const NAME: &str = "kinesis.put_records";
        let mut request = self.client.put_records().stream_name(stream);
        for entry in entries {
            let record = PutRecordsRequestEntry::builder()
                .data(Blob::new(entry.data.clone()))
                .partition_key(&entry.partition_key)
                .set_explicit_hash_key(entry.explicit_hash_key.map(|key| key.to_string()))
                .build();
            request = request.records(record.map_err(|error| Trouble::new(NAME, Kind::Invalid, error.to_string()))?);
        }
        let answer = call(NAME, request.send()).await?;
        if answer.records.len() != entries.len() {
            let cause = format!("{} records were sent, and {} answered for", entries.len(), answer.records.len());
            // The stream may have them.
            return Err(Trouble::new(NAME, Kind::Passing, cause));
        }
        let fate = |code: Option<String>, message: Option<String>| match code {
            None => Ok(()),
            // What is not known by its code is the service's own failure.
            Some(code) => Err(Trouble::new(NAME, Kind::of_answer(Some(&code), 500), message.unwrap_or_default())
                .answered(Some(code), None)),
        };
        Ok(answer.records.into_iter().map(|record| fate(record.error_code, record.error_message)).collect())
    }
}
