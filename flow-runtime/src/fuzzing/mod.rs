//! Every reader of bytes that come from outside, as a function that takes any bytes and panics where the reader breaks a
//! promise: that it ends, errs clearly or gives what was written, and that two ways to the same values agree.
//!
//! `fuzz/` gives them what libFuzzer thinks of; the test in `mutations.rs` gives them seeds and what random damage makes of
//! these, in every test run. They stand beside the readers, in the `fuzzing.rs` of their folders. Nothing here is for users.

#![expect(clippy::unwrap_used, reason = "what fails here is no reader")]

mod addresses;
mod delimited;
mod input;
mod json;
#[cfg(test)]
mod mutations;

use tempfile::TempDir;

pub(crate) use input::{Input, encode};

/// A reader under attack.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// What it is called in `fuzz/`.
    pub name: &'static str,
    /// Reads; panics where a promise is broken.
    pub run: fn(&[u8]),
    /// How many mutations of its seeds are tried in every test run: fewer, the slower it is.
    pub mutations: u32,
}

/// All of them.
pub const TARGETS: &[Target] = &[
    Target { name: "addresses", run: addresses::addresses, mutations: 2000 },
    #[cfg(feature = "aws")]
    Target { name: "aggregates", run: crate::source::kinesis::fuzzing::aggregates, mutations: 5000 },
    Target { name: "command_lines", run: crate::cli::fuzzing::command_lines, mutations: 300 },
    Target { name: "delimited", run: delimited::delimited, mutations: 5000 },
    Target { name: "file_identities", run: crate::source::fuzzing::file_identities, mutations: 1000 },
    Target { name: "files", run: crate::source::fuzzing::files, mutations: 1000 },
    #[cfg(feature = "aws")]
    Target { name: "items", run: crate::iteration::dynamodb::fuzzing::items, mutations: 1000 },
    Target { name: "json", run: json::json, mutations: 5000 },
    Target { name: "lines", run: crate::driver::fuzzing::lines, mutations: 5000 },
    Target { name: "memory_limits", run: crate::driver::fuzzing::memory_limits, mutations: 300 },
    Target { name: "rows", run: crate::value::fuzzing::rows, mutations: 5000 },
    Target { name: "runs", run: crate::operators::fuzzing::runs, mutations: 1000 },
    Target { name: "sidecars", run: crate::sink::fuzzing::sidecars, mutations: 1000 },
    Target { name: "staged", run: crate::sink::staging::fuzzing::staged, mutations: 400 },
    Target { name: "stores", run: crate::iteration::fuzzing::stores, mutations: 100 },
    Target { name: "texts", run: crate::value::fuzzing::texts, mutations: 5000 },
    Target { name: "units", run: crate::cli::fuzzing::units, mutations: 3000 },
    Target { name: "written_files", run: crate::sink::fuzzing::written_files, mutations: 5000 },
];

/// A folder for the files of one run: in memory where the system has such a place, since a disk would take most of the time.
pub(crate) fn folder() -> TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap()
}

/// Runs the target of this name.
///
/// # Panics
/// When a promise is broken, or there is no such target.
pub fn run(name: &str, bytes: &[u8]) {
    let target = TARGETS.iter().find(|target| target.name == name);
    (target.unwrap_or_else(|| panic!("there is no fuzz target {name}")).run)(bytes);
}
