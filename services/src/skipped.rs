//! Says which tests are skipped.

use std::{
    env,
    io::{self, Write as _},
    process::Command,
};

/// Says in a line, which CI refuses, that the tests of this process are skipped, and what they need.
pub fn say_skipped(needed: &str) {
    // Not `eprintln!`, whose output tests that pass do not show.
    let _ = writeln!(io::stderr(), "skipped: {} tests need {needed}", tests());
}

/// How many tests this process was asked to run.
fn tests() -> usize {
    let list = || Command::new(env::current_exe()?).args(env::args_os().skip(1)).args(["--list"]).output();
    list().map_or(0, |output| String::from_utf8_lossy(&output.stdout).lines().filter(|l| l.ends_with(": test")).count())
}
