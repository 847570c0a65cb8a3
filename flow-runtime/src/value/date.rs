//! `Date`: a day of the calendar.

use std::fmt;

use jiff::{ToSpan as _, civil, fmt::strtime::BrokenDownTime};

const EPOCH: civil::Date = civil::date(1970, 1, 1);

/// A day of the Gregorian calendar, without a time zone: days since 1970-01-01.
///
/// # Example
/// ```
/// use flow_runtime::value::Date;
/// assert_eq!(Date::from_days(365).to_string(), "1971-01-01");
/// ```
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Date(i32);

impl Date {
    /// The day so many days after 1970-01-01, or before it.
    #[must_use]
    pub const fn from_days(days: i32) -> Self {
        Self(days)
    }

    /// Days since 1970-01-01.
    #[must_use]
    pub const fn days(self) -> i32 {
        self.0
    }

    /// Reads text of this `strptime` format.
    pub(crate) fn parse(text: &str, format: &str) -> Option<Self> {
        let day = BrokenDownTime::parse(format, text).ok()?.to_date().ok()?;
        // Between two days of a calendar of 20 000 years lie fewer than 2^23 days.
        Some(Self((day - EPOCH).get_days()))
    }

    /// Writes it in this `strftime` format; as [`fmt::Display`] does when it does not fit the format.
    pub(crate) fn write(self, format: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.civil().and_then(|day| BrokenDownTime::from(day).to_string(format).ok()) {
            Some(text) => f.write_str(&text),
            None => fmt::Display::fmt(&self, f),
        }
    }

    /// The day of the calendar, from the year -9999 to 9999.
    pub(crate) fn civil(self) -> Option<civil::Date> {
        // A span of more days than the calendar has cannot be made.
        EPOCH.checked_add(0.days().try_days(self.0).ok()?).ok()
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.civil() {
            Some(day) => fmt::Display::fmt(&day, f),
            None => write!(f, "1970-01-01{:+}d", self.0),
        }
    }
}

impl fmt::Debug for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
