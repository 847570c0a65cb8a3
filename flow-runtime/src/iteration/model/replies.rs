//! What a process does next, after a reply or without one.

use super::{
    actor::{Actor, Attempt, Doing, Said},
    effects::{Effect, Reply},
    facts::{self, Claim, First, Publication},
    mutants::Mutant,
    world::{Id, Ids, Iteration, Kind, Number, Setup, TRAP},
};
use crate::{
    iteration::{
        decide::{Close, seal_end},
        store::SealEnd,
    },
    sink::{Mode, ledger::Turn},
};

type Next = (Doing, Option<Said>);

/// What an actor does when no reply comes.
pub(super) fn after_silence(actor: &Actor, setup: &Setup) -> Next {
    let doing = match actor.doing {
        Doing::CheckLedgers { id, .. } | Doing::LookAtOpen { id, .. } | Doing::Read { id, .. } => Doing::GiveUp { id },
        Doing::Stage { of } | Doing::Sync { of } => Doing::GiveUp { id: of.id },
        Doing::Seal { of } if setup.is(Mutant::TakesLostReplyForLostRace) => return lost(actor, of),
        Doing::Seal { of } => Doing::LookAtSeal { of, is_refused: false },
        Doing::LookAtSeal { of, .. } => Doing::GiveUp { id: of.id },
        // Whether it was committed is found out by the whole transaction once more.
        Doing::Publish { .. } if setup.network => actor.doing,
        Doing::Prepare { of, port }
        | Doing::Publish { of, port, .. }
        | Doing::LockFile { of, port, .. }
        | Doing::BeginFile { of, port, .. }
        | Doing::WriteFile { of, port, .. }
        | Doing::WriteSidecar { of, port, .. }
        | Doing::MarkHeld { of, port } => without(setup, of, port),
        _ => Doing::Nothing,
    };
    (doing, None)
}

/// What an actor does after a reply.
pub(super) fn after(actor: &mut Actor, setup: &Setup, effect: Effect, reply: Reply) -> Next {
    let doing = match (actor.doing, reply) {
        (Doing::OpenStore { to_clean }, Reply::Epoch(epoch)) => {
            actor.epoch = epoch;
            if to_clean { Doing::List { then: None } } else { begin(setup) }
        }
        (Doing::ReadEarly, Reply::Read(span, known)) => {
            actor.early = Some((span, known));
            Doing::AskLatest
        }
        (Doing::AskLatest, Reply::Number(latest)) if setup.is(Mutant::ReadsUnfinishedBeforeNumber) => {
            first(setup, latest, &[])
        }
        (Doing::AskLatest, Reply::Number(latest)) => Doing::AskUnfinished { latest },
        (Doing::AskUnfinished { .. }, Reply::Unfinished(unfinished))
            if unfinished.is_empty() && setup.is(Mutant::ReadsUnfinishedBeforeNumber) =>
        {
            Doing::AskLatest
        }
        (Doing::AskUnfinished { latest }, Reply::Unfinished(unfinished)) => first(setup, latest, &unfinished),
        (Doing::List { then }, Reply::Ids(ids)) => sweep(setup, then, ids),
        (Doing::Revoke { then, ids }, Reply::Yes(true)) if !setup.is(Mutant::CleansAllThatIsStaged) => {
            Doing::Remove { then, ids }
        }
        (Doing::Revoke { then, ids }, Reply::Yes(_)) | (Doing::Remove { then, ids }, Reply::Done) => {
            sweep(setup, then, ids & (ids - 1))
        }
        (Doing::RemoveAll { then }, Reply::Done) => swept(then),
        (Doing::Open { number }, Reply::Done) => match effect {
            Effect::Open { id, .. } => Doing::CheckLedgers { number, id },
            _ => Doing::Nothing,
        },
        (Doing::CheckLedgers { number, id }, Reply::Done) => Doing::Read { number, id },
        (Doing::CheckLedgers { number, id }, Reply::Disagrees { is_foreign }) => {
            Doing::LookAtOpen { number, id, is_foreign }
        }
        (Doing::LookAtOpen { number, id, is_foreign }, Reply::Sealed(there)) => {
            let said = match there {
                Some(_) if !setup.is(Mutant::HoldsWithoutLookingAgain) => Said::Lost { epoch: actor.epoch, number, id },
                _ => Said::Held { epoch: actor.epoch, is_foreign },
            };
            return (Doing::GiveUp { id }, Some(said));
        }
        (Doing::Read { number, id }, Reply::Read(span, known)) => {
            let (span, known) = actor.early.take().unwrap_or((span, known));
            close(setup, Attempt { number, id, span, outputs: 0 }, known)
        }
        (Doing::Stage { of }, Reply::Done) if setup.is(Mutant::StagesWithoutSync) => Doing::Seal { of },
        (Doing::Stage { of }, Reply::Done) => Doing::Sync { of },
        (Doing::Sync { of }, Reply::Done) => Doing::Seal { of },
        (Doing::Seal { of }, Reply::Yes(true)) => load(setup, sealed(of)),
        (Doing::Seal { of }, Reply::Yes(false)) => Doing::LookAtSeal { of, is_refused: true },
        (Doing::LookAtSeal { of, is_refused }, Reply::Sealed(there)) => {
            return sealing_ended(actor, setup, of, is_refused, there);
        }
        (Doing::GiveUp { id } | Doing::Forget { id }, Reply::Yes(true)) => Doing::RemoveGivenUp { id },
        (Doing::ReadLedgers, Reply::Epochs(found)) => Doing::NewEpoch { found },
        (Doing::NewEpoch { found }, Reply::Epoch(epoch)) => Doing::Fence { found, epoch, port: 0 },
        (Doing::Fence { found, epoch, port }, _) if port < TRAP => Doing::Fence { found, epoch, port: port + 1 },
        (_, reply) => return after_sealed(actor, setup, &reply),
    };
    (doing, None)
}

/// The part of [`after`] that follows a seal.
fn after_sealed(actor: &Actor, setup: &Setup, reply: &Reply) -> Next {
    let epoch = actor.epoch;
    let doing = match (actor.doing, reply) {
        (Doing::Prepare { of, port }, Reply::Ready(after)) => {
            let Publication { number, attempt, span, .. } = of;
            let claim = Claim { epoch, number, attempt, span, after: *after, is_staged: true };
            match setup.kinds[port] {
                Kind::Database if setup.is(Mutant::ChecksLedgerBeforeTransaction) => {
                    Doing::LockFile { of, port, claim }
                }
                Kind::Database => Doing::Publish { of, port, claim, is_checked: false },
                Kind::File => Doing::LockFile { of, port, claim },
            }
        }
        (Doing::LockFile { of, port, claim }, Reply::Turn(Turn::Publish)) => {
            match (setup.kinds[port], setup.modes[port]) {
                (Kind::Database, _) => Doing::Publish { of, port, claim, is_checked: true },
                (Kind::File, Mode::Replace) => Doing::WriteFile { of, port, claim },
                (Kind::File, _) => Doing::BeginFile { of, port, claim },
            }
        }
        (Doing::BeginFile { of, port, claim }, Reply::Done) => Doing::WriteFile { of, port, claim },
        (Doing::WriteFile { of, port, claim }, Reply::Done) => Doing::WriteSidecar { of, port, claim },
        (Doing::LockFile { of, port, .. } | Doing::Publish { of, port, .. }, Reply::Turn(_))
        | (Doing::WriteSidecar { of, port, .. }, Reply::Done) => Doing::MarkOutput { of, port },
        (
            Doing::Prepare { of, port } | Doing::LockFile { of, port, .. } | Doing::Publish { of, port, .. },
            Reply::Disagrees { is_foreign },
        ) => match setup.is(Mutant::HoldsWithoutLookingAgain) {
            true => return (Doing::MarkHeld { of, port }, Some(Said::Held { epoch, is_foreign: *is_foreign })),
            false => Doing::LookAgain { of, port, is_foreign: *is_foreign },
        },
        (Doing::LookAgain { of, port, is_foreign }, Reply::Yes(false)) => {
            return (Doing::MarkHeld { of, port }, Some(Said::Held { epoch, is_foreign }));
        }
        (Doing::LookAgain { of, port, .. }, Reply::Yes(true)) | (Doing::MarkOutput { of, port }, Reply::Done) => {
            load(setup, Publication { wanted: of.wanted & !(1 << port), ..of })
        }
        (Doing::MarkHeld { of, port }, Reply::Done) => without(setup, of, port),
        (Doing::MarkLoaded { of }, Reply::Done) => Doing::MarkDone { of },
        (Doing::MarkDone { of }, Reply::Done) => Doing::RemoveDone { of },
        (Doing::RemoveDone { of }, Reply::Done) if of.is_resumed => Doing::AskLatest,
        _ => Doing::Nothing,
    };
    (doing, None)
}

fn begin(setup: &Setup) -> Doing {
    match setup.mutant {
        Some(Mutant::ReadsPositionsBeforeNumber) => Doing::ReadEarly,
        Some(Mutant::ReadsUnfinishedBeforeNumber) => Doing::AskUnfinished { latest: None },
        _ => Doing::AskLatest,
    }
}

fn first(setup: &Setup, latest: Option<Number>, unfinished: &[(Number, Iteration)]) -> Doing {
    match facts::first(setup, latest, unfinished) {
        First::Publish(of) => load(setup, of),
        First::Open(number) => Doing::List { then: Some(number) },
    }
}

fn sweep(setup: &Setup, then: Option<Number>, ids: Ids) -> Doing {
    match ids {
        0 if setup.is(Mutant::CleansAllThatIsStaged) => Doing::RemoveAll { then },
        0 => swept(then),
        ids => Doing::Revoke { then, ids },
    }
}

fn swept(then: Option<Number>) -> Doing {
    then.map_or(Doing::Nothing, |number| Doing::Open { number })
}

fn close(setup: &Setup, of: Attempt, known: Option<(u8, u8)>) -> Doing {
    let everything = of.span.outputs(setup);
    match facts::close(of.number, of.span, known) {
        _ if setup.is(Mutant::EmptyIterationRunsOperators) => {
            Doing::Stage { of: Attempt { outputs: everything, ..of } }
        }
        Close::Everything(_) if setup.is(Mutant::LeavesTrapOutOfManifest) => {
            Doing::Stage { of: Attempt { outputs: everything & !(1 << TRAP), ..of } }
        }
        Close::Everything(_) => Doing::Stage { of: Attempt { outputs: everything, ..of } },
        Close::Positions(_) => Doing::Seal { of },
        Close::Nothing => Doing::Forget { id: of.id },
    }
}

fn sealing_ended(actor: &Actor, setup: &Setup, of: Attempt, is_refused: bool, there: Option<Id>) -> Next {
    let there = there.map(|id| id.to_string());
    match seal_end(&of.id.to_string(), is_refused, Some(there.as_deref())) {
        Some(SealEnd::Won) => (load(setup, sealed(of)), None),
        Some(SealEnd::Lost) => lost(actor, of),
        None if setup.is(Mutant::TakesSilenceForWin) => (load(setup, sealed(of)), None),
        None => (Doing::GiveUp { id: of.id }, None),
    }
}

fn lost(actor: &Actor, Attempt { number, id, .. }: Attempt) -> Next {
    (Doing::GiveUp { id }, Some(Said::Lost { epoch: actor.epoch, number, id }))
}

fn sealed(of: Attempt) -> Publication {
    let Attempt { number, id, span, outputs } = of;
    Publication { number, attempt: id, span, wanted: outputs, failed: 0, is_resumed: false }
}

/// Goes on without a port that could not be loaded.
fn without(setup: &Setup, of: Publication, port: usize) -> Doing {
    load(setup, Publication { failed: of.failed | 1 << port, ..of })
}

/// Goes on with the first port that lacks the iteration.
fn load(setup: &Setup, of: Publication) -> Doing {
    let ignored = if setup.is(Mutant::DoneWithoutTrap) { 1 << TRAP } else { 0 };
    match of.wanted & !ignored & !of.failed {
        0 if of.failed != 0 => Doing::Nothing,
        0 => Doing::MarkLoaded { of },
        wanted => Doing::Prepare { of, port: wanted.trailing_zeros() as usize },
    }
}
