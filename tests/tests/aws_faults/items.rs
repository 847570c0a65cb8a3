//! A flow that writes items of three tables: sums, the last record of each key, and each record by its number, the last in
//! batches. At every call of DynamoDB it dies, sleeps while others go on, or the call goes wrong.

use std::{
    collections::{BTreeMap, VecDeque},
    process::Command,
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use flow_tests::{
    aws::Cloud,
    program::{Ended, Place, Running},
    services::{Fault, Proxy, Rule},
};
use serde_json::Value;

use super::{
    scene::{PATIENCE_MS, is_whole},
    table::{Outcome, is_possible, outcome},
};

const THREADS: usize = 6;

/// Lines of an iteration: so many that each lane has some of them, and few where each is an effect to die at.
const LINES_MANY: usize = 60;
const LINES_FEW: usize = 4;

/// Of a flow, runs after a fault until nothing is left to do.
const RECOVERIES_MAX: usize = 3;

/// Scenarios that follow each other in one set of tables.
const CHAIN_MAX: usize = 10;

static SCENES: AtomicUsize = AtomicUsize::new(0);

/// Three tables, and the lines that were written so far.
struct Scene {
    cloud: Cloud,
    place: Place,
    name: String,
    lines: Vec<(usize, &'static str, i64)>,
}

impl Scene {
    fn new(cloud: &Cloud) -> Self {
        let name = format!("items-{}", SCENES.fetch_add(1, Ordering::Relaxed));
        let place = Place::in_memory(env!("CARGO_BIN_EXE_fault_flows"));
        place.write("lines.csv", "");
        let scene = Self { cloud: cloud.clone(), place, name, lines: Vec::new() };
        let made = Running::start(scene.command("setup --yes")).end();
        assert_eq!(made.code, Some(0), "{made:?}");
        scene
    }

    fn command(&self, command: &str) -> Command {
        let name = &self.name;
        let ports = format!(
            "--counts dynamodb://{name}-counts?mode=merge --latest dynamodb://{name}-latest?mode=merge \
             --events dynamodb://{name}-events?mode=merge&keys=once"
        );
        let mut command = self.cloud.on(self.place.command(&format!("{command} {ports}")));
        // Whoever sleeps has lost the flow's lock.
        command.env("FLOW_UNDER_TEST", "keyed").env("FLOW_LOCK", "off").env("FLOW_PATIENCE_MS", PATIENCE_MS);
        command
    }

    fn run(&self) -> Ended {
        Running::start(self.command("run")).end()
    }

    fn grow(&mut self, count: usize) {
        let first = self.lines.len();
        let line = |id: usize| (id, ["a", "b", "c", "b"][id % 4], i64::try_from(id * 7 % 100).unwrap());
        self.lines.extend((first..first + count).map(line));
        let text: String =
            self.lines[first..].iter().map(|(id, key, amount)| format!("{id},{key},{amount}\n")).collect();
        self.place.append("lines.csv", text);
    }

    fn recover(&self) -> Result<(), String> {
        let mut last = None;
        for _ in 0..RECOVERIES_MAX {
            let ended = self.run();
            if ended.code == Some(0) && ended.stderr.lines().any(|line| line.starts_with("nothing new")) {
                return Ok(());
            }
            last = Some(ended);
        }
        Err(format!("does not come to an end: {last:?}"))
    }

    /// How the tables differ from what the lines make of them.
    fn differences(&self) -> Vec<String> {
        let (mut counts, mut latest, mut events) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        for (id, key, amount) in &self.lines {
            let (count, total) = counts.entry(*key).or_insert((0, 0));
            (*count, *total) = (*count + 1, *total + amount);
            latest.insert(*key, (id, amount));
            events.insert(id, (key, amount));
        }
        let counts = counts.iter().map(|(key, (count, total))| format!("count={count} key={key} total={total}"));
        let latest = latest.iter().map(|(key, (id, amount))| format!("amount={amount} id={id} key={key}"));
        let events = events.iter().map(|(id, (key, amount))| format!("amount={amount} id={id} key={key}"));
        let tables: [(&str, Vec<String>); 3] =
            [("counts", counts.collect()), ("latest", latest.collect()), ("events", events.collect())];
        let differences = |(table, mut expected): (&str, Vec<String>)| {
            let items = self.cloud.tables.items(&format!("{}-{table}", self.name));
            let mut found: Vec<String> = items.iter().map(text).collect();
            expected.sort();
            found.sort();
            (expected != found).then(|| format!("{table}: {found:?}, and not {expected:?}"))
        };
        tables.into_iter().filter_map(differences).collect()
    }
}

/// What a reader sees of an item, without its mark.
fn text(item: &Value) -> String {
    let attributes = item.as_object().unwrap().iter().filter(|(name, _)| !name.starts_with("flow:"));
    let value = |value: &Value| value["S"].as_str().or(value["N"].as_str()).unwrap().to_owned();
    let mut texts: Vec<String> = attributes.map(|(name, of)| format!("{name}={}", value(of))).collect();
    texts.sort();
    texts.join(" ")
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum What {
    Kill,
    /// It stands still until another process has loaded this iteration and the next, and wakes up.
    Stop,
}

/// The effects on DynamoDB of an iteration that comes after another one.
fn effects(cloud: &Cloud) -> Vec<String> {
    let mut scene = Scene::new(cloud);
    let mut passed = String::new();
    for _ in 0..2 {
        scene.grow(LINES_FEW);
        scene.place.write("effects", "");
        let mut command = scene.command("run");
        command.env("FLOW_EFFECTS", scene.place.path("effects"));
        let ended = Running::start(command).end();
        assert_eq!(ended.code, Some(0), "{ended:?}");
        passed = scene.place.text("effects");
    }
    assert_eq!(scene.differences(), [""; 0]);
    passed.lines().filter(|effect| effect.starts_with("dynamodb.")).map(str::to_owned).collect()
}

/// Plays one; whether the effect came at all.
fn play(scene: &mut Scene, (effect, moment, what): &(String, &str, What)) -> Result<bool, String> {
    scene.grow(LINES_FEW);
    scene.place.write("effects", "");
    let mut command = scene.command("run");
    let kind = if *what == What::Stop { "stop" } else { "kill" };
    command.env("FLOW_FAULT", format!("{effect}:{moment}:{kind}")).env("FLOW_EFFECTS", scene.place.path("effects"));
    let broken = Running::start(command);
    let mut ends = Vec::new();
    if *what == What::Stop && broken.stands_still() {
        ends.push(scene.run());
        scene.grow(LINES_FEW);
        ends.push(scene.run());
        broken.signal("CONT");
    }
    ends.push(broken.end());
    let is_struck = scene.place.text("effects").lines().any(|passed| passed == effect);
    scene.recover()?;
    let differences = scene.differences();
    if differences.is_empty() { Ok(is_struck) } else { Err(format!("{differences:?} after {ends:?}")) }
}

#[test]
fn wherever_a_process_that_writes_items_dies_or_sleeps_each_row_counts_once() {
    let Some(cloud) = Cloud::fast() else { return };
    let effects = effects(&cloud);
    for call in ["describe_table", "get_item", "put_item", "update_item", "batch_write_item"] {
        assert!(effects.iter().any(|effect| effect.starts_with(&format!("dynamodb.{call}#"))), "{call}: {effects:?}");
    }
    let mut scenarios: VecDeque<(String, &str, What)> = VecDeque::new();
    for (index, effect) in effects.iter().enumerate() {
        let is_write = !["describe_table", "get_item"].iter().any(|read| effect.contains(read));
        for (moment, what) in
            [("before", What::Kill), ("after", What::Kill), ("before", What::Stop), ("after", What::Stop)]
        {
            // A read changes nothing: whoever dies at it dies between two writes.
            if is_write || is_whole() || (index % 3 == 0 && moment == "before") {
                scenarios.push_back((effect.clone(), moment, what));
            }
        }
    }
    let count = scenarios.len();
    let (scenarios, wrong, struck) = (Mutex::new(scenarios), Mutex::new(Vec::new()), AtomicUsize::new(0));
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                let next = || scenarios.lock().unwrap().pop_front();
                let (mut scene, mut played) = (Scene::new(&cloud), 0);
                while let Some(scenario) = next() {
                    if played == CHAIN_MAX {
                        (scene, played) = (Scene::new(&cloud), 0);
                    }
                    played += 1;
                    match play(&mut scene, &scenario) {
                        Ok(is_struck) => drop(struck.fetch_add(usize::from(is_struck), Ordering::Relaxed)),
                        Err(what) => {
                            wrong.lock().unwrap().push(format!("{scenario:?}: {what}"));
                            played = CHAIN_MAX;
                        }
                    }
                }
            });
        }
    });
    let (wrong, struck) = (wrong.into_inner().unwrap(), struck.into_inner());
    println!("{} effects on DynamoDB, {count} scenarios, {struck} struck, {} went wrong", effects.len(), wrong.len());
    assert!(wrong.is_empty(), "{wrong:#?}");
    // The first iteration of a chain has some calls less.
    assert!(struck + 4 >= count * 9 / 10, "{struck} of {count} effects were struck");
}

const OPERATIONS: [&str; 5] = [
    "dynamodb.batch_write_item",
    "dynamodb.describe_table",
    "dynamodb.get_item",
    "dynamodb.put_item",
    "dynamodb.update_item",
];

#[test]
fn whatever_goes_wrong_with_a_call_that_writes_items_each_row_counts_once() {
    let Some(services) = Cloud::fast() else { return };
    let proxy = Proxy::before(services.tables, &[]);
    let cloud = services.clone().with_tables_through(&proxy);
    let mut scene = Scene::new(&cloud);
    let mut made = 0;
    for operation in OPERATIONS {
        for fault in Fault::ALL.into_iter().filter(|fault| is_possible(operation, *fault)) {
            let outcome =
                outcome(operation, fault).unwrap_or_else(|| panic!("table.rs has no row for {operation} {fault:?}"));
            for call in [1, 3] {
                let case = format!("{operation}#{call} {fault:?}");
                scene.grow(LINES_MANY);
                proxy.obey(&[Rule::nth(operation, call, fault)]);
                let ended = scene.run();
                assert_eq!(proxy.struck().len(), 1, "{case} struck nothing: {:?}", proxy.calls());
                proxy.obey(&[]);
                match outcome {
                    Outcome::GoesOn => assert_eq!(ended.code, Some(0), "{case}: {ended:?}"),
                    Outcome::Ends(code, said) => {
                        assert!(ended.code == Some(code) && ended.stderr.contains(said), "{case}: {ended:?}");
                    }
                }
                scene.recover().unwrap();
                assert_eq!(scene.differences(), [""; 0], "{case}: {ended:?}");
                made += 1;
            }
        }
    }
    println!("{made} calls gone wrong, of {OPERATIONS:?}");
}

#[test]
fn what_of_a_batch_is_not_written_is_written_again_however_often_it_comes_back() {
    let Some(services) = Cloud::fast() else { return };
    let proxy = Proxy::before(services.tables, &[]);
    let mut scene = Scene::new(&services.with_tables_through(&proxy));
    scene.grow(10 * LINES_MANY);
    proxy.obey(&[Rule::first("dynamodb.batch_write_item", 100, Fault::FailedEntries)]);
    let ended = scene.run();
    assert_eq!(ended.code, Some(0), "{ended:?}");
    // Of 16 lanes each has more than one batch, and of each half comes back, and of that half again.
    assert!(proxy.struck().len() > 60, "{}", proxy.struck().len());
    assert_eq!(scene.differences(), [""; 0]);
}
