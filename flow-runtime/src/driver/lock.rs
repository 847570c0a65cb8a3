//! The lock that keeps two runs of one flow apart.
//!
//! It is a lock of the operating system on a file beside the store, so a run that dies lets go of it. It saves work and
//! gives a clear message; that at most one attempt of an iteration is sealed does not hang on it.

use std::{
    fs::OpenOptions,
    io::{ErrorKind, Read as _, Seek as _, Write as _},
    path::{Path, PathBuf},
    time::SystemTime,
};

use crate::{
    Error, Failure,
    effect::{
        disk::{self, File},
        is_flow_lock_off,
    },
    folder,
};

/// Held as long as it lives.
#[derive(Debug)]
pub(crate) struct FlowLock {
    _file: File,
}

impl FlowLock {
    /// Takes the lock of `flow` beside `store`, and writes `owner` into it.
    ///
    /// # Errors
    /// [`Error::Busy`], with the other's owner, when another run has it; [`Error::Store`] when the file cannot be made.
    pub(crate) fn take(store: &Path, flow: &str, owner: &str) -> Result<Self, Error> {
        let path = lock_path(store, flow);
        let fail = |error: std::io::Error| {
            let failure = Failure::new("cannot lock the checkpoint store").at(path.display().to_string());
            let help = match error.kind() {
                ErrorKind::StorageFull | ErrorKind::QuotaExceeded => "make room on its disk and run again",
                _ => "give --checkpoint a place that can be written to",
            };
            Error::Store(failure.cause(error).help(help))
        };
        // The store is made after its folder was made durable, and so is the way to it.
        if disk::there("store", store).map_err(fail)?.is_none() {
            folder::make_durable(folder::parent(&path)).map_err(fail)?;
        }
        // Never truncated before it is locked, never deleted: another run may hold it.
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        let mut file = File::open_with("lock", &path, &options).map_err(fail)?;
        if !is_flow_lock_off() && !file.try_lock().map_err(fail)? {
            return Err(busy(&read_owner(&mut file), flow, store));
        }
        write_owner(&mut file, owner).map_err(fail)?;
        Ok(Self { _file: file })
    }

    /// Makes sure, without taking it, that nobody has the lock.
    ///
    /// # Errors
    /// As [`take`](Self::take).
    pub(crate) fn look(store: &Path, flow: &str) -> Result<(), Error> {
        match Self::holder(store, flow) {
            None => Ok(()),
            Some((owner, _)) => Err(busy(&owner, flow, store)),
        }
    }

    /// Who has the lock, and since when, if anybody. A run that begins at this very moment may be told that the lock is
    /// taken: to look at a lock is to hold it for an instant.
    pub(crate) fn holder(store: &Path, flow: &str) -> Option<(String, Option<SystemTime>)> {
        let mut file = File::open("lock", &lock_path(store, flow)).ok()?;
        match file.try_lock_shared() {
            Ok(false) => {
                let taken = file.metadata().and_then(|facts| facts.modified()).ok();
                Some((read_owner(&mut file), taken))
            }
            Ok(true) | Err(_) => None,
        }
    }
}

fn write_owner(file: &mut File, owner: &str) -> std::io::Result<()> {
    file.set_len(0)?;
    file.rewind()?;
    file.write_all(owner.as_bytes())
}

fn lock_path(store: &Path, flow: &str) -> PathBuf {
    let mut path = store.as_os_str().to_owned();
    path.push(format!(".{flow}.lock"));
    path.into()
}

/// Who has written his name into the lock: for messages only, for whoever has it may not have written yet.
fn read_owner(file: &mut File) -> String {
    let mut owner = String::new();
    if file.read_to_string(&mut owner).is_err() || owner.is_empty() {
        "another process".clone_into(&mut owner);
    }
    owner
}

fn busy(owner: &str, flow: &str, store: &Path) -> Error {
    Error::Busy(
        Failure::new(format!("another run of `{flow}` is under way"))
            .at(format!("{owner}, store {}", store.display()))
            .help("wait for it, or give this run a store of its own"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_run_is_told_who_has_the_lock_and_gets_it_afterwards() {
        let folder = tempfile::tempdir().unwrap();
        let store = folder.path().join("new/store.db");
        let first = FlowLock::take(&store, "counts", "pid 4711, since noon").unwrap();
        let error = FlowLock::take(&store, "counts", "pid 42").unwrap_err();
        assert!(matches!(&error, Error::Busy(_)) && error.to_string().contains("pid 4711, since noon"), "{error}");
        drop(first);
        FlowLock::take(&store, "counts", "pid 42").unwrap();
    }

    #[test]
    fn to_look_at_the_lock_neither_makes_nor_takes_it() {
        let folder = tempfile::tempdir().unwrap();
        let store = folder.path().join("store.db");
        FlowLock::look(&store, "counts").unwrap();
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
        let first = FlowLock::take(&store, "counts", "pid 4711").unwrap();
        let error = FlowLock::look(&store, "counts").unwrap_err();
        assert!(matches!(&error, Error::Busy(_)) && error.to_string().contains("pid 4711"), "{error}");
        drop(first);
        FlowLock::look(&store, "counts").unwrap();
    }

    #[test]
    fn two_flows_of_one_store_do_not_wait_for_each_other() {
        let folder = tempfile::tempdir().unwrap();
        let store = folder.path().join("store.db");
        let _counts = FlowLock::take(&store, "counts", "pid 1").unwrap();
        FlowLock::take(&store, "others", "pid 1").unwrap();
    }
}
