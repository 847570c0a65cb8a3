//! The calls of DynamoDB that the sink makes, each tried again while it may pass; and what else can stand for a table in tests.

use std::{fmt, time::Duration};

use super::ledger::key_of;
use crate::{
    Error,
    aws::{
        Account, Attempts, Kind, Patience, Trouble,
        clients::{
            Tables,
            dynamodb::TableSummary,
            items::{Item, Span, Write},
            writes::{Attribute, BATCH, Batch, Change, Changed, Mark},
        },
        limits::BATCH_WRITES_MAX,
        retrying, wait,
    },
};

/// The table that remembers what was published to which table of the account and region.
pub(crate) const LEDGER: &str = "flow_ledger";

/// For a write to a table whose capacity is used up: some five minutes.
const PATIENCE: Patience = Patience { attempts: 60, first: Duration::from_millis(100), most: Duration::from_secs(10) };

/// A sink's table, and its ledger.
pub(super) trait Table: fmt::Debug + Send + Sync {
    fn describe(&self) -> Result<Option<TableSummary>, Trouble>;

    fn describe_ledger(&self) -> Result<Option<TableSummary>, Trouble>;

    /// Changes an item unless it has this mark or a later one.
    fn change(&self, change: &Change, mark: Mark<'_>) -> Result<Changed, Trouble>;

    /// Puts items, none of them twice, no more than a batch has room for.
    fn put_all(&self, items: Vec<Vec<Attribute>>) -> Result<(), Trouble>;

    fn is_empty(&self) -> Result<bool, Trouble>;

    /// Deletes all items.
    fn empty(&self, keys: &[&str]) -> Result<(), Trouble>;

    /// What the ledger has for a flow's port.
    fn entry(&self, sort: &str) -> Result<Option<Item>, Trouble>;

    /// What it has for all that publish to the table.
    fn entries(&self) -> Result<Vec<Item>, Trouble>;

    /// Writes the ledger on its condition; one that does not hold may be one's own doing: the first answer was lost.
    fn swap(&self, write: &Write) -> Result<(), Trouble>;
}

/// A table of DynamoDB.
#[derive(Debug)]
pub(super) struct ServiceTable {
    tables: Tables,
    name: String,
}

impl ServiceTable {
    pub(super) fn open(account: &Account, name: &str) -> Result<Self, Error> {
        Ok(Self { tables: wait(Tables::of(account))?, name: name.to_owned() })
    }
}

/// Waits for a call that is tried again while it may pass.
fn patiently<T>(call: impl AsyncFnMut() -> Result<T, Trouble>) -> Result<T, Trouble> {
    wait(retrying(PATIENCE, call))
}

impl ServiceTable {
    /// Writes a batch to its end: what comes back is written again. As long as some of it is written, patience begins anew.
    async fn write(&self, mut batch: Batch) -> Result<(), Trouble> {
        let mut attempts = Attempts::new(PATIENCE);
        while !batch.is_empty() {
            let trouble = match self.tables.write(&self.name, &batch).await {
                Ok(left) => {
                    let (count, of) = (left.len(), batch.len());
                    batch = left;
                    if count == 0 {
                        break;
                    }
                    if count < of {
                        attempts = Attempts::new(PATIENCE);
                    }
                    Trouble::new(BATCH, Kind::Throttled, format!("{count} of {of} items were not written"))
                }
                Err(trouble) => trouble,
            };
            attempts.wait_after(trouble).await?;
        }
        Ok(())
    }
}

impl Table for ServiceTable {
    fn describe(&self) -> Result<Option<TableSummary>, Trouble> {
        patiently(async || self.tables.describe(&self.name).await)
    }

    fn describe_ledger(&self) -> Result<Option<TableSummary>, Trouble> {
        patiently(async || self.tables.describe(LEDGER).await)
    }

    fn change(&self, change: &Change, mark: Mark<'_>) -> Result<Changed, Trouble> {
        patiently(async || self.tables.update(&self.name, change, mark).await)
    }

    fn put_all(&self, items: Vec<Vec<Attribute>>) -> Result<(), Trouble> {
        wait(self.write(Batch::of_items(items)?))
    }

    fn is_empty(&self) -> Result<bool, Trouble> {
        let probe = crate::aws::clients::scan::Segment::all(1).next();
        let Some(probe) = probe else { return Ok(true) };
        let found = patiently(async || self.tables.scan(&self.name, &probe, Some(1)).await)?;
        Ok(found.ends.is_empty())
    }

    fn empty(&self, keys: &[&str]) -> Result<(), Trouble> {
        let mut from = None;
        loop {
            let page = async || self.tables.some_to_delete(&self.name, keys, from.clone(), BATCH_WRITES_MAX).await;
            let (batch, next) = patiently(page)?;
            wait(self.write(batch))?;
            from = next;
            if from.is_none() {
                return Ok(());
            }
        }
    }

    fn entry(&self, sort: &str) -> Result<Option<Item>, Trouble> {
        patiently(async || self.tables.get(LEDGER, &key_of(&self.name, sort)).await)
    }

    fn entries(&self) -> Result<Vec<Item>, Trouble> {
        // Names of flows and ports have no letters beyond these.
        let span = Span { partition: &self.name, from: " ", to: "~", backwards: false, limit: None };
        let (mut entries, mut after) = (Vec::new(), None);
        loop {
            let (page, next) = patiently(async || self.tables.page(LEDGER, span, after.as_ref()).await)?;
            entries.extend(page);
            after = next;
            if after.is_none() {
                return Ok(entries);
            }
        }
    }

    fn swap(&self, write: &Write) -> Result<(), Trouble> {
        patiently(async || self.tables.put(LEDGER, write).await)
    }
}
