//! What the store keeps in one item: the flow's, and the head of an epoch; as data, and what becomes of it.
//!
//! All decisions are `iteration/decide/`'s. What is not here: how an item is read and written (`register.rs`), and what is
//! too big for one (`group.rs`).

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::group::Group;
use crate::iteration::{
    Attempt, Output, Seal, Sealed, State, TableVersion, Tried,
    decide::{AttemptState, Marked, SealFacts, Staged, SwapFacts, is_garbage, mark, may_revoke},
    store::GivenUp,
    upkeep::Swap,
};

/// The version of the texts in items.
pub(super) const FORMAT: u32 = 1;

/// How many attempts that were given up are remembered, of whatever iteration. Each is in every write of the head.
pub(super) const REFUSED_KEPT: usize = 20;

/// Letters that are kept of why one was given up.
const NOTE_LETTERS_MAX: usize = 600;

/// How many of the last iterations that had something for an output are remembered.
const LAST_OUTPUTS: usize = 4;

/// A logical name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct FlowItem {
    pub(super) format: u32,
    pub(super) epoch: String,
    /// The first epoch, kept for ever: tells this flow from one of the same name in another table, region or account.
    #[serde(default)]
    pub(super) origin: String,
    /// When the epoch began.
    pub(super) created_us: i64,
    /// Epochs that resets have ended, oldest first.
    pub(super) former: Vec<Former>,
}

/// An epoch that a reset has ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Former {
    pub(super) epoch: String,
    pub(super) ended_us: i64,
}

/// All of an epoch that changes, but for iterations that are done.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Head {
    /// When a reset has ended the epoch: nothing is sealed in it any more.
    pub(super) ended_us: Option<i64>,
    /// The last sealed iteration.
    pub(super) latest: Option<u64>,
    /// The plan hash of the program that read it.
    pub(super) latest_plan_hash: u64,
    /// In the order of their opening.
    pub(super) open: Vec<Attempt>,
    /// Those that were given up last, in that order.
    pub(super) refused: Vec<Tried>,
    /// Sealed and not done, oldest first.
    pub(super) unfinished: Vec<Entry>,
    /// What the positions are made of, oldest first.
    pub(super) layers: Vec<Group>,
    /// What they were made of before, and may still be there.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) superseded: Vec<Group>,
    /// For each output, the last iterations that had something for it.
    pub(super) outputs: BTreeMap<String, Vec<u64>>,
    /// The targets that iterations are sealed for, each with its port.
    pub(super) targets: BTreeSet<(String, String)>,
    /// The most that was ever staged for an iteration.
    pub(super) staged_bytes_max: u64,
    /// How many iterations have been forgotten; for people.
    #[serde(default)]
    pub(super) forgotten: u64,
}

/// A sealed iteration: in the head until it is done, then by itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Entry {
    /// The attempt that is sealed.
    pub(super) attempt: Attempt,
    pub(super) state: State,
    pub(super) sealed_us: i64,
    pub(super) loaded_us: Option<i64>,
    pub(super) done_us: Option<i64>,
    pub(super) note: String,
    pub(super) tables: Vec<TableVersion>,
    pub(super) outputs: Vec<Output>,
    /// Records read, their bytes, and records that went to traps.
    pub(super) records: u64,
    pub(super) bytes: u64,
    pub(super) trapped: u64,
    /// What was read of each shard, and the counts of every operator.
    pub(super) contents: Group,
    /// Attempts at it that were given up.
    #[serde(default)]
    pub(super) tries: Vec<Tried>,
}

impl Entry {
    pub(super) fn iteration(&self) -> u64 {
        self.attempt.iteration
    }

    pub(super) fn sealed(&self) -> Sealed {
        Sealed {
            iteration: self.iteration(),
            attempt: self.attempt.id.clone(),
            outputs: by_port(self.outputs.iter().cloned()),
        }
    }
}

/// Outputs in the order of their ports, as every store gives them.
pub(super) fn by_port(outputs: impl IntoIterator<Item = Output>) -> Vec<Output> {
    let mut outputs: Vec<Output> = outputs.into_iter().collect();
    outputs.sort_by(|one, other| one.staged.port.cmp(&other.staged.port));
    outputs
}

impl Head {
    pub(super) fn is_current(&self) -> bool {
        self.ended_us.is_none()
    }

    pub(super) fn entry(&self, iteration: u64) -> Option<&Entry> {
        self.unfinished.iter().find(|entry| entry.iteration() == iteration)
    }

    fn entry_mut(&mut self, iteration: u64) -> Option<&mut Entry> {
        self.unfinished.iter_mut().find(|entry| entry.iteration() == iteration)
    }

    /// What is known of an attempt here; nothing of one whose iteration is done, nor of one that was forgotten.
    pub(super) fn state_of(&self, attempt: &str) -> (Option<AttemptState>, Option<State>) {
        if self.open.iter().any(|open| open.id == attempt) {
            return (Some(AttemptState::Open), None);
        }
        if let Some(refused) = self.refused.iter().find(|refused| refused.attempt.id == attempt) {
            return (Some(refused.state), None);
        }
        let sealed = self.unfinished.iter().find(|entry| entry.attempt.id == attempt);
        sealed.map_or((None, None), |entry| (Some(AttemptState::Sealed), Some(entry.state)))
    }

    pub(super) fn staged(&self, attempt: &str) -> Staged {
        let (state, iteration) = self.state_of(attempt);
        Staged { epoch_is_current: self.is_current(), attempt: state, iteration }
    }

    /// Notes an attempt; says whether it may be. One that is open is so because the reply to a former note of it was lost.
    pub(super) fn open(&mut self, attempt: &Attempt) -> bool {
        let known = self.state_of(&attempt.id).0;
        if known.is_none() {
            self.open.push(attempt.clone());
        }
        matches!(known, None | Some(AttemptState::Open))
    }

    /// Gives an attempt up, if that is still to be done; says whether what it staged is garbage.
    pub(super) fn revoke(&mut self, attempt: &str, why: GivenUp<'_>) -> bool {
        let Staged { epoch_is_current, attempt: state, iteration } = self.staged(attempt);
        if state.is_none() || !may_revoke(state) {
            return is_garbage(epoch_is_current, state, iteration);
        }
        if let Some(index) = self.open.iter().position(|open| open.id == attempt) {
            let attempt = self.open.remove(index);
            match why {
                GivenUp::Revoked(note) => self.refuse(attempt, AttemptState::Revoked, note),
                GivenUp::Held(note) => self.refuse(attempt, AttemptState::Held, note),
                GivenUp::Unneeded => {}
            }
        }
        is_garbage(epoch_is_current, Some(AttemptState::Revoked), iteration)
    }

    fn refuse(&mut self, attempt: Attempt, state: AttemptState, note: &str) {
        let note = note.chars().take(NOTE_LETTERS_MAX).collect();
        self.refused.push(Tried { attempt, state, note });
        let forgotten = self.refused.len().saturating_sub(REFUSED_KEPT);
        self.refused.drain(..forgotten);
    }

    pub(super) fn seal_facts(&self, attempt: &Attempt) -> SealFacts {
        SealFacts {
            epoch_is_current: self.is_current(),
            attempt: self.state_of(&attempt.id).0,
            iteration_is_absent: self.latest.is_none_or(|latest| latest < attempt.iteration),
        }
    }

    /// Makes an attempt final; `layers` are the positions with what it has read.
    pub(super) fn seal(&mut self, attempt: &Attempt, seal: &Seal, contents: Group, layers: Vec<Group>) {
        self.open.retain(|open| open.id != attempt.id);
        self.latest = Some(attempt.iteration);
        self.latest_plan_hash = attempt.plan_hash;
        let before = std::mem::replace(&mut self.layers, layers);
        // What an iteration has read is its own, too.
        let is_superseded = |layer: &Group| layer.is_merged && !self.layers.contains(layer);
        self.superseded.extend(before.into_iter().filter(is_superseded));
        self.note_outputs(attempt.iteration, &seal.outputs);
        self.unfinished.push(Entry {
            attempt: attempt.clone(),
            state: State::Sealed,
            sealed_us: seal.sealed_us,
            loaded_us: None,
            done_us: None,
            note: seal.note.clone(),
            tables: seal.tables.clone(),
            outputs: seal.outputs.clone(),
            records: seal.ranges.iter().map(|range| range.records).sum(),
            bytes: seal.ranges.iter().map(|range| range.bytes).sum(),
            trapped: seal.counts.iter().map(|counts| counts.counts.trapped).sum(),
            contents,
            tries: Vec::new(),
        });
    }

    fn note_outputs(&mut self, iteration: u64, outputs: &[Output]) {
        for Output { staged, place, .. } in outputs {
            self.targets.insert((staged.port.clone(), place.clone()));
            let last = self.outputs.entry(staged.port.clone()).or_default();
            if last.last() != Some(&iteration) {
                last.push(iteration);
            }
            let forgotten = last.len().saturating_sub(LAST_OUTPUTS);
            last.drain(..forgotten);
        }
        let staged = outputs.iter().map(|output| output.staged.bytes).sum();
        self.staged_bytes_max = self.staged_bytes_max.max(staged);
    }

    /// The last iteration before `before` that had something for an output; an error if it is too long ago to be known here.
    pub(super) fn last_output(&self, port: &str, before: u64) -> Result<Option<u64>, TooLongAgo> {
        let last = self.outputs.get(port).map(Vec::as_slice).unwrap_or_default();
        match last.iter().rev().find(|iteration| **iteration < before) {
            None if last.len() == LAST_OUTPUTS => Err(TooLongAgo),
            found => Ok(found.copied()),
        }
    }

    pub(super) fn swap_facts(&self, swap: &Swap<'_>) -> SwapFacts {
        let entry = self.entry(swap.iteration);
        let lacking = entry.iter().flat_map(|entry| &entry.outputs).filter(|output| !output.loaded);
        let unloaded: BTreeSet<&String> = lacking.map(|output| &output.staged.port).collect();
        SwapFacts {
            epoch_is_current: self.is_current(),
            to: self.state_of(swap.to).0,
            iteration: entry.map(|entry| entry.state),
            from_is_sealed: entry.is_some_and(|entry| entry.attempt.id == swap.from),
            unloaded_is_as_seen: unloaded == swap.unloaded.iter().collect(),
        }
    }

    /// Puts a manifest in the place of the sealed one; what was read stays as it was sealed.
    pub(super) fn swap(&mut self, swap: &Swap<'_>, contents: Group) {
        let Some(index) = self.open.iter().position(|open| open.id == swap.to) else { return };
        let attempt = self.open.remove(index);
        self.note_outputs(swap.iteration, &swap.outputs);
        let Some(entry) = self.entry_mut(swap.iteration) else { return };
        entry.outputs.retain(|output| output.loaded);
        entry.outputs.extend(swap.outputs.iter().cloned());
        entry.tables = swap.tables.clone();
        entry.trapped = swap.counts.iter().map(|counts| counts.counts.trapped).sum();
        entry.contents = contents;
        let before = if entry.state == State::Held { "" } else { entry.note.as_str() };
        entry.note = [before, "restaged"].into_iter().filter(|note| !note.is_empty()).collect::<Vec<_>>().join("; ");
        entry.state = State::Sealed;
        let lost = std::mem::replace(&mut entry.attempt, attempt);
        self.refuse(lost, AttemptState::Revoked, "what it had staged was lost");
    }

    /// Notes that a target has what is sealed for it; says whether it is known to have it.
    pub(super) fn output_loaded(&mut self, iteration: u64, port: &str, hash: &str) -> bool {
        let outputs = self.entry_mut(iteration).map(|entry| entry.outputs.iter_mut()).into_iter().flatten();
        let mut of_port = outputs.filter(|output| output.staged.port == port);
        of_port.next().is_some_and(|output| {
            output.loaded |= output.staged.hash == hash;
            output.loaded
        })
    }

    /// What becomes of a note that an iteration has reached a state. What is sealed and not here is done.
    pub(super) fn marked(&self, iteration: u64, to: State) -> Marked {
        let entry = self.entry(iteration);
        let done = self.latest.filter(|latest| *latest >= iteration).map(|_| State::Done);
        let all_loaded = entry.is_none_or(|entry| entry.outputs.iter().all(|output| output.loaded));
        mark(entry.map(|entry| entry.state).or(done), to, all_loaded)
    }

    pub(super) fn mark(&mut self, iteration: u64, change: impl FnOnce(&mut Entry)) {
        if let Some(entry) = self.entry_mut(iteration) {
            change(entry);
        }
    }

    /// Ends the epoch: no attempt of it is sealed any more.
    pub(super) fn end(&mut self, now_us: i64) {
        self.ended_us = Some(now_us);
        for attempt in std::mem::take(&mut self.open) {
            self.refuse(attempt, AttemptState::Revoked, "reset");
        }
    }

    /// How many iterations are kept before this one; all of them are numbered from 0.
    pub(super) fn kept_before(&self, iteration: u64) -> u64 {
        iteration.saturating_sub(self.forgotten)
    }

    /// The attempts at an iteration that are remembered, in about their order.
    pub(super) fn tries(&self, iteration: u64) -> Vec<Tried> {
        let is_of = |attempt: &Attempt| attempt.iteration == iteration;
        let tried = |attempt: &Attempt, state| Tried { attempt: attempt.clone(), state, note: String::new() };
        let refused = self.refused.iter().filter(|refused| is_of(&refused.attempt)).cloned();
        let sealed = self.entry(iteration).map(|entry| tried(&entry.attempt, AttemptState::Sealed));
        let open = self.open.iter().filter(|open| is_of(open)).map(|open| tried(open, AttemptState::Open));
        refused.chain(sealed).chain(open).collect()
    }
}

/// What the head does not remember.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TooLongAgo;
