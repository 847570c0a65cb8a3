//! `memory:` sources and tables: records that a test or a program holds.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use super::{Framing, KnownShard, Next, Piece, Position, Reader, Reading, Shard, ShardFrom, SourceTap};
use crate::{Error, Failure, flow::Span};

/// Records in one piece.
const PIECE_RECORDS_MAX: usize = 4096;

/// Bytes in one piece; the record that reaches it is its last.
const PIECE_BYTES_MAX: usize = 256 * 1024;

/// Records in memory, shared with whoever holds a clone: pushing makes a source grow.
///
/// # Example
/// ```
/// use flow_runtime::{MemoryRecords, Source};
/// let records = MemoryRecords::lines(["first", "second"]);
/// let source = Source::memory(&records);
/// records.push_line("third"); // the source sees it too
/// # let _ = source;
/// ```
#[derive(Clone, Debug)]
pub struct MemoryRecords {
    /// Tells these records from others, in this process and in a store: a position means nothing elsewhere.
    id: Arc<str>,
    records: Arc<Mutex<Vec<Vec<u8>>>>,
}

impl Default for MemoryRecords {
    fn default() -> Self {
        let id = format!("memory:{:016x}", fastrand::u64(..));
        Self { id: id.into(), records: Arc::default() }
    }
}

impl MemoryRecords {
    /// Records, one a line.
    pub fn lines<L: AsRef<[u8]>>(lines: impl IntoIterator<Item = L>) -> Self {
        let records = Self::default();
        for line in lines {
            records.push_line(line);
        }
        records
    }

    /// Adds a record; one line end after it is dropped.
    pub fn push_line(&self, line: impl AsRef<[u8]>) {
        let line = line.as_ref();
        let line = line.strip_suffix(b"\n").map_or(line, |line| line.strip_suffix(b"\r").unwrap_or(line));
        self.lock().push(line.to_vec());
    }

    /// Nobody panics while holding the lock, so a poisoned one is as good as another.
    fn lock(&self) -> MutexGuard<'_, Vec<Vec<u8>>> {
        self.records.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl SourceTap for MemoryRecords {
    fn shards(&self, known: &[KnownShard]) -> Result<Vec<ShardFrom>, Error> {
        let (id, mark) = (self.id.to_string(), String::new());
        let shard = Shard { id, name: "memory".to_owned(), mark, start: Position::counted(0) };
        let from = match known.iter().find(|known| known.id == shard.id) {
            Some(known) => known.next.clone(),
            None => shard.start.clone(),
        };
        Ok(vec![ShardFrom { shard, from, until: None, covered_us: None, gap: None }])
    }

    fn open(&self, shards: &[ShardFrom], _reading: Reading) -> Result<Box<dyn Reader>, Error> {
        let (mut next, mut end) = (0, 0);
        if let Some(ShardFrom { from, until, .. }) = shards.first() {
            let there = self.lock().len();
            next = index(from)?;
            end = until.as_ref().map_or(Ok(there), index)?;
            if end > there {
                return Err(Error::Input(
                    Failure::new("there are fewer records than were read before")
                        .at(format!("memory, position {end}"))
                        .cause(format!("there are {there}")),
                ));
            }
        }
        Ok(Box::new(MemoryReader { records: self.clone(), next, end }))
    }
}

fn index(position: &Position) -> Result<usize, Error> {
    position.count().and_then(|count| usize::try_from(count).ok()).ok_or_else(|| {
        Error::Held(Failure::new("the position is no number of records").at(format!("memory, position {position}")))
    })
}

/// Reads the records that were there when it was opened, or those up to where they were read before.
#[derive(Debug)]
struct MemoryReader {
    records: MemoryRecords,
    next: usize,
    end: usize,
}

impl Reader for MemoryReader {
    fn next(&mut self, mut buffer: Vec<u8>, _wait: Duration) -> Result<Next, Error> {
        let from = self.next;
        let mut listed = Vec::new();
        buffer.clear();
        for record in self.records.lock().iter().take(self.end).skip(from) {
            if listed.len() >= PIECE_RECORDS_MAX || buffer.len() >= PIECE_BYTES_MAX {
                break;
            }
            let start = buffer.len();
            buffer.extend_from_slice(record);
            let position = Position::counted((from + listed.len()) as u64);
            listed.push((Span { start, end: buffer.len() }, position));
        }
        let to = from + listed.len();
        if to == from {
            return Ok(Next::End);
        }
        self.next = to;
        Ok(Next::Piece(Piece {
            shard: 0,
            bytes: buffer,
            framing: Framing::Listed(listed),
            from: Position::counted(from as u64),
            to: Position::counted(to as u64),
            starts_shard: from == 0,
            arrived: None,
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_on(records: &MemoryRecords, known: &[KnownShard]) -> (Vec<String>, Vec<KnownShard>) {
        let shards = records.shards(known).unwrap();
        let mut reader = records.open(&shards, Reading::default()).unwrap();
        let (mut lines, mut next) = (Vec::new(), shards[0].from.clone());
        while let Next::Piece(piece) = reader.next(Vec::new(), Duration::ZERO).unwrap() {
            let Framing::Listed(listed) = &piece.framing else { panic!("memory lists its records") };
            lines.extend(listed.iter().map(|(span, position)| {
                format!("{position} {}", String::from_utf8_lossy(&piece.bytes[span.start..span.end]))
            }));
            next = piece.to;
        }
        let ShardFrom { shard: Shard { id, name, mark, .. }, .. } = shards[0].clone();
        (lines, vec![KnownShard { id, name, mark, next, last: None, covered_us: None }])
    }

    #[test]
    fn pushing_makes_the_source_grow_and_reading_goes_on_where_it_ended() {
        let records = MemoryRecords::lines(["a", "b\r\n"]);
        let (lines, known) = read_on(&records, &[]);
        assert_eq!(lines, ["0 a", "1 b"]);
        records.clone().push_line("c\n");
        let (lines, known) = read_on(&records, &known);
        assert_eq!(lines, ["2 c"]);
        assert_eq!(read_on(&records, &known).0, [""; 0]);
    }

    #[test]
    fn many_records_come_in_several_pieces() {
        let records = MemoryRecords::lines((0..2 * PIECE_RECORDS_MAX + 1).map(|index| index.to_string()));
        assert_eq!(read_on(&records, &[]).0.len(), 2 * PIECE_RECORDS_MAX + 1);
    }

    #[test]
    fn reading_stops_exactly_where_it_was_told_to() {
        let records = MemoryRecords::lines(["a", "b", "c"]);
        let up_to = |until: u64| {
            let mut shards = records.shards(&[]).unwrap();
            shards[0].until = Some(Position::counted(until));
            records.open(&shards, Reading::default())
        };
        let mut reader = up_to(2).unwrap();
        let Next::Piece(piece) = reader.next(Vec::new(), Duration::ZERO).unwrap() else { panic!("two records") };
        assert_eq!((piece.bytes, piece.to.as_str()), (b"ab".to_vec(), "2"));
        assert!(matches!(reader.next(Vec::new(), Duration::ZERO), Ok(Next::End)));
        let error = up_to(4).unwrap_err().to_string();
        assert!(error.contains("(memory, position 4): there are 3"), "{error}");
    }

    #[test]
    fn a_position_of_other_records_is_not_taken_for_ones_own() {
        let (_, known) = read_on(&MemoryRecords::lines(["a", "b"]), &[]);
        assert_eq!(read_on(&MemoryRecords::lines(["c"]), &known).0, ["0 c"]);
    }
}
