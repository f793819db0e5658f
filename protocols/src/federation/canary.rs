//! The eye that sees planted canaries again, whatever they were disguised as.
//!
//! It judges what entered the transport, so it shares no code with what removes canaries before.
//! Its decoders are a closed list: JSON, backslash, percent and entity escapes up to three deep;
//! full-width and invisible characters; anything that is no letter or digit between two that are;
//! the words `at` and `dot`; strings of JSON put together; base64 and hex, up to three deep. What is
//! hidden otherwise it does not see, and alarms about no such thing. Must not know policy, nor how
//! anything is found without knowing it beforehand.

use aho_corasick::AhoCorasick;

/// How deep encodings may be in each other.
const DEPTH_MAX: u32 = 3;

/// Fewest letters and digits of a canary; a shorter one would be seen by chance.
const LENGTH_MIN: usize = 6;

/// Canaries to be seen.
#[derive(Debug)]
pub struct Canaries {
    automaton: AhoCorasick,
}

impl Canaries {
    /// Canaries with these values.
    ///
    /// # Panics
    /// If one has fewer than six letters and digits.
    pub fn new<'a>(values: impl IntoIterator<Item = &'a str>) -> Self {
        let values: Vec<String> = values.into_iter().map(squeezed).collect();
        let is_long = values.iter().all(|value| value.len() >= LENGTH_MIN);
        assert!(is_long, "BUG: a canary too short to be told from chance");
        Self {
            automaton: AhoCorasick::new(values).expect("BUG: canaries make an automaton"),
        }
    }

    /// Which canaries are in `plaintext`, by their place in the list, in order, each once.
    pub fn seen_in(&self, plaintext: &str) -> Vec<usize> {
        let mut seen = Vec::new();
        self.look(plaintext, 0, &mut seen);
        seen.sort_unstable();
        seen.dedup();
        seen
    }

    fn look(&self, text: &str, depth: u32, seen: &mut Vec<usize>) {
        let plain = decoded(text);
        self.search(&plain, seen);
        self.search(&spoken(&plain), seen);
        let strings = strings(text);
        self.search(&strings.concat(), seen);
        if depth == DEPTH_MAX {
            return;
        }
        for string in strings
            .iter()
            .filter(|string| string.starts_with(['{', '[']))
        {
            self.look(string, depth + 1, seen);
        }
        for hidden in runs(&plain).into_iter().filter_map(opened) {
            self.look(&hidden, depth + 1, seen);
        }
    }

    fn search(&self, text: &str, seen: &mut Vec<usize>) {
        let squeezed = squeezed(text);
        let found = self.automaton.find_overlapping_iter(&squeezed);
        seen.extend(found.map(|found| found.pattern().as_usize()));
    }
}

/// Letters and digits only, in lower case and of usual width.
fn squeezed(text: &str) -> String {
    text.chars()
        .map(usual_width)
        .filter(|character| character.is_alphanumeric())
        .flat_map(char::to_lowercase)
        .collect()
}

fn usual_width(character: char) -> char {
    let code = u32::from(character);
    match code {
        0xff01..=0xff5e => char::from_u32(code - 0xff01 + 0x21).unwrap_or(character),
        _ => character,
    }
}

/// `at` and `dot` in brackets or between blanks, left out.
fn spoken(text: &str) -> String {
    let mut spoken = text.to_ascii_lowercase();
    for word in ["at", "dot"] {
        for (left, right) in [(" ", " "), ("(", ")"), ("[", "]"), ("{", "}")] {
            spoken = spoken.replace(&format!("{left}{word}{right}"), "");
        }
    }
    spoken
}

/// The text with escapes decoded, up to three deep.
fn decoded(text: &str) -> String {
    let mut now = text.to_owned();
    for _ in 0..3 {
        let next = decoded_once(&now);
        if next == now {
            break;
        }
        now = next;
    }
    now
}

fn decoded_once(text: &str) -> String {
    let mut bytes: Vec<u8> = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(character) = rest.chars().next() {
        let (length, value) = unescaped(rest).unwrap_or((character.len_utf8(), None));
        match value {
            Some(value) => bytes.extend(value),
            None => bytes.extend(&rest.as_bytes()[..length]),
        }
        rest = &rest[length..];
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// An escape at the beginning of a text: how long it is, and the bytes it stands for.
fn unescaped(text: &str) -> Option<(usize, Option<Vec<u8>>)> {
    let as_bytes = |code: u32| char::from_u32(code).map(|c| c.to_string().into_bytes());
    if let Some(rest) = text.strip_prefix('%') {
        let value = u8::from_str_radix(rest.get(..2)?, 16).ok()?;
        return Some((3, Some(vec![value])));
    }
    if let Some(rest) = text.strip_prefix("&#") {
        let end = rest.find(';').filter(|end| *end <= 8)?;
        let number = &rest[..end];
        let code = match number.strip_prefix(['x', 'X']) {
            Some(hex) => u32::from_str_radix(hex, 16).ok()?,
            None => number.parse().ok()?,
        };
        return Some((end + 3, as_bytes(code)));
    }
    let rest = text.strip_prefix('\\')?;
    match rest.chars().next()? {
        'u' => {
            let code = u32::from_str_radix(rest.get(1..5)?, 16).ok()?;
            Some((6, as_bytes(code)))
        }
        'x' => {
            let code = u32::from_str_radix(rest.get(1..3)?, 16).ok()?;
            Some((4, as_bytes(code)))
        }
        'n' | 'r' | 't' => Some((2, Some(b" ".to_vec()))),
        mark @ ('"' | '\\' | '/' | '\'') => Some((2, Some(vec![mark as u8]))),
        _ => None,
    }
}

/// What stands between quotes and is not the name of a field, decoded once.
fn strings(text: &str) -> Vec<String> {
    let mut strings = Vec::new();
    let bytes = text.as_bytes();
    let mut at = 0;
    while let Some(quote) = bytes[at..].iter().position(|byte| *byte == b'"') {
        let start = at + quote + 1;
        let mut end = start;
        while end < bytes.len() && bytes[end] != b'"' {
            end += 1 + usize::from(bytes[end] == b'\\');
        }
        if end >= bytes.len() {
            break;
        }
        let is_name = text[end + 1..].trim_start().starts_with(':');
        if !is_name {
            strings.push(decoded_once(&text[start..end]));
        }
        at = end + 1;
    }
    strings
}

/// Stretches of letters, digits and the marks of base64.
fn runs(text: &str) -> Vec<&str> {
    let is_of_run = |c: char| c.is_ascii_alphanumeric() || "+/-_".contains(c);
    text.split(|c| !is_of_run(c))
        .filter(|run| run.len() >= 8)
        .collect()
}

/// What a run holds as hex or base64, if that is text.
fn opened(run: &str) -> Option<String> {
    let hex = || -> Option<Vec<u8>> {
        let pairs = run.as_bytes().chunks(2);
        let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
        run.len()
            .is_multiple_of(2)
            .then(|| pairs.map(byte).collect())?
    };
    let base64 = || -> Option<Vec<u8>> {
        let mut bits = 0_u32;
        let mut count = 0;
        let mut bytes = Vec::new();
        for c in run.chars() {
            let digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
            let digit = match c {
                '+' | '-' => 62,
                '/' | '_' => 63,
                other => digits.find(other)? as u32,
            };
            bits = (bits << 6 | digit) & 0xf_ffff;
            count += 6;
            if count >= 8 {
                count -= 8;
                bytes.push((bits >> count & 0xff) as u8);
            }
        }
        Some(bytes)
    };
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).ok();
    hex().and_then(text).or_else(|| base64().and_then(text))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::federation::corpus::{Evasion, gauntlet};
    use crate::federation::sanitise::Kind;
    use crate::random::{RunKey, Stream, StreamLabel};

    #[test]
    fn every_canary_of_the_gauntlet_is_seen_before_anything_is_removed() {
        // An eye that misses a disguise would call a leak clean: each kind under each disguise
        // must be seen in the document as it was planted, and another canary must not.
        let key = RunKey::from_seed(11);
        let mut dice = Stream::new(key, StreamLabel::global("test/canary"));
        for kind in Kind::ALL {
            for evasion in Evasion::ALL {
                let document = gauntlet::document(kind, evasion, &mut dice);
                let planted = &document.planted[0];
                let canaries = Canaries::new(["absent canary", planted.tell.as_str()]);
                let seen = canaries.seen_in(&document.text);
                assert_eq!(seen, [1], "{kind} {}: {}", evasion.name(), document.text);
            }
        }
    }
}
