//! The search: breadth first through all worlds that can be reached, so that the first counterexample is a shortest one.

use std::{
    collections::{HashSet, VecDeque},
    fmt::{self, Write as _},
    hash::{Hash, Hasher},
};

use super::{
    invariants::{Judged, RECOVERY, broken},
    recovery,
    steps::{self, Step},
    world::{CLEANER, Setup, World},
};

/// How a search ended that found nothing wrong.
#[derive(Debug)]
pub(super) struct Explored {
    /// Worlds that differ.
    pub(super) worlds: usize,
    /// Steps that were judged.
    pub(super) steps: usize,
    /// Worlds, all processes dead, from which a run without a fault was judged.
    pub(super) recoveries: usize,
    /// The length of the longest shortest history.
    pub(super) depth: usize,
}

impl fmt::Display for Explored {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { worlds, steps, recoveries, depth } = self;
        write!(f, "{worlds} worlds by {steps} steps, {depth} deep, {recoveries} recoveries")
    }
}

/// A history that breaks a rule.
#[derive(Debug)]
pub(super) struct Counterexample {
    pub(super) rule: String,
    pub(super) history: Vec<Step>,
}

/// What is known of a world that was reached: who was before it, and by which step.
struct Trail {
    steps: Vec<(u32, Option<Step>)>,
}

impl Trail {
    fn add(&mut self, before: u32, step: Step) -> u32 {
        self.steps.push((before, Some(step)));
        u32::try_from(self.steps.len() - 1).unwrap()
    }

    fn history(&self, mut place: u32) -> Vec<Step> {
        let mut history = Vec::new();
        while let (before, Some(step)) = self.steps[place as usize] {
            history.push(step);
            place = before;
        }
        history.reverse();
        history
    }
}

/// Searches all histories of a setup; at most `worlds_max`, beyond which it panics.
pub(super) fn search(setup: &Setup, worlds_max: usize) -> Result<Explored, Counterexample> {
    let start = canonical(World::new(setup), setup);
    let (mut seen, mut dead) = (HashSet::from([hash(&start)]), HashSet::new());
    let mut known = HashSet::new();
    let mut trail = Trail { steps: vec![(0, None)] };
    let mut front = VecDeque::from([(start, 0, 0)]);
    let (mut judged, mut depth) = (0, 0);
    while let Some((world, place, length)) = front.pop_front() {
        depth = length;
        let fail = |trail: &Trail, rule: String, last: Step| {
            let mut history = trail.history(place);
            history.push(last);
            Counterexample { rule, history }
        };
        for step in steps::possible(&world, setup) {
            let done = steps::take(&world, setup, step);
            judged += 1;
            if let Some(rule) = broken(Judged { setup, before: &world, step, done: &done }) {
                return Err(fail(&trail, rule.to_owned(), step));
            }
            if done.changes(step)
                && setup.only_rule.is_none_or(|rule| rule == RECOVERY)
                && dead.insert(hash(&recovery::dead(&done.after)))
            {
                recovery::ends_well(&done.after, setup, &mut known).map_err(|rule| fail(&trail, rule, step))?;
            }
            let next = canonical(done.after, setup);
            if seen.insert(hash(&next)) {
                assert!(seen.len() <= worlds_max, "more than {worlds_max} worlds, after {depth} steps");
                front.push_back((next, trail.add(place, step), length + 1));
            }
        }
    }
    Ok(Explored { worlds: seen.len(), steps: judged, recoveries: dead.len(), depth })
}

/// The two runs are alike: of two worlds that differ by their names one is enough.
fn canonical(mut world: World, setup: &Setup) -> World {
    if setup.runs == 2 && world.actors[0] > world.actors[1] {
        world.actors.swap(0, 1);
        world.awake = world.awake.map(|index| if index < CLEANER { 1 - index } else { index });
    }
    world
}

/// A world as a number. Of a million worlds two have the same with a probability of one in 10²⁶.
pub(super) fn hash(world: &World) -> u128 {
    let mut digest = Digest::default();
    world.hash(&mut digest);
    digest.0
}

/// Small worlds hash in the time of their fields; the hashers at hand take several times that without optimisation.
#[derive(Default)]
struct Digest(u128);

impl Digest {
    fn add(&mut self, value: u64) {
        let mixed = (self.0 ^ u128::from(value)).wrapping_mul(0xda94_2042_e4dd_58b5_a0d6_1fd5_7f3a_96c5);
        self.0 = mixed ^ (mixed >> 64);
    }
}

impl Hasher for Digest {
    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.add((*byte).into()));
    }

    fn write_u8(&mut self, value: u8) {
        self.add(value.into());
    }

    fn write_u16(&mut self, value: u16) {
        self.add(value.into());
    }

    fn write_usize(&mut self, value: usize) {
        self.add(value as u64);
    }

    fn write_isize(&mut self, value: isize) {
        self.add(value as u64);
    }

    fn finish(&self) -> u64 {
        self.0 as u64
    }
}

impl Counterexample {
    /// The history, one line a step, with the runs called A and B throughout.
    pub(super) fn print(&self, setup: &Setup) -> String {
        let mut text = format!("broken: {}\n", self.rule);
        let mut names = ["A", "B", "clean-up", "reset"];
        let mut world = canonical(World::new(setup), setup);
        for (number, step) in self.history.iter().enumerate() {
            let done = steps::take(&world, setup, *step);
            let line = match step {
                Step::Go(index, fate) => format!("{}: {:?}, {fate:?}", names[*index], done.effect.unwrap()),
                Step::Begin(index) => format!("{} begins", names[*index]),
                Step::Die(index) => format!("{} dies", names[*index]),
                Step::Arrive => format!("what was late arrives: {:?}", done.effect.unwrap()),
                other => format!("{other:?}"),
            };
            writeln!(text, "{:3}. {line}", number + 1).unwrap();
            world = canonical(done.after.clone(), setup);
            if world != done.after {
                names.swap(0, 1);
            }
        }
        writeln!(text, "then: {world:#?}").unwrap();
        text
    }
}
