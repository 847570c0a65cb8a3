//! Removing what attempts have staged, unless it is published.
//!
//! Somebody who slept may wake up and publish at any moment. So first the attempt's list goes, without which nobody can begin
//! to; then the ledger is changed, which refuses whoever has begun; only then is it looked up whether the attempt is
//! published, and its objects go. The notes go last: what is left of this is done by who comes next.
//!
//! What notes tell of is found by them. What is found only by going through all keys is removed on demand: a write that
//! arrives late, of a process that slept; an upload whose beginning was not answered; what was replaced, whose readers may be
//! at it still.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use super::{
    chain,
    layout::{Kind, Layout},
    manifest::{Current, Note},
    place::Place,
};
use crate::{
    Error, Failure,
    aws::{
        Trouble,
        clients::{objects::OpenUpload, s3::Object},
    },
    sink::{LeftBehind, objects::at_once},
};

/// How often to try again when others change the ledger at the same time.
pub(super) const SWAPS_MAX: u32 = 10;

/// Removes what `attempt` has staged for `port`, as its notes tell; what is or was published stays, without its notes.
pub(super) fn remove(place: &Place, port: &str, attempt: &str) -> Result<(), Error> {
    let notes = place.list(&place.layout.staged(attempt))?;
    if notes.is_empty() {
        return Ok(());
    }
    if !give_up(place, port, attempt)? && !may_be_read(place, port, attempt)? {
        let of_folders: Vec<&String> = notes.iter().filter(|key| **key != place.layout.list(attempt)).collect();
        at_once(&of_folders, |note| clear_folder(place, attempt, note))?;
    }
    place.delete(&notes)
}

/// Removes what `attempt` has put, or begun to, into the folder that the note of this key tells of.
fn clear_folder(place: &Place, attempt: &str, note: &str) -> Result<(), Error> {
    // One that is gone somebody else has removed, with what it is about.
    let Some(Note { folder, .. }) = place.read(note)? else { return Ok(()) };
    let begin = place.layout.data(&folder, attempt);
    let open = place.bucket.uploads(&begin).map_err(|trouble| cannot_remove(place, &trouble))?;
    abort(place, open.iter())?;
    place.delete(&place.list(&begin)?)
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

/// Whether the attempt, which is not published now, may have been before, and be read still by who has begun then.
fn may_be_read(place: &Place, port: &str, attempt: &str) -> Result<bool, Error> {
    let mut manifests = place.list(&place.layout.manifests(attempt))?;
    manifests.retain(|key| !Layout::is_index(key));
    if manifests.is_empty() {
        return Ok(false);
    }
    let current = place.current(port)?.current;
    for key in manifests {
        let manifest = place.manifest(&key)?;
        let is_former = manifest.epoch != current.epoch || manifest.iteration < current.iteration;
        if current.epoch.is_some() && is_former {
            return Ok(true);
        }
    }
    Ok(false)
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

fn abort<'u>(place: &Place, mut open: impl Iterator<Item = &'u OpenUpload>) -> Result<(), Error> {
    open.try_for_each(|upload| place.bucket.abort_upload(upload)).map_err(|trouble| cannot_remove(place, &trouble))
}

fn cannot_remove(place: &Place, trouble: &Trouble) -> Error {
    place.failed("cannot remove what was staged", trouble)
}

/// What attempts have left that no manifest names, or none any more, from going through all keys; and what the removal of those
/// that are published has left.
pub(super) fn left_behind(place: &Place, port: &str) -> Result<Vec<LeftBehind>, Error> {
    let there = There::list(place)?;
    // What is published after this list was made was sealed before: that is not asked to be removed.
    let current = place.current(port)?.current;
    let published = published(place, &current)?;
    let mut left: BTreeMap<&str, LeftBehind> = BTreeMap::new();
    let mut add = |attempt, bytes, written_us: i64| {
        let new = || LeftBehind { attempt: String::from(attempt), bytes: 0, written_us, epoch: current.epoch.clone() };
        let found = left.entry(attempt).or_insert_with(new);
        found.bytes += bytes;
        found.written_us = found.written_us.max(written_us);
    };
    for object in &there.objects {
        match place.layout.attempt(&object.key) {
            Some((Kind::Note, attempt)) => add(attempt, 0, object.written_us),
            Some((kind, attempt)) if !published.contains(attempt) => {
                let bytes = if kind == Kind::Rows { object.bytes } else { 0 };
                add(attempt, bytes, there.replaced_us(place, attempt).unwrap_or(object.written_us));
            }
            _ => {}
        }
    }
    for upload in &there.uploads {
        if let Some((_, attempt)) = place.layout.attempt(&upload.key) {
            // A server that does not say when is none that anything is removed from for being old.
            add(attempt, 0, upload.begun_us.unwrap_or(i64::MAX));
        }
    }
    Ok(left.into_values().collect())
}

/// Removes all that is left of attempts; of those that are published, what does not belong to it.
pub(super) fn remove_left_behind(place: &Place, port: &str, attempts: &[String]) -> Result<(), Error> {
    let current = place.current(port)?.current;
    let mut named = published(place, &current)?;
    let given_up = attempts.iter().filter(|attempt| !named.contains(*attempt));
    let lists: Vec<String> = given_up.map(|attempt| place.layout.list(attempt)).collect();
    if !lists.is_empty() {
        place.delete(&lists)?;
        fence(place, port)?;
        named = published(place, &place.current(port)?.current)?;
    }
    let wanted: HashSet<&str> = attempts.iter().map(String::as_str).collect();
    let there = There::list(place)?;
    let is_left = |key: &str| match place.layout.attempt(key) {
        Some((kind, attempt)) => wanted.contains(attempt) && (kind == Kind::Note || !named.contains(attempt)),
        None => false,
    };
    let is_open =
        |upload: &&OpenUpload| place.layout.attempt(&upload.key).is_some_and(|(_, attempt)| wanted.contains(attempt));
    abort(place, there.uploads.iter().filter(is_open))?;
    let (notes, others): (Vec<String>, Vec<String>) = there
        .objects
        .into_iter()
        .map(|object| object.key)
        .filter(|key| is_left(key))
        .partition(|key| matches!(place.layout.attempt(key), Some((Kind::Note, _))));
    place.delete(&others)?;
    place.delete(&notes)
}

/// All that is below the prefix, but for what is another port's.
struct There {
    objects: Vec<Object>,
    uploads: Vec<OpenUpload>,
    /// When manifests were written.
    manifests_us: BTreeSet<i64>,
}

impl There {
    fn list(place: &Place) -> Result<Self, Error> {
        let all = place.layout.all();
        let failed = |trouble: Trouble| place.failed("cannot list the objects", &trouble);
        let (mut objects, mut uploads) =
            (place.bucket.list(&all).map_err(failed)?, place.bucket.uploads(&all).map_err(failed)?);
        let others = place.layout.others(objects.iter().map(|object| &*object.key));
        let is_ours = |key: &str| !others.iter().any(|other| key.starts_with(other));
        objects.retain(|object| is_ours(&object.key));
        uploads.retain(|upload| is_ours(&upload.key));
        let is_manifest = |object: &&Object| matches!(place.layout.attempt(&object.key), Some((Kind::Manifest, _)));
        let manifests_us = objects.iter().filter(is_manifest).map(|object| object.written_us).collect();
        Ok(Self { objects, uploads, manifests_us })
    }

    /// When what an attempt had published was replaced, if it had: by who has written the next manifest.
    fn replaced_us(&self, place: &Place, attempt: &str) -> Option<i64> {
        let manifests = place.layout.manifests(attempt);
        let from = self.objects.partition_point(|object| object.key < manifests);
        let own = self.objects[from..].iter().take_while(|object| object.key.starts_with(&manifests));
        let own_us = own.map(|object| object.written_us).max()?;
        self.manifests_us.range(own_us + 1..).next().or(self.manifests_us.last()).copied()
    }
}

/// The attempts whose rows are there: a manifest stands in the folder of the attempt whose objects it names.
fn published(place: &Place, current: &Current) -> Result<HashSet<String>, Error> {
    let manifests = chain::manifests(place, current)?;
    Ok(manifests.iter().filter_map(|key| place.layout.attempt(key)).map(|(_, attempt)| attempt.to_owned()).collect())
}

/// The error when others are always faster.
pub(super) fn contended(place: &Place) -> Error {
    let failure = Failure::new("others change the same ledger all the time").at(place.layout.current());
    Error::Busy(failure.help("find out who else publishes there, and run again"))
}
