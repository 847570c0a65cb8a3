//! A value of a record, and what it is as a field.

use super::escapes::unescape;
use crate::{
    flow::Reason,
    value::{FromText, Shown},
};

/// A value as it stands in its record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JsonValue<'r> {
    pub(super) kind: Kind,
    /// As written; a string without its quotes.
    pub(super) text: &'r str,
}

/// What a value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// There is no such name.
    Missing,
    /// What should hold the name is no object but this: its name, and what it is.
    Outside(&'static str, &'static str),
    Null,
    Bool,
    Number,
    String,
    /// A string with escapes in it.
    Escaped,
    Array,
    Object,
}

impl Kind {
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Missing | Self::Outside(..) => "missing",
            Self::Null => "null",
            Self::Bool => "true or false",
            Self::Number => "a number",
            Self::String | Self::Escaped => "a string",
            Self::Array => "an array",
            Self::Object => "an object",
        }
    }
}

impl<'r> JsonValue<'r> {
    /// What stands for a value that is not there.
    pub const MISSING: Self = Self { kind: Kind::Missing, text: "" };

    /// The value of a field that cannot be null.
    ///
    /// # Errors
    /// That there is none.
    #[inline]
    pub fn required(self) -> Result<Self, Reason> {
        match self.kind {
            Kind::Missing => Err(absent("missing")),
            Kind::Null => Err(absent("null")),
            _ => Ok(self),
        }
    }

    /// The value of a field that may be null, if there is one.
    #[inline]
    #[must_use]
    pub fn optional(self) -> Option<Self> {
        (!matches!(self.kind, Kind::Missing | Kind::Null)).then_some(self)
    }

    /// The value as a number.
    ///
    /// # Errors
    /// Why it is none, or does not fit.
    #[inline]
    pub fn number<T: FromText<'r>>(self, format: T::Format) -> Result<T, Reason> {
        match self.kind {
            Kind::Number => T::from_text(self.text, format),
            _ => Err(self.refused("a number")),
        }
    }

    /// The value as true or false.
    ///
    /// # Errors
    /// That it is neither.
    #[inline]
    pub fn boolean(self) -> Result<bool, Reason> {
        match self.kind {
            Kind::Bool => bool::from_text(self.text, ()),
            _ => Err(self.refused("true or false")),
        }
    }

    /// The value as text: what a string says, an object or an array as it is written. `unquoted` is overwritten when a
    /// string has escapes.
    ///
    /// # Errors
    /// Why it is none.
    #[inline]
    pub fn text<'s>(self, unquoted: &'s mut String) -> Result<&'s str, Reason>
    where
        'r: 's,
    {
        match self.kind {
            Kind::String | Kind::Array | Kind::Object => Ok(self.text),
            Kind::Escaped => self.unescaped(unquoted),
            _ => Err(self.refused("text")),
        }
    }

    /// Fails as [`JsonValue::text`] would.
    ///
    /// # Errors
    /// Why it is no text.
    #[inline]
    pub fn check_text(self) -> Result<(), Reason> {
        match self.kind {
            Kind::String | Kind::Array | Kind::Object => Ok(()),
            Kind::Escaped => unescape(self.text, |_| {}),
            _ => Err(self.refused("text")),
        }
    }

    /// What a string says, or the digits of a number: a time may be written as either. `unquoted` is overwritten when a
    /// string has escapes.
    ///
    /// # Errors
    /// Why it is neither.
    #[inline]
    pub fn time<'s, T: FromText<'s>>(self, format: T::Format, unquoted: &'s mut String) -> Result<T, Reason>
    where
        'r: 's,
    {
        let text = match self.kind {
            Kind::String | Kind::Number => self.text,
            Kind::Escaped => self.unescaped(unquoted)?,
            _ => return Err(self.refused("a string or a number")),
        };
        if text.is_empty() {
            return Err(Reason::new("an empty string is not null, and no time"));
        }
        T::from_text(text, format)
    }

    fn unescaped(self, unquoted: &mut String) -> Result<&str, Reason> {
        unquoted.clear();
        unescape(self.text, |piece| unquoted.push_str(piece))?;
        Ok(unquoted)
    }

    /// Why the value is not what it should be.
    #[cold]
    fn refused(self, expected: &str) -> Reason {
        let (shown, word) = (Shown(self.text), self.kind.word());
        match self.kind {
            Kind::Outside(name, word) => Reason::new(format!("`{name}` is {word}, not an object")),
            Kind::Bool => Reason::new(format!("{shown} is not {expected}")),
            _ => Reason::new(format!("{shown} is {word}, not {expected}")),
        }
    }
}

#[cold]
fn absent(what: &str) -> Reason {
    Reason::new(format!("{what}, but required"))
}
