//! Rows come back as they were written, and damaged ones do no harm.

use std::{borrow::Cow, cmp::Ordering};

use proptest::prelude::*;

use super::{Decode, Encode};
use crate::value::{Date, Decimal, RowBuffer, RowReader, Timestamp, Type, Value, compare_rows};

/// A value of any type, owned.
#[derive(Clone, Debug)]
enum Owned {
    Bool(Option<bool>),
    I16(Option<i16>),
    I32(Option<i32>),
    I64(Option<i64>),
    F32(Option<f32>),
    F64(Option<f64>),
    Text(Option<String>),
    Bytes(Option<Vec<u8>>),
    Timestamp(Option<i64>),
    Date(Option<i32>),
    Decimal(Option<i128>),
}

impl Owned {
    fn ty(&self) -> Type {
        match self {
            Self::Bool(_) => Type::Bool,
            Self::I16(_) => Type::I16,
            Self::I32(_) => Type::I32,
            Self::I64(_) => Type::I64,
            Self::F32(_) => Type::F32,
            Self::F64(_) => Type::F64,
            Self::Text(_) => Type::Text,
            Self::Bytes(_) => Type::Bytes,
            Self::Timestamp(_) => Type::Timestamp("%s"),
            Self::Date(_) => Type::Date("%F"),
            Self::Decimal(_) => Type::Decimal(38, 2),
        }
    }

    fn encode(&self, row: &mut Vec<u8>) {
        match self {
            Self::Bool(value) => value.encode(row),
            Self::I16(value) => value.encode(row),
            Self::I32(value) => value.encode(row),
            Self::I64(value) => value.encode(row),
            Self::F32(value) => value.encode(row),
            Self::F64(value) => value.encode(row),
            Self::Text(value) => value.as_deref().encode(row),
            Self::Bytes(value) => value.as_deref().encode(row),
            Self::Timestamp(value) => value.map(Timestamp::from_microseconds).encode(row),
            Self::Date(value) => value.map(Date::from_days).encode(row),
            Self::Decimal(value) => value.map(|units| Decimal::new(units, 2)).encode(row),
        }
    }

    fn value(&self) -> Value<'_> {
        fn of<'a>(value: Option<impl Into<Value<'a>>>) -> Value<'a> {
            value.map_or(Value::Null, Into::into)
        }
        match self {
            Self::Bool(value) => of(*value),
            Self::I16(value) => of(*value),
            Self::I32(value) => of(*value),
            Self::I64(value) => of(*value),
            Self::F32(value) => of(*value),
            Self::F64(value) => of(*value),
            Self::Text(value) => of(value.as_deref()),
            Self::Bytes(value) => of(value.as_deref()),
            Self::Timestamp(value) => of(value.map(Timestamp::from_microseconds)),
            Self::Date(value) => of(value.map(Date::from_days)),
            Self::Decimal(value) => of(value.map(|units| Decimal::new(units, 2))),
        }
    }
}

fn any_value() -> impl Strategy<Value = Owned> {
    prop_oneof![
        any::<Option<bool>>().prop_map(Owned::Bool),
        any::<Option<i16>>().prop_map(Owned::I16),
        any::<Option<i32>>().prop_map(Owned::I32),
        any::<Option<i64>>().prop_map(Owned::I64),
        any::<Option<f32>>().prop_map(Owned::F32),
        any::<Option<f64>>().prop_map(Owned::F64),
        any::<Option<String>>().prop_map(Owned::Text),
        prop::option::of(prop::collection::vec(any::<u8>(), 0..600)).prop_map(Owned::Bytes),
        any::<Option<i64>>().prop_map(Owned::Timestamp),
        any::<Option<i32>>().prop_map(Owned::Date),
        any::<Option<i128>>().prop_map(Owned::Decimal),
    ]
}

fn any_row() -> impl Strategy<Value = Vec<Owned>> {
    prop::collection::vec(any_value(), 0..8)
}

fn encoded(row: &[Owned]) -> Vec<u8> {
    let mut bytes = Vec::new();
    row.iter().for_each(|value| value.encode(&mut bytes));
    bytes
}

proptest! {
    #[test]
    fn a_row_comes_back_as_it_was_written(row in any_row(), next in any_row()) {
        let bytes = [encoded(&row), encoded(&next)].concat();
        let mut reader = RowReader::new(&bytes);
        for value in row.iter().chain(&next) {
            prop_assert_eq!(reader.value(value.ty()).compare(value.value()), Ordering::Equal);
        }
        prop_assert!(reader.is_empty());

        let mut reader = RowReader::new(&bytes);
        prop_assert_eq!(reader.encoded(row.iter().map(Owned::ty)), encoded(&row));
        prop_assert_eq!(reader.rest(), encoded(&next));
    }

    #[test]
    fn a_row_cut_short_or_damaged_decodes_to_something(row in any_row(), cut in 0..200_usize, flip in any::<(usize, u8)>()) {
        let mut bytes = encoded(&row);
        bytes.truncate(cut);
        if !bytes.is_empty() {
            let at = flip.0 % bytes.len();
            bytes[at] ^= flip.1;
        }
        let mut reader = RowReader::new(&bytes);
        for value in &row {
            let read = reader.value(value.ty());
            prop_assert_eq!(read.compare(read), Ordering::Equal);
            let _ = read.display(value.ty()).to_string();
        }
    }

    #[test]
    fn rows_of_text_and_a_number_are_ordered_as_tuples(
        a in any::<(Option<String>, Option<i16>)>(),
        b in any::<(Option<String>, Option<i16>)>(),
    ) {
        let row = |(text, number): &(Option<String>, Option<i16>)| {
            encoded(&[Owned::Text(text.clone()), Owned::I16(*number)])
        };
        prop_assert_eq!(compare_rows(&[Type::Text, Type::I16], &row(&a), &row(&b)), a.cmp(&b));
    }

    #[test]
    fn decimals_of_any_scales_are_in_one_order(values in prop::collection::vec((any::<i128>(), 0..=38_u8), 3)) {
        let mut decimals: Vec<_> = values.iter().map(|&(units, scale)| Decimal::new(units, scale)).collect();
        decimals.sort();
        prop_assert!(decimals.is_sorted());
        prop_assert!(decimals[0] <= decimals[2]);
        prop_assert_eq!(decimals[0] == decimals[1], decimals[0].cmp(&decimals[1]).is_eq());
    }
}

#[test]
fn a_value_and_the_same_as_an_option_encode_alike() {
    let mut rows = [Vec::new(), Vec::new(), Vec::new()];
    "a".encode(&mut rows[0]);
    Some("a").encode(&mut rows[1]);
    Some(Cow::<str>::Owned("a".into())).encode(&mut rows[2]);
    assert_eq!(rows[0], rows[1]);
    assert_eq!(rows[0], rows[2]);
}

#[test]
fn text_of_every_length_around_the_short_ones_comes_back() {
    for len in [0, 1, 253, 254, 255, 256, 70_000] {
        let text = "x".repeat(len);
        let mut row = Vec::new();
        text.as_str().encode(&mut row);
        5_i16.encode(&mut row);
        let mut reader = RowReader::new(&row);
        assert_eq!(<&str>::decode(&mut reader), text);
        assert_eq!(i16::decode(&mut reader), 5);
    }
}

#[test]
fn a_length_beyond_the_end_yields_nothing() {
    let row = [&[1, 255][..], &u64::MAX.to_le_bytes(), b"abc"].concat();
    let mut reader = RowReader::new(&row);
    assert_eq!(<&[u8]>::decode(&mut reader), b"");
    assert!(reader.is_empty());
    assert_eq!(Option::<&str>::decode(&mut reader), None);
    assert_eq!(i64::decode(&mut reader), 0);
}

#[test]
fn null_read_as_a_value_that_cannot_be_null_is_its_default() {
    let mut row = Vec::new();
    None::<i64>.encode(&mut row);
    None::<&str>.encode(&mut row);
    let mut reader = RowReader::new(&row);
    assert_eq!(i64::decode(&mut reader), 0);
    assert_eq!(Cow::<str>::decode(&mut reader), "");
    assert!(reader.is_empty());
}

#[test]
fn a_buffer_counts_its_rows_and_forgets_them() {
    let mut rows = RowBuffer::default();
    1_i64.encode(rows.row());
    2_i64.encode(rows.row());
    assert_eq!((rows.rows(), rows.bytes().len()), (2, 18));
    assert_eq!(i64::decode(&mut RowReader::new(rows.last_row())), 2);
    rows.clear();
    assert_eq!((rows.rows(), rows.bytes()), (0, &[][..]));
}

#[test]
fn the_last_row_can_be_taken_back_once() {
    let mut rows = RowBuffer::default();
    1_i64.encode(rows.row());
    2_i64.encode(rows.row());
    rows.take_back();
    rows.take_back();
    assert_eq!((rows.rows(), rows.bytes().len(), rows.last_row()), (1, 9, &[][..]));
    3_i64.encode(rows.row());
    assert_eq!((rows.rows(), i64::decode(&mut RowReader::new(rows.last_row()))), (2, 3));
}
