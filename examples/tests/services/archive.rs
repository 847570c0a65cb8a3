//! Requests that failed below a prefix, by day, held against another reading of the same lines.

use std::{collections::BTreeMap, io::Read as _};

use flate2::read::MultiGzDecoder;

use crate::Setting;

const LOG: &[u8] = include_bytes!("../../data/access.log");

/// Sorted rows by the folder that they are in.
type Days = BTreeMap<String, Vec<String>>;

/// The sample, as if it were of three days.
fn lines() -> Vec<Vec<u8>> {
    const DAY: &[u8] = b"[01/Mar";
    let mut lines: Vec<Vec<u8>> = LOG.split_inclusive(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect();
    for (line, day) in lines.iter_mut().zip((b'1'..=b'3').cycle()) {
        if let Some(at) = line.windows(DAY.len()).position(|found| found == DAY) {
            line[at + 2] = day;
        }
    }
    lines
}

/// Where a line belongs, and what is kept of it, read without a pattern.
fn expected_row(line: &[u8]) -> Option<(String, String)> {
    let (head, rest) = str::from_utf8(line).ok()?.split_once('[')?;
    let (time, rest) = rest.split_once("] \"")?;
    let (request, answer) = rest.rsplit_once("\" ")?;
    let (ip, path) = (head.split(' ').next()?, request.split(' ').nth(1)?);
    let response: u16 = answer.split(' ').next()?.parse().ok()?;
    let day = format!("{}-{}-{}", &time[7..11], time[3..6].replace("Mar", "03"), &time[..2]);
    let row = format!("{day},{},{ip},{path},{response}", &time[12..20]);
    (response >= 400).then(|| (format!("day={day}"), row))
}

fn expected(lines: &[Vec<u8>]) -> Days {
    let mut days = Days::new();
    lines.iter().filter_map(|line| expected_row(line)).for_each(|(day, row)| days.entry(day).or_default().push(row));
    days.values_mut().for_each(|rows| rows.sort());
    days
}

/// What a listing shows, as it does when no run is under way and none has died.
fn found(setting: &Setting, bucket: &str) -> Days {
    let listed = setting.others.http("GET", &format!("/{bucket}?prefix=failed/day%3D"), "", b"").text();
    let keys = listed.split("<Key>").skip(1).filter_map(|rest| rest.split_once("</Key>")).map(|(key, _)| key);
    let mut days = Days::new();
    for key in keys {
        assert!(key.ends_with(".csv.gz"), "{key}");
        let mut text = String::new();
        let object = setting.others.object(bucket, &key.replace('=', "%3D"));
        MultiGzDecoder::new(&*object).read_to_string(&mut text).unwrap();
        let day = key.split('/').nth(1).unwrap().to_owned();
        days.entry(day).or_default().extend(text.lines().map(str::to_owned));
    }
    days.values_mut().for_each(|rows| rows.sort());
    days
}

#[test]
fn requests_that_failed_are_in_the_folder_of_their_day_once() {
    let Some(setting) = Setting::new(env!("CARGO_BIN_EXE_archive")) else { return };
    let job = "--log kinesis://archive --failed s3://archive/failed?partition=day --bad-lines s3://archive/bad \
               --checkpoint dynamodb://archive";
    setting.run(&format!("setup {job} --shards 2 --yes"));
    let lines = lines();
    let (first, second) = lines.split_at(1_200);
    setting.publish("archive", first.concat());
    setting.run(&format!("run {job}"));
    assert_eq!(found(&setting, "archive"), expected(first));
    setting.publish("archive", second.concat());
    setting.run(&format!("run {job}"));
    let said = setting.run(&format!("run {job}"));
    assert!(said.starts_with("nothing new"), "{said}");
    let days = expected(&lines);
    assert_eq!(found(&setting, "archive"), days);
    assert_eq!(days.len(), 3);
}
