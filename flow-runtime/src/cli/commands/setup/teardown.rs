//! `teardown`: deletes what `setup` makes.

use clap::{ArgMatches, Command};

use super::{
    super::{Call, Program},
    common,
    task::{Act, Task, Thing, as_json, confirm, looked_at},
};
use crate::{
    Error, Flow,
    aws::resources::{EMPTY, Resource, State, What},
    cli::{telling::Telling, units},
    sink::{LeftBehind, Survey, Work},
};

pub(in super::super) fn grammar(program: &Program<'_>) -> Command {
    Command::new("teardown")
        .about("Delete what `setup` makes, with all that is in it, after saying what is lost")
        .next_line_help(false)
        .args(common(program))
        .after_help(
            "\
Deletes what it has listed and nothing else: streams with their records, consumers by which ports read them, tables of
Redshift, PostgreSQL and DynamoDB that sinks have loaded, with their rows and ledgers, what the flow has staged for these, the
table of iterations with those of every flow that are kept there, buckets that are empty. A bucket with objects in it stays, and so
do tables that ports read, and tables that are no sink's of this flow by their columns; of DynamoDB, tables that another flow
has loaded, too, or that have items of which `flow_ledger` says nothing. `flow_ledger` itself stays, for all flows. Whatever else sinks
have written is not touched.

Exit codes: 0 nothing of it is there; 1 something could not be deleted; 2 not confirmed, or a wrong option or address.",
        )
}

pub(in super::super) fn act<F: Flow>(call: Call<'_, F>) -> Result<u8, Error> {
    let (flow, matches, mut telling) = Telling::new(call);
    let result = tear_down(flow, matches, &mut telling);
    telling.tell(&result, |_| "done\n".to_owned(), |tasks| as_json(tasks))
}

fn tear_down<F: Flow>(flow: &mut F, matches: &ArgMatches, telling: &mut Telling<'_>) -> Result<Vec<Task>, Error> {
    let flow_name = F::PLAN.logical_name();
    let mut tasks = looked_at(flow, matches, delete_or_leave)?;
    for task in &mut tasks {
        match &mut task.thing {
            Thing::Table { tap, staged, .. } => {
                *staged = tap.left_behind(&flow_name)?;
                if !staged.is_empty() {
                    task.act = Act::Delete;
                }
            }
            Thing::Aws { resource, state, .. } if resource.what == What::Target && task.act == Act::Delete => {
                if let Some(why) = resource.is_kept_from(&flow_name)? {
                    (*state, task.act) = (State::There(why), Act::Leave);
                }
            }
            Thing::Aws { .. } => {}
        }
    }
    tasks.iter().for_each(|task| telling.say(&text(task)));
    confirm(&tasks, "delete", matches, telling)?;
    let mut in_order: Vec<&mut Task> = tasks.iter_mut().collect();
    in_order.sort_by_key(|task| turn(&task.thing));
    in_order.into_iter().try_for_each(|task| delete(task, &flow_name, telling))?;
    Ok(tasks)
}

/// A stream is not deleted as long as it has a consumer, nor a bucket in which rows are staged, nor what is remembered of a table
/// that is there; where iterations are kept goes last.
fn turn(thing: &Thing) -> u8 {
    match thing {
        Thing::Aws { resource, .. } => match resource.what {
            What::Consumer => 0,
            What::Stream | What::Bucket | What::Table | What::Target => 1,
            What::Ledger => 2,
            What::Checkpoint => 3,
        },
        Thing::Table { .. } => 0,
    }
}

fn delete(task: &mut Task, flow: &str, telling: &mut Telling<'_>) -> Result<(), Error> {
    match &task.thing {
        Thing::Table { tap, survey, staged, .. } if task.act == Act::Delete => {
            if survey.misfit.is_none() {
                tap.execute(Work::Drop, &survey.dropping)?;
            }
            let attempts: Vec<String> = staged.iter().map(|left| left.attempt.clone()).collect();
            tap.remove_left_behind(&attempts)?;
        }
        Thing::Table { .. } => return Ok(()),
        Thing::Aws { resource, .. } => match task.act {
            Act::Delete => resource.delete()?,
            Act::Await => resource.wait_until("go", |state| *state == State::Missing)?,
            Act::DeleteIfEmpty if is_empty(&resource.look()?) => {
                resource.delete()?;
                task.act = Act::Delete;
            }
            Act::DeleteIfEmpty => {
                telling.say(&format!("{} stays: other objects are in it\n", resource.place()));
                task.act = Act::Leave;
                return Ok(());
            }
            Act::Change => resource.forget(flow)?,
            Act::Create | Act::Leave => return Ok(()),
        },
    }
    let is_ledger = matches!(&task.thing, Thing::Aws { resource, .. } if resource.what == What::Ledger);
    let what = if is_ledger { "says nothing any more of what is gone" } else { "is gone" };
    telling.say(&format!("{} {what}\n", task.thing.place()));
    Ok(())
}

fn is_empty(state: &State) -> bool {
    matches!(state, State::There(content) if content == EMPTY)
}

fn delete_or_leave(thing: &Thing) -> Act {
    match thing {
        Thing::Aws { resource, state, is_staging } => match (resource.what, state) {
            (What::Table, _) | (_, State::Missing) => Act::Leave,
            (_, State::Going) => Act::Await,
            (What::Bucket, state) if is_empty(state) => Act::Delete,
            (What::Ledger, _) => Act::Change,
            (What::Bucket, _) if *is_staging => Act::DeleteIfEmpty,
            (What::Bucket, _) => Act::Leave,
            _ => Act::Delete,
        },
        Thing::Table { survey, .. } if survey.misfit.is_some() || survey.dropping.is_empty() => Act::Leave,
        Thing::Table { .. } => Act::Delete,
    }
}

fn text(task: &Task) -> String {
    let what = match &task.thing {
        Thing::Aws { resource, state, .. } => text_of_resource(resource, state, task.act),
        Thing::Table { survey, staged, .. } => text_of_table(survey, staged),
    };
    format!("{}{}: {what}\n", task.thing.place(), task.thing.used_by())
}

fn text_of_resource(resource: &Resource, state: &State, act: Act) -> String {
    match (resource.what, state, act) {
        (_, State::Missing, _) => "not there".to_owned(),
        (_, State::Going, _) => "being deleted".to_owned(),
        (What::Table, ..) => "left alone: what is in it is its owner's".to_owned(),
        (What::Bucket, _, Act::Leave) => "left alone: it is not empty, and its objects may be all there is".to_owned(),
        (What::Bucket, _, Act::DeleteIfEmpty) => {
            "DELETE, if nothing but what this flow has staged is in it; else it is left alone".to_owned()
        }
        (What::Bucket, ..) => "DELETE, empty".to_owned(),
        (What::Stream, State::There(content), _) => format!("DELETE, with all its records ({content})"),
        (What::Consumer, ..) => "DELETE: nobody could read by it any more".to_owned(),
        (What::Checkpoint, State::There(content), _) => {
            format!("DELETE, with the iterations of every flow that are kept in it ({content}): each would begin anew")
        }
        (What::Target, State::There(why), Act::Leave) => format!("left alone: {why}"),
        (What::Target, State::There(content), _) => format!("DELETE, with all its items ({content})"),
        (What::Ledger, ..) => {
            let tables = resource.remembers.join("`, `");
            format!("DELETE what it says of this flow and `{tables}`, when that is gone; it stays, for other flows")
        }
        _ => "DELETE".to_owned(),
    }
}

fn text_of_table(survey: &Survey, staged: &[LeftBehind]) -> String {
    let rows = |rows| units::counted(rows, "row");
    let mut text = match (&survey.misfit, survey.row_count, survey.flows.as_slice()) {
        (Some(misfit), ..) => format!("left alone: {misfit}"),
        (None, None, _) if survey.dropping.is_empty() => "not there".to_owned(),
        (None, None, _) => "not there; DROP its ledger".to_owned(),
        (None, Some(count), []) => {
            format!("DROP, with {}, none of which a ledger says that a flow has loaded", rows(count))
        }
        (None, Some(count), flows) => {
            let flows = flows.join(", ");
            format!(
                "DROP, with {} and the ledger of what {flows} has loaded: a flow whose iterations stay is HELD",
                rows(count)
            )
        }
    };
    if !staged.is_empty() {
        let bytes = units::bytes(staged.iter().map(|left| left.bytes).sum());
        let attempts = units::counted(staged.len() as u64, "attempt");
        text += &format!("; DELETE what {attempts} of this flow staged for it ({bytes}), loaded or not");
    }
    text
}
