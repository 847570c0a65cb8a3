//! The table of a sink: the statements that make, fill and show it. What the server has instead is looked at in `shape.rs`.

use super::{
    staging::{Address, option},
    types::{column_type, in_catalog, refusal},
};
use crate::{
    Error, Failure,
    effect::{Mutant, mutant},
    plan::FieldPlan,
    sink::{
        Dialect, Mode, SinkShape,
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
    pub(super) layout: Layout,
    /// The column with the iteration's number, if it keeps one; of rows that were there before it, it is null.
    pub(super) iteration_column: Option<String>,
}

/// What numbers of iterations are kept as.
pub(super) const ITERATION_TYPE: &str = "bigint";

/// How rows are spread over the cluster, and sorted. Where it says nothing, Redshift decides.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Layout {
    pub(super) distkey: Option<String>,
    pub(super) sortkey: Vec<String>,
}

/// Where rows wait that are to be merged. Temporary tables are found before all others, and end with the session.
pub(super) const INCOMING: &str = "flow_incoming";
/// The same with one row a key.
pub(super) const FOLDED: &str = "flow_folded";
/// The number of a row in the iteration.
pub(super) const ROW_NUMBER: &str = "flow_row";
/// Which of the rows of its key it is, from the last.
const RANK: &str = "flow_rank";

/// What stands for null in a staged file.
pub(super) use crate::sink::demands::REDSHIFT_NULL as NULL;

impl Table {
    /// # Errors
    /// [`Error::Config`] for a column's type, a field or a key that cannot be one.
    pub(super) fn new((schema, name): (&str, &str), shape: SinkShape, layout: Layout) -> Result<Self, Error> {
        let is_own = |name: &str| [ROW_NUMBER, RANK].iter().any(|own| own.eq_ignore_ascii_case(name));
        declared(shape, |name| shape.mode == Mode::Merge && is_own(name))?;
        let refuse = |what: String, place: String, help: &str| {
            Err(Error::Config(Failure::new(what).at(place).help(help.to_owned())))
        };
        let fields = shape.fields();
        for (index, field) in fields.iter().enumerate() {
            let place = format!("field `{}`", field.name);
            let Some(column) = column_type(field) else {
                let help =
                    "make text of it in the flow; a trap, whose records are bytes, goes to a file: or sqlite: address";
                return refuse("Redshift is loaded from text, and takes no bytes".to_owned(), place, help);
            };
            if let Some(why) = refusal(&in_catalog(&column)) {
                return refuse(format!("Redshift has no column of `{column}`"), place, why);
            }
            if !Dialect::Redshift.takes(field) {
                let what = format!("no {} is loaded into a column of `{}`", field.ty, field.column.unwrap_or_default());
                return refuse(what, place, "make a value of that type in the flow, or take another column");
            }
            if fields[..index].iter().any(|other| other.name.eq_ignore_ascii_case(field.name)) {
                return refuse("Redshift takes upper case for lower case".to_owned(), place, "rename the field");
            }
        }
        for key in layout.distkey.iter().chain(&layout.sortkey) {
            if !fields.iter().any(|field| field.name == key) {
                let names = fields.iter().map(|field| field.name).collect::<Vec<_>>().join(", ");
                return refuse(format!("there is no field `{key}`"), format!("table {schema}.{name}"), &names);
            }
        }
        Ok(Self { schema: schema.to_owned(), name: name.to_owned(), shape, layout, iteration_column: None })
    }

    /// The same with a column that has the iteration's number. Upper case in its name means lower case.
    pub(super) fn with_iteration_column(self, name: Option<String>) -> Self {
        Self { iteration_column: name.map(|name| name.to_ascii_lowercase()), ..self }
    }

    /// Its name in a statement.
    pub(super) fn quoted(&self) -> String {
        format!("{}.{}", quoted(&self.schema), quoted(&self.name))
    }

    /// The ledger's name: it has no other table, for who loads this one locks it.
    pub(super) fn ledger_name(&self) -> String {
        format!("{}{}", super::LEDGER_PREFIX, self.name)
    }

    /// The ledger's name in a statement: it lies in the schema of the table.
    pub(super) fn ledger(&self) -> String {
        format!("{}.{}", quoted(&self.schema), quoted(&self.ledger_name()))
    }

    /// Makes the table. It has no primary key: Redshift would believe it, and enforce nothing.
    pub(super) fn create(&self) -> String {
        let list = |names: &[String]| names.iter().map(|name| quoted(name)).collect::<Vec<_>>().join(", ");
        let Layout { distkey, sortkey } = &self.layout;
        let distkey = distkey.as_ref().map(|key| format!(" DISTKEY ({})", quoted(key))).unwrap_or_default();
        let sortkey = if sortkey.is_empty() { String::new() } else { format!(" SORTKEY ({})", list(sortkey)) };
        format!("CREATE TABLE {} ({}){distkey}{sortkey}", self.quoted(), self.declarations())
    }

    /// Adds columns that the table lacks, by their places among the fields, the iteration's number behind them; of the
    /// rows that are there they are null.
    pub(super) fn add_columns(&self, places: &[usize]) -> Vec<String> {
        let fields = self.fields().map(|field| (field.name, column_type(field).unwrap_or_default()));
        let iteration = self.iteration_column.iter().map(|name| (name.as_str(), ITERATION_TYPE.to_owned()));
        let all: Vec<_> = fields.chain(iteration).collect();
        let add =
            |(name, ty): &(&str, String)| format!("ALTER TABLE {} ADD COLUMN {} {ty}", self.quoted(), quoted(name));
        places.iter().filter_map(|place| all.get(*place)).map(add).collect()
    }

    /// Takes the rows of an iteration out of it.
    pub(super) fn remove_iteration(&self, column: &str, iteration: u64) -> String {
        format!("DELETE FROM {} WHERE {} = {iteration}", self.quoted(), quoted(column))
    }

    /// Removes all rows. TRUNCATE would be faster, and end the transaction.
    pub(super) fn empty(&self) -> String {
        let verb = if mutant(Mutant::ReplaceTruncates) { "TRUNCATE" } else { "DELETE FROM" };
        format!("{verb} {}", self.quoted())
    }

    /// Loads what is staged straight into the table, or, to merge it, where rows wait. `credentials` is what stands between
    /// `FROM` and the options.
    pub(super) fn copy(&self, staged: &Address, credentials: &str) -> String {
        let into = match self.shape.mode {
            Mode::Append | Mode::Replace => {
                // The first value of each line: see `Form`.
                let iteration = self.iteration_column.iter().map(|name| format!("{}, ", quoted(name)));
                format!("{} ({}{})", self.quoted(), iteration.collect::<String>(), columns(self.shape, ""))
            }
            Mode::Merge => format!("{INCOMING} ({}, {})", quoted(ROW_NUMBER), columns(self.shape, "")),
        };
        format!(
            "COPY {into} FROM {} {credentials} MANIFEST CSV NULL AS {}{} DATEFORMAT 'auto' TIMEFORMAT 'auto' COMPUPDATE \
             OFF STATUPDATE OFF",
            literal(&staged.url()),
            literal(NULL),
            option(staged.compression),
        )
    }

    /// Makes the table where rows wait, with the types of the real one.
    pub(super) fn create_incoming(&self) -> String {
        let (number, columns) = (quoted(ROW_NUMBER), self.declarations());
        format!("CREATE TEMPORARY TABLE {INCOMING} ({number} bigint NOT NULL, {columns})")
    }

    /// Brings rows of one key together: what is added is summed up, of the rest the last counts.
    pub(super) fn fold(&self) -> String {
        let exact = |key| if is_text(key) { format!("md5({})", quoted(key.name)) } else { quoted(key.name) };
        let (keys, number) = (keys(self.shape).map(exact).collect::<Vec<_>>().join(", "), quoted(ROW_NUMBER));
        let value = |field: &FieldPlan| match field.add {
            true => format!("sum({0}) OVER (PARTITION BY {keys}) AS {0}", quoted(field.name)),
            false => quoted(field.name),
        };
        let values: Vec<String> = self.fields().map(value).collect();
        format!(
            "CREATE TEMPORARY TABLE {FOLDED} AS SELECT {columns} FROM (SELECT {values}, row_number() OVER (PARTITION BY \
             {keys} ORDER BY {number} DESC) AS {RANK} FROM {INCOMING}) ranked WHERE {RANK} = 1",
            columns = columns(self.shape, ""),
            values = values.join(", "),
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

    /// The first rows, in the order of the key, null first, if they are to be sorted.
    pub(super) fn head(&self, rows_max: usize, is_sorted: bool) -> String {
        let keys: Vec<String> = keys(self.shape).map(|key| format!("{} NULLS FIRST", quoted(key.name))).collect();
        let order =
            if keys.is_empty() || !is_sorted { String::new() } else { format!("ORDER BY {} ", keys.join(", ")) };
        format!("SELECT {} FROM {} {order}LIMIT {rows_max}", columns(self.shape, ""), self.quoted())
    }

    fn declarations(&self) -> String {
        let declaration = |field: &FieldPlan| {
            let ty = column_type(field).unwrap_or_default();
            format!("{} {ty}{}", quoted(field.name), if field.nullable { "" } else { " NOT NULL" })
        };
        let iteration = self.iteration_column.iter().map(|name| format!("{} {ITERATION_TYPE}", quoted(name)));
        self.fields().map(declaration).chain(iteration).collect::<Vec<_>>().join(", ")
    }

    fn fields(&self) -> impl Iterator<Item = &'static FieldPlan> {
        self.shape.fields().iter()
    }
}

/// Redshift takes texts for equal that differ in blanks at their ends, and, by some collations, in upper and lower case. A
/// flow does not, and keys that it tells apart must not become one row: what `md5` makes of them is compared, too. By what is
/// equal alone rows are brought together, as UPDATE demands, of nulls likewise.
fn same_key(key: &FieldPlan, is_null: bool) -> String {
    let name = quoted(key.name);
    match is_null {
        true => format!("CASE WHEN t.{name} IS NULL THEN 0 END = CASE WHEN i.{name} IS NULL THEN 0 END"),
        false if is_text(key) => format!("t.{name} = i.{name} AND md5(t.{name}) = md5(i.{name})"),
        false => format!("t.{name} = i.{name}"),
    }
}

fn is_text(field: &FieldPlan) -> bool {
    field.ty == Type::Text && column_type(field).is_some_and(|column| in_catalog(&column).starts_with("character"))
}

/// A text as SQL takes it: a backslash takes the meaning from what follows.
pub(super) fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "''"))
}

#[cfg(test)]
#[path = "table_tests.rs"]
mod tests;
