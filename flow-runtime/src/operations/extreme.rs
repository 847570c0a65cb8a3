//! `Min` and `Max`: nulls are left out, and of nothing but nulls the result is null.
//!
//! One implementation for both, told apart by [`Wanted`]; one type for scalars, one for text, one for bytes, whose
//! buffers are used again.

use std::{cmp::Ordering, marker::PhantomData};

use crate::{
    operators::HeapBytes,
    value::{Date, Decimal, Decode, Encode, RowReader, Timestamp},
};

/// Which end of the order is wanted.
pub trait Wanted: Send {
    /// How a value compares with the kept one when it takes its place.
    const IF: Ordering;
}

/// The least value.
#[derive(Clone, Copy, Debug, Default)]
pub struct Least;

/// The greatest value.
#[derive(Clone, Copy, Debug, Default)]
pub struct Greatest;

impl Wanted for Least {
    const IF: Ordering = Ordering::Less;
}

impl Wanted for Greatest {
    const IF: Ordering = Ordering::Greater;
}

/// A scalar with a total order: floats by [`f64::total_cmp`].
pub trait TotalOrder: Copy {
    /// Compares two values.
    fn total_order(self, other: Self) -> Ordering;
}

macro_rules! ordered {
    ($($scalar:ty)*) => {$(
        impl TotalOrder for $scalar {
            #[inline]
            fn total_order(self, other: Self) -> Ordering {
                self.cmp(&other)
            }
        }
    )*};
}

ordered!(bool i16 i32 i64 Timestamp Date Decimal);

impl TotalOrder for f32 {
    #[inline]
    fn total_order(self, other: Self) -> Ordering {
        self.total_cmp(&other)
    }
}

impl TotalOrder for f64 {
    #[inline]
    fn total_order(self, other: Self) -> Ordering {
        self.total_cmp(&other)
    }
}

/// The least scalar.
pub type Min<T> = Extreme<T, Least>;
/// The greatest scalar.
pub type Max<T> = Extreme<T, Greatest>;
/// The least text.
pub type MinText = ExtremeText<Least>;
/// The greatest text.
pub type MaxText = ExtremeText<Greatest>;
/// The least bytes.
pub type MinBytes = ExtremeBytes<Least>;
/// The greatest bytes.
pub type MaxBytes = ExtremeBytes<Greatest>;

/// Keeps the least or the greatest scalar.
///
/// # Example
/// ```
/// use flow_runtime::operations::{Max, Min};
/// let (mut min, mut max) = (Min::default(), Max::default());
/// for value in [Some(2_i64), None, Some(3)] {
///     min.update(value);
///     max.update(value);
/// }
/// assert_eq!((min.finish(), max.finish()), (Some(2), Some(3)));
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Extreme<T, W> {
    kept: Option<T>,
    wanted: PhantomData<W>,
}

impl<T, W> Default for Extreme<T, W> {
    fn default() -> Self {
        Self { kept: None, wanted: PhantomData }
    }
}

impl<T: TotalOrder, W: Wanted> Extreme<T, W> {
    /// Takes in a row's value.
    #[inline]
    pub fn update(&mut self, value: Option<T>) {
        let Some(value) = value else { return };
        if self.kept.is_none_or(|kept| value.total_order(kept) == W::IF) {
            self.kept = Some(value);
        }
    }

    /// Takes in what another worker kept.
    pub fn merge(&mut self, other: Self) {
        self.update(other.kept);
    }

    /// The value kept.
    #[must_use]
    pub fn finish(&self) -> Option<T> {
        self.kept
    }
}

impl<T: Encode, W> Encode for Extreme<T, W> {
    fn encode(&self, bytes: &mut Vec<u8>) {
        self.kept.encode(bytes);
    }
}

impl<'a, T: Decode<'a>, W> Decode<'a> for Extreme<T, W> {
    fn decode(row: &mut RowReader<'a>) -> Self {
        Self { kept: Decode::decode(row), wanted: PhantomData }
    }
}

/// Keeps the least or the greatest bytes, in a buffer that is used again.
#[derive(Clone, Debug)]
pub struct ExtremeBytes<W> {
    kept: Vec<u8>,
    is_some: bool,
    wanted: PhantomData<W>,
}

impl<W> Default for ExtremeBytes<W> {
    fn default() -> Self {
        Self { kept: Vec::new(), is_some: false, wanted: PhantomData }
    }
}

impl<W: Wanted> ExtremeBytes<W> {
    /// Takes in a row's value; raises `heap_bytes` by what the buffer has grown.
    #[inline]
    pub fn update(&mut self, value: Option<&[u8]>, heap_bytes: &mut usize) {
        let Some(value) = value.filter(|value| self.is_wanted(value)) else { return };
        let before = self.kept.heap_bytes();
        self.kept.clear();
        self.kept.extend_from_slice(value);
        self.is_some = true;
        *heap_bytes += self.kept.heap_bytes() - before;
    }

    /// Takes in what another worker kept.
    pub fn merge(&mut self, other: Self) {
        if other.finish().is_some_and(|value| self.is_wanted(value)) {
            *self = other;
        }
    }

    /// The bytes kept.
    #[must_use]
    pub fn finish(&self) -> Option<&[u8]> {
        self.is_some.then_some(&self.kept)
    }

    #[inline]
    fn is_wanted(&self, value: &[u8]) -> bool {
        !self.is_some || value.cmp(&self.kept) == W::IF
    }
}

impl<W> Encode for ExtremeBytes<W> {
    fn encode(&self, bytes: &mut Vec<u8>) {
        self.is_some.then_some(self.kept.as_slice()).encode(bytes);
    }
}

impl<W> Decode<'_> for ExtremeBytes<W> {
    fn decode(row: &mut RowReader<'_>) -> Self {
        let kept = Option::<&[u8]>::decode(row);
        Self { kept: kept.unwrap_or_default().to_owned(), is_some: kept.is_some(), wanted: PhantomData }
    }
}

/// Keeps the least or the greatest text by its bytes, in a buffer that is used again.
#[derive(Clone, Debug)]
pub struct ExtremeText<W> {
    kept: String,
    is_some: bool,
    wanted: PhantomData<W>,
}

impl<W> Default for ExtremeText<W> {
    fn default() -> Self {
        Self { kept: String::new(), is_some: false, wanted: PhantomData }
    }
}

impl<W: Wanted> ExtremeText<W> {
    /// Takes in a row's value; raises `heap_bytes` by what the buffer has grown.
    #[inline]
    pub fn update(&mut self, value: Option<&str>, heap_bytes: &mut usize) {
        let Some(value) = value.filter(|value| self.is_wanted(value)) else { return };
        let before = self.kept.heap_bytes();
        self.kept.clear();
        self.kept.push_str(value);
        self.is_some = true;
        *heap_bytes += self.kept.heap_bytes() - before;
    }

    /// Takes in what another worker kept.
    pub fn merge(&mut self, other: Self) {
        if other.finish().is_some_and(|value| self.is_wanted(value)) {
            *self = other;
        }
    }

    /// The text kept.
    #[must_use]
    pub fn finish(&self) -> Option<&str> {
        self.is_some.then_some(&self.kept)
    }

    #[inline]
    fn is_wanted(&self, value: &str) -> bool {
        !self.is_some || value.cmp(self.kept.as_str()) == W::IF
    }
}

impl<W> Encode for ExtremeText<W> {
    fn encode(&self, bytes: &mut Vec<u8>) {
        self.is_some.then_some(self.kept.as_str()).encode(bytes);
    }
}

impl<W> Decode<'_> for ExtremeText<W> {
    fn decode(row: &mut RowReader<'_>) -> Self {
        let kept = Option::<&str>::decode(row);
        Self { kept: kept.unwrap_or_default().to_owned(), is_some: kept.is_some(), wanted: PhantomData }
    }
}

#[cfg(test)]
mod tests {
    use super::{HeapBytes as _, Max, MaxBytes, MaxText, Min, MinBytes, MinText};
    use crate::value::Decimal;

    #[test]
    fn floats_are_ordered_totally() {
        let (mut min, mut max) = (Min::default(), Max::default());
        for value in [0.0, -0.0, 1.0, f64::NAN] {
            min.update(Some(value));
            max.update(Some(value));
        }
        assert!(min.finish().is_some_and(|min| min == 0.0 && min.is_sign_negative()));
        assert!(max.finish().is_some_and(f64::is_nan));
    }

    #[test]
    fn nulls_are_left_out() {
        let mut min = Min::<Decimal>::default();
        min.update(None);
        assert_eq!(min.finish(), None);
        min.update(Some(Decimal::new(5, 1)));
        min.update(None);
        assert_eq!(min.finish(), Some(Decimal::new(5, 1)));
    }

    #[test]
    fn text_and_bytes_are_ordered_by_their_bytes_and_empty_is_not_null() {
        let (mut least, mut greatest) = (MinText::default(), MaxText::default());
        assert_eq!(least.finish(), None);
        for value in [Some("b"), None, Some("ä"), Some(""), Some("B")] {
            least.update(value, &mut 0);
            greatest.update(value, &mut 0);
        }
        assert_eq!((least.finish(), greatest.finish()), (Some(""), Some("ä")));

        let (mut least, mut greatest) = (MinBytes::default(), MaxBytes::default());
        least.update(Some(b"\xff"), &mut 0);
        greatest.update(Some(b""), &mut 0);
        greatest.merge(MaxBytes::default());
        let mut other = MinBytes::default();
        other.update(Some(b"a"), &mut 0);
        least.merge(other);
        assert_eq!((least.finish(), greatest.finish()), (Some(b"a".as_slice()), Some(b"".as_slice())));
    }

    #[test]
    fn the_bytes_that_are_told_are_those_of_the_buffer() {
        let (mut text, mut heap_bytes) = (MaxText::default(), 0);
        for value in ["b", "a longer one that is not kept", "c and a longer one that is", "d"] {
            text.update(Some(value), &mut heap_bytes);
            assert_eq!(heap_bytes, text.kept.heap_bytes());
        }
        assert!(heap_bytes >= 26);
    }
}
