//! The flow against its logical name: what a changed program finds in the store of the former one.

use flow_tests::program::{Place, Running};

use super::{check, place};

/// What another version of the program says.
fn check_by(program: &'static str, place: &Place, code: i32) -> Vec<String> {
    let mut command = place.command("check");
    let directory = command.get_current_dir().map(ToOwned::to_owned);
    command = std::process::Command::new(program);
    command.arg("check").current_dir(directory.unwrap());
    let ended = Running::start(command).end();
    assert_eq!(ended.code, Some(code), "{ended:?}");
    ended.stdout.lines().map(str::to_owned).collect()
}

#[test]
fn a_flow_that_has_changed_is_noted() {
    let place = place();
    place.succeed("");
    let said = check_by(env!("CARGO_BIN_EXE_count_hits_mended"), &place, 0);
    assert!(said[0].starts_with("note: the flow is not the one that read iteration 0: its text was "), "{said:?}");
}

#[test]
fn a_source_that_was_renamed_is_noted_under_both_names() {
    let place = place();
    place.succeed("--counts stdout:");
    let mut said = check_by(env!("CARGO_BIN_EXE_count_hits_renamed"), &place, 3);
    said.retain(|line| line.starts_with("note: "));
    assert!(said[1].starts_with("note: the flow has no source `log` any more: "), "{said:?}");
    assert!(said[2].starts_with("note: the source is new to the checkpoint store (port `requests`)"), "{said:?}");
}

#[test]
fn a_sink_with_other_fields_than_those_that_were_sealed_is_found() {
    let place = place();
    place.sql("counts.db", "CREATE TABLE counts (ip TEXT, count INTEGER NOT NULL)");
    place.seal("");
    let said = check_by(env!("CARGO_BIN_EXE_count_hits_renamed"), &place, 1);
    let found = |part: &str| said.iter().any(|line| line.starts_with("error: ") && line.contains(part));
    assert!(found("the table has other columns than the sink (port `counts`"), "{said:?}");
    assert!(found("staged with the fields (ip: Option<&str>, count: i64), the port now has"), "{said:?}");
    assert!(found("the flow has no such output any more"), "{said:?}");
    check(&place, "", 0);
}
