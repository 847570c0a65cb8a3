//! The tap itself: what it says of a row that COPY refuses, of who holds the ledger, and what it does about a commit that
//! comes late.

use std::{fs, thread};

use flow_runtime::{
    Error,
    plan::{FieldPlan, PortKind, PortPlan},
    sink::{
        self, Mode, Published, SinkTap, Staged, Target, Ticket,
        staging::{StagedManifest, StagingArea},
    },
    value::{Encode as _, RowBuffer, Type},
};
use flow_tests::{
    aws::run_with_credentials,
    services::{
        ministack,
        redshift::{Fault, Redshift, Rule},
    },
};

const NAME: FieldPlan =
    FieldPlan { name: "name", ty: Type::Text, nullable: false, column: Some("varchar(4)"), add: false };
const COUNT: FieldPlan = FieldPlan { name: "count", ty: Type::I64, nullable: false, column: None, add: false };

static NAMES: PortPlan = PortPlan {
    name: "names",
    kind: PortKind::Sink,
    about: "",
    scheme: "",
    fields: &[NAME, COUNT],
    key: &[],
    grouped: false,
    covers: &[],
    line: 0,
};

fn tap(warehouse: &Redshift, mode: Mode, table: &str) -> Box<dyn SinkTap> {
    let endpoint = ministack().unwrap().endpoint();
    let rest = format!(
        "table={table}&staging=s3://taps/{table}&role=default&endpoint={endpoint}&sslmode=disable&statement_timeout=2s"
    );
    sink::open(&Target::Address(warehouse.address(&rest)), Some(mode), &NAMES).unwrap()
}

/// Stages rows as a run does, but for what the target's demands would have trapped.
fn stage(tap: &dyn SinkTap, attempt: &str, rows: &[(&str, i64)]) -> Staged {
    let mut buffer = RowBuffer::default();
    for (name, count) in rows {
        let row = buffer.row();
        name.encode(row);
        count.encode(row);
    }
    let mut stager = tap.stager(0, attempt).unwrap();
    stager.write(&buffer).unwrap();
    let manifest = StagedManifest {
        port: "names".to_owned(),
        file: Some(stager.finish().unwrap()),
        rows: buffer.rows(),
        bytes: buffer.bytes().len() as u64,
        hash: "hash".to_owned(),
        fields: "name: &str, count: i64".to_owned(),
    };
    let place = tempfile::tempdir().unwrap();
    StagingArea::open(place.path()).unwrap().staged(attempt, &manifest, &NAMES).unwrap()
}

fn ticket(iteration: u64) -> Ticket {
    let [flow, port, epoch, hash] = ["hits", "names", "e1", "hash"].map(str::to_owned);
    Ticket { flow, port, epoch, iteration, hash, after: iteration.checked_sub(1), from: None }
}

#[test]
fn a_row_that_copy_refuses_is_named() {
    if flow_tests::services::redshift().is_some() {
        run_with_credentials("taps::a_row_that_copy_refuses_is_named_indeed");
    }
}

#[test]
#[ignore = "needs credentials"]
fn a_row_that_copy_refuses_is_named_indeed() {
    let warehouse = flow_tests::services::redshift().unwrap();
    ministack().unwrap().create_bucket("taps");
    let mut tap = tap(warehouse, Mode::Append, "refused");
    let staged = stage(&*tap, "a-1", &[("a", 1), ("toolong", 2), ("c", 3)]);
    let said = tap.publish(&staged, Some(&ticket(0))).unwrap_err().to_string();
    assert!(said.contains("String length exceeds DDL length (error 1204)"), "{said}");
    assert!(
        said.contains("column `name` varchar(4), value `toolong`, line 2 of s3://taps/refused/a-1/names/"),
        "{said}"
    );
    assert!(said.contains("line ends, row 2 of the iteration"), "{said}");
    // Nothing is there, and the next load is none the worse for it.
    assert_eq!(warehouse.ask("SELECT count(*) FROM flow_ledger_refused"), "0");
    let staged = stage(&*tap, "a-2", &[("a", 1)]);
    tap.check_staged(staged.address().unwrap()).unwrap();
    assert_eq!(tap.publish(&staged, Some(&ticket(0))).unwrap(), Published::Now);
    assert_eq!(tap.publish(&staged, Some(&ticket(0))).unwrap(), Published::Before);
    assert_eq!(warehouse.ask("SELECT name, count FROM refused"), "a|1");
    tap.remove_staged("a-2").unwrap();
    let held = tap.check_staged(staged.address().unwrap()).unwrap_err();
    assert!(matches!(&held, Error::Held(_)) && held.to_string().contains("the manifest is missing"), "{held}");
}

#[test]
fn who_holds_the_ledger_is_named() {
    if flow_tests::services::redshift().is_some() {
        run_with_credentials("taps::who_holds_the_ledger_is_named_indeed");
    }
}

#[test]
#[ignore = "needs credentials"]
fn who_holds_the_ledger_is_named_indeed() {
    let warehouse = flow_tests::services::redshift().unwrap();
    ministack().unwrap().create_bucket("taps");
    let mut tap = tap(warehouse, Mode::Replace, "locked");
    let staged = stage(&*tap, "a-1", &[("a", 1)]);
    tap.publish(&staged, Some(&ticket(0))).unwrap();
    let mut person = warehouse.client();
    let pid = person.ask("SELECT pg_backend_pid()");
    person.ask("BEGIN");
    person.ask("LOCK TABLE flow_ledger_locked");
    let staged = stage(&*tap, "a-2", &[("b", 2)]);
    let error = tap.publish(&staged, Some(&ticket(1))).unwrap_err();
    let said = error.to_string();
    assert!(matches!(error, Error::Busy(_)), "{said}");
    assert!(said.contains(&format!("it is held by pid {pid} of ")) && said.contains("pg_terminate_backend"), "{said}");
    person.ask("ROLLBACK");
    tap.publish(&staged, Some(&ticket(1))).unwrap();
    assert_eq!(warehouse.ask("SELECT name, count FROM locked"), "b|2");
}

#[test]
fn a_commit_that_comes_late_is_waited_for() {
    if flow_tests::services::redshift().is_some() {
        run_with_credentials("taps::a_commit_that_comes_late_is_waited_for_indeed");
    }
}

#[test]
#[ignore = "needs credentials"]
fn a_commit_that_comes_late_is_waited_for_indeed() {
    let warehouse = flow_tests::services::redshift().unwrap();
    ministack().unwrap().create_bucket("taps");
    let broken = warehouse.broken(&[Rule::nth("commit", 1, Fault::Late)]);
    let mut tap = tap(&broken, Mode::Append, "late");
    let staged = stage(&*tap, "a-1", &[("a", 1), ("b", 2)]);
    let done = thread::scope(|scope| {
        let load = scope.spawn(|| tap.publish(&staged, Some(&ticket(0))));
        broken.await_zombies(1);
        broken.await_waiting(1, "flow_ledger_late");
        broken.end_zombies();
        load.join().unwrap()
    });
    assert_eq!(done.unwrap(), Published::Before);
    assert_eq!(warehouse.ask("SELECT count(*) FROM late"), "2");
}

#[test]
fn who_answers_must_prove_who_it_is() {
    let Some(warehouse) = flow_tests::services::redshift() else { return };
    let folder = tempfile::tempdir().unwrap();
    let certificate = folder.path().join("authority.pem");
    fs::write(&certificate, warehouse.certificate()).unwrap();
    let check = |more: &str| {
        let rest = format!("table=proved&staging=s3://taps&role=default{more}");
        sink::open(&Target::Address(warehouse.address(&rest)), Some(Mode::Append), &NAMES).unwrap().check()
    };
    check(&format!("&sslrootcert={}", certificate.display())).unwrap();
    let said = check("").unwrap_err().to_string();
    assert!(said.contains("certificate") && said.contains("sslrootcert=") && !said.contains("attempt"), "{said}");
}
