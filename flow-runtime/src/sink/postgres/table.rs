//! The table of a sink: the statements that make, fill and show it. What the server has instead is looked at in
//! `shape.rs`.

use crate::{
    Error,
    plan::FieldPlan,
    sink::{
        Mode, SinkShape,
        sql::{self, columns, declared, keys, quoted},
    },
    value::Type,
};

/// A table by the fields of its sink.
#[derive(Debug)]
pub(super) struct Table {
    pub(super) schema: String,
    pub(super) name: String,
    pub(super) shape: SinkShape,
    /// The column with the iteration's number, if it keeps one; of rows that were there before it, it is null.
    pub(super) iteration_column: Option<String>,
}

/// What numbers of iterations are kept as.
const ITERATION_TYPE: &str = "bigint";

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
        declared(shape, |name| shape.mode == Mode::Merge && name == ROW_NUMBER)?;
        Ok(Self { schema: schema.to_owned(), name: name.to_owned(), shape, iteration_column: None })
    }

    /// The same with a column that has the iteration's number.
    pub(super) fn with_iteration_column(self, iteration_column: Option<String>) -> Self {
        Self { iteration_column, ..self }
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
        let iteration = self.iteration_column.iter().map(|name| format!("{} {ITERATION_TYPE}", quoted(name)));
        let columns: Vec<String> = self.fields().map(declaration).chain(iteration).collect();
        let mut statements = format!("CREATE TABLE {} ({});", self.quoted(), columns.join(", "));
        if self.shape.mode == Mode::Merge {
            let keys: Vec<String> = self.keys().map(|field| quoted(field.name)).collect();
            statements += &format!(" CREATE INDEX ON {} ({});", self.quoted(), keys.join(", "));
        }
        statements
    }

    /// Adds columns that the table lacks, by their places among the fields, the iteration's number behind them; of the
    /// rows that are there they are null.
    pub(super) fn add_columns(&self, places: &[usize]) -> Vec<String> {
        let all: Vec<_> = self.columns_with_types().collect();
        let add =
            |(name, ty): &(&str, String)| format!("ALTER TABLE {} ADD COLUMN {} {ty}", self.quoted(), quoted(name));
        places.iter().filter_map(|place| all.get(*place)).map(add).collect()
    }

    /// Takes the rows of an iteration out of it, whose number is the parameter.
    pub(super) fn remove_iteration(&self, column: &str) -> String {
        format!("DELETE FROM {} WHERE {} = $1", self.quoted(), quoted(column))
    }

    /// Asks for a row of nulls, for the types that the columns must have, in the order of the fields, the iteration's number
    /// behind them.
    pub(super) fn typed_nulls(&self) -> String {
        let nulls: Vec<String> = self.columns_with_types().map(|(_, ty)| format!("NULL::{ty}")).collect();
        format!("SELECT {}", nulls.join(", "))
    }

    /// Removes all rows. TRUNCATE would be faster, and shut readers out until the commit.
    pub(super) fn empty(&self) -> String {
        format!("DELETE FROM {}", self.quoted())
    }

    /// Takes rows straight into the table, or, to merge them, where they wait.
    pub(super) fn copy(&self) -> String {
        match self.shape.mode {
            Mode::Append | Mode::Replace => {
                let iteration = self.iteration_column.iter().map(|name| format!("{}, ", quoted(name)));
                format!("COPY {} ({}{}) FROM STDIN", self.quoted(), iteration.collect::<String>(), self.columns(""))
            }
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

    /// Changes the rows of equal key, for the keys with these nulls; nothing if there is nothing but keys.
    pub(super) fn update(&self, nulls: &[bool]) -> Option<String> {
        sql::update(self.shape, same_key, &self.quoted(), FOLDED, nulls)
    }

    /// Adds the rows whose key is not there, for the keys with these nulls.
    pub(super) fn insert(&self, nulls: &[bool]) -> String {
        sql::insert(self.shape, same_key, &self.quoted(), FOLDED, nulls)
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

    fn columns(&self, alias: &str) -> String {
        columns(self.shape, alias)
    }

    fn columns_with_types(&self) -> impl Iterator<Item = (&str, String)> {
        let iteration = self.iteration_column.iter().map(|name| (name.as_str(), ITERATION_TYPE.to_owned()));
        self.fields().map(|field| (field.name, column_type(field))).chain(iteration)
    }

    fn fields(&self) -> impl Iterator<Item = &'static FieldPlan> {
        self.shape.fields().iter()
    }

    fn keys(&self) -> impl Iterator<Item = &'static FieldPlan> {
        keys(self.shape)
    }
}

/// `t.k = i.k`, and for a null `t.k IS NULL AND i.k IS NULL`: together that is `IS NOT DISTINCT FROM`, which PostgreSQL can
/// answer with neither an index nor a hash table.
fn same_key(key: &FieldPlan, is_null: bool) -> String {
    let key = quoted(key.name);
    if is_null { format!("t.{key} IS NULL AND i.{key} IS NULL") } else { format!("t.{key} = i.{key}") }
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

#[cfg(test)]
#[path = "table_tests.rs"]
mod tests;
