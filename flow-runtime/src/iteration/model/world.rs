//! The state of a small world: everything that outlives a process, and what each process has in mind.
//!
//! Numbers stand for names: an epoch, an attempt, a record is a `u8`. Ports are 0 and 1, two sinks, and 2, a trap.

use super::{actor::Actor, effects::Effect, few::Few, mutants::Mutant};
use crate::{
    iteration::{State, decide::AttemptState},
    sink::Mode,
};

pub(super) type Epoch = u8;
pub(super) type Number = u8;
pub(super) type Id = u8;
/// A set of ports, one bit each.
pub(super) type Ports = u8;
/// A set of attempts, one bit each.
pub(super) type Ids = u16;
pub(super) type Hash = (u8, u8, Id);

pub(super) const PORTS: usize = 3;
pub(super) const TRAP: usize = 2;
/// The two runs, the clean-up, the reset.
pub(super) const ACTORS: usize = 4;
pub(super) const CLEANER: usize = 2;
pub(super) const RESETTER: usize = 3;

/// What kind of target it is: rows and ledger change in one step, or one after the other under a lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Database,
    File,
}

/// What a world is made of, and how far the search goes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Setup {
    pub(super) modes: [Mode; PORTS],
    pub(super) kinds: [Kind; PORTS],
    /// The ports that the flow has: all, or only the first sink where others add nothing.
    pub(super) ports: Ports,
    /// How many runs may be under way at once.
    pub(super) runs: usize,
    /// Faults in one history.
    pub(super) faults: u8,
    /// How often in one history a process may be left in the middle while another goes on; none: as often as it may be.
    pub(super) pauses: Option<u8>,
    /// Attempts in one history.
    pub(super) attempts: u8,
    /// Records that are there at the beginning, and at most.
    pub(super) records: (u8, u8),
    /// Whether the source may be renamed, once.
    pub(super) renames: bool,
    pub(super) cleans: u8,
    pub(super) resets: u8,
    /// Whether writes pass a network, where they may arrive late or twice.
    pub(super) network: bool,
    /// Whether two attempts at the same records stage the same rows.
    pub(super) is_deterministic: bool,
    /// What is broken on purpose.
    pub(super) mutant: Option<Mutant>,
    /// The only rule that is judged, by its place; none: all, and recovery.
    pub(super) only_rule: Option<usize>,
}

impl Setup {
    pub(super) fn is(&self, mutant: Mutant) -> bool {
        self.mutant == Some(mutant)
    }

    /// The ports of the sinks that the flow has.
    pub(super) fn sinks(&self) -> impl Iterator<Item = usize> {
        (0..TRAP).filter(|port| self.ports & 1 << port != 0)
    }

    /// The hash of what an attempt has staged for a port.
    pub(super) fn hash(&self, attempt: Id, span: Span) -> Hash {
        (span.first, span.next, if self.is_deterministic { 0 } else { attempt })
    }
}

/// What was read of the one shard: records `first..next`, under the name it had.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Span {
    pub(super) first: u8,
    pub(super) next: u8,
    pub(super) name: u8,
}

impl Span {
    /// The records that go to a port: every second one is bad and goes to the trap, the others to both sinks.
    pub(super) fn records_for(self, port: usize) -> impl Iterator<Item = u8> {
        (self.first..self.next).filter(move |record| (record % 2 == 1) == (port == TRAP))
    }

    /// The ports that have something in a manifest: sinks always, the trap only with rows.
    pub(super) fn outputs(self, setup: &Setup) -> Ports {
        let all = if self.records_for(TRAP).next().is_some() { 0b111 } else { 0b011 };
        all & setup.ports
    }
}

/// A sealed iteration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Iteration {
    pub(super) attempt: Id,
    pub(super) state: State,
    pub(super) span: Span,
    pub(super) outputs: Ports,
    pub(super) loaded: Ports,
}

/// An attempt as the store knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Try {
    pub(super) epoch: Epoch,
    pub(super) number: Number,
    pub(super) state: AttemptState,
}

/// The store of one flow.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Store {
    pub(super) epoch: Epoch,
    pub(super) attempts: Few<Id, Try>,
    pub(super) iterations: Few<(Epoch, Number), Iteration>,
}

impl Store {
    /// The iterations of an epoch, oldest first.
    pub(super) fn of(&self, epoch: Epoch) -> impl DoubleEndedIterator<Item = (Number, &Iteration)> {
        let all = self.iterations.iter();
        all.filter(move |((of, _), _)| *of == epoch).map(|((_, number), iteration)| (number, iteration))
    }

    /// The last iteration before `before` that has something for a port.
    pub(super) fn last_output(&self, epoch: Epoch, port: usize, before: Number) -> Option<Number> {
        let mut outputs = self.of(epoch).filter(|(_, iteration)| iteration.outputs & (1 << port) != 0);
        outputs.rfind(|(number, _)| *number < before).map(|(number, _)| number)
    }

    /// How far the iteration has come that an attempt is sealed as.
    pub(super) fn state_of(&self, attempt: Id) -> Option<State> {
        self.iterations.values().find(|iteration| iteration.attempt == attempt).map(|iteration| iteration.state)
    }
}

/// What an attempt has staged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Staged {
    pub(super) span: Span,
    /// Whether it outlives a power cut.
    pub(super) is_durable: bool,
}

/// A row in a target, with the attempt that made it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Row {
    pub(super) record: u8,
    pub(super) attempt: Id,
}

/// The last entry of a ledger.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Entry {
    pub(super) epoch: Epoch,
    pub(super) number: Option<Number>,
    pub(super) hash: Hash,
    /// How many rows there were then; only a file's ledger knows.
    pub(super) length: usize,
}

/// A target.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Target {
    pub(super) rows: Vec<Row>,
    pub(super) ledger: Option<Entry>,
}

/// A source that grows, and may be renamed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Source {
    pub(super) records: u8,
    pub(super) name: u8,
}

/// Everything.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct World {
    pub(super) source: Source,
    pub(super) store: Store,
    pub(super) staging: Few<Id, Staged>,
    pub(super) targets: [Target; PORTS],
    pub(super) actors: [Actor; ACTORS],
    /// A write that was sent and has not arrived, or will arrive once more.
    pub(super) late: Option<Effect>,
    pub(super) next_id: Id,
    pub(super) next_epoch: Epoch,
    /// Faults that may still happen.
    pub(super) faults: u8,
    /// Pauses that may still happen, where they are counted.
    pub(super) pauses: u8,
    /// The process that went on last and is in the middle, where pauses are counted.
    pub(super) awake: Option<usize>,
}

impl World {
    pub(super) fn new(setup: &Setup) -> Self {
        let actor = |turns| Actor { turns, ..Actor::default() };
        Self {
            source: Source { records: setup.records.0, name: 0 },
            store: Store { epoch: 1, ..Store::default() },
            staging: Few::default(),
            targets: Default::default(),
            actors: [actor(0), actor(0), actor(setup.cleans), actor(setup.resets)],
            late: None,
            next_id: 1,
            next_epoch: 2,
            faults: setup.faults,
            pauses: setup.pauses.unwrap_or(0),
            awake: None,
        }
    }
}
