//! What is too big for one item: lines, cut into items that never change and are written before anybody names them.
//!
//! A group has a name that is never used twice, the attempt's id and a random number. Whoever names it says how many items
//! it has, and their hash; whoever reads it makes sure that it gets that. So one that was written in part, or for an attempt
//! that was never sealed, is garbage and does no harm.

use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::Xxh3;

use super::items::{Items, Key, Span, Write};
use crate::{
    Error, Failure, effect,
    iteration::{OperatorCounts, Range, SealedShard},
    source::LastRead,
};

/// Bytes of an item's text. DynamoDB takes 400 KB an item with its attribute names ("Service, account, and table quotas in
/// Amazon DynamoDB", docs.aws.amazon.com, 2026-11-22).
pub(super) const ITEM_BYTES_MAX: usize = 300_000;

/// One line of a group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Line {
    /// What was read of a shard.
    Range(Range),
    /// Where a shard has been sealed to.
    Shard(SealedShard),
    /// What an operator has counted.
    Counts(OperatorCounts),
}

/// The name of a group, and what must be found under it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Group {
    pub(super) name: String,
    pub(super) items: u32,
    pub(super) lines: u64,
    pub(super) hash: String,
    /// Whether it is positions alone: no iteration names it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) is_merged: bool,
}

const PREFIX: &str = "part#";

/// Where the items of all groups are, in a partition.
pub(super) fn span(partition: &str) -> Span<'_> {
    Span { partition, from: PREFIX, to: "part#~", backwards: false, limit: None }
}

/// From where to where the items of an attempt's groups are.
pub(super) fn bounds_of_attempt(attempt: &str) -> [String; 2] {
    [format!("{PREFIX}{attempt}/"), format!("{PREFIX}{attempt}/~")]
}

/// The name of the group that an item is of.
pub(super) fn name_of(key: &Key) -> Option<&str> {
    key.sort.strip_prefix(PREFIX)?.rsplit_once('#').map(|(name, _)| name)
}

/// The attempt that a group was written for.
pub(super) fn attempt_of(name: &str) -> Option<&str> {
    name.rsplit_once('/').map(|(attempt, _)| attempt)
}

fn sort_key(name: &str, item: usize) -> String {
    format!("{PREFIX}{name}#{item:06}")
}

/// Where its items are.
pub(super) fn keys(partition: &str, group: &Group) -> Vec<Key> {
    let key = |item| Key { partition: partition.to_owned(), sort: sort_key(&group.name, item) };
    (0..group.items as usize).map(key).collect()
}

/// Writes lines for an attempt.
pub(super) fn write<'l>(
    items: &dyn Items,
    partition: &str,
    attempt: &str,
    lines: impl IntoIterator<Item = &'l Line>,
) -> Result<Group, Error> {
    let name = format!("{attempt}/{}", effect::id());
    let mut written = Group { name, items: 0, lines: 0, hash: String::new(), is_merged: false };
    let mut hash = Xxh3::new();
    let mut body = String::new();
    let put = |group: &mut Group, body: &str| {
        let key = Key { partition: partition.to_owned(), sort: sort_key(&group.name, group.items as usize) };
        group.items += 1;
        // Refused: it is there, by a former try whose reply was lost.
        items.put(&[Write { key, was: 0, body: body.to_owned() }]).map(drop)
    };
    for line in lines {
        let text = serde_json::to_string(line).map_err(|error| unreadable(items, &written.name, &error))?;
        if !body.is_empty() && body.len() + text.len() > ITEM_BYTES_MAX {
            put(&mut written, &std::mem::take(&mut body))?;
        }
        hash.update(text.as_bytes());
        body.push_str(&text);
        body.push('\n');
        written.lines += 1;
    }
    if !body.is_empty() {
        put(&mut written, &body)?;
    }
    written.hash = format!("{:032x}", hash.digest128());
    Ok(written)
}

/// Reads the lines of a group.
///
/// # Errors
/// [`Error::Store`] when they are not all there, or not those that were written.
pub(super) fn read(items: &dyn Items, partition: &str, group: &Group) -> Result<Vec<Line>, Error> {
    let (from, to) = (sort_key(&group.name, 0), sort_key(&group.name, group.items as usize));
    let found = match group.items {
        0 => Vec::new(),
        _ => items.items(Span { partition, from: &from, to: &to, backwards: false, limit: None })?,
    };
    let mut hash = Xxh3::new();
    let mut lines = Vec::new();
    for text in found.iter().flat_map(|item| item.body.lines()) {
        hash.update(text.as_bytes());
        lines.push(serde_json::from_str(text).map_err(|error| unreadable(items, &group.name, &error))?);
    }
    let is_whole = found.len() == group.items as usize && format!("{:032x}", hash.digest128()) == group.hash;
    if is_whole {
        Ok(lines)
    } else {
        Err(unreadable(items, &group.name, &"parts are missing, or are not what was written"))
    }
}

fn unreadable(items: &dyn Items, name: &str, cause: &dyn std::fmt::Display) -> Error {
    Error::Store(
        Failure::new("cannot read what was sealed")
            .at(format!("store {}, part {name}", items.place()))
            .cause(cause)
            .help("restore the table from a backup, together with the targets; or start both anew with `reset`"),
    )
}

/// Moves positions on by what lines say, in the order of first sight; a shard keeps its last range that is not empty.
pub(super) fn move_on(shards: &mut Vec<SealedShard>, lines: impl IntoIterator<Item = Line>) {
    let mut places: hashbrown::HashMap<(String, String), usize> =
        shards.iter().enumerate().map(|(place, shard)| ((shard.port.clone(), shard.shard.clone()), place)).collect();
    for line in lines {
        let shard = match line {
            Line::Range(range) => shard_of(range),
            Line::Shard(shard) => shard,
            Line::Counts(_) => continue,
        };
        match places.get(&(shard.port.clone(), shard.shard.clone())) {
            Some(place) => {
                let known = &mut shards[*place];
                let last = shard.last.clone().or_else(|| known.last.take());
                let covered_us = shard.covered_us.or(known.covered_us);
                *known = SealedShard { last, covered_us, ..shard };
            }
            None => {
                places.insert((shard.port.clone(), shard.shard.clone()), shards.len());
                shards.push(shard);
            }
        }
    }
}

fn shard_of(range: Range) -> SealedShard {
    let Range { port, shard, name, mark, first, next, hash, covered_us, .. } = range;
    let last = (first != next).then(|| LastRead { first, next: next.clone(), hash });
    SealedShard { port, shard, name, mark, next, last, covered_us }
}
