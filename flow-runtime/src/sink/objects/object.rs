//! One object of rows on its way: small ones are put whole, others go in parts as they grow.

use std::io;

use bytes::Bytes;

use super::{bucket::Bucket, encoder::Encoder};
use crate::aws::{
    Trouble,
    clients::objects::{If, OpenUpload},
    limits::PART_BYTES_MIN,
};

/// From this size on what is ready becomes a part.
const PART_BYTES: usize = PART_BYTES_MIN;

/// From this size on an object takes no more rows: loaders read several objects at once.
const OBJECT_BYTES_MAX: u64 = 128 << 20;

/// An object that rows are added to.
#[derive(Debug)]
pub(in crate::sink) struct Writing {
    key: String,
    encoder: Encoder,
    parts: Option<Parts>,
    rows: u64,
    /// Of its attempt, from 1 on.
    pub(in crate::sink) number: u32,
}

#[derive(Debug)]
struct Parts {
    upload: OpenUpload,
    etags: Vec<String>,
    bytes: u64,
}

/// An object that is there.
#[derive(Debug)]
pub(in crate::sink) struct Written {
    pub(in crate::sink) key: String,
    pub(in crate::sink) bytes: u64,
    pub(in crate::sink) rows: u64,
    pub(in crate::sink) etag: String,
    pub(in crate::sink) number: u32,
}

impl Writing {
    pub(in crate::sink) fn new(key: String, number: u32, encoder: Encoder) -> Self {
        Self { key, encoder, parts: None, rows: 0, number }
    }

    /// Adds a row, as `write` writes it.
    pub(in crate::sink) fn add(&mut self, write: impl FnOnce(&mut Encoder) -> io::Result<()>) -> io::Result<()> {
        self.rows += 1;
        write(&mut self.encoder)
    }

    /// Bytes that are in memory.
    pub(in crate::sink) fn ready(&self) -> usize {
        self.encoder.ready()
    }

    /// Whether it is so big that others are to follow.
    pub(in crate::sink) fn is_full(&self) -> bool {
        self.parts.as_ref().is_some_and(|parts| parts.bytes >= OBJECT_BYTES_MAX)
    }

    /// Uploads what is ready, if that makes a part.
    pub(in crate::sink) fn upload(&mut self, bucket: &dyn Bucket) -> Result<(), Trouble> {
        if self.encoder.ready() < PART_BYTES {
            return Ok(());
        }
        let part = self.encoder.take().into();
        if self.parts.is_none() {
            let upload = bucket.begin_upload(&self.key)?;
            self.parts = Some(Parts { upload, etags: Vec::new(), bytes: 0 });
        }
        match &mut self.parts {
            Some(parts) => parts.add(bucket, &part),
            None => Ok(()),
        }
    }

    /// Ends it: the object is there.
    pub(in crate::sink) fn finish(self, bucket: &dyn Bucket) -> Result<Written, Broken> {
        let Self { key, encoder, parts, rows, number } = self;
        let rest = Bytes::from(encoder.finish().map_err(Broken::Encoder)?);
        let (etag, bytes) = match parts {
            None => (bucket.put(&key, &rest, If::Always)?, rest.len() as u64),
            Some(mut parts) => {
                if !rest.is_empty() {
                    parts.add(bucket, &rest)?;
                }
                (bucket.complete_upload(&parts.upload, &parts.etags)?, parts.bytes)
            }
        };
        Ok(Written { key, bytes, rows, etag, number })
    }
}

/// Why an object could not be ended.
#[derive(Debug)]
pub(in crate::sink) enum Broken {
    Encoder(io::Error),
    Bucket(Trouble),
}

impl From<Trouble> for Broken {
    fn from(trouble: Trouble) -> Self {
        Self::Bucket(trouble)
    }
}

impl Parts {
    fn add(&mut self, bucket: &dyn Bucket, part: &Bytes) -> Result<(), Trouble> {
        let number = i32::try_from(self.etags.len() + 1).unwrap_or(i32::MAX);
        self.etags.push(bucket.upload_part(&self.upload, number, part)?);
        self.bytes += part.len() as u64;
        Ok(())
    }
}
