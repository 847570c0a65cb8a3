//! What a run did, for people: a line on the whole, a line for each port, a line for each counted operator.

use super::{aligned::aligned, explain::operator_text, units};
use crate::{
    Plan,
    driver::{Outcome, PortOutcome},
    flow::Counts,
    plan::{Balance, PortKind, PortPlan},
};

/// Longest text of an operator.
const OPERATOR_WIDTH: usize = 60;

/// Says what a run did.
pub(super) fn summary(plan: &Plan, outcome: &Outcome) -> String {
    let time = units::elapsed(outcome.elapsed);
    let resumed = resumed_text(&outcome.resumed);
    if outcome.nothing_new {
        let published = if resumed.is_empty() { ", nothing was published" } else { "" };
        return format!("{resumed}nothing new: no source has another record{published} ({time})\n");
    }
    let (records, bytes) = read_totals(plan, outcome);
    let name = outcome.iteration.map_or_else(|| "all".to_owned(), |number| format!("iteration {number}"));
    let rate = units::rate(bytes, outcome.elapsed);
    let whole =
        format!("{name} done in {time}: {} read, {}, {rate}\n", units::counted(records, "record"), units::bytes(bytes));
    let ports = ports(plan, &outcome.ports, |_| true);
    format!("{resumed}{whole}{ports}\n{}", operators(plan, &outcome.counts))
}

fn resumed_text(resumed: &[u64]) -> String {
    let published = |number| format!("iteration {number} of an earlier run had been sealed, and is published now\n");
    resumed.iter().map(published).collect()
}

/// Records and bytes over all inputs.
fn read_totals(plan: &Plan, outcome: &Outcome) -> (u64, u64) {
    let is_input = |port: &PortPlan| matches!(port.kind, PortKind::Source | PortKind::Table);
    let inputs = plan.ports.iter().zip(&outcome.ports).filter(|(port, _)| is_input(port));
    inputs.fold((0, 0), |(records, bytes), (_, done)| (records + done.rows, bytes + done.bytes))
}

/// A line for each port of the kinds that are wanted.
pub(super) fn ports(plan: &Plan, ports: &[PortOutcome], is_wanted: impl Fn(PortKind) -> bool) -> String {
    let wanted = plan.ports.iter().zip(ports).filter(|(port, _)| is_wanted(port.kind));
    aligned(wanted.map(|(port, done)| port_cells(port, done)).collect(), &[2, 4], "  ")
}

fn port_cells(port: &PortPlan, done: &PortOutcome) -> Vec<String> {
    let (verb, noun) = match port.kind {
        PortKind::Source | PortKind::Table => ("read", "record"),
        PortKind::Sink => ("written", "row"),
        PortKind::Trap => ("trapped", "record"),
    };
    let plural = if done.rows == 1 { "" } else { "s" };
    let bytes = if done.bytes == 0 { String::new() } else { units::bytes(done.bytes) };
    let rows = units::count(done.rows);
    vec![verb.to_owned(), port.name.to_owned(), rows, format!("{noun}{plural}"), bytes, done.place.clone()]
}

/// The operators that count, and what they counted.
pub(super) fn operators(plan: &Plan, counts: &[Counts]) -> String {
    let mut rows = vec![["operator", "in", "out", "filtered", "trapped"].map(str::to_owned).to_vec()];
    for (operator, counts) in plan.operators.iter().zip(counts) {
        if operator.balance != Balance::Through {
            let numbers = [counts.rows_in, counts.rows_out, counts.filtered, counts.trapped];
            let mut row = vec![cut(&operator_text(operator))];
            row.extend(numbers.map(units::count));
            rows.push(row);
        }
    }
    aligned(rows, &[1, 2, 3, 4], "  ")
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(OPERATOR_WIDTH) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
pub(super) mod tests {
    use std::time::Duration;

    use super::*;
    use crate::cli::example::PLAN;

    pub(in crate::cli) fn an_outcome() -> Outcome {
        let port = |rows, bytes, place: &str| PortOutcome { rows, bytes, place: place.to_owned(), trapped: Vec::new() };
        let count = |rows_in, rows_out, trapped| Counts { rows_in, rows_out, filtered: 0, trapped };
        Outcome {
            resumed: vec![2],
            iteration: Some(3),
            nothing_new: false,
            ports: vec![
                port(1_234_567, 105_800_000, "access.log"),
                port(12, 240, "hosts.txt"),
                port(1, 0, "counts.db, table counts"),
                port(3, 0, "bad.csv"),
            ],
            counts: vec![
                count(1_234_567, 1_234_567, 0),
                Counts::default(),
                count(1_234_567, 1_234_564, 3),
                Counts::default(),
                count(12, 12, 0),
                Counts::default(),
                count(1_234_564, 400_000, 0),
                count(400_000, 1, 0),
                count(1, 1, 0),
            ],
            elapsed: Duration::from_millis(1_240),
        }
    }

    #[test]
    fn a_summary_names_iteration_ports_places_and_counted_operators() {
        let expected = "\
iteration 2 of an earlier run had been sealed, and is published now
iteration 3 done in 1.24 s: 1,234,579 records read, 105.8 MB, 85.3 MB/s
  read     log        1,234,567  records  105.8 MB  access.log
  read     hosts             12  records     240 B  hosts.txt
  written  counts             1  row                counts.db, table counts
  trapped  bad_lines          3  records            bad.csv

  operator                                                              in        out  filtered  trapped
  read log                                                       1,234,567  1,234,567         0        0
  Each(data => RegexParser(r#\"^(\\S+) \"(.+?)\"\"#) => ip, time, r…  1,234,567  1,234,564         0        3
  read hosts                                                            12         12         0        0
  HashJoin(hits on ip, listed on userip, RightJoin)              1,234,564    400,000         0        0
  GroupBy(ip)                                                      400,000          1         0        0
  write counts                                                           1          1         0        0
";
        assert_eq!(summary(&PLAN, &an_outcome()), expected);
    }

    #[test]
    fn nothing_new_is_one_line() {
        let outcome = Outcome { resumed: Vec::new(), nothing_new: true, ..an_outcome() };
        assert_eq!(
            summary(&PLAN, &outcome),
            "nothing new: no source has another record, nothing was published (1.24 s)\n"
        );
        let resumed = Outcome { nothing_new: true, ..an_outcome() };
        assert_eq!(
            summary(&PLAN, &resumed),
            "iteration 2 of an earlier run had been sealed, and is published now\n\
             nothing new: no source has another record (1.24 s)\n"
        );
    }

    #[test]
    fn without_a_store_there_is_no_iteration_to_name() {
        let outcome = Outcome { resumed: Vec::new(), iteration: None, ..an_outcome() };
        assert!(summary(&PLAN, &outcome).starts_with("all done in 1.24 s: "));
    }
}
