//! What can be written on a flow's command line, and what it says.
//!
//! The ports are known only from the plan, so the parser is built at run time. What an address means is the taps'
//! business; what is done with all of it, `mod.rs`'s.

use std::{
    ffi::OsString,
    num::NonZeroUsize,
    path::{Path, PathBuf},
    thread,
    time::Duration,
};

use clap::{Arg, ArgAction, ArgMatches, Command, builder::ValueParser};

use super::{
    explain::{declared_text, field_text, kind_text},
    units::{parse_bytes, parse_count, parse_duration},
};
use crate::{
    Address, Plan,
    driver::{Bounds, Checkpoint},
    plan::{PortKind, PortPlan, option_name},
};

/// Most worker threads that can be asked for.
const WORKERS_MAX: usize = 1024;

/// What to do.
#[derive(Debug, PartialEq)]
pub(super) enum Arguments {
    /// Run the flow: one iteration.
    Run(Run),
    /// Explain the flow, as text or as a picture.
    Plan { dot: bool },
    /// List the iterations that the store knows.
    Iterations { checkpoint: Checkpoint, json: bool },
}

/// How to run.
#[derive(Debug, PartialEq)]
pub(super) struct Run {
    /// What the command line binds ports to, in the order of the plan.
    pub addresses: Vec<Option<String>>,
    pub bounds: Bounds,
    pub memory_bytes: Option<u64>,
    pub checkpoint: Checkpoint,
    pub workers: NonZeroUsize,
    pub json: bool,
    pub quiet: bool,
}

/// Reads a command line, its first word the program's name; `defaults` says of each port what the program binds it to.
///
/// # Errors
/// What clap has to say: a mistake, or the help that was asked for.
pub(super) fn parse(plan: &Plan, defaults: &[String], words: &[OsString]) -> Result<Arguments, clap::Error> {
    let matches = command(plan, defaults, &program_name(plan, words)).try_get_matches_from(words)?;
    Ok(match matches.subcommand() {
        Some(("plan", matches)) => Arguments::Plan { dot: matches.get_flag("dot") },
        Some(("iterations", matches)) => {
            Arguments::Iterations { checkpoint: checkpoint_of(plan, matches), json: matches.get_flag("json") }
        }
        Some((_, matches)) => Arguments::Run(run_of(plan, matches)),
        None => Arguments::Run(run_of(plan, &matches)),
    })
}

/// The program's name as it was called, without folders.
fn program_name(plan: &Plan, words: &[OsString]) -> String {
    let name = words.first().and_then(|word| Path::new(word).file_name());
    name.map_or_else(|| plan.logical_name(), |name| name.to_string_lossy().into_owned())
}

fn command(plan: &Plan, defaults: &[String], program: &str) -> Command {
    let name = plan.logical_name();
    let about = if plan.about.trim().is_empty() { format!("Runs the flow {}.", plan.flow) } else { plan.about.into() };
    let run = Command::new("run").about("Run the flow: one iteration, from its ports to its ports (the default)");
    let run = with_run_options(run, plan, defaults).after_help(after_help(plan, program));
    let iterations = Command::new("iterations")
        .about("List the iterations that the checkpoint store knows")
        .arg(checkpoint_option(plan))
        .arg(flag("json", "Print them as JSON"));
    let plan_command = Command::new("plan")
        .about("Explain the flow: its fields, what is read and what is pruned, traps, steps")
        .arg(flag("dot", "Print a picture instead, for Graphviz: … plan --dot | dot -Tsvg > flow.svg"));
    with_run_options(Command::new(name), plan, defaults)
        .about(about)
        .after_help(after_help(plan, program))
        .args_conflicts_with_subcommands(true)
        .disable_help_subcommand(true)
        .subcommands([run, plan_command, iterations])
}

fn after_help(plan: &Plan, program: &str) -> String {
    let try_out = example(plan, PortKind::Source, "file:sample.txt") + &example(plan, PortKind::Sink, "stdout:");
    format!(
        "\
Examples:
  {program}
      Reads what is new since the last iteration, from and to where the program binds its ports
  {program}{try_out} --checkpoint none
      Tries the flow out: reads all of a sample, shows the rows, remembers nothing
  {program} --max-records 1_000_000 --json
      One iteration of at most a million records; its outcome for a script
  {program} iterations
      What happened so far

Addresses:
  TAP:PATH, then options: `?name=value&name=value` (quote them from the shell)
  file:access.log, file:logs/*.log, sqlite:counts.db?table=counts&mode=append|replace|merge, stdout:

Exit codes:
  0  done, or nothing new              3    held: an iteration needs a person
  1  failed, nothing half-published    4    busy: another run of the flow is under way
  2  a wrong option or address         130  interrupted (143 when terminated)

Text for people goes to stderr; stdout carries what `stdout:` sinks write, then the one line of --json."
    )
}

/// ` --log file:sample.txt` for every port of this kind.
fn example(plan: &Plan, kind: PortKind, address: &str) -> String {
    let ports = plan.ports.iter().filter(|port| port.kind == kind);
    ports.map(|port| format!(" --{} {address}", option_name(port.name))).collect()
}

fn with_run_options(command: Command, plan: &Plan, defaults: &[String]) -> Command {
    let ports = plan.ports.iter().zip(defaults).map(|(port, default)| port_option(port, default));
    let bounds = [
        option("max-records", "COUNT", "Close the iteration after so many records of all sources")
            .value_parser(ValueParser::new(parse_count)),
        option("max-bytes", "SIZE", "Close it with the record that reaches so many bytes: 10MB, 1GiB")
            .value_parser(ValueParser::new(parse_bytes)),
        option("iteration-timeout", "TIME", "Close it so long after its beginning: 30s, 5m, 1h30m")
            .value_parser(ValueParser::new(parse_duration)),
        option("no-data-timeout", "TIME", "Close it when no record has come for so long")
            .value_parser(ValueParser::new(parse_duration)),
    ];
    let workers = option("workers", "COUNT", "Worker threads [default: one for each processor]")
        .value_parser(ValueParser::new(parse_workers));
    let memory = "What joins and groups may hold in memory: 512MB, 4GiB; groups beyond it go to disk \
                  [default: half of the memory of the machine or the container]";
    let memory = option("memory", "SIZE", memory).value_parser(ValueParser::new(parse_bytes));
    command
        .next_line_help(false)
        .args(ports.map(|port| port.help_heading("Ports")))
        .args(bounds.map(|bound| bound.help_heading("Iteration bounds")))
        .args([checkpoint_option(plan), workers, memory].map(|option| option.help_heading("Run")))
        .args(
            [
                flag("json", "Print the outcome as one line of JSON on stdout, and no text"),
                flag("quiet", "Print nothing but errors").short('q'),
            ]
            .map(|flag| flag.help_heading("Output")),
        )
}

/// What the port is about, what it is with its fields, what it is bound to; the fields of all traps are the same.
fn port_option(port: &PortPlan, default: &str) -> Arg {
    let about = port.about.trim();
    let mut help = if about.is_empty() { String::new() } else { format!("{about}\n") };
    let fields: Vec<String> = port.fields.iter().map(field_text).collect();
    let separator = if fields.is_empty() { "" } else { ": " };
    let (kind, declared, fields) = (kind_text(port.kind), declared_text(port), fields.join(", "));
    help.push_str(&format!("{kind}, {declared}{separator}{fields}\n[{default}]"));
    option(&option_name(port.name), "ADDRESS", help).id(port.name)
}

fn checkpoint_option(plan: &Plan) -> Arg {
    let help = "Where iterations are remembered: sqlite:PATH, or none to read everything every time";
    option("checkpoint", "ADDRESS", help)
        .value_parser(ValueParser::new(parse_checkpoint))
        .default_value(format!("sqlite:{}", default_store(plan)))
}

fn option(name: &str, value: &'static str, help: impl Into<clap::builder::StyledStr>) -> Arg {
    // `-1` is a wrong number rather than an unknown option.
    Arg::new(name.to_owned()).long(name.to_owned()).value_name(value).help(help).allow_negative_numbers(true)
}

fn flag(name: &'static str, help: &'static str) -> Arg {
    Arg::new(name).long(name).help(help).action(ArgAction::SetTrue)
}

/// Threads cost memory, and the system ends a process that wants too many.
fn parse_workers(text: &str) -> Result<NonZeroUsize, String> {
    match text.parse() {
        Ok(workers @ 1..=WORKERS_MAX) => Ok(NonZeroUsize::new(workers).unwrap_or(NonZeroUsize::MIN)),
        _ => Err(format!("must be a number from 1 to {WORKERS_MAX}")),
    }
}

fn checkpoint_of(plan: &Plan, matches: &ArgMatches) -> Checkpoint {
    let given = matches.get_one::<Checkpoint>("checkpoint").cloned();
    given.unwrap_or_else(|| Checkpoint::Sqlite(default_store(plan).into()))
}

/// In the working directory, named after the flow.
fn default_store(plan: &Plan) -> String {
    format!("{}.flow.db", plan.logical_name())
}

fn parse_checkpoint(text: &str) -> Result<Checkpoint, String> {
    if text == "none" {
        return Ok(Checkpoint::None);
    }
    let advice = "write it as sqlite:PATH or none";
    let address: Address = text.parse().map_err(|_| advice.to_owned())?;
    address.allow_options(&[]).map_err(|error| error.to_string())?;
    match (address.tap(), address.path()) {
        (_, "") => Err(format!("the path is missing; {advice}")),
        ("sqlite", path) => Ok(Checkpoint::Sqlite(PathBuf::from(path))),
        (tap, _) => Err(format!("iterations cannot be kept in `{tap}`; {advice}")),
    }
}

fn run_of(plan: &Plan, matches: &ArgMatches) -> Run {
    let count = |name: &str| matches.get_one::<u64>(name).copied();
    let time = |name: &str| matches.get_one::<Duration>(name).copied();
    let processors = || thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
    Run {
        addresses: plan.ports.iter().map(|port| matches.get_one::<String>(port.name).cloned()).collect(),
        bounds: Bounds {
            max_records: count("max-records"),
            max_bytes: count("max-bytes"),
            iteration_timeout: time("iteration-timeout"),
            no_data_timeout: time("no-data-timeout"),
        },
        memory_bytes: count("memory"),
        checkpoint: checkpoint_of(plan, matches),
        workers: matches.get_one("workers").copied().unwrap_or_else(processors),
        json: matches.get_flag("json"),
        quiet: matches.get_flag("quiet"),
    }
}

#[cfg(test)]
#[path = "arguments_tests.rs"]
mod tests;
