//! Which shards there are to read, from what the stream lists and what was sealed: a pure function, found anew each time.
//!
//! A shard that is split or merged is closed, and its records go on in its children. These are read when their parents are
//! read to their end, so that the records of one key keep their order. A shard goes from the list when all its records have
//! aged out. One that was never seen has then nothing to give, and counts as read, if the stream is read for the first time;
//! later, it was made, written to and forgotten while nobody read, and so it is if one was not read to its end.

use std::collections::{HashMap, HashSet};

use super::place::Place;
use crate::aws::clients::kinesis::ListedShard;

/// What was sealed of a shard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Sealed {
    pub(super) next: Place,
    pub(super) covered_us: Option<i64>,
}

/// What a shard turned out to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Found<'l> {
    /// It is there, to be read from here on, after its parents.
    Listed { shard: &'l ListedShard, from: Place, covered_us: Option<i64> },
    /// It is not there any more, was never seen, and has children that were not seen either.
    Aged { id: &'l str, is_hole: bool },
    /// It is not there any more, and was not read to its end.
    Gone { id: &'l str },
}

/// Finds the shards, parents before their children. `start` is where the stream begins that was never read.
pub(super) fn shards<'l>(
    listed: &'l [ListedShard],
    sealed: &'l HashMap<String, Sealed>,
    start: &Place,
) -> Vec<Found<'l>> {
    let is_first = sealed.is_empty();
    let here: HashSet<&str> = listed.iter().map(|shard| &*shard.id).collect();
    let mut gone: Vec<&str> = sealed.keys().map(String::as_str).filter(|id| !here.contains(id)).collect();
    gone.retain(|id| sealed[*id].next != Place::End);
    gone.sort_unstable();
    let mut found: Vec<Found<'_>> = gone.into_iter().map(|id| Found::Gone { id }).collect();

    let unseen = listed.iter().filter(|shard| !sealed.contains_key(&shard.id));
    let mut aged: Vec<&str> = unseen.flat_map(|shard| &shard.parents).map(String::as_str).collect();
    aged.retain(|id| !here.contains(id) && !sealed.contains_key(*id));
    aged.sort_unstable();
    aged.dedup();
    found.extend(aged.into_iter().map(|id| Found::Aged { id, is_hole: !is_first }));

    found.extend(parents_first(listed).into_iter().map(|shard| match sealed.get(&shard.id) {
        Some(Sealed { next: Place::Oldest, covered_us }) => {
            let covered_us = (*covered_us).max(covered_by_parents(shard, sealed));
            Found::Listed { shard, from: Place::Oldest, covered_us }
        }
        Some(Sealed { next, covered_us }) => Found::Listed { shard, from: next.clone(), covered_us: *covered_us },
        None if is_first => Found::Listed { shard, from: start.clone(), covered_us: time_of(start) },
        // Whatever is in it came after its parents were closed.
        None => Found::Listed { shard, from: Place::Oldest, covered_us: covered_by_parents(shard, sealed) },
    }));
    found
}

/// Has what was never seen, and comes after a hole, begin at a time: what came before is given up.
pub(super) fn begin_children_of_holes<'l>(found: &mut [Found<'l>], sealed: &HashMap<String, Sealed>, time_us: i64) {
    let mut holes: HashSet<&'l str> = HashSet::new();
    for found in found {
        match found {
            Found::Aged { id, is_hole: true } | Found::Gone { id } => _ = holes.insert(*id),
            Found::Listed { shard, from, covered_us }
                if !sealed.contains_key(&shard.id) && shard.parents.iter().any(|id| holes.contains(&**id)) =>
            {
                (*from, *covered_us) = (Place::Time(time_us), Some(time_us));
                holes.insert(&shard.id);
            }
            Found::Aged { .. } | Found::Listed { .. } => {}
        }
    }
}

fn time_of(start: &Place) -> Option<i64> {
    match start {
        Place::Time(us) => Some(*us),
        _ => None,
    }
}

/// What came before its parents were read has been read.
fn covered_by_parents(shard: &ListedShard, sealed: &HashMap<String, Sealed>) -> Option<i64> {
    let covered: Option<Vec<i64>> = shard.parents.iter().map(|id| sealed.get(id)?.covered_us).collect();
    covered?.into_iter().min()
}

/// In the order of the list, but parents first; a list that contradicts itself keeps its order.
fn parents_first(listed: &[ListedShard]) -> Vec<&ListedShard> {
    let by_id: HashMap<&str, usize> = listed.iter().enumerate().map(|(index, shard)| (&*shard.id, index)).collect();
    let mut order = Vec::with_capacity(listed.len());
    let mut is_taken = vec![false; listed.len()];
    for index in 0..listed.len() {
        let mut path = vec![index];
        while let Some(&last) = path.last() {
            let parents = listed[last].parents.iter().filter_map(|id| by_id.get(&**id).copied());
            let missing = parents.into_iter().find(|parent| !is_taken[*parent] && !path.contains(parent));
            match missing {
                Some(parent) => path.push(parent),
                None => {
                    path.pop();
                    if !is_taken[last] {
                        is_taken[last] = true;
                        order.push(&listed[last]);
                    }
                }
            }
        }
    }
    order
}

#[cfg(test)]
#[path = "lineage_tests.rs"]
mod tests;
