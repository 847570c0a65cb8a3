//! Sends records in requests that the service takes, and again what it refuses, until it has them or there is no hope.

use std::{
    mem,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use super::totals::Totals;
use crate::{
    Address, Error, Failure,
    aws::{
        ACCOUNT_OPTIONS, Account, Kind, Patience, Trouble,
        clients::streams::{Entry, Streams},
        limits::{PUT_BYTES_MAX, PUT_BYTES_MAX_FORMER, PUT_RECORDS_MAX},
        wait,
    },
    effect::clock,
};

/// A shard that is written to beyond its limit gets room within the second; that nothing at all is taken for minutes is
/// something else.
const PATIENCE: Patience = Patience { attempts: 25, first: Duration::from_millis(100), most: Duration::from_secs(5) };

/// Says of each entry, in their order, whether the stream has it.
pub(crate) trait Put {
    /// Makes one request.
    fn put(&mut self, entries: &[&Entry]) -> Result<Vec<Result<(), Trouble>>, Trouble>;
}

/// A stream of the service.
#[derive(Debug)]
pub(crate) struct Stream {
    pub(crate) streams: Streams,
    pub(crate) name: String,
    /// For people.
    pub(crate) place: String,
}

impl Stream {
    /// The stream of an address: `kinesis://access-log?region=eu-central-1`.
    ///
    /// # Errors
    /// [`Error::Config`] when it is the address of something else, or no region is known.
    pub(crate) fn at(address: &Address) -> Result<Self, Error> {
        let name = stream_name(address)?;
        address.allow_options(&ACCOUNT_OPTIONS)?;
        let streams = wait(Streams::of(&Account::of(address)))?;
        Ok(Self { streams, name: name.to_owned(), place: address.to_string() })
    }
}

fn stream_name(address: &Address) -> Result<&str, Error> {
    let name = address.path().strip_prefix("//").filter(|_| address.tap() == "kinesis");
    name.filter(|name| !name.is_empty() && !name.contains('/')).ok_or_else(|| {
        Error::Config(Failure::new("not the address of a stream").at(address.to_string()).help("kinesis://STREAM"))
    })
}

impl Put for Stream {
    fn put(&mut self, entries: &[&Entry]) -> Result<Vec<Result<(), Trouble>>, Trouble> {
        wait(self.streams.put(&self.name, entries))
    }
}

/// An entry, and what it stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Outgoing {
    pub(crate) entry: Entry,
    /// Records in it: one, or as many as were aggregated.
    pub(crate) records: u64,
    /// Their bytes.
    pub(crate) bytes: u64,
}

/// An entry that waits to be acknowledged.
struct Waiting {
    outgoing: Outgoing,
    /// Whether the answer to an attempt was lost.
    is_uncertain: bool,
}

/// Sends one request after the other, so that what is given first is sent first.
pub(crate) struct Sender<'a> {
    put: &'a mut dyn Put,
    totals: Arc<Mutex<Totals>>,
    /// Nothing is tried again when this is set.
    stop: Arc<AtomicBool>,
    bytes_max: usize,
    /// Attempts in a row after which the stream had nothing more.
    fruitless: u32,
}

impl<'a> Sender<'a> {
    pub(crate) fn new(put: &'a mut dyn Put, totals: Arc<Mutex<Totals>>, stop: Arc<AtomicBool>) -> Self {
        Self { put, totals, stop, bytes_max: PUT_BYTES_MAX, fruitless: 0 }
    }

    /// Counts.
    pub(crate) fn count(&self, change: impl FnOnce(&mut Totals)) {
        change(&mut self.totals.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// Sends all of it, however many requests that takes. What a request fails to bring in is sent again alone, in its
    /// order, before anything later is. (Of one request the service may take the second of two records of a key and
    /// refuse the first: then they change places.)
    ///
    /// # Errors
    /// When the service refuses a request as it is, or takes nothing for minutes, or `stop` is set meanwhile; then what
    /// was not acknowledged counts as failed.
    pub(crate) fn send(&mut self, outgoing: Vec<Outgoing>) -> Result<(), Error> {
        let mut later: Vec<Waiting> =
            outgoing.into_iter().map(|outgoing| Waiting { outgoing, is_uncertain: false }).collect();
        while !later.is_empty() {
            let rest = later.split_off(self.fitting(&later));
            let mut request = mem::replace(&mut later, rest);
            while !request.is_empty() {
                // Another limit than at first: cut anew.
                if self.fitting(&request) < request.len() {
                    request.append(&mut later);
                    mem::swap(&mut request, &mut later);
                    break;
                }
                if let Err(error) = self.attempt(&mut request) {
                    let lost = request.iter().chain(&later).map(|waiting| waiting.outgoing.records).sum::<u64>();
                    self.count(|totals| totals.failed += lost);
                    return Err(error);
                }
            }
        }
        Ok(())
    }

    /// How many of the first of these one request takes.
    fn fitting(&self, waiting: &[Waiting]) -> usize {
        let mut bytes = 0;
        let fits = |waiting: &&Waiting| {
            bytes += waiting.outgoing.entry.bytes();
            bytes <= self.bytes_max
        };
        waiting.iter().take(PUT_RECORDS_MAX).take_while(fits).count().max(1)
    }

    /// Makes one request, and keeps what it failed to bring in.
    fn attempt(&mut self, request: &mut Vec<Waiting>) -> Result<(), Error> {
        self.count(|totals| totals.requests += 1);
        let entries: Vec<&Entry> = request.iter().map(|waiting| &waiting.outgoing.entry).collect();
        let trouble = match self.put.put(&entries) {
            Ok(fates) => match self.settle(request, fates) {
                None => return Ok(()),
                Some(trouble) => trouble,
            },
            Err(trouble) if trouble.kind == Kind::Invalid && self.is_large(request) => {
                self.bytes_max = PUT_BYTES_MAX_FORMER;
                return Ok(());
            }
            Err(trouble) => {
                let is_lost = trouble.kind == Kind::Passing;
                request.iter_mut().for_each(|waiting| waiting.is_uncertain |= is_lost);
                self.fruitless += 1;
                trouble
            }
        };
        self.again(request, trouble)
    }

    /// Whether a request may be refused because the service goes by a former limit.
    fn is_large(&self, request: &[Waiting]) -> bool {
        let bytes: usize = request.iter().map(|waiting| waiting.outgoing.entry.bytes()).sum();
        self.bytes_max > PUT_BYTES_MAX_FORMER && bytes > PUT_BYTES_MAX_FORMER
    }

    /// Counts what the stream has and keeps the rest; says why there is one.
    fn settle(&mut self, request: &mut Vec<Waiting>, fates: Vec<Result<(), Trouble>>) -> Option<Trouble> {
        let mut why: Option<Trouble> = None;
        let mut left = Vec::new();
        let mut brought = Totals::default();
        for (waiting, fate) in mem::take(request).into_iter().zip(fates) {
            match fate {
                Ok(()) => {
                    brought.sent += waiting.outgoing.records;
                    brought.bytes += waiting.outgoing.bytes;
                    brought.stream_records += 1;
                    brought.maybe_twice += if waiting.is_uncertain { waiting.outgoing.records } else { 0 };
                }
                Err(trouble) => {
                    // One that cannot pass says more.
                    if why.as_ref().is_none_or(Trouble::may_pass) {
                        why = Some(trouble);
                    }
                    left.push(waiting);
                }
            }
        }
        self.count(|totals| {
            totals.sent += brought.sent;
            totals.bytes += brought.bytes;
            totals.stream_records += brought.stream_records;
            totals.maybe_twice += brought.maybe_twice;
        });
        self.fruitless = if brought.stream_records > 0 { 0 } else { self.fruitless + 1 };
        *request = left;
        why
    }

    /// Waits before what is left is sent again, if there is hope.
    fn again(&mut self, left: &[Waiting], trouble: Trouble) -> Result<(), Error> {
        if self.stop.load(Ordering::Relaxed) {
            return Err(Error::Interrupted);
        }
        if !trouble.may_pass() || self.fruitless >= PATIENCE.attempts {
            let trouble =
                if trouble.may_pass() { trouble.at_attempt(self.fruitless, PATIENCE.attempts) } else { trouble };
            return Err(Error::Target(trouble.failure("cannot write to the stream")));
        }
        let pause = PATIENCE.wait_after(self.fruitless + 1, fastrand::f64());
        tracing::debug!(%trouble, entries = left.len(), pause_ms = pause.as_millis(), "sending again");
        self.count(|totals| totals.retried += left.iter().map(|waiting| waiting.outgoing.records).sum::<u64>());
        clock::sleep(pause);
        Ok(())
    }
}

#[cfg(test)]
#[path = "sender_tests.rs"]
mod tests;
