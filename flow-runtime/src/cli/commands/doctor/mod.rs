//! `doctor`: says why a flow does not go on, and prints the commands that resolve it.
//!
//! What is wrong is the driver's to find out, which causes there are and what resolves them stands in [`crate::held`]; here
//! it is told, with the program's own name and options in the commands (`remedy.rs`).

mod remedy;

use std::time::Duration;

use clap::Command;
use serde::Serialize;

use super::{Call, Program, check::given_options};
use crate::{
    Error, Failure, Flow, Plan,
    cli::{
        bind,
        ending::print,
        json,
        options::{checkpoint, flag, given_ports, ports},
        units,
    },
    driver::{self, Diagnosis, Finding, Garbage, LockHolder, What},
    held::Case,
};
use remedy::Called;

/// What `doctor` ends with when something is the matter.
const NOT_WELL: u8 = 3;

pub(super) fn grammar(program: &Program<'_>) -> Command {
    Command::new("doctor")
        .about("Say why the flow does not go on, what that means for the rows, and which commands resolve it")
        .next_line_help(false)
        .args(ports(program).map(|port| port.help_heading("Ports")))
        .arg(checkpoint(program.plan).help_heading("Run"))
        .arg(flag("json", "Print it as one line of JSON").help_heading("Output"))
        .after_help(
            "Give it the ports and the store that a run is given: the commands that it prints have them.\n\
             It changes nothing. It ends with 0 when nothing keeps the flow from going on, else with 3.",
        )
}

pub(super) fn act<F: Flow>(call: Call<'_, F>) -> Result<u8, Error> {
    let given = given_ports(F::PLAN, call.matches);
    bind::bind_unchecked(call.flow, &given);
    let diagnosis = driver::diagnose(&*call.flow, &given_options(F::PLAN, call.matches));
    let called = Called::new(F::PLAN, &bind::addresses(&*call.flow), &given, call.matches).on(diagnosis.is_store_new);
    let told = tell(&diagnosis, &called);
    let code = if told.is_well { 0 } else { NOT_WELL };
    let text = match call.matches.get_flag("json") {
        true => json::line(&as_json(F::PLAN, &told)),
        false => as_text(F::PLAN, &told),
    };
    print(call.stdout, &text).map(|()| code)
}

/// What is told, for people and scripts alike.
#[derive(Debug)]
struct Told<'a> {
    is_well: bool,
    held: Vec<Held<'a>>,
    /// What is wrong besides, and is mended outside: a missing file.
    wrong: Vec<&'a Failure>,
    notes: Vec<Note>,
    next: Option<u64>,
}

/// One occurrence of a cause.
#[derive(Debug, Serialize)]
struct Held<'a> {
    port: Option<&'static str>,
    #[serde(flatten)]
    failure: &'a Failure,
    happened: &'static str,
    rows: &'static str,
    remedies: Vec<Remedy>,
}

#[derive(Debug, Serialize)]
struct Remedy {
    when: &'static str,
    commands: Vec<String>,
}

/// What a person should know, and the command that does something about it.
#[derive(Debug, Serialize)]
struct Note {
    text: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    command: Option<String>,
}

fn tell<'a>(diagnosis: &'a Diagnosis, called: &Called) -> Told<'a> {
    let Diagnosis { findings, holder, garbage, .. } = diagnosis;
    let cases: Vec<(Option<&'static str>, &Case)> = findings.findings.iter().filter_map(case_of).collect();
    let (mut held, mut wrong, mut notes) = (Vec::new(), Vec::new(), Vec::new());
    for finding in &findings.findings {
        match (&finding.what, case_of(finding)) {
            (What::Wrong(error), Some((port, case))) => {
                let Some(failure) = error.failure() else { continue };
                let entry = case.cause.entry();
                let remedy = |remedy: &crate::held::Remedy| Remedy {
                    when: remedy.when,
                    commands: remedy
                        .commands
                        .iter()
                        .map(|command| called.fill(command, (port, case), &cases, findings.next))
                        .collect(),
                };
                let remedies = entry.remedies.iter().map(remedy).collect();
                held.push(Held { port, failure, happened: entry.happened, rows: entry.rows, remedies });
            }
            // Who is at work is told below.
            (What::Wrong(Error::Busy(_)), None) if holder.is_some() => {}
            (What::Wrong(error), None) => wrong.extend(error.failure()),
            (What::Note(failure), _) => notes.push(Note { text: failure.to_string(), command: None }),
        }
    }
    notes.extend(holder.iter().map(at_work));
    notes.extend(garbage.iter().map(|garbage| left_over(garbage, called)));
    let is_stopped = holder.as_ref().is_some_and(|holder| holder.is_stopped);
    Told { is_well: held.is_empty() && wrong.is_empty() && !is_stopped, held, wrong, notes, next: findings.next }
}

fn case_of(finding: &Finding) -> Option<(Option<&'static str>, &Case)> {
    match &finding.what {
        What::Wrong(error) => Some((finding.port, error.failure()?.case()?)),
        What::Note(_) => None,
    }
}

fn at_work(holder: &LockHolder) -> Note {
    let who = holder.pid.map_or_else(|| "another process".to_owned(), |pid| format!("pid {pid}"));
    let who = holder.host.as_ref().map_or_else(|| who.clone(), |host| format!("{who} on {host}"));
    let since = |time: Duration| units::elapsed(time);
    let held_for = holder.held_for.map(|time| format!(" for {}", since(time))).unwrap_or_default();
    let reads = holder.reads.map(|(iteration, time)| format!(", at iteration {iteration} for {}", since(time)));
    let text = format!("{who} has been at work on the flow{held_for}{}", reads.unwrap_or_default());
    match (holder.is_stopped, holder.pid) {
        (true, Some(pid)) => Note {
            text: format!("{text}; it is stopped, and nobody else can run"),
            command: Some(format!("kill -CONT {pid}")),
        },
        _ => Note { text, command: None },
    }
}

fn left_over(garbage: &Garbage, called: &Called) -> Note {
    let Garbage { place, attempts, bytes, .. } = garbage;
    let text = format!(
        "{} of runs that died are left in {place}; the next run removes them",
        if *attempts == 1 {
            format!("{bytes} staged bytes of 1 attempt")
        } else {
            format!("{bytes} staged bytes of {attempts} attempts")
        }
    );
    Note { text, command: Some(called.other("clean")) }
}

fn as_text(plan: &Plan, told: &Told<'_>) -> String {
    let name = plan.logical_name();
    let next = told.next.map(|next| format!("; the next iteration is {next}")).unwrap_or_default();
    let mut text = match (told.is_well, told.held.len()) {
        (true, _) => format!("{name} is well{next}\n"),
        (false, 0) => format!("{name} cannot go on\n"),
        (false, 1) => format!("{name} is held\n"),
        (false, causes) => format!("{name} is held, for {causes} causes\n"),
    };
    for Held { failure, happened, rows, remedies, .. } in &told.held {
        let cause = failure.case().map(|case| case.cause.to_string()).unwrap_or_default();
        text += &format!("\n{cause}: {}\n  {happened}.\n  {rows}.\n", one_line(&failure.account()));
        for Remedy { when, commands } in remedies {
            text += &format!("  If {when}:\n");
            text += &commands.iter().map(|command| format!("    $ {command}\n")).collect::<String>();
        }
    }
    for failure in &told.wrong {
        text += &format!("\nwrong: {}\n", one_line(&failure.to_string()));
    }
    for Note { text: note, command } in &told.notes {
        text += &format!("\nnote: {}\n", one_line(note));
        text += &command.iter().map(|command| format!("    $ {command}\n")).collect::<String>();
    }
    text
}

/// Whatever a database has to say.
fn one_line(text: &str) -> String {
    text.replace(['\n', '\r'], " ")
}

#[derive(Serialize)]
struct AsJson<'a> {
    flow: String,
    is_well: bool,
    next_iteration: Option<u64>,
    held: &'a [Held<'a>],
    wrong: &'a [&'a Failure],
    notes: &'a [Note],
}

fn as_json<'a>(plan: &Plan, told: &'a Told<'a>) -> AsJson<'a> {
    let Told { is_well, held, wrong, notes, next } = told;
    AsJson { flow: plan.logical_name(), is_well: *is_well, next_iteration: *next, held, wrong, notes }
}
