//! Which files an address means: one path, or a glob. What is in them is `file.rs`' business.

use std::{
    env,
    ffi::OsString,
    fs::Metadata,
    io::{self, ErrorKind},
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf, absolute},
};

use glob::{MatchOptions, Pattern, PatternError};

use crate::{Error, Failure, effect::disk};

/// `*` does what it does in a shell.
const AS_A_SHELL: MatchOptions =
    MatchOptions { case_sensitive: true, require_literal_separator: true, require_literal_leading_dot: true };

/// What the name of a file's ledger ends with.
const LEDGER: &str = ".flow";

/// The files of one address.
#[derive(Clone, Debug)]
pub(crate) struct Paths {
    text: String,
}

impl Paths {
    pub(crate) fn new(text: &str) -> Self {
        Self { text: text.to_owned() }
    }

    /// A file may have a `*` or `[` in its name.
    fn is_glob(&self) -> bool {
        self.text.contains(['*', '[']) && !matches!(link_there(self.text.as_ref()), Ok(Some(_)))
    }

    /// The paths of the files that are there, in no order; a single path whether it is there or not.
    pub(super) fn list(&self) -> Result<Vec<String>, Error> {
        if !self.is_glob() {
            return Ok(vec![self.text.clone()]);
        }
        let parts: Vec<&str> = self.text.split('/').filter(|part| !part.is_empty()).collect();
        let begin = if self.text.starts_with('/') { "/" } else { "" };
        Pattern::new(&self.text).map_err(|error| self.malformed(&error))?;
        let mut found = Vec::new();
        self.walk(Path::new(begin), &parts, &mut found)?;
        let mut paths = Vec::new();
        let means_ledgers = parts.last().is_some_and(|name| name.contains(LEDGER));
        for path in found {
            if there(&path)?.is_some_and(|found| found.is_dir()) || (is_ledger(&path) && !means_ledgers) {
                continue;
            }
            paths.push(path.into_os_string().into_string().map_err(|path| {
                Error::Input(Failure::new("the file's name is not UTF-8").at(path.to_string_lossy()).help("rename it"))
            })?);
        }
        paths.sort();
        // `**/**` finds the same several times.
        paths.dedup();
        Ok(paths)
    }

    /// The error when there is no file.
    pub(super) fn nothing(&self) -> Error {
        if self.is_glob() {
            return Error::Input(Failure::new("no file matches").at(&self.text).help(check_the_address()));
        }
        let looked_at = disk::metadata("source", self.text.as_ref());
        let error = looked_at.err().unwrap_or_else(|| ErrorKind::NotFound.into());
        unreadable("cannot read the file", &self.text, &error)
    }

    /// Finds what matches `parts` below `folder`. A name that is not UTF-8 matches by what can be shown of it, so that
    /// no file is passed over in silence; `**` does not follow links, which may lead in a circle.
    fn walk(&self, folder: &Path, parts: &[&str], found: &mut Vec<PathBuf>) -> Result<(), Error> {
        let Some((part, rest)) = parts.split_first() else {
            found.extend(link_there(folder)?.map(|_| folder.to_owned()));
            return Ok(());
        };
        if *part == "**" {
            self.walk(folder, rest, found)?;
            for name in names(folder)?.iter().filter(|name| !name.as_encoded_bytes().starts_with(b".")) {
                let below = folder.join(name);
                if link_there(&below)?.is_some_and(|below| below.is_dir()) {
                    self.walk(&below, parts, found)?;
                }
            }
            return Ok(());
        }
        if !part.contains(['*', '[']) {
            return self.walk(&folder.join(part), rest, found);
        }
        let pattern = Pattern::new(part).map_err(|error| self.malformed(&error))?;
        for name in names(folder)?.iter().filter(|name| pattern.matches_with(&name.to_string_lossy(), AS_A_SHELL)) {
            self.walk(&folder.join(name), rest, found)?;
        }
        Ok(())
    }

    /// Whether a path that was once listed would be listed again.
    pub(super) fn mean(&self, path: &str) -> bool {
        let parts: Vec<&str> = self.text.split('/').filter(|part| !part.is_empty()).collect();
        let begin = if self.text.starts_with('/') { "/" } else { "" };
        let glob = Pattern::new(&format!("{begin}{}", parts.join("/")));
        self.text == path || (self.is_glob() && glob.is_ok_and(|glob| glob.matches_with(path, AS_A_SHELL)))
    }

    /// Whether `path` is one of the files, or would be once it is there; under whatever name.
    pub(crate) fn include(&self, path: &Path) -> bool {
        let listed = self.list().unwrap_or_default();
        listed.iter().any(|listed| is_same_file(Path::new(listed), path))
            || (self.is_glob()
                && self.resolved().is_some_and(|glob| glob.matches_path_with(&resolved(path), AS_A_SHELL)))
    }

    /// The glob as one of absolute paths without links.
    fn resolved(&self) -> Option<Pattern> {
        let first = self.text.find(['*', '['])?;
        let (folder, rest) = match self.text[..first].rfind('/') {
            Some(slash) => self.text.split_at(slash + 1),
            None => ("./", self.text.as_str()),
        };
        let folder = resolved(Path::new(folder));
        let folder = folder.to_str()?.trim_end_matches('/');
        Pattern::new(&format!("{}/{rest}", Pattern::escape(folder))).ok()
    }

    fn malformed(&self, error: &PatternError) -> Error {
        Error::Config(
            Failure::new("the glob is malformed")
                .at(&self.text)
                .cause(format!("{}, at byte {}", error.msg, error.pos))
                .help("write `[[]` for a `[` that is meant as it is"),
        )
    }
}

/// Whether this is the ledger of a file that a flow writes, or what a ledger is made of, and so nobody's records.
pub(super) fn is_ledger(path: &Path) -> bool {
    let name = path.file_name().map(|name| name.to_string_lossy()).unwrap_or_default();
    name.ends_with(LEDGER) || name.ends_with(".flow.rows")
}

/// What the file system says of a file that is there. What it does not tell is an error: taken for gone, a file that is
/// there would be read anew where it lives on.
pub(super) fn there(path: &Path) -> Result<Option<Metadata>, Error> {
    disk::there("source", path).map_err(|error| unreadable("cannot look at the file", &path.to_string_lossy(), &error))
}

/// The same, of a link itself.
pub(super) fn link_there(path: &Path) -> Result<Option<Metadata>, Error> {
    let found = disk::link_there("source", path);
    found.map_err(|error| unreadable("cannot look at the file", &path.to_string_lossy(), &error))
}

/// What is in a folder; nothing in what is none.
pub(super) fn names(folder: &Path) -> Result<Vec<OsString>, Error> {
    let place = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    match disk::names("source", place) {
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => Ok(Vec::new()),
        names => names.map_err(|error| unreadable("cannot look for files", &place.to_string_lossy(), &error)),
    }
}

/// Whether both paths lead to one file, there or not.
pub(crate) fn is_same_file(one: &Path, other: &Path) -> bool {
    let inode = |path| disk::metadata("path", path).ok().map(|found| (found.dev(), found.ino()));
    let inodes = (inode(one), inode(other));
    resolved(one) == resolved(other) || (inodes.0.is_some() && inodes.0 == inodes.1)
}

/// The path from the root on, without links as far as it is there.
fn resolved(path: &Path) -> PathBuf {
    let path = absolute(path).unwrap_or_else(|_| path.to_owned());
    match (disk::canonicalize("path", &path), path.parent(), path.file_name()) {
        (Ok(real), ..) => real,
        (Err(_), Some(folder), Some(name)) => resolved(folder).join(name),
        (Err(_), ..) => path,
    }
}

/// The error for a file that cannot be read.
pub(super) fn unreadable(what: &str, path: &str, error: &io::Error) -> Error {
    let failure = Failure::new(what).at(path).cause(error);
    Error::Input(match (error.kind(), disk::read_link("path", path.as_ref())) {
        (ErrorKind::NotFound, Ok(target)) => {
            failure.help(format!("it is a link to {}: mend the link, or check the address", target.display()))
        }
        (ErrorKind::NotFound, Err(_)) => failure.help(check_the_address()),
        (ErrorKind::PermissionDenied, _) => failure.help("make it readable for the user of this process"),
        _ => failure,
    })
}

fn check_the_address() -> String {
    match env::current_dir() {
        Ok(folder) => format!("check the address; relative paths begin in {}", folder.display()),
        Err(_) => "check the address".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::{
        ffi::OsStr,
        fs,
        os::unix::{ffi::OsStrExt as _, fs::symlink},
    };

    use tempfile::TempDir;

    use super::*;

    #[test]
    fn a_path_includes_itself_under_all_its_names() {
        let dir = TempDir::new().unwrap();
        let path = |name: &str| dir.path().join(name);
        fs::write(path("a"), "").unwrap();
        fs::create_dir(path("folder")).unwrap();
        symlink(path("a"), path("link")).unwrap();
        fs::hard_link(path("a"), path("hard")).unwrap();
        let includes = |text: &str, name: &str| Paths::new(path(text).to_str().unwrap()).include(&path(name));
        for name in ["a", "link", "hard", "folder/../a", "./a"] {
            assert!(includes("a", name) && includes(name, "a"), "{name}");
        }
        assert!(includes("new", "folder/../new"));
        assert!(!includes("a", "b") && !includes("new", "a"));
    }

    #[test]
    fn a_glob_includes_what_it_will_match() {
        let dir = TempDir::new().unwrap();
        let path = |name: &str| dir.path().join(name);
        fs::create_dir(path("[logs]")).unwrap();
        fs::write(path("elsewhere"), "").unwrap();
        symlink(path("[logs]"), path("link")).unwrap();
        symlink(path("elsewhere"), path("[logs]/e.log")).unwrap();
        let glob = Paths::new(path("link/*.log").to_str().unwrap());
        for (name, expected) in [
            ("[logs]/new.log", true),
            ("link/new.log", true),
            ("elsewhere", true),
            ("[logs]/new.csv", false),
            ("[logs]/.new.log", false),
            ("[logs]/deeper/new.log", false),
            ("new.log", false),
        ] {
            assert_eq!(glob.include(&path(name)), expected, "{name}");
        }
    }

    #[test]
    fn a_glob_lists_what_a_shell_would_in_the_order_of_paths() {
        let dir = TempDir::new().unwrap();
        for folder in ["x", "x/y", "x/.hidden", "z"] {
            fs::create_dir(dir.path().join(folder)).unwrap();
        }
        for file in ["b.log", "a.log", ".c.log", "a.csv", "x/d.log", "x/y/e.log", "x/.hidden/f.log", "z/d.log"] {
            fs::write(dir.path().join(file), "").unwrap();
        }
        symlink("x", dir.path().join("link")).unwrap();
        symlink("nowhere", dir.path().join("dangling.log")).unwrap();
        let list = |glob: &str| -> String {
            let paths = Paths::new(dir.path().join(glob).to_str().unwrap()).list().unwrap();
            let below = |path: String| Path::new(&path).strip_prefix(dir.path()).unwrap().display().to_string();
            paths.into_iter().map(below).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(list("*.log"), "a.log b.log dangling.log");
        assert_eq!(list(".*.log"), ".c.log");
        assert_eq!(list("[ab].*"), "a.csv a.log b.log");
        assert_eq!(list("*/d.log"), "link/d.log x/d.log z/d.log");
        assert_eq!(list("x/../*/d.l[o]g"), "x/../link/d.log x/../x/d.log x/../z/d.log");
        assert_eq!(list("**/*.log"), "a.log b.log dangling.log x/d.log x/y/e.log z/d.log");
        assert_eq!(list("x/**/e.log"), "x/y/e.log");
        assert!(Paths::new("src/*/handle.rs").list().unwrap() == ["src/sink/handle.rs", "src/source/handle.rs"]);
        assert_eq!(Paths::new("*.log/*").list().unwrap(), [""; 0]);
    }

    #[test]
    fn what_was_listed_is_meant() {
        for (address, path, expected) in [
            ("a.log", "a.log", true),
            ("a.log", "b.log", false),
            ("logs//*.log", "logs/a.log", true),
            ("/logs/**/*.log", "/logs/x/y/a.log", true),
            ("logs/*.log", "logs/x/a.log", false),
            ("logs/*", "logs/.a", false),
        ] {
            assert_eq!(Paths::new(address).mean(path), expected, "{address} {path}");
        }
    }

    #[test]
    fn a_name_that_is_not_utf_8_is_refused_only_where_it_matches() {
        let dir = TempDir::new().unwrap();
        fs::write(dir.path().join(OsStr::from_bytes(b"\xff.log")), "").unwrap();
        fs::write(dir.path().join("a.csv"), "").unwrap();
        let list = |glob: &str| Paths::new(dir.path().join(glob).to_str().unwrap()).list();
        assert_eq!(list("*.csv").unwrap().len(), 1);
        let error = list("*.log").unwrap_err().to_string();
        assert!(error.contains("not UTF-8") && error.contains("\u{fffd}.log"), "{error}");
    }

    #[test]
    fn a_relative_glob_begins_in_the_working_directory() {
        assert!(Paths::new("*.toml").include(Path::new("./new.toml")));
        assert!(Paths::new("src/../*.toml").include(&env::current_dir().unwrap().join("new.toml")));
        assert!(!Paths::new("*.toml").include(Path::new("src/new.toml")));
    }
}
