use super::*;
use crate::sink::{SinkShape, fixtures::COUNTS, redshift::table::Layout};

fn misfit_of(found: &[(&str, &str, bool)]) -> Option<String> {
    let shape = SinkShape { port: &COUNTS, mode: Mode::Append };
    let table = Table::new(("public", "counts"), shape, Layout::default()).unwrap();
    let column = |(name, ty, is_not_null): &(&str, &str, bool)| Column {
        name: (*name).to_owned(),
        ty: (*ty).to_owned(),
        is_not_null: *is_not_null,
    };
    let found: Vec<Column> = found.iter().map(column).collect();
    match compared(&table, &found, "db:5439/dev, table public.counts") {
        Ok(additions) if additions.is_empty() => None,
        Ok(additions) => Some(additions.join("; ")),
        Err(error) => Some(error.to_string()),
    }
}

const IP: (&str, &str, bool) = ("ip", "character varying(65535)", false);
const COUNT: (&str, &str, bool) = ("count", "bigint", false);

#[test]
fn columns_may_stand_in_any_order() {
    assert_eq!(misfit_of(&[IP, COUNT]), None);
    assert_eq!(misfit_of(&[COUNT, IP]), None);
}

#[test]
fn a_column_that_the_table_lacks_is_proposed() {
    let said = misfit_of(&[IP]).unwrap();
    assert_eq!(said, r#"ALTER TABLE "public"."counts" ADD COLUMN "count" bigint"#);
}

#[test]
fn what_cannot_be_mended_by_adding_is_shown_side_by_side() {
    for found in [[IP, ("count", "integer", false)], [IP, ("count", "bigint", true)], [IP, ("hits", "bigint", false)]] {
        let said = misfit_of(&found).unwrap();
        assert!(said.contains("expected (ip character varying(65535), count bigint), found (ip "), "{said}");
        assert!(!said.contains("ALTER TABLE"), "{said}");
    }
}
