//! A table of keys, each described once.

use super::out::Entries;
use super::shape::{KeyDoc, TableDoc};
use super::{Out, Reader, Shape, Type, World};
use crate::tree::{Node, Value};

/// A way to a field, for reading and for writing.
pub(crate) struct Lens<T, V> {
    pub(crate) get: fn(&T) -> &V,
    pub(crate) get_mut: fn(&mut T) -> &mut V,
}

impl<T, V> Clone for Lens<T, V> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T, V> Copy for Lens<T, V> {}

/// The way to a field, as `at!(network.link)`; `at!()` is the whole, and
/// `at!(Scenario => network)` says of what.
macro_rules! at {
    () => {
        $crate::layer::Lens {
            get: |whole| whole,
            get_mut: |whole| whole,
        }
    };
    ($whole:ty => $($field:tt).*) => {
        $crate::layer::Lens {
            get: |whole: &$whole| &whole.$($field).*,
            get_mut: |whole: &mut $whole| &mut whole.$($field).*,
        }
    };
    ($($field:tt).*) => {
        $crate::layer::Lens {
            get: |whole| &whole.$($field).*,
            get_mut: |whole| &mut whole.$($field).*,
        }
    };
}
pub(crate) use at;

/// Something that reads and writes one or more keys of a table.
pub(crate) trait Part<T> {
    /// The keys it takes.
    fn names(&self) -> Vec<&'static str>;
    /// Whether it takes keys that nobody else does, too.
    fn takes_rest(&self) -> bool {
        false
    }
    /// Reads its keys from a table.
    fn read(&self, table: &Node, into: &mut T, reader: &mut Reader<'_>);
    /// Writes its keys.
    fn write(&self, from: &T, world: &World, out: &mut Entries);
    /// Adds what it says of its keys.
    fn describe(&self, base: &T, doc: &mut TableDoc);
}

/// A check of a whole table once all its keys were read without a problem.
pub(crate) type Check<T> = fn(&T, &Node, &mut Reader<'_>);

/// The description of a table: what it is for, what holds where nothing is said, and its keys.
pub(crate) struct Section<T> {
    about: &'static str,
    base: T,
    parts: Vec<Box<dyn Part<T>>>,
    checks: Vec<Check<T>>,
    braces: bool,
}

impl<T: Clone + 'static> Section<T> {
    /// A table without keys yet; `base` holds the defaults.
    pub(crate) fn new(about: &'static str, base: T) -> Self {
        Self {
            about,
            base,
            parts: Vec::new(),
            checks: Vec::new(),
            braces: false,
        }
    }

    /// Writes the table in braces rather than under a header.
    pub(crate) fn in_braces(mut self) -> Self {
        self.braces = true;
        self
    }

    /// Adds any part.
    pub(crate) fn part(mut self, part: impl Part<T> + 'static) -> Self {
        self.parts.push(Box::new(part));
        self
    }

    /// Adds a part that is chosen elsewhere.
    pub(crate) fn boxed_part(mut self, part: Box<dyn Part<T>>) -> Self {
        self.parts.push(part);
        self
    }

    /// Adds an optional key.
    pub(crate) fn key<V: 'static>(
        self,
        name: &'static str,
        shape: impl Shape<V> + 'static,
        lens: Lens<T, V>,
        about: &'static str,
    ) -> Self {
        self.part(Key {
            name,
            about,
            shape,
            lens,
            required: false,
        })
    }

    /// Adds a key that must be there.
    pub(crate) fn required<V: 'static>(
        self,
        name: &'static str,
        shape: impl Shape<V> + 'static,
        lens: Lens<T, V>,
        about: &'static str,
    ) -> Self {
        self.part(Key {
            name,
            about,
            shape,
            lens,
            required: true,
        })
    }

    /// Adds a table of its own whose keys are fields of this same value.
    pub(crate) fn nested(self, name: &'static str, section: Self, about: &'static str) -> Self {
        self.part(Nested {
            name,
            about,
            section,
        })
    }

    /// Adds all keys of another section, which describes a field.
    pub(crate) fn embed<V: Clone + 'static>(self, section: Section<V>, lens: Lens<T, V>) -> Self {
        self.part(Embed { section, lens })
    }

    /// Adds a check of the whole table.
    pub(crate) fn check(mut self, check: Check<T>) -> Self {
        self.checks.push(check);
        self
    }

    /// Reads a table; keys that are not there keep what `base` says.
    pub(crate) fn read_over(&self, base: T, node: &Node, reader: &mut Reader<'_>) -> Option<T> {
        let Value::Table(_) = &node.value else {
            reader.refuse_kind(node, "a table");
            return None;
        };
        let before = reader.count();
        let mut value = base;
        self.read_keys(node, &mut value, reader);
        self.refuse_unknown(node, reader);
        self.run_checks(&value, node, before, reader);
        Some(value)
    }

    /// Reads the keys without a look at what else the table holds.
    pub(crate) fn read_keys(&self, node: &Node, into: &mut T, reader: &mut Reader<'_>) {
        for part in &self.parts {
            part.read(node, into, reader);
        }
    }

    /// Runs the checks, unless there were problems since `before`.
    pub(crate) fn run_checks(
        &self,
        value: &T,
        node: &Node,
        before: usize,
        reader: &mut Reader<'_>,
    ) {
        for check in &self.checks {
            if reader.count() == before {
                check(value, node, reader);
            }
        }
    }

    /// The keys by name.
    pub(crate) fn names(&self) -> Vec<&'static str> {
        self.parts.iter().flat_map(|part| part.names()).collect()
    }

    fn refuse_unknown(&self, node: &Node, reader: &mut Reader<'_>) {
        if !self.parts.iter().any(|part| part.takes_rest()) {
            refuse_unknown(node, &self.names(), reader);
        }
    }

    /// The keys and values of a table.
    pub(crate) fn entries(&self, value: &T, world: &World) -> Entries {
        let mut out = Entries::new();
        for part in &self.parts {
            part.write(value, world, &mut out);
        }
        out
    }

    /// What the page says of this table.
    pub(crate) fn doc(&self) -> TableDoc {
        let mut doc = TableDoc {
            about: self.about,
            keys: Vec::new(),
            free: None,
        };
        for part in &self.parts {
            part.describe(&self.base, &mut doc);
        }
        doc
    }
}

/// Refuses every key of a table that is not among the known ones.
pub(crate) fn refuse_unknown(node: &Node, known: &[&str], reader: &mut Reader<'_>) {
    for entry in node.entries() {
        if !known.contains(&entry.key.as_str()) {
            let message = format!("unknown key `{}`", entry.key);
            reader.refuse_name(entry.place, message, (&entry.key, known));
        }
    }
}

impl<T: Clone + 'static> Shape<T> for Section<T> {
    fn read(&self, node: &Node, reader: &mut Reader<'_>) -> Option<T> {
        self.read_over(self.base.clone(), node, reader)
    }

    fn write(&self, value: &T, world: &World) -> Option<Out> {
        let entries = self.entries(value, world);
        Some(if self.braces {
            Out::Inline(entries)
        } else {
            Out::Table(entries)
        })
    }

    fn describe(&self) -> Type {
        Type::Table(self.doc())
    }
}

struct Key<T, V, S> {
    name: &'static str,
    about: &'static str,
    shape: S,
    lens: Lens<T, V>,
    required: bool,
}

impl<T, V, S: Shape<V>> Part<T> for Key<T, V, S> {
    fn names(&self) -> Vec<&'static str> {
        vec![self.name]
    }

    fn read(&self, table: &Node, into: &mut T, reader: &mut Reader<'_>) {
        match table.get(self.name) {
            Some(node) => {
                if let Some(value) = self.shape.read(node, reader) {
                    *(self.lens.get_mut)(into) = value;
                }
            }
            None if self.required => {
                let message = format!("the key `{}` is missing", self.name);
                reader.refuse(table.place, message, self.about);
            }
            None => {}
        }
    }

    fn write(&self, from: &T, world: &World, out: &mut Entries) {
        let value = self.shape.write((self.lens.get)(from), world);
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            out.push((self.name.to_owned(), value));
        }
    }

    fn describe(&self, base: &T, doc: &mut TableDoc) {
        let default = || {
            self.shape
                .write((self.lens.get)(base), &World::default())
                .map(Out::inlined)
                .filter(|value| !value.is_empty())
        };
        doc.keys.push(KeyDoc {
            name: self.name,
            about: self.about,
            kind: self.shape.describe(),
            default: if self.required { None } else { default() },
            required: self.required,
        });
    }
}

struct Nested<T> {
    name: &'static str,
    about: &'static str,
    section: Section<T>,
}

impl<T: Clone + 'static> Part<T> for Nested<T> {
    fn names(&self) -> Vec<&'static str> {
        vec![self.name]
    }

    fn read(&self, table: &Node, into: &mut T, reader: &mut Reader<'_>) {
        if let Some(node) = table.get(self.name)
            && let Some(value) = self.section.read_over(into.clone(), node, reader)
        {
            *into = value;
        }
    }

    fn write(&self, from: &T, world: &World, out: &mut Entries) {
        let entries = self.section.entries(from, world);
        out.push((self.name.to_owned(), Out::Table(entries)));
    }

    fn describe(&self, _: &T, doc: &mut TableDoc) {
        doc.keys.push(KeyDoc {
            name: self.name,
            about: self.about,
            kind: self.section.describe(),
            default: None,
            required: false,
        });
    }
}

struct Embed<T, V> {
    section: Section<V>,
    lens: Lens<T, V>,
}

impl<T, V: Clone + 'static> Part<T> for Embed<T, V> {
    fn names(&self) -> Vec<&'static str> {
        self.section.names()
    }

    fn read(&self, table: &Node, into: &mut T, reader: &mut Reader<'_>) {
        let before = reader.count();
        let inner = (self.lens.get_mut)(into);
        self.section.read_keys(table, inner, reader);
        self.section.run_checks(inner, table, before, reader);
    }

    fn write(&self, from: &T, world: &World, out: &mut Entries) {
        out.extend(self.section.entries((self.lens.get)(from), world));
    }

    fn describe(&self, base: &T, doc: &mut TableDoc) {
        for part in &self.section.parts {
            part.describe((self.lens.get)(base), doc);
        }
    }
}
