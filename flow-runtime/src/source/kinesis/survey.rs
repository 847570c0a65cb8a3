//! What of a stream is to be read now, and from where: asks the stream, and says what is wrong with which shard.

use std::collections::HashMap;

use super::{
    hole::{self, Oldest},
    lineage::{self, Found, Sealed},
    mark::Identity,
    place::{Place, Sequence, Start},
    reader::unknown,
    service::Service,
};
use crate::{
    Error, Failure,
    aws::{
        Kind, Patience, Trouble,
        clients::kinesis::{About, Beginning, ListedShard},
        retrying,
    },
    effect::{clock, network::pause},
    source::{Gaps, KnownShard, ShardFrom, kinesis::pace::LOOK_AGAIN},
};

/// Pages of a list of shards: a stream has ten thousand at most, and a page a thousand, or one.
const PAGES_MAX: usize = 20_000;

/// Reads in search of the oldest record of a shard.
const SEARCH_READS_MAX: usize = 50;

/// The stream, and how it is to be read.
#[derive(Debug)]
pub(super) struct Survey<'a, S> {
    pub(super) service: &'a S,
    pub(super) name: &'a str,
    pub(super) start: Start,
    pub(super) gaps: Gaps,
    /// When the logical name was made.
    pub(super) created_us: i64,
}

impl<S: Service> Survey<'_, S> {
    /// Lists what is to be read, parents before their children.
    ///
    /// # Errors
    /// When the stream cannot be asked, or is another one. In place of a shard, what is wrong with it.
    pub(super) async fn list(&self, known: &[KnownShard]) -> Result<Vec<Result<ShardFrom, Error>>, Error> {
        let about = self.ask(async || self.service.about().await).await?;
        let listed = self.shards().await?;
        let stream = Identity { name: self.name.to_owned(), created_ms: about.created_ms };
        let now_us = clock::now_us();
        let sealed = sealed(&stream, known)?;
        let mut start = self.start.place(self.created_us);
        if let Some(other) = known.first().filter(|_| sealed.is_empty()) {
            start = match self.gaps {
                Gaps::Refuse => return Err(hole::another(self.name, about.created_ms * 1000, &other.name)),
                Gaps::FromBeginning => Place::Oldest,
                Gaps::FromEnd => Place::Time(now_us),
            };
        }
        let mut shards = Vec::new();
        let mut found = lineage::shards(&listed, &sealed, &start);
        if self.gaps == Gaps::FromEnd {
            lineage::begin_children_of_holes(&mut found, &sealed, now_us);
        }
        for found in found {
            shards.push(self.shard(&stream, &about, &sealed, found, now_us).await);
        }
        Ok(shards)
    }

    async fn shard(
        &self,
        stream: &Identity,
        about: &About,
        sealed: &HashMap<String, Sealed>,
        found: Found<'_>,
        now_us: i64,
    ) -> Result<ShardFrom, Error> {
        let retention = about.retention;
        match found {
            Found::Listed { shard, from, covered_us } => {
                // Who begins before the oldest record begins with that.
                let is_first = sealed.is_empty();
                let covered_us = covered_us.filter(|_| !is_first || !hole::may_be(covered_us, retention, now_us));
                let listed = |from: Place, covered_us| {
                    let shard = stream.listed(shard, from.position());
                    ShardFrom { shard, from: from.position(), until: None, covered_us }
                };
                let (left, is_refused) = match self.hole(shard, &from, covered_us, about, now_us).await? {
                    Hole::None => return Ok(listed(from, covered_us)),
                    Hole::Behind { left, is_refused } => (left, is_refused),
                };
                match self.gaps {
                    Gaps::Refuse => {
                        let name = stream.listed(shard, from.position()).name;
                        Err(hole::held(&name, &from, (covered_us, left.oldest()), (retention, now_us)))
                    }
                    Gaps::FromBeginning => {
                        // The oldest record may be one that was read, unless it is known to be none.
                        let is_behind = is_refused || !matches!(left, Left::Unknown);
                        let covered_us = hole::given_up_to(left.oldest(), retention, now_us);
                        let covered_us = if matches!(left, Left::Nothing) { now_us } else { covered_us };
                        Ok(listed(if is_behind { Place::Oldest } else { from }, Some(covered_us)))
                    }
                    Gaps::FromEnd => Ok(listed(Place::Time(now_us), Some(now_us))),
                }
            }
            Found::Aged { id, is_hole } if is_hole && self.gaps == Gaps::Refuse => {
                let covered = sealed.values().filter_map(|sealed| sealed.covered_us).min();
                Err(hole::gone(&stream.gone(id, Place::End.position()).name, None, covered, retention, now_us))
            }
            Found::Gone { id } if self.gaps == Gaps::Refuse => {
                let (place, covered_us) = sealed.get(id).map(|sealed| (&sealed.next, sealed.covered_us)).unzip();
                let name = stream.gone(id, Place::End.position()).name;
                Err(hole::gone(&name, place, covered_us.flatten(), retention, now_us))
            }
            // That it is over is sealed, and so noted once.
            Found::Aged { id, .. } | Found::Gone { id } => {
                let (shard, from) = (stream.gone(id, Place::End.position()), Place::End.position());
                Ok(ShardFrom { shard, from, until: None, covered_us: None })
            }
        }
    }

    /// Whether a shard may have a hole where it is to be read on.
    async fn hole(
        &self,
        shard: &ListedShard,
        from: &Place,
        covered_us: Option<i64>,
        about: &About,
        now_us: i64,
    ) -> Result<Hole, Error> {
        if *from == Place::End {
            return Ok(Hole::None);
        }
        let is_refused = self.gaps != Gaps::Refuse && self.is_refused(shard, from).await?;
        if !is_refused && !hole::may_be(covered_us, about.retention, now_us) {
            return Ok(Hole::None);
        }
        let left = self.left(shard).await?;
        let is_bridged = !is_refused && hole::is_bridged(from, left.oldest());
        Ok(if is_bridged { Hole::None } else { Hole::Behind { left, is_refused } })
    }

    /// Whether the service does not know the record any more where a shard is to be read on.
    async fn is_refused(&self, shard: &ListedShard, from: &Place) -> Result<bool, Error> {
        if !matches!(from, Place::At(..) | Place::After(_)) {
            return Ok(false);
        }
        let asked = retrying(Patience::USUAL, async || self.service.iterator(&shard.id, from.beginning()).await);
        match asked.await {
            Ok(_) => Ok(false),
            Err(trouble) if matches!(trouble.kind, Kind::Invalid | Kind::Missing) => Ok(true),
            Err(trouble) => Err(self.failed(&trouble)),
        }
    }

    /// Searches for the oldest record of a shard.
    async fn left(&self, shard: &ListedShard) -> Result<Left, Error> {
        let begin = async || self.service.iterator(&shard.id, Beginning::Oldest).await;
        let mut iterator = Some(self.ask(begin).await?);
        for _ in 0..SEARCH_READS_MAX {
            let Some(token) = iterator else { return Ok(Left::Nothing) };
            let page = self.ask(async || self.service.records(&token).await).await?;
            if let Some(record) = page.records.first() {
                let arrived_us = record.arrived_us;
                let oldest = Sequence::parse(&record.sequence).map(|sequence| Oldest { sequence, arrived_us });
                return Ok(oldest.map_or(Left::Unknown, Left::From));
            }
            if page.behind.is_zero() {
                return Ok(Left::Nothing);
            }
            iterator = page.next;
            pause(LOOK_AGAIN / 4).await;
        }
        Ok(Left::Unknown)
    }

    async fn shards(&self) -> Result<Vec<ListedShard>, Error> {
        let (mut listed, mut token, mut expired) = (Vec::new(), None::<String>, 0);
        for _ in 0..PAGES_MAX {
            let asked = retrying(Patience::USUAL, async || self.service.shards(token.as_deref()).await).await;
            match asked {
                Ok((page, next)) => {
                    listed.extend(page);
                    token = next;
                }
                Err(trouble) if trouble.kind == Kind::IteratorExpired && expired < Patience::USUAL.attempts => {
                    expired += 1;
                    (listed, token) = (Vec::new(), None);
                    continue;
                }
                Err(trouble) => return Err(self.failed(&trouble)),
            }
            if token.is_none() {
                return Ok(listed);
            }
        }
        let failure = Failure::new(format!("the list of shards does not end after {PAGES_MAX} pages")).at(self.name);
        Err(Error::Input(failure.help("check the endpoint: a stream has ten thousand shards at most")))
    }

    async fn ask<T>(&self, call: impl AsyncFnMut() -> Result<T, Trouble>) -> Result<T, Error> {
        retrying(Patience::USUAL, call).await.map_err(|trouble| self.failed(&trouble))
    }

    fn failed(&self, trouble: &Trouble) -> Error {
        let is_there = trouble.kind != Kind::Missing;
        let what = if is_there { "cannot look at the stream" } else { "there is no such stream" };
        Error::Input(trouble.failure(what).at(self.name))
    }
}

enum Hole {
    None,
    /// Something may be missing before what is left, or the service refuses the position.
    Behind {
        left: Left,
        is_refused: bool,
    },
}

/// What a shard has.
enum Left {
    /// This record, and what came after it.
    From(Oldest),
    Nothing,
    /// The search for a record was given up.
    Unknown,
}

impl Left {
    fn oldest(&self) -> Option<&Oldest> {
        match self {
            Self::From(oldest) => Some(oldest),
            Self::Nothing | Self::Unknown => None,
        }
    }
}

/// What was sealed of this stream, by what it calls its shards.
fn sealed(stream: &Identity, known: &[KnownShard]) -> Result<HashMap<String, Sealed>, Error> {
    let ours = known.iter().filter_map(|known| Some((stream.shard(&known.id)?, known)));
    ours.map(|(id, known)| {
        let next = Place::of(&known.next).ok_or_else(|| unknown(&known.name, &known.next))?;
        Ok((id.to_owned(), Sealed { next, covered_us: known.covered_us }))
    })
    .collect()
}

#[cfg(test)]
#[path = "survey_tests.rs"]
mod tests;
