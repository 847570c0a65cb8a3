//! `file:` sources and tables: one file or a glob, plain or compressed, line by line.
//!
//! This file is the tap. Which paths there are is `paths.rs`' to say, in which order they are read `order.rs`', what
//! each is now `found.rs`' and `text.rs`', which of those that were read before it is `identity.rs`' and
//! `succession.rs`'; `listing.rs` puts it together, and `reader.rs` reads.

mod found;
mod identity;
mod listing;
mod order;
mod paths;
mod reader;
mod succession;
mod text;

pub(crate) use paths::{Paths, is_same_file};
use reader::FileReader;

use super::{Gaps, KnownShard, Reader, Reading, ShardFrom, SourceTap, compression::Expected};
use crate::{Address, Error, Failure};

/// Files by path or glob.
#[derive(Debug)]
pub(super) struct FileTap {
    paths: Paths,
    expected: Expected,
}

impl FileTap {
    pub(super) fn open(address: &Address) -> Result<Self, Error> {
        address.allow_options(&["compression"])?;
        if address.path().is_empty() {
            return Err(Error::Config(
                Failure::new("the address names no file")
                    .at(address.to_string())
                    .help("as in file:access.log or file:logs/*.log"),
            ));
        }
        Ok(Self { paths: Paths::new(address.path()), expected: Expected::of_address(address)? })
    }
}

impl SourceTap for FileTap {
    fn shards(&self, known: &[KnownShard]) -> Result<Vec<ShardFrom>, Error> {
        self.survey(known, Gaps::Refuse, 0)?.into_iter().collect()
    }

    fn survey(
        &self,
        known: &[KnownShard],
        gaps: Gaps,
        _created_us: i64,
    ) -> Result<Vec<Result<ShardFrom, Error>>, Error> {
        listing::list(&self.paths, self.expected, known, gaps)
    }

    fn open(&self, shards: &[ShardFrom], reading: Reading) -> Result<Box<dyn Reader>, Error> {
        Ok(Box::new(FileReader::new(shards, self.expected, reading)))
    }
}

#[cfg(test)]
mod tests;
