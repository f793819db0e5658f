//! Prompt-injection screening, of what comes in and of what goes out.
//!
//! A table of `table::PHRASES` and literals, each with a weight, over the same readings of a
//! document that sanitisation uses, so that a disguise helps against neither. What weighs enough
//! together is refused. A phrase is a sequence of words with at most so many others between, so
//! one pass over the words finds all of them: linear time, no state from document to document.
//!
//! A rule set knows the phrases it knows. How much it misses is measured by `benches/privacy.rs` on
//! sentences that it was not written for; it is one layer, and no reason to drop another. Must not
//! know who is on the other side.

mod phrases;
mod table;

pub use table::Category;

use std::marker::PhantomData;
use std::sync::Arc;

use aho_corasick::AhoCorasick;

use super::rules::{Rules, Strict};
use super::unmask::{self, Part, Sink};
use phrases::Phrases;

/// Which way a document goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Direction {
    /// From another peer to an agent of ours.
    Inbound,
    /// From an agent of ours to another peer: ours may have been taken over.
    Outbound,
}

/// Something at one place that speaks to the agent instead of to its task.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Suspicion {
    /// Its first byte in the document.
    pub start: u32,
    /// The byte after its last.
    pub end: u32,
    /// What it tries.
    pub category: Category,
    /// How much it weighs: [`REFUSED_FROM`] is enough alone.
    pub weight: u32,
}

/// The weight from which a document is refused.
pub const REFUSED_FROM: u32 = 2;

/// What was thought of a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Screened {
    /// Whether it must not be handed on.
    pub is_refused: bool,
    /// What was suspicious, in order of place.
    pub suspicions: Vec<Suspicion>,
}

/// The compiled table. Building one takes milliseconds, so it is shared.
#[derive(Debug)]
pub struct Patterns {
    phrases: Phrases,
    literals: AhoCorasick,
}

impl Default for Patterns {
    fn default() -> Self {
        let literals = AhoCorasick::builder()
            .ascii_case_insensitive(true)
            .build(table::LITERALS.iter().map(|literal| literal.0))
            .expect("BUG: the literals make an automaton");
        Self {
            phrases: Phrases::new(),
            literals,
        }
    }
}

/// Screens documents; shared by all peers with the same rules.
#[derive(Clone, Debug)]
pub struct Screen<R = Strict> {
    patterns: Arc<Patterns>,
    rules: PhantomData<R>,
}

impl<R: Rules> Screen<R> {
    /// A screen with this table.
    pub fn new(patterns: Arc<Patterns>) -> Self {
        Self {
            patterns,
            rules: PhantomData,
        }
    }

    /// What to think of `document` on its way.
    pub fn screen(&self, document: &str, direction: Direction) -> Screened {
        let mut search = Search {
            patterns: &self.patterns,
            suspicions: Vec::new(),
        };
        search.tags(document);
        unmask::read::<R>(document, &mut search);
        let mut suspicions = search.suspicions;
        suspicions.sort_unstable();
        suspicions.dedup();
        // One place read in two ways is one suspicion, as heavy as the heavier.
        suspicions.dedup_by(|next, kept| {
            let is_same = next.category == kept.category && next.start < kept.end;
            if is_same {
                kept.end = kept.end.max(next.end);
                kept.weight = kept.weight.max(next.weight);
            }
            is_same
        });
        let weight = suspicions.iter().map(|one| one.weight).sum();
        Screened {
            is_refused: R::refuses_content(direction, weight, REFUSED_FROM),
            suspicions,
        }
    }
}

/// Fewest tag characters that spell something.
const TAGS_MIN: usize = 4;

struct Search<'a> {
    patterns: &'a Patterns,
    suspicions: Vec<Suspicion>,
}

impl Search<'_> {
    /// Tag characters are invisible and spell ASCII; nobody writes them by hand.
    fn tags(&mut self, document: &str) {
        if !document
            .as_bytes()
            .windows(2)
            .any(|pair| pair == [0xf3, 0xa0])
        {
            return;
        }
        let is_tag = |c: char| ('\u{e0020}'..='\u{e007e}').contains(&c);
        let mut tags = document.char_indices().filter(|(_, c)| is_tag(*c));
        let first = tags.next();
        let last = tags.clone().next_back();
        if let (Some((start, _)), Some((end, c))) = (first, last)
            && tags.count() + 1 >= TAGS_MIN
        {
            self.suspicions.push(Suspicion {
                start: start as u32,
                end: (end + c.len_utf8()) as u32,
                category: Category::Hidden,
                weight: REFUSED_FROM,
            });
        }
    }
}

impl Sink for Search<'_> {
    fn part(&mut self, part: &Part<'_>) {
        let text = part.view.text;
        let suspicions = &mut self.suspicions;
        let mut suspect = |category, weight, start, end| {
            let (start, end) = part.view.origin(start, end);
            suspicions.push(Suspicion {
                start,
                end,
                category,
                weight,
            });
        };
        for found in self.patterns.literals.find_iter(text) {
            let (_, category, weight) = table::LITERALS[found.pattern().as_usize()];
            suspect(category, weight, found.start(), found.end());
        }
        self.patterns.phrases.find(text, &mut suspect);
    }
}

#[cfg(test)]
mod tests;
