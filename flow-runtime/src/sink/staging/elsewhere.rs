//! Words for who clears up: an attempt has staged something at a target of this port, and where.
//!
//! A file for each port in the attempt's folder, durable before the first row goes there. The folder is what is found of an attempt
//! when its process has died, so it stays until all that its words tell of is removed.

use std::{
    io::{self, Write as _},
    path::Path,
};

use super::{StagingArea, failed};
use crate::{
    Error,
    effect::disk::{self, File},
    folder,
};

/// What the names of these files end with.
const ENDING: &str = ".elsewhere";

/// Rows of a port that its target has staged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Elsewhere {
    pub(crate) port: String,
    /// As the stager calls it; `None` where it is not said: then whatever the port is bound to has to know.
    pub(crate) place: Option<String>,
}

/// Leaves the word that rows of `port` are staged at `place`.
pub(super) fn note(directory: &Path, port: &str, place: &str) -> Result<(), Error> {
    let path = directory.join(format!("{port}{ENDING}"));
    let write = || -> io::Result<()> {
        disk::create_dir_all("stage", directory)?;
        let mut file = File::create("stage", &path)?;
        file.write_all(format!("{place}\n").as_bytes())?;
        file.sync()?;
        folder::sync(directory)?;
        folder::sync(folder::parent(directory))
    };
    write().map_err(|error| failed("cannot note where rows are staged", &path, error))
}

/// Whether a file is such a word.
pub(super) fn is_note(name: &str) -> bool {
    name.ends_with(ENDING)
}

impl StagingArea {
    /// The ports for which targets have staged rows of an attempt themselves; none where it has no folder.
    ///
    /// # Errors
    /// [`Error::Store`] when it cannot be looked at.
    pub(crate) fn elsewhere(&self, attempt: &str) -> Result<Vec<Elsewhere>, Error> {
        let directory = self.directory.join(attempt);
        let look = || -> io::Result<Vec<Elsewhere>> {
            let mut found = Vec::new();
            for name in disk::names("stage", &directory)? {
                let Some(port) = name.to_str().and_then(|name| name.strip_suffix(ENDING)) else { continue };
                let text = disk::read_to_string("stage", &directory.join(&name))?;
                // Without its end it was not written whole, or by a program that left it empty.
                let place = text.strip_suffix('\n').map(str::to_owned);
                found.push(Elsewhere { port: port.to_owned(), place });
            }
            found.sort_by(|one, other| one.port.cmp(&other.port));
            Ok(found)
        };
        match look() {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
            found => found.map_err(|error| failed("cannot look at staged rows", &directory, error)),
        }
    }

    /// Leaves the word that something of an attempt is at `place`, and makes its folder if there is none.
    ///
    /// # Errors
    /// [`Error::Store`] when it cannot be written.
    pub(crate) fn note_elsewhere(&self, attempt: &str, port: &str, place: &str) -> Result<(), Error> {
        note(&self.directory.join(attempt), port, place)
    }
}
