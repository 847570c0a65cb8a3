//! The iterations that a store knows, as a table for people.

use std::time::SystemTime;

use jiff::Timestamp;

use super::{aligned::aligned, units};
use crate::iteration::{
    IterationRow, State,
    listing::{FormerListing, Listing},
};

/// One line for each iteration, oldest first; beneath them, why one is held. With `all`, those from before resets come
/// first.
pub(super) fn table(flow: &str, listing: &Listing, all: bool) -> String {
    let former = match all {
        true => listing.former.iter().map(former).collect(),
        false => former_hint(listing),
    };
    let rows = match listing.rows.is_empty() {
        true if former.is_empty() => format!("no iterations of {flow} yet\n"),
        true => format!("no iterations of {flow} since\n"),
        false => earlier(listing.earlier) + &lines(&listing.rows),
    };
    let held = listing.rows.iter().filter(|row| row.state == State::Held);
    let held: String = held
        .map(|row| format!("\niteration {} is held: {}\n`doctor` has the commands\n", row.number, row.note))
        .collect();
    format!("{former}{rows}{held}")
}

fn former(former: &FormerListing) -> String {
    let lines = if former.rows.is_empty() { "no iterations\n".to_owned() } else { lines(&former.rows) };
    format!("before the reset of {} UTC:\n{}{lines}\n", minute(former.ended), earlier(former.earlier))
}

fn former_hint(listing: &Listing) -> String {
    let count: u64 = listing.former.iter().map(|former| former.earlier + former.rows.len() as u64).sum();
    match listing.former.last() {
        Some(last) => format!(
            "{} from before the reset of {} UTC: --all lists them, `clean` removes them\n",
            units::counted(count, "iteration"),
            minute(last.ended)
        ),
        None => String::new(),
    }
}

fn earlier(count: u64) -> String {
    if count == 0 { String::new() } else { format!("… {} before these\n", units::counted(count, "iteration")) }
}

fn lines(rows: &[IterationRow]) -> String {
    let headings = ["iteration", "state", "started (UTC)", "took", "records", "bytes", "trapped", "rows", "note"];
    let mut lines = vec![headings.map(str::to_owned).to_vec()];
    lines.extend(rows.iter().map(cells));
    aligned(lines, &[0, 3, 4, 5, 6], "")
}

fn cells(row: &IterationRow) -> Vec<String> {
    let rows: Vec<String> = row.rows.iter().map(|(port, rows)| format!("{port} {}", units::count(*rows))).collect();
    vec![
        row.number.to_string(),
        row.state.to_string(),
        minute(row.started),
        row.took.map(units::elapsed).unwrap_or_default(),
        units::count(row.records),
        units::bytes(row.bytes),
        units::count(row.trapped),
        rows.join(", "),
        // Why it is held is a sentence, and stands beneath.
        if row.state == State::Held { "see beneath".to_owned() } else { row.note.clone() },
    ]
}

/// To the second, without a zone.
fn minute(time: SystemTime) -> String {
    Timestamp::try_from(time).map(|time| time.strftime("%F %T").to_string()).unwrap_or_default()
}

#[cfg(test)]
pub(super) mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use super::*;

    pub(in crate::cli) fn a_row() -> IterationRow {
        IterationRow {
            number: 0,
            state: State::Done,
            started: UNIX_EPOCH + Duration::from_secs(1_785_000_000),
            took: Some(Duration::from_millis(1_240)),
            records: 1_234_567,
            bytes: 105_800_000,
            trapped: 3,
            rows: vec![("bad_lines".to_owned(), 3), ("counts".to_owned(), 1_000)],
            note: String::new(),
        }
    }

    fn listing(rows: Vec<IterationRow>) -> Listing {
        Listing { epoch: "e2".to_owned(), rows, ..Listing::default() }
    }

    #[test]
    fn iterations_stand_in_aligned_columns_and_beneath_them_why_one_is_held() {
        let held = IterationRow {
            number: 1,
            state: State::Held,
            took: None,
            note: "access.log shrank; restore it".to_owned(),
            ..a_row()
        };
        let expected = "\
… 2 iterations before these
iteration  state  started (UTC)          took    records     bytes  trapped  rows                       note
        0  done   2026-07-25 17:20:00  1.24 s  1,234,567  105.8 MB        3  bad_lines 3, counts 1,000
        1  held   2026-07-25 17:20:00          1,234,567  105.8 MB        3  bad_lines 3, counts 1,000  see beneath

iteration 1 is held: access.log shrank; restore it
`doctor` has the commands
";
        assert_eq!(table("job", &Listing { earlier: 2, ..listing(vec![a_row(), held]) }, false), expected);
    }

    #[test]
    fn what_is_from_before_a_reset_is_told_and_listed_on_demand() {
        let former = FormerListing { epoch: "e1".to_owned(), ended: a_row().started, rows: vec![a_row()], earlier: 4 };
        let reset = Listing { former: vec![former], ..listing(Vec::new()) };
        assert_eq!(
            table("job", &reset, false),
            "5 iterations from before the reset of 2026-07-25 17:20:00 UTC: --all lists them, `clean` removes them\n\
             no iterations of job since\n"
        );
        let all = table("job", &reset, true);
        assert!(
            all.starts_with("before the reset of 2026-07-25 17:20:00 UTC:\n… 4 iterations before these\n"),
            "{all}"
        );
        assert!(all.contains("counts 1,000\n\nno iterations of job since\n"), "{all}");
    }

    #[test]
    fn an_empty_store_says_so() {
        assert_eq!(table("job", &listing(Vec::new()), true), "no iterations of job yet\n");
    }
}
