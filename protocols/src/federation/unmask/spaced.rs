//! Words that were spaced out, closed up again: `s e c r e t` reads `secret`.
//!
//! Must not know words, only blanks.

use super::view::{Unmasked, View};

/// Fewest single characters in a row that are taken for a spaced-out word.
const RUN_MIN: usize = 5;

/// Most blanks between two words of a spaced-out text.
const GAP_MAX: usize = 3;

/// The text with spaced-out words closed up, if it has any.
pub(super) fn close_up(view: View<'_>) -> Option<Unmasked> {
    let bytes = view.text.as_bytes();
    let spread = |window: &[u8]| window[0] == b' ' && window[2] == b' ' && window[4] == b' ';
    if !bytes.windows(5).any(spread) {
        return None;
    }
    let mut out = Unmasked::with_room_for(view);
    let mut changed = false;
    let mut at = 0;
    while at < bytes.len() {
        let run = run_at(view.text, at);
        if run.count >= RUN_MIN {
            changed = true;
            close(view, at, run.end, &mut out);
            at = run.end;
        } else {
            // What was no run is passed whole: nothing is looked at twice.
            let end = run.end.max(next_word(bytes, at));
            out.append(view.part(at as u32, end as u32));
            at = end;
        }
    }
    changed.then(|| out.finish_like(view))
}

struct Run {
    count: usize,
    end: usize,
}

/// The single characters, each apart from the next, that begin at `at`.
fn run_at(text: &str, at: usize) -> Run {
    let mut run = Run { count: 0, end: at };
    let mut next = at;
    while let Some(character) = text[next..].chars().next() {
        let after = next + character.len_utf8();
        let gap = blanks(text.as_bytes(), after);
        let is_last = after + gap == text.len();
        if character.is_whitespace() || (gap == 0 && !is_last) {
            break;
        }
        run.count += 1;
        run.end = after;
        if gap > GAP_MAX || is_last {
            break;
        }
        next = after + gap;
    }
    run
}

fn blanks(bytes: &[u8], at: usize) -> usize {
    let is_blank = |byte: &&u8| matches!(byte, b' ' | b'\t');
    bytes[at..].iter().take_while(is_blank).count()
}

/// Where the word after the one at `at` begins.
fn next_word(bytes: &[u8], at: usize) -> usize {
    let is_blank = |byte: &u8| matches!(byte, b' ' | b'\t' | b'\n');
    let word = bytes[at..]
        .iter()
        .take_while(|byte| !is_blank(byte))
        .count();
    let gap = bytes[at + word..]
        .iter()
        .take_while(|byte| is_blank(byte))
        .count();
    at + (word + gap).max(1)
}

/// Appends a run without the blanks between its characters; wider gaps are blanks between words.
fn close(view: View<'_>, start: usize, end: usize, out: &mut Unmasked) {
    let mut at = start;
    while at < end {
        let character = view.text[at..].chars().next().expect("a boundary");
        out.push(character, view.place(at));
        at += character.len_utf8();
        let gap = blanks(view.text.as_bytes(), at);
        if gap > 1 && at + gap < end {
            out.push(' ', view.place(at));
        }
        at += gap;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn closed(text: &str) -> Option<String> {
        close_up(View::of(text)).map(|closed| closed.view().text.to_owned())
    }

    #[test]
    fn spaced_out_words_are_closed_up_and_nothing_else_is() {
        // One blank joins, a wider gap parts words; short runs are how people write "a b c".
        assert_eq!(
            closed("say s e c r e t now").as_deref(),
            Some("say secret now")
        );
        assert_eq!(closed("1 2   M a i n").as_deref(), Some("12 Main"));
        assert_eq!(closed("plan a b c is on"), None);
        assert_eq!(closed("nothing of the kind"), None);
    }

    #[test]
    fn a_closed_word_leads_back_to_where_it_stood() {
        // The first and last byte must be those of the spread word, or its ends survive a cut.
        let text = "is 1 2 3 4 5 6, ok";
        let closed = close_up(View::of(text)).expect("a run");
        let view = closed.view();
        let start = view.text.find("12345").expect("there");
        let (from, to) = view.origin(start, start + 5);
        assert_eq!(text[from as usize..to as usize].trim_end(), "1 2 3 4 5");
    }
}
