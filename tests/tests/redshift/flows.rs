//! Whole flows into a table, iteration by iteration, against what `awk` makes of the same lines.

use std::{fmt::Write as _, fs, path::Path, process::Command};

use flow_runtime::{
    Sink, Source, Trap,
    driver::{self, Checkpoint, Options},
    flow,
    sink::Mode,
};
use flow_tests::{
    aws::run_with_credentials,
    postgres::server,
    services::{
        ministack,
        redshift::{Fault, Isolation, Redshift, Rule},
    },
};
use tempfile::TempDir;

flow! {
    /// Requests and bytes of every host.
    pub flow Traffic {
        source requests: TextDelimited(delimiter = ",") { host: Option<&str>, bytes: i64 };
        sink   traffic key(host) { host: Option<&str> as varchar(100), requests: i64 add, bytes: Option<i64> add };
        trap   bad for requests;

        requests -> GroupBy(host) -> Every(Count => requests) -> Every(bytes => Sum => bytes) -> traffic;
    }
}

/// Hosts in the order of their bytes, none first.
const AWK: &str = r#"$2 ~ /^[0-9]+$/ { n[$1]++; b[$1] += $2 } END { for (h in n) print h "|" n[h] "|" b[h] }"#;

/// A log that grows, a table of the test's own, and a bucket.
pub(super) struct Job {
    pub(super) folder: TempDir,
    table: &'static str,
    pub(super) bucket: String,
    /// More of the table's address.
    rest: &'static str,
    lines: String,
    random: fastrand::Rng,
}

impl Job {
    pub(super) fn new(table: &'static str) -> Self {
        let (folder, bucket) = (tempfile::tempdir().unwrap(), format!("staging-{}", table.replace('_', "-")));
        ministack().unwrap().create_bucket(&bucket);
        Self { folder, table, bucket, rest: "", lines: String::new(), random: fastrand::Rng::with_seed(15) }
    }

    /// The same with more in the table's address.
    pub(super) fn with(self, rest: &'static str) -> Self {
        Self { rest, ..self }
    }

    /// Adds lines to the log.
    pub(super) fn grow(&mut self, lines: usize) {
        for _ in 0..lines {
            let host = ["", "a", "b\\", "c'"][self.random.usize(..4)];
            let bytes = if self.random.u8(..10) == 0 { "-".to_owned() } else { self.random.u16(..).to_string() };
            let _ = writeln!(self.lines, "{host},{bytes}");
        }
        fs::write(self.log(), &self.lines).unwrap();
    }

    fn log(&self) -> std::path::PathBuf {
        self.folder.path().join("requests.csv")
    }

    pub(super) fn flow(&self, warehouse: &Redshift, mode: Mode) -> Traffic {
        let Self { table, bucket, folder, rest, .. } = self;
        let endpoint = ministack().unwrap().endpoint();
        let rest = format!(
            "table={table}&staging=s3://{bucket}/rows&role=default&endpoint={endpoint}&sslmode=disable&distkey=host{rest}"
        );
        Traffic {
            requests: Source::at(format!("file:{}", self.log().display())),
            traffic: Sink { mode: Some(mode), ..Sink::at(warehouse.address(&rest)) },
            bad: Trap::at(format!("file:{}", folder.path().join("bad.csv").display())),
        }
    }

    pub(super) fn options(&self) -> Options {
        let mut options = flow_tests::options(2);
        options.checkpoint = Checkpoint::Sqlite(self.folder.path().join("flow.db"));
        options
    }

    /// What the table has, and what it must have.
    pub(super) fn compare(&self, warehouse: &Redshift) {
        let sql = format!("SELECT coalesce(host, ''), sum(requests), sum(bytes) FROM {} GROUP BY host", self.table);
        let found = warehouse.ask(&sql);
        let mut found: Vec<&str> = found.lines().collect();
        found.sort_unstable();
        assert_eq!(found, counted(&self.log()));
    }
}

fn counted(log: &Path) -> Vec<String> {
    let awk = Command::new("awk").args(["-F,", AWK]).arg(log).output().unwrap();
    let mut lines: Vec<String> = String::from_utf8(awk.stdout).unwrap().lines().map(str::to_owned).collect();
    lines.sort();
    lines
}

#[test]
fn a_growing_log_is_in_the_table_once() {
    if flow_tests::services::redshift().is_some() {
        run_with_credentials("flows::a_growing_log_is_in_the_table_once_indeed");
    }
}

#[test]
#[ignore = "needs credentials"]
fn a_growing_log_is_in_the_table_once_indeed() {
    let warehouse = flow_tests::services::redshift().unwrap();
    for (mode, table) in [(Mode::Append, "appended"), (Mode::Merge, "merged")] {
        let mut job = Job::new(table);
        for iteration in 0..3 {
            job.grow(200);
            let (flow, options) = (job.flow(warehouse, mode), job.options());
            driver::run(&flow, &options).unwrap();
            // Run once more, with nothing new.
            driver::run(&flow, &options).unwrap();
            job.compare(warehouse);
            let entries = warehouse.ask(&format!("SELECT count(*), max(iteration) FROM flow_ledger_{table}"));
            assert_eq!(entries, format!("{}|{iteration}", iteration + 1));
        }
    }
}

#[test]
fn whatever_statement_goes_wrong_rows_are_there_once() {
    if flow_tests::services::redshift().is_some() {
        run_with_credentials("flows::whatever_statement_goes_wrong_rows_are_there_once_indeed");
    }
}

#[test]
#[ignore = "needs credentials"]
fn whatever_statement_goes_wrong_rows_are_there_once_indeed() {
    let snapshot = flow_tests::services::redshift().unwrap();
    let serializable = Redshift::start(server().unwrap(), Isolation::Serializable, ministack().unwrap().port());
    break_each(snapshot, Mode::Merge, "merged_snapshot");
    break_each(snapshot, Mode::Append, "appended_snapshot");
    break_each(&serializable, Mode::Merge, "merged_serializable");
    break_each(&serializable, Mode::Append, "appended_serializable");
}

/// Breaks each statement of a load in each way, one a run, and compares after every run.
fn break_each(warehouse: &Redshift, mode: Mode, table: &'static str) {
    let faults = [Fault::ResetBefore, Fault::ResetAfter, Fault::ErrorAfter, Fault::Conflict, Fault::Deadlock];
    let always = ["begin", "lock", "select", "copy", "insert", "commit"];
    let merging = ["create", "update"].into_iter().filter(|_| mode == Mode::Merge);
    let statements: Vec<&str> = always.into_iter().chain(merging).collect();
    let mut job = Job::new(table);
    // The ledger and the table are there: what is made first is what merging needs.
    job.grow(20);
    driver::run(&job.flow(warehouse, mode), &job.options()).unwrap();
    for statement in statements {
        for fault in faults {
            job.grow(20);
            let broken = warehouse.broken(&[Rule::nth(statement, 1, fault)]);
            let (flow, options) = (job.flow(&broken, mode), job.options());
            // What is refused for good is loaded when somebody runs again.
            let done = driver::run(&flow, &options).or_else(|_| driver::run(&flow, &options));
            done.unwrap_or_else(|error| panic!("{statement} {fault:?}: {error}"));
            assert_eq!(broken.struck().len(), 1, "{statement} {fault:?}");
            job.compare(warehouse);
        }
    }
}

#[test]
fn a_table_of_other_columns_is_refused_before_anything_is_read() {
    if flow_tests::services::redshift().is_some() {
        run_with_credentials("flows::a_table_of_other_columns_is_refused_before_anything_is_read_indeed");
    }
}

#[test]
#[ignore = "needs credentials"]
fn a_table_of_other_columns_is_refused_before_anything_is_read_indeed() {
    let warehouse = flow_tests::services::redshift().unwrap();
    let mut job = Job::new("lacking");
    job.grow(50);
    let (flow, options) = (job.flow(warehouse, Mode::Append), job.options());
    warehouse.run("CREATE TABLE lacking (host varchar(100), requests bigint NOT NULL)");
    let error = driver::run(&flow, &options).unwrap_err().to_string();
    let proposed = r#"ALTER TABLE "public"."lacking" ADD COLUMN "bytes" bigint"#;
    assert!(error.contains("other columns than the sink") && error.contains(proposed), "{error}");
    warehouse.run(&proposed.replace('"', ""));
    driver::run(&flow, &options).unwrap();
    job.compare(warehouse);
}
