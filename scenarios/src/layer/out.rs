//! Canonical TOML text: keys in the order of their description, tables after plain keys.

use std::fmt::Write;

/// The keys of a table, in order.
pub(crate) type Entries = Vec<(String, Out)>;

/// A value on its way to a file.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Out {
    Text(String),
    Integer(i128),
    Real(f64),
    Flag(bool),
    List(Vec<Out>),
    /// Text of several lines, without quotes and backslashes.
    Lines(String),
    /// A table within braces.
    Inline(Entries),
    /// A table under a `[header]` of its own.
    Table(Entries),
    /// A table under each `[[header]]`.
    Tables(Vec<Entries>),
}

impl Out {
    /// A table within braces that has one key.
    pub(crate) fn tagged(name: &str, body: Self) -> Self {
        Self::Inline(vec![(name.to_owned(), body)])
    }

    /// The same value with tables in braces, to stand inside another value.
    pub(crate) fn inlined(self) -> Self {
        match self {
            Self::Table(entries) => Self::Inline(entries),
            Self::Tables(tables) => Self::List(tables.into_iter().map(Self::Inline).collect()),
            Self::Text(_)
            | Self::Lines(_)
            | Self::Integer(_)
            | Self::Real(_)
            | Self::Flag(_)
            | Self::List(_)
            | Self::Inline(_) => self,
        }
    }

    /// True of lists and tables that hold nothing.
    pub(crate) fn is_empty(&self) -> bool {
        match self {
            Self::List(items) => items.is_empty(),
            Self::Inline(entries) | Self::Table(entries) => entries.is_empty(),
            Self::Tables(tables) => tables.is_empty(),
            Self::Text(_) | Self::Lines(_) | Self::Integer(_) | Self::Real(_) | Self::Flag(_) => {
                false
            }
        }
    }

    /// The value as it stands behind an equals sign.
    pub(crate) fn to_text(&self) -> String {
        match self {
            Self::Text(text) => quoted(text),
            Self::Lines(text) => format!("\"\"\"\n{text}\n\"\"\""),
            Self::Integer(number) => number.to_string(),
            Self::Real(number) => format!("{number:?}"),
            Self::Flag(flag) => flag.to_string(),
            Self::List(items) => {
                let items: Vec<String> = items.iter().map(Self::to_text).collect();
                format!("[{}]", items.join(", "))
            }
            Self::Inline(entries) | Self::Table(entries) => {
                let entries: Vec<String> = entries
                    .iter()
                    .map(|(key, value)| format!("{} = {}", key_text(key), value.to_text()))
                    .collect();
                format!("{{ {} }}", entries.join(", "))
            }
            Self::Tables(tables) => Self::Tables(tables.clone()).inlined().to_text(),
        }
    }
}

/// A whole document.
pub(crate) fn document(entries: &Entries) -> String {
    let mut text = String::new();
    table(&mut text, "", entries);
    text
}

fn table(text: &mut String, path: &str, entries: &Entries) {
    for (key, value) in entries {
        if !matches!(value, Out::Table(_) | Out::Tables(_)) {
            let _ = writeln!(text, "{} = {}", key_text(key), value.to_text());
        }
    }
    for (key, value) in entries {
        let path = if path.is_empty() {
            key_text(key)
        } else {
            format!("{path}.{}", key_text(key))
        };
        match value {
            Out::Table(inner) => {
                let _ = writeln!(text, "\n[{path}]");
                table(text, &path, inner);
            }
            Out::Tables(tables) => {
                for inner in tables {
                    let _ = writeln!(text, "\n[[{path}]]");
                    table(text, &path, inner);
                }
            }
            Out::Text(_)
            | Out::Lines(_)
            | Out::Integer(_)
            | Out::Real(_)
            | Out::Flag(_)
            | Out::List(_)
            | Out::Inline(_) => {}
        }
    }
}

fn key_text(key: &str) -> String {
    let bare = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    if !key.is_empty() && key.chars().all(bare) {
        key.to_owned()
    } else {
        quoted(key)
    }
}

fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\t' => quoted.push_str("\\t"),
            c if c.is_control() => {
                let _ = write!(quoted, "\\u{:04X}", u32::from(c));
            }
            c => quoted.push(c),
        }
    }
    quoted + "\""
}
