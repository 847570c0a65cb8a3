//! Targets that cannot take rows, or whose ledgers disagree with the store.

use std::fs;

use flow_tests::program::hit;

use super::{STORE, check, finds, notes, place};

#[test]
fn a_target_whose_folder_is_missing_is_found() {
    finds(&place(), "--counts sqlite:missing/c.db", 1, &["(port `counts`, missing/c.db)", "make the directory first"]);
}

#[test]
fn a_target_that_cannot_be_written_is_found() {
    finds(&place(), "--counts sqlite:/proc/c.db", 1, &["cannot write the database (port `counts`, /proc/c.db)"]);
}

#[test]
fn a_target_that_is_something_else_is_found() {
    let place = place();
    fs::create_dir(place.path("folder")).unwrap();
    finds(&place, "--bad-lines file:folder", 1, &["not a regular file (port `bad_lines`, folder)"]);
    let text = "this is text, and more of it than the header of a database would have bytes, or so".repeat(9);
    place.write("bad.db", text);
    finds(&place, "--counts sqlite:bad.db", 1, &["file is not a database", "give the path of a SQLite file"]);
}

#[test]
fn a_table_of_other_columns_or_types_is_found() {
    for (shape, found) in [
        ("TABLE counts (ip TEXT, hits INTEGER)", "found (ip TEXT, hits INTEGER)"),
        ("TABLE counts (ip TEXT, count TEXT)", "found (ip TEXT, count TEXT)"),
        ("TABLE counts (ip TEXT NOT NULL, count INTEGER)", "found (ip TEXT NOT NULL, count INTEGER)"),
        ("VIEW counts AS SELECT 'a' AS ip, 1 AS count", "is no table"),
    ] {
        let place = place();
        place.sql("counts.db", &format!("CREATE {shape}"));
        finds(&place, "", 1, &["(port `counts`, counts.db, table counts)", found]);
    }
}

#[test]
fn a_mode_that_does_not_fit_is_found() {
    finds(&place(), "--counts file:c.csv?mode=merge", 2, &["a file cannot be merged into (port `counts`"]);
    finds(&place(), "--counts file:c.csv?mode=add", 2, &["there is no mode `add` (port `counts`"]);
    let place = place();
    place.write("c.csv", "there\n");
    let appends = "--counts file:c.csv?mode=append --checkpoint none";
    finds(&place, appends, 1, &["there are rows already", "(port `counts`, c.csv)"]);
}

#[test]
fn outputs_that_lie_on_one_another_are_found() {
    finds(&place(), "--bad-lines file:access.log", 2, &["would write to what port `log` reads"]);
}

#[test]
fn a_ledger_that_lacks_an_iteration_is_found() {
    let place = place();
    place.succeed("");
    fs::remove_file(place.path("counts.db")).unwrap();
    finds(
        &place,
        "",
        3,
        &["lacks an iteration", "(port `counts`", "it has no iteration, the checkpoint store iteration 0"],
    );
}

#[test]
fn a_ledger_that_is_ahead_is_found() {
    let place = place();
    place.succeed("--bad-lines stdout:");
    fs::copy(place.path(STORE), place.path("yesterday.db")).unwrap();
    place.append("access.log", hit("b"));
    place.succeed("--bad-lines stdout:");
    let yesterday = "--checkpoint sqlite:yesterday.db --bad-lines stdout:";
    finds(&place, yesterday, 3, &["ahead of the checkpoint store (port `counts`", "it has iteration 1"]);
}

#[test]
fn a_ledger_of_another_store_is_found_at_every_target() {
    let place = place();
    place.succeed("");
    let said = check(&place, "--checkpoint sqlite:new.db", 3);
    for (line, port) in said.iter().zip(["counts", "bad_lines"]) {
        assert!(line.contains("another checkpoint store") && line.contains(&format!("port `{port}`")), "{line}");
    }
    assert_eq!(said.len(), 3, "{said:?}");
    assert_eq!(place.run("--checkpoint sqlite:new.db").code, Some(3));
}

#[test]
fn a_file_that_has_lost_rows_is_found() {
    let place = place();
    place.succeed("");
    let trapped = place.text("bad_lines.csv");
    place.write("bad_lines.csv", &trapped[..5]);
    place.append("access.log", "worse\n");
    let lengths = format!("it has 5 bytes, published were {}", trapped.len());
    finds(&place, "", 3, &["the file has lost rows (port `bad_lines`, bad_lines.csv)", &lengths]);
}

/// Has iteration 0 sealed, and not loaded: a rule of the table refuses its rows.
fn sealed() -> flow_tests::program::Place {
    let place = place();
    place.sql("counts.db", "CREATE TABLE counts (ip TEXT, count INTEGER NOT NULL CHECK (count < 2))");
    assert_eq!(place.run("").code, Some(1));
    place
}

#[test]
fn an_iteration_that_is_sealed_and_waits_is_noted() {
    let place = sealed();
    place.sql("counts.db", "DROP TABLE counts");
    notes(&place, "", &["iteration 0 is sealed and not yet in all its targets"]);
}

#[test]
fn a_sealed_iteration_that_does_not_fit_the_address_or_the_mode_is_found() {
    let place = sealed();
    finds(
        &place,
        "--counts sqlite:other.db",
        3,
        &["iteration 0 was sealed", "staged for sqlite:", "the former address"],
    );
    finds(&place, "--counts sqlite:counts.db?mode=append", 3, &["staged for mode Merge, the port now has Append"]);
}

#[test]
fn staged_rows_that_are_lost_are_found() {
    let place = sealed();
    let area = place.path(&format!("{STORE}.staging/access_log_counts"));
    let attempt = fs::read_dir(area).unwrap().next().unwrap().unwrap().path();
    let file = fs::read_dir(attempt)
        .unwrap()
        .map(|file| file.unwrap().path())
        .find(|file| file.to_string_lossy().contains("/counts"));
    fs::remove_file(file.expect("rows for the counts")).unwrap();
    finds(&place, "", 3, &["not those that were sealed (port `counts`", "the file is missing"]);
}
