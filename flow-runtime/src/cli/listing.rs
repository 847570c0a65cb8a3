//! The iterations that a store knows, as a table for people.

use jiff::Timestamp;

use super::{aligned::aligned, units};
use crate::iteration::IterationRow;

/// One line for each iteration, oldest first.
pub(super) fn table(flow: &str, rows: &[IterationRow]) -> String {
    if rows.is_empty() {
        return format!("no iterations of {flow} yet\n");
    }
    let headings = ["iteration", "state", "started (UTC)", "took", "records", "trapped", "rows", "note"];
    let mut lines = vec![headings.map(str::to_owned).to_vec()];
    lines.extend(rows.iter().map(cells));
    aligned(lines, &[0, 3, 4, 5], "")
}

fn cells(row: &IterationRow) -> Vec<String> {
    let started = Timestamp::try_from(row.started).map(|time| time.strftime("%F %T").to_string());
    let rows: Vec<String> = row.rows.iter().map(|(port, rows)| format!("{port} {}", units::count(*rows))).collect();
    vec![
        row.number.to_string(),
        row.state.to_string(),
        started.unwrap_or_default(),
        row.took.map(units::elapsed).unwrap_or_default(),
        units::count(row.records),
        units::count(row.trapped),
        rows.join(", "),
        row.note.clone(),
    ]
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use super::*;
    use crate::iteration::State;

    #[test]
    fn iterations_stand_in_aligned_columns() {
        let done = IterationRow {
            number: 0,
            state: State::Done,
            started: UNIX_EPOCH + Duration::from_secs(1_785_000_000),
            took: Some(Duration::from_millis(1_240)),
            records: 1_234_567,
            bytes: 105_800_000,
            trapped: 3,
            rows: vec![("bad_lines".to_owned(), 3), ("counts".to_owned(), 1_000)],
            note: String::new(),
        };
        let held = IterationRow {
            number: 1,
            state: State::Held,
            took: None,
            note: "access.log shrank".to_owned(),
            ..done.clone()
        };
        let expected = "\
iteration  state  started (UTC)          took    records  trapped  rows                       note
        0  done   2026-07-25 17:20:00  1.24 s  1,234,567        3  bad_lines 3, counts 1,000
        1  held   2026-07-25 17:20:00          1,234,567        3  bad_lines 3, counts 1,000  access.log shrank
";
        assert_eq!(table("job", &[done, held]), expected);
    }

    #[test]
    fn an_empty_store_says_so() {
        assert_eq!(table("job", &[]), "no iterations of job yet\n");
    }
}
