//! What tables take of the memory: the heap behind a value, and room that grows by a quarter.

use crate::value::{Date, Decimal, Timestamp};

/// A value that may own memory besides its own bytes.
pub trait HeapBytes {
    /// Bytes that it owns on the heap.
    fn heap_bytes(&self) -> usize {
        0
    }
}

macro_rules! owns_nothing {
    ($($ty:ty)*) => {$(
        impl HeapBytes for $ty {}
    )*};
}

owns_nothing!(bool i16 i32 i64 f32 f64 Timestamp Date Decimal);

impl<T: ?Sized> HeapBytes for &T {}

impl HeapBytes for String {
    #[inline]
    fn heap_bytes(&self) -> usize {
        allocated(self.capacity())
    }
}

impl HeapBytes for Vec<u8> {
    #[inline]
    fn heap_bytes(&self) -> usize {
        allocated(self.capacity())
    }
}

impl<T: HeapBytes> HeapBytes for Option<T> {
    #[inline]
    fn heap_bytes(&self) -> usize {
        self.as_ref().map_or(0, T::heap_bytes)
    }
}

/// What an allocation of so many bytes takes: those of the allocators that are in use have a word of their own, and
/// round up to two.
#[inline]
fn allocated(bytes: usize) -> usize {
    const WORD: usize = size_of::<usize>();
    if bytes == 0 { 0 } else { (bytes + WORD).next_multiple_of(2 * WORD).max(4 * WORD) }
}

/// Makes room for `more` values; by a quarter, so that a big table does not take twice the memory it fills.
#[inline]
pub(super) fn make_room<T>(values: &mut Vec<T>, more: usize) {
    if values.capacity() - values.len() < more {
        values.reserve_exact(more.max(values.len() / 4).max(16));
    }
}

#[cfg(test)]
mod tests {
    use super::{HeapBytes, make_room};

    #[test]
    fn text_takes_what_is_allocated_for_it() {
        assert_eq!(String::new().heap_bytes(), 0);
        assert_eq!(String::with_capacity(1).heap_bytes(), 4 * size_of::<usize>());
        assert_eq!(Some(Vec::<u8>::with_capacity(1000)).heap_bytes(), 1008);
        assert_eq!((None::<String>.heap_bytes(), "borrowed".heap_bytes(), 7_i64.heap_bytes()), (0, 0, 0));
    }

    #[test]
    fn room_grows_by_a_quarter_and_at_least_by_what_is_needed() {
        let mut values = vec![0_u8; 4000];
        make_room(&mut values, 1);
        assert_eq!(values.capacity(), 5000);
        make_room(&mut values, 1000);
        assert_eq!(values.capacity(), 5000);
        make_room(&mut values, 5000);
        assert_eq!(values.capacity(), 9000);
    }
}
