//! Alternatives: a word, or a table with exactly one key that says which.

use super::out::Entries;
use super::section::{Lens, Part};
use super::shape::{Alternative, KeyDoc, TableDoc};
use super::{Out, Reader, Shape, Type, World};
use crate::problem::suggestion;
use crate::tree::{Node, Value};

/// What a value of one alternative holds, and nothing of any other: `only!(Cut::Sides(s) => s)`.
macro_rules! only {
    ($pattern:pat => $body:expr) => {
        |value| {
            if let $pattern = value {
                Some($body)
            } else {
                None
            }
        }
    };
}
pub(crate) use only;

/// One alternative that has a body.
trait Case<T> {
    fn read(&self, node: &Node, reader: &mut Reader<'_>) -> Option<T>;
    fn write(&self, value: &T, world: &World) -> Option<Out>;
    fn describe(&self) -> Type;
}

struct Body<T, V, S> {
    shape: S,
    wrap: fn(V) -> T,
    unwrap: fn(&T) -> Option<V>,
}

impl<T, V, S: Shape<V>> Case<T> for Body<T, V, S> {
    fn read(&self, node: &Node, reader: &mut Reader<'_>) -> Option<T> {
        self.shape.read(node, reader).map(self.wrap)
    }

    fn write(&self, value: &T, world: &World) -> Option<Out> {
        let body = (self.unwrap)(value)?;
        self.shape.write(&body, world).map(Out::inlined)
    }

    fn describe(&self) -> Type {
        self.shape.describe()
    }
}

/// A value that is one of several alternatives.
pub(crate) struct Tagged<T> {
    words: Vec<(Alternative, T)>,
    cases: Vec<(Alternative, Box<dyn Case<T>>)>,
    named: Option<(&'static str, &'static str)>,
}

impl<T: Clone + PartialEq + 'static> Tagged<T> {
    /// No alternatives yet.
    pub(crate) fn new() -> Self {
        Self {
            words: Vec::new(),
            cases: Vec::new(),
            named: None,
        }
    }

    /// Explains the type once, under a name.
    pub(crate) fn named(mut self, name: &'static str, about: &'static str) -> Self {
        self.named = Some((name, about));
        self
    }

    /// Adds an alternative without a body, written as a word.
    pub(crate) fn word(mut self, name: &'static str, value: T, about: &'static str) -> Self {
        self.words.push((Alternative { name, about }, value));
        self
    }

    /// Adds an alternative with a body, written as `{ name = body }`.
    pub(crate) fn case<V: 'static>(
        mut self,
        name: &'static str,
        shape: impl Shape<V> + 'static,
        wrap: fn(V) -> T,
        unwrap: fn(&T) -> Option<V>,
        about: &'static str,
    ) -> Self {
        let body = Body {
            shape,
            wrap,
            unwrap,
        };
        self.cases
            .push((Alternative { name, about }, Box::new(body)));
        self
    }

    fn names(&self) -> Vec<&'static str> {
        let words = self.words.iter().map(|(word, _)| word.name);
        words
            .chain(self.cases.iter().map(|(case, _)| case.name))
            .collect()
    }

    fn read_word(&self, text: &str, node: &Node, reader: &mut Reader<'_>) -> Option<T> {
        if let Some((_, value)) = self.words.iter().find(|(word, _)| word.name == text) {
            return Some(value.clone());
        }
        if self.cases.iter().any(|(case, _)| case.name == text) {
            let right = format!("write {{ {text} = ... }}");
            reader.refuse(node.place, format!("`{text}` needs a value"), right);
        } else {
            let message = format!("unknown alternative `{text}`");
            reader.refuse_name(node.place, message, (text, &self.names()));
        }
        None
    }

    fn read_table(&self, node: &Node, reader: &mut Reader<'_>) -> Option<T> {
        let [entry] = node.entries() else {
            let names = self.names().join(", ");
            let right = format!("exactly one of {names}");
            let found = node.entries().len();
            let message = format!("expected one alternative, found {found}");
            reader.refuse(node.place, message, right);
            return None;
        };
        let case = self.cases.iter().find(|(case, _)| case.name == entry.key);
        if let Some((_, case)) = case {
            return case.read(&entry.node, reader);
        }
        if self.words.iter().any(|(word, _)| word.name == entry.key) {
            let right = format!("write it as a word: \"{}\"", entry.key);
            reader.refuse(
                entry.place,
                format!("`{}` takes no value", entry.key),
                right,
            );
        } else {
            let message = format!("unknown alternative `{}`", entry.key);
            reader.refuse_name(entry.place, message, (&entry.key, &self.names()));
        }
        None
    }

    fn written(&self, value: &T, world: &World) -> Option<(&'static str, Out)> {
        self.cases
            .iter()
            .find_map(|(case, body)| Some((case.name, body.write(value, world)?)))
    }
}

impl<T: Clone + PartialEq + 'static> Shape<T> for Tagged<T> {
    fn read(&self, node: &Node, reader: &mut Reader<'_>) -> Option<T> {
        match &node.value {
            Value::Text(text) => self.read_word(text, node, reader),
            Value::Table(_) => self.read_table(node, reader),
            Value::Integer(_) | Value::Real(_) | Value::Flag(_) | Value::Date | Value::List(_) => {
                let names = self.names().join(", ");
                reader.refuse_kind(node, &format!("one of {names}"));
                None
            }
        }
    }

    fn write(&self, value: &T, world: &World) -> Option<Out> {
        if let Some((word, _)) = self.words.iter().find(|(_, known)| known == value) {
            return Some(Out::Text(word.name.to_owned()));
        }
        let (name, body) = self.written(value, world)?;
        Some(Out::tagged(name, body))
    }

    fn describe(&self) -> Type {
        let words = Type::Words(self.words.iter().map(|&(word, _)| word).collect());
        let cases = self
            .cases
            .iter()
            .map(|(case, body)| (*case, body.describe()));
        let cases = Type::Tagged(cases.collect());
        let whole = match (self.words.is_empty(), self.cases.is_empty()) {
            (true, _) => cases,
            (_, true) => words,
            (false, false) => Type::Either(vec![words, cases]),
        };
        match self.named {
            Some((name, about)) => whole.named(name, about),
            None => whole,
        }
    }
}

/// Alternatives that stand as keys in the table itself.
pub(crate) struct Choice<T, V> {
    what: &'static str,
    cases: Tagged<V>,
    lens: Lens<T, V>,
    required: bool,
}

/// Exactly one of the cases' keys must stand in the table (at most one, unless `required`).
pub(crate) fn choice<T, V>(
    what: &'static str,
    cases: Tagged<V>,
    lens: Lens<T, V>,
    required: bool,
) -> Choice<T, V> {
    Choice {
        what,
        cases,
        lens,
        required,
    }
}

impl<T, V: Clone + PartialEq + 'static> Part<T> for Choice<T, V> {
    fn names(&self) -> Vec<&'static str> {
        self.cases.cases.iter().map(|(case, _)| case.name).collect()
    }

    fn read(&self, table: &Node, into: &mut T, reader: &mut Reader<'_>) {
        let mut chosen: Option<&str> = None;
        for entry in table.entries() {
            let case = self
                .cases
                .cases
                .iter()
                .find(|(case, _)| case.name == entry.key);
            let Some((_, case)) = case else {
                continue;
            };
            if let Some(first) = chosen {
                let message = format!("both `{first}` and `{}`", entry.key);
                let right = format!("a table says {} once", self.what);
                reader.refuse(entry.place, message, right);
                continue;
            }
            chosen = Some(&entry.key);
            if let Some(value) = case.read(&entry.node, reader) {
                *(self.lens.get_mut)(into) = value;
            }
        }
        if chosen.is_none() && self.required {
            let names = self.names();
            let strays = table.entries().iter().map(|entry| entry.key.as_str());
            let hint = strays
                .filter_map(|key| suggestion(key, &names))
                .find(|hint| hint.starts_with("did"))
                .unwrap_or_default();
            let right = format!("one of {}", names.join(", "));
            let message = format!("nothing says {}", self.what);
            if hint.is_empty() {
                reader.refuse(table.place, message, right);
            }
        }
    }

    fn write(&self, from: &T, world: &World, out: &mut Entries) {
        if let Some((name, body)) = self.cases.written((self.lens.get)(from), world) {
            out.push((name.to_owned(), body));
        }
    }

    fn describe(&self, base: &T, doc: &mut TableDoc) {
        let default = self.cases.written((self.lens.get)(base), &World::default());
        for (case, body) in &self.cases.cases {
            doc.keys.push(KeyDoc {
                name: case.name,
                about: case.about,
                kind: body.describe(),
                default: match &default {
                    Some((name, value)) if *name == case.name && !self.required => {
                        Some(value.clone())
                    }
                    _ => None,
                },
                required: false,
            });
        }
    }
}
