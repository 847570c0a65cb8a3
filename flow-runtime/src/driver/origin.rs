//! Of which record a row was made that a target has refused: what was staged tells the piece and the record's place in it
//! (`crate::origin`), and its position is found where the piece is read once more. What cannot be read any more is told
//! less precisely; nothing depends on it but the text of an error.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use super::{
    ports::Ports,
    reread::{NAMED_MAX, find, place},
    workers::{find_records, position},
};
use crate::{
    Error,
    effect::clock,
    iteration::Range,
    origin::{MadeOf, PieceOrigin},
    source::{Next, Position, Reading, ShardFrom},
};

/// How long a piece may take to be read once more.
const READING_MAX: Duration = Duration::from_secs(20);

/// How long its reader may wait at a time.
const WAIT: Duration = Duration::from_millis(100);

/// An iteration of whose rows one was refused.
pub(super) struct Refused<'a> {
    pub(super) ports: &'a Ports,
    pub(super) iteration: u64,
    /// Set from outside when nothing more is to be read.
    pub(super) stop: &'a AtomicBool,
}

impl Refused<'_> {
    /// Adds to the cause of `error`, if a row was refused, of which record it was made; `ranges` are those that were sealed.
    pub(super) fn told(&self, ranges: impl FnOnce() -> Vec<Range>, error: Error) -> Error {
        let (error, made_of) = error.take_made_of();
        let Some(made_of) = made_of else { return error };
        let ranges = ranges();
        match self.of_record(&ranges, &made_of).or_else(|| of_records(&ranges)) {
            Some(more) => error.and_cause(&format!("that row was made of {more}")),
            None => error,
        }
    }

    fn of_record(&self, ranges: &[Range], made_of: &MadeOf) -> Option<String> {
        let MadeOf::Record { piece, index } = made_of else { return None };
        let PieceOrigin { port, shard, from, to, .. } = piece;
        let range = ranges.iter().find(|range| range.port == *port && range.shard == *shard);
        let shard = format!("port `{port}`, {}", range.map_or(shard.as_ref(), |range| &range.name));
        let found = range.zip(*index).and_then(|(range, index)| self.reread(range, piece, index));
        Some(match (found, index) {
            (Some(position), _) => format!("the record of {shard}, position {position}"),
            (None, Some(index)) => format!("record {} from position {from} on of {shard}", index + 1),
            (None, None) => format!("one of the records of {shard}, positions {from} to {to}"),
        })
    }

    /// The position of the record with this index in a piece, if it is still there to be read.
    fn reread(&self, range: &Range, piece: &PieceOrigin<'_>, index: u64) -> Option<Position> {
        let (at, port) = self.ports.plan.port(&range.port)?;
        let tap = self.ports.input(at).filter(|tap| tap.is_ordered())?;
        let shard = find(tap, port, self.iteration, &[range]).ok()?.pop()?;
        let from = ShardFrom { from: Position::new(&*piece.from), until: Some(Position::new(&*piece.to)), ..shard };
        // Runs go on where this does not stand in their way.
        let reading = Reading { take_tail: true, once: true, is_look: false, is_aside: true };
        let mut reader = tap.open(&[from], reading).ok()?;
        let began = clock::elapsed();
        let (mut index, mut spans) = (usize::try_from(index).ok()?, Vec::new());
        while clock::elapsed().saturating_sub(began) < READING_MAX && !self.stop.load(Ordering::Relaxed) {
            match reader.next(Vec::new(), WAIT).ok()? {
                Next::Piece(piece) => {
                    find_records(&piece, &mut spans);
                    if let Some(span) = spans.get(index) {
                        return Some(position(&piece, index, *span));
                    }
                    index -= spans.len();
                }
                Next::Moved(_) | Next::Looking | Next::Idle | Next::Waiting => {}
                Next::End => return None,
            }
        }
        None
    }
}

/// All that the iteration has read, if it is not known, or many records.
fn of_records(ranges: &[Range]) -> Option<String> {
    let read: Vec<&Range> = ranges.iter().filter(|range| range.records > 0).collect();
    let named: Vec<String> =
        read.iter().take(NAMED_MAX).map(|range| format!("port `{}`, {}", range.port, place(range))).collect();
    let more = read.len().saturating_sub(NAMED_MAX);
    let more = if more > 0 { format!("; and of {more} more") } else { String::new() };
    (!named.is_empty()).then(|| format!("records of {}{more}", named.join("; of ")))
}
