//! The rules, one function each, and a run that follows the contract of [`SinkTap`].

#![expect(clippy::unwrap_used, reason = "it is a test")]

use std::{collections::BTreeMap, fmt, thread};

use super::{COUNTS, PLAN, Row, Subject};
use crate::{
    Error,
    sink::{
        Mode, Published, SinkTap, Staged, Ticket,
        staging::{StagedAttempt, StagingArea},
    },
    value::{Encode as _, RowBuffer},
};

/// Each of them is given a target that is empty.
pub(super) const ALL: [fn(&mut dyn Subject, Mode); 15] = [
    iterations_follow_each_other,
    an_iteration_may_be_without_rows,
    nothing_is_there_before_it_is_published,
    what_is_given_up_leaves_nothing,
    what_is_published_is_not_published_again,
    what_is_published_stays_when_its_staging_goes,
    who_comes_after_a_crash_publishes_what_was_staged,
    what_fails_in_the_middle_has_done_nothing,
    two_at_once_publish_it_once,
    who_slept_while_others_went_on_changes_nothing,
    what_the_ledger_does_not_expect_is_held,
    what_comes_from_another_store_is_held,
    staged_rows_that_are_lost_are_held,
    a_run_without_a_store_doubles_nothing,
    what_is_forgotten_begins_anew,
];

const FIRST: &[(&str, i64)] = &[("a", 1), ("b", 2)];
const SECOND: &[(&str, i64)] = &[("b", 3), ("c", 4)];
const THIRD: &[(&str, i64)] = &[("a", 5)];

fn iterations_follow_each_other(subject: &mut dyn Subject, mode: Mode) {
    let run = Run { subject, mode };
    run.tap().check().unwrap();
    for (iteration, rows) in [FIRST, SECOND, THIRD].into_iter().enumerate() {
        run.tap().check().unwrap();
        assert_eq!(run.load(iteration as u64, rows), Published::Now);
        run.expect(&[FIRST, SECOND, THIRD][..=iteration], "iterations follow each other");
    }
    // What was replaced may stay until clean-up.
    let left = run.tap().left_behind("conformance").unwrap();
    assert!(left.len() <= if mode == Mode::Replace { 2 } else { 0 }, "{left:?}");
}

fn an_iteration_may_be_without_rows(subject: &mut dyn Subject, mode: Mode) {
    let run = Run { subject, mode };
    for (iteration, rows) in [&[], FIRST, &[], &[]].into_iter().enumerate() {
        assert_eq!(run.load(iteration as u64, rows), Published::Now);
        assert!(run.has(iteration as u64, &run.stage("again", iteration as u64, rows)), "it is in the ledger");
        run.expect(&[&[], FIRST, &[], &[]][..=iteration], "an iteration may be without rows");
    }
}

fn nothing_is_there_before_it_is_published(subject: &mut dyn Subject, mode: Mode) {
    let run = Run { subject, mode };
    let first = run.stage("x", 0, FIRST);
    assert!(!run.has(0, &first));
    run.expect(&[], "it is only staged");
    run.publish(0, &first).unwrap();
    let second = run.stage("x", 1, SECOND);
    assert!(run.has(0, &first) && !run.has(1, &second));
    run.expect(&[FIRST], "it is only staged");
}

fn what_is_given_up_leaves_nothing(subject: &mut dyn Subject, mode: Mode) {
    let run = Run { subject, mode };
    // One that was broken off in the middle, and one that was staged and never sealed.
    let mut broken_off = run.begin("broken", 0);
    broken_off.write(0, &encoded(FIRST)).unwrap();
    drop(broken_off);
    run.stage("staged", 0, FIRST);
    let sealed = run.stage("sealed", 0, SECOND);
    for attempt in ["0-broken", "0-staged", "0-staged", "0-never"] {
        run.tap().remove_staged(attempt).unwrap();
    }
    run.publish(0, &sealed).unwrap();
    run.tap().remove_staged("0-sealed").unwrap();
    run.expect(&[SECOND], "others were given up");
    let left = run.tap().left_behind("conformance").unwrap();
    assert!(left.is_empty(), "{left:?}");
}

fn what_is_published_is_not_published_again(subject: &mut dyn Subject, mode: Mode) {
    let run = Run { subject, mode };
    run.load(0, FIRST);
    let staged = run.stage("x", 1, SECOND);
    let mut tap = run.tap();
    assert_eq!(run.publish_by(&mut *tap, 1, &staged).unwrap(), Published::Now);
    for _ in 0..2 {
        assert_eq!(run.publish_by(&mut *tap, 1, &staged).unwrap(), Published::Before);
        assert_eq!(run.publish(1, &staged).unwrap(), Published::Before);
    }
    // The same rows, read and staged once more.
    assert_eq!(run.publish(1, &run.stage("y", 1, SECOND)).unwrap(), Published::Before);
    run.expect(&[FIRST, SECOND], "it was published before");
    assert_eq!(run.load(2, THIRD), Published::Now);
    run.expect(&[FIRST, SECOND, THIRD], "it goes on");
}

fn what_is_published_stays_when_its_staging_goes(subject: &mut dyn Subject, mode: Mode) {
    let run = Run { subject, mode };
    let first = run.stage("x", 0, FIRST);
    run.publish(0, &first).unwrap();
    let second = run.stage("x", 1, SECOND);
    run.publish(1, &second).unwrap();
    for _ in 0..2 {
        run.tap().remove_staged("1-x").unwrap();
        run.tap().remove_left_behind(&["1-x".to_owned()]).unwrap();
        run.expect(&[FIRST, SECOND], "staging is gone");
    }
    run.tap().remove_staged("0-x").unwrap();
    run.expect(&[FIRST, SECOND], "staging is gone");
    assert_eq!(run.load(2, THIRD), Published::Now);
    run.expect(&[FIRST, SECOND, THIRD], "it goes on");
}

fn who_comes_after_a_crash_publishes_what_was_staged(subject: &mut dyn Subject, mode: Mode) {
    let run = Run { subject, mode };
    run.load(0, FIRST);
    let staged = run.stage("x", 1, SECOND);
    // Whoever has staged it is gone, and so is whoever has published it before he could say so.
    drop(run.tap());
    run.publish(1, &staged).unwrap();
    assert!(run.has(1, &staged));
    assert_eq!(run.publish(1, &staged).unwrap(), Published::Before);
    run.expect(&[FIRST, SECOND], "after crashes");
}

fn what_fails_in_the_middle_has_done_nothing(subject: &mut dyn Subject, mode: Mode) {
    Run { subject, mode }.load(0, FIRST);
    if !subject.refuse("c") {
        return;
    }
    let run = Run { subject, mode };
    let staged = run.stage("x", 1, SECOND);
    for _ in 0..2 {
        let error = run.publish(1, &staged).unwrap_err();
        assert!(matches!(error, Error::Target(_)), "{error}");
        if run.subject.publishes_in_one_step() {
            run.expect(&[FIRST], "publishing has failed");
        }
        assert!(!run.has(1, &staged), "publishing has failed");
    }
    subject.refuse_nothing();
    let run = Run { subject, mode };
    assert_eq!(run.publish(1, &staged).unwrap(), Published::Now);
    run.expect(&[FIRST, SECOND], "it fails no longer");
}

fn two_at_once_publish_it_once(subject: &mut dyn Subject, mode: Mode) {
    let run = Run { subject, mode };
    if !run.subject.takes_two_at_once() {
        return;
    }
    for (iteration, rows) in [FIRST, SECOND, THIRD].into_iter().enumerate() {
        let iteration = iteration as u64;
        let staged = [run.stage("x", iteration, rows), run.stage("y", iteration, rows)];
        thread::scope(|scope| {
            for staged in staged.iter().chain(&staged) {
                let run = &run;
                scope.spawn(move || {
                    while let Err(error) = run.publish(iteration, staged) {
                        assert!(matches!(error, Error::Busy(_)), "{error}");
                    }
                });
            }
        });
        run.expect(&[FIRST, SECOND, THIRD][..=usize::try_from(iteration).unwrap()], "by several at once");
    }
}

fn who_slept_while_others_went_on_changes_nothing(subject: &mut dyn Subject, mode: Mode) {
    let run = Run { subject, mode };
    run.load(0, FIRST);
    let (mut asleep, slept) = (run.tap(), run.stage("slept", 1, SECOND));
    run.publish(1, &run.stage("other", 1, SECOND)).unwrap();
    assert_eq!(run.publish_by(&mut *asleep, 1, &slept).unwrap(), Published::Before);
    run.load(2, THIRD);
    held(run.publish_by(&mut *asleep, 1, &slept));
    run.tap().remove_staged("1-slept").unwrap();
    run.expect(&[FIRST, SECOND, THIRD], "one woke up");
}

fn what_the_ledger_does_not_expect_is_held(subject: &mut dyn Subject, mode: Mode) {
    let run = Run { subject, mode };
    run.load(0, FIRST);
    run.load(1, SECOND);
    let other = run.stage("other", 1, THIRD);
    held(run.publish(1, &other));
    let former = run.stage("former", 0, THIRD);
    held(run.publish(0, &former));
    held(run.tap().check_ledger(&run.ticket(0, &former)));
    if mode != Mode::Replace {
        let later = run.stage("later", 3, THIRD);
        held(run.publish(3, &later));
        held(run.tap().check_ledger(&run.ticket(3, &later)));
    }
    run.expect(&[FIRST, SECOND], "all else was refused");
}

fn what_comes_from_another_store_is_held(subject: &mut dyn Subject, mode: Mode) {
    let run = Run { subject, mode };
    run.load(0, FIRST);
    for (iteration, rows) in [(0, FIRST), (1, SECOND)] {
        let staged = run.stage("foreign", iteration, rows);
        let foreign = Ticket { epoch: "e2".to_owned(), ..run.ticket(iteration, &staged) };
        held(run.tap().check_ledger(&foreign));
        held(run.tap().publish(&staged, Some(&foreign)));
    }
    run.expect(&[FIRST], "all else was refused");
}

fn staged_rows_that_are_lost_are_held(subject: &mut dyn Subject, mode: Mode) {
    Run { subject, mode }.load(0, FIRST);
    let staged = Run { subject, mode }.stage("x", 1, SECOND);
    if !staged.address().is_some_and(|address| subject.lose(address)) {
        return;
    }
    let run = Run { subject, mode };
    held(run.publish(1, &staged));
    run.expect(&[FIRST], "staged rows were lost");
    // They are read again, and staged as another attempt.
    assert_eq!(run.publish(1, &run.stage("again", 1, SECOND)).unwrap(), Published::Now);
    run.expect(&[FIRST, SECOND], "they were staged again");
}

fn a_run_without_a_store_doubles_nothing(subject: &mut dyn Subject, mode: Mode) {
    let run = Run { subject, mode };
    run.tap().check_without_store().unwrap();
    run.tap().publish(&run.stage("x", 0, FIRST), None).unwrap();
    run.expect(&[FIRST], "without a store");
    if !run.subject.refuses_doubles() {
        return;
    }
    let again = run.stage("y", 0, SECOND);
    match mode {
        Mode::Replace => {
            run.tap().check_without_store().unwrap();
            run.tap().publish(&again, None).unwrap();
            run.expect(&[FIRST, SECOND], "without a store");
        }
        Mode::Append | Mode::Merge => {
            let refused = [run.tap().check_without_store(), run.tap().publish(&again, None).map(drop)];
            for refused in refused {
                assert!(matches!(refused, Err(Error::Target(_))), "{refused:?}");
            }
            run.expect(&[FIRST], "without a store");
        }
    }
}

fn what_is_forgotten_begins_anew(subject: &mut dyn Subject, mode: Mode) {
    let run = Run { subject, mode };
    run.load(0, FIRST);
    run.load(1, SECOND);
    if let Err(Error::Config(_)) = run.tap().forget("conformance", true) {
        return;
    }
    run.tap().forget("conformance", true).unwrap();
    run.expect(&[], "it was emptied");
    let staged = run.stage("anew", 0, THIRD);
    let anew = Ticket { epoch: "e2".to_owned(), ..run.ticket(0, &staged) };
    assert!(!run.tap().check_ledger(&anew).unwrap());
    assert_eq!(run.tap().publish(&staged, Some(&anew)).unwrap(), Published::Now);
    // Whoever slept meanwhile is of the former epoch.
    held(run.publish(2, &run.stage("slept", 2, SECOND)));
    run.expect(&[THIRD], "it has begun anew");
}

/// A held iteration, whose error knows why.
fn held<T: fmt::Debug>(result: Result<T, Error>) {
    let error = result.unwrap_err();
    let has_case = error.failure().is_some_and(|failure| failure.case().is_some());
    assert!(matches!(error, Error::Held(_)) && has_case, "{error}");
}

/// A flow that runs on the subject in one of its modes.
#[derive(Clone, Copy)]
struct Run<'s> {
    subject: &'s dyn Subject,
    mode: Mode,
}

impl Run<'_> {
    fn tap(&self) -> Box<dyn SinkTap> {
        self.subject.tap(self.mode)
    }

    fn begin(&self, attempt: &str, iteration: u64) -> StagedAttempt {
        let attempt = format!("{iteration}-{attempt}");
        self.area().attempt(&attempt, &PLAN).staged_by(vec![self.tap().stager(0, &attempt)])
    }

    fn area(&self) -> StagingArea {
        StagingArea::open(self.subject.folder()).unwrap()
    }

    /// Stages rows as a run does.
    fn stage(&self, attempt: &str, iteration: u64, rows: &[(&str, i64)]) -> Staged {
        let mut staging = self.begin(attempt, iteration);
        // Not all at once.
        rows.chunks(1).for_each(|rows| staging.write(0, &encoded(rows)).unwrap());
        let manifest = staging.finish().unwrap().remove(0);
        self.area().staged(&format!("{iteration}-{attempt}"), &manifest, &COUNTS).unwrap()
    }

    fn ticket(&self, iteration: u64, staged: &Staged) -> Ticket {
        let [flow, port, epoch, hash] = ["conformance", COUNTS.name, "e1", staged.hash()].map(str::to_owned);
        Ticket { flow, port, epoch, iteration, hash, after: iteration.checked_sub(1), from: None }
    }

    /// Whether the ledger has the iteration with these rows.
    fn has(&self, iteration: u64, staged: &Staged) -> bool {
        self.tap().check_ledger(&self.ticket(iteration, staged)).unwrap()
    }

    fn publish(&self, iteration: u64, staged: &Staged) -> Result<Published, Error> {
        self.publish_by(&mut *self.tap(), iteration, staged)
    }

    fn publish_by(&self, tap: &mut dyn SinkTap, iteration: u64, staged: &Staged) -> Result<Published, Error> {
        let ticket = self.ticket(iteration, staged);
        if tap.check_ledger(&ticket)? {
            return tap.publish(staged, Some(&ticket));
        }
        staged.address().map_or(Ok(()), |address| tap.check_staged(address))?;
        tap.publish(staged, Some(&ticket))
    }

    /// An iteration as it should be.
    fn load(&self, iteration: u64, rows: &[(&str, i64)]) -> Published {
        let staged = self.stage("only", iteration, rows);
        let published = self.publish(iteration, &staged).unwrap();
        self.tap().remove_staged(&format!("{iteration}-only")).unwrap();
        published
    }

    /// What must be there after these iterations.
    fn expect(&self, iterations: &[&[(&str, i64)]], when: &str) {
        let given = iterations.iter().flat_map(|rows| rows.iter()).map(|(ip, count)| ((*ip).to_owned(), *count));
        let mut expected: Vec<Row> = match self.mode {
            Mode::Append => given.collect(),
            Mode::Replace => iterations
                .last()
                .map_or_else(Vec::new, |rows| rows.iter().map(|(ip, count)| ((*ip).to_owned(), *count)).collect()),
            Mode::Merge => {
                let mut sums = BTreeMap::new();
                given.for_each(|(ip, count)| *sums.entry(ip).or_insert(0) += count);
                sums.into_iter().collect()
            }
        };
        let mut found = self.subject.rows();
        expected.sort();
        found.sort();
        assert_eq!(found, expected, "{:?}: {when}", self.mode);
    }
}

fn encoded(rows: &[(&str, i64)]) -> RowBuffer {
    let mut buffer = RowBuffer::default();
    for (ip, count) in rows {
        let row = buffer.row();
        ip.encode(row);
        count.encode(row);
    }
    buffer
}
