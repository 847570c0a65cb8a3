//! What every sink must do, as tests that each of them passes: files, SQLite, memory and S3 here, those that need a server in
//! the tests of whole flows.
//!
//! An iteration that is broken off before it is staged, before it is published, in the middle of publishing and after it; one
//! that is published twice, or by two at once; what must be refused; and the end. Not here: what a row looks like in the target.

mod rules;

use std::path::Path;

use super::{Mode, SinkTap};
use crate::{
    Plan,
    plan::{FieldPlan, PortKind, PortPlan},
    value::Type,
};

/// A row of [`COUNTS`].
pub type Row = (String, i64);

const IP: FieldPlan =
    FieldPlan { name: "ip", ty: Type::Text, nullable: false, column: Some("varchar(20)"), add: false };
const COUNT: FieldPlan = FieldPlan { name: "count", ty: Type::I64, nullable: false, column: None, add: true };

/// The port whose rows a subject takes: counts by address, to be added up where they are merged.
pub static COUNTS: PortPlan = PortPlan {
    name: "counts",
    kind: PortKind::Sink,
    about: "",
    scheme: "",
    fields: &[IP, COUNT],
    key: &[0],
    grouped: false,
    covers: &[],
    line: 0,
};

static PLAN: Plan = Plan {
    flow: "Conformance",
    about: "",
    ports: std::slice::from_ref(&COUNTS),
    operators: &[],
    steps: &[],
    drains: &[],
    hash: 0,
};

/// A target under test, empty at first.
pub trait Subject: Sync {
    /// A tap on it for [`COUNTS`], as each process opens its own.
    fn tap(&self, mode: Mode) -> Box<dyn SinkTap>;

    /// The rows that are there for who reads the target as its documentation says, in any order.
    fn rows(&self) -> Vec<Row>;

    /// A folder of the machine that reads, to stage in; not the target.
    fn folder(&self) -> &Path;

    /// The modes that it knows.
    fn modes(&self) -> &'static [Mode] {
        &[Mode::Append, Mode::Replace, Mode::Merge]
    }

    /// Has publishing fail in the middle, when it comes to a row of this address if not always, where that can be brought
    /// about; says whether it can.
    fn refuse(&mut self, ip: &str) -> bool {
        let _ = ip;
        false
    }

    /// Has it fail no longer.
    fn refuse_nothing(&mut self) {}

    /// Takes away what a stager of its own has left at `address`; says whether it has.
    fn lose(&mut self, address: &str) -> bool {
        let _ = address;
        false
    }

    /// Whether two may publish at once, without the flow's lock.
    fn takes_two_at_once(&self) -> bool {
        true
    }

    /// Whether a run without a store is refused where rows would be there twice.
    fn refuses_doubles(&self) -> bool {
        true
    }

    /// Whether what reads the target while it is published to sees all of an iteration or nothing of it.
    fn publishes_in_one_step(&self) -> bool {
        true
    }
}

/// Holds a target against every rule, in each of its modes; `new` gives a fresh one each time.
///
/// # Panics
/// When one does not hold.
pub fn check<S: Subject>(mut new: impl FnMut() -> S) {
    for mode in new().modes() {
        rules::ALL.iter().for_each(|rule| rule(&mut new(), *mode));
    }
}

#[cfg(test)]
mod tests;
