//! `Count`: how many rows a group has, nulls or not.

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
