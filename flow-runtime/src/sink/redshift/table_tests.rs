use std::{fmt::Write as _, time::Duration};

use super::*;
use crate::{
    plan::PortPlan,
    sink::{
        Statement,
        fixtures::{added, field, nullable, sink, ticket},
        redshift::{script::Script, staging::Address},
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

/// Every statement of a table.
fn statements(table: &Table) -> Vec<Statement> {
    let stem = match table.shape.mode {
        Mode::Merge => "numbered",
        _ if table.iteration_column.is_some() => "marked",
        _ => "rows",
    };
    let staged = Address::parse(&format!("s3://warehouse/o'staged/a-1/daily/{stem}.csv.gz.manifest")).unwrap();
    let (ticket, limit) = (ticket(table.shape.port, 7), Duration::from_secs(3600));
    let credentials = "IAM_ROLE 'arn:aws:iam::123456789012:role/loads' REGION 'eu-central-1'";
    Script { table, ticket: &ticket, staged: &staged, row_count: 1234, credentials, limit }.statements()
}

/// What is sent is kept in `golden.sql`, so that others than this code can look at it, a parser of the dialect among them.
#[test]
fn every_statement_is_the_one_that_is_kept() {
    let daily = [Mode::Append, Mode::Replace, Mode::Merge].map(|mode| table(&DAILY, mode).unwrap());
    // Of its key all may be null.
    let shape = SinkShape { port: &HOSTS, mode: Mode::Merge };
    let hosts = Table::new(("web", "hosts"), shape, Layout::default()).unwrap();
    let marked = Table::new(("web", "marked"), SinkShape { port: &HOSTS, mode: Mode::Append }, Layout::default());
    let marked = marked.unwrap().with_iteration_column(Some("Flow_Iteration".to_owned()));
    let mut text = String::new();
    for table in daily.iter().chain([&hosts, &marked]) {
        for Statement { purpose, sql } in statements(table) {
            let _ = write!(text, "-- {}, {}: {purpose}\n{sql};\n\n", table.name, table.shape.mode.as_str());
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
