//! What a key of S3 asks of the fields that name its folders.

use std::fmt::{self, Write as _};

use super::{Column, Demands, Together};
use crate::{
    plan::FieldPlan,
    sink::s3::{NULL_FOLDER, is_plain},
    value::Value,
};

impl Demands {
    /// What folders named by the values of these `fields`, by the indexes in `partition`, ask of them, where a key has room for
    /// so many bytes of them.
    #[must_use]
    pub(crate) fn of_folders(fields: &'static [FieldPlan], partition: &[usize], bytes_max: usize) -> Self {
        let columns = partition.iter().max().map_or(0, |last| last + 1);
        let column = |field| Column { field, limits: Box::default() };
        let together = Together::Folders { bytes_max, fields: partition.into() };
        Self { columns: fields.iter().take(columns).map(column).collect(), row: None, together: Some(together) }
    }
}

/// As long as `day=2026-11-22/` is. Text comes as bytes.
pub(super) fn folder_bytes(field: &FieldPlan, value: Value<'_>) -> usize {
    let mut escaped = Escaped(0);
    match value {
        Value::Null => escaped.0 = NULL_FOLDER.len(),
        // Then its first byte is escaped.
        Value::Bytes(bytes) if bytes == NULL_FOLDER.as_bytes() => escaped.0 = NULL_FOLDER.len() + "%5F".len() - 1,
        Value::Bytes(bytes) => escaped.count(bytes),
        // Counting cannot fail.
        value => drop(write!(escaped, "{}", value.display(field.ty))),
    }
    field.name.len() + "=".len() + escaped.0 + "/".len()
}

/// Bytes of what is written to it, where all but what is plain takes three.
struct Escaped(usize);

impl Escaped {
    fn count(&mut self, bytes: &[u8]) {
        let plain = bytes.iter().filter(|byte| is_plain(**byte)).count();
        self.0 += plain + 3 * (bytes.len() - plain);
    }
}

impl fmt::Write for Escaped {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.count(text.as_bytes());
        Ok(())
    }
}
