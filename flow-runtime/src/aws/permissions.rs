//! Which calls are made of what, as data: from it comes the least policy that a flow can run with.
//!
//! A call that is added in `clients/` needs its line here; a test sees to it. What a run really calls is held against the
//! policy in `tests/tests/iam`.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Value, json};

use super::resources::{Resource, What};
use crate::{
    Address,
    plan::{PortKind, PortPlan},
};

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
enum On {
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
struct Call {
    purposes: &'static [Purpose],
    what: What,
    effect: &'static str,
    actions: &'static [&'static str],
    on: On,
    by: By,
}

/// Who makes a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum By {
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

const CALLS: &[Call] = &[
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

/// A policy of IAM.
#[derive(Debug, Serialize)]
pub(crate) struct Policy {
    #[serde(rename = "Version")]
    version: &'static str,
    #[serde(rename = "Statement")]
    statements: Vec<Value>,
}

/// What a flow uses: a thing, and of a bucket the keys.
#[derive(Clone, Debug)]
pub(crate) struct Used {
    pub(crate) resource: Resource,
    /// What the keys begin with; only for buckets.
    pub(crate) prefix: String,
    /// Whether the flow writes to it.
    pub(crate) is_written: bool,
    /// The reader's own name, where it is pushed its records.
    pub(crate) consumer: Option<String>,
}

impl Used {
    /// What the address of a port uses, if it is on AWS; of one whose rows are loaded from S3, where they are staged.
    pub(crate) fn of_port(port: &PortPlan, address: &Address) -> Option<Self> {
        if let Some(staging) = address.staging() {
            return Self::of_port(port, &staging);
        }
        let resource = Resource::of_port(port, address)?;
        let is_written = matches!(port.kind, PortKind::Sink | PortKind::Trap);
        let keys = address.path().trim_start_matches('/').split_once('/').map_or("", |(_, keys)| keys);
        let mut prefix = keys.split(['*', '?', '[', '{']).next().unwrap_or_default().to_owned();
        // Rows are written below a prefix as below a folder.
        if is_written && !prefix.is_empty() {
            prefix = format!("{}/", prefix.trim_matches('/'));
        }
        Some(Self { resource, prefix, is_written, consumer: address.option("consumer").map(str::to_owned) })
    }

    /// What remembers what was published there, if that is a table of its own.
    pub(crate) fn ledger(&self) -> Option<Self> {
        Some(Self { resource: self.resource.ledger()?, ..self.clone() })
    }

    /// What keeps iterations uses, if it is on AWS.
    pub(crate) fn of_checkpoint(address: &Address) -> Option<Self> {
        let resource = Resource::of_checkpoint(address)?;
        Some(Self { resource, prefix: String::new(), is_written: true, consumer: None })
    }
}

/// The least policy of each identity: of the one that runs the flow, which is `None`, and of every role that it takes on.
pub(crate) fn policies(uses: &[Used], purpose: Purpose) -> Vec<(Option<String>, Policy)> {
    let mut identities: BTreeMap<Option<&String>, Vec<Value>> = BTreeMap::from([(None, Vec::new())]);
    for used in uses {
        let role = used.resource.account.role.as_ref();
        identities.entry(role).or_default().extend(statements(used, purpose));
    }
    let roles: Vec<&String> = identities.keys().copied().flatten().collect();
    if !roles.is_empty() {
        let own = json!({ "Effect": "Allow", "Action": ["sts:AssumeRole"], "Resource": roles });
        identities.entry(None).or_default().push(own);
    }
    let policy = |(role, statements): (Option<&String>, Vec<Value>)| {
        (role.cloned(), Policy { version: "2012-10-17", statements })
    };
    identities.into_iter().map(policy).filter(|(role, _)| role.is_none() || !roles.is_empty()).collect()
}

/// What those need by whom COPY of Redshift reads what a port stages: the role that the address names, or the cluster's
/// default; of several, of which each takes on the next, the last (Amazon Redshift Database Developer Guide, "Permissions to
/// access other AWS resources" and "Chaining IAM roles", read 2026-11-22). Nothing where COPY has the keys of who stages, who may
/// read what he writes.
pub(crate) fn copy_policies(port: &PortPlan, address: &Address) -> Vec<(String, Policy)> {
    let Some(roles) = address.option("role") else { return Vec::new() };
    let Some(staging) = address.staging().and_then(|staging| Used::of_port(port, &staging)) else { return Vec::new() };
    let policy = |statements| Policy { version: "2012-10-17", statements };
    let roles: Vec<&str> = roles.split(',').collect();
    let mut policies: Vec<(String, Policy)> = Vec::new();
    for pair in roles.windows(2) {
        let next = json!({ "Effect": "Allow", "Action": ["sts:AssumeRole"], "Resource": [pair[1]] });
        policies.push((pair[0].to_owned(), policy(vec![next])));
    }
    let mut list = json!({ "Effect": "Allow", "Action": ["s3:ListBucket"], "Resource": name(&staging, On::Bucket) });
    if !staging.prefix.is_empty() {
        list["Condition"] = json!({ "StringLike": { "s3:prefix": format!("{}*", staging.prefix) } });
    }
    let read = json!({ "Effect": "Allow", "Action": ["s3:GetObject"], "Resource": name(&staging, On::Objects) });
    let whose = match roles.last() {
        Some(&"default") | None => "the cluster's default role".to_owned(),
        Some(role) => (*role).to_owned(),
    };
    policies.push((whose, policy(vec![list, read])));
    policies
}

/// One for each kind of thing that is called.
fn statements(used: &Used, purpose: Purpose) -> Vec<Value> {
    let mut actions: BTreeMap<On, Vec<&str>> = BTreeMap::new();
    let is_made = |call: &&Call| {
        let is_by = match call.by {
            By::All => true,
            By::Reader => !used.is_written,
            By::Writer => used.is_written,
            By::Consumer => used.consumer.is_some(),
        };
        call.what == used.resource.what && call.purposes.contains(&purpose) && is_by
    };
    for call in CALLS.iter().filter(is_made) {
        actions.entry(call.on).or_default().extend(call.actions);
    }
    let statement = |(on, mut actions): (On, Vec<&str>)| {
        actions.sort_unstable();
        actions.dedup();
        let mut statement = json!({ "Effect": "Allow", "Action": actions, "Resource": name(used, on) });
        // Whoever looks into a bucket before it is made or deleted asks for all of it.
        if on == On::Bucket && purpose == Purpose::Run && !used.prefix.is_empty() {
            statement["Condition"] = json!({ "StringLike": { "s3:prefix": format!("{}*", used.prefix) } });
        }
        statement
    };
    actions.into_iter().map(statement).collect()
}

/// The resource's name, with what is not known as `*`.
fn name(used: &Used, on: On) -> String {
    let Resource { name, account, .. } = &used.resource;
    let region = account.known_region().unwrap_or_else(|| "*".to_owned());
    let mut role = account.role.iter().flat_map(|role| role.split(':').skip(1));
    let partition = role.next().map_or_else(|| partition(&region).to_owned(), str::to_owned);
    let number = role.nth(2).filter(|number| !number.is_empty()).unwrap_or("*");
    match on {
        On::Stream => format!("arn:{partition}:kinesis:{region}:{number}:stream/{name}"),
        On::Consumer => {
            let consumer = used.consumer.as_deref().unwrap_or("*");
            format!("arn:{partition}:kinesis:{region}:{number}:stream/{name}/consumer/{consumer}:*")
        }
        On::Bucket | On::Uploads => format!("arn:{partition}:s3:::{name}"),
        On::Objects => format!("arn:{partition}:s3:::{name}/{}*", used.prefix),
        On::Table => format!("arn:{partition}:dynamodb:{region}:{number}:table/{name}"),
    }
}

/// What comes first in names of a region.
fn partition(region: &str) -> &'static str {
    match region {
        _ if region.starts_with("cn-") => "aws-cn",
        _ if region.starts_with("us-gov-") => "aws-us-gov",
        _ => "aws",
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn used(text: &str) -> Used {
        used_by(PortKind::Source, text)
    }

    fn used_by(kind: PortKind, text: &str) -> Used {
        let address = text.parse().unwrap();
        Used::of_port(&port(kind), &address).or_else(|| Used::of_checkpoint(&address)).unwrap()
    }

    fn actions(text: &str, purpose: Purpose) -> Vec<String> {
        let (_, policy) = policies(&[used(text)], purpose).remove(0);
        let actions = policy.statements.iter().flat_map(|statement| statement["Action"].as_array().unwrap().clone());
        actions.map(|action| action.as_str().unwrap().to_owned()).collect()
    }

    fn port(kind: PortKind) -> PortPlan {
        let (name, about, scheme) = ("log", "", "");
        PortPlan { name, kind, about, scheme, fields: &[], key: &[], grouped: false, covers: &[], line: 0 }
    }

    #[test]
    fn who_writes_below_a_prefix_may_change_nothing_else() {
        let written = statements(&used_by(PortKind::Sink, "s3://warehouse/hits"), Purpose::Run);
        let [bucket, uploads, objects] = written.as_slice() else { panic!("{written:?}") };
        assert_eq!(bucket["Condition"]["StringLike"]["s3:prefix"], "hits/*");
        assert_eq!(uploads["Action"], json!(["s3:ListBucketMultipartUploads"]));
        assert_eq!(objects["Resource"], "arn:aws:s3:::warehouse/hits/*");
        assert_eq!(
            objects["Action"],
            json!(["s3:AbortMultipartUpload", "s3:DeleteObject", "s3:GetObject", "s3:PutObject"])
        );
    }

    #[test]
    fn of_a_table_that_is_loaded_from_s3_it_is_the_staging_that_is_used_by_its_own_role() {
        let load =
            "redshift://load@db:5439/sales?table=hits&staging=s3://warehouse/staged&role=arn:aws:iam::1:role/copy";
        let used =
            used_by(PortKind::Sink, &format!("{load}&staging_role=arn:aws:iam::1:role/stage&region=eu-central-1"));
        assert_eq!(used.resource.account.role.as_deref(), Some("arn:aws:iam::1:role/stage"));
        assert_eq!(used.resource.account.region.as_deref(), Some("eu-central-1"));
        let objects = statements(&used, Purpose::Run).pop();
        assert_eq!(objects.unwrap()["Resource"], "arn:aws:s3:::warehouse/staged/*");
    }

    #[test]
    fn who_fills_a_table_changes_its_items_and_writes_a_ledger() {
        let table = used_by(PortKind::Sink, "dynamodb://counts?region=eu-central-1");
        let of = |used: &Used, purpose| {
            let statements = statements(used, purpose);
            let [statement] = statements.as_slice() else { panic!("{statements:?}") };
            (statement["Resource"].as_str().unwrap().to_owned(), statement["Action"].clone())
        };
        let (name, actions) = of(&table, Purpose::Run);
        assert_eq!(name, "arn:aws:dynamodb:eu-central-1:*:table/counts");
        let update = ["BatchWriteItem", "DescribeTable", "Scan", "UpdateItem"].map(|of| format!("dynamodb:{of}"));
        assert_eq!(actions, json!(update));
        let (name, actions) = of(&table.ledger().unwrap(), Purpose::Run);
        assert_eq!(name, "arn:aws:dynamodb:eu-central-1:*:table/flow_ledger");
        assert_eq!(actions, json!(["DescribeTable", "GetItem", "PutItem", "Query"].map(|of| format!("dynamodb:{of}"))));
        assert!(used("dynamodb://counts").ledger().is_none());
    }

    #[test]
    fn who_copies_may_read_what_is_staged_and_nothing_else() {
        let (first, last) = ("arn:aws:iam::1:role/cluster", "arn:aws:iam::2:role/reads");
        let policies = |rest: &str| {
            let address = format!("redshift://load@db/sales?staging=s3://warehouse/staged{rest}");
            let policies = copy_policies(&port(PortKind::Sink), &address.parse().unwrap());
            policies.into_iter().map(|(whose, policy)| (whose, policy.statements)).collect::<Vec<_>>()
        };
        let chained = policies(&format!("&role={first},{last}"));
        let [(of_first, takes_on), (of_last, reads)] = chained.as_slice() else { panic!("{chained:?}") };
        assert_eq!((of_first.as_str(), of_last.as_str()), (first, last));
        assert_eq!((&takes_on[0]["Action"], &takes_on[0]["Resource"]), (&json!(["sts:AssumeRole"]), &json!([last])));
        let [list, read] = reads.as_slice() else { panic!("{reads:?}") };
        assert_eq!(list["Condition"]["StringLike"]["s3:prefix"], "staged/*");
        assert_eq!(read["Action"], json!(["s3:GetObject"]));
        assert_eq!(read["Resource"], "arn:aws:s3:::warehouse/staged/*");
        assert_eq!(policies("&role=default")[0].0, "the cluster's default role");
        assert_eq!(policies("&copy=keys"), [], "who stages may read it");
    }

    #[test]
    fn every_call_of_the_clients_is_in_the_table() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/aws/clients");
        let mut effects: Vec<String> = Vec::new();
        let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        for file in entries.filter(|path| path.is_file()) {
            let text = fs::read_to_string(file).unwrap();
            let quoted = text.split('"').skip(1).step_by(2);
            effects.extend(
                quoted
                    .filter(|text| ["kinesis.", "s3.", "dynamodb."].iter().any(|service| text.starts_with(service)))
                    .map(str::to_owned),
            );
        }
        assert!(effects.len() > 10, "{effects:?}");
        for effect in effects {
            assert!(CALLS.iter().any(|call| call.effect == effect), "{effect} has no line in permissions.rs");
        }
    }

    #[test]
    fn a_port_gets_what_it_calls_and_nothing_else() {
        assert_eq!(
            actions("kinesis://access-log", Purpose::Run),
            ["kinesis:DescribeStreamSummary", "kinesis:GetRecords", "kinesis:GetShardIterator", "kinesis:ListShards"]
        );
        assert_eq!(actions("kinesis://access-log", Purpose::Publish), ["kinesis:PutRecords"]);
        let by_consumer: Vec<String> = [Purpose::Run, Purpose::Setup, Purpose::Teardown]
            .iter()
            .flat_map(|purpose| actions("kinesis://access-log?consumer=counts", *purpose))
            .filter(|action| action.contains("Consumer") || action.contains("Subscribe"))
            .collect();
        assert_eq!(
            by_consumer,
            [
                "kinesis:DescribeStreamConsumer",
                "kinesis:SubscribeToShard",
                "kinesis:RegisterStreamConsumer",
                "kinesis:DescribeStreamConsumer",
                "kinesis:DeregisterStreamConsumer",
                "kinesis:DescribeStreamConsumer",
            ]
        );
        assert_eq!(
            actions("s3://logs/2015/*.gz", Purpose::Run),
            ["s3:ListBucket", "s3:GetObject", "s3:GetObjectVersion"]
        );
        assert_eq!(actions("dynamodb://campaigns", Purpose::Run), ["dynamodb:Scan"], "what others own is only read");
        assert_eq!(actions("dynamodb://campaigns", Purpose::Teardown), ["dynamodb:DescribeTable"]);
    }

    #[test]
    fn names_are_as_narrow_as_the_address() {
        let names = |text: &str| {
            let statements = statements(&used(text), Purpose::Run);
            statements.iter().map(|statement| statement["Resource"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(names("kinesis://log?region=cn-north-1"), ["arn:aws-cn:kinesis:cn-north-1:*:stream/log"]);
        assert_eq!(
            names("kinesis://log?region=eu-central-1&consumer=counts"),
            [
                "arn:aws:kinesis:eu-central-1:*:stream/log",
                "arn:aws:kinesis:eu-central-1:*:stream/log/consumer/counts:*"
            ]
        );
        assert_eq!(names("s3://logs/2015/*.gz?region=eu-central-1"), ["arn:aws:s3:::logs", "arn:aws:s3:::logs/2015/*"]);
        let role = "dynamodb://t?region=us-gov-west-1&role=arn:aws-us-gov:iam::123456789012:role/reader";
        assert_eq!(names(role), ["arn:aws-us-gov:dynamodb:us-gov-west-1:123456789012:table/t"]);
        let bucket = &statements(&used("s3://logs/2015/*.gz"), Purpose::Run)[0];
        assert_eq!(bucket["Condition"]["StringLike"]["s3:prefix"], "2015/*");
    }

    #[test]
    fn a_role_has_a_policy_of_its_own_and_who_runs_the_flow_may_take_it_on() {
        let role = "arn:aws:iam::123456789012:role/reader";
        let uses = [used(&format!("kinesis://log?role={role}")), used("s3://logs/hosts.txt")];
        let policies = policies(&uses, Purpose::Run);
        let [(None, own), (Some(of), reader)] = policies.as_slice() else { panic!("{policies:?}") };
        assert_eq!(of, role);
        let text = serde_json::to_string(own).unwrap();
        assert!(text.contains("sts:AssumeRole") && text.contains(role) && !text.contains("kinesis"), "{text}");
        let text = serde_json::to_string(reader).unwrap();
        assert!(text.contains("kinesis:GetRecords") && !text.contains("s3:"), "{text}");
    }
}
