//! How rows become bytes: delimited text or JSON, compressed or not, and in which folder they go.

use std::io::{self, BufRead, BufReader, Cursor, Write};

use flate2::bufread::MultiGzDecoder;

use crate::{
    Address, Error, Failure,
    plan::FieldPlan,
    sink::{
        file::{Csv, read_row},
        objects::{Compression, Writing},
    },
    value::{RowReader, Value},
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
    /// An object a line.
    Json,
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
                Text::Json
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
            Text::Json => ".json",
        };
        format!("{text}{}", self.compression.suffix())
    }

    /// The fields whose values name folders, by their indexes.
    pub(super) fn partition(&self) -> &[usize] {
        &self.partition
    }

    /// Writes the folder of a row into `folder`: `day=2026-11-22/site=a%2Fb/`; nothing where rows are not parted.
    pub(super) fn folder(&self, fields: &[FieldPlan], row: &[u8], folder: &mut String) {
        folder.clear();
        if self.partition.is_empty() {
            return;
        }
        let mut values = RowReader::new(row);
        let values: Vec<Value<'_>> = fields.iter().map(|field| values.value(field.ty)).collect();
        for index in &self.partition {
            let (field, value) = (&fields[*index], values[*index]);
            folder.push_str(field.name);
            folder.push('=');
            match value {
                Value::Null => folder.push_str(NULL_FOLDER),
                Value::Bytes(bytes) => escape(bytes, folder),
                value => escape(value.display(field.ty).to_string().as_bytes(), folder),
            }
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

    /// Writes a row as one line.
    pub(super) fn write(&mut self, fields: &[FieldPlan], row: &[u8], out: &mut impl Write) -> io::Result<()> {
        let mut row = RowReader::new(row);
        match &mut self.text {
            Text::Csv(csv) => csv.write_row(fields, &mut row, out),
            Text::Json => write_json(fields, &mut row, out),
        }
    }

    /// Reads a row of an object back, by its cells; none at the end.
    pub(super) fn read(&self, from: &mut impl BufRead, fields: &[FieldPlan]) -> io::Result<Option<Cells>> {
        let row = match &self.text {
            Text::Csv(_) => read_row(from)?,
            Text::Json => {
                let mut line = Vec::new();
                from.read_until(b'\n', &mut line)?;
                line
            }
        };
        match &self.text {
            _ if row.is_empty() => Ok(None),
            Text::Csv(csv) => Ok(Some(csv.cells(row.strip_suffix(b"\n").unwrap_or(&row)))),
            Text::Json => Ok(Some(json_cells(&row, fields)?)),
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

/// Whatever a tool may take for more than itself, and what stands for null, is written as `%2F`.
fn escape(value: &[u8], folder: &mut String) {
    let is_as_null = value == NULL_FOLDER.as_bytes();
    for (index, byte) in value.iter().enumerate() {
        match is_plain(*byte) && !(is_as_null && index == 0) {
            true => folder.push(char::from(*byte)),
            false => folder.push_str(&format!("%{byte:02X}")),
        }
    }
}

/// A row as an object: numbers and truth as such, but what JSON has no number for as text; dates and times as text; bytes
/// as text, or, where they are none, as an array of numbers.
fn write_json(fields: &[FieldPlan], row: &mut RowReader<'_>, out: &mut impl Write) -> io::Result<()> {
    for (index, field) in fields.iter().enumerate() {
        out.write_all(if index == 0 { b"{" } else { b"," })?;
        serde_json::to_writer(&mut *out, field.name)?;
        out.write_all(b":")?;
        match row.value(field.ty) {
            Value::Null => out.write_all(b"null")?,
            Value::Text(text) => serde_json::to_writer(&mut *out, text)?,
            Value::Bytes(bytes) => match std::str::from_utf8(bytes) {
                Ok(text) => serde_json::to_writer(&mut *out, text)?,
                Err(_) => serde_json::to_writer(&mut *out, bytes)?,
            },
            Value::Bool(truth) => write!(out, "{truth}")?,
            Value::Int(number) => write!(out, "{number}")?,
            value @ Value::Decimal(_) => write!(out, "{}", value.display(field.ty))?,
            value @ Value::Float(number) if number.is_finite() => write!(out, "{}", value.display(field.ty))?,
            value => serde_json::to_writer(&mut *out, &value.display(field.ty).to_string())?,
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
