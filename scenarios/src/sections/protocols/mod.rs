//! One table per protocol. A new protocol is a file beside this one and a line in [`all`].

mod budgets;
pub(crate) mod federation;
mod pbft;
mod raft;
mod rumor;
mod software;
mod swim;
mod transport;

use crate::layer::out::Entries;
use crate::layer::section::Part;
use crate::layer::shape::{KeyDoc, TableDoc};
use crate::layer::{Lens, Out, Reader, Section, Shape, Type, World};
use crate::spec::{PerOrganisation, ProtocolSpec, Scenario};
use crate::tree::Node;

/// The protocol tables, in canonical order.
pub(crate) fn all() -> Vec<Box<dyn Part<Scenario>>> {
    vec![
        Box::new(swim::table()),
        Box::new(rumor::table()),
        Box::new(raft::table()),
        Box::new(pbft::table()),
        Box::new(federation::table()),
    ]
}

/// The names of the protocol tables.
pub(crate) fn names() -> Vec<&'static str> {
    all().iter().flat_map(|table| table.names()).collect()
}

/// A protocol's table: its section, and its place among the protocols.
struct Table<S> {
    name: &'static str,
    about: &'static str,
    section: fn() -> Section<S>,
    wrap: fn(S) -> ProtocolSpec,
    unwrap: fn(&ProtocolSpec) -> Option<&S>,
}

impl<S: Clone + 'static> Part<Scenario> for Table<S> {
    fn names(&self) -> Vec<&'static str> {
        vec![self.name]
    }

    fn read(&self, table: &Node, into: &mut Scenario, reader: &mut Reader<'_>) {
        if let Some(node) = table.get(self.name)
            && let Some(spec) = (self.section)().read(node, reader)
        {
            into.protocols.push((self.wrap)(spec));
        }
    }

    fn write(&self, from: &Scenario, world: &World, out: &mut Entries) {
        if let Some(spec) = from.protocols.iter().find_map(self.unwrap) {
            let entries = (self.section)().entries(spec, world);
            out.push((self.name.to_owned(), Out::Table(entries)));
        }
    }

    fn describe(&self, _: &Scenario, doc: &mut TableDoc) {
        doc.keys.push(KeyDoc {
            name: self.name,
            about: self.about,
            kind: (self.section)().describe(),
            default: None,
            required: false,
        });
    }
}

/// `[protocol.org.NAME]`: whole configurations of single organisations.
struct Overrides<S, C> {
    section: fn() -> Section<C>,
    lens: Lens<S, PerOrganisation<C>>,
}

impl<S, C: Clone + 'static> Part<S> for Overrides<S, C> {
    fn names(&self) -> Vec<&'static str> {
        vec!["org"]
    }

    fn read(&self, table: &Node, into: &mut S, reader: &mut Reader<'_>) {
        let Some(node) = table.get("org") else {
            return;
        };
        if !matches!(node.value, crate::tree::Value::Table(_)) {
            reader.refuse_kind(node, "a table per organisation");
        }
        let all = (self.lens.get_mut)(into);
        for entry in node.entries() {
            let known: Vec<String> = reader
                .world
                .organisations()
                .iter()
                .map(|&name| name.into())
                .collect();
            if reader.world.peers_known && !known.contains(&entry.key) {
                let message = format!("there is no organisation `{}`", entry.key);
                let known: Vec<&str> = known.iter().map(String::as_str).collect();
                reader.refuse_name(entry.place, message, (&entry.key, &known));
            }
            let base = all.base.clone();
            if let Some(config) = (self.section)().read_over(base, &entry.node, reader) {
                all.overrides.push((entry.key.clone(), config));
            }
        }
    }

    fn write(&self, from: &S, world: &World, out: &mut Entries) {
        let overrides = &(self.lens.get)(from).overrides;
        if overrides.is_empty() {
            return;
        }
        let table = |(name, config): &(String, C)| {
            let entries = (self.section)().entries(config, world);
            (name.clone(), Out::Table(entries))
        };
        let tables = overrides.iter().map(table).collect();
        out.push(("org".to_owned(), Out::Table(tables)));
    }

    fn describe(&self, _: &S, doc: &mut TableDoc) {
        doc.keys.push(KeyDoc {
            name: "org",
            about: "A table per organisation that differs, such as `[swim.org.acme]`; keys that \
                    say nothing are those of the protocol's table.",
            kind: Type::Map(Box::new((self.section)().describe())),
            default: None,
            required: false,
        });
    }
}

/// A name, what it stands for, and the configuration.
type Named<C> = (&'static str, &'static str, fn() -> C);

/// A published set of values, from which the other keys start.
struct Preset<C: 'static> {
    /// The key, such as `preset`.
    key: &'static str,
    presets: &'static [Named<C>],
}

impl<C> Part<C> for Preset<C> {
    fn names(&self) -> Vec<&'static str> {
        vec![self.key]
    }

    fn read(&self, table: &Node, into: &mut C, reader: &mut Reader<'_>) {
        let Some(node) = table.get(self.key) else {
            return;
        };
        let crate::tree::Value::Text(word) = &node.value else {
            return reader.refuse_kind(node, "a name");
        };
        match self.presets.iter().find(|(name, _, _)| name == word) {
            Some((_, _, config)) => *into = config(),
            None => {
                let names: Vec<&str> = self.presets.iter().map(|&(name, _, _)| name).collect();
                let message = format!("there is no {} `{word}`", self.key);
                reader.refuse_name(node.place, message, (word, &names));
            }
        }
    }

    fn write(&self, _: &C, _: &World, _: &mut Entries) {}

    fn describe(&self, _: &C, doc: &mut TableDoc) {
        let alternatives = self.presets.iter();
        let alternatives =
            alternatives.map(|&(name, about, _)| crate::layer::shape::Alternative { name, about });
        doc.keys.push(KeyDoc {
            name: self.key,
            about: "A published set of values, from which the other keys start.",
            kind: Type::Words(alternatives.collect()),
            default: None,
            required: false,
        });
    }
}

/// Refuses what a configuration's own check refuses, at the key it names.
fn refuse_invalid(verdict: Result<(), (&str, String)>, node: &Node, reader: &mut Reader<'_>) {
    if let Err((key, right)) = verdict {
        let message = format!("`{key}` does not fit");
        reader.refuse(node.place_of(key), message, right);
    }
}
