//! The commands of a remedy with the program's own name and options in them, quoted for a shell.

use std::{env, ffi::OsString};

use clap::{ArgMatches, parser::ValueSource};

use crate::{
    Address, Plan,
    address::{HIDDEN, without_secrets},
    held::{Case, Cause, Word},
    plan::option_name,
};

/// How the program was called, and what its ports are bound to.
#[derive(Debug)]
pub(super) struct Called {
    program: String,
    /// Port and address, of those that the command line binds.
    given: Vec<(&'static str, String)>,
    /// Port and address, of all that are bound to one.
    bound: Vec<(&'static str, String)>,
    checkpoint: Option<String>,
    is_store_new: bool,
}

impl Called {
    /// `bound` and `given` are in the order of the plan.
    pub(super) fn new(
        plan: &'static Plan,
        bound: &[Option<String>],
        given: &[Option<String>],
        matches: &ArgMatches,
    ) -> Self {
        let by_port = |addresses: &[Option<String>]| {
            let with_names = plan.ports.iter().zip(addresses);
            with_names.filter_map(|(port, address)| Some((port.name, shown(address.as_ref()?)))).collect()
        };
        let is_given = matches.value_source("checkpoint") == Some(ValueSource::CommandLine);
        let checkpoint = matches.get_raw("checkpoint").and_then(|mut words| words.next()).filter(|_| is_given);
        let program = env::args_os().next().unwrap_or_else(|| OsString::from(plan.logical_name()));
        Self {
            program: program.to_string_lossy().into_owned(),
            given: by_port(given),
            bound: by_port(bound),
            checkpoint: checkpoint.map(|text| text.to_string_lossy().into_owned()),
            is_store_new: false,
        }
    }

    /// The same, on a store that does not know the flow, or on one that does.
    pub(super) fn on(self, is_store_new: bool) -> Self {
        Self { is_store_new, ..self }
    }

    /// A command of the program that takes no ports: `clean`.
    pub(super) fn other(&self, command: &str) -> String {
        let checkpoint = self.checkpoint.iter().map(|address| format!(" --checkpoint {}", quoted(address)));
        format!("{} {command}{}", quoted(&self.program), checkpoint.collect::<String>())
    }

    /// The command of a remedy for one case among all that were found; `next` is the iteration that comes next.
    pub(super) fn fill(
        &self,
        command: &str,
        (port, case): (Option<&'static str>, &Case),
        cases: &[(Option<&'static str>, &Case)],
        next: Option<u64>,
    ) -> String {
        let iteration = |case: &Case| case.iteration.or(next);
        let path = case.path.as_deref().unwrap_or_default();
        Word::ALL.into_iter().fold(command.to_owned(), |command, word| {
            if !command.contains(word.placeholder()) {
                return command;
            }
            let text = match word {
                Word::Program => quoted(&self.program),
                Word::Options => self.options(&[]),
                Word::Run => self.run(&[]),
                Word::RunFrom => self.run(&self.each(cases, |case, now| {
                    let begins = is_begun_anew(case.cause).then_some(iteration(case)?)?;
                    (begins > 0).then(|| with_option(now, "from", &begins.to_string()))
                })),
                Word::RunFormer => self.run(&self.each(cases, |case, now| Some(as_before(case.former.as_ref()?, now)))),
                Word::Port => quoted(port.unwrap_or_default()),
                Word::Iteration => iteration(case).unwrap_or_default().to_string(),
                Word::Path => quoted(path),
                Word::Command => case.command.iter().map(|word| quoted(word)).collect::<Vec<_>>().join(" "),
                Word::StoreIsLost => if self.is_store_new { " --store-is-lost" } else { "" }.to_owned(),
            };
            // What follows a path belongs to it: `'a b'.flow`.
            command.replace(word.placeholder(), &text)
        })
    }

    /// Every port of a case, with what `address` makes of its address: else the run would be held for the others.
    fn each(
        &self,
        cases: &[(Option<&'static str>, &Case)],
        address: impl Fn(&Case, &str) -> Option<String>,
    ) -> Vec<(&'static str, String)> {
        let other = |(port, case): &(Option<&'static str>, &Case)| {
            let port = (*port)?;
            let now = self.bound.iter().find(|(name, _)| *name == port).map_or("", |(_, address)| address);
            Some((port, address(case, now)?))
        };
        cases.iter().filter_map(other).collect()
    }

    fn run(&self, instead: &[(&'static str, String)]) -> String {
        quoted(&self.program) + &self.options(instead)
    }

    /// The ports and the store that were given, some ports bound otherwise.
    fn options(&self, instead: &[(&'static str, String)]) -> String {
        let as_given = self.given.iter().filter(|(port, _)| !instead.iter().any(|(other, _)| other == port));
        let ports = as_given.chain(instead).map(|(port, address)| (option_name(port), address));
        let checkpoint = self.checkpoint.iter().map(|address| ("checkpoint".to_owned(), address));
        ports.chain(checkpoint).map(|(name, text)| format!(" --{name} {}", quoted(text))).collect()
    }
}

/// The address as it was written, unless it holds a secret: then somebody has to put that in again.
fn shown(address: &str) -> String {
    let without = without_secrets(address);
    if without.contains(HIDDEN) { without } else { address.to_owned() }
}

/// Whether the target of such a case can begin with a later iteration.
fn is_begun_anew(cause: Cause) -> bool {
    let commands = cause.entry().remedies.iter().flat_map(|remedy| remedy.commands);
    commands.into_iter().any(|command| command.contains(Word::RunFrom.placeholder()))
}

/// The address with this option, instead of one that it has.
fn with_option(address: &str, name: &str, value: &str) -> String {
    let (path, options) = address.split_once('?').unwrap_or((address, ""));
    let is_other = |pair: &&str| !pair.is_empty() && pair.split_once('=').is_none_or(|(other, _)| other != name);
    let new = format!("{name}={value}");
    let options: Vec<&str> = options.split('&').filter(is_other).chain([new.as_str()]).collect();
    format!("{path}?{}", options.join("&"))
}

/// The address that a port had, with those options of the present one that say how rows are written.
fn as_before(former: &str, now: &str) -> String {
    let (Ok(before), Ok(address)) = (former.parse::<Address>(), now.parse::<Address>()) else {
        return former.to_owned();
    };
    if before.tap() != address.tap() {
        return former.to_owned();
    }
    // Where it is, the former address says; whatever it leaves out is not meant.
    let is_place = |name: &str| match before.tap() {
        "dynamodb" => ["endpoint", "region"].contains(&name),
        "s3" => name == "endpoint",
        _ => false,
    };
    let (path, options) = now.split_once('?').unwrap_or((now, ""));
    let pairs = options.split('&').filter_map(|pair| pair.split_once('='));
    let kept = pairs.filter(|(name, _)| before.option(name).is_none() && !is_place(name));
    kept.fold(of_user(former, path), |address, (name, value)| with_option(&address, name, value))
}

/// The address of a server with the user of another one: the store does not know as whom a flow comes.
fn of_user(address: &str, other: &str) -> String {
    let user = other.split_once("://").and_then(|(_, rest)| rest.split('/').next()?.rsplit_once('@'));
    match (address.split_once("://"), user) {
        (Some((tap, rest)), Some((user, _))) => format!("{tap}://{user}@{rest}"),
        _ => address.to_owned(),
    }
}

/// A word as a shell takes it.
fn quoted(word: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/._-:=,+@%".contains(&byte);
    match !word.is_empty() && word.bytes().all(is_plain) {
        true => word.to_owned(),
        false => format!("'{}'", word.replace('\'', r"'\''")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn called() -> Called {
        Called {
            program: "./job".to_owned(),
            given: vec![("counts", "sqlite:c.db?mode=merge".to_owned())],
            bound: vec![
                ("counts", "sqlite:c.db?mode=merge".to_owned()),
                ("bad_lines", "file:bad lines.csv?delimiter=;".to_owned()),
            ],
            checkpoint: Some("sqlite:s.db".to_owned()),
            is_store_new: false,
        }
    }

    #[test]
    fn a_command_has_the_program_and_its_options() {
        let case = Cause::FileCut.case().iteration(4).path("bad lines.csv");
        let fill = |command: &str| called().fill(command, (Some("bad_lines"), &case), &[], None);
        assert_eq!(fill("mv {path} {path}.{iteration}"), "mv 'bad lines.csv' 'bad lines.csv'.4");
        let options = "--counts 'sqlite:c.db?mode=merge' --checkpoint sqlite:s.db";
        assert_eq!(
            fill("{program} forget {port}{store-is-lost}{options}"),
            format!("./job forget bad_lines {options}")
        );
        let lost = called().on(true).fill("forget{store-is-lost}{options}", (None, &case), &[], None);
        assert_eq!(lost, format!("forget --store-is-lost {options}"));
        assert_eq!(fill("{run} --accept-gap"), format!("./job {options} --accept-gap"));
        assert_eq!(called().other("clean"), "./job clean --checkpoint sqlite:s.db");
    }

    #[test]
    fn every_target_that_must_begin_anew_does() {
        let case = Cause::LedgerBehind.case().iteration(4);
        let others = Cause::SourceShrunk.case();
        let cases = [(Some("counts"), &case), (Some("bad_lines"), &case), (Some("log"), &others)];
        assert_eq!(
            called().fill("{run-from}", cases[0], &cases, None),
            "./job --counts 'sqlite:c.db?mode=merge&from=4' --bad-lines 'file:bad lines.csv?delimiter=;&from=4' \
             --checkpoint sqlite:s.db"
        );
        let first = Cause::ForeignLedger.case().iteration(0);
        let plain = called().fill("{run-from}", (Some("counts"), &first), &[(Some("counts"), &first)], None);
        assert_eq!(plain, "./job --counts 'sqlite:c.db?mode=merge' --checkpoint sqlite:s.db");
    }

    #[test]
    fn a_port_that_is_bound_as_before_keeps_what_the_store_does_not_know_of_its_address() {
        assert_eq!(
            as_before("file:/a/bad.csv?mode=append", "file:b.csv?delimiter=;&mode=replace"),
            "file:/a/bad.csv?mode=append&delimiter=;"
        );
        let table = "redshift://db:5439/x?table=public.t&mode=merge";
        let there = "redshift://flow:…@db:5439/x?table=u&staging=s3://b/rows&mode=append";
        assert_eq!(
            as_before(table, there),
            "redshift://flow:…@db:5439/x?table=public.t&mode=merge&staging=s3://b/rows"
        );
        assert_eq!(
            as_before("dynamodb://t?region=a&mode=merge", "dynamodb://t?region=b&endpoint=http://x&keys=once"),
            "dynamodb://t?region=a&mode=merge&keys=once"
        );
        assert_eq!(as_before("sqlite:/a?table=t&mode=merge", "stdout:"), "sqlite:/a?table=t&mode=merge");
        assert_eq!(as_before("sqlite:/a?table=t&mode=merge", ""), "sqlite:/a?table=t&mode=merge");
    }

    #[test]
    fn words_are_quoted_where_a_shell_would_read_something_else() {
        assert_eq!(quoted("sqlite:/a/b.db"), "sqlite:/a/b.db");
        assert_eq!(quoted("a?b&c"), "'a?b&c'");
        assert_eq!(quoted("it's"), r"'it'\''s'");
        assert_eq!(quoted(""), "''");
    }
}
