//! What an effect does when it happens, to the store and to the targets.
//!
//! Both decide by the functions of `decide` and `sink::ledger`.

use super::{
    effects::{Effect, Noted, Reply},
    facts::{self, Claim},
    mutants::Mutant,
    world::{
        Entry, Epoch, Id, Ids, Iteration, Number, PORTS, Ports, Row, Setup, Source, Span, Staged, TRAP, Target, Try,
        World,
    },
};
use crate::{
    iteration::{
        State,
        decide::{AttemptState, Marked, SealFacts, is_garbage, mark, may_revoke, may_seal},
    },
    sink::ledger::Turn,
};

impl World {
    /// Lets an effect happen.
    pub(super) fn apply(&mut self, setup: &Setup, effect: Effect) -> Reply {
        match effect {
            Effect::OpenStore => Reply::Epoch(self.store.epoch),
            Effect::AskLatest { epoch } => {
                Reply::Number(self.store.of(self.seen(setup, epoch)).next_back().map(|(number, _)| number))
            }
            Effect::AskUnfinished { epoch } => {
                let all = self.store.of(self.seen(setup, epoch));
                let unfinished = all.filter(|(_, iteration)| iteration.state != State::Done);
                Reply::Unfinished(unfinished.map(|(number, iteration)| (number, *iteration)).collect())
            }
            Effect::ListLeftBehind { epoch } => Reply::Ids(self.left_behind(setup, epoch)),
            Effect::Open { epoch, number, id } => self.open(epoch, number, id),
            Effect::CheckLedgers { epoch, number } => self.check_ledgers(setup, epoch, number),
            Effect::Read { epoch } => self.read(epoch),
            Effect::Stage { id, span } => {
                self.staging.insert(id, Staged { span, is_durable: false });
                if setup.is(Mutant::PublishesTrapApart) {
                    let rows = span.records_for(TRAP).map(|record| Row { record, attempt: id });
                    self.targets[TRAP].rows.extend(rows);
                }
                Reply::Done
            }
            Effect::Sync { id } => {
                if let Some(staged) = self.staging.get_mut(id) {
                    staged.is_durable = true;
                }
                Reply::Done
            }
            Effect::Seal { epoch, number, id, span, outputs } => self.seal(setup, epoch, number, id, span, outputs),
            Effect::AskSealed { epoch, number } => {
                Reply::Sealed(self.store.iterations.get((epoch, number)).map(|iteration| iteration.attempt))
            }
            Effect::Revoke { id, is_unneeded } => Reply::Yes(self.revoke(setup, id, is_unneeded)),
            Effect::RemoveStaging { id } => {
                self.staging.remove(id);
                Reply::Done
            }
            Effect::RemoveAllStaging => {
                self.staging.clear();
                Reply::Done
            }
            Effect::Prepare { port, epoch, number, attempt, span } => {
                let has_rows = span.records_for(port).next().is_some();
                match !has_rows || self.staging.get(attempt).is_some() {
                    true => Reply::Ready(self.store.last_output(self.seen(setup, epoch), port, number)),
                    false => Reply::Disagrees { is_foreign: false },
                }
            }
            Effect::Publish { port, claim, is_checked } => self.publish(setup, port, claim, is_checked),
            Effect::LockFile { port, claim } => self.targets[port].turn(setup, port, claim),
            Effect::BeginFile { port, .. } if self.targets[port].ledger.is_some() => Reply::Done,
            Effect::BeginFile { port, claim } => {
                let length = self.targets[port].rows.len();
                let entry = Entry { epoch: claim.epoch, number: None, hash: (0, 0, 0), length };
                self.targets[port].ledger = Some(entry);
                Reply::Done
            }
            Effect::WriteFile { port, claim } => {
                self.targets[port].write(setup, port, claim);
                Reply::Done
            }
            Effect::WriteSidecar { port, claim } => {
                self.targets[port].note(setup, claim);
                Reply::Done
            }
            Effect::AskLoaded { epoch, number, port } => {
                let iteration = self.store.iterations.get((self.seen(setup, epoch), number));
                Reply::Yes(iteration.is_some_and(|iteration| iteration.loaded & (1 << port) != 0))
            }
            Effect::MarkOutputLoaded { epoch, number, port } => {
                let key = (self.seen(setup, epoch), number);
                match self.store.iterations.get_mut(key) {
                    Some(iteration) => iteration.loaded |= 1 << port,
                    None => return Reply::Refused,
                }
                Reply::Done
            }
            Effect::Mark { epoch, number, to } => self.mark(setup, epoch, number, to),
            Effect::ReadLedgers => {
                let epoch = |target: &Target| target.ledger.as_ref().map(|entry| entry.epoch);
                Reply::Epochs(self.targets.each_ref().map(epoch))
            }
            Effect::NewEpoch => {
                self.store.epoch = self.next_epoch;
                self.next_epoch += 1;
                Reply::Epoch(self.store.epoch)
            }
            Effect::Fence { port, found, epoch } => self.fence(setup, port, found, epoch),
        }
    }

    /// The epoch under which a process finds iterations.
    fn seen(&self, setup: &Setup, epoch: Epoch) -> Epoch {
        if setup.is(Mutant::KeepsRowsUnderTheName) { self.store.epoch } else { epoch }
    }

    fn left_behind(&self, setup: &Setup, epoch: Epoch) -> Ids {
        let is_open = |of: &Try| of.epoch == epoch && of.state == AttemptState::Open;
        let open = self.store.attempts.iter().filter(|(_, of)| is_open(of)).map(|(id, _)| id);
        let staged = self.staging.keys().filter(|_| !setup.is(Mutant::CleansAllThatIsStaged));
        open.chain(staged).fold(0, |ids, id| ids | 1 << id)
    }

    fn open(&mut self, epoch: Epoch, number: Number, id: Id) -> Reply {
        if self.store.attempts.get(id).is_some() {
            return Reply::Refused;
        }
        // The store keeps them a hundred iterations longer, for whoever lists them.
        let last = self.store.of(epoch).next_back().map(|(number, _)| number);
        let is_refused = |of: &Try| matches!(of.state, AttemptState::Revoked | AttemptState::Held);
        self.store.attempts.retain(|of| !(is_refused(of) && of.epoch == epoch && Some(of.number) <= last));
        self.store.attempts.insert(id, Try { epoch, number, state: AttemptState::Open });
        Reply::Done
    }

    fn check_ledgers(&self, setup: &Setup, epoch: Epoch, number: Number) -> Reply {
        let nothing = Span { first: 0, next: 0, name: 0 };
        let ask = |port: usize| {
            let after = self.store.last_output(self.seen(setup, epoch), port, number);
            let claim = Claim { epoch, number, attempt: 0, span: nothing, after, is_staged: false };
            self.targets[port].turn(setup, port, claim)
        };
        let mut replies = (0..PORTS).filter(|port| setup.ports & 1 << port != 0).map(ask);
        replies.find(|reply| matches!(reply, Reply::Disagrees { .. })).unwrap_or(Reply::Done)
    }

    fn read(&self, epoch: Epoch) -> Reply {
        let known = facts::known(&self.store, epoch);
        let Source { records, name } = self.source;
        Reply::Read(Span { first: known.map_or(0, |(next, _)| next), next: records, name }, known)
    }

    fn seal(&mut self, setup: &Setup, epoch: Epoch, number: Number, id: Id, span: Span, outputs: Ports) -> Reply {
        let facts = SealFacts {
            epoch_is_current: epoch == self.store.epoch || setup.is(Mutant::SealIgnoresEpoch),
            attempt: match self.store.attempts.get(id) {
                Some(_) if setup.is(Mutant::SealIgnoresRevocation) => Some(AttemptState::Open),
                known => known.map(|of| of.state),
            },
            iteration_is_absent: self.store.iterations.get((epoch, number)).is_none(),
        };
        if !may_seal(facts) && !setup.is(Mutant::SealsWithoutCondition) {
            return Reply::Yes(false);
        }
        let is_over = setup.is(Mutant::SavesPositionsBeforeLoad);
        let state = if is_over { State::Done } else { State::Sealed };
        let loaded = if is_over { outputs } else { 0 };
        self.store.attempts.insert(id, Try { epoch, number, state: AttemptState::Sealed });
        let number = if setup.is(Mutant::NumbersByAttempt) { id } else { number };
        self.store.iterations.insert((epoch, number), Iteration { attempt: id, state, span, outputs, loaded });
        Reply::Yes(true)
    }

    fn revoke(&mut self, setup: &Setup, id: Id, is_unneeded: bool) -> bool {
        if setup.is(Mutant::CleansWithoutRevoking) {
            return true;
        }
        let iteration = self.store.state_of(id);
        let Some(of) = self.store.attempts.get_mut(id) else { return is_garbage(true, None, None) };
        let (is_current, before) = (of.epoch == self.store.epoch, of.state);
        if may_revoke(Some(before)) {
            of.state = AttemptState::Revoked;
        }
        let is_garbage = is_garbage(is_current, Some(of.state), iteration);
        if may_revoke(Some(before)) && (is_unneeded || setup.is(Mutant::ForgetsRevoked)) {
            self.store.attempts.remove(id);
        }
        is_garbage
    }

    fn publish(&mut self, setup: &Setup, port: usize, claim: Claim, is_checked: bool) -> Reply {
        let target = &mut self.targets[port];
        let reply = if is_checked { Reply::Turn(Turn::Publish) } else { target.turn(setup, port, claim) };
        if matches!(reply, Reply::Turn(Turn::Publish)) {
            target.write(setup, port, claim);
            target.note(setup, claim);
        }
        reply
    }

    fn mark(&mut self, setup: &Setup, epoch: Epoch, number: Number, to: Noted) -> Reply {
        let key = (self.seen(setup, epoch), number);
        let trap = if setup.is(Mutant::DoneWithoutTrap) { 1 << TRAP } else { 0 };
        let Some(iteration) = self.store.iterations.get_mut(key) else { return Reply::Refused };
        let to = match to {
            Noted::Loaded => State::Loaded,
            Noted::Done => State::Done,
            Noted::Held => State::Held,
        };
        match mark(Some(iteration.state), to, iteration.outputs & !iteration.loaded & !trap == 0) {
            Marked::Written => iteration.state = to,
            Marked::Already => {}
            Marked::Refused => return Reply::Refused,
        }
        Reply::Done
    }

    /// Begins a target anew, for an epoch, unless somebody else did since its ledger was read.
    fn fence(&mut self, setup: &Setup, port: usize, found: Option<Epoch>, epoch: Epoch) -> Reply {
        let target = &mut self.targets[port];
        if target.ledger.as_ref().map(|entry| entry.epoch) != found && !setup.is(Mutant::FencesWithoutComparing) {
            return Reply::Refused;
        }
        let entry = Entry { epoch, number: None, hash: (0, 0, 0), length: 0 };
        let ledger = (!setup.is(Mutant::ResetsWithoutFence)).then_some(entry);
        *target = Target { rows: Vec::new(), ledger };
        Reply::Done
    }
}
