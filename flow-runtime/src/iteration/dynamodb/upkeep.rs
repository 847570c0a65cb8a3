//! Mending and tidying: a manifest swapped, an epoch ended, what nobody needs forgotten.

use std::collections::HashSet;

use super::{
    DynamoDbStore, Entry, Line,
    group::{self, attempt_of, name_of},
    head::{Former, Head},
    register::{Read, change_head, partition, read_flow, read_head, write_of_flow, write_of_head},
};
use crate::{
    Error, Failure,
    effect::effect,
    iteration::{
        IterationDetail, Seal, SealedDetail, State, TableVersion,
        decide::{AttemptState, Staged, may_swap},
        store::Store as _,
        upkeep::{FormerEpoch, LastProgram, Swap, Upkeep},
    },
};

impl DynamoDbStore {
    /// Where the present epoch of the flow is.
    pub(super) fn present_partition(&self) -> Result<String, Error> {
        Ok(partition(&self.flow, &self.present_epoch()?))
    }

    fn flow_item(&self) -> Result<Read<super::FlowItem>, Error> {
        read_flow(&*self.items, &self.flow)?.ok_or_else(|| {
            Error::Store(
                Failure::new(format!("the checkpoint store does not know the flow {} any more", self.flow))
                    .at(self.items.place().to_owned())
                    .help("restore the table from a backup, together with the targets"),
            )
        })
    }

    /// The lines of a sealed iteration that say what was read.
    fn ranges(&self, entry: &Entry) -> Result<Vec<Line>, Error> {
        let mut lines = group::read(&*self.items, &self.partition, &entry.contents)?;
        lines.retain(|line| matches!(line, Line::Range(_)));
        Ok(lines)
    }

    /// What each table of an iteration held when it was read before.
    fn tables_before(&self, head: &Head, entry: &Entry) -> Result<Vec<TableVersion>, Error> {
        let mut before: Vec<TableVersion> = Vec::new();
        let mut last = entry.iteration();
        let mut earlier: Vec<Entry> =
            head.unfinished.iter().filter(|other| other.iteration() < last).cloned().collect();
        earlier.reverse();
        loop {
            for table in earlier.iter().flat_map(|entry| &entry.tables) {
                let is_asked = entry.tables.iter().any(|asked| asked.port == table.port);
                if is_asked && !before.iter().any(|known| known.port == table.port) {
                    before.push(table.clone());
                }
            }
            let Some(next) = last.checked_sub(1).filter(|_| before.len() < entry.tables.len()) else { break };
            earlier = self.done_from((0, next), true, Some(10))?;
            let Some(first) = earlier.last().map(Entry::iteration) else { break };
            last = first;
        }
        before.sort_by(|one, other| one.port.cmp(&other.port));
        Ok(before)
    }

    fn in_full(&self, head: &Head, entry: &Entry) -> Result<IterationDetail, Error> {
        let (mut ranges, mut counts) = (Vec::new(), Vec::new());
        for line in group::read(&*self.items, &self.partition, &entry.contents)? {
            match line {
                Line::Range(range) => ranges.push(range),
                Line::Counts(of) => counts.push(of),
                Line::Shard(_) => {}
            }
        }
        let (tables, outputs) = (entry.tables.clone(), super::head::by_port(entry.outputs.iter().cloned()));
        let mut tries = head.tries(entry.iteration());
        if entry.state == State::Done {
            tries = entry.tries.clone();
            let note = String::new();
            tries.push(crate::iteration::Tried { attempt: entry.attempt.clone(), state: AttemptState::Sealed, note });
        }
        let seal = Seal { sealed_us: entry.sealed_us, note: entry.note.clone(), ranges, tables, outputs, counts };
        Ok(IterationDetail {
            iteration: entry.iteration(),
            state: entry.state,
            note: entry.note.clone(),
            tries,
            sealed: Some(SealedDetail {
                attempt: entry.attempt.id.clone(),
                seal,
                loaded_us: entry.loaded_us,
                done_us: entry.done_us,
                tables_before: self.tables_before(head, entry)?,
            }),
        })
    }

    /// Removes the groups that nothing names and nobody is about to name; notes how many iterations are left.
    fn forget_groups(&self) -> Result<(), Error> {
        // In this order: what is written later is of an attempt that is open in the head, and what is done after the head
        // was read is there by itself.
        let written = self.items.items(group::span(&self.partition))?;
        let head = self.head()?;
        let done = self.done_from((0, u64::MAX), false, None)?;
        let entries = head.unfinished.iter().chain(&done).map(|entry| &entry.contents);
        let named: HashSet<&str> = entries.chain(&head.layers).map(|group| group.name.as_str()).collect();
        let is_open = |attempt: &str| head.open.iter().any(|open| open.id == attempt);
        for item in &written {
            let Some(name) = name_of(&item.key) else { continue };
            if !named.contains(name) && !attempt_of(name).is_some_and(is_open) {
                self.items.remove(&item.key)?;
            }
        }
        let kept = (done.len() + head.unfinished.len()) as u64;
        let forgotten = head.latest.map_or(0, |latest| latest + 1).saturating_sub(kept);
        let superseded = head.superseded;
        self.change(|head| {
            head.forgotten = forgotten;
            head.superseded.retain(|group| !superseded.contains(group));
            Ok(())
        })
    }
}

impl Upkeep for DynamoDbStore {
    fn origin(&self) -> &str {
        &self.origin
    }

    fn iteration(&self, iteration: u64) -> Result<Option<IterationDetail>, Error> {
        let head = self.head()?;
        if let Some(entry) = head.entry(iteration) {
            return self.in_full(&head, entry).map(Some);
        }
        if let Some(entry) = self.done(iteration)? {
            return self.in_full(&head, &entry).map(Some);
        }
        let tries = head.tries(iteration);
        Ok(tries.last().cloned().map(|last| IterationDetail {
            iteration,
            state: if last.state == AttemptState::Held { State::Held } else { State::Open },
            note: last.note,
            tries,
            sealed: None,
        }))
    }

    fn write_swap(&self, swap: &Swap<'_>) -> Result<bool, Error> {
        let write = || {
            let head = self.head()?;
            let Some(entry) = head.entry(swap.iteration).filter(|_| may_swap(head.swap_facts(swap))) else {
                return Ok(false);
            };
            let ranges = self.ranges(entry)?;
            let counts = swap.counts.iter().cloned().map(Line::Counts);
            let lines: Vec<Line> = ranges.into_iter().chain(counts).collect();
            let contents = group::write(&*self.items, &self.partition, swap.to, &lines)?;
            self.change(|head| {
                if !may_swap(head.swap_facts(swap)) {
                    return Ok(false);
                }
                head.swap(swap, contents.clone());
                Ok(true)
            })
        };
        effect("store.swap", write)
    }

    fn write_reset(&self, epoch: &str, now_us: i64) -> Result<bool, Error> {
        let write = || loop {
            let Read { value: mut flow, version } = self.flow_item()?;
            if flow.epoch != self.epoch {
                return Ok(false);
            }
            let mut head = read_head(&*self.items, &self.partition)?;
            flow.former.push(Former { epoch: std::mem::replace(&mut flow.epoch, epoch.to_owned()), ended_us: now_us });
            flow.created_us = now_us;
            head.value.end(now_us);
            let flow = write_of_flow(&*self.items, &self.flow, &flow, version)?;
            let head = write_of_head(&*self.items, &self.partition, &head.value, head.version)?;
            // Each time that this is refused, somebody else has got on.
            if self.items.put(&[flow, head])? {
                return Ok(true);
            }
        };
        effect("store.reset", write)
    }

    fn present_epoch(&self) -> Result<String, Error> {
        Ok(self.flow_item()?.value.epoch)
    }

    fn staged(&self, attempt: &str) -> Result<Staged, Error> {
        let head = self.head()?;
        let known = head.staged(attempt);
        if known.attempt.is_some() {
            return Ok(known);
        }
        // Unknown to a former epoch, it may be of the present one.
        let known = match head.is_current() {
            true => known,
            false => read_head(&*self.items, &self.present_partition()?)?.value.staged(attempt),
        };
        Ok(Staged { epoch_is_current: known.epoch_is_current || known.attempt.is_none(), ..known })
    }

    fn last_program(&self) -> Result<Option<LastProgram>, Error> {
        let Head { latest, latest_plan_hash: plan_hash, .. } = self.head()?;
        Ok(latest.map(|iteration| LastProgram { iteration, plan_hash }))
    }

    fn staged_bytes_max(&self) -> Result<u64, Error> {
        Ok(self.head()?.staged_bytes_max)
    }

    fn targets(&self) -> Result<Vec<(String, String)>, Error> {
        Ok(self.head()?.targets.into_iter().collect())
    }

    fn former_epochs(&self) -> Result<Vec<FormerEpoch>, Error> {
        let of = |former: Former| {
            let store = Self::of_epoch(self.items.clone(), &self.flow, &former.epoch);
            let head = store.head()?;
            let iterations = head.kept_before(head.latest.map_or(0, |latest| latest + 1));
            Ok(FormerEpoch { epoch: former.epoch, ended_us: former.ended_us, iterations })
        };
        self.flow_item()?.value.former.into_iter().map(of).collect()
    }

    fn forget_epoch(&self, epoch: &str) -> Result<(), Error> {
        let forget = || {
            let former = self.flow_item()?.value;
            if former.epoch == epoch || !former.former.iter().any(|former| former.epoch == epoch) {
                return Ok(());
            }
            let store = Self::of_epoch(self.items.clone(), &self.flow, epoch);
            for entry in store.done_from((0, u64::MAX), false, None)? {
                self.items.remove(&store.done_key(entry.iteration()))?;
            }
            for item in self.items.items(group::span(&store.partition))? {
                self.items.remove(&item.key)?;
            }
            // The head stays, empty and ended: else whoever has it still open could begin it anew.
            change_head(&*self.items, &store.partition, |head| {
                *head = Head { ended_us: head.ended_us, ..Head::default() };
                Ok(())
            })?;
            self.forget_former(epoch)
        };
        effect("store.forget", forget)
    }

    fn forgettable(&self, kept: u64) -> Result<Vec<u64>, Error> {
        let head = self.head()?;
        let Some(last) = head.latest.and_then(|latest| latest.checked_sub(kept)) else { return Ok(Vec::new()) };
        let end = head.unfinished.iter().map(Entry::iteration).min().unwrap_or(u64::MAX);
        let mut needed = HashSet::new();
        for port in head.outputs.keys() {
            needed.extend(self.last_output(port, end)?);
        }
        // The last of all is never forgotten.
        needed.extend(head.latest);
        let done = self.done_from((0, last), false, None)?;
        Ok(done.iter().map(Entry::iteration).filter(|iteration| !needed.contains(iteration)).collect())
    }

    fn forget_iterations(&self, kept: u64) -> Result<(), Error> {
        let forget = || {
            let forgettable = self.forgettable(kept)?;
            for iteration in &forgettable {
                self.items.remove(&self.done_key(*iteration))?;
            }
            self.forget_groups()
        };
        effect("store.forget", forget)
    }

    /// The table has none: DynamoDB takes back by itself what is removed.
    fn compact(&self) -> Result<u64, Error> {
        Ok(0)
    }
}

impl DynamoDbStore {
    fn forget_former(&self, epoch: &str) -> Result<(), Error> {
        loop {
            let Read { value: mut flow, version } = self.flow_item()?;
            let known = flow.former.len();
            flow.former.retain(|former| former.epoch != epoch);
            if flow.former.len() == known
                || self.items.put(&[write_of_flow(&*self.items, &self.flow, &flow, version)?])?
            {
                return Ok(());
            }
        }
    }
}
