//! The TOML tree of a scenario, in which every key and value knows where it was written.
//!
//! Must not know what any key means.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// Where something was written: in the file (source 0) or in the n-th `--set` argument.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    pub(crate) source: usize,
    pub(crate) start: usize,
    pub(crate) end: usize,
}

/// A value and its place.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub(crate) place: Place,
    pub(crate) value: Value,
}

/// What TOML can say, but for dates, which no key of ours takes.
#[derive(Clone, Debug)]
pub(crate) enum Value {
    Text(String),
    Integer(i128),
    Real(f64),
    Flag(bool),
    Date,
    List(Vec<Node>),
    Table(Vec<Entry>),
}

/// One key of a table.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) key: String,
    pub(crate) place: Place,
    pub(crate) node: Node,
}

/// A mistake in the TOML itself.
#[derive(Debug, PartialEq)]
pub(crate) struct Malformed {
    pub(crate) place: Place,
    pub(crate) message: String,
}

impl Node {
    /// The value of a key, if this is a table that has it.
    pub(crate) fn get(&self, key: &str) -> Option<&Node> {
        self.entry(key).map(|entry| &entry.node)
    }

    /// A key with its place, if this is a table that has it.
    pub(crate) fn entry(&self, key: &str) -> Option<&Entry> {
        self.entries().iter().find(|entry| entry.key == key)
    }

    /// All keys; none unless this is a table.
    pub(crate) fn entries(&self) -> &[Entry] {
        match &self.value {
            Value::Table(entries) => entries,
            Value::Text(_)
            | Value::Integer(_)
            | Value::Real(_)
            | Value::Flag(_)
            | Value::Date
            | Value::List(_) => &[],
        }
    }

    /// Where a key's value stands, or else the table itself.
    pub(crate) fn place_of(&self, key: &str) -> Place {
        self.get(key).map_or(self.place, |node| node.place)
    }

    /// What kind of value this is, for error messages.
    pub(crate) fn kind(&self) -> &'static str {
        match &self.value {
            Value::Text(_) => "a string",
            Value::Integer(_) => "an integer",
            Value::Real(_) => "a number with a fraction",
            Value::Flag(_) => "true or false",
            Value::Date => "a date",
            Value::List(_) => "a list",
            Value::Table(_) => "a table",
        }
    }
}

/// Parses a whole document.
pub(crate) fn parse(text: &str, source: usize) -> Result<Node, Vec<Malformed>> {
    let (table, errors) = DeTable::parse_recoverable(text);
    let mut grower = Grower {
        source,
        offset: 0,
        malformed: malformed(errors, source, 0),
    };
    let span = table.span();
    let entries = grower.entries(table.into_inner());
    let place = grower.place(span.start..span.start);
    let root = Node {
        place,
        value: Value::Table(entries),
    };
    grower.finish(root)
}

/// Parses one value that stands `offset` bytes into its source.
pub(crate) fn parse_value(
    text: &str,
    source: usize,
    offset: usize,
) -> Result<Node, Vec<Malformed>> {
    let value = DeValue::parse(text).map_err(|error| malformed(vec![error], source, offset))?;
    let mut grower = Grower {
        source,
        offset,
        malformed: Vec::new(),
    };
    let node = grower.node(value);
    grower.finish(node)
}

fn malformed(errors: Vec<toml::de::Error>, source: usize, offset: usize) -> Vec<Malformed> {
    let at = |error: toml::de::Error| {
        let span = error.span().unwrap_or(0..0);
        Malformed {
            place: Place {
                source,
                start: offset + span.start,
                end: offset + span.end,
            },
            message: error.message().to_owned(),
        }
    };
    let mut all: Vec<Malformed> = errors.into_iter().map(at).collect();
    all.dedup();
    all
}

struct Grower {
    source: usize,
    offset: usize,
    malformed: Vec<Malformed>,
}

impl Grower {
    fn finish(self, node: Node) -> Result<Node, Vec<Malformed>> {
        if self.malformed.is_empty() {
            Ok(node)
        } else {
            Err(self.malformed)
        }
    }

    fn place(&self, span: std::ops::Range<usize>) -> Place {
        Place {
            source: self.source,
            start: self.offset + span.start,
            end: self.offset + span.end,
        }
    }

    fn entries(&mut self, table: DeTable<'_>) -> Vec<Entry> {
        let mut entries: Vec<Entry> = table
            .into_iter()
            .map(|(key, value)| Entry {
                place: self.place(key.span()),
                key: key.into_inner().into_owned(),
                node: self.node(value),
            })
            .collect();
        entries.sort_by_key(|entry| entry.place);
        entries
    }

    fn node(&mut self, spanned: Spanned<DeValue<'_>>) -> Node {
        let place = self.place(spanned.span());
        let value = match spanned.into_inner() {
            DeValue::String(text) => Value::Text(text.into_owned()),
            DeValue::Integer(digits) => {
                match i128::from_str_radix(digits.as_str(), digits.radix()) {
                    Ok(number) => Value::Integer(number),
                    Err(_) => self.refuse(place, "this integer is too large"),
                }
            }
            DeValue::Float(digits) => match digits.as_str().parse() {
                Ok(number) => Value::Real(number),
                Err(_) => self.refuse(place, "this number cannot be read"),
            },
            DeValue::Boolean(flag) => Value::Flag(flag),
            DeValue::Datetime(_) => Value::Date,
            DeValue::Array(items) => {
                Value::List(items.into_iter().map(|item| self.node(item)).collect())
            }
            DeValue::Table(table) => Value::Table(self.entries(table)),
        };
        Node { place, value }
    }

    fn refuse(&mut self, place: Place, message: &str) -> Value {
        self.malformed.push(Malformed {
            place,
            message: message.to_owned(),
        });
        Value::Integer(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_and_value_knows_where_it_was_written() {
        // Slicing the text at the places must give back exactly what stands there.
        let text = "a = 1\n[b]\nlong = { c = \"x\" }\n";
        let root = parse(text, 0).expect("well-formed");
        let long = root.get("b").and_then(|b| b.entry("long")).expect("there");
        assert_eq!(&text[long.place.start..long.place.end], "long");
        let c = long.node.get("c").expect("there");
        assert_eq!(&text[c.place.start..c.place.end], "\"x\"");
    }

    #[test]
    fn all_syntax_errors_are_reported_at_once() {
        let errors = parse("a = \nb = ]\nc = 1\nc = 2\n", 0).expect_err("malformed");
        assert!(errors.len() >= 3, "{errors:?}");
    }
}
