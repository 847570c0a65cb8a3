use super::*;
use crate::{
    sink::fixtures::{Row, nullable},
    value::{RowBuffer, Type},
};

static FIELDS: [FieldPlan; 3] =
    [nullable("site", Type::Text), nullable("hits", Type::I64), nullable("cost", Type::F64)];

fn format(options: &str) -> Result<Format, Error> {
    Format::of(&format!("s3://b/p?{options}").parse().unwrap(), &FIELDS)
}

fn row(values: &impl Row) -> Vec<u8> {
    let mut rows = RowBuffer::default();
    values.encode(rows.row());
    rows.bytes().to_vec()
}

fn written(options: &str, values: &impl Row) -> String {
    let mut out = Vec::new();
    format(options).unwrap().write(&FIELDS, &mut RowReader::new(&row(values)), &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

fn folder(options: &str, site: Option<&str>) -> String {
    let mut folder = "left over".to_owned();
    format(options).unwrap().folder(&FIELDS, &RowReader::new(&row(&(site, Some(7_i64), Some(0.5)))), &mut folder);
    folder
}

#[test]
fn a_row_is_a_line_of_delimited_text_or_an_object() {
    let values = (Some("a \"b\""), Some(-7_i64), Some(0.5));
    assert_eq!(written("", &values), "\"a \"\"b\"\"\",-7,0.5\n");
    assert_eq!(written("format=json", &values), "{\"site\":\"a \\\"b\\\"\",\"hits\":-7,\"cost\":0.5}\n");
}

#[test]
fn null_is_told_from_empty_text() {
    let (null, empty) = ((None::<&str>, None::<i64>, None::<f64>), (Some(""), None::<i64>, None::<f64>));
    assert_eq!((&*written("", &null), &*written("", &empty)), (",,\n", "\"\",,\n"));
    assert!(written("format=json", &null).starts_with("{\"site\":null,"));
    assert!(written("format=json", &empty).starts_with("{\"site\":\"\","));
}

#[test]
fn what_json_has_no_number_for_is_text() {
    let values = (None::<&str>, None::<i64>, Some(f64::NAN));
    let value: serde_json::Value = serde_json::from_str(&written("format=json", &values)).unwrap();
    assert!(value["cost"].is_string(), "{value}");
}

#[test]
fn folders_are_named_after_values_that_cannot_be_taken_for_more() {
    assert_eq!(folder("partition=site", Some("2026-11-22")), "site=2026-11-22/");
    assert_eq!(folder("partition=hits,site", Some("a/b=c é")), "hits=7/site=a%2Fb%3Dc%20%C3%A9/");
    assert_eq!(folder("partition=site", None), "site=__HIVE_DEFAULT_PARTITION__/");
    assert_eq!(folder("partition=site", Some("__HIVE_DEFAULT_PARTITION__")), "site=%5F_HIVE_DEFAULT_PARTITION__/");
    assert_eq!(folder("partition=site", Some("")), "site=/");
    assert_eq!(folder("", Some("a")), "");
}

#[test]
fn names_of_objects_tell_what_is_in_them() {
    for (options, suffix) in
        [("", ".csv.gz"), ("compression=zstd&format=json", ".json.zst"), ("compression=none", ".csv")]
    {
        assert_eq!(format(options).unwrap().suffix(), suffix);
    }
}

#[test]
fn options_that_make_no_sense_are_refused() {
    for options in
        ["format=xml", "compression=lz4", "partition=day", "partition=site,site", "format=json&null=x", "partition="]
    {
        assert!(matches!(format(options), Err(Error::Config(_))), "{options}");
    }
}
