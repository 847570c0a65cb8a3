//! Targets that cannot take what a flow has for them: told before anything is read, or loaded by a later run, once.

use std::fs;

use flow_tests::program::{Place, counted, hit};

const PROGRAM: &str = env!("CARGO_BIN_EXE_count_hits");

/// A folder with a log of `a`, `b`, `a`, a bad line, and a list of `a`, `b`.
fn place() -> Place {
    let place = Place::new(PROGRAM);
    place.write("access.log", hit("a") + &hit("b") + &hit("a") + "bad\n");
    place.write("hosts.txt", "a\nb\n");
    place
}

/// What [`place`] holds comes to this.
fn whole() -> Vec<(Option<String>, i64)> {
    counted(&[("a", 2), ("b", 1)])
}

#[test]
fn a_target_that_cannot_be_is_told_before_anything_is_read() {
    let place = place();
    fs::create_dir(place.path("folder")).unwrap();
    for (counts, port, says) in [
        ("--counts sqlite:missing/c.db", "counts", &["missing/c.db", "make the directory first"][..]),
        ("--counts file:missing/c.csv?mode=append", "counts", &["missing/c.csv", "make the directory first"]),
        ("--counts sqlite:folder", "counts", &["folder", "not a regular file"]),
        ("--counts file:folder?mode=append", "counts", &["folder", "not a regular file"]),
        ("--counts file:/dev/full?mode=append", "counts", &["/dev/full", "not a regular file"]),
        ("--counts sqlite:/proc/c.db", "counts", &["/proc/c.db"]),
        ("--counts sqlite:bad.db", "counts", &["bad.db", "not a database", "the path of a SQLite file"]),
        ("--bad-lines file:missing/bad.csv", "bad_lines", &["missing/bad.csv", "make the directory first"]),
    ] {
        place.write(
            "bad.db",
            "this is text, and more of it than the header of a database would have bytes, or so".repeat(9),
        );
        let text = place.refused(counts, 1);
        let port = format!("port `{port}`");
        for part in says.iter().chain(&[port.as_str()]) {
            assert!(text.contains(part), "{counts}: {part:?} is not in {text}");
        }
    }
    // No store was made, so no iteration was begun.
    assert_eq!(place.names(), ["access.log", "bad.db", "folder", "hosts.txt"]);
    place.succeed("");
    assert_eq!(place.counts("counts.db"), whole());
}

#[test]
fn a_table_of_another_shape_is_told_with_both_shapes_and_left_alone() {
    for (shape, says) in [
        (
            "TABLE counts (a INT, b TEXT)",
            r#"expected ("ip" varchar(100), "count" INTEGER NOT NULL), found (a INT, b TEXT)"#,
        ),
        ("TABLE counts (ip TEXT, count INT, extra INT)", "found (ip TEXT, count INT, extra INT)"),
        ("TABLE counts (ip TEXT NOT NULL, count INT)", "found (ip TEXT NOT NULL, count INT)"),
        ("VIEW counts AS SELECT 'a' AS ip, 1 AS count", "is no table"),
    ] {
        let place = place();
        place.sql("counts.db", &format!("CREATE {shape}"));
        let text = place.refused("", 1);
        assert!(text.contains("port `counts`, counts.db, table counts") && text.contains(says), "{text}");
        place.sql("counts.db", &format!("DROP {}", shape.split(' ').take(2).collect::<Vec<_>>().join(" ")));
        place.succeed("");
        assert_eq!(place.counts("counts.db"), whole());
    }
}

#[test]
fn a_table_of_the_same_shape_in_other_words_is_taken() {
    let place = place();
    place.sql(
        "counts.db",
        "CREATE TABLE counts (COUNT bigint NOT NULL, IP varchar(9)); INSERT INTO counts VALUES (5, 'a')",
    );
    place.succeed("");
    assert_eq!(place.counts("counts.db"), counted(&[("a", 7), ("b", 1)]));
}

#[test]
fn a_locked_target_is_loaded_by_the_next_run_once() {
    let place = place();
    let other = rusqlite::Connection::open(place.path("counts.db")).unwrap();
    other.execute_batch("CREATE TABLE theirs (x); BEGIN IMMEDIATE").unwrap();
    let text = place.refused("", 1);
    for part in ["port `counts`", "counts.db", "database is locked", "run again, what is sealed is loaded then"] {
        assert!(text.contains(part), "{text}");
    }
    assert_eq!(place.counts("counts.db"), []);
    other.execute_batch("COMMIT").unwrap();

    place.append("access.log", hit("b"));
    let told = place.succeed("").stderr;
    assert!(
        told.starts_with("iteration 0 of an earlier run had been sealed, and is published now\niteration 1 done"),
        "{told}"
    );
    assert_eq!(place.counts("counts.db"), counted(&[("-", 1), ("a", 2), ("b", 2)]));
    assert_eq!(place.text("bad_lines.csv").lines().count(), 1);
}

#[test]
fn a_table_that_forbids_a_row_has_none_until_it_is_mended_and_then_all_once() {
    let place = place();
    place.sql("counts.db", "CREATE TABLE counts (ip TEXT, count INTEGER NOT NULL CHECK (count < 2))");
    for _ in 0..2 {
        let text = place.refused("", 1);
        assert!(text.contains("port `counts`") && text.contains("CHECK constraint failed: count < 2"), "{text}");
        assert_eq!(place.counts("counts.db"), []);
    }
    // What is sealed goes where it was to go.
    let text = place.refused("--counts sqlite:other.db", 3);
    assert!(text.contains("iteration 0 was sealed") && text.contains("with the former address"), "{text}");
    place.sql("counts.db", "DROP TABLE counts");
    let told = place.succeed("").stderr;
    assert!(told.contains("is published now\nnothing new: no source has another record ("), "{told}");
    assert_eq!(place.counts("counts.db"), whole());
}

#[test]
fn rows_of_one_key_twice_are_not_merged_into() {
    let place = place();
    place.sql(
        "counts.db",
        "CREATE TABLE counts (ip TEXT, count INTEGER NOT NULL); INSERT INTO counts VALUES ('a', 1), ('a', 2)",
    );
    let text = place.refused("", 1);
    assert!(text.contains("several rows of one key"), "{text}");
    place.sql("counts.db", "DELETE FROM counts WHERE count = 2");
    place.succeed("");
    assert_eq!(place.counts("counts.db"), counted(&[("a", 3), ("b", 1)]));
}

#[test]
fn a_file_of_trapped_lines_may_be_taken_away() {
    let place = place();
    place.succeed("");
    assert!(place.text("bad_lines.csv").starts_with("bad,log,access.log,"));
    fs::remove_file(place.path("bad_lines.csv")).unwrap();
    place.append("access.log", "worse\n".to_owned() + &hit("a"));
    place.succeed("");
    assert!(place.text("bad_lines.csv").starts_with("worse,log,access.log,"));
    assert_eq!(place.text("bad_lines.csv").lines().count(), 1);
    assert_eq!(place.counts("counts.db"), counted(&[("-", 1), ("a", 3), ("b", 1)]));
}

#[test]
fn a_file_that_was_cut_is_held_until_it_is_back_or_away() {
    let place = place();
    place.succeed("");
    let trapped = place.text("bad_lines.csv");
    for remedy in ["back", "away"] {
        place.write("bad_lines.csv", &trapped[..5]);
        place.append("access.log", "worse\n");
        let text = place.refused("", 3);
        assert!(text.contains("port `bad_lines`, bad_lines.csv") && text.contains("has lost rows"), "{text}");
        match remedy {
            "back" => place.write("bad_lines.csv", &trapped),
            _ => fs::remove_file(place.path("bad_lines.csv")).unwrap(),
        }
        place.succeed("");
        let expected = if remedy == "back" { 2 } else { 1 };
        assert_eq!(place.text("bad_lines.csv").lines().count(), expected, "{remedy}");
    }
}

// What a message advises is done here word for word, and must help.

#[test]
fn a_target_that_forgot_an_iteration_is_held_and_the_advice_helps() {
    let place = place();
    place.succeed("");
    fs::rename(place.path("counts.db"), place.path("away.db")).unwrap();
    place.append("access.log", hit("b"));
    for _ in 0..2 {
        let text = place.refused("", 3);
        assert!(text.contains("port `counts`") && text.contains("lacks an iteration"), "{text}");
        assert!(text.contains("back as they were, together; or") && text.contains("the option from=1"), "{text}");
        assert_eq!(place.counts("counts.db"), []);
    }
    let goes_on = "--counts sqlite:counts.db?table=counts&from=1";
    place.succeed(goes_on);
    assert_eq!(place.counts("away.db"), whole());
    assert_eq!(place.counts("counts.db"), counted(&[("-", 1), ("b", 1)]));
    place.append("access.log", hit("a"));
    place.succeed(goes_on);
    assert_eq!(place.counts("counts.db"), counted(&[("-", 2), ("a", 1), ("b", 1)]));
}

#[test]
fn a_target_ahead_of_a_store_of_yesterday_is_held_and_the_advice_helps() {
    let place = place();
    place.succeed("");
    fs::copy(place.path("access_log_counts.flow.db"), place.path("yesterday.db")).unwrap();
    place.append("access.log", hit("b"));
    place.succeed("");
    for _ in 0..2 {
        let text = place.refused("--checkpoint sqlite:yesterday.db", 3);
        assert!(text.contains("port `counts`") && text.contains("ahead of the checkpoint store"), "{text}");
        assert!(text.contains("put target and checkpoint store back as they were, together; or"), "{text}");
        assert!(text.contains(&format!("empty it, {}, and give a new --checkpoint", forget("counts"))), "{text}");
    }
    assert!(place.succeed("").stderr.starts_with("nothing new"), "as they were, together");

    place.sql("counts.db", &format!("DELETE FROM counts; {}", forget("counts")));
    let text = place.refused("--checkpoint sqlite:new.db", 3);
    assert!(text.contains("port `bad_lines`") && text.contains("another checkpoint store"), "{text}");
    assert!(text.contains("empty it, remove bad_lines.csv.flow, and run again"), "{text}");
    place.write("bad_lines.csv", "");
    fs::remove_file(place.path("bad_lines.csv.flow")).unwrap();
    place.succeed("--checkpoint sqlite:new.db");
    assert_eq!(place.counts("counts.db"), counted(&[("a", 2), ("b", 2)]));
    assert_eq!(place.text("bad_lines.csv").lines().count(), 1);
}

/// What makes the ledger of a database forget a port.
fn forget(port: &str) -> String {
    format!("DELETE FROM flow_ledger WHERE flow = 'access_log_counts' AND port = '{port}'")
}

#[test]
fn a_lost_store_is_noticed_by_the_targets_and_the_advice_helps() {
    let place = place();
    place.succeed("--bad-lines sqlite:bad.db");
    fs::remove_file(place.path("access_log_counts.flow.db")).unwrap();
    for (database, table) in [("counts.db", "counts"), ("bad.db", "bad_lines")] {
        let text = place.refused("--bad-lines sqlite:bad.db", 3);
        assert!(text.contains(&format!("port `{table}`")) && text.contains("another checkpoint store"), "{text}");
        assert!(text.contains(&format!("empty it, {}, and run again", forget(table))), "{text}");
        place.sql(database, &format!("DELETE FROM {table}; {}", forget(table)));
    }
    place.succeed("--bad-lines sqlite:bad.db");
    assert_eq!(place.counts("counts.db"), whole());
}
