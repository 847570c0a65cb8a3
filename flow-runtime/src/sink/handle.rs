//! [`Sink`] and [`Trap`]: the handles that a flow's struct holds.

use std::fmt;

use super::{Mode, memory::MemoryRows};
use crate::address::without_secrets;

/// Where an output goes; opened when the run starts.
#[derive(Clone, Default)]
pub enum Target {
    /// Nowhere yet: the command line must say. An unbound trap is an error only when a record is trapped.
    #[default]
    Unbound,
    /// An address.
    Address(String),
    /// Rows in memory.
    Memory(MemoryRows),
}

impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unbound => f.write_str("Unbound"),
            Self::Address(text) => f.debug_tuple("Address").field(&without_secrets(text)).finish(),
            Self::Memory(rows) => f.debug_tuple("Memory").field(rows).finish(),
        }
    }
}

/// An output.
#[derive(Clone, Debug, Default)]
pub struct Sink {
    /// Where it goes.
    pub target: Target,
    /// What happens to rows that are there already, if chosen here; an address may say `?mode=…` instead.
    pub mode: Option<Mode>,
}

/// Where records go that fail; always appended to.
#[derive(Clone, Debug, Default)]
pub struct Trap {
    /// Where it goes.
    pub target: Target,
}

impl Sink {
    /// Writes to an address; it is looked at when the run opens.
    ///
    /// - `file:counts.csv`: a text file, values between commas.
    /// - `sqlite:counts.db?table=counts`: a table of a SQLite file.
    /// - `postgres://user@host:5432/database?table=schema.table`, in programs built with the feature `postgres`: a table
    ///   of a PostgreSQL server. The password comes from the address, from `PGPASSWORD` or from `~/.pgpass`; connections
    ///   are not encrypted. `connect_timeout=10s` and `statement_timeout=10m` say how long to wait. A row with text or a number
    ///   that its column cannot hold, as the flow declares it (`as varchar(100)`), is trapped; what else the server
    ///   refuses stops the load.
    /// - `s3://bucket/prefix`, in programs built with the feature `aws`: objects of delimited text or JSON below a prefix that
    ///   is this port's alone. `format=csv|json`, `compression=gzip|zstd|none`, `partition=day,site` for a folder for each value
    ///   (`day=2026-11-22/site=a/`; the fields stay in the rows), for `csv` the options of `file:`, and `region`, `endpoint`,
    ///   `profile` and `role`. Null is nothing in `csv`, where empty text is `""`, and `null` in `json`. It cannot merge. A reader
    ///   begins at `prefix/_flow/current.json`, which names the last manifest; each names its objects (`entries`) and the manifest
    ///   before it (`previous`), and so each row is found once, of an iteration all or none. Who wants many manifests at once has
    ///   the keys of those before the last in `recent`, the oldest first, and of all before these in `index`: an object with the
    ///   keys `manifests` and the index before it, `previous`. Who lists the objects instead also sees those that are not
    ///   published yet, or never will be, and with `mode=replace` former ones. A row whose folder does not fit a key is trapped.
    /// - `redshift://user@host:5439/database?table=schema.table&staging=s3://bucket/prefix&role=arn:aws:iam::…`, in programs
    ///   built with the feature `redshift`: a table of Amazon Redshift. Rows are staged below the prefix as CSV
    ///   (`compression=gzip|zstd|none`), by the account of the environment (`region`, `profile`, `endpoint`, `staging_role`),
    ///   and loaded by COPY, which reads them by the `role` (`default` is the cluster's own), or with `copy=keys` by the keys
    ///   of who stages. The password is found as for `postgres:`; connections are encrypted, and the server's certificate is
    ///   looked at (`sslmode=disable` where the network can be trusted; `sslrootcert=file.pem` for an authority of one's own,
    ///   which alone is believed then). A table that is made is laid out by `distkey=field` and `sortkey=field,field`; text
    ///   without `as …` becomes `varchar(65535)`, moments `timestamp` in UTC. Bytes cannot be stored, and so traps go
    ///   elsewhere. What merging takes for one key is what the flow takes for one: keys that differ in blanks at their ends,
    ///   or in upper and lower case, are rows of their own, although Redshift may call them equal in your queries. A row that
    ///   its column cannot hold is trapped; what COPY refuses all the same stops the load, and the error says file, line,
    ///   column, type, value, and the record's position in its source, or for a group the positions that the iteration has read.
    /// - `dynamodb://table?mode=merge`, in programs built with the feature `aws`: the items of a table by the sink's key. They are
    ///   written one by one, each row once, so that a reader may see a part of an iteration; with `keys=once`, where no key comes
    ///   in two rows, 25 at a time. `setup` makes the table.
    /// - `stdout:`: rows for people and pipes, without a promise.
    ///
    /// Without `table=` a table is named after the port. All take `mode=append|replace|merge` where the program does not
    /// choose, and all but `stdout:` take `from=N`: the target begins with iteration N. Tables of `postgres:`, `redshift:` and
    /// `sqlite:` take `iteration_column=NAME` with `mode=append`: a column has the number of each row's iteration, and
    /// `replay` can put other rows in the place of an iteration's. In a table that is there already, `setup` adds the column
    /// (of SQLite the error says how), and it is null in the rows from before.
    pub fn at(address: impl Into<String>) -> Self {
        Self { target: Target::Address(address.into()), mode: None }
    }

    /// Writes to memory.
    #[must_use]
    pub fn memory(rows: &MemoryRows) -> Self {
        Self { target: Target::Memory(rows.clone()), mode: None }
    }

    /// Has no address until the command line gives one.
    #[must_use]
    pub fn unbound() -> Self {
        Self::default()
    }

    /// Adds rows to those that are there.
    #[must_use]
    pub fn append(self) -> Self {
        Self { mode: Some(Mode::Append), ..self }
    }

    /// Replaces the rows that are there.
    #[must_use]
    pub fn replace(self) -> Self {
        Self { mode: Some(Mode::Replace), ..self }
    }

    /// Merges rows with those of equal key.
    #[must_use]
    pub fn merge(self) -> Self {
        Self { mode: Some(Mode::Merge), ..self }
    }
}

impl Trap {
    /// Writes to an address; it is looked at when the first record is trapped.
    pub fn at(address: impl Into<String>) -> Self {
        Self { target: Target::Address(address.into()) }
    }

    /// Writes to memory.
    #[must_use]
    pub fn memory(rows: &MemoryRows) -> Self {
        Self { target: Target::Memory(rows.clone()) }
    }

    /// Has no address until the command line gives one.
    #[must_use]
    pub fn unbound() -> Self {
        Self::default()
    }
}
