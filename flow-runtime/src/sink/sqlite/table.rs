//! The table of a sink: what it looks like, and the statements that fill it.

use rusqlite::{Connection, OptionalExtension, types::ValueRef};

use crate::{
    Error, Failure,
    effect::{Mutant, mutant},
    plan::FieldPlan,
    sink::{Head, Mode, ROWS_COUNTED_MAX, SinkShape},
    value::Type,
};

/// A table by the fields of its sink.
#[derive(Debug)]
pub(super) struct Table {
    pub(super) name: String,
    pub(super) shape: SinkShape,
    /// The column with the iteration's number, if it keeps one; of rows that were there before it, it is null.
    pub(super) iteration_column: Option<String>,
}

/// The decimal digits that a float keeps, whatever the number.
const FLOAT_DIGITS: u8 = 15;

/// A column as the database has it.
struct Column {
    name: String,
    declared: String,
    is_not_null: bool,
}

/// What SQLite makes of a value that is stored in a column.
#[derive(Debug, PartialEq, Eq)]
enum Affinity {
    Blob,
    Integer,
    Numeric,
    Real,
    Text,
}

impl Table {
    /// # Errors
    /// [`Error::Config`] when the name is the ledger's, or a column type is none.
    pub(super) fn new(name: &str, shape: SinkShape, iteration_column: Option<String>) -> Result<Self, Error> {
        // SQLite keeps names that begin like its own for itself.
        let is_reserved = name.get(..7).is_some_and(|start| start.eq_ignore_ascii_case("sqlite_"));
        if name.is_empty() || name.contains('\0') || is_reserved || name.eq_ignore_ascii_case(super::LEDGER) {
            return Err(Error::Config(
                Failure::new(format!("`{name}` cannot be the name of a table")).help("give another with ?table=…"),
            ));
        }
        let is_type = |column: &str| column.chars().all(|c| c.is_ascii_alphanumeric() || " (),_".contains(c));
        match shape.fields().iter().find(|field| !field.column.is_none_or(is_type)) {
            None => Ok(Self { name: name.to_owned(), shape, iteration_column }),
            Some(field) => Err(Error::Config(
                Failure::new(format!("`{}` is no column type", field.column.unwrap_or_default()))
                    .at(format!("field `{}`", field.name))
                    .help("write one as in `as varchar(100)`"),
            )),
        }
    }

    /// Whether the table is there; if so, it has the right columns.
    ///
    /// # Errors
    /// [`Error::Target`] with both lists of columns when they differ.
    pub(super) fn exists(&self, connection: &Connection, path: &str) -> Result<bool, Error> {
        let found = self.columns(connection).map_err(|error| super::failed(path, error))?;
        let Some(found) = found else { return Ok(false) };
        let fields = self.shape.fields();
        let fits = |field: &FieldPlan| {
            found.iter().any(|column| {
                column.name.eq_ignore_ascii_case(field.name)
                    && affinity(&column.declared) == affinity(column_type(field))
                    && !(column.is_not_null && field.nullable)
            })
        };
        let holds_iterations = |name: &String| {
            found
                .iter()
                .any(|column| column.name.eq_ignore_ascii_case(name) && affinity(&column.declared) == Affinity::Integer)
        };
        let columns = fields.len() + usize::from(self.iteration_column.is_some());
        if found.len() == columns && fields.iter().all(fits) && self.iteration_column.iter().all(holds_iterations) {
            return Ok(true);
        }
        let place = format!("{path}, table {}", self.name);
        if found.is_empty() {
            return Err(Error::Target(
                Failure::new("what has the table's name is no table").at(place).help("give another with ?table=…"),
            ));
        }
        let expected = self.declarations();
        let has = |name: &String| found.iter().any(|column| column.name.eq_ignore_ascii_case(name));
        let help = match &self.iteration_column {
            Some(name) if !has(name) && found.len() == fields.len() && fields.iter().all(fits) => {
                format!("{}, or give another table with ?table=…", self.add_iteration_column(name))
            }
            _ => "change the sink or the table, or give another table with ?table=…".to_owned(),
        };
        let found: Vec<String> = found.iter().map(Column::declaration).collect();
        Err(Error::Target(
            Failure::new("the table has other columns than the sink")
                .at(place)
                .cause(format!("expected ({}), found ({})", expected.join(", "), found.join(", ")))
                .help(help),
        ))
    }

    /// The columns; `None` when there is no such table.
    fn columns(&self, connection: &Connection) -> rusqlite::Result<Option<Vec<Column>>> {
        let kind: Option<String> = connection
            .query_row("SELECT type FROM sqlite_schema WHERE name = ?1 COLLATE NOCASE", [&self.name], |row| row.get(0))
            .optional()?;
        if kind.as_deref() != Some("table") {
            // What is no table has no columns that rows could be put into.
            return Ok(kind.map(|_| Vec::new()));
        }
        let mut columns = connection.prepare("SELECT name, type, \"notnull\" FROM pragma_table_info(?1)")?;
        let column =
            |row: &rusqlite::Row<'_>| Ok(Column { name: row.get(0)?, declared: row.get(1)?, is_not_null: row.get(2)? });
        columns.query_map([&self.name], column)?.collect::<rusqlite::Result<_>>().map(Some)
    }

    /// Whether no row is there.
    pub(super) fn is_empty(&self, connection: &Connection) -> rusqlite::Result<bool> {
        connection.query_row(&format!("SELECT NOT EXISTS (SELECT 1 FROM {})", quoted(&self.name)), [], |row| row.get(0))
    }

    /// The first rows, in the order of the key, null first, if few rows are to be sorted or the index has them so.
    pub(super) fn head(&self, connection: &Connection, rows_max: usize) -> rusqlite::Result<Head> {
        let table = quoted(&self.name);
        let count = format!("SELECT count(*) FROM (SELECT 1 FROM {table} LIMIT ?1)");
        let row_count = connection.query_row(&count, [ROWS_COUNTED_MAX + 1], |row| row.get(0))?;
        let fields = self.shape.fields();
        let columns: Vec<String> = fields.iter().map(|field| quoted(field.name)).collect();
        let key: Vec<String> = self.keys().map(|(_, field)| quoted(field.name)).collect();
        let is_sorted = !key.is_empty() && (row_count <= ROWS_COUNTED_MAX || self.shape.mode == Mode::Merge);
        let order = if is_sorted { format!("ORDER BY {}", key.join(", ")) } else { String::new() };
        let sql = format!("SELECT {} FROM {table} {order} LIMIT ?1", columns.join(", "));
        let mut statement = connection.prepare(&sql)?;
        let cells = |row: &rusqlite::Row<'_>| (0..fields.len()).map(|index| row.get_ref(index).map(cell)).collect();
        let rows = statement.query_map([rows_max], cells)?.collect::<rusqlite::Result<_>>()?;
        Ok(Head { rows, row_count })
    }

    /// What must run before the first row: in an existing table, or to make it.
    pub(super) fn prepare(&self, exists: bool) -> String {
        let table = quoted(&self.name);
        let mut statements = String::new();
        if !exists {
            statements += &format!("CREATE TABLE {table} ({});\n", self.declarations().join(", "));
        }
        match self.shape.mode {
            Mode::Append => {}
            Mode::Replace => statements += &format!("DELETE FROM {table};\n"),
            Mode::Merge => {
                let keys: Vec<&str> = self.keys().map(|(_, field)| field.name).collect();
                let index = quoted(&format!("{}_by_{}", self.name, keys.join("_")));
                let keys: Vec<String> = keys.into_iter().map(quoted).collect();
                statements += &format!("CREATE INDEX IF NOT EXISTS {index} ON {table} ({});\n", keys.join(", "));
            }
        }
        statements
    }

    /// Takes all rows out of it.
    pub(super) fn empty(&self) -> String {
        format!("DELETE FROM {}", quoted(&self.name))
    }

    /// Takes the rows of an iteration out of it, whose number is the parameter.
    pub(super) fn remove_iteration(&self, column: &str) -> String {
        format!("DELETE FROM {} WHERE {} = ?1", quoted(&self.name), quoted(column))
    }

    /// Adds a row; its fields are the parameters from 1 on, behind them the iteration's number, if the table keeps it.
    pub(super) fn insert(&self) -> String {
        let names = self.shape.fields().iter().map(|field| field.name);
        let columns: Vec<String> = names.chain(self.iteration_column.as_deref()).map(quoted).collect();
        let parameters: Vec<String> = (1..=columns.len()).map(|number| format!("?{number}")).collect();
        format!("INSERT INTO {} ({}) VALUES ({})", quoted(&self.name), columns.join(", "), parameters.join(", "))
    }

    /// Changes the row of equal key, null equal to null; the fields are the parameters from 1 on.
    pub(super) fn update(&self) -> String {
        let is_key = |index: usize| self.shape.port.key.contains(&index);
        let mut changes: Vec<String> = self
            .shape
            .fields()
            .iter()
            .enumerate()
            .filter(|(index, _)| !is_key(*index))
            .map(|(index, field)| change(field, index + 1))
            .collect();
        let equals = if mutant(Mutant::MergeByEquals) { "=" } else { "IS" };
        let keys: Vec<String> =
            self.keys().map(|(index, field)| format!("{} {equals} ?{}", quoted(field.name), index + 1)).collect();
        if changes.is_empty() {
            // The statement still has to tell whether there is such a row.
            changes
                .extend(self.keys().take(1).map(|(index, field)| format!("{} = ?{}", quoted(field.name), index + 1)));
        }
        format!("UPDATE {} SET {} WHERE {}", quoted(&self.name), changes.join(", "), keys.join(" AND "))
    }

    /// Adds the column with the iteration's number to a table that lacks it.
    fn add_iteration_column(&self, name: &str) -> String {
        format!("ALTER TABLE {} ADD COLUMN {} INTEGER", quoted(&self.name), quoted(name))
    }

    fn declarations(&self) -> Vec<String> {
        let iteration = self.iteration_column.iter().map(|name| format!("{} INTEGER", quoted(name)));
        self.shape.fields().iter().map(declaration).chain(iteration).collect()
    }

    fn keys(&self) -> impl Iterator<Item = (usize, &'static FieldPlan)> {
        let fields = self.shape.fields();
        self.shape.port.key.iter().filter_map(|&index| fields.get(index).map(|field| (index, field)))
    }
}

/// A stored value as text; null is nothing.
fn cell(value: ValueRef<'_>) -> Option<String> {
    match value {
        ValueRef::Null => None,
        ValueRef::Integer(number) => Some(number.to_string()),
        ValueRef::Real(number) => Some(number.to_string()),
        ValueRef::Text(bytes) | ValueRef::Blob(bytes) => Some(String::from_utf8_lossy(bytes).into_owned()),
    }
}

impl Column {
    fn declaration(&self) -> String {
        format!("{} {}{}", self.name, self.declared, if self.is_not_null { " NOT NULL" } else { "" })
    }
}

/// `count = flow_add(count, ?2)` for a field that is added, `url = ?3` for others.
fn change(field: &FieldPlan, parameter: usize) -> String {
    let column = quoted(field.name);
    match (field.add, field.ty) {
        (false, _) => format!("{column} = ?{parameter}"),
        (true, Type::Decimal(_, scale)) => {
            format!("{column} = {}({column}, ?{parameter}, {scale})", super::ADD_DECIMAL)
        }
        (true, _) => format!("{column} = {}({column}, ?{parameter})", super::ADD_NUMBER),
    }
}

fn declaration(field: &FieldPlan) -> String {
    format!("{} {}{}", quoted(field.name), column_type(field), if field.nullable { "" } else { " NOT NULL" })
}

/// The type that the sink gives the column, where SQLite does not change values for it; else SQLite's own.
fn column_type(field: &FieldPlan) -> &'static str {
    field.column.filter(|column| affinity(column).keeps(field.ty)).unwrap_or(match field.ty {
        Type::Bool | Type::I16 | Type::I32 | Type::I64 => "INTEGER",
        Type::F32 | Type::F64 => "REAL",
        Type::Bytes => "BLOB",
        // SQLite has no type of its own for these: times as ISO 8601 sort and compare, decimals keep every digit.
        Type::Text | Type::Timestamp(_) | Type::Date(_) | Type::Decimal(..) => "TEXT",
    })
}

impl Affinity {
    /// Whether every value of this type is still itself when it was stored.
    fn keeps(&self, ty: Type) -> bool {
        match ty {
            // What looks like a number becomes one: `007` would be 7.
            Type::Text => matches!(self, Self::Text | Self::Blob),
            Type::Decimal(precision, _) => precision <= FLOAT_DIGITS || matches!(self, Self::Text | Self::Blob),
            Type::I64 => *self != Self::Real,
            // Only so many digits of a float become text.
            Type::F32 | Type::F64 => *self != Self::Text,
            // ISO 8601 looks like no number.
            Type::Timestamp(_) | Type::Date(_) | Type::Bool | Type::I16 | Type::I32 | Type::Bytes => true,
        }
    }
}

/// The rules of <https://sqlite.org/datatype3.html#determination_of_column_affinity>, in their order.
fn affinity(declared: &str) -> Affinity {
    let declared = declared.to_ascii_uppercase();
    let has = |words: &[&str]| words.iter().any(|word| declared.contains(word));
    match () {
        () if has(&["INT"]) => Affinity::Integer,
        () if has(&["CHAR", "CLOB", "TEXT"]) => Affinity::Text,
        () if declared.is_empty() || has(&["BLOB"]) => Affinity::Blob,
        () if has(&["REAL", "FLOA", "DOUB"]) => Affinity::Real,
        () => Affinity::Numeric,
    }
}

/// A name as SQL takes it, whatever it holds.
pub(super) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

#[cfg(test)]
#[path = "table_tests.rs"]
mod tests;
