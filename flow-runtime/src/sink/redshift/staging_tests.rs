//! Where rows are staged, and what that takes.

use super::*;
use crate::sink::{
    fixtures::COUNTS,
    objects::figures::{self, Forgetful},
};

fn stager(compression: &str, form: Form, bucket: Forgetful) -> Box<dyn Stager> {
    let staging = Staging {
        account: Account::default(),
        bucket: "warehouse".to_owned(),
        prefix: String::new(),
        flow: String::new(),
        port: COUNTS.name,
        compression: Compression::parse(compression).unwrap(),
        form,
    };
    Box::new(RedshiftStager { bucket: Some(Box::new(bucket)), ..staging.stager(COUNTS.fields, (0, "0-x")) })
}

/// As `sink/s3/tests/figures.rs` says.
#[test]
#[ignore = "it says figures"]
fn staging_takes_so_long_and_so_much() {
    figures::say("redshift", |compression, bucket| stager(compression, Form::Plain, bucket));
}

#[test]
fn a_row_that_is_staged_allocates_nothing() {
    let buffers: Vec<RowBuffer> = figures::buffers(80_000).collect();
    for form in [Form::Plain, Form::Numbered, Form::Marked] {
        assert_eq!(figures::allocations(stager("gzip", form, Forgetful::default()), &buffers), 0);
    }
}

#[test]
fn an_address_tells_how_rows_were_staged() {
    for (text, compression, form) in [
        ("s3://b/p/a-1/counts/rows.csv.gz.manifest", Compression::Gzip, Form::Plain),
        ("s3://b/a-1/counts/numbered.csv.zst.manifest", Compression::Zstd, Form::Numbered),
        ("s3://b/a-1/counts/marked.csv.manifest", Compression::None, Form::Marked),
    ] {
        let address = Address::parse(text).unwrap();
        assert_eq!((address.compression, address.form, address.url().as_str()), (compression, form, text));
    }
    for text in ["s3://b/rows.csv.gz.manifest", "s3://b/a/rows.csv.gz", "s3://b/a/some.csv.gz.manifest", "file:x"] {
        assert_eq!(Address::parse(text), None, "{text}");
    }
}

#[test]
fn a_manifest_has_sizes_and_lets_copy_skip_nothing() {
    let meta = Meta { content_length: 7, record_count: 2 };
    let url = "s3://b/a-1/counts/rows-00001.csv.gz".to_owned();
    let manifest = Manifest { entries: vec![Entry { url, mandatory: true, meta }] };
    let expected = r#"{"entries":[{"url":"s3://b/a-1/counts/rows-00001.csv.gz","mandatory":true,"meta":{"content_length":7,"record_count":2}}]}"#;
    assert_eq!(serde_json::to_string(&manifest).unwrap(), expected);
}
