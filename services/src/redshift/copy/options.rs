//! The statement COPY, read word by word.

use crate::redshift::{
    error::Refusal,
    layout,
    sql::{Cursor, Kind, Name},
};

/// What COPY is to do.
#[derive(Debug)]
pub(crate) struct Copy {
    pub(crate) table: Name,
    /// Those that the files have, in order; all when none is named.
    pub(super) columns: Vec<String>,
    /// `s3://…`
    pub(super) from: String,
    pub(super) format: Format,
}

/// How files are read.
#[derive(Clone, Debug)]
pub(super) struct Format {
    pub(super) compression: Compression,
    /// Whether fields may be in quotes.
    pub(super) quote: Option<u8>,
    /// Whether a backslash takes the meaning from what follows it.
    pub(super) has_escapes: bool,
    pub(super) delimiter: u8,
    /// What stands for null.
    pub(super) null: Vec<u8>,
    pub(super) is_empty_null: bool,
    pub(super) truncates: bool,
    /// Decimals are rounded, not cut off.
    pub(super) rounds: bool,
    pub(super) header_lines: u64,
}

/// How files are compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Compression {
    None,
    Gzip,
    Zstd,
}

/// What has been said, before it is known whether it fits together.
#[derive(Debug, Default)]
struct Said {
    has_credentials: bool,
    is_manifest: bool,
    is_csv: bool,
    quote: Option<u8>,
    has_escapes: bool,
    delimiter: Option<u8>,
    compression: Option<Compression>,
    null: Option<String>,
    is_empty_null: bool,
    truncates: bool,
    rounds: bool,
    header_lines: u64,
}

impl Copy {
    /// Reads the statement after its first word.
    pub(crate) fn parse(cursor: &mut Cursor<'_>) -> Result<Self, Refusal> {
        let table = layout::name(cursor)?;
        let mut columns = Vec::new();
        if cursor.eat("(") {
            while !cursor.eat(")") {
                columns.push(layout::name(cursor)?.bare().to_owned());
                cursor.eat(",");
            }
        }
        if !cursor.eat("from") {
            return Err(wrong(cursor));
        }
        // Not the client's own data, and no query.
        let from = cursor.text().ok_or_else(|| Refusal::syntax("STDIN"))?;
        if !from.starts_with("s3://") {
            return Err(Refusal::beyond("COPY from elsewhere than S3"));
        }
        let mut said = Said::default();
        while cursor.peek().is_some() {
            option(cursor, &mut said)?;
        }
        if !said.has_credentials {
            return Err(Refusal::internal("CREDENTIALS argument is required but not specified"));
        }
        if !said.is_manifest {
            return Err(Refusal::beyond("COPY by prefix"));
        }
        let format = said.format()?;
        Ok(Self { table, columns, from, format })
    }
}

/// Reads one option with its value.
fn option(cursor: &mut Cursor<'_>, said: &mut Said) -> Result<(), Refusal> {
    let Some(token) = cursor.peek() else { return Ok(()) };
    let word = token.text.to_ascii_lowercase();
    cursor.next();
    match word.as_str() {
        "with" | "as" => {}
        "iam_role" => {
            said.has_credentials = true;
            if !cursor.eat("default") {
                value(cursor)?;
            }
        }
        "credentials" | "access_key_id" | "secret_access_key" | "session_token" => {
            said.has_credentials = true;
            value(cursor)?;
        }
        "region" | "timeformat" | "dateformat" | "encoding" => drop(value_or_word(cursor)?),
        "manifest" => said.is_manifest = true,
        "format" => drop(cursor.eat("as")),
        "csv" => said.is_csv = true,
        "quote" => said.quote = Some(character(cursor)?),
        "delimiter" => said.delimiter = Some(character(cursor)?),
        "escape" => said.has_escapes = true,
        "gzip" => said.compression = Some(Compression::Gzip),
        "zstd" => said.compression = Some(Compression::Zstd),
        "null" => said.null = Some(value(cursor)?),
        "emptyasnull" => said.is_empty_null = true,
        "truncatecolumns" => said.truncates = true,
        "roundec" => said.rounds = true,
        "ignoreheader" => said.header_lines = number(cursor)?,
        "maxerror" if number(cursor)? == 0 => {}
        "maxerror" => return Err(Refusal::beyond("MAXERROR above 0")),
        "compupdate" | "statupdate" => {
            let _ = ["on", "off", "true", "false", "preset"].iter().any(|word| cursor.eat(word));
        }
        "explicit_ids" | "fillrecord" | "json" | "avro" | "parquet" | "orc" | "fixedwidth" | "lzop" | "bzip2"
        | "removequotes" | "noload" | "acceptinvchars" | "acceptanydate" | "blanksasnull" | "trimblanks"
        | "ignoreblanklines" | "encrypted" | "ssh" | "readratio" | "comprows" => {
            return Err(Refusal::beyond(&format!("COPY … {}", word.to_ascii_uppercase())));
        }
        _ => return Err(Refusal::syntax(token.text)),
    }
    Ok(())
}

fn wrong(cursor: &Cursor<'_>) -> Refusal {
    Refusal::syntax(cursor.peek().map_or("end of input", |token| token.text))
}

/// A literal, maybe after AS.
fn value(cursor: &mut Cursor<'_>) -> Result<String, Refusal> {
    cursor.eat("as");
    let error = wrong(cursor);
    cursor.text().ok_or(error)
}

fn value_or_word(cursor: &mut Cursor<'_>) -> Result<String, Refusal> {
    cursor.eat("as");
    match cursor.peek() {
        Some(token) if token.kind == Kind::Word => {
            Ok(cursor.next().map(|token| token.text.to_owned()).unwrap_or_default())
        }
        _ => value(cursor),
    }
}

fn number(cursor: &mut Cursor<'_>) -> Result<u64, Refusal> {
    cursor.eat("as");
    let error = wrong(cursor);
    cursor.next().and_then(|token| token.text.parse().ok()).ok_or(error)
}

/// One byte, written as itself or by an escape.
fn character(cursor: &mut Cursor<'_>) -> Result<u8, Refusal> {
    let text = value(cursor)?;
    let byte = match (text.as_bytes(), text.strip_prefix('\\')) {
        ([byte], _) => Some(*byte),
        (_, Some("t")) => Some(b'\t'),
        (_, Some(digits)) if digits.len() == 3 => u8::from_str_radix(digits, 8).ok(),
        _ => None,
    };
    byte.ok_or_else(|| Refusal::new("22023", format!("a single byte is wanted, not \"{text}\"")))
}

impl Said {
    fn format(self) -> Result<Format, Refusal> {
        if self.is_csv && self.has_escapes {
            return Err(Refusal::new("42601", "CSV is not supported with ESCAPE"));
        }
        if self.quote.is_some() && !self.is_csv {
            return Err(Refusal::new("42601", "QUOTE is only supported with CSV"));
        }
        Ok(Format {
            compression: self.compression.unwrap_or(Compression::None),
            quote: self.is_csv.then_some(self.quote.unwrap_or(b'"')),
            has_escapes: self.has_escapes,
            delimiter: self.delimiter.unwrap_or(if self.is_csv { b',' } else { b'|' }),
            null: self.null.map_or_else(|| b"\\N".to_vec(), String::into_bytes),
            is_empty_null: self.is_empty_null,
            truncates: self.truncates,
            rounds: self.rounds,
            header_lines: self.header_lines,
        })
    }
}
