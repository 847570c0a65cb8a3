//! The example as a newcomer runs it: without options, in some folder.

#![expect(clippy::unwrap_used, reason = "a test may")]

use std::{
    path::Path,
    process::{Command, Output},
};

fn run(folder: &Path, options: &[&str]) -> Output {
    let output =
        Command::new(env!("CARGO_BIN_EXE_access_log_counts")).args(options).current_dir(folder).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    output
}

fn said(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

#[test]
fn it_runs_in_any_folder_and_finds_nothing_new_the_second_time() {
    let folder = tempfile::tempdir().unwrap();
    let first = said(&run(folder.path(), &[]));
    assert!(first.starts_with("iteration 0 done"), "{first}");
    assert!(first.contains("sqlite:access_log_counts.db?table=counts"), "{first}");
    assert!(folder.path().join("access_log_counts.db").exists());
    assert!(folder.path().join("bad_lines.csv").exists());

    let second = said(&run(folder.path(), &[]));
    assert!(second.starts_with("nothing new"), "{second}");
}

#[test]
fn every_row_of_the_result_can_be_sent_to_the_screen() {
    let folder = tempfile::tempdir().unwrap();
    let output = run(folder.path(), &["--counts", "stdout:", "--checkpoint", "none"]);
    let table = String::from_utf8(output.stdout).unwrap();
    for line in include_str!("../../tests/data/access_log_counts.txt").lines() {
        let (host, hits) = line.split_once('|').unwrap();
        let host = if host.is_empty() { "∅" } else { host };
        let is_row = |row: &str| row.split(['│', '┆']).map(str::trim).eq(["", host, hits, ""]);
        assert!(table.lines().any(is_row), "{line} is missing in\n{table}");
    }
}

#[test]
fn it_explains_itself() {
    let folder = tempfile::tempdir().unwrap();
    let plan = String::from_utf8(run(folder.path(), &["plan"]).stdout).unwrap();
    assert!(plan.contains("AccessLogCounts") && plan.contains("pruned"), "{plan}");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}
