//! What is right, by `awk` and SQL alone: no code of flow has a say.

use std::{
    collections::BTreeMap,
    fmt,
    io::{Seek as _, Write as _},
    ops::AddAssign,
    process::Command,
};

use flow_tests::{postgres, program::Place, services};
use rusqlite::types::ValueRef;

use super::combination::{Kind, Mode, Output, Port};

/// Rows of every port that a batch of lines gives, each after its port's name.
const AWK: &str = r#"
    NF != 3 { print "bad " $0; next }
    $3 >= 50 { print "rows " $0 }
    { count[$2]++; total[$2] += $3 }
    END { for (key in count) print "counts " key "," count[key] "," total[key] }
"#;

/// The rows that the ports of all flows must get of these lines.
fn awk(lines: &str) -> Vec<String> {
    // Through a pipe, each of the two could wait for the other to read.
    let mut input = tempfile::tempfile().unwrap();
    input.write_all(lines.as_bytes()).unwrap();
    input.rewind().unwrap();
    let output = Command::new("awk").args(["-F", ",", AWK]).stdin(input).output().unwrap();
    assert!(output.status.success());
    String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
}

fn of_port(rows: &[String], port: Port) -> impl Iterator<Item = String> + '_ {
    rows.iter().filter_map(move |row| Some(row.strip_prefix(port.name())?.strip_prefix(' ')?.to_owned()))
}

/// What the batches of one input must have given.
#[derive(Debug, Default)]
pub(crate) struct Expected {
    /// Each with the lines of all before it.
    lines: Vec<String>,
    batches: Vec<Vec<String>>,
}

impl Expected {
    /// Lines that come as one iteration.
    pub(crate) fn add(&mut self, lines: &str) {
        self.lines.push(self.lines.last().cloned().unwrap_or_default() + lines);
        self.batches.push(awk(lines));
    }

    /// How many batches there are.
    pub(crate) fn batches(&self) -> usize {
        self.batches.len()
    }

    /// What so many batches give.
    fn rows(&self, output: &Output, batches: usize) -> Vec<String> {
        let given = &self.batches[..batches];
        match output.mode {
            Mode::Append => given.iter().flat_map(|batch| of_port(batch, output.port)).collect(),
            Mode::Replace => given.last().into_iter().flat_map(|batch| of_port(batch, output.port)).collect(),
            Mode::Merge => {
                let lines = self.lines[..batches].last();
                lines.into_iter().flat_map(|lines| of_port(&awk(lines), output.port).collect::<Vec<_>>()).collect()
            }
        }
    }

    /// Compares what the target of `output` has.
    pub(crate) fn judge(&self, place: &Place, schema: &str, output: &Output) -> Verdict {
        self.judge_after(self.batches(), output, found(place, schema, output))
    }

    /// Compares what was found in the target of `output` with what so many batches give.
    pub(crate) fn judge_after(&self, batches: usize, output: &Output, found: Vec<String>) -> Verdict {
        compared(output, self.rows(output, batches), found)
    }
}

fn compared(output: &Output, expected: Vec<String>, found: Vec<String>) -> Verdict {
    let mut differences: BTreeMap<String, (i64, i64)> = BTreeMap::new();
    for row in expected {
        differences.entry(row).or_default().0 += 1;
    }
    for row in found {
        differences.entry(row).or_default().1 += 1;
    }
    let mut verdict = Verdict::default();
    for (row, (expected, found)) in differences {
        let port = output.port.name();
        match found - expected {
            0 => {}
            more if more > 0 && expected > 0 => verdict.tell(0, more, 0, &format!("{port} has {row} {found} times")),
            more if more > 0 => verdict.tell(0, 0, more, &format!("{port} has {row}")),
            less => verdict.tell(-less, 0, 0, &format!("{port} lacks {row}")),
        }
    }
    verdict
}

/// The rows of a target, as text: fields parted by commas, null as nothing. Of a trap, the records.
pub(crate) fn found(place: &Place, schema: &str, output: &Output) -> Vec<String> {
    let rows: Vec<String> = match output.kind {
        Kind::File => place.text(&output.file()).lines().map(str::to_owned).collect(),
        Kind::Sqlite => table(place, output).unwrap_or_default(),
        Kind::Postgres | Kind::Redshift(_) => server_table(schema, output).unwrap_or_default(),
    };
    match output.port {
        Port::Bad => rows.iter().map(|row| row.split(',').next().unwrap_or_default().to_owned()).collect(),
        Port::Rows | Port::Counts => rows,
    }
}

/// As `psql` shows it, which also asks the PostgreSQL behind a stand-in itself.
fn server_table(schema: &str, output: &Output) -> Option<Vec<String>> {
    let (server, name) = (postgres::find()?, output.port.name());
    let database = match output.kind {
        Kind::Redshift(isolation) => services::redshift_of(isolation)?.database(),
        _ => "postgres",
    };
    if server.ask_in(database, &format!("SELECT to_regclass('{schema}.{name}') IS NULL")) == "t" {
        return None;
    }
    let rows = server.ask_in(database, &format!("SELECT * FROM {schema}.{name}"));
    Some(rows.lines().map(|row| row.replace('|', ",").replace('∅', "")).collect())
}

fn table(place: &Place, output: &Output) -> Option<Vec<String>> {
    let database = place.database(&output.file())?;
    let mut statement = database.prepare(&format!("SELECT * FROM {}", output.port.name())).ok()?;
    let columns = statement.column_count();
    let text = |value: ValueRef<'_>| match value {
        ValueRef::Null => String::new(),
        ValueRef::Integer(number) => number.to_string(),
        ValueRef::Real(number) => number.to_string(),
        ValueRef::Text(bytes) | ValueRef::Blob(bytes) => String::from_utf8_lossy(bytes).into_owned(),
    };
    let rows = statement.query_map([], |row| {
        let fields: Result<Vec<String>, _> = (0..columns).map(|column| row.get_ref(column).map(text)).collect();
        Ok(fields?.join(","))
    });
    Some(rows.unwrap().map(Result::unwrap).collect())
}

/// How targets differ from what is right.
#[derive(Clone, Debug, Default)]
pub(crate) struct Verdict {
    pub(crate) lost: i64,
    pub(crate) doubled: i64,
    pub(crate) invented: i64,
    /// Runs that did not end as they should.
    pub(crate) stuck: i64,
    /// In words.
    pub(crate) told: Vec<String>,
}

impl Verdict {
    fn tell(&mut self, lost: i64, doubled: i64, invented: i64, what: &str) {
        self.lost += lost;
        self.doubled += doubled;
        self.invented += invented;
        self.told.push(what.to_owned());
    }

    /// A run did not end as it should.
    pub(crate) fn stuck(what: String) -> Self {
        Self { stuck: 1, told: vec![what], ..Self::default() }
    }

    /// Whether all is right.
    pub(crate) fn is_right(&self) -> bool {
        self.told.is_empty()
    }
}

impl AddAssign for Verdict {
    fn add_assign(&mut self, other: Self) {
        self.lost += other.lost;
        self.doubled += other.doubled;
        self.invented += other.invented;
        self.stuck += other.stuck;
        self.told.extend(other.told);
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { lost, doubled, invented, stuck, .. } = self;
        write!(f, "{lost} lost, {doubled} doubled, {invented} invented")?;
        if *stuck > 0 { write!(f, ", {stuck} stuck") } else { Ok(()) }
    }
}
