//! `docs/aws/access-log-counts.yaml`, held against a linter, against what the job says that it calls, and against the page.

use std::{collections::BTreeSet, process::Command};

use flow_services::linter;
use serde_json::{Value, json};

use crate::PAGE;

const TEMPLATE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/aws/access-log-counts.yaml");
const ACCOUNT: &str = "123456789012";

/// The template as JSON, by a reader of others.
fn template() -> Option<Value> {
    let read = "import cfnlint.decode, json, sys; print(json.dumps(cfnlint.decode.decode(sys.argv[1])[0]))";
    let output = linter("python")?.args(["-c", read, TEMPLATE]).output().unwrap();
    Some(serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {output:?}")))
}

/// What a name stands for: a parameter's default, what a thing is called.
fn named(template: &Value, name: &str) -> String {
    match name {
        "AWS::Partition" => "aws".to_owned(),
        "AWS::Region" => "us-east-1".to_owned(),
        "AWS::AccountId" => ACCOUNT.to_owned(),
        "AWS::StackName" => "access-log".to_owned(),
        _ => {
            let properties = &template["Resources"][name]["Properties"];
            let names = ["Name", "TableName", "BucketName"].map(|name| &properties[name]);
            let found = names.into_iter().chain([&template["Parameters"][name]["Default"]]).find(|it| !it.is_null());
            resolved(template, found.unwrap_or_else(|| panic!("{name} has no name")))
        }
    }
}

/// A text, with the names in it replaced.
fn resolved(template: &Value, value: &Value) -> String {
    if let Some(name) = value["Ref"].as_str() {
        return named(template, name);
    }
    let mut rest = value.as_str().or_else(|| value["Fn::Sub"].as_str()).unwrap_or_else(|| panic!("{value}"));
    let mut text = String::new();
    while let Some((before, (name, behind))) =
        rest.split_once("${").and_then(|(before, rest)| Some((before, rest.split_once('}')?)))
    {
        text += before;
        text += &named(template, name);
        rest = behind;
    }
    text + rest
}

/// The statements of a role's policy, as `plan --iam` has them: it knows no account.
fn of_template(template: &Value, role: &str) -> BTreeSet<String> {
    let policies = template["Resources"][role]["Properties"]["Policies"].as_array().unwrap();
    let statements = policies.iter().flat_map(|policy| policy["PolicyDocument"]["Statement"].as_array().unwrap());
    let as_planned = |statement: &Value| {
        let resource = resolved(template, &statement["Resource"]).replace(&format!(":{ACCOUNT}:"), ":*:");
        let mut statement = statement.clone();
        statement["Resource"] = json!(resource);
        statement.to_string()
    };
    statements.map(as_planned).collect()
}

/// The statements that the job wants, for each who needs them: for itself first, then for Redshift.
fn of_plan(purpose: &str, addresses: &[(&str, String)]) -> Vec<BTreeSet<String>> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_access_log_counts"));
    command.arg("plan").arg(format!("--iam={purpose}")).env("AWS_REGION", "us-east-1");
    command.args(addresses.iter().map(|(port, address)| format!("--{port}={address}")));
    let output = command.output().unwrap();
    let policies = serde_json::Deserializer::from_slice(&output.stdout).into_iter::<Value>();
    let statements = |policy: Value| policy["Statement"].as_array().unwrap().iter().map(Value::to_string).collect();
    policies.map(|policy| statements(policy.unwrap_or_else(|error| panic!("{error}: {output:?}")))).collect()
}

#[test]
fn a_linter_has_nothing_to_say_about_the_template() {
    let Some(mut lint) = linter("cfn-lint") else { return };
    let output = lint.args(["--include-checks", "I", "--", TEMPLATE]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
}

#[test]
fn its_roles_may_do_what_the_job_says_that_it_calls_and_no_more() {
    let Some(template) = template() else { return };
    let output = |name: &str| resolved(&template, &template["Outputs"][name]["Value"]);
    let staging = output("StagingAddress");
    let counts = format!("redshift://awsuser@host/dev?table=cascading_results&role=default&staging={staging}");
    let log = ("log", output("LogAddress"));
    let addresses = [
        log.clone(),
        ("hosts", output("HostsAddress")),
        ("counts", counts),
        ("bad-lines", output("TrapAddress")),
        ("checkpoint", output("CheckpointAddress")),
    ];
    let roles = ["FlowRole", "CopyRole"].map(|role| of_template(&template, role));
    assert_eq!(of_plan("run", &addresses), roles);
    let only_log = [log, ("hosts", "file:hosts.txt".to_owned()), ("checkpoint", "none".to_owned())];
    assert_eq!(of_plan("publish", &only_log), [of_template(&template, "PublisherRole")]);
}

#[test]
fn the_page_has_the_addresses_of_what_the_template_makes() {
    let Some(template) = template() else { return };
    let (_, on_aws) = PAGE.split_once("## On AWS").unwrap();
    for (name, output) in template["Outputs"].as_object().unwrap().iter().filter(|(name, _)| name.ends_with("Address"))
    {
        let address = resolved(&template, &output["Value"]);
        assert!(
            on_aws.contains(&format!("`{address}`")) || on_aws.contains(&format!("={address}`")),
            "{name}: {address}"
        );
    }
}
