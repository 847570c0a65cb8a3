//! What may happen next in a world: a process goes on, well or badly; one begins or dies; the source grows; the power fails.
//!
//! That a process pauses while others go on, for as long as it takes, needs no step: it is not chosen. Where there are too
//! many worlds, its pauses are counted.

use super::{
    actor::{Actor, Doing, Said},
    effects::{Effect, Reply},
    world::{ACTORS, CLEANER, Kind, RESETTER, Setup, World},
};

/// One step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// A process begins.
    Begin(usize),
    /// A process makes its next call.
    Go(usize, Fate),
    /// A process dies.
    Die(usize),
    /// What was late arrives.
    Arrive,
    /// The source gets a record.
    Grow,
    /// The source's file gets another name.
    Rename,
    /// All processes die, and what was not synced is gone.
    PowerCut,
}

/// What becomes of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// It happens and is answered.
    Good,
    /// It does not happen; an error comes back.
    Fails,
    /// It happens; an error comes back.
    ReplyLost,
    /// An error comes back; it happens later, or never.
    Late,
    /// It happens and is answered; it may happen once more.
    Twice,
}

/// What a step did, for those who judge it.
#[derive(Clone, Debug)]
pub(super) struct Done {
    pub(super) after: World,
    pub(super) effect: Option<Effect>,
    pub(super) said: Option<Said>,
}

impl Done {
    /// Whether the step changed what outlives a process.
    pub(super) fn changes(&self, step: Step) -> bool {
        match step {
            Step::Begin(_) | Step::Die(_) => false,
            Step::Go(..) | Step::Arrive => self.effect.is_some_and(Effect::is_write),
            Step::Grow | Step::Rename | Step::PowerCut => true,
        }
    }
}

/// All steps that are possible.
pub(super) fn possible(world: &World, setup: &Setup) -> Vec<Step> {
    let mut steps: Vec<Step> = (0..ACTORS).flat_map(|index| of_actor(world, setup, index)).collect();
    steps.extend(world.late.is_some().then_some(Step::Arrive));
    steps.extend((world.source.records < setup.records.1).then_some(Step::Grow));
    steps.extend((setup.renames && world.source.name == 0).then_some(Step::Rename));
    let is_volatile = world.staging.values().any(|staged| !staged.is_durable);
    steps.extend((world.faults > 0 && is_volatile).then_some(Step::PowerCut));
    steps
}

fn of_actor(world: &World, setup: &Setup, index: usize) -> Vec<Step> {
    let actor = &world.actors[index];
    let may_go_on = world.pauses > 0 || world.awake.is_none_or(|awake| awake == index);
    let Some(effect) = actor.request(world.next_id) else {
        let is_run = index < CLEANER;
        let may_begin = if is_run { index < setup.runs } else { actor.turns > 0 };
        return Vec::from_iter((may_begin && may_go_on).then_some(Step::Begin(index)));
    };
    let mut steps = Vec::from_iter(may_go_on.then_some(Step::Go(index, Fate::Good)));
    if world.faults > 0 {
        steps.push(Step::Die(index));
        let fates = if may_go_on { fates(world, setup, actor, effect) } else { Vec::new() };
        steps.extend(fates.into_iter().map(|fate| Step::Go(index, fate)));
    }
    steps
}

/// How a call may go wrong, where that is not the same as dying.
fn fates(world: &World, setup: &Setup, actor: &Actor, effect: Effect) -> Vec<Fate> {
    let mut fates = Vec::new();
    if effect.is_write() || matches!(actor.doing, Doing::Read { .. } | Doing::LookAtSeal { .. }) {
        fates.push(Fate::Fails);
    }
    if effect.is_write() {
        fates.push(Fate::ReplyLost);
    }
    let file = matches!(effect, Effect::Fence { port, .. } if setup.kinds[port] == Kind::File);
    if setup.network && world.late.is_none() && effect.is_remote() && !file {
        fates.extend([Fate::Late, Fate::Twice]);
    }
    fates
}

/// Takes a step.
pub(super) fn take(world: &World, setup: &Setup, step: Step) -> Done {
    let mut after = world.clone();
    if let (Step::Begin(index) | Step::Go(index, _), Some(_)) = (step, setup.pauses) {
        after.pauses -= u8::from(world.awake.is_some_and(|awake| awake != index));
        after.awake = Some(index);
    }
    let (effect, said) = match step {
        Step::Go(index, fate) => go(&mut after, setup, index, fate),
        Step::Arrive => (arrive(&mut after, setup), None),
        other => {
            disturb(&mut after, other);
            (None, None)
        }
    };
    after.awake = after.awake.filter(|index| after.actors[*index].doing != Doing::Nothing);
    Done { after, effect, said }
}

fn arrive(world: &mut World, setup: &Setup) -> Option<Effect> {
    let effect = world.late.take()?;
    world.apply(setup, effect);
    Some(effect)
}

fn disturb(world: &mut World, step: Step) {
    match step {
        Step::Begin(index) => begin(world, index),
        Step::Die(index) => {
            world.actors[index].forget();
            world.faults -= 1;
        }
        Step::Grow => world.source.records += 1,
        Step::Rename => world.source.name += 1,
        Step::PowerCut => {
            world.actors.iter_mut().for_each(Actor::forget);
            world.staging.retain(|staged| staged.is_durable);
            world.faults -= 1;
        }
        Step::Go(..) | Step::Arrive => {}
    }
}

/// Lets a process begin.
pub(super) fn begin(world: &mut World, index: usize) {
    let actor = &mut world.actors[index];
    actor.turns = actor.turns.saturating_sub(1);
    actor.doing = match index {
        RESETTER => Doing::ReadLedgers,
        CLEANER => Doing::OpenStore { to_clean: true },
        _ => Doing::OpenStore { to_clean: false },
    };
}

fn go(world: &mut World, setup: &Setup, index: usize, fate: Fate) -> (Option<Effect>, Option<Said>) {
    let Some(effect) = world.actors[index].request(world.next_id) else { return (None, None) };
    if let Effect::Open { .. } = effect {
        world.next_id += 1;
    }
    let happens = matches!(fate, Fate::Good | Fate::ReplyLost | Fate::Twice);
    let is_answered = matches!(fate, Fate::Good | Fate::Twice);
    if fate != Fate::Good {
        world.faults -= 1;
    }
    if matches!(fate, Fate::Late | Fate::Twice) {
        world.late = Some(effect);
    }
    let reply = match happens {
        true if is_locked(world, index, effect) => Some(Reply::Refused),
        true => Some(world.apply(setup, effect)),
        false => None,
    };
    let actor = &mut world.actors[index];
    let said = actor.receive(setup, effect, reply.filter(|_| is_answered));
    if matches!(actor.doing, Doing::Open { .. }) && world.next_id > setup.attempts {
        actor.forget();
    }
    (Some(effect), said)
}

/// Whether another process has the lock that this effect needs.
fn is_locked(world: &World, index: usize, effect: Effect) -> bool {
    let (Effect::LockFile { port, .. } | Effect::Fence { port, .. }) = effect else { return false };
    (0..ACTORS).any(|other| other != index && world.actors[other].locked() == Some(port))
}
