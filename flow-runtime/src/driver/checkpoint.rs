//! Where a run keeps what it must not forget: the lock, the store, and the staging area beside it.

use std::env;

use tempfile::TempDir;

use super::{Checkpoint, events, place::Lock, ports::Ports};
use crate::{
    Error, Failure,
    effect::{self, Mutant, clock, disk, mutant},
    iteration::{sqlite::SqliteStore, store::GivenUp, upkeep::Upkeep},
    sink::{
        Ticket,
        staging::{SPILLED, StagingArea},
    },
};

/// An opened [`Checkpoint`]; this run is the only one that has it.
#[derive(Debug)]
pub(super) struct OpenCheckpoint {
    pub(super) flow: String,
    pub(super) store: Box<dyn Upkeep>,
    pub(super) staging: StagingArea,
    /// Whether it outlives the run. Without a store the run has one in memory and stages in a folder of its own, and
    /// goes the same way as any other.
    pub(super) is_kept: bool,
    _lock: Option<Lock>,
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
        match checkpoint.kept()? {
            Some(place) => {
                let store = place.open(&flow, &effect::id(), clock::now_us())?;
                let staging = place.open_staging(&flow, &*store)?;
                Ok(Self { flow, store, staging, is_kept: true, _lock: None, _folder: None })
            }
            None => {
                let folder = disk::temporary_folder("stage").map_err(|error| {
                    // The cause names the folder.
                    let failure = Failure::new("cannot make a folder to stage rows in").cause(error);
                    Error::Store(failure.help("set TMPDIR to a folder that can be written to, on a disk with room"))
                })?;
                let (store, staging) = (in_memory(&flow)?, StagingArea::at(folder.path()));
                Ok(Self { flow, store, staging, is_kept: false, _lock: None, _folder: Some(folder) })
            }
        }
    }

    /// What there is of a checkpoint, to be looked at: nothing is locked, made or changed. A logical name that the store
    /// does not know yet is as it will be when a run has made it.
    pub(super) fn look(checkpoint: &Checkpoint, flow: String) -> Result<Self, Error> {
        let (store, staging, is_kept) = match checkpoint.kept()? {
            Some(place) => {
                place.refuse_what_is_none()?;
                let store = place.look(&flow)?.map_or_else(|| in_memory(&flow), Ok)?;
                let staging = StagingArea::at(place.staging(&flow, &*store));
                (store, staging, true)
            }
            None => (in_memory(&flow)?, StagingArea::at(env::temp_dir()), false),
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

    /// Gives an attempt up: revokes it, and only then removes what it staged, in the targets and here. One that is sealed
    /// and not done stays.
    pub(super) fn give_up(&self, ports: &Ports, attempt: &str, why: GivenUp<'_>) -> Result<(), Error> {
        if mutant(Mutant::CleanUpWithoutRevocation) || self.store.revoke(attempt, why)? {
            self.remove_staged(ports, attempt)?;
        }
        Ok(())
    }

    /// Removes what an attempt has staged, which nobody wants any more: in the targets, and then here, where its folder is
    /// what the next sweep finds it by. A target that cannot be reached now keeps nobody from reading or from being done.
    pub(super) fn remove_staged(&self, ports: &Ports, attempt: &str) -> Result<(), Error> {
        // What was spilled has a name of its own, and targets know nothing of it.
        if attempt.ends_with(SPILLED) {
            return self.staging.remove(attempt);
        }
        let noted = self.staging.elsewhere(attempt)?;
        let left = ports.remove_staged(attempt, noted.clone());
        for (elsewhere, error) in &left {
            events::left_behind(&self.flow, attempt, error);
            // Another machine's attempt has no folder here.
            if let Some(place) = elsewhere.place.as_ref().filter(|_| !noted.contains(elsewhere)) {
                self.staging.note_elsewhere(attempt, &elsewhere.port, place)?;
            }
        }
        if left.is_empty() { self.staging.remove(attempt) } else { Ok(()) }
    }

    /// Removes what runs that died have left behind: of every attempt that is still open or has something staged, what
    /// nobody wants any more. That is asked for each by itself, after it was found: what it staged may have been sealed
    /// meanwhile, by a run that does not know of our lock.
    pub(super) fn sweep(&self, ports: &Ports) -> Result<(), Error> {
        let mut attempts = self.staging.attempts()?;
        attempts.extend(self.store.open_attempts()?.into_iter().map(|attempt| attempt.id));
        attempts.sort();
        attempts.dedup();
        attempts.iter().try_for_each(|attempt| self.give_up(ports, attempt, GivenUp::Revoked("its run has died")))
    }
}

/// Takes the lock of `flow`, where there is a store.
pub(super) fn lock(checkpoint: &Checkpoint, flow: &str) -> Result<Option<Lock>, Error> {
    let Some(place) = checkpoint.kept()? else { return Ok(None) };
    place.refuse_what_is_none()?;
    place.lock(flow).map(Some)
}

/// A store that goes with the run.
fn in_memory(flow: &str) -> Result<Box<dyn Upkeep>, Error> {
    Ok(Box::new(SqliteStore::in_memory(flow, &effect::id(), clock::now_us())?))
}
