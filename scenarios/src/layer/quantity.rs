//! Quantities with units: spans of time, probabilities, sizes, capacities and rates.

use fedsim_protocols::{Probability, SimDuration};

use super::scalar::number;
use super::{Out, Reader, Shape, Type, World};
use crate::spec::Rate;
use crate::tree::{Node, Value};

const TIME_UNITS: [(&str, u128); 6] = [
    ("ns", 1),
    ("us", 1_000),
    ("ms", 1_000_000),
    ("s", 1_000_000_000),
    ("m", 60_000_000_000),
    ("h", 3_600_000_000_000),
];

const SIZE_UNITS: [(&str, u128); 7] = [
    ("B", 1),
    ("kB", 1_000),
    ("MB", 1_000_000),
    ("GB", 1_000_000_000),
    ("KiB", 1 << 10),
    ("MiB", 1 << 20),
    ("GiB", 1 << 30),
];

const BIT_UNITS: [(&str, u128); 4] = [
    ("bit/s", 1),
    ("kbit/s", 1_000),
    ("Mbit/s", 1_000_000),
    ("Gbit/s", 1_000_000_000),
];

/// A decimal number with a unit, exactly, in the smallest unit.
fn exact(text: &str, units: &[(&str, u128)]) -> Result<u64, String> {
    let names = || {
        units
            .iter()
            .map(|&(name, _)| name)
            .collect::<Vec<_>>()
            .join(", ")
    };
    let split = text.find(|c: char| !c.is_ascii_digit() && c != '.');
    let (digits, unit) = text.split_at(split.unwrap_or(text.len()));
    if digits.is_empty() {
        return Err(format!("`{text}` does not begin with a number"));
    }
    let unit = unit.trim_start();
    let Some(&(_, factor)) = units.iter().find(|(name, _)| *name == unit) else {
        return Err(if unit.is_empty() {
            format!("`{text}` has no unit: one of {}", names())
        } else {
            format!("unknown unit `{unit}`: one of {}", names())
        });
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let too_large = || format!("`{text}` is too large");
    let whole: u128 = match whole {
        "" => 0,
        whole => whole.parse().map_err(|_| too_large())?,
    };
    let below = fraction_of(fraction, factor)
        .ok_or_else(|| format!("`{text}` is finer than the smallest unit, {}", units[0].0))?;
    let total = whole
        .checked_mul(factor)
        .and_then(|large| large.checked_add(below));
    total
        .and_then(|total| u64::try_from(total).ok())
        .ok_or_else(too_large)
}

/// `0.fraction * factor`, if that is a whole number.
fn fraction_of(fraction: &str, factor: u128) -> Option<u128> {
    let digits = fraction.trim_end_matches('0');
    if digits.is_empty() {
        return Some(0);
    }
    let scale = 10_u128.checked_pow(u32::try_from(digits.len()).ok()?)?;
    let product = digits.parse::<u128>().ok()?.checked_mul(factor)?;
    (product % scale == 0).then(|| product / scale)
}

/// A quantity written as a string.
pub(crate) struct Quantity<T> {
    name: &'static str,
    about: &'static str,
    example: &'static str,
    pattern: &'static str,
    parse: fn(&str) -> Result<T, String>,
    print: fn(&T) -> String,
    allowed: fn(&T) -> bool,
    must: &'static str,
}

impl<T> Quantity<T> {
    /// The same quantity with a condition.
    pub(crate) fn that(mut self, allowed: fn(&T) -> bool, must: &'static str) -> Self {
        (self.allowed, self.must) = (allowed, must);
        self
    }

    /// The value a text stands for, or why it stands for none.
    pub(crate) fn value_of(&self, text: &str) -> Result<T, String> {
        let value = (self.parse)(text)?;
        if (self.allowed)(&value) {
            Ok(value)
        } else {
            Err(format!("`{text}` is out of range: {}", self.must))
        }
    }
}

impl<T> Shape<T> for Quantity<T> {
    fn read(&self, node: &Node, reader: &mut Reader<'_>) -> Option<T> {
        let Value::Text(text) = &node.value else {
            reader.refuse_kind(node, &format!("a {} such as {}", self.name, self.example));
            return None;
        };
        match (self.parse)(text) {
            Ok(value) if (self.allowed)(&value) => return Some(value),
            Ok(_) => reader.refuse(node.place, format!("`{text}` is out of range"), self.must),
            Err(why) => {
                let right = format!("a {} such as {}", self.name, self.example);
                reader.refuse(node.place, why, right);
            }
        }
        None
    }

    fn write(&self, value: &T, _: &World) -> Option<Out> {
        Some(Out::Text((self.print)(value)))
    }

    fn describe(&self) -> Type {
        let text = Type::Text {
            what: self.name,
            pattern: self.pattern,
        };
        text.named(self.name, self.about)
    }
}

/// A span of time, zero included.
pub(crate) fn duration() -> Quantity<SimDuration> {
    Quantity {
        name: "duration",
        about: "A span of virtual time: a decimal number and one of `ns`, `us`, `ms`, `s`, `m`, \
                `h`, exact to the nanosecond. `\"50ms\"`, `\"1.5s\"`.",
        example: "\"50ms\"",
        pattern: r"^[0-9]*\.?[0-9]+ ?(ns|us|ms|s|m|h)$",
        parse: |text| exact(text, &TIME_UNITS).map(SimDuration::from_nanos),
        print: SimDuration::to_string,
        allowed: |_| true,
        must: "",
    }
}

/// A span of time longer than none.
pub(crate) fn positive_duration() -> Quantity<SimDuration> {
    duration().that(|span| !span.is_zero(), "must be longer than zero")
}

/// Nanoseconds forward or back.
pub(crate) fn signed_duration() -> Quantity<i64> {
    Quantity {
        name: "signed duration",
        about: "A duration with an optional sign; negative is behind or back. `\"-20ms\"`.",
        example: "\"-20ms\"",
        pattern: r"^[+-]?[0-9]*\.?[0-9]+ ?(ns|us|ms|s|m|h)$",
        parse: |text| {
            let (sign, rest) = match text.strip_prefix('-') {
                Some(rest) => (-1, rest),
                None => (1, text.strip_prefix('+').unwrap_or(text)),
            };
            let nanos = exact(rest, &TIME_UNITS)?;
            let nanos = i64::try_from(nanos).map_err(|_| format!("`{text}` is too large"))?;
            Ok(sign * nanos)
        },
        print: |nanos| {
            let span = SimDuration::from_nanos(nanos.unsigned_abs());
            format!("{}{span}", if *nanos < 0 { "-" } else { "" })
        },
        allowed: |_| true,
        must: "",
    }
}

/// Bytes.
pub(crate) fn size() -> Quantity<u64> {
    Quantity {
        name: "size",
        about: "An amount of bytes: a number and one of `B`, `kB`, `MB`, `GB`, `KiB`, `MiB`, \
                `GiB`. `\"1MiB\"`.",
        example: "\"1MiB\"",
        pattern: r"^[0-9]*\.?[0-9]+ ?(B|kB|MB|GB|KiB|MiB|GiB)$",
        parse: |text| exact(text, &SIZE_UNITS),
        print: |&bytes| print_size(bytes),
        allowed: |_| true,
        must: "",
    }
}

fn print_size(bytes: u64) -> String {
    let fits = |&&(_, factor): &&(&str, u128)| bytes > 0 && u128::from(bytes) % factor == 0;
    let (name, factor) = SIZE_UNITS
        .iter()
        .filter(fits)
        .max_by_key(|&&(_, factor)| factor)
        .unwrap_or(&SIZE_UNITS[0]);
    format!("{}{name}", u128::from(bytes) / factor)
}

/// Bytes a second, written in bits a second.
pub(crate) fn capacity() -> Quantity<u64> {
    Quantity {
        name: "capacity",
        about: "What a link carries: a number and one of `bit/s`, `kbit/s`, `Mbit/s`, `Gbit/s`, \
                at least 8 bit/s and whole bytes. `\"10Mbit/s\"`.",
        example: "\"10Mbit/s\"",
        pattern: r"^[0-9]*\.?[0-9]+ ?[kMG]?bit/s$",
        parse: |text| {
            let bits = exact(text, &BIT_UNITS)?;
            if bits % 8 == 0 {
                Ok(bits / 8)
            } else {
                Err(format!("`{text}` is not a whole number of bytes a second"))
            }
        },
        print: |&bytes| print_capacity(bytes),
        allowed: |&bytes| bytes > 0,
        must: "must be at least 8bit/s",
    }
}

fn print_capacity(bytes: u64) -> String {
    let bits = u128::from(bytes) * 8;
    let (name, factor) = BIT_UNITS
        .iter()
        .rev()
        .find(|&&(_, factor)| bits % factor == 0)
        .unwrap_or(&BIT_UNITS[0]);
    format!("{}{name}", bits / factor)
}

/// So many in a span of time.
pub(crate) fn rate() -> Quantity<Rate> {
    Quantity {
        name: "rate",
        about: "How often something happens: a number, a slash, and a unit or a span of time. \
                `\"20/s\"`, `\"90/m\"`, `\"1/2.5s\"`.",
        example: "\"20/s\"",
        pattern: r"^[0-9]+/[0-9]*\.?[0-9]*(ns|us|ms|s|m|h)$",
        parse: parse_rate,
        print: |rate| match rate.per {
            per if per == SimDuration::from_secs(1) => format!("{}/s", rate.events),
            per => format!("{}/{per}", rate.events),
        },
        allowed: |rate| rate.events > 0 && !rate.per.is_zero(),
        must: "must be more than zero",
    }
}

fn parse_rate(text: &str) -> Result<Rate, String> {
    let (events, per) = text
        .split_once('/')
        .ok_or_else(|| format!("`{text}` has no slash"))?;
    let events = events
        .trim()
        .parse()
        .map_err(|_| format!("`{events}` is not a whole number; for slow rates write `1/2s`"))?;
    let per = match per.trim() {
        unit if unit.starts_with(|c: char| c.is_ascii_digit()) => exact(unit, &TIME_UNITS)?,
        unit => exact(&format!("1{unit}"), &TIME_UNITS)?,
    };
    Ok(Rate {
        events,
        per: SimDuration::from_nanos(per),
    })
}

/// A probability.
pub(crate) struct Chance;

impl Shape<Probability> for Chance {
    fn read(&self, node: &Node, reader: &mut Reader<'_>) -> Option<Probability> {
        let value = match &node.value {
            Value::Text(text) => text
                .strip_suffix('%')
                .and_then(|percent| percent.trim().parse::<f64>().ok())
                .map(|percent| percent / 100.0),
            Value::Integer(_) | Value::Real(_) => number(node),
            Value::Flag(_) | Value::Date | Value::List(_) | Value::Table(_) => None,
        };
        let Some(value) = value else {
            reader.refuse_kind(node, "a probability such as 0.05 or \"5%\"");
            return None;
        };
        let chance = Probability::from_f64(value);
        if chance.is_none() {
            let right = "must be from 0 to 1, or from \"0%\" to \"100%\"";
            reader.refuse(node.place, "this is no probability", right);
        }
        chance
    }

    fn write(&self, value: &Probability, _: &World) -> Option<Out> {
        Some(Out::Real(shortest(*value)))
    }

    fn describe(&self) -> Type {
        let percent = Type::Text {
            what: "percentage",
            pattern: r"^[0-9]*\.?[0-9]+ ?%$",
        };
        let ratio = Type::Number { min: 0.0, max: 1.0 };
        Type::Either(vec![ratio, percent]).named(
            "probability",
            "A number from 0 to 1, or a percentage in quotes. `0.05`, `\"5%\"`.",
        )
    }
}

/// The decimal number with the fewest digits that stands for this probability.
fn shortest(chance: Probability) -> f64 {
    let exact = chance.as_f64();
    (0..17)
        .filter_map(|digits| format!("{exact:.digits$}").parse().ok())
        .find(|&short| Probability::from_f64(short) == Some(chance))
        .unwrap_or(exact)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_exact_or_refused() {
        // A float in between would turn 0.1s into something else; a finer digit would be lost.
        let cases = [
            ("50ms", Some(50_000_000)),
            ("1.5s", Some(1_500_000_000)),
            ("0.1s", Some(100_000_000)),
            (".5us", Some(500)),
            ("2 m", Some(120_000_000_000)),
            ("1h", Some(3_600_000_000_000)),
            ("0.5ns", None),
            ("5", None),
            ("ms", None),
            ("-5ms", None),
            ("1.2.3s", None),
            ("99999999999h", None),
            ("5 parsecs", None),
        ];
        for (text, nanos) in cases {
            assert_eq!(exact(text, &TIME_UNITS).ok(), nanos, "{text}");
        }
    }

    #[test]
    fn probabilities_are_written_with_the_digits_they_were_read_with() {
        for decimal in [0.0, 1.0, 0.05, 0.1, 0.3, 0.999, 1e-9, 0.123_456_789] {
            let chance = Probability::from_f64(decimal).expect("in range");
            assert_eq!(shortest(chance), decimal);
        }
    }

    #[test]
    fn sizes_capacities_and_rates_read_back_what_they_print() {
        for bytes in [0, 1, 1_000, 1_024, 1_536, 1_048_576, 1_000_000_007] {
            assert_eq!(exact(&print_size(bytes), &SIZE_UNITS), Ok(bytes));
        }
        for bytes in [1, 125, 1_250_000, 7] {
            assert_eq!((capacity().parse)(&print_capacity(bytes)), Ok(bytes));
        }
        for text in ["20/s", "1/2.5s", "90/60s"] {
            let read = parse_rate(text).expect("a rate");
            assert_eq!((rate().print)(&read).replace("1m", "60s"), text);
        }
    }
}
