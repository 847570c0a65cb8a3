//! Puts what several workers finished back into the order in which it was given out.

use std::collections::BTreeMap;

/// Holds back what came too early; it holds no more than there are pieces under way.
#[derive(Debug)]
pub(super) struct Sequencer<T> {
    next: u64,
    early: BTreeMap<u64, T>,
}

impl<T> Default for Sequencer<T> {
    fn default() -> Self {
        Self { next: 0, early: BTreeMap::new() }
    }
}

impl<T> Sequencer<T> {
    /// Takes in the item with this number; numbers start at 0, each comes once.
    pub(super) fn put(&mut self, sequence: u64, item: T) {
        self.early.insert(sequence, item);
    }

    /// Gives out the next item, if it has come.
    pub(super) fn take(&mut self) -> Option<T> {
        let item = self.early.remove(&self.next)?;
        self.next += 1;
        Some(item)
    }

    /// How many items have been given out.
    pub(super) fn taken(&self) -> u64 {
        self.next
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_come_out_in_order_whatever_order_they_came_in() {
        let mut order = Sequencer::default();
        let mut out = Vec::new();
        for sequence in [2, 0, 1, 4, 3] {
            order.put(sequence, sequence);
            out.extend(std::iter::from_fn(|| order.take()));
        }
        assert_eq!((out, order.taken()), (vec![0, 1, 2, 3, 4], 5));
    }
}
