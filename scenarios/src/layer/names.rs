//! Names of peers, organisations and regions, looked up where they are written.

use std::collections::BTreeSet;

use fedsim_protocols::PeerId;

use super::{Out, Reader, Shape, Type, World};
use crate::spec::peers::slots_matching;
use crate::tree::{Node, Place, Value};

/// Peers by name or glob.
#[derive(Clone, Copy)]
pub(crate) struct Peers;

impl Shape<Vec<PeerId>> for Peers {
    fn read(&self, node: &Node, reader: &mut Reader<'_>) -> Option<Vec<PeerId>> {
        let mut slots = match &node.value {
            Value::Text(glob) => look_up(glob, node.place, reader)?,
            Value::List(items) => {
                let mut slots = Vec::new();
                for item in items {
                    let Value::Text(glob) = &item.value else {
                        reader.refuse_kind(item, "a peer's name or a glob");
                        return None;
                    };
                    slots.extend(look_up(glob, item.place, reader)?);
                }
                if items.is_empty() {
                    reader.refuse(node.place, "an empty list of peers", "at least one peer");
                }
                slots
            }
            Value::Integer(_) | Value::Real(_) | Value::Flag(_) | Value::Date | Value::Table(_) => {
                reader.refuse_kind(node, "a peer's name, a glob, or a list of them");
                return None;
            }
        };
        slots.sort_unstable();
        slots.dedup();
        Some(slots)
    }

    fn write(&self, value: &Vec<PeerId>, world: &World) -> Option<Out> {
        let mut names = globs(value, world);
        if names.len() == 1 {
            return names.pop().map(Out::Text);
        }
        Some(Out::List(names.into_iter().map(Out::Text).collect()))
    }

    fn describe(&self) -> Type {
        let name = Type::Text {
            what: "peer or glob",
            pattern: "",
        };
        Type::Either(vec![name.clone(), Type::List(Box::new(name))]).named(
            "peers",
            "Peers by name, or by a glob in which `*` stands for any text, or a list of both. \
             `\"acme-1\"`, `\"acme-*\"`, `[\"acme-*\", \"globex-1\"]`. `\"*\"` is everybody, \
             clients included.",
        )
    }
}

/// One peer by name.
pub(crate) struct Peer;

impl Shape<PeerId> for Peer {
    fn read(&self, node: &Node, reader: &mut Reader<'_>) -> Option<PeerId> {
        match Peers.read(node, reader)?.as_slice() {
            [one] => Some(*one),
            [] => None,
            many => {
                let message = format!("{} peers where one is wanted", many.len());
                reader.refuse(node.place, message, "the name of one peer");
                None
            }
        }
    }

    fn write(&self, value: &PeerId, world: &World) -> Option<Out> {
        let peer = world.peers.get(value.0 as usize)?;
        Some(Out::Text(peer.nickname.clone()))
    }

    fn describe(&self) -> Type {
        Type::Text {
            what: "peer",
            pattern: "",
        }
    }
}

/// The slots a name or glob stands for; none, with a problem noted, if there is no such peer.
pub(crate) fn look_up(glob: &str, place: Place, reader: &mut Reader<'_>) -> Option<Vec<PeerId>> {
    if !reader.world.peers_known {
        return None;
    }
    let slots = slots_matching(&reader.world.peers, glob);
    if !slots.is_empty() {
        return Some(slots);
    }
    let nicknames = reader.world.peers.iter().map(|peer| peer.nickname.clone());
    let nicknames: Vec<String> = nicknames.collect();
    let names: Vec<&str> = nicknames.iter().map(String::as_str).collect();
    let message = if glob.contains('*') {
        format!("no peer matches `{glob}`")
    } else {
        format!("there is no peer `{glob}`")
    };
    reader.refuse_name(place, message, (glob, &names));
    None
}

/// Few globs and names that stand for exactly these slots.
fn globs(slots: &[PeerId], world: &World) -> Vec<String> {
    if slots.len() > 1 && slots.len() == world.peers.len() {
        return vec!["*".to_owned()];
    }
    let wanted: BTreeSet<PeerId> = slots.iter().copied().collect();
    let mut rest = wanted.clone();
    let mut tried: BTreeSet<&str> = BTreeSet::new();
    let mut globs = Vec::new();
    while let Some(first) = rest.pop_first() {
        let Some(peer) = world.peers.get(first.0 as usize) else {
            continue;
        };
        let name = peer.nickname.as_str();
        let stem = name.trim_end_matches(|c: char| c.is_ascii_digit());
        if !rest.is_empty() && tried.insert(stem) {
            let all = slots_matching(&world.peers, &format!("{stem}*"));
            if all.len() > 1 && all.iter().all(|slot| wanted.contains(slot)) {
                all.iter().for_each(|slot| {
                    rest.remove(slot);
                });
                globs.push(format!("{stem}*"));
                continue;
            }
        }
        globs.push(name.to_owned());
    }
    globs
}

/// The name of an organisation or region that some peer has.
pub(crate) struct Known {
    what: &'static str,
    names: fn(&World) -> Vec<&str>,
}

/// An organisation of the scenario.
pub(crate) fn organisation() -> Known {
    Known {
        what: "organisation",
        names: World::organisations,
    }
}

/// A region in which there are peers.
pub(crate) fn region() -> Known {
    Known {
        what: "region",
        names: World::regions,
    }
}

impl Shape<String> for Known {
    fn read(&self, node: &Node, reader: &mut Reader<'_>) -> Option<String> {
        let Value::Text(name) = &node.value else {
            reader.refuse_kind(node, &format!("the name of a {}", self.what));
            return None;
        };
        let names: Vec<String> = (self.names)(&reader.world)
            .iter()
            .map(|&s| s.into())
            .collect();
        if reader.world.peers_known && !names.contains(name) {
            let message = format!("no peer has the {} `{name}`", self.what);
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            reader.refuse_name(node.place, message, (name, &names));
            return None;
        }
        Some(name.clone())
    }

    fn write(&self, value: &String, _: &World) -> Option<Out> {
        Some(Out::Text(value.clone()))
    }

    fn describe(&self) -> Type {
        Type::Text {
            what: self.what,
            pattern: "",
        }
    }
}
