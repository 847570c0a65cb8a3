//! `memory:` sinks and traps: rows that a test or a program reads back.

use std::sync::{Arc, Mutex};

/// Rows in memory, shared with whoever holds a clone.
#[derive(Clone, Debug, Default)]
pub struct MemoryRows {
    #[expect(dead_code, reason = "read by the tap")]
    encoded: Arc<Mutex<Vec<u8>>>,
}
