//! `setup` and `teardown` of a table: what is made, said, changed and dropped.

use std::process::Command;

use flow_tests::{
    program::{Ended, Place, Running, hit},
    services::{CREDENTIALS, ministack, redshift::Redshift},
};
use serde_json::Value;

pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_count_hits");
/// The same with one field more.
const SIZED: &str = env!("CARGO_BIN_EXE_count_hits_sized");

/// A program with a warehouse, and the address of a table of its own.
pub(crate) struct Job {
    pub(crate) warehouse: &'static Redshift,
    pub(crate) place: Place,
    pub(crate) counts: String,
}

impl Job {
    /// The table, and the bucket that its rows are staged in.
    pub(crate) fn new(table: &str, bucket: &str) -> Option<Self> {
        Self::by("role=default", table, bucket)
    }

    /// The same, loaded by the keys of who runs the program.
    pub(crate) fn with_keys(table: &str, bucket: &str) -> Option<Self> {
        Self::by("copy=keys", table, bucket)
    }

    fn by(by: &str, table: &str, bucket: &str) -> Option<Self> {
        let warehouse = flow_tests::services::redshift()?;
        ministack()?;
        let rest = format!("table={table}&staging=s3://{bucket}/rows&{by}&sslmode=disable&mode=merge");
        let place = Place::new(PROGRAM);
        place.write("access.log", hit("a") + &hit("b"));
        place.write("hosts.txt", "a\nb\n");
        Some(Self { warehouse, place, counts: warehouse.address(&rest) })
    }

    pub(crate) fn run(&self, arguments: &str) -> Ended {
        self.start(PROGRAM, arguments, &self.counts)
    }

    /// With another address.
    pub(crate) fn run_bound(&self, arguments: &str, counts: &str) -> Ended {
        self.start(PROGRAM, arguments, counts)
    }

    fn run_as(&self, program: &str, arguments: &str) -> Ended {
        self.start(program, arguments, &self.counts)
    }

    fn start(&self, program: &str, arguments: &str, counts: &str) -> Ended {
        let mut command = Command::new(program);
        command.args(arguments.split(' '));
        // It knows no ports.
        if arguments != "iterations" {
            command.args(["--counts", counts]);
        }
        Running::start(self.at_home(command)).end()
    }

    /// In the folder of the job, with credentials.
    pub(crate) fn at_home(&self, mut command: Command) -> Command {
        command
            .current_dir(self.place.folder())
            .envs(CREDENTIALS)
            .env("AWS_SECRET_ACCESS_KEY", "swordfish")
            .env("AWS_SESSION_TOKEN", "swordfish-token");
        command.env("AWS_CONFIG_FILE", "none").env("AWS_SHARED_CREDENTIALS_FILE", "none");
        command.env("AWS_ENDPOINT_URL", ministack().unwrap().endpoint());
        command
    }
}

fn is_bucket(bucket: &str) -> bool {
    ministack().unwrap().http("HEAD", &format!("/{bucket}"), "", b"").status == 200
}

fn done(ended: &Ended) -> Vec<String> {
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let json: Value = ended.json();
    let text = |resource: &Value| {
        let word = |name: &str| resource[name].as_str().unwrap_or("-").to_owned();
        [word("what"), word("name"), word("was"), word("done")].join(" ")
    };
    json["resources"].as_array().unwrap().iter().map(text).collect()
}

#[test]
fn a_table_comes_with_its_ledger_and_bucket_and_goes_with_them() {
    let Some(job) = Job::new("made", "made-staging") else { return };
    let tables = "SELECT count(*) FROM pg_class WHERE relname IN ('made', 'flow_ledger_made')";
    let asked = job.run("setup --only counts");
    assert_eq!(asked.code, Some(2), "{asked:?}");
    assert!(
        asked.stderr.contains("table public.made (port `counts`): not there: create it\n    CREATE TABLE"),
        "{asked:?}"
    );
    assert_eq!(job.warehouse.ask(tables), "0");

    let made = done(&job.run("setup --only counts --yes --json"));
    assert_eq!(made, ["bucket made-staging missing created", "table public.made missing created"]);
    assert_eq!(job.warehouse.ask(tables), "2");
    let again = done(&job.run("setup --only counts --json"));
    assert_eq!(again, ["bucket made-staging there -", "table public.made there -"], "nothing is asked");

    assert_eq!(job.run("run").code, Some(0));
    assert_eq!(job.warehouse.ask("SELECT ip, count FROM made ORDER BY ip"), "a|1\nb|1");
    ministack().unwrap().put_object("made-staging", "rows/access_log_counts/0-dead/counts/rows-00001.csv.gz", "a");

    let asked = job.run("teardown --only counts");
    assert_eq!(asked.code, Some(2), "{asked:?}");
    let expected =
        "table public.made (port `counts`): DROP, with 2 rows and the ledger of what access_log_counts has loaded";
    assert!(asked.stderr.contains(expected), "{asked:?}");
    assert!(asked.stderr.contains("DELETE what 1 attempt of this flow staged for it (1 B)"), "{asked:?}");
    assert_eq!(job.warehouse.ask(tables), "2");

    let gone = done(&job.run("teardown --only counts --yes --json"));
    assert_eq!(gone, ["bucket made-staging there deleted", "table public.made there deleted"]);
    assert_eq!(job.warehouse.ask(tables), "0");
    assert!(!is_bucket("made-staging"));
    let gone = done(&job.run("teardown --only counts --json"));
    assert_eq!(gone, ["bucket made-staging missing -", "table public.made missing -"]);
}

#[test]
fn columns_that_the_table_lacks_are_proposed_and_added() {
    let Some(job) = Job::new("grown", "grown-staging") else { return };
    done(&job.run("setup --only counts --yes --json"));
    assert_eq!(job.run("run").code, Some(0));
    let proposed = job.run_as(SIZED, "setup --only counts");
    assert_eq!(proposed.code, Some(2), "{proposed:?}");
    let expected = "there (2 rows): change it\n    ALTER TABLE \"public\".\"grown\" ADD COLUMN \"size\" bigint\n";
    assert!(proposed.stderr.contains(expected), "{proposed:?}");
    let changed = done(&job.run_as(SIZED, "setup --only counts --yes --json"));
    assert_eq!(changed, ["bucket grown-staging there -", "table public.grown there changed"]);
    assert_eq!(job.warehouse.ask("SELECT ip, count, size FROM grown ORDER BY ip"), "a|1|∅\nb|1|∅");
}

#[test]
fn a_table_of_somebody_else_is_neither_changed_nor_dropped() {
    let Some(job) = Job::new("theirs", "theirs-staging") else { return };
    job.warehouse.run("CREATE TABLE theirs (name varchar(7))");
    let refused = job.run("setup --only counts --yes");
    assert_eq!(refused.code, Some(1), "{refused:?}");
    assert!(refused.stderr.contains("the table has other columns than the sink"), "{refused:?}");
    assert!(!is_bucket("theirs-staging"), "nothing is made where not all can be");
    let left = done(&job.run("teardown --only counts --yes --json"));
    assert_eq!(left, ["bucket theirs-staging missing -", "table public.theirs there -"]);
    assert_eq!(job.warehouse.ask("SELECT count(*) FROM theirs"), "0");
}
