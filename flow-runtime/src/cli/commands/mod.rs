//! The commands of a flow's program: one file each, with its grammar, what it does, and what it says.
//!
//! A new command is a file here and a line in [`table`]. What several commands ask for in the same words (ports, the
//! store, JSON) is in `options.rs`.

#[cfg(not(feature = "aws"))]
mod absent;
mod check;
mod clean;
mod doctor;
mod forget;
mod health;
#[cfg(feature = "aws")]
mod iam;
mod iterations;
mod plan;
#[cfg(feature = "aws")]
mod publish;
mod replay;
mod reset;
mod restage;
mod retry_trap;
mod run;
#[cfg(feature = "aws")]
mod setup;
#[cfg(feature = "postgres")]
mod sql;

pub(super) use run::Run;

use std::io::Write;

use clap::{ArgMatches, Command};

use super::signals::Signals;
use crate::{
    Error, Flow, Plan,
    driver::{Options, Outcome},
};

/// What the grammar of a command depends on: the ports are known only from the plan.
#[derive(Debug)]
pub(super) struct Program<'a> {
    pub(super) plan: &'a Plan,
    /// What the program binds each port to, for people.
    pub(super) defaults: &'a [String],
    /// The program as it was called, without folders.
    pub(super) name: &'a str,
}

/// What a command is called with.
pub(super) struct Call<'a, F> {
    /// Its ports are bound as the program binds them.
    pub(super) flow: &'a mut F,
    pub(super) matches: &'a ArgMatches,
    pub(super) signals: &'a Signals,
    /// The driver's, or a test's.
    pub(super) run: &'a dyn Fn(&F, &Options) -> Result<Outcome, Error>,
    pub(super) stdout: &'a mut dyn Write,
    pub(super) stderr: &'a mut dyn Write,
}

/// One command.
pub(super) struct Entry<F> {
    /// Its name, its options, its help.
    grammar: fn(&Program<'_>) -> Command,
    /// Does it. What it returns is the exit code; an error is told by the caller.
    act: fn(Call<'_, F>) -> Result<u8, Error>,
}

/// All commands, as they are listed in the help; `run` is what happens without a word.
fn table<F: Flow>() -> Vec<Entry<F>> {
    vec![
        Entry { grammar: run::grammar, act: run::act },
        Entry { grammar: plan::grammar, act: plan::act },
        Entry { grammar: iterations::grammar, act: iterations::act },
        Entry { grammar: check::grammar, act: check::act },
        Entry { grammar: doctor::grammar, act: doctor::act },
        Entry { grammar: forget::grammar, act: forget::act },
        Entry { grammar: replay::grammar, act: replay::act },
        Entry { grammar: restage::grammar, act: restage::act },
        Entry { grammar: reset::grammar, act: reset::act },
        Entry { grammar: clean::grammar, act: clean::act },
        Entry { grammar: retry_trap::grammar, act: retry_trap::act },
        Entry { grammar: health::grammar, act: health::act },
        #[cfg(feature = "aws")]
        Entry { grammar: publish::grammar, act: publish::act },
        #[cfg(feature = "aws")]
        Entry { grammar: setup::grammar, act: setup::act },
        #[cfg(feature = "aws")]
        Entry { grammar: setup::teardown_grammar, act: setup::teardown },
        #[cfg(not(feature = "aws"))]
        Entry { grammar: absent::setup, act: absent::act },
        #[cfg(not(feature = "aws"))]
        Entry { grammar: absent::teardown, act: absent::act },
        #[cfg(not(feature = "aws"))]
        Entry { grammar: absent::publish, act: absent::act },
    ]
}

/// The grammar of the whole command line.
pub(super) fn grammar<F: Flow>(program: &Program<'_>) -> Command {
    let plan = program.plan;
    let about = if plan.about.trim().is_empty() { format!("Runs the flow {}.", plan.flow) } else { plan.about.into() };
    in_paragraphs(run::grammar(program))
        .name(plan.logical_name())
        .about(about)
        .args_conflicts_with_subcommands(true)
        .disable_help_subcommand(true)
        .subcommands(table::<F>().iter().map(|entry| in_paragraphs((entry.grammar)(program))))
}

/// Has the text behind the options break where the terminal ends, not where the source does: what is indented keeps its lines.
fn in_paragraphs(command: Command) -> Command {
    let Some(text) = command.get_after_help().map(ToString::to_string) else { return command };
    let (mut paragraphs, mut before) = (String::new(), "");
    for line in text.lines() {
        let is_prose = |line: &str| !line.is_empty() && !line.starts_with(' ');
        let goes_on = is_prose(before) && is_prose(line) && !before.ends_with(':');
        paragraphs.push(if goes_on { ' ' } else { '\n' });
        paragraphs.push_str(line);
        before = line;
    }
    command.after_help(paragraphs.trim_start().to_owned())
}

/// Does the command that was given.
///
/// # Errors
/// As the command says; it has not been told yet.
pub(super) fn act<F: Flow>(program: &Program<'_>, call: Call<'_, F>) -> Result<u8, Error> {
    let Some((name, matches)) = call.matches.subcommand() else { return run::act(call) };
    let entry = table::<F>().into_iter().find(|entry| (entry.grammar)(program).get_name() == name);
    entry.map_or(run::act as fn(Call<'_, F>) -> _, |entry| entry.act)(Call { matches, ..call })
}

#[cfg(test)]
mod tests;
