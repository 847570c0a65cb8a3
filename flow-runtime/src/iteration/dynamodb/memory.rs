//! A table in memory, for tests: as strict as the real one, and every call passes the door of effects.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use super::items::{Item, Items, Key, Span, Write, all_pages};
use crate::{Error, Failure, effect::effect};

/// Bytes of an item, as DynamoDB has it.
const ITEM_BYTES_MAX: usize = 400 * 1024;

/// Items of a page: few, so that there are many.
const PAGE_ITEMS: usize = 3;

/// A table.
#[derive(Debug, Default)]
pub(crate) struct MemoryTable {
    items: Mutex<BTreeMap<Key, Item>>,
}

impl MemoryTable {
    fn locked(&self) -> MutexGuard<'_, BTreeMap<Key, Item>> {
        self.items.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Items for MemoryTable {
    fn get(&self, key: &Key) -> Result<Option<Item>, Error> {
        effect("table.get", || Ok(self.locked().get(key).cloned()))
    }

    fn put(&self, writes: &[Write]) -> Result<bool, Error> {
        effect("table.put", || {
            if let Some(big) = writes.iter().find(|write| write.body.len() > ITEM_BYTES_MAX) {
                return Err(Error::Store(Failure::new(format!("an item of {} bytes is too big", big.body.len()))));
            }
            let mut items = self.locked();
            if !writes.iter().all(|write| items.get(&write.key).map_or(0, |item| item.version) == write.was) {
                return Ok(false);
            }
            for Write { key, was, body } in writes {
                items.insert(key.clone(), Item { key: key.clone(), version: was + 1, body: body.clone() });
            }
            Ok(true)
        })
    }

    fn remove(&self, key: &Key) -> Result<(), Error> {
        effect("table.remove", || {
            self.locked().remove(key);
            Ok(())
        })
    }

    fn items(&self, span: Span<'_>) -> Result<Vec<Item>, Error> {
        effect("table.items", || {
            let key = |sort: &str| Key { partition: span.partition.to_owned(), sort: sort.to_owned() };
            let items = self.locked();
            let mut found: Vec<Item> =
                items.range(key(span.from)..=key(span.to)).map(|(_, item)| item.clone()).collect();
            if span.backwards {
                found.reverse();
            }
            all_pages(span, |span, after: Option<&usize>| {
                let from = after.copied().unwrap_or(0);
                let page = found.iter().skip(from).take(span.limit.unwrap_or(usize::MAX).min(PAGE_ITEMS));
                let page: Vec<Item> = page.cloned().collect();
                let next = from + page.len();
                Ok((page, (next < found.len()).then_some(next)))
            })
        })
    }

    fn place(&self) -> &str {
        "a table in memory"
    }
}
