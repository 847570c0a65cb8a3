//! A prefix as it is now: its `current.json`, read and changed on condition that nobody else has, and the manifests that hang
//! on it.

use std::sync::Arc;

use bytes::Bytes;
use serde::{Serialize, de::DeserializeOwned};
use xxhash_rust::xxh3::xxh3_128;

use super::{
    layout::Layout,
    manifest::{Current, Manifest, StagedList, VERSION},
};
use crate::{
    Error, Failure,
    aws::{Kind, Trouble, clients::objects::If},
    sink::objects::Bucket,
};

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
        Ok(match self.read::<Current>(&key)? {
            None => Found { current: Current::empty(port), etag: None },
            Some((current, etag)) if current.version == VERSION => Found { current, etag: Some(etag) },
            Some((current, _)) => return Err(self.damaged(&key, format!("its version is {}", current.version))),
        })
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

    /// Writes a manifest and says its key, which tells one from another: what is there already under it is the same.
    pub(super) fn put_manifest(&self, manifest: &Manifest, attempt: &str) -> Result<String, Error> {
        let body = json(manifest)?;
        let key = format!("{}{:032x}.json", self.layout.manifests(attempt), xxh3_128(&body));
        match self.bucket.put(&key, &body, If::Absent) {
            Err(trouble) if trouble.kind != Kind::ConditionFailed => Err(self.failed("cannot publish", &trouble)),
            _ => Ok(key),
        }
    }

    /// The manifest of this key.
    pub(super) fn manifest(&self, key: &str) -> Result<Manifest, Error> {
        let manifest = self.read(key)?.map(|(manifest, _)| manifest);
        manifest.ok_or_else(|| self.damaged(key, "a manifest that others name is not there".to_owned()))
    }

    /// What an attempt has staged, if it has finished.
    pub(super) fn staged(&self, key: &str) -> Result<Option<StagedList>, Error> {
        Ok(self.read(key)?.map(|(list, _)| list))
    }

    /// Whether rows of an attempt are among those that are there.
    pub(super) fn is_published(&self, port: &str, attempt: &str) -> Result<bool, Error> {
        let of_attempt = self.layout.manifests(attempt);
        let Some(last) = self.current(port)?.current.manifest else { return Ok(false) };
        if last.starts_with(&of_attempt) {
            return Ok(true);
        }
        // Seldom has somebody got so far, and no further.
        if self.list(&of_attempt)?.is_empty() {
            return Ok(false);
        }
        let mut next = Some(last);
        while let Some(key) = next {
            if key.starts_with(&of_attempt) {
                return Ok(true);
            }
            next = self.manifest(&key)?.previous;
        }
        Ok(false)
    }

    /// The keys that begin with `prefix`.
    pub(super) fn list(&self, prefix: &str) -> Result<Vec<String>, Error> {
        let objects = self.bucket.list(prefix).map_err(|trouble| self.failed("cannot list the objects", &trouble))?;
        Ok(objects.into_iter().map(|object| object.key).collect())
    }

    pub(super) fn delete(&self, keys: &[String]) -> Result<(), Error> {
        self.bucket.delete(keys).map_err(|trouble| self.failed("cannot remove what was staged", &trouble))
    }

    /// Reads what [`json`] has written, with its ETag.
    pub(super) fn read<T: DeserializeOwned>(&self, key: &str) -> Result<Option<(T, String)>, Error> {
        let read = self.bucket.read(key).map_err(|trouble| self.failed("cannot read what is there", &trouble))?;
        let Some((body, etag)) = read else { return Ok(None) };
        let value = serde_json::from_slice(&body).map_err(|error| self.damaged(key, error.to_string()))?;
        Ok(Some((value, etag)))
    }

    pub(super) fn failed(&self, what: &str, trouble: &Trouble) -> Error {
        Error::Target(trouble.failure(what).at(self.layout.place()))
    }

    fn damaged(&self, key: &str, cause: String) -> Error {
        let place = self.layout.url(key);
        let help = "put it back as it was, from an older version of the object if the bucket keeps them; or give another \
                    prefix, and have the flow read all again";
        let failure = Failure::new("the ledger of an S3 prefix is damaged").at(place).cause(cause).help(help);
        Error::Held(failure)
    }
}

/// As it is written.
pub(super) fn json<T: Serialize>(value: &T) -> Result<Bytes, Error> {
    let text = serde_json::to_vec(value).map_err(|error| {
        Error::Target(Failure::new("cannot write JSON").cause(error).help("this is a fault of flow: report it"))
    })?;
    Ok(text.into())
}
