//! The command line of a flow's program: [`main`], and what it says.
//!
//! `arguments.rs` reads the command line, `bind.rs` binds the ports; the driver runs; `summary.rs` and `json.rs` say
//! what came of it. Text for people goes to stderr, so that what `stdout:` sinks write stays clean; what a command
//! was asked for (a plan, a listing, the JSON of an outcome) goes to stdout.

mod aligned;
mod arguments;
mod bind;
mod dot;
mod explain;
mod json;
mod listing;
mod progress;
mod results;
mod signals;
mod summary;
mod units;

#[cfg(test)]
mod example;

use std::{
    env,
    ffi::OsString,
    io::{self, ErrorKind, IsTerminal, Write},
    process::ExitCode,
    sync::Arc,
};

use crate::{
    Error, Failure, Flow,
    driver::{self, Checkpoint, Options, Outcome, Progress},
    iteration,
};
use arguments::{Arguments, Run};
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
    ExitCode::from(execute(flow, &words, &Signals::watch(), driver::run, &mut stdout, &mut stderr))
}

/// Does what the command line says; `run` is the driver's, or a test's.
fn execute<F: Flow>(
    mut flow: F,
    words: &[OsString],
    signals: &Signals,
    run: impl FnOnce(&F, &Options) -> Result<Outcome, Error>,
    stdout: &mut dyn Write,
    stderr: &mut dyn Write,
) -> u8 {
    let plan = F::PLAN;
    let printed = match arguments::parse(plan, &bind::defaults(&flow), words) {
        Err(error) if error.use_stderr() => {
            let _ = write!(stderr, "{}", error.render());
            return u8::try_from(error.exit_code()).unwrap_or(2);
        }
        Err(help) => print(stdout, &help.render().to_string()),
        Ok(Arguments::Plan { dot: false }) => print(stdout, &explain(plan)),
        Ok(Arguments::Plan { dot: true }) => print(stdout, &dot(plan)),
        Ok(Arguments::Iterations { checkpoint, json }) => {
            list(&plan.logical_name(), &checkpoint, json).and_then(|text| print(stdout, &text))
        }
        Ok(Arguments::Run(arguments)) => return run_and_tell(&mut flow, &arguments, signals, run, stdout, stderr),
    };
    match printed {
        Ok(()) => 0,
        Err(error) => fail(stderr, &error, None),
    }
}

fn run_and_tell<F: Flow>(
    flow: &mut F,
    arguments: &Run,
    signals: &Signals,
    run: impl FnOnce(&F, &Options) -> Result<Outcome, Error>,
    stdout: &mut dyn Write,
    stderr: &mut dyn Write,
) -> u8 {
    let result = bind::bind(flow, &arguments.addresses).and_then(|()| run_bound(flow, arguments, signals, run));
    let code = match &result {
        Ok(outcome) => {
            if !arguments.quiet && !arguments.json {
                let mut text = summary::summary(F::PLAN, outcome);
                // The run is done: that a table cannot be read back now is no failure of it.
                text += &results::results(flow, outcome).unwrap_or_default();
                // Nobody is left to tell when stderr is gone.
                let _ = stderr.write_all(text.as_bytes());
            }
            0
        }
        Err(error) => fail(stderr, error, signals.last()),
    };
    if arguments.json
        && let Err(error) = print(stdout, &json::outcome(F::PLAN, &result, code))
    {
        return fail(stderr, &error, None);
    }
    code
}

fn run_bound<F: Flow>(
    flow: &F,
    arguments: &Run,
    signals: &Signals,
    run: impl FnOnce(&F, &Options) -> Result<Outcome, Error>,
) -> Result<Outcome, Error> {
    let options = Options {
        workers: arguments.workers,
        bounds: arguments.bounds,
        memory_bytes: arguments.memory_bytes,
        checkpoint: arguments.checkpoint.clone(),
        stop: signals.stop(),
        progress: Arc::new(Progress::default()),
    };
    // A moving line and rows cannot share a terminal.
    let is_shared = bind::prints(flow) && io::stdout().is_terminal();
    let shows_progress = !arguments.quiet && !arguments.json && !is_shared && progress::Line::is_possible();
    let _line = shows_progress.then(|| progress::Line::start(&options));
    run(flow, &options)
}

fn list(flow: &str, checkpoint: &Checkpoint, as_json: bool) -> Result<String, Error> {
    let Checkpoint::Sqlite(path) = checkpoint else {
        return Err(Error::Config(
            Failure::new("without a checkpoint store there are no iterations to list")
                .help("give --checkpoint sqlite:PATH"),
        ));
    };
    let rows = iteration::iterations(path, flow)?;
    Ok(if as_json { json::iterations(flow, &rows) } else { listing::table(flow, &rows) })
}

/// Prints what was asked for. A reader that has gone away, as `head` does, has had enough.
fn print(stdout: &mut dyn Write, text: &str) -> Result<(), Error> {
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(Error::Target(Failure::new("cannot write to stdout").cause(error)))
        }
        _ => Ok(()),
    }
}

/// Says what failed, and what to do, on lines of their own.
fn fail(stderr: &mut dyn Write, error: &Error, signal: Option<i32>) -> u8 {
    let is_coloured = io::stderr().is_terminal() && env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    let _ = stderr.write_all(error_text(error, is_coloured).as_bytes());
    exit_code(error, signal)
}

fn error_text(error: &Error, is_coloured: bool) -> String {
    let (red, cyan, plain) = if is_coloured { ("\x1b[1;31m", "\x1b[1;36m", "\x1b[0m") } else { ("", "", "") };
    let account = error.failure().map_or_else(|| error.to_string(), Failure::account);
    let advice = error.failure().and_then(Failure::advice);
    let help = advice.map(|advice| format!("{cyan}help:{plain} {advice}\n")).unwrap_or_default();
    format!("{red}error:{plain} {account}\n{help}")
}

/// What the process ends with; `signal` is the one that asked it to stop.
fn exit_code(error: &Error, signal: Option<i32>) -> u8 {
    match error {
        Error::Config(_) => 2,
        Error::Held(_) => 3,
        Error::Busy(_) => 4,
        Error::Interrupted => 128 + signal.and_then(|signal| u8::try_from(signal).ok()).unwrap_or(2),
        _ => 1,
    }
}

#[cfg(test)]
mod tests;
