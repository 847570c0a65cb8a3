//! Stages what comes out of an iteration, under the name of its attempt.

use super::{
    TRAPPED_LETTERS_MAX, TRAPPED_SHOWN_MAX, TrappedSample,
    execute::{Collect, TrappedRecord},
};
use crate::{Error, Plan, sink::staging::StagedAttempt, trap::FailedRecord, value::RowBuffer, visible::beginning};

/// Takes rows and trapped records to the staging area.
#[derive(Debug)]
pub(super) struct Stage {
    plan: &'static Plan,
    pub(super) staged: StagedAttempt,
    /// For each port whether it has a target; a trap may have none.
    has_target: Vec<bool>,
    /// One trapped record at a time.
    row: RowBuffer,
    /// For each port, the first records that it trapped.
    pub(super) samples: Vec<Vec<TrappedSample>>,
}

impl Stage {
    pub(super) fn new(plan: &'static Plan, staged: StagedAttempt, has_target: Vec<bool>) -> Self {
        let samples = vec![Vec::new(); plan.ports.len()];
        Self { plan, staged, has_target, row: RowBuffer::default(), samples }
    }
}

impl Collect for Stage {
    fn rows(&mut self, port: usize, rows: &RowBuffer) -> Result<(), Error> {
        self.staged.write(port, rows)
    }

    fn trapped(&mut self, port: usize, record: &TrappedRecord<'_>) -> Result<(), Error> {
        let failed = FailedRecord {
            record: record.record,
            source: record.source,
            shard: record.shard,
            position: record.position.as_ref().map(|position| position.as_str()),
            operator: record.operator,
            reason: record.reason,
        };
        if !self.has_target.get(port).copied().unwrap_or(false) {
            let trap = self.plan.ports.get(port).map_or("", |port| port.name);
            return Err(failed.without_trap(trap));
        }
        if let Some(samples) = self.samples.get_mut(port).filter(|samples| samples.len() < TRAPPED_SHOWN_MAX) {
            samples.push(sample(record));
        }
        self.row.clear();
        failed.encode(&mut self.row);
        self.staged.write(port, &self.row)
    }
}

fn sample(record: &TrappedRecord<'_>) -> TrappedSample {
    let shown = beginning(record.record.unwrap_or_default(), TRAPPED_LETTERS_MAX);
    let place = match (record.shard, &record.position) {
        (Some(shard), Some(position)) => format!("{shard} at {position}"),
        _ => String::new(),
    };
    TrappedSample { place, reason: record.reason.to_owned(), record: shown }
}
