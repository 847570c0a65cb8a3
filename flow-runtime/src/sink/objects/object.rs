//! One object of rows on its way: small ones are put whole, others go in parts as they grow.

use std::io::{self, Write as _};

use bytes::Bytes;

use super::{
    bucket::Bucket,
    encoder::{Compression, Encoder},
};
use crate::aws::{
    Trouble,
    clients::objects::{If, OpenUpload},
    limits::PART_BYTES_MIN,
};

/// Rows are gathered as text up to this size before they are compressed: one that stays small is compressed when it is ended,
/// and needs no memory for that before.
pub(in crate::sink) const TEXT_BYTES: usize = 256 << 10;

/// From this size on what is ready becomes a part.
const PART_BYTES: usize = PART_BYTES_MIN;

/// From this size on an object takes no more rows: loaders read several objects at once.
const OBJECT_BYTES_MAX: u64 = 128 << 20;

/// An object that rows are added to.
#[derive(Debug)]
pub(in crate::sink) struct Writing {
    key: String,
    /// Rows that are not compressed yet.
    text: Vec<u8>,
    compression: Compression,
    encoder: Option<Encoder>,
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
    /// One that begins with this text.
    pub(in crate::sink) fn new(key: String, number: u32, compression: Compression, text: Vec<u8>) -> Self {
        Self { key, text, compression, encoder: None, parts: None, rows: 0, number }
    }

    /// Adds a row, as `write` writes it.
    pub(in crate::sink) fn add(&mut self, write: impl FnOnce(&mut Vec<u8>) -> io::Result<()>) -> io::Result<()> {
        self.rows += 1;
        write(&mut self.text)
    }

    /// Bytes that wait in memory, but for what compressing takes.
    pub(in crate::sink) fn waiting(&self) -> usize {
        self.text.len() + self.encoder.as_ref().map_or(0, Encoder::ready)
    }

    /// Whether so much text has been gathered that it is to be compressed.
    pub(in crate::sink) fn is_gathered(&self) -> bool {
        self.text.len() >= TEXT_BYTES
    }

    /// Whether some of it is being compressed, which takes memory.
    pub(in crate::sink) fn is_compressing(&self) -> bool {
        self.encoder.is_some()
    }

    /// Whether it is so big that others are to follow.
    pub(in crate::sink) fn is_full(&self) -> bool {
        self.parts.as_ref().is_some_and(|parts| parts.bytes >= OBJECT_BYTES_MAX)
    }

    /// Compresses what was gathered, and uploads what is ready, if that makes a part.
    pub(in crate::sink) fn upload(&mut self, bucket: &dyn Bucket) -> Result<(), Broken> {
        if !self.is_gathered() {
            return Ok(());
        }
        let encoder = self.compress().map_err(Broken::Encoder)?;
        if encoder.ready() < PART_BYTES {
            return Ok(());
        }
        let part = encoder.take().into();
        if self.parts.is_none() {
            let upload = bucket.begin_upload(&self.key)?;
            self.parts = Some(Parts { upload, etags: Vec::new(), bytes: 0 });
        }
        match &mut self.parts {
            Some(parts) => Ok(parts.add(bucket, &part)?),
            None => Ok(()),
        }
    }

    fn compress(&mut self) -> io::Result<&mut Encoder> {
        let encoder = match self.encoder.take() {
            Some(encoder) => encoder,
            None => self.compression.encoder()?,
        };
        let encoder = self.encoder.insert(encoder);
        encoder.write_all(&self.text)?;
        self.text.clear();
        Ok(encoder)
    }

    /// Ends it: the object is there.
    pub(in crate::sink) fn finish(mut self, bucket: &dyn Bucket) -> Result<Written, Broken> {
        self.compress().map_err(Broken::Encoder)?;
        let Self { key, encoder, parts, rows, number, .. } = self;
        let rest = encoder.map_or_else(|| Ok(Vec::new()), Encoder::finish).map_err(Broken::Encoder)?;
        let rest = Bytes::from(rest);
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
