//! The time a protocol may see: what its own clock says, and spans of it.
//!
//! True virtual time is not here on purpose: a protocol that could read it would not notice that
//! clocks differ.

use std::fmt;
use std::ops::{Add, AddAssign, Div, Mul, Sub};

use borsh::{BorshDeserialize, BorshSerialize};

use crate::fold::{Fold, Folder};

/// A span of time in integer nanoseconds; at most about 584 years. Arithmetic saturates.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    BorshSerialize,
    BorshDeserialize,
)]
pub struct SimDuration(u64);

impl SimDuration {
    /// No time at all.
    pub const ZERO: Self = Self(0);
    /// The longest span.
    pub const MAX: Self = Self(u64::MAX);

    /// A span of `nanos` nanoseconds.
    pub const fn from_nanos(nanos: u64) -> Self {
        Self(nanos)
    }

    /// A span of `micros` microseconds.
    pub const fn from_micros(micros: u64) -> Self {
        Self(micros.saturating_mul(1_000))
    }

    /// A span of `millis` milliseconds.
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis.saturating_mul(1_000_000))
    }

    /// A span of `secs` seconds.
    pub const fn from_secs(secs: u64) -> Self {
        Self(secs.saturating_mul(1_000_000_000))
    }

    /// Whole nanoseconds.
    pub const fn as_nanos(self) -> u64 {
        self.0
    }

    /// Seconds as a float, for reports only.
    pub fn as_secs_f64(self) -> f64 {
        self.0 as f64 / 1e9
    }

    /// Milliseconds as a float, for reports only.
    pub fn as_millis_f64(self) -> f64 {
        self.0 as f64 / 1e6
    }

    /// True of the empty span.
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }

    /// `self * numerator / denominator`, rounded down, without intermediate overflow.
    ///
    /// # Panics
    /// If `denominator` is 0.
    pub const fn scale(self, numerator: u64, denominator: u64) -> Self {
        let wide = self.0 as u128 * numerator as u128 / denominator as u128;
        Self(if wide > u64::MAX as u128 {
            u64::MAX
        } else {
            wide as u64
        })
    }

    /// `self - other`, or zero.
    pub const fn saturating_sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

impl Add for SimDuration {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl AddAssign for SimDuration {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl Sub for SimDuration {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        self.saturating_sub(other)
    }
}

impl Mul<u64> for SimDuration {
    type Output = Self;
    fn mul(self, factor: u64) -> Self {
        Self(self.0.saturating_mul(factor))
    }
}

impl Div<u64> for SimDuration {
    type Output = Self;
    fn div(self, divisor: u64) -> Self {
        Self(self.0 / divisor)
    }
}

impl fmt::Display for SimDuration {
    /// The shortest exact form that scenario files also read: `50ms`, `1.5s`, `250us`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (unit, name) = match self.0 {
            0 => return f.write_str("0ms"),
            n if n >= 1_000_000_000 => (1_000_000_000, "s"),
            n if n >= 1_000_000 => (1_000_000, "ms"),
            n if n >= 1_000 => (1_000, "us"),
            _ => (1, "ns"),
        };
        let (whole, rest) = (self.0 / unit, self.0 % unit);
        if rest == 0 {
            return write!(f, "{whole}{name}");
        }
        let digits = unit.ilog10() as usize;
        let fraction = format!("{rest:0digits$}");
        write!(f, "{whole}.{}{name}", fraction.trim_end_matches('0'))
    }
}

impl Fold for SimDuration {
    fn fold(&self, into: &mut Folder) {
        into.u64(self.0);
    }
}

/// What one peer's clock says, in nanoseconds since the run began by that clock.
///
/// Negative where a clock runs behind. Readings of two peers compare only as far as their clocks
/// agree.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    BorshSerialize,
    BorshDeserialize,
)]
pub struct LocalTime(i64);

impl LocalTime {
    /// The clock's reading in nanoseconds.
    pub const fn from_nanos(nanos: i64) -> Self {
        Self(nanos)
    }

    /// Nanoseconds.
    pub const fn as_nanos(self) -> i64 {
        self.0
    }

    /// The span from `earlier` to here; zero if the clock was set back in between.
    pub const fn since(self, earlier: Self) -> SimDuration {
        let span = self.0.saturating_sub(earlier.0);
        SimDuration(if span < 0 { 0 } else { span as u64 })
    }
}

impl Add<SimDuration> for LocalTime {
    type Output = Self;
    fn add(self, span: SimDuration) -> Self {
        Self(
            self.0
                .saturating_add(i64::try_from(span.0).unwrap_or(i64::MAX)),
        )
    }
}

impl Fold for LocalTime {
    fn fold(&self, into: &mut Folder) {
        into.u64(self.0 as u64);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_prints_exactly_in_its_largest_unit() {
        // Exactness matters: what a run writes back must parse to the same nanoseconds.
        let cases = [
            (0, "0ms"),
            (50_000_000, "50ms"),
            (1_500_000_000, "1.5s"),
            (250_000, "250us"),
            (7, "7ns"),
            (1_000_000_001, "1.000000001s"),
        ];
        for (nanos, text) in cases {
            assert_eq!(SimDuration::from_nanos(nanos).to_string(), text);
        }
    }

    #[test]
    fn a_clock_set_back_gives_no_negative_span() {
        let (early, late) = (LocalTime::from_nanos(-5), LocalTime::from_nanos(7));
        assert_eq!(late.since(early), SimDuration::from_nanos(12));
        assert_eq!(early.since(late), SimDuration::ZERO);
    }
}
