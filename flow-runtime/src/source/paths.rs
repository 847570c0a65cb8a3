//! Which files an address means: one path, or a glob. What is in them is `file.rs`' business.

use std::{
    env, fs,
    io::{self, ErrorKind},
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf, absolute},
};

use glob::{MatchOptions, Pattern, PatternError};

use crate::{Error, Failure};

/// `*` does what it does in a shell.
const AS_A_SHELL: MatchOptions =
    MatchOptions { case_sensitive: true, require_literal_separator: true, require_literal_leading_dot: true };

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
        self.text.contains(['*', '[']) && fs::symlink_metadata(&self.text).is_err()
    }

    /// The paths of the files that are there, sorted; a single path whether it is there or not.
    pub(super) fn list(&self) -> Result<Vec<String>, Error> {
        if !self.is_glob() {
            return Ok(vec![self.text.clone()]);
        }
        let mut paths = Vec::new();
        for path in glob::glob_with(&self.text, AS_A_SHELL).map_err(|error| self.malformed(&error))? {
            let path = path
                .map_err(|error| unreadable("cannot look for files", &error.path().to_string_lossy(), error.error()))?;
            if !path.is_dir() {
                paths.push(path.into_os_string().into_string().map_err(|path| {
                    Error::Input(Failure::new("the file's name is not UTF-8").at(path.to_string_lossy()))
                })?);
            }
        }
        if paths.is_empty() {
            return Err(Error::Input(Failure::new("no file matches").at(&self.text).help(check_the_address())));
        }
        paths.sort();
        Ok(paths)
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

/// Whether both paths lead to one file, there or not.
pub(crate) fn is_same_file(one: &Path, other: &Path) -> bool {
    let inode = |path| fs::metadata(path).ok().map(|found| (found.dev(), found.ino()));
    let inodes = (inode(one), inode(other));
    resolved(one) == resolved(other) || (inodes.0.is_some() && inodes.0 == inodes.1)
}

/// The path from the root on, without links as far as it is there.
fn resolved(path: &Path) -> PathBuf {
    let path = absolute(path).unwrap_or_else(|_| path.to_owned());
    match (fs::canonicalize(&path), path.parent(), path.file_name()) {
        (Ok(real), ..) => real,
        (Err(_), Some(folder), Some(name)) => resolved(folder).join(name),
        (Err(_), ..) => path,
    }
}

/// The error for a file that cannot be read.
pub(super) fn unreadable(what: &str, path: &str, error: &io::Error) -> Error {
    let failure = Failure::new(what).at(path).cause(error);
    Error::Input(match (error.kind(), fs::read_link(path)) {
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
    use std::os::unix::fs::symlink;

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
    fn a_relative_glob_begins_in_the_working_directory() {
        assert!(Paths::new("*.toml").include(Path::new("./new.toml")));
        assert!(Paths::new("src/../*.toml").include(&env::current_dir().unwrap().join("new.toml")));
        assert!(!Paths::new("*.toml").include(Path::new("src/new.toml")));
    }
}
