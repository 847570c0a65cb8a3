//! What is lost on the way: answers that never come, sessions that outlive their clients, staged rows, the bucket, columns,
//! the memory of the checkpoint store. Nothing is loaded twice, nothing is left out, and who must do something is told what.

use std::fs;

use flow_runtime::{Error, driver, sink::Mode};
use flow_tests::{
    aws::run_with_credentials,
    services::{
        self, Service, ministack,
        redshift::{Fault, Redshift, Rule},
    },
};

use super::flows::Job;

/// Runs a test of this file where there is something to run it against.
fn with_credentials(test: &str) {
    if services::redshift().is_some() {
        run_with_credentials(&format!("losses::{test}"));
    }
}

fn warehouse() -> &'static Redshift {
    services::redshift().unwrap()
}

fn run(job: &Job, warehouse: &Redshift, mode: Mode) -> Result<(), Error> {
    driver::run(&job.flow(warehouse, mode), &job.options()).map(drop)
}

/// A job whose last iteration is sealed, and not loaded: the load was refused. With the door that all of it goes by.
fn sealed(table: &'static str, mode: Mode) -> (Job, Redshift) {
    let mut job = Job::new(table).with("&compression=none");
    let door = warehouse().broken(&[Rule::nth("lock", 2, Fault::ErrorAfter)]);
    job.grow(100);
    run(&job, &door, mode).unwrap();
    job.grow(100);
    let said = run(&job, &door, mode).unwrap_err().to_string();
    assert!(said.contains("cannot lock the ledger"), "{said}");
    (job, door)
}

/// The keys of all objects in a bucket.
fn keys(bucket: &str) -> Vec<String> {
    let listed = ministack().unwrap().http("GET", &format!("/{bucket}?list-type=2"), "", b"").text();
    let keys = listed.split("<Key>").skip(1).filter_map(|rest| rest.split_once("</Key>"));
    keys.map(|(key, _)| key.to_owned()).collect()
}

#[test]
fn a_statement_that_is_never_answered_is_no_loss() {
    with_credentials("a_statement_that_is_never_answered_is_no_loss_indeed");
}

#[test]
#[ignore = "needs credentials"]
fn a_statement_that_is_never_answered_is_no_loss_indeed() {
    let mut job = Job::new("stalled").with("&statement_timeout=1s");
    job.grow(20);
    run(&job, warehouse(), Mode::Merge).unwrap();
    for statement in ["begin", "lock", "copy", "update", "insert", "commit"] {
        job.grow(20);
        let broken = warehouse().broken(&[Rule::nth(statement, 1, Fault::Stalled)]);
        let done = run(&job, &broken, Mode::Merge);
        assert_eq!(broken.struck().len(), 1, "{statement}");
        // Who hears nothing of a lock cannot tell that it has it: people are told who holds it, and the next run goes on.
        match done {
            Err(Error::Busy(_)) if statement == "lock" => run(&job, &broken, Mode::Merge).unwrap(),
            done => done.unwrap_or_else(|error| panic!("{statement}: {error}")),
        }
        job.compare(warehouse());
    }
}

#[test]
fn a_session_that_outlives_its_client_keeps_the_ledger_and_is_named() {
    with_credentials("a_session_that_outlives_its_client_keeps_the_ledger_and_is_named_indeed");
}

#[test]
#[ignore = "needs credentials"]
fn a_session_that_outlives_its_client_keeps_the_ledger_and_is_named_indeed() {
    let mut job = Job::new("haunted").with("&statement_timeout=2s");
    job.grow(20);
    let door = warehouse().broken(&[]);
    run(&job, &door, Mode::Append).unwrap();
    for statement in ["copy", "commit"] {
        job.grow(20);
        door.obey(&[Rule::nth(statement, 1, Fault::Zombie)]);
        let error = run(&job, &door, Mode::Append).unwrap_err();
        let said = error.to_string();
        assert!(matches!(error, Error::Busy(_)) && said.contains("it is held by pid "), "{statement}: {said}");
        door.end_zombies();
        door.await_zombies(0);
        run(&job, &door, Mode::Append).unwrap();
        job.compare(warehouse());
    }
}

#[test]
fn staged_rows_that_are_gone_are_missed_and_loaded_when_they_are_back() {
    with_credentials("staged_rows_that_are_gone_are_missed_and_loaded_when_they_are_back_indeed");
}

#[test]
#[ignore = "needs credentials"]
fn staged_rows_that_are_gone_are_missed_and_loaded_when_they_are_back_indeed() {
    let storage: &Service = ministack().unwrap();
    for (table, is_bucket_gone) in [("less_object", false), ("less_bucket", true)] {
        let (job, door) = sealed(table, Mode::Append);
        let bucket = &job.bucket;
        let all = keys(bucket);
        assert!(all.iter().any(|key| key.ends_with(".manifest")), "{all:?}");
        let gone = all.iter().filter(|key| is_bucket_gone || !key.ends_with(".manifest"));
        let gone: Vec<(&String, Vec<u8>)> = gone.map(|key| (key, storage.object(bucket, key))).collect();
        assert!(!gone.is_empty());
        gone.iter().for_each(|(key, _)| storage.delete_object(bucket, key));
        if is_bucket_gone {
            assert_eq!(storage.http("DELETE", &format!("/{bucket}"), "", b"").status, 204);
        }
        let error = run(&job, &door, Mode::Append).unwrap_err();
        let said = error.to_string();
        match is_bucket_gone {
            false => {
                assert!(matches!(error, Error::Held(_)) && said.contains("rows-00001.csv is missing"), "{said}")
            }
            true => assert!(said.contains(bucket), "{said}"),
        }
        assert_eq!(warehouse().ask(&format!("SELECT max(iteration) FROM flow_ledger_{table}")), "0");
        if is_bucket_gone {
            storage.create_bucket(bucket);
        }
        gone.iter().for_each(|(key, bytes)| storage.put_object(bucket, key, bytes));
        run(&job, &door, Mode::Append).unwrap();
        job.compare(warehouse());
    }
}

#[test]
fn a_table_that_is_altered_between_iterations_is_loaded_when_it_fits_again() {
    with_credentials("a_table_that_is_altered_between_iterations_is_loaded_when_it_fits_again_indeed");
}

#[test]
#[ignore = "needs credentials"]
fn a_table_that_is_altered_between_iterations_is_loaded_when_it_fits_again_indeed() {
    // When an iteration is sealed already, and then before the next is read.
    let (mut job, door) = sealed("altered", Mode::Merge);
    for _ in 0..2 {
        warehouse().run("ALTER TABLE altered RENAME COLUMN bytes TO octets");
        let said = run(&job, &door, Mode::Merge).unwrap_err().to_string();
        assert!(said.contains("other columns than the sink") && said.contains("octets"), "{said}");
        warehouse().run("ALTER TABLE altered RENAME COLUMN octets TO bytes");
        run(&job, &door, Mode::Merge).unwrap();
        job.compare(warehouse());
        job.grow(100);
    }
}

#[test]
fn a_ledger_that_is_ahead_of_the_store_is_held_and_not_loaded_again() {
    with_credentials("a_ledger_that_is_ahead_of_the_store_is_held_and_not_loaded_again_indeed");
}

#[test]
#[ignore = "needs credentials"]
fn a_ledger_that_is_ahead_of_the_store_is_held_and_not_loaded_again_indeed() {
    for (mode, table) in [(Mode::Append, "ahead_appended"), (Mode::Merge, "ahead_merged")] {
        let mut job = Job::new(table);
        job.grow(100);
        run(&job, warehouse(), mode).unwrap();
        let store = job.folder.path().join("flow.db");
        let before = fs::read(&store).unwrap();
        job.grow(100);
        run(&job, warehouse(), mode).unwrap();
        let after = fs::read(&store).unwrap();
        // A backup of the store is put back, and forgets an iteration.
        fs::write(&store, before).unwrap();
        for _ in 0..2 {
            let error = run(&job, warehouse(), mode).unwrap_err();
            let said = error.to_string();
            assert!(matches!(error, Error::Held(_)), "{said}");
            assert!(said.contains("ahead of the checkpoint store"), "{said}");
            job.compare(warehouse());
        }
        fs::write(&store, after).unwrap();
        job.grow(100);
        run(&job, warehouse(), mode).unwrap();
        job.compare(warehouse());
    }
}
