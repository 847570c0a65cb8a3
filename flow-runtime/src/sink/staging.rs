//! Staging: an attempt's rows, durable on the local disk before the seal.

/// The staged rows of one port.
#[derive(Debug)]
pub struct Staged {
    /// How many rows.
    pub rows: u64,
}
