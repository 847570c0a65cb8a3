//! What a flow's program shows of itself, and what it reads from its command line.

mod aligned;
mod arguments;
mod bind;
mod dot;
mod explain;
mod json;
mod listing;
mod progress;
mod signals;
mod summary;
mod units;

#[cfg(test)]
mod example;

pub use dot::dot;
pub use explain::explain;
