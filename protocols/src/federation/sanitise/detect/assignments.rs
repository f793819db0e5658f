//! Secrets that are known by what stands before them: `password: ...`, `token=...`.
//!
//! Must not know how secrets of known make look.

use regex::Regex;

use super::marks::{Mark, Meaning};
use super::{Hit, REDACTED, is_replacement};
use crate::federation::kind::Kind;

/// Between the word and its value: a number, quotes, an equals sign or a word like `is`.
const ASSIGNED: &str = concat!(
    r#"^(?:_?\d{1,2}|[_-](?:value|key|token|string))?["'`\\)\]]{0,4}\s{0,3}"#,
    r#"(?:(is|was|are|to|be)\s{1,2}(?:now\s|set\sto\s)?|:=|=>|->|={1,3}|:)\s{0,3}"#,
    r#"["'`\\]{0,4}([^\s"'`\\,;<>]{4,512})"#,
);

/// A value right behind the word.
const FOLLOWING: &str = r#"^\s{1,2}["'`]?([^\s"'`\\,;<>]{6,128})"#;

/// What follows `password:` in talk about passwords.
const NO_VALUES: [&str; 30] = [
    "null",
    "none",
    "true",
    "false",
    "required",
    "optional",
    "string",
    "undefined",
    "changed",
    "wrong",
    "invalid",
    "incorrect",
    "correct",
    "expired",
    "reset",
    "missing",
    "empty",
    "protected",
    "forgotten",
    "hidden",
    "stored",
    "strong",
    "weak",
    "never",
    "must",
    "should",
    "hash",
    "n/a",
    "hashed",
    "about",
];

/// The compiled rules.
#[derive(Debug)]
pub(super) struct Assignments {
    assigned: Regex,
    following: Regex,
}

impl Assignments {
    pub(super) fn new() -> Self {
        Self {
            assigned: Regex::new(ASSIGNED).expect("BUG: the pattern compiles"),
            following: Regex::new(FOLLOWING).expect("BUG: the pattern compiles"),
        }
    }

    pub(super) fn find(&self, text: &str, marks: &[Mark], hits: &mut Vec<Hit>) {
        for mark in marks {
            if let Meaning::Assigns(kind) = mark.meaning
                && !is_replaced(&text[..mark.start as usize])
            {
                hits.extend(self.after(text, mark.end as usize, kind));
            }
        }
    }

    fn after(&self, text: &str, at: usize, kind: Kind) -> Option<Hit> {
        let rest = &text[at..];
        let next = rest.as_bytes().first();
        if next.is_none_or(u8::is_ascii_alphabetic) {
            return None;
        }
        // Captures are made room for before anything is looked at: only where there is a match.
        let assigned = self
            .assigned
            .is_match(rest)
            .then(|| self.assigned.captures(rest))
            .flatten();
        let (value, by_word) = match assigned {
            Some(found) => (found.get(2)?, found.get(1).is_some()),
            None if kind == Kind::Password => (self.following.captures(rest)?.get(1)?, true),
            None => return None,
        };
        let trimmed = value.as_str().trim_end_matches(['.', ')', ']', '}']);
        let start = at + value.start();
        is_secret(kind, trimmed, by_word).then_some(Hit {
            kind,
            start,
            end: start + trimmed.len(),
        })
    }
}

/// Whether a text breaks off within what stands where something was cut out.
fn is_replaced(before: &str) -> bool {
    before.ends_with('[') || before.ends_with(REDACTED)
}

/// Whether a value can be a secret of the kind rather than a word about it.
fn is_secret(kind: Kind, value: &str, by_word: bool) -> bool {
    let bytes = value.as_bytes();
    let has_digit = bytes.iter().any(u8::is_ascii_digit);
    let has_letter = bytes.iter().any(u8::is_ascii_alphabetic);
    let is_word = NO_VALUES
        .iter()
        .any(|word| value.eq_ignore_ascii_case(word));
    if is_replacement(value) || is_word {
        return false;
    }
    match kind {
        Kind::Password if by_word => {
            let has_mark = bytes
                .iter()
                .any(|byte| byte.is_ascii_punctuation() && *byte != b'\'');
            has_letter && (has_digit || (has_mark && value.len() >= 6))
        }
        Kind::Password => value.len() >= 4,
        _ => value.len() >= 8 && has_letter && (has_digit || value.len() >= 24),
    }
}
