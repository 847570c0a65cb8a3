//! Files and folders, as `std::fs` has them. An effect is named by what is acted on, which the caller says, and by the
//! act: `stage.write`.

use std::{
    ffi::OsString,
    fs::{self, Metadata, OpenOptions, Permissions, TryLockError},
    io::{self, ErrorKind, Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
};

use rustix::fs::{Access, AtFlags, CWD, accessat, statvfs};
use tempfile::TempDir;

use super::{Effect, pass};

fn act<T>(what: &'static str, verb: &'static str, path: &Path, act: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
    pass(Effect { what, verb, path: Some(path) }, act)
}

/// An open file; each read, write and sync of it is an effect.
#[derive(Debug)]
pub(crate) struct File {
    file: fs::File,
    path: PathBuf,
    what: &'static str,
}

impl File {
    /// Opens a file, or a folder, for reading.
    pub(crate) fn open(what: &'static str, path: &Path) -> io::Result<Self> {
        Self::open_with(what, path, OpenOptions::new().read(true))
    }

    /// Makes an empty file, or empties the one that is there.
    pub(crate) fn create(what: &'static str, path: &Path) -> io::Result<Self> {
        Self::open_with(what, path, OpenOptions::new().write(true).create(true).truncate(true))
    }

    /// Opens a file with these options.
    pub(crate) fn open_with(what: &'static str, path: &Path, options: &OpenOptions) -> io::Result<Self> {
        let file = act(what, "open", path, || options.open(path))?;
        Ok(Self { file, path: path.to_owned(), what })
    }

    /// What the file system says of it.
    pub(crate) fn metadata(&self) -> io::Result<Metadata> {
        self.act("look", || self.file.metadata())
    }

    /// Makes it as long as this.
    pub(crate) fn set_len(&self, bytes: u64) -> io::Result<()> {
        self.act("cut", || self.file.set_len(bytes))
    }

    /// Says who may do what with it.
    pub(crate) fn set_permissions(&self, permissions: Permissions) -> io::Result<()> {
        self.act("permit", || self.file.set_permissions(permissions))
    }

    /// Makes durable what was written.
    pub(crate) fn sync(&self) -> io::Result<()> {
        self.act("sync", || self.file.sync_all())
    }

    /// Takes the lock of the operating system, if nobody has it; says whether it did.
    pub(crate) fn try_lock(&self) -> io::Result<bool> {
        self.act("lock", || locked(self.file.try_lock()))
    }

    /// As [`try_lock`](Self::try_lock), for a lock that others may have as well.
    pub(crate) fn try_lock_shared(&self) -> io::Result<bool> {
        self.act("lock", || locked(self.file.try_lock_shared()))
    }

    fn act<T>(&self, verb: &'static str, act: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
        self::act(self.what, verb, &self.path, act)
    }
}

fn locked(taken: Result<(), TryLockError>) -> io::Result<bool> {
    match taken {
        Ok(()) => Ok(true),
        Err(TryLockError::WouldBlock) => Ok(false),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

impl Read for File {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut file = &self.file;
        self.act("read", || file.read(buffer))
    }
}

impl Write for File {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut file = &self.file;
        self.act("write", || file.write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Seek for File {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.file.seek(to)
    }
}

/// All bytes of a file.
pub(crate) fn read(what: &'static str, path: &Path) -> io::Result<Vec<u8>> {
    act(what, "read", path, || fs::read(path))
}

/// The certificates that the system believes, and what could not be read of them.
#[cfg(feature = "redshift")]
pub(crate) fn certificates(what: &'static str) -> io::Result<rustls_native_certs::CertificateResult> {
    pass(Effect { what, verb: "read", path: None }, || Ok(rustls_native_certs::load_native_certs()))
}

/// The text of a file.
pub(crate) fn read_to_string(what: &'static str, path: &Path) -> io::Result<String> {
    act(what, "read", path, || fs::read_to_string(path))
}

/// What the file system says of a path, or of what it links to.
pub(crate) fn metadata(what: &'static str, path: &Path) -> io::Result<Metadata> {
    act(what, "look", path, || fs::metadata(path))
}

/// What the file system says of a path, be it a link.
pub(crate) fn symlink_metadata(what: &'static str, path: &Path) -> io::Result<Metadata> {
    act(what, "look", path, || fs::symlink_metadata(path))
}

/// Where a link leads to.
pub(crate) fn read_link(what: &'static str, path: &Path) -> io::Result<PathBuf> {
    act(what, "look", path, || fs::read_link(path))
}

/// The one path of what is there: absolute, and no link.
pub(crate) fn canonicalize(what: &'static str, path: &Path) -> io::Result<PathBuf> {
    act(what, "look", path, || fs::canonicalize(path))
}

/// What the file system says of what is there; nothing only if it says that nothing is. A link that leads nowhere is
/// nothing.
pub(crate) fn there(what: &'static str, path: &Path) -> io::Result<Option<Metadata>> {
    if_there(metadata(what, path))
}

/// As [`there`], but a link is something, wherever it leads.
pub(crate) fn link_there(what: &'static str, path: &Path) -> io::Result<Option<Metadata>> {
    if_there(symlink_metadata(what, path))
}

fn if_there(found: io::Result<Metadata>) -> io::Result<Option<Metadata>> {
    match found {
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => Ok(None),
        found => found.map(Some),
    }
}

/// Finds out whether this process may write to a file, without opening it.
pub(crate) fn check_writable(what: &'static str, path: &Path) -> io::Result<()> {
    act(what, "look", path, || Ok(accessat(CWD, path, Access::WRITE_OK, AtFlags::EACCESS)?))
}

/// The room that is left on a folder's disk.
pub(crate) fn room_bytes(what: &'static str, folder: &Path) -> io::Result<u64> {
    let disk = act(what, "look", folder, || Ok(statvfs(folder)?))?;
    Ok(disk.f_bavail.saturating_mul(disk.f_frsize))
}

/// The names in a folder, in no order.
pub(crate) fn names(what: &'static str, folder: &Path) -> io::Result<Vec<OsString>> {
    act(what, "list", folder, || fs::read_dir(folder)?.map(|entry| Ok(entry?.file_name())).collect())
}

/// Makes a folder, and all that lead to it.
pub(crate) fn create_dir_all(what: &'static str, folder: &Path) -> io::Result<()> {
    act(what, "make", folder, || fs::create_dir_all(folder))
}

/// Makes the names in a folder durable.
pub(crate) fn sync_dir(what: &'static str, folder: &Path) -> io::Result<()> {
    act(what, "sync", folder, || fs::File::open(folder)?.sync_all())
}

/// Puts a file in the place of another.
pub(crate) fn rename(what: &'static str, from: &Path, to: &Path) -> io::Result<()> {
    act(what, "rename", from, || fs::rename(from, to))
}

/// Removes a file.
pub(crate) fn remove_file(what: &'static str, path: &Path) -> io::Result<()> {
    act(what, "remove", path, || fs::remove_file(path))
}

/// Removes an empty folder.
pub(crate) fn remove_dir(what: &'static str, folder: &Path) -> io::Result<()> {
    act(what, "remove", folder, || fs::remove_dir(folder))
}

/// Removes a folder with all that is in it.
pub(crate) fn remove_dir_all(what: &'static str, folder: &Path) -> io::Result<()> {
    act(what, "remove", folder, || fs::remove_dir_all(folder))
}

/// Finds out whether files can be made in a folder, by one without a name: nothing is left of it.
pub(crate) fn probe(what: &'static str, folder: &Path) -> io::Result<()> {
    act(what, "probe", folder, || tempfile::tempfile_in(folder).map(drop))
}

/// A folder that is gone when this is dropped.
pub(crate) fn temporary_folder(what: &'static str) -> io::Result<TempDir> {
    act(what, "make", Path::new(""), tempfile::tempdir)
}
