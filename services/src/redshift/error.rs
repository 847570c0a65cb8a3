//! Errors as Redshift words them: those of its own, and PostgreSQL's in its words.

use super::{Isolation, wire::Message};

/// What an error answer says: fields, each by the letter that the protocol has for it.
#[derive(Clone, Debug)]
pub(crate) struct Refusal(Vec<(char, String)>);

const SEVERITY: char = 'S';
const CODE: char = 'C';
const TEXT: char = 'M';
const DETAIL: char = 'D';
/// Where PostgreSQL was when it happened.
const CONTEXT: char = 'W';
const CONSTRAINT: char = 'n';

/// Those that Redshift has, too.
const KNOWN: [char; 6] = [SEVERITY, CODE, TEXT, DETAIL, 'H', 'P'];

/// What Redshift has for most of what has no code of its own.
const INTERNAL: &str = "XX000";

impl Refusal {
    fn said(severity: &str, code: &str, text: impl Into<String>) -> Self {
        Self(vec![(SEVERITY, severity.to_owned()), (CODE, code.to_owned()), (TEXT, text.into())])
    }

    pub(crate) fn new(code: &str, text: impl Into<String>) -> Self {
        Self::said("ERROR", code, text)
    }

    pub(crate) fn internal(text: impl Into<String>) -> Self {
        Self::new(INTERNAL, text)
    }

    /// As if the word were no part of the language.
    pub(crate) fn syntax(word: &str) -> Self {
        Self::new("42601", format!("syntax error at or near \"{word}\""))
    }

    pub(crate) fn unsupported(what: &str) -> Self {
        Self::new("0A000", format!("{what} is not supported"))
    }

    /// Not Redshift's word: what it would do is not known here.
    pub(crate) fn beyond(what: &str) -> Self {
        Self::new("0A000", format!("the stand-in for Redshift does not know {what}"))
    }

    /// Ends the session.
    pub(crate) fn fatal(code: &str, text: impl Into<String>) -> Self {
        Self::said("FATAL", code, text)
    }

    pub(crate) fn detail(mut self, detail: String) -> Self {
        self.0.push((DETAIL, detail));
        self
    }

    /// Two transactions are in each other's way.
    pub(crate) fn conflict(isolation: Isolation, session: i32) -> Self {
        match isolation {
            Isolation::Snapshot => Self::internal("could not complete because of conflict with concurrent transaction"),
            Isolation::Serializable => Self::internal("1023").detail(format!(
                "Serializable isolation violation on table - 0, transactions forming the cycle are: 0, 0 (pid:{session})"
            )),
        }
    }

    pub(crate) fn deadlock() -> Self {
        Self::new("40P01", "deadlock detected")
    }

    /// What PostgreSQL answers.
    pub(crate) fn read(message: &Message) -> Self {
        let field = |text: String| text.chars().next().map(|kind| (kind, text[kind.len_utf8()..].to_owned()));
        Self(message.texts().filter_map(field).collect())
    }

    /// The same as Redshift says it.
    pub(crate) fn translated(self, isolation: Isolation, session: i32) -> Self {
        let bytes = self.get(CONSTRAINT).strip_prefix("varchar_bytes_").and_then(|rest| rest.split('_').next());
        match (self.code(), bytes) {
            ("40001", _) => Self::conflict(isolation, session),
            ("23514", Some(bytes)) => Self::new("22001", format!("value too long for type character varying({bytes})")),
            ("21000", _) if self.text().starts_with("MERGE") => {
                Self::internal("Found multiple matches to update the same tuple.")
            }
            _ => self,
        }
    }

    fn get(&self, kind: char) -> &str {
        self.0.iter().find(|(found, _)| *found == kind).map(|(_, value)| value.as_str()).unwrap_or_default()
    }

    pub(crate) fn is_fatal(&self) -> bool {
        matches!(self.get(SEVERITY), "FATAL" | "PANIC")
    }

    pub(crate) fn code(&self) -> &str {
        self.get(CODE)
    }

    pub(crate) fn text(&self) -> &str {
        self.get(TEXT)
    }

    pub(crate) fn context(&self) -> &str {
        self.get(CONTEXT)
    }

    pub(crate) fn message(&self) -> Message {
        Message::new(b'E', self.fields())
    }

    fn fields(&self) -> Vec<u8> {
        let known = self.0.iter().filter(|(kind, _)| KNOWN.contains(kind));
        let mut body: Vec<u8> = known.flat_map(|(kind, value)| format!("{kind}{value}\0").into_bytes()).collect();
        body.push(0);
        body
    }
}

/// A message that is no error, of the level at which Redshift tells what COPY has done.
pub(crate) fn info(text: &str) -> Message {
    Message::new(b'N', Refusal::said("INFO", "00000", text).fields())
}
