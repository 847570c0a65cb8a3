//! Folders that outlive a power cut: a name is durable once the folder that it stands in is synced.

use std::{
    io::{self, ErrorKind},
    path::{Path, PathBuf, absolute},
};

use crate::effect::disk;

/// Links to follow from one to the next, as many as the system follows.
const LINKS_MAX: usize = 40;

/// The folder that a file is in.
pub(crate) fn parent(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

/// The one path of a file, which need not be there yet: absolute, and no link.
pub(crate) fn resolved(path: &Path) -> PathBuf {
    let mut path = path.to_owned();
    for _ in 0..LINKS_MAX {
        let Ok(to) = disk::read_link("path", &path) else { break };
        path = parent(&path).join(to);
    }
    match (disk::canonicalize("path", parent(&path)), path.file_name()) {
        (Ok(folder), Some(name)) => folder.join(name),
        _ => disk::canonicalize("path", &path).or_else(|_| absolute(&path)).unwrap_or(path),
    }
}

/// The file that a link leads to; another path stays as it is.
pub(crate) fn followed(path: &Path) -> PathBuf {
    if disk::read_link("path", path).is_ok() { resolved(path) } else { path.to_owned() }
}

/// Makes the names in a folder durable.
pub(crate) fn sync(folder: &Path) -> io::Result<()> {
    disk::sync_dir("folder", folder)
}

/// Makes a folder with all that lead to it, and makes their names durable.
///
/// A folder that is there may have been made by a run that died before it synced anything. So all of them are synced,
/// each time, up to one that this process may not open: nobody like it has made a name in there.
pub(crate) fn make_durable(folder: &Path) -> io::Result<()> {
    make_and_sync(Path::new("/"), folder, &mut sync)
}

/// As [`make_durable`], below a folder `top` that is known to be durable itself. To sync those above it costs most: other
/// programs write there.
pub(crate) fn make_durable_below(top: &Path, folder: &Path) -> io::Result<()> {
    make_and_sync(&absolute(top)?, folder, &mut sync)
}

fn make_and_sync(top: &Path, folder: &Path, sync: &mut dyn FnMut(&Path) -> io::Result<()>) -> io::Result<()> {
    disk::create_dir_all("folder", folder)?;
    sync(folder)?;
    for above in absolute(folder)?.ancestors().skip(1).take_while(|above| above.starts_with(top)) {
        match sync(above) {
            Err(error) if error.kind() == ErrorKind::PermissionDenied => break,
            // Some file systems have folders that cannot be synced.
            Err(error) if error.kind() != ErrorKind::InvalidInput => return Err(error),
            _ => {}
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::symlink};

    use super::*;

    fn synced(top: &Path, folder: &Path) -> Vec<PathBuf> {
        let mut synced = Vec::new();
        let mut note = |folder: &Path| -> io::Result<()> {
            synced.push(folder.to_owned());
            Ok(())
        };
        make_and_sync(top, folder, &mut note).unwrap();
        synced
    }

    #[test]
    fn every_folder_above_is_synced_whoever_made_it() {
        let place = tempfile::tempdir().unwrap();
        let folder = place.path().join("new/store.db.staging/flow");
        let all: Vec<PathBuf> = folder.ancestors().map(Path::to_owned).collect();
        let root = Path::new("/");
        assert_eq!(synced(root, &folder), all);
        assert!(folder.is_dir());
        // A run that died may have made it and synced nothing.
        assert_eq!(synced(root, &folder), all);
    }

    #[test]
    fn of_the_folders_above_one_that_is_durable_none_is_synced() {
        let place = tempfile::tempdir().unwrap();
        let folder = place.path().join("store.db.staging/flow");
        let below = [folder.clone(), place.path().join("store.db.staging"), place.path().to_owned()];
        assert_eq!(synced(place.path(), &folder), below);
    }

    #[test]
    fn what_may_not_be_opened_ends_it_and_what_fails_is_told() {
        let place = tempfile::tempdir().unwrap();
        let with = |kind: ErrorKind| {
            let mut calls = 0;
            let mut fail_above = |folder: &Path| -> io::Result<()> {
                calls += 1;
                if folder == place.path() { Ok(()) } else { Err(kind.into()) }
            };
            let made = make_and_sync(Path::new("/"), place.path(), &mut fail_above).map_err(|error| error.kind());
            (made, calls)
        };
        assert_eq!(with(ErrorKind::PermissionDenied), (Ok(()), 2));
        assert_eq!(with(ErrorKind::StorageFull), (Err(ErrorKind::StorageFull), 2));
    }

    #[test]
    fn a_file_has_one_path_whatever_leads_to_it_and_before_it_is_there() {
        let place = tempfile::tempdir().unwrap();
        let path = |name: &str| place.path().join(name);
        fs::create_dir(path("real")).unwrap();
        symlink("real", path("folder")).unwrap();
        symlink("real/new", path("link")).unwrap();
        symlink(path("link"), path("other")).unwrap();
        let expected = fs::canonicalize(path("real")).unwrap().join("new");
        for name in ["real/new", "folder/new", "real/../real/./new", "link", "other"] {
            assert_eq!(resolved(&path(name)), expected, "{name}");
        }
        assert_eq!(resolved(Path::new("new")), std::env::current_dir().unwrap().join("new"));
        assert_eq!(resolved(Path::new("missing/new")), std::env::current_dir().unwrap().join("missing/new"));
        symlink("circle", path("circle")).unwrap();
        resolved(&path("circle"));
    }

    #[test]
    fn the_parent_of_a_bare_name_is_the_working_directory() {
        assert_eq!((parent(Path::new("a.csv")), parent(Path::new("b/a.csv"))), (Path::new("."), Path::new("b")));
    }
}
