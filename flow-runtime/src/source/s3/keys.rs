//! Which keys an address means: one object and what is below it, or a glob.
//!
//! The text of the address alone decides it, not what happens to be there. `s3://bucket/logs` is the object `logs` and all
//! objects below `logs/`, not those of `logs-old/`; `s3://bucket/logs/` only those below; `s3://bucket/*.log` is a glob, as
//! with files.

use glob::{MatchOptions, Pattern};

use crate::{Address, Error, Failure};

/// `*` does what it does in a shell.
const AS_A_SHELL: MatchOptions =
    MatchOptions { case_sensitive: true, require_literal_separator: true, require_literal_leading_dot: true };

/// The keys of one address.
#[derive(Clone, Debug)]
pub(super) struct Keys {
    pub(super) bucket: String,
    /// What stands behind the bucket.
    text: String,
    glob: Option<Pattern>,
}

/// What to ask for, to find them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Asked<'k> {
    /// All keys that begin like this.
    Prefix(String),
    /// This key, if it is there.
    Exactly(&'k str),
}

impl Keys {
    pub(super) fn of(address: &Address) -> Result<Self, Error> {
        let wrong = |what: &str| {
            Error::Config(
                Failure::new(what)
                    .at(address.to_string())
                    .help("as in s3://bucket/hosts.txt, s3://bucket/logs/ or s3://bucket/logs/*.gz"),
            )
        };
        let rest = address.path().strip_prefix("//").ok_or_else(|| wrong("the address names no bucket"))?;
        let (bucket, text) = rest.split_once('/').unwrap_or((rest, ""));
        if bucket.is_empty() {
            return Err(wrong("the address names no bucket"));
        }
        let glob = match text.contains(['*', '[']) {
            false => None,
            true => Some(Pattern::new(text).map_err(|error| {
                let cause = format!("{}, at byte {}", error.msg, error.pos);
                Error::Config(
                    Failure::new("the glob is malformed")
                        .at(address.to_string())
                        .cause(cause)
                        .help("write `[[]` for a `[` that is meant as it is"),
                )
            })?),
        };
        Ok(Self { bucket: bucket.to_owned(), text: text.to_owned(), glob })
    }

    /// What to ask for, in the order of the keys.
    pub(super) fn asked(&self) -> Vec<Asked<'_>> {
        if self.glob.is_some() {
            let literal = self.text.find(['*', '[']).unwrap_or(self.text.len());
            return vec![Asked::Prefix(self.text[..literal].to_owned())];
        }
        if self.text.is_empty() || self.text.ends_with('/') {
            return vec![Asked::Prefix(self.text.clone())];
        }
        vec![Asked::Exactly(&self.text), Asked::Prefix(format!("{}/", self.text))]
    }

    /// Whether a key is meant that was found.
    pub(super) fn mean(&self, key: &str) -> bool {
        self.glob.as_ref().is_none_or(|glob| glob.matches_with(key, AS_A_SHELL))
    }

    /// Whether a key would be found, were it there.
    pub(super) fn include(&self, key: &str) -> bool {
        let is_found = |asked: &Asked<'_>| match asked {
            Asked::Prefix(prefix) => key.starts_with(prefix),
            Asked::Exactly(exactly) => key == *exactly,
        };
        self.asked().iter().any(is_found) && self.mean(key)
    }

    /// What an object is called.
    pub(super) fn name(&self, key: &str) -> String {
        format!("s3://{}/{key}", self.bucket)
    }

    /// The key of an object that is called like this.
    pub(super) fn key<'n>(&self, name: &'n str) -> Option<&'n str> {
        name.strip_prefix("s3://")?.strip_prefix(&*self.bucket)?.strip_prefix('/')
    }

    /// The address, without options.
    pub(super) fn place(&self) -> String {
        self.name(&self.text)
    }

    /// The error when there is no object.
    pub(super) fn nothing(&self) -> Error {
        let what = if self.glob.is_some() { "no object matches" } else { "no such object, and none below it" };
        Error::Input(Failure::new(what).at(self.place()).help("check the address"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(address: &str) -> Keys {
        Keys::of(&address.parse().unwrap()).unwrap()
    }

    #[test]
    fn an_address_asks_for_an_object_and_what_is_below_it_or_a_glob() {
        let prefix = |prefix: &str| Asked::Prefix(prefix.to_owned());
        for (address, asked) in [
            ("s3://b", vec![prefix("")]),
            ("s3://b/", vec![prefix("")]),
            ("s3://b/logs", vec![Asked::Exactly("logs"), prefix("logs/")]),
            ("s3://b/logs/", vec![prefix("logs/")]),
            ("s3://b/logs/2026-*/x", vec![prefix("logs/2026-")]),
            ("s3://b/*", vec![prefix("")]),
        ] {
            assert_eq!(keys(address).asked(), asked, "{address}");
        }
    }

    #[test]
    fn a_glob_means_what_it_would_in_a_shell() {
        for (address, key, expected) in [
            ("s3://b/logs/*.gz", "logs/a.gz", true),
            ("s3://b/logs/*.gz", "logs/x/a.gz", false),
            ("s3://b/logs/**/*.gz", "logs/x/y/a.gz", true),
            ("s3://b/logs/*", "logs/.a", false),
            ("s3://b/logs/*", "logs/_SUCCESS", true),
            ("s3://b/lo[[]gs*", "lo[gs.gz", true),
            ("s3://b/logs/", "logs/.a", true),
        ] {
            assert_eq!(keys(address).mean(key), expected, "{address} {key}");
        }
    }

    #[test]
    fn an_object_is_known_by_its_name() {
        let keys = keys("s3://b/logs/");
        assert_eq!(keys.key(&keys.name("logs/a b//c")), Some("logs/a b//c"));
        assert_eq!(keys.key("s3://bb/logs/a"), None);
    }

    #[test]
    fn an_address_without_a_bucket_or_with_half_a_glob_is_refused() {
        for (address, says) in [
            ("s3:bucket/a", "the address names no bucket (s3:bucket/a)"),
            ("s3:///a", "the address names no bucket"),
            ("s3://b/a[", "the glob is malformed (s3://b/a[)"),
        ] {
            let error = Keys::of(&address.parse().unwrap()).unwrap_err();
            assert!(matches!(error, Error::Config(_)) && error.to_string().contains(says), "{error}");
        }
    }
}
