//! What a flow needs on AWS: its streams and their consumers, buckets and tables, each of which `setup` makes and `teardown` deletes.

use std::time::Duration;

use super::{
    Account, Trouble,
    clients::{
        buckets::Buckets,
        consumers::ConsumerState,
        dynamodb::{TableDefinition, TableState, TableSummary, Tables, checkpoint_table},
        streams::{StreamState, StreamSummary, Streams},
    },
    retrying, wait,
};
use crate::{
    Address, Error, Failure,
    aws::Patience,
    effect::clock,
    plan::{PortKind, PortPlan},
    sink::dynamodb,
};

/// How long something may take to come or go; a stream takes half a minute.
const WAIT_MAX: Duration = Duration::from_secs(600);
/// Between two looks, growing.
const POLL_FIRST: Duration = Duration::from_millis(200);
const POLL_MAX: Duration = Duration::from_secs(2);

/// What it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum What {
    Stream,
    /// Of a stream, by enhanced fan-out; it is called `stream/consumer`.
    Consumer,
    Bucket,
    /// The table in which iterations are kept.
    Checkpoint,
    /// A table that is read, with whatever key its owner gave it.
    Table,
    /// A table that a sink fills.
    Target,
    /// The table that remembers what was published to such tables.
    Ledger,
}

/// One thing, and whose need it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Resource {
    pub(crate) what: What,
    pub(crate) name: String,
    pub(crate) account: Account,
    /// The ports that use it; empty for what keeps iterations.
    pub(crate) ports: Vec<String>,
    /// What a table of flow's own making is to be.
    pub(crate) table: Option<TableDefinition>,
    /// Of the table of ledgers, the tables that it remembers things of.
    pub(crate) remembers: Vec<String>,
}

/// How it is with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum State {
    Missing,
    Coming,
    /// With what is in it, in words.
    There(String),
    Going,
}

impl Resource {
    /// What the address of a port needs, if it is on AWS; of one whose rows are loaded from S3, the bucket.
    pub(crate) fn of_port(port: &PortPlan, address: &Address) -> Option<Self> {
        if let Some(staging) = address.staging() {
            return Self::of_port(port, &staging);
        }
        let path = address.path().strip_prefix("//")?;
        let is_written = matches!(port.kind, PortKind::Sink | PortKind::Trap);
        let (what, name) = match address.tap() {
            "kinesis" => (What::Stream, path),
            "s3" => (What::Bucket, path.split('/').next().unwrap_or_default()),
            "dynamodb" if is_written => (What::Target, path),
            "dynamodb" => (What::Table, path),
            _ => return None,
        };
        let table = (what == What::Target).then(|| dynamodb::definition(port));
        Some(Self { table, ..Self::named(what, name, address, vec![port.name.to_owned()])? })
    }

    /// The table that remembers what was published to this one, if a sink fills it.
    pub(crate) fn ledger(&self) -> Option<Self> {
        let of = |target: &Self| Self {
            what: What::Ledger,
            name: dynamodb::LEDGER_TABLE.to_owned(),
            table: Some(checkpoint_table()),
            remembers: vec![target.name.clone()],
            ..target.clone()
        };
        (self.what == What::Target).then(|| of(self))
    }

    /// The consumer by which a port reads its stream, if it says one.
    pub(crate) fn consumer_of_port(port: &PortPlan, address: &Address) -> Option<Self> {
        let consumer = address.option("consumer").filter(|name| !name.is_empty())?;
        let stream = Self::of_port(port, address).filter(|resource| resource.what == What::Stream)?;
        Some(Self { what: What::Consumer, name: format!("{}/{consumer}", stream.name), ..stream })
    }

    /// What keeps iterations, if it is on AWS.
    pub(crate) fn of_checkpoint(address: &Address) -> Option<Self> {
        let path = address.path().strip_prefix("//").filter(|_| address.tap() == "dynamodb")?;
        let table = Some(checkpoint_table());
        Some(Self { table, ..Self::named(What::Checkpoint, path, address, Vec::new())? })
    }

    fn named(what: What, name: &str, address: &Address, ports: Vec<String>) -> Option<Self> {
        let is_named = !name.is_empty() && !name.contains('/');
        let (name, account) = (name.to_owned(), Account::of(address));
        is_named.then(|| Self { what, name, account, ports, table: None, remembers: Vec::new() })
    }

    /// Whether it is the same thing.
    pub(crate) fn is(&self, other: &Self) -> bool {
        (self.what, &self.name, &self.account) == (other.what, &other.name, &other.account)
    }

    /// Whether `setup` makes it and `teardown` deletes it; what is in other tables is their owner's.
    pub(crate) fn is_ours(&self) -> bool {
        self.what != What::Table
    }

    /// How it is with it now.
    ///
    /// # Errors
    /// When that cannot be found out, or it cannot be used.
    pub(crate) fn look(&self) -> Result<State, Error> {
        let name = &self.name;
        match self.what {
            What::Stream => {
                let streams = wait(Streams::of(&self.account))?;
                Ok(self.asked("look at", async || streams.summary(name).await)?.map_or(State::Missing, stream_state))
            }
            What::Consumer => {
                let streams = wait(Streams::of(&self.account))?;
                let (stream, name) = self.consumer();
                let consumer = self.asked("look at", async || streams.consumer(stream, name).await)?;
                Ok(consumer.map_or(State::Missing, |consumer| match consumer.state {
                    ConsumerState::Creating => State::Coming,
                    ConsumerState::Active => State::There("registered".to_owned()),
                    ConsumerState::Deleting => State::Going,
                }))
            }
            What::Bucket => {
                let buckets = wait(Buckets::of(&self.account))?;
                if !self.asked("look at", async || buckets.is_there(name).await)? {
                    return Ok(State::Missing);
                }
                let is_empty = self.asked("look into", async || buckets.is_empty(name).await)?;
                Ok(State::There(if is_empty { EMPTY } else { "objects in it" }.to_owned()))
            }
            What::Checkpoint | What::Table | What::Target | What::Ledger => {
                let tables = wait(Tables::of(&self.account))?;
                match self.asked("look at", async || tables.describe(name).await)? {
                    None => Ok(State::Missing),
                    Some(table) => self.table_state(&table),
                }
            }
        }
    }

    fn table_state(&self, table: &TableSummary) -> Result<State, Error> {
        let has_key = |wanted: &TableDefinition| {
            (&table.definition.partition_key, &table.definition.sort_key) == (&wanted.partition_key, &wanted.sort_key)
        };
        if table.state == TableState::Active && !self.table.as_ref().is_none_or(has_key) {
            let (by, help) = match self.what {
                What::Target => ("the sink", "it is somebody else's: give the sink another table"),
                What::Ledger => {
                    ("ledgers are kept by", "it is somebody else's: a sink needs an account where it is not")
                }
                _ => ("iterations are kept by", "it is somebody else's: give --checkpoint another name"),
            };
            let failure = Failure::new(format!("the table has another key than {by}")).at(self.place());
            return Err(self.error()(failure.help(help)));
        }
        Ok(match table.state {
            TableState::Creating => State::Coming,
            TableState::Active => State::There(format!("about {} items", table.items)),
            TableState::Deleting => State::Going,
            TableState::Unusable => {
                let failure = Failure::new("the table cannot be used").at(self.place());
                return Err(self.error()(failure.help("it is archived, or the key that encrypts it is not to be had")));
            }
        })
    }

    /// Has it made, and waits until it can be used: a stream of so many shards, or of as many as it takes.
    ///
    /// # Errors
    /// When the service refuses, or it takes too long.
    pub(crate) fn create(&self, shards: Option<u32>) -> Result<(), Error> {
        let name = &self.name;
        match self.what {
            What::Stream => {
                let streams = wait(Streams::of(&self.account))?;
                self.asked("create", async || unless_in_use(streams.create(name, shards).await))?;
            }
            What::Consumer => {
                let streams = wait(Streams::of(&self.account))?;
                let (stream, name) = self.consumer();
                self.asked("register", async || unless_in_use(streams.register(stream, name).await))?;
            }
            What::Bucket => {
                let buckets = wait(Buckets::of(&self.account))?;
                self.asked("create", async || unless_in_use(buckets.create(name).await))?;
            }
            What::Checkpoint | What::Table | What::Target | What::Ledger => {
                let Some(table) = &self.table else { return Ok(()) };
                let tables = wait(Tables::of(&self.account))?;
                self.asked("create", async || unless_in_use(tables.create(name, table).await))?;
            }
        }
        self.wait_until("come", |state| matches!(state, State::There(_)))
    }

    /// Has it deleted, and waits until it is gone.
    ///
    /// # Errors
    /// When the service refuses, or it takes too long.
    pub(crate) fn delete(&self) -> Result<(), Error> {
        let name = &self.name;
        match self.what {
            What::Stream => {
                let streams = wait(Streams::of(&self.account))?;
                self.asked("delete", async || streams.delete(name).await)?;
            }
            What::Consumer => {
                let streams = wait(Streams::of(&self.account))?;
                let (stream, name) = self.consumer();
                self.asked("deregister", async || streams.deregister(stream, name).await)?;
            }
            What::Bucket => {
                let buckets = wait(Buckets::of(&self.account))?;
                self.asked("delete", async || buckets.delete(name).await)?;
            }
            What::Checkpoint | What::Target => {
                let tables = wait(Tables::of(&self.account))?;
                self.asked("delete", async || tables.delete(name).await)?;
            }
            What::Table | What::Ledger => return Ok(()),
        }
        self.wait_until("go", |state| *state == State::Missing)
    }

    /// Waits until it is as `is_done` wants it.
    pub(crate) fn wait_until(&self, verb: &str, is_done: impl Fn(&State) -> bool) -> Result<(), Error> {
        let began = clock::elapsed();
        let mut pause = POLL_FIRST;
        while !is_done(&self.look()?) {
            if clock::elapsed().saturating_sub(began) > WAIT_MAX {
                let what = format!("waited {} s for it to {verb}", WAIT_MAX.as_secs());
                return Err(self.error()(Failure::new(what).at(self.place()).help("run the command again")));
            }
            clock::sleep(pause);
            pause = (pause * 2).min(POLL_MAX);
        }
        Ok(())
    }

    pub(super) fn asked<T>(&self, verb: &str, call: impl AsyncFnMut() -> Result<T, Trouble>) -> Result<T, Error> {
        wait(retrying(Patience::USUAL, call))
            .map_err(|trouble| self.error()(trouble.failure(format!("cannot {verb} it")).at(self.place())))
    }

    /// What goes wrong with it.
    fn error(&self) -> fn(Failure) -> Error {
        match self.what {
            What::Checkpoint => Error::Store,
            What::Target | What::Ledger => Error::Target,
            _ => Error::Input,
        }
    }

    /// Its stream, and what it is called there.
    fn consumer(&self) -> (&str, &str) {
        self.name.split_once('/').unwrap_or((&self.name, ""))
    }

    /// ``stream `access-log` ``.
    pub(crate) fn place(&self) -> String {
        let what = match self.what {
            What::Stream => "stream",
            What::Consumer => "consumer",
            What::Bucket => "bucket",
            What::Checkpoint => "checkpoint table",
            What::Table | What::Target => "table",
            What::Ledger => "table of ledgers",
        };
        format!("{what} `{}`", self.name)
    }
}

/// What is in a bucket that may be deleted.
pub(crate) const EMPTY: &str = "empty";

/// An earlier attempt, or somebody else at the same moment, has done it.
fn unless_in_use(created: Result<(), Trouble>) -> Result<(), Trouble> {
    match created {
        Err(trouble) if trouble.kind == super::Kind::InUse => Ok(()),
        created => created,
    }
}

fn stream_state(stream: StreamSummary) -> State {
    let mode = if stream.is_on_demand { "on demand, " } else { "" };
    let StreamSummary { open_shards, retention_hours, .. } = stream;
    match stream.state {
        StreamState::Creating => State::Coming,
        StreamState::Active => {
            let shards = if open_shards == 1 { "shard" } else { "shards" };
            State::There(format!("{mode}{open_shards} {shards}, records of {retention_hours} h"))
        }
        StreamState::Deleting => State::Going,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{plan::FieldPlan, value::Type};

    static FIELDS: [FieldPlan; 2] = [field("ip", Type::Text), field("day", Type::I64)];
    static LOG: PortPlan = port("log", PortKind::Source, &[]);

    const fn field(name: &'static str, ty: Type) -> FieldPlan {
        FieldPlan { name, ty, nullable: false, column: None, add: false }
    }

    const fn port(name: &'static str, kind: PortKind, key: &'static [usize]) -> PortPlan {
        let (about, scheme, covers) = ("", "", &[] as &[&str]);
        PortPlan { name, kind, about, scheme, fields: &FIELDS, key, grouped: false, covers, line: 0 }
    }

    #[test]
    fn a_table_that_a_sink_fills_has_the_sinks_key_and_a_ledger() {
        let address = "dynamodb://counts?mode=merge&region=eu-central-1".parse().unwrap();
        let found = Resource::of_port(&port("counts", PortKind::Sink, &[1, 0]), &address).unwrap();
        assert_eq!((found.what, found.place()), (What::Target, "table `counts`".to_owned()));
        let table = found.table.clone().unwrap();
        let sort = table.sort_key.unwrap();
        assert_eq!((table.partition_key.name, table.partition_key.kind), ("day".to_owned(), "N".to_owned()));
        assert_eq!((sort.name, sort.kind), ("ip".to_owned(), "S".to_owned()));
        let ledger = found.ledger().unwrap();
        assert_eq!((ledger.place(), ledger.remembers), ("table of ledgers `flow_ledger`".to_owned(), vec![found.name]));
        assert_eq!(ledger.account.region.as_deref(), Some("eu-central-1"));
        assert_eq!(Resource::of_port(&LOG, &address).and_then(|read| read.ledger()), None);
    }

    #[test]
    fn what_a_port_needs_stands_in_its_address() {
        let of = |text: &str| Resource::of_port(&LOG, &text.parse().unwrap()).map(|found| (found.what, found.name));
        assert_eq!(of("kinesis://access-log?start=oldest"), Some((What::Stream, "access-log".to_owned())));
        assert_eq!(of("s3://logs/2015/03/*.gz"), Some((What::Bucket, "logs".to_owned())));
        assert_eq!(of("dynamodb://campaigns"), Some((What::Table, "campaigns".to_owned())));
        for other in ["file:access.log", "kinesis:access-log", "s3://", "sqlite://x"] {
            assert_eq!(of(other), None, "{other}");
        }
    }

    #[test]
    fn a_consumer_is_a_thing_of_its_stream() {
        let of = |text: &str| Resource::consumer_of_port(&LOG, &text.parse().unwrap()).map(|found| found.place());
        assert_eq!(of("kinesis://access-log?consumer=counts"), Some("consumer `access-log/counts`".to_owned()));
        for other in ["kinesis://access-log", "kinesis://access-log?consumer=", "s3://logs?consumer=counts"] {
            assert_eq!(of(other), None, "{other}");
        }
    }

    #[test]
    fn iterations_in_a_file_need_nothing() {
        let of = |text: &str| Resource::of_checkpoint(&text.parse().unwrap()).map(|found| found.what);
        assert_eq!((of("dynamodb://flow"), of("sqlite:flow.db")), (Some(What::Checkpoint), None));
    }
}
