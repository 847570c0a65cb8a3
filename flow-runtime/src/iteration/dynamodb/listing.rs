//! What the store has of a flow, for people: as a list, and which targets it is sealed for.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use super::{
    DynamoDbStore, Entry,
    head::{FlowItem, Head},
    items::Items,
    register::{Read, read_flow},
};
use crate::{
    Error,
    iteration::{
        IterationDetail, IterationRow, State,
        decide::AttemptState,
        listing::{FormerListing, Listing, time, waiting},
        upkeep::Upkeep as _,
    },
};

/// The iterations of a flow, at most the `last` ones of each epoch; a run may be under way.
pub(crate) fn list(items: &Arc<dyn Items>, flow: &str, last: Option<u64>) -> Result<Listing, Error> {
    let Some(Read { value: FlowItem { epoch, former, .. }, .. }) = read_flow(&**items, flow)? else {
        return Ok(Listing::default());
    };
    let of = |epoch: &str| DynamoDbStore::of_epoch(Arc::clone(items), flow, epoch);
    let store = of(&epoch);
    // Before what is done: what leaves it meanwhile is found there.
    let head = store.head()?;
    let (mut rows, earlier) = sealed(&store, &head, last)?;
    rows.extend(pending(&head));
    let former = former.into_iter().map(|former| {
        let store = of(&former.epoch);
        let (rows, earlier) = sealed(&store, &store.head()?, last)?;
        Ok(FormerListing { epoch: former.epoch, ended: time(former.ended_us), rows, earlier })
    });
    Ok(Listing { former: former.collect::<Result<_, Error>>()?, epoch, rows, earlier })
}

/// One iteration in full; `None` if the store knows nothing of it.
pub(crate) fn detail(items: &Arc<dyn Items>, flow: &str, iteration: u64) -> Result<Option<IterationDetail>, Error> {
    match DynamoDbStore::look(Arc::clone(items), flow)? {
        Some(store) => store.iteration(iteration),
        None => Ok(None),
    }
}

/// The targets that any iteration of the flow is sealed for, in any epoch.
pub(crate) fn targets(items: &Arc<dyn Items>, flow: &str) -> Result<Vec<String>, Error> {
    let Some(Read { value: known, .. }) = read_flow(&**items, flow)? else { return Ok(Vec::new()) };
    let mut targets = BTreeSet::new();
    for epoch in known.former.iter().map(|former| &former.epoch).chain([&known.epoch]) {
        let head = DynamoDbStore::of_epoch(Arc::clone(items), flow, epoch).head()?;
        targets.extend(head.targets.into_iter().map(|(_, target)| target));
    }
    Ok(targets.into_iter().collect())
}

/// The sealed iterations of an epoch, oldest first, and how many there are before.
fn sealed(store: &DynamoDbStore, head: &Head, last: Option<u64>) -> Result<(Vec<IterationRow>, u64), Error> {
    let limit = last.map(|last| usize::try_from(last).unwrap_or(usize::MAX));
    let mut entries = store.done_from((0, u64::MAX), true, limit)?;
    entries.retain(|done| head.entry(done.iteration()).is_none());
    entries.reverse();
    entries.extend(head.unfinished.iter().cloned());
    entries.sort_by_key(Entry::iteration);
    let before = limit.map_or(0, |limit| entries.len().saturating_sub(limit));
    entries.drain(..before);
    let earlier = entries.first().map_or(0, |first| head.kept_before(first.iteration()));
    Ok((entries.iter().map(row).collect(), earlier))
}

fn row(entry: &Entry) -> IterationRow {
    let opened = entry.attempt.opened_us;
    let took = |done: i64| Duration::from_micros(u64::try_from(done.saturating_sub(opened)).unwrap_or(0));
    let mut rows: Vec<_> =
        entry.outputs.iter().map(|output| (output.staged.port.clone(), output.staged.rows)).collect();
    rows.sort();
    let unloaded = entry.outputs.iter().filter(|output| !output.loaded).map(|output| output.staged.port.as_str());
    let mut unloaded: Vec<&str> = unloaded.collect();
    unloaded.sort_unstable();
    IterationRow {
        number: entry.iteration(),
        state: entry.state,
        started: time(opened),
        took: entry.done_us.map(took),
        records: entry.records,
        bytes: entry.bytes,
        trapped: entry.trapped,
        rows,
        note: waiting(entry.state, &entry.note, &unloaded),
    }
}

/// The iteration after the last sealed one, if an attempt at it is open, or was held.
fn pending(head: &Head) -> Option<IterationRow> {
    let next = head.latest.map_or(0, |latest| latest + 1);
    let last = head.tries(next).pop()?;
    let (state, note) = match last.state {
        AttemptState::Open => (State::Open, last.attempt.owner),
        AttemptState::Held => (State::Held, last.note),
        AttemptState::Revoked | AttemptState::Sealed => return None,
    };
    Some(IterationRow {
        number: next,
        state,
        started: time(last.attempt.opened_us),
        took: None,
        records: 0,
        bytes: 0,
        trapped: 0,
        rows: Vec::new(),
        note,
    })
}
