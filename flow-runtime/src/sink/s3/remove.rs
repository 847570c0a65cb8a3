//! Removing what an attempt has staged, unless it is published.
//!
//! Somebody who slept may wake up and publish at any moment. So first the attempt's list goes, without which nobody can begin
//! to; then the ledger is changed, which refuses whoever has begun; only then is it looked up whether the attempt is
//! published, and its objects go. The notes go last: what is left of this is done by who comes next.
//!
//! What notes tell of is found by them. A write that arrives late, of a process that slept, is found only by going through
//! all keys: that is clean-up on demand.

use std::collections::{BTreeMap, HashSet};

use super::{manifest::Note, place::Place};
use crate::{
    Error, Failure,
    aws::{Trouble, clients::s3::Object},
    sink::LeftBehind,
};

/// How often to try again when others change the ledger at the same time.
pub(super) const SWAPS_MAX: u32 = 10;

/// Removes what `attempt` has staged for `port`, as its notes tell; what is published stays, without its notes.
pub(super) fn remove(place: &Place, port: &str, attempt: &str) -> Result<(), Error> {
    let notes = place.list(&place.layout.staged(attempt))?;
    if notes.is_empty() {
        return Ok(());
    }
    if !give_up(place, port, attempt)? {
        for key in notes.iter().filter(|key| **key != place.layout.list(attempt)) {
            // One that is gone somebody else has removed, with what it is about.
            let Some((note, _)) = place.read::<Note>(key)? else { continue };
            let begin = place.layout.data(&note.folder, attempt);
            abort_uploads(place, &begin, |_| true)?;
            place.delete(&place.list(&begin)?)?;
        }
    }
    place.delete(&notes)
}

/// Makes sure that nobody publishes the attempt any more; says whether somebody has.
fn give_up(place: &Place, port: &str, attempt: &str) -> Result<bool, Error> {
    if place.is_published(port, attempt)? {
        return Ok(true);
    }
    place.delete(&[place.layout.list(attempt)])?;
    fence(place, port)?;
    place.is_published(port, attempt)
}

/// Changes the ledger without changing what it says: whoever has read it before can publish nothing.
fn fence(place: &Place, port: &str) -> Result<(), Error> {
    for _ in 0..SWAPS_MAX {
        let found = place.current(port)?;
        if place.swap(&found, found.current.clone())? {
            return Ok(());
        }
    }
    Err(contended(place))
}

fn abort_uploads(place: &Place, begin: &str, is_meant: impl Fn(&str) -> bool) -> Result<(), Error> {
    let abort = || -> Result<(), Trouble> {
        let open = place.bucket.uploads(begin)?;
        open.iter().filter(|upload| is_meant(&upload.key)).try_for_each(|upload| place.bucket.abort_upload(upload))
    };
    abort().map_err(|trouble| place.failed("cannot remove what was staged", &trouble))
}

/// What attempts have left that is not published, from going through all keys.
pub(super) fn left_behind(place: &Place, port: &str) -> Result<Vec<LeftBehind>, Error> {
    let objects = list_all(place)?;
    // What is published after this list was made was sealed before: that is not asked to be removed.
    let published = published(place, port)?;
    let mut left: BTreeMap<&str, LeftBehind> = BTreeMap::new();
    for object in &objects {
        let Some(attempt) = place.layout.attempt(&object.key).filter(|attempt| !published.contains(*attempt)) else {
            continue;
        };
        let found = left.entry(attempt).or_insert_with(|| LeftBehind {
            attempt: attempt.to_owned(),
            bytes: 0,
            written_us: object.written_us,
        });
        found.bytes += object.bytes;
        found.written_us = found.written_us.max(object.written_us);
    }
    Ok(left.into_values().collect())
}

/// Removes all that is left of an attempt that is not published.
pub(super) fn remove_left_behind(place: &Place, port: &str, attempt: &str) -> Result<(), Error> {
    if give_up(place, port, attempt)? {
        return remove(place, port, attempt);
    }
    let is_of = |key: &str| place.layout.attempt(key) == Some(attempt);
    abort_uploads(place, &place.layout.all(), is_of)?;
    let keys = list_all(place)?.into_iter().map(|object| object.key).filter(|key| is_of(key));
    place.delete(&keys.collect::<Vec<_>>())
}

fn list_all(place: &Place) -> Result<Vec<Object>, Error> {
    let listed = place.bucket.list(&place.layout.all());
    listed.map_err(|trouble| place.failed("cannot list the objects", &trouble))
}

/// The attempts whose rows are there, by all that their manifests name.
fn published(place: &Place, port: &str) -> Result<HashSet<String>, Error> {
    let mut attempts = HashSet::new();
    let mut next = place.current(port)?.current.manifest;
    while let Some(key) = next {
        let manifest = place.manifest(&key)?;
        let named = manifest.entries.iter().filter_map(|entry| place.layout.key(&entry.url)).chain([&*key]);
        attempts.extend(named.filter_map(|key| place.layout.attempt(key)).map(str::to_owned));
        next = manifest.previous;
    }
    Ok(attempts)
}

/// The error when others are always faster.
pub(super) fn contended(place: &Place) -> Error {
    let failure = Failure::new("others change the same ledger all the time").at(place.layout.current());
    Error::Busy(failure.help("find out who else publishes there, and run again"))
}
