//! Documents with planted canaries: what tests, benchmarks and workloads put through the layers.
//!
//! A canary is a made-up value of a [`Kind`] that stands in a document once, plainly or under an
//! [`Evasion`]. The [`gauntlet`] has every kind under every evasion, and rules may be tuned on it;
//! [`held_out`] has other sentences, other names and other makes of values, and rules must not be.
//! All randomness comes from the stream that is handed in. Must not know how anything is found.

pub mod evasion;
pub mod gauntlet;
pub mod held_out;
pub mod injections;
mod values;

pub use evasion::Evasion;
pub use values::Value;

use std::ops::Range;

use super::kind::Kind;
use crate::random::Stream;

/// A value planted in a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Planted {
    /// What it is.
    pub kind: Kind,
    /// The value itself.
    pub value: String,
    /// The part of it that must not be seen: all of it, or what gives it its worth.
    pub tell: String,
    /// What it was disguised as.
    pub evasion: Evasion,
    /// Where it stands in the document; several places if it was split.
    pub spans: Vec<Range<usize>>,
}

/// A document and what was planted in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    /// The document.
    pub text: String,
    /// Whether it is JSON.
    pub is_json: bool,
    /// What was planted.
    pub planted: Vec<Planted>,
}

/// Stands before and after a planted text until the document is complete. Both are of the private
/// use area, so that no encoding of a text around them touches them.
const BEGINS: char = '\u{e000}';
const ENDS: char = '\u{e001}';

/// A text about to be planted: with marks around it.
fn marked(text: &str) -> String {
    format!("{BEGINS}{text}{ENDS}")
}

/// Takes the marks out; `owners` says whose each marked place is, in order.
fn complete(draft: &str, is_json: bool, mut planted: Vec<Planted>, owners: &[usize]) -> Document {
    let mut text = String::with_capacity(draft.len());
    let mut start = 0;
    let mut owners = owners.iter();
    for character in draft.chars() {
        match character {
            BEGINS => start = text.len(),
            ENDS => {
                let owner = *owners.next().expect("BUG: every marked place has an owner");
                planted[owner].spans.push(start..text.len());
            }
            other => text.push(other),
        }
    }
    Document {
        text,
        is_json,
        planted,
    }
}

impl Value {
    fn planted(&self, evasion: Evasion) -> Planted {
        Planted {
            kind: self.kind,
            value: self.text.clone(),
            tell: self.tell.clone(),
            evasion,
            spans: Vec::new(),
        }
    }
}

/// One of some, drawn.
fn pick<'a, T: ?Sized>(from: &[&'a T], dice: &mut Stream) -> &'a T {
    from[dice.below(from.len() as u64) as usize]
}

/// A text as a JSON string, with its quotes.
fn json_string(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            other => out.push(other),
        }
    }
    out.push('"');
    out
}
