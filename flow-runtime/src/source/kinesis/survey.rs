//! What of a stream is to be read now, and from where: asks the stream, and says what is wrong with which shard.

use std::collections::HashMap;

use super::{
    hole::{self, Another, Missing},
    lineage::{self, Found, Sealed},
    mark::Identity,
    oldest::{self, Left},
    place::{Place, Start},
    reader::unknown,
    service::Service,
};
use crate::{
    Error, Failure,
    aws::{
        Kind, Patience, Trouble,
        clients::kinesis::{About, ListedShard},
        retrying,
    },
    effect::clock,
    source::{Gaps, KnownShard, ShardFrom},
};

/// Pages of a list of shards: a stream has ten thousand at most, and a page a thousand, or one.
const PAGES_MAX: usize = 20_000;

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
        let (mut start, mut anew) = (self.start.place(self.created_us), None);
        if let Some(other) = known.first().filter(|_| sealed.is_empty()) {
            let another = Another { created_us: about.created_ms * 1000, read: &other.name };
            start = match self.gaps {
                Gaps::Refuse => return Err(another.held(self.name)),
                Gaps::FromBeginning => Place::Oldest,
                Gaps::FromEnd => Place::Time(now_us),
            };
            anew = Some(format!("{another}; it goes on at {start}"));
        }
        let mut shards = Vec::new();
        let mut found = lineage::shards(&listed, &sealed, &start);
        if self.gaps == Gaps::FromEnd {
            lineage::begin_children_of_holes(&mut found, &sealed, now_us);
        }
        for found in found {
            shards.push(self.shard(&stream, &about, &sealed, found, now_us).await);
        }
        // Once is enough.
        if let Some(first) = shards.iter_mut().flatten().next() {
            first.gap = anew.or(first.gap.take());
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
        let (id, missing) = match found {
            Found::Listed { shard, from, covered_us } => {
                // Who begins before the oldest record begins with that.
                let covered_us =
                    covered_us.filter(|_| !sealed.is_empty() || !hole::may_be(covered_us, about.retention, now_us));
                // Only a child of a hole begins at a time, where others were read before.
                let is_first = sealed.is_empty() || sealed.contains_key(&shard.id);
                let is_given_up = !is_first && matches!(from, Place::Time(_));
                let gap = is_given_up.then(|| format!("what it goes on from is missing; it goes on at {from}"));
                let listed = self.listed(stream, about, (shard, from, covered_us), now_us).await?;
                return Ok(ShardFrom { gap: gap.or(listed.gap), ..listed });
            }
            Found::Aged { id, is_hole: false } => (id, None),
            Found::Aged { id, is_hole: true } => {
                let covered_us = sealed.values().filter_map(|sealed| sealed.covered_us).min();
                (id, Some((None, covered_us)))
            }
            Found::Gone { id } => {
                let (place, covered_us) = sealed.get(id).map(|sealed| (&sealed.next, sealed.covered_us)).unzip();
                (id, Some((place, covered_us.flatten())))
            }
        };
        let shard = stream.gone(id, Place::End.position());
        let missing = missing
            .map(|(place, covered_us)| Missing::with_shard(&shard.name, place, covered_us, (about.retention, now_us)));
        let gap = match (missing, self.gaps) {
            (Some(missing), Gaps::Refuse) => return Err(missing.held()),
            (missing, _) => missing.map(|missing| missing.what),
        };
        // That it is over is sealed, and so noted once.
        Ok(ShardFrom { shard, from: Place::End.position(), until: None, covered_us: None, gap })
    }

    /// A shard that is there, to be read on from a place, up to which it was read at a time.
    async fn listed(
        &self,
        stream: &Identity,
        about: &About,
        (shard, from, covered_us): (&ListedShard, Place, Option<i64>),
        now_us: i64,
    ) -> Result<ShardFrom, Error> {
        let times = (about.retention, now_us);
        let at = |from: &Place, covered_us, gap| {
            let shard = stream.listed(shard, from.position());
            ShardFrom { shard, from: from.position(), until: None, covered_us, gap }
        };
        let (left, is_refused) = match self.hole(shard, &from, covered_us, about, now_us).await? {
            // What comes from now on is not to be missed, though nothing be read of it now.
            Hole::None => return Ok(at(&from, covered_us.or(Some(now_us)), None)),
            Hole::Behind { left, is_refused } => (left, is_refused),
        };
        let missing = Missing::before(&stream.listed(shard, from.position()).name, &from, covered_us, &left, times);
        let (to, covered_us) = match self.gaps {
            Gaps::Refuse => return Err(missing.held()),
            Gaps::FromBeginning => {
                // The oldest record may be one that was read, unless it is known to be none.
                let is_behind = is_refused || !matches!(left, Left::Unknown);
                let covered_us = hole::given_up_to(&left, times);
                (if is_behind { Place::Oldest } else { from }, covered_us)
            }
            Gaps::FromEnd => (Place::Time(now_us), now_us),
        };
        let gap = format!("{}; it goes on at {to}", missing.what);
        Ok(at(&to, Some(covered_us), Some(gap)))
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
        let left = oldest::left(self.service, &shard.id).await.map_err(|trouble| self.failed(&trouble))?;
        Ok(if !is_refused && left.bridges(from) { Hole::None } else { Hole::Behind { left, is_refused } })
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
