//! Targets that are served: each cause is brought about on a table of Redshift, a prefix of S3 and a table of DynamoDB, wherever
//! it can be, and each way out that is printed for it is gone.

use std::fs;

use flow_tests::{
    aws::run_with_credentials,
    manifests::followed,
    program::{Place, Running, hit},
    services::{Service, ministack, redshift, redshift::Redshift},
};
use serde_json::{Value, json};

use super::{PROGRAM, STORE, diagnosed, paste};

/// The kinds of targets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Redshift,
    S3,
    DynamoDb,
}

use Kind::{DynamoDb, Redshift as Table, S3};

const ALL: &[Kind] = &[Table, S3, DynamoDb];
const TABLES: &[Kind] = &[Table, DynamoDb];

/// A way out of a cause, and how often `a` and `b` have been counted then. Each was counted once, then something went wrong, and
/// each has come once more.
struct Way {
    cause: &'static str,
    /// Which of those that are printed, and the last one.
    nth: usize,
    is_last: bool,
    on: &'static [Kind],
    /// Has it go wrong, and gives the options of the run that is held.
    goes_wrong: fn(&Scene) -> String,
    counts: i64,
}

const fn way(
    on: &'static [Kind],
    goes_wrong: fn(&Scene) -> String,
    (cause, nth, is_last): (&'static str, usize, bool),
    counts: i64,
) -> Way {
    Way { cause, nth, is_last, on, goes_wrong, counts }
}

const WAYS: &[Way] = &[
    way(ALL, the_store_is_lost, ("foreign-ledger", 0, false), 2),
    way(ALL, the_store_is_lost, ("foreign-ledger", 1, true), 3),
    way(ALL, the_store_is_of_yesterday, ("ledger-ahead", 0, true), 2),
    way(ALL, the_target_is_lost, ("ledger-behind", 0, false), 1),
    way(ALL, the_target_is_lost, ("ledger-behind", 1, true), 2),
    way(ALL, two_copies_of_the_store_go_on, ("other-rows", 0, true), 3),
    way(TABLES, the_table_is_made_anew, ("table-gone", 0, false), 1),
    way(TABLES, the_table_is_made_anew, ("table-gone", 1, true), 2),
    way(&[S3], the_ledger_is_damaged, ("prefix-damaged", 0, false), 1),
    way(&[S3], the_ledger_is_damaged, ("prefix-damaged", 1, true), 2),
    way(&[DynamoDb], the_emptying_dies, ("half-emptied", 0, true), 2),
    way(ALL, what_is_staged_is_lost, ("staged-lost", 0, true), 2),
    way(&[Table], the_staging_bucket_is_lost, ("staging-gone", 0, true), 2),
    way(ALL, another_place_is_given, ("other-address", 0, true), 2),
    way(&[Table, S3], another_mode_is_given, ("other-mode", 0, true), 2),
];

/// A program whose target has an iteration.
struct Scene {
    kind: Kind,
    name: String,
    place: Place,
    service: &'static Service,
    warehouse: &'static Redshift,
}

impl Scene {
    fn new(kind: Kind, name: String) -> Self {
        let (service, warehouse) = (ministack().unwrap(), redshift().unwrap());
        let scene = Self { kind, name, place: Place::new(PROGRAM), service, warehouse };
        scene.place.write("hosts.txt", "a\nb\n");
        scene.place.succeed(&format!("setup --only counts --yes {}", scene.options()));
        scene.comes();
        scene.place.succeed(&scene.options());
        scene
    }

    fn options(&self) -> String {
        self.options_of(&self.name, if self.kind == S3 { "append" } else { "merge" })
    }

    fn options_of(&self, name: &str, mode: &str) -> String {
        let rest = format!("mode={mode}&region=us-east-1&endpoint={}", self.service.endpoint());
        let address = match self.kind {
            Table => self.warehouse.address(&format!(
                "table={}&staging=s3://{}/rows&role=default&sslmode=disable&{rest}",
                name.replace('-', "_"),
                self.name
            )),
            S3 => format!("s3://{}/{name}?{rest}", self.name),
            DynamoDb => format!("dynamodb://{name}?{rest}"),
        };
        format!("--counts {address}")
    }

    /// Each host comes once.
    fn comes(&self) {
        self.place.append("access.log", hit("a") + &hit("b"));
    }

    /// Each host comes once, and the iteration is sealed and not loaded.
    fn seals(&self) {
        self.comes();
        self.place.seal(&self.options());
    }

    fn sql(&self, statement: &str) {
        self.warehouse.run(&statement.replace("<table>", &self.name.replace('-', "_")));
    }

    /// The keys in the scene's bucket.
    fn keys(&self) -> Vec<String> {
        let listed = self.service.http("GET", &format!("/{}?list-type=2", self.name), "", b"").text();
        listed.split("<Key>").skip(1).map(|rest| rest.split_once("</Key>").unwrap().0.to_owned()).collect()
    }

    fn delete_objects(&self, are_meant: impl Fn(&str) -> bool) {
        self.keys().iter().filter(|key| are_meant(key)).for_each(|key| self.service.delete_object(&self.name, key));
    }

    /// How often each host was counted, which must be the same of both.
    fn counts(&self) -> i64 {
        let rows: Vec<(String, i64)> = match self.kind {
            Table => {
                let rows = self.warehouse.ask(&format!("SELECT ip, count FROM {}", self.name.replace('-', "_")));
                let row = |row: &str| row.split_once('|').map(|(ip, count)| (ip.to_owned(), count.parse().unwrap()));
                rows.lines().map(|line| row(line).unwrap()).collect()
            }
            S3 => {
                let row = |row: &String| row.split_once(',').map(|(ip, count)| (ip.to_owned(), count.parse().unwrap()));
                followed(self.service, &self.name, &self.name).iter().map(|line| row(line).unwrap()).collect()
            }
            DynamoDb => {
                let text = |item: &Value, name: &str, of: &str| item[name][of].as_str().unwrap().to_owned();
                let row = |item: &Value| (text(item, "ip", "S"), text(item, "count", "N").parse().unwrap());
                self.service.items(&self.name).iter().map(row).collect()
            }
        };
        let sum = |host: &str| rows.iter().filter(|(ip, _)| ip == host).map(|(_, count)| count).sum();
        let counts: i64 = sum("a");
        assert_eq!((counts, counts * 2), (sum("b"), rows.iter().map(|(_, count)| count).sum()), "{rows:?}");
        counts
    }
}

fn the_store_is_lost(scene: &Scene) -> String {
    scene.comes();
    fs::remove_file(scene.place.path(STORE)).unwrap();
    scene.options()
}

fn the_store_is_of_yesterday(scene: &Scene) -> String {
    fs::copy(scene.place.path(STORE), scene.place.path("yesterday.db")).unwrap();
    scene.comes();
    scene.place.succeed(&scene.options());
    format!("{} --checkpoint sqlite:yesterday.db", scene.options())
}

fn the_target_is_lost(scene: &Scene) -> String {
    scene.comes();
    match scene.kind {
        Table => {
            scene.sql("DROP TABLE <table>");
            scene.sql("DROP TABLE flow_ledger_<table>");
        }
        S3 => scene.delete_objects(|_| true),
        DynamoDb => {
            scene.place.succeed(&format!("teardown --only counts --yes {}", scene.options()));
            scene.place.succeed(&format!("setup --only counts --yes {}", scene.options()));
        }
    }
    scene.options()
}

fn two_copies_of_the_store_go_on(scene: &Scene) -> String {
    fs::copy(scene.place.path(STORE), scene.place.path("copy.db")).unwrap();
    scene.seals();
    scene.comes();
    scene.place.succeed(&format!("{} --checkpoint sqlite:copy.db", scene.options()));
    scene.options()
}

fn the_table_is_made_anew(scene: &Scene) -> String {
    scene.comes();
    match scene.kind {
        DynamoDb => {
            scene.service.dynamodb("DeleteTable", &json!({ "TableName": scene.name }));
            scene.service.create_table(&scene.name, &["ip"]);
        }
        Table | S3 => scene.sql("DROP TABLE <table>"),
    }
    scene.options()
}

fn the_ledger_is_damaged(scene: &Scene) -> String {
    scene.comes();
    scene.service.put_object(&scene.name, &format!("{}/_flow/current.json", scene.name), "no JSON");
    scene.options()
}

fn the_emptying_dies(scene: &Scene) -> String {
    scene.comes();
    fs::remove_file(scene.place.path(STORE)).unwrap();
    let mut forget = scene.place.command(&format!("forget counts --empty --yes --store-is-lost {}", scene.options()));
    forget.env("FLOW_FAULT", "dynamodb.batch_write_item#1:before:kill");
    let ended = Running::start(forget).end();
    assert_eq!(ended.code, None, "{ended:?}");
    scene.options()
}

fn what_is_staged_is_lost(scene: &Scene) -> String {
    let before = if scene.kind == DynamoDb { Vec::new() } else { scene.keys() };
    scene.seals();
    match scene.kind {
        DynamoDb => fs::remove_dir_all(scene.place.path(&format!("{STORE}.staging/access_log_counts"))).unwrap(),
        Table | S3 => scene.delete_objects(|key| key.contains(".csv") && !before.iter().any(|known| known == key)),
    }
    scene.options()
}

fn the_staging_bucket_is_lost(scene: &Scene) -> String {
    scene.seals();
    scene.delete_objects(|_| true);
    let deleted = scene.service.http("DELETE", &format!("/{}", scene.name), "", b"");
    assert_eq!(deleted.status, 204, "{}", deleted.text());
    scene.options()
}

fn another_place_is_given(scene: &Scene) -> String {
    scene.seals();
    let there = format!("{}-there", scene.name);
    let options = scene.options_of(&there, if scene.kind == S3 { "append" } else { "merge" });
    scene.place.succeed(&format!("setup --only counts --yes {options}"));
    options
}

fn another_mode_is_given(scene: &Scene) -> String {
    scene.seals();
    scene.options_of(&scene.name, if scene.kind == S3 { "replace" } else { "append" })
}

/// Goes one way out, on one kind of target.
fn goes(way: &Way, kind: Kind, number: usize) {
    let scene = Scene::new(kind, format!("way-{number}-{kind:?}").to_lowercase());
    let options = (way.goes_wrong)(&scene);
    let read = diagnosed(&scene.place, PROGRAM, &options, &[way.cause]);
    assert_eq!(read[0].remedies.len() == way.nth + 1, way.is_last, "{read:?}");
    let mut last = None;
    for command in &read[0].remedies[way.nth].1 {
        let ended = paste(&scene.place, command);
        assert!(matches!(ended.code, Some(0 | 3)), "$ {command}: {ended:?}");
        last = ended.code;
    }
    assert_eq!(last, Some(0));
    // As it was before, or with the store that was given, it is well.
    let options = if options.contains("--checkpoint") { options } else { scene.options() };
    scene.place.succeed(&format!("doctor {options}"));
    assert_eq!(scene.counts(), way.counts);
}

/// Goes all ways of the kind, and tells which of them do not lead anywhere.
fn go_all(kind: Kind) {
    let mut lost = Vec::new();
    for (number, way) in WAYS.iter().enumerate().filter(|(_, way)| way.on.contains(&kind)) {
        println!("{kind:?}: {}, remedy {}", way.cause, way.nth);
        if std::panic::catch_unwind(|| goes(way, kind, number)).is_err() {
            lost.push((way.cause, way.nth));
        }
    }
    assert!(lost.is_empty(), "{kind:?}: {lost:?}");
}

fn is_served() -> bool {
    ministack().is_some() && redshift().is_some()
}

#[test]
fn each_cause_on_redshift_is_resolved_by_each_way_that_is_printed() {
    if is_served() {
        run_with_credentials("served::on_redshift");
    }
}

#[test]
#[ignore = "needs credentials"]
fn on_redshift() {
    go_all(Table);
}

#[test]
fn each_cause_below_a_prefix_of_s3_is_resolved_by_each_way_that_is_printed() {
    if is_served() {
        run_with_credentials("served::on_s3");
    }
}

#[test]
#[ignore = "needs credentials"]
fn on_s3() {
    go_all(S3);
}

#[test]
fn each_cause_on_a_table_of_dynamodb_is_resolved_by_each_way_that_is_printed() {
    if is_served() {
        run_with_credentials("served::on_dynamodb");
    }
}

#[test]
#[ignore = "needs credentials"]
fn on_dynamodb() {
    go_all(DynamoDb);
}
