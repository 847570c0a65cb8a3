//! A table that is read whole, every kind of fault at its scans; and the commands that mend a store, at the calls that no run
//! makes.

use flow_tests::{
    aws::Cloud,
    program::{Ended, Place, Running},
    services::{Fault, Proxy, Rule},
};
use serde_json::json;

use super::{
    scene::{Input, PATIENCE_MS, Scene},
    table::{Outcome, is_possible, outcome},
};

const SCAN: &str = "dynamodb.scan";

/// So many items of so many bytes: a page has a megabyte.
const ITEMS: usize = 90;
const ITEM_BYTES: usize = 50_000;
const PAGES_MIN: u64 = 4;

/// How many lines an iteration reads.
const LINES: usize = 20;

/// The faults that may happen to an operation, and what must become of the command.
fn faults(operation: &str) -> impl Iterator<Item = (Fault, Outcome)> {
    let of = move |fault| {
        let outcome = outcome(operation, fault);
        (fault, outcome.unwrap_or_else(|| panic!("table.rs has no row for {operation} {fault:?}")))
    };
    Fault::ALL.into_iter().filter(move |fault| is_possible(operation, *fault)).map(of)
}

fn assert_fits(ended: &Ended, outcome: Outcome, case: &str) {
    match outcome {
        Outcome::GoesOn => assert_eq!(ended.code, Some(0), "{case}: {ended:?}"),
        Outcome::Ends(code, said) => {
            assert!(ended.code == Some(code) && ended.stderr.contains(said), "{case}: {ended:?}");
        }
    }
}

#[test]
fn whatever_goes_wrong_with_a_scan_each_item_of_the_table_is_read_once() {
    let Some(cloud) = Cloud::fast() else { return };
    cloud.tables.create_table("scanned", &["key"]);
    for id in 0..ITEMS {
        let (key, padding) = (id.to_string(), "x".repeat(ITEM_BYTES));
        let item =
            json!({ "key": { "S": key }, "id": { "N": key }, "category": { "S": "c" }, "padding": { "S": padding } });
        cloud.tables.put_item("scanned", &item);
    }
    let clicks: String =
        (0..ITEMS).map(|id| json!({ "site": "s", "ad": { "campaign": id } }).to_string() + "\n").collect();
    let proxy = Proxy::before(cloud.tables, &[]);
    let cloud = cloud.with_tables_through(&proxy);
    let run = |place: &Place| {
        let ports = "--clicks file:clicks --campaigns dynamodb://scanned?segments=2";
        let mut command = cloud.on(place.command(&format!("run {ports}")));
        command.env("FLOW_UNDER_TEST", "ad_campaigns").env("FLOW_PATIENCE_MS", PATIENCE_MS);
        Running::start(command).end()
    };
    let place = || {
        let place = Place::in_memory(env!("CARGO_BIN_EXE_example_flows"));
        place.write("clicks", &clicks);
        place
    };
    assert_eq!(run(&place()).code, Some(0));
    let scans = proxy.calls()[SCAN];
    assert!(scans > PAGES_MIN, "{scans} scans, the first of which looks whether the table is there");
    for (fault, outcome) in faults(SCAN) {
        for call in [1, 2, scans] {
            let (case, place) = (format!("{SCAN}#{call} {fault:?}"), place());
            proxy.obey(&[Rule::nth(SCAN, call, fault)]);
            let ended = run(&place);
            assert_eq!(proxy.struck().len(), 1, "{case} struck nothing: {:?}", proxy.calls());
            assert_fits(&ended, outcome, &case);
            proxy.obey(&[]);
            let again = run(&place);
            assert_eq!(again.code, Some(0), "{case}: {again:?}");
            let database = place.database("result.db").unwrap();
            let rows = "SELECT group_concat(site || category || clicks) FROM categories";
            let rows: String = database.query_row(rows, [], |row| row.get(0)).unwrap();
            // An item that was left out would be a click on no category, and one that came twice would be two clicks.
            assert_eq!(rows, format!("sc{ITEMS}"), "{case}: {ended:?}");
        }
    }
}

/// A command that mends a store, and the operation of it that goes wrong. What it changes comes before it: a flow with two
/// iterations, or one that was begun anew.
const MENDING: [(&str, &str); 2] =
    [("dynamodb.transact_write_items", "reset --force --yes"), ("dynamodb.delete_item", "clean --keep 1")];

#[test]
fn whatever_goes_wrong_with_a_call_that_mends_the_store_it_is_mended_and_goes_on() {
    let Some(cloud) = Cloud::fast() else { return };
    let proxy = Proxy::before(cloud.tables, &[]);
    let cloud = cloud.with_tables_through(&proxy);
    for (operation, command) in MENDING {
        for (fault, outcome) in faults(operation) {
            let case = format!("{command}: {operation} {fault:?}");
            let mut scene = Scene::new(&cloud, Input::Stream);
            for _ in 0..3 {
                scene.prepare(LINES).unwrap();
                assert_eq!(scene.run().code, Some(0), "{case}");
            }
            proxy.obey(&[Rule::nth(operation, 1, fault)]);
            let ended = scene.mend(command);
            assert_eq!(proxy.struck().len(), 1, "{case} struck nothing: {:?}, {ended:?}", proxy.calls());
            assert_fits(&ended, outcome, &case);
            proxy.obey(&[]);
            let iterations = || scene.ask("iterations --json").stdout.lines().count();
            if operation == "dynamodb.transact_write_items" {
                if outcome != Outcome::GoesOn {
                    assert_eq!(iterations(), 3, "{case}: what was refused has changed something");
                    assert_eq!(scene.mend(command).code, Some(0), "{case}");
                }
                assert_eq!(iterations(), 0, "{case}");
                let emptied = scene.mend("forget --all --empty --yes");
                assert_eq!(emptied.code, Some(0), "{case}: {emptied:?}");
            } else {
                assert_eq!(scene.mend(command).code, Some(0), "{case}");
                assert_eq!(iterations(), 1, "{case}");
            }
            scene.prepare(LINES).unwrap();
            scene.recover().unwrap();
            assert_eq!(scene.differences(), [""; 0], "{case}");
        }
    }
}
