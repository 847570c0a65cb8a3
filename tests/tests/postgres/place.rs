//! A schema, and rows on their way into it.

use std::sync::atomic::{AtomicUsize, Ordering};

use flow_runtime::{
    Error, Plan,
    plan::{FieldPlan, PortKind, PortPlan},
    sink::{self, Mode, Published, SinkTap, Staged, Target, Ticket, staging::StagingArea},
    value::{Encode, RowBuffer, Type},
};
use flow_tests::postgres::{Server, server};
use tempfile::TempDir;

/// A field that may be null.
pub(super) const fn nullable(name: &'static str, ty: Type) -> FieldPlan {
    FieldPlan { name, ty, nullable: true, column: None, add: false }
}

/// A field that merging adds to.
pub(super) const fn added(name: &'static str, ty: Type) -> FieldPlan {
    FieldPlan { name, ty, nullable: true, column: None, add: true }
}

/// A sink that no group feeds.
pub(super) const fn sink(name: &'static str, fields: &'static [FieldPlan], key: &'static [usize]) -> PortPlan {
    let (about, scheme, covers) = ("", "", &[] as &[&str]);
    PortPlan { name, kind: PortKind::Sink, about, scheme, fields, key, grouped: false, covers, line: 0 }
}

/// `ip` and how often, as the access-log job counts.
pub(super) static COUNTS: PortPlan = sink("counts", &[nullable("ip", Type::Text), added("count", Type::I64)], &[0]);

/// A row of [`COUNTS`].
pub(super) type Counted = (Option<&'static str>, Option<i64>);

pub(super) const FIRST: [Counted; 3] = [(None, Some(1)), (Some("a"), Some(2)), (Some("b"), None)];
pub(super) const SECOND: [Counted; 4] = [(Some("b"), Some(5)), (None, Some(10)), (Some("c"), Some(3)), (None, None)];

/// A row of a test.
pub(super) trait Row {
    fn encode(&self, row: &mut Vec<u8>);
}

macro_rules! rows_of_tuples {
    ($(($($name:ident)+))+) => {$(
        impl<$($name: Encode),+> Row for ($($name,)+) {
            #[expect(non_snake_case, reason = "values are named after their types")]
            fn encode(&self, row: &mut Vec<u8>) {
                let ($($name,)+) = self;
                $($name.encode(row);)+
            }
        }
    )+};
}

rows_of_tuples! { (A) (A B) (A B C) (A B C D) (A B C D E F G H I J K) }

/// A schema of the test's own, and a directory for staged rows.
pub(super) struct Place {
    pub(super) server: &'static Server,
    pub(super) schema: &'static str,
    directory: TempDir,
    staged: AtomicUsize,
}

impl Place {
    /// Nothing without a server.
    pub(super) fn new(schema: &'static str) -> Option<Self> {
        let server = server()?;
        server.run(&format!("CREATE SCHEMA {schema}"));
        Some(Self { server, schema, directory: tempfile::tempdir().unwrap(), staged: AtomicUsize::new(0) })
    }

    /// The address of a table in the schema.
    pub(super) fn address(&self, table: &str) -> String {
        self.server.address(&format!("table={}.{table}", self.schema))
    }

    /// The same, through a proxy.
    pub(super) fn address_by(&self, port: u16, table: &str) -> String {
        self.address(table).replace(&format!(":{}/", self.server.port()), &format!(":{port}/"))
    }

    pub(super) fn tap(&self, mode: Mode, port: &'static PortPlan) -> Box<dyn SinkTap> {
        tap(&self.address(port.name), mode, port)
    }

    /// Publishes as a run of its own would.
    pub(super) fn publish(
        &self,
        mode: Mode,
        port: &'static PortPlan,
        rows: &[impl Row],
        iteration: u64,
    ) -> Result<Published, Error> {
        self.tap(mode, port).publish(&self.stage(port, rows), Some(&ticket(port, iteration)))
    }

    /// Stages these rows for the port, under an attempt of their own.
    pub(super) fn stage(&self, port: &'static PortPlan, rows: &[impl Row]) -> Staged {
        let mut buffer = RowBuffer::default();
        rows.iter().for_each(|row| row.encode(buffer.row()));
        self.stage_buffer(port, &buffer)
    }

    pub(super) fn stage_buffer(&self, port: &'static PortPlan, rows: &RowBuffer) -> Staged {
        let directory = self.directory.path().join(self.staged.fetch_add(1, Ordering::SeqCst).to_string());
        let (area, attempt) = (StagingArea::open(directory).unwrap(), "attempt");
        let mut staging = area.attempt(attempt, plan_of(port));
        staging.write(0, rows).unwrap();
        let manifest = staging.finish().unwrap().remove(0);
        area.staged(attempt, &manifest, port).unwrap()
    }

    /// Asks with `psql`, the schema first on the search path.
    pub(super) fn ask(&self, sql: &str) -> String {
        self.server.ask(&format!("SET search_path = {}; {sql}", self.schema))
    }

    pub(super) fn run(&self, sql: &str) {
        let _ = self.ask(sql);
    }
}

pub(super) fn tap(address: &str, mode: Mode, port: &'static PortPlan) -> Box<dyn SinkTap> {
    sink::open(&Target::Address(address.to_owned()), Some(mode), port).unwrap()
}

/// The ticket of iteration `iteration`, which follows the one before it.
pub(super) fn ticket(port: &PortPlan, iteration: u64) -> Ticket {
    let [flow, port, epoch] = ["hits", port.name, "e1"].map(str::to_owned);
    let hash = format!("hash of {iteration}");
    Ticket { flow, port, epoch, iteration, hash, after: iteration.checked_sub(1), from: None }
}

/// A plan that has only this port.
fn plan_of(port: &'static PortPlan) -> &'static Plan {
    let ports = std::slice::from_ref(port);
    Box::leak(Box::new(Plan { flow: "Hits", about: "", ports, operators: &[], steps: &[], drains: &[], hash: 0 }))
}

/// What a target said when it refused.
pub(super) fn refused<T: std::fmt::Debug>(result: Result<T, Error>) -> String {
    match result {
        Err(Error::Target(failure)) => failure.to_string(),
        other => panic!("{other:?}"),
    }
}
