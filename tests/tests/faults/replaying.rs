//! Rows of an iteration that others take the place of: whatever happens to the process that replaces them, at whichever of
//! its effects, readers find the former rows or the new ones, and the same command, given again, brings the new ones.
//!
//! The flow is `filtered`, which keeps amounts from 50 on, and after a change from 60 on.

use std::{collections::BTreeSet, process::Command, thread};

use flow_tests::{
    postgres,
    program::{Ended, Place, Running},
    services::{self, redshift::Isolation},
};

use super::{
    chain::said,
    combination::{BUCKET, Kind},
    matrix::Extent,
};

/// One iteration each.
const BATCHES: [&str; 2] = ["1,a,60\n2,,10\n3,b,55\n", "4,a,50\n5,b,70\n6,,99\n7,c,59\n"];

/// `iteration:id`, as the program has it that was there first, and as the other one has it.
const FORMER: &str = "0:1 0:3 1:4 1:5 1:6 1:7";
const NEW: &str = "0:1 0:3 1:5 1:6";

/// What happens at an effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum What {
    KillBefore,
    KillAfter,
    ErrorBefore,
    ErrorAfter,
    /// The process stands still until another one has replaced the rows, or has given up.
    StopBefore,
}

impl What {
    fn fault(self, effect: &str) -> String {
        let what = match self {
            Self::KillBefore => "before:kill",
            Self::KillAfter => "after:kill",
            Self::ErrorBefore => "before:error",
            Self::ErrorAfter => "after:error",
            Self::StopBefore => "before:stop",
        };
        format!("{effect}:{what}")
    }

    /// What is tried at the `index`th effect.
    fn of(extent: Extent, index: usize) -> Vec<Self> {
        let all = [Self::KillBefore, Self::ErrorAfter, Self::StopBefore, Self::KillAfter, Self::ErrorBefore];
        if extent == Extent::Whole { all.to_vec() } else { vec![all[0], all[1 + index % 4]] }
    }
}

/// A table with two iterations.
struct Table {
    kind: Kind,
    place: Place,
    schema: String,
    mutant: &'static str,
}

impl Table {
    fn new(kind: Kind, schema: &str, mutant: &'static str) -> Self {
        let place = Place::in_memory(env!("CARGO_BIN_EXE_fault_flows"));
        let make_schema = format!("CREATE SCHEMA {schema}");
        match kind {
            Kind::Redshift(isolation) => services::redshift_of(isolation).unwrap().run(&make_schema),
            Kind::Postgres => postgres::find().unwrap().run(&make_schema),
            Kind::File | Kind::Sqlite => {}
        }
        let table = Self { kind, place, schema: schema.to_owned(), mutant };
        for batch in BATCHES {
            table.place.append("lines.csv", batch);
            let ended = Running::start(table.command("filtered", "run", "")).end();
            assert_eq!(ended.code, Some(0), "{ended:?}");
        }
        assert_eq!(table.rows(), FORMER);
        table
    }

    fn address(&self) -> String {
        let rest = format!("table={}.rows&mode=append&iteration_column=n", self.schema);
        match self.kind {
            Kind::File | Kind::Sqlite => "sqlite:rows.db?table=rows&mode=append&iteration_column=n".to_owned(),
            Kind::Postgres => postgres::find().unwrap().address(&rest),
            Kind::Redshift(isolation) => {
                let endpoint = services::ministack().unwrap().endpoint();
                services::redshift_of(isolation).unwrap().address(&format!(
                    "{rest}&staging=s3://{BUCKET}/{}&role=default&endpoint={endpoint}&sslmode=disable",
                    self.schema
                ))
            }
        }
    }

    fn command(&self, flow: &str, what: &str, fault: &str) -> Command {
        let mut command = self.place.command(&format!("{what} --rows {} --workers 1", self.address()));
        command.env("FLOW_UNDER_TEST", flow).env("FLOW_MUTANT", self.mutant).envs(services::CREDENTIALS);
        command.env("FLOW_PATIENCE_MS", if self.kind == Kind::Sqlite { "40" } else { "2000" });
        if !fault.is_empty() {
            command.env("FLOW_FAULT", fault).env("FLOW_EFFECTS", self.place.path("effects"));
        }
        command
    }

    /// Replaces the rows of the second iteration by what the flow makes of it.
    fn replay(&self, flow: &str, fault: &str) -> Running {
        Running::start(self.command(flow, "replay 1 --yes", fault))
    }

    /// The effects of a replay, each once of those with one name that only look.
    fn effects(&self, extent: Extent) -> Vec<String> {
        // No effect has this name: they are noted alone.
        assert_eq!(self.replay("filtered", "none#1:before:kill").end().code, Some(0));
        let mut seen = BTreeSet::new();
        let of_server = self.kind.effects();
        let is_taken = |effect: &String| {
            let name = effect.split('#').next().unwrap_or_default().to_owned();
            let is_own = of_server.is_none_or(|own| own.iter().any(|start| effect.starts_with(start)));
            extent == Extent::Whole || (is_own && seen.insert(name))
        };
        self.passed().into_iter().filter(is_taken).collect()
    }

    /// The effects that were noted since they were asked for last.
    fn passed(&self) -> Vec<String> {
        let passed = self.place.text("effects").lines().map(str::to_owned).collect();
        let _ = std::fs::remove_file(self.place.path("effects"));
        passed
    }

    /// `iteration:id …`
    fn rows(&self) -> String {
        let rows: Vec<String> = match self.kind {
            Kind::File | Kind::Sqlite => {
                let database = self.place.database("rows.db").unwrap();
                let mut statement = database.prepare("SELECT n || ':' || id FROM rows ORDER BY n, id").unwrap();
                statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
            }
            Kind::Postgres => self.ask_in("postgres"),
            Kind::Redshift(isolation) => self.ask_in(services::redshift_of(isolation).unwrap().database()),
        };
        rows.join(" ")
    }

    fn ask_in(&self, database: &str) -> Vec<String> {
        let sql = format!("SELECT n || ':' || id FROM {}.rows ORDER BY n, id", self.schema);
        postgres::find().unwrap().ask_in(database, &sql).lines().map(str::to_owned).collect()
    }

    /// Plays one scenario from the former rows to the new ones, and back; says whether it came to pass, or what went wrong.
    fn play(&self, effect: &str, what: What) -> Result<bool, String> {
        let told = |why: &str, ended: &Ended| format!("{effect} {what:?}: {why}: {}; {}", self.rows(), said(ended));
        let broken = self.replay("mended", &what.fault(effect));
        if what == What::StopBefore && broken.stands_still() {
            let other = self.replay("mended", "").end();
            if ![FORMER, NEW].contains(&self.rows().as_str()) {
                return Err(told("while another process stands still", &other));
            }
            broken.signal("CONT");
        }
        let ended = broken.end();
        let is_struck = self.passed().iter().any(|passed| passed == effect);
        let found = self.rows();
        if ![FORMER, NEW].contains(&found.as_str()) || (ended.code == Some(0) && found != NEW) {
            return Err(told("neither the former rows nor the new ones", &ended));
        }
        for (flow, rows) in [("mended", NEW), ("filtered", FORMER)] {
            let ended = self.replay(flow, "").end();
            if ended.code != Some(0) || self.rows() != rows {
                return Err(told("given again", &ended));
            }
        }
        Ok(is_struck)
    }
}

fn play_in(kind: Kind, schema: &str) -> (usize, Vec<String>) {
    let (table, extent) = (Table::new(kind, schema, ""), Extent::of_environment());
    let (mut played, mut wrong) = (0, Vec::new());
    for (index, effect) in table.effects(extent).iter().enumerate() {
        for what in What::of(extent, index) {
            match table.play(effect, what) {
                Ok(is_struck) => played += usize::from(is_struck),
                Err(why) => wrong.push(format!("{kind:?}: {why}")),
            }
        }
    }
    // The flow goes on from there.
    table.place.append("lines.csv", "8,a,80\n");
    let ended = Running::start(table.command("filtered", "run", "")).end();
    if ended.code != Some(0) || table.rows() != format!("{FORMER} 2:8") {
        wrong.push(format!("{kind:?}: the next iteration: {}; {}", table.rows(), said(&ended)));
    }
    (played, wrong)
}

pub(crate) fn play_all() {
    let mut kinds = vec![(Kind::Sqlite, "none")];
    if postgres::find().is_some() {
        kinds.push((Kind::Postgres, "replayed"));
    }
    let isolations = [(Isolation::Snapshot, "replayed_snapshot"), (Isolation::Serializable, "replayed_serializable")];
    let warehouses = isolations.into_iter().filter(|(isolation, _)| services::redshift_of(*isolation).is_some());
    let warehouses: Vec<_> = warehouses.map(|(isolation, schema)| (Kind::Redshift(isolation), schema)).collect();
    if !warehouses.is_empty() {
        // Another test may have made it.
        services::ministack().unwrap().create_bucket(BUCKET);
    }
    kinds.extend(&warehouses);
    let reports: Vec<(usize, Vec<String>)> = thread::scope(|threads| {
        let games: Vec<_> = kinds.iter().map(|(kind, schema)| threads.spawn(move || play_in(*kind, schema))).collect();
        games.into_iter().map(|game| game.join().unwrap()).collect()
    });
    let (played, wrong) = reports.into_iter().fold((0, Vec::new()), |mut all, (played, wrong)| {
        all.1.extend(wrong);
        (all.0 + played, all.1)
    });
    println!("{played} replays in place were broken, {} went wrong", wrong.len());
    assert!(wrong.is_empty() && played > 0, "{wrong:#?}");
    // That it would be noticed: each statement a transaction of its own, so that a death leaves no rows.
    if let Some((kind, _)) = warehouses.first() {
        let table = Table::new(*kind, "replayed_apart", "transaction_dropped");
        assert!(table.play("redshift.copy#1", What::KillBefore).is_err());
    }
}
