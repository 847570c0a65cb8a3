//! Services of AWS on one's own machine: made by others, installed once, started when a test asks for them, ended when the
//! process that asked ends, however it ends. A proxy before them breaks what is said to them.
//!
//! Each of them is right in something else, and none in all:
//!
//! | service | what it is right in | what it gets wrong |
//! |---|---|---|
//! | [`kinesis_local`] | splits, merges, closed shards, iterators, enhanced fan-out | slow: no more than 5,000 records a stream; takes 501 records at once; a garbled iterator is answered by 500; a subscription never tells the end of a shard, and takes any number to begin at; while much else is asked, a consumer that is deregistered may stay so for ever |
//! | [`kinesalite`] | the same, at 20,000 records a second | `MillisBehindLatest` is always 0; no `ChildShards`, filter of shards, fan-out, or streams on demand; dies of a stream named as JavaScript names methods: `entries` |
//! | [`ministack`] | DynamoDB (transactions too), S3 (conditions, versions, pages), STS | takes small parts of an upload; **its Kinesis loses the records of a shard that is split** |
//! | [`redshift()`] | COPY by a manifest, transactions, locks, both isolations, what goes wrong with them | it is a PostgreSQL; the module [`mod@redshift`] says what it cannot show |
//!
//! None of AWS' throttles, fails, or checks a signature: [`Proxy`] does the first two.
//!
//! [`linter`] has what reads a text that flow writes for others: SQL for Redshift, a template of CloudFormation.
//!
//! All tests of a process share a service; each takes names of its own for its streams, tables and buckets.

pub mod ask;
mod install;
mod kinds;
mod linters;
mod local_aws;
mod ports;
pub mod postgres;
mod proxy;
pub mod redshift;
mod running;
mod skipped;

use std::sync::OnceLock;

pub use linters::linter;
pub use local_aws::LocalAws;
pub use ports::free_port;
pub use proxy::{Calls, Fault, Proxy, Rule, Struck};
pub use running::{CREDENTIALS, Service};
pub use skipped::say_skipped;

use kinds::Kind;
use redshift::{Isolation, Redshift};

/// Kinesis as it behaves; slow. `None`, and a line that says how many tests are skipped, where it cannot be installed.
///
/// # Panics
/// When it is installed and does not start.
pub fn kinesis_local() -> Option<&'static Service> {
    static SERVICE: OnceLock<Option<Service>> = OnceLock::new();
    started(&SERVICE, &kinds::KINESIS_LOCAL)
}

/// Kinesis for many records. `None`, and a line that says how many tests are skipped, where it cannot be installed.
///
/// # Panics
/// When it is installed and does not start.
pub fn kinesalite() -> Option<&'static Service> {
    static SERVICE: OnceLock<Option<Service>> = OnceLock::new();
    started(&SERVICE, &kinds::KINESALITE)
}

/// DynamoDB, S3 and STS. `None`, and a line that says how many tests are skipped, where it cannot be installed.
///
/// # Panics
/// When it is installed and does not start.
pub fn ministack() -> Option<&'static Service> {
    static SERVICE: OnceLock<Option<Service>> = OnceLock::new();
    started(&SERVICE, &kinds::MINISTACK)
}

/// A warehouse that loads from [`ministack`], of isolation [`Isolation::Snapshot`]. `None`, and a line that says how many
/// tests are skipped, where there is no PostgreSQL, or no S3.
///
/// # Panics
/// When it does not start.
pub fn redshift() -> Option<&'static Redshift> {
    redshift_of(Isolation::Snapshot)
}

/// The same of either isolation: a warehouse each.
///
/// # Panics
/// When it does not start.
pub fn redshift_of(isolation: Isolation) -> Option<&'static Redshift> {
    static SNAPSHOT: OnceLock<Option<Redshift>> = OnceLock::new();
    static SERIALIZABLE: OnceLock<Option<Redshift>> = OnceLock::new();
    let warehouse = match isolation {
        Isolation::Snapshot => &SNAPSHOT,
        Isolation::Serializable => &SERIALIZABLE,
    };
    let start = || Some(Redshift::start(postgres::server()?, isolation, ministack()?.port()));
    warehouse.get_or_init(start).as_ref()
}

fn started(service: &'static OnceLock<Option<Service>>, kind: &Kind) -> Option<&'static Service> {
    let start = || match install::installed(kind.family) {
        Ok(place) => Some(Service::start(kind, &place)),
        Err(why) => {
            say_skipped(&format!("{}: {why}", kind.name));
            None
        }
    };
    service.get_or_init(start).as_ref()
}
