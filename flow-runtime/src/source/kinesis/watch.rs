//! Whether a shard has forgotten records while it was read: whoever is slower than the stream forgets, or stands still for a
//! day, is given what is left, and told nothing. So each answer is compared with what was read before it.

use std::{sync::Arc, time::Duration};

use tokio::sync::OnceCell;

use super::{
    hole::{self, Missing},
    oldest,
    place::Place,
    service::Service,
};
use crate::aws::{Attempts, Patience, Trouble, clients::kinesis::Page, limits::RETENTION_LEAST};

/// Looks after the shards of one stream while they are read.
#[derive(Debug)]
pub(super) struct Watch<S> {
    pub(super) service: Arc<S>,
    /// How long the stream keeps records; asked for when it matters.
    pub(super) retention: OnceCell<Duration>,
}

/// A shard that was read up to a place.
#[derive(Clone, Copy, Debug)]
pub(super) struct ReadTo<'a> {
    /// What the service calls it.
    pub(super) id: &'a str,
    pub(super) name: &'a str,
    pub(super) place: &'a Place,
    pub(super) covered_us: Option<i64>,
}

impl<S: Service> Watch<S> {
    /// What may be missing between what was read of a shard and what `page` has, which was asked for at a time.
    pub(super) async fn missing(
        &self,
        ReadTo { id, name, place, covered_us }: ReadTo<'_>,
        page: &Page,
        asked_us: i64,
    ) -> Result<Option<Missing>, Trouble> {
        let now_us = time_of(page, asked_us);
        if !hole::may_be(covered_us, RETENTION_LEAST, now_us) {
            return Ok(None);
        }
        let retention = *self.retention.get_or_try_init(|| retention(&*self.service)).await?;
        if !hole::may_be(covered_us, retention, now_us) {
            return Ok(None);
        }
        let left = oldest::left(&*self.service, id).await?;
        Ok((!left.bridges(place)).then(|| Missing::before(name, place, covered_us, &left, (retention, now_us))))
    }
}

async fn retention<S: Service>(service: &S) -> Result<Duration, Trouble> {
    let mut attempts = Attempts::new(Patience::USUAL);
    loop {
        match service.about().await {
            Ok(about) => return Ok(about.retention),
            Err(trouble) => attempts.wait_after(trouble).await?,
        }
    }
}

/// When a page was read: by the service's clock where it tells, so that who begins with the oldest record of a full stream
/// is not suspected because his own clock is fast.
fn time_of(page: &Page, asked_us: i64) -> i64 {
    let last_us = page.records.last().and_then(|record| record.arrived_us).filter(|_| !page.behind.is_zero());
    let behind_us = i64::try_from(page.behind.as_micros()).unwrap_or(i64::MAX);
    last_us.map_or(asked_us, |last| last.saturating_add(behind_us).min(asked_us))
}
