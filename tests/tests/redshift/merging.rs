//! Merging by keys that Redshift compares in its own way.

use flow_runtime::{
    plan::{FieldPlan, PortKind, PortPlan},
    sink::{
        self, Mode, SinkTap, Staged, Target, Ticket,
        staging::{StagedManifest, StagingArea},
    },
    value::{Encode as _, RowBuffer, Type},
};
use flow_tests::{
    aws::run_with_credentials,
    services::{ministack, redshift::Redshift},
};

const HOST: FieldPlan =
    FieldPlan { name: "host", ty: Type::Text, nullable: true, column: Some("varchar(9)"), add: false };
const COUNT: FieldPlan = FieldPlan { name: "count", ty: Type::I64, nullable: false, column: None, add: true };

static HOSTS: PortPlan = PortPlan {
    name: "hosts",
    kind: PortKind::Sink,
    about: "",
    scheme: "",
    fields: &[HOST, COUNT],
    key: &[0],
    grouped: false,
    covers: &[],
    line: 0,
};

fn tap(warehouse: &Redshift, table: &str) -> Box<dyn SinkTap> {
    ministack().unwrap().create_bucket("merging");
    let endpoint = ministack().unwrap().endpoint();
    let rest = format!("table={table}&staging=s3://merging/{table}&role=default&endpoint={endpoint}&sslmode=disable");
    sink::open(&Target::Address(warehouse.address(&rest)), Some(Mode::Merge), &HOSTS).unwrap()
}

/// Stages and publishes rows as iterations 0, 1, ….
fn publish(tap: &mut dyn SinkTap, iterations: &[&[(Option<&str>, i64)]]) {
    for (iteration, rows) in (0..).zip(iterations) {
        let [flow, port, epoch, hash] = ["hits", "hosts", "e1", "hash"].map(str::to_owned);
        let ticket = Ticket { flow, port, epoch, iteration, hash, after: iteration.checked_sub(1), from: None };
        tap.publish(&stage(tap, &format!("a-{iteration}"), rows), Some(&ticket)).unwrap();
    }
}

fn stage(tap: &dyn SinkTap, attempt: &str, rows: &[(Option<&str>, i64)]) -> Staged {
    let mut buffer = RowBuffer::default();
    for (host, count) in rows {
        let row = buffer.row();
        host.encode(row);
        count.encode(row);
    }
    let mut stager = tap.stager(0, attempt).unwrap();
    stager.write(&buffer).unwrap();
    let manifest = StagedManifest {
        port: "hosts".to_owned(),
        file: Some(stager.finish().unwrap()),
        rows: buffer.rows(),
        bytes: buffer.bytes().len() as u64,
        hash: "hash".to_owned(),
        fields: "host: Option<&str>, count: i64".to_owned(),
    };
    let place = tempfile::tempdir().unwrap();
    StagingArea::open(place.path()).unwrap().staged(attempt, &manifest, &HOSTS).unwrap()
}

#[test]
fn keys_that_differ_in_blanks_at_their_end_are_two() {
    if flow_tests::services::redshift().is_some() {
        run_with_credentials("merging::keys_that_differ_in_blanks_at_their_end_are_two_indeed");
    }
}

#[test]
#[ignore = "needs credentials"]
fn keys_that_differ_in_blanks_at_their_end_are_two_indeed() {
    let warehouse = flow_tests::services::redshift().unwrap();
    let mut tap = tap(warehouse, "blanks");
    let (first, second) = ([(Some("a"), 1), (Some("a "), 2), (Some("a"), 4)], [(Some("a  "), 8), (Some("a "), 16)]);
    publish(&mut *tap, &[&first, &second]);
    let rows = warehouse.ask("SELECT '[' || host || ']', count FROM blanks ORDER BY octet_length(host)");
    assert_eq!(rows, "[a]|5\n[a ]|18\n[a  ]|8");
}

#[test]
fn a_key_that_is_null_is_one() {
    if flow_tests::services::redshift().is_some() {
        run_with_credentials("merging::a_key_that_is_null_is_one_indeed");
    }
}

#[test]
#[ignore = "needs credentials"]
fn a_key_that_is_null_is_one_indeed() {
    let warehouse = flow_tests::services::redshift().unwrap();
    let mut tap = tap(warehouse, "nobody");
    publish(&mut *tap, &[&[(None, 1), (Some(""), 2), (None, 4)], &[(None, 8)], &[(Some("b"), 1)]]);
    assert_eq!(warehouse.ask("SELECT host, count FROM nobody ORDER BY host NULLS FIRST"), "∅|13\n|2\nb|1");
}
