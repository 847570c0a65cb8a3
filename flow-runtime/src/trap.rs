//! Traps: the rows that failing records become.
//!
//! A trap is staged and published like a sink, always in the mode Append, and only when it has rows.

use crate::{
    Error, Failure,
    plan::{FieldPlan, PortKind, PortPlan},
    value::{Encode, RowBuffer, Type},
};

/// The columns of every trap: the record as it was, where it stood, which operator refused it and why.
pub const TRAP_FIELDS: &[FieldPlan] = &[
    field("record", Type::Bytes, true),
    field("source", Type::Text, true),
    field("shard", Type::Text, true),
    field("position", Type::Text, true),
    field("operator", Type::Text, false),
    field("reason", Type::Text, false),
];

const fn field(name: &'static str, ty: Type, nullable: bool) -> FieldPlan {
    FieldPlan { name, ty, nullable, column: None, add: false }
}

/// The fields of an output: those of a sink as declared, those of a trap always [`TRAP_FIELDS`].
#[must_use]
pub fn output_fields(port: &PortPlan) -> &'static [FieldPlan] {
    if port.kind == PortKind::Trap { TRAP_FIELDS } else { port.fields }
}

/// A record that failed, as its trap shows it.
///
/// # Example
/// ```
/// use flow_runtime::{trap::FailedRecord, value::RowBuffer};
/// let mut rows = RowBuffer::default();
/// let failed = FailedRecord {
///     record: Some(b"not a log line"),
///     source: Some("log"),
///     shard: Some("access.log"),
///     position: Some("4711"),
///     operator: "Each(data => RegexParser(…))",
///     reason: "the pattern does not match",
/// };
/// failed.encode(&mut rows);
/// assert_eq!(rows.rows(), 1);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FailedRecord<'a> {
    /// Its bytes; of a table's row, the row as text.
    pub record: Option<&'a [u8]>,
    /// The input port it came from; `None` for a table's row, as are shard and position.
    pub source: Option<&'a str>,
    /// Its shard, by the name that people call it.
    pub shard: Option<&'a str>,
    /// Its position in the shard.
    pub position: Option<&'a str>,
    /// The operator that refused it, as a person would write it.
    pub operator: &'a str,
    /// Why.
    pub reason: &'a str,
}

impl FailedRecord<'_> {
    /// Adds it to a trap's rows.
    pub fn encode(&self, rows: &mut RowBuffer) {
        let row = rows.row();
        self.record.encode(row);
        self.source.encode(row);
        self.shard.encode(row);
        self.position.encode(row);
        self.operator.encode(row);
        self.reason.encode(row);
    }

    /// The error when `trap` has no address: a trap needs one only now that a record has failed.
    #[must_use]
    pub fn without_trap(&self, trap: &str) -> Error {
        let place = match (self.source, self.shard, self.position) {
            (Some(source), Some(shard), Some(position)) => format!("port `{source}`, {shard} at {position}"),
            _ => self.operator.to_owned(),
        };
        Error::Record(
            Failure::new("a record failed and its trap has no address").at(place).cause(self.reason).help(format!(
                "nothing was published; give --{trap} an address to keep such records, or mend the record"
            )),
        )
    }
}
