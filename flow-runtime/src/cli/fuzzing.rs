//! The command line, and what is printed for scripts and terminals, under attack.

use std::{ffi::OsString, os::unix::ffi::OsStringExt as _};

use super::{
    commands::{Program, grammar},
    example::{AccessLogCounts, PLAN},
    options::{given_bounds, given_checkpoint, given_ports, given_workers},
    units::{self, parse_bytes, parse_count, parse_duration},
};
use crate::visible;

/// Any words are a command or a mistake that is told; what separates them are line ends.
pub(crate) fn command_lines(bytes: &[u8]) {
    let defaults = ["required"; 4].map(str::to_owned);
    let given = bytes.split(|byte| *byte == b'\n').map(|word| OsString::from_vec(word.to_vec()));
    let words: Vec<OsString> = std::iter::once("hits".into()).chain(given).collect();
    let program = Program { plan: &PLAN, defaults: &defaults, name: "hits" };
    match grammar::<AccessLogCounts>(&program).try_get_matches_from(words) {
        Ok(matches) if matches.subcommand().is_none() => {
            assert_eq!(given_ports(&PLAN, &matches).len(), PLAN.ports.len());
            assert!(given_bounds(&matches).max_records != Some(0) && given_workers(&matches).get() <= 1024);
            given_checkpoint(&PLAN, &matches);
        }
        Ok(_) => {}
        Err(error) => assert!(!error.to_string().is_empty()),
    }
    let shown = visible::beginning(bytes, 60);
    assert!(!shown.contains(char::is_control));
}

/// Any text is a count, a size, a time or a mistake that is told; numbers that are written plainly are what they say.
pub(crate) fn units(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let told = [
        parse_count(&text).map(|count| assert!(count > 0)),
        parse_bytes(&text).map(|bytes| assert!(bytes > 0)),
        parse_duration(&text).map(|time| assert!(!time.is_zero())),
    ];
    assert!(told.iter().all(|told| told.as_ref().err() != Some(&String::new())));

    let number = bytes.iter().take(8).fold(0, |number: u64, byte| number << 8 | u64::from(*byte));
    let expected = (number > 0).then_some(number);
    assert_eq!(parse_count(&number.to_string()).ok(), expected);
    assert_eq!(parse_bytes(&number.to_string()).ok(), expected);
    assert_eq!(parse_bytes(&units::count(number).replace(',', "_")).ok(), expected);
    assert_eq!(parse_bytes(&format!("{number} KiB")).ok(), expected.and_then(|number| number.checked_mul(1024)));
}
