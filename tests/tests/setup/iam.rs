//! The policy that `plan --iam` prints, held against what a run really calls.

use std::collections::BTreeSet;

use flow_services::redshift;
use flow_tests::program::Running;
use serde_json::Value;

use super::Cloud;

/// What the policy for a command allows for these addresses.
pub(super) fn granted(cloud: &Cloud, command: &str, ports: &str) -> BTreeSet<String> {
    let ended = cloud.run(&format!("plan --iam={command} {ports}"));
    assert_eq!(ended.code, Some(0), "{ended:?}");
    // The one that the program needs itself is printed first.
    let policy = serde_json::Deserializer::from_str(&ended.stdout).into_iter::<Value>().next().unwrap().unwrap();
    let statements = policy["Statement"].as_array().unwrap().clone();
    let actions = statements.iter().flat_map(|statement| statement["Action"].as_array().unwrap().clone());
    actions.map(|action| action.as_str().unwrap().to_owned()).collect()
}

/// The actions of IAM for what these commands call, by their lists of effects.
pub(super) fn called(cloud: &Cloud, commands: &[&str], ports: &str) -> BTreeSet<String> {
    for given in commands {
        let mut command = cloud.command(&format!("{given} {ports}"));
        command.env("FLOW_EFFECTS", cloud.place.path("effects"));
        let ended = Running::start(command).end();
        assert_eq!(ended.code, Some(0), "{given}: {ended:?}");
    }
    let effects = cloud.place.text("effects");
    std::fs::remove_file(cloud.place.path("effects")).unwrap();
    let names = effects.lines().filter_map(|line| line.split_once('#')).map(|(name, _)| name);
    names.filter_map(action).collect()
}

/// `kinesis.get_records` is allowed as `kinesis:GetRecords`; few are called otherwise than they are allowed.
fn action(effect: &str) -> Option<String> {
    let (service, call) = effect.split_once('.').filter(|(name, _)| ["kinesis", "s3", "dynamodb"].contains(name))?;
    let call = match (service, call) {
        ("s3", "list_objects_v2" | "head_bucket") => "list_bucket",
        ("s3", "head_object") => "get_object",
        ("s3", "delete_objects") => "delete_object",
        ("s3", "list_multipart_uploads") => "list_bucket_multipart_uploads",
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
    let mut granted = granted(&cloud, "run", ports);
    assert!(granted.remove("s3:GetObjectVersion"));
    assert_eq!(called(&cloud, &["run"], ports), granted);
}

#[test]
fn who_stages_and_traps_in_buckets_calls_what_his_policy_allows() {
    let (Some(cloud), Some(warehouse)) = (Cloud::new(), redshift()) else { return };
    cloud.place.write("hosts.txt", "a\n");
    cloud.place.write("access.log", format!("{}no hit\n", flow_tests::program::hit("a")));
    let rest = "table=permitted&staging=s3://permitted-staging/rows&role=default&sslmode=disable";
    let outputs = format!("--counts {} --bad-lines s3://permitted-trap/lines", warehouse.address(rest));
    let ports = format!("--log file:access.log --hosts file:hosts.txt {outputs}");
    assert_eq!(cloud.run(&format!("setup {ports} --yes")).code, Some(0));
    let granted = granted(&cloud, "run", &ports);
    let mut used = called(&cloud, &["run", "check"], &ports);
    used.extend(called(&cloud, &["clean --grace 1ms"], &outputs));
    // What is uploaded in parts is larger, and is aborted when something went wrong.
    let of_parts = ["s3:AbortMultipartUpload".to_owned()];
    assert_eq!(used, &granted - &of_parts.into());
}

#[test]
fn a_stream_and_a_table_of_iterations_are_used_as_their_policies_allow_and_these_allow_no_more() {
    let Some(cloud) = Cloud::new() else { return };
    cloud.place.write("hosts.txt", "a\n");
    cloud.place.write("access.log", flow_tests::program::hit("a"));
    let used = "--log kinesis://permitted --checkpoint dynamodb://permitted --hosts file:hosts.txt";
    assert_eq!(called(&cloud, &["setup --yes --shards 1"], used), granted(&cloud, "setup", used));

    let publish = ["publish kinesis://permitted --from access.log"];
    assert_eq!(called(&cloud, &publish, ""), granted(&cloud, "publish", "--log kinesis://permitted"));

    // All of one policy: what tidies up too, and what begins anew.
    let outputs = "--counts sqlite:counts.db --bad-lines file:bad.csv";
    let mut run = called(&cloud, &["run", "run", "check"], &format!("{used} {outputs}"));
    let store = "--checkpoint dynamodb://permitted";
    run.extend(called(&cloud, &["iterations", "reset --force --yes", "clean"], store));
    assert_eq!(run, granted(&cloud, "run", used));

    assert_eq!(called(&cloud, &["teardown --yes"], used), granted(&cloud, "teardown", used));
}

#[test]
fn a_flow_that_uses_nothing_of_aws_needs_no_policy() {
    let Some(cloud) = Cloud::new() else { return };
    assert_eq!(granted(&cloud, "run", ""), BTreeSet::new());
    let both = cloud.run("plan --iam --dot");
    assert_eq!(both.code, Some(2), "{both:?}");
}

#[test]
fn a_table_that_a_sink_fills_is_made_filled_and_deleted_as_its_policies_allow() {
    let Some(cloud) = Cloud::new() else { return };
    cloud.place.write("hosts.txt", "a\n");
    cloud.place.write("access.log", flow_tests::program::hit("a"));
    let table = "--counts dynamodb://filled-by-a-sink?mode=merge";
    assert_eq!(called(&cloud, &["setup --yes"], table), granted(&cloud, "setup", table));
    assert!(cloud.is_table("filled-by-a-sink") && cloud.is_table("flow_ledger"));
    let mut run = called(&cloud, &["run --checkpoint none", "run", "run", "check"], table);
    // The ledger of another store is forgotten, and its rows with it.
    let forget = "forget counts --empty --yes --store-is-lost --checkpoint sqlite:other.db";
    run.extend(called(&cloud, &[forget], table));
    assert!(cloud.others.items("filled-by-a-sink").is_empty());
    assert_eq!(run, granted(&cloud, "run", table));
    assert_eq!(called(&cloud, &["teardown --yes"], table), granted(&cloud, "teardown", table));
    assert!(!cloud.is_table("filled-by-a-sink") && cloud.is_table("flow_ledger"));
}
