//! The rules of DESIGN, section 4, one function each: what must hold in every world, and of every step.

use super::{
    actor::Said,
    effects::Effect,
    steps::{Done, Step},
    world::{Iteration, Kind, Number, PORTS, Row, Setup, World},
};
use crate::{
    iteration::{State, decide::AttemptState},
    sink::Mode,
};

/// A step to be judged.
#[derive(Clone, Copy, Debug)]
pub(super) struct Judged<'a> {
    pub(super) setup: &'a Setup,
    pub(super) before: &'a World,
    pub(super) step: Step,
    pub(super) done: &'a Done,
}

impl Judged<'_> {
    fn after(&self) -> &World {
        &self.done.after
    }
}

type Rule = (&'static str, fn(Judged<'_>) -> bool);

/// The place of recovery, as a rule of its own, after the others.
pub(super) const RECOVERY: usize = RULES.len();

/// Every rule, by what it says.
pub(super) const RULES: [Rule; 18] = [
    ("what is sealed stays as it was sealed, whoever comes later", sealed_is_final),
    ("an attempt is sealed at most once, and never one that was revoked", revoked_is_never_sealed),
    ("iterations are numbered from 0 without a gap", numbers_have_no_gap),
    ("an iteration begins right after the last one, on every shard", ranges_have_no_gap),
    ("only an attempt of the present epoch is sealed", seals_are_of_this_epoch),
    ("what is staged is durable before the seal", staged_before_seal),
    ("the next iteration is sealed only when the last one is done", one_at_a_time),
    ("without a new record nothing but positions is sealed, except at first", empty_runs_nothing),
    ("a manifest has every sink, and the trap whenever a record was trapped", manifest_is_whole),
    ("nothing is visible before its seal", nothing_visible_before_seal),
    ("a target has exactly the iterations that its ledger says, each once and in order", rows_follow_ledger),
    ("a ledger goes forward by one publication, or to a new epoch", ledger_goes_forward),
    ("rows of two epochs never meet in a target", epochs_never_meet),
    ("what the store calls loaded is in the target", loaded_is_there),
    ("done means: in every sink and trap", done_means_everywhere),
    ("what a manifest names is kept until it is in every target", staged_until_done),
    ("an attempt is revoked, void or done before what it staged is deleted", revoked_before_deleted),
    ("who says that a person is needed, or a race lost, is right", words_are_true),
];

/// The first rule that a step breaks. Where a step changes nothing but what a process has in mind, there is none.
pub(super) fn broken(judged: Judged<'_>) -> Option<&'static str> {
    if judged.done.said.is_none() && !judged.done.changes(judged.step) {
        return None;
    }
    let rules = match judged.setup.only_rule {
        Some(place) => RULES.get(place..=place).unwrap_or_default(),
        None => &RULES[..],
    };
    rules.iter().find(|(_, holds)| !holds(judged)).map(|(rule, _)| *rule)
}

fn sealed_is_final(judged: Judged<'_>) -> bool {
    let fixed = |of: &Iteration| (of.attempt, of.span, of.outputs);
    let after = &judged.after().store.iterations;
    judged.before.store.iterations.iter().all(|(key, was)| after.get(key).map(fixed) == Some(fixed(was)))
}

fn revoked_is_never_sealed(judged: Judged<'_>) -> bool {
    let after = &judged.after().store;
    let is_sealed = |id| after.iterations.values().filter(|of| of.attempt == id).count();
    judged.before.store.attempts.iter().all(|(id, was)| match was.state {
        AttemptState::Revoked | AttemptState::Held => is_sealed(id) == 0,
        AttemptState::Open | AttemptState::Sealed => is_sealed(id) <= 1,
    })
}

fn epochs(world: &World) -> impl Iterator<Item = Vec<(Number, &Iteration)>> {
    (1..world.next_epoch).map(|epoch| world.store.of(epoch).collect())
}

fn numbers_have_no_gap(judged: Judged<'_>) -> bool {
    epochs(judged.after()).all(|of| of.iter().enumerate().all(|(place, (number, _))| place == usize::from(*number)))
}

fn ranges_have_no_gap(judged: Judged<'_>) -> bool {
    let follows = |of: Vec<(Number, &Iteration)>| {
        let begins = of.first().is_none_or(|(_, first)| first.span.first == 0);
        begins && of.windows(2).all(|pair| pair[0].1.span.next == pair[1].1.span.first)
    };
    epochs(judged.after()).all(follows)
}

/// The iterations that this step has sealed.
fn newly_sealed<'a>(judged: &'a Judged<'_>) -> impl Iterator<Item = ((u8, Number), &'a Iteration)> {
    let before = &judged.before.store.iterations;
    judged.done.after.store.iterations.iter().filter(|(key, _)| before.get(*key).is_none())
}

fn seals_are_of_this_epoch(judged: Judged<'_>) -> bool {
    newly_sealed(&judged).all(|((epoch, _), _)| epoch == judged.before.store.epoch)
}

fn has_rows(iteration: &Iteration) -> bool {
    iteration.outputs != 0 && iteration.span.first < iteration.span.next
}

fn staged_before_seal(judged: Judged<'_>) -> bool {
    newly_sealed(&judged).filter(|(_, of)| has_rows(of)).all(|(_, of)| {
        let staged = judged.before.staging.get(of.attempt);
        staged.is_some_and(|staged| staged.is_durable && staged.span == of.span)
    })
}

fn one_at_a_time(judged: Judged<'_>) -> bool {
    epochs(judged.after()).all(|of| of.iter().rev().skip(1).all(|(_, earlier)| earlier.state == State::Done))
}

fn empty_runs_nothing(judged: Judged<'_>) -> bool {
    newly_sealed(&judged).all(|((_, number), of)| number == 0 || of.span.first < of.span.next || of.outputs == 0)
}

fn manifest_is_whole(judged: Judged<'_>) -> bool {
    newly_sealed(&judged).all(|(_, of)| {
        let is_trapped = (of.span.first..of.span.next).any(|record| record % 2 == 1);
        let is_empty = of.span.first == of.span.next;
        let whole = if is_trapped { 0b111 } else { 0b011 } & judged.setup.ports;
        of.outputs == whole || (of.outputs == 0 && is_empty)
    })
}

fn nothing_visible_before_seal(judged: Judged<'_>) -> bool {
    let sealed = |row: &Row| judged.after().store.iterations.values().any(|of| of.attempt == row.attempt);
    judged.after().targets.iter().all(|target| target.rows.iter().all(sealed))
}

/// The rows that a port must have once the iterations up to `last` are published to it.
fn expected(world: &World, setup: &Setup, port: usize, epoch: u8, last: Option<Number>) -> Vec<Row> {
    let mut rows = Vec::new();
    let published = world.store.of(epoch).filter(|(number, of)| Some(*number) <= last && of.outputs & 1 << port != 0);
    for (_, of) in published {
        if setup.modes[port] == Mode::Replace {
            rows.clear();
        }
        rows.extend(of.span.records_for(port).map(|record| Row { record, attempt: of.attempt }));
    }
    if setup.modes[port] == Mode::Merge {
        rows.sort();
    }
    rows
}

/// A file may have more than its ledger says, for a moment: rows behind the ledger's length, or the next rows in the
/// place of the old ones. The next to publish cuts them off, or puts the same there once more.
fn rows_follow_ledger(judged: Judged<'_>) -> bool {
    let (world, setup) = (judged.after(), judged.setup);
    (0..PORTS).all(|port| {
        let target = &world.targets[port];
        let Some(entry) = &target.ledger else {
            return target.rows.is_empty() || (setup.kinds[port], setup.modes[port]) == (Kind::File, Mode::Replace);
        };
        let expected = |last| expected(world, setup, port, entry.epoch, last);
        let mut later = world
            .store
            .of(entry.epoch)
            .filter(|(number, of)| Some(*number) > entry.number && of.outputs & 1 << port != 0);
        match (setup.kinds[port], setup.modes[port]) {
            (Kind::Database, _) => target.rows == expected(entry.number),
            (Kind::File, Mode::Replace) => {
                let next = later.next().map(|(number, _)| expected(Some(number)));
                target.rows == expected(entry.number) || Some(&target.rows) == next.as_ref()
            }
            (Kind::File, _) => target.rows.get(..entry.length) == Some(&expected(entry.number)[..]),
        }
    })
}

fn ledger_goes_forward(judged: Judged<'_>) -> bool {
    (0..PORTS).all(|port| {
        let (before, after) = (&judged.before.targets[port].ledger, &judged.after().targets[port].ledger);
        match (before, after) {
            (None, _) => true,
            (Some(_), None) => false,
            (Some(was), Some(is)) if was.epoch != is.epoch => {
                is.number.is_none() && matches!(judged.done.effect, Some(Effect::Fence { .. }))
            }
            (Some(was), Some(is)) if was.number == is.number => was.hash == is.hash,
            (Some(was), Some(is)) => {
                let after = is.number.and_then(|number| judged.after().store.last_output(is.epoch, port, number));
                after == was.number
            }
        }
    })
}

fn epochs_never_meet(judged: Judged<'_>) -> bool {
    let world = judged.after();
    let epoch_of = |row: &Row| {
        let sealed = world.store.iterations.iter().find(|(_, of)| of.attempt == row.attempt);
        sealed.map(|((epoch, _), _)| epoch)
    };
    world.targets.iter().all(|target| {
        let ledger = target.ledger.as_ref().map(|entry| entry.epoch);
        target.rows.iter().all(|row| ledger.is_none() || epoch_of(row) == ledger)
    })
}

fn loaded_is_there(judged: Judged<'_>) -> bool {
    let world = judged.after();
    world.store.of(world.store.epoch).all(|(number, of)| {
        (0..PORTS).filter(|port| of.loaded & 1 << port != 0).all(|port| {
            let ledger = world.targets[port].ledger.as_ref();
            ledger.is_some_and(|entry| entry.epoch == world.store.epoch && entry.number >= Some(number))
        })
    })
}

fn done_means_everywhere(judged: Judged<'_>) -> bool {
    let is_over = |of: &&Iteration| matches!(of.state, State::Loaded | State::Done);
    judged.after().store.iterations.values().filter(is_over).all(|of| of.loaded == of.outputs)
}

fn staged_until_done(judged: Judged<'_>) -> bool {
    let world = judged.after();
    let wanted = world.store.of(world.store.epoch).filter(|(_, of)| of.loaded != of.outputs && has_rows(of));
    wanted.into_iter().all(|(_, of)| world.staging.get(of.attempt).is_some())
}

fn revoked_before_deleted(judged: Judged<'_>) -> bool {
    let after = judged.after();
    let mut deleted = judged.before.staging.keys().filter(|id| after.staging.get(*id).is_none());
    judged.step == Step::PowerCut
        || deleted.all(|id| match after.store.attempts.get(id) {
            None => true,
            Some(of) if of.epoch != after.store.epoch => true,
            Some(of) if of.state == AttemptState::Sealed => after.store.state_of(id) == Some(State::Done),
            Some(of) => of.state != AttemptState::Open,
        })
}

/// A person is needed only around a reset: for a target that it has not begun anew yet, or by a run from before it.
fn words_are_true(judged: Judged<'_>) -> bool {
    let store = &judged.after().store;
    match judged.done.said {
        None => true,
        Some(Said::Held { epoch, is_foreign }) => is_foreign || epoch != store.epoch,
        Some(Said::Lost { epoch, number, id }) => {
            let is_anothers = store.iterations.get((epoch, number)).is_some_and(|of| of.attempt != id);
            let state = store.attempts.get(id).map(|of| of.state);
            is_anothers || epoch != store.epoch || !matches!(state, Some(AttemptState::Open | AttemptState::Sealed))
        }
    }
}
