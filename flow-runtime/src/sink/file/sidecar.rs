//! The ledger of a file: `counts.csv.flow` beside `counts.csv`.

use std::{
    ffi::OsString,
    io::{self, Write},
    path::{Path, PathBuf},
};

use xxhash_rust::xxh3::xxh3_64;

use super::write_failed;
use crate::{
    Error, Failure,
    effect::disk::{self, File},
    folder,
    held::Cause,
    sink::ledger::LedgerEntry,
};

/// What is known of a file: up to `length` it is as it was published.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(super) struct Sidecar {
    /// The flow's logical name.
    pub(super) flow: String,
    /// Its port.
    pub(super) port: String,
    /// The file's length in bytes.
    pub(super) length: u64,
    /// The iteration that made it so long.
    #[serde(flatten)]
    pub(super) last: LedgerEntry,
}

/// A sidecar as it is kept. A digit of its length that the disk changed would have rows cut off.
#[derive(serde::Serialize, serde::Deserialize)]
struct Kept<S> {
    #[serde(flatten)]
    sidecar: S,
    /// Of the sidecar as JSON without it.
    checksum: String,
}

impl Sidecar {
    fn checksum(&self) -> serde_json::Result<String> {
        serde_json::to_vec(self).map(|text| format!("{:016x}", xxh3_64(&text)))
    }

    /// The sidecar of the file `path`, if there is one.
    ///
    /// # Errors
    /// [`Error::Held`] when it cannot be understood; [`Error::Target`] when it cannot be read.
    pub(super) fn read(path: &Path) -> Result<Option<Self>, Error> {
        let place = Self::place(path);
        let text = match disk::read("sidecar", &place) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            read => read.map_err(|error| write_failed("cannot read the ledger of a file", &place, error))?,
        };
        let damaged = |cause: String| {
            let help = "put it back as it was; or empty the file, remove its ledger, and have the flow read all again";
            let failure = Failure::new("the ledger of a file is damaged").at(place.display().to_string()).cause(cause);
            Error::Held(failure.help(help).held(Cause::LedgerDamaged.case().path(path.display().to_string())))
        };
        let kept: Kept<Self> = serde_json::from_slice(&text).map_err(|error| damaged(error.to_string()))?;
        match kept.sidecar.checksum() {
            Ok(checksum) if checksum == kept.checksum => Ok(Some(kept.sidecar)),
            _ => Err(damaged("its checksum is another".to_owned())),
        }
    }

    /// Puts the sidecar in the place of the last one, in one step that outlives a power cut.
    ///
    /// # Errors
    /// [`Error::Target`] when it cannot be written.
    pub(super) fn write(&self, path: &Path) -> Result<(), Error> {
        let place = Self::place(path);
        let unfinished = beside(path, ".flow.new");
        let write = || -> io::Result<()> {
            let mut file = File::create("sidecar", &unfinished)?;
            let mut text = serde_json::to_vec(&Kept { sidecar: self, checksum: self.checksum()? })?;
            text.push(b'\n');
            file.write_all(&text)?;
            file.sync()?;
            disk::rename("sidecar", &unfinished, &place)?;
            sync_parent(&place)
        };
        write().map_err(|error| write_failed("cannot write the ledger of a file", &place, error))
    }

    /// Removes the sidecar; none is no error.
    ///
    /// # Errors
    /// [`Error::Target`] when it cannot be removed.
    pub(super) fn remove(path: &Path) -> Result<(), Error> {
        let place = Self::place(path);
        match disk::remove_file("sidecar", &place).and_then(|()| sync_parent(&place)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            removed => removed.map_err(|error| write_failed("cannot remove the ledger of a file", &place, error)),
        }
    }

    /// Where the sidecar of the file `path` is.
    pub(super) fn place(path: &Path) -> PathBuf {
        beside(path, ".flow")
    }
}

/// The path with something added to its name.
pub(super) fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(ending);
    name.into()
}

/// Makes a new name in a file's directory durable.
pub(super) fn sync_parent(path: &Path) -> io::Result<()> {
    folder::sync(folder::parent(path))
}
