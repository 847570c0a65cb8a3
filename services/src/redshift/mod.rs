//! A stand-in for Redshift: a real PostgreSQL behind a small proxy, which adds what Redshift has and takes away what it
//! has not. It is here to load tables by, to break the load at each statement, and to play with.
//!
//! **Adds**: COPY from S3 (manifest, gzip, zstd, CSV or delimited, `NULL AS`), with Redshift's notice, errors, and rows in
//! `stl_load_errors` and `sys_load_error_detail` that outlive the rollback; `pg_last_copy_count()`; `stv_locks`,
//! `svv_transactions`, `svv_table_info`, `pg_table_def`; distribution, sort keys and encodings in DDL; `varchar(max)`;
//! `GETDATE()`, `SYSDATE`.
//!
//! **Takes away**: keys are noted, not enforced; `varchar(n)` counts bytes; COPY cuts decimals off; TRUNCATE commits; LOCK has
//! one mode, which shuts readers out, and in a request of several statements comes after the snapshot; writers of a table
//! queue; quoted names are folded; a backslash in a literal escapes; blanks at the end of a varchar column do not count where
//! it is compared; UPDATE … FROM wants an equality; `svv_transactions` shows its own to who is no superuser; there is no ON
//! CONFLICT, RETURNING, COPY of the client's data, index, trigger, serial column, savepoint, FOR UPDATE, IS DISTINCT FROM,
//! advisory lock, extended protocol, number of rows after SELECT.
//!
//! **Isolation** ([`Isolation`]): a snapshot is taken by the first statement other than BEGIN and LOCK. `Snapshot` lets two
//! transactions commit what each checked before the other wrote, unless both wrote the same row; `Serializable` ends one of
//! them by error 1023. Both are PostgreSQL's own (repeatable read, serializable): finer than Redshift's, which go by table.
//!
//! **TLS** for who wishes it, by a certificate ([`Redshift::certificate`]) that is its own authority.
//!
//! **Faults** ([`Fault`]) strike chosen statements.
//!
//! What it cannot show: how a load is spread over slices, and how long anything takes; roles and permissions, of S3 too
//! (credentials are wanted, and not looked at); VACUUM, ANALYZE and what they are for; COPY of Parquet, ORC, Avro, JSON,
//! fixed width, by prefix, with MAXERROR; UNLOAD; the types SUPER, VARBYTE, GEOMETRY, HLLSKETCH; foreign keys, which are left
//! out; databases and columns whose collation is case-insensitive; that blanks at the end of a literal, or of what a function
//! gives, do not count either; whether an equality is one that UPDATE … FROM takes, and a correlated subquery one that
//! Redshift knows; parameters such as `enable_case_sensitive_identifier`, which mean nothing here; rows of more than 4 MB; the
//! widths of casts, which count characters; `char(n)` outside COPY, likewise; the size of an object, which COPY of text does not
//! compare with the manifest either; dates and times in other forms than ISO 8601's.
//!
//! Where AWS' documentation is silent, or contradicts itself, it is as unkind as it may be: quotes do not keep a CSV field from
//! being the text that stands for null; noncharacters (U+FDD0–FDEF, U+FFFE, U+FFFF) are refused.

#![expect(clippy::expect_used, reason = "a test cannot go on")]

mod backend;
mod client;
mod copy;
mod door;
mod error;
mod faults;
mod layout;
mod perform;
mod plan;
mod session;
mod sql;
mod tls;
mod types;
mod wire;

use std::{
    collections::BTreeMap,
    net::{TcpListener, TcpStream},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use crate::postgres::Server;
use backend::Backend;
use faults::Faults;

pub use client::Client;
pub use faults::{Fault, Rule, Struck};

/// How long a condition is waited for.
const PATIENCE: Duration = Duration::from_secs(120);

/// The user that clients come as.
pub const USER: &str = "awsuser";

/// The database that clients ask for.
pub const DATABASE: &str = "dev";

/// What is in every database beside what clients make.
const CATALOG: &str = include_str!("catalog.sql");

/// What transactions see of each other. A database of Redshift's has one or the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Isolation {
    /// A transaction reads what was committed when it began to read.
    Snapshot,
    /// And what it does is as if it had been alone.
    Serializable,
}

/// A stand-in for Redshift, on a port of 127.0.0.1. Dropped, it takes no more connections.
#[derive(Debug)]
pub struct Redshift {
    port: u16,
    door: Arc<Door>,
}

/// What is behind a port.
#[derive(Debug)]
struct Door {
    warehouse: Arc<Warehouse>,
    faults: Faults,
    is_closed: AtomicBool,
}

/// A database, with what COPY needs.
#[derive(Debug)]
struct Warehouse {
    postgres: u16,
    database: String,
    isolation: Isolation,
    /// The port that S3 is asked at.
    s3: u16,
    /// Notes what is to outlive a transaction.
    clerk: Mutex<Backend>,
    /// The number of the last COPY.
    queries: AtomicU64,
}

impl Redshift {
    /// Starts one, empty, in a database of its own; `s3` is the port of 127.0.0.1 that COPY reads from.
    ///
    /// # Panics
    /// When PostgreSQL refuses what it needs.
    #[must_use]
    pub fn start(server: &Server, isolation: Isolation, s3: u16) -> Self {
        let warehouse = Warehouse::make(server.port(), isolation, s3).expect("a database");
        Self::open(Arc::new(warehouse), &[])
    }

    /// Another way into the same database, on which these rules hold.
    ///
    /// # Panics
    /// Without a free port.
    #[must_use]
    pub fn broken(&self, rules: &[Rule]) -> Self {
        Self::open(Arc::clone(&self.door.warehouse), rules)
    }

    fn open(warehouse: Arc<Warehouse>, rules: &[Rule]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = listener.local_addr().expect("a bound port").port();
        let door = Arc::new(Door { warehouse, faults: Faults::new(rules), is_closed: AtomicBool::new(false) });
        door::open(listener, Arc::clone(&door));
        Self { port, door }
    }

    /// Where it listens, on 127.0.0.1.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Its database in the PostgreSQL behind it, for who asks that one itself.
    #[must_use]
    pub fn database(&self) -> &str {
        &self.door.warehouse.database
    }

    /// An address of it, for a flow: `redshift://awsuser@127.0.0.1:5439/dev?`, then the rest.
    #[must_use]
    pub fn address(&self, rest: &str) -> String {
        format!("redshift://{USER}@127.0.0.1:{}/{DATABASE}?{rest}", self.port)
    }

    /// The certificate that it proves itself by to who speaks TLS, for 127.0.0.1 and nothing else (`localhost` is
    /// another host), in PEM: trust that one.
    #[must_use]
    pub fn certificate(&self) -> &'static str {
        &tls::identity().certificate
    }

    /// Runs SQL; says its rows, a line each, columns between `|`, null as `∅`. It counts as a statement that came.
    ///
    /// # Panics
    /// When a statement fails.
    #[must_use]
    pub fn ask(&self, sql: &str) -> String {
        self.client().ask(sql)
    }

    /// Runs SQL for what it does.
    ///
    /// # Panics
    /// When a statement fails.
    pub fn run(&self, sql: &str) {
        let _ = self.ask(sql);
    }

    /// A session that stays open.
    ///
    /// # Panics
    /// When it cannot be opened.
    #[must_use]
    pub fn client(&self) -> Client {
        Client::connect(self.port)
    }

    /// Waits until so many sessions wait for a table.
    ///
    /// # Panics
    /// When that does not happen.
    pub fn await_waiting(&self, sessions: usize, table: &str) {
        let table = sql::literal(table);
        let sql = format!(
            "SELECT count(DISTINCT pid) FROM svv_transactions WHERE NOT granted AND relation = {table}::regclass"
        );
        let deadline = Instant::now() + PATIENCE;
        loop {
            let rows = self.door.warehouse.clerk.lock().unwrap_or_else(PoisonError::into_inner).run(&sql);
            if rows.expect("an answer") == [[Some(sessions.to_string())]] {
                return;
            }
            assert!(Instant::now() < deadline, "{sessions} sessions do not wait for {table}");
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// Waits until so many sessions live on without their clients ([`Fault::Zombie`], [`Fault::Late`]).
    ///
    /// # Panics
    /// When that does not happen.
    pub fn await_zombies(&self, sessions: usize) {
        assert!(self.door.faults.await_zombies(sessions, PATIENCE), "{sessions} sessions have not lost their clients");
    }

    /// From now on these rules hold, and statements are counted anew.
    pub fn obey(&self, rules: &[Rule]) {
        self.door.faults.obey(rules);
    }

    /// What was broken, in order.
    #[must_use]
    pub fn struck(&self) -> Vec<Struck> {
        self.door.faults.struck()
    }

    /// How often each statement came, broken ones too.
    #[must_use]
    pub fn calls(&self) -> BTreeMap<String, u64> {
        self.door.faults.calls()
    }

    /// Ends the sessions that live on without their clients, those of [`Fault::Late`] after their statement.
    pub fn end_zombies(&self) {
        self.door.faults.end_zombies();
    }
}

impl Drop for Redshift {
    fn drop(&mut self) {
        self.door.is_closed.store(true, Ordering::SeqCst);
        self.end_zombies();
        // Wakes the thread that waits for connections.
        let _ = TcpStream::connect(("127.0.0.1", self.port));
    }
}

impl Warehouse {
    fn make(postgres: u16, isolation: Isolation, s3: u16) -> std::io::Result<Self> {
        static MADE: Mutex<u32> = Mutex::new(0);
        // One at a time: all copy the same template, and the first makes the user.
        let mut made = MADE.lock().expect("nobody has panicked here");
        *made += 1;
        let database = format!("redshift_{made}");
        let mut server = Backend::connect(postgres, crate::postgres::USER, "postgres")?;
        if *made == 1 {
            server.run(&format!("CREATE ROLE {USER} SUPERUSER LOGIN"))?;
        }
        server.run(&format!("CREATE DATABASE {database}"))?;
        let level = match isolation {
            Isolation::Snapshot => "repeatable read",
            Isolation::Serializable => "serializable",
        };
        let settings = [
            ("default_transaction_isolation", level),
            ("standard_conforming_strings", "off"),
            ("escape_string_warning", "off"),
            ("deadlock_timeout", "100ms"),
            ("timezone", "UTC"),
        ];
        for (name, value) in settings {
            server.run(&format!("ALTER DATABASE {database} SET {name} = '{value}'"))?;
        }
        let mut clerk = Backend::connect(postgres, crate::postgres::USER, &database)?;
        clerk.run(CATALOG)?;
        Ok(Self { postgres, database, isolation, s3, clerk: Mutex::new(clerk), queries: AtomicU64::new(0) })
    }
}
