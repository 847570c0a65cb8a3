//! Runs that die: wherever that is, the next run ends as if nothing had happened.

use std::{
    fs,
    sync::{Arc, Mutex, atomic::Ordering},
};

use super::{
    super::{attempt, checkpoint::OpenCheckpoint, ports::Ports, publish},
    bench::{Bench, die_at_each},
};

use crate::{
    Error, Sink,
    effect::Moment,
    iteration::State,
    sink::{Head, Mode, Published, SinkTap, Staged, Ticket},
};

/// Where a run was killed that had sealed an iteration of one row.
fn sealed() -> Bench {
    let bench = Bench::new("a 1\n");
    bench.world.die_at("store.seal", Moment::After);
    bench.run().unwrap_err();
    bench.world.restart();
    bench
}

#[test]
fn a_load_goes_to_its_end_where_a_run_is_asked_to_stop() {
    let bench = sealed();
    bench.stop.store(true, Ordering::Relaxed);
    let _ = bench.run();
    assert_eq!((bench.out().as_str(), bench.states(), bench.staged()), ("a 1\n", vec![State::Done], 0));
}

/// A target that is loaded row by row.
#[derive(Debug)]
struct Slow(Arc<Mutex<u64>>);

impl SinkTap for Slow {
    fn mode(&self) -> Mode {
        Mode::Append
    }

    fn check(&self) -> Result<(), Error> {
        Ok(())
    }

    fn check_ledger(&self, _ticket: &Ticket) -> Result<bool, Error> {
        Ok(false)
    }

    fn check_without_store(&self) -> Result<(), Error> {
        Ok(())
    }

    fn publish(&mut self, staged: &Staged, _ticket: Option<&Ticket>) -> Result<Published, Error> {
        let mut rows = staged.rows_until_stopped()?;
        while rows.next_row()?.is_some() {
            *self.0.lock().unwrap() += 1;
        }
        Ok(Published::Now)
    }

    fn head(&self, _rows_max: usize) -> Result<Option<Head>, Error> {
        Ok(None)
    }
}

#[test]
fn a_load_row_by_row_that_is_asked_to_stop_is_left_to_the_next_run() {
    let bench = sealed();
    let (mut ports, rows) = (Ports::open(&bench.flow()).unwrap(), Arc::new(Mutex::new(0)));
    ports.bind_output("out", Slow(Arc::clone(&rows)));
    bench.in_world(|| {
        let checkpoint = OpenCheckpoint::open(&bench.options().checkpoint, "word_totals".to_owned()).unwrap();
        let sealed = checkpoint.store.unfinished().unwrap().remove(0);
        let stopped = publish::publish(&checkpoint, &mut ports, &sealed, &Arc::new(true.into()));
        assert!(matches!(stopped, Err(Error::Interrupted)), "{stopped:?}");
        assert_eq!((*rows.lock().unwrap(), bench.states()), (0, vec![State::Sealed]));
        publish::publish(&checkpoint, &mut ports, &sealed, &Arc::default()).unwrap();
        assert_eq!((*rows.lock().unwrap(), bench.states()), (1, vec![State::Done]));
    });
}

#[test]
fn what_was_sealed_is_published_without_reading_it_again() {
    let bench = Bench::new("a 1\nbad 2\n");
    bench.world.die_at("store.seal", Moment::After);
    bench.run().unwrap_err();
    assert_eq!((bench.out().as_str(), bench.states(), bench.staged()), ("", vec![State::Sealed], 1));

    fs::remove_file(bench.path("lines.log")).unwrap();
    fs::write(bench.path("other.log"), "c 3\n").unwrap();
    bench.world.restart();
    let outcome = bench.run().unwrap();
    assert_eq!((outcome.resumed, outcome.iteration), (vec![0], Some(1)));
    assert_eq!((bench.out().as_str(), bench.totals().as_str()), ("a 1\nc 3\n", "a=1 c=1 x=2 y=2"));
    assert_eq!((bench.trapped(), bench.staged()), (1, 0));
}

#[test]
fn a_target_that_fails_leaves_the_iteration_sealed_and_the_next_run_finishes_it() {
    let bench = Bench::new("a 1\n");
    let target = bench.path("target");
    bench.world.act_at("store.seal", Moment::After, move || fs::remove_dir_all(&target).unwrap());
    let error = bench.run().unwrap_err();
    assert!(error.to_string().contains("port `out`"), "{error}");
    assert_eq!(bench.states(), [State::Sealed]);

    fs::create_dir(bench.path("target")).unwrap();
    bench.append("b 2\n");
    bench.world.restart();
    let outcome = bench.run().unwrap();
    assert_eq!((outcome.resumed, outcome.iteration), (vec![0], Some(1)));
    assert_eq!((bench.out().as_str(), bench.states()), ("a 1\nb 2\n", vec![State::Done; 2]));
}

#[test]
fn a_second_target_that_fails_does_not_load_the_first_again() {
    let bench = Bench::new("a 1\n");
    let mut published = 0;
    bench.world.watch(move |effect, moment| {
        published += u32::from((effect, moment) == ("target.publish", Moment::Before));
        published < 2
    });
    bench.run().unwrap_err();
    assert_eq!((bench.out().as_str(), bench.totals().as_str()), ("a 1\n", ""));
    bench.world.restart();
    bench.run().unwrap();
    assert_eq!((bench.out().as_str(), bench.totals().as_str()), ("a 1\n", "a=1 x=1 y=1"));
}

#[test]
fn a_sealed_iteration_is_held_while_its_target_is_another() {
    let bench = Bench::new("a 1\n");
    bench.world.die_at("target.publish", Moment::Before);
    bench.run().unwrap_err();
    bench.world.restart();
    let elsewhere = format!("file:{}", bench.path("target/elsewhere.csv").display());
    let flow = super::flow::WordTotals { out: Sink::at(elsewhere), ..bench.flow() };
    let error = bench.run_flow(&flow, &bench.options()).unwrap_err();
    assert!(matches!(&error, Error::Held(_)) && error.to_string().contains("port `out`"), "{error}");
    assert_eq!(bench.states(), [State::Held]);
    assert!(bench.list()[0].note.contains("former address"), "{}", bench.list()[0].note);

    assert_eq!(bench.run().unwrap().resumed, [0]);
    assert_eq!((bench.out().as_str(), bench.states()), ("a 1\n", vec![State::Done]));
}

#[test]
fn staged_rows_that_were_lost_after_the_seal_are_held() {
    let bench = Bench::new("a 1\n");
    bench.world.die_at("target.publish", Moment::Before);
    bench.run().unwrap_err();
    fs::remove_dir_all(bench.path("store.db.staging")).unwrap();
    bench.world.restart();
    let error = bench.run().unwrap_err();
    assert!(
        matches!(&error, Error::Held(_)) && error.to_string().contains("staged anew: `doctor` says how"),
        "{error}"
    );
    assert_eq!((bench.out().as_str(), bench.states()), ("", vec![State::Held]));
}

#[test]
fn staged_rows_that_were_lost_after_their_target_had_them_are_not_missed() {
    let bench = Bench::new("a 1\n");
    bench.world.die_at("target.publish", Moment::After);
    bench.run().unwrap_err();
    fs::remove_file(bench.path("store.db.staging/word_totals/0-id2/out.rows")).unwrap();
    bench.world.restart();
    assert_eq!(bench.run().unwrap().resumed, [0]);
    assert_eq!((bench.out().as_str(), bench.totals().as_str()), ("a 1\n", "a=1 x=1 y=1"));
}

#[test]
fn what_an_attempt_that_died_has_staged_is_swept_away() {
    let bench = Bench::new("a 1\n");
    bench.world.die_at("store.seal", Moment::Before);
    bench.run().unwrap_err();
    assert_eq!((bench.states(), bench.staged()), (vec![State::Open], 1));
    bench.world.restart();
    bench.run().unwrap();
    assert_eq!((bench.states(), bench.staged()), (vec![State::Done], 0));
}

#[test]
fn what_is_sealed_while_others_clean_up_stays() {
    let bench = Bench::new("a 1\n");
    bench.world.die_at("target.publish", Moment::Before);
    bench.run().unwrap_err();
    bench.world.restart();
    let checkpoint = OpenCheckpoint::open(&bench.options().checkpoint, "word_totals".to_owned()).unwrap();
    checkpoint.sweep(&Ports::open(&bench.flow()).unwrap()).unwrap();
    drop(checkpoint);
    assert_eq!((bench.states(), bench.staged()), (vec![State::Sealed], 1));
    assert_eq!(bench.run().unwrap().resumed, [0]);
    assert_eq!((bench.out().as_str(), bench.staged()), ("a 1\n", 0));
}

#[test]
fn a_target_that_is_ahead_because_another_run_went_on_is_no_reason_to_hold() {
    let bench = Bench::new("a 1\n");
    bench.world.die_at("target.publish", Moment::Before);
    bench.run().unwrap_err();
    bench.world.restart();
    let mut ports = Ports::open(&bench.flow()).unwrap();
    let checkpoint = OpenCheckpoint::open(&bench.options().checkpoint, "word_totals".to_owned()).unwrap();
    let before = checkpoint.store.unfinished().unwrap();
    drop(checkpoint);
    bench.append("b 2\n");
    bench.run().unwrap();

    let checkpoint = OpenCheckpoint::open(&bench.options().checkpoint, "word_totals".to_owned()).unwrap();
    publish::publish(&checkpoint, &mut ports, &before[0], &Arc::default()).unwrap();
    assert_eq!((bench.out().as_str(), bench.states()), ("a 1\nb 2\n", vec![State::Done; 2]));
}

#[test]
fn an_attempt_that_another_run_has_overtaken_has_lost_and_is_not_held() {
    let bench = Bench::new("a 1\n");
    let open = || OpenCheckpoint::open(&bench.options().checkpoint, "word_totals".to_owned()).unwrap();
    let ports = Ports::open(&bench.flow()).unwrap();
    let attempt = attempt::open(&open(), 0, 0).unwrap();
    bench.run().unwrap();

    let error = attempt::check_ledgers(&open(), &ports, &attempt).unwrap_err();
    assert!(matches!(&error, Error::Busy(_)) && error.to_string().contains("has sealed iteration 0"), "{error}");
}

/// What all targets hold.
pub(super) fn targets(bench: &Bench) -> (String, String, String) {
    (bench.out(), bench.totals(), bench.read("target/bad.csv").replace(&bench.folder.path().display().to_string(), ""))
}

#[test]
fn wherever_a_run_dies_the_next_one_ends_as_if_nothing_had_happened() {
    let two_iterations = |die_at: usize| {
        let bench = Bench::new("a 1\nbad 2\n");
        bench.run().unwrap();
        bench.append("b 3\nbad 4\na 5\n");
        let passed = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&passed);
        bench.world.watch(move |effect, moment| {
            let mut seen = seen.lock().unwrap();
            seen.push((effect.to_owned(), moment));
            seen.len() <= die_at
        });
        let died = bench.run().is_err();
        bench.world.restart();
        if died {
            bench.run().unwrap();
        }
        let passed = passed.lock().unwrap().clone();
        (bench, died, passed)
    };
    let (undisturbed, died, moments) = two_iterations(usize::MAX);
    assert!(!died);
    assert_eq!(undisturbed.out(), "a 1\nb 3\na 5\n");
    for effect in [
        "lock.open",
        "source.read",
        "store.open_attempt",
        "stage.write",
        "stage.sync",
        "stage.finish",
        "store.seal",
        "file.write",
        "sidecar.rename",
        "sqlite.commit",
        "store.output_loaded",
        "store.loaded",
        "store.done",
        "stage.remove",
    ] {
        assert!(moments.iter().any(|(name, _)| *name == effect), "{effect}");
    }
    let undisturbed = targets(&undisturbed);
    die_at_each(&moments, |moment, last| {
        let (bench, died, _) = two_iterations(last);
        assert!(died, "{moment:?}");
        assert_eq!(targets(&bench), undisturbed, "{moment:?}");
        assert_eq!((bench.states(), bench.staged()), (vec![State::Done; 2], 0), "{moment:?}");
    });
}
