//! Staging: an attempt's rows, durable before the seal.
//!
//! On the local disk: one directory an attempt, one file a port; a file holds the port's encoded rows, one after the other,
//! and nothing else. `write.rs` fills the files, `read.rs` reads them back; when an attempt is removed is the driver's to
//! say. A target that is read from elsewhere stages its rows itself, where it publishes them from ([`Stager`]): then any
//! machine can publish them, and `elsewhere.rs` notes here where they are. Either way the number of rows, their bytes and their hash stand in the seal, as a
//! [`StagedManifest`].

mod elsewhere;
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) mod fuzzing;
mod read;
mod write;

use std::{
    fmt, io,
    path::{Path, PathBuf},
};

use crate::{
    Error, Failure, Plan,
    effect::{disk, effect},
    folder,
    plan::PortPlan,
    value::RowBuffer,
};

pub use crate::origin::Origin;
pub(crate) use elsewhere::Elsewhere;
pub(crate) use read::describe_fields;
pub use read::{Staged, StagedRows};
pub use write::StagedAttempt;
pub(crate) use write::{is_by_shard, is_in_order};

/// What the name of a folder ends with that holds what an attempt needs only while it reads.
pub(crate) const SPILLED: &str = ".spill";

/// What an attempt has left in a target.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LeftBehind {
    /// The attempt.
    pub attempt: String,
    /// The bytes of its rows.
    pub bytes: u64,
    /// When the last of it was written, or, of what was published, replaced; in microseconds since the epoch of Unix.
    pub written_us: i64,
    /// The epoch that the target's ledger has, if it has one: the store of another does not know whose it is.
    pub epoch: Option<String>,
}

/// What an attempt has staged for one port: part of the seal.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct StagedManifest {
    /// The port.
    pub port: String,
    /// The file's name in the attempt's directory; or the address that the target has staged its rows at, which has a `://`.
    /// `None` when there are no rows.
    pub file: Option<String>,
    /// How many rows.
    pub rows: u64,
    /// How many bytes.
    pub bytes: u64,
    /// The hash of these bytes as they lie there, and, behind a `-`, one that is the same whichever shard came first.
    pub hash: String,
    /// The fields as they were when the rows were encoded: a changed program cannot read them.
    pub fields: String,
}

impl StagedManifest {
    /// The address that the target has staged the rows at, if it has done so itself.
    #[must_use]
    pub fn of_target(&self) -> Option<&str> {
        self.file.as_deref().filter(|file| file.contains("://"))
    }
}

/// Stages the rows of an attempt for a target that does so itself. Nothing of it is visible to who reads the target by its
/// manifests.
pub trait Stager: fmt::Debug + Send {
    /// Where the rows go: one place has one text, which holds no secret. What is staged there is removed by who stages there,
    /// too.
    fn place(&self) -> String;

    /// Is told where the rows come from that it is given next: errors alone depend on it.
    ///
    /// # Errors
    /// As [`write`](Self::write).
    fn note_origin(&mut self, origin: &Origin<'_>) -> Result<(), Error> {
        let _ = origin;
        Ok(())
    }

    /// Adds rows.
    ///
    /// # Errors
    /// What failed; the attempt is then given up.
    fn write(&mut self, rows: &RowBuffer) -> Result<(), Error>;

    /// Makes all rows durable, and says at which address: it has a `://`, and names this attempt's rows and no other's.
    ///
    /// # Errors
    /// As [`write`](Self::write).
    fn finish(self: Box<Self>) -> Result<String, Error>;
}

/// The directory in which attempts stage their rows.
///
/// # Example
/// ```
/// use flow_runtime::sink::staging::StagingArea;
/// let place = tempfile::tempdir().unwrap();
/// let area = StagingArea::open(place.path().join("staging"))?;
/// assert!(area.attempts()?.is_empty());
/// # Ok::<(), flow_runtime::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct StagingArea {
    directory: PathBuf,
}

impl StagingArea {
    /// Opens the directory and makes it if it is missing, durable with all directories that lead to it.
    ///
    /// # Errors
    /// [`Error::Store`] when it cannot be made.
    pub fn open(directory: impl Into<PathBuf>) -> Result<Self, Error> {
        Self::made(directory.into(), folder::make_durable)
    }

    /// As [`open`](Self::open), below a directory that is known to be durable.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub(crate) fn open_below(top: &Path, directory: PathBuf) -> Result<Self, Error> {
        Self::made(directory, |directory| folder::make_durable_below(top, directory))
    }

    fn made(directory: PathBuf, make: impl FnOnce(&Path) -> io::Result<()>) -> Result<Self, Error> {
        make(&directory).map_err(|error| failed("cannot make the staging directory", &directory, error))?;
        Ok(Self { directory })
    }

    /// The directory as it is, to be looked into.
    pub(crate) fn at(directory: impl Into<PathBuf>) -> Self {
        Self { directory: directory.into() }
    }

    /// Where it is.
    pub(crate) fn directory(&self) -> &Path {
        &self.directory
    }

    /// Begins an attempt; nothing is on disk before its first row.
    #[must_use]
    pub fn attempt(&self, attempt: &str, plan: &'static Plan) -> StagedAttempt {
        StagedAttempt::new(self.directory.join(attempt), plan)
    }

    /// Where an attempt may put what it needs only while it reads. It is not made; what is there is removed like an
    /// attempt, when its process has died.
    #[must_use]
    pub fn spill_directory(&self, attempt: &str) -> PathBuf {
        self.directory.join(format!("{attempt}{SPILLED}"))
    }

    /// Opens what an attempt has staged for `port`, and makes sure that it is what was sealed.
    ///
    /// # Errors
    /// [`Error::Held`] when the rows are missing, damaged or of other fields; [`Error::Store`] when they are unreadable.
    pub fn staged(&self, attempt: &str, manifest: &StagedManifest, port: &'static PortPlan) -> Result<Staged, Error> {
        Staged::open(&self.directory.join(attempt), manifest, port)
    }

    /// The attempts that have a directory, in the order of their ids; none where there is no staging directory.
    ///
    /// # Errors
    /// [`Error::Store`] when the directory cannot be listed.
    pub fn attempts(&self) -> Result<Vec<String>, Error> {
        let list = || -> io::Result<Vec<String>> {
            let names = match disk::names("stage", &self.directory) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
                names => names?,
            };
            Ok(names.into_iter().map(|name| name.to_string_lossy().into_owned()).collect())
        };
        let mut attempts = list().map_err(|error| failed("cannot list the staged attempts", &self.directory, error))?;
        attempts.sort();
        Ok(attempts)
    }

    /// The bytes of an attempt's rows.
    ///
    /// # Errors
    /// [`Error::Store`] when its directory cannot be listed.
    pub(crate) fn bytes(&self, attempt: &str) -> Result<u64, Error> {
        let directory = self.directory.join(attempt);
        let bytes = || -> io::Result<u64> {
            let files = disk::names("stage", &directory)?;
            let rows = files.iter().filter(|name| !name.to_str().is_some_and(elsewhere::is_note));
            rows.map(|name| Ok(disk::metadata("stage", &directory.join(name))?.len())).sum()
        };
        bytes().map_err(|error| failed("cannot look at staged rows", &directory, error))
    }

    /// Removes an attempt's rows: it was published everywhere, or abandoned. No rows are no error.
    ///
    /// # Errors
    /// [`Error::Store`] when they cannot be removed.
    pub fn remove(&self, attempt: &str) -> Result<(), Error> {
        let directory = self.directory.join(attempt);
        effect("stage.remove", || match disk::remove_dir_all("staged", &directory) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            removed => removed,
        })
        .map_err(|error| failed("cannot remove staged rows", &directory, error))
    }
}

/// The error for a disk that does not do what it should.
fn failed(what: &str, path: &Path, error: io::Error) -> Error {
    let help = match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            "rows are staged there before they are loaded: free some space and run again"
        }
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
            "rows are staged there before they are loaded: make it writable, or keep the checkpoint elsewhere"
        }
        _ => "rows are staged there before they are loaded: check the disk, or keep the checkpoint elsewhere",
    };
    Error::Store(Failure::new(what).at(path.display().to_string()).cause(error).help(help))
}

#[cfg(test)]
mod tests;
