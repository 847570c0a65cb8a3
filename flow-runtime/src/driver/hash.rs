//! The hash of what was read of a shard, by which it is known again.

use xxhash_rust::xxh3::{Xxh3, xxh3_128};

/// A hash of the records of a shard.
pub(super) enum Hash {
    /// Of one after the other; until there is one, there is none.
    InOrder(Option<Box<Xxh3>>),
    /// The sum of those of each: of a shard that gives the same records in another order.
    OfEach(u128),
}

impl Hash {
    pub(super) fn new(is_ordered: bool) -> Self {
        if is_ordered { Self::InOrder(None) } else { Self::OfEach(0) }
    }

    /// Lines are hashed as they are, line ends included.
    pub(super) fn add_lines(&mut self, lines: &[u8]) {
        match self {
            Self::InOrder(hash) => hash.get_or_insert_with(Box::default).update(lines),
            Self::OfEach(_) => lines.split_inclusive(|byte| *byte == b'\n').for_each(|line| self.add_record(line)),
        }
    }

    pub(super) fn add_record(&mut self, record: &[u8]) {
        match self {
            Self::InOrder(hash) => {
                let hash = hash.get_or_insert_with(Box::default);
                // Without their lengths, other records could be the same bytes.
                hash.update(&(record.len() as u64).to_le_bytes());
                hash.update(record);
            }
            Self::OfEach(sum) => *sum = sum.wrapping_add(xxh3_128(record)),
        }
    }

    pub(super) fn into_text(self) -> String {
        let hash = match self {
            Self::InOrder(hash) => hash.unwrap_or_default().digest128(),
            Self::OfEach(sum) => sum,
        };
        format!("{hash:032x}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hash(is_ordered: bool, records: &[&str]) -> String {
        let mut hash = Hash::new(is_ordered);
        records.iter().for_each(|record| hash.add_record(record.as_bytes()));
        hash.into_text()
    }

    #[test]
    fn an_order_counts_where_there_is_one() {
        for (is_ordered, one, other, is_same) in [
            (true, ["a", "b"], ["b", "a"], false),
            (false, ["a", "b"], ["b", "a"], true),
            (false, ["a", "b"], ["ab", ""], false),
            (false, ["a", "a"], ["b", "b"], false),
            (true, ["a", "b"], ["ab", ""], false),
        ] {
            assert_eq!(hash(is_ordered, &one) == hash(is_ordered, &other), is_same, "{is_ordered} {one:?} {other:?}");
        }
    }
}
