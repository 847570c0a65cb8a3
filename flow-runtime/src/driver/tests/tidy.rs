//! Resets and clean-ups: what they say, what they do, and that nothing is lost or doubled wherever they die.

use std::fs;

use super::{
    bench::{Bench, die_at_each, moments_of},
    *,
};
use crate::{
    Sink,
    effect::Moment,
    iteration::{State, sqlite::listing::list},
    sink::staging::StagingArea,
};

fn reset_now(bench: &Bench, force: bool) -> Result<Reset, Error> {
    bench.in_world(|| reset(&bench.flow(), &bench.options().checkpoint, force))
}

fn clean_now(bench: &Bench, what: Clean) -> Result<Cleaned, Error> {
    bench.in_world(|| clean(&bench.flow(), &bench.options().checkpoint, what))
}

const DRY: Clean = Clean { kept_iterations: None, grace: Clean::GRACE, dry_run: true };

const EMPTY_ALL: Forgetting<'_> = Forgetting { which: Which::All, empty: true, store_is_lost: false, do_it: true };

/// Empties the targets.
fn empty(bench: &Bench) {
    forget(&bench.flow(), &bench.options(), EMPTY_ALL).unwrap();
}

fn former(bench: &Bench) -> usize {
    list(&bench.path("store.db"), "word_totals", None).unwrap().former.len()
}

#[test]
fn after_a_reset_every_run_is_held_until_the_targets_are_emptied_and_then_reads_all_again() {
    let bench = Bench::new("a 1\nbad 2\n");
    bench.run().unwrap();
    bench.append("b 3\n");
    bench.run().unwrap();
    let meaning = look_at_reset(&bench.flow(), &bench.options().checkpoint).unwrap();
    assert_eq!((meaning.iterations, meaning.unfinished.len()), (2, 0));
    let ports: Vec<_> = meaning.targets.iter().map(|target| target.port.as_str()).collect();
    assert_eq!(ports, ["bad", "out", "totals"]);
    assert_eq!(reset_now(&bench, false).unwrap(), meaning);
    assert_eq!((bench.list(), former(&bench)), (vec![], 1));

    for _ in 0..2 {
        assert!(matches!(bench.run(), Err(Error::Held(_))));
        assert_eq!((bench.out().as_str(), bench.totals().as_str()), ("a 1\nb 3\n", "a=1 b=1 x=2 y=2"));
    }
    empty(&bench);
    bench.run().unwrap();
    assert_eq!((bench.out().as_str(), bench.totals().as_str(), bench.trapped()), ("a 1\nb 3\n", "a=1 b=1 x=1 y=1", 1));
    assert_eq!(bench.states(), [State::Done]);
}

#[test]
fn nothing_forgets_until_all_targets_have_been_asked() {
    let bench = Bench::new("a 1\nbad 2\n");
    bench.run().unwrap();
    reset_now(&bench, false).unwrap();
    fs::rename(bench.path("target/totals.db"), bench.path("kept.db")).unwrap();
    fs::write(bench.path("target/totals.db"), "this is no database, and long enough to be looked at").unwrap();
    let error = forget(&bench.flow(), &bench.options(), EMPTY_ALL).unwrap_err().to_string();
    assert!(error.contains("port `totals`"), "{error}");
    assert_eq!((bench.out().as_str(), bench.trapped()), ("a 1\n", 1));

    fs::rename(bench.path("kept.db"), bench.path("target/totals.db")).unwrap();
    let ledger = rusqlite::Connection::open(bench.path("target/totals.db")).unwrap();
    let no = "CREATE TRIGGER no BEFORE DELETE ON flow_ledger BEGIN SELECT RAISE(ABORT, 'not now'); END";
    ledger.execute_batch(no).unwrap();
    let error = forget(&bench.flow(), &bench.options(), EMPTY_ALL).unwrap_err().to_string();
    assert!(error.contains("not now; forgotten already: out; "), "{error}");
    assert_eq!((bench.out().as_str(), bench.totals().as_str(), bench.trapped()), ("", "a=1 x=1 y=1", 1));
}

#[test]
fn a_store_that_is_not_there_is_not_taken_for_a_lost_one() {
    let bench = Bench::new("a 1\n");
    bench.run().unwrap();
    fs::rename(bench.path("store.db"), bench.path("elsewhere.db")).unwrap();
    for do_it in [false, true] {
        let error = forget(&bench.flow(), &bench.options(), Forgetting { do_it, ..EMPTY_ALL }).unwrap_err();
        assert!(matches!(&error, Error::Config(_)) && error.to_string().contains("--store-is-lost"), "{error}");
    }
    let lost = Forgetting { store_is_lost: true, ..EMPTY_ALL };
    let told = forget(&bench.flow(), &bench.options(), Forgetting { do_it: false, ..lost }).unwrap();
    assert!(told.iter().any(|target| target.held.is_some()));
    assert_eq!((bench.out().as_str(), bench.path("store.db").exists()), ("a 1\n", false));
    forget(&bench.flow(), &bench.options(), lost).unwrap();
    assert_eq!(bench.out(), "");
}

#[test]
fn a_second_reset_finds_nothing_to_do() {
    let bench = Bench::new("a 1\n");
    bench.run().unwrap();
    reset_now(&bench, false).unwrap();
    let error = reset_now(&bench, false).unwrap_err();
    assert!(matches!(&error, Error::Config(_)) && error.to_string().contains("nothing to reset"), "{error}");
}

#[test]
fn a_sealed_iteration_is_thrown_away_only_by_force() {
    let bench = Bench::new("a 1\n");
    bench.world.die_at("store.output_loaded", Moment::After);
    bench.run().unwrap_err();
    bench.world.restart();
    let error = reset_now(&bench, false).unwrap_err();
    assert!(matches!(&error, Error::Held(_)), "{error}");
    assert!(error.to_string().contains("not loaded: totals (3 rows); loaded: out"), "{error}");
    let done = reset_now(&bench, true).unwrap();
    assert_eq!(done.unfinished[0].lacking, [("totals".to_owned(), 3)]);
    assert_eq!(done.targets.iter().map(|target| target.port.as_str()).collect::<Vec<_>>(), ["out"]);
    empty(&bench);
    bench.run().unwrap();
    assert_eq!((bench.out().as_str(), bench.totals().as_str(), bench.staged()), ("a 1\n", "a=1 x=1 y=1", 0));
}

#[test]
fn a_reset_waits_for_no_run_and_disturbs_none() {
    let bench = Bench::new("a 1\n");
    bench.run().unwrap();
    let _run = FlowLock::take(&bench.path("store.db"), "word_totals", "pid 42").unwrap();
    assert!(matches!(reset_now(&bench, false), Err(Error::Busy(_))));
    assert_eq!(former(&bench), 0);
}

#[test]
fn wherever_a_reset_dies_it_has_happened_once_or_not_at_all() {
    let done = || {
        let bench = Bench::new("a 1\n");
        bench.run().unwrap();
        bench
    };
    let moments = moments_of(&done(), |bench| reset_now(bench, false).map(drop));
    assert!(moments.iter().any(|(name, _)| name == "store.reset"));
    die_at_each(&moments, |moment, last| {
        let bench = done();
        let mut passed = 0;
        bench.world.watch(move |_, _| {
            passed += 1;
            passed <= last
        });
        let died = reset_now(&bench, false);
        bench.world.restart();
        let again = reset_now(&bench, false);
        assert_eq!(former(&bench), 1, "{moment:?}: {died:?}, {again:?}");
        assert!(matches!(bench.run(), Err(Error::Held(_))), "{moment:?}");
        assert_eq!(bench.out(), "a 1\n", "{moment:?}");
    });
}

/// A bench with a staged iteration whose run died before the seal, and a spilled group of another.
fn littered() -> Bench {
    let bench = Bench::new("a 1\n");
    bench.run().unwrap();
    bench.append("b 2\n");
    bench.world.die_at("store.seal", Moment::Before);
    bench.run().unwrap_err();
    bench.world.restart();
    let spilled = bench.path("store.db.staging/word_totals/7-dead.spill");
    fs::create_dir(&spilled).unwrap();
    fs::write(spilled.join("groups"), "1234567").unwrap();
    bench
}

#[test]
fn what_dead_runs_have_left_is_listed_and_removed() {
    let bench = littered();
    let listed = clean_now(&bench, DRY).unwrap();
    assert_eq!(
        (listed.staged.len(), listed.staged[1].clone(), listed.dead_attempts),
        (2, ("7-dead.spill".to_owned(), 7), 1)
    );
    assert_eq!((bench.staged(), bench.states()), (2, vec![State::Done, State::Open]));
    let removed = clean_now(&bench, Clean::default()).unwrap();
    assert_eq!(removed.staged, listed.staged);
    assert_eq!((bench.staged(), bench.states()), (0, vec![State::Done]));
    assert_eq!(clean_now(&bench, Clean::default()).unwrap(), Cleaned::default());
    bench.run().unwrap();
    assert_eq!(bench.out(), "a 1\nb 2\n");
}

#[test]
fn what_a_live_run_may_be_working_at_is_left_alone() {
    let bench = littered();
    let _run = FlowLock::take(&bench.path("store.db"), "word_totals", "pid 42").unwrap();
    for what in [DRY, Clean::default()] {
        let cleaned = clean_now(&bench, what).unwrap();
        assert_eq!((cleaned.left_alone.len(), cleaned.staged.len(), cleaned.dead_attempts), (1, 1, 0));
    }
    assert_eq!((bench.staged(), bench.states()), (1, vec![State::Done, State::Open]));
}

#[test]
fn what_is_sealed_and_not_done_stays() {
    let bench = Bench::new("a 1\n");
    bench.world.die_at("target.publish", Moment::Before);
    bench.run().unwrap_err();
    bench.world.restart();
    assert_eq!(clean_now(&bench, Clean { kept_iterations: Some(1), ..Clean::default() }).unwrap(), Cleaned::default());
    assert_eq!(bench.run().unwrap().resumed, [0]);
    assert_eq!(bench.out(), "a 1\n");
}

#[test]
fn what_is_from_before_a_reset_goes() {
    let bench = Bench::new("a 1\n");
    bench.world.die_at("target.publish", Moment::Before);
    bench.run().unwrap_err();
    bench.world.restart();
    let done = reset_now(&bench, true).unwrap();
    assert_eq!(done.targets, [], "nothing was loaded");
    let cleaned = clean_now(&bench, Clean::default()).unwrap();
    assert_eq!((cleaned.staged.len(), cleaned.former_epochs.len(), cleaned.former_epochs[0].1), (1, 1, 1));
    assert_eq!((former(&bench), bench.staged()), (0, 0));
    bench.run().unwrap();
    assert_eq!(bench.out(), "a 1\n");
}

#[test]
fn old_iterations_are_forgotten_and_the_flow_goes_on() {
    let bench = Bench::new("a 1\nbad 1\n");
    for line in ["b 2\n", "c 3\n", "d 4\n"] {
        bench.run().unwrap();
        bench.append(line);
    }
    let keep = |dry_run| clean_now(&bench, Clean { kept_iterations: Some(1), dry_run, ..Clean::default() }).unwrap();
    // The trap had something in the first alone: its ledger goes by that.
    assert_eq!((keep(true).iterations, bench.list().len()), (vec![1], 3));
    assert_eq!((keep(false).iterations, bench.list().len()), (vec![1], 2));
    assert_eq!(keep(false), Cleaned::default());
    bench.append("bad 5\n");
    bench.run().unwrap();
    assert_eq!((bench.out().as_str(), bench.trapped()), ("a 1\nb 2\nc 3\nd 4\n", 2));
    assert_eq!(keep(false).iterations, [0, 2]);
}

#[test]
fn wherever_a_clean_up_dies_the_next_one_finishes_it_and_the_flow_goes_on() {
    let littered_after_a_reset = || {
        let bench = littered();
        reset_now(&bench, true).unwrap();
        empty(&bench);
        bench.run().unwrap();
        bench.append("c 3\n");
        bench.run().unwrap();
        fs::create_dir(bench.path("store.db.staging/word_totals/9-dead")).unwrap();
        bench
    };
    let what = Clean { kept_iterations: Some(1), ..Clean::default() };
    let moments = moments_of(&littered_after_a_reset(), |bench| clean_now(bench, what).map(drop));
    for effect in ["store.forget", "stage.remove", "store.revoke", "store.compact"] {
        assert!(moments.iter().any(|(name, _)| name == effect), "{effect}");
    }
    die_at_each(&moments, |moment, last| {
        let bench = littered_after_a_reset();
        let mut passed = 0;
        bench.world.watch(move |_, _| {
            passed += 1;
            passed <= last
        });
        let _ = clean_now(&bench, what);
        bench.world.restart();
        clean_now(&bench, what).unwrap();
        assert_eq!((bench.staged(), former(&bench)), (0, 0), "{moment:?}");
        bench.append("d 4\n");
        bench.run().unwrap();
        assert_eq!(bench.out(), "a 1\nb 2\nc 3\nd 4\n", "{moment:?}");
    });
}

#[test]
fn there_is_nothing_to_clean_of_a_flow_that_never_ran() {
    let bench = Bench::new("a 1\n");
    assert!(matches!(clean_now(&bench, Clean::default()), Err(Error::Store(_))));
    assert!(!bench.path("store.db").exists());
    bench.run().unwrap();
    let (ports, _) = Ports::open_each(&bench.flow());
    let others = clean::clean_named("others", &ports, &bench.options().checkpoint, Clean::default()).unwrap();
    assert_eq!((others, former(&bench)), (Cleaned::default(), 0));
}

#[test]
fn what_is_staged_where_no_port_is_bound_now_is_told_until_it_is() {
    let bench = Bench::new("a 1\n");
    let area = StagingArea::at(bench.path("store.db.staging/word_totals"));
    bench.run().unwrap();
    area.note_elsewhere("7-dead", "bad", "s3://former/bad").unwrap();
    bench.append("b 2\n");
    bench.run().unwrap();
    assert_eq!(area.attempts().unwrap(), ["7-dead"], "it keeps nobody from reading, and stays");
    for what in [DRY, Clean::default()] {
        let cleaned = clean_now(&bench, what).unwrap();
        assert_eq!(
            cleaned.out_of_reach,
            [("7-dead", "bad", "s3://former/bad")].map(|(a, b, c)| (a.into(), b.into(), c.into()))
        );
        assert_eq!((cleaned.staged.len(), bench.staged()), (0, 1));
    }
}

#[test]
fn a_clean_up_goes_on_where_an_address_of_the_program_cannot_be_opened() {
    let bench = Bench::new("a 1\n");
    bench.run().unwrap();
    fs::create_dir(bench.path("store.db.staging/word_totals/9-dead")).unwrap();
    let out = Sink::at(format!("file:{}?mode=merge", bench.path("target/out.csv").display()));
    let flow = flow::WordTotals { out, ..bench.flow() };
    let cleaned = bench.in_world(|| clean(&flow, &bench.options().checkpoint, Clean::default())).unwrap();
    assert_eq!((cleaned.staged.len(), bench.staged()), (1, 0));
    let [(port, why)] = &cleaned.not_opened[..] else { panic!("{cleaned:?}") };
    assert!(port == "out" && why.contains("key"), "{why}");
}
