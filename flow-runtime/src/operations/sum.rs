//! `Sum`: of integers, floats and decimals; nulls are left out, and the sum of nothing but nulls is null.
//!
//! Integers and decimals are summed in more bits than any number of rows can fill, so that neither the order of the rows
//! nor the number of workers decides whether a sum overflows: only its value does. Float sums depend on the order.

use crate::{flow::Reason, value::Decimal};

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

const LOW: i128 = u64::MAX as i128;
const DECIMAL_LIMIT: u128 = 10_u128.pow(38);

#[cold]
fn too_large(sum: i128, ty: &str) -> Reason {
    Reason::new(format!("the sum {sum} does not fit an {ty}"))
}
