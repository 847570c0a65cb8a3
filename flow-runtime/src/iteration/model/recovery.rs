//! The promise itself: from wherever a world has come to, one run without a fault brings it to its end, and every record
//! is then in every target exactly once.

use std::collections::HashSet;

use super::{
    actor::Actor,
    effects::Effect,
    invariants::{Judged, broken},
    search::hash,
    steps::{self, Fate, Step},
    world::{RESETTER, Row, Setup, TRAP, World},
};
use crate::{iteration::State, sink::Mode};

/// Says what is wrong in the end, if that world comes to its end after all processes have died. What is passed and ends
/// well is `known` then, and not run again.
pub(super) fn ends_well(world: &World, setup: &Setup, known: &mut HashSet<(u8, u128)>) -> Result<(), String> {
    let setup = Setup { attempts: u8::MAX, pauses: None, ..*setup };
    let mut world = dead(world);
    let mut passed = Vec::new();
    let epoch = world.store.epoch;
    let is_half_reset = world.targets.iter().any(|target| target.ledger.as_ref().is_some_and(|of| of.epoch != epoch));
    // A reset that did not get through is done once more. Then a run publishes what is left over and all that is new;
    // another finds nothing new, and sweeps.
    for (phase, index) in [(0, RESETTER), (1, 0), (2, 0)] {
        if phase > 0 || is_half_reset {
            steps::begin(&mut world, index);
        }
        loop {
            let here = (phase, hash(&world));
            if known.contains(&here) {
                known.extend(passed);
                return Ok(());
            }
            passed.push(here);
            if proceed(&mut world, &setup, index)?.is_none() {
                break;
            }
        }
    }
    verdict(&world, &setup)?;
    known.extend(passed);
    Ok(())
}

/// The world after the death of every process.
pub(super) fn dead(world: &World) -> World {
    let mut world = World { late: None, faults: 0, pauses: 0, awake: None, ..world.clone() };
    world.actors.iter_mut().for_each(|actor| *actor = Actor::default());
    world
}

/// Lets a process make its next call, without a fault; it must break no rule and complain of nothing.
pub(super) fn proceed(world: &mut World, setup: &Setup, index: usize) -> Result<Option<Effect>, String> {
    if world.actors[index].request(world.next_id).is_none() {
        return Ok(None);
    }
    let step = Step::Go(index, Fate::Good);
    let done = steps::take(world, setup, step);
    if let Some(said) = done.said {
        return Err(format!("a run without a fault says {said:?}"));
    }
    if let Some(rule) = broken(Judged { setup, before: world, step, done: &done }) {
        return Err(format!("a run without a fault breaks: {rule}"));
    }
    *world = done.after;
    Ok(done.effect)
}

/// Compares the targets with what the source has, by a sum of its own.
fn verdict(world: &World, setup: &Setup) -> Result<(), String> {
    let last_run = world.store.of(world.store.epoch).rfind(|(_, of)| of.outputs != 0);
    let first_of_last = last_run.map_or(0, |(_, of)| of.span.first);
    for (port, target) in world.targets.iter().enumerate().filter(|(port, _)| setup.ports & 1 << port != 0) {
        let from = if setup.modes[port] == Mode::Replace { first_of_last } else { 0 };
        let until = last_run.map_or(0, |(_, of)| of.span.next);
        let is_here = |record: &u8| (record % 2 == 1) == (port == TRAP);
        let wanted: Vec<u8> = (from..until).filter(is_here).collect();
        let mut found: Vec<u8> = target.rows.iter().map(|row: &Row| row.record).collect();
        found.sort_unstable();
        if found != wanted || until != world.source.records {
            return Err(format!("in the end port {port} has records {found:?}, not {wanted:?}"));
        }
    }
    let is_done = world.store.of(world.store.epoch).all(|(_, of)| of.state == State::Done);
    match is_done && world.staging.is_empty() {
        true => Ok(()),
        false => Err("in the end something is not done, or still staged".to_owned()),
    }
}
