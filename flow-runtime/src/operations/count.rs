//! `Count`: how many rows a group has, nulls or not.

use crate::value::{Decode, Encode, RowReader};

/// Counts rows.
///
/// # Example
/// ```
/// use flow_runtime::operations::Count;
/// let (mut here, mut there) = (Count::default(), Count::default());
/// here.update();
/// there.update();
/// here.merge(there);
/// assert_eq!(here.finish(), 2);
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct Count {
    rows: i64,
}

impl Count {
    /// Takes in a row.
    #[inline]
    pub fn update(&mut self) {
        self.rows += 1;
    }

    /// Takes in what another worker counted.
    #[inline]
    pub fn merge(&mut self, other: Self) {
        self.rows += other.rows;
    }

    /// The number of rows.
    #[must_use]
    pub fn finish(&self) -> i64 {
        self.rows
    }
}

impl Encode for Count {
    fn encode(&self, bytes: &mut Vec<u8>) {
        self.rows.encode(bytes);
    }
}

impl Decode<'_> for Count {
    fn decode(row: &mut RowReader<'_>) -> Self {
        Self { rows: i64::decode(row) }
    }
}
