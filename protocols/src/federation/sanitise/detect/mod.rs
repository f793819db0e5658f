//! Finding personal data and secrets in plain text, in linear time.
//!
//! One pass of an Aho-Corasick automaton gives the `marks`: what begins a secret of known shape,
//! and words that say what comes next. One pass over the bytes gives digits, mail and network
//! addresses; one over the words names and postal addresses. A regular expression only ever looks
//! at one place, anchored there. Must not know disguises (`unmask` has taken them off) nor what is
//! done about findings.

mod addresses;
mod assignments;
mod digits;
mod fields;
mod mail;
mod marks;
mod network;
mod people;
mod shapes;
mod vocabulary;

use crate::federation::kind::Kind;
use crate::federation::rules::Rules;
use crate::federation::unmask::{Part, Place};
use marks::Mark;
use vocabulary::Word;

/// How a redacted text begins, after its bracket; never taken for a value.
pub(super) const REDACTED: &str = "redacted:";

/// Something found in a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Hit {
    /// What it is.
    pub kind: Kind,
    /// Its first byte.
    pub start: usize,
    /// The byte after its last.
    pub end: usize,
}

/// Room that is used again from part to part.
#[derive(Clone, Debug, Default)]
pub struct Scratch {
    marks: Vec<Mark>,
    words: Vec<Word>,
}

/// The compiled rules. Building one takes milliseconds, so it is shared.
#[derive(Debug)]
pub struct Detector {
    marks: marks::Marks,
    shapes: shapes::Shapes,
    assignments: assignments::Assignments,
    fields: fields::Fields,
    vocabulary: vocabulary::Vocabulary,
    addresses: addresses::Addresses,
}

impl Default for Detector {
    fn default() -> Self {
        Self {
            marks: marks::Marks::new(),
            shapes: shapes::Shapes::new(),
            assignments: assignments::Assignments::new(),
            fields: fields::Fields::new(),
            vocabulary: vocabulary::Vocabulary::new(),
            addresses: addresses::Addresses::new(),
        }
    }
}

impl Detector {
    /// Appends what is found in a part to `hits`; one place may be found several times.
    pub fn detect<R: Rules>(&self, part: &Part<'_>, scratch: &mut Scratch, hits: &mut Vec<Hit>) {
        let text = part.view.text;
        let named = self.named::<R>(part);
        if let Some(kind) = named {
            fields::by_name(kind, part, hits);
        }
        if part.place == Place::Number {
            digits::find::<R>(text, &[], named, hits);
            return;
        }
        self.marks.find(text, &mut scratch.marks);
        self.shapes.find(text, &scratch.marks, hits);
        self.assignments.find(text, &scratch.marks, hits);
        mail::find_spelled(text, &scratch.marks, hits);
        find_by_byte::<R>(text, &scratch.marks, named, hits);
        self.vocabulary.words(text, &mut scratch.words);
        people::find(text, &scratch.words, &scratch.marks, hits);
        self.addresses.find(text, &scratch.words, hits);
    }

    /// The kind that the name of a field announces.
    fn named<R: Rules>(&self, part: &Part<'_>) -> Option<Kind> {
        if part.place == Place::Key || !R::reads_names() {
            return None;
        }
        let of = |name: Option<&str>| name.and_then(|name| self.fields.kind_of(name));
        of(part.named).or_else(|| of(part.key))
    }
}

/// What is recognised by a single byte: digits, the at of mail, the colons of IPv6.
fn find_by_byte<R: Rules>(text: &str, marks: &[Mark], named: Option<Kind>, hits: &mut Vec<Hit>) {
    digits::find::<R>(text, marks, named, hits);
    let bytes = text.as_bytes();
    let mut colons_until = 0;
    for (at, byte) in bytes.iter().enumerate() {
        match byte {
            b'@' => hits.extend(mail::around(text, at)),
            b':' if at >= colons_until => {
                let (hit, until) = network::ipv6_around(text, at);
                hits.extend(hit);
                colons_until = until;
            }
            _ => {}
        }
    }
}

/// Whether a text is what stands where something was cut out.
pub(super) fn is_replacement(text: &str) -> bool {
    let inner = text.strip_prefix('[').and_then(|rest| rest.split_once(':'));
    inner.is_some_and(|(name, _)| {
        name == REDACTED.trim_end_matches(':') || Kind::from_name(name).is_some()
    })
}

/// Whether `next`, which stands in the next field, goes on with what `first` began, although
/// `first` would do alone.
pub(super) fn goes_on(kind: Kind, first: &str, next: &str) -> bool {
    let has_digit = next.bytes().any(|byte| byte.is_ascii_digit());
    let has_letter = next.bytes().any(|byte| byte.is_ascii_alphabetic());
    match kind {
        Kind::PrivateKey => next.contains("-----END") || next.len() >= 16,
        Kind::DatabaseUrl => {
            let begins_inside = next.starts_with(['/', '?', ':', '@', '.']);
            begins_inside || (!first.contains('@') && next.contains('@'))
        }
        Kind::Jwt | Kind::CloudKey | Kind::ApiKey | Kind::Token => {
            next.len() >= 6 && has_digit && has_letter
        }
        Kind::Password => has_digit,
        Kind::PostalAddress | Kind::Name => next.starts_with([' ', ',']),
        Kind::CreditCard | Kind::Ssn | Kind::Email | Kind::Ipv6 | Kind::Ipv4 | Kind::Phone => false,
    }
}

/// Whether the byte before `at` is no letter or digit, so that a word may begin here.
fn begins_word(text: &str, at: usize) -> bool {
    !text.as_bytes()[..at]
        .last()
        .is_some_and(|byte| is_wordy(*byte))
}

/// Whether a word ends at `at`.
fn ends_word(text: &str, at: usize) -> bool {
    !text.as_bytes().get(at).is_some_and(|byte| is_wordy(*byte))
}

fn is_wordy(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte >= 0x80
}
