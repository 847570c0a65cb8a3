//! The order of reading: that of the paths, but what was rotated away is older than what it was rotated from.
//!
//! `access.log.2.gz`, `access.log.1`, `access.log`; `access.log-20261121`, `access.log-20261122`, `access.log`. A file
//! counts as rotated only beside the one that it was rotated from: `part.1`, `part.2` are read in this order.

use std::{cmp::Reverse, collections::HashSet};

/// Digits that make a suffix a date.
const DATE_DIGITS_MIN: usize = 6;

/// How old a file is among those that one was rotated into; the oldest is the least.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Age {
    /// The earlier date is the older.
    Dated(String),
    /// The greater number is the older.
    Numbered(Reverse<u64>),
    /// Compressed where it was.
    Compressed,
    /// Still written to.
    Live,
}

/// Sorts files by their paths, in reading order.
pub(super) fn sort<T>(files: &mut [T], path: impl Fn(&T) -> &str) {
    let paths: HashSet<String> = files.iter().map(|file| path(file).to_owned()).collect();
    files.sort_by_cached_key(|file| {
        let path = path(file);
        let (live, age) = match rotated(path) {
            Some((live, age)) if paths.contains(live) => (live, age),
            _ => (path, Age::Live),
        };
        (live.to_owned(), age, path.to_owned())
    });
}

/// The path that a file was rotated from, as far as its name tells.
fn rotated(path: &str) -> Option<(&str, Age)> {
    let name_start = path.rfind('/').map_or(0, |slash| slash + 1);
    let uncompressed = [".gz", ".zst"].iter().find_map(|end| path.strip_suffix(end));
    let rest = uncompressed.unwrap_or(path);
    let name = rest.get(name_start..)?;
    let separators = name.match_indices(['.', '-', '_']).map(|(at, _)| at).filter(|at| *at > 0);
    for at in separators {
        let (live, suffix) = (&rest[..name_start + at], &name[at + 1..]);
        let digits = suffix.bytes().filter(u8::is_ascii_digit).count();
        let is_dated = suffix.bytes().all(|byte| byte.is_ascii_digit() || b"-_.:T".contains(&byte));
        if is_dated && digits >= DATE_DIGITS_MIN {
            return Some((live, Age::Dated(suffix.to_owned())));
        }
        if let (Ok(number), true) = (suffix.parse(), name[at..].starts_with('.')) {
            return Some((live, Age::Numbered(Reverse(number))));
        }
    }
    uncompressed.map(|live| (live, Age::Compressed))
}

/// Whether a path is another and a suffix: `a.log.1`, `a.log-old`; not `part.10` after `part.1`.
pub(super) fn is_named_after(path: &str, origin: &str) -> bool {
    path.strip_prefix(origin).is_some_and(|suffix| suffix.starts_with(['.', '-', '_']))
}

/// Whether a path may be that of a file that was last at `former`: the same, named after it, or both rotated from one that
/// `is_live`, so that numbers are not but names.
pub(super) fn are_kin(path: &str, former: &str, is_live: &dyn Fn(&str) -> bool) -> bool {
    let live = |path| rotated(path).map(|(live, _)| live).filter(|live| is_live(live));
    path == former || is_named_after(path, former) || live(path).is_some_and(|name| Some(name) == live(former))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_kin_by_the_names_that_rotation_gives() {
        let kin = |path, former, live| are_kin(path, former, &|path| path == live);
        for (path, former) in
            [("a.log", "a.log"), ("a.log.1.gz", "a.log"), ("a.log.2", "a.log.1"), ("a.log-old", "a.log")]
        {
            assert!(kin(path, former, "a.log"), "{path} {former}");
        }
        for (path, former) in [("b.json", "a.json"), ("part.10", "part.1"), ("part.2", "part.1"), ("x/a.log", "a.log")]
        {
            assert!(!kin(path, former, "a.log"), "{path} {former}");
        }
        assert!(kin("part.1.gz", "part.1", "a.log"));
    }

    fn sorted(paths: &str) -> String {
        let mut paths: Vec<&str> = paths.split(' ').collect();
        sort(&mut paths, |path| path);
        paths.join(" ")
    }

    #[test]
    fn what_was_rotated_away_is_read_first_and_the_oldest_of_it_before_all() {
        for (paths, order) in [
            ("a.log a.log.1 a.log.10 a.log.2.gz b.log", "a.log.10 a.log.2.gz a.log.1 a.log b.log"),
            ("l/a.log l/a.log-20261122 l/a.log-20261121.zst", "l/a.log-20261121.zst l/a.log-20261122 l/a.log"),
            ("a.log a.log.2026-11-22 a.log.2026-11-21", "a.log.2026-11-21 a.log.2026-11-22 a.log"),
            ("a.log a.log.gz a.log.1", "a.log.1 a.log.gz a.log"),
        ] {
            assert_eq!(sorted(paths), order);
        }
    }

    #[test]
    fn without_the_file_that_is_written_to_numbers_are_but_names() {
        assert_eq!(sorted("part.2 part.1 part.10"), "part.1 part.10 part.2");
        assert_eq!(sorted("b.log a.log a.csv c/a.log"), "a.csv a.log b.log c/a.log");
    }

    #[test]
    fn a_name_that_is_all_suffix_is_a_name() {
        assert_eq!(sorted(".1 1 20261122 x/.1 -1"), "-1 .1 1 20261122 x/.1");
    }
}
