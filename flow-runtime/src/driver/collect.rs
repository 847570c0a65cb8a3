//! Stages what comes out of an iteration, under the name of its attempt.

use super::execute::{Collect, TrappedRecord};
use crate::{Error, Plan, sink::staging::StagedAttempt, trap::FailedRecord, value::RowBuffer};

/// Takes rows and trapped records to the staging area.
#[derive(Debug)]
pub(super) struct Stage {
    plan: &'static Plan,
    pub(super) staged: StagedAttempt,
    /// For each port whether it has a target; a trap may have none.
    has_target: Vec<bool>,
    /// One trapped record at a time.
    row: RowBuffer,
}

impl Stage {
    pub(super) fn new(plan: &'static Plan, staged: StagedAttempt, has_target: Vec<bool>) -> Self {
        Self { plan, staged, has_target, row: RowBuffer::default() }
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
            return Err(failed.without_trap(&trap.replace('_', "-")));
        }
        self.row.clear();
        failed.encode(&mut self.row);
        self.staged.write(port, &self.row)
    }
}
