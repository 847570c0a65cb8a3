use super::*;
use crate::sink::{Target, fixtures::COUNTS, open};

fn address(rest: &str) -> String {
    format!("redshift://load:swordfish@db/dev?staging=s3://warehouse/staged/&role=default{rest}")
}

fn opened(text: &str) -> Result<RedshiftTap, Error> {
    RedshiftTap::open(&text.parse()?, SinkShape { port: &COUNTS, mode: Mode::Append })
}

fn refused(text: &str) -> String {
    match opened(text) {
        Err(error @ Error::Config(_)) => error.to_string(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_address_says_where_rows_are_staged_and_by_which_role_they_are_loaded() {
    let tap = opened(&address("&region=eu-central-1&compression=zstd&distkey=ip&table=Web.Hits")).unwrap();
    assert_eq!((tap.staging.bucket.as_str(), tap.staging.prefix.as_str()), ("warehouse", "staged/"));
    assert_eq!(tap.staging.compression, Compression::Zstd);
    assert_eq!(tap.credentials.redacted(), "IAM_ROLE default REGION 'eu-central-1'");
    assert_eq!(tap.place(), "db:5439/dev, table web.hits");
    assert_eq!(tap.table.ledger(), r#""web"."flow_ledger_hits""#);
    assert!(!format!("{tap:?}").contains("swordfish"), "{tap:?}");
    let role = "redshift://load@db/dev?staging=s3://w&role=arn:aws:iam::1:role/a,arn:aws:iam::2:role/b";
    assert_eq!(opened(role).unwrap().credentials.redacted(), "IAM_ROLE 'arn:aws:iam::1:role/a,arn:aws:iam::2:role/b'");
}

#[test]
fn addresses_that_cannot_work_are_refused() {
    for (text, why) in [
        ("redshift://load@db/dev?role=default".to_owned(), "names no bucket to stage in"),
        ("redshift://load@db/dev?staging=s3://&role=default".to_owned(), "rows cannot be staged in `s3://`"),
        ("redshift://load@db/dev?staging=s3://w".to_owned(), "names no role"),
        ("redshift://load@db/dev?staging=s3://w&role=arn:'".to_owned(), "names no role"),
        (address("&compression=lzop"), "unknown compression `lzop`"),
        (address("&sslmode=require"), "`require` does not say who answers"),
        (address("&table=flow_ledger_x"), "cannot be the name of a table"),
        (address("&distkey=nobody"), "there is no field `nobody`"),
        (address("&tabel=x"), "unknown option `tabel`"),
    ] {
        let said = refused(&text);
        assert!(said.contains(why) && !said.contains("swordfish"), "{said}");
    }
}

#[test]
fn a_table_is_known_by_its_place_alone() {
    let identity = |text: &str| identity(&text.parse().unwrap(), "counts").unwrap();
    let plain = "redshift://db:5439/dev?table=public.counts";
    assert_eq!(identity(&address("")), plain);
    assert_eq!(identity("redshift://other@DB:5439/dev?table=PUBLIC.Counts"), plain);
}

#[test]
fn it_is_opened_by_its_name() {
    let tap = open(&Target::Address(address("&sslmode=disable")), Some(Mode::Append), &COUNTS).unwrap();
    assert_eq!(tap.mode(), Mode::Append);
    assert!(!tap.demands().is_empty());
}
