//! The types of columns: which one a field gets, and how the server spells it.

use crate::{plan::FieldPlan, value::Type};

/// The column's type as the sink says it, else the one that holds every value of the field that Redshift holds at all. `None`
/// for bytes: COPY reads text.
///
/// Text without a type is `varchar(65535)`, in bytes, the longest there is: nothing that could be stored is refused. Queries
/// reserve memory by the declared length: `as varchar(100)` is better where it is known.
pub(super) fn column_type(field: &FieldPlan) -> Option<String> {
    let name = match (field.column, field.ty) {
        (_, Type::Bytes) => return None,
        (Some(column), _) => column,
        (None, Type::Decimal(precision, scale)) => return Some(format!("decimal({precision}, {scale})")),
        (None, Type::Bool) => "boolean",
        (None, Type::I16) => "smallint",
        (None, Type::I32) => "integer",
        (None, Type::I64) => "bigint",
        (None, Type::F32) => "real",
        (None, Type::F64) => "double precision",
        (None, Type::Text) => "varchar(65535)",
        (None, Type::Timestamp(_)) => "timestamp",
        (None, Type::Date(_)) => "date",
    };
    Some(name.to_owned())
}

/// A type as `format_type` of the server's catalog spells it; one that is not known, as it was written, but for blanks.
pub(super) fn in_catalog(column: &str) -> String {
    let column = column.to_ascii_lowercase();
    let (before, rest) = column.split_once('(').unwrap_or((&column, ""));
    let (inside, behind) = rest.split_once(')').unwrap_or((rest, ""));
    let name = before.split_whitespace().chain(behind.split_whitespace()).collect::<Vec<_>>().join(" ");
    let numbers: Vec<&str> = inside.split(',').map(str::trim).filter(|number| !number.is_empty()).collect();
    let length = |unsaid: &str| match numbers.first() {
        Some(&"max") => "65535".to_owned(),
        said => said.copied().unwrap_or(unsaid).to_owned(),
    };
    match name.as_str() {
        "varchar" | "character varying" | "char varying" | "nvarchar" | "national character varying" => {
            format!("character varying({})", length("256"))
        }
        "text" => "character varying(256)".to_owned(),
        "char" | "character" | "nchar" | "national character" => format!("character({})", length("1")),
        "bpchar" => "character(256)".to_owned(),
        "smallint" | "int2" => "smallint".to_owned(),
        "integer" | "int" | "int4" => "integer".to_owned(),
        "bigint" | "int8" => "bigint".to_owned(),
        "real" | "float4" => "real".to_owned(),
        "float" if numbers.first().and_then(|bits| bits.parse::<u8>().ok()).is_some_and(|bits| bits <= 24) => {
            "real".to_owned()
        }
        "float" | "float8" | "double precision" => "double precision".to_owned(),
        "numeric" | "decimal" | "dec" => match numbers.as_slice() {
            [precision, scale, ..] => format!("numeric({precision},{scale})"),
            [precision] => format!("numeric({precision},0)"),
            [] => "numeric(18,0)".to_owned(),
        },
        "bool" | "boolean" => "boolean".to_owned(),
        "timestamp" | "timestamp without time zone" | "datetime" => "timestamp without time zone".to_owned(),
        "timestamptz" | "timestamp with time zone" => "timestamp with time zone".to_owned(),
        "time" | "time without time zone" => "time without time zone".to_owned(),
        "timetz" | "time with time zone" => "time with time zone".to_owned(),
        _ if numbers.is_empty() => name,
        _ => format!("{name}({})", numbers.join(",")),
    }
}

/// Why the server would refuse to make a column of this type, spelt as its catalog does.
pub(super) fn refusal(spelt: &str) -> Option<&'static str> {
    let number = |text: &str| text.trim().parse::<u32>().ok();
    let between = |prefix: &str| spelt.strip_prefix(prefix)?.strip_prefix('(')?.strip_suffix(')');
    if let Some((precision, scale)) = between("numeric").and_then(|numbers| numbers.split_once(',')) {
        let (precision, scale) = (number(precision).unwrap_or(0), number(scale).unwrap_or(u32::MAX));
        let fits = (1..=DECIMAL_DIGITS_MAX).contains(&precision) && scale <= precision.min(DECIMAL_SCALE_MAX);
        return (!fits).then_some("a decimal has 38 digits at most, of them 37 after the point");
    }
    for (name, bytes_max, why) in [
        ("character varying", 65_535, "a varchar has 65535 bytes at most"),
        ("character", 4_096, "a char has 4096 bytes at most"),
    ] {
        if let Some(length) = between(name) {
            return (!number(length).is_some_and(|bytes| (1..=bytes_max).contains(&bytes))).then_some(why);
        }
    }
    None
}

/// Amazon Redshift, Database Developer Guide, "Numeric types", 2026-11-22.
const DECIMAL_DIGITS_MAX: u32 = 38;
/// The same.
const DECIMAL_SCALE_MAX: u32 = 37;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_that_no_column_can_have_is_known_before_there_is_one() {
        for (column, is_refused) in [
            ("decimal(38, 37)", false),
            ("decimal(38, 38)", true),
            ("decimal(39, 2)", true),
            ("decimal(5, 6)", true),
            ("varchar(65535)", false),
            ("varchar(65536)", true),
            ("varchar(many)", true),
            ("char(4096)", false),
            ("char(4097)", true),
            ("bigint", false),
            ("super", false),
        ] {
            assert_eq!(refusal(&in_catalog(column)).is_some(), is_refused, "{column}");
        }
    }

    #[test]
    fn a_type_is_spelt_as_the_catalog_has_it() {
        for (written, spelt) in [
            ("varchar(100)", "character varying(100)"),
            ("VARCHAR(MAX)", "character varying(65535)"),
            ("varchar", "character varying(256)"),
            ("character varying (7)", "character varying(7)"),
            ("text", "character varying(256)"),
            ("char", "character(1)"),
            ("bpchar", "character(256)"),
            ("int8", "bigint"),
            ("float(24)", "real"),
            ("float", "double precision"),
            ("decimal(30, 2)", "numeric(30,2)"),
            ("numeric(5)", "numeric(5,0)"),
            ("dec", "numeric(18,0)"),
            ("timestamptz", "timestamp with time zone"),
            ("timestamp", "timestamp without time zone"),
            ("date", "date"),
            ("super", "super"),
            ("time", "time without time zone"),
            ("TIME  with time zone", "time with time zone"),
            ("timetz", "time with time zone"),
            ("varbyte ( 64 )", "varbyte(64)"),
        ] {
            assert_eq!(in_catalog(written), spelt, "{written}");
        }
    }
}
