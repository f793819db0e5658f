//! `[[adversaries]]`: who does not keep to the protocol.

use fedsim_protocols::{Message, PeerId, Probability, SimDuration};

use super::when;
use crate::layer::names::Peers;
use crate::layer::quantity::{Chance, duration, positive_duration};
use crate::layer::scalar::{Words, count, name, words};
use crate::layer::section::Section;
use crate::layer::shape::{Alternative, list, maybe, tables};
use crate::layer::{Out, Reader, Shape, Type, World, at};
use crate::spec::adversaries::{BehaviourSettings, Scope, Stretch, Tamper};
use crate::spec::{AdversarySpec, Behaviour, ProtocolSpec, Scenario, Who};
use crate::tree::{Node, Value};

#[derive(Clone, Debug, PartialEq)]
struct Draft {
    label: String,
    who: Who,
    when: when::Draft,
    lasts: Option<SimDuration>,
    heal_by: Option<SimDuration>,
    cabal: String,
    what: Vec<Behaviour>,
    settings: BehaviourSettings,
}

/// `[[adversaries]]`.
pub(crate) struct Adversaries;

impl Shape<Vec<AdversarySpec>> for Adversaries {
    fn read(&self, node: &Node, reader: &mut Reader<'_>) -> Option<Vec<AdversarySpec>> {
        let drafts = tables(section()).read(node, reader)?;
        let end = reader.world.duration.unwrap_or(SimDuration::MAX);
        let mut all: Vec<AdversarySpec> = Vec::new();
        for (number, draft) in (1..).zip(drafts) {
            let first = draft.what.first().map_or("nothing", |what| what.name());
            let label = match draft.label.as_str() {
                "" => format!("{first}-{number}"),
                label => label.to_owned(),
            };
            if all.iter().any(|adversary| adversary.label == label) {
                let message = format!("two adversaries are called `{label}`");
                reader.refuse(node.place, message, "labels must differ");
            }
            all.push(AdversarySpec {
                label,
                who: draft.who,
                when: draft.when.when(end),
                lasts: draft.lasts,
                heal_by: draft.heal_by,
                cabal: draft.cabal,
                what: draft.what,
                settings: draft.settings,
            });
        }
        reader.world.adversaries = all.iter().map(|it| it.label.clone()).collect();
        Some(all)
    }

    fn write(&self, value: &Vec<AdversarySpec>, world: &World) -> Option<Out> {
        let draft = |it: &AdversarySpec| Draft {
            label: it.label.clone(),
            who: it.who.clone(),
            when: when::Draft::of(&it.when),
            lasts: it.lasts,
            heal_by: it.heal_by,
            cabal: it.cabal.clone(),
            what: it.what.clone(),
            settings: it.settings.clone(),
        };
        tables(section()).write(&value.iter().map(draft).collect(), world)
    }

    fn describe(&self) -> Type {
        tables(section()).describe()
    }
}

fn section() -> Section<Draft> {
    let base = Draft {
        label: String::new(),
        who: Who::Peers(Vec::new()),
        when: when::Draft::default(),
        lasts: None,
        heal_by: None,
        cabal: String::new(),
        what: Vec::new(),
        settings: BehaviourSettings::default(),
    };
    let whole = Section::new(
        "Peers that do not keep to the protocol: who, when, and what they do. Their machines are \
         honest; the adversary stands between them and the world, and signs for nobody whose key \
         he does not hold. Checkers judge the others.",
        base,
    )
    .key(
        "label",
        name(),
        at!(label),
        "Its name in reports; first behaviour and number if left out, such as `silent-1`.",
    )
    .required("who", WhoShape, at!(who), "Who it is.")
    .key(
        "cabal",
        name(),
        at!(cabal),
        "Peers of one cabal share their keys and, at once, all they know. Each for himself if left \
         out.",
    )
    .embed(when::optional(), at!(when))
    .key(
        "for",
        maybe(positive_duration()),
        at!(lasts),
        "How long it lasts each time; to the end of the run if left out.",
    )
    .key(
        "heal_by",
        maybe(duration()),
        at!(heal_by),
        "Honest for good from here on.",
    )
    .required(
        "what",
        list(What),
        at!(what),
        "What it does, all of it together.",
    );
    settings(whole).check(check)
}

const TAMPER: Words<Tamper> = words(&[
    ("alter", "They say something else.", Tamper::Alter),
    ("remove", "They are gone.", Tamper::Remove),
]);

const STRETCH: Words<Stretch> = words(&[
    (
        "countersigned",
        "The last ones before a head that a third party countersigned.",
        Stretch::Countersigned,
    ),
    (
        "latest",
        "The last ones, behind every head that its owner signed to somebody.",
        Stretch::Latest,
    ),
]);

const SCOPE: Words<Scope> = words(&[
    (
        "message",
        "Each message to each peer by itself.",
        Scope::Message,
    ),
    (
        "round",
        "All messages of one kind about one view and sequence number, term and index, or period; \
         whom they go to is drawn once for each round.",
        Scope::Round,
    ),
]);

/// The settings of behaviours.
fn settings(section: Section<Draft>) -> Section<Draft> {
    section
        .key(
            "target",
            maybe(Peers),
            at!(settings.target),
            "Whom it is aimed at. Everybody else if left out.",
        )
        .key(
            "kinds",
            maybe(list(name())),
            at!(settings.kinds),
            "Which kinds of message it touches, such as `\"vote-reply\"`. All if left out.",
        )
        .key(
            "share",
            maybe(Chance),
            at!(settings.share),
            "The share of those messages that it touches. All if left out.",
        )
        .key(
            "pace",
            maybe(positive_duration()),
            at!(settings.pace),
            "From one of its own acts to the next. 500 ms if left out.",
        )
        .key(
            "by",
            maybe(positive_duration()),
            at!(settings.by),
            "How long it holds messages. Just below the protocol's timeout if left out.",
        )
        .key(
            "amount",
            maybe(count(1..=10_000)),
            at!(settings.amount),
            "How much of it at a time: copies, sybils, steps, records. 1 if left out.",
        )
        .key(
            "tamper",
            maybe(TAMPER),
            at!(settings.tamper),
            "What it does to records of its audit log. `\"alter\"` if left out.",
        )
        .key(
            "stretch",
            maybe(STRETCH),
            at!(settings.stretch),
            "To which records. `\"countersigned\"` if left out.",
        )
        .key(
            "scope",
            maybe(SCOPE),
            at!(settings.scope),
            "Of what a `share` is drawn. `\"message\"` if left out.",
        )
        .key(
            "rounds",
            maybe(count(1..=u32::MAX)),
            at!(settings.rounds),
            "In how many rounds it acts at most. In all that are drawn if left out.",
        )
        .key(
            "receivers",
            maybe(count(1..=10_000)),
            at!(settings.receivers),
            "How many peers it acts against in each round. Any number, drawn too, if left out.",
        )
}

fn check(draft: &Draft, node: &Node, reader: &mut Reader<'_>) {
    when::check_heal(draft.heal_by, &draft.when, node, reader);
    if draft.what.is_empty() {
        let right = "at least one behaviour";
        reader.refuse(
            node.place_of("what"),
            "an adversary that does nothing",
            right,
        );
    }
    for key in ["for", "heal_by"] {
        if let Some(entry) = node.entry(key)
            && draft.what.contains(&Behaviour::CrashStop)
        {
            reader.refuse(entry.place, "`crash-stop` is for good", "leave this out");
        }
    }
    let of_network = draft.who == Who::Network;
    for what in draft
        .what
        .iter()
        .filter(|it| it.is_of_network() != of_network)
    {
        let (message, right) = match of_network {
            true => (
                "is done by a peer, not by the network",
                "name the peers under `who`",
            ),
            false => (
                "is done by the network, not by a peer",
                "write who = \"network\"",
            ),
        };
        let message = format!("`{}` {message}", what.name());
        reader.refuse(node.place_of("what"), message, right);
    }
    for key in ["rounds", "receivers"] {
        if let Some(entry) = node.entry(key)
            && draft.settings.scope != Some(Scope::Round)
        {
            let right = "write scope = \"round\" beside it";
            reader.refuse(entry.place, format!("`{key}` without rounds"), right);
        }
    }
    for key in [
        "target",
        "kinds",
        "share",
        "pace",
        "by",
        "amount",
        "tamper",
        "stretch",
        "scope",
        "rounds",
        "receivers",
    ] {
        if let Some(entry) = node.entry(key)
            && !draft.what.iter().any(|what| what.takes().contains(&key))
        {
            let names: Vec<&str> = draft.what.iter().map(|what| what.name()).collect();
            let message = format!("`{key}` says nothing beside {}", names.join(", "));
            reader.refuse(entry.place, message, "leave this out");
        }
    }
}

/// Refuses what cannot be done: behaviours of another protocol, kinds that it has not, a network
/// adversary without bounds, one peer in two cabals.
pub(crate) fn check_against(scenario: &Scenario, node: &Node, reader: &mut Reader<'_>) {
    let protocols: Vec<&str> = scenario.protocols.iter().map(ProtocolSpec::name).collect();
    let kinds: Vec<&str> = scenario
        .protocols
        .iter()
        .flat_map(kinds_of)
        .copied()
        .collect();
    for adversary in &scenario.adversaries {
        if !protocols.is_empty() {
            for what in adversary.what.iter().filter(|it| !it.fits(&protocols)) {
                let message = format!(
                    "`{}` of `{}` needs another protocol",
                    what.name(),
                    adversary.label
                );
                let right = format!("it is an attack on {}", what.protocols().join(", "));
                reader.refuse(node.place, message, right);
            }
            let touched = adversary.settings.kinds.iter().flatten();
            for kind in touched.filter(|kind| !kinds.contains(&kind.as_str())) {
                let message = format!("no message of the protocol is a `{kind}`");
                reader.refuse_name(node.place, message, (kind, &kinds));
            }
        }
        if adversary.who == Who::Network && scenario.assume.delay.is_none() {
            let message = format!("`{}` knows no bound on delays", adversary.label);
            reader.refuse(node.place, message, "say delay = ... under [assume]");
        }
    }
    refuse_two_cabals(scenario, node, reader);
}

fn kinds_of(protocol: &ProtocolSpec) -> &'static [&'static str] {
    use fedsim_protocols::{pbft, raft, rumor, stack, swim};
    match protocol {
        ProtocolSpec::Swim(_) => swim::SwimMessage::KINDS,
        ProtocolSpec::Rumor(_) => rumor::RumorMessage::KINDS,
        ProtocolSpec::Raft(_) => raft::RaftMessage::KINDS,
        ProtocolSpec::Pbft(_) => pbft::PbftMessage::KINDS,
        ProtocolSpec::Federation(_) => stack::StackMessage::KINDS,
    }
}

fn refuse_two_cabals(scenario: &Scenario, node: &Node, reader: &mut Reader<'_>) {
    let named = |it: &AdversarySpec| match &it.who {
        Who::Peers(peers) => peers.clone(),
        Who::Drawn { .. } | Who::Share { .. } | Who::OnePerOrganisation | Who::Network => {
            Vec::new()
        }
    };
    let mut seen: Vec<(PeerId, &str)> = Vec::new();
    for adversary in scenario
        .adversaries
        .iter()
        .filter(|it| !it.cabal.is_empty())
    {
        for peer in named(adversary) {
            let other = seen
                .iter()
                .find(|(known, cabal)| *known == peer && *cabal != adversary.cabal);
            if let Some((_, other)) = other {
                let nickname = &scenario.peers[peer.index()].nickname;
                let message = format!(
                    "`{nickname}` is in cabal `{other}` and in `{}`",
                    adversary.cabal
                );
                reader.refuse(node.place, message, "nobody serves two cabals");
                return;
            }
            seen.push((peer, &adversary.cabal));
        }
    }
}

/// Whom an entry means.
struct WhoShape;

const NETWORK: &str = "network";
const ONE_PER_ORGANISATION: &str = "one-per-organisation";

impl WhoShape {
    fn drawn() -> Section<(u32, Vec<PeerId>)> {
        Section::new("Some, drawn once a run.", (1, Vec::new()))
            .required("count", count(1..=u32::MAX), at!(0), "How many.")
            .required("of", Peers, at!(1), "Of whom.")
            .check(|(count, of), node, reader| {
                if *count as usize > of.len() && reader.world.peers_known {
                    let right = format!("at most {}", of.len());
                    reader.refuse(node.place_of("count"), "more than there are", right);
                }
            })
    }

    fn share() -> Section<(Probability, Vec<PeerId>)> {
        Section::new(
            "A share, rounded down, drawn once a run.",
            (Probability::ZERO, Vec::new()),
        )
        .required("fraction", Chance, at!(0), "Which share.")
        .required("of", Peers, at!(1), "Of whom.")
    }
}

impl Shape<Who> for WhoShape {
    fn read(&self, node: &Node, reader: &mut Reader<'_>) -> Option<Who> {
        match &node.value {
            Value::Text(word) if word == NETWORK => return Some(Who::Network),
            Value::Text(word) if word == ONE_PER_ORGANISATION => {
                return Some(Who::OnePerOrganisation);
            }
            _ => {}
        }
        if node.get("fraction").is_some() {
            let (fraction, of) = Self::share().read(node, reader)?;
            return Some(Who::Share { fraction, of });
        }
        if matches!(node.value, Value::Table(_)) {
            let (count, of) = Self::drawn().read(node, reader)?;
            return Some(Who::Drawn { count, of });
        }
        Peers.read(node, reader).map(Who::Peers)
    }

    fn write(&self, value: &Who, world: &World) -> Option<Out> {
        match value {
            Who::Peers(peers) => Peers.write(peers, world),
            Who::Drawn { count, of } => {
                let drawn = Self::drawn().write(&(*count, of.clone()), world);
                drawn.map(Out::inlined)
            }
            Who::Share { fraction, of } => {
                let share = Self::share().write(&(*fraction, of.clone()), world);
                share.map(Out::inlined)
            }
            Who::OnePerOrganisation => Some(Out::Text(ONE_PER_ORGANISATION.to_owned())),
            Who::Network => Some(Out::Text(NETWORK.to_owned())),
        }
    }

    fn describe(&self) -> Type {
        let words = [
            (
                ONE_PER_ORGANISATION,
                "One member of every organisation, drawn once a run.",
            ),
            (
                NETWORK,
                "No peer: whoever decides how long each message takes.",
            ),
        ];
        let words = words.map(|(name, about)| Alternative { name, about });
        Type::Either(vec![
            Peers.describe(),
            Type::Words(words.to_vec()),
            Self::drawn().describe(),
            Self::share().describe(),
        ])
        .named(
            "adversary",
            "Who does not keep to the protocol. `\"acme-1\"`, `{ count = 2, of = \"acme-*\" }`, \
             `{ fraction = \"30%\", of = \"*\" }`, `\"one-per-organisation\"`, `\"network\"`.",
        )
    }
}

/// One behaviour, by its word.
struct What;

impl Shape<Behaviour> for What {
    fn read(&self, node: &Node, reader: &mut Reader<'_>) -> Option<Behaviour> {
        let Value::Text(text) = &node.value else {
            reader.refuse_kind(node, "a behaviour's name in quotes");
            return None;
        };
        let found = Behaviour::ALL.iter().find(|it| it.name() == text);
        if found.is_none() {
            let names: Vec<&str> = Behaviour::ALL.iter().map(|it| it.name()).collect();
            reader.refuse_name(
                node.place,
                format!("unknown behaviour `{text}`"),
                (text, &names),
            );
        }
        found.copied()
    }

    fn write(&self, value: &Behaviour, _: &World) -> Option<Out> {
        Some(Out::Text(value.name().to_owned()))
    }

    fn describe(&self) -> Type {
        let word = |it: &Behaviour| Alternative {
            name: it.name(),
            about: it.about(),
        };
        Type::Words(Behaviour::ALL.iter().map(word).collect())
            .named("behaviour", "What an adversary does.")
    }
}
