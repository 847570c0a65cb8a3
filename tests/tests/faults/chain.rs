//! A folder in which a flow runs again and again over an input that grows.

use std::{
    fs,
    process::Command,
    sync::{
        Once,
        atomic::{AtomicUsize, Ordering},
    },
};

use flow_tests::{
    postgres,
    program::{Ended, Place, Running},
    services,
};

use super::{
    combination::{BUCKET, Combination, Kind},
    oracle::{self, Expected, Verdict},
};

const PROGRAM: &str = env!("CARGO_BIN_EXE_fault_flows");

/// Runs after a fault until nothing is left to do; one is enough, and one more says so.
const RECOVERIES_MAX: usize = 4;

/// How long a process waits for what another holds that stands still. For a server that is also how long a statement may
/// take on a busy machine.
const PATIENCE_MS: &str = "40";
const SERVER_PATIENCE_MS: &str = "2000";

/// Makes the bucket that all chains share.
fn bucket() {
    static MADE: Once = Once::new();
    MADE.call_once(|| services::ministack().unwrap().create_bucket(BUCKET));
}

/// How many have begun.
static CHAINS: AtomicUsize = AtomicUsize::new(0);

/// The folder, and what must be in it.
#[derive(Debug)]
pub(crate) struct Chain {
    pub(crate) combination: Combination,
    /// The mutant that all of its runs are.
    mutant: Option<&'static str>,
    place: Place,
    schema: String,
    expected: Expected,
    /// The number of the first batch of lines, and of the next.
    first: usize,
    next: usize,
}

/// How a process is started.
#[derive(Clone, Debug, Default)]
pub(crate) struct Start {
    /// `name#ordinal:moment:what`
    pub(crate) fault: String,
    /// Whether it does not heed the lock.
    pub(crate) is_lock_off: bool,
}

impl Chain {
    pub(crate) fn new(combination: Combination, mutant: Option<&'static str>) -> Self {
        let place = Place::in_memory(PROGRAM);
        place.write("lines.csv", "");
        let schema = format!("chain{}", CHAINS.fetch_add(1, Ordering::Relaxed));
        let make_schema = format!("CREATE SCHEMA {schema}");
        match combination.server() {
            Some(Kind::Redshift(isolation)) => {
                bucket();
                services::redshift_of(isolation).unwrap().run(&make_schema);
            }
            Some(_) => postgres::find().unwrap().run(&make_schema),
            None => {}
        }
        Self { combination, mutant, place, schema, expected: Expected::default(), first: 0, next: 0 }
    }

    /// The same with other lines.
    pub(crate) fn with_other_lines(self) -> Self {
        Self { first: 50, next: 50, ..self }
    }

    /// Ends the line that waits for its end, adds some, and begins another.
    pub(crate) fn grow(&mut self) {
        let n = self.next;
        let ends = if n == self.first { String::new() } else { format!(",c,{}\n", 40 + n % 20) };
        let bad = if self.combination.has_trap() { format!("bad{n}\n") } else { String::new() };
        let lines = format!("1{n}0,a,60\n1{n}1,,10\n{bad}1{n}2,b,70\n1{n}3,a,50\n1{n}4,,99\n");
        let begun = if n == self.first { String::new() } else { format!("1{}5", n - 1) };
        self.expected.add(&format!("{begun}{ends}{lines}"));
        self.place.append("lines.csv", format!("{ends}{lines}1{n}5"));
        self.next += 1;
    }

    /// A process of the flow that waits to be started.
    fn command(&self, start: &Start) -> Command {
        let mut command = self.place.command(&self.combination.arguments(&self.schema));
        command.env("FLOW_UNDER_TEST", self.combination.flow);
        let patience = if self.combination.server().is_some() { SERVER_PATIENCE_MS } else { PATIENCE_MS };
        command.envs(services::CREDENTIALS);
        command.env("FLOW_PATIENCE_MS", patience);
        command.env("FLOW_MUTANT", self.mutant.unwrap_or_default());
        if !start.fault.is_empty() {
            command.env("FLOW_FAULT", &start.fault).env("FLOW_EFFECTS", self.place.path("effects"));
        }
        if start.is_lock_off {
            command.env("FLOW_LOCK", "off");
        }
        command
    }

    pub(crate) fn start(&self, start: &Start) -> Running {
        Running::start(self.command(start))
    }

    /// The effects of a run, `name#ordinal` each.
    pub(crate) fn effects(&self) -> Vec<String> {
        let mut command = self.command(&Start::default());
        command.env("FLOW_EFFECTS", self.place.path("effects"));
        let ended = Running::start(command).end();
        assert_eq!(ended.code, Some(0), "{ended:?}");
        self.passed()
    }

    /// The effects that were noted since they were asked for last.
    pub(crate) fn passed(&self) -> Vec<String> {
        let passed = self.place.text("effects").lines().map(str::to_owned).collect();
        let _ = fs::remove_file(self.place.path("effects"));
        passed
    }

    /// One more iteration, to which nothing happens.
    pub(crate) fn go_on(&mut self) -> Verdict {
        self.grow();
        let mut verdict = self.recover();
        verdict += self.judge();
        verdict
    }

    /// The files of all targets, with their ledgers; or what a warehouse has.
    pub(crate) fn targets(&self) -> Vec<(String, Vec<u8>)> {
        let files = self.combination.outputs.iter().flat_map(|output| [output.file(), output.file() + ".flow"]);
        let files = files.filter_map(|name| Some((name.clone(), fs::read(self.place.path(&name)).ok()?)));
        let tables = self.combination.outputs.iter().filter_map(|output| {
            let (Kind::Redshift(_), name) = (output.kind, output.port.name()) else { return None };
            let Self { schema, .. } = self;
            let both = format!("TABLE {schema}.{name}; TABLE {schema}.flow_ledger_{name}");
            Some((name.to_owned(), self.ask_warehouse(&both).into_bytes()))
        });
        files.chain(tables).collect()
    }

    /// Asks the PostgreSQL behind the warehouse; `{schema}` is that of the chain.
    pub(crate) fn ask_warehouse(&self, sql: &str) -> String {
        let Some(Kind::Redshift(isolation)) = self.combination.server() else { panic!("{}", self.combination) };
        let database = services::redshift_of(isolation).unwrap().database();
        postgres::find().unwrap().ask_in(database, &sql.replace("{schema}", &self.schema))
    }

    /// The keys of the files of rows that are staged for it.
    pub(crate) fn staged_files(&self) -> Vec<String> {
        let listed = services::ministack().unwrap().http(
            "GET",
            &format!("/{BUCKET}?list-type=2&prefix={}/", self.schema),
            "",
            b"",
        );
        let listed = listed.text();
        let keys = listed.split("<Key>").skip(1).filter_map(|rest| rest.split_once("</Key>"));
        keys.map(|(key, _)| key.to_owned()).filter(|key| key.ends_with(".csv")).collect()
    }

    /// Whether a session waits for a table of the chain.
    pub(crate) fn is_waited_for(&self) -> bool {
        let sql = "SELECT count(*) > 0 FROM pg_locks l JOIN pg_class c ON c.oid = l.relation JOIN pg_namespace n ON n.oid = \
                   c.relnamespace WHERE NOT l.granted AND n.nspname = '{schema}'";
        self.ask_warehouse(sql) == "t"
    }

    /// Puts other files in the place of its targets.
    pub(crate) fn take_targets(&self, targets: Vec<(String, Vec<u8>)>) {
        for (name, bytes) in targets {
            self.place.write(&name, bytes);
        }
    }

    /// Runs until nothing is left to do.
    pub(crate) fn recover(&self) -> Verdict {
        let mut last = None;
        for _ in 0..RECOVERIES_MAX {
            let ended = self.start(&Start::default()).end();
            if ended.code == Some(0) && ended.stderr.lines().any(|line| line.starts_with("nothing new")) {
                return Verdict::default();
            }
            last = Some(ended);
        }
        Verdict::stuck(last.as_ref().map(said).unwrap_or_default())
    }

    /// How many batches of lines there are.
    pub(crate) fn batches(&self) -> usize {
        self.expected.batches()
    }

    /// Sees to it that readers of tables find all or nothing of each batch after the first `batches`: this may be in the
    /// middle of an iteration.
    pub(crate) fn judge_readers(&self, batches: usize) -> Verdict {
        let mut verdict = Verdict::default();
        for output in self.combination.outputs.iter().filter(|output| output.kind.is_transactional()) {
            let found = oracle::found(&self.place, &self.schema, output);
            let after = |batches| self.expected.judge_after(batches, output, found.clone());
            let mut verdicts: Vec<Verdict> = (batches..=self.batches()).map(after).collect();
            if !verdicts.iter().any(Verdict::is_right) {
                verdict += verdicts.swap_remove(0);
            }
        }
        verdict
    }

    /// Compares all targets with what is right.
    pub(crate) fn judge(&self) -> Verdict {
        let mut verdict = Verdict::default();
        for output in self.combination.outputs {
            verdict += self.expected.judge(&self.place, &self.schema, output);
        }
        verdict
    }
}

/// How a run ended, in a line.
pub(crate) fn said(ended: &Ended) -> String {
    format!("exit code {:?}: {}", ended.code, ended.stderr.lines().collect::<Vec<_>>().join(" "))
}
