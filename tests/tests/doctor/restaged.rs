//! What was staged for a sealed iteration and cannot be published is staged again.

use std::fs;

use flow_tests::program::{counted, hit};

use super::{
    STORE, cure, diagnosed, paste,
    sealed::{both, sealed},
};

/// The flow with another field in its sink, and without its trap.
const SIZED: &str = env!("CARGO_BIN_EXE_count_hits_sized");

#[test]
fn staged_rows_that_are_lost_or_damaged_are_staged_again() {
    for damage in ["lost", "damaged"] {
        let place = sealed();
        let area = place.path(&format!("{STORE}.staging/access_log_counts"));
        let attempt = fs::read_dir(area).unwrap().next().unwrap().unwrap().path();
        let mut files = fs::read_dir(attempt).unwrap().map(|file| file.unwrap().path());
        let file = files.find(|file| file.to_string_lossy().contains("/counts")).unwrap();
        match damage {
            "lost" => fs::remove_file(file).unwrap(),
            _ => {
                let mut bytes = fs::read(&file).unwrap();
                bytes[0] ^= 1;
                fs::write(file, bytes).unwrap();
            }
        }
        cure(&place, &["staged-lost"], 0);
        both(&place);
    }
}

#[test]
fn rows_of_other_fields_and_for_outputs_that_are_gone_are_made_again_by_the_program_as_it_is() {
    let place = sealed();
    place.sql("counts.db", "ALTER TABLE counts ADD COLUMN size INTEGER");
    // Both are resolved by the same commands.
    for command in &diagnosed(&place, SIZED, "", &["output-gone", "other-fields"])[0].remedies[0].1 {
        assert_eq!(paste(&place, command).code, Some(0), "{command}");
    }
    assert_eq!(paste(&place, &format!("{SIZED} doctor")).code, Some(0));
    assert_eq!(place.counts("counts.db"), counted(&[("-", 1), ("a", 2), ("b", 2)]));
    assert_eq!(place.text("bad_lines.csv").lines().count(), 1, "as it was");
    place.append("access.log", hit("a"));
    assert_eq!(paste(&place, SIZED).code, Some(0));
    assert_eq!(place.counts("counts.db"), counted(&[("-", 2), ("a", 3), ("b", 2)]));
}
