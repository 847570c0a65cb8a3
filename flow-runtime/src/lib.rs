//! flow runs data flows written with `flow!`: read a stream or files, parse, join, group, load a warehouse.

#[doc(hidden)]
#[path = "private.rs"]
pub mod __private;
pub mod address;
pub mod cli;
pub mod driver;
pub mod error;
pub mod flow;
pub mod iteration;
pub mod operations;
pub mod operators;
pub mod plan;
pub mod scheme;
pub mod sink;
pub mod source;
pub mod trap;
pub mod value;

pub use address::Address;
pub use cli::main;
pub use error::{Error, Failure};
pub use flow::Flow;
pub use flow_macros::flow;
pub use plan::Plan;
pub use sink::{MemoryRows, Sink, Trap};
pub use source::{MemoryRecords, Source, Table};
