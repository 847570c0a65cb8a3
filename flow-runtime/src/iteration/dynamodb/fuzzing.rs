//! Items of a table under attack.

#![expect(clippy::unwrap_used, reason = "what fails here is no reader")]

use std::sync::Arc;

use super::{
    DynamoDbStore, group,
    items::{Items, Key, Span, Write},
    listing,
    memory::MemoryTable,
};
use crate::{
    Error,
    fuzzing::Input,
    iteration::fuzzing::{seal_one, use_all},
};

/// Whatever stands in an item of a store, or is not there, the rest is read or refused; and when it can be written to, what
/// was sealed is there.
pub(crate) fn items(bytes: &[u8]) {
    let mut input = Input::new(bytes);
    let table: Arc<dyn Items> = Arc::new(MemoryTable::default());
    let open = || DynamoDbStore::open(Arc::clone(&table), "hits", "epoch", 1);
    seal_one(&open().unwrap()).unwrap();
    let keys = keys(&*table);
    let key = keys[usize::from(input.byte()) % keys.len()].clone();
    let found = table.get(&key).unwrap().unwrap();
    if input.flag() {
        table.remove(&key).unwrap();
    } else {
        let body = String::from_utf8_lossy(&damaged(found.body.into_bytes(), input)).into_owned();
        assert!(table.put(&[Write { key, was: found.version, body }]).unwrap());
    }
    for result in [
        listing::list(&table, "hits", None).map(drop),
        listing::detail(&table, "hits", 0).map(drop),
        open().and_then(|store| use_all(&store)),
    ] {
        assert!(matches!(result, Ok(()) | Err(Error::Store(_))), "{result:?}");
    }
}

fn keys(table: &dyn Items) -> Vec<Key> {
    let all = |partition| Span { partition, from: "", to: "~", backwards: false, limit: None };
    let of = |partition| table.items(all(partition)).unwrap();
    let parts = group::span("hits#epoch");
    let items = [of("hits"), of("hits#epoch"), table.items(parts).unwrap()].concat();
    items.into_iter().map(|item| item.key).collect()
}

/// Other bytes in some places; all others if there is a flag.
fn damaged(mut body: Vec<u8>, mut input: Input<'_>) -> Vec<u8> {
    if input.flag() {
        return input.rest().to_vec();
    }
    while !input.rest().is_empty() {
        let at = usize::from(u16::from_le_bytes(input.bytes())) % body.len();
        body[at] = input.byte();
    }
    body
}
