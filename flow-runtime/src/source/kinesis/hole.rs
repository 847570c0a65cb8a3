//! What a stream has forgotten before it was read: whether there may be such a hole, its size, and what to say.
//!
//! Kinesis does not tell. An iterator behind a record that has aged out begins, without a word, with the oldest that is
//! there. So the times tell: what came before the moment up to which a shard was read is not missing, and what came since
//! and is older than the stream keeps records may be.

use std::{fmt, time::Duration};

use super::{
    oldest::{Left, Oldest},
    place::{Place, time},
};
use crate::{Error, Failure, aws::Trouble, held::Cause};

/// What to do about it.
const HELP: &str = "what was read stays loaded; go on behind the hole with --accept-gap, which notes it, or with what comes \
                    from now on with --accept-gap=end; run more often, or have the stream keep records for longer";

/// How long an accepted gap may grow until the shard is read: records go while the first are being read. As much later is
/// also worth being sealed, and so being noted, of a shard of which nothing was read.
const GRACE: Duration = Duration::from_secs(2 * 60 * 60);

/// Whether something may have aged out that came after `covered_us`.
pub(super) fn may_be(covered_us: Option<i64>, retention: Duration, now_us: i64) -> bool {
    covered_us.is_some_and(|covered| covered < oldest_kept_us(retention, now_us))
}

/// Up to when all is given up that is missing: what ages out after that, still unread, is another hole.
pub(super) fn given_up_to(left: &Left, (retention, now_us): (Duration, i64)) -> i64 {
    let grace_us = i64::try_from(GRACE.as_micros()).unwrap_or(i64::MAX);
    let least = oldest_kept_us(retention, now_us).saturating_add(grace_us);
    match left {
        Left::Nothing => now_us,
        Left::From(Oldest { arrived_us: Some(arrived), .. }) => (*arrived).clamp(least, now_us.max(least)),
        Left::From(_) | Left::Unknown => least,
    }
}

fn oldest_kept_us(retention: Duration, now_us: i64) -> i64 {
    now_us.saturating_sub(i64::try_from(retention.as_micros()).unwrap_or(i64::MAX))
}

/// Records of a shard that may be missing.
#[derive(Debug)]
pub(super) struct Missing {
    /// The shard, and where it was to be read on.
    at: String,
    /// How large the hole may be, and what is there, for people.
    pub(super) what: String,
}

impl Missing {
    /// Those between what was read and what is left.
    pub(super) fn before(
        name: &str,
        place: &Place,
        covered_us: Option<i64>,
        left: &Left,
        (retention, now_us): (Duration, i64),
    ) -> Self {
        let kept = oldest_kept_us(retention, now_us);
        let arrived_us = left.oldest().and_then(|oldest| oldest.arrived_us);
        let there = match arrived_us {
            Some(arrived) => format!("the oldest record that is there came at {}", time(arrived)),
            None => format!("nothing older than {} h is kept", retention.as_secs() / 3600),
        };
        let end = arrived_us.map_or(kept, |arrived| arrived.min(kept));
        Self { at: format!("{name}, position {place}"), what: format!("{}; {there}", size(covered_us, end)) }
    }

    /// Those of a shard that has gone from the stream, and was not read to its end, if it was read.
    pub(super) fn with_shard(
        name: &str,
        place: Option<&Place>,
        covered_us: Option<i64>,
        (retention, now_us): (Duration, i64),
    ) -> Self {
        let size = size(covered_us, oldest_kept_us(retention, now_us));
        let became = if place.is_some() { "closed" } else { "made and closed" };
        Self {
            at: format!("{name}, position {}", place.unwrap_or(&Place::Oldest)),
            what: format!("{size}; the shard was {became} since, and is not there any more"),
        }
    }

    /// As the error that waits for a person.
    pub(super) fn held(self) -> Error {
        let failure = Failure::new("records may have aged out of the stream before they were read").at(self.at);
        Error::Held(failure.cause(self.what).help(HELP).held(Cause::SourceAgedOut.case()))
    }
}

/// The error for a position that the service refuses.
pub(super) fn refused(name: &str, place: &Place, covered_us: Option<i64>, trouble: &Trouble) -> Error {
    let read = covered_us.map_or_else(String::new, |covered| format!("read up to {}; ", time(covered)));
    let failure = Failure::new("the stream does not know the record any more that was read last")
        .at(format!("{name}, position {place}"))
        .cause(format!("{read}{trouble}"))
        .help(HELP);
    Error::Held(failure.held(Cause::SourceAgedOut.case()))
}

/// The error for a shard that does not have all that was sealed of it.
pub(super) fn ended_before(name: &str, place: &Place, until: &Place) -> Error {
    let cause = format!("it was read up to {until}, and now ends at {place}");
    let failure =
        Failure::new("the shard does not have all the records any more that were read of it").at(name).cause(cause);
    Error::Input(failure.help("what has aged out of a stream cannot be read again"))
}

/// A stream that is another than the one that was read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Another<'a> {
    pub(super) created_us: i64,
    /// A shard that was read, by its name.
    pub(super) read: &'a str,
}

impl fmt::Display for Another<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "this one was made at {}; what was read is {}", time(self.created_us), self.read)
    }
}

impl Another<'_> {
    /// As the error that waits for a person.
    pub(super) fn held(self, name: &str) -> Error {
        let failure = Failure::new("the stream is another one than the one that was read").at(name).cause(self).help(
            "what was read of the former one stays loaded; to read this one from its beginning run with --accept-gap, to \
             read only what comes from now on with --accept-gap=end",
        );
        Error::Held(failure.held(Cause::SourceReplaced.case()))
    }
}

/// `a hole of up to 25 h 3 min, from 2026-11-20T10:00:00Z on`.
fn size(covered_us: Option<i64>, end_us: i64) -> String {
    let Some(covered) = covered_us else { return "a hole of unknown size".to_owned() };
    let minutes = end_us.saturating_sub(covered).max(0) / 60_000_000;
    format!("a hole of up to {} h {} min, from {} on", minutes / 60, minutes % 60, time(covered))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::kinesis::place::Sequence;

    const HOUR_US: i64 = 3_600_000_000;
    const DAY: Duration = Duration::from_secs(24 * 3600);

    #[test]
    fn there_may_be_a_hole_when_a_shard_was_read_up_to_before_the_oldest_that_is_kept() {
        for (covered, may) in [(None, false), (Some(23 * HOUR_US), true), (Some(24 * HOUR_US), false)] {
            assert_eq!(may_be(covered, DAY, 48 * HOUR_US), may, "{covered:?}");
        }
    }

    #[test]
    fn a_hole_is_told_with_its_size_and_what_to_do() {
        let left = Left::From(Oldest { sequence: Sequence::parse("10").unwrap(), arrived_us: Some(25 * HOUR_US) });
        let (place, times) = (Place::After(Sequence::parse("9").unwrap()), (DAY, 48 * HOUR_US));
        let error = Missing::before("s/shardId-0", &place, Some(HOUR_US / 2), &left, times).held().to_string();
        assert_eq!(
            error,
            "records may have aged out of the stream before they were read (s/shardId-0, position 9+): a hole of up to 23 h \
             30 min, from 1970-01-01T00:30:00Z on; the oldest record that is there came at 1970-01-02T01:00:00Z; "
                .to_owned()
                + HELP
        );
        let error = Missing::with_shard("s/shardId-0", None, None, times).held().to_string();
        assert!(error.contains("a hole of unknown size; the shard was made and closed since"), "{error}");
    }
}
