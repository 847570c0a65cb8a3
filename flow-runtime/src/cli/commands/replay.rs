//! `replay`: reads sealed iterations again, holds them against what was sealed, and may publish them, elsewhere or in the place
//! of what was loaded.

use std::{
    io::{self, BufRead as _, IsTerminal as _},
    ops::RangeInclusive,
    sync::{Arc, atomic::AtomicBool},
};

use clap::{Arg, ArgMatches, Command, builder::ValueParser};
use serde_json::{Value, json};

use super::{Call, Program};
use crate::{
    Error, Failure, Flow, Plan,
    cli::{
        aligned::aligned,
        bind,
        explain::kind_text,
        options::{checkpoint, flag, given_checkpoint, given_ports, given_workers, memory, ports, workers},
        telling::Telling,
        units,
    },
    driver::{Options, PortOutcome, Replaced, Replayed, look_at_replay, replay_in_place},
    iteration::{OutputChange, TableChange},
    plan::{PortKind, PortPlan},
};

pub(super) fn grammar(program: &Program<'_>) -> Command {
    Command::new("replay")
        .about("Read a sealed iteration again: its records must be those that were sealed; the store stays as it is")
        .next_line_help(false)
        .arg(
            Arg::new("iterations")
                .value_name("ITERATION")
                .help("Its number; several as FIRST..LAST, both included, one after the other")
                .value_parser(ValueParser::new(parse_iterations))
                .required(true),
        )
        .args(ports(&Program { defaults: &defaults(program), ..*program }).map(|port| port.help_heading("Ports")))
        .args([checkpoint(program.plan), workers(), memory()].map(|option| option.help_heading("Run")))
        .arg(flag("yes", "Do not ask before rows are replaced"))
        .arg(flag("accept-changed", "Replace rows although other records are trapped now than when they were loaded"))
        .args(outputs().map(|flag| flag.help_heading("Output")))
        .after_help(
            "\
Without a sink the rows are counted and compared with those that were sealed. With one they are published there, too:
to stdout:, to an empty target, or with ?mode=replace.

To the very target that the flow loads they go in the place of those that it has of the iteration: all of them are
removed and the others loaded in one step, so that readers see the former rows or the new ones. For that the table must
keep which rows are of which iteration: a postgres:, redshift: or sqlite: address of mode=append takes
iteration_column=NAME, which is a column of the table from then on. It is asked before; a script says --yes. Rows that are
not as many as were loaded are left alone. Traps stay as they are: a record that was trapped and is a row now would be
loaded twice if it is retried, so rows are not replaced where other records are trapped, but with --accept-changed.

Tables are read as they are now, and the program runs as it is now: if they have changed, so may have the rows, and
that is told. Another run may be under way.

Exit codes: 0 if the records are those that were sealed, else 1; 2 a wrong option, address or number, or not confirmed; 3
the target does not have what was loaded.",
        )
}

/// `--json` and `--quiet`, as `run` has them.
pub(super) fn outputs() -> [Arg; 2] {
    [
        flag("json", "Print what was found as one line of JSON on stdout, and no text"),
        flag("quiet", "Print nothing but errors").short('q'),
    ]
}

/// As the program binds its inputs; its outputs are left alone.
fn defaults(program: &Program<'_>) -> Vec<String> {
    let default = |(port, default): (&PortPlan, &String)| match port.kind {
        PortKind::Source | PortKind::Table => default.clone(),
        PortKind::Sink | PortKind::Trap => "default: none, rows are counted and compared".to_owned(),
    };
    program.plan.ports.iter().zip(program.defaults).map(default).collect()
}

fn parse_iterations(text: &str) -> Result<RangeInclusive<u64>, String> {
    let (first, last) = text.split_once("..").unwrap_or((text, text));
    match (first.parse(), last.parse()) {
        (Ok(first), Ok(last)) if first <= last => Ok(first..=last),
        _ => Err("write the number of an iteration, or FIRST..LAST".to_owned()),
    }
}

pub(super) fn act<F: Flow>(call: Call<'_, F>) -> Result<u8, Error> {
    let stop = call.signals.stop();
    let (flow, matches, mut telling) = Telling::new(call);
    let result = replay_given(flow, matches, stop, &mut telling);
    telling.tell(
        &result,
        |replayed| replayed.iter().map(|one| as_text(F::PLAN, one)).collect(),
        |replayed| json!({ "replayed": replayed.iter().map(|one| as_json(F::PLAN, one)).collect::<Vec<_>>() }),
    )
}

fn replay_given<F: Flow>(
    flow: &mut F,
    matches: &ArgMatches,
    stop: Arc<AtomicBool>,
    telling: &mut Telling<'_>,
) -> Result<Vec<Replayed>, Error> {
    let addresses = given_ports(F::PLAN, matches);
    bind::bind_given(flow, &addresses)?;
    let outputs = F::PLAN.ports.iter().zip(&addresses).filter(|(port, _)| !is_input(port));
    let into: Vec<(&str, &str)> =
        outputs.filter_map(|(port, address)| Some((port.name, address.as_deref()?))).collect();
    let iterations = matches.get_one::<RangeInclusive<u64>>("iterations").cloned().unwrap_or(0..=0);
    let options = given_options(F::PLAN, matches, stop);
    let kept: Vec<&str> =
        into.iter().filter(|(_, address)| !address.starts_with("stdout:")).map(|(port, _)| *port).collect();
    let looked = if kept.is_empty() { Vec::new() } else { look(&*flow, &options, &iterations, &kept)? };
    if looked.iter().any(|replaced| replaced.len() < kept.len()) && iterations.start() != iterations.end() {
        // Elsewhere, each would have to find the place empty, or replace the one before.
        return Err(Error::Config(
            Failure::new("several iterations cannot be replayed into one target")
                .help("replay one after the other, each into a target of its own; or give stdout:"),
        ));
    }
    let replaced: Vec<Replaced> = looked.into_iter().flatten().collect();
    if !replaced.is_empty() {
        confirm(&replaced, matches, telling)?;
    }
    let into: Vec<&str> = into.into_iter().map(|(port, _)| port).collect();
    let mut done = Vec::new();
    for iteration in iterations {
        let replayed = replay_in_place(&*flow, &options, iteration, &into, matches.get_flag("accept-changed"));
        done.push(replayed.map_err(|error| after(&done, error))?);
    }
    Ok(done)
}

/// The error, and what was replaced before it.
fn after(done: &[Replayed], error: Error) -> Error {
    let replaced = done.iter().filter(|replayed| !replayed.replaced.is_empty()).map(|replayed| replayed.iteration);
    match (replaced.clone().min(), replaced.max()) {
        (Some(first), Some(last)) => {
            error.and_cause(&format!("the rows of iterations {first}..{last} were replaced before"))
        }
        _ => error,
    }
}

/// What each of the iterations would replace at `ports`.
fn look<F: Flow>(
    flow: &F,
    options: &Options,
    iterations: &RangeInclusive<u64>,
    ports: &[&str],
) -> Result<Vec<Vec<Replaced>>, Error> {
    iterations.clone().map(|iteration| look_at_replay(flow, options, iteration, ports)).collect()
}

/// Says what goes, and asks; a script says --yes.
fn confirm(replaced: &[Replaced], matches: &ArgMatches, telling: &mut Telling<'_>) -> Result<(), Error> {
    for Replaced { iteration, port, place, rows, .. } in replaced {
        let rows = units::counted(*rows, "row");
        telling.say(&format!("replaces what {port} has of iteration {iteration}: {rows} in {place}\n"));
    }
    if matches.get_flag("yes") {
        return Ok(());
    }
    let not_done = |what: &str, help: &str| Err(Error::Config(Failure::new(what).help(help)));
    if matches.get_flag("json") || matches.get_flag("quiet") || !io::stdin().is_terminal() {
        return not_done("nobody is there to be asked", "nothing was changed; give --yes");
    }
    telling.say("type yes to go on: ");
    let mut typed = String::new();
    match io::stdin().lock().read_line(&mut typed) {
        Ok(_) if typed.trim() == "yes" => Ok(()),
        _ => not_done("not confirmed", "nothing was changed; type yes when asked, or give --yes"),
    }
}

/// What of a run's options matters when sealed records are read again.
pub(super) fn given_options(plan: &Plan, matches: &ArgMatches, stop: Arc<AtomicBool>) -> Options {
    Options {
        workers: given_workers(matches),
        memory_bytes: matches.get_one("memory").copied(),
        checkpoint: given_checkpoint(plan, matches),
        stop,
        ..Options::default()
    }
}

fn is_input(port: &PortPlan) -> bool {
    matches!(port.kind, PortKind::Source | PortKind::Table)
}

fn as_text(plan: &Plan, replayed: &Replayed) -> String {
    let replaced = &replayed.replaced;
    let program = match replayed.program_changed {
        true => "  the program is not the one that sealed it\n",
        false => "",
    };
    let mut rows = Vec::new();
    for (port, done) in plan.ports.iter().zip(&replayed.ports) {
        let same = match port.kind {
            PortKind::Source => "as sealed".to_owned(),
            PortKind::Table => {
                replayed.tables.iter().find(|table| table.port == port.name).map_or_else(String::new, table)
            }
            PortKind::Sink | PortKind::Trap => {
                replayed.outputs.iter().find(|output| output.port == port.name).map_or_else(String::new, output)
            }
        };
        let is_published = replayed.published.iter().any(|name| name == port.name);
        let place = match replaced.iter().find(|replaced| replaced.port == port.name) {
            Some(replaced) => format!("in the place of {} in {}", units::count(replaced.rows), done.place),
            None if is_input(port) || is_published => done.place.clone(),
            None => "not published".to_owned(),
        };
        let noun = if port.kind == PortKind::Sink { "row" } else { "record" };
        rows.push(vec![
            kind_text(port.kind).to_owned(),
            port.name.to_owned(),
            units::counted(done.rows, noun),
            same,
            place,
        ]);
    }
    let (number, time) = (replayed.iteration, units::elapsed(replayed.elapsed));
    format!(
        "iteration {number} was read again in {time}, its records are as they were sealed\n{program}{}",
        aligned(rows, &[2], "  ")
    )
}

fn table(table: &TableChange) -> String {
    match table.records_sealed {
        _ if table.is_same => "as it was".to_owned(),
        Some(then) => format!("changed since: it had {}", units::counted(then, "record")),
        None => "not read then".to_owned(),
    }
}

pub(super) fn output(output: &OutputChange) -> String {
    match output.rows_sealed {
        _ if output.is_reordered => "as sealed, but shards came in another order".to_owned(),
        _ if output.is_same => "as sealed".to_owned(),
        Some(then) if then == output.rows => "as many were sealed, but others, or in another order".to_owned(),
        Some(then) => format!("{} were sealed", units::count(then)),
        None => "none were sealed".to_owned(),
    }
}

fn as_json(plan: &Plan, replayed: &Replayed) -> Value {
    let port = |(port, done): (&PortPlan, &PortOutcome)| {
        let replaced = replayed.replaced.iter().find(|replaced| replaced.port == port.name);
        json!({ "name": port.name, "kind": kind_text(port.kind), "rows": done.rows, "bytes": done.bytes,
                "published": replayed.published.iter().any(|name| name == port.name),
                "rows_replaced": replaced.map(|replaced| replaced.rows) })
    };
    json!({
        "iteration": replayed.iteration,
        "program_changed": replayed.program_changed,
        "elapsed_seconds": replayed.elapsed.as_secs_f64(),
        "ports": plan.ports.iter().zip(&replayed.ports).map(port).collect::<Vec<_>>(),
        "tables": tables_json(&replayed.tables),
        "outputs": outputs_json(&replayed.outputs),
    })
}

pub(super) fn tables_json(tables: &[TableChange]) -> Vec<Value> {
    let table = |table: &TableChange| {
        let TableChange { port, records_sealed, records, is_same, .. } = table;
        json!({ "port": port, "records_sealed": records_sealed, "records": records, "same": is_same })
    };
    tables.iter().map(table).collect()
}

pub(super) fn outputs_json(outputs: &[OutputChange]) -> Vec<Value> {
    let output = |output: &OutputChange| {
        let OutputChange { port, rows_sealed, rows, is_same, is_reordered, .. } = output;
        json!({ "port": port, "rows_sealed": rows_sealed, "rows": rows, "same": is_same, "reordered": is_reordered })
    };
    outputs.iter().map(output).collect()
}
