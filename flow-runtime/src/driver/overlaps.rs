//! Refuses ports that lie on one another: an output on an input, on another output, or on the checkpoint store; and inputs that
//! take from each other what comes but once.
//!
//! Each of these would destroy something: a log that rows are added to, a flow fed with its own rows, a ledger.

use std::path::Path;

use super::Checkpoint;
use crate::{
    Address, Error, Failure,
    flow::PortRef,
    sink::{self, Target},
    source::{self, Input, Paths, is_same_file},
};

/// A port that is bound to what another one may be bound to as well.
struct Bound {
    port: &'static str,
    place: String,
    to: Files,
}

enum Files {
    Stdin,
    /// By a consumer of a stream, of which each shard is pushed to one subscriber at a time.
    Pushed(String),
    Read(Paths),
    /// A file, or one table in it.
    Written(String, Option<String>),
    /// A table of a server.
    Served(String),
    /// The same, read.
    Scanned(String),
    /// Objects in a bucket.
    Objects(Keys),
    /// All below a prefix in a bucket.
    Prefix(Keys),
}

/// Keys of a bucket, as an address names them.
#[derive(PartialEq, Eq)]
struct Keys {
    endpoint: Option<String>,
    bucket: String,
    /// A prefix, without slashes around it, or a glob.
    text: String,
}

impl Keys {
    fn of(address: &Address) -> Option<Self> {
        let path = address.path().strip_prefix("//")?;
        let (bucket, text) = path.split_once('/').unwrap_or((path, ""));
        let endpoint = address.option("endpoint").map(str::to_owned);
        Some(Self { endpoint, bucket: bucket.to_owned(), text: text.trim_matches('/').to_owned() })
    }

    fn are_in_one_bucket(&self, other: &Self) -> bool {
        (&self.endpoint, &self.bucket) == (&other.endpoint, &other.bucket)
    }

    /// Whether one of both may lie below the other, name by name; one of them may be a glob.
    fn may_meet(&self, prefix: &Self) -> bool {
        let names = |text: &'_ str| text.split('/').filter(|name| !name.is_empty()).map(str::to_owned).collect();
        let (own, of_prefix): (Vec<String>, Vec<String>) = (names(&self.text), names(&prefix.text));
        let is_glob = self.text.contains(['*', '[']);
        // A glob means keys of as many names as it has: those below the prefix have more names than the prefix.
        let is_too_short = is_glob && !own.iter().any(|name| name == "**") && own.len() <= of_prefix.len();
        let mut pairs = own.iter().take_while(|name| *name != "**").zip(&of_prefix);
        let is_same = |(own, other): (&String, &String)| match glob::Pattern::new(own) {
            Ok(pattern) if is_glob => pattern.matches(other),
            _ => own == other,
        };
        self.are_in_one_bucket(prefix) && !is_too_short && pairs.all(is_same)
    }
}

/// Looks at all ports of a flow, by their names, and at its store.
///
/// # Errors
/// [`Error::Config`] that names the first ports that overlap.
pub(super) fn refuse<'a>(
    ports: impl IntoIterator<Item = (&'static str, PortRef<'a>)>,
    checkpoint: &Checkpoint,
) -> Result<(), Error> {
    match find(ports, checkpoint).into_iter().next() {
        None => Ok(()),
        Some((_, failure)) => Err(Error::Config(failure)),
    }
}

/// All overlaps, each with the port that is to be bound elsewhere.
pub(super) fn find<'a>(
    ports: impl IntoIterator<Item = (&'static str, PortRef<'a>)>,
    checkpoint: &Checkpoint,
) -> Vec<(&'static str, Failure)> {
    let bound: Vec<Bound> = ports.into_iter().filter_map(|(name, port)| Bound::of(name, &port)).collect();
    let mut found = Vec::new();
    for (index, one) in bound.iter().enumerate() {
        let with_store = match checkpoint {
            Checkpoint::Sqlite(store) => one.overlap_with_store(store),
            Checkpoint::None | Checkpoint::DynamoDb(_) => None,
        };
        if let Some(what) = with_store.or_else(|| bound[..index].iter().find_map(|other| other.overlap(one))) {
            let failure = Failure::new(what).at(one.place.clone());
            found.push((one.port, failure.help(one.to.help())));
        }
    }
    found
}

impl Bound {
    fn of(port: &'static str, bound: &PortRef<'_>) -> Option<Self> {
        let (place, to) = match bound {
            PortRef::Source(from) => (source::place(&from.input), Files::read(&from.input)?),
            PortRef::Table(from) => (source::place(&from.input), Files::read(&from.input)?),
            PortRef::Sink(to) => (sink::place(&to.target), Files::written(&to.target, port)?),
            PortRef::Trap(to) => (sink::place(&to.target), Files::written(&to.target, port)?),
        };
        Some(Self { port, place, to })
    }

    fn overlap_with_store(&self, store: &Path) -> Option<String> {
        let (overlaps, verb) = match &self.to {
            Files::Stdin | Files::Pushed(_) | Files::Objects(_) | Files::Prefix(_) | Files::Scanned(_) => return None,
            Files::Read(paths) => (paths.include(store), "read"),
            Files::Written(path, _) => (is_same_file(store, path.as_ref()), "write to"),
            Files::Served(_) => (false, "write to"),
        };
        overlaps.then(|| format!("port `{}` would {verb} the checkpoint store", self.port))
    }

    fn overlap(&self, later: &Self) -> Option<String> {
        let would_read = |written: &Self, read: &Self| {
            Some(format!("port `{}` would write to what port `{}` reads", written.port, read.port))
        };
        let reads = |written: &Self, path: &str, read: &Self, paths: &Paths| {
            if paths.include(path.as_ref()) { would_read(written, read) } else { None }
        };
        let reads_below = |written: &Self, prefix: &Keys, read: &Self, keys: &Keys| {
            if keys.may_meet(prefix) { would_read(written, read) } else { None }
        };
        let one_place = || Some(format!("ports `{}` and `{}` write to the same place", self.port, later.port));
        match (&self.to, &later.to) {
            (Files::Served(one), Files::Served(other)) if one == other => one_place(),
            (Files::Scanned(read), Files::Served(written)) if read == written => would_read(later, self),
            (Files::Served(written), Files::Scanned(read)) if read == written => would_read(self, later),
            (Files::Stdin, Files::Stdin) => {
                Some(format!("ports `{}` and `{}` would share standard input", self.port, later.port))
            }
            (Files::Pushed(one), Files::Pushed(other)) if one == other => {
                Some(format!("ports `{}` and `{}` would share a consumer", self.port, later.port))
            }
            (Files::Prefix(one), Files::Prefix(other)) if one == other => one_place(),
            (Files::Prefix(one), Files::Prefix(other)) => one
                .may_meet(other)
                .then(|| format!("of ports `{}` and `{}` one writes below the other's prefix", self.port, later.port)),
            (Files::Objects(keys), Files::Prefix(prefix)) => reads_below(later, prefix, self, keys),
            (Files::Prefix(prefix), Files::Objects(keys)) => reads_below(self, prefix, later, keys),
            (Files::Read(paths), Files::Written(path, _)) => reads(later, path, self, paths),
            (Files::Written(path, _), Files::Read(paths)) => reads(self, path, later, paths),
            (Files::Written(one, table), Files::Written(other, other_table)) => {
                let is_one_place = table == other_table || table.is_none() || other_table.is_none();
                if is_one_place && is_same_file(one.as_ref(), other.as_ref()) { one_place() } else { None }
            }
            _ => None,
        }
    }
}

impl Files {
    fn help(&self) -> &'static str {
        match self {
            Self::Pushed(_) => {
                "give each a consumer of its own: by one, they take the subscription from each other for ever"
            }
            _ => "give each a file, or in a database a table, or in a bucket a prefix, of its own",
        }
    }

    fn read(input: &Input) -> Option<Self> {
        let Input::Address(text) = input else { return None };
        let address = text.parse::<Address>().ok()?;
        match address.tap() {
            "file" => Some(Self::Read(Paths::new(address.path()))),
            "s3" => Keys::of(&address).map(Self::Objects),
            "stdin" => Some(Self::Stdin),
            "dynamodb" => Some(Self::Scanned(of_account(&address))),
            "kinesis" => {
                let consumer = address.option("consumer")?;
                Some(Self::Pushed(format!("{} {consumer:?}", of_account(&address))))
            }
            _ => None,
        }
    }

    fn written(target: &Target, port: &str) -> Option<Self> {
        let Target::Address(text) = target else { return None };
        let address: Address = text.parse().ok()?;
        let table = match address.tap() {
            "file" => None,
            "sqlite" => Some(address.option("table").unwrap_or(port).to_ascii_lowercase()),
            "s3" => return Keys::of(&address).map(Self::Prefix),
            "dynamodb" => return Some(Self::Served(of_account(&address))),
            "postgres" => return Some(Self::Served(sink::identity(target, port))),
            _ => return None,
        };
        Some(Self::Written(address.path().to_owned(), table))
    }
}

/// What an address names, as far as it says whose it is.
fn of_account(address: &Address) -> String {
    let whose = ["endpoint", "profile", "role"].map(|name| address.option(name));
    format!("{} {whose:?} {:?}", address.path(), region(address))
}

/// The region that is meant, also where another address says it and this one does not.
fn region(address: &Address) -> Option<String> {
    #[cfg(feature = "aws")]
    return crate::aws::Account::of(address).known_region();
    #[cfg(not(feature = "aws"))]
    return address.option("region").map(str::to_owned);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Sink, Source, Table, Trap};

    /// What is said when the four ports and the store are bound like this; nothing if nothing is wrong.
    fn refusal(log: &str, hosts: &str, counts: &str, bad: &str, store: &str) -> String {
        let (log, hosts) = (Source::at(log), Table::at(hosts));
        let (counts, bad) = (Sink::at(counts), Trap::at(bad));
        let ports = [
            ("log", PortRef::Source(&log)),
            ("hosts", PortRef::Table(&hosts)),
            ("counts", PortRef::Sink(&counts)),
            ("bad", PortRef::Trap(&bad)),
        ];
        let checkpoint = if store.is_empty() { Checkpoint::None } else { Checkpoint::Sqlite(store.into()) };
        match refuse(ports, &checkpoint) {
            Ok(()) => String::new(),
            Err(Error::Config(failure)) => failure.account(),
            Err(other) => panic!("{other}"),
        }
    }

    #[test]
    fn ports_with_files_of_their_own_are_fine() {
        assert_eq!(refusal("file:*.log", "file:hosts", "sqlite:c.db", "file:bad.csv", "s.db"), "");
        assert_eq!(refusal("file:a", "file:a", "sqlite:c.db?table=c", "sqlite:c.db?table=b", "s.db"), "");
        assert_eq!(refusal("file:a", "file:a", "stdout:", "stdout:", ""), "");
    }

    #[test]
    fn what_a_flow_reads_is_not_written_to() {
        let to_log = "port `bad` would write to what port `log` reads (file:./out.log)";
        assert_eq!(refusal("file:*.log", "file:h", "sqlite:c", "file:./out.log", ""), to_log);
        let to_hosts = "port `counts` would write to what port `hosts` reads (sqlite:h)";
        assert_eq!(refusal("file:l", "file:src/../h", "sqlite:h", "file:b", ""), to_hosts);
    }

    #[test]
    fn two_outputs_do_not_write_to_one_place() {
        let outputs = |counts: &str, bad: &str| refusal("file:l", "file:h", counts, bad, "s.db");
        let same = |place: &str| format!("ports `counts` and `bad` write to the same place ({place})");
        assert_eq!(outputs("file:out/x.csv", "file:./out/x.csv"), same("file:./out/x.csv"));
        assert_eq!(outputs("sqlite:x.db?table=a", "sqlite:x.db?table=A"), same("sqlite:x.db?table=A"));
        assert_eq!(outputs("sqlite:x.db?table=bad", "sqlite:x.db"), same("sqlite:x.db"));
        assert_eq!(outputs("sqlite:x.db", "file:x.db"), same("file:x.db"));
        assert_eq!(outputs("sqlite:x.db", "sqlite:x.db"), "");
    }

    #[cfg(feature = "postgres")]
    #[test]
    fn two_outputs_do_not_write_to_one_table_of_a_server() {
        let outputs = |counts: &str, bad: &str| refusal("file:l", "file:h", counts, bad, "s.db");
        let same = "ports `counts` and `bad` write to the same place (postgres://b:…@DB:5432/x)";
        assert_eq!(outputs("postgres://a@db/x?table=public.bad", "postgres://b:c@DB:5432/x"), same);
        assert_eq!(outputs("postgres://db/x", "postgres://db/x"), "");
    }

    #[test]
    fn a_table_of_dynamodb_is_filled_by_one_port_and_read_by_none() {
        let ports = |hosts: &str, counts: &str, bad: &str| refusal("file:l", hosts, counts, bad, "");
        let (table, merged) = ("dynamodb://hits?segments=2", "dynamodb://hits?mode=merge");
        assert!(ports(table, merged, "stdout:").starts_with("port `counts` would write to what port `hosts` reads"));
        assert!(
            ports("file:h", merged, "dynamodb://hits").starts_with("ports `counts` and `bad` write to the same place")
        );
        assert_eq!(ports("dynamodb://hosts", merged, "dynamodb://hits?region=eu-central-1"), "");
    }

    #[test]
    fn a_flow_does_not_read_what_it_writes_below_a_prefix() {
        let outputs = |log: &str, bad: &str| refusal(log, "file:h", "stdout:", bad, "");
        let refused = "port `bad` would write to what port `log` reads";
        for (log, bad) in [
            ("s3://b/logs", "s3://b/logs/bad"),
            ("s3://b/logs/", "s3://b/logs"),
            ("s3://b", "s3://b/bad"),
            ("s3://b/out/bad/x", "s3://b/out"),
            ("s3://b/*/*.gz", "s3://b/bad"),
            ("s3://b/**/*.gz", "s3://b/out/bad"),
            ("s3://b/2026-*/x", "s3://b/2026-11"),
        ] {
            assert!(outputs(log, bad).starts_with(refused), "{log} {bad}");
        }
        for (log, bad) in [
            ("s3://b/logs", "s3://b/logs-bad"),
            ("s3://b/logs", "s3://c/logs"),
            ("s3://b/logs/*.gz", "s3://b/logs/bad"),
            ("s3://b/2025-*/x", "s3://b/2026-11"),
            ("s3://b/logs?endpoint=http://x", "s3://b/logs/bad"),
        ] {
            assert_eq!(outputs(log, bad), "", "{log} {bad}");
        }
    }

    #[test]
    fn no_output_writes_below_the_prefix_of_another() {
        let outputs = |counts: &str, bad: &str| refusal("file:l", "file:h", counts, bad, "");
        assert!(outputs("s3://b/x", "s3://b/x/").starts_with("ports `counts` and `bad` write to the same place"));
        for (counts, bad) in [("s3://b/x", "s3://b/x/bad"), ("s3://b/x/counts", "s3://b/x")] {
            assert!(outputs(counts, bad).starts_with("of ports `counts` and `bad` one writes below"), "{counts} {bad}");
        }
        assert_eq!(outputs("s3://b/x/counts", "s3://b/x/bad"), "");
    }

    #[test]
    fn only_one_port_reads_standard_input() {
        let shared = "ports `log` and `hosts` would share standard input (stdin:)";
        assert_eq!(refusal("stdin:", "stdin:", "stdout:", "file:b", ""), shared);
        assert_eq!(refusal("stdin:", "file:h", "stdout:", "file:b", ""), "");
    }

    #[test]
    fn two_ports_do_not_share_a_consumer() {
        let inputs = |log: &str, hosts: &str| refusal(log, hosts, "stdout:", "file:b", "");
        let log = "kinesis://s?consumer=c&region=r&start=latest";
        let shared = "ports `log` and `hosts` would share a consumer (kinesis://s?consumer=c&region=r)";
        assert_eq!(inputs(log, "kinesis://s?region=r&consumer=c"), shared);
        for other in ["kinesis://s?region=r", "kinesis://s?consumer=d&region=r", "kinesis://t?consumer=c&region=r"] {
            assert_eq!(inputs(log, other), "");
        }
        assert_eq!(inputs("kinesis://s", "kinesis://s"), "");
    }

    #[test]
    fn the_store_is_left_alone() {
        let with_store = |log: &str, counts: &str| refusal(log, "file:h", counts, "file:b", "./s.db");
        assert_eq!(with_store("file:*.db", "stdout:"), "port `log` would read the checkpoint store (*.db)");
        let written = "port `counts` would write to the checkpoint store (sqlite:s.db?table=counts)";
        assert_eq!(with_store("file:l", "sqlite:s.db?table=counts"), written);
    }
}
