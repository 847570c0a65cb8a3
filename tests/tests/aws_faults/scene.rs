//! A flow in a folder of its own, over a source that grows, and what its targets must have in the end: each record has a
//! number of its own, so that what is lost, doubled or invented can be told.

use std::{
    collections::BTreeMap,
    env,
    process::Command,
    sync::atomic::{AtomicUsize, Ordering},
};

use flow_tests::{
    aws::Cloud,
    manifests::followed,
    program::{Ended, Place, Running},
    services::ask::aggregate,
};

/// Runs after a fault until nothing is left to do; one is enough, and one more says so.
const RECOVERIES_MAX: usize = 4;

/// So many lines are in one record of [`Input::Aggregates`], and so many does an iteration read: it ends within such a record.
const AGGREGATE_LINES: usize = 5;
const AGGREGATE_BOUND: usize = 7;

/// How long a process waits for an answer, and for what another holds that stands still.
pub(crate) const PATIENCE_MS: &str = "1000";

/// Amounts up from this one are kept.
const AMOUNT_MIN: i64 = 50;

/// Of so many lines one is no record.
const LINES_A_BAD_ONE: usize = 7;

/// How many there have been.
static SCENES: AtomicUsize = AtomicUsize::new(0);

/// Where the records come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Input {
    Stream,
    /// A stream with several lines in each record, and iterations that begin and end within these.
    Aggregates,
    Objects,
    /// Objects, whose rows go below prefixes of S3: appended, replaced, trapped.
    Archive,
}

/// Whether all there is is to be tried, which takes long.
pub(crate) fn is_whole() -> bool {
    env::var("FLOW_FAULTS").is_ok_and(|extent| extent == "whole")
}

/// The folder, the source, and what has been put there.
#[derive(Debug)]
pub(crate) struct Scene {
    pub(crate) cloud: Cloud,
    pub(crate) place: Place,
    pub(crate) input: Input,
    /// What its stream or bucket is called, and its table.
    name: String,
    lines: Vec<String>,
    /// How many lines there were before the last came.
    lines_before: usize,
    objects: usize,
}

impl Scene {
    /// One that nothing has run in. Its services are there without the proxies of `cloud`.
    pub(crate) fn new(cloud: &Cloud, input: Input) -> Self {
        let name = format!("scene-{}", SCENES.fetch_add(1, Ordering::Relaxed));
        match input {
            Input::Stream | Input::Aggregates => cloud.streams.create_stream(&name, 2),
            Input::Objects | Input::Archive => cloud.tables.create_bucket(&name),
        }
        let place = Place::in_memory(env!("CARGO_BIN_EXE_fault_flows"));
        let scene = Self { cloud: cloud.clone(), place, input, name, lines: Vec::new(), lines_before: 0, objects: 0 };
        let ended = Running::start(scene.given("setup --yes")).end();
        assert_eq!(ended.code, Some(0), "{ended:?}");
        scene
    }

    /// Puts so many lines more into the source, and brings aggregates to where reading goes on in the middle of one.
    pub(crate) fn prepare(&mut self, count: usize) -> Result<(), String> {
        self.grow(count);
        if self.input == Input::Aggregates {
            let ended = self.run();
            if ended.code != Some(0) {
                return Err(format!("before anything went wrong: {ended:?}"));
            }
        }
        Ok(())
    }

    /// Puts so many lines more into the source.
    pub(crate) fn grow(&mut self, count: usize) {
        let first = self.lines.len();
        self.lines_before = first;
        let line = |n: usize| match n % LINES_A_BAD_ONE {
            3 => format!("bad{n}"),
            _ => format!("{n},{},{}", ["a", "b", "c"][n % 3], n % 100),
        };
        self.lines.extend((first..first + count).map(line));
        let new = &self.lines[first..];
        match self.input {
            Input::Stream => {
                let records: Vec<(&str, &[u8])> = new.iter().map(|line| (line.as_str(), line.as_bytes())).collect();
                for batch in records.chunks(500) {
                    self.cloud.streams.put_records(&self.name, batch);
                }
            }
            Input::Aggregates => {
                for lines in new.chunks(AGGREGATE_LINES) {
                    let lines: Vec<&[u8]> = lines.iter().map(|line| line.as_bytes()).collect();
                    let key = String::from_utf8_lossy(lines[0]);
                    self.cloud.streams.put_records(&self.name, &[(&*key, &aggregate(&key, &lines))]);
                }
            }
            Input::Objects | Input::Archive => {
                // Later ones do not come last.
                let key = format!("lines/{}.csv", 1000 - self.objects);
                self.cloud.tables.put_object(&self.name, &key, new.join("\n") + "\n");
                self.objects += 1;
            }
        }
    }

    /// A run of the flow that waits to be started.
    pub(crate) fn command(&self) -> Command {
        self.given("run")
    }

    fn given(&self, command: &str) -> Command {
        let name = &self.name;
        let lines = match self.input {
            Input::Stream | Input::Aggregates => format!("kinesis://{name}?start=oldest&reads=50"),
            Input::Objects | Input::Archive => format!("s3://{name}/lines/"),
        };
        let outputs = match self.input {
            Input::Archive => format!(
                "--rows s3://{name}/rows?mode=append&partition=key --counts s3://{name}/counts?mode=replace \
                 --bad s3://{name}/bad"
            ),
            _ => "--rows file:rows.csv?header=false&mode=append --counts sqlite:counts.db?table=counts&mode=merge \
                  --bad file:bad.csv?header=false"
                .to_owned(),
        };
        let given = format!("{command} --lines {lines} {outputs} --checkpoint dynamodb://{name}?lease=1s");
        let bound = if self.input == Input::Aggregates && command == "run" {
            format!("--max-records {AGGREGATE_BOUND}")
        } else {
            String::new()
        };
        self.prepared(self.place.command(&format!("{given} {bound}")))
    }

    pub(crate) fn run(&self) -> Ended {
        Running::start(self.command()).end()
    }

    /// Gives a command that mends the store, with the store and the ports.
    pub(crate) fn mend(&self, command: &str) -> Ended {
        Running::start(self.given(command)).end()
    }

    /// Asks the store.
    pub(crate) fn ask(&self, command: &str) -> Ended {
        let ended = Running::start(self.kept(command)).end();
        assert_eq!(ended.code, Some(0), "{ended:?}");
        ended
    }

    /// A command that takes no ports.
    fn kept(&self, command: &str) -> Command {
        let given = format!("{command} --checkpoint dynamodb://{}?lease=1s", self.name);
        self.prepared(self.place.command(&given))
    }

    fn prepared(&self, command: Command) -> Command {
        let mut command = self.cloud.on(command);
        command.env("FLOW_UNDER_TEST", "split").env("FLOW_PATIENCE_MS", PATIENCE_MS);
        command
    }

    /// Runs until nothing is left to do; says how it went when that does not come.
    pub(crate) fn recover(&self) -> Result<(), String> {
        let mut last = None;
        for _ in 0..self.recoveries_max() {
            let ended = self.run();
            if ended.code == Some(0) && ended.stderr.lines().any(|line| line.starts_with("nothing new")) {
                return Ok(());
            }
            last = Some(ended);
        }
        Err(format!("does not come to an end: {last:?}"))
    }

    /// One for each iteration of a bound, and some.
    fn recoveries_max(&self) -> usize {
        let bounded = if self.input == Input::Aggregates { self.lines.len() / AGGREGATE_BOUND } else { 0 };
        RECOVERIES_MAX + bounded
    }

    /// How the targets differ from what was put into the source.
    pub(crate) fn differences(&self) -> Vec<String> {
        let (mut rows, mut bad, mut counts) = (Vec::new(), Vec::new(), BTreeMap::<&str, (i64, i64)>::new());
        // Where they are replaced, those of the last iteration are there alone, which has read what came last.
        let counted_from = if self.input == Input::Archive { self.lines_before } else { 0 };
        for (number, line) in self.lines.iter().enumerate() {
            match line.split(',').collect::<Vec<_>>()[..] {
                [_, key, amount] => {
                    let amount: i64 = amount.parse().unwrap();
                    if number >= counted_from {
                        let (count, total) = counts.entry(key).or_default();
                        (*count, *total) = (*count + 1, *total + amount);
                    }
                    if amount >= AMOUNT_MIN {
                        rows.push(line.clone());
                    }
                }
                _ => bad.push(line.clone()),
            }
        }
        let counts = counts.iter().map(|(key, (count, total))| format!("{key},{count},{total}")).collect();
        let first = |line: &str| line.split(',').next().unwrap_or_default().to_owned();
        let [found_rows, found_bad, found_counts] = match self.input {
            Input::Archive => ["rows", "bad", "counts"].map(|prefix| followed(self.cloud.tables, &self.name, prefix)),
            _ => {
                let lines = |name| self.place.text(name).lines().map(str::to_owned).collect();
                [lines("rows.csv"), lines("bad.csv"), self.counts()]
            }
        };
        [
            differences("rows", rows, found_rows),
            differences("bad", bad, found_bad.iter().map(|line| first(line)).collect()),
            differences("counts", counts, found_counts),
        ]
        .concat()
    }

    /// Goes on with another machine, which has nothing of what the last one had on its disk.
    pub(crate) fn move_on(&mut self) {
        self.place = Place::in_memory(env!("CARGO_BIN_EXE_fault_flows"));
    }

    /// Removes whatever is left below the prefixes.
    pub(crate) fn tidy(&self) {
        if self.input == Input::Archive {
            let ended = Running::start(self.given("clean --grace 1ms")).end();
            assert_eq!(ended.code, Some(0), "{ended:?}");
        }
    }

    /// What is left below the prefixes that nothing names, but for what was replaced.
    pub(crate) fn left_over(&self) -> Vec<String> {
        if self.input != Input::Archive {
            return Vec::new();
        }
        let ended = Running::start(self.given("clean --json --dry-run --grace 1ms")).end();
        assert_eq!(ended.code, Some(0), "{ended:?}");
        let cleaned = ended.json();
        let left = cleaned["in_targets"].as_array().unwrap().iter().filter(|left| left["port"] != "counts");
        left.map(|left| left.to_string()).collect()
    }

    fn counts(&self) -> Vec<String> {
        let Some(database) = self.place.database("counts.db") else { return Vec::new() };
        let Ok(mut rows) = database.prepare("SELECT key || ',' || count || ',' || total FROM counts") else {
            return Vec::new();
        };
        rows.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
    }
}

/// What one has and the other has not, the number of times too.
fn differences(what: &str, expected: Vec<String>, found: Vec<String>) -> Vec<String> {
    let mut times: BTreeMap<String, (i64, i64)> = BTreeMap::new();
    expected.into_iter().for_each(|row| times.entry(row).or_default().0 += 1);
    found.into_iter().for_each(|row| times.entry(row).or_default().1 += 1);
    let differing = times.into_iter().filter(|(_, (expected, found))| expected != found);
    differing.map(|(row, (expected, found))| format!("{what}: {row} {found} times, not {expected}")).collect()
}
