//! What is told of a load that cannot be done.

use flow_runtime::{
    Error,
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

static NAMES: PortPlan = PortPlan {
    name: "names",
    kind: PortKind::Sink,
    about: "",
    scheme: "",
    fields: &[FieldPlan { name: "name", ty: Type::Text, nullable: false, column: Some("varchar(4)"), add: false }],
    key: &[],
    grouped: false,
    covers: &[],
    line: 0,
};

fn tap(warehouse: &Redshift, staging: &str, table: &str) -> Box<dyn SinkTap> {
    ministack().unwrap().create_bucket("told");
    let endpoint = ministack().unwrap().endpoint();
    let rest = format!(
        "table={table}&staging=s3://{staging}&role=default&compression=none&endpoint={endpoint}&sslmode=disable"
    );
    sink::open(&Target::Address(warehouse.address(&rest)), Some(Mode::Append), &NAMES).unwrap()
}

/// Stages names, of which the manifest has so many.
fn stage(tap: &dyn SinkTap, names: &[&str], rows: u64) -> Staged {
    let mut buffer = RowBuffer::default();
    names.iter().for_each(|name| name.encode(buffer.row()));
    let mut stager = tap.stager(0, "a-1").unwrap();
    stager.write(&buffer).unwrap();
    let manifest = StagedManifest {
        port: "names".to_owned(),
        file: Some(stager.finish().unwrap()),
        rows,
        bytes: buffer.bytes().len() as u64,
        hash: "hash".to_owned(),
        fields: "name: &str".to_owned(),
    };
    let place = tempfile::tempdir().unwrap();
    StagingArea::open(place.path()).unwrap().staged("a-1", &manifest, &NAMES).unwrap()
}

fn refused(tap: &mut dyn SinkTap, staged: &Staged) -> String {
    let [flow, port, epoch, hash] = ["hits", "names", "e1", "hash"].map(str::to_owned);
    let ticket = Ticket { flow, port, epoch, iteration: 0, hash, after: None, from: None };
    tap.publish(staged, Some(&ticket)).unwrap_err().to_string()
}

#[test]
fn rows_that_nobody_staged_are_no_rows_of_one_key() {
    if flow_tests::services::redshift().is_some() {
        run_with_credentials("told::rows_that_nobody_staged_are_no_rows_of_one_key_indeed");
    }
}

#[test]
#[ignore = "needs credentials"]
fn rows_that_nobody_staged_are_no_rows_of_one_key_indeed() {
    let warehouse = flow_tests::services::redshift().unwrap();
    let mut tap = tap(warehouse, "told/counted", "counted");
    let staged = stage(&*tap, &["a", "b"], 1);
    let said = refused(&mut *tap, &staged);
    assert!(said.contains("more rows were loaded than were staged"), "{said}");
    assert!(said.contains("2 rows were written for 1") && !said.contains("key"), "{said}");
}

#[test]
fn a_row_of_a_later_file_has_its_number_in_the_iteration() {
    if flow_tests::services::redshift().is_some() {
        run_with_credentials("told::a_row_of_a_later_file_has_its_number_in_the_iteration_indeed");
    }
}

#[test]
#[ignore = "needs credentials"]
fn a_row_of_a_later_file_has_its_number_in_the_iteration_indeed() {
    let warehouse = flow_tests::services::redshift().unwrap();
    let (s3, mut tap) = (ministack().unwrap(), tap(warehouse, "told/later", "later"));
    let staged = stage(&*tap, &["a", "b", "c", "toolong"], 4);
    // The same rows in two files, as a longer iteration has them.
    let entry = |number: u32, text: &str, rows: u64| {
        let key = format!("later/a-1/names/rows-{number:05}.csv");
        s3.put_object("told", &key, text);
        serde_json::json!({ "url": format!("s3://told/{key}"), "mandatory": true,
            "meta": { "content_length": text.len(), "record_count": rows } })
    };
    let entries = [entry(1, "\"a\"\n\"b\"\n\"c\"\n", 3), entry(2, "\"toolong\"\n", 1)];
    let address = staged.address().unwrap().strip_prefix("s3://told/").unwrap().to_owned();
    s3.put_object("told", &address, serde_json::json!({ "entries": entries }).to_string());
    let said = refused(&mut *tap, &staged);
    assert!(said.contains("line 1 of s3://told/later/a-1/names/rows-00002.csv: if no text before it in the file has line ends, row 4 of"), "{said}");
}

#[test]
fn rows_that_are_staged_elsewhere_are_not_lost() {
    if flow_tests::services::redshift().is_some() {
        run_with_credentials("told::rows_that_are_staged_elsewhere_are_not_lost_indeed");
    }
}

#[test]
#[ignore = "needs credentials"]
fn rows_that_are_staged_elsewhere_are_not_lost_indeed() {
    let warehouse = flow_tests::services::redshift().unwrap();
    ministack().unwrap().create_bucket("told-elsewhere");
    let tap_of = |staging| {
        let mut tap = tap(warehouse, staging, "moved");
        tap.of_flow("hits");
        tap
    };
    let before = tap_of("told/before");
    let staged = stage(&*before, &["a"], 1);
    let staged = staged.address().unwrap();
    before.check_staged(staged).unwrap();
    for now in ["told-elsewhere/before", "told/after", "told/before/after", "told"] {
        let error = tap_of(now).check_staged(staged).unwrap_err();
        let said = error.to_string();
        assert!(matches!(error, Error::Held(_)), "{said}");
        assert!(
            said.contains(&format!("they are in s3://told/before/, and this address stages in s3://{now}/")),
            "{said}"
        );
        assert!(said.contains("give the address staging=s3://told/before/ back"), "{said}");
    }
}
