//! Targets that need no server.

use std::fs;

use rusqlite::Connection;
use tempfile::TempDir;

use super::*;
use crate::{
    Error, MemoryRows,
    sink::{FromRow, Head, Published, Staged, Target, Ticket, open},
    value::{Decode as _, RowReader},
};

fn folder() -> TempDir {
    tempfile::tempdir().unwrap()
}

fn tap(target: Target, mode: Mode) -> Box<dyn SinkTap> {
    open(&target, Some(mode), &COUNTS).unwrap()
}

fn row(line: &str) -> Row {
    let (ip, count) = line.split_once(',').unwrap();
    (ip.to_owned(), count.parse().unwrap())
}

struct File(TempDir);

impl Subject for File {
    fn tap(&self, mode: Mode) -> Box<dyn SinkTap> {
        tap(Target::Address(format!("file:{}/counts.csv", self.0.path().display())), mode)
    }

    fn rows(&self) -> Vec<Row> {
        fs::read_to_string(self.0.path().join("counts.csv")).unwrap_or_default().lines().map(row).collect()
    }

    fn folder(&self) -> &Path {
        self.0.path()
    }

    fn modes(&self) -> &'static [Mode] {
        &[Mode::Append, Mode::Replace]
    }
}

#[test]
fn a_file_is_a_sink() {
    check(|| File(folder()));
}

struct Sqlite(TempDir);

impl Sqlite {
    fn database(&self) -> Connection {
        Connection::open(self.0.path().join("x.db")).unwrap()
    }
}

impl Subject for Sqlite {
    fn tap(&self, mode: Mode) -> Box<dyn SinkTap> {
        tap(Target::Address(format!("sqlite:{}/x.db", self.0.path().display())), mode)
    }

    fn rows(&self) -> Vec<Row> {
        let database = self.database();
        let Ok(mut counts) = database.prepare("SELECT ip, count FROM counts") else { return Vec::new() };
        counts.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap().map(Result::unwrap).collect()
    }

    fn folder(&self) -> &Path {
        self.0.path()
    }

    fn refuse(&mut self, ip: &str) -> bool {
        let trigger = format!(
            "CREATE TRIGGER refuse BEFORE INSERT ON counts WHEN NEW.ip = '{ip}' BEGIN SELECT RAISE(ABORT, 'refused'); END"
        );
        self.database().execute_batch(&trigger).unwrap();
        true
    }

    fn refuse_nothing(&mut self) {
        self.database().execute_batch("DROP TRIGGER refuse").unwrap();
    }
}

#[test]
fn a_table_of_sqlite_is_a_sink() {
    check(|| Sqlite(folder()));
}

struct Memory(MemoryRows, TempDir);

struct Counted(Row);

impl FromRow for Counted {
    fn from_row(row: &mut RowReader<'_>) -> Self {
        Self((<&str>::decode(row).to_owned(), i64::decode(row)))
    }
}

impl Subject for Memory {
    fn tap(&self, mode: Mode) -> Box<dyn SinkTap> {
        tap(Target::Memory(self.0.clone()), mode)
    }

    fn rows(&self) -> Vec<Row> {
        self.0.rows().into_iter().map(|Counted(row)| row).collect()
    }

    fn folder(&self) -> &Path {
        self.1.path()
    }

    /// A program that runs a flow twice over the same rows in memory knows why.
    fn refuses_doubles(&self) -> bool {
        false
    }
}

#[test]
fn memory_is_a_sink() {
    check(|| Memory(MemoryRows::default(), folder()));
}

/// One that keeps no ledger.
#[derive(Debug)]
struct Forgetful(Box<dyn SinkTap>);

impl SinkTap for Forgetful {
    fn mode(&self) -> Mode {
        self.0.mode()
    }

    fn check(&self) -> Result<(), Error> {
        self.0.check()
    }

    fn check_ledger(&self, _ticket: &Ticket) -> Result<bool, Error> {
        Ok(false)
    }

    fn check_without_store(&self) -> Result<(), Error> {
        self.0.check_without_store()
    }

    fn publish(&mut self, staged: &Staged, _ticket: Option<&Ticket>) -> Result<Published, Error> {
        self.0.publish(staged, None)
    }

    fn head(&self, rows_max: usize) -> Result<Option<Head>, Error> {
        self.0.head(rows_max)
    }
}

struct WithoutLedger(Memory);

impl Subject for WithoutLedger {
    fn tap(&self, mode: Mode) -> Box<dyn SinkTap> {
        Box::new(Forgetful(self.0.tap(mode)))
    }

    fn rows(&self) -> Vec<Row> {
        self.0.rows()
    }

    fn folder(&self) -> &Path {
        self.0.folder()
    }
}

#[test]
#[should_panic(expected = "it is in the ledger")]
fn what_keeps_no_ledger_is_none() {
    check(|| WithoutLedger(Memory(MemoryRows::default(), folder())));
}
