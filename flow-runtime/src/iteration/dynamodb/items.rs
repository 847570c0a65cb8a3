//! What the store needs of a table: items with a version, written on the condition that it has not changed.

use std::fmt;

use crate::Error;
pub(super) use crate::aws::clients::items::{Item, Key, Span, Write};

/// The items of a table. A write is durable when it returns, a read sees every write before it. Both are tried again when
/// they fail for what may pass; so a write may be refused because an earlier try of its own has come through.
pub(crate) trait Items: fmt::Debug + Send + Sync {
    /// An item, if it is there.
    fn get(&self, key: &Key) -> Result<Option<Item>, Error>;

    /// Writes all or nothing, on the condition that every item still has its version; says whether they had.
    fn put(&self, writes: &[Write]) -> Result<bool, Error>;

    /// Removes an item, on no condition: only what nobody names any more, or ever will, is removed, and no key is used again
    /// (a group's has a random number, that of an iteration its epoch). So a removal may come late, or twice.
    fn remove(&self, key: &Key) -> Result<(), Error>;

    /// The items of a span, in its order.
    fn items(&self, span: Span<'_>) -> Result<Vec<Item>, Error>;

    /// Where it is, for people.
    fn place(&self) -> &str;
}

/// The items of a span from their pages, no more than it wants; each page says after what the next one begins.
pub(super) fn all_pages<A>(
    span: Span<'_>,
    mut page: impl FnMut(Span<'_>, Option<&A>) -> Result<(Vec<Item>, Option<A>), Error>,
) -> Result<Vec<Item>, Error> {
    let (mut found, mut after) = (Vec::new(), None);
    loop {
        let left = span.limit.map(|limit| limit.saturating_sub(found.len()));
        let (items, next) = page(Span { limit: left, ..span }, after.as_ref())?;
        found.extend(items);
        after = next;
        if after.is_none() || span.limit.is_some_and(|limit| found.len() >= limit) {
            return Ok(found);
        }
    }
}
