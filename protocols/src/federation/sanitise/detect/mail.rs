//! Mail addresses, written plainly or spelled out.
//!
//! Must not know who reads them.

use super::marks::{Mark, Meaning};
use super::{Hit, is_wordy};
use crate::federation::kind::Kind;

/// Longest part before the at (RFC 5321, 4.5.3.1.1).
const LOCAL_MAX: usize = 64;

/// Longest domain (RFC 5321, 4.5.3.1.2).
const DOMAIN_MAX: usize = 255;

fn is_local(byte: u8) -> bool {
    is_wordy(byte) || matches!(byte, b'.' | b'_' | b'%' | b'+' | b'-' | b'\'' | b'~' | b'#')
}

/// The address around the at at `at`; one blank may stand on each side of it.
pub(super) fn around(text: &str, at: usize) -> Option<Hit> {
    let bytes = text.as_bytes();
    let before = at - usize::from(at > 0 && bytes[at - 1] == b' ');
    let after = at + 1 + usize::from(bytes.get(at + 1) == Some(&b' '));
    let start = local_start(bytes, before)?;
    let end = domain_end(bytes, after, dot)?;
    Some(Hit {
        kind: Kind::Email,
        start,
        end,
    })
}

/// Addresses whose at is spelled out; with a bare word as at, the dots must be words too.
pub(super) fn find_spelled(text: &str, marks: &[Mark], hits: &mut Vec<Hit>) {
    let bytes = text.as_bytes();
    for mark in marks.iter().filter(|mark| mark.meaning == Meaning::At) {
        let (from, to) = (mark.start as usize, mark.end as usize);
        let is_bare = text[from..to].eq_ignore_ascii_case(" at ");
        let dots = if is_bare { spelled_dot } else { any_dot };
        let ends = local_start(bytes, from).zip(domain_end(bytes, to, dots));
        hits.extend(ends.map(|(start, end)| Hit {
            kind: Kind::Email,
            start,
            end,
        }));
    }
}

/// Where the part that ends at `end` begins.
fn local_start(bytes: &[u8], end: usize) -> Option<usize> {
    let length = bytes[..end]
        .iter()
        .rev()
        .take(LOCAL_MAX)
        .take_while(|byte| is_local(**byte))
        .count();
    let lead = bytes[end - length..end]
        .iter()
        .take_while(|byte| !is_wordy(**byte))
        .count();
    (length > lead).then(|| end - length + lead)
}

/// Where the domain that begins at `start` ends: labels with dots between, letters at the end.
fn domain_end(bytes: &[u8], start: usize, dot: fn(&[u8]) -> usize) -> Option<usize> {
    let is_label = |byte: &&u8| is_wordy(**byte) || **byte == b'-';
    let limit = bytes.len().min(start + DOMAIN_MAX);
    let mut at = start;
    let mut end = None;
    loop {
        let label = bytes[at..limit].iter().take_while(is_label).count();
        if label == 0 {
            return end;
        }
        let is_top = bytes[at..at + label]
            .iter()
            .all(|byte| !byte.is_ascii_digit());
        let has_dot = at > start;
        at += label;
        if has_dot && label >= 2 && is_top {
            end = Some(at);
        }
        let gap = dot(&bytes[at..limit]);
        if gap == 0 {
            return end;
        }
        at += gap;
    }
}

fn dot(bytes: &[u8]) -> usize {
    match bytes {
        [b'.', ..] => 1,
        [b' ', b'.', b' ', ..] => 3,
        _ => 0,
    }
}

fn spelled_dot(bytes: &[u8]) -> usize {
    let spelled: [&[u8]; 8] = [
        b" dot ", b"(dot)", b"[dot]", b"{dot}", b" (dot) ", b" [dot] ", b" punkt ", b" point ",
    ];
    let begins =
        |word: &&&[u8]| bytes.len() >= word.len() && bytes[..word.len()].eq_ignore_ascii_case(word);
    spelled
        .iter()
        .filter(begins)
        .map(|word| word.len())
        .max()
        .unwrap_or(0)
}

fn any_dot(bytes: &[u8]) -> usize {
    dot(bytes).max(spelled_dot(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Option<&str> {
        let at = text.find('@')?;
        around(text, at).map(|hit| &text[hit.start..hit.end])
    }

    #[test]
    fn addresses_are_found_with_their_exact_ends() {
        // Punctuation around is not part of it, dots within are.
        assert_eq!(
            found("(a.b+c@mail.example.co.uk)."),
            Some("a.b+c@mail.example.co.uk")
        );
        assert_eq!(found("x <jo@ex-ample.io>"), Some("jo@ex-ample.io"));
        assert_eq!(found("jo @ example . com"), Some("jo @ example . com"));
        assert_eq!(found("mail jürgen@müller.de!"), Some("jürgen@müller.de"));
    }

    #[test]
    fn what_only_has_an_at_is_no_address() {
        // Handles, decorators and versions.
        for text in [
            "@alice said",
            "pkg@1.2.3",
            "see you @ noon",
            "user@host",
            "@a.com",
            "a@.com",
        ] {
            assert_eq!(found(text), None, "{text}");
        }
    }
}
