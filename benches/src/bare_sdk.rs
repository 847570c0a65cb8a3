//! A stream read by the SDK of AWS and nothing else: all shards side by side, bodies thrown away. What flow cannot beat.

use aws_sdk_kinesis::{
    Client, Config,
    config::{BehaviorVersion, Credentials, Region, retry::RetryConfig},
    types::ShardIteratorType,
};
use aws_smithy_http_client::Builder;
use tokio::{runtime::Runtime, task::JoinSet};

type Result<T> = std::result::Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// Records of one read.
const READ_RECORDS: i32 = 10_000;

/// A stream somewhere, and threads to read it by.
#[derive(Debug)]
pub struct BareSdk {
    client: Client,
    runtime: Runtime,
    stream: String,
}

impl BareSdk {
    /// Two threads, as flow has for AWS.
    ///
    /// # Errors
    /// When the system has no threads.
    pub fn new(endpoint: &str, stream: &str) -> Result<Self> {
        let config = Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("us-east-1"))
            .credentials_provider(Credentials::new("test", "test", None, None, "bench"))
            .retry_config(RetryConfig::disabled())
            .http_client(Builder::new().build_http())
            .endpoint_url(endpoint)
            .build();
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
        Ok(Self { client: Client::from_conf(config), runtime, stream: stream.to_owned() })
    }

    /// Reads all shards from the oldest record to where they end; says how many records there were.
    ///
    /// # Errors
    /// What a call fails with.
    pub fn read(&self) -> Result<u64> {
        self.runtime.block_on(async {
            let shards = self.client.list_shards().stream_name(&self.stream).send().await?.shards.unwrap_or_default();
            let mut reads = JoinSet::new();
            for shard in shards {
                reads.spawn(read_shard(self.client.clone(), self.stream.clone(), shard.shard_id));
            }
            let mut records = 0;
            while let Some(read) = reads.join_next().await {
                records += read??;
            }
            Ok(records)
        })
    }
}

async fn read_shard(client: Client, stream: String, shard: String) -> Result<u64> {
    let oldest = client
        .get_shard_iterator()
        .stream_name(stream)
        .shard_id(shard)
        .shard_iterator_type(ShardIteratorType::TrimHorizon);
    let (mut iterator, mut records) = (oldest.send().await?.shard_iterator, 0);
    while let Some(from) = iterator {
        let read = client.get_records().shard_iterator(from).limit(READ_RECORDS).send().await?;
        records += read.records.len() as u64;
        // As flow does it: a read that is full may have more behind it, whatever it says.
        let is_full = read.records.len() >= READ_RECORDS as usize;
        iterator = read.next_shard_iterator.filter(|_| is_full || read.millis_behind_latest != Some(0));
    }
    Ok(records)
}
