//! A prefix as it is now: its `current.json`, read and changed on condition that nobody else has, and the manifests that hang
//! on it (how they are found is in `chain.rs`).

use std::sync::Arc;

use bytes::Bytes;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use xxhash_rust::xxh3::{xxh3_64, xxh3_128};

use super::{
    chain,
    layout::Layout,
    manifest::{Current, Index, Manifest, VERSION},
};
use crate::{
    Error, Failure,
    aws::{Kind, Trouble, clients::objects::If},
    held::Cause,
    sink::objects::{Bucket, at_once},
};

/// So that every program that reads JSON knows the number, whatever it makes of numbers.
const REVISION_BITS_KEPT: u32 = 64 - 52;

/// A bucket, and a prefix in it.
#[derive(Clone, Debug)]
pub(super) struct Place {
    pub(super) bucket: Arc<dyn Bucket>,
    pub(super) layout: Layout,
}

/// What was found in the ledger, to be changed on condition that it is still so.
#[derive(Clone, Debug)]
pub(super) struct Found {
    pub(super) current: Current,
    /// None while there is no such object.
    etag: Option<String>,
}

impl Place {
    /// What is there now.
    pub(super) fn current(&self, port: &str) -> Result<Found, Error> {
        let key = self.layout.current();
        let Some((text, etag)) = self.bytes(&key)? else {
            return Ok(Found { current: Current::empty(port), etag: None });
        };
        let current = parse(&text).map_err(|cause| self.damaged(&key, cause))?;
        Ok(Found { current, etag: Some(etag) })
    }

    /// The same for who begins anew: one that cannot be read is nobody's any more.
    pub(super) fn current_or_none(&self, port: &str) -> Result<Found, Error> {
        let Some((text, etag)) = self.bytes(&self.layout.current())? else {
            return Ok(Found { current: Current::empty(port), etag: None });
        };
        // Nobody knows what its revision was: one is taken that none is likely to have had.
        let unknown = || Current { revision: xxh3_64(&text) >> REVISION_BITS_KEPT, ..Current::empty(port) };
        Ok(Found { current: parse(&text).unwrap_or_else(|_| unknown()), etag: Some(etag) })
    }

    /// Puts `next` in the place of what was found, if that is still there; says whether it was.
    pub(super) fn swap(&self, found: &Found, next: Current) -> Result<bool, Error> {
        let key = self.layout.current();
        let body = json(&Current { revision: found.current.revision + 1, ..next })?;
        let on = found.etag.as_deref().map_or(If::Absent, If::Is);
        match self.bucket.put(&key, &body, on) {
            Ok(_) => Ok(true),
            // It may have been ourselves, and the answer was lost. No two are alike.
            Err(trouble) if trouble.kind == Kind::ConditionFailed => {
                let there =
                    self.bucket.read(&key).map_err(|trouble| self.failed("cannot read the ledger", &trouble))?;
                Ok(there.is_some_and(|(there, _)| there == body))
            }
            Err(trouble) => Err(self.failed("cannot publish", &trouble)),
        }
    }

    /// Writes a manifest and says its key.
    pub(super) fn put_manifest(&self, manifest: &Manifest, attempt: &str) -> Result<String, Error> {
        self.put_named(&self.layout.manifests(attempt), manifest)
    }

    /// Writes an index and says its key.
    pub(super) fn put_index(&self, index: &Index, attempt: &str) -> Result<String, Error> {
        self.put_named(&self.layout.index(attempt), index)
    }

    /// The key tells one from another: what is there already under it is the same.
    fn put_named<T: Serialize>(&self, begin: &str, value: &T) -> Result<String, Error> {
        let body = json(value)?;
        let key = format!("{begin}{:032x}.json", xxh3_128(&body));
        match self.bucket.put(&key, &body, If::Absent) {
            Err(trouble) if trouble.kind != Kind::ConditionFailed => Err(self.failed("cannot publish", &trouble)),
            _ => Ok(key),
        }
    }

    /// The manifest of this key.
    pub(super) fn manifest(&self, key: &str) -> Result<Manifest, Error> {
        self.named(key)
    }

    /// The manifests of these keys, many read at once.
    pub(super) fn manifests(&self, keys: &[String]) -> Result<Vec<Manifest>, Error> {
        at_once(keys, |key| self.manifest(key))
    }

    /// What others name by this key.
    pub(super) fn named<T: DeserializeOwned>(&self, key: &str) -> Result<T, Error> {
        self.read(key)?.ok_or_else(|| self.unreadable(key, "others name it, and it is not there".to_owned()))
    }

    /// Whether rows of an attempt are among those that are there.
    pub(super) fn is_published(&self, port: &str, attempt: &str) -> Result<bool, Error> {
        let of_attempt = self.layout.manifests(attempt);
        let current = self.current(port)?.current;
        let Some(last) = &current.manifest else { return Ok(false) };
        if last.starts_with(&of_attempt) {
            return Ok(true);
        }
        // Seldom has somebody got so far, and no further.
        if self.list(&of_attempt)?.is_empty() {
            return Ok(false);
        }
        Ok(chain::manifests(self, &current)?.iter().any(|key| key.starts_with(&of_attempt)))
    }

    /// The keys that begin with `prefix`.
    pub(super) fn list(&self, prefix: &str) -> Result<Vec<String>, Error> {
        let objects = self.bucket.list(prefix).map_err(|trouble| self.failed("cannot list the objects", &trouble))?;
        Ok(objects.into_iter().map(|object| object.key).collect())
    }

    pub(super) fn delete(&self, keys: &[String]) -> Result<(), Error> {
        self.bucket.delete(keys).map_err(|trouble| self.failed("cannot remove what was staged", &trouble))
    }

    /// Reads what [`json`] has written.
    pub(super) fn read<T: DeserializeOwned>(&self, key: &str) -> Result<Option<T>, Error> {
        let Some((text, _)) = self.bytes(key)? else { return Ok(None) };
        parse(&text).map(Some).map_err(|cause| self.unreadable(key, cause))
    }

    /// An object whole, with its ETag.
    pub(super) fn bytes(&self, key: &str) -> Result<Option<(Vec<u8>, String)>, Error> {
        self.bucket.read(key).map_err(|trouble| self.failed("cannot read what is there", &trouble))
    }

    pub(super) fn failed(&self, what: &str, trouble: &Trouble) -> Error {
        Error::Target(trouble.failure(what).at(self.layout.place()))
    }

    fn damaged(&self, key: &str, cause: String) -> Error {
        let place = self.layout.url(key);
        let help = "put it back as it was, from an older version of the object if the bucket keeps them; or give another \
                    prefix, and have the flow read all again";
        let failure = Failure::new("the ledger of an S3 prefix is damaged").at(place).cause(cause).help(help);
        Error::Held(failure.held(Cause::PrefixDamaged.case()))
    }

    fn unreadable(&self, key: &str, cause: String) -> Error {
        let failure = Failure::new("what describes the objects of an S3 prefix is damaged").at(self.layout.url(key));
        let help = "put it back as it was, from an older version of the object if the bucket keeps them; what is published \
                    from now on is none the worse for it";
        Error::Target(failure.cause(cause).help(help))
    }
}

/// Reads what [`json`] has written; else why not.
pub(super) fn parse<T: DeserializeOwned>(text: &[u8]) -> Result<T, String> {
    #[derive(Deserialize)]
    struct Versioned {
        version: u32,
    }
    let Versioned { version } = serde_json::from_slice(text).map_err(|error| error.to_string())?;
    match version {
        VERSION => serde_json::from_slice(text).map_err(|error| error.to_string()),
        other => Err(format!("its version is {other}, this program reads {VERSION}")),
    }
}

/// As it is written.
pub(super) fn json<T: Serialize>(value: &T) -> Result<Bytes, Error> {
    let text = serde_json::to_vec(value).map_err(|error| {
        Error::Target(Failure::new("cannot write JSON").cause(error).help("this is a fault of flow: report it"))
    })?;
    Ok(text.into())
}
