//! `check`: says what a run would stumble over, and changes nothing.

use clap::{ArgMatches, Command};
use serde::Serialize;

use super::{Call, Program};
use crate::{
    Error, Failure, Flow, Plan,
    cli::{
        bind,
        ending::{exit_code, print},
        json,
        options::{checkpoint, flag, given_checkpoint, given_ports, ports},
    },
    driver::{self, Findings, Options, What},
};

pub(super) fn grammar(program: &Program<'_>) -> Command {
    Command::new("check")
        .about("Say what a run would stumble over: inputs, targets, ledgers, positions, store; change nothing")
        .next_line_help(false)
        .args(ports(program).map(|port| port.help_heading("Ports")))
        .arg(checkpoint(program.plan).help_heading("Run"))
        .arg(flag("json", "Print what was found as one line of JSON").help_heading("Output"))
        .after_help(
            "\
One line a finding: `error:` what a run would end with, `note:` what a person should know all the same.

Exit codes: 0 if a run would go on; else that of the run:
  1  an input, a target or the store cannot be used     3  held: an iteration needs a person; see `doctor`
  2  a wrong option or address                          4  busy: another run of the flow is under way",
        )
}

pub(super) fn act<F: Flow>(call: Call<'_, F>) -> Result<u8, Error> {
    bind::bind_unchecked(call.flow, &given_ports(F::PLAN, call.matches));
    let found = driver::check(&*call.flow, &given_options(F::PLAN, call.matches));
    let code = found.error().map_or(0, |error| exit_code(error, None));
    let is_json = call.matches.get_flag("json");
    let text = if is_json { as_json(F::PLAN, &found, code) } else { as_text(F::PLAN, &found) };
    print(call.stdout, &text).map(|()| code)
}

/// What of a run's options matters to a look at it.
pub(super) fn given_options(plan: &Plan, matches: &ArgMatches) -> Options {
    Options { checkpoint: given_checkpoint(plan, matches), ..Options::default() }
}

fn as_text(plan: &Plan, found: &Findings) -> String {
    let mut text = String::new();
    let (mut errors, mut notes) = (0, 0);
    for finding in &found.findings {
        let (kind, failure) = match &finding.what {
            What::Wrong(error) => ("error", error.to_string()),
            What::Note(failure) => ("note", failure.to_string()),
        };
        *(if kind == "error" { &mut errors } else { &mut notes }) += 1;
        // One line each, whatever a database has to say.
        text += &format!("{kind}: {}\n", failure.replace(['\n', '\r'], " "));
    }
    let next = found.next.map(|next| format!("; the next iteration is {next}")).unwrap_or_default();
    let count = |count: usize, what: &str| format!("{count} {what}{}", if count == 1 { "" } else { "s" });
    let verdict = match (errors, notes) {
        (0, 0) => format!("fine{next}"),
        (0, notes) => format!("fine, {}{next}", count(notes, "note")),
        (errors, 0) => count(errors, "error"),
        (errors, notes) => format!("{}, {}", count(errors, "error"), count(notes, "note")),
    };
    text + &format!("{}: {verdict}\n", plan.logical_name())
}

/// Everything as one object.
#[derive(Serialize)]
struct Checked<'a> {
    flow: String,
    exit_code: u8,
    next_iteration: Option<u64>,
    findings: Vec<Found<'a>>,
}

#[derive(Serialize)]
struct Found<'a> {
    /// `error` or `note`.
    severity: &'static str,
    /// As the outcome of a run names it.
    kind: &'static str,
    port: Option<&'static str>,
    message: String,
    #[serde(flatten)]
    failure: Option<&'a Failure>,
}

fn as_json(plan: &Plan, found: &Findings, exit_code: u8) -> String {
    let findings = found.findings.iter().map(|finding| match &finding.what {
        What::Wrong(error) => Found {
            severity: "error",
            kind: error.kind(),
            port: finding.port,
            message: error.to_string(),
            failure: error.failure(),
        },
        What::Note(failure) => Found {
            severity: "note",
            kind: "note",
            port: finding.port,
            message: failure.to_string(),
            failure: Some(failure),
        },
    });
    json::line(&Checked {
        flow: plan.logical_name(),
        exit_code,
        next_iteration: found.next,
        findings: findings.collect(),
    })
}
