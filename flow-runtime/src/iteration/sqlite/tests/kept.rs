//! What is kept: attempts that failed, former formats, damage.

use super::*;

#[test]
fn attempts_that_failed_are_forgotten_after_a_hundred_iterations() {
    let folder = Folder::new();
    let store = folder.open();
    for iteration in 0..=REFUSED_KEPT_ITERATIONS + 1 {
        store.revoke(&begin(&store, &format!("failed {iteration}"), iteration).id, GIVEN_UP).unwrap();
        seal(&store, &begin(&store, &format!("sealed {iteration}"), iteration), &contents("s", "40", &[])).unwrap();
    }
    begin(&store, "the next", REFUSED_KEPT_ITERATIONS + 2);
    let tries = |iteration| listing::detail(&folder.path(), FLOW, iteration).unwrap().unwrap().tries.len();
    assert_eq!((tries(1), tries(2)), (1, 2));
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
