//! The walk through a record: every byte is looked at once, what is asked for is remembered.

use super::{JsonName, JsonValue, escapes::says, value::Kind};
use crate::flow::Reason;

/// How deep arrays and objects may lie in each other: the walk goes down by recursion.
const DEPTH_MAX: usize = 128;

/// Reads a record, and puts the values of `names` into `values`.
pub(super) fn record<'r>(text: &'r str, names: &[JsonName], values: &mut [JsonValue<'r>]) -> Result<(), Reason> {
    let mut walk = Walk { text, at: 0, depth: 0 };
    walk.pass_space();
    if walk.peek() != Some(b'{') {
        return Err(walk.no_object());
    }
    walk.object(names, values)?;
    walk.pass_space();
    match walk.peek() {
        None => Ok(()),
        Some(_) => Err(Reason::new(format!("text after the JSON object, at byte {} of the record", walk.at))),
    }
}

struct Walk<'r> {
    text: &'r str,
    /// The next byte.
    at: usize,
    depth: usize,
}

/// A string between its quotes.
struct Written<'r> {
    text: &'r str,
    has_escapes: bool,
}

impl Written<'_> {
    fn says(&self, text: &str) -> bool {
        if self.has_escapes { says(self.text, text) } else { self.text == text }
    }
}

impl<'r> Walk<'r> {
    #[inline]
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    #[inline]
    fn pass_space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    #[inline]
    fn since(&self, start: usize) -> &'r str {
        self.text.get(start..self.at).unwrap_or_default()
    }

    /// Passes over `byte`, if it comes next.
    #[inline]
    fn takes(&mut self, byte: u8) -> bool {
        let is_next = self.peek() == Some(byte);
        self.at += usize::from(is_next);
        is_next
    }

    /// An object, from its brace on.
    fn object(&mut self, names: &[JsonName], values: &mut [JsonValue<'r>]) -> Result<(), Reason> {
        self.go_down()?;
        if self.takes(b'}') {
            self.depth -= 1;
            return Ok(());
        }
        loop {
            if !self.takes(b'"') {
                return Err(self.malformed("a name in quotes"));
            }
            let name = self.string()?;
            self.pass_space();
            if !self.takes(b':') {
                return Err(self.malformed("`:`"));
            }
            self.pass_space();
            match names.iter().find(|wanted| name.says(wanted.name)) {
                Some(wanted) => self.wanted(wanted, values)?,
                None => drop(self.value()?),
            }
            if self.ends_with(b'}', "`,` or `}`")? {
                return Ok(());
            }
        }
    }

    /// An array, from its bracket on.
    fn array(&mut self) -> Result<(), Reason> {
        self.go_down()?;
        if self.takes(b']') {
            self.depth -= 1;
            return Ok(());
        }
        loop {
            self.value()?;
            if self.ends_with(b']', "`,` or `]`")? {
                return Ok(());
            }
        }
    }

    /// Passes over an opening bracket, and what space follows it.
    fn go_down(&mut self) -> Result<(), Reason> {
        if self.depth == DEPTH_MAX {
            return Err(Reason::new(format!("nested deeper than {DEPTH_MAX}, at byte {} of the record", self.at)));
        }
        self.depth += 1;
        self.at += 1;
        self.pass_space();
        Ok(())
    }

    /// Whether an object or an array ends behind a value; else passes over the comma to the next one.
    #[inline]
    fn ends_with(&mut self, closing: u8, expected: &str) -> Result<bool, Reason> {
        self.pass_space();
        if self.takes(closing) {
            self.depth -= 1;
            return Ok(true);
        }
        if !self.takes(b',') {
            return Err(self.malformed(expected));
        }
        self.pass_space();
        Ok(false)
    }

    /// A value that is asked for, or something in it: what the same name had before no longer counts.
    fn wanted(&mut self, name: &JsonName, values: &mut [JsonValue<'r>]) -> Result<(), Reason> {
        let start = self.at;
        forget(name.inner, values, JsonValue::MISSING);
        let is_entered = !name.inner.is_empty() && self.peek() == Some(b'{');
        let value = if is_entered {
            self.object(name.inner, values)?;
            JsonValue { kind: Kind::Object, text: self.since(start) }
        } else {
            self.value()?
        };
        if !matches!(value.kind, Kind::Object | Kind::Null) {
            let kind = Kind::Outside(name.name, value.kind.word());
            forget(name.inner, values, JsonValue { kind, text: "" });
        }
        if let Some(slot) = name.field.and_then(|field| values.get_mut(field)) {
            *slot = value;
        }
        Ok(())
    }

    fn value(&mut self) -> Result<JsonValue<'r>, Reason> {
        let start = self.at;
        let kind = match self.peek() {
            Some(b'"') => {
                self.at += 1;
                let Written { text, has_escapes } = self.string()?;
                let kind = if has_escapes { Kind::Escaped } else { Kind::String };
                return Ok(JsonValue { kind, text });
            }
            Some(b'-' | b'0'..=b'9') => {
                self.number()?;
                Kind::Number
            }
            Some(b'{') => {
                self.object(&[], &mut [])?;
                Kind::Object
            }
            Some(b'[') => {
                self.array()?;
                Kind::Array
            }
            Some(b't') => self.word("true", Kind::Bool)?,
            Some(b'f') => self.word("false", Kind::Bool)?,
            Some(b'n') => self.word("null", Kind::Null)?,
            _ => return Err(self.malformed("a value")),
        };
        Ok(JsonValue { kind, text: self.since(start) })
    }

    fn word(&mut self, word: &str, kind: Kind) -> Result<Kind, Reason> {
        let is_next = self.text.as_bytes().get(self.at..).is_some_and(|rest| rest.starts_with(word.as_bytes()));
        if !is_next {
            return Err(self.malformed("a value"));
        }
        self.at += word.len();
        Ok(kind)
    }

    /// A string, behind its opening quote.
    #[inline]
    fn string(&mut self) -> Result<Written<'r>, Reason> {
        let start = self.at;
        let mut has_escapes = false;
        loop {
            match self.peek() {
                Some(b'"') => break,
                Some(b'\\') => {
                    has_escapes = true;
                    self.escape()?;
                }
                Some(0..=0x1f) => return Err(self.malformed("no control character in a string")),
                Some(_) => self.at += 1,
                None => return Err(self.malformed("the closing quote of a string")),
            }
        }
        let text = self.since(start);
        self.at += 1;
        Ok(Written { text, has_escapes })
    }

    fn escape(&mut self) -> Result<(), Reason> {
        let bytes = self.text.as_bytes();
        match bytes.get(self.at + 1) {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => self.at += 2,
            Some(b'u')
                if bytes.get(self.at + 2..self.at + 6).is_some_and(|hex| hex.iter().all(u8::is_ascii_hexdigit)) =>
            {
                self.at += 6;
            }
            _ => return Err(self.malformed("an escape")),
        }
        Ok(())
    }

    /// `-12.5e+3`: no leading zeros, digits on both sides of the point.
    fn number(&mut self) -> Result<(), Reason> {
        self.takes(b'-');
        if !self.takes(b'0') {
            self.digits()?;
        }
        if self.takes(b'.') {
            self.digits()?;
        }
        if self.takes(b'e') || self.takes(b'E') {
            let _ = self.takes(b'+') || self.takes(b'-');
            self.digits()?;
        }
        Ok(())
    }

    fn digits(&mut self) -> Result<(), Reason> {
        let start = self.at;
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
        if self.at == start { Err(self.malformed("a digit")) } else { Ok(()) }
    }

    #[cold]
    fn malformed(&self, expected: &str) -> Reason {
        let at = self.at;
        match self.peek() {
            None => Reason::new(format!("malformed JSON: the record ends where {expected} is expected")),
            Some(_) => Reason::new(format!("malformed JSON at byte {at} of the record: expected {expected}")),
        }
    }

    /// Why a record is no object.
    #[cold]
    fn no_object(&mut self) -> Reason {
        if self.peek().is_none() {
            return Reason::new("empty, not a JSON object");
        }
        match self.value() {
            Ok(value) => Reason::new(format!("the record is {}, not a JSON object", value.kind.word())),
            Err(reason) => reason,
        }
    }
}

/// Sets all fields that are wanted of an object.
fn forget<'r>(names: &[JsonName], values: &mut [JsonValue<'r>], value: JsonValue<'r>) {
    for name in names {
        if let Some(slot) = name.field.and_then(|field| values.get_mut(field)) {
            *slot = value;
        }
        forget(name.inner, values, value);
    }
}
