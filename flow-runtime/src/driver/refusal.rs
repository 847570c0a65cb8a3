//! What a person reads when a record ends the run.

use super::workers::Why;
use crate::{
    Error, Failure, Plan,
    flow::Stop,
    plan::{OperatorPlan, PortKind},
};

/// Letters of a record that an error shows.
const SHOWN_CHARS_MAX: usize = 120;

/// The error for what failed at `place`; `record` is the record, or the row as text.
pub(super) fn error(plan: &Plan, why: &Why, place: String, record: Option<&[u8]>) -> Error {
    let shown = record.map(|record| format!("; it is `{}`", shown(record))).unwrap_or_default();
    let failure = match why {
        Why::Stopped(Stop { operator, reason, .. }) => {
            let operator = plan.operators.get(*operator);
            let text = operator.map_or("an operator", |operator| operator.text);
            let failure =
                Failure::new("a record failed and no trap takes it").cause(format!("{text}: {reason}{shown}"));
            match operator.filter(|operator| operator.trap.is_none()).map(|operator| trap_for(plan, operator)) {
                Some(trap) => failure.help(format!("mend it, or add `{trap}` to the flow to set such records aside")),
                None => failure.help("mend it"),
            }
        }
        Why::Panicked(message) => Failure::new("the flow's code panicked")
            .cause(format!("{message}{shown}"))
            .help("mend the code; where it returns a Result, a failing record can go to a trap"),
    };
    Error::Record(failure.at(place))
}

/// The declaration that would have taken a record of `operator`: an existing trap's name is kept.
fn trap_for(plan: &Plan, operator: &OperatorPlan) -> String {
    let trap = plan.ports.iter().find(|port| port.kind == PortKind::Trap).map_or("bad_records", |trap| trap.name);
    match operator.pipe {
        "" => format!("trap {trap};"),
        pipe => format!("trap {trap} for {pipe};"),
    }
}

/// The beginning of a record, on one line.
fn shown(record: &[u8]) -> String {
    // No letter takes more than four bytes, nor does what is no letter.
    let beginning = &record[..record.len().min(4 * SHOWN_CHARS_MAX)];
    let text = String::from_utf8_lossy(beginning);
    let shown: String = text.chars().take(SHOWN_CHARS_MAX).collect();
    let cut = if shown.len() < text.len() || beginning.len() < record.len() { "…" } else { "" };
    format!("{}{cut}", shown.escape_debug())
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
