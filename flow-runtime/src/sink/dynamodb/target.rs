//! The table and its ledger as the service has them: looking at both, changing the ledger on condition, and what is said when
//! they are not as they should be.

use super::{
    DynamoDbSinkTap, HOW_TO_FORGET, definition,
    ledger::{Record, key_of, sort_key},
    table::LEDGER,
};
use crate::{
    Error, Failure,
    aws::{
        Kind, Trouble,
        clients::{
            dynamodb::{TableState, TableSummary},
            items::{Item, Write},
        },
    },
    sink::{
        Ticket,
        ledger::{Described, Turn},
    },
};

/// What the ledger says of a flow's port.
#[derive(Clone, Debug)]
pub(super) struct Found {
    pub(super) sort: String,
    /// 0 where nothing is there.
    version: u64,
    pub(super) record: Record,
}

impl DynamoDbSinkTap {
    /// The table, which must be there and have the sink's key.
    pub(super) fn described(&self) -> Result<TableSummary, Error> {
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

    pub(super) fn usable(&self, table: &TableSummary) -> Result<(), Error> {
        match table.state {
            TableState::Active => Ok(()),
            TableState::Creating => Err(self.target("the table is being made", "wait for it, and run again")),
            TableState::Deleting | TableState::Unusable => {
                Err(self.target("the table is being deleted, or cannot be used", "look at it in the console"))
            }
        }
    }

    pub(super) fn target(&self, what: &str, help: &str) -> Error {
        Error::Target(Failure::new(what).at(self.place.clone()).help(help))
    }

    pub(super) fn failed(&self, what: &str, trouble: &Trouble) -> Error {
        Error::Target(trouble.failure(what).at(self.place.clone()))
    }

    pub(super) fn of_ledger(&self, what: &str, trouble: &Trouble) -> Error {
        if trouble.kind == Kind::Missing {
            let help = "`setup` makes it, once for all flows of an account and region";
            return Error::Target(
                Failure::new(format!("there is no table `{LEDGER}`")).at(self.place.clone()).help(help),
            );
        }
        Error::Target(trouble.failure(what).at(format!("{}, table {LEDGER}", self.place)))
    }

    /// What the ledger says of a flow, and the version of it.
    pub(super) fn ledger(&self, flow: &str) -> Result<Found, Error> {
        let sort = sort_key(flow, self.shape.port.name);
        let item = self.table.entry(&sort).map_err(|trouble| self.of_ledger("cannot read the ledger", &trouble))?;
        let (version, record) = match item {
            None => (0, Record::default()),
            Some(item) => (item.version, self.record(&item)?),
        };
        Ok(Found { sort, version, record })
    }

    pub(super) fn record(&self, item: &Item) -> Result<Record, Error> {
        Record::parse(&item.body).map_err(|cause| {
            let place = format!("{}, table {LEDGER}, {}", self.place, item.key.sort);
            let help = "put the table of ledgers back as it was";
            Error::Target(Failure::new("the ledger cannot be read").at(place).cause(cause).help(help))
        })
    }

    pub(super) fn turn(&self, found: &Found, table: &TableSummary, ticket: &Ticket) -> Result<Turn, Error> {
        let target = Described { place: &self.place, how_to_forget: HOW_TO_FORGET };
        found.record.turn(table.id.as_deref(), ticket, target)
    }

    /// Changes the ledger, if it still is as it was found; says how it is then. An answer that was lost is looked for.
    pub(super) fn swap(&self, found: &Found, record: Record) -> Result<Option<Found>, Error> {
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
}
