//! An iteration that is loaded anew: its rows take the place of those that the table has, whatever statement goes wrong.

use std::{fs, io::Write as _};

use flow_runtime::{
    Error, Sink, Source,
    driver::{self, Checkpoint, Options},
    flow,
    sink::Mode,
};
use flow_tests::{
    aws::run_with_credentials,
    services::{
        ministack,
        redshift::{Fault, Isolation, Redshift, Rule},
        redshift_of,
    },
};
use tempfile::TempDir;

flow! {
    /// All answers.
    pub flow Answers {
        source log: TextDelimited(delimiter = ",") { host: Option<&str>, bytes: i64 };
        sink   answers { host: Option<&str> as varchar(100), bytes: i64 };

        log -> Filter(bytes >= 0) -> answers;
    }
}

mod mended {
    use super::flow;

    flow! {
        /// The same flow after a change: small answers are left out.
        pub flow Answers {
            source log: TextDelimited(delimiter = ",") { host: Option<&str>, bytes: i64 };
            sink   answers { host: Option<&str> as varchar(100), bytes: i64 };

            log -> Filter(bytes >= 50) -> answers;
        }
    }
}

const FORMER: &str = "0|a|10\n0|b|70\n1||90\n1|a|20\n1|b|30\n2|c|5";
const NEW: &str = "0|a|10\n0|b|70\n1||90\n2|c|5";

/// Three iterations in a table, of which the second is replaced.
struct Replaced {
    folder: TempDir,
    table: &'static str,
    warehouse: &'static Redshift,
    /// The way that the flow goes there: another door has another address.
    door: Redshift,
}

impl Replaced {
    fn new(warehouse: &'static Redshift, table: &'static str) -> Self {
        ministack().unwrap().create_bucket("replaying");
        let door = warehouse.broken(&[]);
        let replaced = Self { folder: tempfile::tempdir().unwrap(), table, warehouse, door };
        for batch in ["a,10\nb,70\n", "a,20\nb,30\n,90\n", "c,5\n"] {
            let path = replaced.folder.path().join("log.csv");
            let mut log = fs::File::options().append(true).create(true).open(path).unwrap();
            log.write_all(batch.as_bytes()).unwrap();
            let (log, answers) = replaced.ports("&iteration_column=Flow_Iteration");
            driver::run(&Answers { log, answers }, &replaced.options()).unwrap();
        }
        assert_eq!(replaced.rows(), FORMER);
        replaced
    }

    fn ports(&self, rest: &str) -> (Source, Sink) {
        let (table, endpoint) = (self.table, ministack().unwrap().endpoint());
        let rest = format!(
            "table={table}&staging=s3://replaying/{table}&role=default&endpoint={endpoint}&sslmode=disable{rest}"
        );
        let log = Source::at(format!("file:{}", self.folder.path().join("log.csv").display()));
        (log, Sink { mode: Some(Mode::Append), ..Sink::at(self.door.address(&rest)) })
    }

    fn options(&self) -> Options {
        let mut options = flow_tests::options(2);
        options.checkpoint = Checkpoint::Sqlite(self.folder.path().join("flow.db"));
        options
    }

    /// By the flow after the change.
    fn mend(&self) -> Result<driver::Replayed, Error> {
        let (log, answers) = self.ports("&iteration_column=Flow_Iteration");
        driver::replay_in_place(&mended::Answers { log, answers }, &self.options(), 1, &["answers"], false)
    }

    /// By the flow as it was.
    fn undo(&self) {
        let (log, answers) = self.ports("&iteration_column=Flow_Iteration");
        let replayed =
            driver::replay_in_place(&Answers { log, answers }, &self.options(), 1, &["answers"], false).unwrap();
        assert!(replayed.outputs[0].is_same, "{replayed:?}");
        assert_eq!(self.rows(), FORMER);
    }

    fn rows(&self) -> String {
        let columns = "flow_iteration, coalesce(host, '') AS host, bytes";
        self.warehouse.ask(&format!("SELECT {columns} FROM {} ORDER BY 1, 2, 3", self.table))
    }

    /// What the ledger has of the iteration.
    fn entry(&self) -> String {
        let columns = "hash, row_count, staged";
        self.warehouse.ask(&format!("SELECT {columns} FROM flow_ledger_{} WHERE iteration = 1", self.table))
    }
}

#[test]
fn rows_are_replaced_whatever_statement_goes_wrong() {
    if flow_tests::services::redshift().is_some() {
        run_with_credentials("replaying::rows_are_replaced_whatever_statement_goes_wrong_indeed");
    }
}

#[test]
#[ignore = "needs credentials"]
fn rows_are_replaced_whatever_statement_goes_wrong_indeed() {
    break_each(redshift_of(Isolation::Snapshot).unwrap(), "replayed_by_snapshot");
    break_each(redshift_of(Isolation::Serializable).unwrap(), "replayed_serially");
}

/// Breaks each statement of a replay in place in each way, one a replay.
fn break_each(warehouse: &'static Redshift, table: &'static str) {
    let replaced = Replaced::new(warehouse, table);
    let faults = [Fault::ResetBefore, Fault::ResetAfter, Fault::ErrorAfter, Fault::Conflict, Fault::Deadlock];
    let statements = [
        ("begin", 1),
        ("lock", 1),
        ("select", 1),
        ("delete", 1),
        ("copy", 1),
        ("delete", 2),
        ("insert", 1),
        ("commit", 1),
    ];
    for (statement, nth) in statements {
        for fault in faults {
            replaced.door.obey(&[Rule::nth(statement, nth, fault)]);
            let done = replaced.mend();
            let found = replaced.rows();
            assert_eq!(replaced.door.struck().len(), 1, "{statement} {nth} {fault:?}");
            replaced.door.obey(&[]);
            assert!(
                found == NEW || (done.is_err() && found == FORMER),
                "{statement} {nth} {fault:?}: {done:?}: {found}"
            );
            if let Ok(done) = done {
                assert_eq!((done.replaced[0].rows, done.outputs[0].rows), (3, 1), "{statement} {nth} {fault:?}");
            }
            replaced.mend().unwrap();
            assert_eq!(replaced.rows(), NEW, "{statement} {nth} {fault:?}");
            replaced.undo();
        }
    }
}

#[test]
fn the_ledger_goes_on_with_what_was_sealed() {
    if flow_tests::services::redshift().is_some() {
        run_with_credentials("replaying::the_ledger_goes_on_with_what_was_sealed_indeed");
    }
}

#[test]
#[ignore = "needs credentials"]
fn the_ledger_goes_on_with_what_was_sealed_indeed() {
    let warehouse = redshift_of(Isolation::Snapshot).unwrap();
    let replaced = Replaced::new(warehouse, "replayed_and_noted");
    let sealed = replaced.entry();
    replaced.mend().unwrap();
    let noted = replaced.entry();
    let [sealed, noted]: [Vec<&str>; 2] = [&sealed, &noted].map(|entry| entry.split('|').collect());
    assert_eq!((sealed[0], sealed[1], noted[1]), (noted[0], "3", "1"));
    assert!(sealed[2] != noted[2] && noted[2].ends_with("/answers/marked.csv.gz.manifest"), "{noted:?}");
    // What is not there any more, or was never loaded with its number, is left alone.
    warehouse.run("UPDATE replayed_and_noted SET flow_iteration = NULL WHERE flow_iteration = 1");
    let before = replaced.rows();
    let held = replaced.mend().unwrap_err();
    let expected = "the ledger has noted 1, the column flow_iteration names the iteration in 0";
    assert!(matches!(held, Error::Held(_)) && held.to_string().contains(expected), "{held}");
    assert_eq!(replaced.rows(), before);
}

#[test]
fn a_column_for_the_iteration_is_proposed_where_it_is_lacking() {
    if flow_tests::services::redshift().is_some() {
        run_with_credentials("replaying::a_column_for_the_iteration_is_proposed_where_it_is_lacking_indeed");
    }
}

#[test]
#[ignore = "needs credentials"]
fn a_column_for_the_iteration_is_proposed_where_it_is_lacking_indeed() {
    let warehouse = redshift_of(Isolation::Snapshot).unwrap();
    let replaced = Replaced::new(warehouse, "replayed_later");
    warehouse.run("ALTER TABLE replayed_later DROP COLUMN flow_iteration");
    let said = replaced.mend().unwrap_err().to_string();
    assert!(said.contains(r#"ALTER TABLE "public"."replayed_later" ADD COLUMN "flow_iteration" bigint"#), "{said}");
    let (log, answers) = replaced.ports("");
    let flow = mended::Answers { log, answers };
    let said = driver::replay_in_place(&flow, &replaced.options(), 1, &["answers"], false).unwrap_err().to_string();
    assert!(said.contains("iteration_column=flow_iteration") && said.contains("port `answers`"), "{said}");
}
