//! What the tests of sinks share: ports, staged rows, tickets.

use std::path::PathBuf;

use tempfile::TempDir;

use super::{
    Mode, Published, SinkTap, Staged, Target, Ticket, open,
    staging::{StagedManifest, StagingArea},
};
use crate::{
    Error, Plan,
    plan::{FieldPlan, PortKind, PortPlan},
    value::{Encode, RowBuffer, Type},
};

/// A field that may be null.
pub(super) const fn nullable(name: &'static str, ty: Type) -> FieldPlan {
    FieldPlan { name, ty, nullable: true, column: None, add: false }
}

/// A field that is never null.
pub(super) const fn field(name: &'static str, ty: Type) -> FieldPlan {
    FieldPlan { name, ty, nullable: false, column: None, add: false }
}

/// A field that merging adds to.
pub(super) const fn added(name: &'static str, ty: Type) -> FieldPlan {
    FieldPlan { name, ty, nullable: true, column: None, add: true }
}

/// A sink that no group feeds.
pub(super) const fn sink(name: &'static str, fields: &'static [FieldPlan], key: &'static [usize]) -> PortPlan {
    let (about, scheme, covers) = ("", "", &[] as &[&str]);
    PortPlan { name, kind: PortKind::Sink, about, scheme, fields, key, grouped: false, covers, line: 0 }
}

/// `ip` and how often, as the access-log job counts.
pub(super) static COUNTS: PortPlan = sink("counts", &[nullable("ip", Type::Text), added("count", Type::I64)], &[0]);

/// The trap `bad_lines`.
pub(super) static BAD_LINES: PortPlan = PortPlan { kind: PortKind::Trap, ..sink("bad_lines", &[], &[]) };

/// A row of a test.
pub(super) trait Row {
    fn encode(&self, row: &mut Vec<u8>);
}

macro_rules! rows_of_tuples {
    ($(($($name:ident)+))+) => {$(
        impl<$($name: Encode),+> Row for ($($name,)+) {
            #[expect(non_snake_case, reason = "values are named after their types")]
            fn encode(&self, row: &mut Vec<u8>) {
                let ($($name,)+) = self;
                $($name.encode(row);)+
            }
        }
    )+};
}

rows_of_tuples! { (A) (A B) (A B C) (A B C D) }

/// A directory for targets and staged rows.
pub(super) struct Place {
    directory: TempDir,
}

impl Place {
    pub(super) fn new() -> Self {
        Self { directory: tempfile::tempdir().unwrap() }
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    pub(super) fn address(&self, tap: &str, rest: &str) -> Target {
        Target::Address(format!("{tap}:{}/{rest}", self.directory.path().display()))
    }

    pub(super) fn area(&self) -> StagingArea {
        StagingArea::open(self.path("staging")).unwrap()
    }

    /// Stages these rows for the port, under an attempt of their own.
    pub(super) fn stage(&self, port: &'static PortPlan, rows: &[impl Row]) -> Staged {
        let mut buffer = RowBuffer::default();
        for row in rows {
            row.encode(buffer.row());
        }
        self.stage_buffer(port, &buffer)
    }

    pub(super) fn stage_buffer(&self, port: &'static PortPlan, rows: &RowBuffer) -> Staged {
        let area = self.area();
        let attempt = format!("attempt-{}", area.attempts().unwrap().len());
        let mut staging = area.attempt(&attempt, plan_of(port));
        staging.write(0, rows).unwrap();
        match staging.finish().unwrap().as_slice() {
            [manifest] => area.staged(&attempt, manifest, port).unwrap(),
            other => panic!("{other:?}"),
        }
    }
}

/// A plan that has only this port.
pub(super) fn plan_of(port: &'static PortPlan) -> &'static Plan {
    let ports = std::slice::from_ref(port);
    Box::leak(Box::new(Plan { flow: "Hits", about: "", ports, operators: &[], steps: &[], drains: &[], hash: 0 }))
}

/// The ticket of iteration `iteration`, which follows the one before it.
pub(super) fn ticket(port: &PortPlan, iteration: u64) -> Ticket {
    let [flow, port, epoch] = ["hits", port.name, "e1"].map(str::to_owned);
    let hash = format!("hash of {iteration}");
    Ticket { flow, port, epoch, iteration, hash, after: iteration.checked_sub(1), from: None }
}

/// Opens and publishes, as a run of its own would.
pub(super) fn publish(
    target: &Target,
    mode: Mode,
    port: &'static PortPlan,
    staged: &Staged,
    iteration: u64,
) -> Result<Published, Error> {
    open(target, Some(mode), port)?.publish(staged, Some(&ticket(port, iteration)))
}

/// Opens a tap that must open.
pub(super) fn tap(target: &Target, mode: Mode, port: &'static PortPlan) -> Box<dyn SinkTap> {
    open(target, Some(mode), port).unwrap()
}

/// The manifest of rows that are staged once more under a name of its own.
pub(super) fn restage(area: &StagingArea, attempt: &str, port: &'static PortPlan, rows: &RowBuffer) -> StagedManifest {
    let mut staging = area.attempt(attempt, plan_of(port));
    staging.write(0, rows).unwrap();
    staging.finish().unwrap().remove(0)
}
