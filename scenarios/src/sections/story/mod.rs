//! `story`: a directed schedule, one step a line.
//!
//! Verbs are those of every protocol; each protocol adds its own phrases in a file of its own. The
//! phrases are what reads a line and what the reference page prints. Must not know how a step is
//! carried out.

mod pbft;
mod phrase;
mod raft;
mod rumor;
mod swim;
mod verbs;

use std::collections::BTreeMap;

use fedsim_protocols::{Message, PeerId, Protocol};

use crate::layer::out::Entries;
use crate::layer::reader::NameKind;
use crate::layer::section::Part;
use crate::layer::shape::{Alternative, KeyDoc, PhraseList, TableDoc};
use crate::layer::{Out, Reader, Type, World};
use crate::spec::story::{Claim, Deed, Dialect, Step, Story, Turn};
use crate::spec::{PbftWords, PeerSpec, ProtocolSpec, RaftWords, RumorWords, Scenario, SwimWords};
use crate::tree::{Node, Place, Value};
use phrase::{Lexicon, Line, Phrase, Stuck, Token, joined, tokens};

/// The key of a story.
pub(crate) const KEY: &str = "story";

/// The phrases of one protocol.
trait Grammar: Dialect {
    /// The protocol's table.
    const TABLE: &'static str;
    /// What can be given to a peer before it starts.
    fn facts() -> Vec<Phrase<Self::Fact>>;
    /// What a peer can be asked to do.
    fn asks() -> Vec<Phrase<Self::Ask>>;
    /// What can be claimed of peers.
    fn claims() -> Vec<Phrase<Self::Claim>>;
}

/// Reads and writes the story, in the words of the scenario's protocol.
pub(crate) struct Stories;

impl Part<Scenario> for Stories {
    fn names(&self) -> Vec<&'static str> {
        vec![KEY]
    }

    fn read(&self, table: &Node, into: &mut Scenario, reader: &mut Reader<'_>) {
        let Some(node) = table.get(KEY) else { return };
        let Value::Text(text) = &node.value else {
            return reader.refuse_kind(node, "a string of many lines");
        };
        if !reader.world.peers_known {
            return;
        }
        into.story = match into.protocols.as_slice() {
            [ProtocolSpec::Swim(_)] => steps::<SwimWords>(node, text, reader).map(Story::Swim),
            [ProtocolSpec::Rumor(_)] => steps::<RumorWords>(node, text, reader).map(Story::Rumor),
            [ProtocolSpec::Raft(_)] => steps::<RaftWords>(node, text, reader).map(Story::Raft),
            [ProtocolSpec::Pbft(_)] => steps::<PbftWords>(node, text, reader).map(Story::Pbft),
            [other @ ProtocolSpec::Federation(_)] => {
                let message = format!("stories have no words for [{}]", other.name());
                reader.refuse(node.place, message, "leave it out");
                None
            }
            [] => None,
            [_, _, ..] => {
                let right = "leave one protocol's table";
                reader.refuse(node.place, "a story is about one protocol", right);
                None
            }
        };
    }

    fn write(&self, from: &Scenario, _: &World, out: &mut Entries) {
        if let Some(story) = &from.story {
            let text = story.lines().join("\n");
            out.push((KEY.to_owned(), Out::Lines(text)));
        }
    }

    fn describe(&self, _: &Scenario, doc: &mut TableDoc) {
        let mut lists = vec![list("Steps:", "", &verbs::verbs::<RaftWords>())];
        let claims = verbs::general_claims::<RaftWords>();
        lists.push(list("What can be claimed of any run:", "assert ", &claims));
        lists.extend(lists_of::<RaftWords>());
        lists.extend(lists_of::<SwimWords>());
        lists.extend(lists_of::<RumorWords>());
        lists.extend(lists_of::<PbftWords>());
        let about = "Everything that happens, step by step, one a line; `#` begins a remark. Nothing \
                     else happens: messages wait until a step delivers or drops them, each peer has \
                     a time of its own that stands still until a step lets it pass, and links have \
                     no latency. The first step that cannot be done, or claims what is not so, ends \
                     the story and the run has missed its claim. Words in capitals are filled in, \
                     what stands in brackets may be left out, `a|b` is either. PEERS are names or \
                     globs with commas between them, or `all`; KIND is a kind of message and TIMER a \
                     timer of the protocol, named as in its tables.";
        doc.keys.push(KeyDoc {
            name: KEY,
            about: "A directed schedule instead of weather: no faults, no `joins`.",
            kind: Type::Phrases(lists).named("story", about),
            default: None,
            required: false,
        });
    }
}

fn list<T>(title: &'static str, prefix: &'static str, phrases: &[Phrase<T>]) -> PhraseList {
    let alternative = |phrase: &Phrase<T>| Alternative {
        name: phrase.pattern,
        about: phrase.about,
    };
    PhraseList {
        title: title.to_owned(),
        prefix,
        phrases: phrases.iter().map(alternative).collect(),
    }
}

fn lists_of<D: Grammar>() -> [PhraseList; 3] {
    let titled = |what: &str, mut list: PhraseList| {
        list.title = format!("{what} under `[{}]`:", D::TABLE);
        list
    };
    let timers = D::TIMERS.join(", ");
    let claims = format!("What can be claimed of peers (their timers: {timers})");
    [
        titled("What peers can be given before they start", {
            list("", "given PEERS ", &D::facts())
        }),
        titled("What peers can be asked", {
            list("", "ask PEERS to ", &D::asks())
        }),
        titled(&claims, list("", "assert PEERS ", &D::claims())),
    ]
}

/// The steps of a story; every line that is none is noted.
fn steps<D: Grammar>(node: &Node, text: &str, reader: &mut Reader<'_>) -> Option<Vec<Step<D>>> {
    let before = reader.count();
    let peers = reader.world.peers.clone();
    let lexicon = Lexicon {
        peers: &peers,
        kinds: <<D::Protocol as Protocol>::Message as Message>::KINDS,
        timers: D::TIMERS,
    };
    let mut steps = Vec::new();
    let mut lives = Lives::default();
    let mut understood = true;
    let mut offset = 0;
    for line in text.split_inclusive('\n') {
        let tokens = tokens(line, offset);
        offset += line.len();
        let (Some(first), Some(last)) = (tokens.first(), tokens.last()) else {
            continue;
        };
        let whole = reader.inside(node, text, first.span.start..last.span.end);
        if let Some(deed) = step::<D>(&tokens, &lexicon, (node, text), reader) {
            if let Deed::Assert(Claim::Invariant { name, .. }) = &deed {
                reader.mention(NameKind::Invariant, name, whole);
            }
            if understood {
                lives.follow(&deed, whole, &peers, reader);
            }
            let text = joined(&tokens);
            steps.push(Step { text, deed });
        } else {
            understood = false;
        }
    }
    if steps.is_empty() && reader.count() == before {
        reader.refuse(node.place, "an empty story", "at least one step");
    }
    (reader.count() == before).then_some(steps)
}

fn step<D: Grammar>(
    tokens: &[Token<'_>],
    lexicon: &Lexicon<'_>,
    (node, text): (&Node, &str),
    reader: &mut Reader<'_>,
) -> Option<Deed<D>> {
    let is_strange = |c: char| matches!(c, '"' | '\\') || c.is_control();
    if let Some(strange) = tokens.iter().find(|token| token.text.contains(is_strange)) {
        let place = reader.inside(node, text, strange.span.clone());
        let right = "quotes, backslashes and control characters have no place in a story";
        reader.refuse(place, "this is no word", right);
        return None;
    }
    let mut line = Line::new(tokens, lexicon);
    let deed = verbs::deed::<D>(&mut line);
    if deed.is_none() {
        let stuck = line.stuck();
        let place = reader.inside(node, text, stuck.span.clone());
        refuse(place, &stuck, reader);
    }
    deed
}

/// Words listed at a mistake at most.
const LISTED: usize = 12;

fn refuse(place: Place, stuck: &Stuck, reader: &mut Reader<'_>) {
    let words = stuck.words.iter().map(|word| format!("`{word}`"));
    let things = stuck.things.iter().map(|thing| (*thing).to_owned());
    let mut wanted: Vec<String> = words.chain(things).collect();
    if wanted.len() > LISTED {
        wanted.truncate(LISTED);
        wanted.push("...".to_owned());
    }
    let label = format!("expected {}", wanted.join(", "));
    let message = match stuck.found.as_str() {
        "" => "the step ends too early".to_owned(),
        found => format!("`{found}` does not fit here"),
    };
    let names: Vec<&str> = stuck.words.iter().map(String::as_str).collect();
    reader.refuse_word(place, message, label, (&stuck.found, &names));
}

/// Who runs at which step, so that nobody starts twice or crashes while down.
#[derive(Default)]
struct Lives(BTreeMap<PeerId, bool>);

impl Lives {
    fn follow<D: Dialect>(
        &mut self,
        deed: &Deed<D>,
        place: Place,
        specs: &[PeerSpec],
        reader: &mut Reader<'_>,
    ) {
        let mut must = |peers: &[PeerId], was: Option<bool>, is: Option<bool>, why: &str| {
            for peer in peers {
                if self.0.get(peer).copied() != was {
                    let name = &specs[peer.index()].nickname;
                    reader.refuse(place, format!("`{name}` {why}"), "");
                }
                if let Some(is) = is {
                    self.0.insert(*peer, is);
                }
            }
        };
        let (down, up) = (Some(false), Some(true));
        match deed {
            Deed::Given { peers, .. } => must(peers, None, None, "has started already"),
            Deed::Start(peers) => must(peers, None, up, "has started already"),
            Deed::Life { peers, turn } => match turn {
                Turn::Crash | Turn::Wipe => must(peers, up, down, "does not run"),
                Turn::Restart => must(peers, down, up, "is not down after a crash"),
                Turn::Pause | Turn::Resume => must(peers, up, up, "does not run"),
            },
            Deed::Tick { peers, .. }
            | Deed::Expire { peers, .. }
            | Deed::Sync(peers)
            | Deed::Ask { peers, .. } => {
                let idle: Vec<PeerId> = peers.clone();
                must(&idle, up, None, "does not run");
            }
            Deed::Carry { .. } | Deed::Cut(_) | Deed::Connect(_) | Deed::Assert(_) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A phrase said in full or with everything left out that may be.
    fn said(pattern: &str, in_full: bool, lexicon: &Lexicon<'_>) -> String {
        let mut text = String::new();
        let mut is_left_out = false;
        for word in pattern.split(' ') {
            is_left_out |= word.starts_with('[') && !in_full;
            let bare = word.trim_matches(['[', ']']);
            let filled = match bare {
                "PEER" => "a",
                "PEERS" => "a, b",
                "NUMBER" => "7",
                "NUMBERS" => "[1, 2]",
                "SPAN" => "5ms",
                "VALUE" => "red",
                "INVARIANT" => "raft/log-matching",
                "INCARNATION" => "1.0",
                "KIND" => lexicon.kinds[0],
                "TIMER" => lexicon.timers[0],
                other => other.split('|').next().unwrap_or_default(),
            };
            if !is_left_out {
                text += &format!(" {filled}");
            }
            is_left_out &= !word.ends_with(']');
        }
        text
    }

    fn all_can_be_said<D: Grammar>() {
        let peer = |name: &str| PeerSpec {
            nickname: name.to_owned(),
            organisation: String::new(),
            region: String::new(),
            role: crate::spec::Role::Member,
            starts_at: fedsim_protocols::SimDuration::ZERO,
        };
        let lexicon = Lexicon {
            peers: &[peer("a"), peer("b")],
            kinds: <<D::Protocol as Protocol>::Message as Message>::KINDS,
            timers: D::TIMERS,
        };
        let lists = [
            list("", "", &verbs::verbs::<D>()),
            list("", "assert", &verbs::general_claims::<D>()),
            list("", "given a, b", &D::facts()),
            list("", "ask a to", &D::asks()),
            list("", "assert a, b", &D::claims()),
        ];
        for list in &lists {
            for phrase in &list.phrases {
                for in_full in [true, false] {
                    let text = said(phrase.name, in_full, &lexicon);
                    let text = format!("{}{text}", list.prefix);
                    let deed = |text: &str| {
                        let tokens = tokens(text, 0);
                        let mut line = Line::new(&tokens, &lexicon);
                        let deed = verbs::deed::<D>(&mut line);
                        deed.map(|deed| (deed, joined(&tokens)))
                    };
                    let (read, canonical) = deed(&text).unwrap_or_else(|| panic!("{text}"));
                    assert_eq!(deed(&canonical), Some((read, canonical.clone())), "{text}");
                }
            }
        }
    }

    #[test]
    fn every_phrase_of_the_reference_page_is_understood_and_reads_back() {
        // The pattern is all that the page shows; a value built from other slots than it has would
        // panic here.
        all_can_be_said::<RaftWords>();
        all_can_be_said::<SwimWords>();
        all_can_be_said::<RumorWords>();
        all_can_be_said::<PbftWords>();
    }
}
