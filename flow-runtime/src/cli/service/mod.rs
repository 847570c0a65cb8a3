#![doc = include_str!("../service.md")]
//!
//! This folder: `options.rs` what can be said about it on the command line, `log.rs` where events go, `health.rs` the
//! document, `watch.rs` the thread that writes it, `listen.rs` the same over HTTP. The iterations are the driver's.

mod health;
mod listen;
mod log;
mod options;
mod watch;

use std::{
    io::{self, Write},
    path::Path,
    sync::{Arc, atomic::AtomicBool},
};

use tracing::{error, info};

use super::{
    bind,
    commands::Run,
    ending::{exit_code, print},
    json,
    signals::Signals,
};
use crate::{
    Error, Failure, Flow,
    driver::{self, Options, Outcome, Progress},
    effect::disk,
};
use health::Health;
use watch::{Latest, Watched, Watcher};

pub(super) use options::{Given, Log, given, health_file, logs, options};

/// Runs iteration after iteration until it is asked to end; returns the exit code. Everything is told as events.
pub(super) fn serve<F: Flow>(
    flow: &mut F,
    run: &Run,
    given: &Given,
    signals: &Signals,
    stdout: &mut dyn Write,
) -> Result<u8, Error> {
    let name = F::PLAN.logical_name();
    let options = options_of(run, signals);
    let result =
        bind::bind(flow, &run.addresses).and_then(|()| serve_bound(flow, run, &options, given, signals, stdout));
    let code = result.as_ref().map_or_else(|error| exit_code(error, signals.last()), |()| 0);
    let iterations = options.progress.status().iterations_done;
    match &result {
        Ok(()) => info!(flow = name, iterations, "service stopped, all that was sealed is loaded"),
        Err(failure) => {
            let error = failure.failure().map_or_else(|| failure.to_string(), Failure::account);
            let help = failure.failure().and_then(Failure::advice);
            error!(flow = name, iterations, exit_code = code, kind = failure.kind(), error, help, "service ended");
        }
    }
    if let (true, Err(error)) = (run.json, result) {
        print(stdout, &json::outcome(F::PLAN, &Err(error), code))?;
    }
    Ok(code)
}

fn serve_bound<F: Flow>(
    flow: &F,
    run: &Run,
    options: &Options,
    given: &Given,
    signals: &Signals,
    stdout: &mut dyn Write,
) -> Result<(), Error> {
    let latest = Latest::default();
    let last = signals.last_of();
    let watched = Watched {
        flow: F::PLAN.logical_name(),
        progress: Arc::clone(&options.progress),
        drain: Arc::clone(&options.drain),
        stop: Arc::clone(&options.stop),
        drain_timeout: given.drain_timeout,
        stuck_after: given.stuck_after,
        file: given.health_file.clone(),
        exit_code: Box::new(move || exit_code(&Error::Interrupted, last())),
    };
    let _watcher = Watcher::start(watched, Arc::clone(&latest))?;
    if let Some(address) = &given.health_listen {
        listen::start(address, latest)?;
    }
    let mut done = |outcome: Outcome| match run.json {
        true => print(stdout, &json::outcome(F::PLAN, &Ok(outcome), 0)),
        false => Ok(()),
    };
    driver::follow(flow, options, &given.service, &mut done)
}

/// The first signal drains; the watcher stops what cannot be drained.
fn options_of(run: &Run, signals: &Signals) -> Options {
    let mut bounds = run.bounds;
    bounds.iteration_timeout.get_or_insert(options::ITERATION_TIMEOUT);
    bounds.no_data_timeout.get_or_insert(options::NO_DATA_TIMEOUT);
    Options {
        workers: run.workers,
        bounds,
        memory_bytes: run.memory_bytes,
        take_tail: run.take_tail,
        checkpoint: run.checkpoint.clone(),
        gaps: run.gaps,
        drain: signals.stop(),
        stop: Arc::new(AtomicBool::new(false)),
        progress: Arc::new(Progress::default()),
    }
}

/// What a service last wrote about itself, or why that is not known.
pub(super) fn read_health(path: &Path) -> Result<Health, String> {
    let place = path.display();
    let text = disk::read_to_string("health", path).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => format!("there is no health file {place}: no service has begun to write it"),
        _ => format!("cannot read the health file {place}: {error}"),
    })?;
    serde_json::from_str(&text).map_err(|error| format!("{place} is no health file of a flow: {error}"))
}
