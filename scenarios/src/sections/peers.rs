//! Who takes part: `[peers]` or `[[orgs]]`, `[clients]`, and who joins late.

use std::collections::BTreeMap;

use fedsim_protocols::{PeerId, SimDuration};

use crate::layer::names::Peers;
use crate::layer::quantity::positive_duration;
use crate::layer::scalar::{count, name};
use crate::layer::shape::{list, maybe, tables};
use crate::layer::{Out, Reader, Section, Shape, Type, World, at};
use crate::spec::{PeerSpec, Role};
use crate::tree::{Node, Value};

/// Peers of one kind, numbered or named.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Group {
    organisation: String,
    count: u32,
    prefix: String,
    names: Vec<String>,
    regions: Vec<String>,
}

/// Everybody, as written.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Population {
    peers: Option<Group>,
    orgs: Vec<Group>,
    clients: Option<Group>,
}

/// Some start late.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Join {
    peers: Vec<PeerId>,
    at: SimDuration,
}

/// In a whole scenario, so that a slip of the finger does not fill the memory.
const MOST_PEERS: u32 = 1_000_000;
const NAMES: &str = "Their names, instead of numbers.";
const REGION: &str = "Where they are: one region, or a list dealt out in turn.";

fn group(prefix: &str) -> Group {
    Group {
        organisation: String::new(),
        count: 0,
        prefix: prefix.to_owned(),
        names: Vec::new(),
        regions: Vec::new(),
    }
}

/// The keys that say who takes part.
pub(crate) fn section() -> Section<Population> {
    Section::new("Who takes part.", Population::default())
        .key(
            "peers",
            maybe(plain("Members of no organisation.", "peer")),
            at!(peers),
            "Members, where organisations do not matter.",
        )
        .key(
            "orgs",
            tables(organisation()),
            at!(orgs),
            "Organisations and their members; instead of `[peers]`.",
        )
        .key(
            "clients",
            maybe(plain("Clients.", "client")),
            at!(clients),
            "Parties that put requests to members. They have names and links like members, and \
             faults may hit them.",
        )
}

fn plain(about: &'static str, prefix: &str) -> Section<Group> {
    Section::new(about, group(prefix))
        .key("count", count(0..=MOST_PEERS), at!(count), "How many.")
        .key(
            "prefix",
            name(),
            at!(prefix),
            "They are called prefix-1, prefix-2, ...",
        )
        .key("names", list(name()), at!(names), NAMES)
        .key("region", RegionNames, at!(regions), REGION)
        .check(some_peers)
}

fn organisation() -> Section<Group> {
    Section::new("One organisation.", group(""))
        .required(
            "name",
            name(),
            at!(organisation),
            "The organisation's name, used once.",
        )
        .key(
            "peers",
            count(0..=MOST_PEERS),
            at!(count),
            "How many members it has.",
        )
        .key(
            "prefix",
            name(),
            at!(prefix),
            "They are called prefix-1, prefix-2, ...; its name if left out.",
        )
        .key("names", list(name()), at!(names), NAMES)
        .key("region", RegionNames, at!(regions), REGION)
        .check(some_peers)
}

fn some_peers(group: &Group, node: &Node, reader: &mut Reader<'_>) {
    match (group.count, group.names.len()) {
        (0, 0) => {
            let place = node.get("count").or(node.get("peers"));
            let place = place.map_or(node.place, |node| node.place);
            reader.refuse(place, "zero peers", "at least 1, or `names`");
        }
        (0, _) | (_, 0) => {}
        (_, _) => reader.refuse(
            node.place_of("names"),
            "both a number and names",
            "one of them",
        ),
    }
}

/// One region or several.
struct RegionNames;

impl Shape<Vec<String>> for RegionNames {
    fn read(&self, node: &Node, reader: &mut Reader<'_>) -> Option<Vec<String>> {
        if matches!(node.value, Value::Text(_)) {
            return name().read(node, reader).map(|one| vec![one]);
        }
        list(name()).read(node, reader)
    }

    fn write(&self, value: &Vec<String>, world: &World) -> Option<Out> {
        match value.as_slice() {
            [] => None,
            [one] => name().write(one, world),
            _ => list(name()).write(value, world),
        }
    }

    fn describe(&self) -> Type {
        let one = name().describe();
        Type::Either(vec![one.clone(), Type::List(Box::new(one))])
    }
}

impl Population {
    /// Refuses more peers than any run could hold; true if there are none too many.
    pub(crate) fn fits(&self, root: &Node, reader: &mut Reader<'_>) -> bool {
        let groups = self.peers.iter().chain(&self.orgs).chain(&self.clients);
        let total: u64 = groups.map(|group| u64::from(group.count)).sum();
        if total > u64::from(MOST_PEERS) {
            let message = format!("{total} peers are too many");
            reader.refuse(root.place, message, format!("at most {MOST_PEERS}"));
        }
        total <= u64::from(MOST_PEERS)
    }

    /// The peers, by slot: members as written, then clients.
    pub(crate) fn peers(&self) -> Vec<PeerSpec> {
        let members = self.peers.iter().chain(&self.orgs);
        members
            .flat_map(|group| group.peers(Role::Member))
            .chain(
                self.clients
                    .iter()
                    .flat_map(|group| group.peers(Role::Client)),
            )
            .collect()
    }

    /// The groups these peers can be written as.
    pub(crate) fn of(peers: &[PeerSpec]) -> Self {
        let mut population = Self::default();
        let kind = |peer: &PeerSpec| (peer.role, peer.organisation.clone());
        for run in peers.chunk_by(|a, b| kind(a) == kind(b)) {
            let group = Group::of(run);
            match (run[0].role, group.organisation.is_empty()) {
                (Role::Client, _) => population.clients = Some(group),
                (Role::Member, true) => population.peers = Some(group),
                (Role::Member, false) => population.orgs.push(group),
            }
        }
        population
    }

    /// What no single group can see.
    pub(crate) fn check(&self, root: &Node, reader: &mut Reader<'_>) {
        let orgs = root.get("orgs");
        match (&self.peers, self.orgs.is_empty()) {
            (None, true) => {
                reader.refuse(
                    root.place,
                    "nobody takes part",
                    "add `[peers]` or `[[orgs]]`",
                );
            }
            (Some(_), false) => {
                let place = root.place_of("peers");
                let right = "name an organisation for these, too";
                reader.refuse(place, "both [peers] and [[orgs]]", right);
            }
            (Some(_), true) | (None, false) => {}
        }
        let mut names: Vec<&str> = Vec::new();
        for (position, group) in self.orgs.iter().enumerate() {
            if names.contains(&group.organisation.as_str()) {
                let place = orgs.and_then(|orgs| item(orgs, position)).unwrap_or(root);
                let message = format!("the organisation `{}` is there twice", group.organisation);
                reader.refuse(place.place_of("name"), message, "a name of its own");
            }
            names.push(&group.organisation);
        }
        check_nicknames(&self.peers(), root, reader);
    }
}

fn item(list: &Node, position: usize) -> Option<&Node> {
    let Value::List(items) = &list.value else {
        return None;
    };
    items.get(position)
}

fn check_nicknames(peers: &[PeerSpec], root: &Node, reader: &mut Reader<'_>) {
    let mut names: Vec<&str> = peers.iter().map(|peer| peer.nickname.as_str()).collect();
    names.sort_unstable();
    let key = ["peers", "orgs", "clients"]
        .into_iter()
        .find_map(|key| root.entry(key))
        .map_or(root.place, |entry| entry.place);
    if let Some(pair) = names.windows(2).find(|pair| pair[0] == pair[1]) {
        let message = format!("two peers are called `{}`", pair[0]);
        reader.refuse(key, message, "names and prefixes must differ");
    }
    if names.binary_search(&super::select::TRIGGER).is_ok() {
        let message = format!("a peer is called `{}`", super::select::TRIGGER);
        reader.refuse(
            key,
            message,
            "that word stands for whoever triggers a fault",
        );
    }
}

impl Group {
    fn peers(&self, role: Role) -> Vec<PeerSpec> {
        let prefix = match (self.prefix.as_str(), self.organisation.as_str()) {
            ("", organisation) => organisation,
            (prefix, _) => prefix,
        };
        let names: Vec<String> = if self.names.is_empty() {
            (1..=self.count)
                .map(|number| format!("{prefix}-{number}"))
                .collect()
        } else {
            self.names.clone()
        };
        let region = |position: usize| match self.regions.len() {
            0 => String::new(),
            regions => self.regions[position % regions].clone(),
        };
        let peer = |(position, nickname)| PeerSpec {
            nickname,
            organisation: self.organisation.clone(),
            region: region(position),
            role,
            starts_at: SimDuration::ZERO,
        };
        names.into_iter().enumerate().map(peer).collect()
    }

    fn of(run: &[PeerSpec]) -> Self {
        let first = &run[0].nickname;
        let prefix = first.strip_suffix("-1").unwrap_or(first);
        let numbered = (1..)
            .zip(run)
            .all(|(number, peer): (u32, _)| peer.nickname == format!("{prefix}-{number}"));
        let (count, prefix, names) = if numbered {
            (run.len() as u32, prefix.to_owned(), Vec::new())
        } else {
            let names = run.iter().map(|peer| peer.nickname.clone()).collect();
            (0, String::new(), names)
        };
        Self {
            organisation: run[0].organisation.clone(),
            count,
            prefix,
            names,
            regions: shortest_cycle(run),
        }
    }
}

/// The shortest list of regions that, dealt out in turn, gives everybody his own.
fn shortest_cycle(run: &[PeerSpec]) -> Vec<String> {
    if run.iter().all(|peer| peer.region.is_empty()) {
        return Vec::new();
    }
    let repeats = |length: &usize| {
        run[*length..]
            .iter()
            .zip(run)
            .all(|(a, b)| a.region == b.region)
    };
    let length = (1..=run.len()).find(repeats).unwrap_or(run.len());
    run[..length]
        .iter()
        .map(|peer| peer.region.clone())
        .collect()
}

/// `[[joins]]`.
pub(crate) struct Joins;

impl Joins {
    fn section() -> Section<Join> {
        let base = Join {
            peers: Vec::new(),
            at: SimDuration::ZERO,
        };
        Section::new("Peers that start late.", base)
            .required("peers", Peers, at!(peers), "Who.")
            .required("at", positive_duration(), at!(at), "When they start.")
            .check(|join, node, reader| {
                reader.must_be_within_run(join.at, node.place_of("at"), "a start");
            })
    }
}

impl Shape<Vec<PeerSpec>> for Joins {
    fn read(&self, node: &Node, reader: &mut Reader<'_>) -> Option<Vec<PeerSpec>> {
        let joins = tables(Self::section()).read(node, reader)?;
        let mut peers = reader.world.peers.clone();
        for join in joins {
            for slot in join.peers {
                if let Some(peer) = peers.get_mut(slot.0 as usize) {
                    peer.starts_at = join.at;
                }
            }
        }
        Some(peers)
    }

    fn write(&self, value: &Vec<PeerSpec>, world: &World) -> Option<Out> {
        let mut late: BTreeMap<SimDuration, Vec<PeerId>> = BTreeMap::new();
        for (slot, peer) in (0..)
            .zip(value)
            .filter(|(_, peer)| !peer.starts_at.is_zero())
        {
            late.entry(peer.starts_at).or_default().push(PeerId(slot));
        }
        let joins: Vec<Join> = late
            .into_iter()
            .map(|(at, peers)| Join { peers, at })
            .collect();
        tables(Self::section()).write(&joins, world)
    }

    fn describe(&self) -> Type {
        tables(Self::section()).describe()
    }
}
