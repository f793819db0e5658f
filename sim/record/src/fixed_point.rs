//! Times as exact decimal fractions: integer nanoseconds inside, seconds or milliseconds outside.
//!
//! Must not know what the times mean. A float never stands between the engine's integers and the
//! text of a file, so that equal runs give equal bytes and every nanosecond survives a round trip.

use std::fmt;
use std::str::FromStr;

use serde::de::{self, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A count of nanoseconds that is written as a decimal fraction with `PLACES` decimals.
///
/// Use it through [`Seconds`] and [`Milliseconds`]. Range: 0 to `u64::MAX` nanoseconds, that is
/// about 584 years.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FixedPoint<const PLACES: usize>(u64);

/// Virtual seconds, written with nine decimals: `12.000000001`.
pub type Seconds = FixedPoint<9>;

/// Virtual milliseconds, written with six decimals: `12000.000001`.
pub type Milliseconds = FixedPoint<6>;

/// A text that is not a decimal fraction of the kind [`FixedPoint`] writes.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a decimal number from 0 with at most {places} decimals")]
pub struct FixedPointError {
    text: String,
    places: usize,
}

impl<const PLACES: usize> FixedPoint<PLACES> {
    const ONE: u64 = 10_u64.pow(PLACES as u32);

    /// The time that is `nanos` nanoseconds long (or that long after the start of the run).
    pub const fn from_nanos(nanos: u64) -> Self {
        Self(nanos)
    }

    /// The time in nanoseconds.
    pub const fn as_nanos(self) -> u64 {
        self.0
    }

    /// The nearest float, for plots and statistics; exact below 2^53 nanoseconds (104 days).
    pub fn as_f64(self) -> f64 {
        self.0 as f64 / Self::ONE as f64
    }

    /// The nearest time to a float of this type's unit, or `None` below zero, above the range,
    /// or not a number.
    pub fn from_f64(value: f64) -> Option<Self> {
        let nanos = (value * Self::ONE as f64).round();
        (nanos >= 0.0 && nanos < u64::MAX as f64).then_some(Self(nanos as u64))
    }
}

impl<const PLACES: usize> fmt::Display for FixedPoint<PLACES> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:0PLACES$}", self.0 / Self::ONE, self.0 % Self::ONE)
    }
}

impl<const PLACES: usize> FromStr for FixedPoint<PLACES> {
    type Err = FixedPointError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        parse::<PLACES>(text)
            .map(Self)
            .ok_or_else(|| FixedPointError {
                text: text.to_owned(),
                places: PLACES,
            })
    }
}

fn parse<const PLACES: usize>(text: &str) -> Option<u64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let digits_only = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    if !digits_only(whole) || !digits_only(fraction) || fraction.len() > PLACES {
        return None;
    }
    let padding = 10_u64.pow((PLACES - fraction.len()) as u32);
    let below_one = fraction.parse::<u64>().ok()? * padding;
    whole
        .parse::<u64>()
        .ok()?
        .checked_mul(FixedPoint::<PLACES>::ONE)?
        .checked_add(below_one)
}

impl<const PLACES: usize> Serialize for FixedPoint<PLACES> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de, const PLACES: usize> Deserialize<'de> for FixedPoint<PLACES> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(DecimalText::<PLACES>)
    }
}

struct DecimalText<const PLACES: usize>;

impl<const PLACES: usize> Visitor<'_> for DecimalText<PLACES> {
    type Value = FixedPoint<PLACES>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a decimal number with at most {PLACES} decimals")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Self::Value, E> {
        text.parse().map_err(E::custom)
    }
}

/// `#[serde(with = "number")]`: a JSON number instead of a text.
///
/// For the summary, whose times are numbers by contract. Exact below 104 days.
pub(crate) mod number {
    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serializer};

    use super::FixedPoint;

    pub(crate) fn serialize<S: Serializer, const PLACES: usize>(
        time: &FixedPoint<PLACES>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64(time.as_f64())
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>, const PLACES: usize>(
        deserializer: D,
    ) -> Result<FixedPoint<PLACES>, D::Error> {
        let value = f64::deserialize(deserializer)?;
        FixedPoint::from_f64(value)
            .ok_or_else(|| D::Error::custom(format!("{value} is not a time from 0")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_nanosecond_survives_the_text() {
        // A float would lose the last digit of the largest values; equality shows that none is used.
        for nanos in [
            0,
            1,
            999_999_999,
            1_000_000_000,
            86_400_000_000_001,
            u64::MAX,
        ] {
            let seconds = Seconds::from_nanos(nanos);
            assert_eq!(seconds.to_string().parse(), Ok(seconds));
            let millis = Milliseconds::from_nanos(nanos);
            assert_eq!(millis.to_string().parse(), Ok(millis));
        }
    }

    #[test]
    fn decimals_are_written_out_in_full() {
        // Fixed width is the contract of the CSV columns: text comparison of files is then exact.
        assert_eq!(
            Seconds::from_nanos(12_000_000_001).to_string(),
            "12.000000001"
        );
        assert_eq!(Milliseconds::from_nanos(1_500_000).to_string(), "1.500000");
    }

    #[test]
    fn short_and_whole_decimals_are_read() {
        // People edit CSV files by hand and other tools drop trailing zeros.
        assert_eq!("3".parse(), Ok(Seconds::from_nanos(3_000_000_000)));
        assert_eq!("3.25".parse(), Ok(Seconds::from_nanos(3_250_000_000)));
    }

    #[test]
    fn anything_but_a_decimal_from_zero_is_refused() {
        // Each text breaks one rule: sign, exponent, empty part, too fine, too large, not a number.
        for text in [
            "-1",
            "1e3",
            "1.",
            ".5",
            "",
            "0.0000000001",
            "18446744073.709551616",
            "x",
        ] {
            assert!(text.parse::<Seconds>().is_err(), "{text} was accepted");
        }
    }
}
