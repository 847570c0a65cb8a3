//! Limits of the services, each with its page of the AWS documentation; read 2026-11-22.

/// Records of one PutRecords request. Kinesis Data Streams API Reference, PutRecords.
pub(crate) const PUT_RECORDS_MAX: usize = 500;

/// Bytes of one PutRecords request, partition keys included. Kinesis Data Streams API Reference, PutRecords.
pub(crate) const PUT_BYTES_MAX: usize = 10 << 20;

/// The same before October 2025; services that others have built still go by it.
pub(crate) const PUT_BYTES_MAX_FORMER: usize = 5 << 20;

/// Bytes of one record with its key, in a stream that is set so; else 1 MiB. Kinesis Data Streams Developer Guide, Quotas
/// and limits.
pub(crate) const RECORD_BYTES_MAX: usize = 10 << 20;

/// Bytes of a log line: one record of a stream that is set as streams are made, 1 MiB, less the longest key of four bytes a
/// character.
pub(crate) const LINE_BYTES_MAX: usize = (1 << 20) - 4 * PARTITION_KEY_CHARS_MAX;

/// Characters of a partition key. Kinesis Data Streams API Reference, PutRecordsRequestEntry.
pub(crate) const PARTITION_KEY_CHARS_MAX: usize = 256;

/// What the producer library puts into one record at most unless told otherwise: `AggregationMaxSize` in the default
/// configuration of the Kinesis Producer Library.
pub(crate) const AGGREGATE_BYTES: usize = 50 << 10;

/// Reads of one shard in a second, by all its readers together. Kinesis Data Streams API Reference, GetRecords.
pub(crate) const READS_PER_SECOND: u32 = 5;

/// Bytes read of one shard in a second, by all its readers together. Kinesis Data Streams API Reference, GetRecords.
pub(crate) const READ_BYTES_PER_SECOND: u32 = 2 << 20;

/// Records of one read. Kinesis Data Streams API Reference, GetRecords.
pub(crate) const READ_RECORDS_MAX: i32 = 10_000;

/// Bytes of one read; it may take those of the next five seconds. Kinesis Data Streams API Reference, GetRecords.
pub(crate) const READ_BYTES_MAX: u32 = 10 << 20;

/// Consumers that a stream has room for, unless its account has On-demand Advantage. Kinesis Data Streams API Reference,
/// RegisterStreamConsumer.
pub(crate) const CONSUMERS_MAX: usize = 20;

/// After a subscription, how long there can be no other of the same consumer to the same shard. Kinesis Data Streams API
/// Reference, SubscribeToShard; so is that one lasts five minutes, and that each brings two megabytes a second.
pub(crate) const SUBSCRIBE_AGAIN: std::time::Duration = std::time::Duration::from_secs(5);

/// How long a stream keeps a record unless more is asked for. Kinesis Data Streams Developer Guide, Change the data
/// retention period.
pub(crate) const RETENTION_LEAST: std::time::Duration = std::time::Duration::from_secs(24 * 60 * 60);

/// Keys of one request to delete. Amazon S3 API Reference, DeleteObjects.
pub(crate) const DELETE_OBJECTS_MAX: usize = 1_000;

/// Bytes of each part of an upload but the last, at least; there are no more than 10,000. Amazon S3 User Guide, Multipart
/// upload limits.
pub(crate) const PART_BYTES_MIN: usize = 5 << 20;

/// Bytes of a key. Amazon S3 User Guide, Naming Amazon S3 objects.
pub(crate) const KEY_BYTES_MAX: usize = 1_024;

/// Items that one BatchWriteItem request puts or deletes. DynamoDB API Reference, BatchWriteItem.
pub(crate) const BATCH_WRITES_MAX: usize = 25;

/// Bytes of an item, its names included. DynamoDB Developer Guide, Service, account, and table quotas; so are the next two.
pub(crate) const ITEM_BYTES_MAX: usize = 400 << 10;

/// Bytes of a partition key.
pub(crate) const PARTITION_KEY_BYTES_MAX: usize = 2048;

/// Bytes of a sort key.
pub(crate) const SORT_KEY_BYTES_MAX: usize = 1024;
