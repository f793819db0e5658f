//! Postal addresses: the name of a street beside a number, with town and code if they follow.
//!
//! Must not know persons.

use regex::Regex;

use super::Hit;
use super::vocabulary::{Known, Word};
use crate::federation::kind::Kind;
use crate::federation::unmask::boundary_before;

/// How far before the word for a street its number may stand, in bytes.
const REACH: usize = 56;

/// A number and one to four words of a street's name, up to the word for a street.
const BEFORE: &str = concat!(
    r"(?:^|[^\w.])(\d{1,6}(?:[-/]\d{1,4})?[A-Za-z]?,?\s{1,2}",
    r"(?:(?:[NSEWnsew]\.?|\d{1,3}(?:st|nd|rd|th)|[A-Z][A-Za-z'.-]{0,20}|of|the)\s){1,4})$",
);

/// Flat, town, state and code after a street.
const AFTER: &str = concat!(
    r"^\.?(?:\s(?:N|S|E|W|NE|NW|SE|SW)\b)?",
    r"(?:,?\s{0,2}(?:(?:Apt|Apartment|Suite|Ste|Unit|Floor|Fl|Flat|Room|Rm)\b\.?\s?#?|#\s?)\w{1,6})?",
    r"(?:,\s?[A-Z][A-Za-z'.-]{1,20}(?:\s[A-Z][A-Za-z'.-]{1,20}){0,2})?",
    r"(?:,?\s[A-Z]{2}\b)?(?:,?\s(?:\d{5}(?:-\d{4})?|[A-Z]{1,2}\d[A-Z\d]?\s\d[A-Z]{2})\b)?",
);

/// Number, code and town after a street whose name comes first.
const NUMBER_AFTER: &str = concat!(
    r"^\.?,?\s\d{1,4}\s?[a-z]?\b",
    r"(?:,?\s(?:[A-Z]{1,2}-)?\d{4,5}\s[A-Z][\w'-]{1,20}(?:\s[A-Z][\w'-]{1,20})?)?",
);

/// The name of a street after the word for one.
const NAME_AFTER: &str = r"^(?:\s(?:d[eu]s?\s|della?\s|di\s|la\s|l'|les?\s|da\s|do\s|el\s){0,2}[A-Z\x{80}-\x{10ffff}][\w'-]{1,24}){1,3}";

/// A box at the post office.
const BOX_BEFORE: &str = r"(?i)\bp\.?\s?o\.?\s$";

/// Ends of German words for streets.
const STREET_ENDS: [&str; 8] = [
    "straße", "strasse", "weg", "allee", "gasse", "platz", "ufer", "damm",
];

/// The compiled rules.
#[derive(Debug)]
pub(super) struct Addresses {
    before: Regex,
    after: Regex,
    number_after: Regex,
    name_after: Regex,
    box_before: Regex,
}

impl Addresses {
    pub(super) fn new() -> Self {
        let compile = |pattern| Regex::new(pattern).expect("BUG: the pattern compiles");
        Self {
            before: compile(BEFORE),
            after: compile(AFTER),
            number_after: compile(NUMBER_AFTER),
            name_after: compile(NAME_AFTER),
            box_before: compile(BOX_BEFORE),
        }
    }

    /// Appends the addresses around `words`.
    pub(super) fn find(&self, text: &str, words: &[Word], hits: &mut Vec<Hit>) {
        for word in words {
            let span = if word.known.is(Known::STREET_FIRST) {
                self.street_first(text, word)
                    .or_else(|| self.street_last(text, word))
            } else if word.known.is(Known::STREET) {
                self.street_last(text, word)
            } else if word.is_capital && is_compound(text, word) {
                self.compound(text, word)
            } else {
                self.post_box(text, word)
            };
            hits.extend(span.map(|(start, end)| Hit {
                kind: Kind::PostalAddress,
                start,
                end,
            }));
        }
    }

    /// `12 Main Street, Springfield, IL 62704`.
    fn street_last(&self, text: &str, word: &Word) -> Option<(usize, usize)> {
        let (start, end) = (word.start as usize, word.end as usize);
        let from = boundary_before(text, start.saturating_sub(REACH));
        if !text.as_bytes()[from..start].iter().any(u8::is_ascii_digit) {
            return None;
        }
        let before = self.before.captures(&text[from..start])?.get(1)?;
        let after = self.after.find(&text[end..])?;
        Some((from + before.start(), end + after.end()))
    }

    /// `12 rue de la Paix, 75002 Paris`, `Calle Mayor 5`.
    fn street_first(&self, text: &str, word: &Word) -> Option<(usize, usize)> {
        let (start, end) = (word.start as usize, word.end as usize);
        let name = self.name_after.find(&text[end..])?;
        let end = end + name.end();
        let before = text[..start].trim_end_matches([' ', ',']).as_bytes();
        let digits = before
            .iter()
            .rev()
            .take(4)
            .take_while(|byte| byte.is_ascii_digit())
            .count();
        let town = self.number_after.find(&text[end..]);
        let code = Regex::find(&self.after, &text[end..]);
        if digits > 0 && start - before.len() <= 2 {
            let to = town.or(code).map_or(end, |found| end + found.end());
            return Some((before.len() - digits, to));
        }
        town.map(|found| (start, end + found.end()))
    }

    /// `Hauptstraße 12, 10115 Berlin`.
    fn compound(&self, text: &str, word: &Word) -> Option<(usize, usize)> {
        let end = word.end as usize;
        let after = self.number_after.find(&text[end..])?;
        Some((word.start as usize, end + after.end()))
    }

    /// `P.O. Box 123`.
    fn post_box(&self, text: &str, word: &Word) -> Option<(usize, usize)> {
        let (start, end) = (word.start as usize, word.end as usize);
        if !text[start..end].eq_ignore_ascii_case("box") {
            return None;
        }
        let from = boundary_before(text, start.saturating_sub(8));
        let before = self.box_before.find(&text[from..start])?;
        let rest = &text[end..];
        let digits = rest
            .strip_prefix(' ')?
            .bytes()
            .take_while(u8::is_ascii_digit)
            .count();
        let after = self.after.find(&rest[1 + digits..])?;
        (digits > 0).then(|| (from + before.start(), end + 1 + digits + after.end()))
    }
}

fn is_compound(text: &str, word: &Word) -> bool {
    let word = &text[word.start as usize..word.end as usize];
    let ends = |end: &&str| word.len() > end.len() + 2 && word.ends_with(*end);
    let is_last = matches!(
        word.as_bytes().last(),
        Some(b'e' | b'g' | b'z' | b'r' | b'm')
    );
    is_last && word.len() >= 6 && (STREET_ENDS.iter().any(ends) || word.ends_with("str"))
}
