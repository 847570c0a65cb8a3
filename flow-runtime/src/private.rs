//! What generated code names, all in one place: `::flow_runtime::__private::…`.
//!
//! Only the code that `flow!` prints may use it; it changes with the macro.

pub use crate::{
    flow::{
        At, Block, Counts, Drained, Flow, Output, PortMut, PortRef, Reason, Record, RowText, Span, Stop, TableMut,
        Trapped,
    },
    operations::{
        Count, Groups, IntoField, Max, MaxBytes, MaxText, Min, MinBytes, MinText, Optional, Pattern, Required,
        Returned, SumDecimal, SumFloat, SumInt, call, call2, call3, call4, call5, call6, call7, call8, run_of, up_to,
    },
    operators::{Accumulators, Entry, GroupTable, HeapBytes, JoinBuild, JoinTable, Matched, SortedGroups},
    plan::{Balance, Drain, FieldPlan, OperatorPlan, Plan, PortKind, PortPlan, Step},
    scheme::{Columns, Delimited, JsonName, JsonValue, read_json},
    sink::{FromRow, Sink, Trap},
    source::{Source, Table},
    value::{
        Date, Decimal, Decode, Encode, FromText, RowBuffer, RowReader, Timestamp, Type, Value, compare_rows, optional,
        required,
    },
};

/// Where a worker encodes the key it looks up or gathers by.
pub type KeyBuffer = Vec<u8>;

/// The ports of a flow, lent.
pub type List<T> = Vec<T>;

/// Text that a row owns.
pub type OwnedText = String;

/// Bytes that a row owns.
pub type OwnedBytes = Vec<u8>;

/// Text that Rust code returned: borrowed from the record or owned.
pub type Text<'a> = std::borrow::Cow<'a, str>;

/// Bytes that Rust code returned: borrowed from the record or owned.
pub type Bytes<'a> = std::borrow::Cow<'a, [u8]>;
