//! Rows of every type, written to files and read back: by a flow's scheme, and by the csv module of Python.

use std::{fs, io::Write as _, path::Path, process::Command};

use fastrand::Rng;

use super::Csv;
use crate::{
    flow::Record,
    fuzzing::{Input, encode},
    plan::FieldPlan,
    scheme::Delimited,
    sink::fixtures::nullable,
    value::{Date, Decimal, FromText, RowReader, Timestamp, Type, Value, optional},
};

const MOMENT: &str = "%Y-%m-%dT%H:%M:%S%.f";
const DAY: &str = "%d, %m \"%Y\"";

static FIELDS: [FieldPlan; 11] = [
    nullable("a", Type::Text),
    nullable("b", Type::Bool),
    nullable("c", Type::I16),
    nullable("d", Type::I32),
    nullable("e", Type::I64),
    nullable("f", Type::F32),
    nullable("g", Type::F64),
    nullable("h", Type::Timestamp(MOMENT)),
    nullable("i", Type::Date(DAY)),
    nullable("j", Type::Decimal(38, 2)),
    nullable("k", Type::Text),
];

const ROWS: usize = 500;

/// What decides of rows: random bytes, among them many that mean something to a reader of csv.
fn random_bytes() -> Vec<u8> {
    let mut random = Rng::with_seed(4711);
    let special = b"\",;|\t\n\r '\\N\xef\xbb\xbf\0";
    let mut byte = || if random.u8(..3) == 0 { random.choice(special).copied().unwrap() } else { random.u8(..) };
    (0..400 * ROWS).map(|_| byte()).collect()
}

/// Rows of which every value can be printed.
fn rows(bytes: &[u8]) -> Vec<Vec<Value<'_>>> {
    let mut input = Input::new(bytes);
    let printable = |value| match value {
        Value::Timestamp(time) => {
            Value::Timestamp(Timestamp::from_microseconds(time.microseconds() % 200_000_000_000_000_000))
        }
        Value::Date(day) => Value::Date(Date::from_days(day.days() % 700_000)),
        other => other,
    };
    (0..ROWS).map(|_| FIELDS.iter().map(|field| printable(input.value(field.ty))).collect()).collect()
}

fn written(options: &str, rows: &[Vec<Value<'_>>]) -> Vec<Vec<u8>> {
    let mut csv = Csv::of_address(&format!("file:x?{options}").parse().unwrap()).unwrap();
    let line = |row: &Vec<Value<'_>>| {
        let (mut encoded, mut line) = (Vec::new(), Vec::new());
        row.iter().zip(&FIELDS).for_each(|(value, field)| encode(*value, field.ty, &mut encoded));
        csv.write_row(&FIELDS, &mut RowReader::new(&encoded), &mut line).unwrap();
        line
    };
    rows.iter().map(line).collect()
}

/// A cell as generated code reads it.
fn read<'a, T: FromText<'a> + Into<Value<'a>>>(text: Option<&'a str>, format: T::Format) -> Value<'a> {
    optional::<T>(text, format).unwrap().map_or(Value::Null, Into::into)
}

fn read_as<'a>(text: Option<&'a str>, ty: Type) -> Value<'a> {
    match ty {
        Type::Bool => read::<bool>(text, ()),
        Type::I16 => read::<i16>(text, ()),
        Type::I32 => read::<i32>(text, ()),
        Type::I64 => read::<i64>(text, ()),
        Type::F32 => read::<f32>(text, ()),
        Type::F64 => read::<f64>(text, ()),
        Type::Timestamp(format) => read::<Timestamp>(text, format),
        Type::Date(format) => read::<Date>(text, format),
        Type::Decimal(precision, scale) => read::<Decimal>(text, (precision, scale)),
        Type::Text | Type::Bytes => read::<&str>(text, ()),
    }
}

#[test]
fn a_flow_reads_the_values_that_another_has_written() {
    let bytes = random_bytes();
    let rows = rows(&bytes);
    for (options, delimiter) in [("", ","), ("delimiter=%09", "\t"), ("delimiter=::", "::"), ("delimiter=|", "|")] {
        let mut compared = 0;
        for (row, line) in rows.iter().zip(written(options, &rows)) {
            let record = line.strip_suffix(b"\n").unwrap();
            if record.contains(&b'\n') {
                // A record of a flow is one line.
                continue;
            }
            let scheme = Delimited { delimiter, quote: Some(b'"'), columns: FIELDS.len(), strict: true };
            let mut columns = scheme.columns(&Record::new(0, record));
            for (value, field) in row.iter().zip(&FIELDS) {
                let mut buffer = String::new();
                let found = read_as(columns.text(&mut buffer).unwrap(), field.ty);
                match (*value, found) {
                    // Empty text is null.
                    (Value::Text(""), Value::Null) => {}
                    (Value::Float(value), Value::Float(found)) if value.is_nan() && found.is_nan() => {}
                    (value, found) => assert_eq!(value, found, "{}", record.escape_ascii()),
                }
            }
            assert_eq!(columns.end(), Ok(()));
            compared += 1;
        }
        assert!(compared > ROWS / 4, "{compared} rows");
    }
}

const READ_BY_PYTHON: &str = "
import csv, sys
path, delimiter = sys.argv[1:]
with open(path, newline='', encoding='utf-8') as file:
    for row in csv.reader(file, delimiter=delimiter, strict=True):
        print(' '.join(cell.encode().hex() or '-' for cell in row))
";

/// The cells as Python reads them; `None` without Python.
fn read_by_python(path: &Path, delimiter: &str) -> Option<String> {
    let output = Command::new("python3").args(["-c", READ_BY_PYTHON]).arg(path).arg(delimiter).output().ok()?;
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Some(String::from_utf8(output.stdout).unwrap())
}

#[test]
fn python_reads_the_cells_that_were_written() {
    let folder = tempfile::tempdir().unwrap();
    let bytes = random_bytes();
    let rows = rows(&bytes);
    for (options, delimiter, null) in [("", ",", ""), ("delimiter=%09&null=\\N", "\t", "\\N"), ("delimiter=;", ";", "")]
    {
        let path = folder.path().join("rows.csv");
        let mut file = fs::File::create(&path).unwrap();
        file.write_all(&written(options, &rows).concat()).unwrap();
        let Some(found) = read_by_python(&path, delimiter) else {
            eprintln!("not compared: there is no python3");
            return;
        };
        let cell = |(value, field): (&Value<'_>, &FieldPlan)| {
            let text = if *value == Value::Null { null.to_owned() } else { value.display(field.ty).to_string() };
            let hex: String = text.bytes().map(|byte| format!("{byte:02x}")).collect();
            if hex.is_empty() { "-".to_owned() } else { hex }
        };
        let line = |row: &Vec<Value<'_>>| row.iter().zip(&FIELDS).map(cell).collect::<Vec<_>>().join(" ");
        let expected: Vec<String> = rows.iter().map(line).collect();
        assert_eq!(found.lines().collect::<Vec<_>>(), expected, "{options}");
    }
}
