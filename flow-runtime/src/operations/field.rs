//! Which values of Rust functions become which fields, as they are: text and bytes borrowed or owned, all else its own
//! type. What may surround them, an `Option` or a `Result`, is the business of `function.rs`.

use std::borrow::Cow;

use crate::value::{Date, Decimal, Timestamp};

/// The type of a field, as it is written in a flow: `&str`, `i64`.
pub trait FieldType {
    /// What holds a value until the field borrows it: a `Cow` of text and bytes, all else itself.
    type Held;
}

/// A value that can become a field of type `F` as it is.
pub trait IntoField<F: FieldType> {
    /// What holds the field's value.
    fn into_field(self) -> F::Held;
}

/// Fields that are what they are.
macro_rules! identities {
    ($($scalar:ty)*) => {$(
        impl FieldType for $scalar {
            type Held = Self;
        }

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

impl<'a> FieldType for &'a str {
    type Held = Cow<'a, str>;
}

impl<'a> FieldType for &'a [u8] {
    type Held = Cow<'a, [u8]>;
}

/// Text and bytes, borrowed or owned.
macro_rules! into_cows {
    ($($from:ty => $borrowed:ty,)*) => {$(
        #[diagnostic::do_not_recommend]
        impl<'a> IntoField<&'a $borrowed> for $from {
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

#[diagnostic::do_not_recommend]
impl<'a> IntoField<&'a str> for Box<str> {
    #[inline]
    fn into_field(self) -> Cow<'a, str> {
        Cow::Owned(self.into())
    }
}

#[diagnostic::do_not_recommend]
impl<'a> IntoField<&'a [u8]> for Box<[u8]> {
    #[inline]
    fn into_field(self) -> Cow<'a, [u8]> {
        Cow::Owned(self.into())
    }
}
