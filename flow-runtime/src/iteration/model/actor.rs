//! A process: where it is in the order of its effects, and what it has in mind. It forgets all of it when it dies.
//!
//! The order of a run is that of `driver/mod.rs`, `attempt.rs`, `publish.rs` and `checkpoint.rs`; that it is the same is
//! checked in `driver/tests/model.rs`.

use super::{
    effects::{Effect, Noted, Reply},
    facts::{Claim, Publication},
    replies,
    world::{Epoch, Id, Ids, Number, PORTS, Ports, Setup, Span},
};

/// A process.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Actor {
    pub(super) doing: Doing,
    /// The epoch that it opened the store with.
    pub(super) epoch: Epoch,
    /// How often it may still begin; runs may always.
    pub(super) turns: u8,
    /// What it has read too early; only a mutant does.
    pub(super) early: Option<(Span, Option<(u8, u8)>)>,
}

/// An attempt before its seal, with what was read, and what the store knew before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Attempt {
    pub(super) number: Number,
    pub(super) id: Id,
    pub(super) span: Span,
    pub(super) outputs: Ports,
}

/// What a process does next.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Doing {
    #[default]
    Nothing,
    // A run begins: what earlier ones have left is published, or swept away.
    OpenStore {
        to_clean: bool,
    },
    AskLatest,
    AskUnfinished {
        latest: Option<Number>,
    },
    List {
        then: Option<Number>,
    },
    Revoke {
        then: Option<Number>,
        ids: Ids,
    },
    Remove {
        then: Option<Number>,
        ids: Ids,
    },
    RemoveAll {
        then: Option<Number>,
    },
    // OPEN to SEALED.
    Open {
        number: Number,
    },
    CheckLedgers {
        number: Number,
        id: Id,
    },
    LookAtOpen {
        number: Number,
        id: Id,
        is_foreign: bool,
    },
    ReadEarly,
    Read {
        number: Number,
        id: Id,
    },
    Stage {
        of: Attempt,
    },
    Sync {
        of: Attempt,
    },
    Seal {
        of: Attempt,
    },
    LookAtSeal {
        of: Attempt,
        is_refused: bool,
    },
    GiveUp {
        id: Id,
    },
    /// There was nothing new: it will never be sealed.
    Forget {
        id: Id,
    },
    RemoveGivenUp {
        id: Id,
    },
    // SEALED to DONE.
    Prepare {
        of: Publication,
        port: usize,
    },
    Publish {
        of: Publication,
        port: usize,
        claim: Claim,
        is_checked: bool,
    },
    LockFile {
        of: Publication,
        port: usize,
        claim: Claim,
    },
    BeginFile {
        of: Publication,
        port: usize,
        claim: Claim,
    },
    WriteFile {
        of: Publication,
        port: usize,
        claim: Claim,
    },
    WriteSidecar {
        of: Publication,
        port: usize,
        claim: Claim,
    },
    LookAgain {
        of: Publication,
        port: usize,
        is_foreign: bool,
    },
    MarkHeld {
        of: Publication,
        port: usize,
    },
    MarkOutput {
        of: Publication,
        port: usize,
    },
    MarkLoaded {
        of: Publication,
    },
    MarkDone {
        of: Publication,
    },
    RemoveDone {
        of: Publication,
    },
    // A reset.
    ReadLedgers,
    NewEpoch {
        found: [Option<Epoch>; PORTS],
    },
    Fence {
        found: [Option<Epoch>; PORTS],
        epoch: Epoch,
        port: usize,
    },
}

/// What a process says when it ends, if that is a claim that can be wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Said {
    /// A person is needed, in this epoch, for a target whose ledger was of another one or not.
    Held { epoch: Epoch, is_foreign: bool },
    /// Another attempt is sealed, or this one may not be.
    Lost { epoch: Epoch, number: Number, id: Id },
}

impl Actor {
    /// What it asks of the outside next.
    pub(super) fn request(&self, next_id: Id) -> Option<Effect> {
        let epoch = self.epoch;
        Some(match self.doing {
            Doing::Nothing => return None,
            Doing::OpenStore { .. } => Effect::OpenStore,
            Doing::AskLatest => Effect::AskLatest { epoch },
            Doing::AskUnfinished { .. } => Effect::AskUnfinished { epoch },
            Doing::List { .. } => Effect::ListLeftBehind { epoch },
            Doing::Revoke { ids, .. } => Effect::Revoke { id: lowest(ids), is_unneeded: false },
            Doing::Remove { ids, .. } => Effect::RemoveStaging { id: lowest(ids) },
            Doing::RemoveAll { .. } => Effect::RemoveAllStaging,
            Doing::Open { number } => Effect::Open { epoch, number, id: next_id },
            Doing::CheckLedgers { number, .. } => Effect::CheckLedgers { epoch, number },
            Doing::LookAtOpen { number, .. } => Effect::AskSealed { epoch, number },
            Doing::ReadEarly | Doing::Read { .. } => Effect::Read { epoch },
            Doing::Stage { of } => Effect::Stage { id: of.id, span: of.span },
            Doing::Sync { of } => Effect::Sync { id: of.id },
            Doing::Seal { of: Attempt { number, id, span, outputs } } => {
                Effect::Seal { epoch, number, id, span, outputs }
            }
            Doing::LookAtSeal { of, .. } => Effect::AskSealed { epoch, number: of.number },
            Doing::GiveUp { id } => Effect::Revoke { id, is_unneeded: false },
            Doing::Forget { id } => Effect::Revoke { id, is_unneeded: true },
            Doing::RemoveGivenUp { id } => Effect::RemoveStaging { id },
            Doing::Prepare { of: Publication { number, attempt, span, .. }, port } => {
                Effect::Prepare { port, epoch, number, attempt, span }
            }
            Doing::Publish { port, claim, is_checked, .. } => Effect::Publish { port, claim, is_checked },
            Doing::LockFile { port, claim, .. } => Effect::LockFile { port, claim },
            Doing::BeginFile { port, claim, .. } => Effect::BeginFile { port, claim },
            Doing::WriteFile { port, claim, .. } => Effect::WriteFile { port, claim },
            Doing::WriteSidecar { port, claim, .. } => Effect::WriteSidecar { port, claim },
            Doing::LookAgain { of, port, .. } => Effect::AskLoaded { epoch, number: of.number, port },
            Doing::MarkHeld { of, .. } => Effect::Mark { epoch, number: of.number, to: Noted::Held },
            Doing::MarkOutput { of, port } => Effect::MarkOutputLoaded { epoch, number: of.number, port },
            Doing::MarkLoaded { of } => Effect::Mark { epoch, number: of.number, to: Noted::Loaded },
            Doing::MarkDone { of } => Effect::Mark { epoch, number: of.number, to: Noted::Done },
            Doing::RemoveDone { of } => Effect::RemoveStaging { id: of.attempt },
            Doing::ReadLedgers => Effect::ReadLedgers,
            Doing::NewEpoch { .. } => Effect::NewEpoch,
            Doing::Fence { found, epoch, port } => Effect::Fence { port, found: found[port], epoch },
        })
    }

    /// The port whose lock it has.
    pub(super) fn locked(&self) -> Option<usize> {
        match self.doing {
            Doing::BeginFile { port, .. } | Doing::WriteFile { port, .. } | Doing::WriteSidecar { port, .. } => {
                Some(port)
            }
            _ => None,
        }
    }

    /// Goes on after a reply, or after none: then what it asked for may have happened or not.
    pub(super) fn receive(&mut self, setup: &Setup, effect: Effect, reply: Option<Reply>) -> Option<Said> {
        let (doing, said) = match reply {
            Some(reply) => replies::after(self, setup, effect, reply),
            None => replies::after_silence(self, setup),
        };
        self.doing = doing;
        if doing == Doing::Nothing {
            self.forget();
        }
        said
    }

    /// Dies, or ends.
    pub(super) fn forget(&mut self) {
        *self = Self { turns: self.turns, ..Self::default() };
    }
}

fn lowest(ids: Ids) -> Id {
    u8::try_from(ids.trailing_zeros()).unwrap()
}
