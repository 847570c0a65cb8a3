//! COPY loads what is in S3 as Redshift does, or says what is wrong as Redshift does.

use std::io::Write as _;

use flow_services::{
    Fault, Proxy, Rule, Service, ministack, redshift,
    redshift::{Isolation, Redshift},
};
use serde_json::json;

use crate::client::Client;

const OPTIONS: &str = "IAM_ROLE 'arn:aws:iam::1:role/load' REGION 'us-east-1' MANIFEST COMPUPDATE OFF STATUPDATE OFF";

fn services() -> Option<(&'static Redshift, &'static Service)> {
    Some((redshift()?, ministack()?))
}

fn gzip(text: &str) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

/// Puts files and a manifest of them into a bucket, and says where it is.
fn stage(s3: &Service, bucket: &str, files: &[Vec<u8>]) -> String {
    s3.create_bucket(bucket);
    let mut entries = Vec::new();
    for (number, bytes) in files.iter().enumerate() {
        s3.put_object(bucket, &format!("part%20{number}"), bytes);
        let url = format!("s3://{bucket}/part {number}");
        entries.push(json!({ "url": url, "mandatory": true, "meta": { "content_length": bytes.len() } }));
    }
    s3.put_object(bucket, "manifest", json!({ "entries": entries }).to_string());
    format!("s3://{bucket}/manifest")
}

/// Loads a text into a new table with these columns; says what is answered, and what is in the table then.
fn load(name: &str, columns: &str, options: &str, text: &str) -> (crate::client::Answer, Vec<String>) {
    let (redshift, s3) = services().unwrap();
    let table = name.replace('-', "_");
    let manifest = stage(s3, name, &[text.as_bytes().to_vec()]);
    let mut client = Client::connect(redshift);
    client.rows(&format!("CREATE TABLE {table} ({columns})"));
    let answer = client.ask(&format!("COPY {table} FROM '{manifest}' {OPTIONS} {options}"));
    let rows = client.rows(&format!("SELECT * FROM {table}"));
    (answer, rows)
}

/// The last error of a load from this bucket: line, column, type, length, code, reason.
fn load_error(bucket: &str) -> String {
    let sql = format!(
        "SELECT line_number, trim(column_name), trim(column_type), trim(column_length), error_code, trim(error_message) \
         FROM sys_load_error_detail WHERE file_name LIKE 's3://{bucket}/%' ORDER BY query_id DESC LIMIT 1"
    );
    Client::connect(redshift().unwrap()).rows(&sql).remove(0)
}

#[test]
fn gzipped_csv_is_loaded_by_its_manifest() {
    let Some((redshift, s3)) = services() else { return };
    let manifest = stage(s3, "copy-gzip", &[gzip("a,1\n\"b,\"\"c\",2\n"), gzip("\"d\ne\",\\N\n")]);
    let mut client = Client::connect(redshift);
    client.rows("CREATE TABLE copy_gzip (ip varchar(100), count bigint)");
    let answer = client.ask(&format!("COPY copy_gzip (ip, count) FROM '{manifest}' {OPTIONS} CSV GZIP NULL AS '\\N'"));
    assert_eq!(answer.error, None);
    assert_eq!(answer.tags, ["COPY"]);
    assert_eq!(answer.notices, ["INFO: Load into table 'copy_gzip' completed, 3 record(s) loaded successfully."]);
    assert_eq!(client.rows("SELECT pg_last_copy_count()"), ["3"]);
    assert_eq!(client.rows("SELECT * FROM copy_gzip ORDER BY 2"), ["a|1", "b,\"c|2", "d\ne|∅"]);
}

#[test]
fn zstd_is_loaded_too_into_the_columns_that_are_named() {
    let Some((redshift, s3)) = services() else { return };
    let manifest = stage(s3, "copy-zstd", &[zstd::encode_all(&b"1|x\n2|y\n"[..], 1).unwrap()]);
    let mut client = Client::connect(redshift);
    client.rows("CREATE TABLE copy_zstd (a varchar, b varchar(10) DEFAULT 'none', c int)");
    client.rows(&format!("COPY copy_zstd (c, a) FROM '{manifest}' {OPTIONS} ZSTD"));
    assert_eq!(client.rows("SELECT * FROM copy_zstd ORDER BY c"), ["x|none|1", "y|none|2"]);
}

#[test]
fn what_is_null_is_said_and_what_is_empty_is_empty_where_it_is_text() {
    let Some(_) = services() else { return };
    let columns = "a varchar(9), b int, c varchar(9)";
    let text = "\"\",,\n@,@,\"@\"\n\\N,1,\\N\n";
    let (_, rows) = load("copy-nulls", columns, "CSV NULL AS '@'", text);
    assert_eq!(rows, ["|∅|", "∅|∅|∅", "\\N|1|\\N"]);
    let (_, rows) = load("copy-empty", columns, "CSV EMPTYASNULL", "\"\",,\n\\N,\\N,x\n");
    assert_eq!(rows, ["∅|∅|∅", "∅|∅|x"]);
}

#[test]
fn decimals_are_cut_off_unless_they_are_to_be_rounded() {
    let Some(_) = services() else { return };
    let (_, rows) = load("copy-cut", "a decimal(5,2), b decimal", "", "20.259|3.9\n-.999|-12\n");
    assert_eq!(rows, ["20.25|3", "-0.99|-12"]);
    let (_, rows) = load("copy-round", "a decimal(5,2)", "ROUNDEC", "20.259\n");
    assert_eq!(rows, ["20.26"]);
}

#[test]
fn a_row_that_does_not_fit_is_told_with_its_file_line_and_column() {
    let Some(_) = services() else { return };
    let columns = "ip varchar(4), n smallint NOT NULL, d decimal(4,2), f float, b bool, t timestamp, day date";
    let good = "abcd,1,1.5,2.5,t,2026-11-22 15:16:17.5,2026-11-22\n";
    let second = |row: &str| format!("\"a\nb\",1,,,,,\n{row}\n{good}");
    let cases = [
        ("äöü,1,,,,,", "3|ip|varchar|4|1204|String length exceeds DDL length"),
        ("a,x1,,,,,", "3|n|int2||1207|Invalid digit, Value 'x', Pos 0, Type: Short"),
        ("a,32768,,,,,", "3|n|int2||1222|Overflow, Value '32768', Type: Short"),
        ("a,,,,,,", "3|n|int2||1213|Missing data for not-null field"),
        ("a,1,123.4,,,,", "3|d|numeric|4, 2|1204|Numeric data overflow (result precision)"),
        ("a,1,1e3,,,,", "3|d|numeric|4, 2|1209|Invalid digit, Value 'e', Pos 1, Type: Decimal"),
        ("a,1,,NaN,,,", "3|f|float8||1208|Invalid digit, Value 'N', Pos 0, Type: Double"),
        ("a,1,,1e999,,,", "3|f|float8||1204|Overflow, Type: Double"),
        ("a,1,,,maybe,,", "3|b|bool||1210|Unknown boolean format"),
        (
            "a,1,,,,2026-02-29 00:00:00,",
            "3|t|timestamp||1206|Invalid timestamp format or value [YYYY-MM-DD HH24:MI:SS]",
        ),
        ("a,1,,,,,now", "3|day|date||1205|Invalid Date Format - length must be 10 or more"),
        ("a,1,,,,", "3|day|date||1214|Delimiter not found"),
        ("a,1,,,,,,", "3||||1202|Extra column(s) found"),
        (
            "a\0,1,,,,,",
            "3|ip|varchar|4|1220|String contains invalid or unsupported UTF8 codepoints. Bad UTF8 hex sequence: 00 (error 4)",
        ),
        (
            "\u{fdd0},1,,,,,",
            "3|ip|varchar|4|1220|String contains invalid or unsupported UTF8 codepoints. Bad UTF8 hex sequence: ef b7 90 (error 4)",
        ),
        ("\"a\"b,1,,,,,", "3||||1216|Invalid quote formatting for CSV"),
    ];
    for (number, (row, wanted)) in cases.iter().enumerate() {
        let bucket = format!("copy-wrong-{number}");
        let (answer, rows) = load(&bucket, columns, "CSV", &second(row));
        let table = bucket.replace('-', "_");
        let text =
            format!("Load into table '{table}' failed.  Check 'sys_load_error_detail' system table for details.");
        assert_eq!(answer.error(), format!("XX000 {text}"), "{row}");
        assert_eq!(load_error(&bucket), *wanted, "{row}");
        assert!(rows.is_empty(), "{rows:?}");
    }
}

#[test]
fn load_errors_outlive_the_transaction_which_is_rolled_back() {
    let Some((redshift, s3)) = services() else { return };
    let manifest = stage(s3, "copy-outlive", &[b"1\n".to_vec(), b"2\nx\n".to_vec()]);
    let mut client = Client::connect(redshift);
    client.rows("CREATE TABLE copy_outlive (n int)");
    client.rows("INSERT INTO copy_outlive VALUES (0)");
    client.rows("BEGIN");
    client.rows("DELETE FROM copy_outlive");
    let answer = client.ask(&format!("COPY copy_outlive FROM '{manifest}' {OPTIONS}"));
    assert_eq!(answer.status, 'E');
    assert_eq!(client.error("SELECT 1").split(' ').next(), Some("25P02"));
    client.rows("ROLLBACK");
    assert_eq!(client.rows("SELECT n FROM copy_outlive"), ["0"]);
    assert_eq!(load_error("copy-outlive"), "2|n|int4||1207|Invalid digit, Value 'x', Pos 0, Type: Integer");
    let sql = "SELECT trim(filename), session, trim(raw_line), trim(raw_field_value), err_code FROM stl_load_errors \
               WHERE filename LIKE 's3://copy-outlive/%'";
    assert_eq!(client.rows(sql), [format!("s3://copy-outlive/part 1|{}|x|x|1207", client.pid)]);
}

#[test]
fn what_only_postgresql_refuses_is_told_with_its_line_too() {
    let Some(_) = services() else { return };
    let (answer, _) = load("copy-other", "n int, t time", "CSV", "1,01:02:03\n2,late\n");
    assert!(answer.error().contains("Load into table 'copy_other' failed"), "{answer:?}");
    assert_eq!(load_error("copy-other"), "2||||1200|invalid input syntax for type time: \"late\"");
}

#[test]
fn an_object_that_is_not_there_fails_the_load_if_it_is_mandatory() {
    let Some((redshift, s3)) = services() else { return };
    stage(s3, "copy-missing", &[b"1\n".to_vec()]);
    let entry =
        |key: &str, is_mandatory: bool| json!({ "url": format!("s3://copy-missing/{key}"), "mandatory": is_mandatory });
    let mut client = Client::connect(redshift);
    client.rows("CREATE TABLE copy_missing (n int)");
    for (entries, wanted) in [
        (vec![entry("part 0", true), entry("gone", true)], Some("Error NoSuchKey")),
        (vec![entry("gone", false)], Some("names none that is there")),
        (vec![entry("part 0", true), entry("gone", false)], None),
    ] {
        s3.put_object("copy-missing", "manifest", json!({ "entries": entries }).to_string());
        let answer = client.ask(&format!("COPY copy_missing FROM 's3://copy-missing/manifest' {OPTIONS}"));
        assert_eq!(answer.error.is_some(), wanted.is_some(), "{answer:?}");
        assert!(answer.error().contains(wanted.unwrap_or_default()), "{answer:?}");
    }
    assert_eq!(client.rows("SELECT n FROM copy_missing"), ["1"]);
    let error = client.error(&format!("COPY copy_missing FROM 's3://copy-missing/none' {OPTIONS}"));
    assert!(error.starts_with("XX000 Problem reading manifest file - S3ServiceException:"), "{error}");
    let error = client.error(&format!("COPY copy_missing FROM 's3://copy-nowhere/none' {OPTIONS}"));
    assert!(error.contains("Error NoSuchBucket"), "{error}");
}

#[test]
fn an_object_that_does_not_come_or_not_to_its_end_fails_the_load() {
    let (Some(s3), Some(server)) = (ministack(), flow_services::postgres::server()) else { return };
    let files = [b"1\n2\n".to_vec(), gzip(&"3\n".repeat(1_000))];
    let manifests = files.each_ref().map(|file| {
        let bucket = format!("copy-cut-{}", file.len());
        (stage(s3, &bucket, std::slice::from_ref(file)), if file[0] == b'1' { "" } else { "GZIP" })
    });
    let proxy = Proxy::before(s3, &[]);
    let redshift = Redshift::start(server, Isolation::Snapshot, proxy.port());
    let mut client = Client::connect(&redshift);
    client.rows("CREATE TABLE copy_cut (n int)");
    for (manifest, options) in manifests {
        let copy = format!("COPY copy_cut FROM '{manifest}' {OPTIONS} {options}");
        for fault in [Fault::Throttled, Fault::ResetBefore, Fault::TruncatedBody] {
            // The first object is the manifest.
            for call in [1, 2] {
                proxy.obey(&[Rule::nth("s3.get_object", call, fault)]);
                let error = client.error(&copy);
                assert!(error.starts_with("XX000 "), "{fault:?} {call}: {error}");
                assert_eq!(proxy.struck().len(), 1);
            }
        }
        assert_eq!(client.rows("SELECT count(*) FROM copy_cut"), ["0"]);
    }
}

#[test]
fn copy_wants_credentials_and_refuses_what_it_does_not_know() {
    let Some((redshift, _)) = services() else { return };
    let mut client = Client::connect(redshift);
    client.rows("CREATE TABLE copy_refused (n int)");
    for (sql, wanted) in [
        ("COPY copy_refused FROM 's3://b/m' MANIFEST", "XX000 CREDENTIALS argument is required"),
        (
            "COPY copy_refused FROM 's3://b/m' IAM_ROLE default MANIFEST FREEZE",
            "42601 syntax error at or near \"FREEZE\"",
        ),
        (
            "COPY copy_refused FROM 's3://b/m' IAM_ROLE default MANIFEST CSV ESCAPE",
            "42601 CSV is not supported with ESCAPE",
        ),
        (
            "COPY copy_refused FROM 's3://b/m' IAM_ROLE default",
            "0A000 the stand-in for Redshift does not know COPY by prefix",
        ),
        ("COPY copy_refused FROM STDIN", "42601 syntax error at or near \"STDIN\""),
        ("COPY copy_refused TO STDOUT", "42601 syntax error at or near \"TO\""),
        ("COPY copy_none FROM 's3://b/m' IAM_ROLE default MANIFEST", "42P01 relation \"copy_none\" does not exist"),
        ("COPY copy_refused (x) FROM 's3://b/m' IAM_ROLE default MANIFEST", "42703 column \"x\" of relation"),
    ] {
        let error = client.error(sql);
        assert!(error.starts_with(wanted), "{sql}: {error}");
    }
}

/// The figure that a load is held against; run it by itself: `--ignored --nocapture`.
#[test]
#[ignore = "it measures"]
fn a_million_rows_take_little_longer_than_a_bare_copy() {
    let (Some((redshift, s3)), Some(server)) = (services(), flow_services::postgres::server()) else { return };
    let rows: String = (0..1_000_000).map(|n| format!("10.{}.{}.{},{n}\n", n >> 16, n >> 8 & 255, n & 255)).collect();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("rows.csv");
    std::fs::write(&file, &rows).unwrap();
    server.run("CREATE TABLE million (ip varchar(100), count bigint)");
    let mut client = Client::connect(redshift);
    client.rows("CREATE TABLE million (ip varchar(100), count bigint)");
    let manifests = ["million-bare", "million-gzip"].map(|bucket| {
        let bytes = if bucket.ends_with("gzip") { gzip(&rows) } else { rows.clone().into_bytes() };
        stage(s3, bucket, &[bytes])
    });
    for _ in 0..5 {
        let mut took = Vec::new();
        let mut time = |work: &mut dyn FnMut()| {
            let began = std::time::Instant::now();
            work();
            took.push(began.elapsed().as_millis());
        };
        server.run("TRUNCATE million");
        time(&mut || server.run(&format!("\\copy million FROM '{}' CSV", file.display())));
        for (manifest, options) in manifests.iter().zip(["CSV", "CSV GZIP"]) {
            client.rows("TRUNCATE million");
            time(&mut || drop(client.rows(&format!("COPY million FROM '{manifest}' {OPTIONS} {options}"))));
        }
        println!("psql's \\copy {} ms, COPY {} ms, COPY GZIP {} ms", took[0], took[1], took[2]);
    }
}
