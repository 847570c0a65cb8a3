//! What is kept: one iteration in full, attempts that failed, former formats, damage.

use super::*;
use crate::iteration::{
    IterationDetail,
    decide::AttemptState,
    sqlite::listing::{detail, list},
};

fn in_full(folder: &Folder, iteration: u64) -> IterationDetail {
    detail(&folder.path(), FLOW, iteration).unwrap().unwrap()
}

#[test]
fn an_iteration_is_shown_in_full() {
    let folder = Folder::new();
    let store = folder.open();
    store.revoke(&begin(&store, "a", 0).id, GIVEN_UP).unwrap();
    let attempt = begin(&store, "b", 0);
    let sealed = contents("s", "40", &["bad", "counts"]);
    seal(&store, &attempt, &sealed).unwrap();
    let shown = in_full(&folder, 0);
    let tries: Vec<_> =
        shown.tries.iter().map(|tried| (tried.attempt.id.as_str(), tried.state, &*tried.note)).collect();
    assert_eq!(tries, [("a", AttemptState::Revoked, "it failed"), ("b", AttemptState::Sealed, "")]);
    let detail = shown.sealed.unwrap();
    assert_eq!((shown.state, detail.attempt.as_str(), &detail.seal), (State::Sealed, "b", &sealed));
    assert_eq!((detail.loaded_us, detail.done_us, detail.tables_before), (None, None, vec![]));
    assert_eq!(detail::read(&store.connection, "e1", 1).unwrap(), None);
}

#[test]
fn what_a_table_held_before_is_shown_beside_what_it_held() {
    let folder = Folder::new();
    let store = folder.open();
    for (iteration, hash) in [(0, "old"), (2, "new")] {
        let mut contents = contents("s", "40", &[]);
        contents.tables[0].hash = hash.to_owned();
        seal(&store, &begin(&store, hash, iteration), &contents).unwrap();
    }
    let sealed = in_full(&folder, 2).sealed.unwrap();
    assert_eq!((sealed.seal.tables[0].hash.as_str(), sealed.tables_before[0].hash.as_str()), ("new", "old"));
}

#[test]
fn an_iteration_that_is_not_sealed_shows_its_attempts() {
    let folder = Folder::new();
    let store = folder.open();
    store.revoke(&begin(&store, "a", 0).id, GivenUp::Held("access.log changed")).unwrap();
    let shown = in_full(&folder, 0);
    assert_eq!((shown.state, shown.note.as_str(), shown.sealed), (State::Held, "access.log changed", None));
    begin(&store, "b", 0);
    assert_eq!((in_full(&folder, 0).state, in_full(&folder, 0).tries.len()), (State::Open, 2));
}

#[test]
fn why_an_attempt_was_given_up_is_said_once() {
    let folder = Folder::new();
    let store = folder.open();
    begin(&store, "a", 0);
    store.revoke("a", GivenUp::Held("access.log changed")).unwrap();
    store.revoke("a", GIVEN_UP).unwrap();
    assert_eq!((folder.list()[0].state, folder.list()[0].note.as_str()), (State::Held, "access.log changed"));
}

#[test]
fn an_attempt_for_which_nothing_was_new_is_forgotten_and_may_not_be_sealed() {
    let folder = Folder::new();
    let store = folder.open();
    let attempt = begin(&store, "a", 0);
    assert!(store.revoke("a", GivenUp::Unneeded).unwrap());
    assert_eq!(detail(&folder.path(), FLOW, 0).unwrap(), None);
    assert_eq!(seal(&store, &attempt, &contents("s", "40", &[])).unwrap(), SealEnd::Lost);
}

#[test]
fn a_sealed_attempt_is_not_forgotten_by_a_late_word_that_nothing_was_new() {
    let folder = Folder::new();
    let store = folder.open();
    seal(&store, &begin(&store, "a", 0), &contents("s", "40", &[])).unwrap();
    assert!(!store.revoke("a", GivenUp::Unneeded).unwrap());
    assert_eq!(in_full(&folder, 0).tries.len(), 1);
}

#[test]
fn attempts_that_failed_are_forgotten_after_a_hundred_iterations() {
    let folder = Folder::new();
    let store = folder.open();
    for iteration in 0..=REFUSED_KEPT_ITERATIONS + 1 {
        store.revoke(&begin(&store, &format!("failed {iteration}"), iteration).id, GIVEN_UP).unwrap();
        seal(&store, &begin(&store, &format!("sealed {iteration}"), iteration), &contents("s", "40", &[])).unwrap();
    }
    begin(&store, "the next", REFUSED_KEPT_ITERATIONS + 2);
    let tries = |iteration| in_full(&folder, iteration).tries.len();
    assert_eq!((tries(1), tries(2)), (1, 2));
}

#[test]
fn the_last_iterations_are_listed_and_those_before_are_counted() {
    let folder = Folder::new();
    let store = folder.open();
    for iteration in 0..5 {
        seal(&store, &begin(&store, &format!("attempt {iteration}"), iteration), &contents("s", "40", &[])).unwrap();
    }
    begin(&store, "the next", 5);
    let listing = list(&folder.path(), FLOW, Some(2)).unwrap();
    assert_eq!((listing.rows.iter().map(|row| row.number).collect::<Vec<_>>(), listing.earlier), (vec![3, 4, 5], 3));
    assert_eq!((listing.rows[0].records, listing.rows[0].bytes), (5, 40));
}

/// What is said to whoever runs with the store, and to whoever lists it.
fn refusals(folder: &Folder) -> [String; 2] {
    let opened = SqliteStore::open(&folder.path(), FLOW, "e", 1).map(drop);
    [opened, iterations(&folder.path(), FLOW).map(drop)].map(|refused| refused.unwrap_err().to_string())
}

#[test]
fn a_store_of_a_format_that_is_too_old_or_too_new_is_refused() {
    let folder = Folder::new();
    for version in [1, 99] {
        folder.open().connection.pragma_update(None, "user_version", version).unwrap();
        for refusal in refusals(&folder) {
            assert!(refusal.contains(&format!("its format is {version}, this program knows 5")), "{refusal}");
        }
        Connection::open(folder.path()).unwrap().pragma_update(None, "user_version", 5).unwrap();
    }
}

#[test]
fn a_damaged_store_is_refused_with_what_can_be_done() {
    let folder = Folder::new();
    let store = folder.open();
    seal(&store, &begin(&store, "a", 0), &contents("s", "40", &["counts"])).unwrap();
    store.connection.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)").unwrap();
    drop(store);
    let mut bytes = std::fs::read(folder.path()).unwrap();
    // All but the header, which says what it is.
    bytes[200..].fill(0xa5);
    std::fs::write(folder.path(), bytes).unwrap();
    for refusal in refusals(&folder) {
        let is_told = refusal.contains("malformed") && refusal.contains("from a backup, together with the targets");
        assert!(is_told, "{refusal}");
    }
}
