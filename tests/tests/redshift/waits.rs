//! Who holds the ledger, and how long that is waited for.

use std::time::{Duration, Instant};

use flow_runtime::{
    Error,
    plan::{FieldPlan, PortKind, PortPlan},
    sink::{
        self, Mode, Published, SinkTap, Staged, Target, Ticket,
        staging::{StagedManifest, StagingArea},
    },
    value::Type,
};
use flow_tests::services::redshift::{Fault, Redshift, Rule};

static COUNTS: PortPlan = PortPlan {
    name: "counts",
    kind: PortKind::Sink,
    about: "",
    scheme: "",
    fields: &[
        FieldPlan { name: "host", ty: Type::I64, nullable: false, column: None, add: false },
        FieldPlan { name: "count", ty: Type::I64, nullable: false, column: None, add: false },
    ],
    key: &[0],
    grouped: false,
    covers: &[],
    line: 0,
};

fn tap_of(user: &str, warehouse: &Redshift, mode: Mode, table: &str) -> Box<dyn SinkTap> {
    let rest = format!("table={table}&staging=s3://waits&role=default&sslmode=disable&statement_timeout=2s");
    let address = warehouse.address(&rest).replace("awsuser", user);
    sink::open(&Target::Address(address), Some(mode), &COUNTS).unwrap()
}

fn ticket(iteration: u64) -> Ticket {
    let [flow, port, epoch, hash] = ["hits", "counts", "e1", "hash"].map(str::to_owned);
    Ticket { flow, port, epoch, iteration, hash, after: iteration.checked_sub(1), from: None }
}

/// An iteration without a row.
fn nothing() -> Staged {
    let place = tempfile::tempdir().unwrap();
    let manifest = StagedManifest {
        port: "counts".to_owned(),
        file: None,
        rows: 0,
        bytes: 0,
        hash: "hash".to_owned(),
        fields: "host: i64, count: i64".to_owned(),
    };
    StagingArea::open(place.path()).unwrap().staged("a-1", &manifest, &COUNTS).unwrap()
}

#[test]
fn whoever_reads_the_ledger_is_told_who_holds_it() {
    let Some(warehouse) = flow_tests::services::redshift() else { return };
    let tap = || tap_of("awsuser", warehouse, Mode::Append, "read");
    assert_eq!(tap().publish(&nothing(), Some(&ticket(0))).unwrap(), Published::Now);
    let mut person = warehouse.client();
    let pid = person.ask("SELECT pg_backend_pid()");
    person.ask("BEGIN");
    person.ask("LOCK TABLE flow_ledger_read");
    let begun = Instant::now();
    let looks: [&dyn Fn() -> Result<(), Error>; 2] =
        [&|| tap().check_ledger(&ticket(1)).map(drop), &|| tap().check_without_store()];
    for look in looks {
        let error = look().unwrap_err();
        let said = error.to_string();
        assert!(matches!(error, Error::Busy(_)) && said.contains("cannot read the ledger"), "{said}");
        assert!(said.contains(&format!("it is held by pid {pid} of awsuser")), "{said}");
    }
    // Once each, for all that a statement may take here.
    assert!(begun.elapsed() < Duration::from_secs(20));
}

#[test]
fn a_lock_that_the_server_does_not_give_up_is_given_up_here() {
    let Some(warehouse) = flow_tests::services::redshift() else { return };
    let broken = warehouse.broken(&[Rule::nth("lock", 1, Fault::Stalled)]);
    let mut tap = tap_of("awsuser", &broken, Mode::Append, "stalled");
    let error = tap.publish(&nothing(), Some(&ticket(0))).unwrap_err();
    let said = error.to_string();
    assert!(matches!(error, Error::Busy(_)), "{said}");
    assert!(said.contains("no answer for 2s; it is held by pid ") && !said.contains("attempt"), "{said}");
    assert_eq!(tap.publish(&nothing(), Some(&ticket(0))).unwrap(), Published::Now);
}

#[test]
fn who_may_not_see_the_holder_is_told_so() {
    let Some(warehouse) = flow_tests::services::redshift() else { return };
    warehouse.run("CREATE ROLE waits LOGIN");
    warehouse.run("GRANT ALL ON SCHEMA public TO waits");
    let mut tap = tap_of("waits", warehouse, Mode::Append, "unseen");
    tap.publish(&nothing(), Some(&ticket(0))).unwrap();
    let mut person = warehouse.client();
    person.ask("BEGIN");
    person.ask("LOCK TABLE flow_ledger_unseen");
    let said = tap.publish(&nothing(), Some(&ticket(1))).unwrap_err().to_string();
    assert!(said.contains("who holds it is not to be seen") && said.contains("SYSLOG ACCESS UNRESTRICTED"), "{said}");
}

#[test]
fn who_may_make_no_temporary_table_is_told_before_anything_is_read() {
    let Some(warehouse) = flow_tests::services::redshift() else { return };
    warehouse.run("CREATE ROLE lasting LOGIN");
    warehouse.run("GRANT ALL ON SCHEMA public TO lasting");
    let check = |mode| tap_of("lasting", warehouse, mode, "temporary").check();
    check(Mode::Merge).unwrap();
    warehouse.run(&format!("REVOKE TEMPORARY ON DATABASE {} FROM PUBLIC", warehouse.ask("SELECT current_database()")));
    check(Mode::Append).unwrap();
    let said = check(Mode::Merge).unwrap_err().to_string();
    assert!(said.contains("may not make temporary tables") && said.contains("GRANT TEMPORARY"), "{said}");
}
