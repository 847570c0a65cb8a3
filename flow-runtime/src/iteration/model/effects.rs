//! What processes do to the outside, and what comes back, as data.

use super::{
    facts::Claim,
    world::{Epoch, Id, Ids, Iteration, Number, PORTS, Ports, Span},
};
use crate::sink::ledger::Turn;

/// One call to the outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Effect {
    OpenStore,
    AskLatest { epoch: Epoch },
    AskUnfinished { epoch: Epoch },
    ListLeftBehind { epoch: Epoch },
    Open { epoch: Epoch, number: Number, id: Id },
    CheckLedgers { epoch: Epoch, number: Number },
    Read { epoch: Epoch },
    Stage { id: Id, span: Span },
    Sync { id: Id },
    Seal { epoch: Epoch, number: Number, id: Id, span: Span, outputs: Ports },
    AskSealed { epoch: Epoch, number: Number },
    Revoke { id: Id, is_unneeded: bool },
    RemoveStaging { id: Id },
    RemoveAllStaging,
    Prepare { port: usize, epoch: Epoch, number: Number, attempt: Id, span: Span },
    Publish { port: usize, claim: Claim, is_checked: bool },
    LockFile { port: usize, claim: Claim },
    BeginFile { port: usize, claim: Claim },
    WriteFile { port: usize, claim: Claim },
    WriteSidecar { port: usize, claim: Claim },
    AskLoaded { epoch: Epoch, number: Number, port: usize },
    MarkOutputLoaded { epoch: Epoch, number: Number, port: usize },
    Mark { epoch: Epoch, number: Number, to: Noted },
    ReadLedgers,
    NewEpoch,
    Fence { port: usize, found: Option<Epoch>, epoch: Epoch },
}

/// A state that is noted after the seal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Noted {
    Loaded,
    Done,
    Held,
}

/// What comes back.
#[derive(Clone, Debug)]
pub(super) enum Reply {
    Done,
    /// The condition did not hold, or the place is taken.
    Refused,
    Yes(bool),
    Epoch(Epoch),
    Number(Option<Number>),
    Unfinished(Vec<(Number, Iteration)>),
    Ids(Ids),
    /// What was read, and what the store knew before.
    Read(Span, Option<(u8, u8)>),
    /// The attempt that is sealed.
    Sealed(Option<Id>),
    /// The rows are there to be published, after this iteration.
    Ready(Option<Number>),
    Turn(Turn),
    /// The ledger disagrees, or the rows are gone: a person is needed.
    Disagrees {
        /// The ledger is of another epoch.
        is_foreign: bool,
    },
    Epochs([Option<Epoch>; PORTS]),
}

impl Effect {
    /// Whether it changes anything.
    pub(super) fn is_write(self) -> bool {
        use Effect::*;
        !matches!(
            self,
            OpenStore
                | AskLatest { .. }
                | AskUnfinished { .. }
                | ListLeftBehind { .. }
                | CheckLedgers { .. }
                | Read { .. }
                | AskSealed { .. }
                | Prepare { .. }
                | LockFile { .. }
                | AskLoaded { .. }
                | ReadLedgers
        )
    }

    /// Whether it may go to another machine.
    pub(super) fn is_remote(self) -> bool {
        use Effect::*;
        let is_local = matches!(
            self,
            Stage { .. }
                | Sync { .. }
                | RemoveStaging { .. }
                | RemoveAllStaging
                | BeginFile { .. }
                | WriteFile { .. }
                | WriteSidecar { .. }
        );
        self.is_write() && !is_local
    }

    /// The name under which the driver passes it through its door, if it does.
    pub(super) fn name(self) -> Option<&'static str> {
        use Effect::*;
        Some(match self {
            Open { .. } => "store.open_attempt",
            Sync { .. } => "stage.finish",
            Seal { .. } => "store.seal",
            Revoke { .. } => "store.revoke",
            RemoveStaging { .. } => "stage.remove",
            Publish { .. } | LockFile { .. } => "target.publish",
            MarkOutputLoaded { .. } => "store.output_loaded",
            Mark { to: Noted::Loaded, .. } => "store.loaded",
            Mark { to: Noted::Done, .. } => "store.done",
            Mark { to: Noted::Held, .. } => "store.held",
            _ => return None,
        })
    }
}
