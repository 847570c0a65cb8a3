//! What one read of a shard gave, as pieces: all records in one buffer, aggregates taken apart, exactly from where to where
//! it was asked for.

use std::mem;

use super::{
    aggregate::{Content, content},
    place::{Place, Sequence},
};
use crate::{
    Error, Failure,
    aws::clients::kinesis::StreamRecord,
    flow::Span,
    source::{Arrived, Framing, Piece, Position},
};

/// A piece is closed with the record that reaches so many bytes, so that several workers share a large read.
const PIECE_BYTES: usize = 512 * 1024;

/// The shard that is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ShardRead {
    /// Index into the shards that the reader was opened over.
    pub(super) index: usize,
    pub(super) name: String,
    pub(super) hash_keys: Option<(u128, u128)>,
}

/// What to take of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Wanted {
    pub(super) from: Place,
    /// The first place not to take.
    pub(super) until: Option<Place>,
}

/// What was taken.
#[derive(Debug)]
pub(super) struct Taken {
    pub(super) pieces: Vec<Piece>,
    /// Whether [`Wanted::until`] is reached; `from` is now there.
    pub(super) is_whole: bool,
    /// Records of aggregates that belong to other shards.
    pub(super) elsewhere: usize,
}

/// Takes what is wanted of the records of one read, and moves on `wanted.from`.
pub(super) fn take(
    of: &ShardRead,
    wanted: &mut Wanted,
    records: Vec<StreamRecord>,
    is_behind: bool,
    buffer: &mut dyn FnMut() -> Vec<u8>,
) -> Result<Taken, Error> {
    let mut filling = Filling::new(of, wanted.from.clone());
    let mut taken = Taken { pieces: Vec::new(), is_whole: false, elsewhere: 0 };
    for StreamRecord { sequence, arrived_us, data } in records {
        if wanted.from.is_after(arrived_us) {
            continue;
        }
        let sequence = Sequence::new(sequence).map_err(|text| no_number(of, &text))?;
        let content = content(&data, of.hash_keys);
        let parts: &mut dyn Iterator<Item = &[u8]> = match &content {
            Content::Plain => &mut std::iter::once(data.as_slice()),
            Content::Aggregate(aggregate) => &mut aggregate.records.iter().map(|record| record.data.as_slice()),
            Content::Elsewhere(count) => {
                taken.elsewhere += count;
                &mut std::iter::empty()
            }
        };
        for (sub, part) in (0..).zip(parts) {
            if wanted.until.as_ref().is_some_and(|until| until.is_reached_by(&sequence, sub)) {
                taken.is_whole = true;
                break;
            }
            if wanted.from.is_reached_by(&sequence, sub) {
                if filling.bytes.len() >= PIECE_BYTES {
                    taken.pieces.extend(filling.close(&Place::At(sequence.clone(), sub), true));
                }
                if filling.listed.is_empty() {
                    filling.bytes = buffer();
                    filling.bytes.clear();
                }
                filling.add(part, sequence.position(sub), arrived_us);
            }
        }
        if taken.is_whole {
            break;
        }
        // What was skipped of what is before the place where reading began leaves that place as it is.
        if wanted.from.is_reached_by(&sequence, u64::MAX) {
            wanted.from = Place::After(sequence);
        }
    }
    let is_there = |until: &Place| taken.is_whole || *until == wanted.from;
    if let Some(until) = wanted.until.clone().filter(is_there) {
        (wanted.from, taken.is_whole) = (until, true);
    }
    taken.pieces.extend(filling.close(&wanted.from, is_behind));
    Ok(taken)
}

/// A piece that is being filled.
struct Filling<'a> {
    of: &'a ShardRead,
    from: Place,
    bytes: Vec<u8>,
    listed: Vec<(Span, Position)>,
    first_us: Option<i64>,
    last_us: Option<i64>,
}

impl<'a> Filling<'a> {
    fn new(of: &'a ShardRead, from: Place) -> Self {
        Self { of, from, bytes: Vec::new(), listed: Vec::new(), first_us: None, last_us: None }
    }

    /// Adds a record, one line end after it dropped.
    fn add(&mut self, record: &[u8], position: Position, arrived_us: Option<i64>) {
        let line = record.strip_suffix(b"\n");
        let record = line.map_or(record, |line| line.strip_suffix(b"\r").unwrap_or(line));
        let start = self.bytes.len();
        self.bytes.extend_from_slice(record);
        self.listed.push((Span { start, end: self.bytes.len() }, position));
        self.first_us = self.first_us.or(arrived_us);
        self.last_us = arrived_us.or(self.last_us);
    }

    /// The piece up to `to`, if it has a record.
    fn close(&mut self, to: &Place, is_behind: bool) -> Option<Piece> {
        let from = mem::replace(&mut self.from, to.clone()).position();
        let (first_us, last_us) = (self.first_us.take(), self.last_us.take());
        let arrived = first_us.zip(last_us);
        (!self.listed.is_empty()).then(|| Piece {
            shard: self.of.index,
            bytes: mem::take(&mut self.bytes),
            framing: Framing::Listed(mem::take(&mut self.listed)),
            from,
            to: to.position(),
            // A stream has no header, and its first record may have aged out.
            starts_shard: false,
            arrived: arrived.map(|(first_us, last_us)| Arrived { first_us, last_us, is_behind }),
        })
    }
}

fn no_number(of: &ShardRead, text: &str) -> Error {
    let what = format!("`{text}` is no sequence number");
    Error::Input(Failure::new(what).at(of.name.clone()).help("check the endpoint: this is not what Kinesis answers"))
}

#[cfg(test)]
#[path = "page_tests.rs"]
mod tests;
