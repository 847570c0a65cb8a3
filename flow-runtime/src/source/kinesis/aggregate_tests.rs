//! Messages of the producer library, damaged ones, and bytes of any kind.

use proptest::prelude::*;

use super::*;
use crate::aws::kpl::Record;

/// The hash key of a partition key.
fn hash_key(key: &str) -> u128 {
    u128::from_be_bytes(Md5::digest(key).into())
}

fn record(data: &str, key: u64, explicit: Option<u64>) -> Record {
    Record { partition_key_index: key, explicit_hash_key_index: explicit, data: data.into(), tags: Vec::new() }
}

fn aggregate(keys: &[&str], explicit: &[&str], records: Vec<Record>) -> AggregatedRecord {
    let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
    AggregatedRecord { partition_key_table: texts(keys), explicit_hash_key_table: texts(explicit), records }
}

/// As the producer library writes it.
pub(in crate::source::kinesis) fn written(aggregate: &AggregatedRecord) -> Vec<u8> {
    let message = aggregate.encode_to_vec();
    [&kpl::MAGIC[..], &message, &Md5::digest(&message)].concat()
}

#[test]
fn what_the_producer_library_writes_is_taken_apart() {
    let two = aggregate(&["a", "b"], &[], vec![record("one", 0, None), record("two", 1, None)]);
    assert_eq!(content(&written(&two), None), Content::Aggregate(two.clone()));
    assert_eq!(content(&written(&two), Some((0, u128::MAX))), Content::Aggregate(two));
    let none = aggregate(&[], &[], Vec::new());
    assert_eq!(content(&written(&none), Some((1, 0))), Content::Aggregate(none));
}

/// Bytes as a run of the producer library has made them, from the description of its format: one key `a`, one record `x`.
#[test]
fn the_bytes_are_those_of_the_description() {
    let message = [0x0a, 0x01, b'a', 0x1a, 0x05, 0x08, 0x00, 0x1a, 0x01, b'x'];
    let bytes = [&[0xf3, 0x89, 0x9a, 0xc2], &message[..], &Md5::digest(message)].concat();
    assert_eq!(content(&bytes, None), Content::Aggregate(aggregate(&["a"], &[], vec![record("x", 0, None)])));
}

#[test]
fn without_magic_digest_message_or_keys_it_is_an_ordinary_record() {
    let whole = written(&aggregate(&["a"], &[], vec![record("x", 0, None)]));
    let mut other_digest = whole.clone();
    *other_digest.last_mut().unwrap() ^= 1;
    let mut other_magic = whole.clone();
    other_magic[0] ^= 1;
    let not_a_message = [&kpl::MAGIC[..], b"\xff\xff", &Md5::digest(b"\xff\xff")].concat();
    let no_such_key = written(&aggregate(&["a"], &[], vec![record("x", 1, None)]));
    let no_such_hash_key = written(&aggregate(&["a"], &[], vec![record("x", 0, Some(0))]));
    for bytes in [
        other_digest,
        other_magic,
        whole[..whole.len() - 1].to_vec(),
        kpl::MAGIC.to_vec(),
        not_a_message,
        no_such_key,
        no_such_hash_key,
        Vec::new(),
    ] {
        assert_eq!(content(&bytes, None), Content::Plain, "{bytes:?}");
    }
}

#[test]
fn an_aggregate_with_a_record_of_another_shard_is_left_out_as_a_whole() {
    let key = hash_key("a");
    let by_key = written(&aggregate(&["a"], &[], vec![record("x", 0, None), record("y", 0, None)]));
    assert!(matches!(content(&by_key, Some((key, key))), Content::Aggregate(_)));
    assert_eq!(content(&by_key, Some((key + 1, u128::MAX))), Content::Elsewhere(2));
    let explicit =
        |hash_key: &str| written(&aggregate(&["a"], &[hash_key], vec![record("x", 0, None), record("y", 0, Some(0))]));
    assert_eq!(content(&explicit("0"), Some((1, u128::MAX))), Content::Elsewhere(2));
    assert!(matches!(content(&explicit("no number"), Some((1, u128::MAX))), Content::Aggregate(_)));
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(mut bytes: Vec<u8>, has_magic: bool, has_digest: bool) {
        if has_magic {
            bytes.splice(0..0, kpl::MAGIC);
        }
        if has_digest && has_magic {
            let digest = Md5::digest(&bytes[kpl::MAGIC.len()..]);
            bytes.extend(digest);
        }
        content(&bytes, Some((0, u128::MAX)));
        let is_plain = content(&bytes, None) == Content::Plain;
        prop_assert!(is_plain || (has_magic && has_digest));
    }
}
