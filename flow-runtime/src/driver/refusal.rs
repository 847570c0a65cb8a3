//! What a person reads when a record ends the run.

use super::workers::Why;
use crate::{
    Error, Failure, Plan,
    flow::At,
    plan::{OperatorPlan, PortKind},
    visible::beginning,
};

/// Letters of a record that an error shows.
const LETTERS_MAX: usize = 120;

/// The error for what failed at `place`; `record` is the record, or the row as text. What is an error already says itself
/// where.
pub(super) fn error(plan: &Plan, why: Why, place: String, record: Option<&[u8]>) -> Error {
    let shown = record.map(|record| format!("; it is `{}`", beginning(record, LETTERS_MAX))).unwrap_or_default();
    let failure = match why {
        Why::Stopped(stop) => {
            let operator = plan.operators.get(stop.operator);
            let what = if matches!(stop.at, At::Row(_)) { "row" } else { "record" };
            Failure::new(format!("a {what} failed and no trap takes it"))
                .cause(format!("{}: {}{shown}", operator.map_or("", |operator| operator.text), stop.reason))
                .help(operator.map_or_else(String::new, |operator| advice(plan, operator)))
        }
        Why::Refused(error) => return error,
        Why::Panicked(message) => Failure::new("the flow's code panicked")
            .cause(format!("{message}{shown}"))
            .help("mend the code; where it returns a Result, a failing record can go to a trap"),
    };
    Error::Record(failure.at(place))
}

/// What to do about a record that `operator` refused.
fn advice(plan: &Plan, operator: &OperatorPlan) -> String {
    if operator.kind == "Every" {
        return "what a whole group comes to is never trapped: use a wider type, or group by more".to_owned();
    }
    // A trap that exists can cover more.
    let trap = plan.ports.iter().find(|port| port.kind == PortKind::Trap).map_or("bad_records", |trap| trap.name);
    let covered = if operator.pipe.is_empty() { String::new() } else { format!(" for {}", operator.pipe) };
    format!("mend it, or add `trap {trap}{covered};` to the flow to set such records aside")
}
