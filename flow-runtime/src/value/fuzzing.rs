//! Encoded rows and texts of values, under attack.

use std::cmp::Ordering;

use super::{Date, Decimal, RowReader, Timestamp, Type, Value, compare_rows, required};
use crate::{
    flow::Reason,
    fuzzing::{Input, encode},
};

const TYPES: [Type; 11] = [
    Type::Bool,
    Type::I16,
    Type::I32,
    Type::I64,
    Type::F32,
    Type::F64,
    Type::Text,
    Type::Bytes,
    Type::Timestamp("%Y-%m-%dT%H:%M:%S%.f"),
    Type::Date("%Y-%m-%d"),
    Type::Decimal(38, 2),
];

/// Any bytes are read as some values, which are then encoded in one way only; rows have one order, in which none but equal
/// bytes are equal.
pub(crate) fn rows(bytes: &[u8]) {
    let mut input = Input::new(bytes);
    let types: Vec<Type> = (0..1 + input.byte() % 5).map(|_| input.one_of(&TYPES)).collect();
    let (a, b) = input.rest().split_at(input.rest().len() / 2);
    let order = compare_rows(&types, a, b);
    assert_eq!(compare_rows(&types, b, a), order.reverse());

    let (a, b) = (written_again(&types, input.rest()), written_again(&types, b));
    assert_eq!(written_again(&types, &a), a, "what was written reads back");
    assert_eq!(RowReader::new(&a).encoded(types.iter().copied()), a);
    assert_eq!(compare_rows(&types, &a, &b) == Ordering::Equal, a == b);
    assert_eq!(compare_rows(&types, &b, &a), compare_rows(&types, &a, &b).reverse());
}

/// Reads a row and writes what was read.
fn written_again(types: &[Type], row: &[u8]) -> Vec<u8> {
    let mut reader = RowReader::new(row);
    let mut written = Vec::new();
    for &ty in types {
        let value = reader.value(ty);
        assert_eq!(value.compare(value), Ordering::Equal);
        assert!(reader.rest().len() <= row.len());
        encode(value, ty, &mut written);
    }
    written
}

/// Formats that say all of a moment, or of a second.
const MOMENTS: [&str; 5] =
    ["%Y-%m-%dT%H:%M:%S%.f", "%d/%b/%Y:%H:%M:%S %z", "%Y-%m-%d %H:%M:%S%.6f%:z", "%s", "%Y-%j %T%.f"];
const DAYS: [&str; 4] = ["%Y-%m-%d", "%d.%m.%Y", "%d %B %Y", "%Y/%j"];
const DIGITS: [(u8, u8); 5] = [(10, 2), (38, 0), (38, 38), (1, 0), (5, 5)];

/// Any text is read as a value of a type or refused; and a value that was read prints as a text that gives it again.
pub(crate) fn texts(bytes: &[u8]) {
    let mut input = Input::new(bytes);
    let (kind, choice) = (input.byte() % 9, usize::from(input.byte()));
    let Ok(text) = std::str::from_utf8(input.rest()) else { return };
    let (moment, day) = (MOMENTS[choice % MOMENTS.len()], DAYS[choice % DAYS.len()]);
    let (precision, scale) = DIGITS[choice % DIGITS.len()];
    match kind {
        0 => drop(read(text, Type::Bool, |text| required::<bool>(Some(text), ()))),
        1 => integer(text, i16::BITS, read(text, Type::I16, |text| required::<i16>(Some(text), ()))),
        2 => integer(text, i32::BITS, read(text, Type::I32, |text| required::<i32>(Some(text), ()))),
        3 => integer(text, i64::BITS, read(text, Type::I64, |text| required::<i64>(Some(text), ()))),
        4 => drop(read(text, Type::F32, |text| required::<f32>(Some(text), ()))),
        5 => drop(read(text, Type::F64, |text| required::<f64>(Some(text), ()))),
        6 => drop(read(text, Type::Timestamp(moment), |text| required::<Timestamp>(Some(text), moment))),
        7 => drop(read(text, Type::Date(day), |text| required::<Date>(Some(text), day))),
        _ => {
            let ty = Type::Decimal(precision, scale);
            decimal(text, scale, read(text, ty, |text| required::<Decimal>(Some(text), (precision, scale))));
        }
    }
}

/// The value of the text, or why it has none; printed, the value is read as the same.
fn read<T: Copy + Into<Value<'static>>>(
    text: &str,
    ty: Type,
    read: impl Fn(&str) -> Result<T, Reason>,
) -> Result<Value<'static>, String> {
    let value: Value<'_> = match read(text) {
        Ok(value) => value.into(),
        Err(reason) => return Err(reason.to_string()),
    };
    let printed = value.display(ty).to_string();
    let again = read(&printed).map(Into::into);
    let is_same = again.as_ref().is_ok_and(|again: &Value<'_>| is_same(value, *again));
    assert!(is_same, "{text:?} is {value:?}, printed as {printed:?} it is {again:?}");
    Ok(value)
}

/// Whether both are one value; what is not a number has one text, whatever its sign.
fn is_same(a: Value<'_>, b: Value<'_>) -> bool {
    let is_nan = |value| matches!(value, Value::Float(value) if value.is_nan());
    a.compare(b) == Ordering::Equal || (is_nan(a) && is_nan(b))
}

/// Integers are what 128 bits make of the text, if it fits.
fn integer(text: &str, bits: u32, found: Result<Value<'_>, String>) {
    let limit = 1_i128 << (bits - 1);
    match (found, text.parse::<i128>()) {
        (Ok(Value::Int(found)), Ok(expected)) => assert_eq!(i128::from(found), expected, "{text:?}"),
        (Err(reason), Ok(number)) => {
            assert!(!(-limit..limit).contains(&number) && reason.contains("does not fit"), "{text:?}: {reason}");
        }
        (Err(_), Err(_)) => {}
        other => panic!("{text:?}: {other:?}"),
    }
}

/// Decimals have the digits of the text, up to zeros at both ends.
fn decimal(text: &str, scale: u8, found: Result<Value<'_>, String>) {
    let Ok(Value::Decimal(found)) = found else { return };
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let fraction = fraction.get(..usize::from(scale)).unwrap_or(fraction);
    let digits = format!("0{}{fraction:0<width$}", whole.trim_start_matches(['+', '-']), width = usize::from(scale));
    let units = digits.parse().map(|units: i128| if text.starts_with('-') { -units } else { units });
    assert_eq!((units, found.scale()), (Ok(found.units()), scale), "{text:?}");
}
