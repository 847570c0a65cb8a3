//! `s3://` sources and tables: one object or all below a prefix, plain or compressed, line by line.
//!
//! This file is the tap. Which keys there are is `keys.rs`' to say, what each object is now `version.rs`', which of them were
//! read before `listing.rs`'; `ahead.rs` fetches parts of objects, and `reader.rs` makes pieces of them.

mod ahead;
mod keys;
mod listing;
mod reader;
mod version;

use ahead::Ahead;
use keys::Keys;
use reader::{ObjectReader, Planned};
use version::{Offset, Version};

use super::{Gaps, KnownShard, Reader, Reading, Shard, ShardFrom, SourceTap, compression::Expected};
use crate::{
    Address, Error, Failure,
    aws::{
        ACCOUNT_OPTIONS, Account, Patience,
        clients::s3::{S3, Wanted},
        retrying, wait,
    },
};

/// Bytes that tell how an object is compressed.
const MAGIC_BYTES: u64 = 4;

/// Objects by key, prefix or glob.
#[derive(Debug)]
pub(super) struct S3Tap {
    s3: S3,
    keys: Keys,
    expected: Expected,
}

impl S3Tap {
    pub(super) fn open(address: &Address) -> Result<Self, Error> {
        let options: Vec<&str> = ["compression"].into_iter().chain(ACCOUNT_OPTIONS).collect();
        address.allow_options(&options)?;
        let (keys, expected) = (Keys::of(address)?, Expected::of_address(address)?);
        Ok(Self { s3: wait(S3::new(&Account::of(address)))?, keys, expected })
    }

    /// What to read of a shard; nothing if that is nothing.
    fn plan(
        &self,
        index: usize,
        from: &ShardFrom,
        must_be_read: bool,
    ) -> Result<Option<(Planned, ahead::Object)>, Error> {
        let ShardFrom { shard, from, until, .. } = from;
        let offset = |position| {
            Offset::of(position).ok_or_else(|| {
                Error::Held(
                    Failure::new("the position is no place in an object")
                        .at(format!("{}, position {position}", shard.name)),
                )
            })
        };
        let (version, wanted) = self.wanted(shard)?;
        let (Offset::At(from), until) = (offset(from)?, until.as_ref().map(offset).transpose()?) else {
            return Ok(None);
        };
        let until = match until {
            None | Some(Offset::End) => None,
            Some(Offset::At(until)) if until <= from => return Ok(None),
            Some(Offset::At(until)) => Some(until),
        };
        let is_plain = from > 0 && self.is_plain(&shard.name, &wanted, version.bytes)?;
        let skipped = if is_plain { from } else { 0 };
        let name = shard.name.clone();
        if skipped > version.bytes {
            let cause = format!("the object has {} bytes", version.bytes);
            return Err(Error::Input(
                Failure::new("cannot read on").at(format!("{name}, position {from}")).cause(cause),
            ));
        }
        let end = until.filter(|_| is_plain).map_or(version.bytes, |until| until.min(version.bytes));
        let object = ahead::Object { wanted, range: skipped..end, bytes: version.bytes };
        Ok(Some((Planned { shard: index, name, from, until, skipped, must_be_read }, object)))
    }

    /// Which version of which object a shard is.
    fn wanted(&self, shard: &Shard) -> Result<(Version, Wanted), Error> {
        let version: Option<Version> = shard.mark.parse().ok();
        let (Some(key), Some(version)) = (self.keys.key(&shard.name), version) else {
            return Err(Error::Held(
                Failure::new("the store does not tell which version of an object was read").at(shard.name.clone()),
            ));
        };
        let (bucket, key) = (self.keys.bucket.clone(), key.to_owned());
        let wanted = Wanted { bucket, key, etag: version.etag.clone(), version: version.id.clone() };
        Ok((version, wanted))
    }

    /// Whether an object is not compressed, so that it can be read from anywhere.
    fn is_plain(&self, name: &str, wanted: &Wanted, bytes: u64) -> Result<bool, Error> {
        let mut begin = Vec::new();
        if self.expected == Expected::Auto {
            let read = wait(retrying(Patience::USUAL, async || {
                begin.clear();
                self.s3.get(wanted, Some(0..bytes.min(MAGIC_BYTES)), &mut begin).await
            }));
            match read {
                Err(trouble) if !trouble.is_changed() => return Err(reader::lost(name, &trouble)),
                // Who reads it will say so.
                read => drop(read),
            }
        }
        Ok(self.expected.of_file(name, &begin).is_none())
    }
}

impl SourceTap for S3Tap {
    fn shards(&self, known: &[KnownShard]) -> Result<Vec<ShardFrom>, Error> {
        self.survey(known, Gaps::Refuse, 0)?.into_iter().collect()
    }

    fn survey(
        &self,
        known: &[KnownShard],
        gaps: Gaps,
        _created_us: i64,
    ) -> Result<Vec<Result<ShardFrom, Error>>, Error> {
        listing::list(&self.s3, &self.keys, known, gaps)
    }

    fn again(&self, known: &[KnownShard]) -> Result<Vec<Result<ShardFrom, Error>>, Error> {
        let again = known.iter().map(|known| {
            let KnownShard { id, name, mark, next, .. } = known.clone();
            let shard = Shard { id, name, mark, start: Offset::At(0).position() };
            Ok(ShardFrom { shard, from: next, until: None, covered_us: None, gap: None })
        });
        Ok(again.collect())
    }

    fn open(&self, shards: &[ShardFrom], reading: Reading) -> Result<Box<dyn Reader>, Error> {
        let (mut planned, mut objects) = (Vec::new(), Vec::new());
        for (index, shard) in shards.iter().enumerate() {
            let must_be_read = reading.once || shard.until.is_some();
            if let Some((plan, object)) = self.plan(index, shard, must_be_read)? {
                planned.push(plan);
                objects.push(object);
            }
        }
        Ok(Box::new(ObjectReader::new(Ahead::new(self.s3.clone(), objects), planned, self.expected)))
    }
}
