//! Two loaders at once.

use std::thread;

use flow_runtime::sink::{Mode, Published, SinkTap, Staged, Ticket};

use super::place::{COUNTS, FIRST, Place, SECOND, refused, ticket};

/// What two loaders of the same ticket did, the one that loaded first.
fn both(mut taps: [Box<dyn SinkTap>; 2], staged: &Staged, ticket: &Ticket, meanwhile: impl FnOnce()) -> Vec<Published> {
    thread::scope(|scope| {
        let loads: Vec<_> =
            taps.iter_mut().map(|tap| scope.spawn(|| tap.publish(staged, Some(ticket)).unwrap())).collect();
        meanwhile();
        let mut done: Vec<_> = loads.into_iter().map(|load| load.join().unwrap()).collect();
        done.sort_by_key(|done| *done == Published::Before);
        done
    })
}

#[test]
fn of_two_loaders_that_stand_at_the_ledger_one_publishes() {
    let Some(place) = Place::new("race") else { return };
    for mode in [Mode::Append, Mode::Replace, Mode::Merge] {
        place.run("DROP TABLE IF EXISTS counts, flow_ledger");
        place.publish(mode, &COUNTS, &FIRST, 0).unwrap();
        let mut gate = place.server.session();
        gate.ask(
            "BEGIN; LOCK TABLE race.flow_ledger IN ACCESS SHARE MODE; LOCK TABLE race.flow_ledger IN EXCLUSIVE MODE",
        );
        let (staged, ticket) = (place.stage(&COUNTS, &SECOND), ticket(&COUNTS, 1));
        let done = both([place.tap(mode, &COUNTS), place.tap(mode, &COUNTS)], &staged, &ticket, || {
            place.server.await_waiting(2, "\"race\".\"flow_ledger\"");
            gate.ask("COMMIT");
        });
        assert_eq!(done, [Published::Now, Published::Before], "{mode:?}");
        let count = match mode {
            Mode::Append => "7|21",
            Mode::Replace => "4|18",
            Mode::Merge => "4|21",
        };
        assert_eq!(place.ask("SELECT count(*), sum(count) FROM counts"), count, "{mode:?}");
        assert_eq!(place.ask("SELECT count(*) FROM flow_ledger"), "2", "{mode:?}");
    }
}

#[test]
fn two_loaders_make_ledger_and_table_at_once() {
    let Some(place) = Place::new("makers") else { return };
    let (staged, ticket) = (place.stage(&COUNTS, &FIRST), ticket(&COUNTS, 0));
    for round in 0..8 {
        place.run("DROP TABLE IF EXISTS counts, flow_ledger");
        let done = both([place.tap(Mode::Append, &COUNTS), place.tap(Mode::Append, &COUNTS)], &staged, &ticket, || {});
        assert_eq!(done, [Published::Now, Published::Before], "round {round}");
        assert_eq!(place.ask("SELECT count(*) FROM counts; SELECT count(*) FROM flow_ledger"), "3\n1");
    }
}

#[test]
fn of_two_loaders_without_a_store_one_finds_rows() {
    let Some(place) = Place::new("storeless") else { return };
    let staged = place.stage(&COUNTS, &FIRST);
    for round in 0..4 {
        // In half of the rounds both have to make the table, too.
        place.run(if round % 2 == 0 { "DROP TABLE IF EXISTS counts" } else { "TRUNCATE counts" });
        let results = thread::scope(|scope| {
            let load = || place.tap(Mode::Append, &COUNTS).publish(&staged, None);
            let other = scope.spawn(load);
            [load(), other.join().unwrap()]
        });
        let (done, refusals): (Vec<_>, Vec<_>) = results.into_iter().partition(Result::is_ok);
        assert_eq!(done.len(), 1, "round {round}: {refusals:?}");
        assert_eq!(place.ask("SELECT count(*) FROM counts"), "3", "round {round}");
        for refusal in refusals {
            let text = refused(refusal);
            assert!(text.contains("there are rows already") || text.contains("cannot make the table"), "{text}");
        }
    }
}

#[test]
fn a_loader_whose_connection_the_server_ends_begins_again() {
    let Some(place) = Place::new("ended") else { return };
    place.publish(Mode::Append, &COUNTS, &FIRST, 0).unwrap();
    let mut gate = place.server.session();
    gate.ask("BEGIN; LOCK TABLE ended.flow_ledger IN EXCLUSIVE MODE");
    thread::scope(|scope| {
        let load = scope.spawn(|| place.publish(Mode::Append, &COUNTS, &SECOND, 1));
        place.server.await_waiting(1, "\"ended\".\"flow_ledger\"");
        place.run("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'LOCK TABLE \"ended\"%'");
        gate.ask("COMMIT");
        assert_eq!(load.join().unwrap().unwrap(), Published::Now);
    });
    assert_eq!(place.ask("SELECT count(*) FROM counts; SELECT count(*) FROM flow_ledger"), "7\n2");
}
