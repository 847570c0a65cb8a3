//! Reads cut at any place.

use proptest::prelude::*;

use super::{super::aggregate::tests::written, *};
use crate::aws::kpl::{AggregatedRecord, Record};

fn shard() -> ShardRead {
    ShardRead { index: 3, name: "s/shardId-0".to_owned(), hash_keys: None }
}

fn plain(number: u64, data: &[u8]) -> StreamRecord {
    StreamRecord { sequence: number.to_string(), arrived_us: Some(number as i64), data: data.to_vec() }
}

fn aggregated(number: u64, parts: &[&str]) -> StreamRecord {
    let record = |part: &&str| Record { data: part.as_bytes().to_vec(), ..Record::default() };
    let records = parts.iter().map(record).collect();
    let aggregate =
        AggregatedRecord { partition_key_table: vec!["k".to_owned()], records, ..AggregatedRecord::default() };
    plain(number, &written(&aggregate))
}

fn place(text: &str) -> Place {
    Place::of(&Position::new(text)).unwrap()
}

/// What is taken of records from one place to another: each as `position text`; and where it ends.
fn taken(records: Vec<StreamRecord>, from: &str, until: Option<&str>) -> (Vec<String>, String, bool) {
    let mut wanted = Wanted { from: place(from), until: until.map(place) };
    let taken = take(&shard(), &mut wanted, records, false, &mut Vec::new).unwrap();
    let last = taken.pieces.last().map(|piece| piece.to.to_string());
    assert!(last.is_none_or(|last| last == wanted.from.to_string()));
    (taken.pieces.iter().flat_map(listed).collect(), wanted.from.to_string(), taken.is_whole)
}

fn listed(piece: &Piece) -> Vec<String> {
    let Framing::Listed(listed) = &piece.framing else { panic!("records are listed") };
    let text = |span: &Span| String::from_utf8_lossy(&piece.bytes[span.start..span.end]).into_owned();
    listed.iter().map(|(span, position)| format!("{position} {}", text(span))).collect()
}

fn page() -> Vec<StreamRecord> {
    vec![plain(8, b"a\n"), aggregated(9, &["b", "c\r\n", "d"]), plain(10, b"e")]
}

#[test]
fn records_are_listed_with_their_positions_and_without_their_line_ends() {
    let (records, next, _) = taken(page(), "oldest", None);
    assert_eq!((records, &*next), (["8 a", "9 b", "9/1 c", "9/2 d", "10 e"].map(str::to_owned).to_vec(), "10+"));
    for (data, left) in [(&b"x\n\n"[..], "x\n"), (b"x\r\n", "x"), (b"x\r", "x\r"), (b"\n", ""), (b"", "")] {
        assert_eq!(taken(vec![plain(1, data)], "oldest", None).0, [format!("1 {left}")]);
    }
}

#[test]
fn a_read_is_taken_exactly_from_one_place_to_the_other() {
    for (from, until, first, last, next, is_whole) in [
        ("8+", None, "9 b", "10 e", "10+", false),
        ("9", None, "9 b", "10 e", "10+", false),
        ("9/2", None, "9/2 d", "10 e", "10+", false),
        ("9+", None, "10 e", "10 e", "10+", false),
        ("oldest", Some("9/1"), "8 a", "9 b", "9/1", true),
        ("9/1", Some("9/2"), "9/1 c", "9/1 c", "9/2", true),
        ("9/1", Some("10"), "9/1 c", "9/2 d", "10", true),
        ("9/1", Some("9+"), "9/1 c", "9/2 d", "9+", true),
        ("9/1", Some("10+"), "9/1 c", "10 e", "10+", true),
        ("8", Some("11"), "8 a", "10 e", "10+", false),
        ("8", Some("end"), "8 a", "10 e", "10+", false),
    ] {
        let (records, to, whole) = taken(page(), from, until);
        let ends = (records.first().map(String::as_str), records.last().map(String::as_str));
        assert_eq!((ends, &*to, whole), ((Some(first), Some(last)), next, is_whole), "{from} {until:?}");
    }
}

#[test]
fn nothing_is_taken_twice_and_the_place_stays_where_nothing_is_new() {
    assert_eq!(taken(page(), "10+", None), (Vec::new(), "10+".to_owned(), false));
    assert_eq!(taken(Vec::new(), "9/1", None), (Vec::new(), "9/1".to_owned(), false));
    assert_eq!(taken(vec![aggregated(9, &[])], "8+", None), (Vec::new(), "9+".to_owned(), false));
}

#[test]
fn a_large_read_comes_in_several_pieces_that_follow_each_other() {
    let records = (1..=8).map(|number| plain(number, &vec![b'x'; 200_000])).collect();
    let mut wanted = Wanted { from: Place::Oldest, until: None };
    let pieces = take(&shard(), &mut wanted, records, false, &mut Vec::new).unwrap().pieces;
    let ends: Vec<_> = pieces.iter().map(|piece| (piece.from.as_str(), piece.to.as_str())).collect();
    assert_eq!(ends, [("oldest", "4"), ("4", "7"), ("7", "8+")]);
    let arrived: Vec<_> = pieces.iter().map(|piece| piece.arrived.unwrap()).collect();
    assert_eq!((arrived[0].first_us, arrived[0].last_us, arrived[0].is_behind), (1, 3, true));
    assert_eq!((arrived[2].first_us, arrived[2].last_us, arrived[2].is_behind), (7, 8, false));
}

#[test]
fn a_sequence_number_that_is_none_is_an_error() {
    let mut wanted = Wanted { from: Place::Oldest, until: None };
    let record = StreamRecord { sequence: "12a".to_owned(), ..plain(1, b"") };
    let error = take(&shard(), &mut wanted, vec![record], false, &mut Vec::new).unwrap_err().to_string();
    assert!(error.contains("`12a` is no sequence number (s/shardId-0)"), "{error}");
}

proptest! {
    /// Wherever iterations end, also within an aggregate, and however reads are cut, all records come once and in order.
    #[test]
    fn a_shard_that_is_cut_anywhere_is_read_to_the_record(
        parts in prop::collection::vec(0_usize..5, 1..12),
        cuts in prop::collection::vec((any::<prop::sample::Index>(), 1_usize..6), 0..12),
    ) {
        let texts = |number: usize, count: usize| (0..count).map(|sub| format!("{number}.{sub}")).collect::<Vec<_>>();
        let record = |(number, count): (usize, &usize)| match count {
            0 => plain(number as u64 + 1, b"plain"),
            count => {
                let texts = texts(number, *count);
                aggregated(number as u64 + 1, &texts.iter().map(String::as_str).collect::<Vec<_>>())
            }
        };
        let records: Vec<StreamRecord> = parts.iter().enumerate().map(record).collect();
        let (all, end, _) = taken(records.clone(), "oldest", None);
        let mut until: Vec<usize> = cuts.iter().map(|(cut, _)| cut.index(all.len())).collect();
        until.sort_unstable();
        let sizes = cuts.iter().map(|(_, size)| *size).chain([3]).cycle();
        let (mut got, mut from) = (Vec::new(), "oldest".to_owned());
        let bounds = until.iter().map(|cut| all[*cut].split(' ').next().unwrap().to_owned()).chain([end.clone()]);
        for (until, size) in bounds.zip(sizes) {
            let number = place(&from);
            // What an iterator gives from there on.
            let rest = records.iter().filter(|record| {
                let sequence = Sequence::parse(&record.sequence).unwrap();
                number.is_reached_by(&sequence, u64::MAX)
            });
            for page in rest.cloned().collect::<Vec<_>>().chunks(size) {
                let (listed, next, is_whole) = taken(page.to_vec(), &from, Some(&until));
                got.extend(listed);
                from = next;
                if is_whole {
                    break;
                }
            }
        }
        prop_assert_eq!((got, from), (all, end));
    }
}

#[test]
fn what_came_before_the_millisecond_to_begin_at_is_left_out() {
    let at = |number, ms: i64| StreamRecord { arrived_us: Some(ms * 1000), ..plain(number, b"text") };
    // They need not come in the order of their times.
    let records = || vec![at(7, 7), at(8, 8), at(9, 5), at(10, 10)];
    let (listed, to, _) = taken(records(), "time:1970-01-01T00:00:00.0085Z", None);
    assert_eq!((listed.len(), listed[0].starts_with("8 "), &*to), (3, true, "10+"), "{listed:?}");
    let (listed, to, _) = taken(records(), "time:1970-01-01T00:00:00.02Z", None);
    assert_eq!((listed.len(), &*to), (0, "time:1970-01-01T00:00:00.02Z"), "{listed:?}");
}

#[test]
fn a_record_is_taken_with_one_allocation_its_position() {
    let count = 10_000;
    let records = (0..count).map(|number| StreamRecord {
        sequence: format!("4957{number:052}"),
        arrived_us: Some(1),
        data: vec![b'x'; 200],
    });
    let (records, mut wanted) = (records.collect(), Wanted { from: Place::Oldest, until: None });
    let allocated = allocation_counter::measure(|| {
        drop(take(&shard(), &mut wanted, records, true, &mut || Vec::with_capacity(1 << 20)).unwrap());
    });
    assert!(allocated.count_total < count + 200, "{allocated:?}");
}
