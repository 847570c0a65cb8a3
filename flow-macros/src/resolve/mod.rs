//! Stage 2: fields in → fields out, operator by operator: names, types, nulls.

mod ports;
mod scope;
mod traps;
mod walk;

use proc_macro2::Ident;

use crate::{errors::Errors, operators::Kind, syntax::FlowTree};

pub(crate) use scope::{Field, Grouped, Scope, find_all, unique};

/// A flow whose names are all looked up: operators in an order in which inputs stand before their users.
pub(crate) struct Resolved {
    pub(crate) nodes: Vec<Node>,
}

/// An operator in its place.
pub(crate) struct Node {
    pub(crate) kind: NodeKind,
    /// The operators it takes rows from; for a join first the streamed, then the held side.
    pub(crate) inputs: Vec<usize>,
    /// The fields that come out.
    pub(crate) scope: Scope,
    /// The pipe it belongs to, or the port.
    pub(crate) pipe: String,
    /// The port of the trap that takes what it refuses.
    pub(crate) trap: Option<usize>,
    /// The user's word for it: operator, or port.
    pub(crate) word: Ident,
    /// As a person would write it.
    pub(crate) text: String,
}

/// What a node does.
pub(crate) enum NodeKind {
    /// Decodes the records of this port.
    Read(usize),
    /// Writes rows to this port.
    Write(usize),
    /// An operator.
    Operator(Kind),
}

/// Resolves a flow; what is wrong is reported, and the rest goes on with poisoned fields.
pub(crate) fn resolve(flow: &FlowTree, errors: &mut Errors) -> Resolved {
    ports::check(flow, errors);
    let mut nodes = walk::walk(flow, errors);
    traps::assign(flow, &mut nodes, errors);
    Resolved { nodes }
}
