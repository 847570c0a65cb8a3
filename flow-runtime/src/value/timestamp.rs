//! `Timestamp`: a moment, to the microsecond.

use std::fmt;

use jiff::{fmt::strtime::BrokenDownTime, tz::Offset};

use super::Date;

/// A moment: microseconds since 1970-01-01 00:00 UTC.
///
/// # Example
/// ```
/// use flow_runtime::value::Timestamp;
/// let time = Timestamp::from_microseconds(1_500_000);
/// assert_eq!(time.to_string(), "1970-01-01T00:00:01.5Z");
/// assert_eq!(format!("{time:.6}"), "1970-01-01T00:00:01.500000Z");
/// ```
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The moment so many microseconds after the epoch, or before it.
    #[must_use]
    pub const fn from_microseconds(microseconds: i64) -> Self {
        Self(microseconds)
    }

    /// Microseconds since the epoch.
    #[must_use]
    pub const fn microseconds(self) -> i64 {
        self.0
    }

    /// The day it lies in, in UTC.
    #[must_use]
    pub fn date(self) -> Date {
        const MICROSECONDS_PER_DAY: i64 = 86_400_000_000;
        // An i64 of microseconds holds fewer than 2^27 days.
        Date::from_days(self.0.div_euclid(MICROSECONDS_PER_DAY) as i32)
    }

    /// Reads text of this `strptime` format; without an offset or a zone in it, it is UTC. What is finer than a
    /// microsecond is cut off.
    pub(crate) fn parse(text: &str, format: &str) -> Option<Self> {
        let parts = BrokenDownTime::parse(format, text).ok()?;
        let is_local = parts.timestamp().is_none() && parts.offset().is_none() && parts.iana_time_zone().is_none();
        let moment = match is_local {
            true => Offset::UTC.to_timestamp(parts.to_datetime().ok()?),
            false => parts.to_timestamp(),
        };
        // `as_microsecond` would cut off towards 1970, and make a later moment of one before it.
        moment.ok().and_then(|moment| i64::try_from(moment.as_nanosecond().div_euclid(1000)).ok()).map(Self)
    }

    /// Writes it in this `strftime` format, in UTC; as [`fmt::Display`] does when it does not fit the format.
    pub(crate) fn write(self, format: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Ok(moment) = jiff::Timestamp::from_microsecond(self.0) else { return fmt::Display::fmt(&self, f) };
        match BrokenDownTime::from(moment).to_string(format) {
            Ok(text) => f.write_str(&text),
            Err(_) => fmt::Display::fmt(&self, f),
        }
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_microsecond(self.0) {
            Ok(moment) => fmt::Display::fmt(&moment, f),
            // Before the year -9999 or after 9999.
            Err(_) => write!(f, "1970-01-01T00:00:00Z{:+}us", self.0),
        }
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
