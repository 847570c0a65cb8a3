//! Which values of Rust functions become which fields, as they are: text and bytes borrowed or owned, all else its own
//! type. What may surround them, an `Option` or a `Result`, is the business of `function.rs`.

use std::borrow::Cow;

use crate::value::{Date, Decimal, Timestamp};

/// A value that can become a field of type `V` as it is.
pub trait IntoField<V> {
    /// The field's value.
    fn into_field(self) -> V;
}

/// Fields that are what they are.
macro_rules! identities {
    ($($scalar:ty)*) => {$(
        #[diagnostic::do_not_recommend]
        impl IntoField<$scalar> for $scalar {
            #[inline]
            fn into_field(self) -> $scalar {
                self
            }
        }
    )*};
}

identities!(bool i16 i32 i64 f32 f64 Timestamp Date Decimal);

/// Text and bytes, borrowed or owned.
macro_rules! into_cows {
    ($($from:ty => $borrowed:ty,)*) => {$(
        #[diagnostic::do_not_recommend]
        impl<'a> IntoField<Cow<'a, $borrowed>> for $from {
            #[inline]
            fn into_field(self) -> Cow<'a, $borrowed> {
                Cow::from(self)
            }
        }
    )*};
}

into_cows! {
    &'a str => str,
    String => str,
    &'a String => str,
    Cow<'a, str> => str,
    &'a [u8] => [u8],
    Vec<u8> => [u8],
    &'a Vec<u8> => [u8],
    Cow<'a, [u8]> => [u8],
}

impl<'a> IntoField<Cow<'a, str>> for Box<str> {
    #[inline]
    fn into_field(self) -> Cow<'a, str> {
        Cow::Owned(self.into())
    }
}

impl<'a> IntoField<Cow<'a, [u8]>> for Box<[u8]> {
    #[inline]
    fn into_field(self) -> Cow<'a, [u8]> {
        Cow::Owned(self.into())
    }
}
