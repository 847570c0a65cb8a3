//! flow runs data flows written with `flow!`: read a stream or files, parse, join, group, load a warehouse.

pub mod address;
pub mod driver;
pub mod error;
pub mod flow;
pub mod plan;
pub mod sink;
pub mod source;
pub mod trap;
pub mod value;

pub use address::Address;
pub use error::{Error, Failure};
pub use flow::Flow;
pub use plan::Plan;
pub use sink::{MemoryRows, Sink, Trap};
pub use source::{MemoryRecords, Source, Table};
