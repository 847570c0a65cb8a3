//! Tidying.

use super::*;
use crate::iteration::upkeep::{Upkeep as _, reset};

#[test]
fn what_is_forgotten_leaves_no_row() {
    let folder = Folder::new();
    let store = folder.open();
    seal(&store, &begin(&store, "a", 0), &contents("s", "40", &["counts"])).unwrap();
    reset(&store, "e2", 5).unwrap();
    let store = folder.open();
    seal(&store, &begin(&store, "z", 0), &contents("s", "40", &["counts"])).unwrap();
    store.forget_epoch("e1").unwrap();
    let rows: i64 = store.connection.query_row("SELECT count(*) FROM attempts", [], |row| row.get(0)).unwrap();
    assert_eq!(rows, 1);
    assert!(store.compact().unwrap() < 1_000_000);
}
