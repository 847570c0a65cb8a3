//! Tests of `watch.rs`: what the watcher makes of standing still, of an end that does not come, and of a file that
//! cannot be written.

use std::fs;

use tempfile::TempDir;

use super::*;

/// A watch over a service that has just begun; the clock is the test's.
struct Bench {
    folder: TempDir,
    watch: Watch,
}

const STUCK_AFTER: Duration = Duration::from_secs(300);
const DRAIN_TIMEOUT: Duration = Duration::from_secs(25);

impl Bench {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let watched = Watched {
            flow: "counts".to_owned(),
            progress: Arc::default(),
            drain: Arc::default(),
            stop: Arc::default(),
            drain_timeout: DRAIN_TIMEOUT,
            stuck_after: STUCK_AFTER,
            file: Some(folder.path().join("health.json")),
            exit_code: Box::new(|| 143),
        };
        Self { folder, watch: Watch::new(watched, Latest::default(), Duration::ZERO, 0) }
    }

    /// Looks so long after the beginning.
    fn look(&mut self, seconds: u64) -> Verdict {
        let now = Now { elapsed: Duration::from_secs(seconds), us: i64::try_from(seconds).unwrap() * 1_000_000 };
        self.watch.look(now).unwrap()
    }

    fn read(&self) -> Option<Health> {
        let text = fs::read_to_string(self.folder.path().join("health.json")).ok()?;
        Some(serde_json::from_str(&text).unwrap())
    }

    fn state(&self) -> (State, bool) {
        self.read().map(|health| (health.state, health.good)).unwrap()
    }
}

#[test]
fn the_first_look_writes_the_document_and_nothing_else() {
    let mut bench = Bench::new();
    bench.look(0);
    assert_eq!(bench.state(), (State::Starting, true));
    assert_eq!(fs::read_dir(bench.folder.path()).unwrap().count(), 1);
}

#[test]
fn the_document_is_written_again_when_something_changes_and_every_few_seconds() {
    let mut bench = Bench::new();
    let written = |bench: &Bench| bench.read().unwrap().written.as_second();
    bench.look(0);
    bench.look(1);
    assert_eq!(written(&bench), 0);
    bench.watch.watched.drain.store(true, Ordering::Relaxed);
    bench.look(2);
    assert_eq!((written(&bench), bench.state()), (2, (State::Draining, true)));
    bench.look(6);
    assert_eq!(written(&bench), 2);
    bench.look(7);
    assert_eq!((written(&bench), bench.read().unwrap().since.as_second()), (7, 2));
}

#[test]
fn a_service_in_which_nothing_moves_is_stuck_until_something_does() {
    let mut bench = Bench::new();
    bench.look(299);
    assert_eq!(bench.state(), (State::Starting, true));
    bench.look(300);
    assert_eq!(bench.state(), (State::Stuck, false));
    bench.watch.watched.progress.beat();
    bench.look(301);
    assert_eq!(bench.state(), (State::Starting, true));
    bench.look(600);
    assert_eq!(bench.state(), (State::Starting, true));
    bench.look(601);
    assert_eq!(bench.state(), (State::Stuck, false));
}

#[test]
fn what_cannot_be_drained_in_time_is_abandoned_and_then_left() {
    let mut bench = Bench::new();
    assert_eq!(bench.look(10), Verdict::GoOn);
    bench.watch.watched.drain.store(true, Ordering::Relaxed);
    let is_stopped = |bench: &Bench| bench.watch.watched.stop.load(Ordering::Relaxed);
    assert_eq!((bench.look(100), bench.look(124), is_stopped(&bench)), (Verdict::GoOn, Verdict::GoOn, false));
    assert_eq!((bench.look(125), is_stopped(&bench)), (Verdict::GoOn, true));
    assert_eq!(bench.look(126), Verdict::GoOn);
    assert_eq!(bench.look(127), Verdict::Leave);
}

#[test]
fn a_file_that_cannot_be_written_is_an_error_and_the_document_is_there_for_who_asks() {
    let mut bench = Bench::new();
    bench.watch.watched.file = Some(bench.folder.path().join("none/health.json"));
    assert!(bench.watch.look(Now { elapsed: Duration::ZERO, us: 0 }).is_err());
    assert!(bench.watch.latest.lock().unwrap().as_ref().unwrap().good);
}
