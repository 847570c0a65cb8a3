//! Aggregates, read back by the format's own description.

use std::collections::HashSet;

use super::*;

/// The records of an entry, with their keys.
fn records(outgoing: &Outgoing) -> Vec<(String, Vec<u8>)> {
    let Entry { data, partition_key, explicit_hash_key } = &outgoing.entry;
    let Some(rest) = data.strip_prefix(&kpl::MAGIC) else { return vec![(partition_key.clone(), data.clone())] };
    let (message, digest) = rest.split_at(rest.len() - kpl::DIGEST_BYTES);
    assert_eq!(Md5::digest(message).as_slice(), digest);
    let content = AggregatedRecord::decode(message).unwrap();
    assert_eq!(content.explicit_hash_key_table, [explicit_hash_key.unwrap().to_string()]);
    assert_eq!(content.records.len() as u64, outgoing.records);
    assert!(content.records.iter().all(|record| record.explicit_hash_key_index == Some(0)));
    let key = |record: &kpl::Record| content.partition_key_table[record.partition_key_index as usize].clone();
    content.records.iter().map(|record| (key(record), record.data.clone())).collect()
}

fn packed(key_by: &str, lines: &[String]) -> Vec<Outgoing> {
    let mut packing = Packing::new(key_by.parse().unwrap(), true);
    lines.iter().for_each(|line| packing.add(line.clone().into_bytes()));
    packing.take_all()
}

#[test]
fn every_record_is_in_one_aggregate_and_those_of_a_key_in_order() {
    let lines: Vec<String> = (0..20_000).map(|number| format!("user{} line {number}", number % 97)).collect();
    let packed = packed("word:1", &lines);
    let mut of_keys: HashMap<String, Vec<String>> = HashMap::new();
    let mut hash_keys: HashMap<String, HashSet<u128>> = HashMap::new();
    for outgoing in &packed {
        assert!(outgoing.entry.bytes() <= AGGREGATE_BYTES, "{}", outgoing.entry.bytes());
        for (key, data) in records(outgoing) {
            hash_keys.entry(key.clone()).or_default().insert(outgoing.entry.explicit_hash_key.unwrap());
            of_keys.entry(key).or_default().push(String::from_utf8(data).unwrap());
        }
    }
    assert_eq!(packed.iter().map(|outgoing| outgoing.records).sum::<u64>(), 20_000);
    for (key, found) in of_keys {
        let word = format!("{key} ");
        let expected: Vec<&String> = lines.iter().filter(|line| line.starts_with(&word)).collect();
        assert!(found.iter().eq(expected), "{key}");
        assert_eq!(hash_keys[&key].len(), 1, "one place for the key {key}");
    }
}

#[test]
fn aggregates_of_random_keys_are_full_and_go_anywhere() {
    let lines: Vec<String> = (0..20_000).map(|number| format!("a line of some length {number}")).collect();
    let packed = packed("random", &lines);
    let (last, full) = packed.split_last().unwrap();
    assert!(full.iter().all(|outgoing| outgoing.entry.bytes() > AGGREGATE_BYTES / 3));
    let found: Vec<String> =
        packed.iter().flat_map(records).map(|(_, data)| String::from_utf8(data).unwrap()).collect();
    assert_eq!(found, lines);
    let places: HashSet<u128> = packed.iter().map(|outgoing| outgoing.entry.explicit_hash_key.unwrap()).collect();
    assert_eq!(places.len(), packed.len());
    assert!(last.records > 0);
}

#[test]
fn a_record_that_fills_an_aggregate_goes_alone_as_it_is() {
    let large = "x".repeat(AGGREGATE_BYTES);
    let packed = packed("random", &["a".to_owned(), large.clone(), "b".to_owned()]);
    let data: Vec<&[u8]> = packed.iter().map(|outgoing| outgoing.entry.data.as_slice()).collect();
    assert_eq!(data, [b"a".as_slice(), large.as_bytes(), b"b"]);
}

#[test]
fn the_parts_cover_all_hash_keys() {
    let size = u128::MAX / PARTS + 1;
    assert_eq!((size.checked_mul(PARTS - 1).is_some(), u128::MAX / size), (true, PARTS - 1));
}
