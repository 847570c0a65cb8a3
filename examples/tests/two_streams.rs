//! Orders and payments, held against a second reading of the same files.

#![expect(clippy::unwrap_used, reason = "a test may")]

use std::{
    collections::BTreeMap,
    fs::{self, OpenOptions},
    io::Write as _,
    path::Path,
    process::Command,
};

use serde_json::Value;

const ORDERS: &str = include_str!("../data/orders.jsonl");
const PAYMENTS: &str = include_str!("../data/payments.csv");

/// What is ordered and paid, by order.
type Balances = BTreeMap<i64, (i64, i64)>;

fn run(folder: &Path, options: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_two_streams")).args(options).current_dir(folder).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{said}");
    said
}

fn balances(folder: &Path) -> Balances {
    let database = rusqlite::Connection::open(folder.join("two_streams.db")).unwrap();
    let mut query = database.prepare(r#"SELECT "order", ordered_cents, paid_cents FROM balances"#).unwrap();
    let rows = query.query_map((), |row| Ok((row.get(0)?, (row.get(1)?, row.get(2)?)))).unwrap();
    let rows: Vec<_> = rows.map(Result::unwrap).collect();
    assert!(!rows.is_empty());
    rows.into_iter().collect()
}

/// The same without flow; lines that are malformed are left out.
fn expected() -> Balances {
    let mut balances = Balances::new();
    let order = |line: &str| -> Option<(i64, i64)> {
        let order: Value = serde_json::from_str(line).ok()?;
        Some((order["id"].as_i64()?, order["total"]["cents"].as_i64()?))
    };
    for (id, cents) in ORDERS.lines().filter_map(order) {
        balances.entry(id).or_default().0 += cents;
    }
    let payment = |line: &str| -> Option<(i64, i64)> {
        let mut columns = line.split(',');
        Some((columns.next()?.parse().ok()?, columns.next()?.parse().ok()?))
    };
    for (order, cents) in PAYMENTS.lines().filter_map(payment) {
        balances.entry(order).or_default().1 += cents;
    }
    balances
}

#[test]
fn every_cent_that_is_ordered_or_paid_is_in_the_table_once() {
    let folder = tempfile::tempdir().unwrap();
    let said = run(folder.path(), &[]);
    assert!(said.starts_with("iteration 0 done"), "{said}");
    assert_eq!(balances(folder.path()), expected());
    assert!(run(folder.path(), &[]).starts_with("nothing new"));
    assert_eq!(balances(folder.path()), expected());
}

#[test]
fn the_sample_has_what_makes_two_streams_difficult() {
    let expected = expected();
    let any = |is: fn(i64, i64) -> bool| expected.values().any(|&(ordered, paid)| is(ordered, paid));
    assert!(any(|ordered, paid| ordered == paid));
    assert!(any(|ordered, paid| paid > 0 && paid < ordered), "paid in part");
    assert!(any(|ordered, paid| ordered > 0 && paid == 0), "not paid");
    assert!(any(|ordered, paid| ordered == 0 && paid > 0), "not ordered");
    let orders: Vec<&str> = PAYMENTS.lines().filter_map(|line| line.split(',').next()).collect();
    assert!(orders.iter().any(|order| orders.iter().filter(|other| *other == order).count() == 2), "in two parts");
}

#[test]
fn it_does_not_matter_which_orders_and_payments_come_in_one_iteration() {
    let folder = tempfile::tempdir().unwrap();
    let (orders, payments) = (folder.path().join("orders.jsonl"), folder.path().join("payments.csv"));
    fs::write(&orders, "").unwrap();
    fs::write(&payments, "").unwrap();
    let bound = [format!("--orders=file:{}", orders.display()), format!("--payments=file:{}", payments.display())];
    let bound: Vec<&str> = bound.iter().map(String::as_str).chain(["--no-data-timeout=20ms"]).collect();
    // Of each stream so many more lines before each iteration.
    let steps = [(0, 100), (250, 0), (50, 200), (100, 0), (0, 1000)];
    let (mut order_lines, mut payment_lines) = (ORDERS.split_inclusive('\n'), PAYMENTS.split_inclusive('\n'));
    for (iteration, (more_orders, more_payments)) in steps.into_iter().enumerate() {
        append(&orders, order_lines.by_ref().take(more_orders));
        append(&payments, payment_lines.by_ref().take(more_payments));
        let said = run(folder.path(), &bound);
        assert!(said.starts_with(&format!("iteration {iteration} done")), "{said}");
    }
    assert_eq!((order_lines.next(), payment_lines.next()), (None, None));
    assert_eq!(balances(folder.path()), expected());
}

#[test]
fn iterations_of_any_size_add_up() {
    let folder = tempfile::tempdir().unwrap();
    while !run(folder.path(), &["--max-records=150"]).starts_with("nothing new") {}
    assert_eq!(balances(folder.path()), expected());
}

fn append<'a>(path: &Path, lines: impl Iterator<Item = &'a str>) {
    let mut file = OpenOptions::new().append(true).open(path).unwrap();
    lines.for_each(|line| file.write_all(line.as_bytes()).unwrap());
}
