//! [`Source`] and [`Table`]: the handles that a flow's struct holds.

use std::fmt;

use super::memory::MemoryRecords;
use crate::address::without_secrets;

/// Where an input comes from; opened when the run starts.
#[derive(Clone, Default)]
pub enum Input {
    /// Nowhere yet: the command line must say.
    #[default]
    Unbound,
    /// An address.
    Address(String),
    /// Records in memory.
    Memory(MemoryRecords),
}

impl fmt::Debug for Input {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unbound => f.write_str("Unbound"),
            Self::Address(text) => f.debug_tuple("Address").field(&without_secrets(text)).finish(),
            Self::Memory(records) => f.debug_tuple("Memory").field(records).finish(),
        }
    }
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
