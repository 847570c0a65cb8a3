//! [`Source`] and [`Table`]: the handles that a flow's struct holds.

use super::memory::MemoryRecords;

/// Where an input comes from; opened when the run starts.
#[derive(Clone, Debug, Default)]
pub enum Input {
    /// Nowhere yet: the command line must say.
    #[default]
    Unbound,
    /// An address.
    Address(String),
    /// Records in memory.
    Memory(MemoryRecords),
}

/// An input that goes on where the last iteration ended.
#[derive(Clone, Debug, Default)]
pub struct Source {
    /// Where it comes from.
    pub input: Input,
}

/// An input that is read whole in every iteration.
#[derive(Clone, Debug, Default)]
pub struct Table {
    /// Where it comes from.
    pub input: Input,
}

impl Source {
    /// Reads from an address; it is looked at when the run opens.
    pub fn at(address: impl Into<String>) -> Self {
        Self { input: Input::Address(address.into()) }
    }

    /// Reads from memory.
    #[must_use]
    pub fn memory(records: &MemoryRecords) -> Self {
        Self { input: Input::Memory(records.clone()) }
    }

    /// Has no address until the command line gives one.
    #[must_use]
    pub fn unbound() -> Self {
        Self::default()
    }
}

impl Table {
    /// Reads from an address; it is looked at when the run opens.
    pub fn at(address: impl Into<String>) -> Self {
        Self { input: Input::Address(address.into()) }
    }

    /// Reads from memory.
    #[must_use]
    pub fn memory(records: &MemoryRecords) -> Self {
        Self { input: Input::Memory(records.clone()) }
    }

    /// Has no address until the command line gives one.
    #[must_use]
    pub fn unbound() -> Self {
        Self::default()
    }
}
