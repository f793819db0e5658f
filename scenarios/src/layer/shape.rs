//! What a description can do, and what it says of itself.

use super::{Out, Reader, World};
use crate::tree::{Node, Value};

/// How values of a type look in a file.
pub(crate) trait Shape<T> {
    /// Reads one; notes problems and gives nothing if it cannot.
    fn read(&self, node: &Node, reader: &mut Reader<'_>) -> Option<T>;
    /// Writes one; nothing where leaving the key out says the same.
    fn write(&self, value: &T, world: &World) -> Option<Out>;
    /// What it looks like.
    fn describe(&self) -> Type;
}

/// What a value looks like, for schema and reference page.
#[derive(Clone, Debug)]
pub(crate) enum Type {
    /// A string with a pattern of its own.
    Text {
        what: &'static str,
        pattern: &'static str,
    },
    /// A whole number within bounds.
    Integer { min: i128, max: i128 },
    /// A number within bounds.
    Number { min: f64, max: f64 },
    /// True or false.
    Flag,
    /// One of some words.
    Words(Vec<Alternative>),
    /// A table with exactly one of some keys.
    Tagged(Vec<(Alternative, Self)>),
    /// Any of several forms.
    Either(Vec<Self>),
    /// A list.
    List(Box<Self>),
    /// Text of which every line is one of some phrases.
    Phrases(Vec<PhraseList>),
    /// A table with known keys.
    Table(TableDoc),
    /// A table whose keys are names.
    Map(Box<Self>),
    /// A type that is explained once, under its name.
    Named {
        name: &'static str,
        about: &'static str,
        of: Box<Self>,
    },
}

/// A word and what it means.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Alternative {
    pub(crate) name: &'static str,
    pub(crate) about: &'static str,
}

/// Phrases of one kind, by their patterns.
#[derive(Clone, Debug)]
pub(crate) struct PhraseList {
    pub(crate) title: String,
    /// What stands before each of them.
    pub(crate) prefix: &'static str,
    pub(crate) phrases: Vec<Alternative>,
}

/// A table of known keys.
#[derive(Clone, Debug)]
pub(crate) struct TableDoc {
    pub(crate) about: &'static str,
    pub(crate) keys: Vec<KeyDoc>,
    /// What keys beyond the known ones hold, if there may be any.
    pub(crate) free: Option<Box<Type>>,
}

/// One key.
#[derive(Clone, Debug)]
pub(crate) struct KeyDoc {
    pub(crate) name: &'static str,
    pub(crate) about: &'static str,
    pub(crate) kind: Type,
    pub(crate) default: Option<Out>,
    pub(crate) required: bool,
}

impl Type {
    /// Explains this type once, under a name.
    pub(crate) fn named(self, name: &'static str, about: &'static str) -> Self {
        Self::Named {
            name,
            about,
            of: Box::new(self),
        }
    }
}

/// Several values in brackets.
pub(crate) struct List<S>(pub(crate) S);

/// A list of values of one shape.
pub(crate) fn list<S>(shape: S) -> List<S> {
    List(shape)
}

impl<T, S: Shape<T>> Shape<Vec<T>> for List<S> {
    fn read(&self, node: &Node, reader: &mut Reader<'_>) -> Option<Vec<T>> {
        let Value::List(items) = &node.value else {
            reader.refuse_kind(node, "a list");
            return None;
        };
        let read: Vec<Option<T>> = items.iter().map(|item| self.0.read(item, reader)).collect();
        read.into_iter().collect()
    }

    fn write(&self, values: &Vec<T>, world: &World) -> Option<Out> {
        let items = values
            .iter()
            .filter_map(|value| self.0.write(value, world).map(Out::inlined));
        Some(Out::List(items.collect()))
    }

    fn describe(&self) -> Type {
        Type::List(Box::new(self.0.describe()))
    }
}

/// `[[header]]` tables; none at all is an empty list.
pub(crate) struct Tables<S>(pub(crate) S);

/// One table under each `[[header]]`.
pub(crate) fn tables<S>(shape: S) -> Tables<S> {
    Tables(shape)
}

impl<T, S: Shape<T>> Shape<Vec<T>> for Tables<S> {
    fn read(&self, node: &Node, reader: &mut Reader<'_>) -> Option<Vec<T>> {
        if let Value::Table(_) = &node.value {
            let right = "write the header in double brackets: [[...]]";
            reader.refuse(node.place, "expected a list of tables, found one", right);
            return None;
        }
        List(&self.0).read(node, reader)
    }

    fn write(&self, values: &Vec<T>, world: &World) -> Option<Out> {
        let tables: Vec<_> = values
            .iter()
            .filter_map(|value| match self.0.write(value, world)?.inlined() {
                Out::Inline(entries) => Some(entries),
                _ => None,
            })
            .collect();
        (!tables.is_empty()).then_some(Out::Tables(tables))
    }

    fn describe(&self) -> Type {
        Type::List(Box::new(self.0.describe()))
    }
}

impl<T, S: Shape<T> + ?Sized> Shape<T> for &S {
    fn read(&self, node: &Node, reader: &mut Reader<'_>) -> Option<T> {
        (**self).read(node, reader)
    }

    fn write(&self, value: &T, world: &World) -> Option<Out> {
        (**self).write(value, world)
    }

    fn describe(&self) -> Type {
        (**self).describe()
    }
}

/// A value or none; none is left out, or said by a word of its own.
pub(crate) struct Maybe<S> {
    shape: S,
    none: Option<Alternative>,
}

/// A value that may be left out.
pub(crate) fn maybe<S>(shape: S) -> Maybe<S> {
    Maybe { shape, none: None }
}

/// A value, or a word that stands for none.
pub(crate) fn or_word<S>(shape: S, name: &'static str, about: &'static str) -> Maybe<S> {
    let none = Some(Alternative { name, about });
    Maybe { shape, none }
}

impl<T, S: Shape<T>> Shape<Option<T>> for Maybe<S> {
    fn read(&self, node: &Node, reader: &mut Reader<'_>) -> Option<Option<T>> {
        match (&node.value, self.none) {
            (Value::Text(text), Some(none)) if text == none.name => Some(None),
            _ => self.shape.read(node, reader).map(Some),
        }
    }

    fn write(&self, value: &Option<T>, world: &World) -> Option<Out> {
        match value {
            Some(value) => self.shape.write(value, world),
            None => self.none.map(|none| Out::Text(none.name.to_owned())),
        }
    }

    fn describe(&self) -> Type {
        match self.none {
            None => self.shape.describe(),
            Some(none) => Type::Either(vec![self.shape.describe(), Type::Words(vec![none])]),
        }
    }
}
