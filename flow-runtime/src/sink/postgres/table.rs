//! The table of a sink: the statements that make, fill and show it. What the server has instead is looked at in
//! `shape.rs`.

use crate::{
    Error, Failure,
    plan::FieldPlan,
    sink::{Mode, SinkShape},
    value::Type,
};

/// A table by the fields of its sink.
#[derive(Debug)]
pub(super) struct Table {
    pub(super) schema: String,
    pub(super) name: String,
    pub(super) shape: SinkShape,
}

/// Where rows wait that are to be merged.
pub(super) const INCOMING: &str = "pg_temp.flow_incoming";
/// The same with one row a key.
pub(super) const FOLDED: &str = "pg_temp.flow_folded";
/// The number of a row in the iteration.
const ROW_NUMBER: &str = "flow_row";

impl Table {
    /// # Errors
    /// [`Error::Config`] for a column type or a field's name that cannot be one.
    pub(super) fn new(schema: &str, name: &str, shape: SinkShape) -> Result<Self, Error> {
        let is_type = |column: &str| column.chars().all(|c| c.is_ascii_alphanumeric() || " (),_".contains(c));
        for field in shape.fields() {
            let refuse = |what: String, help: &str| {
                Err(Error::Config(Failure::new(what).at(format!("field `{}`", field.name)).help(help)))
            };
            if let Some(column) = field.column.filter(|column| !is_type(column)) {
                return refuse(format!("`{column}` is no column type"), "write one as in `as varchar(100)`");
            }
            if field.name == ROW_NUMBER && shape.mode == Mode::Merge {
                return refuse("flow numbers rows by this name".to_owned(), "rename the field");
            }
        }
        Ok(Self { schema: schema.to_owned(), name: name.to_owned(), shape })
    }

    /// Its name in a statement.
    pub(super) fn quoted(&self) -> String {
        format!("{}.{}", quoted(&self.schema), quoted(&self.name))
    }

    /// The ledger's name in a statement: it lies in the schema of the table.
    pub(super) fn ledger(&self) -> String {
        format!("{}.{}", quoted(&self.schema), quoted(super::LEDGER))
    }

    /// Makes the table, and for merging an index by which a key is found.
    pub(super) fn create(&self) -> String {
        let columns: Vec<String> = self.fields().map(declaration).collect();
        let mut statements = format!("CREATE TABLE {} ({});", self.quoted(), columns.join(", "));
        if self.shape.mode == Mode::Merge {
            let keys: Vec<String> = self.keys().map(|field| quoted(field.name)).collect();
            statements += &format!(" CREATE INDEX ON {} ({});", self.quoted(), keys.join(", "));
        }
        statements
    }

    /// Asks for a row of nulls, for the types that the columns must have, in the order of the fields.
    pub(super) fn typed_nulls(&self) -> String {
        let nulls: Vec<String> = self.fields().map(|field| format!("NULL::{}", column_type(field))).collect();
        format!("SELECT {}", nulls.join(", "))
    }

    /// Removes all rows. TRUNCATE would be faster, and shut readers out until the commit.
    pub(super) fn empty(&self) -> String {
        format!("DELETE FROM {}", self.quoted())
    }

    /// Takes rows straight into the table, or, to merge them, where they wait.
    pub(super) fn copy(&self) -> String {
        match self.shape.mode {
            Mode::Append | Mode::Replace => format!("COPY {} ({}) FROM STDIN", self.quoted(), self.columns("")),
            Mode::Merge => format!("COPY {INCOMING} ({ROW_NUMBER}, {}) FROM STDIN", self.columns("")),
        }
    }

    /// Makes the table where rows wait, with the types of the real one.
    pub(super) fn create_incoming(&self) -> String {
        let (columns, table) = (self.columns(""), self.quoted());
        format!(
            "CREATE TEMPORARY TABLE flow_incoming ON COMMIT DROP AS SELECT 0::bigint AS {ROW_NUMBER}, {columns} FROM \
             {table} WITH NO DATA"
        )
    }

    /// Brings rows of one key together: what is added is summed up, of the rest the last counts.
    pub(super) fn fold(&self) -> String {
        let value = |field: &FieldPlan| match field.add {
            true => format!("sum({0}) OVER same_key AS {0}", quoted(field.name)),
            false => quoted(field.name),
        };
        let values: Vec<String> = self.fields().map(value).collect();
        let keys: Vec<String> = self.keys().map(|field| quoted(field.name)).collect();
        let (values, keys) = (values.join(", "), keys.join(", "));
        format!(
            "CREATE TEMPORARY TABLE flow_folded ON COMMIT DROP AS SELECT DISTINCT ON ({keys}) {values} FROM {INCOMING} \
             WINDOW same_key AS (PARTITION BY {keys}) ORDER BY {keys}, {ROW_NUMBER} DESC; ANALYZE {FOLDED}"
        )
    }

    /// Whether there is nothing but keys.
    pub(super) fn is_of_keys(&self) -> bool {
        self.keys().count() == self.shape.fields().len()
    }

    /// Asks which of the keys that may be null are, row by row, each combination once.
    pub(super) fn null_patterns(&self) -> Option<String> {
        let nulls: Vec<String> =
            self.keys().filter(|key| key.nullable).map(|key| format!("{} IS NULL", quoted(key.name))).collect();
        (!nulls.is_empty()).then(|| format!("SELECT DISTINCT {} FROM {FOLDED}", nulls.join(", ")))
    }

    /// Changes the rows of equal key, for the keys with these nulls; nothing if there is nothing but keys.
    pub(super) fn update(&self, nulls: &[bool]) -> Option<String> {
        let is_key = |index: usize| self.shape.port.key.contains(&index);
        let fields = self.shape.fields().iter().enumerate();
        let changes: Vec<String> =
            fields.filter(|(index, _)| !is_key(*index)).map(|(_, field)| change(field)).collect();
        let sql = || {
            format!(
                "UPDATE {} t SET {} FROM {FOLDED} i WHERE {}",
                self.quoted(),
                changes.join(", "),
                self.same_key(nulls)
            )
        };
        (!changes.is_empty()).then(sql)
    }

    /// Adds the rows whose key is not there, for the keys with these nulls.
    pub(super) fn insert(&self, nulls: &[bool]) -> String {
        let (table, columns, values) = (self.quoted(), self.columns(""), self.columns("i."));
        let (own, same) = (self.key_nulls(nulls), self.same_key(nulls));
        format!(
            "INSERT INTO {table} ({columns}) SELECT {values} FROM {FOLDED} i WHERE {own} AND NOT EXISTS (SELECT 1 FROM \
             {table} t WHERE {same})"
        )
    }

    /// Counts rows, to this number.
    pub(super) fn count(&self, rows_max: u64) -> String {
        format!("SELECT count(*) FROM (SELECT 1 FROM {} LIMIT {rows_max}) counted", self.quoted())
    }

    /// The first rows as text, in the order of the key, null first, if they are to be sorted.
    pub(super) fn head(&self, rows_max: usize, is_sorted: bool) -> String {
        let columns: Vec<String> = self.fields().map(|field| format!("{}::text", quoted(field.name))).collect();
        let keys: Vec<String> = self.keys().map(|key| format!("{} NULLS FIRST", quoted(key.name))).collect();
        let order =
            if keys.is_empty() || !is_sorted { String::new() } else { format!("ORDER BY {} ", keys.join(", ")) };
        format!("SELECT {} FROM {} {order}LIMIT {rows_max}", columns.join(", "), self.quoted())
    }

    /// `t.k = i.k`, and for a null `t.k IS NULL AND i.k IS NULL`.
    ///
    /// Together that is `IS NOT DISTINCT FROM`, which PostgreSQL can answer with neither an index nor a hash table.
    fn same_key(&self, nulls: &[bool]) -> String {
        let same = |(key, is_null): (&str, bool)| match is_null {
            true => format!("t.{key} IS NULL AND i.{key} IS NULL"),
            false => format!("t.{key} = i.{key}"),
        };
        self.keys_with(nulls).iter().map(|(key, is_null)| same((key, *is_null))).collect::<Vec<_>>().join(" AND ")
    }

    /// Which rows have these nulls in their key.
    fn key_nulls(&self, nulls: &[bool]) -> String {
        let null = |(key, is_null): &(String, bool)| format!("i.{key} IS {}NULL", if *is_null { "" } else { "NOT " });
        self.keys_with(nulls).iter().map(null).collect::<Vec<_>>().join(" AND ")
    }

    /// The key's fields, each with whether it is null; `nulls` has those that may be.
    fn keys_with(&self, nulls: &[bool]) -> Vec<(String, bool)> {
        let mut nulls = nulls.iter().copied();
        self.keys().map(|key| (quoted(key.name), key.nullable && nulls.next().unwrap_or(false))).collect()
    }

    fn columns(&self, alias: &str) -> String {
        self.fields().map(|field| format!("{alias}{}", quoted(field.name))).collect::<Vec<_>>().join(", ")
    }

    fn fields(&self) -> impl Iterator<Item = &'static FieldPlan> {
        self.shape.fields().iter()
    }

    fn keys(&self) -> impl Iterator<Item = &'static FieldPlan> {
        let fields = self.shape.fields();
        self.shape.port.key.iter().filter_map(|&index| fields.get(index))
    }
}

/// Null adds nothing; a sum that the column cannot hold is refused by the server.
fn change(field: &FieldPlan) -> String {
    let column = quoted(field.name);
    match field.add {
        true => format!("{column} = COALESCE(t.{column} + i.{column}, t.{column}, i.{column})"),
        false => format!("{column} = i.{column}"),
    }
}

fn declaration(field: &'static FieldPlan) -> String {
    format!("{} {}{}", quoted(field.name), column_type(field), if field.nullable { "" } else { " NOT NULL" })
}

/// The column's type as the sink says it, else the one that holds every value of the field.
pub(super) fn column_type(field: &FieldPlan) -> String {
    let name = match (field.column, field.ty) {
        (Some(column), _) => column,
        (None, Type::Decimal(precision, scale)) => return format!("numeric({precision}, {scale})"),
        (None, Type::Bool) => "boolean",
        (None, Type::I16) => "smallint",
        (None, Type::I32) => "integer",
        (None, Type::I64) => "bigint",
        (None, Type::F32) => "real",
        (None, Type::F64) => "double precision",
        (None, Type::Text) => "text",
        (None, Type::Bytes) => "bytea",
        (None, Type::Timestamp(_)) => "timestamp with time zone",
        (None, Type::Date(_)) => "date",
    };
    name.to_owned()
}

/// A name as SQL takes it, whatever it holds.
fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

#[cfg(test)]
#[path = "table_tests.rs"]
mod tests;
