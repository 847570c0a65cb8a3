//! `run`: one iteration, from the flow's ports to the flow's ports; or, with `--follow`, one after the other.

use std::{
    io::{self, IsTerminal as _},
    num::NonZeroUsize,
    sync::Arc,
};

use clap::{Arg, ArgMatches, Command};

use super::{Call, Program};
use crate::{
    Error, Flow, Plan,
    cli::{
        bind, dry_run,
        ending::{fail, print},
        json,
        options::{
            accept_gap, bounds, checkpoint, flag, given_bounds, given_checkpoint, given_gaps, given_ports,
            given_workers, memory, ports, workers,
        },
        progress, results, service,
        signals::Signals,
        summary,
    },
    driver::{Bounds, Checkpoint, Options, Outcome, Progress},
    plan::{PortKind, option_name},
    source::Gaps,
};

/// What the command line says of a run.
#[derive(Debug, PartialEq)]
pub(in crate::cli) struct Run {
    /// What the command line binds ports to, in the order of the plan.
    pub(in crate::cli) addresses: Vec<Option<String>>,
    pub(in crate::cli) bounds: Bounds,
    pub(in crate::cli) memory_bytes: Option<u64>,
    pub(in crate::cli) take_tail: bool,
    pub(in crate::cli) checkpoint: Checkpoint,
    pub(in crate::cli) gaps: Gaps,
    pub(in crate::cli) workers: NonZeroUsize,
    pub(in crate::cli) json: bool,
    pub(in crate::cli) quiet: bool,
}

pub(super) fn grammar(program: &Program<'_>) -> Command {
    let outputs = [
        flag("json", "Print the outcome as one line of JSON on stdout, and no text"),
        flag("quiet", "Print nothing but errors").short('q'),
    ];
    Command::new("run")
        .about("Run the flow: one iteration, from its ports to its ports, or one after the other (the default)")
        .next_line_help(false)
        .args(ports(program).map(|port| port.help_heading("Ports")))
        .args(bounds().map(|bound| bound.help_heading("Iteration bounds")))
        .args(
            [checkpoint(program.plan), workers(), memory(), take_tail(), accept_gap()]
                .map(|option| option.help_heading("Run")),
        )
        .arg(dry_run::option().help_heading("Run"))
        .args(service::options())
        .args(outputs.into_iter().chain(service::logs()).map(|option| option.help_heading("Output")))
        .after_help(after_help(program))
}

/// What the address of a server looks like, in programs that can reach one.
const SERVERS: &str = if cfg!(feature = "redshift") {
    "\n  postgres://user@host:5432/database?table=schema.table (the password with PGPASSWORD or in ~/.pgpass)\
     \n  redshift://user@host:5439/database?table=schema.table&staging=s3://bucket/prefix&role=arn:… (likewise)"
} else if cfg!(feature = "postgres") {
    "\n  postgres://user@host:5432/database?table=schema.table (the password with PGPASSWORD or in ~/.pgpass)"
} else {
    ""
};

/// The same of AWS.
const OF_AWS: &str = if cfg!(feature = "aws") {
    "\n  kinesis://stream?start=oldest|latest|2026-11-22T00:00:00Z, kinesis://stream?consumer=name, s3://bucket/prefix,
  dynamodb://table (a port `table`; a sink with mode=merge; iterations with --checkpoint); with region=, profile=, role=,
  endpoint= where the environment does not say"
} else {
    ""
};

fn after_help(program: &Program<'_>) -> String {
    let Program { plan, name, .. } = program;
    let try_out = example(plan, PortKind::Source, "file:sample.txt") + &example(plan, PortKind::Sink, "stdout:");
    format!(
        "\
Examples:
  {name}
      Reads what is new since the last iteration, from and to where the program binds its ports
  {name}{try_out} --checkpoint none
      Tries the flow out: reads all of a sample, shows the rows, remembers nothing
  {name} --dry-run
      Shows what would be published of the next records, and publishes nothing
  {name} --follow --health-file /run/health.json
      Goes on as a service, one iteration after the other
  {name} --max-records 1_000_000 --json
      One iteration of at most a million records; its outcome for a script
  {name} iterations
      What happened so far

Addresses:
  TAP:PATH, then options: `?name=value&name=value` (quote them from the shell)
  file:access.log, file:logs/*.log?compression=auto|gzip|zstd|none, stdin: (with --checkpoint none),
  sqlite:counts.db?table=counts&mode=append|replace|merge, stdout:{SERVERS}{OF_AWS}

Exit codes:
  0  done, or nothing new              3    held: an iteration needs a person
  1  failed, nothing half-published    4    busy: another run of the flow is under way
  2  a wrong option or address         130  interrupted (143 when terminated)

Text for people goes to stderr; stdout carries what `stdout:` sinks write, then the one line of --json."
    )
}

fn take_tail() -> Arg {
    flag("take-tail", "Take the unterminated last line of a source's file as a record; else it waits for its end")
}

/// ` --log file:sample.txt` for every port of this kind.
fn example(plan: &Plan, kind: PortKind, address: &str) -> String {
    let ports = plan.ports.iter().filter(|port| port.kind == kind);
    ports.map(|port| format!(" --{} {address}", option_name(port.name))).collect()
}

pub(super) fn given(plan: &Plan, matches: &ArgMatches) -> Run {
    Run {
        addresses: given_ports(plan, matches),
        bounds: given_bounds(matches),
        memory_bytes: matches.get_one("memory").copied(),
        take_tail: matches.get_flag("take-tail"),
        checkpoint: given_checkpoint(plan, matches),
        gaps: given_gaps(matches),
        workers: given_workers(matches),
        json: matches.get_flag("json"),
        quiet: matches.get_flag("quiet"),
    }
}

pub(super) fn act<F: Flow>(call: Call<'_, F>) -> Result<u8, Error> {
    let given = given(F::PLAN, call.matches);
    if let Some(log) = service::Log::given(call.matches) {
        log.start();
    }
    if dry_run::is_given(call.matches) {
        return dry_run::act(call, &given);
    }
    let service = service::given(call.matches);
    let Call { flow, signals, run, stdout, stderr, .. } = call;
    if let Some(service) = service {
        return service::serve(flow, &given, &service, signals, stdout);
    }
    let result = bind::bind(flow, &given.addresses).and_then(|()| run_bound(flow, &given, signals, run));
    let code = match &result {
        Ok(outcome) => {
            if !given.quiet && !given.json {
                let mut text = summary::summary(F::PLAN, outcome);
                // The run is done: that a table cannot be read back now is no failure of it.
                text += &results::results(flow, outcome).unwrap_or_default();
                // Nobody is left to tell when stderr is gone.
                let _ = stderr.write_all(text.as_bytes());
            }
            0
        }
        // Told here, because the code stands in the JSON, too.
        Err(error) => fail(stderr, error, signals.last()),
    };
    if given.json {
        print(stdout, &json::outcome(F::PLAN, &result, code))?;
    }
    Ok(code)
}

fn run_bound<F: Flow>(
    flow: &F,
    given: &Run,
    signals: &Signals,
    run: &dyn Fn(&F, &Options) -> Result<Outcome, Error>,
) -> Result<Outcome, Error> {
    let options = Options {
        workers: given.workers,
        bounds: given.bounds,
        memory_bytes: given.memory_bytes,
        take_tail: given.take_tail,
        checkpoint: given.checkpoint.clone(),
        gaps: given.gaps,
        stop: signals.stop(),
        drain: Arc::default(),
        progress: Arc::new(Progress::default()),
    };
    // A moving line and rows cannot share a terminal.
    let is_shared = bind::prints(flow) && io::stdout().is_terminal();
    let shows_progress = !given.quiet && !given.json && !is_shared && progress::Line::is_possible();
    let _line = shows_progress.then(|| progress::Line::start(&options));
    run(flow, &options)
}
