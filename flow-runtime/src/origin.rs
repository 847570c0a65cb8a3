//! Where the rows of a sink come from: kept beside what is staged of them, so that an error can name the record of a row that
//! a target refuses after the seal, whoever loads it.
//!
//! One line of JSON for each piece of an input, in the order of the rows; nothing depends on it but the text of errors. The
//! position of a record is not in it, for it is as long as many a row: the driver finds it (`driver/origin.rs`).

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

/// Runs of one piece: what they take to note stays little beside the rows, whatever a join makes of the records.
const RUNS_MAX: usize = 4096;

/// Which records of a piece its rows were made of, in the order of the rows: runs of rows, each of the record after the one
/// before it. So it is short where few records are left out; where it would be long, rows are left out, and it is of no use.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Lineage {
    runs: Vec<Run>,
    /// The record after that of the last row.
    #[serde(skip)]
    next: i64,
}

/// How many records come between the last row's and the first one's of this run, fewer than none if it goes back; and the rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Run(i64, u64);

impl Lineage {
    /// Notes that the next row was made of the record with this index.
    #[inline]
    pub(crate) fn note(&mut self, record: usize) {
        let record = record as i64;
        let skipped = record - self.next;
        self.next = record + 1;
        let runs = self.runs.len();
        match self.runs.last_mut() {
            Some(Run(_, rows)) if skipped == 0 => *rows += 1,
            _ if runs < RUNS_MAX => self.runs.push(Run(skipped, 1)),
            _ => {}
        }
    }

    /// How many rows were noted: fewer than there are, if it would be long.
    pub(crate) fn rows(&self) -> u64 {
        self.runs.iter().map(|Run(_, rows)| rows).sum()
    }

    /// Forgets the rows and keeps the allocation.
    pub(crate) fn clear(&mut self) {
        self.runs.clear();
        self.next = 0;
    }

    /// The index of the record that a row was made of, by the row's own index.
    #[cfg(any(test, feature = "redshift"))]
    fn record(&self, row: u64) -> Option<u64> {
        let (mut rows_before, mut next) = (0, 0);
        for Run(skipped, rows) in &self.runs {
            let first = next + skipped;
            if row < rows_before + rows {
                return u64::try_from(first).ok()?.checked_add(row - rows_before);
            }
            rows_before += rows;
            next = first + i64::try_from(*rows).ok()?;
        }
        None
    }
}

/// Where rows come from that are staged together.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin<'a> {
    /// How many rows.
    pub(crate) rows: u64,
    /// What they were made of; nothing if that is many records, as a group's is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) piece: Option<PieceOrigin<'a>>,
}

/// A piece of an input.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PieceOrigin<'a> {
    /// The port.
    pub(crate) port: Cow<'a, str>,
    /// [`Shard::id`](crate::source::Shard::id).
    pub(crate) shard: Cow<'a, str>,
    /// Position of the first record.
    pub(crate) from: Cow<'a, str>,
    /// Position after the last.
    pub(crate) to: Cow<'a, str>,
    /// Which record each row was made of, if that was noted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) lineage: Option<Cow<'a, Lineage>>,
}

/// What a row was made of that a target has refused.
#[derive(Debug, PartialEq, Eq)]
#[cfg_attr(not(any(test, feature = "redshift")), expect(dead_code, reason = "Redshift's sink alone says it"))]
pub(crate) enum MadeOf {
    /// One record.
    Record {
        /// The piece that it was in.
        piece: PieceOrigin<'static>,
        /// Its index there, if that was noted.
        index: Option<u64>,
    },
    /// Many records, or nobody knows which.
    Records,
}

/// What the row with this number, from 1 on, was made of, as the lines tell where rows come from.
#[cfg(any(test, feature = "redshift"))]
pub(crate) fn made_of(lines: impl std::io::BufRead, row: u64) -> MadeOf {
    let mut rows_before = 0;
    for line in lines.lines() {
        let origin = line.ok().and_then(|line| serde_json::from_str::<Origin<'static>>(&line).ok());
        let Some(Origin { rows, piece }) = origin else { break };
        if row <= rows_before + rows {
            let Some(mut piece) = piece else { break };
            let nth = row.checked_sub(rows_before + 1);
            let index = piece.lineage.take().zip(nth).and_then(|(lineage, nth)| lineage.record(nth));
            return MadeOf::Record { piece, index };
        }
        rows_before += rows;
    }
    MadeOf::Records
}

#[cfg(test)]
#[path = "origin_tests.rs"]
mod tests;
