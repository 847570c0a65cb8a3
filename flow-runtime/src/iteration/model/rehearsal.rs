//! The model's runs one after the other, as the driver's tests run the driver: to compare the order of effects.

use super::{
    actor::Doing,
    effects::Effect,
    steps::{self, Fate, Step},
    world::{Kind, Setup, World},
};
use crate::sink::Mode::{Append, Merge};

/// A moment of an effect, by the name that the driver has for it: before it, or after it.
pub(crate) type Moment = (&'static str, bool);

/// A world with one run at a time.
#[derive(Debug)]
pub(crate) struct Rehearsal {
    world: World,
    setup: Setup,
}

impl Rehearsal {
    /// A source of `records`, every second of them bad; a file to append to, a table to merge into, a file as a trap.
    pub(crate) fn new(records: u8) -> Self {
        let setup = Setup {
            modes: [Append, Merge, Append],
            kinds: [Kind::File, Kind::Database, Kind::File],
            ports: 0b111,
            runs: 1,
            faults: u8::MAX,
            pauses: None,
            attempts: u8::MAX,
            records: (records, u8::MAX),
            renames: false,
            cleans: 0,
            resets: 0,
            network: false,
            is_deterministic: true,
            mutant: None,
            only_rule: None,
        };
        Self { world: World::new(&setup), setup }
    }

    /// The source gets more records.
    pub(crate) fn grow(&mut self, records: u8) {
        self.world.source.records += records;
    }

    /// One run, to its end or to its death at the moment of this number. Returns the moments that it passed.
    pub(crate) fn run(&mut self, dies_at: usize) -> Vec<Moment> {
        let mut passed: Vec<Moment> = Vec::new();
        steps::begin(&mut self.world, 0);
        while let Some(effect) = self.world.actors[0].request(self.world.next_id) {
            if let Some(name) = effect.name() {
                passed.push((name, false));
                if passed.len() > dies_at {
                    self.world.actors[0].forget();
                    return passed;
                }
            }
            let was = self.world.actors[0].doing;
            self.world = steps::take(&self.world, &self.setup, Step::Go(0, Fate::Good)).after;
            if let Some(name) = self.ended(effect, was) {
                passed.push((name, true));
                if passed.len() > dies_at {
                    self.world.actors[0].forget();
                    return passed;
                }
            }
        }
        passed
    }

    /// The effect that has ended with this call: to publish to a file takes several.
    fn ended(&self, effect: Effect, was: Doing) -> Option<&'static str> {
        let is_file =
            |doing| matches!(doing, Doing::BeginFile { .. } | Doing::WriteFile { .. } | Doing::WriteSidecar { .. });
        match (effect.name(), is_file(was), is_file(self.world.actors[0].doing)) {
            (_, true, false) => Some("target.publish"),
            (name, _, false) => name,
            (_, _, true) => None,
        }
    }
}
