//! What the table of ledgers says of the tables that sinks fill: whether `teardown` may delete them, and what it forgets then.

use super::{
    Kind,
    clients::{
        dynamodb::Tables,
        items::{Item, Key, Span},
        scan::Segment,
    },
    resources::Resource,
    wait,
};
use crate::{Error, sink::dynamodb};

impl Resource {
    /// Why a table that a sink of `flow` fills is not to be deleted with what is in it, if it is not.
    ///
    /// # Errors
    /// What could not be looked at.
    pub(crate) fn is_kept_from(&self, flow: &str) -> Result<Option<String>, Error> {
        let tables = wait(Tables::of(&self.account))?;
        let Some(probe) = Segment::all(1).next() else { return Ok(None) };
        let found = self.asked("look into", async || tables.scan(&self.name, &probe, Some(1)).await)?;
        let (own, others): (Vec<Item>, Vec<Item>) =
            self.entries(&tables, &self.name)?.into_iter().partition(|entry| is_of(&entry.key, flow));
        let other = others.iter().find(|entry| dynamodb::has_rows(&entry.body));
        Ok(match other.and_then(|entry| entry.key.sort.rsplit_once('/')) {
            Some((other, port)) => Some(format!("port `{port}` of flow {other} has loaded it, too")),
            None if own.is_empty() && !found.ends.is_empty() => {
                Some("there are items in it, and no ledger says that this flow has loaded them".to_owned())
            }
            None => None,
        })
    }

    /// Has the table of ledgers forget what `flow` has loaded into those of its tables that are gone. It stays, even if nothing
    /// else is in it: another flow may be writing to it.
    ///
    /// # Errors
    /// When the service refuses.
    pub(crate) fn forget(&self, flow: &str) -> Result<(), Error> {
        let tables = wait(Tables::of(&self.account))?;
        for table in &self.remembers {
            if self.asked("look at", async || tables.describe(table).await)?.is_some() {
                continue;
            }
            for entry in self.entries(&tables, table)?.iter().filter(|entry| is_of(&entry.key, flow)) {
                self.asked("change", async || tables.remove(&self.name, &entry.key).await)?;
            }
        }
        Ok(())
    }

    /// What is remembered of a table; nothing where nothing can be.
    fn entries(&self, tables: &Tables, table: &str) -> Result<Vec<Item>, Error> {
        // Names of flows and ports have no letters beyond these.
        let span = Span { partition: table, from: " ", to: "~", backwards: false, limit: None };
        let (mut entries, mut after): (Vec<Item>, Option<Key>) = (Vec::new(), None);
        loop {
            let page = async || match tables.page(dynamodb::LEDGER_TABLE, span, after.as_ref()).await {
                Err(trouble) if trouble.kind == Kind::Missing => Ok((Vec::new(), None)),
                page => page,
            };
            let (page, next) = self.asked("look into the ledgers of", page)?;
            entries.extend(page);
            after = next;
            if after.is_none() {
                return Ok(entries);
            }
        }
    }
}

fn is_of(key: &Key, flow: &str) -> bool {
    key.sort.rsplit_once('/').is_some_and(|(of, _)| of == flow)
}
