//! Values and keys of a history: small, ordered, printable in EDN.
//!
//! Must not know models, formats of files or the search.

use std::fmt;

/// What a register holds, a call carries, or a key is.
///
/// Atoms of other notations (keywords, symbols, decimals) are kept as
/// [`Value::Text`] in the way they are written; a judge only ever compares
/// them for equality.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Value {
    /// Nothing was ever written, `nil` or `null`.
    #[default]
    Nil,
    /// `true` or `false`.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A text, or an atom kept as it was written.
    Text(String),
    /// A vector of values, as list appends leave behind.
    List(Vec<Value>),
}

impl Value {
    /// This value with `piece` appended.
    ///
    /// Texts are concatenated and lists grow by one element. Nothing plus a
    /// text is that text, nothing plus anything else a list of one; any other
    /// pair becomes a list of the two, so that appending is total.
    pub fn appended(&self, piece: &Value) -> Value {
        match (self, piece) {
            (Value::Nil, Value::Text(text)) => Value::Text(text.clone()),
            (Value::Nil, other) => Value::List(vec![other.clone()]),
            (Value::Text(text), Value::Text(more)) => Value::Text(format!("{text}{more}")),
            (Value::List(items), other) => {
                let mut items = items.clone();
                items.push(other.clone());
                Value::List(items)
            }
            (Value::Bool(_) | Value::Int(_) | Value::Text(_), other) => {
                Value::List(vec![self.clone(), other.clone()])
            }
        }
    }

    /// Whether appending can turn this value into `goal`, possibly by
    /// appending nothing.
    pub(super) fn leads_to(&self, goal: &Value) -> bool {
        match (self, goal) {
            (Value::Nil, _) => true,
            (Value::Text(text), Value::Text(goal)) => goal.starts_with(text.as_str()),
            (Value::Text(_), Value::List(items)) => {
                items.first().is_some_and(|first| self.leads_to(first))
            }
            (Value::List(items), Value::List(goal)) => goal.starts_with(items),
            (Value::Bool(_) | Value::Int(_), Value::List(items)) => {
                self == goal || items.first() == Some(self)
            }
            (Value::Bool(_) | Value::Int(_), _) => self == goal,
            (Value::Text(_) | Value::List(_), _) => false,
        }
    }

    /// Whether appending `piece` and then perhaps more can turn this value
    /// into `goal`.
    pub(super) fn leads_to_with(&self, piece: &Value, goal: &Value) -> bool {
        match (self, piece, goal) {
            (Value::Text(text), Value::Text(piece), Value::Text(goal)) => {
                let rest = goal.strip_prefix(text.as_str());
                rest.is_some_and(|rest| rest.starts_with(piece.as_str()))
            }
            _ => self.appended(piece).leads_to(goal),
        }
    }

    /// Whether appending `piece` to something can have made this value.
    pub(super) fn can_end_with(&self, piece: &Value) -> bool {
        match (self, piece) {
            (Value::Text(text), Value::Text(piece)) => text.ends_with(piece.as_str()),
            (Value::List(items), piece) => items.last() == Some(piece),
            (Value::Nil | Value::Bool(_) | Value::Int(_) | Value::Text(_), _) => false,
        }
    }

    /// Rough size in bytes, by which copies are charged to a budget.
    pub(super) fn weight(&self) -> usize {
        match self {
            Value::Nil | Value::Bool(_) | Value::Int(_) => 1,
            Value::Text(text) => text.len(),
            Value::List(items) => items.len() + items.iter().map(Value::weight).sum::<usize>(),
        }
    }

    /// Whether it is no list: the only values that may be keys.
    pub fn is_scalar(&self) -> bool {
        !matches!(self, Value::List(_))
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Value::Int(number)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Value::Text(text.to_owned())
    }
}

/// Prints the value as EDN.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Nil => f.write_str("nil"),
            Value::Bool(truth) => write!(f, "{truth}"),
            Value::Int(number) => write!(f, "{number}"),
            Value::Text(text) => write_quoted(f, text),
            Value::List(items) => {
                f.write_str("[")?;
                for (position, item) in items.iter().enumerate() {
                    let gap = if position == 0 { "" } else { " " };
                    write!(f, "{gap}{item}")?;
                }
                f.write_str("]")
            }
        }
    }
}

/// Writes an EDN string literal; EDN readers know these escapes and `\u`.
fn write_quoted(f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    f.write_str("\"")?;
    for character in text.chars() {
        match character {
            '"' => f.write_str("\\\"")?,
            '\\' => f.write_str("\\\\")?,
            '\n' => f.write_str("\\n")?,
            '\r' => f.write_str("\\r")?,
            '\t' => f.write_str("\\t")?,
            other if (other as u32) < 0x20 => write!(f, "\\u{:04x}", other as u32)?,
            other => write!(f, "{other}")?,
        }
    }
    f.write_str("\"")
}
