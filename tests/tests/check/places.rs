//! The store, the staging area and the lock.

use std::fs;

use flow_tests::program::Running;

use super::{STORE, check, finds, place};

#[test]
fn a_store_that_cannot_be_made_is_found() {
    finds(&place(), "--checkpoint sqlite:/proc/s.db", 1, &["cannot write the checkpoint store (/proc)"]);
}

#[test]
fn a_store_that_is_none_is_found() {
    let place = place();
    fs::create_dir(place.path("folder")).unwrap();
    finds(&place, "--checkpoint sqlite:folder", 1, &["cannot open the checkpoint store (folder): it is a folder"]);
    place.sql("other.db", "CREATE TABLE x (y)");
    finds(&place, "--checkpoint sqlite:other.db", 1, &["it is a database, but not a checkpoint store"]);
    place.succeed("--checkpoint sqlite:s.db");
    place.sql("s.db", "PRAGMA user_version = 99");
    finds(&place, "--checkpoint sqlite:s.db", 1, &["(s.db): its format is 99", "same version of flow"]);
}

#[test]
fn a_staging_area_that_cannot_be_written_is_found() {
    let place = place();
    // What is there is no folder.
    place.write(&format!("{STORE}.staging"), "");
    finds(&place, "", 1, &["cannot stage rows", "make it a folder that can be written to"]);
}

#[test]
fn a_run_that_is_under_way_is_found_with_its_process() {
    let place = place();
    place.sql("counts.db", "CREATE TABLE theirs (x)");
    let other = rusqlite::Connection::open(place.path("counts.db")).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let run = Running::start(place.command(""));
    flow_tests::program::until("the iteration is sealed", || {
        let states = place.database(STORE)?;
        states.query_row("SELECT 1 FROM iterations WHERE state = 'sealed'", [], |_| Ok(())).ok()
    });
    let ended = place.run("check");
    assert_eq!(ended.code, Some(4), "{ended:?}");
    let busy = format!("error: another run of `access_log_counts` is under way (pid {}, store {STORE})", run.id());
    assert!(ended.stdout.contains(&busy), "{ended:?}");
    assert_eq!(place.run("").code, Some(4));
    drop((run, other));
    check(&place, "", 0);
}
