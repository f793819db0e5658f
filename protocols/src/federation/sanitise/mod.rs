//! Sanitisation: what must not leave is removed before it is signed, sent or hashed.
//!
//! [`Sanitiser::scrub`] finds personal data and secrets in a document ([`Kind`]), asks the
//! [`Policy`] what is done about each at the receiver's trust level ([`Action`]), and gives the text
//! that may leave, or none. The text is the document with pieces cut out of it: JSON stays JSON,
//! and every byte that nothing was found in stays what it was. A decided action goes through
//! [`Sanitiser::scrub_for_all`] once, before its digest. Must not know who sends, or over what.
//!
//! Start at [`Policy`] for what is done, at [`detect`] for what is found.

pub mod detect;
mod policy;
mod pseudonym;

pub use super::kind::Kind;
pub use policy::{Action, Policy};
pub use pseudonym::PairKey;

use std::marker::PhantomData;
use std::ops::Range;
use std::sync::Arc;

use super::rules::{Rules, Strict};
use super::terms::Level;
use super::unmask::{self, Part, Place, Sink};
use detect::{Detector, Hit};

/// Finds and removes; shared by all who use the same policy.
#[derive(Clone, Debug)]
pub struct Sanitiser<R = Strict> {
    detector: Arc<Detector>,
    policy: Policy,
    rules: PhantomData<R>,
}

/// What was found at one place of a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Finding {
    /// What it is.
    pub kind: Kind,
    /// What the policy does about it.
    pub action: Action,
    /// Its first byte in the document.
    pub start: u32,
    /// The byte after its last.
    pub end: u32,
    /// Whether it was in disguise: not readable in the document as it stood.
    pub is_hidden: bool,
}

/// What became of a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scrubbed {
    /// The text that may leave; `None` if nothing may.
    pub text: Option<String>,
    /// What was found, in order of place.
    pub findings: Vec<Finding>,
}

impl Scrubbed {
    /// Whether nothing may leave.
    pub fn is_blocked(&self) -> bool {
        self.text.is_none()
    }
}

/// A finding with what it takes to replace it.
#[derive(Clone, Debug)]
struct Found {
    finding: Finding,
    /// Whether its place is only known to be somewhere in an encoded run.
    is_coarse: bool,
    /// What a pseudonym is made from; empty where there is none.
    value: String,
    place: Place,
    /// The quotes that it takes, where it takes any.
    quote: Option<String>,
}

impl<R: Rules> Sanitiser<R> {
    /// A sanitiser of this policy.
    pub fn new(detector: Arc<Detector>, policy: Policy) -> Self {
        Self {
            detector,
            policy,
            rules: PhantomData,
        }
    }

    /// What is done about what.
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// What of `document` may leave for receivers of this level. Pseudonyms are those of `pair`.
    pub fn scrub(&self, document: &str, level: Level, pair: &PairKey) -> Scrubbed {
        let mut search = Search {
            detector: &self.detector,
            policy: &self.policy,
            level,
            hits: Vec::new(),
            scratch: detect::Scratch::default(),
            found: Vec::new(),
            places: Vec::new(),
            sorted: 0,
            rules: PhantomData::<R>,
        };
        unmask::read::<R>(document, &mut search);
        let found = resolved(search.found);
        let findings: Vec<Finding> = found.iter().map(|one| one.finding).collect();
        let is_blocked = findings.iter().any(|one| one.action == Action::Block);
        let text = (!R::refuses_blocked(is_blocked)).then(|| apply(document, found, pair));
        Scrubbed { text, findings }
    }

    /// What of `document` may leave for a whole roster: what its least trusted member may see.
    ///
    /// All members must hold the same bytes, so this is done once, before the digest that they
    /// decide on. A roster of nobody is trusted with nothing.
    pub fn scrub_for_all(
        &self,
        document: &str,
        roster: impl IntoIterator<Item = Level>,
        pair: &PairKey,
    ) -> Scrubbed {
        let levels: Vec<Level> = roster.into_iter().collect();
        self.scrub(document, R::level_of_roster(&levels), pair)
    }
}

/// One document being searched.
struct Search<'a, R> {
    detector: &'a Detector,
    policy: &'a Policy,
    level: Level,
    hits: Vec<Hit>,
    scratch: detect::Scratch,
    found: Vec<Found>,
    /// What was found where, to look it up.
    places: Vec<(Kind, u32, u32)>,
    /// How many of these are in order.
    sorted: usize,
    rules: PhantomData<R>,
}

impl<R: Rules> Sink for Search<'_, R> {
    fn part(&mut self, part: &Part<'_>) {
        self.hits.clear();
        if !part.joints.is_empty() {
            self.places.sort_unstable();
            self.sorted = self.places.len();
        }
        self.detector
            .detect::<R>(part, &mut self.scratch, &mut self.hits);
        for index in 0..self.hits.len() {
            let hit = self.hits[index];
            match part.joints.is_empty() {
                true => self.found(hit, part, part.view.origin(hit.start, hit.end)),
                false => self.found_across(hit, part),
            }
        }
    }
}

impl<R: Rules> Search<'_, R> {
    fn found(&mut self, hit: Hit, part: &Part<'_>, (start, end): (u32, u32)) {
        let value = &part.view.text[hit.start..hit.end];
        let action = R::action_taken(self.policy.action(hit.kind, self.level));
        self.places.push((hit.kind, start, end));
        self.found.push(Found {
            finding: Finding {
                kind: hit.kind,
                action,
                start,
                end,
                is_hidden: (end - start) as usize != value.len() || !part.joints.is_empty(),
            },
            is_coarse: part.view.is_coarse(),
            value: match action {
                Action::Pseudonymise => value.to_owned(),
                Action::Pass | Action::Redact | Action::Block => String::new(),
            },
            place: part.place,
            quote: (part.place == Place::Number).then(|| part.quote.to_owned()),
        });
    }

    /// A text that was split counts where its pieces stand; one in a single field was found there.
    fn found_across(&mut self, hit: Hit, part: &Part<'_>) {
        let pieces: Vec<Piece> = pieces(hit, part).collect();
        let [first, rest @ ..] = pieces.as_slice() else {
            return;
        };
        let Some(next) = rest.first() else {
            return;
        };
        let text = |piece: &Piece| &part.view.text[piece.text.clone()];
        let is_found = |piece: &Piece| {
            let (start, end) = piece.place;
            let place = (hit.kind, start, end);
            self.places[..self.sorted].binary_search(&place).is_ok()
        };
        // What is whole in its own field is not made longer by what stands in the next ones.
        let begins_whole = is_found(first) && !detect::goes_on(hit.kind, text(first), text(next));
        if begins_whole || rest.iter().any(is_found) {
            return;
        }
        for piece in pieces {
            self.found(hit, part, piece.place);
        }
    }
}

/// A piece of a text that was split over fields.
#[derive(Clone, Debug)]
struct Piece {
    /// Its place in the joined text.
    text: Range<usize>,
    /// Its place in the document.
    place: (u32, u32),
}

fn pieces<'a>(hit: Hit, part: &'a Part<'_>) -> impl Iterator<Item = Piece> + 'a {
    let first = part
        .joints
        .partition_point(|joint| joint.at as usize <= hit.start);
    let mut from = hit.start;
    part.joints[first..].iter().map_while(move |joint| {
        let to = hit.end.min(joint.at as usize);
        let (start, mut end) = part.view.origin(from, to);
        if to == joint.at as usize && !part.view.is_coarse() {
            end = joint.ends;
        }
        let text = from..to;
        from = to;
        (!text.is_empty()).then_some(Piece {
            text,
            place: (start, end),
        })
    })
}

/// How many earlier findings a finding is held against.
const NEIGHBOURS: usize = 8;

/// Leaves one of what was found several times: what is part of something is not found beside it.
///
/// What was found in an encoded run stays beside whatever else is in there.
fn resolved(mut found: Vec<Found>) -> Vec<Found> {
    found.sort_by_key(|one| {
        let Finding {
            start, end, kind, ..
        } = one.finding;
        (start, std::cmp::Reverse(end), kind)
    });
    let mut kept: Vec<Found> = Vec::with_capacity(found.len());
    for one in found {
        let is_part_of = |other: &Found| {
            let is_held = other.finding.kind.holds(one.finding.kind);
            let is_same = other.finding.kind == one.finding.kind;
            one.finding.end <= other.finding.end && is_held && (is_same || !one.is_coarse)
        };
        if !kept.iter().rev().take(NEIGHBOURS).any(is_part_of) {
            kept.push(one);
        }
    }
    kept
}

/// The document with every finding replaced that does not pass. Overlapping ones are one, as strict
/// as the strictest.
fn apply(document: &str, found: Vec<Found>, pair: &PairKey) -> String {
    let mut out = String::with_capacity(document.len());
    let (mut at, mut keys) = (0, 0);
    let acted_on = |one: &Found| one.finding.action != Action::Pass;
    let mut found = found.into_iter().filter(acted_on).peekable();
    while let Some(mut one) = found.next() {
        while let Some(next) = found.next_if(|next| next.finding.start < one.finding.end) {
            one = merged(one, next);
        }
        keys += usize::from(one.place == Place::Key);
        out.push_str(&document[at..one.finding.start as usize]);
        replace(&one, keys, pair, &mut out);
        at = one.finding.end as usize;
    }
    out.push_str(&document[at..]);
    out
}

fn merged(one: Found, other: Found) -> Found {
    let start = one.finding.start.min(other.finding.start);
    let end = one.finding.end.max(other.finding.end);
    let rank = |found: &Found| (found.finding.action, std::cmp::Reverse(found.finding.kind));
    let mut strict = if rank(&one) >= rank(&other) {
        one
    } else {
        other
    };
    (strict.finding.start, strict.finding.end) = (start, end);
    strict
}

/// What stands where something was cut out. It needs no escaping at any depth of quoting.
fn replace(found: &Found, keys: usize, pair: &PairKey, out: &mut String) {
    let quote = found.quote.as_deref().unwrap_or("");
    out.push_str(quote);
    out.push('[');
    if found.finding.action == Action::Pseudonymise {
        out.push_str(found.finding.kind.name());
        out.push(':');
        out.push_str(&pair.pseudonym(found.finding.kind, &found.value));
    } else {
        out.push_str(detect::REDACTED);
        out.push_str(found.finding.kind.name());
        // Two names of one object must stay two names.
        if found.place == Place::Key && keys > 1 {
            out.push_str(&format!(":{keys}"));
        }
    }
    out.push(']');
    out.push_str(quote);
}

#[cfg(test)]
mod tests;
