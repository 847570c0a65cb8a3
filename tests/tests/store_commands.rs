//! The commands that look at, mend and tidy a store, as users run them: what they do, what they refuse, and that doing
//! them twice, or while a run is under way, does no harm.

#![expect(clippy::unwrap_used, reason = "a test may")]

use std::{fs, io::Write as _, process::Stdio};

use flow_tests::program::{Ended, Place, Running, counted, hit, until};
use rusqlite::Connection;
use serde_json::{Value, json};

const PROGRAM: &str = env!("CARGO_BIN_EXE_count_hits");
const STORE: &str = "access_log_counts.flow.db";
const STAGING: &str = "access_log_counts.flow.db.staging/access_log_counts";

/// A folder in which two iterations were run: hits of a and b and a bad line, then one more of a; a host that is listed and
/// has no hit in an iteration is a row of null.
fn two_iterations() -> Place {
    let place = Place::new(PROGRAM);
    place.write("access.log", "bad\n".to_owned() + &hit("a") + &hit("b"));
    place.write("hosts.txt", "a\nb\n");
    place.succeed("");
    place.append("access.log", hit("a"));
    place.succeed("");
    place
}

/// What the program reports of itself with `--json`.
fn told(place: &Place, arguments: &str) -> Value {
    place.succeed(&format!("{arguments} --json")).json()
}

/// A third iteration that is sealed and not loaded: its run was killed while the target was locked.
fn seal_a_third(place: &Place) {
    place.append("access.log", hit("b"));
    let target = Connection::open(place.path("counts.db")).unwrap();
    target.execute_batch("BEGIN IMMEDIATE").unwrap();
    let run = Running::start(place.command(""));
    until("the iteration is sealed", || {
        let states = place.database(STORE)?;
        states.query_row("SELECT 1 FROM iterations WHERE state = 'sealed'", [], |_| Ok(())).ok()
    });
    run.signal("KILL");
    assert_eq!(run.end().code, None);
}

/// A run that holds the lock of the flow until it is killed: it cannot load, for the target is locked.
fn busy(place: &Place) -> (Running, Connection) {
    place.append("access.log", hit("b"));
    let target = Connection::open(place.path("counts.db")).unwrap();
    target.execute_batch("BEGIN IMMEDIATE").unwrap();
    let run = Running::start(place.command(""));
    until("the iteration is sealed", || {
        let states = place.database(STORE)?;
        states.query_row("SELECT 1 FROM iterations WHERE state = 'sealed'", [], |_| Ok(())).ok()
    });
    (run, target)
}

#[test]
fn iterations_are_listed_and_shown_in_full() {
    let place = two_iterations();
    let listing = place.succeed("iterations").stdout;
    assert!(listing.contains("iteration  state") && listing.lines().count() == 3, "{listing}");
    let last = place.succeed("iterations --last 1").stdout;
    assert!(last.starts_with("… 1 iteration before these\n"), "{last}");
    let shown = place.succeed("iterations 0").stdout;
    for part in
        ["is done", "by", "access.log", "0..", "hosts", "first time", "counts.db?table=counts", "loaded", "operator"]
    {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    let object = told(&place, "iterations 1");
    assert_eq!((&object["state"], &object["ranges"][0]["records"]), (&json!("done"), &json!(1)));
    assert_eq!((&object["tables"][0]["changed"], &object["outputs"][0]["loaded"]), (&json!(false), &json!(true)));
    let text = place.refused("iterations 7", 2);
    assert!(text.contains("access_log_counts has no iteration 7"), "{text}");
}

#[test]
fn a_replay_verifies_shows_and_brings_rows_elsewhere_but_never_where_they_are() {
    let place = two_iterations();
    let before = (place.text("counts.db"), place.text("bad_lines.csv"), place.names());
    for _ in 0..2 {
        let replayed = told(&place, "replay 0..1");
        let [first, second] = [0, 1].map(|index| replayed["replayed"][index].clone());
        assert_eq!((&first["ports"][0]["rows"], &second["ports"][0]["rows"]), (&json!(3), &json!(1)));
        for output in [&first["outputs"][0], &first["outputs"][1], &second["outputs"][0]] {
            assert_eq!(output["same"], json!(true), "{replayed}");
        }
    }
    assert_eq!((place.text("counts.db"), place.text("bad_lines.csv"), place.names()), before);
    let shown = place.succeed("replay 0 --counts stdout:");
    assert!(shown.stdout.contains("a") && shown.stderr.contains("its records are as they were sealed"), "{shown:?}");
    place.succeed("replay 0 --counts sqlite:copy.db?mode=replace");
    assert_eq!(place.counts("copy.db"), counted(&[("a", 1), ("b", 1)]));
    let text = place.refused("replay 1 --counts sqlite:./counts.db --yes", 2);
    assert!(text.contains("does not keep which of its rows are of which iteration"), "{text}");
    let text = place.refused("replay 0..1 --counts sqlite:other.db?mode=replace", 2);
    assert!(text.contains("several iterations cannot be replayed into one target"), "{text}");
    assert_eq!(place.counts("counts.db"), counted(&[("-", 1), ("a", 2), ("b", 1)]));
}

#[test]
fn a_replay_in_place_asks_before_it_replaces_the_rows_of_an_iteration() {
    let place = Place::new(PROGRAM);
    place.write("hosts.txt", "a\nb\n");
    let counts = "--counts sqlite:marked.db?table=counts&mode=append&iteration_column=flow_iteration";
    for host in ["a", "b"] {
        place.append("access.log", hit(host));
        place.succeed(counts);
    }
    let rows = || {
        let database = place.database("marked.db").unwrap();
        let mut statement = database.prepare("SELECT * FROM counts ORDER BY flow_iteration, ip").unwrap();
        let row = |row: &rusqlite::Row<'_>| {
            Ok(format!("{} {:?} {}", row.get::<_, i64>(2)?, row.get::<_, Option<String>>(0)?, row.get::<_, i64>(1)?))
        };
        statement.query_map([], row).unwrap().collect::<Result<Vec<_>, _>>().unwrap()
    };
    let before = rows();
    assert_eq!(before, ["0 None 1", r#"0 Some("a") 1"#, "1 None 1", r#"1 Some("b") 1"#]);
    place.write("hosts.txt", "a\n");
    let refused = place.run(&format!("replay 1 {counts}"));
    let expected = "replaces what counts has of iteration 1: 2 rows in sqlite:marked.db";
    assert!(refused.stderr.contains(expected) && refused.stderr.contains("nobody is there to be asked"), "{refused:?}");
    assert_eq!(refused.code, Some(2));
    assert_eq!(rows(), before);
    let done = place.succeed(&format!("replay 1 {counts} --yes")).stderr;
    assert!(done.contains("in the place of 2 in sqlite:marked.db"), "{done}");
    assert_eq!(rows(), ["0 None 1", r#"0 Some("a") 1"#, "1 None 1"]);
    // Of several each takes the place of its own.
    let replayed = told(&place, &format!("replay 0..1 {counts} --yes"));
    let [first, second] = [0, 1].map(|index| replayed["replayed"][index]["ports"][2]["rows_replaced"].clone());
    assert_eq!((first, second), (json!(2), json!(1)), "{replayed}");
    assert_eq!(rows(), [r#"0 Some("a") 1"#, "1 None 1"]);
}

#[test]
fn a_replay_tells_what_has_changed_and_what_is_gone() {
    let place = two_iterations();
    place.write("hosts.txt", "a\nb\nc\n");
    let told_text = place.succeed("replay 1").stderr;
    assert!(told_text.contains("changed since: it had 2 records"), "{told_text}");
    fs::create_dir(place.path("archive")).unwrap();
    fs::rename(place.path("access.log"), place.path("archive/access.log")).unwrap();
    place.write("access.log", hit("z"));
    let text = place.refused("replay 1", 1);
    assert!(text.contains("what iteration 1 has read is not there any more") && text.contains("1 record"), "{text}");
    place.succeed("replay 1 --log file:archive/*");
    let text = place.refused("replay 5", 2);
    assert!(text.contains("has no sealed iteration 5"), "{text}");
}

#[test]
fn staged_rows_that_were_lost_are_staged_anew_and_loaded_once() {
    let place = two_iterations();
    seal_a_third(&place);
    fs::remove_dir_all(place.path(STAGING)).unwrap();
    let text = place.refused("", 3);
    assert!(text.contains("the staged rows are not those that were sealed"), "{text}");
    assert_eq!(told(&place, "restage 2")["nothing_lost"], json!(false));
    assert_eq!(told(&place, "restage 2")["nothing_lost"], json!(true), "the second time");
    assert_eq!(place.counts("counts.db"), counted(&[("-", 1), ("a", 2), ("b", 1)]));
    assert_eq!(told(&place, "")["resumed"], json!([2]));
    assert_eq!(place.counts("counts.db"), counted(&[("-", 2), ("a", 2), ("b", 2)]));
    let text = place.refused("restage 2", 2);
    assert!(text.contains("is in its targets already"), "{text}");
}

#[test]
fn rows_that_are_others_now_are_taken_only_when_accepted() {
    let place = two_iterations();
    seal_a_third(&place);
    fs::remove_dir_all(place.path(STAGING)).unwrap();
    place.write("hosts.txt", "b\nc\nd\n");
    for _ in 0..2 {
        let text = place.refused("restage 2", 3);
        assert!(text.contains("other rows than were sealed") && text.contains("hosts"), "{text}");
    }
    place.succeed("restage 2 --accept-changed");
    place.succeed("");
    assert_eq!(place.counts("counts.db"), counted(&[("-", 3), ("a", 2), ("b", 2)]));
}

/// A reset with `typed` for an answer.
fn reset_answered(place: &Place, typed: &str) -> Ended {
    let mut command = place.command("reset");
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(typed.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    Ended { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
}

#[test]
fn a_reset_asks_says_what_it_means_and_has_everything_read_again() {
    let place = two_iterations();
    for wrong in ["", "yes\n"] {
        let refused = reset_answered(&place, wrong);
        assert_eq!(refused.code, Some(2), "{refused:?}");
        assert!(refused.stderr.contains("every run is held until"), "{refused:?}");
        assert!(refused.stderr.contains("nothing was changed"), "{refused:?}");
    }
    let done = reset_answered(&place, "access_log_counts\n");
    assert_eq!(done.code, Some(0), "{done:?}");
    let text = place.refused("reset --yes", 2).replace('\n', " ");
    assert!(text.contains("nothing to reset"), "{text}");
    let listing = place.succeed("iterations").stdout;
    assert!(listing.contains("2 iterations from before the reset"), "{listing}");

    assert!(place.refused("", 3).contains("another checkpoint store"));
    place.succeed("forget --all --empty --yes");
    place.succeed("");
    assert_eq!(place.counts("counts.db"), counted(&[("a", 2), ("b", 1)]));
    assert_eq!(place.text("bad_lines.csv").matches("bad").count(), 1);
}

#[test]
fn a_reset_throws_a_sealed_iteration_away_only_by_force() {
    let place = two_iterations();
    seal_a_third(&place);
    let refused = place.run("reset --yes");
    assert_eq!(refused.code, Some(3), "{refused:?}");
    assert!(refused.stderr.contains("iteration 2 is sealed"), "{refused:?}");
    assert_eq!(told(&place, "reset --yes --force")["thrown_away"], json!([2]));
    place.succeed("forget --all --empty --yes");
    place.succeed("");
    assert_eq!(place.counts("counts.db"), counted(&[("a", 2), ("b", 2)]));
}

#[test]
fn a_clean_up_lists_and_removes_and_finds_nothing_the_second_time() {
    let place = two_iterations();
    fs::create_dir_all(place.path(STAGING).join("9-dead")).unwrap();
    fs::write(place.path(STAGING).join("9-dead/counts.rows"), "0123456789").unwrap();
    place.succeed("reset --yes");
    let dry = told(&place, "clean --dry-run");
    assert_eq!(dry["staged"], json!([{ "attempt": "9-dead", "bytes": 10 }]));
    assert_eq!(dry["former_epochs"][0]["iterations"], json!(2));
    assert!(place.path(STAGING).join("9-dead").exists());
    let text = place.succeed("clean").stderr;
    assert!(text.contains("removed staged rows of 9-dead: 10 B") && text.contains("from before the reset"), "{text}");
    assert!(!place.path(STAGING).join("9-dead").exists());
    assert_eq!(place.succeed("clean").stderr, "nothing to remove\n0 B freed\n");
    assert_eq!(place.succeed("iterations --all").stdout, "no iterations of access_log_counts yet\n");
}

#[test]
fn old_iterations_are_forgotten_and_the_flow_goes_on() {
    let place = two_iterations();
    for host in ["a", "b"] {
        place.append("access.log", hit(host));
        place.succeed("");
    }
    assert_eq!(told(&place, "clean --keep 1")["iterations"], json!([1, 2]), "the trap's ledger goes by 0");
    place.append("access.log", "bad\n".to_owned() + &hit("a"));
    place.succeed("");
    assert_eq!(place.counts("counts.db"), counted(&[("-", 4), ("a", 4), ("b", 2)]));
    assert_eq!(place.text("bad_lines.csv").matches("bad,").count(), 2);
}

#[test]
fn while_a_run_is_under_way_it_is_left_alone() {
    let place = two_iterations();
    let (run, target) = busy(&place);
    for refused in ["restage 2", "reset --yes --force"] {
        let ended = place.run(refused);
        assert_eq!(ended.code, Some(4), "{refused}: {ended:?}");
        assert!(ended.stderr.contains("another run of `access_log_counts` is under way"), "{ended:?}");
    }
    let staged = fs::read_dir(place.path(STAGING)).unwrap().count();
    assert_eq!(place.succeed("clean --keep 1").code, Some(0));
    assert_eq!(fs::read_dir(place.path(STAGING)).unwrap().count(), staged);
    place.succeed("replay 0");
    drop(target);
    let ended = run.end();
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert_eq!(place.counts("counts.db"), counted(&[("-", 2), ("a", 2), ("b", 2)]));
}

#[test]
fn without_a_store_there_is_nothing_to_do_and_none_is_made() {
    let place = Place::new(PROGRAM);
    place.write("hosts.txt", "a\n");
    for command in ["iterations", "replay 0", "restage 0", "clean"] {
        let text = place.refused(command, 1);
        assert!(text.contains("there is no checkpoint store"), "{command}: {text}");
        let text = place.refused(&format!("{command} --checkpoint none"), 2);
        assert!(text.contains("without a checkpoint store"), "{command}: {text}");
    }
    assert!(place.refused("reset --yes", 1).contains("there is no checkpoint store"));
    assert_eq!(place.names(), ["hosts.txt"]);
}
