//! What is cleaned in targets that stage rows themselves, and what is left alone there.

use std::sync::Mutex;

use super::{bench::Bench, *};
use crate::{
    Failure,
    effect::Moment,
    iteration::{decide::AttemptState, upkeep::Upkeep},
    sink::{Head, LeftBehind, Mode, Published, SinkTap, Staged, Ticket},
};

/// A target where attempts have left something.
#[derive(Debug)]
struct Shelf {
    left: Vec<LeftBehind>,
    removed: Arc<Mutex<Vec<String>>>,
    is_out_of_order: bool,
}

impl SinkTap for Shelf {
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

    fn left_behind(&self, _flow: &str) -> Result<Vec<LeftBehind>, Error> {
        match self.is_out_of_order {
            true => Err(Error::Target(Failure::new("out of order"))),
            false => Ok(self.left.clone()),
        }
    }

    fn remove_left_behind(&self, attempts: &[String]) -> Result<(), Error> {
        self.removed.lock().unwrap().extend_from_slice(attempts);
        Ok(())
    }

    fn publish(&mut self, _staged: &Staged, _ticket: Option<&Ticket>) -> Result<Published, Error> {
        Ok(Published::Before)
    }

    fn head(&self, _rows_max: usize) -> Result<Option<Head>, Error> {
        Ok(None)
    }
}

const DAY_US: i64 = 24 * 60 * 60 * 1_000_000;

/// Before the clock of these tests began, which tells few seconds.
const LONG_AGO_US: i64 = -2 * DAY_US;

fn left(attempt: &str, written_us: i64, epoch: Option<&str>) -> LeftBehind {
    LeftBehind { attempt: attempt.to_owned(), bytes: 7, written_us, epoch: epoch.map(str::to_owned) }
}

fn store(bench: &Bench) -> Box<dyn Upkeep> {
    bench.options().checkpoint.place("").unwrap().look("word_totals").unwrap().unwrap()
}

/// Cleans with a shelf, which has this, for `out`, and another, empty one for `bad`; what was removed of the former.
fn clean_shelf(bench: &Bench, left: &[LeftBehind], what: Clean) -> (Cleaned, Vec<String>) {
    let (mut ports, _) = Ports::open_each(&bench.flow());
    let removed = Arc::new(Mutex::new(Vec::new()));
    let shelf = |left: &[LeftBehind], is_out_of_order| {
        let removed = Arc::clone(&removed);
        Shelf { left: left.to_vec(), removed, is_out_of_order }
    };
    ports.bind_output("bad", shelf(&[], true));
    ports.bind_output("out", shelf(left, false));
    let checkpoint = bench.options().checkpoint;
    let cleaned = bench.in_world(|| clean::clean_named("word_totals", &ports, &checkpoint, what)).unwrap();
    let removed = removed.lock().unwrap().clone();
    (cleaned, removed)
}

#[test]
fn what_nobody_wants_goes_from_a_target_and_what_may_be_wanted_stays() {
    let bench = Bench::new("a 1\n");
    bench.run().unwrap();
    bench.append("b 2\n");
    bench.world.die_at("store.seal", Moment::Before);
    bench.run().unwrap_err();
    bench.world.restart();
    let (open, epoch) = (store(&bench).open_attempts().unwrap().remove(0).id, store(&bench).epoch().to_owned());
    // It is another machine's.
    fs::remove_dir_all(bench.path("store.db.staging/word_totals").join(&open)).unwrap();
    let epoch = Some(epoch.as_str());
    let left = [
        left("9-dead", LONG_AGO_US, epoch),
        left("9-young", 0, epoch),
        left("8-anybodys", LONG_AGO_US, None),
        left(&open, LONG_AGO_US, None),
    ];
    let lock = FlowLock::take(&bench.path("store.db"), "word_totals", "pid 42").unwrap();
    let (cleaned, removed) = clean_shelf(&bench, &left, Clean { dry_run: true, ..Clean::default() });
    assert_eq!((cleaned.in_targets, removed.len()), (vec![("9-dead".to_owned(), "out".to_owned(), 7)], 0));
    assert_eq!(clean_shelf(&bench, &left, Clean::default()).1, ["9-dead"]);
    drop(lock);
    let (cleaned, removed) = clean_shelf(&bench, &left, Clean { grace: Duration::ZERO, ..Clean::default() });
    assert_eq!(removed, ["9-dead", "9-young", &open]);
    assert_eq!(
        store(&bench).staged(&open).unwrap().attempt,
        Some(AttemptState::Revoked),
        "nobody can seal it any more"
    );
    assert_eq!((cleaned.failed.len(), cleaned.failed[0].0.as_str()), (1, "bad"), "another that fails is told");
}

#[test]
fn what_is_sealed_stays_in_a_target_until_it_is_done() {
    let bench = Bench::new("a 1\n");
    bench.world.die_at("store.seal", Moment::After);
    bench.run().unwrap_err();
    bench.world.restart();
    let (sealed, epoch) = (store(&bench).unfinished().unwrap().remove(0).attempt, store(&bench).epoch().to_owned());
    let left = [left(&sealed, LONG_AGO_US, Some(&epoch)), left("5-dead", LONG_AGO_US, Some(&epoch))];
    assert_eq!(clean_shelf(&bench, &left, Clean::default()).1, ["5-dead"]);
    bench.run().unwrap();
    assert_eq!(clean_shelf(&bench, &left, Clean::default()).1, [sealed, "5-dead".to_owned()]);
}

#[test]
fn of_a_target_that_another_store_has_loaded_nothing_goes() {
    let bench = Bench::new("a 1\n");
    bench.run().unwrap();
    let (cleaned, removed) = clean_shelf(&bench, &[left("5-dead", LONG_AGO_US, Some("another"))], Clean::default());
    assert_eq!(removed, [""; 0]);
    assert!(cleaned.failed.iter().any(|(port, why)| port == "out" && why.contains("another checkpoint store")));
}
