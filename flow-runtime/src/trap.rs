//! Traps: the rows that failing records become.
//!
//! A trap is staged and published like a sink, always in the mode Append, and only when it has rows.

use crate::{
    Error, Failure,
    plan::{FieldPlan, PortKind, PortPlan, option_name},
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

    /// The error when the trap of this name has no address: it needs one only now that a record has failed.
    #[must_use]
    pub fn without_trap(&self, trap: &str) -> Error {
        let failure = Failure::new("a record failed and its trap has no address")
            .cause(format!("{}: {}", self.operator, self.reason))
            .help(format!("give --{} an address to keep such records, or mend the record", option_name(trap)));
        Error::Record(match (self.source, self.shard, self.position) {
            (Some(source), Some(shard), Some(position)) => {
                failure.at(format!("port `{source}`, {shard} at {position}"))
            }
            _ => failure,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trap_without_an_address_tells_where_what_and_why() {
        let (source, shard, position) = (Some("log"), Some("a.log"), Some("47"));
        let failed =
            FailedRecord { record: None, source, shard, position, operator: "Assert(NotNull)", reason: "null" };
        assert_eq!(
            failed.without_trap("bad_lines").to_string(),
            "a record failed and its trap has no address (port `log`, a.log at 47): Assert(NotNull): null; \
             give --bad-lines an address to keep such records, or mend the record"
        );
    }
}
