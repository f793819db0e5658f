//! Runs of base64 (RFC 4648, both alphabets, padded or not) and of hex that open to text.
//!
//! Must not know what the text says.

use super::view::{Unmasked, View};

/// Shortest run that is opened: what six bytes take.
const RUN_MIN: usize = 8;

/// Shortest line of a run that goes on in the next one.
const LINE_MIN: usize = 32;

/// Opens every run of `view` that holds text and shows it to `opened`.
pub(super) fn each(view: View<'_>, mut opened: impl FnMut(&Unmasked)) {
    let bytes = view.text.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        if !OF_RUN[usize::from(bytes[at])] {
            at += 1;
            continue;
        }
        let end = run_end(bytes, at);
        if end - at >= RUN_MIN {
            open(view, at, end, &mut opened);
        }
        at = end + 1;
    }
}

/// Letters, digits and the four marks of both alphabets.
const OF_RUN: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0_u8;
    while byte < 128 {
        table[byte as usize] =
            byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'-' | b'_');
        byte += 1;
    }
    table
};

/// Where a run ends; a long line goes on after its line end.
fn run_end(bytes: &[u8], start: usize) -> usize {
    let mut line = start;
    let mut at = start;
    loop {
        while at < bytes.len() && OF_RUN[usize::from(bytes[at])] {
            at += 1;
        }
        let is_line = at - line >= LINE_MIN && bytes.get(at) == Some(&b'\n');
        let goes_on = is_line
            && bytes
                .get(at + 1)
                .is_some_and(|next| OF_RUN[usize::from(*next)]);
        if !goes_on {
            return at;
        }
        at += 1;
        line = at;
    }
}

/// Tries the run as a whole, then the pieces between its marks.
fn open(view: View<'_>, start: usize, end: usize, opened: &mut impl FnMut(&Unmasked)) {
    if open_piece(view, start, end, opened) {
        return;
    }
    let bytes = view.text.as_bytes();
    let is_mark = |byte: u8| matches!(byte, b'+' | b'/' | b'-' | b'_' | b'\n');
    if !bytes[start..end].iter().any(|byte| is_mark(*byte)) {
        return;
    }
    let mut from = start;
    for piece in view.text[start..end].split(|c: char| c.is_ascii() && is_mark(c as u8)) {
        if piece.len() >= RUN_MIN {
            open_piece(view, from, from + piece.len(), opened);
        }
        from += piece.len() + 1;
    }
}

fn open_piece(
    view: View<'_>,
    start: usize,
    end: usize,
    opened: &mut impl FnMut(&Unmasked),
) -> bool {
    let bytes = &view.text.as_bytes()[start..end];
    let Some(text) = base64(bytes).or_else(|| hex(bytes)) else {
        return false;
    };
    let padding = view.text.as_bytes()[end..].iter().take(2);
    let padding = padding.take_while(|byte| **byte == b'=').count();
    opened(&Unmasked::whole(text, view.origin(start, end + padding)));
    true
}

/// Whether a byte can be part of a text that somebody reads.
fn is_of_text(byte: u8) -> bool {
    byte >= 0x20 && byte != 0x7f || matches!(byte, b'\n' | b'\r' | b'\t')
}

fn as_text(bytes: Vec<u8>) -> Option<String> {
    String::from_utf8(bytes).ok()
}

fn sextet(byte: u8) -> Option<u32> {
    let value = SEXTETS[usize::from(byte)];
    (value < 64).then_some(u32::from(value))
}

/// What each digit of either alphabet stands for; 64 for what is none.
const SEXTETS: [u8; 256] = {
    let mut table = [64; 256];
    let mut value = 0;
    while value < 26 {
        table[(b'A' + value) as usize] = value;
        table[(b'a' + value) as usize] = value + 26;
        if value < 10 {
            table[(b'0' + value) as usize] = value + 52;
        }
        value += 1;
    }
    table[b'+' as usize] = 62;
    table[b'-' as usize] = 62;
    table[b'/' as usize] = 63;
    table[b'_' as usize] = 63;
    table
};

/// Whether a text can begin with these bytes, which may break off within a character.
fn can_begin_text(bytes: &[u8]) -> bool {
    let is_text = bytes.iter().all(|byte| is_of_text(*byte));
    is_text && !std::str::from_utf8(bytes).is_err_and(|error| error.error_len().is_some())
}

/// The text that a run holds; the first byte that is none ends the attempt.
fn base64(run: &[u8]) -> Option<String> {
    let mut early = 0;
    for byte in run.first_chunk::<4>()? {
        early = early << 6 | sextet(*byte)?;
    }
    if !can_begin_text(&early.to_be_bytes()[1..]) {
        return None;
    }
    let (mut bits, mut held) = (0_u32, 0);
    let mut out = Vec::with_capacity(run.len() * 3 / 4);
    for byte in run.iter().filter(|byte| **byte != b'\n') {
        bits = bits << 6 | sextet(*byte)?;
        held += 6;
        if held >= 8 {
            held -= 8;
            let byte = (bits >> held) as u8;
            if !is_of_text(byte) {
                return None;
            }
            out.push(byte);
        }
    }
    // A single sextet is left over by no encoder.
    (held != 6).then(|| as_text(out)).flatten()
}

fn hex(run: &[u8]) -> Option<String> {
    if !run.len().is_multiple_of(2) {
        return None;
    }
    let mut out = Vec::with_capacity(run.len() / 2);
    for pair in run.chunks_exact(2) {
        let digit = |byte: u8| char::from(byte).to_digit(16);
        let byte = (digit(pair[0])? << 4 | digit(pair[1])?) as u8;
        if !is_of_text(byte) {
            return None;
        }
        out.push(byte);
    }
    as_text(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn opened(text: &str) -> Vec<(String, (u32, u32))> {
        let mut found = Vec::new();
        each(View::of(text), |opened| {
            let view = opened.view();
            found.push((view.text.to_owned(), view.origin(0, 1)));
        });
        found
    }

    #[test]
    fn runs_that_hold_text_are_opened_wherever_they_stand() {
        // Both alphabets, both paddings, hex, and a run behind a mark that belongs to its own
        // alphabet; each byte of what comes out stands for the whole run and its padding.
        let text = |found: &[(String, (u32, u32))]| {
            found.iter().map(|one| one.0.clone()).collect::<Vec<_>>()
        };
        let found = opened("see aHVudGVyMg== there");
        assert_eq!(found, [("hunter2".to_owned(), (4, 16))]);
        assert_eq!(text(&opened("x=aHVudGVyMg&y")), ["hunter2"]);
        assert_eq!(text(&opened("data-aHVudGVyMg")), ["hunter2"]);
        assert_eq!(text(&opened("68756e74657232")), ["hunter2"]);
        assert_eq!(text(&opened("Pz8_Pz8-")), ["????? >".replace(' ', "")]);
    }

    #[test]
    fn words_digests_and_numbers_are_left_closed() {
        // Opened by chance they would be searched for nothing; binary content is not text.
        for text in [
            "information management",
            "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
            "4111111111111111",
        ] {
            assert_eq!(opened(text), [], "{text}");
        }
    }
}
