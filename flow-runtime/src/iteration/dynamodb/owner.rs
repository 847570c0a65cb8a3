//! Who is at work on a flow: an item with a random id, whose version is raised by its owner a few times in a lease.
//!
//! It saves work, as the lock beside a SQLite file does: two runs of a flow would do everything twice, and one of them for
//! nothing. That each iteration is sealed once does not hang on it. So losing it is no error: the one who took over has
//! revoked what the other was at, and the other is told when it seals.
//!
//! Nobody reads another machine's clock: whoever finds an owner watches the version, and takes over when it has stood still
//! for the lease by his own clock.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc::{self, RecvTimeoutError, Sender},
    },
    thread::{self, JoinHandle},
    time::{Duration, SystemTime},
};

use serde::{Deserialize, Serialize};

use super::{
    items::{Items, Key, Write},
    register,
};
use crate::{
    Error, Failure,
    effect::{self, clock, disk, effect, is_flow_lock_off},
    iteration::listing::time,
};

/// How often the owner is heard of within a lease.
pub(super) const RENEWALS: u32 = 3;

/// How often one who watches looks within a lease.
const LOOKS: u32 = 10;

/// What the item says; an owner that has gone has no id.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Owner {
    id: String,
    /// `pid 4711`.
    who: String,
    host: String,
    since_us: i64,
    /// By the owner's own clock, for people; nothing is decided by it.
    renewed_us: i64,
    lease_ms: u64,
}

impl Owner {
    fn lease(&self) -> Duration {
        Duration::from_millis(self.lease_ms)
    }

    fn name(&self) -> String {
        if self.host.is_empty() { self.who.clone() } else { format!("{} on {}", self.who, self.host) }
    }
}

/// An owner, looked at.
#[derive(Debug)]
pub(crate) struct OwnerSeen {
    /// As he calls himself: `pid 4711`.
    pub(crate) who: String,
    /// His machine, if it is another one.
    pub(crate) elsewhere: Option<String>,
    pub(crate) since: SystemTime,
    pub(crate) busy: Failure,
}

/// Held as long as it lives, unless another takes over.
#[derive(Debug)]
pub(crate) struct Lease {
    is_lost: Arc<AtomicBool>,
    end: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

/// Who is at work on `flow`, if anybody seems to be; nothing is waited for, so by the clock of that machine.
pub(crate) fn look_at_owner(items: &dyn Items, flow: &str) -> Result<Option<OwnerSeen>, Error> {
    let Some((owner, _)) = read(items, flow)?.filter(|(owner, _)| !owner.id.is_empty()) else { return Ok(None) };
    let silent_us = clock::now_us().saturating_sub(owner.renewed_us);
    let lease_us = i64::try_from(owner.lease().as_micros()).unwrap_or(i64::MAX);
    if silent_us > lease_us.saturating_mul(2) {
        return Ok(None);
    }
    let ago = format!("heard of {} s ago", silent_us.max(0) / 1_000_000);
    Ok(Some(OwnerSeen {
        elsewhere: Some(owner.host.clone()).filter(|there| *there != host()),
        since: time(owner.since_us),
        busy: busy(items, flow, &owner, &ago),
        who: owner.who,
    }))
}

impl Lease {
    /// Takes over `flow`, if nobody else is at work on it; one who is there already is watched for as long as his lease.
    /// `renewing` is the same table for the thread that renews, which nobody is to wait for.
    ///
    /// # Errors
    /// [`Error::Busy`], with the other's name, when another run is at work.
    pub(crate) fn take(
        items: &dyn Items,
        renewing: Arc<dyn Items>,
        flow: &str,
        lease: Duration,
    ) -> Result<Self, Error> {
        let (mine, version) = effect("lock.take", || take(items, flow, lease))?;
        let is_lost = Arc::new(AtomicBool::new(false));
        let (end, ended) = mpsc::channel();
        let renewer = Renewer { items: renewing, flow: flow.to_owned(), mine, version };
        let lost = Arc::clone(&is_lost);
        let thread = thread::Builder::new().name("owner".to_owned()).spawn(move || {
            let mut renewer = renewer;
            while let Err(RecvTimeoutError::Timeout) = ended.recv_timeout(lease / RENEWALS) {
                if !renewer.renew() {
                    lost.store(true, Ordering::Relaxed);
                    return;
                }
            }
            renewer.release();
        });
        let thread = thread.map_err(|error| {
            Error::Store(
                Failure::new("cannot start the thread that holds the flow").cause(error).help("allow more threads"),
            )
        })?;
        Ok(Self { is_lost, end: Some(end), thread: Some(thread) })
    }

    /// Whether another has taken over.
    pub(crate) fn is_lost(&self) -> bool {
        self.is_lost.load(Ordering::Relaxed)
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        drop(self.end.take());
        if let Some(thread) = self.thread.take() {
            // A thread that panicked holds nothing any more.
            let _ = thread.join();
        }
    }
}

fn owner_key(flow: &str) -> Key {
    Key { partition: flow.to_owned(), sort: "owner".to_owned() }
}

fn read(items: &dyn Items, flow: &str) -> Result<Option<(Owner, u64)>, Error> {
    let key = owner_key(flow);
    let Some(item) = items.get(&key)? else { return Ok(None) };
    Ok(Some((register::parse(items, &key, &item.body)?, item.version)))
}

fn write(items: &dyn Items, flow: &str, owner: &Owner, was: u64) -> Result<bool, Error> {
    let key = owner_key(flow);
    let body = register::text(items, &key, owner)?;
    items.put(&[Write { key, was, body }])
}

/// Becomes the owner; says under which id, and in which version.
fn take(items: &dyn Items, flow: &str, lease: Duration) -> Result<(Owner, u64), Error> {
    let now = clock::now_us();
    let lease_ms = u64::try_from(lease.as_millis()).unwrap_or(u64::MAX);
    let mine = Owner { id: effect::id(), who: effect::owner(), host: host(), since_us: now, renewed_us: now, lease_ms };
    loop {
        let was = match read(items, flow)? {
            None => 0,
            // Our own write, whose reply was lost.
            Some((there, version)) if there.id == mine.id => return Ok((mine, version)),
            Some((there, version)) if there.id.is_empty() || is_flow_lock_off() => version,
            Some((there, version)) => {
                watch(items, flow, &there, version)?;
                version
            }
        };
        if write(items, flow, &mine, was)? {
            return Ok((mine, was + 1));
        }
    }
}

/// Watches an owner until he may be taken for dead, or has gone.
fn watch(items: &dyn Items, flow: &str, there: &Owner, version: u64) -> Result<(), Error> {
    let lease = there.lease();
    tracing::warn!(
        flow,
        owner = there.name(),
        lease_seconds = lease.as_secs(),
        "another run has the flow: watching for as long as its lease whether it is alive"
    );
    let until = clock::elapsed().saturating_add(lease);
    while clock::elapsed() < until {
        clock::sleep(lease / LOOKS);
        match read(items, flow)? {
            Some((now, then)) if then == version || now.id.is_empty() => {
                if now.id.is_empty() {
                    return Ok(());
                }
            }
            Some((now, _)) => return Err(Error::Busy(busy(items, flow, &now, "heard of just now"))),
            None => return Ok(()),
        }
    }
    tracing::warn!(flow, owner = there.name(), "it has not been heard of for its lease: taking over");
    Ok(())
}

fn busy(items: &dyn Items, flow: &str, owner: &Owner, heard: &str) -> Failure {
    Failure::new(format!("another run of `{flow}` is under way"))
        .at(format!("{}, {heard}, store {}", owner.name(), items.place()))
        .help(format!(
            "wait for it; should it die, the next run takes over when nothing was heard of it for {} s",
            owner.lease().as_secs()
        ))
}

/// This machine.
fn host() -> String {
    let name = disk::read_to_string("process", "/proc/sys/kernel/hostname".as_ref());
    name.map(|name| name.trim().to_owned()).unwrap_or_default()
}

/// Raises the version again and again.
#[derive(Debug)]
struct Renewer {
    items: Arc<dyn Items>,
    flow: String,
    mine: Owner,
    version: u64,
}

impl Renewer {
    /// Raises the version; says whether it is still ours. Whether the store answers does not matter: nobody takes over who
    /// cannot reach it either.
    fn renew(&mut self) -> bool {
        self.mine.renewed_us = clock::now_us();
        match write(&*self.items, &self.flow, &self.mine, self.version) {
            Ok(true) => self.version += 1,
            Ok(false) => match read(&*self.items, &self.flow) {
                Ok(Some((there, version))) if there.id == self.mine.id => self.version = version,
                Ok(there) => {
                    let by = there.map(|(there, _)| there.name()).unwrap_or_default();
                    tracing::warn!(
                        flow = self.flow,
                        by,
                        "another run has taken over: what this one is at will be refused"
                    );
                    return false;
                }
                Err(error) => tracing::warn!(flow = self.flow, %error, "cannot see who has the flow; asking again"),
            },
            Err(error) => tracing::warn!(flow = self.flow, %error, "cannot say that this run is alive; trying again"),
        }
        true
    }

    /// Goes, so that the next one need not watch.
    fn release(&mut self) {
        let gone = Owner { id: String::new(), ..self.mine.clone() };
        // Refused: a renewal came through whose reply was lost. What fails here makes the next one watch.
        if let Ok(false) = write(&*self.items, &self.flow, &gone, self.version)
            && let Ok(Some((there, version))) = read(&*self.items, &self.flow)
            && there.id == self.mine.id
        {
            let _ = write(&*self.items, &self.flow, &gone, version);
        }
    }
}

#[cfg(test)]
#[path = "owner_tests.rs"]
mod tests;
