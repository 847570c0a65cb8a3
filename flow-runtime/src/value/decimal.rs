//! `Decimal`: a number with a fixed count of digits after the point.

use std::{cmp::Ordering, fmt};

/// A whole count of units of 10^-scale: 12.50 is 1250 units at scale 2.
///
/// Values of one field have one scale. Between scales the order is that of the numbers, then of the scales, so that 1.5
/// and 1.50 are neighbours but not equal.
///
/// # Example
/// ```
/// use flow_runtime::value::Decimal;
/// let price = Decimal::new(1250, 2);
/// assert_eq!(price.to_string(), "12.50");
/// assert_eq!(price.checked_add(Decimal::new(-1300, 2)), Some(Decimal::new(-50, 2)));
/// ```
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Decimal {
    units: i128,
    scale: u8,
}

impl Decimal {
    /// The most digits that one can have.
    pub const DIGITS_MAX: u8 = 38;

    /// So many units of 10^-`scale`; a scale over 38 counts as 38.
    #[must_use]
    pub const fn new(units: i128, scale: u8) -> Self {
        Self { units, scale: if scale > Self::DIGITS_MAX { Self::DIGITS_MAX } else { scale } }
    }

    /// How many units.
    #[must_use]
    pub const fn units(self) -> i128 {
        self.units
    }

    /// Digits after the point.
    #[must_use]
    pub const fn scale(self) -> u8 {
        self.scale
    }

    /// The sum of two decimals of one scale; `None` when the scales differ or the sum is too large.
    #[must_use]
    pub fn checked_add(self, other: Self) -> Option<Self> {
        let units = self.units.checked_add(other.units).filter(|_| self.scale == other.scale)?;
        Some(Self { units, ..self })
    }

    /// Reads `-12.5`; digits beyond `scale` must be zeros, and the number must have no more than `precision` digits.
    pub(crate) fn parse(text: &str, precision: u8, scale: u8) -> Result<Self, Unfit> {
        let (is_negative, digits) = match text.as_bytes() {
            [b'-', digits @ ..] => (true, digits),
            [b'+', digits @ ..] => (false, digits),
            digits => (false, digits),
        };
        let point = digits.iter().position(|&byte| byte == b'.').unwrap_or(digits.len());
        let (whole, fraction) = (&digits[..point], digits.get(point + 1..).unwrap_or_default());
        let is_number =
            !(whole.is_empty() && fraction.is_empty()) && whole.iter().chain(fraction).all(u8::is_ascii_digit);
        if !is_number {
            return Err(Unfit::NotANumber);
        }
        let (fraction, beyond) = fraction.split_at(fraction.len().min(usize::from(scale)));
        if beyond.iter().any(|&digit| digit != b'0') {
            return Err(Unfit::TooManyDigits);
        }
        let padding = std::iter::repeat_n(&b'0', usize::from(scale) - fraction.len());
        let limit = 10_i128.checked_pow(precision.into()).unwrap_or(i128::MAX);
        let mut units = 0_i128;
        for digit in whole.iter().chain(fraction).chain(padding) {
            // The limit is at most 10^38, so ten times what is below it may overflow.
            units = units
                .checked_mul(10)
                .and_then(|units| units.checked_add(i128::from(digit - b'0')))
                .filter(|&units| units < limit)
                .ok_or(Unfit::TooManyDigits)?;
        }
        Ok(Self::new(if is_negative { -units } else { units }, scale))
    }

    /// The same number with this scale; `None` if it needs more digits after the point, or more than `precision` in all.
    pub(crate) fn rescaled(self, precision: u8, scale: u8) -> Option<Self> {
        let one = 10_i128.checked_pow(scale.abs_diff(self.scale).into())?;
        let units = match scale >= self.scale {
            true => self.units.checked_mul(one)?,
            false => Some(self.units / one).filter(|_| self.units % one == 0)?,
        };
        let limit = 10_u128.checked_pow(precision.into())?;
        Some(Self { units, scale }).filter(|_| units.unsigned_abs() < limit)
    }

    /// The number cut off at the point, and the rest in units.
    fn split(self) -> (i128, i128) {
        let one = 10_i128.pow(self.scale.into());
        (self.units / one, self.units % one)
    }
}

/// Why text is no such decimal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unfit {
    NotANumber,
    TooManyDigits,
}

impl Ord for Decimal {
    fn cmp(&self, other: &Self) -> Ordering {
        if self.scale == other.scale {
            return self.units.cmp(&other.units);
        }
        // Rests are smaller than 10^scale and scales at most 38, so raising the coarser rest cannot overflow.
        let raise = |rest: i128, from: u8, to: u8| rest * 10_i128.pow(to.saturating_sub(from).into());
        let ((a, a_rest), (b, b_rest)) = (self.split(), other.split());
        a.cmp(&b)
            .then_with(|| raise(a_rest, self.scale, other.scale).cmp(&raise(b_rest, other.scale, self.scale)))
            .then_with(|| self.scale.cmp(&other.scale))
    }
}

impl PartialOrd for Decimal {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.scale == 0 {
            return write!(f, "{}", self.units);
        }
        let (whole, rest) = self.split();
        let sign = if self.units < 0 { "-" } else { "" };
        write!(f, "{sign}{}.{:0width$}", whole.unsigned_abs(), rest.unsigned_abs(), width = usize::from(self.scale))
    }
}

impl fmt::Debug for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
