//! The manifests whose rows are there, found without going from one to the next.
//!
//! A manifest names the one before it; to follow them takes as many calls, one after the other, as there were iterations. So
//! `current.json` names the last of them (`recent`), and when these are many, they go into an index, which names the index
//! before it. What programs have published that wrote no index is found link by link.

use super::{
    manifest::{Current, Index, VERSION},
    place::Place,
};
use crate::Error;

/// How many manifests `current.json` names: it is read and written with each iteration.
pub(super) const RECENT_MAX: usize = 250;

/// The keys of the manifests whose rows are there, the oldest first.
pub(super) fn manifests(place: &Place, current: &Current) -> Result<Vec<String>, Error> {
    let Some(last) = &current.manifest else { return Ok(Vec::new()) };
    let mut keys = vec![last.clone()];
    keys.extend(current.recent.iter().rev().cloned());
    let mut next = current.index.clone();
    while let Some(key) = next {
        let index: Index = place.named(&key)?;
        keys.extend(index.manifests.into_iter().rev());
        next = index.previous;
    }
    let previous = |oldest: &String| place.manifest(oldest).map(|manifest| manifest.previous);
    while let Some(key) = keys.last().map_or(Ok(None), previous)? {
        keys.push(key);
    }
    keys.reverse();
    Ok(keys)
}

/// What `current.json` has for `recent` and `index` when a manifest of this attempt follows those that it has now.
pub(super) fn followed(
    place: &Place,
    current: &Current,
    attempt: &str,
) -> Result<(Vec<String>, Option<String>), Error> {
    let mut recent = current.recent.clone();
    recent.extend(current.manifest.clone());
    if recent.len() <= RECENT_MAX {
        return Ok((recent, current.index.clone()));
    }
    let index = Index { version: VERSION, manifests: recent, previous: current.index.clone() };
    Ok((Vec::new(), Some(place.put_index(&index, attempt)?)))
}
