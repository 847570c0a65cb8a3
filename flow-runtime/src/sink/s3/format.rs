//! How rows become bytes: delimited text or JSON, compressed or not, and in which folder they go.

use std::{
    fmt::{self, Write as _},
    io::{self, BufRead, BufReader, Cursor, Write},
};

use flate2::bufread::MultiGzDecoder;
use serde::Serializer as _;

use crate::{
    Address, Error, Failure,
    plan::FieldPlan,
    sink::{
        file::{Csv, read_row},
        objects::{Compression, Writing},
    },
    value::{RowReader, Type, Value},
};

/// What tools on Hadoop call the folder of null.
pub(in crate::sink) const NULL_FOLDER: &str = "__HIVE_DEFAULT_PARTITION__";

/// Options of an address that are about this.
pub(super) const OPTIONS: [&str; 6] = ["compression", "delimiter", "format", "header", "null", "partition"];

/// What the options of an address say.
#[derive(Clone, Debug)]
pub(super) struct Format {
    text: Text,
    compression: Compression,
    /// Fields, by their indexes, whose values name folders.
    partition: Vec<usize>,
}

#[derive(Clone, Debug)]
enum Text {
    Csv(Csv),
    /// An object a line; what is written before the values, by their fields: `,"count":`.
    Json(Vec<Vec<u8>>),
}

impl Format {
    pub(super) fn of(address: &Address, fields: &[FieldPlan]) -> Result<Self, Error> {
        let refuse =
            |what: String, help: &str| Err(Error::Config(Failure::new(what).at(address.to_string()).help(help)));
        let text = match address.option("format") {
            None | Some("csv") => Text::Csv(Csv::of_address(address)?),
            Some("json") => {
                if let Some(option) =
                    ["delimiter", "header", "null"].into_iter().find(|name| address.option(name).is_some())
                {
                    return refuse(format!("`{option}` is for delimited text"), "leave it out, or say format=csv");
                }
                Text::Json(fields.iter().enumerate().map(|(index, field)| json_name(index, field)).collect())
            }
            Some(other) => return refuse(format!("unknown format `{other}`"), "one of: csv, json"),
        };
        let compression = address.option("compression").unwrap_or("gzip");
        let Some(compression) = Compression::parse(compression) else {
            return refuse(format!("unknown compression `{compression}`"), "one of: gzip, zstd, none");
        };
        let mut partition = Vec::new();
        for name in address.option("partition").into_iter().flat_map(|names| names.split(',')) {
            match fields.iter().position(|field| field.name == name) {
                Some(index) if !partition.contains(&index) => partition.push(index),
                Some(_) => return refuse(format!("`{name}` names two folders"), "name each field once"),
                None => {
                    let fields: Vec<&str> = fields.iter().map(|field| field.name).collect();
                    let help = format!("its fields are {}", fields.join(", "));
                    return refuse(format!("there is no field `{name}` to make folders of"), &help);
                }
            }
        }
        Ok(Self { text, compression, partition })
    }

    /// What the names of objects end with: `.csv.gz`.
    pub(super) fn suffix(&self) -> String {
        let text = match self.text {
            Text::Csv(_) => ".csv",
            Text::Json(_) => ".json",
        };
        format!("{text}{}", self.compression.suffix())
    }

    /// The fields whose values name folders, by their indexes.
    pub(super) fn partition(&self) -> &[usize] {
        &self.partition
    }

    /// Writes the folder of the next row into `folder`: `day=2026-11-22/site=a%2Fb/`; nothing where rows are not parted.
    pub(super) fn folder(&self, fields: &[FieldPlan], rows: &RowReader<'_>, folder: &mut String) {
        folder.clear();
        for index in &self.partition {
            let (field, mut row) = (&fields[*index], rows.clone());
            row.encoded(fields[..*index].iter().map(|field| field.ty));
            folder.push_str(field.name);
            folder.push('=');
            write_name(row.unchecked(field.ty), field.ty, folder);
            folder.push('/');
        }
    }

    /// An object that has what each begins with.
    pub(super) fn begun(&self, key: String, number: u32, fields: &[FieldPlan]) -> io::Result<Writing> {
        let mut text = Vec::new();
        if let Text::Csv(csv) = &self.text {
            csv.write_header(fields, &mut text)?;
        }
        Ok(Writing::new(key, number, self.compression, text))
    }

    /// Takes the next row and writes it as one line.
    pub(super) fn write(
        &mut self,
        fields: &[FieldPlan],
        rows: &mut RowReader<'_>,
        out: &mut impl Write,
    ) -> io::Result<()> {
        match &mut self.text {
            Text::Csv(csv) => csv.write_row(fields, rows, out),
            Text::Json(names) => write_json(fields, names, rows, out),
        }
    }

    /// Reads a row of an object back, by its cells; none at the end.
    pub(super) fn read(&self, from: &mut impl BufRead, fields: &[FieldPlan]) -> io::Result<Option<Cells>> {
        let row = match &self.text {
            Text::Csv(_) => read_row(from)?,
            Text::Json(_) => {
                let mut line = Vec::new();
                from.read_until(b'\n', &mut line)?;
                line
            }
        };
        match &self.text {
            _ if row.is_empty() => Ok(None),
            Text::Csv(csv) => Ok(Some(csv.cells(row.strip_suffix(b"\n").unwrap_or(&row)))),
            Text::Json(_) => Ok(Some(json_cells(&row, fields)?)),
        }
    }

    /// Whether an object begins with the names of the fields.
    pub(super) fn has_header(&self) -> bool {
        matches!(&self.text, Text::Csv(csv) if csv.has_header())
    }
}

/// Whether a byte stands for itself in the name of a folder.
pub(in crate::sink) fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-_.".contains(&byte)
}

/// Writes a value as part of a folder's name.
fn write_name(value: Value<'_>, ty: Type, folder: &mut String) {
    let begin = folder.len();
    // Writing into a `String` cannot fail.
    let _ = match value {
        Value::Null => return folder.push_str(NULL_FOLDER),
        Value::Bytes(bytes) => escape(bytes, folder),
        value => write!(Escaped(folder), "{}", value.display(ty)),
    };
    if folder.get(begin..) == Some(NULL_FOLDER) {
        folder.replace_range(begin..=begin, "%5F");
    }
}

/// Whatever a tool may take for more than itself is written as `%2F`.
fn escape(bytes: &[u8], folder: &mut String) -> fmt::Result {
    bytes.iter().try_for_each(|byte| match is_plain(*byte) {
        true => folder.write_char(char::from(*byte)),
        false => write!(folder, "%{byte:02X}"),
    })
}

/// Escapes what is written.
struct Escaped<'a>(&'a mut String);

impl fmt::Write for Escaped<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        escape(text.as_bytes(), self.0)
    }
}

fn json_name(index: usize, field: &FieldPlan) -> Vec<u8> {
    let begin = if index == 0 { "{" } else { "," };
    format!("{begin}{}:", serde_json::Value::from(field.name)).into_bytes()
}

/// A row as an object: numbers and truth as such, but what JSON has no number for as text; dates and times as text; bytes
/// as text, or, where they are none, as an array of numbers.
fn write_json(
    fields: &[FieldPlan],
    names: &[Vec<u8>],
    row: &mut RowReader<'_>,
    out: &mut impl Write,
) -> io::Result<()> {
    for (field, name) in fields.iter().zip(names) {
        out.write_all(name)?;
        match row.value(field.ty) {
            Value::Null => out.write_all(b"null")?,
            Value::Text(text) => serde_json::to_writer(&mut *out, text)?,
            Value::Bytes(bytes) => match std::str::from_utf8(bytes) {
                Ok(text) => serde_json::to_writer(&mut *out, text)?,
                Err(_) => serde_json::to_writer(&mut *out, bytes)?,
            },
            Value::Bool(truth) => write!(out, "{truth}")?,
            Value::Int(number) => out.write_all(itoa::Buffer::new().format(number).as_bytes())?,
            value @ Value::Decimal(_) => write!(out, "{}", value.display(field.ty))?,
            value @ Value::Float(number) if number.is_finite() => write!(out, "{}", value.display(field.ty))?,
            value => serde_json::Serializer::new(&mut *out).collect_str(&value.display(field.ty))?,
        }
    }
    out.write_all(b"}\n")
}

/// What is in the cells of a row, null as none.
pub(super) type Cells = Vec<Option<Vec<u8>>>;

/// The values of an object by the names of fields, as [`write_json`] has written text and bytes.
fn json_cells(row: &[u8], fields: &[FieldPlan]) -> io::Result<Cells> {
    let mut row: serde_json::Map<String, serde_json::Value> = serde_json::from_slice(row)?;
    let cell = |field: &FieldPlan| match row.remove(field.name) {
        None | Some(serde_json::Value::Null) => Ok(None),
        Some(serde_json::Value::String(text)) => Ok(Some(text.into_bytes())),
        Some(value) => serde_json::from_value::<Vec<u8>>(value).map(Some),
    };
    Ok(fields.iter().map(cell).collect::<Result<_, _>>()?)
}

/// What is in an object, by the end of its name.
pub(super) fn unpacked(key: &str, bytes: Vec<u8>) -> io::Result<Box<dyn BufRead + Send>> {
    let bytes = Cursor::new(bytes);
    Ok(match key.rsplit_once('.').map(|(_, ending)| ending) {
        Some("gz") => Box::new(BufReader::new(MultiGzDecoder::new(bytes))),
        Some("zst") => Box::new(BufReader::new(zstd::Decoder::new(bytes)?)),
        _ => Box::new(bytes),
    })
}

#[cfg(test)]
#[path = "format_tests.rs"]
mod tests;
