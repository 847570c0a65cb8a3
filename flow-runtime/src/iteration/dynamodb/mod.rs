//! The store in a table of DynamoDB: one table holds any number of flows, of any number of machines.
//!
//! | partition | sort | what |
//! |---|---|---|
//! | flow | `flow` | its epoch, and those that resets have ended (`head.rs`) |
//! | flow | `owner` | who is at work (`owner.rs`) |
//! | flow#epoch | `head` | all that changes: attempts, what is sealed and not done, what the positions are made of |
//! | flow#epoch | `done#…` | an iteration that is done, by its number; never changed |
//! | flow#epoch | `part#…` | ranges, positions and counts, however many: parts of a group (`group.rs`); never changed |
//!
//! Which condition protects what:
//! - *Every item has a version, every write the condition that it is still the one that was read.* Whoever changes a head
//!   has read it, consistently, has decided over what he read (`iteration/decide/`, as any store), and writes nothing if
//!   anybody was faster: he reads and decides again (`register.rs`). So the condition of a seal, of a revocation, of a mark
//!   and of a swap is one condition on one item. A write that arrives late or twice finds another version and does nothing;
//!   an attempt that was revoked is not opened by its own delayed note.
//! - *A seal is one write of the head*, after its group was written and is durable. A group that no head names is garbage.
//! - *A reset changes two items in one step*, the flow's and the head of the epoch that ends, each on its version: so no seal
//!   comes through in the old epoch once there is a new one.
//! - *An iteration that is done* is written by itself before it leaves the head; it is written once, on the condition that it
//!   is not there.
//! - A lost reply is tried again under the same condition; if that fails, the decision is made over what is there now, and
//!   finds that it has come through.
//!
//! Nothing is scanned, and nothing is written while nothing happens but the owner's counter. What is staged stays on the
//! machine that staged it. What is not here: the order of the calls (`driver/mod.rs`), and which table is meant
//! (`driver/place.rs`).

mod cost;
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) mod fuzzing;
mod group;
mod head;
mod items;
mod layers;
pub(crate) mod listing;
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) mod memory;
mod owner;
mod register;
mod table;
#[cfg(feature = "faults")]
mod trial;
mod upkeep;

use std::{cell::RefCell, sync::Arc};

pub(crate) use owner::{Lease, look_at_owner};
pub(crate) use table::DynamoDbPlace;
#[cfg(feature = "faults")]
pub use trial::try_contract;

use super::{
    Attempt, Seal, Sealed, SealedShard, State,
    decide::{Marked, may_seal},
    store::{GivenUp, Store},
};
use crate::{Error, Failure, effect::effect};
use group::{Group, Line};
use head::{Entry, FORMAT, FlowItem, Head, TooLongAgo};
use items::{Items, Key, Span, Write};
use register::{change_head, partition, read_flow, read_head, write_of_flow};

/// A table, for the store and for the thread that holds the flow.
pub(crate) type Shared = Arc<dyn Items>;

/// The iterations of one flow in a table of DynamoDB.
#[derive(Debug)]
pub(crate) struct DynamoDbStore {
    items: Arc<dyn Items>,
    flow: String,
    epoch: String,
    origin: String,
    created_us: i64,
    partition: String,
    /// The positions that these layers make: groups never change.
    positions: RefCell<(Vec<Group>, Vec<SealedShard>)>,
}

impl DynamoDbStore {
    /// Opens the store of `flow`; a new logical name gets `new_epoch`.
    pub(crate) fn open(items: Arc<dyn Items>, flow: &str, new_epoch: &str, now_us: i64) -> Result<Self, Error> {
        let make = || -> Result<(), Error> {
            if read_flow(&*items, flow)?.is_none() {
                let (epoch, origin) = (new_epoch.to_owned(), new_epoch.to_owned());
                let new = FlowItem { format: FORMAT, epoch, origin, created_us: now_us, former: Vec::new() };
                // Refused: somebody else has just made it.
                items.put(&[write_of_flow(&*items, flow, &new, 0)?])?;
            }
            Ok(())
        };
        effect("store.flow", make)?;
        Self::look(Arc::clone(&items), flow)?.ok_or_else(|| {
            Error::Store(Failure::new("the flow that was just made is not there").at(items.place().to_owned()))
        })
    }

    /// The store of `flow`, to be read; `None` where it has not begun.
    pub(crate) fn look(items: Arc<dyn Items>, flow: &str) -> Result<Option<Self>, Error> {
        let Some(known) = read_flow(&*items, flow)? else { return Ok(None) };
        let FlowItem { epoch, origin, created_us, .. } = known.value;
        Ok(Some(Self { origin, created_us, ..Self::of_epoch(items, flow, &epoch) }))
    }

    fn of_epoch(items: Arc<dyn Items>, flow: &str, epoch: &str) -> Self {
        let (flow, epoch, partition) = (flow.to_owned(), epoch.to_owned(), partition(flow, epoch));
        Self { items, flow, epoch, origin: String::new(), created_us: 0, partition, positions: RefCell::default() }
    }

    fn head(&self) -> Result<Head, Error> {
        Ok(read_head(&*self.items, &self.partition)?.value)
    }

    fn change<T>(&self, decide: impl FnMut(&mut Head) -> Result<T, Error>) -> Result<T, Error> {
        change_head(&*self.items, &self.partition, decide)
    }

    fn done_key(&self, iteration: u64) -> Key {
        Key { partition: self.partition.clone(), sort: done_sort(iteration) }
    }

    /// An iteration that is done.
    fn done(&self, iteration: u64) -> Result<Option<Entry>, Error> {
        let item = self.items.get(&self.done_key(iteration))?;
        item.map(|item| register::parse(&*self.items, &item.key, &item.body)).transpose()
    }

    /// Iterations that are done, from `first` to `last`.
    fn done_from(&self, (first, last): (u64, u64), backwards: bool, limit: Option<usize>) -> Result<Vec<Entry>, Error> {
        let (from, to) = (done_sort(first), done_sort(last));
        let span = Span { partition: &self.partition, from: &from, to: &to, backwards, limit };
        let items = self.items.items(span)?;
        items.iter().map(|item| register::parse(&*self.items, &item.key, &item.body)).collect()
    }

    /// Notes that an iteration has reached a state, by `change`, if it may.
    fn mark(&self, iteration: u64, to: State, change: impl Fn(&mut Entry)) -> Result<(), Error> {
        let what = format!("note that an iteration is {to}");
        let name = match to {
            State::Loaded => "store.loaded",
            State::Done => "store.done",
            _ => "store.held",
        };
        let mark = || {
            self.change(|head| match head.marked(iteration, to) {
                Marked::Already => Ok(()),
                Marked::Refused => Err(self.not_there(&what)),
                Marked::Written => {
                    head.mark(iteration, |entry| {
                        change(entry);
                        entry.state = to;
                    });
                    if to == State::Done {
                        self.move_out(head, iteration)?;
                    }
                    Ok(())
                }
            })
        };
        effect(name, mark)
    }

    /// Writes an iteration by itself, and takes it out of the head.
    fn move_out(&self, head: &mut Head, iteration: u64) -> Result<(), Error> {
        let Some(index) = head.unfinished.iter().position(|entry| entry.iteration() == iteration) else {
            return Ok(());
        };
        let mut entry = head.unfinished.remove(index);
        entry.tries = head.refused.iter().filter(|tried| tried.attempt.iteration == iteration).cloned().collect();
        let key = self.done_key(iteration);
        let body = register::text(&*self.items, &key, &entry)?;
        // Refused: it is there, by a former try.
        self.items.put(&[Write { key, was: 0, body }]).map(drop)
    }

    fn not_there(&self, what: &str) -> Error {
        Error::Store(
            Failure::new(format!("cannot {what}"))
                .at(format!("store {}", self.items.place()))
                .cause("the iteration is not there, or not in the state before"),
        )
    }
}

/// Numbers in the order of their texts.
fn done_sort(iteration: u64) -> String {
    format!("done#{iteration:020}")
}

impl Store for DynamoDbStore {
    fn epoch(&self) -> &str {
        &self.epoch
    }

    fn created_us(&self) -> i64 {
        self.created_us
    }

    fn latest(&self) -> Result<Option<u64>, Error> {
        Ok(self.head()?.latest)
    }

    fn unfinished(&self) -> Result<Vec<Sealed>, Error> {
        Ok(self.head()?.unfinished.iter().map(Entry::sealed).collect())
    }

    fn shards(&self) -> Result<Vec<SealedShard>, Error> {
        self.sealed_positions()
    }

    fn last_output(&self, port: &str, before: u64) -> Result<Option<u64>, Error> {
        let head = self.head()?;
        match head.last_output(port, before) {
            Ok(found) => Ok(found),
            Err(TooLongAgo) => {
                let Some(last) = before.checked_sub(1) else { return Ok(None) };
                let has_output = |entry: &Entry| entry.outputs.iter().any(|output| output.staged.port == port);
                let earlier = self.done_from((0, last), true, None)?;
                Ok(earlier.iter().find(|entry| has_output(entry)).map(Entry::iteration))
            }
        }
    }

    fn open_attempts(&self) -> Result<Vec<Attempt>, Error> {
        Ok(self.head()?.open)
    }

    fn open(&self, attempt: &Attempt) -> Result<(), Error> {
        let open = || {
            self.change(|head| match head.open(attempt) {
                true => Ok(()),
                false => Err(Error::Store(
                    Failure::new("cannot open an iteration")
                        .at(format!("store {}", self.items.place()))
                        .cause("this attempt at it was given up, or sealed, before"),
                )),
            })
        };
        effect("store.open_attempt", open)
    }

    fn revoke(&self, attempt: &str, why: GivenUp<'_>) -> Result<bool, Error> {
        let revoke = |partition: &str| {
            let mut was_open = false;
            let revoked = change_head(&*self.items, partition, |head| {
                was_open |= head.open.iter().any(|open| open.id == attempt);
                let is_answered = head.is_current() || head.state_of(attempt).0.is_some();
                Ok((head.revoke(attempt, why), is_answered))
            })?;
            if was_open && matches!(why, GivenUp::Revoked(_)) {
                self.sweep_attempt(partition, attempt);
            }
            Ok(revoked)
        };
        let revoke = || match revoke(&self.partition)? {
            (is_garbage, true) => Ok(is_garbage),
            // Whoever opened the store before a reset may be asked about what came after.
            (_, false) => Ok(revoke(&self.present_partition()?)?.0),
        };
        effect("store.revoke", revoke)
    }

    fn write_seal(&self, attempt: &Attempt, seal: &Seal) -> Result<bool, Error> {
        let write = || {
            // An attempt that has lost already need not write what it has read.
            let head = self.head()?;
            if !may_seal(head.seal_facts(attempt)) {
                return Ok(false);
            }
            let swept = self.sweep(&head.superseded);
            let ranges = seal.ranges.iter().cloned().map(Line::Range);
            let lines: Vec<Line> = ranges.chain(seal.counts.iter().cloned().map(Line::Counts)).collect();
            let contents = group::write(&*self.items, &self.partition, &attempt.id, &lines)?;
            let mut merged: Vec<Group> = Vec::new();
            let layers = self.change(|head| {
                if !may_seal(head.seal_facts(attempt)) {
                    return Ok(None);
                }
                let before = head.layers.clone();
                let layers = self.layered(head, &attempt.id, &contents, &lines)?;
                head.superseded.retain(|group| !swept.contains(group));
                // Others were faster than what was decided before.
                head.superseded.extend(merged.iter().cloned());
                merged.extend(layers.last().filter(|layer| layer.is_merged).cloned());
                head.seal(attempt, seal, contents.clone(), layers);
                Ok(Some((before, head.layers.clone())))
            })?;
            let is_sealed = layers.is_some();
            if let Some((before, now)) = layers {
                self.sealed_on((&before, &now), lines);
            }
            Ok(is_sealed)
        };
        effect("store.seal", write)
    }

    fn sealed_attempt(&self, iteration: u64) -> Result<Option<String>, Error> {
        if let Some(entry) = self.head()?.entry(iteration) {
            return Ok(Some(entry.attempt.id.clone()));
        }
        Ok(self.done(iteration)?.map(|entry| entry.attempt.id))
    }

    fn is_output_loaded(&self, iteration: u64, port: &str) -> Result<bool, Error> {
        let head = self.head()?;
        let has = |entry: &Entry| entry.outputs.iter().any(|output| output.loaded && output.staged.port == port);
        if let Some(entry) = head.entry(iteration) {
            return Ok(has(entry));
        }
        // What is forgotten was done.
        Ok(self.done(iteration)?.map_or(head.latest.is_some_and(|latest| latest > iteration), |entry| has(&entry)))
    }

    fn mark_output_loaded(&self, iteration: u64, port: &str, hash: &str) -> Result<(), Error> {
        let mark = || self.change(|head| Ok(head.output_loaded(iteration, port, hash)));
        match effect("store.output_loaded", mark)? {
            false if !self.is_output_loaded(iteration, port)? => Err(self.not_there("note that a target is loaded")),
            _ => Ok(()),
        }
    }

    fn mark_loaded(&self, iteration: u64, now_us: i64) -> Result<(), Error> {
        self.mark(iteration, State::Loaded, |entry| {
            entry.loaded_us = Some(now_us);
            if entry.state == State::Held {
                entry.note.clear();
            }
        })
    }

    fn mark_done(&self, iteration: u64, now_us: i64) -> Result<(), Error> {
        self.mark(iteration, State::Done, |entry| entry.done_us = Some(now_us))
    }

    fn mark_held(&self, iteration: u64, why: &str) -> Result<(), Error> {
        self.mark(iteration, State::Held, |entry| why.clone_into(&mut entry.note))
    }
}

#[cfg(test)]
mod tests;
