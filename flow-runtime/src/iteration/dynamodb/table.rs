//! A table of DynamoDB, by its address; its calls are waited for here, and tried again.

use std::{path::PathBuf, time::Duration};

use jiff::SignedDuration;

use super::{
    items::{Item, Items, Key, Span, Write, all_pages},
    owner::RENEWALS,
};
use crate::{
    Address, Error, Failure,
    aws::{
        ACCOUNT_OPTIONS, Account, Kind, Patience, Trouble,
        clients::{
            Tables,
            dynamodb::{TableDefinition, TableState, checkpoint_table},
        },
        retrying, wait,
    },
    effect,
};

/// How long an owner's counter may stand still before another takes over, unless the address says otherwise.
const LEASE: Duration = Duration::from_secs(30);

/// The store is tried for about a minute before a run ends; nothing is lost by that.
const PATIENCE: Patience = Patience { attempts: 12, first: Duration::from_millis(100), most: Duration::from_secs(20) };

/// What an address says of a checkpoint table: `dynamodb://table?region=…`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct DynamoDbPlace {
    /// For people.
    pub(crate) text: String,
    pub(crate) table: String,
    account: Account,
    /// How long an owner's counter may stand still before another takes over.
    pub(crate) lease: Duration,
    staging: Option<PathBuf>,
}

impl DynamoDbPlace {
    /// Reads an address.
    ///
    /// # Errors
    /// [`Error::Config`] for options that there are not, and for what cannot be the name of a table.
    pub(crate) fn of(address: &Address) -> Result<Self, Error> {
        let known = [&ACCOUNT_OPTIONS[..], &["lease", "staging"]].concat();
        address.allow_options(&known)?;
        let wrong = |what: &str, help: &str| Err(Error::Config(Failure::new(what).at(address.to_string()).help(help)));
        let table = address.path().trim_start_matches("//");
        // "Naming rules", docs.aws.amazon.com/amazondynamodb, 2026-11-22.
        let is_name = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
        if !(3..=255).contains(&table.len()) || !table.bytes().all(is_name) {
            return wrong("this is no name of a table", "write it as dynamodb://TABLE: 3 to 255 of a-z A-Z 0-9 _ - .");
        }
        let lease =
            address.option("lease").map(|text| text.parse().ok().and_then(|time: SignedDuration| time.try_into().ok()));
        let lease = match lease {
            None => LEASE,
            Some(Some(lease)) if lease >= Duration::from_secs(1) => lease,
            Some(_) => return wrong("the lease is no time of a second or more", "write it as lease=30s"),
        };
        Ok(Self {
            text: address.to_string(),
            table: table.to_owned(),
            account: Account::of(address),
            lease,
            staging: address.option("staging").map(PathBuf::from),
        })
    }

    /// Where a flow stages what it reads, on this machine. It is the store's alone, by its
    /// [`origin`](crate::iteration::upkeep::Upkeep::origin): whoever tidies up asks his own store what is garbage, and it
    /// knows nothing of what a flow of the same name has sealed in another table, region or account.
    pub(crate) fn staging(&self, flow: &str, origin: &str) -> PathBuf {
        let of_flow = match &self.staging {
            Some(folder) => folder.join(flow),
            None => PathBuf::from(format!("{flow}.staging")),
        };
        of_flow.join(origin)
    }

    /// The table; nothing is called yet, but for what finds credentials out.
    ///
    /// # Errors
    /// [`Error::Config`] when no region is known.
    pub(crate) fn table(&self) -> Result<Table, Error> {
        let tables = wait(Tables::of(&self.account))?;
        Ok(Table { tables, name: self.table.clone(), place: self.text.clone(), patience: PATIENCE, call_max: None })
    }
}

/// A table under its name.
#[derive(Clone, Debug)]
pub(crate) struct Table {
    tables: Tables,
    name: String,
    place: String,
    patience: Patience,
    /// How long one call may take, if less than any may.
    call_max: Option<Duration>,
}

impl Table {
    /// The same, for the owner of a flow: a connection that is stuck is given up in time for another try within the lease.
    pub(crate) fn impatient(self, lease: Duration) -> Self {
        let call_max = Some(lease / (2 * RENEWALS));
        Self { patience: Patience { attempts: 2, ..self.patience }, call_max, ..self }
    }

    /// Makes sure that it is there.
    ///
    /// # Errors
    /// [`Error::Store`] when it is not.
    pub(crate) fn must_exist(&self) -> Result<(), Error> {
        let found = self.ask("look at the checkpoint table", async || self.tables.describe(&self.name).await)?;
        found.map_or_else(|| Err(self.is_missing()), |_| Ok(()))
    }

    /// Makes sure that it is there, and what a checkpoint table is to be; says what a person should know of it.
    ///
    /// # Errors
    /// [`Error::Store`] when it is not.
    pub(crate) fn check(&self) -> Result<Option<Failure>, Error> {
        let wrong =
            |what: String, help: String| Err(Error::Store(Failure::new(what).at(self.place.clone()).help(help)));
        let Some(found) = self.ask("look at the checkpoint table", async || self.tables.describe(&self.name).await)?
        else {
            return Err(self.is_missing());
        };
        let expected = checkpoint_table();
        let TableDefinition { partition_key, sort_key, is_on_demand } = &found.definition;
        if (partition_key, sort_key) != (&expected.partition_key, &expected.sort_key) {
            return wrong(
                format!("the table has another key: {}", found.definition.key()),
                format!("give --checkpoint a table of its own; `setup` makes one, with the key {}", expected.key()),
            );
        }
        match found.state {
            TableState::Active => {}
            TableState::Creating => return wrong("the table is being made".to_owned(), "wait for it".to_owned()),
            TableState::Deleting | TableState::Unusable => {
                return wrong(
                    "the table is being deleted, or cannot be used".to_owned(),
                    "look at it in the console".to_owned(),
                );
            }
        }
        Ok((!is_on_demand).then(|| {
            Failure::new("the checkpoint table has a booked capacity")
                .at(self.place.clone())
                .cause("beyond it, the store waits")
                .help("switch it to on-demand, where nothing need be booked")
        }))
    }

    fn is_missing(&self) -> Error {
        Error::Store(
            Failure::new(format!("there is no checkpoint table `{}`", self.name))
                .at(format!("{}, region {}", self.place, self.tables.region))
                .help("make it with `setup`; or check the name, the region and the account"),
        )
    }

    /// Asks until there is an answer, and tells whoever watches that it has to be asked again.
    fn ask<T>(&self, what: &str, mut call: impl AsyncFnMut() -> Result<T, Trouble>) -> Result<T, Error> {
        let told = async || {
            let answer = match self.call_max {
                None => call().await,
                Some(time) => tokio::time::timeout(time, call())
                    .await
                    .unwrap_or_else(|_| Err(Trouble::new("dynamodb", Kind::Passing, "no answer within the lease"))),
            };
            if let Err(trouble) = answer.as_ref()
                && trouble.may_pass()
            {
                tracing::warn!(store = %self.place, %trouble, "the checkpoint store does not answer; asking again");
            }
            answer
        };
        wait(retrying(self.patience, told)).map_err(|trouble| match trouble.kind {
            Kind::Missing => self.is_missing(),
            _ => Error::Store(trouble.failure(format!("cannot {what}")).at(self.place.clone())),
        })
    }
}

impl Items for Table {
    fn get(&self, key: &Key) -> Result<Option<Item>, Error> {
        self.ask("read the checkpoint store", async || self.tables.get(&self.name, key).await)
    }

    fn put(&self, writes: &[Write]) -> Result<bool, Error> {
        let what = "write the checkpoint store";
        match writes {
            [write] => self.ask(what, async || match self.tables.put(&self.name, write).await {
                Ok(()) => Ok(true),
                Err(trouble) if trouble.kind == Kind::ConditionFailed => Ok(false),
                Err(trouble) => Err(trouble),
            }),
            writes => {
                let token = effect::id();
                self.ask(what, async || self.tables.put_all(&self.name, writes, &token).await)
            }
        }
    }

    fn remove(&self, key: &Key) -> Result<(), Error> {
        self.ask("tidy the checkpoint store", async || self.tables.remove(&self.name, key).await)
    }

    fn items(&self, span: Span<'_>) -> Result<Vec<Item>, Error> {
        all_pages(span, |span, after| {
            self.ask("read the checkpoint store", async || self.tables.page(&self.name, span, after).await)
        })
    }

    fn place(&self) -> &str {
        &self.place
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_that_does_not_answer_the_owner_is_given_up_and_asked_once_more() {
        let place = DynamoDbPlace::of(&"dynamodb://flow?region=eu-central-1".parse().unwrap()).unwrap();
        let (table, mut calls) = (place.table().unwrap().impatient(Duration::from_millis(120)), 0);
        let told = table.ask("be heard of", async || {
            calls += 1;
            std::future::pending::<Result<(), Trouble>>().await
        });
        let told = told.unwrap_err().to_string();
        assert!(calls == 2 && told.contains("no answer within the lease"), "{calls}: {told}");
    }
}
