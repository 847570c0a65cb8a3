//! What is written as JSON beside the rows: the list of what an attempt has staged, the manifest of an iteration, indexes of
//! manifests, and which manifest is the last.
//!
//! A manifest names the one before it, so that whoever begins at `current.json` finds what was published, each row once. Its
//! `entries` are those of a manifest for Amazon Redshift's COPY.

use serde::{Deserialize, Serialize};

use crate::sink::ledger::LedgerEntry;

/// How this is written.
pub(super) const VERSION: u32 = 1;

/// An object of rows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Entry {
    pub(super) url: String,
    /// COPY skips what is missing in silence, unless this is said.
    pub(super) mandatory: bool,
    pub(super) meta: Meta,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Meta {
    /// Bytes.
    pub(super) content_length: u64,
    /// Rows.
    pub(super) record_count: u64,
    pub(super) etag: String,
}

/// All that an attempt has staged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct StagedList {
    pub(super) version: u32,
    pub(super) attempt: String,
    pub(super) entries: Vec<Entry>,
}

/// A folder that an attempt is about to write into.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Note {
    pub(super) version: u32,
    pub(super) folder: String,
}

/// What was published at once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Manifest {
    pub(super) version: u32,
    /// As `current.json` has it, as are port, epoch, iteration and hash.
    pub(super) flow: Option<String>,
    pub(super) port: String,
    pub(super) epoch: Option<String>,
    pub(super) iteration: Option<u64>,
    pub(super) hash: String,
    pub(super) rows: u64,
    /// The key of the manifest whose rows are there as well.
    pub(super) previous: Option<String>,
    pub(super) entries: Vec<Entry>,
}

/// Manifests that follow one another: readers need not go from one to the next to find them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Index {
    pub(super) version: u32,
    /// Their keys, the oldest first.
    pub(super) manifests: Vec<String>,
    /// The key of the index of those before them.
    pub(super) previous: Option<String>,
}

/// What is there now: the ledger, and where readers begin.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Current {
    pub(super) version: u32,
    /// Grows with every change, so that no two are alike.
    pub(super) revision: u64,
    /// The flow's logical name; none without a store.
    pub(super) flow: Option<String>,
    pub(super) port: String,
    pub(super) epoch: Option<String>,
    /// The last iteration that was published.
    pub(super) iteration: Option<u64>,
    pub(super) hash: String,
    /// The key of the last manifest; none where there are no rows.
    pub(super) manifest: Option<String>,
    /// The keys of the manifests before it that are in no index, the oldest first.
    #[serde(default)]
    pub(super) recent: Vec<String>,
    /// The key of the last index, of all manifests before those.
    #[serde(default)]
    pub(super) index: Option<String>,
}

impl Current {
    /// Nothing was published yet.
    pub(super) fn empty(port: &str) -> Self {
        Self {
            version: VERSION,
            revision: 0,
            flow: None,
            port: port.to_owned(),
            epoch: None,
            iteration: None,
            hash: String::new(),
            manifest: None,
            recent: Vec::new(),
            index: None,
        }
    }

    /// The ledger's last entry.
    pub(super) fn last(&self) -> Option<LedgerEntry> {
        let epoch = self.epoch.clone()?;
        Some(LedgerEntry { epoch, iteration: self.iteration, hash: self.hash.clone() })
    }
}
