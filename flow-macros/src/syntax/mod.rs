//! Stage 1: tokens to a tree. Recovers at `;`, `->` and `,`, so that the later stages see the rest.

mod digest;
mod keywords;
mod parse;
mod port;
mod split;
mod tree;

pub(crate) use keywords::OPTIONS;
pub(crate) use parse::parse;
pub(crate) use split::{comma_separated, split_arrows};
pub(crate) use tree::{Call, FieldTree, FlowTree, Head, PipeTree, PortKind, PortTree, Scheme};
