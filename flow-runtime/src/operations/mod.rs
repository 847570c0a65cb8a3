//! What generated code calls for each row or each group: patterns, Rust functions, aggregators. One file an operation.
//!
//! Which operation stands where, and what it may be applied to, the macro knows; here is what happens when it runs.

mod count;
mod extreme;
mod field;
mod function;
mod pattern;
mod sum;

pub use count::Count;
pub use extreme::{
    Extreme, ExtremeBytes, ExtremeText, Greatest, Least, Max, MaxBytes, MaxText, Min, MinBytes, MinText, TotalOrder,
    Wanted,
};
pub use field::{FieldType, IntoField};
pub use function::{Optional, Required, Returned, Tuple, call, call2, call3, call4, call5, call6, call7, call8};
pub use pattern::{Groups, Pattern, run_of, up_to};
pub use sum::{SumDecimal, SumFloat, SumInt};
