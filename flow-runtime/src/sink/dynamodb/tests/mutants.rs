//! The sink, broken on purpose, one way at a time: each must be noticed, where the sink as it is does what it must.

use super::{
    faults::{EXPECTED, load_all},
    *,
};
use crate::effect::{Mutant, World, in_world};

/// A world in which time stands still and the sink is broken.
#[derive(Debug)]
struct Broken(Option<Mutant>);

impl World for Broken {
    fn mutant(&self) -> Option<Mutant> {
        self.0
    }
}

/// Whatever call fails in the load of these iterations, each row counts once.
fn calls_fail() -> bool {
    let calls = load_all(None).calls();
    let faults = [Fault::Refused, Fault::Unanswered, Fault::Repeated];
    let cases = (0..calls).flat_map(|call| faults.map(|fault| (call, fault)));
    cases.map(Some).all(|fault| load_all(fault).seen() == EXPECTED)
}

/// What was forgotten stays, and what comes then is added to it.
fn the_flow_is_forgotten() -> bool {
    let table = table(&COUNTS);
    let first = load(&table, &[("a", Some(1), None)], &ticket(&COUNTS, 0));
    tap(&table, &COUNTS).forget("hits", false).unwrap();
    let anew = Ticket { epoch: "e2".to_owned(), ..ticket(&COUNTS, 0) };
    let second = load(&table, &[("a", Some(2), None)], &anew);
    first.is_ok() && second.is_ok() && table.seen() == ["count=3 host=a"]
}

/// Rows are not passed over without a word where the ledger was lost.
fn the_ledger_is_lost() -> bool {
    let table = table(&COUNTS);
    let anew = |epoch: &str| Ticket { epoch: epoch.to_owned(), ..ticket(&COUNTS, 0) };
    let row: &Counts = &[("a", Some(1), None)];
    load(&table, row, &anew("e1")).unwrap();
    tap(&table, &COUNTS).forget("hits", false).unwrap();
    load(&table, row, &anew("e2")).unwrap();
    table.lose_ledger();
    load(&table, row, &anew("e3")).is_err()
}

/// Of an iteration that is half loaded other rows are not added.
fn other_rows_come() -> bool {
    let table = table(&COUNTS);
    table.fail(4, Fault::Refused);
    let half = load(&table, &[("a", Some(1), None), ("b", Some(1), None)], &ticket(&COUNTS, 0));
    let other = Ticket { hash: "other".to_owned(), ..ticket(&COUNTS, 0) };
    half.is_err() && load(&table, &[("a", Some(2), None)], &other).is_err()
}

#[test]
fn every_mutant_of_the_sink_is_caught() {
    let scenarios = [
        (Mutant::ItemsUnconditional, calls_fail as fn() -> bool),
        (Mutant::MarkWithoutRow, calls_fail),
        (Mutant::LedgerBeforeItems, calls_fail),
        (Mutant::GenerationKept, the_flow_is_forgotten),
        (Mutant::OvertakenIgnored, the_ledger_is_lost),
        (Mutant::LoadingUnsaid, other_rows_come),
    ];
    for (mutant, is_right) in scenarios {
        assert!(in_world(Arc::new(Broken(None)), is_right), "as it is, where {mutant:?} shows");
        assert!(!in_world(Arc::new(Broken(Some(mutant))), is_right), "{mutant:?} lives");
    }
}
