//! What closes an iteration before its sources end: pure arithmetic over records, bytes and times.

use std::time::Duration;

use super::Bounds;
use crate::source::{Arrived, Framing, Piece};

/// Why the sources of an iteration were read no further.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ClosedBy {
    /// They were at their end.
    End,
    /// [`Bounds::max_records`].
    MaxRecords,
    /// [`Bounds::max_bytes`].
    MaxBytes,
    /// [`Bounds::iteration_timeout`].
    IterationTimeout,
    /// [`Bounds::no_data_timeout`].
    NoDataTimeout,
    /// It was asked for from outside.
    Drain,
}

/// Counts records and bytes of all sources up to their bounds.
#[derive(Debug)]
pub(super) struct Meter {
    records_left: Option<u64>,
    bytes_left: Option<u64>,
}

impl Meter {
    pub(super) fn new(bounds: &Bounds) -> Self {
        Self { records_left: bounds.max_records, bytes_left: bounds.max_bytes }
    }

    /// The bound that is reached, if one is.
    pub(super) fn reached(&self) -> Option<ClosedBy> {
        match (self.records_left, self.bytes_left) {
            (Some(0), _) => Some(ClosedBy::MaxRecords),
            (_, Some(0)) => Some(ClosedBy::MaxBytes),
            _ => None,
        }
    }

    /// Counts the records of `piece`, and cuts those off that are beyond a bound.
    pub(super) fn admit(&mut self, piece: &mut Piece) {
        if self.records_left.is_none() && self.bytes_left.is_none() {
            return;
        }
        let (records, bytes) = match &piece.framing {
            Framing::Lines => self.cut_lines(piece),
            Framing::Listed(_) => self.cut_listed(piece),
            // What is retried is retried whole.
            Framing::Retried(retried) => (retried.len(), piece.bytes.len()),
        };
        for (left, taken) in [(&mut self.records_left, records), (&mut self.bytes_left, bytes)] {
            if let Some(left) = left {
                *left = left.saturating_sub(taken as u64);
            }
        }
    }

    fn cut_lines(&self, piece: &mut Piece) -> (usize, usize) {
        let records_left = at_most(self.records_left);
        // Most pieces are far from any bound, and counting is several times faster than walking.
        let lines = if self.records_left.is_some() { count_lines(&piece.bytes) } else { 0 };
        if lines <= records_left && piece.bytes.len() <= at_most(self.bytes_left) {
            return (lines, piece.bytes.len());
        }
        let mut records = 0;
        let mut end = 0;
        while end < piece.bytes.len() && records < records_left {
            let rest = &piece.bytes[end..];
            end += memchr::memchr(b'\n', rest).map_or(rest.len(), |newline| newline + 1);
            records += 1;
            if end >= at_most(self.bytes_left) {
                break;
            }
        }
        if end < piece.bytes.len() {
            piece.bytes.truncate(end);
            piece.to = piece.from.after(end);
        }
        (records, end)
    }

    fn cut_listed(&self, piece: &mut Piece) -> (usize, usize) {
        let Framing::Listed(listed) = &mut piece.framing else { return (0, 0) };
        let (mut records, mut bytes) = (0, 0);
        for (span, _) in listed.iter().take(at_most(self.records_left)) {
            records += 1;
            bytes += span.end - span.start;
            if bytes >= at_most(self.bytes_left) {
                break;
            }
        }
        if let Some((_, first_left)) = listed.get(records) {
            piece.to = first_left.clone();
            // When the last of those that stay arrived is not known: not before the first.
            piece.arrived =
                piece.arrived.map(|arrived| Arrived { last_us: arrived.first_us, is_behind: true, ..arrived });
            listed.truncate(records);
        }
        (records, bytes)
    }
}

fn count_lines(bytes: &[u8]) -> usize {
    let unterminated = bytes.last().is_some_and(|last| *last != b'\n');
    memchr::memchr_iter(b'\n', bytes).count() + usize::from(unterminated)
}

fn at_most(left: Option<u64>) -> usize {
    left.and_then(|left| usize::try_from(left).ok()).unwrap_or(usize::MAX)
}

/// The time that is over, if one is: `now` and `starved_since` count from the beginning of the iteration.
pub(super) fn overdue(bounds: &Bounds, now: Duration, starved_since: Duration) -> Option<ClosedBy> {
    if bounds.iteration_timeout.is_some_and(|timeout| now >= timeout) {
        Some(ClosedBy::IterationTimeout)
    } else if bounds.no_data_timeout.is_some_and(|timeout| now.saturating_sub(starved_since) >= timeout) {
        Some(ClosedBy::NoDataTimeout)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{flow::Span, source::Position};

    fn lines(bytes: &[u8]) -> Piece {
        Piece {
            shard: 0,
            bytes: bytes.to_vec(),
            framing: Framing::Lines,
            from: Position::counted(100),
            to: Position::counted(100).after(bytes.len()),
            starts_shard: false,
            arrived: None,
        }
    }

    fn admitted(max_records: Option<u64>, max_bytes: Option<u64>, mut piece: Piece) -> (Piece, Option<ClosedBy>) {
        let mut meter = Meter::new(&Bounds { max_records, max_bytes, ..Bounds::default() });
        meter.admit(&mut piece);
        (piece, meter.reached())
    }

    #[test]
    fn lines_are_cut_after_the_starved_since_of_the_bound() {
        for (max_records, max_bytes, bytes, to, closed_by) in [
            (None, None, "a\nbc\nd\n", "107", None),
            (Some(4), Some(100), "a\nbc\nd\n", "107", None),
            (Some(3), None, "a\nbc\nd\n", "107", Some(ClosedBy::MaxRecords)),
            (Some(2), None, "a\nbc\n", "105", Some(ClosedBy::MaxRecords)),
            (None, Some(2), "a\n", "102", Some(ClosedBy::MaxBytes)),
            (None, Some(3), "a\nbc\n", "105", Some(ClosedBy::MaxBytes)),
            (None, Some(7), "a\nbc\nd\n", "107", Some(ClosedBy::MaxBytes)),
            (Some(1), Some(3), "a\n", "102", Some(ClosedBy::MaxRecords)),
        ] {
            let (piece, closed) = admitted(max_records, max_bytes, lines(b"a\nbc\nd\n"));
            let got = (std::str::from_utf8(&piece.bytes).unwrap(), piece.to.as_str(), closed);
            assert_eq!(got, (bytes, to, closed_by), "{max_records:?} {max_bytes:?}");
        }
    }

    #[test]
    fn an_unterminated_last_line_is_a_record() {
        assert_eq!(admitted(Some(2), None, lines(b"a\nb")).1, Some(ClosedBy::MaxRecords));
    }

    #[test]
    fn listed_records_are_cut_before_the_position_of_the_next() {
        let listed =
            |index: usize| (Span { start: 2 * index, end: 2 * index + 2 }, Position::counted(7 + index as u64));
        let piece = || Piece { framing: Framing::Listed((0..3).map(listed).collect()), ..lines(b"aabbcc") };
        let (cut, closed) = admitted(None, Some(3), piece());
        let Framing::Listed(left) = &cut.framing else { panic!() };
        assert_eq!((left.len(), cut.to.as_str(), closed), (2, "9", Some(ClosedBy::MaxBytes)));
        let (whole, closed) = admitted(Some(3), None, piece());
        assert_eq!((whole.to.as_str(), closed), ("106", Some(ClosedBy::MaxRecords)));
    }

    #[test]
    fn times_close_when_they_are_over() {
        let second = Duration::from_secs;
        let bounds = |iteration: Option<u64>, no_data: Option<u64>| Bounds {
            iteration_timeout: iteration.map(second),
            no_data_timeout: no_data.map(second),
            ..Bounds::default()
        };
        for (bounds, now, starved_since, closed_by) in [
            (bounds(None, None), 99, 0, None),
            (bounds(Some(10), None), 9, 0, None),
            (bounds(Some(10), None), 10, 9, Some(ClosedBy::IterationTimeout)),
            (bounds(None, Some(5)), 10, 6, None),
            (bounds(None, Some(5)), 10, 5, Some(ClosedBy::NoDataTimeout)),
            (bounds(Some(10), Some(5)), 10, 5, Some(ClosedBy::IterationTimeout)),
        ] {
            assert_eq!(overdue(&bounds, second(now), second(starved_since)), closed_by, "{bounds:?}");
        }
    }
}
