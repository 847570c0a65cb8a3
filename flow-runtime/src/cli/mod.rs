//! What a flow's program shows of itself, and what it reads from its command line.

mod dot;
mod explain;

#[cfg(test)]
mod example;

pub use dot::dot;
pub use explain::explain;
