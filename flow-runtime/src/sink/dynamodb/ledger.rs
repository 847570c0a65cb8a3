//! What the ledger of a port says, and what that means: pure, but for the text that it is kept as.
//!
//! It is an item of the table of ledgers, by the name of the target table, then flow and port, and goes on by versions: each
//! change has the condition that nobody has changed it since. It is written twice for an iteration: before the first item, and
//! after the last.

use serde::{Deserialize, Serialize};

use crate::{
    Error, Failure,
    aws::clients::items::Key,
    effect::{Mutant, mutant},
    held::{Case, Cause},
    sink::{
        Mode, Ticket,
        ledger::{Described, LedgerEntry, Turn, turn_of_table},
    },
};

/// What the ledger says.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Record {
    /// What every mark begins with. It is raised with each checkpoint store that the port begins with anew, so that the marks of the former
    /// ones are smaller: their rows are changed, and whoever slept since then changes nothing.
    pub(super) generation: u64,
    /// DynamoDB's own name of the table: another one of the same name has none of the rows.
    table: Option<String>,
    /// What was loaded last, all of it; without an iteration if none was.
    last: Option<LedgerEntry>,
    /// What is being loaded, a part of which may be there.
    loading: Option<LedgerEntry>,
    /// Somebody has begun to delete all items.
    #[serde(default)]
    pub(super) is_emptied: bool,
    /// The port puts its items whole, without a mark.
    #[serde(default)]
    pub(super) puts_whole: bool,
}

/// Where the ledger of a port is, in the table of ledgers.
pub(super) fn key_of(table: &str, sort: &str) -> Key {
    Key { partition: table.to_owned(), sort: sort.to_owned() }
}

pub(super) fn sort_key(flow: &str, port: &str) -> String {
    format!("{flow}/{port}")
}

/// Whether an entry says that its port has rows in the table; one that cannot be read may.
pub(crate) fn has_rows(body: &str) -> bool {
    Record::parse(body).map_or(true, |record| record.has_rows())
}

impl Record {
    pub(super) fn parse(body: &str) -> Result<Self, String> {
        serde_json::from_str(body).map_err(|error| error.to_string())
    }

    pub(super) fn to_json(&self) -> String {
        // What is made of texts and numbers can be written.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Whether a store has published, or begun to, and the ledger has not forgotten it.
    pub(super) fn has_rows(&self) -> bool {
        self.last.is_some()
    }

    /// Whether it is the ticket's turn, for the table with this id.
    ///
    /// # Errors
    /// [`Error::Held`] as [`turn_of_table`], and when what is half loaded is not the ticket's.
    pub(super) fn turn(&self, table: Option<&str>, ticket: &Ticket, target: Described<'_>) -> Result<Turn, Error> {
        let held = |what: &str, cause: String, help: String, case: Case| {
            let failure = Failure::new(what).at(target.place).cause(cause).help(help);
            Err(Error::Held(failure.held(case.iteration(ticket.iteration))))
        };
        let anew = |what: &str| format!("nothing was changed; {what}; or empty it, {}", target.how_to_forget);
        if self.is_emptied {
            let help = "give the command `forget` with --empty again".to_owned();
            let cause =
                "somebody has begun to empty it, or its ledger was made to forget the flow during a load".to_owned();
            return held("the table was not emptied to the end", cause, help, Cause::HalfEmptied.case());
        }
        let is_there = self.table.is_none() || table.is_none() || self.table.as_deref() == table;
        let turn = turn_of_table(self.last.as_ref(), is_there, ticket, Mode::Merge, target)?;
        if mutant(Mutant::LoadingUnsaid) {
            return Ok(turn);
        }
        let Some(LedgerEntry { iteration: Some(loading), hash, .. }) =
            self.loading.as_ref().filter(|_| turn == Turn::Publish)
        else {
            return Ok(turn);
        };
        let cause = format!("a part of iteration {loading} is there");
        if *loading != ticket.iteration || ticket.hash.is_empty() {
            let help = anew("put target and checkpoint store back as they were, together");
            return held("the target is ahead of the checkpoint store", cause, help, Cause::LedgerAhead.case());
        }
        if *hash != ticket.hash {
            let help = anew("load it with the rows that were sealed first");
            return held("the target has other rows for this iteration", cause, help, Cause::OtherRows.case());
        }
        Ok(turn)
    }

    /// Before the first item of an iteration is written.
    pub(super) fn begun(&self, table: Option<&str>, ticket: &Ticket, now_us: i64) -> Self {
        let entry =
            |iteration, hash: &str| LedgerEntry { epoch: ticket.epoch.clone(), iteration, hash: hash.to_owned() };
        let (generation, last) = match &self.last {
            Some(last) => (self.generation, last.clone()),
            None if mutant(Mutant::GenerationKept) => (self.generation, entry(None, "")),
            // By the clock, too: should the ledger itself be lost, the marks are still greater than those of before.
            None => ((self.generation + 1).max(u64::try_from(now_us).unwrap_or_default()), entry(None, "")),
        };
        let loading = Some(entry(Some(ticket.iteration), &ticket.hash));
        let table = table.map(str::to_owned);
        if mutant(Mutant::LedgerBeforeItems) {
            return Self { generation, table, last: loading, ..Self::default() };
        }
        Self { generation, table, last: Some(last), loading, ..Self::default() }
    }

    /// With how the port writes its items.
    pub(super) fn putting_whole(self, puts_whole: bool) -> Self {
        Self { puts_whole, ..self }
    }

    /// After the last one.
    pub(super) fn ended(&self) -> Self {
        if mutant(Mutant::LedgerBeforeItems) {
            return self.clone();
        }
        Self { last: self.loading.clone(), loading: None, ..self.clone() }
    }

    /// Before the first item is deleted.
    pub(super) fn emptying(&self) -> Self {
        Self { is_emptied: true, ..self.clone() }
    }

    /// The flow is forgotten, the marks of its items are not.
    pub(super) fn forgotten(&self) -> Self {
        Self { generation: self.generation, ..Self::default() }
    }
}
