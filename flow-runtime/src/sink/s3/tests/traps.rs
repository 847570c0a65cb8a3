//! Traps, read back.

use super::*;
use crate::trap::FailedRecord;

fn trapped(bucket: &Arc<MemoryBucket>, options: &str, iteration: u64, records: &[&[u8]]) {
    let (mut tap, folder) = (tap_of(bucket, &BAD_LINES, Mode::Append, options), Folder::new());
    let mut buffer = RowBuffer::default();
    for record in records {
        let (source, shard, position) = (Some("log"), Some("a.log"), Some("47"));
        FailedRecord { record: Some(record), source, shard, position, operator: "Each", reason: "no \"line\"" }
            .encode(&mut buffer);
    }
    let manifest = stage(&tap, &folder, &format!("{iteration}-t{}", bucket.calls()), &buffer).unwrap();
    publish(&mut tap, &folder, &manifest, iteration).unwrap();
}

#[test]
fn trapped_records_are_read_back_from_anywhere() {
    let records: [&[u8]; 4] = [b"plain", b"two\nlines, \"quoted\"", b"\xff\x00 no text", b""];
    for options in ["", "format=json", "header=true&compression=none", "compression=zstd&null=-"] {
        let bucket: Arc<MemoryBucket> = Arc::default();
        trapped(&bucket, options, 0, &records[..1]);
        trapped(&bucket, options, 1, &records[1..]);
        let reader = tap_of(&bucket, &BAD_LINES, Mode::Append, options).trapped("hits").unwrap().unwrap();
        let mut from = None;
        for begin in 0..=records.len() {
            let mut entries = reader.entries(from.as_ref()).unwrap();
            let mut found = Vec::new();
            while let Some(entry) = entries.next().unwrap() {
                if found.is_empty() {
                    from = Some(entry.next.clone());
                }
                assert_eq!((entry.source.as_deref(), entry.operator.as_str()), (Some("log"), "Each"));
                found.push(entry.record.unwrap());
            }
            assert_eq!(found, records[begin..], "{options}, from {begin}");
        }
    }
}

#[test]
fn a_trap_that_was_begun_anew_is_not_taken_for_the_former_one() {
    let bucket: Arc<MemoryBucket> = Arc::default();
    let tap = || tap_of(&bucket, &BAD_LINES, Mode::Append, "");
    assert!(tap().trapped("hits").unwrap().is_none());
    trapped(&bucket, "", 0, &[b"a", b"b"]);
    let mut entries = tap().trapped("hits").unwrap().unwrap().entries(None).unwrap();
    let first = entries.next().unwrap().unwrap();
    tap().forget("hits", true).unwrap();
    trapped(&bucket, "", 0, &[b"c", b"d"]);
    let anew = tap().trapped("hits").unwrap().unwrap();
    assert!(matches!(anew.entries(Some(&first.next)), Err(Error::Held(_))));
}

#[test]
fn folders_of_a_trap_are_named_by_what_is_short() {
    for (name, is_refused) in [("source", false), ("operator", false), ("shard", true), ("record", true)] {
        let tap = tap_of(&Arc::default(), &BAD_LINES, Mode::Append, &format!("partition={name}"));
        let address = "s3://warehouse/hits".parse().unwrap();
        assert_eq!(refuse_long_folders(&address, tap.shape, &tap.format).is_err(), is_refused, "{name}");
    }
}
