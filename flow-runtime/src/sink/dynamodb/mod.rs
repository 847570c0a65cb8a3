//! `dynamodb://` sinks: items of a table of DynamoDB by their key, each row exactly once. What a reader may see meanwhile is in
//! `dynamodb.md`.
//!
//! A table cannot be changed in one step, so the step is taken item by item: an item remembers the last row that changed it
//! by a *mark*, and each change has the condition that the mark is smaller (`load.rs`, `item.rs`). The ledger, a table beside
//! it, says which iteration is being loaded and which was loaded last (`ledger.rs`); who finds one half loaded does all of it
//! again, and what was done is refused by its mark. A loader that slept is refused by the marks of those who went on.

mod item;
mod ledger;
mod load;
mod table;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use item::{Layout, Marker};
use ledger::{Record, key_of, sort_key};
use load::{Load, Written};
use table::{LEDGER, ServiceTable, Table};

use super::{
    Demands, Head, Mode, Published, SinkShape, SinkTap, Staged, Ticket, kept,
    ledger::{Described, Turn},
    would_double,
};
use crate::{
    Address, Error, Failure,
    aws::{
        ACCOUNT_OPTIONS, Account, Kind, Trouble,
        clients::{
            dynamodb::{TableState, TableSummary},
            items::{Item, Write},
        },
    },
    effect::clock,
    held::Cause,
    plan::{PortKind, PortPlan},
};

pub(crate) use item::definition;
pub(crate) use ledger::has_rows;
pub(crate) use table::LEDGER as LEDGER_TABLE;

/// What a person does to have the ledger forget the flow.
const HOW_TO_FORGET: &str = "have its ledger forget the flow with `forget`";

/// How often a load looks at the ledger again when others have changed it.
const SWAPS_MAX: u32 = 8;

/// What the address of a sink says: the table.
fn table_of(address: &Address) -> Option<&str> {
    let name = address.path().strip_prefix("//")?;
    // "Naming rules", docs.aws.amazon.com/amazondynamodb, 2026-11-22.
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
    ((3..=255).contains(&name.len()) && name.bytes().all(is_name)).then_some(name)
}

/// Which table an address leads to. None, if it leads to none.
pub(super) fn identity(address: &Address) -> Option<String> {
    Some(format!("dynamodb://{}", table_of(address)?))
}

/// What a table of DynamoDB cannot store of a sink's rows.
pub(super) fn demands(port: &'static PortPlan) -> Demands {
    Demands::of_items(port.fields, port.key)
}

/// Writes to a table.
#[derive(Debug)]
pub(super) struct DynamoDbSinkTap {
    table: Arc<dyn Table>,
    name: String,
    /// For people.
    place: String,
    shape: SinkShape,
    layout: Layout,
}

impl DynamoDbSinkTap {
    pub(super) fn open(address: &Address, shape: SinkShape) -> Result<Self, Error> {
        let options: Vec<&str> = ["from", "keys", "mode"].into_iter().chain(ACCOUNT_OPTIONS).collect();
        address.allow_options(&options)?;
        let wrong = |what: &str, help: &str| Error::Config(Failure::new(what).at(address.to_string()).help(help));
        let name = table_of(address).filter(|name| *name != LEDGER).ok_or_else(|| {
            wrong("this is no name of a table", "write it as dynamodb://TABLE: 3 to 255 of a-z A-Z 0-9 _ - .")
        })?;
        refuse_mode(shape, &wrong)?;
        let comes_once = match address.option("keys") {
            None => false,
            Some("once") => true,
            Some(_) => return Err(wrong("the option `keys` takes the word `once`", "leave it out if keys come again")),
        };
        let layout = Layout::of(shape.port, comes_once).map_err(|(what, help)| wrong(&what, help))?;
        let table = Arc::new(ServiceTable::open(&Account::of(address), name)?);
        Ok(Self { table, name: name.to_owned(), place: format!("dynamodb://{name}"), shape, layout })
    }

    /// The table, which must be there and have the sink's key.
    fn described(&self) -> Result<TableSummary, Error> {
        let found = self.table.describe().map_err(|trouble| self.failed("cannot look at the table", &trouble))?;
        let help = "make it with `setup`; or check the name, the region and the account";
        let found = found.ok_or_else(|| self.target("there is no such table", help))?;
        self.usable(&found)?;
        let wanted = definition(self.shape.port);
        let (expected, there) = (wanted.key(), found.definition.key());
        if expected != there {
            let failure = Failure::new("the table has another key than the sink").at(self.place.clone());
            let cause = format!("expected {expected}, found {there}");
            let help = "declare the key of the table, its partition key first; or give another table";
            return Err(Error::Target(failure.cause(cause).help(help)));
        }
        Ok(found)
    }

    fn usable(&self, table: &TableSummary) -> Result<(), Error> {
        match table.state {
            TableState::Active => Ok(()),
            TableState::Creating => Err(self.target("the table is being made", "wait for it, and run again")),
            TableState::Deleting | TableState::Unusable => {
                Err(self.target("the table is being deleted, or cannot be used", "look at it in the console"))
            }
        }
    }

    fn target(&self, what: &str, help: &str) -> Error {
        Error::Target(Failure::new(what).at(self.place.clone()).help(help))
    }

    fn failed(&self, what: &str, trouble: &Trouble) -> Error {
        Error::Target(trouble.failure(what).at(self.place.clone()))
    }

    fn of_ledger(&self, what: &str, trouble: &Trouble) -> Error {
        if trouble.kind == Kind::Missing {
            let help = "`setup` makes it, once for all flows of an account and region";
            return Error::Target(
                Failure::new(format!("there is no table `{LEDGER}`")).at(self.place.clone()).help(help),
            );
        }
        Error::Target(trouble.failure(what).at(format!("{}, table {LEDGER}", self.place)))
    }

    /// What the ledger says of a flow, and the version of it.
    fn ledger(&self, flow: &str) -> Result<Found, Error> {
        let sort = sort_key(flow, self.shape.port.name);
        let item = self.table.entry(&sort).map_err(|trouble| self.of_ledger("cannot read the ledger", &trouble))?;
        let (version, record) = match item {
            None => (0, Record::default()),
            Some(item) => (item.version, self.record(&item)?),
        };
        Ok(Found { sort, version, record })
    }

    fn record(&self, item: &Item) -> Result<Record, Error> {
        Record::parse(&item.body).map_err(|cause| {
            let place = format!("{}, table {LEDGER}, {}", self.place, item.key.sort);
            let help = "put the table of ledgers back as it was";
            Error::Target(Failure::new("the ledger cannot be read").at(place).cause(cause).help(help))
        })
    }

    fn turn(&self, found: &Found, table: &TableSummary, ticket: &Ticket) -> Result<Turn, Error> {
        let target = Described { place: &self.place, how_to_forget: HOW_TO_FORGET };
        found.record.turn(table.id.as_deref(), ticket, target)
    }

    /// Changes the ledger, if it still is as it was found; says how it is then. An answer that was lost is looked for.
    fn swap(&self, found: &Found, record: Record) -> Result<Option<Found>, Error> {
        if record == found.record {
            return Ok(Some(found.clone()));
        }
        let body = record.to_json();
        let write = Write { key: key_of(&self.name, &found.sort), was: found.version, body: body.clone() };
        match self.table.swap(&write) {
            Ok(()) => {}
            Err(trouble) if trouble.kind == Kind::ConditionFailed => {
                let there = self.table.entry(&found.sort);
                let there = there.map_err(|trouble| self.of_ledger("cannot read the ledger", &trouble))?;
                if there.is_none_or(|item| (item.version, item.body) != (found.version + 1, body)) {
                    return Ok(None);
                }
            }
            Err(trouble) => return Err(self.of_ledger("cannot write the ledger", &trouble)),
        }
        Ok(Some(Found { sort: found.sort.clone(), version: found.version + 1, record }))
    }

    fn write(&self, staged: &Staged, marker: &Marker) -> Result<Written, Error> {
        Load { table: self.table.as_ref(), layout: &self.layout, marker, place: &self.place }.write(staged)
    }

    fn load(&self, staged: &Staged, ticket: &Ticket) -> Result<Published, Error> {
        // Of the pass that has written already, its generation, and what became of it.
        let mut earlier: Option<(u64, Written)> = None;
        for _ in 0..SWAPS_MAX {
            let (table, found) = (self.described()?, self.ledger(&ticket.flow)?);
            let turn = self.turn(&found, &table, ticket)?;
            let begun = found.record.begun(table.id.as_deref(), ticket, clock::now_us());
            match &earlier {
                // By its marks this pass would not know the rows of that one.
                Some((generation, _)) if *generation != begun.generation => {
                    return Err(self.forgotten_meanwhile(&found, ticket)?);
                }
                Some((_, Written::Overtaken(mark))) if turn == Turn::Publish => return Err(self.ahead(mark)),
                _ => {}
            }
            if turn == Turn::Skip {
                return Ok(Published::Before);
            }
            let Some(begun) = self.swap(&found, begun)? else { continue };
            let generation = begun.record.generation;
            let marker = Marker::new(&sort_key(&ticket.flow, &ticket.port), generation, ticket.iteration);
            let written = self.write(staged, &marker)?;
            if written == Written::All && self.swap(&begun, begun.record.ended())?.is_some() {
                return Ok(Published::Now);
            }
            earlier = Some((generation, written));
        }
        Err(self.target("others change the ledger all the time", "let one run of the flow go on, and run again"))
    }

    /// Some of the rows are there by marks that are none any more: nobody is to add them again.
    fn forgotten_meanwhile(&self, found: &Found, ticket: &Ticket) -> Result<Error, Error> {
        if !found.record.has_rows() {
            self.swap(found, found.record.emptying())?;
        }
        let failure = Failure::new("the ledger was made to forget the flow while it was loaded")
            .at(self.place.clone())
            .cause(format!("rows of iteration {} are there that it knows nothing of", ticket.iteration))
            .help("empty the table and have its ledger forget the flow, by `forget` with --empty, and run again");
        Ok(Error::Held(failure.held(Cause::ForeignLedger.case().iteration(ticket.iteration))))
    }

    /// An item was written by a load that the ledger knows nothing of.
    fn ahead(&self, mark: &str) -> Error {
        let cause = format!("the mark of an item is {mark}, and the ledger is not as far");
        let help = "put the table of ledgers back as it was; or begin with an empty table, by `forget` with --empty";
        Error::Target(Failure::new("the table is ahead of its ledger").at(self.place.clone()).cause(cause).help(help))
    }

    /// Another flow's port that has rows in the table, if one has.
    fn loaded_by_other_than(&self, own: &str) -> Result<Option<(String, String)>, Error> {
        let entries = self.table.entries().map_err(|trouble| self.of_ledger("cannot read the ledger", &trouble))?;
        for item in entries.iter().filter(|item| item.key.sort != own) {
            if self.record(item)?.has_rows() {
                let (flow, port) = item.key.sort.rsplit_once('/').unwrap_or_default();
                return Ok(Some((flow.to_owned(), port.to_owned())));
            }
        }
        Ok(None)
    }

    /// Refuses to take rows of others, or to leave a part of what was to go.
    fn refuse_to_forget(&self, found: &Found, empty: bool) -> Result<(), Error> {
        if !empty {
            return match found.record.is_emptied {
                true => Err(self.target("the table was not emptied to the end", "give --empty again")),
                false => Ok(()),
            };
        }
        let Some((flow, port)) = self.loaded_by_other_than(&found.sort)? else { return Ok(()) };
        let failure = Failure::new("the table has rows of others, which would go, too").at(self.place.clone());
        let cause = format!("its ledger names port `{port}` of flow {flow}");
        let help = "nothing was changed; forget without --empty, or have that flow forget the table first";
        Err(Error::Target(failure.cause(cause).help(help)))
    }

    /// Refuses what a run without a store must not do to the table.
    fn refuse_without_store(&self) -> Result<(), Error> {
        self.described()?;
        if let Some((flow, port)) = self.loaded_by_other_than("")? {
            return Err(kept(&self.place, &flow, &port));
        }
        match self.table.is_empty().map_err(|trouble| self.failed("cannot look into the table", &trouble))? {
            true => Ok(()),
            false => Err(would_double(&self.place, self.shape)),
        }
    }
}

/// What the ledger says of a flow's port.
#[derive(Clone, Debug)]
struct Found {
    sort: String,
    /// 0 where nothing is there.
    version: u64,
    record: Record,
}

/// Appending and replacing cannot be done, and why.
fn refuse_mode(shape: SinkShape, wrong: &dyn Fn(&str, &str) -> Error) -> Result<(), Error> {
    match shape.mode {
        _ if shape.port.kind == PortKind::Trap => Err(wrong(
            "a table of DynamoDB cannot be a trap: records that fail have no key",
            "give the trap a file:, postgres:, s3: or sqlite: address",
        )),
        Mode::Append => Err(wrong(
            "rows cannot be appended to a table of DynamoDB: it has one item for each key",
            "add mode=merge; where each row has a key of its own, keys=once too",
        )),
        Mode::Replace => Err(wrong(
            "a table of DynamoDB cannot be replaced: there is no step in which its readers see the old items and then the new",
            "add mode=merge; or take a sqlite: or postgres: address",
        )),
        Mode::Merge => Ok(()),
    }
}

impl SinkTap for DynamoDbSinkTap {
    fn mode(&self) -> Mode {
        self.shape.mode
    }

    fn demands(&self) -> Demands {
        demands(self.shape.port)
    }

    /// Whether something may be written is not known before it is: nothing is.
    fn check(&self) -> Result<(), Error> {
        self.described()?;
        let ledger = self.table.describe_ledger();
        match ledger.map_err(|trouble| self.of_ledger("cannot look at the table of ledgers", &trouble))? {
            Some(ledger) => self.usable(&ledger),
            None => Err(self.of_ledger("", &Trouble::new("", Kind::Missing, ""))),
        }
    }

    fn check_ledger(&self, ticket: &Ticket) -> Result<bool, Error> {
        let (table, found) = (self.described()?, self.ledger(&ticket.flow)?);
        self.turn(&found, &table, ticket).map(|turn| turn == Turn::Skip)
    }

    fn check_without_store(&self) -> Result<(), Error> {
        self.refuse_without_store()
    }

    /// Item by item: a reader may see a part of an iteration from the first write to the last, however long that takes.
    fn publish(&mut self, staged: &Staged, ticket: Option<&Ticket>) -> Result<Published, Error> {
        if let Some(ticket) = ticket {
            return self.load(staged, ticket);
        }
        self.refuse_without_store()?;
        // Later than any before it; the marks keep a call whose answer was lost from being done twice.
        let now = u64::try_from(clock::now_us()).unwrap_or_default();
        match self.write(staged, &Marker::new(&sort_key("", self.shape.port.name), now, 0))? {
            Written::All => Ok(Published::Now),
            Written::Overtaken(mark) => Err(self.ahead(&mark)),
        }
    }

    fn forget(&mut self, flow: &str, empty: bool) -> Result<(), Error> {
        for _ in 0..SWAPS_MAX {
            let mut found = self.ledger(flow)?;
            self.refuse_to_forget(&found, empty)?;
            if empty {
                // What is half empty is not taken for a table with all its rows.
                let Some(emptying) = self.swap(&found, found.record.emptying())? else { continue };
                let keys = self.layout.keys();
                self.table.empty(&keys).map_err(|trouble| self.failed("cannot empty the table", &trouble))?;
                found = emptying;
            }
            if self.swap(&found, found.record.forgotten())?.is_some() {
                return Ok(());
            }
        }
        Err(self.target("others change the ledger all the time", "let no run of the flow go on meanwhile"))
    }

    /// Nothing: a scan has no order.
    fn head(&self, _rows_max: usize) -> Result<Option<Head>, Error> {
        Ok(None)
    }
}
