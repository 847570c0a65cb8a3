//! The lock, the store and the staging area: free, readable, writable, with room.

use std::path::Path;

use super::Findings;
use crate::{
    Error, Failure,
    driver::{Checkpoint, checkpoint::OpenCheckpoint, place::Place},
    effect::disk,
    folder,
};

/// Room below which a run is told beforehand that it may not suffice.
const ROOM_BYTES_MIN: u64 = 16 * 1024 * 1024;

/// Whether the lock is free, and whether the store can be written; says whether files can be made beside it.
pub(super) fn place(found: &mut Findings, checkpoint: &Checkpoint, flow: &str) -> bool {
    let Some(Some(place)) = found.keep(None, checkpoint.kept()) else { return true };
    found.keep(None, place.look_at_lock(flow));
    match place {
        Place::Sqlite(path) => file(found, &folder::followed(&path)),
        #[cfg(feature = "aws")]
        Place::DynamoDb(place) => {
            if let Some(Some(note)) = found.keep(None, place.table().and_then(|table| table.check())) {
                found.note(None, note);
            }
            true
        }
    }
}

/// Whether the file of a store can be written; says whether files can be made beside it.
fn file(found: &mut Findings, path: &Path) -> bool {
    let help = "give --checkpoint a place that can be written to";
    let cannot = |path: &Path, cause: String| {
        let failure = Failure::new("cannot write the checkpoint store").at(path.display().to_string());
        Error::Store(failure.cause(cause).help(help))
    };
    // A file is not opened to find out: to close it again would drop the locks that SQLite has on it.
    if disk::there("store", path).is_ok_and(|found| found.is_some_and(|found| !found.is_dir())) {
        let writable = disk::check_writable("store", path);
        found.keep(None, writable.map_err(|error| cannot(path, error.to_string())));
    }
    let folder = first_that_is_there(folder::parent(path));
    // A file without a name tells whether files can be made there, and leaves nothing.
    let made = disk::probe("store", folder);
    found.keep(None, made.map_err(|error| cannot(folder, error.to_string()))).is_some()
}

/// Whether what a run will stage has room, going by what the iterations before have staged.
pub(super) fn room(found: &mut Findings, checkpoint: &OpenCheckpoint) {
    let folder = first_that_is_there(checkpoint.staging.directory());
    let made = disk::probe("stage", folder).map_err(|error| {
        Error::Store(
            Failure::new("cannot stage rows")
                .at(folder.display().to_string())
                .cause(error)
                .help("make it a folder that can be written to, or keep the checkpoint elsewhere"),
        )
    });
    if found.keep(None, made).is_none() {
        return;
    }
    let Some(staged_bytes_max) = found.keep(None, checkpoint.store.staged_bytes_max()) else { return };
    if let Ok(room_bytes) = disk::room_bytes("stage", folder)
        && let Some(little) = little_room(folder, room_bytes, staged_bytes_max)
    {
        found.note(None, little);
    }
}

/// What to say of a disk with so little room.
fn little_room(folder: &Path, room_bytes: u64, staged_bytes_max: u64) -> Option<Failure> {
    let cause = match () {
        () if room_bytes < staged_bytes_max => {
            format!("{room_bytes} bytes are free, an iteration before this one staged {staged_bytes_max}")
        }
        () if room_bytes < ROOM_BYTES_MIN => format!("{room_bytes} bytes are free"),
        () => return None,
    };
    let failure = Failure::new("the disk may have too little room to stage rows").at(folder.display().to_string());
    Some(failure.cause(cause).help("free some space, bound the iteration, or keep the checkpoint elsewhere"))
}

/// The folder, or the first above it that is there, whatever it is: a run makes the rest.
fn first_that_is_there(folder: &Path) -> &Path {
    folder.ancestors().find(|folder| disk::symlink_metadata("store", folder).is_ok()).unwrap_or(Path::new("."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disk_has_too_little_room_for_what_was_staged_before_or_for_anything_at_all() {
        let said = |room, staged| little_room(Path::new("/disk"), room, staged).map(|failure| failure.account());
        assert_eq!(said(ROOM_BYTES_MIN, ROOM_BYTES_MIN), None);
        let begin = "the disk may have too little room to stage rows (/disk): ";
        assert_eq!(said(7, 0), Some(format!("{begin}7 bytes are free")));
        let staged = format!("{begin}{} bytes are free, an iteration before this one staged {}", 1 << 30, 1_u64 << 31);
        assert_eq!(said(1 << 30, 1 << 31), Some(staged));
    }

    #[test]
    fn a_folder_that_is_not_there_is_made_in_one_that_is() {
        let place = tempfile::tempdir().unwrap();
        assert_eq!(first_that_is_there(&place.path().join("a/b")), place.path());
        assert_eq!(first_that_is_there(Path::new("nowhere/at/all")), Path::new("."));
    }
}
