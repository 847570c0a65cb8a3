//! The contract of a store, and the one way to seal.
//!
//! What a store must give: a write is durable when its call returns; its condition and its effect are one step; a read
//! sees every write before it. It need not tell a lost race from a lost reply: [`seal`] finds out. A write may arrive
//! late or twice: nothing here is undone by that.
//!
//! Everything but the seal is kept under the epoch that the store was opened with. So whoever opened it before a reset
//! goes on in the old epoch, and neither sees nor marks iterations of the new one, whose numbers are the same.

use std::fmt;

use super::{Attempt, Seal, Sealed, SealedShard, decide::seal_end};
use crate::{
    Error,
    effect::{Mutant, mutant},
};

/// Keeps the iterations of one flow: of one logical name.
pub(crate) trait Store: fmt::Debug {
    /// The random number that was made with the logical name; ledgers in targets bear it.
    fn epoch(&self) -> &str;

    /// When the logical name was made, or reset, in microseconds since the epoch of Unix: what begins "now" begins then,
    /// however late it is first read.
    fn created_us(&self) -> i64;

    /// The last sealed iteration, whatever has become of it.
    fn latest(&self) -> Result<Option<u64>, Error>;

    /// The sealed iterations that are not done, oldest first.
    fn unfinished(&self) -> Result<Vec<Sealed>, Error>;

    /// Where every shard that was ever sealed has been sealed to, in the order of their first sight.
    fn shards(&self) -> Result<Vec<SealedShard>, Error>;

    /// The last iteration before `iteration` that had something for the output `port`.
    fn last_output(&self, port: &str, before: u64) -> Result<Option<u64>, Error>;

    /// The attempts that are neither sealed nor revoked.
    fn open_attempts(&self) -> Result<Vec<Attempt>, Error>;

    /// Notes that an attempt has begun.
    fn open(&self, attempt: &Attempt) -> Result<(), Error>;

    /// Forbids an attempt to be sealed, for ever, even if a note of its opening arrives late; one that is sealed stays
    /// so, and one that was given up before keeps its reason. Says whether what it staged is garbage.
    fn revoke(&self, attempt: &str, why: GivenUp<'_>) -> Result<bool, Error>;

    /// Makes an attempt final in one step, on the condition that its iteration is absent, that it is not revoked and
    /// that the epoch is still the store's. Says whether the condition held.
    fn write_seal(&self, attempt: &Attempt, seal: &Seal) -> Result<bool, Error>;

    /// The attempt that was sealed as this iteration.
    fn sealed_attempt(&self, iteration: u64) -> Result<Option<String>, Error>;

    /// Whether it is noted that the target of `port` has this iteration.
    fn is_output_loaded(&self, iteration: u64, port: &str) -> Result<bool, Error>;

    /// Notes that the target of `port` has what is sealed for it, under this hash, in this iteration.
    fn mark_output_loaded(&self, iteration: u64, port: &str, hash: &str) -> Result<(), Error>;

    /// Notes that every target has this iteration.
    fn mark_loaded(&self, iteration: u64, now_us: i64) -> Result<(), Error>;

    /// Notes that nothing is left to do for this iteration.
    fn mark_done(&self, iteration: u64, now_us: i64) -> Result<(), Error>;

    /// Notes why this sealed iteration needs a person.
    fn mark_held(&self, iteration: u64, why: &str) -> Result<(), Error>;
}

/// Why an attempt is given up, in words for a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum GivenUp<'a> {
    /// It failed, or its process died: the next one begins anew.
    Revoked(&'a str),
    /// It stopped for a reason that needs a person.
    Held(&'a str),
    /// Nothing was new. Its owner alone says so of it, and does not come back to it: nobody need remember it, for what is not
    /// known may not be sealed either.
    Unneeded,
}

/// How sealing ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SealEnd {
    /// The attempt is final.
    Won,
    /// Another attempt is final, or this one was revoked: what it staged is garbage.
    Lost,
}

/// Seals an attempt: one conditional write, and, whenever that did not plainly succeed, a look at what the store has.
///
/// # Errors
/// The store's, when the attempt is not sealed, or when that cannot be found out.
pub(crate) fn seal(store: &dyn Store, attempt: &Attempt, seal: &Seal) -> Result<SealEnd, Error> {
    let written = store.write_seal(attempt, seal);
    if let Ok(true) = written {
        return Ok(SealEnd::Won);
    }
    if mutant(Mutant::LostReplyIsLostRace) {
        return Ok(SealEnd::Lost);
    }
    let there = store.sealed_attempt(attempt.iteration);
    match (seal_end(&attempt.id, written.is_ok(), there.as_ref().ok().map(Option::as_deref)), written, there) {
        (Some(end), ..) => Ok(end),
        (None, Err(error), _) | (None, _, Err(error)) => Err(error),
        // A refusal and no seal is a lost race, decided above.
        (None, Ok(_), Ok(_)) => Ok(SealEnd::Lost),
    }
}
