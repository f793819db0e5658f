//! Phrases: what a line of a story can look like, and how a line is held against that.
//!
//! A pattern is what the reference page prints: small words stand for themselves, `a|b` for either,
//! words in capitals for something to be filled in, and what stands in brackets may be left out.
//! Must not know what any phrase means.

use std::ops::Range;

use fedsim_protocols::{PeerId, SimDuration};

use crate::layer::quantity::duration;
use crate::spec::PeerSpec;
use crate::spec::peers::slots_matching;

/// One word or sign, and the bytes of the story at which it stands.
#[derive(Clone, Debug)]
pub(super) struct Token<'a> {
    pub(super) text: &'a str,
    pub(super) span: Range<usize>,
}

/// Signs that are tokens of their own.
const SIGNS: [char; 4] = [',', '=', '[', ']'];

/// The tokens of a line that begins `offset` bytes into the story; a remark ends it.
pub(super) fn tokens(line: &str, offset: usize) -> Vec<Token<'_>> {
    let mut tokens = Vec::new();
    let mut rest = line;
    while let Some(first) = rest.trim_start().chars().next().filter(|c| *c != '#') {
        rest = rest.trim_start();
        let ends = |c: char| c.is_whitespace() || SIGNS.contains(&c);
        let length = match SIGNS.contains(&first) {
            true => first.len_utf8(),
            false => rest.find(ends).unwrap_or(rest.len()),
        };
        let start = offset + line.len() - rest.len();
        let (text, after) = rest.split_at(length);
        let span = start..start + length;
        tokens.push(Token { text, span });
        rest = after;
    }
    tokens
}

/// The tokens as one line with single blanks.
pub(super) fn joined(tokens: &[Token<'_>]) -> String {
    let mut line = String::new();
    for token in tokens {
        let close = line.is_empty() || line.ends_with('[') || matches!(token.text, "," | "]");
        if !close {
            line.push(' ');
        }
        line.push_str(token.text);
    }
    line
}

/// A pattern, what a line like it says, and the value it stands for.
pub(super) struct Phrase<T> {
    pub(super) pattern: &'static str,
    pub(super) about: &'static str,
    pub(super) build: fn(&mut Arguments) -> T,
}

/// What was filled in, in the order of the pattern.
#[derive(Debug, Default)]
pub(super) struct Arguments(Vec<Argument>);

#[derive(Debug)]
enum Argument {
    Word(String),
    Peers(Vec<PeerId>),
    Number(u64),
    Numbers(Vec<u64>),
    Span(SimDuration),
    Kind(usize),
    Absent,
}

/// Takes the first argument as one of a kind.
macro_rules! takes {
    ($($name:ident: $kind:ident -> $type:ty;)*) => {$(
        pub(super) fn $name(&mut self) -> Option<$type> {
            match self.0.remove(0) {
                Argument::$kind(value) => Some(value),
                Argument::Absent => None,
                other => panic!("BUG: a phrase is built from {other:?}"),
            }
        }
    )*};
}

impl Arguments {
    takes! {
        word: Word -> String;
        some_peers: Peers -> Vec<PeerId>;
        some_number: Number -> u64;
        some_numbers: Numbers -> Vec<u64>;
        some_span: Span -> SimDuration;
        kind: Kind -> usize;
    }

    /// Peers that cannot be left out; likewise below.
    pub(super) fn peers(&mut self) -> Vec<PeerId> {
        self.some_peers().unwrap_or_default()
    }

    pub(super) fn peer(&mut self) -> PeerId {
        self.peers()[0]
    }

    pub(super) fn number(&mut self) -> u64 {
        self.some_number().unwrap_or_default()
    }

    pub(super) fn numbers(&mut self) -> Vec<u64> {
        self.some_numbers().unwrap_or_default()
    }

    pub(super) fn span(&mut self) -> SimDuration {
        self.some_span().unwrap_or_default()
    }

    pub(super) fn text(&mut self) -> String {
        self.word().unwrap_or_default()
    }
}

/// The names that slots of a phrase may be filled with.
pub(super) struct Lexicon<'a> {
    pub(super) peers: &'a [PeerSpec],
    pub(super) kinds: &'static [&'static str],
    pub(super) timers: &'static [&'static str],
}

/// A line that is read from left to right.
pub(super) struct Line<'a> {
    pub(super) tokens: &'a [Token<'a>],
    lexicon: &'a Lexicon<'a>,
    at: usize,
    /// How far any attempt came, and what would have been right there: words, and descriptions.
    far: usize,
    words: Vec<String>,
    things: Vec<&'static str>,
}

/// Why a line is none of its phrases.
pub(super) struct Stuck {
    /// The bytes of the story that do not fit.
    pub(super) span: Range<usize>,
    /// The word there, empty at the end of the line.
    pub(super) found: String,
    /// Words that would fit.
    pub(super) words: Vec<String>,
    /// Other things that would.
    pub(super) things: Vec<&'static str>,
}

impl<'a> Line<'a> {
    pub(super) fn new(tokens: &'a [Token<'a>], lexicon: &'a Lexicon<'a>) -> Self {
        Self {
            tokens,
            lexicon,
            at: 0,
            far: 0,
            words: Vec::new(),
            things: Vec::new(),
        }
    }

    fn peek(&self) -> Option<&'a str> {
        self.tokens.get(self.at).map(|token| token.text)
    }

    /// Notes at the furthest place what would fit there.
    fn advances(&mut self) -> bool {
        if self.at > self.far {
            self.far = self.at;
            self.words.clear();
            self.things.clear();
        }
        self.at == self.far
    }

    fn wants_word(&mut self, word: &str) {
        if self.advances() && self.words.iter().all(|known| known != word) {
            self.words.push(word.to_owned());
        }
    }

    fn wants(&mut self, thing: &'static str) {
        if self.advances() && !self.things.contains(&thing) {
            self.things.push(thing);
        }
    }

    /// Whether everything was read.
    pub(super) fn is_over(&mut self) -> bool {
        let over = self.at == self.tokens.len();
        if !over {
            self.wants("the end of the line");
        }
        over
    }

    /// Where the line does not go on as any phrase does.
    pub(super) fn stuck(self) -> Stuck {
        let end = self.tokens.last().map_or(0, |token| token.span.end);
        let token = self.tokens.get(self.far);
        Stuck {
            span: token.map_or(end..end, |token| token.span.clone()),
            found: token.map_or_else(String::new, |token| token.text.to_owned()),
            words: self.words,
            things: self.things,
        }
    }

    /// Reads this word.
    pub(super) fn literal(&mut self, word: &str) -> bool {
        let found = self.peek() == Some(word);
        match found {
            true => self.at += 1,
            false => self.wants_word(word),
        }
        found
    }

    /// Reads the first of these phrases that fits.
    pub(super) fn any<T>(&mut self, phrases: &[Phrase<T>]) -> Option<T> {
        phrases.iter().find_map(|phrase| {
            let start = self.at;
            let mut arguments = Arguments::default();
            if self.pattern(phrase.pattern, &mut arguments) {
                return Some((phrase.build)(&mut arguments));
            }
            self.at = start;
            None
        })
    }

    fn pattern(&mut self, pattern: &'static str, into: &mut Arguments) -> bool {
        let mut rest = pattern;
        while !rest.is_empty() {
            let (item, after) = match rest.strip_prefix('[') {
                Some(inner) => inner.split_once(']').expect("BUG: an open bracket"),
                None => rest.split_once(' ').unwrap_or((rest, "")),
            };
            let optional = rest.starts_with('[');
            if !(if optional {
                self.optional(item, into)
            } else {
                self.item(item, into)
            }) {
                return false;
            }
            rest = after.trim_start();
        }
        true
    }

    /// A group that may be left out; what it would have filled in is absent then.
    fn optional(&mut self, group: &'static str, into: &mut Arguments) -> bool {
        let (start, before) = (self.at, into.0.len());
        let is_flag = !group.contains(|c: char| c.is_uppercase() || c == '|');
        let whole = group.split(' ').all(|item| self.item(item, into));
        if whole && is_flag {
            into.0.push(Argument::Word(group.to_owned()));
        }
        if !whole {
            self.at = start;
            into.0.truncate(before);
            let fills = |item: &&str| item.contains(|c: char| c.is_uppercase() || c == '|');
            let absent = group.split(' ').filter(fills).count() + usize::from(is_flag);
            into.0.extend((0..absent).map(|_| Argument::Absent));
        }
        true
    }

    fn item(&mut self, item: &'static str, into: &mut Arguments) -> bool {
        if item.starts_with(|c: char| c.is_uppercase()) {
            let argument = self.slot(item);
            let filled = argument.is_some();
            into.0.extend(argument);
            return filled;
        }
        if !item.contains('|') {
            return self.literal(item);
        }
        let chosen = item.split('|').find(|word| self.literal(word));
        into.0
            .extend(chosen.map(|word| Argument::Word(word.to_owned())));
        chosen.is_some()
    }

    fn slot(&mut self, slot: &'static str) -> Option<Argument> {
        match slot {
            "PEER" => self.peer().map(|peer| Argument::Peers(vec![peer])),
            "PEERS" => self.peers().map(Argument::Peers),
            "NUMBER" => self.parsed("a number", |text| text.parse().ok().map(Argument::Number)),
            "NUMBERS" => self.numbers().map(Argument::Numbers),
            "SPAN" => self.parsed("a duration such as 50ms", |text| {
                duration().value_of(text).ok().map(Argument::Span)
            }),
            "INCARNATION" => self.parsed("an incarnation such as 1.0", |text| {
                let (generation, count) = text.split_once('.')?;
                let (generation, count) = (generation.parse::<u32>(), count.parse::<u32>());
                let number = u64::from(generation.ok()?) << 32 | u64::from(count.ok()?);
                Some(Argument::Number(number))
            }),
            "VALUE" => self.parsed("a word", |text| {
                let is_word = !text.starts_with(SIGNS);
                is_word.then(|| Argument::Word(text.to_owned()))
            }),
            "INVARIANT" => self.parsed("an invariant such as raft/log-matching", |text| {
                text.contains('/').then(|| Argument::Word(text.to_owned()))
            }),
            "KIND" => self.named(self.lexicon.kinds).map(Argument::Kind),
            "TIMER" => {
                let timers = self.lexicon.timers;
                let place = self.named(timers)?;
                Some(Argument::Word(timers[place].to_owned()))
            }
            other => panic!("BUG: a phrase has a slot {other}"),
        }
    }

    fn parsed<T>(&mut self, what: &'static str, parse: impl Fn(&str) -> Option<T>) -> Option<T> {
        let parsed = self.peek().and_then(parse);
        match parsed {
            Some(_) => self.at += 1,
            None => self.wants(what),
        }
        parsed
    }

    fn named(&mut self, names: &[&'static str]) -> Option<usize> {
        names.iter().position(|name| self.literal(name))
    }

    fn numbers(&mut self) -> Option<Vec<u64>> {
        if !self.literal("[") {
            return None;
        }
        let mut numbers = Vec::new();
        if self.literal("]") {
            return Some(numbers);
        }
        loop {
            numbers.push(self.parsed("a number", |text| text.parse().ok())?);
            if self.literal("]") {
                return Some(numbers);
            }
            if !self.literal(",") {
                return None;
            }
        }
    }

    /// Peers by name, by glob, or `all`; several with commas between them.
    pub(super) fn peers(&mut self) -> Option<Vec<PeerId>> {
        let mut peers = self.some_peers()?;
        loop {
            let before = self.at;
            if !self.literal(",") {
                break;
            }
            match self.some_peers() {
                Some(more) => peers.extend(more),
                None => {
                    self.at = before;
                    break;
                }
            }
        }
        peers.sort_unstable();
        peers.dedup();
        Some(peers)
    }

    fn some_peers(&mut self) -> Option<Vec<PeerId>> {
        let found = self.peek().map(|text| match text {
            "all" => slots_matching(self.lexicon.peers, "*"),
            glob => slots_matching(self.lexicon.peers, glob),
        });
        match found.filter(|peers| !peers.is_empty()) {
            Some(peers) => {
                self.at += 1;
                Some(peers)
            }
            None => {
                self.wants_peer();
                None
            }
        }
    }

    fn peer(&mut self) -> Option<PeerId> {
        let named = |(_, peer): &(PeerId, &PeerSpec)| Some(peer.nickname.as_str()) == self.peek();
        let peer = (0..).map(PeerId).zip(self.lexicon.peers).find(named);
        match peer {
            Some(_) => self.at += 1,
            None => self.wants_names(),
        }
        peer.map(|(peer, _)| peer)
    }

    fn wants_peer(&mut self) {
        self.wants_word("all");
        self.wants_names();
    }

    fn wants_names(&mut self) {
        for peer in self.lexicon.peers {
            self.wants_word(&peer.nickname);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_keeps_its_words_and_loses_its_blanks_and_remarks() {
        // Spans must give back exactly the words, wherever the line stands in the story.
        let story = "start  s1 ,s2 # both\nassert s1 log=[1,2]";
        let second = story.find("assert").expect("it is there");
        let first = tokens(&story[..second], 0);
        assert_eq!(joined(&first), "start s1, s2");
        let tokens = tokens(&story[second..], second);
        assert_eq!(joined(&tokens), "assert s1 log = [1, 2]");
        for token in first.iter().chain(&tokens) {
            assert_eq!(&story[token.span.clone()], token.text);
        }
    }
}
