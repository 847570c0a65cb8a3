//! What a stream has forgotten before it was read: whether there may be such a hole, its size, and what to say.
//!
//! Kinesis does not tell. An iterator behind a record that has aged out begins, without a word, with the oldest that is
//! there. So the times tell: what came before the moment up to which a shard was read is not missing, and what came since
//! and is older than the stream keeps records may be.

use std::time::Duration;

use super::place::{Place, Sequence, time};
use crate::{Error, Failure, aws::Trouble, held::Cause};

/// What to do about it.
const HELP: &str = "what was read stays loaded; go on behind the hole with --accept-gap, which notes it, or with what comes \
                    from now on with --accept-gap=end; run more often, or have the stream keep records for longer";

/// How long an accepted gap may grow until the shard is read: records go while the first are being read.
const GRACE: Duration = Duration::from_secs(60 * 60);

/// The oldest record that a shard has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Oldest {
    pub(super) sequence: Sequence,
    pub(super) arrived_us: Option<i64>,
}

/// Whether something may have aged out that came after `covered_us`.
pub(super) fn may_be(covered_us: Option<i64>, retention: Duration, now_us: i64) -> bool {
    covered_us.is_some_and(|covered| covered < oldest_kept_us(retention, now_us))
}

/// Whether nothing can be missing at `place`: what was read last, or something before it, is still there.
pub(super) fn is_bridged(place: &Place, oldest: Option<&Oldest>) -> bool {
    match (place, oldest) {
        (Place::At(next, _), Some(oldest)) => oldest.sequence <= *next,
        (Place::After(last), Some(oldest)) => oldest.sequence <= *last,
        (Place::Time(us), Some(oldest)) => oldest.arrived_us.is_some_and(|arrived| arrived < *us),
        _ => false,
    }
}

/// Up to when all is given up that is missing: what ages out after that, still unread, is another hole.
pub(super) fn given_up_to(oldest: Option<&Oldest>, retention: Duration, now_us: i64) -> i64 {
    let grace_us = i64::try_from(GRACE.as_micros()).unwrap_or(i64::MAX);
    let least = oldest_kept_us(retention, now_us).saturating_add(grace_us);
    oldest.and_then(|oldest| oldest.arrived_us).map_or(least, |arrived| arrived.clamp(least, now_us.max(least)))
}

fn oldest_kept_us(retention: Duration, now_us: i64) -> i64 {
    now_us.saturating_sub(i64::try_from(retention.as_micros()).unwrap_or(i64::MAX))
}

/// The error for a shard that may have a hole at `place`.
pub(super) fn held(
    name: &str,
    place: &Place,
    (covered_us, oldest): (Option<i64>, Option<&Oldest>),
    (retention, now_us): (Duration, i64),
) -> Error {
    let kept = oldest_kept_us(retention, now_us);
    let end = oldest.and_then(|oldest| oldest.arrived_us).map_or(kept, |arrived| arrived.min(kept));
    let there = match oldest {
        Some(Oldest { arrived_us: Some(arrived), .. }) => {
            format!("the oldest record that is there came at {}", time(*arrived))
        }
        _ => format!("nothing older than {} h is kept", retention.as_secs() / 3600),
    };
    failure(name, place, &size(covered_us, end), &there)
}

/// The error for a shard that has gone from the stream, and was not read to its end.
pub(super) fn gone(
    name: &str,
    place: Option<&Place>,
    covered_us: Option<i64>,
    retention: Duration,
    now_us: i64,
) -> Error {
    let size = size(covered_us, oldest_kept_us(retention, now_us));
    match place {
        Some(place) => failure(name, place, &size, "the shard was closed since, and is not there any more"),
        None => failure(name, &Place::Oldest, &size, "the shard was made and closed since, and is not there any more"),
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

/// The error for a stream that is another than the one that was read.
pub(super) fn another(name: &str, created_us: i64, read: &str) -> Error {
    let failure = Failure::new("the stream is another one than the one that was read")
        .at(name)
        .cause(format!("this one was made at {}; what was read is {read}", time(created_us)))
        .help(
            "what was read of the former one stays loaded; to read this one from its beginning run with --accept-gap, to \
             read only what comes from now on with --accept-gap=end",
        );
    Error::Held(failure.held(Cause::SourceReplaced.case()))
}

fn failure(name: &str, place: &Place, size: &str, there: &str) -> Error {
    let failure = Failure::new("records may have aged out of the stream before they were read")
        .at(format!("{name}, position {place}"))
        .cause(format!("{size}; {there}"))
        .help(HELP);
    Error::Held(failure.held(Cause::SourceAgedOut.case()))
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

    const HOUR_US: i64 = 3_600_000_000;
    const DAY: Duration = Duration::from_secs(24 * 3600);

    #[test]
    fn there_may_be_a_hole_when_a_shard_was_read_up_to_before_the_oldest_that_is_kept() {
        for (covered, may) in [(None, false), (Some(23 * HOUR_US), true), (Some(24 * HOUR_US), false)] {
            assert_eq!(may_be(covered, DAY, 48 * HOUR_US), may, "{covered:?}");
        }
    }

    #[test]
    fn what_was_read_last_and_is_still_there_proves_that_nothing_is_missing() {
        let number = |text: &str| Sequence::parse(text).unwrap();
        let oldest = Oldest { sequence: number("10"), arrived_us: None };
        for (place, bridged) in [
            (Place::After(number("9")), false),
            (Place::After(number("10")), true),
            (Place::At(number("9"), 3), false),
            (Place::At(number("10"), 3), true),
            (Place::Oldest, false),
        ] {
            assert_eq!(is_bridged(&place, Some(&oldest)), bridged, "{place}");
            assert!(!is_bridged(&place, None));
        }
    }

    #[test]
    fn a_hole_is_told_with_its_size_and_what_to_do() {
        let oldest = Oldest { sequence: Sequence::parse("10").unwrap(), arrived_us: Some(25 * HOUR_US) };
        let place = Place::After(Sequence::parse("9").unwrap());
        let error = held("s/shardId-0", &place, (Some(HOUR_US / 2), Some(&oldest)), (DAY, 48 * HOUR_US)).to_string();
        assert_eq!(
            error,
            "records may have aged out of the stream before they were read (s/shardId-0, position 9+): a hole of up to 23 h \
             30 min, from 1970-01-01T00:30:00Z on; the oldest record that is there came at 1970-01-02T01:00:00Z; "
                .to_owned()
                + HELP
        );
        let error = gone("s/shardId-0", None, None, DAY, 48 * HOUR_US).to_string();
        assert!(error.contains("a hole of unknown size; the shard was made and closed since"), "{error}");
    }
}
