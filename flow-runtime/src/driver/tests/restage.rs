//! Staging a sealed iteration anew: what was lost comes back, once, wherever the attempt dies.

use std::fs;

use super::{
    bench::{Bench, die_at_each, moments_of},
    *,
};
use crate::{effect::Moment, iteration::State};

/// A bench whose second iteration is sealed and was never loaded, and whose staged rows are gone.
fn lost() -> Bench {
    let bench = sealed();
    fs::remove_dir_all(bench.path("store.db.staging")).unwrap();
    bench
}

/// A bench whose second iteration is sealed and was never loaded.
fn sealed() -> Bench {
    let bench = Bench::new("a 1\nbad 2\n");
    bench.run().unwrap();
    bench.append("b 3\nbad 4\na 5\n");
    bench.world.die_at("target.publish", Moment::Before);
    bench.run().unwrap_err();
    bench.world.restart();
    bench
}

fn again(bench: &Bench) -> Result<Restaged, Error> {
    bench.in_world(|| restage(&bench.flow(), &bench.options(), 1, false))
}

fn accepting(bench: &Bench) -> Result<Restaged, Error> {
    bench.in_world(|| restage(&bench.flow(), &bench.options(), 1, true))
}

/// What the targets hold once both iterations are in them.
fn is_complete(bench: &Bench) {
    assert_eq!((bench.out().as_str(), bench.totals().as_str()), ("a 1\nb 3\na 5\n", "a=2 b=1 x=2 y=2"));
    assert_eq!((bench.trapped(), bench.states(), bench.staged()), (2, vec![State::Done; 2], 0));
}

#[test]
fn what_was_lost_is_staged_anew_and_published_by_the_next_run() {
    let bench = lost();
    assert!(matches!(bench.run(), Err(Error::Held(_))));
    let restaged = again(&bench).unwrap();
    assert!(!restaged.nothing_lost && restaged.outputs.iter().all(|output| output.is_same), "{restaged:?}");
    assert_eq!((restaged.outputs.len(), restaged.loaded.len(), bench.staged()), (3, 0, 1));
    assert_eq!((bench.out().as_str(), bench.states()), ("a 1\n", vec![State::Done, State::Sealed]));
    assert_eq!(bench.list()[1].note, "restaged; waits for bad, out, totals");

    bench.append("c 6\n");
    assert_eq!(bench.run().unwrap().resumed, [1]);
    assert_eq!((bench.out().as_str(), bench.trapped()), ("a 1\nb 3\na 5\nc 6\n", 2));
}

#[test]
fn what_is_whole_is_left_as_it_is_and_so_it_is_the_second_time() {
    let bench = sealed();
    assert!(again(&bench).unwrap().nothing_lost);
    fs::write(bench.path("store.db.staging/word_totals/1-id4/out.rows"), "damaged").unwrap();
    assert!(!again(&bench).unwrap().nothing_lost);
    assert!(again(&bench).unwrap().nothing_lost);
    bench.run().unwrap();
    is_complete(&bench);
}

#[test]
fn wherever_a_restage_dies_the_next_one_and_a_run_bring_everything_once() {
    let moments = moments_of(&lost(), |bench| again(bench).map(drop));
    for effect in ["source.read", "store.open_attempt", "stage.sync", "store.swap", "store.revoke"] {
        assert!(moments.iter().any(|(name, _)| name == effect), "{effect}");
    }
    die_at_each(&moments, |moment, last| {
        let bench = lost();
        let mut passed = 0;
        bench.world.watch(move |_, _| {
            passed += 1;
            passed <= last
        });
        let died = again(&bench);
        bench.world.restart();
        again(&bench).unwrap_or_else(|error| panic!("{moment:?}, after {died:?}: {error}"));
        bench.run().unwrap();
        is_complete(&bench);
    });
}

#[test]
fn what_a_target_has_is_not_staged_again() {
    let bench = sealed();
    bench.world.die_at("store.output_loaded", Moment::Before);
    bench.run().unwrap_err();
    bench.world.restart();
    fs::remove_dir_all(bench.path("store.db.staging")).unwrap();
    let restaged = again(&bench).unwrap();
    assert_eq!(restaged.loaded, ["out"]);
    let ports: Vec<_> = restaged.outputs.iter().map(|output| output.port.as_str()).collect();
    assert_eq!(ports, ["totals", "bad"]);
    bench.run().unwrap();
    is_complete(&bench);
}

#[test]
fn what_all_targets_have_is_neither_restaged_nor_missed() {
    let bench = sealed();
    bench.world.die_at("store.loaded", Moment::Before);
    bench.run().unwrap_err();
    bench.world.restart();
    fs::remove_dir_all(bench.path("store.db.staging")).unwrap();
    assert!(again(&bench).unwrap().nothing_lost);
    bench.run().unwrap();
    is_complete(&bench);
}

#[test]
fn other_rows_than_were_sealed_are_taken_only_when_somebody_accepts_them() {
    let bench = lost();
    fs::write(bench.path("hosts.txt"), "x\ny\nz\n").unwrap();
    for _ in 0..2 {
        let error = again(&bench).unwrap_err();
        assert!(matches!(error, Error::Held(_)), "{error}");
        let text = error.to_string();
        assert!(text.contains("(port `totals`): there are 5 rows, sealed were 4 rows; "), "{text}");
        assert!(text.contains("not the tables: hosts") && text.contains("--accept-changed"), "{text}");
        assert_eq!((bench.states()[1], bench.staged()), (State::Sealed, 0));
    }
    let restaged = accepting(&bench).unwrap();
    let outputs: Vec<_> = restaged.outputs.iter().map(|output| (output.port.as_str(), output.is_same)).collect();
    assert_eq!(outputs, [("out", true), ("totals", false), ("bad", true)]);
    assert_eq!((restaged.tables[0].records_sealed, restaged.tables[0].records), (Some(2), 3));
    bench.run().unwrap();
    assert_eq!((bench.out().as_str(), bench.totals().as_str()), ("a 1\nb 3\na 5\n", "a=2 b=1 x=2 y=2 z=1"));
}

#[test]
fn a_source_that_has_changed_is_never_accepted() {
    let bench = lost();
    let log = bench.path("lines.log");
    fs::write(&log, fs::read_to_string(&log).unwrap().replace("b 3", "c 3")).unwrap();
    assert!(matches!(accepting(&bench), Err(Error::Input(_))));
    assert_eq!((bench.states()[1], bench.staged()), (State::Sealed, 0));
}

#[test]
fn an_iteration_that_is_done_or_was_never_sealed_cannot_be_restaged() {
    let bench = sealed();
    let refused =
        |iteration| bench.in_world(|| restage(&bench.flow(), &bench.options(), iteration, false)).unwrap_err();
    let text = refused(0).to_string();
    assert!(text.contains("iteration 0 is in its targets already") && text.contains("`replay 0`"), "{text}");
    assert!(refused(2).to_string().contains("word_totals has no sealed iteration 2"));
    bench.run().unwrap();
    is_complete(&bench);
}

#[test]
fn a_run_that_is_under_way_is_not_disturbed() {
    let bench = lost();
    let _run = FlowLock::take(&bench.path("store.db"), "word_totals", "pid 42").unwrap();
    assert!(matches!(again(&bench), Err(Error::Busy(_))));
}

#[test]
fn a_run_that_was_overtaken_by_a_restage_cannot_mark_what_it_loads() {
    let bench = lost();
    let before = {
        let checkpoint = OpenCheckpoint::open(&bench.options().checkpoint, "word_totals".to_owned()).unwrap();
        checkpoint.store.unfinished().unwrap()
    };
    fs::write(bench.path("hosts.txt"), "x\ny\nz\n").unwrap();
    accepting(&bench).unwrap();
    let checkpoint = OpenCheckpoint::open(&bench.options().checkpoint, "word_totals".to_owned()).unwrap();
    let marked = |port: &str| {
        let output = before[0].outputs.iter().find(|output| output.staged.port == port).unwrap();
        checkpoint.store.mark_output_loaded(1, port, &output.staged.hash)
    };
    assert!(marked("totals").is_err(), "its rows are others now");
    marked("out").unwrap();
}
