//! What must become of a run of which one call goes wrong, by call and by fault.

use flow_tests::services::Fault;

/// How a run ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It goes on by itself, and has done all.
    GoesOn,
    /// It ends with this exit code, says this, and a next run does all.
    Ends(i32, &'static str),
}

/// A row: these operations, which may end in `*`, this fault, this outcome. The first row that fits holds.
type Row = (&'static str, Fault, Outcome);

use Outcome::{Ends, GoesOn};

/// All rows. An operation that a run calls, and a fault that may happen to it, must have one: a test says so.
pub(crate) const ROWS: &[Row] = &[
    ("*", Fault::Throttled, GoesOn),
    ("*", Fault::InternalError, GoesOn),
    ("*", Fault::Unavailable, GoesOn),
    ("*", Fault::ResetBefore, GoesOn),
    ("*", Fault::ResetAfter, GoesOn),
    ("*", Fault::Stalled, GoesOn),
    ("*", Fault::StalledBody, GoesOn),
    ("*", Fault::TruncatedBody, GoesOn),
    ("kinesis.get_records", Fault::ExpiredIterator, GoesOn),
    ("dynamodb.batch_write_item", Fault::FailedEntries, GoesOn),
    // What is left of an iteration that is done goes another time.
    ("s3.delete_objects", Fault::ExpiredCredentials, GoesOn),
    // Its answer has no body that could say why.
    ("s3.head_*", Fault::ExpiredCredentials, Ends(1, "s3.head_object: HTTP status 400")),
    ("*", Fault::ExpiredCredentials, Ends(1, "ExpiredToken")),
];

/// Whether this can happen to a call of this operation at all.
pub(crate) fn is_possible(operation: &str, fault: Fault) -> bool {
    match fault {
        Fault::ExpiredIterator => operation == "kinesis.get_records",
        Fault::FailedEntries => matches!(operation, "dynamodb.batch_write_item" | "dynamodb.batch_get_item"),
        // What has no body cannot be cut in the middle.
        Fault::StalledBody | Fault::TruncatedBody => !operation.starts_with("s3.head_"),
        _ => true,
    }
}

/// What must become of a run whose call of this operation goes wrong like this.
pub(crate) fn outcome(operation: &str, fault: Fault) -> Option<Outcome> {
    let fits = |pattern: &str| match pattern.strip_suffix('*') {
        Some(start) => operation.starts_with(start),
        None => operation == pattern,
    };
    ROWS.iter().find(|(pattern, of, _)| *of == fault && fits(pattern)).map(|(_, _, outcome)| *outcome)
}

/// Later calls that are tried too in every run of the tests; `FLOW_FAULTS=whole` tries all. Each write of the store says
/// something else, so a lost answer means something else; what comes of a read hangs on what was read before.
pub(crate) fn is_tried_later(operation: &str, call: u64, fault: Fault) -> bool {
    match operation {
        "dynamodb.put_item" | "s3.put_object" => fault == Fault::ResetAfter,
        "kinesis.get_records" | "s3.get_object" => {
            let is_telling = matches!(fault, Fault::ExpiredIterator | Fault::ResetAfter | Fault::TruncatedBody);
            call == 2 && (is_telling || fault == Fault::ExpiredCredentials)
        }
        _ => false,
    }
}
