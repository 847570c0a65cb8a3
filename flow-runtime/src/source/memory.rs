//! `memory:` sources and tables: records that a test or a program holds.

use std::sync::{Arc, Mutex};

/// Records in memory, shared with whoever holds a clone: pushing makes a source grow.
#[derive(Clone, Debug, Default)]
pub struct MemoryRecords {
    #[expect(dead_code, reason = "read by the tap")]
    records: Arc<Mutex<Vec<Vec<u8>>>>,
}
