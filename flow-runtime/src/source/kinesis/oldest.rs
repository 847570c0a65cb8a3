//! The oldest record that a shard has: searched for where something may be missing before it.

use super::{
    pace::LOOK_AGAIN,
    place::{Place, Sequence},
    service::Service,
};
use crate::{
    aws::{
        Attempts, Patience, Trouble,
        clients::kinesis::{Beginning, Page},
    },
    effect::network::pause,
};

/// Reads in search of it.
pub(super) const SEARCH_READS_MAX: usize = 50;

/// The oldest record that a shard has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Oldest {
    pub(super) sequence: Sequence,
    pub(super) arrived_us: Option<i64>,
}

/// What a shard has.
#[derive(Debug)]
pub(super) enum Left {
    /// This record, and what came after it.
    From(Oldest),
    Nothing,
    /// The search for a record was given up.
    Unknown,
}

impl Left {
    pub(super) fn oldest(&self) -> Option<&Oldest> {
        match self {
            Self::From(oldest) => Some(oldest),
            Self::Nothing | Self::Unknown => None,
        }
    }

    /// Whether nothing can be missing at `place`: what was read last, or something before it, is still there.
    pub(super) fn bridges(&self, place: &Place) -> bool {
        match (place, self.oldest()) {
            (Place::At(next, _), Some(oldest)) => oldest.sequence <= *next,
            (Place::After(last), Some(oldest)) => oldest.sequence <= *last,
            (Place::Time(us), Some(oldest)) => oldest.arrived_us.is_some_and(|arrived| arrived < *us),
            _ => false,
        }
    }
}

/// Looks for the oldest record of a shard.
pub(super) async fn left<S: Service>(service: &S, shard: &str) -> Result<Left, Trouble> {
    let mut iterator = Some(iterator(service, shard).await?);
    for _ in 0..SEARCH_READS_MAX {
        let Some(token) = iterator else { return Ok(Left::Nothing) };
        let page = page(service, &token).await?;
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

async fn iterator<S: Service>(service: &S, shard: &str) -> Result<String, Trouble> {
    let mut attempts = Attempts::new(Patience::USUAL);
    loop {
        match service.iterator(shard, Beginning::Oldest).await {
            Err(trouble) => attempts.wait_after(trouble).await?,
            answer => return answer,
        }
    }
}

async fn page<S: Service>(service: &S, iterator: &str) -> Result<Page, Trouble> {
    let mut attempts = Attempts::new(Patience::USUAL);
    loop {
        match service.records(iterator, 1).await {
            Err(trouble) => attempts.wait_after(trouble).await?,
            answer => return answer,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_read_last_and_is_still_there_proves_that_nothing_is_missing() {
        let number = |text: &str| Sequence::parse(text).unwrap();
        let left = Left::From(Oldest { sequence: number("10"), arrived_us: None });
        for (place, bridged) in [
            (Place::After(number("9")), false),
            (Place::After(number("10")), true),
            (Place::At(number("9"), 3), false),
            (Place::At(number("10"), 3), true),
            (Place::Oldest, false),
        ] {
            assert_eq!(left.bridges(&place), bridged, "{place}");
            assert!(!Left::Nothing.bridges(&place) && !Left::Unknown.bridges(&place));
        }
    }
}
