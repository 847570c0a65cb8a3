//! `plan --sql`: every statement that the flow's sinks would send to their servers.

use std::fmt::Write as _;

use clap::{ArgMatches, Command};

use super::Call;
use crate::{
    Error, Flow,
    cli::{
        bind,
        ending::print,
        options::{flag, given_ports},
    },
    flow::PortRef,
    sink::{self, Target},
};

/// The taps that speak to a server by SQL.
const TAPS: [&str; 2] = ["postgres", "redshift"];

/// Adds the option.
pub(super) fn add_to(command: Command) -> Command {
    let sql = "Print every statement instead that sinks send to Redshift or PostgreSQL, without secrets";
    command.arg(flag("sql", sql).conflicts_with("dot"))
}

pub(super) fn is_given(matches: &ArgMatches) -> bool {
    matches.get_flag("sql")
}

pub(super) fn act<F: Flow>(call: Call<'_, F>) -> Result<u8, Error> {
    let Call { flow, matches, stdout, stderr, .. } = call;
    bind::bind_given(flow, &given_ports(F::PLAN, matches))?;
    let mut text = String::new();
    for (port, plan) in flow.ports().into_iter().zip(F::PLAN.ports) {
        let (target, mode) = match port {
            PortRef::Sink(sink) => (&sink.target, sink.mode),
            PortRef::Trap(trap) => (&trap.target, None),
            PortRef::Source(_) | PortRef::Table(_) => continue,
        };
        let is_sql = |text: &str| TAPS.iter().any(|tap| text.split(':').next() == Some(tap));
        if !matches!(target, Target::Address(text) if is_sql(text)) {
            continue;
        }
        let mut tap = sink::open(target, mode, plan)?;
        tap.of_flow(&F::PLAN.logical_name());
        let mode = tap.mode().as_str();
        let _ = writeln!(text, "-- port `{}`, {mode}: {}\n", plan.name, sink::place(target));
        for statement in tap.statements(&F::PLAN.logical_name()) {
            let _ = writeln!(text, "-- {}\n{};\n", statement.purpose, statement.sql.trim_end_matches(';'));
        }
    }
    if text.is_empty() {
        let _ = writeln!(stderr, "no sink of this flow goes to a server by SQL");
    }
    print(stdout, &text).map(|()| 0)
}
