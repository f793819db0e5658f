//! Sequences of words with bounded gaps, all found in one pass over a text.
//!
//! For every step of every phrase the latest word that completes the steps up to it is kept: the
//! latest leaves the most room for what follows, so no other needs to be. Must not know what
//! phrases mean.

use hashbrown::HashMap;
use rustc_hash::FxBuildHasher;

use super::table::{CLASSES, Category, PHRASES};

/// Most words between two steps if the phrase does not say.
const GAP: usize = 2;

/// Longest word that is looked at, in bytes.
const WORD_MAX: usize = 24;

#[derive(Clone, Copy, Debug)]
struct Step {
    phrase: usize,
    nth: usize,
    gap: usize,
    is_last: bool,
}

/// The phrases, compiled.
#[derive(Debug)]
pub(super) struct Phrases {
    /// The steps that a word can be, later ones of a phrase first.
    steps: HashMap<String, Vec<Step>, FxBuildHasher>,
    /// Where the steps of each phrase begin in the list of what was reached.
    offsets: Vec<usize>,
    total: usize,
}

/// The word that completed a step, and where the phrase began.
#[derive(Clone, Copy, Debug)]
struct Reached {
    word: usize,
    start: usize,
}

impl Phrases {
    pub(super) fn new() -> Self {
        let mut phrases = Self {
            steps: HashMap::default(),
            offsets: Vec::new(),
            total: 0,
        };
        for (index, (_, _, pattern)) in PHRASES.iter().enumerate() {
            phrases.offsets.push(phrases.total);
            phrases.total += phrases.add(index, pattern);
        }
        let lists = phrases.steps.values_mut();
        lists
            .for_each(|steps| steps.sort_by_key(|step| std::cmp::Reverse((step.phrase, step.nth))));
        phrases
    }

    /// Adds a phrase: words or `@classes`, alternatives between bars, `~n` before a wider gap.
    fn add(&mut self, phrase: usize, pattern: &str) -> usize {
        let is_gap = |part: &&str| part.starts_with('~');
        let last = pattern.split(' ').filter(|part| !is_gap(part)).count() - 1;
        let (mut nth, mut gap) = (0, GAP);
        for part in pattern.split(' ') {
            if let Some(wider) = part.strip_prefix('~') {
                gap = wider.parse().expect("BUG: a gap is a number");
                continue;
            }
            let step = Step {
                phrase,
                nth,
                gap,
                is_last: nth == last,
            };
            for alternative in part.split('|') {
                for word in words_of(alternative) {
                    self.steps.entry(word.to_owned()).or_default().push(step);
                }
            }
            (nth, gap) = (nth + 1, GAP);
        }
        last + 1
    }

    /// Shows every phrase in `text` to `found`: what it is, its weight, where it begins and ends.
    pub(super) fn find(&self, text: &str, found: &mut impl FnMut(Category, u32, usize, usize)) {
        let mut reached: Vec<Option<Reached>> = vec![None; self.total];
        let mut number = 0;
        for (start, end) in words(text) {
            if let Some(steps) = self.steps_of(&text.as_bytes()[start..end]) {
                for step in steps {
                    let at = self.offsets[step.phrase] + step.nth;
                    let begins = match step.nth {
                        0 => Some(start),
                        _ => reached[at - 1]
                            .filter(|before| {
                                number > before.word && number - before.word <= step.gap + 1
                            })
                            .map(|before| before.start),
                    };
                    let Some(begins) = begins else { continue };
                    reached[at] = Some(Reached {
                        word: number,
                        start: begins,
                    });
                    if step.is_last {
                        let (category, weight, _) = PHRASES[step.phrase];
                        found(category, weight, begins, end);
                    }
                }
            }
            number += 1;
        }
    }

    /// The steps that a word can be, also with digits for letters.
    fn steps_of(&self, word: &[u8]) -> Option<&[Step]> {
        let mut lower = [0; WORD_MAX];
        let lower = lower.get_mut(..word.len())?;
        lower.copy_from_slice(word);
        lower.make_ascii_lowercase();
        let look = |bytes: &[u8]| self.steps.get(std::str::from_utf8(bytes).ok()?);
        if let Some(steps) = look(lower) {
            return Some(steps);
        }
        let has_letter = lower.iter().any(u8::is_ascii_alphabetic);
        let is_written_otherwise = lower.iter().any(|byte| letter_for(*byte) != *byte);
        if !has_letter || !is_written_otherwise {
            return None;
        }
        lower.iter_mut().for_each(|byte| *byte = letter_for(*byte));
        look(lower).map(Vec::as_slice)
    }
}

/// The words of a class, or the word itself.
fn words_of(alternative: &str) -> impl Iterator<Item = &str> {
    let class = alternative.strip_prefix('@').map(|name| {
        let class = CLASSES.iter().find(|class| class.0 == name);
        class.expect("BUG: the table names its classes").1
    });
    class.unwrap_or(alternative).split(' ')
}

/// The letter that a digit or mark is written for.
fn letter_for(byte: u8) -> u8 {
    match byte {
        b'0' => b'o',
        b'1' | b'!' => b'i',
        b'3' => b'e',
        b'4' | b'@' => b'a',
        b'5' | b'$' => b's',
        b'7' => b't',
        other => other,
    }
}

/// Where words begin and end: letters, digits and what is written for letters.
fn words(text: &str) -> impl Iterator<Item = (usize, usize)> + '_ {
    let bytes = text.as_bytes();
    let is_of_word = |byte: &u8| {
        byte.is_ascii_alphanumeric() || *byte >= 0x80 || matches!(byte, b'@' | b'$' | b'!' | b'\'')
    };
    let mut at = 0;
    std::iter::from_fn(move || {
        let start = at + bytes[at..].iter().position(is_of_word)?;
        let length = bytes[start..]
            .iter()
            .take_while(|byte| is_of_word(byte))
            .count();
        at = start + length;
        // A mark at the end of a word ends a sentence.
        let marks = bytes[start..at]
            .iter()
            .rev()
            .take_while(|byte| matches!(byte, b'!' | b'\''));
        Some((start, at - marks.count().min(length - 1)))
    })
}
