//! Stage 1: tokens to a tree. Recovers at `;`, `->` and `,`, so that the later stages see the rest.

mod digest;
mod keywords;
mod name;
mod parse;
mod path;
mod pipe;
mod port;
mod scheme;
mod split;
mod statements;
mod tree;

pub(crate) use keywords::OPTIONS;
pub(crate) use name::parse_name;
pub(crate) use parse::parse;
pub(crate) use path::Path;
pub(crate) use split::{comma_separated, names, parse_all, split_arrows};
pub(crate) use tree::{Call, FieldTree, FlowTree, Head, PipeTree, PortKind, PortTree, Scheme};
