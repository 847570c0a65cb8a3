//! As whom a program calls: what the environment and the files of AWS say, and what happens when they say nothing.

use std::time::{Duration, Instant};

use flow_services::{Calls, Fault, Proxy, Rule, kinesalite, ministack};
use flow_tests::program::{Ended, Place, Running};

use super::{PROGRAM, command};

/// Nobody may see it.
const SECRET: &str = "swordfish0swordfish1swordfish2swordfish3";

/// Where no credentials are: every variable of AWS taken away.
fn without_credentials(place: &Place, arguments: &str) -> std::process::Command {
    let mut command = command(place, arguments);
    for name in ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION"] {
        command.env_remove(name);
    }
    command
}

fn shows_no_secret(ended: &Ended) {
    assert!(!format!("{ended:?}").contains("swordfish"), "{ended:?}");
}

#[test]
fn a_profile_of_the_files_says_region_and_keys() {
    let Some(service) = kinesalite() else { return };
    service.create_stream("profiles", 1);
    let place = Place::new(PROGRAM);
    place.write("a.log", "a\n");
    place.write("config", "[profile logs]\nregion = eu-central-1\n");
    place.write("credentials", format!("[logs]\naws_access_key_id = AKIDEXAMPLE\naws_secret_access_key = {SECRET}\n"));
    let address = format!("kinesis://profiles?endpoint={}", service.endpoint());
    let by_option = without_credentials(&place, &format!("publish {address}&profile=logs --from a.log"));
    let mut by_variable = without_credentials(&place, &format!("publish {address} --from a.log"));
    by_variable.env("AWS_PROFILE", "logs");
    for command in [by_option, by_variable] {
        let ended = Running::start(command).end();
        shows_no_secret(&ended);
        assert_eq!(ended.code, Some(0), "{ended:?}");
    }
    assert_eq!(service.records("profiles", "shardId-000000000000").len(), 2);
}

#[test]
fn the_endpoint_may_be_in_the_environment() {
    let Some(service) = kinesalite() else { return };
    service.create_stream("endpoints", 1);
    let place = Place::new(PROGRAM);
    place.write("a.log", "a\n");
    for variable in ["AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_KINESIS"] {
        let mut command = command(&place, "publish kinesis://endpoints --from a.log");
        command.env(variable, service.endpoint());
        let ended = Running::start(command).end();
        assert_eq!(ended.code, Some(0), "{variable}: {ended:?}");
    }
    assert_eq!(service.records("endpoints", "shardId-000000000000").len(), 2);
}

#[test]
fn without_credentials_it_says_within_seconds_what_was_looked_for() {
    let place = Place::new(PROGRAM);
    place.write("a.log", "a\n");
    let mut command = without_credentials(&place, "publish kinesis://x?region=us-east-1 --from a.log");
    command.env_remove("AWS_EC2_METADATA_DISABLED");
    let began = Instant::now();
    let ended = Running::start(command).end();
    assert!(began.elapsed() < Duration::from_secs(30), "{:?}", began.elapsed());
    assert_eq!(ended.code, Some(1), "{ended:?}");
    for part in ["no AWS credentials", "AWS_ACCESS_KEY_ID", "AWS_PROFILE", "help: give credentials"] {
        assert!(ended.stderr.contains(part), "{part}: {ended:?}");
    }
    assert!(!ended.stderr.contains("Response {"), "{ended:?}");

    let ended = Running::start(without_credentials(&place, "publish kinesis://x --from a.log")).end();
    assert_eq!(ended.code, Some(2), "{ended:?}");
    assert!(ended.stderr.contains("no AWS region is known"), "{ended:?}");
}

#[test]
fn expired_credentials_end_it_at_once_and_are_not_shown() {
    let Some(service) = kinesalite() else { return };
    let place = Place::new(PROGRAM);
    place.write("a.log", "a\n");
    let rules = [Rule { operation: "*", calls: Calls::All, fault: Fault::ExpiredCredentials }];
    let proxy = Proxy::before(service, &rules);
    let mut command = command(&place, &format!("publish kinesis://x?endpoint={} --from a.log", proxy.endpoint()));
    command.env("AWS_SECRET_ACCESS_KEY", SECRET).env("AWS_SESSION_TOKEN", SECRET);
    let ended = Running::start(command).end();
    shows_no_secret(&ended);
    assert_eq!((ended.code, proxy.struck().len()), (Some(1), 1), "{ended:?}");
    assert!(ended.stderr.contains("ExpiredTokenException") && ended.stderr.contains("help: give credentials"));
}

#[test]
fn a_role_is_taken_on_before_the_first_call_and_calls_are_signed_as_it() {
    let Some(service) = ministack() else { return };
    let place = Place::new(PROGRAM);
    place.write("a.log", "a\n");
    service.create_stream("roles", 1);
    let proxy = Proxy::before(service, &[]);
    let role = "arn:aws:iam::000000000000:role/publisher";
    let arguments = format!("publish kinesis://roles?role={role} --from a.log");
    let mut published = command(&place, &arguments);
    published.env("AWS_ENDPOINT_URL", proxy.endpoint());
    let ended = Running::start(published).end();
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert_eq!((proxy.calls()["sts.assume_role"], proxy.calls()["kinesis.put_records"]), (1, 1));

    proxy.obey(&[Rule { operation: "sts.assume_role", calls: Calls::All, fault: Fault::ExpiredCredentials }]);
    let mut refused = command(&place, &arguments);
    refused.env("AWS_ENDPOINT_URL", proxy.endpoint());
    let ended = Running::start(refused).end();
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.stderr.contains(role) && !proxy.calls().contains_key("kinesis.put_records"), "{ended:?}");
}
