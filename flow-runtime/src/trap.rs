//! Traps: the rows that failing records become.

use crate::{plan::FieldPlan, value::Type};

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
