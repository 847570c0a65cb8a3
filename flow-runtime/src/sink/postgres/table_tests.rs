use super::*;
use crate::{
    plan::PortPlan,
    sink::{
        fixtures::{added, field, nullable, sink},
        sql::{self, key_nulls, null_patterns},
    },
};

static DAILY: PortPlan = sink(
    "daily",
    &[
        nullable("ip", Type::Text),
        field("day", Type::Date("%F")),
        nullable("last", Type::Timestamp("%s")),
        added("paid", Type::Decimal(30, 2)),
    ],
    &[0, 1],
);

fn table(port: &'static PortPlan, mode: Mode) -> Table {
    Table::new("web", "da\"ily", SinkShape { port, mode }).unwrap()
}

#[test]
fn a_table_is_made_as_the_sink_declares_it() {
    let columns = r#""ip" text, "day" date NOT NULL, "last" timestamp with time zone, "paid" numeric(30, 2)"#;
    assert_eq!(table(&DAILY, Mode::Append).create(), format!(r#"CREATE TABLE "web"."da""ily" ({columns});"#));
    let index = r#" CREATE INDEX ON "web"."da""ily" ("ip", "day");"#;
    assert!(table(&DAILY, Mode::Merge).create().ends_with(index));
}

#[test]
fn a_key_that_is_null_is_compared_apart() {
    let shape = SinkShape { port: &DAILY, mode: Mode::Merge };
    assert_eq!(null_patterns(shape, FOLDED).unwrap(), r#"SELECT DISTINCT "ip" IS NULL FROM pg_temp.flow_folded"#);
    assert_eq!(sql::same_key(shape, same_key, &[false]), r#"t."ip" = i."ip" AND t."day" = i."day""#);
    assert_eq!(sql::same_key(shape, same_key, &[true]), r#"t."ip" IS NULL AND i."ip" IS NULL AND t."day" = i."day""#);
    assert_eq!(key_nulls(shape, &[true]), r#"i."ip" IS NULL AND i."day" IS NOT NULL"#);
}

#[test]
fn a_merge_adds_and_replaces() {
    let update = table(&DAILY, Mode::Merge).update(&[false]).unwrap();
    let paid = r#""paid" = COALESCE(t."paid" + i."paid", t."paid", i."paid")"#;
    assert!(update.contains(&format!(r#"SET "last" = i."last", {paid} FROM"#)), "{update}");
    static SEEN: PortPlan = sink("seen", &[field("ip", Type::Text)], &[0]);
    let seen = table(&SEEN, Mode::Merge);
    assert_eq!(seen.update(&[]), None);
    assert_eq!(null_patterns(seen.shape, FOLDED), None);
}

#[test]
fn what_is_no_column_type_is_refused() {
    static BAD: [FieldPlan; 1] =
        [FieldPlan { name: "ip", ty: Type::Text, nullable: true, column: Some("text; DROP TABLE x"), add: false }];
    static PORT: PortPlan = sink("bad", &BAD, &[]);
    let error = Table::new("public", "bad", SinkShape { port: &PORT, mode: Mode::Append }).unwrap_err();
    assert!(error.to_string().contains("`text; DROP TABLE x` is no column type (field `ip`)"), "{error}");
    static NUMBERED: PortPlan = sink("numbered", &[field("flow_row", Type::I64)], &[0]);
    assert!(Table::new("public", "n", SinkShape { port: &NUMBERED, mode: Mode::Append }).is_ok());
    assert!(Table::new("public", "n", SinkShape { port: &NUMBERED, mode: Mode::Merge }).is_err());
}
