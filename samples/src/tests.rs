use std::collections::{HashMap, HashSet};

use regex::bytes::Regex;

use super::{
    ASKING_HOSTS, Amount, SILENT_HOSTS, log::FLAWS, write_campaigns, write_clicks, write_hosts, write_log,
    write_orders, write_payments,
};

const LOG: &[u8] = include_bytes!("../../examples/data/access.log");
const HOSTS: &[u8] = include_bytes!("../../examples/data/hosts.txt");

/// The pattern of the access-log job.
fn well_formed() -> Regex {
    Regex::new(r#"(?-u)^([^ ]*) \S+ \S+ \[([\w:/]+\s[+\-]\d{4})\] "(.+?)" (\d{3}) ([^ ]*).*$"#).unwrap()
}

fn log(amount: Amount, seed: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    write_log(&mut bytes, amount, seed).unwrap();
    bytes
}

fn lines(log: &[u8]) -> Vec<&[u8]> {
    log.strip_suffix(b"\n").unwrap().split(|&byte| byte == b'\n').collect()
}

#[test]
fn seed_1_gives_the_committed_sample() {
    assert!(log(Amount::Records(2_000), 1) == LOG, "examples/data/access.log is not what the generator writes");
    let mut hosts = Vec::new();
    write_hosts(&mut hosts, 40, 1).unwrap();
    assert!(hosts == HOSTS, "examples/data/hosts.txt is not what the generator writes");
}

#[test]
fn seed_1_gives_the_other_committed_samples() {
    let written = |write: fn(&mut Vec<u8>) -> std::io::Result<()>| {
        let mut bytes = Vec::new();
        write(&mut bytes).unwrap();
        String::from_utf8(bytes).unwrap()
    };
    // Long texts: which of them differs is enough to know.
    let samples = [
        ("clicks", written(|out| write_clicks(out, 1_000, 1)), include_str!("../../examples/data/clicks.jsonl")),
        ("campaigns", written(|out| write_campaigns(out, 1)), include_str!("../../examples/data/campaigns.jsonl")),
        ("orders", written(|out| write_orders(out, 400, 1)), include_str!("../../examples/data/orders.jsonl")),
        ("payments", written(|out| write_payments(out, 400, 1)), include_str!("../../examples/data/payments.csv")),
    ];
    for (name, written, committed) in samples {
        assert!(written == committed, "the sample of {name} is not what the generator writes");
    }
}

#[test]
fn another_seed_gives_another_log() {
    assert_ne!(log(Amount::Records(10), 1), log(Amount::Records(10), 2));
}

#[test]
fn a_number_of_bytes_is_filled_with_whole_lines() {
    let all = log(Amount::Bytes(10_000), 3);
    assert!((10_000..10_200).contains(&all.len()), "{}", all.len());
    assert_eq!(all, log(Amount::Records(lines(&all).len() as u64), 3));
    assert!(log(Amount::Bytes(0), 3).is_empty());
}

#[test]
fn one_line_in_two_hundred_is_malformed_in_every_way_and_the_others_are_well_formed() {
    let (all, pattern) = (log(Amount::Records(20_000), 5), well_formed());
    let malformed = |line: &&&[u8]| std::str::from_utf8(line).is_err() || !pattern.is_match(line);
    let lines = lines(&all);
    let flawed: Vec<_> = lines.iter().filter(malformed).collect();
    assert!((60..140).contains(&flawed.len()), "{}", flawed.len());
    // The ways come in turn, so that the first ones are all there are.
    for (turn, flaw) in FLAWS.iter().enumerate() {
        println!("{flaw:?}: {}", String::from_utf8_lossy(flawed[turn]));
    }
    assert_eq!(flawed.iter().filter(|line| line.is_empty()).count(), flawed.len().div_ceil(8));
    assert_eq!(flawed.iter().filter(|line| std::str::from_utf8(line).is_err()).count(), (flawed.len() + 3) / 8);
}

#[test]
fn the_sample_has_every_kind_of_malformed_line_and_sizes_that_are_unknown() {
    let pattern = well_formed();
    let sample = lines(LOG);
    let malformed = |line: &&&[u8]| std::str::from_utf8(line).is_err() || !pattern.is_match(line);
    assert!(sample.iter().filter(malformed).count() >= FLAWS.len());
    assert!(sample.iter().any(|line| line.ends_with(b" -")));
}

#[test]
fn the_sample_lists_hosts_that_ask_that_never_ask_and_that_stand_there_twice() {
    let mut listed: HashMap<&[u8], u64> = HashMap::new();
    HOSTS.split(|&byte| byte == b'\n').for_each(|host| *listed.entry(host).or_default() += 1);
    let pattern = well_formed();
    let asking: Vec<&[u8]> =
        lines(LOG).into_iter().filter_map(|line| pattern.captures(line)?.get(1)).map(|host| host.as_bytes()).collect();

    assert_eq!(HOSTS.split(|&byte| byte == b'\n').count(), 40);
    assert!(listed.iter().any(|(host, &times)| times == 2 && asking.contains(host)));
    assert!(listed.keys().filter(|host| !asking.contains(host)).count() >= 5);
    assert!(listed.keys().filter(|host| asking.contains(host)).count() >= 10);
    assert!(asking.iter().any(|host| !listed.contains_key(host)));
}

#[test]
fn no_two_hosts_are_the_same() {
    let names: HashSet<String> =
        (0..ASKING_HOSTS + SILENT_HOSTS).map(|host| super::log::Host(host).to_string()).collect();
    assert_eq!(names.len() as u64, ASKING_HOSTS + SILENT_HOSTS);
}
