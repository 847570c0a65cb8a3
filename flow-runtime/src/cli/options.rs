//! Options that several commands have in the same words: how each is written, and what was given for it.
//!
//! What an address means is the taps' business; what is done with all of it, the commands'.

use std::{num::NonZeroUsize, path::PathBuf, thread, time::Duration};

use clap::{Arg, ArgAction, ArgMatches, builder::ValueParser};

use super::{
    commands::Program,
    explain::{declared_text, field_text, kind_text},
    units::{parse_bytes, parse_count, parse_duration},
};
use crate::{
    Address, Error, Plan,
    driver::{Bounds, Checkpoint, Place},
    plan::{PortPlan, option_name},
    source::Gaps,
};

/// Most worker threads that can be asked for.
const WORKERS_MAX: usize = 1024;

/// Where iterations can be kept.
const STORES: &str = if cfg!(feature = "aws") { "sqlite:PATH, dynamodb://TABLE" } else { "sqlite:PATH" };

/// `--NAME VALUE`.
pub(super) fn option(name: &str, value: &'static str, help: impl Into<clap::builder::StyledStr>) -> Arg {
    // `-1` is a wrong number rather than an unknown option.
    Arg::new(name.to_owned()).long(name.to_owned()).value_name(value).help(help).allow_negative_numbers(true)
}

/// `--NAME`.
pub(super) fn flag(name: &'static str, help: &'static str) -> Arg {
    Arg::new(name).long(name).help(help).action(ArgAction::SetTrue)
}

/// An option for each port.
pub(super) fn ports(program: &Program<'_>) -> impl Iterator<Item = Arg> {
    program.plan.ports.iter().zip(program.defaults).map(|(port, default)| port_option(port, default))
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

/// What the command line binds ports to, in the order of the plan.
pub(super) fn given_ports(plan: &Plan, matches: &ArgMatches) -> Vec<Option<String>> {
    plan.ports.iter().map(|port| matches.get_one::<String>(port.name).cloned()).collect()
}

/// What closes an iteration.
pub(super) fn bounds() -> [Arg; 4] {
    [
        option("max-records", "COUNT", "Close the iteration after so many records of all sources")
            .value_parser(ValueParser::new(parse_count)),
        option("max-bytes", "SIZE", "Close it with the record that reaches so many bytes: 10MB, 1GiB")
            .value_parser(ValueParser::new(parse_bytes)),
        option("iteration-timeout", "TIME", "Close it so long after its beginning: 30s, 5m, 1h30m")
            .value_parser(ValueParser::new(parse_duration)),
        option("no-data-timeout", "TIME", "Close it when no record has come for so long")
            .value_parser(ValueParser::new(parse_duration)),
    ]
}

pub(super) fn given_bounds(matches: &ArgMatches) -> Bounds {
    let count = |name: &str| matches.get_one::<u64>(name).copied();
    let time = |name: &str| matches.get_one::<Duration>(name).copied();
    Bounds {
        max_records: count("max-records"),
        max_bytes: count("max-bytes"),
        iteration_timeout: time("iteration-timeout"),
        no_data_timeout: time("no-data-timeout"),
    }
}

/// Threads cost memory, and the system ends a process that wants too many.
pub(super) fn workers() -> Arg {
    option("workers", "COUNT", "Worker threads [default: one for each processor]")
        .value_parser(ValueParser::new(parse_workers))
}

fn parse_workers(text: &str) -> Result<NonZeroUsize, String> {
    match text.parse() {
        Ok(workers @ 1..=WORKERS_MAX) => Ok(NonZeroUsize::new(workers).unwrap_or(NonZeroUsize::MIN)),
        _ => Err(format!("must be a number from 1 to {WORKERS_MAX}")),
    }
}

pub(super) fn given_workers(matches: &ArgMatches) -> NonZeroUsize {
    let processors = || thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
    matches.get_one("workers").copied().unwrap_or_else(processors)
}

pub(super) fn memory() -> Arg {
    let help = "What joins and groups may hold in memory: 512MB, 4GiB; groups beyond it go to disk \
                [default: half of the memory of the machine or the container]";
    option("memory", "SIZE", help).value_parser(ValueParser::new(parse_bytes))
}

/// What to do about a source's file that is not what was read of it.
pub(super) fn accept_gap() -> Arg {
    let help = "Go on with a source's file or object that was emptied, cut or written anew since it was read, or a stream that \
                no longer retains what comes next: from its beginning if what is in it now is new, from its end if that was \
                read before; the gap is noted with the iteration, and a service accepts those that it finds when it starts";
    option("accept-gap", "FROM", help)
        .num_args(0..=1)
        .require_equals(true)
        .value_parser(["beginning", "end"])
        .default_missing_value("beginning")
}

pub(super) fn given_gaps(matches: &ArgMatches) -> Gaps {
    match matches.get_one::<String>("accept-gap").map(String::as_str) {
        None => Gaps::Refuse,
        Some("end") => Gaps::FromEnd,
        Some(_) => Gaps::FromBeginning,
    }
}

/// Where iterations are kept.
pub(super) fn checkpoint(plan: &Plan) -> Arg {
    let help = format!("Where iterations are remembered: {STORES}, or none to read everything every time");
    option("checkpoint", "ADDRESS", help)
        .value_parser(ValueParser::new(parse_checkpoint))
        .default_value(format!("sqlite:{}", default_store(plan)))
}

pub(super) fn given_checkpoint(plan: &Plan, matches: &ArgMatches) -> Checkpoint {
    let given = matches.get_one::<Checkpoint>("checkpoint").cloned();
    given.unwrap_or_else(|| Checkpoint::Sqlite(default_store(plan).into()))
}

/// The store of a command that needs one; without it, `what` there is not.
pub(super) fn given_store(plan: &Plan, matches: &ArgMatches, what: &str) -> Result<Place, Error> {
    given_checkpoint(plan, matches).place(what)
}

/// In the working directory, named after the flow.
fn default_store(plan: &Plan) -> String {
    format!("{}.flow.db", plan.logical_name())
}

fn parse_checkpoint(text: &str) -> Result<Checkpoint, String> {
    if text == "none" {
        return Ok(Checkpoint::None);
    }
    let advice = format!("write it as {STORES} or none");
    let address: Address = text.parse().map_err(|_| advice.clone())?;
    if address.path().is_empty() {
        return Err(format!("the path is missing; {advice}"));
    }
    let checkpoint = match (address.tap(), address.path()) {
        ("sqlite", path) => {
            address.allow_options(&[]).map_err(|error| error.to_string())?;
            Checkpoint::Sqlite(PathBuf::from(path))
        }
        ("dynamodb", _) => Checkpoint::DynamoDb(address),
        (tap, _) => return Err(format!("iterations cannot be kept in `{tap}`; {advice}")),
    };
    match checkpoint.kept() {
        Ok(_) => Ok(checkpoint),
        Err(error) => Err(error.to_string()),
    }
}
