//! A trap as a source: its records, each as it was, with where it stood when it was trapped.

use std::{sync::Arc, time::Duration};

use super::{Branched, passed::may_have_passed};
use crate::{
    Error, Plan,
    flow::Span,
    plan::PortKind,
    sink::{Entries, Entry, TrapReader},
    source::{Framing, KnownShard, Next, Piece, Position, Reader, Reading, Retried, ShardFrom, SourceTap},
};

/// Records in one piece.
const PIECE_RECORDS_MAX: usize = 4096;

/// Bytes in one piece; the record that reaches it is its last.
const PIECE_BYTES_MAX: usize = 256 * 1024;

/// The position before a trap's first record.
pub(super) fn start() -> Position {
    Position::new("0")
}

/// What a trap's record is to a flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A record of the source port with this index; whether other rows of it may have been published.
    Of(usize, bool),
    /// A row of a group, a record of a table, a record of a source that the flow does not have any more.
    NoRecord,
}

/// Finds out what a record is.
pub(super) fn kind(plan: &Plan, entry: &Entry) -> Kind {
    let source = entry.source.as_deref().and_then(|name| plan.port(name));
    match source.filter(|(_, port)| port.kind == PortKind::Source && entry.record.is_some()) {
        Some((index, _)) => Kind::Of(index, may_have_passed(plan, index, &entry.operator)),
        None => Kind::NoRecord,
    }
}

/// The records of a trap that came from one source.
#[derive(Clone, Debug)]
pub(super) struct RetryTap {
    reader: Arc<dyn TrapReader>,
    plan: &'static Plan,
    port: usize,
    branched: Branched,
}

impl RetryTap {
    pub(super) fn new(reader: Arc<dyn TrapReader>, plan: &'static Plan, port: usize, branched: Branched) -> Self {
        Self { reader, plan, port, branched }
    }

    /// All records of the trap from a position on, whosever they are.
    pub(super) fn entries(&self, from: &Position) -> Result<Box<dyn Entries>, Error> {
        self.reader.entries(Some(from).filter(|from| **from != start()))
    }

    fn is_retried(&self, entry: &Entry) -> bool {
        match kind(self.plan, entry) {
            Kind::Of(port, passed) => port == self.port && (!passed || self.branched == Branched::Retry),
            Kind::NoRecord => false,
        }
    }
}

impl SourceTap for RetryTap {
    /// A trap lists nothing: what is retried is said by whoever opens it.
    fn shards(&self, _known: &[KnownShard]) -> Result<Vec<ShardFrom>, Error> {
        Ok(Vec::new())
    }

    fn open(&self, shards: &[ShardFrom], _reading: Reading) -> Result<Box<dyn Reader>, Error> {
        let from = shards.first().map_or_else(start, |shard| shard.from.clone());
        Ok(Box::new(RetryReader { entries: self.entries(&from)?, tap: self.clone(), at: from }))
    }
}

#[derive(Debug)]
struct RetryReader {
    tap: RetryTap,
    entries: Box<dyn Entries>,
    at: Position,
}

impl Reader for RetryReader {
    fn next(&mut self, mut buffer: Vec<u8>, _wait: Duration) -> Result<Next, Error> {
        let from = self.at.clone();
        let mut retried = Vec::new();
        buffer.clear();
        while retried.len() < PIECE_RECORDS_MAX && buffer.len() < PIECE_BYTES_MAX {
            let Some(entry) = self.entries.next()? else { break };
            let is_retried = self.tap.is_retried(&entry);
            self.at = entry.next;
            if is_retried {
                let span = Span { start: buffer.len(), end: buffer.len() + entry.record.as_ref().map_or(0, Vec::len) };
                buffer.extend(entry.record.unwrap_or_default());
                let position = Position::new(entry.position.unwrap_or_default());
                retried.push(Retried { span, shard: entry.shard.unwrap_or_default(), position });
            }
        }
        if retried.is_empty() {
            return Ok(Next::End);
        }
        let (framing, to) = (Framing::Retried(retried), self.at.clone());
        Ok(Next::Piece(Piece { shard: 0, bytes: buffer, framing, from, to, starts_shard: false, arrived: None }))
    }
}
