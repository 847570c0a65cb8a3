//! `check`: says all that a run would stumble over, ends with the code that the run would end with, and changes nothing.
//!
//! Each test brings one thing about, and has a run confirm what the check foretold.

#![expect(clippy::unwrap_used, reason = "a test may")]

mod flow;
mod inputs;
mod places;
mod targets;

use std::{
    collections::BTreeMap,
    fs,
    hash::{DefaultHasher, Hash as _, Hasher as _},
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
};

use flow_tests::program::{Place, hit};

const PROGRAM: &str = env!("CARGO_BIN_EXE_count_hits");
const STORE: &str = "access_log_counts.flow.db";
/// What the flow's plan remarks on itself.
const REMARK: &str = "note: `ip` is null for rows that met no partner";

/// A folder with four lines, the last of them bad, and a list of `a` and `b`.
fn place() -> Place {
    let place = Place::new(PROGRAM);
    place.write("access.log", hit("a") + &hit("b") + &hit("a") + "bad\n");
    place.write("hosts.txt", "a\nb\n");
    place
}

/// All that is below a folder: a digest of what it holds, its mode, and when it was changed. What readers of a database
/// share, its `-shm`, is no part of it.
fn snapshot(folder: &Path) -> BTreeMap<PathBuf, (u64, u32, i64, i64)> {
    let mut found = BTreeMap::new();
    let paths = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    for path in paths.filter(|path| !path.to_string_lossy().ends_with("-shm")) {
        let facts = fs::symlink_metadata(&path).unwrap();
        if facts.is_dir() {
            found.extend(snapshot(&path));
        }
        let bytes = if facts.is_file() { fs::read(&path).unwrap() } else { Vec::new() };
        let mut digest = DefaultHasher::new();
        bytes.hash(&mut digest);
        let digest = digest.finish();
        found.insert(path, (digest, facts.mode(), facts.mtime(), facts.mtime_nsec()));
    }
    found
}

/// What a check says, but for the remark of the plan: each finding, then the verdict. It leaves no trace.
fn check(place: &Place, arguments: &str, code: i32) -> Vec<String> {
    let before = snapshot(place.folder());
    let ended = place.run(&format!("check {arguments}"));
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(code), ""), "{ended:?}");
    assert_eq!(snapshot(place.folder()), before, "a check changes nothing");
    let lines: Vec<String> = ended.stdout.lines().map(str::to_owned).collect();
    let (verdict, findings) = lines.split_last().unwrap();
    assert!(verdict.starts_with("access_log_counts: "), "{verdict}");
    assert!(findings.iter().all(|line| line.starts_with("error: ") || line.starts_with("note: ")), "{findings:?}");
    lines.into_iter().filter(|line| !line.starts_with(REMARK)).collect()
}

/// A check finds one error, which has all these parts, and a run ends as it foretold.
fn finds(place: &Place, arguments: &str, code: i32, parts: &[&str]) {
    let said = check(place, arguments, code);
    let errors: Vec<&String> = said.iter().filter(|line| line.starts_with("error: ")).collect();
    assert_eq!(errors.len(), 1, "{said:?}");
    for part in parts {
        assert!(errors[0].contains(part), "{part:?} is not in {errors:?}");
    }
    assert_eq!(place.run(arguments).code, Some(code));
}

/// A check finds nothing wrong, and notes this; a run goes on.
fn notes(place: &Place, arguments: &str, parts: &[&str]) {
    let said = check(place, arguments, 0);
    for part in parts {
        let noted = said.iter().filter(|line| line.starts_with("note: ") && line.contains(part)).count();
        assert_eq!(noted, 1, "{part:?} is not one note of {said:?}");
    }
    place.succeed(arguments);
}

#[test]
fn a_flow_that_is_fine_has_no_finding_before_its_first_run_and_after_it() {
    let place = place();
    assert_eq!(check(&place, "", 0), ["access_log_counts: fine, 1 note; the next iteration is 0"]);
    place.succeed("");
    assert_eq!(check(&place, "", 0), ["access_log_counts: fine, 1 note; the next iteration is 1"]);
    place.append("access.log", hit("b"));
    assert_eq!(check(&place, "", 0), ["access_log_counts: fine, 1 note; the next iteration is 1"]);
}

#[test]
fn all_findings_are_told_and_the_code_is_that_of_the_first_a_run_would_meet() {
    let place = place();
    place.succeed("");
    fs::remove_file(place.path("hosts.txt")).unwrap();
    place.write("access.log", "");
    let said = check(&place, "--counts file:x.csv?mode=merge --bad-lines file:missing/bad.csv", 2);
    let parts = [
        "a file cannot be merged into (port `counts`",
        "cannot write the file (port `bad_lines`",
        "lacks an iteration",
        "the file has shrunk (port `log`",
        "cannot read the file (port `hosts`",
    ];
    for (line, part) in said.iter().zip(parts) {
        assert!(line.contains(part), "{part:?} is not in {line}");
    }
    assert_eq!(said.last().unwrap(), "access_log_counts: 5 errors, 1 note");
}

#[test]
fn for_scripts_a_check_is_one_line_of_json() {
    let place = place();
    fs::remove_file(place.path("hosts.txt")).unwrap();
    let ended = place.run("check --json");
    assert_eq!((ended.code, ended.stdout.lines().count()), (Some(1), 1));
    let object = ended.json();
    assert_eq!((&object["exit_code"], &object["next_iteration"]), (&1.into(), &0.into()));
    let finding = &object["findings"][0];
    let parts = ["severity", "kind", "port", "what", "place"].map(|part| finding[part].as_str().unwrap());
    assert_eq!(parts, ["error", "input", "hosts", "cannot read the file", "port `hosts`, hosts.txt"]);
}
