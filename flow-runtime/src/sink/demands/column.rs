//! The types of columns, as `as varchar(100)` has them: what they say about the values that fit.

use super::Dialect;

/// What a column holds. PostgreSQL and Redshift have the same names; what they mean is not always the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Text of this length at most, if there is a limit.
    Text(Option<usize>),
    /// The same, in letters of one byte where the dialect has it so.
    Char(Option<usize>),
    /// Bytes, so many at most.
    Bytes(usize),
    /// Whole numbers of so many bits.
    Whole(u32),
    /// Floats of 32 bits.
    Single,
    /// Floats of 64 bits.
    Double,
    /// Yes and no.
    Boolean,
    /// Decimals: digits in all, and after the point.
    Numeric(u16, u16),
    /// Moments or days.
    Calendar,
    /// Whatever else: what fits is the server's to say.
    Other,
}

impl Kind {
    /// Reads a type; one that is not known is [`Kind::Other`].
    pub(super) fn parse(column: &str, dialect: Dialect) -> Self {
        let (name, numbers) = parts(column);
        let Some(numbers) = numbers else { return Self::Other };
        let length = numbers.first().copied().map(usize::from);
        let unsaid = |redshift: usize| if dialect == Dialect::Redshift { Some(redshift) } else { None };
        match name.as_str() {
            "varchar" | "character varying" | "char varying" | "nvarchar" | "national character varying" => {
                Self::Text(length.or(unsaid(256)))
            }
            "text" => Self::Text(unsaid(256)),
            "char" | "character" | "nchar" | "national character" => Self::Char(length.or(Some(1))),
            "bpchar" => Self::Char(length.or(unsaid(256))),
            "varbyte" | "varbinary" | "binary varying" => length.or(unsaid(64_000)).map_or(Self::Other, Self::Bytes),
            "smallint" | "int2" => Self::Whole(16),
            "integer" | "int" | "int4" => Self::Whole(32),
            "bigint" | "int8" => Self::Whole(64),
            "real" | "float4" => Self::Single,
            "double precision" | "float8" => Self::Double,
            "boolean" | "bool" => Self::Boolean,
            "float" if length.is_some_and(|bits| bits <= 24) => Self::Single,
            "float" => Self::Double,
            "numeric" | "decimal" | "dec" => match (numbers.as_slice(), dialect) {
                ([precision, scale], _) => Self::Numeric(*precision, *scale),
                ([precision], _) => Self::Numeric(*precision, 0),
                (_, Dialect::Redshift) => Self::Numeric(18, 0),
                (_, Dialect::Postgres) => Self::Other,
            },
            "timestamp" | "timestamptz" | "timestamp with time zone" | "timestamp without time zone" | "date" => {
                Self::Calendar
            }
            _ => Self::Other,
        }
    }
}

/// `Character Varying (100)` as `character varying` and `[100]`; no numbers where something else stands in the brackets.
fn parts(column: &str) -> (String, Option<Vec<u16>>) {
    let column = column.to_ascii_lowercase();
    let (before, rest) = column.split_once('(').unwrap_or((&column, ""));
    let (inside, behind) = rest.split_once(')').unwrap_or((rest, ""));
    let name: Vec<&str> = before.split_whitespace().chain(behind.split_whitespace()).collect();
    let numbers =
        inside.split(',').map(str::trim).filter(|number| !number.is_empty()).map(|number| number.parse().ok());
    (name.join(" "), numbers.collect())
}
