//! Where a shard is read to: positions as text, and their order. And where reading begins: `?start=`.

use std::{cmp::Ordering, fmt};

use jiff::Timestamp;

use crate::{
    Address, Error, Failure,
    aws::clients::kinesis::Beginning,
    source::{END, Position},
};

/// Digits of a sequence number: more would be none. It has 56 now.
const DIGITS_MAX: usize = 128;

/// The first record of a shard that is not read yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// The oldest that is kept: `oldest`.
    Oldest,
    /// The first that came then or later, in microseconds since the epoch of Unix: `time:2026-11-22T10:00:00Z`.
    Time(i64),
    /// The record of this number, or the one that is so many further in what the producer library has put into it: `4711`,
    /// `4711/3`.
    At(Sequence, u64),
    /// What comes after the record of this number: `4711+`.
    After(Sequence),
    /// None will come: the shard is closed and read. `end`.
    End,
}

/// A sequence number: too large for any integer, and ordered as one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Sequence(String);

impl Sequence {
    /// A number, if this is one in its only spelling.
    pub(super) fn parse(text: &str) -> Option<Self> {
        Self::new(text.to_owned()).ok()
    }

    /// The same without a copy.
    ///
    /// # Errors
    /// The text, if it is no number.
    pub(super) fn new(text: String) -> Result<Self, String> {
        let is_plain = text == "0" || !text.starts_with('0');
        // To look at every byte is faster than to stop at the first that is no digit.
        let is_number = (1..=DIGITS_MAX).contains(&text.len())
            && text.bytes().fold(true, |so_far, byte| so_far & byte.is_ascii_digit());
        if is_plain && is_number { Ok(Self(text)) } else { Err(text) }
    }

    /// The position of a record, and of its part `sub`.
    pub(super) fn position(&self, sub: u64) -> Position {
        match sub {
            0 => Position::new(self.as_str()),
            _ => Position::new(format!("{}/{sub}", self.as_str())),
        }
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

impl Ord for Sequence {
    fn cmp(&self, other: &Self) -> Ordering {
        (self.0.len(), &self.0).cmp(&(other.0.len(), &other.0))
    }
}

impl PartialOrd for Sequence {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Place {
    /// Reads what was written as a position.
    pub(super) fn of(position: &Position) -> Option<Self> {
        let text = position.as_str();
        match text {
            "oldest" => return Some(Self::Oldest),
            END => return Some(Self::End),
            _ => {}
        }
        let place = if let Some(time) = text.strip_prefix("time:") {
            Self::Time(time.parse::<Timestamp>().ok()?.as_microsecond())
        } else if let Some(number) = text.strip_suffix('+') {
            Self::After(Sequence::parse(number)?)
        } else {
            let (number, sub) = text.split_once('/').unwrap_or((text, "0"));
            Self::At(Sequence::parse(number)?, sub.parse().ok()?)
        };
        // Positions are compared as texts, so each has one.
        (place.position() == *position).then_some(place)
    }

    /// As a position, for the store.
    pub(super) fn position(&self) -> Position {
        match self {
            Self::At(number, sub) => number.position(*sub),
            place => Position::new(place.to_string()),
        }
    }

    /// Whether a record, and its part `sub`, lies here or further on.
    pub(super) fn is_reached_by(&self, sequence: &Sequence, sub: u64) -> bool {
        match self {
            Self::Oldest | Self::Time(_) => true,
            Self::At(number, first) => (sequence, sub) >= (number, *first),
            Self::After(number) => sequence > number,
            Self::End => false,
        }
    }

    /// Whether a record that arrived then came before the time to begin at. The service leaves it out itself, unless that
    /// time is still to come and it is asked for all that comes. It goes by the millisecond.
    pub(super) fn is_after(&self, arrived_us: Option<i64>) -> bool {
        matches!(self, Self::Time(us) if arrived_us.is_some_and(|arrived| arrived < us.div_euclid(1000) * 1000))
    }

    /// Where an iterator has to begin to read from here; at the end there is nothing to be read, not even what comes.
    pub(super) fn beginning(&self) -> Beginning<'_> {
        match self {
            Self::Oldest => Beginning::Oldest,
            Self::Time(us) => Beginning::Time(*us),
            Self::At(number, _) => Beginning::At(number.as_str()),
            Self::After(number) => Beginning::After(number.as_str()),
            Self::End => Beginning::Latest,
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Oldest => f.write_str("oldest"),
            Self::Time(us) => write!(f, "time:{}", time(*us)),
            Self::At(number, sub) => number.position(*sub).fmt(f),
            Self::After(number) => write!(f, "{}+", number.as_str()),
            Self::End => f.write_str(END),
        }
    }
}

/// A time for people, and for `time:`.
pub(super) fn time(us: i64) -> Timestamp {
    Timestamp::from_microsecond(us).unwrap_or_default()
}

/// Where a stream is begun that was never read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Start {
    /// With all that is kept.
    Oldest,
    /// With what comes after the logical name was made.
    Latest,
    /// With what came then or later, in microseconds since the epoch of Unix.
    Time(i64),
}

impl Start {
    pub(super) fn of(address: &Address) -> Result<Self, Error> {
        match address.option("start") {
            None | Some("oldest") => Ok(Self::Oldest),
            Some("latest") => Ok(Self::Latest),
            Some(text) => text.parse::<Timestamp>().map(|time| Self::Time(time.as_microsecond())).map_err(|error| {
                let failure = Failure::new(format!("`{text}` is no start")).at(address.to_string()).cause(error);
                Error::Config(
                    failure.help("give start=oldest, start=latest, or a time as in start=2026-11-22T10:00:00Z"),
                )
            }),
        }
    }

    /// The place, for a logical name that was made at `created_us`.
    pub(super) fn place(self, created_us: i64) -> Place {
        match self {
            Self::Oldest => Place::Oldest,
            Self::Latest => Place::Time(created_us),
            Self::Time(us) => Place::Time(us),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn numbers() -> impl Strategy<Value = Sequence> {
        "[1-9][0-9]{0,60}".prop_map(|text| Sequence::parse(&text).unwrap())
    }

    proptest! {
        #[test]
        fn a_place_survives_its_text(number in numbers(), sub: u64, us in -62_000_000_000_000_000_i64..250_000_000_000_000_000) {
            for place in [Place::Oldest, Place::Time(us), Place::At(number.clone(), sub), Place::After(number), Place::End] {
                prop_assert_eq!(Place::of(&place.position()), Some(place));
            }
        }

        #[test]
        fn no_text_is_two_places(text in "\\PC{0,20}|[0-9+/]{0,9}|time:[-0-9T:Z.]{0,24}") {
            let position = Position::new(text);
            if let Some(place) = Place::of(&position) {
                prop_assert_eq!(place.position(), position);
            }
        }

        #[test]
        fn numbers_are_ordered_as_numbers(one in 0_u128.., other in 0_u128..) {
            let number = |number: u128| Sequence::parse(&number.to_string()).unwrap();
            prop_assert_eq!(number(one).cmp(&number(other)), one.cmp(&other));
        }
    }

    #[test]
    fn a_record_reaches_the_places_up_to_itself() {
        let number = |text: &str| Sequence::parse(text).unwrap();
        let (nine, ten) = (number("9"), number("10"));
        for (place, sequence, sub, reached) in [
            (Place::Oldest, &nine, 0, true),
            (Place::At(ten.clone(), 0), &nine, 7, false),
            (Place::At(ten.clone(), 0), &ten, 0, true),
            (Place::At(ten.clone(), 2), &ten, 1, false),
            (Place::At(ten.clone(), 2), &ten, 2, true),
            (Place::After(nine.clone()), &nine, 9, false),
            (Place::After(nine.clone()), &ten, 0, true),
            (Place::End, &ten, 0, false),
        ] {
            assert_eq!(place.is_reached_by(sequence, sub), reached, "{place} {sequence:?}/{sub}");
        }
    }

    #[test]
    fn a_start_is_oldest_latest_or_a_time() {
        let start = |text: &str| Start::of(&text.parse().unwrap());
        assert_eq!(start("kinesis://s").unwrap().place(7), Place::Oldest);
        assert_eq!(start("kinesis://s?start=latest").unwrap().place(7), Place::Time(7));
        assert_eq!(start("kinesis://s?start=1970-01-01T00:00:01Z").unwrap().place(7), Place::Time(1_000_000));
        let error = start("kinesis://s?start=yesterday").unwrap_err().to_string();
        assert!(error.contains("`yesterday` is no start") && error.contains("start=2026-11-22T10:00:00Z"), "{error}");
    }
}
