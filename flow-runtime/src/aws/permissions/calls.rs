//! Which calls are made of what, as data.
//!
//! A call that is added in `clients/` needs its line here; a test sees to it. What a run really calls is held against the
//! policy in `tests/tests/setup/iam.rs`.

use crate::aws::resources::What;

/// For which command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// `run`, `check` and the rest.
    Run,
    Setup,
    Teardown,
    Publish,
}

impl Purpose {
    pub(crate) const NAMES: [(&'static str, Self); 4] =
        [("run", Self::Run), ("setup", Self::Setup), ("teardown", Self::Teardown), ("publish", Self::Publish)];
}

/// What a statement of a policy is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum On {
    Stream,
    /// A consumer of a stream, by enhanced fan-out.
    Consumer,
    Bucket,
    /// A bucket, where no condition on keys is known.
    Uploads,
    Objects,
    Table,
}

/// A call: for what, on what, its effect, and what IAM wants for it (Service Authorization Reference, actions of Amazon
/// Kinesis Data Streams, S3 and DynamoDB, read 2026-11-22).
pub(super) struct Call {
    pub(super) purposes: &'static [Purpose],
    pub(super) what: What,
    pub(super) effect: &'static str,
    pub(super) actions: &'static [&'static str],
    pub(super) on: On,
    pub(super) by: By,
}

/// Who makes a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum By {
    /// Whoever uses the thing at all.
    All,
    /// Who reads; and who writes.
    Reader,
    Writer,
    /// Who says `consumer=` in the address.
    Consumer,
}

const fn call(
    purposes: &'static [Purpose],
    what: What,
    effect: &'static str,
    actions: &'static [&'static str],
    on: On,
) -> Call {
    Call { purposes, what, effect, actions, on, by: By::All }
}

const fn by_consumer(
    purposes: &'static [Purpose],
    effect: &'static str,
    actions: &'static [&'static str],
    on: On,
) -> Call {
    Call { by: By::Consumer, ..call(purposes, What::Stream, effect, actions, on) }
}

/// Of a bucket, while the flow runs.
const fn in_bucket(by: By, effect: &'static str, actions: &'static [&'static str], on: On) -> Call {
    Call { by, ..call(RUN, What::Bucket, effect, actions, on) }
}

const RUN: &[Purpose] = &[Purpose::Run];
const MAKE: &[Purpose] = &[Purpose::Setup];
const UNMAKE: &[Purpose] = &[Purpose::Teardown];
const LOOK: &[Purpose] = &[Purpose::Setup, Purpose::Teardown];
const FORGET: &[Purpose] = &[Purpose::Run, Purpose::Teardown];
const ALWAYS: &[Purpose] = &[Purpose::Run, Purpose::Setup, Purpose::Teardown];

pub(super) const CALLS: &[Call] = &[
    call(ALWAYS, What::Stream, "kinesis.describe_stream_summary", &["kinesis:DescribeStreamSummary"], On::Stream),
    call(RUN, What::Stream, "kinesis.list_shards", &["kinesis:ListShards"], On::Stream),
    call(RUN, What::Stream, "kinesis.get_shard_iterator", &["kinesis:GetShardIterator"], On::Stream),
    call(RUN, What::Stream, "kinesis.get_records", &["kinesis:GetRecords"], On::Stream),
    by_consumer(ALWAYS, "kinesis.describe_stream_consumer", &["kinesis:DescribeStreamConsumer"], On::Consumer),
    by_consumer(MAKE, "kinesis.register_stream_consumer", &["kinesis:RegisterStreamConsumer"], On::Stream),
    by_consumer(UNMAKE, "kinesis.deregister_stream_consumer", &["kinesis:DeregisterStreamConsumer"], On::Consumer),
    by_consumer(RUN, "kinesis.subscribe_to_shard", &["kinesis:SubscribeToShard"], On::Consumer),
    // Of what was subscribed to.
    by_consumer(RUN, "kinesis.next_event", &[], On::Consumer),
    call(MAKE, What::Stream, "kinesis.create_stream", &["kinesis:CreateStream"], On::Stream),
    call(UNMAKE, What::Stream, "kinesis.delete_stream", &["kinesis:DeleteStream"], On::Stream),
    call(&[Purpose::Publish], What::Stream, "kinesis.put_records", &["kinesis:PutRecords"], On::Stream),
    call(LOOK, What::Bucket, "s3.head_bucket", &["s3:ListBucket"], On::Bucket),
    call(ALWAYS, What::Bucket, "s3.list_objects_v2", &["s3:ListBucket"], On::Bucket),
    in_bucket(By::Reader, "s3.head_object", &["s3:GetObject"], On::Objects),
    in_bucket(By::Reader, "s3.get_object", &["s3:GetObject", "s3:GetObjectVersion"], On::Objects),
    in_bucket(By::Writer, "s3.get_object", &["s3:GetObject"], On::Objects),
    in_bucket(By::Writer, "s3.put_object", &["s3:PutObject"], On::Objects),
    in_bucket(By::Writer, "s3.delete_objects", &["s3:DeleteObject"], On::Objects),
    in_bucket(By::Writer, "s3.create_multipart_upload", &["s3:PutObject"], On::Objects),
    in_bucket(By::Writer, "s3.upload_part", &["s3:PutObject"], On::Objects),
    in_bucket(By::Writer, "s3.complete_multipart_upload", &["s3:PutObject"], On::Objects),
    in_bucket(By::Writer, "s3.abort_multipart_upload", &["s3:AbortMultipartUpload"], On::Objects),
    in_bucket(By::Writer, "s3.list_multipart_uploads", &["s3:ListBucketMultipartUploads"], On::Uploads),
    call(MAKE, What::Bucket, "s3.create_bucket", &["s3:CreateBucket"], On::Bucket),
    call(UNMAKE, What::Bucket, "s3.delete_bucket", &["s3:DeleteBucket"], On::Bucket),
    call(LOOK, What::Table, "dynamodb.describe_table", &["dynamodb:DescribeTable"], On::Table),
    call(RUN, What::Table, "dynamodb.scan", &["dynamodb:Scan"], On::Table),
    call(ALWAYS, What::Target, "dynamodb.describe_table", &["dynamodb:DescribeTable"], On::Table),
    call(RUN, What::Target, "dynamodb.update_item", &["dynamodb:UpdateItem"], On::Table),
    // To put, and to delete all with `forget --empty`.
    call(RUN, What::Target, "dynamodb.batch_write_item", &["dynamodb:BatchWriteItem"], On::Table),
    // Whether it is empty, and what there is to be deleted.
    call(FORGET, What::Target, "dynamodb.scan", &["dynamodb:Scan"], On::Table),
    call(MAKE, What::Target, "dynamodb.create_table", &["dynamodb:CreateTable"], On::Table),
    call(UNMAKE, What::Target, "dynamodb.delete_table", &["dynamodb:DeleteTable"], On::Table),
    call(ALWAYS, What::Ledger, "dynamodb.describe_table", &["dynamodb:DescribeTable"], On::Table),
    call(RUN, What::Ledger, "dynamodb.get_item", &["dynamodb:GetItem"], On::Table),
    call(RUN, What::Ledger, "dynamodb.put_item", &["dynamodb:PutItem"], On::Table),
    call(FORGET, What::Ledger, "dynamodb.query", &["dynamodb:Query"], On::Table),
    call(MAKE, What::Ledger, "dynamodb.create_table", &["dynamodb:CreateTable"], On::Table),
    call(UNMAKE, What::Ledger, "dynamodb.delete_item", &["dynamodb:DeleteItem"], On::Table),
    call(ALWAYS, What::Checkpoint, "dynamodb.describe_table", &["dynamodb:DescribeTable"], On::Table),
    call(RUN, What::Checkpoint, "dynamodb.get_item", &["dynamodb:GetItem"], On::Table),
    call(RUN, What::Checkpoint, "dynamodb.put_item", &["dynamodb:PutItem"], On::Table),
    call(RUN, What::Checkpoint, "dynamodb.delete_item", &["dynamodb:DeleteItem"], On::Table),
    call(RUN, What::Checkpoint, "dynamodb.query", &["dynamodb:Query"], On::Table),
    // Its items are all puts.
    call(RUN, What::Checkpoint, "dynamodb.transact_write_items", &["dynamodb:PutItem"], On::Table),
    call(MAKE, What::Checkpoint, "dynamodb.create_table", &["dynamodb:CreateTable"], On::Table),
    call(UNMAKE, What::Checkpoint, "dynamodb.delete_table", &["dynamodb:DeleteTable"], On::Table),
];
