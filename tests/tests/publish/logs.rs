//! The log lines of a program, in a stream of a service.

use flow_services::{CREDENTIALS, Calls, Fault, Proxy, Rule, kinesalite};
use flow_tests::program::{Place, Running};
use serde_json::Value;

const PROGRAM: &str = env!("CARGO_BIN_EXE_ship_logs");

#[test]
fn every_line_of_a_program_is_shipped_and_nothing_of_the_sdk() {
    let Some(service) = kinesalite() else { return };
    service.create_stream("program", 1);
    let rules = [Rule { operation: "kinesis.put_records", calls: Calls::Nth(1), fault: Fault::Throttled }];
    let proxy = Proxy::before(service, &rules);
    let place = Place::new(PROGRAM);
    let mut command = place.command(&format!("kinesis://program?endpoint={} 1500", proxy.endpoint()));
    command.envs(CREDENTIALS);
    let ended = Running::start(command).end();
    assert_eq!(ended.stdout, "log lines: 1500 sent, 0 dropped, 0 not sent\n", "{ended:?}");
    assert_eq!(proxy.struck().len(), 1);
    let records = service.records("program", "shardId-000000000000");
    let lines = records.iter().map(|record| serde_json::from_slice::<Value>(record).unwrap());
    let mut numbers: Vec<u64> = lines.map(|line| line["fields"]["number"].as_u64().unwrap()).collect();
    numbers.sort_unstable();
    assert!(numbers.into_iter().eq(0..1_500));
}

#[test]
fn a_program_whose_lines_nobody_takes_ends_and_says_how_many() {
    let Some(service) = kinesalite() else { return };
    let place = Place::new(PROGRAM);
    let mut command = place.command(&format!("kinesis://no-program?endpoint={} 700", service.endpoint()));
    command.envs(CREDENTIALS);
    let ended = Running::start(command).end();
    assert!(ended.stdout.starts_with("log lines: 0 sent, 0 dropped, 700 not sent: cannot write"), "{ended:?}");
    assert!(ended.stdout.contains("ResourceNotFoundException"), "{ended:?}");
}
