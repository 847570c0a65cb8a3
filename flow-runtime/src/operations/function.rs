//! Rust functions in a flow: calling them, and making fields of what they return.
//!
//! The macro sees the type of a field, but not what a function returns. So what is returned is looked at by its type:
//!
//! | returned | for a field `T` | for a field `Option<T>` |
//! |---|---|---|
//! | `T` | it | it |
//! | `Option<T>` | `None` is trapped | `None` is null |
//! | `Result<T, E>` | an error is trapped | an error is trapped |
//! | `Result<Option<T>, E>` | — | an error is trapped, `None` is null |
//!
//! Each row is an implementation for all `T`. That they do not collide is due to `How`, which differs between them and
//! which the compiler infers, since for one returned type only one of them can hold: `()` for the value itself, else what
//! surrounds it, around a `()`. When none does, rustc shows the message of the trait alone: it does not recommend
//! implementations.

use std::fmt::Display;

use super::{FieldType, IntoField};
use crate::flow::Reason;

/// Makes functions that call a function: only the bound `FnOnce` tells the compiler the type of a closure's arguments,
/// and only an argument that is passed at once borrows for as long as it should.
macro_rules! calls {
    ($($name:ident($($arg:ident: $ty:ident),+);)*) => {$(
        /// Calls `f`; a closure's argument types are inferred from the arguments.
        #[inline]
        #[allow(clippy::too_many_arguments, reason = "a function's arguments are fields")]
        pub fn $name<$($ty,)+ Out>(f: impl FnOnce($($ty),+) -> Out, $($arg: $ty),+) -> Out {
            f($($arg),+)
        }
    )*};
}

calls! {
    call(a: A);
    call2(a: A, b: B);
    call3(a: A, b: B, c: C);
    call4(a: A, b: B, c: C, d: D);
    call5(a: A, b: B, c: C, d: D, e: E);
    call6(a: A, b: B, c: C, d: D, e: E, g: G);
    call7(a: A, b: B, c: C, d: D, e: E, g: G, h: H);
    call8(a: A, b: B, c: C, d: D, e: E, g: G, h: H, i: I);
}

/// What a function returns for a field that cannot be null.
#[diagnostic::on_unimplemented(
    message = "this gives `{Self}`, but the field is `{F}`",
    label = "gives `{Self}`",
    note = "a `&str` field takes `&str`, `String`, `Box<str>` or `Cow<str>`; a `&[u8]` field the same of bytes; any other field its own type",
    note = "it may also be an `Option` of that, or a `Result` whose error can be displayed: `None` and errors go to the trap"
)]
pub trait Required<F: FieldType, How> {
    /// The field's value.
    ///
    /// # Errors
    /// The function's error, or that it returned `None`.
    ///
    /// # Example
    /// ```
    /// use flow_runtime::operations::Required;
    /// fn path(request: &str) -> Option<&str> {
    ///     request.split(' ').nth(1)
    /// }
    /// let field = Required::<&str, _>::required(path("GET /index.html HTTP/1.1"));
    /// assert_eq!(field.unwrap(), "/index.html");
    /// let field = Required::<&str, _>::required(path("GET"));
    /// assert_eq!(field.unwrap_err().as_str(), "returned None");
    /// ```
    fn required(self) -> Result<F::Held, Reason>;
}

/// What a function returns for a field that may be null.
#[diagnostic::on_unimplemented(
    message = "this gives `{Self}`, but the field is `Option<{F}>`",
    label = "gives `{Self}`",
    note = "an `Option<&str>` field takes `&str`, `String`, `Box<str>` or `Cow<str>`; an `Option<&[u8]>` field the same of bytes; any other field its own type",
    note = "it may also be an `Option` of that, or a `Result` of either whose error can be displayed: `None` is null, errors go to the trap"
)]
pub trait Optional<F: FieldType, How> {
    /// The field's value.
    ///
    /// # Errors
    /// The function's error.
    fn optional(self) -> Result<Option<F::Held>, Reason>;
}

/// What a function returns for several fields: a tuple, each part of which is then taken as [`Required`] or
/// [`Optional`] says.
#[diagnostic::on_unimplemented(
    message = "this gives `{Self}`, but several fields are listed",
    label = "gives `{Self}`",
    note = "return a tuple with one value for each field, or an `Option` or a `Result` of one"
)]
pub trait Returned<T, How> {
    /// The tuple.
    ///
    /// # Errors
    /// The function's error, or that it returned `None`.
    fn returned(self) -> Result<T, Reason>;
}

#[diagnostic::do_not_recommend]
impl<F: FieldType, T: IntoField<F>> Required<F, ()> for T {
    #[inline]
    fn required(self) -> Result<F::Held, Reason> {
        Ok(self.into_field())
    }
}

#[diagnostic::do_not_recommend]
impl<F: FieldType, T: IntoField<F>> Required<F, Option<()>> for Option<T> {
    #[inline]
    fn required(self) -> Result<F::Held, Reason> {
        self.map(T::into_field).ok_or_else(returned_none)
    }
}

#[diagnostic::do_not_recommend]
impl<F: FieldType, T: IntoField<F>, E: Display> Required<F, Result<(), ()>> for Result<T, E> {
    #[inline]
    fn required(self) -> Result<F::Held, Reason> {
        self.map(T::into_field).map_err(failed)
    }
}

#[diagnostic::do_not_recommend]
impl<F: FieldType, T: IntoField<F>> Optional<F, ()> for T {
    #[inline]
    fn optional(self) -> Result<Option<F::Held>, Reason> {
        Ok(Some(self.into_field()))
    }
}

#[diagnostic::do_not_recommend]
impl<F: FieldType, T: IntoField<F>> Optional<F, Option<()>> for Option<T> {
    #[inline]
    fn optional(self) -> Result<Option<F::Held>, Reason> {
        Ok(self.map(T::into_field))
    }
}

#[diagnostic::do_not_recommend]
impl<F: FieldType, T: IntoField<F>, E: Display> Optional<F, Result<(), ()>> for Result<T, E> {
    #[inline]
    fn optional(self) -> Result<Option<F::Held>, Reason> {
        self.map(|value| Some(value.into_field())).map_err(failed)
    }
}

#[diagnostic::do_not_recommend]
impl<F: FieldType, T: IntoField<F>, E: Display> Optional<F, Result<Option<()>, ()>> for Result<Option<T>, E> {
    #[inline]
    fn optional(self) -> Result<Option<F::Held>, Reason> {
        self.map(|value| value.map(T::into_field)).map_err(failed)
    }
}

#[diagnostic::do_not_recommend]
impl<T: Tuple> Returned<T, ()> for T {
    #[inline]
    fn returned(self) -> Result<T, Reason> {
        Ok(self)
    }
}

#[diagnostic::do_not_recommend]
impl<T: Tuple> Returned<T, Option<()>> for Option<T> {
    #[inline]
    fn returned(self) -> Result<T, Reason> {
        self.ok_or_else(returned_none)
    }
}

#[diagnostic::do_not_recommend]
impl<T: Tuple, E: Display> Returned<T, Result<(), ()>> for Result<T, E> {
    #[inline]
    fn returned(self) -> Result<T, Reason> {
        self.map_err(failed)
    }
}

#[cold]
fn returned_none() -> Reason {
    Reason::new("returned None")
}

#[cold]
fn failed(error: impl Display) -> Reason {
    Reason::new(error.to_string())
}

/// A tuple of two to twelve values.
pub trait Tuple {}

macro_rules! tuples {
    ($first:ident $($rest:ident)+) => {
        impl<$first, $($rest),+> Tuple for ($first, $($rest),+) {}
        tuples!($($rest)+);
    };
    ($last:ident) => {};
}

tuples!(A B C D E F G H I J K L);

#[cfg(test)]
#[path = "function_tests.rs"]
mod tests;
