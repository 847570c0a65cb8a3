//! What a target cannot store, as far as a sink's declaration lets it be known: rows that it would refuse are trapped before
//! they are staged, and do not stop the load of all others after the seal.
//!
//! `dialect.rs` says which limits a field has in the columns of a server, `column.rs` reads the types of columns, `items.rs` has
//! those of DynamoDB, `folders.rs` those of keys of S3, `limit.rs` holds a value against a limit. What only the server knows
//! (`as inet`, a sum that merging makes) is found by the load.

mod column;
mod dialect;
#[cfg(feature = "aws")]
mod folders;
#[cfg(feature = "aws")]
mod items;
mod limit;

use self::limit::{Limit, RowLimit};
#[cfg(feature = "aws")]
use crate::value::Value;
use crate::{
    flow::Reason,
    plan::FieldPlan,
    value::{RowReader, Type},
};

pub use dialect::Dialect;
#[cfg(feature = "redshift")]
pub(super) use limit::{REDSHIFT_NULL, RedshiftFloat};

/// The limits of a target's columns, by the fields of its sink; by default none.
#[derive(Clone, Debug, Default)]
pub struct Demands {
    /// Up to the last that has any.
    columns: Box<[Column]>,
    row: Option<RowLimit>,
    /// What the values of a row are asked together.
    #[cfg(feature = "aws")]
    together: Option<Together>,
}

/// How many bytes values may have together.
#[cfg(feature = "aws")]
#[derive(Clone, Debug)]
enum Together {
    /// All of them, as an item of DynamoDB.
    Item { bytes_max: usize },
    /// Those of these fields, as the folders in a key of S3.
    Folders { bytes_max: usize, fields: Box<[usize]> },
}

#[cfg(feature = "aws")]
impl Together {
    /// What a field adds, by its index.
    fn bytes(&self, index: usize, field: &FieldPlan, value: Value<'_>) -> usize {
        match self {
            Self::Item { .. } => items::attribute_bytes(field.name, value),
            Self::Folders { fields, .. } if fields.contains(&index) => folders::folder_bytes(field, value),
            Self::Folders { .. } => 0,
        }
    }

    fn refuses(&self, bytes: usize) -> Option<String> {
        match *self {
            Self::Item { bytes_max } => {
                (bytes > bytes_max).then(|| format!("an item of {bytes} bytes, and DynamoDB takes {bytes_max}"))
            }
            Self::Folders { bytes_max, .. } => (bytes > bytes_max)
                .then(|| format!("its folder has a name of {bytes} bytes, and a key of S3 has room for {bytes_max}")),
        }
    }
}

/// What is asked of one field.
#[derive(Clone, Debug)]
struct Column {
    field: &'static FieldPlan,
    limits: Box<[Limit]>,
}

impl Demands {
    /// What a table in this dialect asks of `fields`: by their types, and by what `as …` makes of their columns.
    #[must_use]
    pub fn new(dialect: Dialect, fields: &'static [FieldPlan]) -> Self {
        let limits = |field| Column { field, limits: dialect.limits(field).into() };
        let mut columns: Vec<Column> = fields.iter().map(limits).collect();
        let last = columns.iter().rposition(|column| !column.limits.is_empty());
        columns.truncate(last.map_or(0, |last| last + 1));
        // Only texts make a row long, and each of them has limits.
        let row = (!columns.is_empty()).then(|| dialect.row_limit(fields.len())).flatten();
        Self {
            columns: columns.into(),
            row,
            #[cfg(feature = "aws")]
            together: None,
        }
    }

    /// Whether nothing is asked.
    #[inline]
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.columns.is_empty()
    }

    /// Holds an encoded row against the limits.
    ///
    /// # Errors
    /// The first field that the target cannot store, and why.
    pub fn check(&self, row: &[u8]) -> Result<(), Reason> {
        let mut values = RowReader::new(row);
        #[cfg(feature = "aws")]
        let (mut index, mut bytes) = (0, 0);
        for Column { field, limits } in &self.columns {
            // Text is looked at by its bytes: that they are text is known.
            let ty = if field.ty == Type::Text { Type::Bytes } else { field.ty };
            let value = values.value(ty);
            if let Some(why) = limits.iter().find_map(|limit| limit.refuses(value)) {
                return Err(Reason::new(why).of_field(field.name));
            }
            #[cfg(feature = "aws")]
            if let Some(together) = &self.together {
                (index, bytes) = (index + 1, bytes + together.bytes(index, field, value));
            }
        }
        #[cfg(feature = "aws")]
        if let Some(why) = self.together.as_ref().and_then(|together| together.refuses(bytes)) {
            return Err(Reason::new(why));
        }
        match self.row.and_then(|limit| limit.refuses(row)) {
            Some(why) => Err(Reason::new(why)),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests;
