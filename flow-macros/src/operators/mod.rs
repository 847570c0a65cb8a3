//! The operators, one file each: grammar, field rule, emitted code.
//!
//! An operator is parsed to an [`Operator`], which resolves to fields and a [`Kind`]: most are a [`Step`] of a loop; a
//! join, a group and a merge shape the loops themselves, and `plan` and `emit` know them by name.

mod assert;
mod discard;
mod each;
pub(crate) mod every;
mod filter;
pub(crate) mod group_by;
pub(crate) mod hash_join;
mod insert;
mod merge;
mod rename;
mod retain;

use std::collections::BTreeSet;

use proc_macro2::{Ident, TokenStream};

use crate::{emit::RowCode, errors::Errors, resolve::Scope};

/// Names of fields.
pub(crate) type Names = BTreeSet<String>;

/// Reads the arguments of an operator; `None` after a mistake that leaves nothing to go on with.
pub(crate) type Parse = fn(&Ident, TokenStream, &mut Errors) -> Option<Box<dyn Operator>>;

/// Every operator of the language. A new one is a file and a line here.
const OPERATORS: [(&str, Parse); 11] = [
    ("Assert", assert::parse),
    ("Discard", discard::parse),
    ("Each", each::parse),
    ("Every", every::parse),
    ("Filter", filter::parse),
    ("GroupBy", group_by::parse),
    ("HashJoin", hash_join::parse),
    ("Insert", insert::parse),
    ("Merge", merge::parse),
    ("Rename", rename::parse),
    ("Retain", retain::parse),
];

/// The parser of the operator with this name.
pub(crate) fn find(name: &str) -> Option<Parse> {
    OPERATORS.iter().find(|(operator, _)| *operator == name).map(|(_, parse)| *parse)
}

/// The names of all operators.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    OPERATORS.iter().map(|(name, _)| *name)
}

/// An operator and its arguments, names not yet looked up.
pub(crate) trait Operator {
    /// The pipes it names as arguments; none for an operator that takes what stands before its `->`.
    fn pipes(&self) -> Vec<&Ident> {
        Vec::new()
    }

    /// Looks the names up: fields in, fields out. There is one scope for each of [`Operator::pipes`], or just one.
    fn resolve(&self, name: &Ident, inputs: Vec<Scope>, errors: &mut Errors) -> (Scope, Kind);
}

/// What an operator is to the loops.
pub(crate) enum Kind {
    /// Part of a loop: one row in, at most one out.
    Step(Box<dyn Step>),
    /// A join: ends the loop of its held side.
    Join(hash_join::Join),
    /// A group: ends the loop that feeds it.
    Group(group_by::Group),
    /// An aggregation of the group before it.
    Every(every::Every),
    /// Where branches join again.
    Merge,
    /// Nothing can be said of it after a mistake.
    Poisoned,
}

/// A part of a loop, resolved.
pub(crate) trait Step {
    /// The fields it needs, given those that are read behind it.
    fn needs(&self, read_behind: &Names) -> Names;

    /// Whether it can drop or trap a row, so that rows are counted at it.
    fn is_counted(&self) -> bool;

    /// What a worker keeps for it: a type and the expression that makes one.
    fn state(&self, _read_behind: &Names) -> Option<(TokenStream, TokenStream)> {
        None
    }

    /// The statements for one row: they bind the fields that are new, and leave the row's block when it goes no further.
    fn emit(&self, row: &mut RowCode<'_>) -> TokenStream;
}

/// A step that only says which fields go on: nothing is emitted for it.
pub(crate) struct Projection;

impl Step for Projection {
    fn needs(&self, read_behind: &Names) -> Names {
        read_behind.clone()
    }

    fn is_counted(&self) -> bool {
        false
    }

    fn emit(&self, _row: &mut RowCode<'_>) -> TokenStream {
        TokenStream::new()
    }
}

/// Refuses the end of a `GroupBy` that has had no `Every`; whatever is asked of its fields is then taken to be there.
pub(crate) fn needs_every(scope: &mut Scope, errors: &mut Errors) {
    if let Some(grouped) = scope.grouped.take_if(|grouped| !grouped.has_every) {
        errors.at_span(grouped.span, "`GroupBy` needs an aggregation behind it, as in `-> Every(Count => count)`");
        scope.open = true;
    }
}
