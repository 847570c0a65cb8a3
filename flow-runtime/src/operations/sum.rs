//! `Sum`: of integers, floats and decimals; nulls are left out, and the sum of nothing but nulls is null.
//!
//! Integers and decimals are summed in more bits than any number of rows can fill, so that neither the order of the rows
//! nor the number of workers decides whether a sum overflows: only its value does. Float sums depend on the order.

use crate::{
    flow::Reason,
    value::{Decimal, Decode, Encode, RowReader},
};

/// Sums `i16`, `i32`, `i64` into `i64`.
///
/// # Example
/// ```
/// use flow_runtime::operations::SumInt;
/// let mut sum = SumInt::default();
/// sum.update(Some(i64::MAX));
/// sum.update(Some(1_i16));
/// assert!(sum.finish().is_err());
/// sum.update(Some(-1_i32));
/// sum.update(None::<i64>);
/// assert_eq!(sum.finish(), Ok(Some(i64::MAX)));
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct SumInt {
    sum: Option<i128>,
}

impl SumInt {
    /// Takes in a row's value.
    #[inline]
    pub fn update(&mut self, value: Option<impl Into<i128>>) {
        self.merge(Self { sum: value.map(Into::into) });
    }

    /// Takes in what another worker summed.
    #[inline]
    pub fn merge(&mut self, other: Self) {
        if let Some(other) = other.sum {
            // Values are 64 bits wide, so 2^63 of them fit.
            self.sum = Some(self.sum.unwrap_or(0) + other);
        }
    }

    /// The sum.
    ///
    /// # Errors
    /// That it does not fit an `i64`.
    pub fn finish(&self) -> Result<Option<i64>, Reason> {
        match self.sum.map(i64::try_from) {
            None => Ok(None),
            Some(Ok(sum)) => Ok(Some(sum)),
            Some(Err(_)) => Err(too_large(self.sum.unwrap_or_default(), "i64")),
        }
    }
}

/// Sums `f32` and `f64` into `f64`.
#[derive(Clone, Copy, Debug, Default)]
pub struct SumFloat {
    sum: Option<f64>,
}

impl SumFloat {
    /// Takes in a row's value.
    #[inline]
    pub fn update(&mut self, value: Option<impl Into<f64>>) {
        self.merge(Self { sum: value.map(Into::into) });
    }

    /// Takes in what another worker summed.
    #[inline]
    pub fn merge(&mut self, other: Self) {
        if let Some(other) = other.sum {
            self.sum = Some(self.sum.unwrap_or(0.0) + other);
        }
    }

    /// The sum.
    ///
    /// # Errors
    /// None: it has the shape of the other sums.
    pub fn finish(&self) -> Result<Option<f64>, Reason> {
        Ok(self.sum)
    }
}

/// Sums decimals of one scale into a decimal of that scale.
#[derive(Clone, Copy, Debug, Default)]
pub struct SumDecimal {
    /// The units, in two parts: high · 2^64 + low.
    high: i128,
    low: i128,
    scale: Option<u8>,
}

impl SumDecimal {
    /// Takes in a row's value.
    #[inline]
    pub fn update(&mut self, value: Option<Decimal>) {
        if let Some(value) = value {
            let units = value.units();
            self.merge(Self { high: units >> 64, low: units & LOW, scale: Some(value.scale()) });
        }
    }

    /// Takes in what another worker summed.
    #[inline]
    pub fn merge(&mut self, other: Self) {
        self.high += other.high;
        self.low += other.low;
        self.scale = self.scale.or(other.scale);
    }

    /// The sum.
    ///
    /// # Errors
    /// That it has more than 38 digits.
    pub fn finish(&self) -> Result<Option<Decimal>, Reason> {
        let Some(scale) = self.scale else { return Ok(None) };
        let high = self.high + (self.low >> 64);
        let units = high.checked_mul(1 << 64).and_then(|units| units.checked_add(self.low & LOW));
        match units.filter(|units| units.unsigned_abs() < DECIMAL_LIMIT) {
            Some(units) => Ok(Some(Decimal::new(units, scale))),
            None => Err(Reason::new(format!("the sum does not fit a Decimal(38, {scale})"))),
        }
    }
}

impl Encode for SumInt {
    fn encode(&self, bytes: &mut Vec<u8>) {
        self.sum.encode(bytes);
    }
}

impl Decode<'_> for SumInt {
    fn decode(row: &mut RowReader<'_>) -> Self {
        Self { sum: Decode::decode(row) }
    }
}

impl Encode for SumFloat {
    fn encode(&self, bytes: &mut Vec<u8>) {
        self.sum.encode(bytes);
    }
}

impl Decode<'_> for SumFloat {
    fn decode(row: &mut RowReader<'_>) -> Self {
        Self { sum: Decode::decode(row) }
    }
}

impl Encode for SumDecimal {
    fn encode(&self, bytes: &mut Vec<u8>) {
        self.high.encode(bytes);
        self.low.encode(bytes);
        self.scale.map(i16::from).encode(bytes);
    }
}

impl Decode<'_> for SumDecimal {
    fn decode(row: &mut RowReader<'_>) -> Self {
        let (high, low) = (i128::decode(row), i128::decode(row));
        let scale = Option::<i16>::decode(row).and_then(|scale| u8::try_from(scale).ok());
        Self { high, low, scale }
    }
}

const LOW: i128 = u64::MAX as i128;
const DECIMAL_LIMIT: u128 = 10_u128.pow(38);

#[cold]
fn too_large(sum: i128, ty: &str) -> Reason {
    Reason::new(format!("the sum {sum} does not fit an {ty}"))
}

#[cfg(test)]
mod tests {
    use super::{SumDecimal, SumFloat, SumInt};
    use crate::value::Decimal;

    fn decimals(units: &[i128]) -> SumDecimal {
        let mut sum = SumDecimal::default();
        units.iter().for_each(|&units| sum.update(Some(Decimal::new(units, 2))));
        sum
    }

    #[test]
    fn nothing_but_nulls_sums_to_null() {
        let (mut ints, mut floats, mut decimals) = (SumInt::default(), SumFloat::default(), SumDecimal::default());
        ints.update(None::<i16>);
        floats.update(None::<f32>);
        decimals.update(None);
        assert_eq!((ints.finish(), floats.finish(), decimals.finish()), (Ok(None), Ok(None), Ok(None)));
    }

    #[test]
    fn whether_an_integer_sum_overflows_depends_on_its_value_alone() {
        let (mut here, mut there) = (SumInt::default(), SumInt::default());
        here.update(Some(i64::MIN));
        here.update(Some(-1_i64));
        there.update(Some(1_i64));
        assert_eq!(here.finish().unwrap_err().as_str(), "the sum -9223372036854775809 does not fit an i64");
        here.merge(there);
        assert_eq!(here.finish(), Ok(Some(i64::MIN)));
    }

    #[test]
    fn decimals_sum_exactly_even_beyond_their_digits_on_the_way() {
        let most = 10_i128.pow(38) - 1;
        assert_eq!(decimals(&[most, 1]).finish().unwrap_err().as_str(), "the sum does not fit a Decimal(38, 2)");
        assert_eq!(decimals(&[most, most, -most, -3]).finish(), Ok(Some(Decimal::new(most - 3, 2))));
        assert_eq!(decimals(&[-most, -most, most, 1]).finish(), Ok(Some(Decimal::new(1 - most, 2))));
        assert_eq!(decimals(&[-1, -(1 << 64), 1 << 64]).finish(), Ok(Some(Decimal::new(-1, 2))));
        assert!(decimals(&[i128::MIN, i128::MIN, i128::MIN]).finish().is_err());
    }

    #[test]
    fn a_merged_sum_knows_its_scale_whoever_had_rows() {
        let mut empty = SumDecimal::default();
        empty.merge(decimals(&[5]));
        assert_eq!(empty.finish(), Ok(Some(Decimal::new(5, 2))));
    }

    #[test]
    fn floats_sum() {
        let mut sum = SumFloat::default();
        sum.update(Some(0.5_f32));
        sum.merge(SumFloat { sum: Some(1.0) });
        assert_eq!(sum.finish(), Ok(Some(1.5)));
    }
}
