//! The job as a newcomer runs it: on the sample, in some folder.

use std::{fs, process::Command};

#[test]
fn requests_that_failed_are_in_the_file_in_their_order() {
    let folder = tempfile::tempdir().unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_archive")).current_dir(folder.path()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let found = fs::read_to_string(folder.path().join("failed_requests.csv")).unwrap();

    // By the place of the response: of lines that are whole it is the last column but one.
    let awk = r#"$NF ~ /^([0-9]+|-)$/ && $(NF-1) ~ /^[45][0-9][0-9]$/ && $4 ~ /^\[/ { print $7 "," $(NF-1) }"#;
    let log = concat!(env!("CARGO_MANIFEST_DIR"), "/data/access.log");
    let counted = Command::new("awk").args([awk, log]).env("LC_ALL", "C").output().unwrap();
    let expected = String::from_utf8_lossy(&counted.stdout).into_owned();
    let column = |row: &str| row.splitn(4, ',').nth(3).unwrap().to_owned();
    assert_eq!(found.lines().map(column).collect::<Vec<_>>(), expected.lines().collect::<Vec<_>>());
    assert!(found.starts_with("2015-03-01,"), "{found}");
}
