//! Stores under attack.

#![expect(clippy::unwrap_used, reason = "what fails here is no reader")]

use std::{fs, sync::OnceLock};

use super::{
    Attempt, Output, Range, Seal, iterations,
    sqlite::SqliteStore,
    store::{GivenUp, Store},
};
use crate::{
    Error,
    fuzzing::{self, Input},
    sink::{Mode, staging::StagedManifest},
    source::Position,
};

/// Any file, and any damage to a store, is read or refused; and when it can be written to, what was sealed is there.
pub(crate) fn stores(bytes: &[u8]) {
    let mut input = Input::new(bytes);
    let file = if input.flag() { input.rest().to_vec() } else { damaged(input) };
    let folder = fuzzing::folder();
    let path = folder.path().join("store.db");
    fs::write(&path, file).unwrap();
    let listed = iterations(&path, "hits");
    assert!(matches!(listed, Ok(_) | Err(Error::Store(_))));
    match SqliteStore::open(&path, "hits", "epoch of a new store", 1).and_then(|store| use_all(&store)) {
        Ok(()) | Err(Error::Store(_)) => {}
        Err(error) => panic!("{error}"),
    }
}

/// A store of one sealed iteration, some of its bytes replaced.
fn damaged(mut input: Input<'_>) -> Vec<u8> {
    static STORE: OnceLock<Vec<u8>> = OnceLock::new();
    let mut file = STORE.get_or_init(made).clone();
    while !input.rest().is_empty() {
        let at = u32::from_le_bytes(input.bytes()) as usize % file.len();
        file[at] = input.byte();
    }
    file
}

fn made() -> Vec<u8> {
    let folder = fuzzing::folder();
    let path = folder.path().join("store.db");
    seal_one(&SqliteStore::open(&path, "hits", "epoch", 1).unwrap()).unwrap();
    fs::read(&path).unwrap()
}

/// Seals an iteration, and begins another.
pub(super) fn seal_one(store: &dyn Store) -> Result<(), Error> {
    let attempt = attempt("first", 0);
    let text = str::to_owned;
    let (port, shard, name, hash) = (text("log"), text("1:2:3:4:5"), text("a.log"), text("h"));
    let (first, next) = (Position::counted(0), Position::counted(40));
    let mark = shard.clone();
    let range = Range { port, shard, name, mark, first, next, records: 5, bytes: 40, hash, covered_us: None };
    let staged = StagedManifest {
        port: text("counts"),
        file: Some(text("counts.rows")),
        rows: 3,
        bytes: 30,
        hash: text("h"),
        fields: text("ip: &str"),
    };
    let output = Output { staged, place: text("a.db"), mode: Mode::Merge, loaded: false };
    store.open(&attempt)?;
    store.write_seal(&attempt, &Seal { ranges: vec![range], outputs: vec![output], ..Seal::default() })?;
    store.open(&self::attempt("second", 1))
}

/// Asks a store for all there is, and seals one more.
pub(super) fn use_all(store: &dyn Store) -> Result<(), Error> {
    store.shards()?;
    store.unfinished()?;
    store.last_output("counts", 7)?;
    store.open_attempts()?;
    store.revoke("second", GivenUp::Revoked("it died"))?;
    let iteration = store.latest()?.map_or(0, |latest| latest.saturating_add(1));
    let attempt = attempt("one that is new", iteration);
    store.open(&attempt)?;
    if store.write_seal(&attempt, &Seal::default())? {
        assert_eq!(store.sealed_attempt(iteration)?.as_deref(), Some("one that is new"));
    }
    Ok(())
}

fn attempt(id: &str, iteration: u64) -> Attempt {
    Attempt { id: id.to_owned(), iteration, owner: "pid 1".to_owned(), opened_us: 1, plan_hash: 1 }
}
