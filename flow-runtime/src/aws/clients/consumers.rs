//! Enhanced fan-out: consumers of a stream, registered under a name, to which the records of its shards are pushed.

use std::time::Duration;

use aws_sdk_kinesis::{
    Client,
    config::{Config, StalledStreamProtectionConfig},
    error::{ProvideErrorMetadata, SdkError},
    operation::subscribe_to_shard::SubscribeToShardOutput,
    types::{
        ConsumerStatus, ShardIteratorType, StartingPosition, SubscribeToShardEventStream as Event,
        error::SubscribeToShardEventStreamError as EventError,
    },
};
use aws_smithy_types::{DateTime, event_stream::RawMessage};
use tokio::time::timeout;

use super::{
    call, chain,
    kinesis::{Beginning, Page, Stream, record},
    streams::Streams,
};
use crate::{
    aws::{Kind, Trouble},
    effect::{network, patience},
};

/// How long a subscription may be silent: one that lives has an event every few seconds, if only an empty one. As long as the
/// Kinesis Client Library waits (`MAX_TIME_BETWEEN_REQUEST_RESPONSE` of its `ShardConsumer`).
const SILENCE: Duration = Duration::from_secs(35);

/// Who is registered with a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Consumer {
    /// With the time at which it was registered: another one of the same name has another.
    pub(crate) arn: String,
    pub(crate) state: ConsumerState,
}

/// Whether a consumer can read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ConsumerState {
    Creating,
    Active,
    Deleting,
}

/// A shard's records as they are pushed; dropped, it ends.
#[derive(Debug)]
pub(crate) struct Subscription {
    events: SubscribeToShardOutput,
}

impl Streams {
    /// A consumer of a stream, if there are both.
    pub(crate) async fn consumer(&self, stream: &str, name: &str) -> Result<Option<Consumer>, Trouble> {
        match arn(&self.client, stream).await? {
            Some(arn) => consumer(&self.client, &arn, name).await,
            None => Ok(None),
        }
    }

    /// Has a consumer registered.
    pub(crate) async fn register(&self, stream: &str, name: &str) -> Result<(), Trouble> {
        const NAME: &str = "kinesis.register_stream_consumer";
        let arn =
            arn(&self.client, stream).await?.ok_or_else(|| Trouble::new(NAME, Kind::Missing, "no such stream"))?;
        let request = self.client.register_stream_consumer().stream_arn(arn).consumer_name(name);
        call(NAME, request.send()).await.map(drop)
    }

    /// Has a consumer forgotten.
    pub(crate) async fn deregister(&self, stream: &str, name: &str) -> Result<(), Trouble> {
        const NAME: &str = "kinesis.deregister_stream_consumer";
        let Some(arn) = arn(&self.client, stream).await? else { return Ok(()) };
        let request = self.client.deregister_stream_consumer().stream_arn(arn).consumer_name(name);
        call(NAME, request.send()).await.map(drop)
    }
}

impl Stream {
    /// The consumer of this name, if there is one.
    pub(crate) async fn consumer(&self, name: &str) -> Result<Option<Consumer>, Trouble> {
        match self.arn.get() {
            Some(arn) => consumer(&self.client, arn, name).await,
            None => match arn(&self.client, &self.name).await? {
                Some(arn) => consumer(&self.client, self.arn.get_or_init(|| arn), name).await,
                None => Ok(None),
            },
        }
    }

    /// Has the records of a shard pushed to a consumer, given by its ARN.
    pub(crate) async fn subscribe(
        &self,
        consumer: &str,
        shard: &str,
        from: Beginning<'_>,
    ) -> Result<Subscription, Trouble> {
        const NAME: &str = "kinesis.subscribe_to_shard";
        let position = position(from).map_err(|error| Trouble::new(NAME, Kind::Invalid, error.to_string()))?;
        let request =
            self.client.subscribe_to_shard().consumer_arn(consumer).shard_id(shard).starting_position(position);
        // The SDK would cut what is silent for some seconds.
        let patient = Config::builder().stalled_stream_protection(StalledStreamProtectionConfig::disabled());
        let answer = call(NAME, request.customize().config_override(patient).send());
        // It waits for the first event, which no time-out of the SDK does.
        let answer = timeout(patience(SILENCE), answer).await;
        let answer = answer.map_err(|_| Trouble::new(NAME, Kind::Passing, "no answer in time"))??;
        Ok(Subscription { events: answer })
    }
}

impl Subscription {
    /// What is pushed next, with the number to go on after as [`Page::next`]; nothing when the service ends it.
    pub(crate) async fn next(&mut self) -> Result<Option<Page>, Trouble> {
        const NAME: &str = "kinesis.next_event";
        let event = async {
            loop {
                let event = timeout(patience(SILENCE), self.events.event_stream.recv()).await;
                match event.map_err(|_| Trouble::new(NAME, Kind::Passing, "no event in time"))? {
                    Ok(Some(Event::SubscribeToShardEvent(event))) => {
                        let has_children = event.child_shards.is_some_and(|children| !children.is_empty());
                        let behind = u64::try_from(event.millis_behind_latest).unwrap_or(0);
                        let after = event.continuation_sequence_number;
                        return Ok(Some(Page {
                            records: event.records.into_iter().map(record).collect(),
                            next: (!has_children || !after.is_empty()).then_some(after),
                            behind: Duration::from_millis(behind),
                        }));
                    }
                    // Of a kind that is none yet.
                    Ok(Some(_)) => {}
                    Ok(None) => return Ok(None),
                    Err(error) => return Err(trouble(NAME, &error)),
                }
            }
        };
        network::call(NAME, event).await
    }
}

/// The consumer of this name of the stream that has this ARN, if there is one.
async fn consumer(client: &Client, stream: &str, name: &str) -> Result<Option<Consumer>, Trouble> {
    let request = client.describe_stream_consumer().stream_arn(stream).consumer_name(name);
    let answer = match call("kinesis.describe_stream_consumer", request.send()).await {
        Err(trouble) if trouble.kind == Kind::Missing => return Ok(None),
        answer => answer?,
    };
    Ok(answer.consumer_description.map(|consumer| Consumer {
        arn: consumer.consumer_arn,
        state: match consumer.consumer_status {
            ConsumerStatus::Creating => ConsumerState::Creating,
            ConsumerStatus::Deleting => ConsumerState::Deleting,
            _ => ConsumerState::Active,
        },
    }))
}

/// What calls about consumers name a stream by, if it is there.
async fn arn(client: &Client, stream: &str) -> Result<Option<String>, Trouble> {
    let answer = client.describe_stream_summary().stream_name(stream).send();
    match call("kinesis.describe_stream_summary", answer).await {
        Err(trouble) if trouble.kind == Kind::Missing => Ok(None),
        answer => Ok(answer?.stream_description_summary.map(|stream| stream.stream_arn)),
    }
}

fn position(from: Beginning<'_>) -> Result<StartingPosition, impl std::error::Error> {
    let of = |kind| StartingPosition::builder().r#type(kind);
    match from {
        Beginning::Oldest => of(ShardIteratorType::TrimHorizon),
        Beginning::Latest => of(ShardIteratorType::Latest),
        Beginning::At(number) => of(ShardIteratorType::AtSequenceNumber).sequence_number(number),
        Beginning::After(number) => of(ShardIteratorType::AfterSequenceNumber).sequence_number(number),
        Beginning::Time(us) => of(ShardIteratorType::AtTimestamp).timestamp(DateTime::from_millis(us.div_euclid(1000))),
    }
    .build()
}

fn trouble(name: &'static str, error: &SdkError<EventError, RawMessage>) -> Trouble {
    let SdkError::ServiceError(answer) = error else {
        // Cut in the middle, or garbled.
        return Trouble::new(name, Kind::Passing, chain(error));
    };
    let code = answer.err().code().map(str::to_owned).or_else(|| exception(answer.raw()));
    let cause = answer.err().message().map_or_else(|| chain(answer.err()), str::to_owned);
    Trouble::new(name, Kind::of_answer(code.as_deref(), 500), cause).answered(code, None)
}

/// What an event calls the error that it is.
fn exception(event: &RawMessage) -> Option<String> {
    let RawMessage::Decoded(message) = event else { return None };
    let header = message.headers().iter().find(|header| header.name().as_str() == ":exception-type")?;
    header.value().as_string().ok().map(|name| name.as_str().to_owned())
}
