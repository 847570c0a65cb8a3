//! Services: what comes while they run, what fails and passes, and how they end.

use std::{cell::RefCell, path::PathBuf};

use super::{bench::SLEEP, *};
use crate::Failure;

/// Follows until something ends it; returns the iterations that were told as done, and how it ended.
fn follow_with(
    bench: &Bench,
    service: &Service,
    mut done: impl FnMut(u64) -> Result<(), Error>,
) -> (Vec<u64>, Result<(), Error>) {
    let mut iterations = Vec::new();
    let mut tell = |outcome: Outcome| {
        iterations.extend(&outcome.resumed);
        iterations.extend(outcome.iteration);
        done(*iterations.last().unwrap())
    };
    let ended = bench.in_world(|| follow(&bench.flow(), &bench.options(), service, &mut tell));
    (iterations, ended)
}

fn service() -> Service {
    Service::default()
}

/// Acts at the nth time that time is let go by.
fn at_sleep(bench: &Bench, nth: usize, mut act: impl FnMut() + Send + 'static) {
    let mut sleeps = 0;
    bench.world.watch(move |name, _| {
        if name == SLEEP {
            sleeps += 1;
            if sleeps == nth {
                act();
            }
        }
        true
    });
}

fn drain_at_sleep(bench: &Bench, nth: usize) {
    let drain = Arc::clone(&bench.drain);
    at_sleep(bench, nth, move || drain.store(true, Ordering::Relaxed));
}

/// Makes it impossible to open the target of the totals, for now.
fn block_target(bench: &Bench) -> PathBuf {
    let path = bench.path("target/totals.db");
    fs::create_dir(&path).unwrap();
    path
}

#[test]
fn what_comes_while_a_service_runs_is_loaded_once_and_without_waiting() {
    let bench = Bench::new("a 1\n");
    let (iterations, ended) = follow_with(&bench, &service(), |iteration| {
        match iteration {
            3 => bench.drain.store(true, Ordering::Relaxed),
            2 => fs::write(bench.path("more.log"), "c 1\n").unwrap(),
            _ => bench.append("b 2\nbad 3\n"),
        }
        Ok(())
    });
    ended.unwrap();
    assert_eq!(iterations, [0, 1, 2, 3]);
    assert_eq!((bench.out().as_str(), bench.trapped()), ("a 1\nb 2\nb 2\nc 1\n", 2));
    assert_eq!(bench.totals(), "a=1 b=2 c=1 x=4 y=4");
    assert_eq!((bench.states(), bench.staged()), (vec![State::Done; 4], 0));
    assert_eq!(bench.world.slept(), Duration::ZERO);
    let status = bench.progress.status();
    assert_eq!((status.activity, status.iteration, status.iterations_done), (Activity::Ended, Some(3), 4));
    assert_eq!((status.records, status.rows, status.trapped, status.trouble), (6, 16, 2, None));
    assert_eq!(status.last_done.map(|done| done.iteration), Some(3));
}

#[test]
fn while_there_is_nothing_new_nothing_is_written() {
    let bench = Bench::new("a 1\n");
    let (path, drain) = (bench.path("lines.log"), Arc::clone(&bench.drain));
    let (names, is_idle) = (Arc::new(std::sync::Mutex::new(Vec::new())), Arc::new(AtomicBool::new(false)));
    let (seen, idle) = (Arc::clone(&names), Arc::clone(&is_idle));
    let mut sleeps = 0;
    bench.world.watch(move |name, _| {
        if name == SLEEP {
            sleeps += 1;
            idle.store(sleeps < 100, Ordering::Relaxed);
            if sleeps == 100 {
                fs::write(&path, "a 1\nb 2\n").unwrap();
            }
        } else if idle.load(Ordering::Relaxed) {
            seen.lock().unwrap().push(name.to_owned());
        }
        true
    });
    let (iterations, ended) = follow_with(&bench, &service(), |iteration| {
        drain.store(iteration == 1, Ordering::Relaxed);
        Ok(())
    });
    ended.unwrap();
    assert_eq!((iterations, bench.out().as_str()), (vec![0, 1], "a 1\nb 2\n"));
    assert_eq!(bench.world.slept(), Duration::from_secs(10));
    let mut names = names.lock().unwrap().clone();
    names.sort();
    names.dedup();
    assert_eq!(names, ["path.look", "source.list", "source.look", "source.open", "source.read", "store.read"]);
}

#[test]
fn a_gap_that_was_accepted_is_one_gap() {
    let bench = Bench::new("a 1\nb 2\n");
    bench.run().unwrap();
    bench.world.restart();
    let rewrite = |lines: &str| fs::write(bench.path("lines.log"), lines).unwrap();
    rewrite("c 1\n");
    let options = Options { gaps: Gaps::FromBeginning, ..bench.options() };
    let ended = bench.in_world(|| {
        follow(&bench.flow(), &options, &service(), &mut |_| {
            rewrite("d\n");
            Ok(())
        })
    });
    let text = ended.unwrap_err().to_string();
    assert!(text.contains("lines.log"), "{text}");
    assert_eq!(bench.out(), "a 1\nb 2\nc 1\n");
}

#[test]
fn a_target_that_cannot_be_reached_is_tried_again_until_it_can() {
    let bench = Bench::new("a 1\n");
    let target = block_target(&bench);
    at_sleep(&bench, 100, move || fs::remove_dir(&target).unwrap());
    let progress = Arc::clone(&bench.progress);
    let (iterations, ended) = follow_with(&bench, &Service { max_iterations: Some(1), ..service() }, |_| {
        assert_eq!((progress.status().failures, progress.status().trouble), (0, None));
        Ok(())
    });
    ended.unwrap();
    assert_eq!((iterations, bench.totals().as_str()), (vec![0], "a=1 x=1 y=1"));
    assert!(bench.world.slept() >= Duration::from_secs(10), "{:?}", bench.world.slept());
}

#[test]
fn what_is_sealed_and_cannot_be_loaded_is_loaded_later_without_being_read_again() {
    let bench = Bench::new("a 1\n");
    let target = bench.path("target/totals.db");
    let lines = bench.path("lines.log");
    let mut is_blocked = false;
    bench.world.watch(move |name, moment| {
        match (name, moment) {
            ("target.publish", Moment::Before) if !is_blocked => {
                is_blocked = true;
                fs::create_dir(&target).unwrap();
                fs::write(&lines, "a 1\nb 2\n").unwrap();
            }
            (SLEEP, _) if target.is_dir() => fs::remove_dir(&target).unwrap(),
            _ => {}
        }
        true
    });
    let (iterations, ended) = follow_with(&bench, &service(), |_| {
        bench.drain.store(true, Ordering::Relaxed);
        Ok(())
    });
    ended.unwrap();
    assert_eq!((iterations, bench.states()), (vec![0, 1], vec![State::Done; 2]));
    assert_eq!(bench.list().iter().map(|row| row.records).collect::<Vec<_>>(), [1, 1]);
    assert_eq!((bench.out().as_str(), bench.totals().as_str()), ("a 1\nb 2\n", "a=1 b=1 x=2 y=2"));
}

#[test]
fn the_error_that_was_retried_often_enough_ends_a_service() {
    let bench = Bench::new("a 1\n");
    block_target(&bench);
    let (iterations, ended) = follow_with(&bench, &Service { retries: Some(2), ..service() }, |_| Ok(()));
    assert!(matches!(&ended, Err(Error::Target(_))) && iterations.is_empty(), "{ended:?}");
    let slept = bench.world.slept();
    assert!((1.5..=3.0).contains(&slept.as_secs_f64()), "{slept:?}");
    let status = bench.progress.status();
    assert_eq!((status.activity, status.failures), (Activity::Ended, 2));
    assert_eq!(status.trouble.unwrap().kind, "target");
}

#[test]
fn what_failed_is_the_error_of_a_service_that_is_asked_to_end_before_it_passes() {
    let bench = Bench::new("a 1\n");
    block_target(&bench);
    drain_at_sleep(&bench, 3);
    let (_, ended) = follow_with(&bench, &service(), |_| Ok(()));
    assert!(matches!(ended, Err(Error::Target(_))), "{ended:?}");
}

#[test]
fn a_service_that_waits_ends_at_once_when_it_is_asked_to() {
    let bench = Bench::new("a 1\n");
    drain_at_sleep(&bench, 3);
    let (iterations, ended) =
        follow_with(&bench, &Service { poll_interval: Duration::from_secs(3600), ..service() }, |_| Ok(()));
    ended.unwrap();
    assert_eq!((iterations, bench.world.slept()), (vec![0], Duration::from_millis(300)));
}

#[test]
fn a_source_that_needs_a_person_ends_a_service_and_the_store_says_why() {
    let bench = Bench::new("a 1\nb 2\n");
    let (iterations, ended) = follow_with(&bench, &service(), |_| {
        fs::write(bench.path("lines.log"), "something else\n").unwrap();
        Ok(())
    });
    assert!(matches!(ended, Err(Error::Held(_))), "{ended:?}");
    assert_eq!((iterations, bench.states()), (vec![0], vec![State::Done, State::Held]));
    assert_eq!(bench.progress.status().trouble.unwrap().kind, "held");
}

#[test]
fn a_record_that_no_trap_takes_ends_a_service() {
    let bench = Bench::new("a 1\n");
    let (iterations, ended) = follow_with(&bench, &service(), |_| {
        bench.append("panic 2\n");
        Ok(())
    });
    assert!(matches!(ended, Err(Error::Record(_))), "{ended:?}");
    assert_eq!((iterations, bench.out().as_str()), (vec![0], "a 1\n"));
}

#[test]
fn one_lock_is_held_as_long_as_a_service_lives() {
    let bench = Bench::new("a 1\n");
    let others = RefCell::new(Vec::new());
    let target = block_target(&bench);
    at_sleep(&bench, 50, move || fs::remove_dir(&target).unwrap());
    let (_, ended) = follow_with(&bench, &Service { max_iterations: Some(1), ..service() }, |_| {
        others.borrow_mut().push(run(&bench.flow(), &bench.options()));
        Ok(())
    });
    ended.unwrap();
    assert!(matches!(others.borrow()[..], [Err(Error::Busy(_))]), "{others:?}");
    assert!(bench.run().unwrap().nothing_new);
}

#[test]
fn a_service_that_is_stopped_abandons_its_iteration_and_the_next_reads_it_again() {
    let bench = Bench::new("a 1\n");
    let stop = Arc::clone(&bench.stop);
    bench.world.act_at("source.open", Moment::After, move || stop.store(true, Ordering::Relaxed));
    let (_, ended) = follow_with(&bench, &service(), |_| Ok(()));
    assert!(matches!(ended, Err(Error::Interrupted)), "{ended:?}");
    assert_eq!((bench.out().as_str(), bench.states(), bench.staged()), ("", vec![], 0));
    bench.world.restart();
    bench.stop.store(false, Ordering::Relaxed);
    assert_eq!(bench.run().unwrap().iteration, Some(0));
}

#[test]
fn who_is_told_and_fails_ends_a_service() {
    let bench = Bench::new("a 1\n");
    let (iterations, ended) = follow_with(&bench, &service(), |_| Err(Error::Target(Failure::new("no room"))));
    assert!(matches!(ended, Err(Error::Target(_))) && iterations == [0], "{ended:?}");
}

#[test]
fn without_a_store_or_a_source_there_is_nothing_to_follow() {
    let bench = Bench::new("a 1\n");
    let options = Options { checkpoint: Checkpoint::None, ..bench.options() };
    let error = follow(&bench.flow(), &options, &service(), &mut |_| Ok(())).unwrap_err();
    assert!(matches!(&error, Error::Config(_)) && error.to_string().contains("--checkpoint"), "{error}");
}
