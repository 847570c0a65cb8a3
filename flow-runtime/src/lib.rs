//! flow runs data flows written with [`flow!`]: read a stream or files, parse, join, group, load a warehouse.
//!
//! - [`language`]: what stands in a `flow!`, with an example that runs.
//! - [`main`]: the command line of a flow's program; [`driver::run`] is the same for a program of your own.
//! - [`Source`], [`Table`], [`Sink`], [`Trap`]: what the ports of a flow are bound to; [`address`] has the forms of addresses.
//! - [`held`]: the causes for which an iteration needs a person, and the commands that resolve each.
//! - [`iteration`]: how each micro-batch reaches its sinks exactly once.
//!
//! Feature `aws`: sources and tables on AWS; commands that make what a flow needs there (`setup`), delete it (`teardown`) and
//! bring records into a stream (`publish`); `publish::LogStream`, which ships a program's own log lines.
//!
//! Feature `postgres`: sinks and traps in a PostgreSQL database, see [`Sink::at`]. By default nothing of a network is compiled.

#![cfg_attr(
    any(test, feature = "fuzzing"),
    allow(clippy::disallowed_methods, reason = "tests look at the outside themselves")
)]

#[doc(hidden)]
#[path = "private.rs"]
pub mod __private;
pub mod address;
#[cfg(feature = "aws")]
mod aws;
mod carriers;
pub mod cli;
pub mod driver;
mod effect;
pub mod error;
pub mod flow;
mod folder;
#[cfg(any(test, feature = "fuzzing"))]
#[doc(hidden)]
pub mod fuzzing;
pub mod held;
pub mod iteration;
#[doc = include_str!("language.md")]
pub mod language {}
pub mod operations;
pub mod operators;
mod origin;
pub mod plan;
#[cfg(feature = "aws")]
pub mod publish;
pub mod scheme;
pub mod sink;
pub mod source;
pub mod trap;
pub mod value;
mod visible;

pub use address::Address;
pub use cli::main;
pub use error::{Error, Failure};
pub use flow::Flow;
pub use flow_macros::flow;
pub use plan::Plan;
pub use sink::{MemoryRows, Sink, Trap};
pub use source::{MemoryRecords, Source, Table};
