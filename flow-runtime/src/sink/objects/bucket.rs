//! The calls of S3 that the sink makes, one after the other, each tried again while it may pass; and what else can stand for
//! a bucket in tests.

use std::fmt;

use bytes::Bytes;

use crate::{
    Error,
    aws::{
        Account, Kind, Patience, Trouble,
        clients::{
            objects::{If, OpenUpload},
            s3::{Object, S3},
        },
        limits::DELETE_OBJECTS_MAX,
        retrying, wait,
    },
};

/// Where objects are written and read.
pub(in crate::sink) trait Bucket: fmt::Debug + Send + Sync {
    /// An object whole, with its ETag.
    fn read(&self, key: &str) -> Result<Option<(Vec<u8>, String)>, Trouble>;

    /// Writes an object and says its ETag. A condition that does not hold may be one's own doing: the first answer was
    /// lost.
    fn put(&self, key: &str, body: &Bytes, on: If<'_>) -> Result<String, Trouble>;

    /// Every object whose key begins with `prefix`, in the order of their keys.
    fn list(&self, prefix: &str) -> Result<Vec<Object>, Trouble>;

    /// Deletes objects; those that are not there are no trouble.
    fn delete(&self, keys: &[String]) -> Result<(), Trouble>;

    /// Begins an upload in parts.
    fn begin_upload(&self, key: &str) -> Result<OpenUpload, Trouble>;

    /// Uploads a part, from number 1 on, and says its ETag.
    fn upload_part(&self, upload: &OpenUpload, number: i32, body: &Bytes) -> Result<String, Trouble>;

    /// Makes an object of parts, by their ETags, and says its own.
    fn complete_upload(&self, upload: &OpenUpload, parts: &[String]) -> Result<String, Trouble>;

    /// The uploads that are open to keys that begin with `prefix`.
    fn uploads(&self, prefix: &str) -> Result<Vec<OpenUpload>, Trouble>;

    /// Throws an upload away; one that is not there is no trouble.
    fn abort_upload(&self, upload: &OpenUpload) -> Result<(), Trouble>;
}

/// A bucket of S3.
#[derive(Debug)]
pub(in crate::sink) struct S3Bucket {
    s3: S3,
    name: String,
}

impl S3Bucket {
    pub(in crate::sink) fn open(account: &Account, name: &str) -> Result<Self, Error> {
        Ok(Self { s3: wait(S3::new(account))?, name: name.to_owned() })
    }
}

/// Waits for a call that is tried again while it may pass.
fn patiently<T>(call: impl AsyncFnMut() -> Result<T, Trouble>) -> Result<T, Trouble> {
    wait(retrying(Patience::USUAL, call))
}

impl Bucket for S3Bucket {
    fn read(&self, key: &str) -> Result<Option<(Vec<u8>, String)>, Trouble> {
        patiently(async || self.s3.whole(&self.name, key).await)
    }

    fn put(&self, key: &str, body: &Bytes, on: If<'_>) -> Result<String, Trouble> {
        patiently(async || self.s3.put(&self.name, key, body.clone(), on).await)
    }

    fn list(&self, prefix: &str) -> Result<Vec<Object>, Trouble> {
        let (mut objects, mut from) = (Vec::new(), None);
        loop {
            let page = patiently(async || self.s3.list(&self.name, prefix, None, from.clone()).await)?;
            objects.extend(page.objects);
            from = page.next;
            if from.is_none() {
                return Ok(objects);
            }
        }
    }

    fn delete(&self, keys: &[String]) -> Result<(), Trouble> {
        keys.chunks(DELETE_OBJECTS_MAX).try_for_each(|keys| patiently(async || self.s3.delete(&self.name, keys).await))
    }

    fn begin_upload(&self, key: &str) -> Result<OpenUpload, Trouble> {
        let id = patiently(async || self.s3.begin_upload(&self.name, key).await)?;
        Ok(OpenUpload { key: key.to_owned(), id, begun_us: None })
    }

    fn upload_part(&self, upload: &OpenUpload, number: i32, body: &Bytes) -> Result<String, Trouble> {
        patiently(async || self.s3.upload_part(&self.name, upload, number, body.clone()).await)
    }

    fn complete_upload(&self, upload: &OpenUpload, parts: &[String]) -> Result<String, Trouble> {
        match patiently(async || self.s3.complete_upload(&self.name, upload, parts).await) {
            // Perhaps it was completed, and the answer was lost: the key is this upload's alone.
            Err(trouble) if trouble.kind == Kind::Missing => {
                let found = self.list(&upload.key)?.into_iter().find(|object| object.key == upload.key);
                found.map(|object| object.etag).ok_or(trouble)
            }
            completed => completed,
        }
    }

    fn uploads(&self, prefix: &str) -> Result<Vec<OpenUpload>, Trouble> {
        let (mut open, mut from) = (Vec::new(), None);
        loop {
            let (some, next) = patiently(async || self.s3.uploads(&self.name, prefix, from.clone()).await)?;
            open.extend(some);
            from = next;
            if from.is_none() {
                return Ok(open);
            }
        }
    }

    fn abort_upload(&self, upload: &OpenUpload) -> Result<(), Trouble> {
        patiently(async || self.s3.abort_upload(&self.name, upload).await)
    }
}
