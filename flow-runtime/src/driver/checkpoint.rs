//! Where a run keeps what it must not forget: the lock, the store, and the staging area beside it.

use std::{
    env,
    path::{Path, PathBuf},
};

use tempfile::TempDir;

use super::{Checkpoint, lock::FlowLock};
use crate::{
    Error, Failure,
    effect::{self, Mutant, clock, disk, mutant},
    folder,
    iteration::{
        sqlite::{SqliteStore, is_there},
        store::{GivenUp, Store as _},
    },
    sink::{Ticket, staging::StagingArea},
};

/// An opened [`Checkpoint`]; this run is the only one that has it.
#[derive(Debug)]
pub(super) struct OpenCheckpoint {
    pub(super) flow: String,
    pub(super) store: SqliteStore,
    pub(super) staging: StagingArea,
    /// Whether it outlives the run. Without a store the run has one in memory and stages in a folder of its own, and
    /// goes the same way as any other.
    pub(super) is_kept: bool,
    _lock: Option<FlowLock>,
    _folder: Option<TempDir>,
}

impl OpenCheckpoint {
    /// Takes the lock of `flow`, and opens what belongs to it.
    pub(super) fn open(checkpoint: &Checkpoint, flow: String) -> Result<Self, Error> {
        let lock = lock(checkpoint, &flow)?;
        Ok(Self { _lock: lock, ..Self::open_locked(checkpoint, flow)? })
    }

    /// Opens what belongs to `flow`, for one who holds its lock.
    pub(super) fn open_locked(checkpoint: &Checkpoint, flow: String) -> Result<Self, Error> {
        match checkpoint {
            Checkpoint::Sqlite(path) => {
                let path = &folder::followed(path);
                let store = SqliteStore::open(path, &flow, &effect::id(), clock::now_us())?;
                // One area a flow: clean-up takes away whatever it finds. Whoever made the store made its folder durable.
                let staging = StagingArea::open_below(folder::parent(path), staging_path(path).join(&flow))?;
                Ok(Self { flow, store, staging, is_kept: true, _lock: None, _folder: None })
            }
            Checkpoint::None => {
                let folder = disk::temporary_folder("stage").map_err(|error| {
                    // The cause names the folder.
                    let failure = Failure::new("cannot make a folder to stage rows in").cause(error);
                    Error::Store(failure.help("set TMPDIR to a folder that can be written to, on a disk with room"))
                })?;
                let store = SqliteStore::in_memory(&flow, &effect::id(), clock::now_us())?;
                let staging = StagingArea::at(folder.path());
                Ok(Self { flow, store, staging, is_kept: false, _lock: None, _folder: Some(folder) })
            }
        }
    }

    /// What there is of a checkpoint, to be looked at: nothing is locked, made or changed. A logical name that the store
    /// does not know yet is as it will be when a run has made it.
    pub(super) fn look(checkpoint: &Checkpoint, flow: String) -> Result<Self, Error> {
        let new = || SqliteStore::in_memory(&flow, &effect::id(), clock::now_us());
        let (store, staging, is_kept) = match checkpoint {
            Checkpoint::Sqlite(path) => {
                is_there(path)?;
                let path = &folder::followed(path);
                let store = SqliteStore::look(path, &flow)?.map_or_else(new, Ok)?;
                (store, StagingArea::at(staging_path(path).join(&flow)), true)
            }
            Checkpoint::None => (new()?, StagingArea::at(env::temp_dir()), false),
        };
        Ok(Self { flow, store, staging, is_kept, _lock: None, _folder: None })
    }

    /// What the ledger inside the target of `port` is to say of an iteration whose staged rows have this `hash`; without
    /// a store there is none.
    pub(super) fn ticket(&self, port: &str, iteration: u64, hash: &str) -> Result<Option<Ticket>, Error> {
        if !self.is_kept {
            return Ok(None);
        }
        Ok(Some(Ticket {
            flow: self.flow.clone(),
            port: port.to_owned(),
            epoch: self.store.epoch().to_owned(),
            iteration,
            hash: hash.to_owned(),
            after: self.store.last_output(port, iteration)?,
            from: None,
        }))
    }

    /// Gives an attempt up: revokes it, and only then removes what it staged. One that is sealed and not done stays.
    pub(super) fn give_up(&self, attempt: &str, why: GivenUp<'_>) -> Result<(), Error> {
        if mutant(Mutant::CleanUpWithoutRevocation) || self.store.revoke(attempt, why)? {
            self.staging.remove(attempt)?;
        }
        Ok(())
    }

    /// Removes what runs that died have left behind: of every attempt that is still open or has something staged, what
    /// nobody wants any more. That is asked for each by itself, after it was found: what it staged may have been sealed
    /// meanwhile, by a run that does not know of our lock.
    pub(super) fn sweep(&self) -> Result<(), Error> {
        let mut attempts = self.staging.attempts()?;
        attempts.extend(self.store.open_attempts()?.into_iter().map(|attempt| attempt.id));
        attempts.sort();
        attempts.dedup();
        attempts.iter().try_for_each(|attempt| self.give_up(attempt, GivenUp::Revoked("its run has died")))
    }
}

/// Takes the lock of `flow`, where there is a store.
pub(super) fn lock(checkpoint: &Checkpoint, flow: &str) -> Result<Option<FlowLock>, Error> {
    match checkpoint {
        Checkpoint::Sqlite(path) => {
            is_there(path)?;
            // What belongs to a store lies beside it, not beside links to it.
            FlowLock::take(&folder::followed(path), flow, &effect::owner()).map(Some)
        }
        Checkpoint::None => Ok(None),
    }
}

/// Where the flows of a store stage what they read, each in a folder of its own.
pub(super) fn staging_path(store: &Path) -> PathBuf {
    let mut path = store.as_os_str().to_owned();
    path.push(".staging");
    path.into()
}
