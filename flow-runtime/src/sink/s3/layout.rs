//! Which keys there are below a prefix.
//!
//! Data objects are where readers of folders look for them, `[day=2026-11-22/]{attempt}-{part}.csv.gz`. All else is below
//! `_flow/`, which those readers pass over: `current.json`, `manifests/{attempt}/` and, before they are published,
//! `staged/{attempt}/`.

use std::collections::BTreeSet;

use crate::{Address, Error, Failure, aws::limits::KEY_BYTES_MAX, plan::FieldPlan};

/// Bytes of an attempt, `{iteration}-{id}`, at most.
const ATTEMPT_BYTES: usize = 20 + 1 + 32;

/// Bytes of an object's name behind its folder, `{attempt}-{part}.json.zst`, at most.
const NAME_BYTES: usize = ATTEMPT_BYTES + 1 + 10 + 9;

/// Bytes of a key below `_flow/`, at most.
const OWN_BYTES: usize = "_flow/manifests/".len() + ATTEMPT_BYTES + 1 + INDEX.len() + 32 + ".json".len();

/// What the names of indexes begin with; those of manifests are hexadecimal.
const INDEX: &str = "index-";

/// A prefix in a bucket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Layout {
    pub(super) bucket: String,
    /// Ends with `/`, unless it is empty.
    prefix: String,
    /// What names folders.
    fields: &'static [FieldPlan],
}

/// What an object that an attempt has written is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Below `staged/`.
    Note,
    Manifest,
    Rows,
}

impl Layout {
    pub(super) fn of(address: &Address, fields: &'static [FieldPlan]) -> Result<Self, Error> {
        let refuse = |what: &str| {
            let failure = Failure::new(what).at(address.to_string());
            Err(Error::Config(failure.help("write s3://bucket/prefix, as in s3://warehouse/hits")))
        };
        let Some((bucket, prefix)) = split(address.path()) else { return refuse("the address names no bucket") };
        if prefix.contains(['*', '?', '[']) {
            return refuse("rows cannot be written to a glob");
        }
        if prefix.split('/').any(|name| name == "_flow") {
            return refuse("what is below `_flow/` is written by flow alone");
        }
        let prefix = if prefix.is_empty() { String::new() } else { format!("{prefix}/") };
        if prefix.len() + OWN_BYTES > KEY_BYTES_MAX {
            return refuse("the prefix is too long for keys below it");
        }
        Ok(Self { bucket: bucket.to_owned(), prefix, fields })
    }

    /// For people.
    pub(super) fn place(&self) -> String {
        self.url("").trim_end_matches('/').to_owned()
    }

    /// The ledger, and the beginning of what readers follow.
    pub(super) fn current(&self) -> String {
        format!("{}_flow/current.json", self.prefix)
    }

    /// What the manifests of an attempt begin with.
    pub(super) fn manifests(&self, attempt: &str) -> String {
        format!("{}_flow/manifests/{attempt}/", self.prefix)
    }

    /// What the index begins with that an attempt has written beside its manifest.
    pub(super) fn index(&self, attempt: &str) -> String {
        format!("{}{INDEX}", self.manifests(attempt))
    }

    /// Whether a key below [`manifests`](Self::manifests) is that of an index.
    pub(super) fn is_index(key: &str) -> bool {
        key.rsplit_once('/').is_some_and(|(_, name)| name.starts_with(INDEX))
    }

    /// What an attempt's own notes begin with.
    pub(super) fn staged(&self, attempt: &str) -> String {
        format!("{}_flow/staged/{attempt}/", self.prefix)
    }

    /// The list of all objects that an attempt has staged.
    pub(super) fn list(&self, attempt: &str) -> String {
        format!("{}objects.json", self.staged(attempt))
    }

    /// What an attempt notes before it writes into a folder.
    pub(super) fn note(&self, attempt: &str, number: usize) -> String {
        format!("{}{number:05}.json", self.staged(attempt))
    }

    /// What an attempt's objects in a folder begin with.
    pub(super) fn data(&self, folder: &str, attempt: &str) -> String {
        format!("{}{folder}{attempt}-", self.prefix)
    }

    /// How many bytes folders may have in a key.
    pub(super) fn folder_bytes_max(&self) -> usize {
        KEY_BYTES_MAX - NAME_BYTES - self.prefix.len()
    }

    /// What all keys begin with.
    pub(super) fn all(&self) -> String {
        self.prefix.clone()
    }

    /// The attempt that a key is of, if it is one of these: what others have put here is not.
    pub(super) fn attempt<'k>(&self, key: &'k str) -> Option<(Kind, &'k str)> {
        let key = key.strip_prefix(&*self.prefix)?;
        let (kind, attempt) = match key.strip_prefix("_flow/") {
            Some(own) => {
                let (folder, of_attempt) = own.split_once('/')?;
                let kind = match folder {
                    "staged" => Kind::Note,
                    "manifests" => Kind::Manifest,
                    _ => return None,
                };
                (kind, of_attempt.split_once('/')?.0)
            }
            None => {
                let (folders, name) = key.rsplit_once('/').unwrap_or(("", key));
                let is_field = |name: &str| self.fields.iter().any(|field| field.name == name);
                let is_folder = |folder: &str| folder.split_once('=').is_some_and(|(name, _)| is_field(name));
                let (attempt, number) = name.split_once('.')?.0.rsplit_once('-')?;
                let is_number = number.len() >= 5 && number.bytes().all(|byte| byte.is_ascii_digit());
                let are_ours = folders.is_empty() || folders.split('/').all(is_folder);
                (Kind::Rows, Some(attempt).filter(|_| is_number && are_ours)?)
            }
        };
        let (iteration, id) = attempt.split_once('-')?;
        let is_iteration = !iteration.is_empty() && iteration.bytes().all(|byte| byte.is_ascii_digit());
        (is_iteration && !id.is_empty()).then_some((kind, attempt))
    }

    /// The prefixes below this one that are other ports' targets, among these keys: they have a `_flow/` of their own.
    pub(super) fn others<'k>(&self, keys: impl Iterator<Item = &'k str>) -> BTreeSet<String> {
        let other = |key: &'k str| {
            let at = key.strip_prefix(&*self.prefix)?.find("/_flow/")?;
            Some(key[..self.prefix.len() + at + 1].to_owned())
        };
        keys.filter_map(other).collect()
    }

    pub(super) fn url(&self, key: &str) -> String {
        format!("s3://{}/{}", self.bucket, if key.is_empty() { &*self.prefix } else { key })
    }

    /// The key of an address below this prefix.
    pub(super) fn key<'u>(&self, url: &'u str) -> Option<&'u str> {
        let key = url.strip_prefix("s3://")?.strip_prefix(&*self.bucket)?.strip_prefix('/')?;
        key.starts_with(&*self.prefix).then_some(key)
    }
}

/// `//bucket/prefix/` as bucket and prefix, without slashes around it.
fn split(path: &str) -> Option<(&str, &str)> {
    let (bucket, prefix) = path.strip_prefix("//")?.split_once('/').unwrap_or((&path[2..], ""));
    (!bucket.is_empty()).then_some((bucket, prefix.trim_matches('/')))
}

/// One place has one text.
pub(crate) fn identity(address: &Address) -> Option<String> {
    let (bucket, prefix) = split(address.path())?;
    // Another service has other buckets.
    let service = address.option("endpoint").map(|endpoint| format!("?endpoint={endpoint}")).unwrap_or_default();
    Some(format!("s3://{bucket}/{prefix}{service}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{sink::fixtures::nullable, value::Type};

    static FIELDS: [FieldPlan; 2] = [nullable("day", Type::Text), nullable("site", Type::Text)];

    fn layout(text: &str) -> Layout {
        Layout::of(&text.parse().unwrap(), &FIELDS).unwrap()
    }

    #[test]
    fn a_prefix_is_a_folder_however_it_is_written() {
        for text in ["s3://b/hits", "s3://b/hits/", "s3://b//hits/"] {
            assert_eq!(layout(text).current(), "hits/_flow/current.json", "{text}");
            assert_eq!(identity(&text.parse().unwrap()).unwrap(), "s3://b/hits");
        }
        assert_eq!(
            identity(&"s3://b/hits?endpoint=http://minio&region=x".parse().unwrap()).unwrap(),
            "s3://b/hits?endpoint=http://minio"
        );
        assert_eq!(layout("s3://b").current(), "_flow/current.json");
        assert_eq!(layout("s3://b").place(), "s3://b");
        assert_eq!(layout("s3://b/hits").data("day=1/", "3-x"), "hits/day=1/3-x-");
    }

    #[test]
    fn an_address_is_a_key_only_below_the_prefix() {
        let layout = layout("s3://b/hits");
        assert_eq!(layout.key(&layout.url(&layout.list("3-x"))), Some("hits/_flow/staged/3-x/objects.json"));
        for other in ["s3://b/other/x", "s3://bb/hits/x", "s3://b/hits", "file:hits/x"] {
            assert_eq!(layout.key(other), None, "{other}");
        }
    }

    #[test]
    fn only_keys_of_attempts_are_taken_for_such() {
        let layout = layout("s3://b/hits");
        for (key, attempt) in [
            ("hits/3-x1-00001.csv.gz", Some((Kind::Rows, "3-x1"))),
            ("hits/day=2026-11-22/site=a/3-x1-00017.json.zst", Some((Kind::Rows, "3-x1"))),
            ("hits/_flow/staged/3-x1/objects.json", Some((Kind::Note, "3-x1"))),
            ("hits/_flow/manifests/3-x1/0af.json", Some((Kind::Manifest, "3-x1"))),
            ("hits/source=mobile/3-x1-00001.csv.gz", None),
            ("hits/_flow/manifests/no-rows/0af.json", None),
            ("hits/_flow/current.json", None),
            ("hits/2026-11-22.csv.gz", None),
            ("hits/report-2026-00001.csv", None),
            ("hits/nested/3-x1-00001.csv.gz", None),
            ("other/3-x1-00001.csv.gz", None),
        ] {
            assert_eq!(layout.attempt(key), attempt, "{key}");
        }
    }

    #[test]
    fn what_is_no_prefix_is_refused() {
        let long = format!("s3://b/{}", "x".repeat(920));
        for text in ["s3:hits", "s3://", "s3:///hits", "s3://b/*.gz", "s3://b/_flow/x", &long] {
            let refused = Layout::of(&text.parse().unwrap(), &FIELDS);
            assert!(matches!(refused, Err(Error::Config(_))), "{text}");
        }
    }
}
