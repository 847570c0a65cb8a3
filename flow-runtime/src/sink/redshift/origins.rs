//! Where staged rows come from, beside them: `rows.origins.zst`, so that whoever loads them can name the record of a row that
//! COPY refuses. What is read of it goes into the texts of errors alone.

use std::io::{BufReader, Write as _};

use super::staging::Address;
use crate::{
    origin::{MadeOf, Origin, made_of},
    sink::objects::{Broken, Bucket, Compression, Writing},
};

/// The origins of an attempt's rows on their way.
#[derive(Debug)]
pub(super) struct Origins {
    file: Writing,
}

impl Origins {
    pub(super) fn new(place: &Address) -> Self {
        Self { file: Writing::new(place.origins(), 0, Compression::Zstd, Vec::new()) }
    }

    pub(super) fn add(&mut self, bucket: &dyn Bucket, origin: &Origin<'_>) -> Result<(), Broken> {
        let write = |out: &mut Vec<u8>| {
            serde_json::to_writer(&mut *out, origin)?;
            out.write_all(b"\n")
        };
        self.file.add(write).map_err(Broken::Encoder)?;
        self.file.upload(bucket)
    }

    pub(super) fn finish(self, bucket: &dyn Bucket) -> Result<(), Broken> {
        self.file.finish(bucket).map(drop)
    }
}

/// What the row with this number was made of, from 1 on, as far as that can be read.
pub(super) fn look_up(bucket: &dyn Bucket, place: &Address, row: u64) -> MadeOf {
    let Ok(Some((packed, _))) = bucket.read(&place.origins()) else { return MadeOf::Records };
    match zstd::Decoder::new(&*packed) {
        Ok(lines) => made_of(BufReader::new(lines), row),
        Err(_) => MadeOf::Records,
    }
}
