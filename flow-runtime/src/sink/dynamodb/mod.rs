//! `dynamodb://` sinks: items of a table of DynamoDB by their key, each row exactly once. What a reader may see meanwhile is in
//! `dynamodb.md`.
//!
//! A table cannot be changed in one step, so the step is taken item by item: an item remembers the last row that changed it
//! by a *mark*, and each change has the condition that the mark is smaller (`load.rs`, `item.rs`). The ledger, a table beside
//! it, says which iteration is being loaded and which was loaded last (`ledger.rs`); who finds one half loaded does all of it
//! again, and what was done is refused by its mark. A loader that slept is refused by the marks of those who went on. Here is the
//! order of a load; how table and ledger are looked at is in `target.rs`, what becomes of others' rows in `others.rs`.

mod address;
mod item;
mod ledger;
mod load;
mod others;
mod table;
mod target;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use address::{refuse_mode, table_of};
use item::{Layout, Marker};
use ledger::sort_key;
use load::{Load, Written};
use table::{LEDGER, ServiceTable, Table};
use target::Found;

use super::{Demands, Head, Mode, Published, SinkShape, SinkTap, Staged, Ticket, ledger::Turn};
use crate::{
    Address, Error, Failure,
    aws::{ACCOUNT_OPTIONS, Account, Kind, Trouble},
    effect::clock,
    held::Cause,
    plan::PortPlan,
};

pub(super) use address::identity;
pub(crate) use item::definition;
pub(crate) use ledger::has_rows;
pub(crate) use table::LEDGER as LEDGER_TABLE;

/// What a person does to have the ledger forget the flow.
const HOW_TO_FORGET: &str = "have its ledger forget the flow with `forget`";

/// How often a load looks at the ledger again when others have changed it.
const SWAPS_MAX: u32 = 8;

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
            let begun = begun.putting_whole(self.layout.comes_once);
            match &earlier {
                // By its marks this pass would not know the rows of that one.
                Some((generation, _)) if *generation != begun.generation => {
                    return Err(self.forgotten_meanwhile(&found, ticket)?);
                }
                Some((_, Written::Overtaken(by))) if turn == Turn::Publish => return Err(self.ahead(by)),
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
        Ok(Error::Held(failure.held(Cause::HalfEmptied.case().iteration(ticket.iteration))))
    }

    /// An item was written by a load that the ledger knows nothing of.
    fn ahead(&self, by: &str) -> Error {
        let cause = format!("{by}, and the ledger is not as far");
        let help = "put the table of ledgers back as it was; or begin with an empty table, by `forget` with --empty";
        Error::Target(Failure::new("the table is ahead of its ledger").at(self.place.clone()).cause(cause).help(help))
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
        let turn = self.turn(&found, &table, ticket)?;
        self.refuse_to_share(&found.sort)?;
        Ok(turn == Turn::Skip)
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
            Written::Overtaken(by) => Err(self.ahead(&by)),
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
