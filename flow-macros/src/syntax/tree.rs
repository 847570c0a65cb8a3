//! A flow as written: ports, pipes, operator calls. Names are not looked up yet.

use syn::{Ident, Visibility, ext::IdentExt as _};

use super::path::Path;
use crate::{operators::Operator, types::Typed};

/// A whole flow.
pub(crate) struct FlowTree {
    pub(crate) about: Vec<String>,
    pub(crate) visibility: Visibility,
    pub(crate) name: Ident,
    pub(crate) ports: Vec<PortTree>,
    pub(crate) pipes: Vec<PipeTree>,
    /// A statement could not be read, not even the name it gives.
    pub(crate) broken: bool,
    /// A digest of the tokens: it changes when the flow does.
    pub(crate) hash: u64,
}

impl FlowTree {
    /// The names of all ports and pipes.
    pub(crate) fn names(&self) -> impl Iterator<Item = &Ident> {
        let ports = self.ports.iter().map(|port| &port.name);
        ports.chain(self.pipes.iter().filter_map(|pipe| pipe.name.as_ref()))
    }
}

/// What a port is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PortKind {
    Source,
    Table,
    Sink,
    Trap,
}

impl PortKind {
    /// The kind that a word names.
    pub(crate) fn named(word: &str) -> Option<Self> {
        [Self::Source, Self::Table, Self::Sink, Self::Trap].into_iter().find(|kind| kind.word() == word)
    }

    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Source => "source",
            Self::Table => "table",
            Self::Sink => "sink",
            Self::Trap => "trap",
        }
    }
}

/// `source log: TextLine { data: &str };`
#[derive(Clone)]
pub(crate) struct PortTree {
    pub(crate) kind: PortKind,
    pub(crate) about: Vec<String>,
    pub(crate) name: Ident,
    pub(crate) scheme: Scheme,
    pub(crate) fields: Vec<FieldTree>,
    /// Something of it could not be read: whatever is asked of the port is taken to be there.
    pub(crate) poisoned: bool,
    /// `key(ip)` of a sink.
    pub(crate) key: Vec<Ident>,
    /// `for hits, hosts` of a trap; empty for all that has no other.
    pub(crate) covers: Vec<Ident>,
}

/// How the bytes of an input become fields.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Scheme {
    /// One field: the record.
    TextLine,
    /// Columns.
    TextDelimited { delimiter: String, quote: Option<u8>, header: bool, strict: bool },
    /// Values of an object, by name.
    JsonLine,
}

impl Scheme {
    /// Columns between tabs, without quotes or a header.
    pub(crate) fn delimited() -> Self {
        Self::TextDelimited { delimiter: "\t".to_owned(), quote: None, header: false, strict: true }
    }
}

/// `count: i64 as integer add`, `"user.id" as user: i64`
#[derive(Clone)]
pub(crate) struct FieldTree {
    /// Where a `JsonLine` finds it, if not by its name.
    pub(crate) path: Option<Path>,
    pub(crate) name: Ident,
    pub(crate) typed: Typed,
    pub(crate) column: Option<String>,
    pub(crate) add: bool,
}

impl FieldTree {
    /// The names that lead to it in a `JsonLine`.
    pub(crate) fn path_names(&self) -> Vec<String> {
        match &self.path {
            Some(path) => path.names.clone(),
            None => vec![self.name.unraw().to_string()],
        }
    }
}

/// `hits = log -> … -> …;`
pub(crate) struct PipeTree {
    pub(crate) name: Option<Ident>,
    pub(crate) head: Option<Head>,
    pub(crate) steps: Vec<Call>,
    /// The sink at the end.
    pub(crate) sink: Option<Ident>,
    /// A part could not be read: it is not known what it would have used.
    pub(crate) broken: bool,
}

/// What a pipe begins with.
pub(crate) enum Head {
    /// A port or another pipe.
    Name(Ident),
    /// An operator that takes its pipes as arguments.
    Call(Call),
}

/// An operator and its arguments.
pub(crate) struct Call {
    pub(crate) name: Ident,
    /// As a person would write it.
    pub(crate) text: String,
    /// `None` after a mistake: its fields are unknown and no further mistake is reported of them.
    pub(crate) operator: Option<Box<dyn Operator>>,
    /// There was a mistake, if only in a part: whatever is asked of its fields is taken to be there.
    pub(crate) broken: bool,
}

impl Call {
    /// A call that could not be read.
    pub(crate) fn unreadable(name: Ident) -> Self {
        Self { name, text: String::new(), operator: None, broken: true }
    }
}
