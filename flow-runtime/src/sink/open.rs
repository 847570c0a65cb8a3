//! Opening a sink or trap: from its handle to a tap, with a mode that is known to make sense.

use super::{
    Demands, Dialect, Head, LedgerLock, LeftBehind, Mode, Published, SinkShape, SinkTap, Staged, Stager, Statement,
    Survey, Target, Ticket, TrapReader, Work, file::FileTap, memory::MemoryTap, sqlite::SqliteTap, stdout::StdoutTap,
};
use crate::{
    Address, Error, Failure,
    address::without_secrets,
    folder,
    plan::{PortKind, PortPlan, option_name},
    trap::output_fields,
};

/// Opens the tap of a sink or trap; nothing is made or changed before rows are published.
///
/// The mode comes from the handle or from the address (`?mode=merge`). A sink that a group feeds must have one; others
/// append. Traps always append, and `stdout:` has no use for a mode.
///
/// # Errors
/// [`Error::Config`] without an address, with one that is wrong, or with a mode that is missing or cannot work.
pub fn open(target: &Target, mode: Option<Mode>, port: &'static PortPlan) -> Result<Box<dyn SinkTap>, Error> {
    match open_tap(target, mode, port) {
        Ok((tap, from)) => Ok(Box::new(PortTap { port: port.name, tap, from })),
        Err(error) => Err(error.of_port(port.name)),
    }
}

/// Where an output goes, for people: the address without secrets.
#[must_use]
pub fn place(target: &Target) -> String {
    match target {
        Target::Unbound => "nowhere".to_owned(),
        Target::Memory(_) => "memory".to_owned(),
        Target::Address(text) => without_secrets(text),
    }
}

/// Which target an output has, for the store: the same text for the same place, from wherever it is named and with
/// whatever options besides.
pub(crate) fn identity(target: &Target, port: &str) -> String {
    let address = match target {
        Target::Address(text) => text.parse::<Address>(),
        Target::Unbound | Target::Memory(_) => return place(target),
    };
    let Ok(address) = address else { return place(target) };
    let path = || folder::resolved(address.path().as_ref()).display().to_string();
    match address.tap() {
        "file" => format!("file:{}", path()),
        "sqlite" => {
            let table = address.option("table").unwrap_or(port).to_ascii_lowercase();
            format!("sqlite:{}?table={table}", path())
        }
        #[cfg(feature = "aws")]
        "dynamodb" => super::dynamodb::identity(&address).unwrap_or_else(|| address.to_string()),
        #[cfg(feature = "postgres")]
        "postgres" => super::postgres::identity(&address, port).unwrap_or_else(|| address.to_string()),
        #[cfg(feature = "aws")]
        "s3" => super::s3::identity(&address).unwrap_or_else(|| address.to_string()),
        #[cfg(feature = "redshift")]
        "redshift" => super::redshift::identity(&address, port).unwrap_or_else(|| address.to_string()),
        "stdout" => "stdout:".to_owned(),
        _ => address.to_string(),
    }
}

/// What the target with this identity cannot store, where that is to be known without opening it.
pub(crate) fn demands_of(identity: &str, port: &'static PortPlan) -> Demands {
    match identity.split_once(':') {
        #[cfg(feature = "aws")]
        Some(("dynamodb", _)) => super::dynamodb::demands(port),
        Some(("postgres", _)) => Demands::new(Dialect::Postgres, output_fields(port)),
        Some(("redshift", _)) => Demands::new(Dialect::Redshift, output_fields(port)),
        _ => Demands::default(),
    }
}

fn open_tap(
    target: &Target,
    mode: Option<Mode>,
    port: &'static PortPlan,
) -> Result<(Box<dyn SinkTap>, Option<u64>), Error> {
    let address = match target {
        Target::Unbound => {
            let option = option_name(port.name);
            return Err(Error::Config(Failure::new("no address").help(format!("give --{option}"))));
        }
        Target::Memory(rows) => {
            let shape = SinkShape { port, mode: choose_mode(mode, None, port)? };
            return Ok((Box::new(MemoryTap::new(rows, shape)), None));
        }
        Target::Address(text) => text.parse::<Address>()?,
    };
    let shape = || Ok::<_, Error>(SinkShape { port, mode: choose_mode(mode, parse_mode(&address)?, port)? });
    let tap: Box<dyn SinkTap> = match address.tap() {
        "file" => Box::new(FileTap::open(&address, shape()?)?),
        #[cfg(feature = "aws")]
        "dynamodb" => Box::new(super::dynamodb::DynamoDbSinkTap::open(&address, shape()?)?),
        #[cfg(feature = "postgres")]
        "postgres" => Box::new(super::postgres::PostgresTap::open(&address, shape()?)?),
        #[cfg(feature = "aws")]
        "s3" => Box::new(super::s3::S3SinkTap::open(&address, shape()?)?),
        #[cfg(feature = "redshift")]
        "redshift" => Box::new(super::redshift::RedshiftTap::open(&address, shape()?)?),
        "sqlite" => Box::new(SqliteTap::open(&address, shape()?)?),
        "stdout" => Box::new(StdoutTap::open(&address, port)?),
        tap => return Err(unknown_tap(tap, &address)),
    };
    Ok((tap, parse_from(&address)?))
}

fn unknown_tap(tap: &str, address: &Address) -> Error {
    let failure = match tap {
        "memory" => Failure::new("rows in memory are for programs and tests").help("give a file: or sqlite: address"),
        "stdin" => Failure::new("stdin: can only be read").help("give a stdout: address"),
        "postgres" => Failure::new("this program was built without PostgreSQL")
            .help("build it with the feature `postgres` of flow-runtime"),
        "dynamodb" | "s3" => {
            Failure::new("this program was built without AWS").help("build it with the feature `aws` of flow-runtime")
        }
        "redshift" => Failure::new("this program was built without Redshift")
            .help("build it with the feature `redshift` of flow-runtime"),
        _ => Failure::new(format!("there is no tap `{tap}` to write to"))
            .help("there are dynamodb:, file:, postgres:, redshift:, s3:, sqlite: and stdout:"),
    };
    Error::Config(failure.at(address.to_string()))
}

fn parse_mode(address: &Address) -> Result<Option<Mode>, Error> {
    let Some(text) = address.option("mode") else { return Ok(None) };
    Mode::parse(text).map(Some).ok_or_else(|| {
        Error::Config(
            Failure::new(format!("there is no mode `{text}`"))
                .at(address.to_string())
                .help("a mode is append, replace or merge"),
        )
    })
}

/// The iteration that the target begins with: `?from=5`.
fn parse_from(address: &Address) -> Result<Option<u64>, Error> {
    let Some(text) = address.option("from") else { return Ok(None) };
    text.parse().map(Some).map_err(|_| {
        Error::Config(
            Failure::new(format!("`{text}` is no number of an iteration"))
                .at(address.to_string())
                .help("write the iteration that this target is to begin with, as in ?from=5"),
        )
    })
}

fn choose_mode(of_handle: Option<Mode>, of_address: Option<Mode>, port: &PortPlan) -> Result<Mode, Error> {
    let refuse = |what: &str, help: &str| Err(Error::Config(Failure::new(what).help(help)));
    if let (Some(handle), Some(address)) = (of_handle, of_address)
        && handle != address
    {
        return refuse("the program and the address name different modes", "say it once");
    }
    match (of_handle.or(of_address), port.kind) {
        (None | Some(Mode::Append), PortKind::Trap) => Ok(Mode::Append),
        (Some(_), PortKind::Trap) => refuse("a trap is always appended to", "leave the mode out"),
        (Some(Mode::Merge), _) if port.key.is_empty() => {
            refuse("merging needs a key", "say which fields tell rows apart: `sink … key(field) { … }`")
        }
        (Some(mode), _) => Ok(mode),
        (None, _) if port.grouped => refuse(
            "a sink that a group feeds needs a mode, for each answers another question",
            "say in the address, or with .append() and the like in the program: ?mode=append for the groups of each \
             iteration one after the other, ?mode=replace for those of the last iteration alone, ?mode=merge for those \
             of all iterations, brought together by key",
        ),
        (None, _) => Ok(Mode::Append),
    }
}

/// A tap whose errors name the port, and whose tickets know where the target begins.
#[derive(Debug)]
struct PortTap {
    port: &'static str,
    tap: Box<dyn SinkTap>,
    /// The iteration that the target begins with, if the address says so.
    from: Option<u64>,
}

impl PortTap {
    fn ticket(&self, ticket: &Ticket) -> Ticket {
        Ticket { from: self.from, ..ticket.clone() }
    }
}

impl SinkTap for PortTap {
    fn mode(&self) -> Mode {
        self.tap.mode()
    }

    fn of_flow(&mut self, flow: &str) {
        self.tap.of_flow(flow);
    }

    fn demands(&self) -> Demands {
        self.tap.demands()
    }

    fn check(&self) -> Result<(), Error> {
        self.tap.check().map_err(|error| error.of_port(self.port))
    }

    fn check_ledger(&self, ticket: &Ticket) -> Result<bool, Error> {
        self.tap.check_ledger(&self.ticket(ticket)).map_err(|error| error.of_port(self.port))
    }

    fn look_at_lock(&self) -> Result<Option<LedgerLock>, Error> {
        let found = self.tap.look_at_lock().map_err(|error| error.of_port(self.port))?;
        Ok(found.map(|lock| LedgerLock { failure: lock.failure.of_port(self.port), ..lock }))
    }

    fn check_without_store(&self) -> Result<(), Error> {
        self.tap.check_without_store().map_err(|error| error.of_port(self.port))
    }

    fn stager(&self, iteration: u64, attempt: &str) -> Option<Box<dyn Stager>> {
        self.tap.stager(iteration, attempt)
    }

    fn check_staging(&self) -> Result<(), Error> {
        self.tap.check_staging().map_err(|error| error.of_port(self.port))
    }

    fn check_staged(&self, address: &str) -> Result<(), Error> {
        self.tap.check_staged(address).map_err(|error| error.of_port(self.port))
    }

    fn remove_staged(&self, attempt: &str) -> Result<(), Error> {
        self.tap.remove_staged(attempt).map_err(|error| error.of_port(self.port))
    }

    fn left_behind(&self, flow: &str) -> Result<Vec<LeftBehind>, Error> {
        self.tap.left_behind(flow).map_err(|error| error.of_port(self.port))
    }

    fn remove_left_behind(&self, attempts: &[String]) -> Result<(), Error> {
        self.tap.remove_left_behind(attempts).map_err(|error| error.of_port(self.port))
    }

    fn publish(&mut self, staged: &Staged, ticket: Option<&Ticket>) -> Result<Published, Error> {
        let ticket = ticket.map(|ticket| self.ticket(ticket));
        self.tap.publish(staged, ticket.as_ref()).map_err(|error| error.of_port(self.port))
    }

    fn replaceable(&self, ticket: &Ticket) -> Result<u64, Error> {
        self.tap.replaceable(ticket).map_err(|error| error.of_port(self.port))
    }

    fn replace(&mut self, staged: &Staged, ticket: &Ticket) -> Result<u64, Error> {
        self.tap.replace(staged, ticket).map_err(|error| error.of_port(self.port))
    }

    fn forget(&mut self, flow: &str, empty: bool) -> Result<(), Error> {
        self.tap.forget(flow, empty).map_err(|error| error.of_port(self.port))
    }

    fn trapped(&self, flow: &str) -> Result<Option<Box<dyn TrapReader>>, Error> {
        self.tap.trapped(flow).map_err(|error| error.of_port(self.port))
    }

    fn survey(&self) -> Result<Option<Survey>, Error> {
        self.tap.survey().map_err(|error| error.of_port(self.port))
    }

    fn statements(&self, flow: &str) -> Vec<Statement> {
        self.tap.statements(flow)
    }

    fn execute(&self, work: Work, statements: &[String]) -> Result<(), Error> {
        self.tap.execute(work, statements).map_err(|error| error.of_port(self.port))
    }

    fn head(&self, rows_max: usize) -> Result<Option<Head>, Error> {
        self.tap.head(rows_max).map_err(|error| error.of_port(self.port))
    }
}

#[cfg(test)]
#[path = "open_tests.rs"]
mod tests;
