//! Writing the rows of an iteration: side by side, those of one key one after the other.
//!
//! The rows come from the staged file in their order, and go by their key to one of some lanes, each a thread that makes one call
//! at a time. A row is numbered by its place in the file, and the number is part of its mark: whoever writes the same rows once
//! more is refused where he was, row by row, and two rows of one key are both written, once.

use std::{
    collections::HashMap,
    mem,
    sync::mpsc::{Receiver, SyncSender, sync_channel},
    thread,
};

use xxhash_rust::xxh3::xxh3_64;

use super::{
    item::{Layout, Marker, Row},
    table::Table,
};
use crate::{
    Error,
    aws::{
        Kind, Trouble,
        clients::writes::{Changed, Mark},
        limits::BATCH_WRITES_MAX,
    },
    effect::{Mutant, inherited, mutant},
    sink::Staged,
};

/// Calls that are under way at once.
const LANES: usize = 16;

/// Rows that wait for a lane: few, for each may have 400 KB.
const WAITING_ROWS_MAX: usize = 4;

/// Of the items of a batch, about. DynamoDB takes 16 MB ("BatchWriteItem", API reference, 2026-11-22); so much of each lane is held
/// in memory.
const BATCH_BYTES: usize = 1 << 20;

/// One load of an iteration into a table.
pub(super) struct Load<'a> {
    pub(super) table: &'a dyn Table,
    pub(super) layout: &'a Layout,
    pub(super) marker: &'a Marker,
    pub(super) place: &'a str,
}

/// What became of the rows.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Written {
    /// Each is there, by this load or by an earlier one.
    All,
    /// An item has a mark of another load, and a later one: which, and of which item. The rest was not written.
    Overtaken(String),
}

/// Why a lane stops.
enum Stop {
    Overtaken(String),
    /// With the key of the item, where it is known which it was.
    Failed {
        row: u64,
        key: Option<String>,
        trouble: Box<Trouble>,
    },
}

impl Load<'_> {
    /// # Errors
    /// What could not be written; any part of the rows may be there then.
    pub(super) fn write(&self, staged: &Staged) -> Result<Written, Error> {
        thread::scope(|scope| {
            let lane = |_| {
                let (sender, rows) = sync_channel(WAITING_ROWS_MAX);
                let write = move || if self.layout.comes_once { self.put(&rows) } else { self.change(&rows) };
                (sender, scope.spawn(inherited(write)))
            };
            let (senders, lanes): (Vec<_>, Vec<_>) = (0..LANES).map(lane).unzip();
            let dealt = self.deal(staged, &senders);
            drop(senders);
            let mut stops = Vec::new();
            for lane in lanes {
                stops.extend(lane.join().unwrap_or_else(|panicked| std::panic::resume_unwind(panicked)).err());
            }
            dealt?;
            // Whoever was overtaken need not be told what else went wrong.
            match stops.into_iter().min_by_key(|stop| matches!(stop, Stop::Failed { .. })) {
                None => Ok(Written::All),
                Some(Stop::Overtaken(by)) => Ok(Written::Overtaken(by)),
                Some(Stop::Failed { row, key, trouble }) => {
                    let key = key.map(|key| format!(", item {key}")).unwrap_or_default();
                    let place = format!("{}, row {row} of the iteration{key}", self.place);
                    Err(Error::Target(trouble.failure("cannot write to the table").at(place)))
                }
            }
        })
    }

    /// Gives each row to the lane of its key, until one of them stops.
    fn deal(&self, staged: &Staged, lanes: &[SyncSender<(u64, Row)>]) -> Result<(), Error> {
        let mut rows = staged.rows_until_stopped()?;
        let mut number = 0;
        while let Some(row) = rows.next_row()? {
            let row = self.layout.row(row);
            // The remainder is less than the number of lanes.
            let lane = xxh3_64(&row.key) % lanes.len() as u64;
            let is_taken = lanes.get(lane as usize).is_some_and(|lane| lane.send((number, row)).is_ok());
            if !is_taken {
                return Ok(());
            }
            number += 1;
        }
        Ok(())
    }

    /// One by one, each on condition.
    fn change(&self, rows: &Receiver<(u64, Row)>) -> Result<(), Stop> {
        for (number, row) in rows {
            let text = self.marker.of_row(number);
            let mark = Mark { attribute: &self.marker.attribute, text: &text };
            match self.table.change(&row.change, mark) {
                Ok(Changed::Now) => {}
                Ok(Changed::Not(there)) if self.marker.has(&there) || mutant(Mutant::OvertakenIgnored) => {}
                Ok(Changed::Not(there)) => {
                    return Err(Stop::Overtaken(format!("the mark of item {} is {there}", row.shown_key())));
                }
                Err(trouble) => return Err(failed(number, Some(row.shown_key()), trouble)),
            }
        }
        Ok(())
    }

    /// In batches, in which a key stands once.
    fn put(&self, rows: &Receiver<(u64, Row)>) -> Result<(), Stop> {
        let (mut batch, mut bytes) = (HashMap::new(), 0);
        for (number, row) in rows {
            if batch.len() == BATCH_WRITES_MAX || bytes + row.bytes > BATCH_BYTES {
                self.put_batch(mem::take(&mut batch))?;
                bytes = 0;
            }
            bytes += row.bytes;
            batch.insert(row.key.clone(), (number, row));
        }
        self.put_batch(batch)
    }

    /// A batch that is refused is written item by item, until it is known which of them it was: to put one again changes
    /// nothing.
    fn put_batch(&self, batch: HashMap<Vec<u8>, (u64, Row)>) -> Result<(), Stop> {
        let mut rows: Vec<(u64, Row)> = batch.into_values().collect();
        rows.sort_unstable_by_key(|(number, _)| *number);
        let first = rows.first().map_or(0, |(number, _)| *number);
        let refused = match self.table.put_all(rows.iter().map(|(_, row)| row.item()).collect()) {
            Ok(()) => return Ok(()),
            Err(trouble) if trouble.kind == Kind::Invalid => trouble,
            Err(trouble) => return Err(failed(first, None, trouble)),
        };
        for (number, row) in rows {
            if let Err(trouble) = self.table.put_all(vec![row.item()]) {
                return Err(failed(number, Some(row.shown_key()), trouble));
            }
        }
        Err(failed(first, None, refused))
    }
}

fn failed(row: u64, key: Option<String>, trouble: Trouble) -> Stop {
    Stop::Failed { row, key, trouble: Box::new(trouble) }
}
