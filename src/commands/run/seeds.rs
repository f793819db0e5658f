//! A range of seeds, as it is written on the command line.

use std::fmt;
use std::str::FromStr;

/// Consecutive seeds; at least one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Seeds {
    first: u64,
    last: u64,
}

impl Seeds {
    /// `count` seeds from `first` on; none if there are not as many.
    pub(crate) fn starting_at(first: u64, count: u64) -> Option<Self> {
        let last = first.checked_add(count.checked_sub(1)?)?;
        Some(Self { first, last })
    }

    /// The least seed.
    pub(crate) fn first(self) -> u64 {
        self.first
    }

    /// The greatest seed.
    pub(crate) fn last(self) -> u64 {
        self.last
    }

    /// How many there are; the greatest number for all seeds there can be.
    pub(crate) fn count(self) -> u64 {
        (self.last - self.first).saturating_add(1)
    }
}

impl FromStr for Seeds {
    type Err = NoSeeds;

    fn from_str(text: &str) -> Result<Self, NoSeeds> {
        let (first, rest) = text.split_once("..").ok_or(NoSeeds::Shape)?;
        let number = |text: &str| text.trim().parse::<u64>().map_err(|_| NoSeeds::Shape);
        let first = number(first)?;
        let last = match rest.strip_prefix('=') {
            Some(last) => Some(number(last)?),
            None => number(rest)?.checked_sub(1),
        };
        let last = last.filter(|&last| first <= last).ok_or(NoSeeds::Empty)?;
        Ok(Self { first, last })
    }
}

impl fmt::Display for Seeds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}..={}", self.first, self.last)
    }
}

/// Why a text names no seeds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NoSeeds {
    /// It is no range.
    Shape,
    /// The range holds nothing.
    Empty,
}

impl fmt::Display for NoSeeds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Shape => "expected a range of seeds such as 1..100 or 1..=100",
            Self::Empty => "the range is empty: the second seed of A..B is left out, of A..=B not",
        })
    }
}

impl std::error::Error for NoSeeds {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_mean_what_they_mean_in_rust() {
        // B is left out of A..B and is part of A..=B; both ends of u64 must not overflow.
        let read = |text: &str| {
            text.parse::<Seeds>()
                .map(|s| (s.first(), s.last(), s.count()))
        };
        assert_eq!(read("1..4"), Ok((1, 3, 3)));
        assert_eq!(read("1..=4"), Ok((1, 4, 4)));
        assert_eq!(read("0..=0"), Ok((0, 0, 1)));
        assert_eq!(
            read(&format!("0..={}", u64::MAX)),
            Ok((0, u64::MAX, u64::MAX))
        );
        for empty in ["4..4", "5..4", "0..0", "5..=4"] {
            assert_eq!(read(empty), Err(NoSeeds::Empty), "{empty}");
        }
        for shapeless in [
            "", "..", "1..", "..4", "1-4", "a..b", "-1..4", "1...4", "1..==4",
        ] {
            assert_eq!(read(shapeless), Err(NoSeeds::Shape), "{shapeless}");
        }
    }

    #[test]
    fn seeds_of_a_scenario_end_where_numbers_end() {
        // A scenario may put its seed so high that `runs` more do not exist.
        assert_eq!(Seeds::starting_at(7, 3), "7..10".parse().ok());
        assert_eq!(Seeds::starting_at(7, 0), None);
        assert_eq!(Seeds::starting_at(u64::MAX, 2), None);
    }
}
