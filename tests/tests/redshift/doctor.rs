//! `doctor` on a table: each cause is named, and resolved by exactly the commands that are printed.

use std::process::Command;

use flow_tests::{
    program::{Ended, Running, hit, until},
    services::ministack,
};

use super::setup::{Job, PROGRAM};

/// A table that has an iteration, and a log with one more hit of each host.
fn loaded(table: &str) -> Option<Job> {
    let job = Job::new(table, &format!("{table}-staging"))?;
    assert_eq!(job.run("setup --only counts --yes").code, Some(0));
    assert_eq!(job.run("run").code, Some(0));
    job.place.append("access.log", hit("a") + &hit("b"));
    Some(job)
}

/// The commands of the first way out of the cause, which must be the only one that is told.
fn prescribed(job: &Job, cause: &str) -> Vec<String> {
    let told = job.run("doctor");
    assert_eq!(told.code, Some(3), "{told:?}");
    let mut rest = told.stdout.lines().skip_while(|line| !line.starts_with(&format!("{cause}: ")));
    assert!(rest.next().is_some() && told.stdout.contains("is held\n"), "{}", told.stdout);
    let commands = rest.skip_while(|line| !line.starts_with("    $ ")).map_while(|line| line.strip_prefix("    $ "));
    commands.map(str::to_owned).collect()
}

/// Does what `doctor` prescribes, as who pastes it into a shell; then all is well.
fn cure(job: &Job, cause: &str) {
    let commands = prescribed(job, cause);
    assert!(!commands.is_empty(), "{cause}");
    for command in &commands {
        let mut shell = Command::new("sh");
        shell.args(["-c", command]);
        let ended: Ended = Running::start(job.at_home(shell)).end();
        assert_eq!(ended.code, Some(0), "$ {command}: {ended:?}");
    }
    let well = job.run("doctor");
    assert_eq!(well.code, Some(0), "{well:?}");
}

#[test]
fn who_keeps_the_ledger_locked_is_named_and_ended() {
    let Some(job) = loaded("kept") else { return };
    let mut person = job.warehouse.client();
    let pid = person.ask("SELECT pg_backend_pid()");
    person.ask("BEGIN");
    person.ask("LOCK TABLE flow_ledger_kept");
    let told = job.run("doctor");
    assert!(told.stdout.contains(&format!("it is held by pid {pid} of ")), "{told:?}");
    cure(&job, "ledger-locked");
    assert_eq!(job.warehouse.ask("SELECT ip, count FROM kept ORDER BY ip"), "a|2\nb|2");
}

#[test]
fn a_table_that_was_dropped_begins_anew() {
    let Some(job) = loaded("dropped") else { return };
    job.warehouse.run("DROP TABLE dropped");
    cure(&job, "table-gone");
    assert_eq!(job.warehouse.ask("SELECT ip, count FROM dropped ORDER BY ip"), "a|1\nb|1");
}

#[test]
fn a_table_that_was_dropped_with_its_ledger_goes_on_without_what_it_had() {
    let Some(job) = loaded("behind") else { return };
    job.warehouse.run("DROP TABLE behind");
    job.warehouse.run("DROP TABLE flow_ledger_behind");
    cure(&job, "ledger-behind");
    assert_eq!(job.warehouse.ask("SELECT ip, count FROM behind WHERE ip = 'b'"), "b|1");
}

#[test]
fn a_ledger_of_another_store_is_forgotten_with_its_rows() {
    let Some(job) = loaded("others") else { return };
    std::fs::remove_file(job.place.path("access_log_counts.flow.db")).unwrap();
    cure(&job, "foreign-ledger");
    assert_eq!(job.warehouse.ask("SELECT ip, count FROM others ORDER BY ip"), "a|2\nb|2");
}

#[test]
fn what_dead_attempts_have_staged_is_removed_after_a_while() {
    let Some(job) = loaded("swept") else { return };
    let s3 = ministack().unwrap();
    let left = "rows/access_log_counts/7-dead/counts/rows-00001.csv.gz";
    let theirs = "rows/other_flow/7-dead/counts/rows-00001.csv.gz";
    for key in [left, theirs] {
        s3.put_object("swept-staging", key, "a");
    }
    let is_there = |key: &str| s3.http("HEAD", &format!("/swept-staging/{key}"), "", b"").status == 200;
    let kept = job.run("clean");
    assert!(kept.code == Some(0) && is_there(left), "it may be somebody's who is slow: {kept:?}");
    let swept = job.run("clean --grace 1ms");
    assert!(swept.code == Some(0) && !is_there(left) && is_there(theirs), "{swept:?}");
    assert_eq!(job.run("run").code, Some(0));
    assert_eq!(job.warehouse.ask("SELECT ip, count FROM swept ORDER BY ip"), "a|2\nb|2");
}

#[test]
fn a_load_that_takes_its_time_is_told_and_nothing_is_wrong() {
    let Some(job) = loaded("slow") else { return };
    let mut person = job.warehouse.client();
    person.ask("BEGIN");
    person.ask("LOCK TABLE slow");
    let mut command = Command::new(PROGRAM);
    command.args(["run", "--counts", &job.counts]);
    let running = Running::start(job.at_home(command));
    let begun = "SELECT count(*) FROM svv_transactions t JOIN pg_class c ON c.oid = t.relation WHERE c.relname = \
                 'flow_ledger_slow' AND t.granted";
    until("it has the ledger", || (job.warehouse.ask(begun) != "0").then_some(()));
    let expected = format!("note: pid {}, at work for ", running.id());
    let checked = job.run("check");
    // A run would not wait for that one; with the ledger nothing is wrong.
    assert!(checked.code == Some(4) && checked.stdout.contains(&expected), "{checked:?}");
    assert!(checked.stdout.contains(": 1 error, ") && !checked.stdout.contains("ledger is locked"), "{checked:?}");
    let loads = "loads iteration 1, and keeps its ledger locked (port `counts`, ";
    assert!(checked.stdout.contains(loads) && checked.stdout.contains("it is held by pid "), "{checked:?}");
    let told = job.run("doctor");
    assert!(told.code == Some(0) && told.stdout.contains(loads), "{told:?}");
    person.ask("ROLLBACK");
    assert_eq!(running.end().code, Some(0));
    assert_eq!(job.warehouse.ask("SELECT ip, count FROM slow ORDER BY ip"), "a|2\nb|2");
}

#[test]
fn a_staging_bucket_that_is_not_there_is_told_before_anything_is_read() {
    let Some(job) = loaded("unstaged") else { return };
    let elsewhere = job.counts.replace("s3://unstaged-staging", "s3://unstaged-nowhere");
    for command in ["check", "run"] {
        let told = job.run_bound(command, &elsewhere);
        let said = format!("{}{}", told.stdout, told.stderr);
        assert_eq!(told.code, Some(1), "{told:?}");
        let expected = "cannot look at where rows are to be staged (port `counts`, s3://unstaged-nowhere/rows/): ";
        assert!(said.contains(expected) && said.contains("NoSuchBucket") && said.contains("`setup` makes"), "{said}");
    }
    assert_eq!(job.run("run").code, Some(0));
}
