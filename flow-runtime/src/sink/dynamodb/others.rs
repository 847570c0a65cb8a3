//! Others in the same table: what must not be done to their rows, and beside them.

use super::{DynamoDbSinkTap, ledger::Record, target::Found};
use crate::{
    Error, Failure,
    sink::{kept, would_double},
};

/// Who fills the table.
struct Port {
    flow: String,
    name: String,
}

impl DynamoDbSinkTap {
    /// The other ports that have rows in the table, with what the ledger says of each.
    fn others(&self, own: &str) -> Result<Vec<(Port, Record)>, Error> {
        let entries = self.table.entries().map_err(|trouble| self.of_ledger("cannot read the ledger", &trouble))?;
        let mut others = Vec::new();
        for item in entries.iter().filter(|item| item.key.sort != own) {
            let record = self.record(item)?;
            if record.has_rows() {
                let (flow, port) = item.key.sort.rsplit_once('/').unwrap_or_default();
                others.push((Port { flow: flow.to_owned(), name: port.to_owned() }, record));
            }
        }
        Ok(others)
    }

    /// Refuses to put items whole where others add to them, and to add to items that others put whole: with what is put
    /// once more, what others have added is gone.
    pub(super) fn refuse_to_share(&self, own: &str) -> Result<(), Error> {
        for (Port { flow, name }, record) in self.others(own)? {
            let (cause, help) = match (self.layout.comes_once, record.puts_whole) {
                (true, _) => (
                    format!("with keys=once items are put whole, and port `{name}` of flow {flow} has rows there, too"),
                    "nothing was changed; leave keys=once out, or give the sink a table of its own",
                ),
                (false, true) => (
                    format!("port `{name}` of flow {flow} puts its items whole, by keys=once"),
                    "nothing was changed; give the sink a table of its own, or leave keys=once out there",
                ),
                (false, false) => continue,
            };
            let what = "rows that share a table would be lost";
            return Err(Error::Target(Failure::new(what).at(self.place.clone()).cause(cause).help(help)));
        }
        Ok(())
    }

    /// Refuses to take rows of others, or to leave a part of what was to go.
    pub(super) fn refuse_to_forget(&self, found: &Found, empty: bool) -> Result<(), Error> {
        if !empty {
            return match found.record.is_emptied {
                true => Err(self.target("the table was not emptied to the end", "give --empty again")),
                false => Ok(()),
            };
        }
        let Some((Port { flow, name }, _)) = self.others(&found.sort)?.into_iter().next() else { return Ok(()) };
        let failure = Failure::new("the table has rows of others, which would go, too").at(self.place.clone());
        let cause = format!("its ledger names port `{name}` of flow {flow}");
        let help = "nothing was changed; forget without --empty, or have that flow forget the table first";
        Err(Error::Target(failure.cause(cause).help(help)))
    }

    /// Refuses what a run without a store must not do to the table.
    pub(super) fn refuse_without_store(&self) -> Result<(), Error> {
        self.described()?;
        if let Some((Port { flow, name }, _)) = self.others("")?.into_iter().next() {
            return Err(kept(&self.place, &flow, &name));
        }
        match self.table.is_empty().map_err(|trouble| self.failed("cannot look into the table", &trouble))? {
            true => Ok(()),
            false => Err(would_double(&self.place, self.shape)),
        }
    }
}
