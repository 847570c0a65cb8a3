//! Iterations kept in a table of DynamoDB, which a service on this machine has: the contract of a store, the commands as users
//! give them, several machines, and calls that go wrong (`faults.rs`).

#![expect(clippy::unwrap_used, reason = "a test may")]

mod faults;

use std::{
    process::Command,
    sync::atomic::{AtomicU32, Ordering},
};

use flow_tests::{
    program::{Ended, Place, Running, counted, hit, until},
    services::{CREDENTIALS, Service, ministack},
};
use rusqlite::Connection;
use serde_json::json;

const PROGRAM: &str = env!("CARGO_BIN_EXE_count_hits");
const CONTRACT: &str = env!("CARGO_BIN_EXE_store_contract");

/// A folder in which the flow runs, and a table that no other test has.
struct Machine {
    place: Place,
    table: String,
    endpoint: String,
    service: &'static Service,
}

impl Machine {
    /// `None` where the service cannot be installed.
    fn with_table() -> Option<Self> {
        let machine = Self::without_table()?;
        machine.service.create_table(&machine.table, &["partition", "sort"]);
        Some(machine)
    }

    fn without_table() -> Option<Self> {
        static TABLES: AtomicU32 = AtomicU32::new(0);
        let service = ministack()?;
        let table = format!("flow-{}-{}", std::process::id(), TABLES.fetch_add(1, Ordering::Relaxed));
        Some(Self { place: files(), table, endpoint: service.endpoint(), service })
    }

    /// Another folder, with the same table, log and target.
    fn another(&self) -> Self {
        let place = files();
        for name in ["access.log", "counts.db"] {
            std::fs::remove_file(place.path(name)).unwrap_or_default();
            std::os::unix::fs::symlink(self.place.path(name), place.path(name)).unwrap();
        }
        Self { place, table: self.table.clone(), endpoint: self.endpoint.clone(), service: self.service }
    }

    fn checkpoint(&self) -> String {
        format!("dynamodb://{}?endpoint={}&lease=3s", self.table, self.endpoint)
    }

    fn command(&self, arguments: &str) -> Command {
        let mut command = self.place.command(arguments);
        command.args(["--checkpoint", &self.checkpoint()]).envs(CREDENTIALS);
        command
    }

    fn run(&self, arguments: &str) -> Ended {
        Running::start(self.command(arguments)).end()
    }

    fn succeed(&self, arguments: &str) -> Ended {
        let ended = self.run(arguments);
        assert_eq!(ended.code, Some(0), "{ended:?}");
        ended
    }

    /// A run that cannot load, for its target is locked; it has sealed an iteration.
    fn stuck(&self) -> (Running, Connection) {
        let target = Connection::open(self.place.path("counts.db")).unwrap();
        target.execute_batch("BEGIN IMMEDIATE").unwrap();
        let run = Running::start(self.command(""));
        until("the iteration is sealed", || {
            let listed = self.succeed("iterations --json");
            listed.stdout.contains("\"sealed\"").then_some(())
        });
        (run, target)
    }
}

fn files() -> Place {
    let place = Place::new(PROGRAM);
    place.write("access.log", hit("a") + &hit("b"));
    place.write("hosts.txt", "a\nb\n");
    place
}

#[test]
fn the_contract_of_a_store_holds() {
    let Some(machine) = Machine::with_table() else { return };
    let mut command = Command::new(CONTRACT);
    command.arg(format!("dynamodb://{}?endpoint={}", machine.table, machine.endpoint)).envs(CREDENTIALS);
    let ended = Running::start(command).end();
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(ended.stdout.lines().count() > 30, "{ended:?}");
}

#[test]
fn a_flow_goes_on_from_where_its_iterations_ended() {
    let Some(machine) = Machine::with_table() else { return };
    machine.succeed("");
    machine.place.append("access.log", hit("a"));
    machine.succeed("");
    assert!(machine.succeed("").stderr.contains("nothing new") || machine.succeed("").stdout.contains("nothing new"));
    assert_eq!(machine.place.counts("counts.db"), counted(&[("-", 1), ("a", 2), ("b", 1)]));
    let listed = machine.succeed("iterations --last 1").stdout;
    assert!(listed.starts_with("… 1 iteration before these\n"), "{listed}");
    let shown = machine.succeed("iterations 1 --json").json();
    assert_eq!((&shown["state"], &shown["ranges"][0]["records"]), (&json!("done"), &json!(1)));
    assert_eq!(machine.run("check").code, Some(0));
    assert!(machine.place.names().contains(&"access_log_counts.staging".to_owned()), "{:?}", machine.place.names());
}

#[test]
fn commands_mend_and_tidy_the_table() {
    let Some(machine) = Machine::with_table() else { return };
    machine.succeed("");
    machine.place.append("access.log", hit("a"));
    machine.succeed("");
    machine.succeed("replay 0");
    machine.succeed("clean");
    assert_eq!(machine.run("doctor").code, Some(0));
    machine.succeed("reset --force --yes");
    machine.succeed("clean");
    let listed = machine.succeed("iterations --all").stdout;
    assert!(listed.contains("no iterations") || listed.lines().count() <= 1, "{listed}");
}

#[test]
fn a_table_that_is_not_there_or_is_another_one_is_told() {
    let Some(machine) = Machine::without_table() else { return };
    for command in ["", "iterations", "clean", "check"] {
        let ended = machine.run(command);
        let said = ended.stderr.clone() + &ended.stdout;
        assert!(ended.code != Some(0) && said.contains("there is no checkpoint table"), "{command}: {ended:?}");
        assert!(said.contains("`setup`"), "{command}: {ended:?}");
    }
    machine.service.create_table(&machine.table, &["id"]);
    let checked = machine.run("check");
    let said = checked.stderr.clone() + &checked.stdout;
    assert!(checked.code != Some(0) && said.contains("the table has another key: id S"), "{checked:?}");
}

#[test]
fn one_who_finds_another_at_work_is_told_who_it_is() {
    let Some(machine) = Machine::with_table() else { return };
    machine.succeed("");
    machine.place.append("access.log", hit("a"));
    let (run, target) = machine.stuck();
    let other = machine.another();
    let refused = other.run("");
    let said = &refused.stderr;
    assert!(
        said.contains(&format!("pid {}", run.id())) && said.contains("nothing was heard of it for 3 s"),
        "{refused:?}"
    );
    assert!(
        machine.run("check").stderr.contains("is under way") || machine.run("check").stdout.contains("is under way")
    );
    target.execute_batch("ROLLBACK").unwrap();
    assert_eq!(run.end().code, Some(0));
    assert_eq!(machine.place.counts("counts.db"), counted(&[("-", 1), ("a", 2), ("b", 1)]));
}

#[test]
fn a_killed_run_is_taken_over_and_what_it_staged_elsewhere_is_held() {
    let Some(machine) = Machine::with_table() else { return };
    machine.succeed("");
    machine.place.append("access.log", hit("a"));
    let (run, target) = machine.stuck();
    run.signal("KILL");
    assert_eq!(run.end().code, None);
    target.execute_batch("ROLLBACK").unwrap();

    let other = machine.another();
    let held = other.run("");
    let said = &held.stderr;
    assert!(held.code == Some(3) && said.contains("the file is missing"), "{held:?}");
    let doctor = other.run("doctor");
    assert!(doctor.stdout.contains("restage 1"), "{doctor:?}");
    other.succeed("restage 1");
    other.succeed("");
    assert_eq!(machine.place.counts("counts.db"), counted(&[("-", 1), ("a", 2), ("b", 1)]));
    machine.place.append("access.log", hit("b"));
    machine.succeed("");
    assert_eq!(machine.place.counts("counts.db"), counted(&[("-", 2), ("a", 2), ("b", 2)]));
}
