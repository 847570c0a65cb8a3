//! The positions, as layers: what each seal adds, and which of them become one.
//!
//! A seal adds what its iteration has read, which is there anyway. When there are many layers, the oldest one that those
//! above it have outgrown becomes one with them. So a line is written again only as part of a layer at least twice as
//! large, some 20 times for a million of them; and whoever starts reads no more than 20 layers or so, of about twice the lines
//! that there are.
//!
//! What was merged, and is part of something larger now, is *superseded*: the head that leaves it out remembers its name,
//! and the next seal removes it, whoever makes that. Nobody who reads the head from then on looks for it; who has read an
//! older one finds that the head has changed, and reads again.

use super::{
    DynamoDbStore,
    group::{self, Group, Line},
    head::Head,
    items::{Key, Span},
};
use crate::{Error, Failure, iteration::SealedShard};

/// How many layers there may be before any become one.
const LAYERS_MAX: usize = 16;

/// How often the positions are read anew because others seal meanwhile.
const LOOKS_MAX: u32 = 10;

/// From which layer on they become one, oldest first, by how many lines each has.
fn first_outgrown(lines: &[u64]) -> Option<usize> {
    let mut above: u64 = lines.iter().sum();
    let outgrown = lines.iter().position(|lines| {
        above -= lines;
        *lines <= above
    });
    outgrown.filter(|_| lines.len() > LAYERS_MAX)
}

impl DynamoDbStore {
    /// Where every shard has been sealed to.
    pub(super) fn sealed_positions(&self) -> Result<Vec<SealedShard>, Error> {
        let mut layers = self.head()?.layers;
        for _ in 0..LOOKS_MAX {
            let error = match self.positions(&layers) {
                Ok(shards) => return Ok(shards),
                Err(error) => error,
            };
            // What was superseded while it was read is in other layers now.
            let now = self.head()?.layers;
            if now == layers {
                return Err(error);
            }
            layers = now;
        }
        Err(Error::Store(
            Failure::new("others seal iterations faster than the positions can be read")
                .at(self.items.place().to_owned())
                .cause(format!("they had changed {LOOKS_MAX} times"))
                .help("see who uses it, and run again"),
        ))
    }

    /// The positions that these layers make.
    fn positions(&self, layers: &[Group]) -> Result<Vec<SealedShard>, Error> {
        let known = self.positions.borrow().clone();
        if known.0 == layers {
            return Ok(known.1);
        }
        // Most often there is one layer more.
        let (mut shards, new) = match layers.strip_prefix(known.0.as_slice()) {
            Some(new) => (known.1, new),
            None => (Vec::new(), layers),
        };
        for layer in new {
            group::move_on(&mut shards, group::read(&*self.items, &self.partition, layer)?);
        }
        *self.positions.borrow_mut() = (layers.to_vec(), shards.clone());
        Ok(shards)
    }

    /// The layers of a head with one more, `contents`, whose lines these are; or some of them as one.
    pub(super) fn layered(
        &self,
        head: &Head,
        attempt: &str,
        contents: &Group,
        lines: &[Line],
    ) -> Result<Vec<Group>, Error> {
        let layers = [&head.layers[..], std::slice::from_ref(contents)].concat();
        let sizes: Vec<u64> = layers.iter().map(|layer| layer.lines).collect();
        let Some(first) = first_outgrown(&sizes) else { return Ok(layers) };
        match self.merged(&head.layers, first, attempt, lines) {
            Ok(merged) => Ok([&layers[..first], &[merged]].concat()),
            // What is decided over a head that has changed is not written.
            Err(_) if self.head()?.layers != head.layers => Ok(layers),
            Err(error) => Err(error),
        }
    }

    /// Writes as one what the layers from `first` on make with these lines.
    fn merged(&self, layers: &[Group], first: usize, attempt: &str, lines: &[Line]) -> Result<Group, Error> {
        let mut shards = Vec::new();
        if first == 0 {
            shards = self.positions(layers)?;
        } else {
            for layer in layers.iter().skip(first) {
                group::move_on(&mut shards, group::read(&*self.items, &self.partition, layer)?);
            }
        }
        group::move_on(&mut shards, lines.iter().cloned());
        let lines: Vec<Line> = shards.into_iter().map(Line::Shard).collect();
        let written = group::write(&*self.items, &self.partition, attempt, &lines)?;
        Ok(Group { is_merged: true, ..written })
    }

    /// Takes in that the head has other layers by the seal of these lines.
    pub(super) fn sealed_on(&self, (before, now): (&[Group], &[Group]), lines: Vec<Line>) {
        let mut known = self.positions.borrow_mut();
        // Else they are read when they are asked for.
        if known.0 == before {
            group::move_on(&mut known.1, lines);
            known.0 = now.to_vec();
        }
    }

    /// Removes what was superseded before; says of which of these groups nothing is left.
    pub(super) fn sweep(&self, superseded: &[Group]) -> Vec<Group> {
        let is_gone = |group: &&Group| self.remove(group::keys(&self.partition, group));
        superseded.iter().filter(is_gone).cloned().collect()
    }

    /// Removes what was written for an attempt that can be sealed no more.
    pub(super) fn sweep_attempt(&self, partition: &str, attempt: &str) {
        let [from, to] = group::bounds_of_attempt(attempt);
        match self.items.items(Span { partition, from: &from, to: &to, backwards: false, limit: None }) {
            Ok(found) => _ = self.remove(found.into_iter().map(|item| item.key)),
            Err(error) => complain(&error),
        }
    }

    fn remove(&self, keys: impl IntoIterator<Item = Key>) -> bool {
        let removed = keys.into_iter().try_for_each(|key| self.items.remove(&key));
        removed.inspect_err(complain).is_ok()
    }
}

/// It is in nobody's way: the next seal tries it again, or `clean`.
fn complain(error: &Error) {
    tracing::warn!(%error, "what nobody needs any more is still in the table");
}

#[cfg(test)]
#[path = "tests/layers.rs"]
mod tests;
