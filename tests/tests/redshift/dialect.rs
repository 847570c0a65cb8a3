//! What the sink tells Redshift, read by a parser of its dialect that others have written; and what `plan --sql` shows of it.

use std::io::Write as _;

use flow_tests::services::linter;

use super::setup::Job;

/// Every statement that the sink can send.
const GOLDEN: &str = include_str!("../../../flow-runtime/src/sink/redshift/golden.sql");

/// Says the kind of each statement, and what could not be read.
const READ: &str = "
import logging, sys, sqlglot
logging.disable()
for statement in sqlglot.parse(open(sys.argv[1]).read(), dialect='redshift', error_level=sqlglot.ErrorLevel.RAISE):
    print(type(statement).__name__, statement.sql(dialect='redshift', comments=False)[:40])
";

/// The kinds of these statements; `None` where there is no parser.
fn read(sql: &str) -> Option<Result<Vec<String>, String>> {
    let mut python = linter("python")?;
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(sql.as_bytes()).unwrap();
    let done = python.args(["-c", READ]).arg(file.path()).output().unwrap();
    let said = String::from_utf8_lossy(&done.stdout);
    Some(match done.status.success() {
        true => Ok(said.lines().map(str::to_owned).collect()),
        false => Err(String::from_utf8_lossy(&done.stderr).into_owned()),
    })
}

/// Every statement is understood, but for LOCK, which the parser takes for a command of its own.
fn assert_understood(sql: &str) {
    let Some(kinds) = read(sql) else { return };
    let kinds = kinds.unwrap();
    assert_eq!(kinds.len(), sql.lines().filter(|line| line.ends_with(';')).count(), "{kinds:#?}");
    let strange: Vec<&String> =
        kinds.iter().filter(|kind| kind.starts_with("Command") && !kind.starts_with("Command LOCK TABLE")).collect();
    assert!(strange.is_empty(), "{strange:#?}");
    for kind in ["Copy COPY", "Insert INSERT", "Create CREATE TABLE", "Transaction BEGIN", "Commit COMMIT"] {
        assert!(kinds.iter().any(|found| found.starts_with(kind)), "{kind}: {kinds:#?}");
    }
}

#[test]
fn every_statement_is_of_the_dialect() {
    assert_understood(GOLDEN);
}

#[test]
fn the_parser_refuses_what_is_not() {
    for sql in ["COPY t (a, FROM 's3://b/k' IAM_ROLE default", "SELECT FROM WHERE;", "CREATE TABLE t (a varchar(4);"] {
        let Some(read) = read(sql) else { return };
        assert!(read.is_err(), "{sql}: {read:?}");
    }
}

#[test]
fn a_plan_has_every_statement_and_no_secret() {
    let Some(job) = Job::with_keys("planned", "planned-staging") else { return };
    let plan = job.run("plan --sql");
    assert_eq!(plan.code, Some(0), "{plan:?}");
    assert!(!plan.stdout.contains("swordfish"), "{plan:?}");
    let expected = "FROM 's3://planned-staging/rows/access_log_counts/<attempt>/counts/numbered.csv.gz.manifest' \
                    ACCESS_KEY_ID '…' SECRET_ACCESS_KEY '…' SESSION_TOKEN '…' MANIFEST CSV";
    assert!(plan.stdout.contains(expected), "{}", plan.stdout);
    assert_understood(&plan.stdout);
    assert!(job.place.names().iter().all(|name| !name.contains("flow")), "nothing is made");
    let nothing = job.run_bound("plan --sql", "sqlite:counts.db?mode=merge");
    assert!(nothing.stdout.is_empty() && nothing.stderr.contains("no sink of this flow"), "{nothing:?}");
}

#[test]
fn rows_are_copied_by_keys_which_nobody_sees() {
    let Some(job) = Job::with_keys("keyed", "keyed-staging") else { return };
    assert_eq!(job.run("setup --only counts --yes").code, Some(0));
    let done = job.run("run --log-level trace");
    assert_eq!(done.code, Some(0), "{done:?}");
    assert_eq!(job.warehouse.ask("SELECT ip, count FROM keyed ORDER BY ip"), "a|1\nb|1");
    job.warehouse.run("ALTER TABLE keyed ALTER COLUMN ip TYPE varchar(1)");
    job.place.append("access.log", flow_tests::program::hit("a"));
    let failed = job.run("run --log-level trace");
    assert_ne!(failed.code, Some(0), "{failed:?}");
    let told = [&done, &failed, &job.run("check"), &job.run("iterations"), &job.run("doctor")]
        .map(|ended| format!("{}{}", ended.stdout, ended.stderr));
    let kept = job.place.names().into_iter().map(|name| job.place.text(&name));
    let ledger = job.warehouse.ask("SELECT * FROM flow_ledger_keyed");
    for text in told.into_iter().chain(kept).chain([ledger]) {
        assert!(!text.contains("swordfish"), "{text}");
    }
}
