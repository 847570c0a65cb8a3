//! Policies, and the table that they are made of.

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
    let load = "redshift://load@db:5439/sales?table=hits&staging=s3://warehouse/staged&role=arn:aws:iam::1:role/copy";
    let used = used_by(PortKind::Sink, &format!("{load}&staging_role=arn:aws:iam::1:role/stage&region=eu-central-1"));
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
        assert!(CALLS.iter().any(|call| call.effect == effect), "{effect} has no line in permissions/calls.rs");
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
    assert_eq!(actions("s3://logs/2015/*.gz", Purpose::Run), ["s3:ListBucket", "s3:GetObject", "s3:GetObjectVersion"]);
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
        ["arn:aws:kinesis:eu-central-1:*:stream/log", "arn:aws:kinesis:eu-central-1:*:stream/log/consumer/counts:*"]
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
