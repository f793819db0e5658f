//! Text, flags, numbers within bounds, and words.

use std::ops::RangeInclusive;

use super::shape::Alternative;
use super::{Out, Reader, Shape, Type, World};
use crate::tree::{Node, Value};

/// An integer type of a field.
pub(crate) trait Whole: Copy + TryFrom<i128> {
    fn widen(self) -> i128;
}

macro_rules! whole {
    ($($int:ty),*) => {
        $(impl Whole for $int {
            fn widen(self) -> i128 {
                self as i128
            }
        })*
    };
}
whole!(u8, u16, u32, u64, usize, i64);

/// A whole number within bounds.
pub(crate) struct Count<N> {
    min: N,
    max: N,
}

/// A whole number within bounds.
pub(crate) fn count<N: Whole>(range: RangeInclusive<N>) -> Count<N> {
    let (min, max) = range.into_inner();
    Count { min, max }
}

impl<N: Whole> Shape<N> for Count<N> {
    fn read(&self, node: &Node, reader: &mut Reader<'_>) -> Option<N> {
        let Value::Integer(number) = &node.value else {
            reader.refuse_kind(node, "a whole number");
            return None;
        };
        let (min, max) = (self.min.widen(), self.max.widen());
        if (min..=max).contains(number) {
            return N::try_from(*number).ok();
        }
        let right = if *number < min {
            format!("must be at least {min}")
        } else {
            format!("must be at most {max}")
        };
        reader.refuse(node.place, format!("{number} is out of range"), right);
        None
    }

    fn write(&self, value: &N, _: &World) -> Option<Out> {
        Some(Out::Integer(value.widen()))
    }

    fn describe(&self) -> Type {
        Type::Integer {
            min: self.min.widen(),
            max: self.max.widen(),
        }
    }
}

/// A number within bounds.
pub(crate) struct Real {
    min: f64,
    max: f64,
}

/// A finite number within bounds.
pub(crate) fn real(range: RangeInclusive<f64>) -> Real {
    let (min, max) = range.into_inner();
    Real { min, max }
}

/// The number a value states, whole or not.
pub(crate) fn number(node: &Node) -> Option<f64> {
    match node.value {
        Value::Integer(number) => Some(number as f64),
        Value::Real(number) => Some(number),
        Value::Text(_) | Value::Flag(_) | Value::Date | Value::List(_) | Value::Table(_) => None,
    }
}

impl Shape<f64> for Real {
    fn read(&self, node: &Node, reader: &mut Reader<'_>) -> Option<f64> {
        let Some(number) = number(node) else {
            reader.refuse_kind(node, "a number");
            return None;
        };
        if number.is_finite() && (self.min..=self.max).contains(&number) {
            return Some(number);
        }
        let right = format!("must be from {:?} to {:?}", self.min, self.max);
        reader.refuse(node.place, format!("{number} is out of range"), right);
        None
    }

    fn write(&self, value: &f64, _: &World) -> Option<Out> {
        Some(Out::Real(*value))
    }

    fn describe(&self) -> Type {
        Type::Number {
            min: self.min,
            max: self.max,
        }
    }
}

/// True or false.
pub(crate) struct Flag;

impl Shape<bool> for Flag {
    fn read(&self, node: &Node, reader: &mut Reader<'_>) -> Option<bool> {
        if let Value::Flag(flag) = node.value {
            return Some(flag);
        }
        reader.refuse_kind(node, "true or false");
        None
    }

    fn write(&self, value: &bool, _: &World) -> Option<Out> {
        Some(Out::Flag(*value))
    }

    fn describe(&self) -> Type {
        Type::Flag
    }
}

/// Text of which nothing more is said than which characters it may hold.
pub(crate) struct Text {
    what: &'static str,
    pattern: &'static str,
    allowed: fn(&str) -> bool,
}

/// Any text; an empty one is the default of a key that may be left out.
pub(crate) fn text() -> Text {
    Text {
        what: "text",
        pattern: "",
        allowed: |_| true,
    }
}

/// A name: lower case letters, digits, dashes, dots and slashes.
pub(crate) fn path_name() -> Text {
    Text {
        what: "name",
        pattern: "^[a-z0-9]([a-z0-9._/-]*[a-z0-9])?$",
        allowed: |text| {
            let inner = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
            text.starts_with(inner)
                && text.ends_with(inner)
                && text.chars().all(|c| inner(c) || "._/-".contains(c))
                && !text.contains("..")
                && !text.contains("//")
        },
    }
}

/// A name of letters, digits, dashes, underscores and slashes, such as `acme` or `raft/log-matching`.
pub(crate) fn name() -> Text {
    Text {
        what: "name",
        pattern: "^[A-Za-z0-9][A-Za-z0-9_./-]*$",
        allowed: |text| {
            text.starts_with(|c: char| c.is_ascii_alphanumeric())
                && text
                    .chars()
                    .all(|c| c.is_ascii_alphanumeric() || "_./-".contains(c))
        },
    }
}

impl Shape<String> for Text {
    fn read(&self, node: &Node, reader: &mut Reader<'_>) -> Option<String> {
        let Value::Text(text) = &node.value else {
            reader.refuse_kind(node, "a string");
            return None;
        };
        if (self.allowed)(text) {
            return Some(text.clone());
        }
        let right = format!("must match {}", self.pattern);
        reader.refuse(node.place, format!("`{text}` is no {}", self.what), right);
        None
    }

    fn write(&self, value: &String, _: &World) -> Option<Out> {
        (!value.is_empty()).then(|| Out::Text(value.clone()))
    }

    fn describe(&self) -> Type {
        Type::Text {
            what: self.what,
            pattern: self.pattern,
        }
    }
}

/// One of some words.
pub(crate) struct Words<T: 'static> {
    words: &'static [(&'static str, &'static str, T)],
}

/// One of some words, each with what it means and the value it stands for.
pub(crate) const fn words<T>(words: &'static [(&'static str, &'static str, T)]) -> Words<T> {
    Words { words }
}

impl<T: Clone + PartialEq> Shape<T> for Words<T> {
    fn read(&self, node: &Node, reader: &mut Reader<'_>) -> Option<T> {
        let Value::Text(text) = &node.value else {
            reader.refuse_kind(node, "a word in quotes");
            return None;
        };
        if let Some((_, _, value)) = self.words.iter().find(|(name, _, _)| name == text) {
            return Some(value.clone());
        }
        let names: Vec<&str> = self.words.iter().map(|&(name, _, _)| name).collect();
        reader.refuse_name(node.place, format!("unknown word `{text}`"), (text, &names));
        None
    }

    fn write(&self, value: &T, _: &World) -> Option<Out> {
        let (name, _, _) = self.words.iter().find(|(_, _, known)| known == value)?;
        Some(Out::Text((*name).to_owned()))
    }

    fn describe(&self) -> Type {
        let alternative =
            |&(name, about, _): &(&'static str, &'static str, T)| Alternative { name, about };
        Type::Words(self.words.iter().map(alternative).collect())
    }
}
