//! What a flow's program shows of itself: its plan as text and as a picture.

mod dot;
mod explain;

#[cfg(test)]
mod example;

pub use dot::dot;
pub use explain::explain;
