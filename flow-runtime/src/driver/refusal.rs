//! What a person reads when a record ends the run.

use super::workers::Why;
use crate::{
    Error, Failure, Plan,
    flow::At,
    plan::{OperatorPlan, PortKind},
};

/// Letters of a record that an error shows.
const SHOWN_CHARS_MAX: usize = 120;

/// The error for what failed at `place`; `record` is the record, or the row as text. What is an error already says itself
/// where.
pub(super) fn error(plan: &Plan, why: Why, place: String, record: Option<&[u8]>) -> Error {
    let shown = record.map(|record| format!("; it is `{}`", shown(record))).unwrap_or_default();
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

/// The beginning of a record, on one line.
fn shown(record: &[u8]) -> String {
    // No letter takes more than four bytes, nor does what is no letter.
    let beginning = &record[..record.len().min(4 * SHOWN_CHARS_MAX)];
    let text = String::from_utf8_lossy(beginning);
    let shown: String = text.chars().take(SHOWN_CHARS_MAX).collect();
    let cut = if shown.len() < text.len() || beginning.len() < record.len() { "…" } else { "" };
    let visible =
        |letter: char| if letter.is_control() { letter.escape_default().to_string() } else { letter.to_string() };
    shown.chars().map(visible).chain([cut.to_owned()]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_record_is_cut_and_stays_on_one_line() {
        assert_eq!(shown(b"a\tb\xff"), "a\\tb\u{fffd}");
        assert_eq!(shown("ä".repeat(SHOWN_CHARS_MAX).as_bytes()).chars().count(), SHOWN_CHARS_MAX);
        let cut = shown("ä".repeat(100_000).as_bytes());
        assert_eq!((cut.chars().count(), cut.ends_with('…')), (SHOWN_CHARS_MAX + 1, true));
    }
}
