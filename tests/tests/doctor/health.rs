//! A flow that is well, one that another process is at work on, and what dead runs have left.

use std::fs;

use flow_tests::program::{Place, Running, counted, hit, until};

use super::{PROGRAM, STORE, place};

#[test]
fn a_flow_that_is_well_is_said_to_be() {
    let place = place();
    for log in ["", "bad\n"] {
        place.append("access.log", log);
        let ended = place.run("doctor");
        assert_eq!(ended.code, Some(0), "{ended:?}");
        assert!(ended.stdout.starts_with("access_log_counts is well; the next iteration is 1\n"), "{ended:?}");
    }
    let json = place.run("doctor --json").json();
    assert_eq!((&json["is_well"], &json["held"]), (&true.into(), &serde_json::json!([])));
}

#[test]
fn what_is_wrong_besides_is_told_with_its_help() {
    let place = place();
    fs::remove_file(place.path("hosts.txt")).unwrap();
    let ended = place.run("doctor");
    assert_eq!(ended.code, Some(3), "{ended:?}");
    assert!(ended.stdout.starts_with("access_log_counts cannot go on\n\nwrong: cannot read the file"), "{ended:?}");
    assert!(ended.stdout.contains("check the address"), "{ended:?}");
}

/// A folder with a run that has sealed its iteration and waits for its target, which somebody else has locked.
fn at_work() -> (Place, Running, rusqlite::Connection) {
    let place = Place::new(PROGRAM);
    place.write("access.log", hit("a"));
    place.write("hosts.txt", "a\n");
    let target = rusqlite::Connection::open(place.path("counts.db")).unwrap();
    target.execute_batch("CREATE TABLE theirs (x); BEGIN IMMEDIATE").unwrap();
    let run = Running::start(place.command(""));
    until("the iteration is sealed", || {
        let states = place.database(STORE)?;
        states.query_row("SELECT 1 FROM iterations WHERE state = 'sealed'", [], |_| Ok(())).ok()
    });
    (place, run, target)
}

#[test]
fn a_run_that_is_under_way_is_named_and_no_illness() {
    let (place, run, target) = at_work();
    let ended = place.run("doctor");
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(ended.stdout.contains(&format!("note: pid {} has been at work on the flow for ", run.id())), "{ended:?}");
    drop(target);
    assert_eq!(run.end().code, Some(0));
}

#[test]
fn a_run_that_is_stopped_is_told_with_the_command_that_has_it_go_on() {
    let (place, run, target) = at_work();
    run.signal("STOP");
    let ended = until("it is stopped", || Some(place.run("doctor")).filter(|ended| ended.code == Some(3)));
    let command = format!("kill -CONT {}", run.id());
    assert!(ended.stdout.contains("it is stopped, and nobody else can run\n    $ kill -CONT"), "{ended:?}");
    assert!(ended.stdout.contains(&command), "{ended:?}");
    drop(target);
    assert_eq!(super::paste(&place, &command).code, Some(0));
    assert_eq!(run.end().code, Some(0));
    assert_eq!(place.counts("counts.db"), counted(&[("a", 1)]));
}

#[test]
fn what_a_killed_run_has_sealed_or_left_is_told_with_what_becomes_of_it() {
    let (place, run, target) = at_work();
    run.signal("KILL");
    assert_eq!(run.end().code, None);
    drop(target);
    let dead = place.path(&format!("{STORE}.staging/access_log_counts/7-dead"));
    fs::create_dir(&dead).unwrap();
    fs::write(dead.join("counts"), "rows").unwrap();
    let ended = place.run("doctor");
    assert_eq!(ended.code, Some(0), "{ended:?}");
    for part in [
        "note: iteration 0 is sealed and not yet in all its targets; the next run publishes it",
        "note: 4 staged bytes of 1 attempt of runs that died are left in ",
    ] {
        assert!(ended.stdout.contains(part), "{part:?} is not in {ended:?}");
    }
    place.succeed("");
    assert!(!dead.exists());
    assert_eq!(place.counts("counts.db"), counted(&[("a", 1)]));
    assert_eq!(place.run("doctor").stdout.matches("note:").count(), 1, "the plan's own");
}
