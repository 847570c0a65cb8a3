//! The bound on what all tables of all workers hold in memory, and what happens at it.
//!
//! After each piece a worker counts what its tables hold. Together they may hold [`Memory::bound`]: beyond it, the worker
//! with the most groups moves them to disk; held sides of joins cannot go there and end the run. Nothing is counted for
//! a record, so tables can exceed the bound by what one piece a worker adds.
//!
//! What is not counted: buffers, whose number is fixed (`execute.rs`), and blocks of groups on their way back from disk.

use std::{
    num::NonZeroUsize,
    sync::atomic::{AtomicUsize, Ordering},
};

use crate::{
    Error, Failure, Flow, Plan,
    flow::TableMut,
    operators::{SpillGroups, SpillPlace},
    plan::{Drain, OperatorPlan},
};

/// The share of the memory that joins leave to groups, in a flow that has both: one of so many.
const GROUPS_SHARE: usize = 8;

/// What all tables may hold, and what they hold.
#[derive(Debug)]
pub(super) struct Memory {
    plan: &'static Plan,
    bound: usize,
    workers: usize,
    spill: SpillPlace,
    /// For each operator, what its frozen held side holds.
    frozen: Vec<AtomicUsize>,
    /// For each operator, what all workers hold of a join.
    joins: Vec<AtomicUsize>,
    /// What all workers hold of all groups.
    groups: AtomicUsize,
}

impl Memory {
    /// Nothing is held yet; groups spill to `spill`.
    pub(super) fn new(plan: &'static Plan, bound_bytes: u64, workers: NonZeroUsize, spill: SpillPlace) -> Self {
        let zeros = || plan.operators.iter().map(|_| AtomicUsize::new(0)).collect();
        let bound = usize::try_from(bound_bytes).unwrap_or(usize::MAX);
        Self {
            plan,
            bound,
            workers: workers.get(),
            spill,
            frozen: zeros(),
            joins: zeros(),
            groups: AtomicUsize::new(0),
        }
    }

    /// Where groups spill to.
    pub(super) fn spill(&self) -> &SpillPlace {
        &self.spill
    }

    /// The account of one worker, which holds nothing.
    pub(super) fn account(&self) -> Account<'_> {
        Account { memory: self, joins: vec![0; self.joins.len()], groups: 0 }
    }

    /// What the join with this index holds.
    fn of_join(&self, operator: usize) -> usize {
        let load = |counts: &[AtomicUsize]| counts.get(operator).map_or(0, |bytes| bytes.load(Ordering::Relaxed));
        load(&self.frozen).saturating_add(load(&self.joins))
    }

    fn of_all_joins(&self) -> usize {
        (0..self.joins.len()).map(|operator| self.of_join(operator)).sum()
    }

    /// Joins that leave no room for groups would have these spilled at every piece.
    fn bound_of_joins(&self) -> usize {
        let has_groups = self.plan.drains.iter().any(|drain| matches!(drain, Drain::Group(_)));
        if has_groups { self.bound - self.bound / GROUPS_SHARE } else { self.bound }
    }

    #[cold]
    fn joins_too_large(&self) -> Error {
        let largest = (0..self.joins.len()).max_by_key(|&operator| self.of_join(operator)).unwrap_or(0);
        let ports = held_ports(self.plan, largest);
        let [held, all, bound] = [self.of_join(largest), self.of_all_joins(), self.bound_of_joins()].map(megabytes);
        let all = if all == held { String::new() } else { format!(", and all joins {all}") };
        let kept = if self.bound_of_joins() < self.bound {
            format!("; of {} an eighth is kept for groups", megabytes(self.bound))
        } else {
            String::new()
        };
        let join = self.plan.operators.get(largest).map_or("", |operator| operator.text);
        Error::Memory(
            Failure::new("the held side of a join does not fit the memory")
                .at(if ports.len() == 1 {
                    format!("port `{}`", ports[0])
                } else {
                    format!("ports `{}`", ports.join("`, `"))
                })
                .cause(format!("{join} holds {held} of it so far{all}, but may hold {bound}{kept}"))
                .help(
                    "give it more with --memory, hold the other side (the one named second is held), \
                     or drop rows and fields before the join; nothing was published",
                ),
        )
    }
}

/// What one worker has told of its tables. Dropped, it is taken back: the tables are somebody else's then.
#[derive(Debug)]
pub(super) struct Account<'m> {
    memory: &'m Memory,
    joins: Vec<usize>,
    groups: usize,
}

impl Account<'_> {
    /// Counts what the tables of a worker hold, and brings it down if all workers together hold too much.
    ///
    /// # Errors
    /// [`Error::Memory`] when joins hold too much; [`Error::Store`] when groups cannot be written to disk.
    pub(super) fn settle<F: Flow>(&mut self, shared: &F::Shared, worker: &mut F::Worker) -> Result<(), Error> {
        let memory = self.memory;
        let mut groups: Vec<&mut dyn SpillGroups> = Vec::new();
        for table in F::tables(shared, worker) {
            match table {
                TableMut::Frozen { operator, bytes } => {
                    if let Some(frozen) = memory.frozen.get(operator) {
                        frozen.store(bytes, Ordering::Relaxed);
                    }
                }
                TableMut::Join { operator, bytes } => self.tell_join(operator, bytes),
                TableMut::Groups { groups: table, .. } => groups.push(table),
            }
        }
        self.tell_groups(groups.iter().map(|table| table.held_bytes()).sum());
        if memory.of_all_joins() > memory.bound_of_joins() {
            return Err(memory.joins_too_large());
        }
        while self.has_most_groups_beyond_the_bound()
            && let Some(largest) = groups.iter_mut().max_by_key(|table| table.held_bytes())
        {
            let before = largest.held_bytes();
            largest.spill(&memory.spill)?;
            let freed = before.saturating_sub(largest.held_bytes());
            self.tell_groups(self.groups - freed.min(self.groups));
            if freed == 0 {
                break;
            }
        }
        Ok(())
    }

    /// Whether all tables hold too much, and no worker need have more of the groups than this one.
    fn has_most_groups_beyond_the_bound(&self) -> bool {
        let of_all = self.memory.groups.load(Ordering::Relaxed);
        self.memory.of_all_joins().saturating_add(of_all) > self.memory.bound
            && self.groups.saturating_mul(self.memory.workers) >= of_all
            && self.groups > 0
    }

    fn tell_join(&mut self, operator: usize, bytes: usize) {
        if let (Some(told), Some(of_all)) = (self.joins.get_mut(operator), self.memory.joins.get(operator)) {
            tell(told, of_all, bytes);
        }
    }

    fn tell_groups(&mut self, bytes: usize) {
        tell(&mut self.groups, &self.memory.groups, bytes);
    }
}

impl Drop for Account<'_> {
    fn drop(&mut self) {
        (0..self.joins.len()).for_each(|operator| self.tell_join(operator, 0));
        self.tell_groups(0);
    }
}

/// Corrects a sum by what one of its parts has changed.
fn tell(told: &mut usize, of_all: &AtomicUsize, bytes: usize) {
    // The difference wraps, and so does the addition.
    of_all.fetch_add(bytes.wrapping_sub(*told), Ordering::Relaxed);
    *told = bytes;
}

/// The names of the input ports that the held side of a join comes from.
fn held_ports(plan: &Plan, join: usize) -> Vec<&'static str> {
    let mut ports = Vec::new();
    let held = plan.operators.get(join).and_then(|join| join.inputs.get(1)).copied();
    let mut above: Vec<usize> = held.into_iter().collect();
    while let Some((index, operator)) = above.pop().and_then(|index| Some((index, plan.operators.get(index)?))) {
        // Inputs come before their users, so this ends.
        above.extend(operator.inputs.iter().filter(|input| **input < index));
        ports.extend(port_of(plan, operator).filter(|port| !ports.contains(port)));
    }
    ports
}

fn port_of(plan: &Plan, operator: &OperatorPlan) -> Option<&'static str> {
    operator.port.and_then(|port| plan.ports.get(port)).map(|port| port.name)
}

fn megabytes(bytes: usize) -> String {
    if bytes < 1_000_000 { format!("{bytes} bytes") } else { format!("{:.1} MB", bytes as f64 / 1e6) }
}

#[cfg(test)]
#[path = "memory_tests.rs"]
mod tests;
