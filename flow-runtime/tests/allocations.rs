//! What generated code calls for each record allocates nothing once its buffers have grown.

use std::{borrow::Cow, hint::black_box};

use flow_runtime::__private::{
    Accumulators, Block, Count, Date, Decimal, Decode, Delimited, Encode, GroupTable, JoinBuild, JoinTable, Matched,
    MaxText, Min, Optional, Pattern, Required, RowBuffer, RowReader, Span, SumDecimal, SumInt, Timestamp, Type, call,
    required,
};

/// Runs `record` until its buffers have grown, and then asserts that it allocates no more.
#[track_caller]
fn assert_steady(mut record: impl FnMut()) {
    (0..20).for_each(|_| record());
    let steady = allocation_counter::measure(|| (0..1000).for_each(|_| record()));
    assert_eq!(steady.count_total, 0, "allocations in 1000 records");
}

#[test]
fn an_allocation_would_be_seen() {
    let info = allocation_counter::measure(|| drop(black_box(String::from("x"))));
    assert_eq!(info.count_total, 1);
}

#[test]
fn splitting_a_delimited_record() {
    const SCHEME: Delimited = Delimited { delimiter: "|", quote: Some(b'"'), columns: 4, strict: true };
    let bytes = br#"1.2.3.4|"say ""hi"""|17|x"#;
    let spans = [Span { start: 0, end: bytes.len() }];
    let (mut text, mut raw) = (String::new(), Vec::new());
    assert_steady(|| {
        for record in Block::new(bytes, &spans, 0, true).records() {
            let mut columns = SCHEME.columns(&record);
            assert_eq!(columns.bytes(&mut raw).unwrap(), Some(b"1.2.3.4".as_slice()));
            assert_eq!(columns.text(&mut text).unwrap(), Some("say \"hi\""));
            assert_eq!(required::<i64>(columns.text(&mut text).unwrap(), ()), Ok(17));
            columns.skip_text().unwrap();
            columns.end().unwrap();
        }
    });
}

#[test]
fn searching_with_a_pattern() {
    let line = "1.2.3.4 - - [10/Oct/2000:13:55:36 -0700] \"GET /index.html HTTP/1.0\" 200 2326";
    let mut pattern = Pattern::new(r#"^([^ ]*) \S+ \S+ \[([\w:/]+\s[+\-]\d{4})\] "(.+?)" (\d{3}) ([^ ]*).*$"#);
    let filter = Pattern::new("index");
    assert_steady(|| {
        assert_eq!(pattern.find(line).and_then(|groups| groups.get(1)), Some("1.2.3.4"));
        assert!(pattern.find("no log line").is_none());
        assert!(filter.is_match(line));
    });
}

#[test]
fn reading_text_as_values() {
    assert_steady(|| {
        black_box(required::<f64>(Some("2.5"), ()).unwrap());
        black_box(required::<Decimal>(Some("12.50"), (10, 2)).unwrap());
        black_box(required::<Date>(Some("2000-10-10"), "%Y-%m-%d").unwrap());
        black_box(required::<Timestamp>(Some("10/Oct/2000:13:55:36 -0700"), "%d/%b/%Y:%H:%M:%S %z").unwrap());
    });
}

#[test]
fn calling_functions_that_borrow() {
    fn path(request: &str) -> Option<&str> {
        request.split(' ').nth(1)
    }
    assert_steady(|| {
        assert!(matches!(Required::<&str, _>::required(call(path, "GET / HTTP/1.0")), Ok(Cow::Borrowed("/"))));
        assert_eq!(Optional::<i64, _>::optional(call(|text| text.parse::<i64>(), "5")), Ok(Some(5)));
    });
}

#[test]
fn writing_and_reading_rows() {
    let mut rows = RowBuffer::default();
    assert_steady(|| {
        rows.clear();
        let row = rows.row();
        Some("1.2.3.4").encode(row);
        None::<&[u8]>.encode(row);
        5_i64.encode(row);
        let mut reader = RowReader::new(rows.bytes());
        assert_eq!(Cow::<str>::decode(&mut reader), "1.2.3.4");
        assert_eq!(Option::<&[u8]>::decode(&mut reader), None);
        assert_eq!(i64::decode(&mut reader), 5);
    });
}

#[derive(Debug, Default)]
struct Aggregates {
    count: Count,
    sum: SumInt,
    total: SumDecimal,
    min: Min<i64>,
    max: MaxText,
}

impl Accumulators for Aggregates {
    fn merge(&mut self, other: Self) {
        self.count.merge(other.count);
        self.sum.merge(other.sum);
        self.total.merge(other.total);
        self.min.merge(other.min);
        self.max.merge(other.max);
    }

    fn encode(&self, bytes: &mut Vec<u8>) {
        self.count.encode(bytes);
        self.sum.encode(bytes);
        self.total.encode(bytes);
        self.min.encode(bytes);
        self.max.encode(bytes);
    }

    fn decode(row: &mut RowReader<'_>) -> Self {
        Self {
            count: Count::decode(row),
            sum: SumInt::decode(row),
            total: SumDecimal::decode(row),
            min: Min::decode(row),
            max: MaxText::decode(row),
        }
    }
}

#[test]
fn updating_known_groups() {
    let mut table = GroupTable::<Aggregates>::new(&[Type::I64]);
    let mut key = Vec::new();
    let mut number = 0_i64;
    assert_steady(|| {
        key.clear();
        (number % 8).encode(&mut key);
        let (group, heap_bytes) = table.group(&key);
        group.count.update();
        group.sum.update(Some(number));
        group.total.update(Some(Decimal::new(number.into(), 2)));
        group.min.update(Some(number));
        group.max.update(Some(if number % 2 == 0 { "even" } else { "odd" }), heap_bytes);
        number += 1;
    });
}

#[test]
fn joining_with_a_held_side() {
    let mut build = JoinBuild::default();
    let mut key = Vec::new();
    for number in 0..100_i64 {
        key.clear();
        number.encode(&mut key);
        build.push(0, &key, number);
    }
    let table = JoinTable::freeze(build, &[Type::I64]);
    let mut matched = Matched::default();
    let mut number = 100_i64;
    assert_steady(|| {
        number = (number + 101) % 200;
        key.clear();
        number.encode(&mut key);
        if let Some(entry) = table.find(&key) {
            matched.mark(entry);
            assert_eq!(table.rows(entry), [number]);
        }
    });
}
