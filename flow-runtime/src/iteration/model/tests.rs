//! The searches, and what they have to cover.

use std::time::Instant;

use super::{
    invariants::{RECOVERY, RULES},
    mutants::Mutant,
    search::{Explored, search},
    world::{Kind, Setup},
    worlds::{LARGER, LARGER_MUTANT, MUTANTS, NETWORK, Named, SMALL, contents},
};
use crate::sink::Mode::{Append, Merge, Replace};

/// Where a search has gone astray, and memory would be next.
const WORLDS_MAX: usize = 8_000_000;

/// Searches a world without a mutant, and prints what is in it and how large it was.
fn holds(name: &str, setup: &Setup) -> Explored {
    let began = Instant::now();
    match search(setup, WORLDS_MAX) {
        Ok(found) => {
            println!("{name}: {}: {found}, {:.1} s", contents(setup), began.elapsed().as_secs_f32());
            found
        }
        Err(counterexample) => panic!("{name}: {}", counterexample.print(setup)),
    }
}

/// Searches several; says how large they were together.
fn hold(worlds: &[Named]) {
    let found: Vec<Explored> = worlds.iter().map(|(name, setup)| holds(name, setup)).collect();
    let sum = |count: fn(&Explored) -> usize| found.iter().map(count).sum::<usize>();
    println!(
        "together {} worlds by {} steps, {} recoveries",
        sum(|of| of.worlds),
        sum(|of| of.steps),
        sum(|of| of.recoveries)
    );
}

#[test]
fn small_worlds_keep_the_rules() {
    hold(&SMALL);
}

#[test]
fn every_mode_beside_every_other_keeps_the_rules() {
    for first in [Append, Replace, Merge] {
        for second in [Append, Replace, Merge] {
            let file = if second == Merge { Kind::Database } else { Kind::File };
            let (modes, kinds) = ([first, second, Append], [Kind::Database, file, Kind::File]);
            holds("every mode", &Setup { modes, kinds, records: (1, 2), ..NETWORK });
        }
    }
}

#[test]
#[ignore = "minutes without optimisation: run it after a change of the protocol, as CONTRIBUTING.md says"]
fn larger_worlds_keep_the_rules() {
    hold(&LARGER);
}

type Thing = (&'static str, fn(&Setup) -> bool);

/// What may come together in a world. That processes pause and wake is in every one.
const THINGS: [Thing; 12] = [
    ("two runs", |of| of.runs == 2),
    ("a crash or a lost reply", |of| of.faults > 0),
    ("what arrives late or twice", |of| of.network && of.faults > 0),
    ("a clean-up", |of| of.cleans > 0),
    ("a reset", |of| of.resets > 0),
    ("a record that comes later", |of| of.records.0 < of.records.1),
    ("two sinks and a trap with rows", |of| of.ports == 0b111 && of.records.1 >= 2),
    ("Append", |of| of.sinks().any(|port| of.modes[port] == Append)),
    ("Replace", |of| of.sinks().any(|port| of.modes[port] == Replace)),
    ("Merge", |of| of.sinks().any(|port| of.modes[port] == Merge)),
    ("a database", |of| of.sinks().any(|port| of.kinds[port] == Kind::Database)),
    ("a file", |of| of.sinks().any(|port| of.kinds[port] == Kind::File)),
];

#[test]
fn any_two_things_come_together_in_a_world() {
    for (place, (first, has_first)) in THINGS.iter().enumerate() {
        for (second, has_second) in &THINGS[place + 1..] {
            let mut worlds = SMALL.iter().chain(&LARGER);
            assert!(worlds.any(|(_, of)| has_first(of) && has_second(of)), "{first} and {second}");
        }
    }
    // A file is never merged into.
    let merges = |of: &Setup| of.sinks().any(|port| (of.modes[port], of.kinds[port]) == (Merge, Kind::File));
    assert!(!SMALL.iter().chain(&LARGER).any(|(_, of)| merges(of)));
}

#[test]
fn every_mutant_is_caught() {
    let lives = |(mutant, setup)| (!is_caught(mutant, setup)).then_some(mutant);
    assert_eq!(MUTANTS.into_iter().filter_map(lives).collect::<Vec<_>>(), []);
}

#[test]
#[ignore = "20 s without optimisation: run it with the larger worlds"]
fn a_mutant_of_three_iterations_is_caught() {
    let (mutant, setup) = LARGER_MUTANT;
    assert!(is_caught(mutant, setup));
}

fn is_caught(mutant: Mutant, setup: Setup) -> bool {
    let began = Instant::now();
    let found = search(&Setup { mutant: Some(mutant), ..setup }, WORLDS_MAX);
    let seconds = began.elapsed().as_secs_f32();
    match &found {
        Err(found) => {
            println!("{mutant:?}: caught after {} steps, {seconds:.1} s: {}", found.history.len(), found.rule)
        }
        Ok(found) => println!("{mutant:?}: LIVES, {found}, {seconds:.1} s"),
    }
    found.is_err()
}

/// A rule that no mutant breaks would not be missed.
#[test]
#[ignore = "searches the world of each mutant for each rule: run it with the larger worlds"]
fn every_rule_is_broken_by_a_mutant_when_it_is_the_only_one() {
    for place in 0..=RECOVERY {
        let breaks = |(mutant, setup)| {
            let setup = Setup { mutant: Some(mutant), only_rule: Some(place), ..setup };
            search(&setup, WORLDS_MAX).err().map(|_| mutant)
        };
        let by: Vec<Mutant> = MUTANTS.into_iter().filter_map(breaks).collect();
        let rule = RULES.get(place).map_or("in the end every record is in every target once", |(rule, _)| rule);
        println!("{rule}: {by:?}");
        assert!(!by.is_empty(), "{rule}");
    }
}
