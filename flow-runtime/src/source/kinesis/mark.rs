//! What is kept of a shard with its position: its id and mark as text.
//!
//! The id has the time at which the stream was made: shards of a stream that was deleted and made again under its name are
//! called the same. `AccessLogStream@1763812800123/shardId-000000000000`

use crate::{
    Error, Failure,
    aws::clients::kinesis::ListedShard,
    source::{Position, Shard},
};

/// A stream, as the ids of its shards name it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Identity {
    pub(super) name: String,
    pub(super) created_ms: i64,
}

impl Identity {
    fn prefix(&self) -> String {
        format!("{}@{}/", self.name, self.created_ms)
    }

    /// What the service calls the shard with this id, if it is one of this stream.
    pub(super) fn shard<'i>(&self, id: &'i str) -> Option<&'i str> {
        id.strip_prefix(&self.prefix())
    }

    /// A shard that is listed.
    pub(super) fn listed(&self, shard: &ListedShard, start: Position) -> Shard {
        Shard {
            id: format!("{}{}", self.prefix(), shard.id),
            name: format!("{}/{}", self.name, shard.id),
            mark: Mark::text(shard),
            start,
        }
    }

    /// A shard that is not there any more.
    pub(super) fn gone(&self, id: &str, start: Position) -> Shard {
        let name = format!("{}/{id} (aged out)", self.name);
        Shard { id: format!("{}{id}", self.prefix()), name, mark: String::new(), start }
    }
}

/// What a shard's id and mark say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Mark {
    /// What the service calls it.
    pub(super) id: String,
    pub(super) parents: Vec<String>,
    pub(super) hash_keys: Option<(u128, u128)>,
    pub(super) is_closed: bool,
}

impl Mark {
    /// `closed 0-170141183460469231731687303715884105727 shardId-000000000000,shardId-000000000001`
    fn text(shard: &ListedShard) -> String {
        let state = if shard.is_closed { "closed" } else { "open" };
        let keys = shard.hash_keys.map_or_else(|| "-".to_owned(), |(first, last)| format!("{first}-{last}"));
        format!("{state} {keys} {}", shard.parents.join(","))
    }

    pub(super) fn of(shard: &Shard) -> Result<Self, Error> {
        let Some((_, id)) = shard.id.rsplit_once('/') else {
            return Err(Error::Held(Failure::new("the shard is none of a stream").at(shard.id.clone())));
        };
        let mut words = shard.mark.split(' ');
        let is_closed = words.next() == Some("closed");
        let keys = words.next().and_then(|keys| keys.split_once('-'));
        let hash_keys = keys.and_then(|(first, last)| Some((first.parse().ok()?, last.parse().ok()?)));
        let parents = words.next().unwrap_or_default().split(',').filter(|parent| !parent.is_empty());
        Ok(Self { id: id.to_owned(), parents: parents.map(str::to_owned).collect(), hash_keys, is_closed })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_of_a_shard_is_read_back() {
        let stream = Identity { name: "s".to_owned(), created_ms: 7 };
        for (parents, hash_keys, is_closed) in
            [(vec!["a".to_owned(), "b".to_owned()], Some((0, u128::MAX)), true), (vec![], None, false)]
        {
            let listed = ListedShard { id: "shardId-1".to_owned(), parents: parents.clone(), hash_keys, is_closed };
            let shard = stream.listed(&listed, Position::new("oldest"));
            let mark = Mark { id: listed.id, parents, hash_keys, is_closed };
            assert_eq!(Mark::of(&shard).unwrap(), mark);
            assert_eq!(stream.shard(&shard.id), Some("shardId-1"));
        }
        let other = Identity { created_ms: 8, ..stream.clone() };
        assert_eq!(other.shard(&stream.gone("x", Position::new("end")).id), None);
    }
}
