//! Schemes: how the bytes of a record become columns or values.
//!
//! Generated code calls them with the port's scheme as a constant. `TextLine` needs nothing from here: its one column is
//! the record, as [`Record::text`](crate::flow::Record::text) or bytes. What text means as a value is the business of
//! `value/text.rs`; where records begin and end is that of the sources.

mod delimited;
mod json;

pub use delimited::{Columns, Delimited};
pub use json::{JsonName, JsonValue, read_json};
