//! The dialects of SQL, and what their columns ask of a field.

use super::{
    column::Kind,
    limit::{Letters, Limit, RowLimit, Unit, whole_numbers, whole_numbers_of},
};
use crate::{plan::FieldPlan, value::Type};

/// Whose columns rows go to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// PostgreSQL: `varchar(n)` counts characters, decimals are rounded, floats may be no numbers.
    Postgres,
    /// Amazon Redshift: `varchar(n)` counts bytes, `char(n)` takes ASCII alone, decimals are cut off, code points that are no
    /// characters are refused, and floats that are no numbers.
    Redshift,
}

/// The longest text of a Redshift column (Amazon Redshift, Database Developer Guide, "Character types", 2026-11-22).
const REDSHIFT_TEXT: &str = "varchar(65535)";

/// "The maximum size of a single input row from any source is 4 MB" (Amazon Redshift, Database Developer Guide, COPY, "Data
/// sources", 2026-11-22), whichever megabytes are meant.
const REDSHIFT_ROW_BYTES_MAX: usize = 4_000_000;

/// The first day of PostgreSQL's calendar: 4714-11-24 BC, the day that Julian days are counted from.
const FIRST_DAY: i32 = -2_440_588;

/// The first day that COPY reads as ISO 8601 writes it: 0001-01-01. Redshift's calendar begins earlier.
const FIRST_DAY_OF_ISO: i32 = -719_162;

impl Dialect {
    /// The type of a field's column, if it is declared or says something that the field's own type does not.
    fn column(self, field: &FieldPlan) -> Option<&'static str> {
        match (field.column, self, field.ty) {
            (None, Self::Redshift, Type::Text) => Some(REDSHIFT_TEXT),
            (None, _, Type::Timestamp(_)) => Some("timestamp"),
            (None, _, Type::Date(_)) => Some("date"),
            (column, ..) => column,
        }
    }

    /// What a row of so many fields must keep to.
    pub(super) fn row_limit(self, fields: usize) -> Option<RowLimit> {
        (self == Self::Redshift).then_some(RowLimit { bytes_max: REDSHIFT_ROW_BYTES_MAX, fields })
    }

    /// What a field's values must keep to.
    pub(super) fn limits(self, field: &FieldPlan) -> Vec<Limit> {
        let column = self.column(field).unwrap_or_default();
        let kind = Kind::parse(column, self);
        match field.ty {
            Type::Bool => self.of_text_of(kind, column, field.ty).into_iter().collect(),
            Type::I16 => self.of_whole(kind, column, whole_numbers_of(16)),
            Type::I32 => self.of_whole(kind, column, whole_numbers_of(32)),
            Type::I64 => self.of_whole(kind, column, whole_numbers_of(64)),
            Type::F32 | Type::F64 => self.of_float(kind, column, field.ty),
            Type::Text => self.of_text(kind, column),
            Type::Bytes => match kind {
                Kind::Bytes(max) => vec![Limit::Length { max, unit: Unit::Bytes, column }],
                _ => Vec::new(),
            },
            Type::Timestamp(_) | Type::Date(_) => {
                let first_day = match (kind, self) {
                    (Kind::Calendar, Self::Postgres) => FIRST_DAY,
                    (Kind::Calendar, Self::Redshift) => FIRST_DAY_OF_ISO,
                    _ => i32::MIN,
                };
                let length = self.of_text_of(kind, column, field.ty);
                [Limit::Calendar { first_day }].into_iter().chain(length).collect()
            }
            Type::Decimal(..) => {
                self.digits(kind, column).into_iter().chain(self.of_text_of(kind, column, field.ty)).collect()
            }
        }
    }

    fn of_text(self, kind: Kind, column: &'static str) -> Vec<Limit> {
        let (letters, unit) = match (self, kind) {
            (Self::Postgres, _) => (Letters::Postgres, Unit::Characters),
            (Self::Redshift, Kind::Char(_)) => (Letters::RedshiftChar, Unit::Bytes),
            (Self::Redshift, _) => (Letters::Redshift, Unit::Bytes),
        };
        let length = match kind {
            Kind::Text(Some(max)) | Kind::Char(Some(max)) => Some(Limit::Length { max, unit, column }),
            _ => None,
        };
        [Limit::Letters(letters)].into_iter().chain(length).collect()
    }

    /// A number in a column of another type, and its digits in one of text; none where the field holds no others.
    fn of_whole(self, kind: Kind, column: &'static str, of_field: (i64, i64)) -> Vec<Limit> {
        let (min, max) = match kind {
            Kind::Whole(bits) => whole_numbers_of(bits),
            Kind::Numeric(precision, scale) => {
                let digits = precision.saturating_sub(scale).into();
                whole_numbers(digits, digits)
            }
            // A sign takes a place.
            Kind::Text(Some(max)) | Kind::Char(Some(max)) => whole_numbers(max.saturating_sub(1), max),
            _ => return Vec::new(),
        };
        let holds_all = min <= of_field.0 && of_field.1 <= max;
        if holds_all { Vec::new() } else { vec![Limit::Whole { min, max, column }] }
    }

    fn of_float(self, kind: Kind, column: &'static str, ty: Type) -> Vec<Limit> {
        let finite = (self == Self::Redshift).then_some(Limit::Finite);
        let range = match kind {
            Kind::Single if ty == Type::F64 => Some(Limit::Single { column }),
            kind => self.digits(kind, column).or_else(|| self.of_text_of(kind, column, ty)),
        };
        finite.into_iter().chain(range).collect()
    }

    /// What is no text, in a column of text. (Whole numbers have limits of their own, and PostgreSQL has another spelling.)
    fn of_text_of(self, kind: Kind, column: &'static str, ty: Type) -> Option<Limit> {
        match (self, kind) {
            (Self::Redshift, Kind::Text(Some(max)) | Kind::Char(Some(max))) => Some(Limit::Written { max, ty, column }),
            _ => None,
        }
    }

    /// Whether values of the field can be loaded into its column at all: where each of them may be refused, or becomes null
    /// without a word, no row is safe.
    #[cfg(feature = "redshift")]
    pub(in crate::sink) fn takes(self, field: &FieldPlan) -> bool {
        let kind = Kind::parse(self.column(field).unwrap_or_default(), self);
        match (kind, field.ty) {
            (Kind::Other | Kind::Text(_) | Kind::Char(_), _) => true,
            (Kind::Boolean, ty) => ty == Type::Bool,
            (Kind::Bytes(_), ty) => ty == Type::Bytes,
            (Kind::Whole(_), ty) => matches!(ty, Type::I16 | Type::I32 | Type::I64),
            (Kind::Single | Kind::Double | Kind::Numeric(..), ty) => {
                matches!(ty, Type::I16 | Type::I32 | Type::I64 | Type::F32 | Type::F64 | Type::Decimal(..))
            }
            (Kind::Calendar, ty) => matches!(ty, Type::Timestamp(_) | Type::Date(_)),
        }
    }

    fn digits(self, kind: Kind, column: &'static str) -> Option<Limit> {
        let Kind::Numeric(precision, scale) = kind else { return None };
        Some(Limit::Digits { precision, scale, rounds: self == Self::Postgres, column })
    }
}
