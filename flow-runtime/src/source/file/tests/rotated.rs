//! Files that are rotated, renamed, replaced and truncated.

use super::*;

#[test]
fn a_renamed_file_keeps_its_position_and_its_successor_is_new() {
    let mut folder = Folder::new("a.log*");
    folder.write("a.log", "one\n");
    folder.read();
    folder.append("a.log", "two\n");
    folder.rename("a.log", "a.log.1");
    folder.write("a.log", "three\n");
    assert_eq!(folder.read(), texts([("a.log.1", "two\n"), ("a.log", "three\n")]));
    assert!(folder.known[0].name.ends_with("a.log.1"));
    assert_eq!(folder.read(), []);
}

#[test]
fn a_file_that_is_renamed_to_what_the_address_does_not_mean_is_read_on_in_its_folder() {
    let mut folder = Folder::new("a.log");
    folder.write("a.log", "one\n");
    folder.read();
    folder.append("a.log", "two\n");
    folder.rename("a.log", "a-yesterday");
    folder.write("a.log", "three\n");
    assert_eq!(folder.read(), texts([("a-yesterday", "two\n"), ("a.log", "three\n")]));
    folder.rename("a-yesterday", "a-long-ago");
    folder.append("a-long-ago", "late\n");
    assert_eq!(folder.read(), texts([("a-long-ago", "late\n")]));
}

#[test]
fn a_file_that_the_address_does_not_mean_any_more_is_left_alone() {
    let mut folder = Folder::new("a.log");
    folder.write("a.log", "one\n");
    folder.read();
    folder.append("a.log", "two\n");
    folder.tap = tap(&format!("file:{}", folder.path("b.log").display()));
    assert!(folder.shards().unwrap_err().to_string().contains("No such file"));
    folder.write("b.log", "three\n");
    assert_eq!(folder.read(), texts([("b.log", "three\n")]));
}

#[test]
fn a_rotated_file_is_followed_while_the_address_names_nothing() {
    let mut folder = Folder::new("a.log");
    folder.write("a.log", "one\n");
    folder.read();
    folder.rename("a.log", "a.log.1");
    for text in ["two\n", "three\n"] {
        folder.append("a.log.1", text);
        assert_eq!(folder.read(), texts([("a.log.1", text)]));
    }
    folder.write("a.log", "four\n");
    assert_eq!(folder.read(), texts([("a.log", "four\n")]));
}

#[test]
fn a_file_that_leaves_its_folder_is_left_alone() {
    let mut folder = Folder::new("*.log");
    folder.write("a.log", "one\n");
    folder.read();
    folder.append("a.log", "two\n");
    fs::create_dir(folder.path("done")).unwrap();
    folder.rename("a.log", "done/a.log");
    assert_eq!(folder.read(), []);
}

#[test]
fn what_is_rotated_by_copying_and_truncating_is_read_once() {
    for address in ["a.log*", "a.log"] {
        let mut folder = Folder::new(address);
        folder.write("a.log", lines("old", 3000));
        folder.read();
        folder.append("a.log", "last\n");
        folder.copy("a.log", "a.log.1");
        folder.write("a.log", "new\n");
        assert_eq!(folder.read(), texts([("a.log.1", "last\n"), ("a.log", "new\n")]), "{address}");
        // Longer than it was when it was truncated.
        folder.append("a.log", lines("new", 9000));
        assert_eq!(folder.read(), texts([("a.log", &lines("new", 9000))]));

        folder.rename("a.log.1", "a.log.2");
        folder.copy("a.log", "a.log.1");
        folder.write("a.log", "");
        assert_eq!(folder.read(), []);
        folder.write("a.log", "newer\n");
        assert_eq!(folder.read(), texts([("a.log", "newer\n")]));
    }
}

#[test]
fn a_file_of_which_nothing_was_read_is_never_held() {
    let mut folder = Folder::new("a.log*");
    folder.write("a.log", "a line without an end");
    assert_eq!(folder.read(), []);
    folder.copy("a.log", "a.log.1");
    folder.append("a.log.1", "\n");
    folder.write("a.log", "new\n");
    assert_eq!(folder.read(), texts([("a.log.1", "a line without an end\n"), ("a.log", "new\n")]));
}

#[test]
fn a_file_that_begins_again_as_it_did_when_it_was_rotated_is_another() {
    let mut folder = Folder::new("a.csv*");
    for iteration in 0..3 {
        let text = format!("header\nrow {iteration}\n");
        folder.write("a.csv", "header\n");
        folder.read();
        folder.write("a.csv", &text);
        assert_eq!(folder.read(), texts([("a.csv", &format!("row {iteration}\n"))]));
        folder.copy("a.csv", &format!("a.csv.{iteration}"));
        folder.write("a.csv", "");
        assert_eq!(folder.read(), []);
    }
}

#[test]
fn a_copy_waits_while_what_it_is_a_copy_of_is_there() {
    let mut folder = Folder::new("a.log*");
    let old = lines("old", 3000);
    folder.write("a.log", &old);
    folder.read();
    // It is still being copied.
    folder.write("a.log.1", &old[..2000]);
    assert_eq!(folder.read(), []);
    folder.append("a.log.1", &old[2000..]);
    assert_eq!(folder.read(), []);
    folder.write("a.log", "new\n");
    assert_eq!(folder.read(), texts([("a.log", "new\n")]));
}

#[test]
fn a_file_that_only_begins_like_another_is_read() {
    let mut folder = Folder::new("a.log*");
    let preamble = lines("preamble", 2000);
    folder.write("a.log", format!("{preamble}{}", lines("a", 2000)));
    folder.read();
    let other = format!("{preamble}other\n");
    folder.write("a.log.extra", &other);
    assert_eq!(folder.read(), [], "it may become a copy");
    folder.age("a.log.extra");
    assert_eq!(folder.read(), texts([("a.log.extra", &other)]));
}

#[test]
fn a_file_that_is_replaced_by_another_is_new_and_one_that_is_replaced_by_itself_is_known() {
    let mut folder = Folder::new("a.log");
    folder.write("a.log", "one\ntwo\n");
    folder.read();
    folder.write("new", "three\n");
    folder.rename("new", "a.log");
    assert_eq!(folder.read(), texts([("a.log", "three\n")]));
    // As an editor saves it.
    folder.write("new", "three\nfour\n");
    folder.rename("new", "a.log");
    assert_eq!(folder.read(), texts([("a.log", "four\n")]));
    assert_eq!(folder.read(), []);
}

#[test]
fn a_file_that_is_restored_from_a_copy_is_known() {
    let mut folder = Folder::new("*.log");
    folder.write("a.log", lines("a", 5000));
    folder.read();
    folder.copy("a.log", "backup");
    folder.remove("a.log");
    assert_eq!(folder.read(), []);
    folder.rename("backup", "a.log");
    folder.append("a.log", "more\n");
    assert_eq!(folder.read(), texts([("a.log", "more\n")]));
}

#[test]
fn a_file_that_equals_one_that_is_gone_or_there_is_read_under_a_name_of_its_own() {
    let mut folder = Folder::new("*");
    folder.write("a.json", "ok\n");
    folder.write("part.1", "ok\n");
    assert_eq!(folder.read(), texts([("a.json", "ok\n"), ("part.1", "ok\n")]));
    folder.remove("a.json");
    folder.write("b.json", "ok\n");
    folder.write("part.10", "ok\n");
    assert_eq!(folder.read(), texts([("b.json", "ok\n"), ("part.10", "ok\n")]));
}

#[test]
fn a_file_with_the_same_beginning_but_other_records_is_no_successor() {
    let mut folder = Folder::new("*.log");
    let preamble = lines("preamble", 2000);
    folder.write("a.log", format!("{preamble}{}", lines("a", 2000)));
    folder.read();
    folder.remove("a.log");
    let other = format!("{preamble}{}", lines("b", 4000));
    folder.write("b.log", &other);
    assert_eq!(folder.read(), texts([("b.log", &other)]));
}

#[test]
fn a_shrunk_or_changed_file_is_held() {
    let mut folder = Folder::new("a.log");
    let long = "line\n".repeat(1000);
    folder.write("a.log", &long);
    folder.read();
    folder.write("a.log", &long[..2000]);
    assert!(folder.held().contains("it was read to byte 5000, now it has 2000 bytes"), "{}", folder.held());
    for (other, says) in
        [("", "has shrunk"), ("other\n", "has shrunk"), (&long.replace("line", "LINE"), "begins differently")]
    {
        folder.write("a.log", other);
        assert!(folder.held().contains(says), "{}", folder.held());
    }
}

#[test]
fn a_gap_that_is_accepted_goes_on_at_the_beginning_or_the_end_of_the_same_shard() {
    for (gaps, from) in [(Gaps::FromBeginning, "3"), (Gaps::FromEnd, "7")] {
        let mut folder = Folder::new("a.log");
        folder.write("a.log", lines("old", 5000));
        folder.read();
        folder.write("a.log", "\u{feff}new\n");
        let survey = folder.tap.survey(&folder.known, gaps, 0).unwrap();
        let [Ok(shard)] = &survey[..] else { panic!("{survey:?}") };
        assert_eq!((shard.from.as_str(), &shard.shard.id), (from, &folder.known[0].id));
    }
}

#[test]
fn a_survey_tells_all_that_is_wrong() {
    let mut folder = Folder::new("*.log");
    for name in ["a.log", "b.log", "c.log"] {
        folder.write(name, lines(name, 2000));
    }
    folder.read();
    folder.write("a.log", "");
    folder.write("c.log", "short\n");
    let survey = folder.tap.survey(&folder.known, Gaps::Refuse, 0).unwrap();
    let wrong: Vec<String> = survey.into_iter().filter_map(Result::err).map(|error| error.to_string()).collect();
    assert!(wrong.len() == 2 && wrong[0].contains("a.log") && wrong[1].contains("c.log"), "{wrong:?}");
}
