//! The command line of a flow's program: [`main`], and what it says.
//!
//! Each command is a file in `commands/`, with its grammar and what it does; `options.rs` has what several of them ask for
//! in the same words, `bind.rs` binds the ports, `ending.rs` prints and knows the exit codes; `summary.rs` and `json.rs`
//! say what came of a run. Text for people goes to stderr, so that what `stdout:` sinks write stays clean; what a command
//! was asked for (a plan, a listing, the JSON of an outcome) goes to stdout.

mod aligned;
mod bind;
mod commands;
mod detail;
mod dot;
mod dry_run;
mod ending;
mod explain;
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) mod fuzzing;
mod json;
mod listing;
mod listing_json;
mod options;
mod progress;
mod results;
pub mod service;
mod signals;
mod summary;
mod telling;
mod units;

#[cfg(any(test, feature = "fuzzing"))]
#[cfg_attr(not(test), expect(dead_code, reason = "the tests use more of it"))]
mod example;

use std::{
    env,
    ffi::OsString,
    io::{self, Write},
    path::Path,
    process::ExitCode,
};

use crate::{
    Error, Flow, Plan,
    driver::{self, Options, Outcome},
};
use commands::{Call, Program};
use ending::{fail, print};
use signals::Signals;

pub use dot::dot;
pub use explain::explain;

/// The command line of a program that is one flow: reads its options, runs it, says what came of it.
///
/// `flow` binds the ports as the program wants them; every port has an option that binds it to something else, and a
/// port without an address must be given one. Exit codes: 0 done or nothing new, 1 failed, 2 a wrong option or
/// address, 3 held, 4 busy, 130 interrupted, 143 terminated.
///
/// # Example
/// ```no_run
/// use std::process::ExitCode;
///
/// use flow_runtime::{Sink, Source, flow};
///
/// flow! {
///     /// Requests, by page.
///     flow PageCounts {
///         source requests: TextDelimited(delimiter = ",") { page: &str };
///         sink counts key(page) { page: &str, count: i64 add };
///
///         requests -> GroupBy(page) -> Every(Count => count) -> counts;
///     }
/// }
///
/// fn main() -> ExitCode {
///     flow_runtime::main(PageCounts { requests: Source::unbound(), counts: Sink::at("sqlite:counts.db").merge() })
/// }
/// ```
pub fn main<F: Flow>(flow: F) -> ExitCode {
    let words: Vec<OsString> = env::args_os().collect();
    // Not locked: `stdout:` sinks write to it, too.
    let (mut stdout, mut stderr) = (io::stdout(), io::stderr());
    ExitCode::from(execute(flow, &words, &Signals::watch(), &driver::run, &mut stdout, &mut stderr))
}

/// Does what the command line says, its first word the program's name; `run` is the driver's, or a test's.
fn execute<F: Flow>(
    mut flow: F,
    words: &[OsString],
    signals: &Signals,
    run: &dyn Fn(&F, &Options) -> Result<Outcome, Error>,
    stdout: &mut dyn Write,
    stderr: &mut dyn Write,
) -> u8 {
    let (defaults, name) = (bind::defaults(&flow), program_name(F::PLAN, words));
    let program = Program { plan: F::PLAN, defaults: &defaults, name: &name };
    let done = match commands::grammar::<F>(&program).try_get_matches_from(words) {
        Ok(matches) => {
            let call = Call { flow: &mut flow, matches: &matches, signals, run, stdout, stderr: &mut *stderr };
            commands::act(&program, call)
        }
        Err(error) if error.use_stderr() => {
            let _ = write!(stderr, "{}", error.render());
            return u8::try_from(error.exit_code()).unwrap_or(2);
        }
        Err(help) => print(stdout, &help.render().to_string()).map(|()| 0),
    };
    done.unwrap_or_else(|error| fail(stderr, &error, signals.last()))
}

/// The program's name as it was called, without folders.
fn program_name(plan: &Plan, words: &[OsString]) -> String {
    let name = words.first().and_then(|word| Path::new(word).file_name());
    name.map_or_else(|| plan.logical_name(), |name| name.to_string_lossy().into_owned())
}

#[cfg(test)]
mod tests;
