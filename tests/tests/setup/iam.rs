//! The policy that `plan --iam` prints, held against what a run really calls.

use std::collections::BTreeSet;

use flow_tests::program::Running;
use serde_json::Value;

use super::Cloud;

/// What the policy allows for these addresses.
pub(super) fn granted(cloud: &Cloud, ports: &str) -> BTreeSet<String> {
    let ended = cloud.run(&format!("plan --iam {ports}"));
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let policy: Value = serde_json::from_str(&ended.stdout).unwrap();
    let statements = policy["Statement"].as_array().unwrap().clone();
    let actions = statements.iter().flat_map(|statement| statement["Action"].as_array().unwrap().clone());
    actions.map(|action| action.as_str().unwrap().to_owned()).collect()
}

/// The actions of IAM for what a run with these addresses calls, by its list of effects.
pub(super) fn called(cloud: &Cloud, ports: &str) -> BTreeSet<String> {
    let mut command = cloud.command(&format!("run {ports}"));
    command.env("FLOW_EFFECTS", cloud.place.path("effects"));
    let ended = Running::start(command).end();
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let effects = cloud.place.text("effects");
    let names = effects.lines().filter_map(|line| line.split_once('#')).map(|(name, _)| name);
    names.filter_map(action).collect()
}

/// `kinesis.get_records` is allowed as `kinesis:GetRecords`; few are called otherwise than they are allowed.
fn action(effect: &str) -> Option<String> {
    let (service, call) = effect.split_once('.').filter(|(name, _)| ["kinesis", "s3", "dynamodb"].contains(name))?;
    let call = match (service, call) {
        ("s3", "list_objects_v2" | "head_bucket") => "list_bucket",
        ("s3", "head_object") => "get_object",
        ("dynamodb", "transact_write_items") => "put_item",
        ("kinesis", "next_event") => "subscribe_to_shard",
        (_, call) => call,
    };
    let word = |word: &str| word[..1].to_uppercase() + &word[1..];
    Some(format!("{service}:{}", call.split('_').map(word).collect::<String>()))
}

#[test]
fn a_run_calls_what_its_policy_allows_and_the_policy_allows_no_more() {
    let Some(cloud) = Cloud::new() else { return };
    cloud.place.write("access.log", flow_tests::program::hit("a"));
    cloud.others.create_bucket("allowed");
    cloud.others.put_object("allowed", "logs/1.log", flow_tests::program::hit("a"));
    cloud.others.put_object("allowed", "hosts.txt", "a\n");
    // Versions are asked for where a bucket keeps them.
    let ports =
        "--log s3://allowed/logs/ --hosts s3://allowed/hosts.txt --counts sqlite:counts.db --bad-lines file:bad.csv";
    let mut granted = granted(&cloud, ports);
    assert!(granted.remove("s3:GetObjectVersion"));
    assert_eq!(called(&cloud, ports), granted);
}

#[test]
fn a_flow_that_uses_nothing_of_aws_needs_no_policy() {
    let Some(cloud) = Cloud::new() else { return };
    assert_eq!(granted(&cloud, ""), BTreeSet::new());
    let both = cloud.run("plan --iam --dot");
    assert_eq!(both.code, Some(2), "{both:?}");
}
