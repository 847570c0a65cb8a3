use std::{fmt::Write as _, time::Duration};

use super::*;
use crate::{
    plan::PortPlan,
    sink::{
        fixtures::{added, field, nullable, sink, ticket},
        redshift::{ledger, load_error, server, shape},
        sql::null_patterns,
    },
    value::Type,
};

static DAILY: PortPlan = sink(
    "daily",
    &[
        nullable("ip", Type::Text),
        field("day", Type::Date("%F")),
        nullable("last", Type::Timestamp("%s")),
        added("paid", Type::Decimal(30, 2)),
        added("count", Type::I64),
    ],
    &[0, 1],
);

static HOSTS: PortPlan = sink("hosts", &[nullable("host", Type::Text), added("count", Type::I64)], &[0]);

fn table(port: &'static PortPlan, mode: Mode) -> Result<Table, Error> {
    let layout = Layout { distkey: Some("ip".to_owned()), sortkey: vec!["day".to_owned(), "ip".to_owned()] };
    Table::new(("web", "daily"), SinkShape { port, mode }, layout)
}

/// Every statement of the table in a mode, with a name each.
fn statements(mode: Mode) -> Vec<(&'static str, String)> {
    let table = table(&DAILY, mode).unwrap();
    let stem = if mode == Mode::Merge { "numbered" } else { "rows" };
    let staged = Address::parse(&format!("s3://warehouse/o'staged/a-1/daily/{stem}.csv.gz.manifest")).unwrap();
    let ticket = ticket(&DAILY, 7);
    let mut all = vec![
        ("what columns the table has", shape::columns(&table)),
        ("make the ledger", ledger::create(&table)),
        ("begin", "BEGIN".to_owned()),
        ("lock the ledger", ledger::lock(&table)),
        ("who holds it", ledger::holders(&table)),
        ("ask the ledger", ledger::last(&table, &ticket)),
        ("make the table", table.create()),
        ("a column that was added", table.add_column(&DAILY.fields[2])),
    ];
    match mode {
        Mode::Append => {}
        Mode::Replace => all.push(("empty the table", table.empty())),
        Mode::Merge => all.push(("make room for what comes", table.create_incoming())),
    }
    all.push(("load", table.copy(&staged, "IAM_ROLE 'arn:aws:iam::123456789012:role/loads' REGION 'eu-central-1'")));
    all.push(("count", "SELECT pg_last_copy_count()".to_owned()));
    if mode == Mode::Merge {
        all.push(("one row a key", table.fold()));
        all.extend(null_patterns(table.shape, FOLDED).map(|sql| ("which keys are null", sql)));
        for nulls in [[false], [true]] {
            all.extend(table.update(&nulls).map(|sql| ("change", sql)));
            all.push(("add", table.insert(&nulls)));
        }
        let hosts = Table::new(("web", "hosts"), SinkShape { port: &HOSTS, mode }, Layout::default()).unwrap();
        all.push(("one row a key, of a key that is all null", hosts.fold()));
        all.extend(hosts.update(&[true]).map(|sql| ("change where all of the key is null", sql)));
        all.push(("add where all of the key is null", hosts.insert(&[true])));
    }
    all.push(("note it in the ledger", ledger::add(&table, &ticket, 1234, Some(&staged.url()))));
    all.push(("commit", "COMMIT".to_owned()));
    all.push(("forget the flow", ledger::forget(&table, &ticket.flow)));
    all.push(("why a row was refused", load_error::from_sys(&staged)));
    all.push(("the same where that view is missing", load_error::from_stl(&staged)));
    all.push(("count what is there", table.count(100_001)));
    all.push(("show the first rows", table.head(20, true)));
    all
}

/// What is sent is kept in `golden.sql`, so that others than this code can look at it, a parser of the dialect among them.
#[test]
fn every_statement_is_the_one_that_is_kept() {
    let mut text = String::new();
    for sql in server::settings(Duration::from_secs(3600)) {
        let _ = write!(text, "-- a session begins\n{sql};\n\n");
    }
    for mode in [Mode::Append, Mode::Replace, Mode::Merge] {
        for (name, sql) in statements(mode) {
            let _ = write!(text, "-- {}: {name}\n{sql};\n\n", mode.as_str());
        }
    }
    assert_eq!(text.trim_end(), include_str!("golden.sql").trim_end());
}

#[test]
fn a_field_that_cannot_be_a_column_is_refused() {
    static BYTES: PortPlan = sink("bytes", &[field("ip", Type::Bytes), field("day", Type::Text)], &[]);
    static CASES: PortPlan =
        sink("cases", &[field("ip", Type::I64), field("day", Type::I64), field("Day", Type::I64)], &[]);
    static PARSED: [FieldPlan; 2] = [
        FieldPlan { name: "ip", ty: Type::Text, nullable: true, column: Some("integer"), add: false },
        field("day", Type::Text),
    ];
    static UNPARSED: PortPlan = sink("unparsed", &PARSED, &[]);
    static FINE: PortPlan = sink("fine", &[field("ip", Type::Decimal(38, 38)), field("day", Type::Text)], &[]);
    static LACKING: PortPlan = sink("lacking", &[field("day", Type::I64)], &[]);
    for (port, why) in [
        (&BYTES, "Redshift is loaded from text, and takes no bytes (field `ip`)"),
        (&CASES, "Redshift takes upper case for lower case (field `Day`)"),
        (&UNPARSED, "no &str is loaded into a column of `integer` (field `ip`)"),
        (&FINE, "Redshift has no column of `decimal(38, 38)` (field `ip`)"),
        (&LACKING, "there is no field `ip` (table web.daily)"),
    ] {
        let error = table(port, Mode::Append).unwrap_err().to_string();
        assert!(error.starts_with(why), "{error}");
    }
}

#[test]
fn names_that_merging_uses_itself_are_refused_however_they_are_written() {
    static NAMES: [PortPlan; 3] = [
        sink("a", &[field("ip", Type::Text), field("day", Type::I64), field("Flow_Row", Type::I64)], &[0]),
        sink("b", &[field("ip", Type::Text), field("day", Type::I64), field("flow_rank", Type::I64)], &[0]),
        sink("c", &[field("ip", Type::Text), field("day", Type::I64), field("flow_ranks", Type::I64)], &[0]),
    ];
    for (port, is_refused) in NAMES.iter().zip([true, true, false]) {
        assert!(table(port, Mode::Append).is_ok());
        assert_eq!(table(port, Mode::Merge).is_err(), is_refused, "{}", port.name);
    }
}

#[test]
fn text_of_others_cannot_leave_its_literal() {
    assert_eq!(literal(r"o'neill\"), r"'o''neill\\'");
}
