//! Where the iterations of flows are kept: the one place that knows which kinds there are.
//!
//! What a store must give is in `iteration/store.rs` and `iteration/upkeep.rs`; what a run has open of it, in `checkpoint.rs`.

use std::{
    fmt,
    path::{Path, PathBuf},
    time::SystemTime,
};

use super::{Checkpoint, lock::FlowLock};
#[cfg(feature = "aws")]
use crate::iteration::dynamodb::{self, DynamoDbPlace, DynamoDbStore, Lease, look_at_owner};
use crate::{
    Error, Failure, effect, folder,
    iteration::{
        IterationDetail,
        listing::Listing,
        sqlite::{self, SqliteStore},
        upkeep::Upkeep,
    },
    sink::staging::StagingArea,
};

/// Where the iterations of any number of flows are kept.
#[derive(Clone, Debug)]
pub(crate) enum Place {
    /// A SQLite file.
    Sqlite(PathBuf),
    /// A table of DynamoDB.
    #[cfg(feature = "aws")]
    DynamoDb(DynamoDbPlace),
}

/// The lock of a flow, held as long as it lives.
#[derive(Debug)]
pub(super) enum Lock {
    /// Of the operating system, on a file.
    File(#[expect(dead_code, reason = "to let go of it is what it is for")] FlowLock),
    /// An owner's counter, which another may take over.
    #[cfg(feature = "aws")]
    Lease(Lease),
}

impl Lock {
    /// Whether another has taken over.
    pub(super) fn is_lost(&self) -> bool {
        match self {
            Self::File(_) => false,
            #[cfg(feature = "aws")]
            Self::Lease(lease) => lease.is_lost(),
        }
    }
}

/// Who has the lock of a flow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Holder {
    /// As he calls himself: `pid 4711`.
    pub(super) owner: String,
    /// The machine that he is on, if it is another one.
    pub(super) host: Option<String>,
    /// Since when, if that is known.
    pub(super) since: Option<SystemTime>,
}

impl Checkpoint {
    /// The place, if there is one.
    ///
    /// # Errors
    /// [`Error::Config`] for an address that cannot be one.
    pub(crate) fn kept(&self) -> Result<Option<Place>, Error> {
        Ok(Some(match self {
            Self::None => return Ok(None),
            Self::Sqlite(path) => Place::Sqlite(path.clone()),
            #[cfg(feature = "aws")]
            Self::DynamoDb(address) => Place::DynamoDb(DynamoDbPlace::of(address)?),
            #[cfg(not(feature = "aws"))]
            Self::DynamoDb(address) => {
                let failure = Failure::new("this program was built without AWS").at(address.to_string());
                return Err(Error::Config(failure.help("build it with the feature `aws` of flow-runtime")));
            }
        }))
    }

    /// The place, for what makes no sense `without` one.
    ///
    /// # Errors
    /// [`Error::Config`].
    pub(crate) fn place(&self, without: &str) -> Result<Place, Error> {
        self.kept()?.ok_or_else(|| {
            Error::Config(
                Failure::new(format!("without a checkpoint store {without}")).help("give --checkpoint sqlite:PATH"),
            )
        })
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(path) => path.display().fmt(f),
            #[cfg(feature = "aws")]
            Self::DynamoDb(place) => f.write_str(&place.text),
        }
    }
}

impl Place {
    /// Opens the store of `flow`, and makes what is missing; a new logical name gets `new_epoch`.
    pub(super) fn open(&self, flow: &str, new_epoch: &str, now_us: i64) -> Result<Box<dyn Upkeep>, Error> {
        Ok(match self {
            Self::Sqlite(path) => Box::new(SqliteStore::open(&folder::followed(path), flow, new_epoch, now_us)?),
            #[cfg(feature = "aws")]
            Self::DynamoDb(place) => Box::new(DynamoDbStore::open(items(place)?, flow, new_epoch, now_us)?),
        })
    }

    /// The store of `flow`, to be read; `None` where it has not begun.
    pub(super) fn look(&self, flow: &str) -> Result<Option<Box<dyn Upkeep>>, Error> {
        Ok(match self {
            Self::Sqlite(path) => SqliteStore::look(&folder::followed(path), flow)?.map(|store| Box::new(store) as _),
            #[cfg(feature = "aws")]
            Self::DynamoDb(place) => DynamoDbStore::look(items(place)?, flow)?.map(|store| Box::new(store) as _),
        })
    }

    /// Makes sure that there is a store: who only looks at one, or tidies it up, makes none.
    pub(super) fn must_exist(&self, flow: &str) -> Result<(), Error> {
        match self {
            Self::Sqlite(path) => sqlite::listing::must_exist(path, flow),
            #[cfg(feature = "aws")]
            Self::DynamoDb(place) => place.table()?.must_exist(),
        }
    }

    /// Makes sure that what is there, if anything is, may be a store.
    pub(super) fn refuse_what_is_none(&self) -> Result<(), Error> {
        match self {
            Self::Sqlite(path) => sqlite::is_there(path).map(drop),
            #[cfg(feature = "aws")]
            Self::DynamoDb(_) => Ok(()),
        }
    }

    /// The iterations of `flow`, at most the `last` ones of each epoch; a run may be under way.
    pub(crate) fn list(&self, flow: &str, last: Option<u64>) -> Result<Listing, Error> {
        match self {
            Self::Sqlite(path) => sqlite::listing::list(path, flow, last),
            #[cfg(feature = "aws")]
            Self::DynamoDb(place) => dynamodb::listing::list(&items(place)?, flow, last),
        }
    }

    /// One iteration in full; `None` if the store knows nothing of it.
    pub(crate) fn detail(&self, flow: &str, iteration: u64) -> Result<Option<IterationDetail>, Error> {
        match self {
            Self::Sqlite(path) => sqlite::listing::detail(path, flow, iteration),
            #[cfg(feature = "aws")]
            Self::DynamoDb(place) => dynamodb::listing::detail(&items(place)?, flow, iteration),
        }
    }

    /// The targets that any iteration of `flow` is sealed for, in any epoch.
    pub(super) fn targets(&self, flow: &str) -> Result<Vec<String>, Error> {
        match self {
            Self::Sqlite(path) => sqlite::listing::targets(path, flow),
            #[cfg(feature = "aws")]
            Self::DynamoDb(place) => dynamodb::listing::targets(&items(place)?, flow),
        }
    }

    /// Where `flow` stages what it reads: one area a flow and store, for clean-up takes away whatever it finds that this
    /// store does not want.
    pub(super) fn staging(&self, flow: &str, store: &dyn Upkeep) -> PathBuf {
        // Of a file, the path tells which store it is.
        #[cfg(not(feature = "aws"))]
        let _ = store.origin();
        match self {
            Self::Sqlite(path) => beside(&folder::followed(path)).join(flow),
            #[cfg(feature = "aws")]
            Self::DynamoDb(place) => place.staging(flow, store.origin()),
        }
    }

    /// The same, made. Whoever made the store made its folder durable.
    pub(super) fn open_staging(&self, flow: &str, store: &dyn Upkeep) -> Result<StagingArea, Error> {
        let folder = self.staging(flow, store);
        match self {
            Self::Sqlite(path) => StagingArea::open_below(folder::parent(&folder::followed(path)), folder),
            #[cfg(feature = "aws")]
            Self::DynamoDb(_) => StagingArea::open(folder),
        }
    }

    /// Takes the lock of `flow`.
    ///
    /// # Errors
    /// [`Error::Busy`], with the other's owner, when another run has it.
    pub(super) fn lock(&self, flow: &str) -> Result<Lock, Error> {
        match self {
            // What belongs to a store lies beside it, not beside links to it.
            Self::Sqlite(path) => FlowLock::take(&folder::followed(path), flow, &effect::owner()).map(Lock::File),
            #[cfg(feature = "aws")]
            Self::DynamoDb(place) => {
                let table = place.table()?;
                let renewing = std::sync::Arc::new(table.clone().impatient(place.lease));
                Lease::take(&table, renewing, flow, place.lease).map(Lock::Lease)
            }
        }
    }

    /// Makes sure, without taking it, that nobody has the lock of `flow`.
    ///
    /// # Errors
    /// As [`lock`](Self::lock).
    pub(super) fn look_at_lock(&self, flow: &str) -> Result<(), Error> {
        match self {
            Self::Sqlite(path) => FlowLock::look(&folder::followed(path), flow),
            #[cfg(feature = "aws")]
            Self::DynamoDb(place) => match look_at_owner(&*items(place)?, flow)? {
                None => Ok(()),
                Some(seen) => Err(Error::Busy(seen.busy)),
            },
        }
    }

    /// Who has the lock of `flow`, if anybody.
    pub(super) fn holder(&self, flow: &str) -> Option<Holder> {
        match self {
            Self::Sqlite(path) => {
                let (owner, since) = FlowLock::holder(&folder::followed(path), flow)?;
                Some(Holder { owner, host: None, since })
            }
            #[cfg(feature = "aws")]
            Self::DynamoDb(place) => {
                let seen = look_at_owner(&*items(place).ok()?, flow).ok()??;
                Some(Holder { owner: seen.who, host: seen.elsewhere, since: Some(seen.since) })
            }
        }
    }
}

#[cfg(feature = "aws")]
fn items(place: &DynamoDbPlace) -> Result<dynamodb::Shared, Error> {
    Ok(std::sync::Arc::new(place.table()?))
}

/// Where the flows of a store stage what they read, each in a folder of its own.
fn beside(store: &Path) -> PathBuf {
    let mut path = store.as_os_str().to_owned();
    path.push(".staging");
    path.into()
}
