//! `setup` and `teardown`: make what a flow needs on AWS, and delete it; both say what they will do, and ask.

use std::io::{self, BufRead as _, IsTerminal as _};

use clap::{Arg, ArgAction, ArgMatches, Command, builder::ValueParser};
use serde_json::{Value, json};

use super::{Call, Program};
use crate::{
    Address, Error, Failure, Flow, Plan,
    aws::{
        limits::CONSUMERS_MAX,
        resources::{EMPTY, Resource, State, What},
    },
    cli::{
        bind,
        options::{checkpoint, flag, given_checkpoint, given_ports, option, ports},
        telling::Telling,
        units::{self, parse_count},
    },
    driver::Checkpoint,
    effect::clock,
};

/// What keeps iterations, among the names of ports.
const CHECKPOINT: &str = "checkpoint";

pub(super) fn grammar(program: &Program<'_>) -> Command {
    let shards = "Make streams with so many shards; else they grow and shrink on demand";
    Command::new("setup")
        .about("Make what the flow needs on AWS and is not there yet: streams, consumers, buckets, the table of iterations")
        .next_line_help(false)
        .args(common(program))
        .arg(option("shards", "COUNT", shards).value_parser(ValueParser::new(parse_count)))
        .after_help(
            "\
Says what is there and what will be made, asks, and waits until all of it can be used. Of a table that is loaded from S3 it
is the bucket in which rows are staged. What is there stays as it is; so the command may be given again. Tables that ports read are their owner's: they are looked at, and not made.

Exit codes: 0 all is there; 1 something could not be made; 2 not confirmed, or a wrong option or address.",
        )
}

pub(super) fn teardown_grammar(program: &Program<'_>) -> Command {
    Command::new("teardown")
        .about("Delete what `setup` makes, with all that is in it, after saying what is lost")
        .next_line_help(false)
        .args(common(program))
        .after_help(
            "\
Deletes what it has listed and nothing else: streams with their records, consumers by which ports read them, the table of
iterations with those of every flow that are kept there, buckets that are empty. A bucket with objects in it stays, and so
do tables that ports read. What sinks have written is not touched.

Exit codes: 0 nothing of it is there; 1 something could not be deleted; 2 not confirmed, or a wrong option or address.",
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

/// A thing, how it is with it, and what is to be done about it.
struct Task {
    resource: Resource,
    state: State,
    act: Act,
}

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Act {
    Create,
    Delete,
    /// Somebody is at it already.
    Await,
    Leave,
}

pub(super) fn act<F: Flow>(call: Call<'_, F>) -> Result<u8, Error> {
    let (flow, matches, mut telling) = Telling::new(call);
    let result = set_up(flow, matches, &mut telling);
    telling.tell(&result, |_| "done: all that the flow needs on AWS is there\n".to_owned(), |tasks| as_json(tasks))
}

fn set_up<F: Flow>(flow: &mut F, matches: &ArgMatches, telling: &mut Telling<'_>) -> Result<Vec<Task>, Error> {
    let shards = matches.get_one::<u64>("shards").map(|shards| u32::try_from(*shards).unwrap_or(u32::MAX));
    let tasks = looked_at(flow, matches, create_or_leave)?;
    for task in &tasks {
        telling.say(&setup_text(task, shards));
    }
    tasks.iter().try_for_each(refuse_what_cannot_be_made)?;
    confirm(&tasks, "create", matches, telling)?;
    for Task { resource, act, .. } in &tasks {
        let began = clock::elapsed();
        match act {
            Act::Create => resource.create(shards)?,
            Act::Await => resource.wait_until("come", |state| matches!(state, State::There(_)))?,
            Act::Delete | Act::Leave => continue,
        }
        telling.say(&format!("{} is there after {}\n", resource.place(), units::elapsed(clock::elapsed() - began)));
    }
    Ok(tasks)
}

fn create_or_leave(resource: &Resource, state: &State) -> Act {
    match state {
        State::Missing if resource.is_ours() => Act::Create,
        State::Coming => Act::Await,
        _ => Act::Leave,
    }
}

fn refuse_what_cannot_be_made(task: &Task) -> Result<(), Error> {
    let (what, help) = match (&task.state, task.resource.what) {
        (State::Going, _) => ("it is being deleted", "nothing was changed; run the command again when it is gone"),
        (State::Missing, What::Table) => {
            ("it is not there", "check its name; a table that a port reads is its owner's to make")
        }
        _ => return Ok(()),
    };
    Err(Error::Input(Failure::new(what).at(task.resource.place()).help(help)))
}

fn setup_text(task: &Task, shards: Option<u32>) -> String {
    let what = match (&task.state, task.resource.what) {
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
    };
    format!("{}{}: {what}\n", task.resource.place(), used_by(&task.resource))
}

pub(super) fn teardown<F: Flow>(call: Call<'_, F>) -> Result<u8, Error> {
    let (flow, matches, mut telling) = Telling::new(call);
    let result = tear_down(flow, matches, &mut telling);
    telling.tell(&result, |_| "done\n".to_owned(), |tasks| as_json(tasks))
}

fn tear_down<F: Flow>(flow: &mut F, matches: &ArgMatches, telling: &mut Telling<'_>) -> Result<Vec<Task>, Error> {
    let tasks = looked_at(flow, matches, delete_or_leave)?;
    tasks.iter().for_each(|task| telling.say(&teardown_text(task)));
    confirm(&tasks, "delete", matches, telling)?;
    // A stream is not deleted as long as it has a consumer; where iterations are kept goes last.
    let (consumers, others): (Vec<&Task>, Vec<&Task>) =
        tasks.iter().partition(|task| task.resource.what == What::Consumer);
    for Task { resource, act, .. } in consumers.into_iter().chain(others) {
        match act {
            Act::Delete => resource.delete()?,
            Act::Await => resource.wait_until("go", |state| *state == State::Missing)?,
            Act::Create | Act::Leave => continue,
        }
        telling.say(&format!("{} is gone\n", resource.place()));
    }
    Ok(tasks)
}

fn delete_or_leave(resource: &Resource, state: &State) -> Act {
    match (resource.what, state) {
        (What::Table, _) => Act::Leave,
        (_, State::Missing) => Act::Leave,
        (_, State::Going) => Act::Await,
        (What::Bucket, State::There(content)) if content != EMPTY => Act::Leave,
        _ => Act::Delete,
    }
}

fn teardown_text(task: &Task) -> String {
    let Task { resource, state, act } = task;
    let what = match (resource.what, state, act) {
        (_, State::Missing, _) => "not there".to_owned(),
        (_, State::Going, _) => "being deleted".to_owned(),
        (What::Table, ..) => "left alone: what is in it is its owner's".to_owned(),
        (What::Bucket, _, Act::Leave) => "left alone: it is not empty, and its objects may be all there is".to_owned(),
        (What::Bucket, ..) => "DELETE, empty".to_owned(),
        (What::Stream, State::There(content), _) => format!("DELETE, with all its records ({content})"),
        (What::Consumer, ..) => "DELETE: nobody could read by it any more".to_owned(),
        (What::Checkpoint, State::There(content), _) => {
            format!("DELETE, with the iterations of every flow that are kept in it ({content}): each would begin anew")
        }
        _ => "DELETE".to_owned(),
    };
    format!("{}{}: {what}\n", resource.place(), used_by(resource))
}

/// `` (port `log`) ``.
fn used_by(resource: &Resource) -> String {
    match resource.ports.as_slice() {
        [] => String::new(),
        [port] => format!(" (port `{port}`)"),
        ports => format!(" (ports `{}`)", ports.join("`, `")),
    }
}

/// What the flow needs, each thing once, and how it is with it.
fn looked_at<F: Flow>(
    flow: &mut F,
    matches: &ArgMatches,
    act: fn(&Resource, &State) -> Act,
) -> Result<Vec<Task>, Error> {
    bind::bind_given(flow, &given_ports(F::PLAN, matches))?;
    let resources = needed(F::PLAN, &bind::addresses(flow), matches)?;
    let look = |resource: Resource| {
        let state = resource.look()?;
        Ok(Task { act: act(&resource, &state), resource, state })
    };
    resources.into_iter().map(look).collect()
}

fn needed(plan: &Plan, addresses: &[Option<String>], matches: &ArgMatches) -> Result<Vec<Resource>, Error> {
    let only: Vec<&String> = matches.get_many::<String>("only").into_iter().flatten().collect();
    if let Some(unknown) = only.iter().find(|name| **name != CHECKPOINT && plan.port(name).is_none()) {
        let ports: Vec<&str> = plan.ports.iter().map(|port| port.name).collect();
        let failure = Failure::new(format!("there is no port `{unknown}`"));
        return Err(Error::Config(failure.help(format!("--only takes {}, {CHECKPOINT}", ports.join(", ")))));
    }
    let is_meant = |name: &str| only.is_empty() || only.iter().any(|wanted| *wanted == name);
    let mut resources: Vec<Resource> = Vec::new();
    for (port, text) in plan.ports.iter().zip(addresses) {
        let Some(text) = text.as_ref().filter(|_| is_meant(port.name)) else { continue };
        let address: Address = text.parse().map_err(|error: Error| error.of_port(port.name))?;
        let found = [Resource::of_port(port.name, &address), Resource::consumer_of_port(port.name, &address)];
        for resource in found.into_iter().flatten() {
            match resources.iter_mut().find(|known| known.is(&resource)) {
                Some(known) => known.ports.extend(resource.ports),
                None => resources.push(resource),
            }
        }
    }
    // A file needs nothing to be made.
    if let Checkpoint::DynamoDb(address) = given_checkpoint(plan, matches)
        && is_meant(CHECKPOINT)
    {
        resources.extend(Resource::of_checkpoint(&address));
    }
    Ok(resources)
}

/// Asks, where something would be done; a script says --yes.
fn confirm(tasks: &[Task], verb: &str, matches: &ArgMatches, telling: &mut Telling<'_>) -> Result<(), Error> {
    let count = tasks.iter().filter(|task| matches!(task.act, Act::Create | Act::Delete)).count();
    if count == 0 || matches.get_flag("yes") {
        return Ok(());
    }
    let not_done = |what: &str, help: &str| Err(Error::Config(Failure::new(what).help(help)));
    if matches.get_flag("json") || !io::stdin().is_terminal() {
        return not_done("nobody is there to be asked", "nothing was changed; give --yes");
    }
    telling.say(&format!(
        "{verb} {}? type yes to go on: ",
        if count == 1 { "it".to_owned() } else { format!("these {count}") }
    ));
    let mut typed = String::new();
    match io::stdin().lock().read_line(&mut typed) {
        Ok(_) if typed.trim() == "yes" => Ok(()),
        _ => not_done("not confirmed", "nothing was changed; type yes when asked, or give --yes"),
    }
}

fn as_json(tasks: &[Task]) -> Value {
    let task = |Task { resource, state, act }: &Task| {
        let was = match state {
            State::Missing => "missing",
            State::Coming => "creating",
            State::There(_) => "there",
            State::Going => "deleting",
        };
        let done = match act {
            Act::Create => Some("created"),
            Act::Delete => Some("deleted"),
            Act::Await => Some("awaited"),
            Act::Leave => None,
        };
        let what = match resource.what {
            What::Stream => "stream",
            What::Consumer => "consumer",
            What::Bucket => "bucket",
            What::Checkpoint => CHECKPOINT,
            What::Table => "table",
        };
        json!({ "what": what, "name": resource.name, "ports": resource.ports, "was": was, "done": done })
    };
    json!({ "resources": tasks.iter().map(task).collect::<Vec<_>>() })
}
