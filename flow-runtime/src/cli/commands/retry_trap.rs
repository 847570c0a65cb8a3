//! `retry-trap`: feeds what a trap has taken to the flow as it is now, each record once.

use clap::{Arg, ArgMatches, Command};
use serde_json::{Value, json};

use super::{Call, Program};
use crate::{
    Error, Flow, Plan,
    cli::{
        bind,
        options::{checkpoint, flag, given_checkpoint, given_ports, given_workers, memory, option, ports, workers},
        telling::Telling,
        units::count,
    },
    driver::{Branched, Options, Retry, RetryOutcome, retry_trap},
    plan::PortKind,
};

pub(super) fn grammar(program: &Program<'_>) -> Command {
    let branched = option(
        "branched",
        "WHAT",
        "Records that failed in one branch of several, so that other rows of theirs \
                           may be there: leave them for good, or retry them all the same [default: refuse]",
    )
    .value_parser(["leave", "retry"]);
    Command::new("retry-trap")
        .about("Feed what a trap has taken to the flow as it is now, each record once")
        .next_line_help(false)
        .arg(Arg::new("trap-to-retry").value_name("TRAP").help("The trap").required(true))
        .arg(flag("dry-run", "Say what would come of it; seal and publish nothing"))
        .arg(flag("from-start", "Retry all that is in the trap, whether it was retried before or not"))
        .arg(branched)
        .args(ports(program).map(|port| port.help_heading("Ports")))
        .args([checkpoint(program.plan), workers(), memory()].map(|option| option.help_heading("Run")))
        .args(
            [
                flag("json", "Print the outcome as one line of JSON on stdout, and no text"),
                flag("quiet", "Print nothing but errors").short('q'),
            ]
            .map(|flag| flag.help_heading("Output")),
        )
        .after_help(
            "\
It is an iteration like any other: tables are read, rows go to the sinks, a run that dies is gone on with by the next.
Sources are not read. What fails again is trapped again, with its reason, and waits for the next retry. Rows of groups
and records of tables are left. Traps are read back from file: and sqlite: addresses; no sink may be in mode replace.",
        )
}

pub(super) fn act<F: Flow>(call: Call<'_, F>) -> Result<u8, Error> {
    let stop = call.signals.stop();
    let (flow, matches, telling) = Telling::new(call);
    let trap = matches.get_one::<String>("trap-to-retry").map(|trap| trap.replace('-', "_")).unwrap_or_default();
    let retry = given(matches);
    let options = Options {
        workers: given_workers(matches),
        memory_bytes: matches.get_one("memory").copied(),
        checkpoint: given_checkpoint(F::PLAN, matches),
        stop,
        ..Options::default()
    };
    let bound = bind::bind(flow, &given_ports(F::PLAN, matches));
    let result = bound.and_then(|()| retry_trap(&*flow, &options, &trap, retry));
    telling.tell(&result, |done| as_text(F::PLAN, &trap, retry, done), |done| as_json(F::PLAN, &trap, done))
}

fn given(matches: &ArgMatches) -> Retry {
    let branched = match matches.get_one::<String>("branched").map(String::as_str) {
        Some("leave") => Branched::Leave,
        Some(_) => Branched::Retry,
        None => Branched::Refuse,
    };
    Retry { branched, from_start: matches.get_flag("from-start"), dry_run: matches.get_flag("dry-run") }
}

fn as_text(plan: &Plan, trap: &str, retry: Retry, done: &RetryOutcome) -> String {
    let mut text = match (&done.outcome, done.iteration) {
        (None, _) => format!("nothing to retry in {trap}\n"),
        (Some(_), Some(iteration)) => format!("iteration {iteration} done: {trap} retried\n"),
        (Some(_), None) if retry.dry_run => format!("{trap} would be retried; nothing was sealed or published\n"),
        (Some(_), None) => format!("{trap} was retried by another run\n"),
    };
    let counts = [
        ("read", done.read),
        ("fixed", done.fixed),
        ("failed again", done.failed_again),
        ("left, no record of a source", done.left_without_record),
        ("left, other rows may be there", done.left_branched),
    ];
    for (what, number) in counts.iter().filter(|(_, number)| *number > 0) {
        text += &format!("  {what:<30} {}\n", count(*number));
    }
    for (port, rows) in rows(plan, done) {
        text += &format!("  {:<30} {}\n", format!("rows for {port}"), count(rows));
    }
    text
}

/// What each sink and trap got.
fn rows<'a>(plan: &'a Plan, done: &'a RetryOutcome) -> impl Iterator<Item = (&'static str, u64)> {
    let outcomes = done.outcome.iter().flat_map(|outcome| plan.ports.iter().zip(&outcome.ports));
    outcomes
        .filter(|(port, _)| matches!(port.kind, PortKind::Sink | PortKind::Trap))
        .map(|(port, outcome)| (port.name, outcome.rows))
}

fn as_json(plan: &Plan, trap: &str, done: &RetryOutcome) -> Value {
    json!({
        "trap": trap,
        "iteration": done.iteration,
        "read": done.read,
        "fixed": done.fixed,
        "failed_again": done.failed_again,
        "left_without_record": done.left_without_record,
        "left_branched": done.left_branched,
        "rows": rows(plan, done).collect::<std::collections::BTreeMap<_, _>>(),
    })
}
