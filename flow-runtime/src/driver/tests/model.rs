//! The model of the protocol (`iteration/model/`) and the driver do the same in the same order, wherever a run dies.

use std::{
    mem,
    sync::{Arc, Mutex},
};

use super::bench::Bench;
use crate::{effect::Moment, iteration::model::Rehearsal};

/// What the model takes for one step.
const STEPS: [&str; 10] = [
    "store.open_attempt",
    "stage.finish",
    "store.seal",
    "store.revoke",
    "stage.remove",
    "target.publish",
    "store.output_loaded",
    "store.loaded",
    "store.done",
    "store.held",
];

/// A run that dies at the moment of this number, and the moments that it passed.
fn run(bench: &Bench, dies_at: usize) -> Vec<(&'static str, bool)> {
    let passed = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&passed);
    bench.world.watch(move |effect, moment| {
        let mut seen = seen.lock().unwrap();
        seen.extend(STEPS.iter().find(|step| **step == effect).map(|step| (*step, moment == Moment::After)));
        seen.len() <= dies_at
    });
    let died = bench.run().is_err();
    let passed = mem::take(&mut *passed.lock().unwrap());
    assert_eq!(died, passed.len() > dies_at);
    passed
}

#[test]
fn wherever_a_run_dies_driver_and_model_go_on_alike() {
    let mut dies_at = 0;
    loop {
        let (bench, mut model) = (Bench::new("a 1\nbad 2\n"), Rehearsal::new(2));
        let passed = run(&bench, dies_at);
        assert_eq!(passed, model.run(dies_at), "a run that dies at {dies_at}");

        bench.append("b 3\nbad 4\na 5\n");
        model.grow(3);
        assert_eq!(run(&bench, usize::MAX), model.run(usize::MAX), "the run after one that died at {dies_at}");
        assert_eq!(run(&bench, usize::MAX), model.run(usize::MAX), "and one that finds nothing new");
        if passed.len() <= dies_at {
            break;
        }
        dies_at += 1;
    }
    assert!(dies_at > 20, "{dies_at} moments");
}
