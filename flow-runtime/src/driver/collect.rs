//! Stages what comes out of an iteration, under the name of its attempt.

use std::sync::Arc;

use super::{
    TRAPPED_LETTERS_MAX, TRAPPED_SHOWN_MAX, TrappedSample,
    execute::{Collect, TrappedRecord},
};
use crate::{
    Error, Plan,
    origin::Origin,
    sink::{Demands, staging::StagedAttempt},
    trap::FailedRecord,
    value::RowBuffer,
    visible::beginning,
};

/// Letters of a reason that a target cannot store as it is.
const REASON_LETTERS_MAX: usize = 10_000;

/// Takes rows and trapped records to the staging area.
#[derive(Debug)]
pub(super) struct Stage {
    plan: &'static Plan,
    pub(super) staged: StagedAttempt,
    /// For each port whether it has a target; a trap may have none.
    has_target: Vec<bool>,
    /// For each port what its target cannot store.
    demands: Arc<[Demands]>,
    /// One trapped record at a time.
    row: RowBuffer,
    /// For each port, the first records that it trapped.
    pub(super) samples: Vec<Vec<TrappedSample>>,
}

impl Stage {
    pub(super) fn new(
        plan: &'static Plan,
        staged: StagedAttempt,
        has_target: Vec<bool>,
        demands: Arc<[Demands]>,
    ) -> Self {
        let samples = vec![Vec::new(); plan.ports.len()];
        Self { plan, staged, has_target, demands, row: RowBuffer::default(), samples }
    }

    /// Encodes a trap's row so that its target can store it. Of the texts in it, the reason is the user's own.
    fn encode(&mut self, port: usize, failed: &FailedRecord<'_>) {
        self.row.clear();
        failed.encode(&mut self.row);
        let demands = self.demands.get(port).filter(|demands| !demands.is_empty());
        if demands.is_some_and(|demands| demands.check(self.row.last_row()).is_err()) {
            let reason = beginning(failed.reason.as_bytes(), REASON_LETTERS_MAX);
            self.row.clear();
            FailedRecord { reason: &reason, ..*failed }.encode(&mut self.row);
        }
    }
}

impl Collect for Stage {
    fn rows(&mut self, port: usize, rows: &RowBuffer, origin: &Origin<'_>) -> Result<(), Error> {
        self.staged.write_from(port, rows, origin)
    }

    fn trapped(&mut self, port: usize, record: &TrappedRecord<'_>, origin: &Origin<'_>) -> Result<(), Error> {
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
        self.encode(port, &failed);
        self.staged.write_from(port, &self.row, origin)
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
