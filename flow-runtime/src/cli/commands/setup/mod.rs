//! `setup` and `teardown`: make what a flow needs on AWS and in databases, and delete it; both say what they will do, and ask.
//!
//! `task.rs`: what that is, and how it is with it. `teardown.rs`: the way back.

mod task;
mod teardown;

use clap::{Arg, ArgAction, ArgMatches, Command, builder::ValueParser};

use super::{Call, Program};
use crate::{
    Error, Failure, Flow,
    aws::{
        clients::dynamodb::TableDefinition,
        limits::CONSUMERS_MAX,
        resources::{Resource, State, What},
    },
    cli::{
        options::{checkpoint, flag, option, ports},
        telling::Telling,
        units::{self, parse_count},
    },
    effect::clock,
    sink::{Survey, Work},
};
use task::{Act, Task, Thing, as_json, confirm, looked_at};
pub(super) use teardown::{act as teardown, grammar as teardown_grammar};

pub(super) fn grammar(program: &Program<'_>) -> Command {
    let shards = "Make streams with so many shards; else they grow and shrink on demand";
    Command::new("setup")
        .about(
            "Make what the flow needs and is not there yet: streams, consumers, buckets, tables of databases, the table of \
             iterations",
        )
        .next_line_help(false)
        .args(common(program))
        .arg(option("shards", "COUNT", shards).value_parser(ValueParser::new(parse_count)))
        .after_help(
            "\
Says what is there and what will be made, asks, and waits until all of it can be used. What is there stays as it is; so the
command may be given again. Tables that ports read are their owner's: they are looked at, and not made.

A table of DynamoDB that a sink fills is made with the sink's key, and beside it `flow_ledger`, once for all flows.

A table of Redshift or PostgreSQL that a sink loads is made with its ledger; the bucket in which its rows are staged, too.
Where fields have been added to the sink, the columns that the table lacks are added, null in the rows that are there;
whatever else differs is told, and changed by hand.

Exit codes: 0 all is there; 1 something could not be made; 2 not confirmed, or a wrong option or address.",
        )
}

fn common(program: &Program<'_>) -> Vec<Arg> {
    let only = option("only", "PORT", "Only what this port needs, or `checkpoint`; may be given again");
    let mut options: Vec<Arg> = ports(program).map(|port| port.help_heading("Ports")).collect();
    options.extend([
        checkpoint(program.plan),
        only.action(ArgAction::Append),
        flag("yes", "Do not ask"),
        flag("json", "Print what was done as one line of JSON on stdout, and no text; needs --yes"),
    ]);
    options
}

pub(super) fn act<F: Flow>(call: Call<'_, F>) -> Result<u8, Error> {
    let (flow, matches, mut telling) = Telling::new(call);
    let result = set_up(flow, matches, &mut telling);
    telling.tell(&result, |_| "done: all that the flow needs is there\n".to_owned(), |tasks| as_json(tasks))
}

fn set_up<F: Flow>(flow: &mut F, matches: &ArgMatches, telling: &mut Telling<'_>) -> Result<Vec<Task>, Error> {
    let shards = matches.get_one::<u64>("shards").map(|shards| u32::try_from(*shards).unwrap_or(u32::MAX));
    let mut tasks = looked_at(flow, matches, create_or_leave)?;
    for task in &tasks {
        telling.say(&text(task, shards));
    }
    tasks.iter_mut().try_for_each(refuse_what_cannot_be_made)?;
    confirm(&tasks, "create", matches, telling)?;
    for Task { thing, act } in &tasks {
        let began = clock::elapsed();
        match (thing, act) {
            (_, Act::Leave | Act::Delete | Act::DeleteIfEmpty) => continue,
            (Thing::Aws { resource, .. }, Act::Await) => {
                resource.wait_until("come", |state| matches!(state, State::There(_)))?;
            }
            (Thing::Aws { resource, .. }, _) => resource.create(shards)?,
            (Thing::Table { tap, survey, .. }, _) => tap.execute(Work::Make, &survey.making)?,
        }
        telling.say(&format!("{} is there after {}\n", thing.place(), units::elapsed(clock::elapsed() - began)));
    }
    Ok(tasks)
}

fn create_or_leave(thing: &Thing) -> Act {
    match thing {
        Thing::Aws { resource, state: State::Missing, .. } if resource.is_ours() => Act::Create,
        Thing::Aws { state: State::Coming, .. } => Act::Await,
        Thing::Aws { .. } => Act::Leave,
        Thing::Table { survey, .. } if survey.making.is_empty() || survey.misfit.is_some() => Act::Leave,
        Thing::Table { survey: Survey { row_count: Some(_), .. }, .. } => Act::Change,
        Thing::Table { .. } => Act::Create,
    }
}

fn refuse_what_cannot_be_made(task: &mut Task) -> Result<(), Error> {
    let (resource, what, help) = match &mut task.thing {
        Thing::Table { survey, .. } => return survey.misfit.take().map_or(Ok(()), Err),
        Thing::Aws { resource, state: State::Going, .. } => {
            (resource, "it is being deleted", "nothing was changed; run the command again when it is gone")
        }
        Thing::Aws { resource, state: State::Missing, .. } if resource.what == What::Table => {
            (resource, "it is not there", "check its name; a table that a port reads is its owner's to make")
        }
        Thing::Aws { resource, state: State::Missing, .. }
            if resource.what == What::Bucket && !is_bucket_name(&resource.name) =>
        {
            (
                resource,
                "no bucket can have this name",
                "nothing was changed; give 3 to 63 of a-z 0-9 . - in the address",
            )
        }
        Thing::Aws { .. } => return Ok(()),
    };
    Err(Error::Input(Failure::new(what).at(resource.place()).help(help)))
}

/// "General purpose bucket naming rules", docs.aws.amazon.com/AmazonS3, 2026-11-22; the service knows some more.
fn is_bucket_name(name: &str) -> bool {
    let is_inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b".-".contains(&byte);
    let ends_well = |byte: Option<u8>| byte.is_some_and(|byte| is_inner(byte) && byte != b'.' && byte != b'-');
    (3..=63).contains(&name.len())
        && name.bytes().all(is_inner)
        && ends_well(name.bytes().next())
        && ends_well(name.bytes().next_back())
}

fn text(task: &Task, shards: Option<u32>) -> String {
    let what = match &task.thing {
        Thing::Aws { resource, state, .. } => text_of_resource(resource, state, shards),
        Thing::Table { survey, .. } => text_of_table(survey, task.act),
    };
    format!("{}{}: {what}\n", task.thing.place(), task.thing.used_by())
}

fn text_of_resource(resource: &Resource, state: &State, shards: Option<u32>) -> String {
    match (state, resource.what) {
        (State::There(content), _) => format!("there ({content})"),
        (State::Coming, _) => "being created".to_owned(),
        (State::Going, _) => "being deleted".to_owned(),
        (State::Missing, What::Stream) => match shards {
            Some(shards) => format!("not there: create it with {}", units::counted(u64::from(shards), "shard")),
            None => "not there: create it, on demand".to_owned(),
        },
        (State::Missing, What::Consumer) => {
            format!(
                "not there: register it, as one of {CONSUMERS_MAX} that a stream has room for, paid by shard, hour and byte"
            )
        }
        (State::Missing, What::Checkpoint) => "not there: create it, paid by request".to_owned(),
        (State::Missing, What::Bucket) => "not there: create it, private".to_owned(),
        (State::Missing, What::Table) => "not there".to_owned(),
        (State::Missing, What::Target) => {
            let key = resource.table.as_ref().map(TableDefinition::key).unwrap_or_default();
            format!("not there: create it with the key {key}, paid by request")
        }
        (State::Missing, What::Ledger) => "not there: create it, once for all flows, paid by request".to_owned(),
    }
}

/// With the statements, if there are any.
fn text_of_table(survey: &Survey, act: Act) -> String {
    let rows = survey.row_count.map(|rows| units::counted(rows, "row")).unwrap_or_default();
    let what = match (act, survey.row_count) {
        (_, _) if survey.misfit.is_some() => return "there, and none that this sink could load".to_owned(),
        (Act::Leave, _) => return format!("there ({rows})"),
        (_, None) => "not there: create it".to_owned(),
        (..) => format!("there ({rows}): change it"),
    };
    survey.making.iter().fold(what, |text, statement| format!("{text}\n    {statement}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_that_s3_would_refuse_is_refused_before_anything_is_made() {
        for name in ["access-log.trap", "b42", "0ab"] {
            assert!(is_bucket_name(name), "{name}");
        }
        for name in ["hh", "Trap", "a_b", "-ab", "ab.", &"a".repeat(64)] {
            assert!(!is_bucket_name(name), "{name}");
        }
    }
}
