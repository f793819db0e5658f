//! Names of persons: a known name beside another capitalised word, or a word that introduces one.
//!
//! A name alone, or two words that no list knows, are not found unless something introduces them.
//! Must not know streets.

use super::Hit;
use super::marks::{Mark, Meaning};
use super::vocabulary::{Known, Word};
use crate::federation::kind::Kind;

/// Most words of a name.
const WORDS_MAX: usize = 5;

/// Appends the names among `words`.
pub(super) fn find(text: &str, words: &[Word], marks: &[Mark], hits: &mut Vec<Hit>) {
    let mut first = 0;
    while first < words.len() {
        match name_at(text, words, first) {
            Some(count) => {
                hits.push(hit(&words[first..first + count]));
                first += count;
            }
            None => first += 1,
        }
    }
    let introduced = marks
        .iter()
        .filter(|mark| mark.meaning == Meaning::IntroducesPerson);
    for mark in introduced {
        let first = words.partition_point(|word| word.start < mark.end);
        let is_next = words.get(first).is_some_and(|word| word.start == mark.end);
        let count = if is_next {
            introduced_at(text, words, first)
        } else {
            0
        };
        if count > 0 {
            hits.push(hit(&words[first..first + count]));
        }
    }
}

fn hit(name: &[Word]) -> Hit {
    Hit {
        kind: Kind::Name,
        start: name[0].start as usize,
        end: name[name.len() - 1].end as usize,
    }
}

/// How many words the name has that begins at word `first`.
fn name_at(text: &str, words: &[Word], first: usize) -> Option<usize> {
    let one = words.get(first)?;
    if !one.is_capital && !is_given(one) {
        return None;
    }
    if one.known.is(Known::NEVER) && !one.known.is(Known::GIVEN) {
        return None;
    }
    let second = second(text, words, first)?;
    let two = &words[second];
    let gap = &text[one.end as usize..words[first + 1].start as usize];
    let is_name = match gap {
        ", " => is_family(one) && is_given(two) && one.is_capital && two.is_capital,
        _ if one.is_capital && two.is_capital => is_pair(one, two),
        _ => is_plain_pair(text, one, two),
    };
    is_name.then(|| second - first + 1 + more(text, words, second))
}

/// The word that would be the second of a name: the next one, a middle initial left out.
fn second(text: &str, words: &[Word], first: usize) -> Option<usize> {
    let gap = |left: usize, right: usize| -> Option<&str> {
        let (left, right) = (words.get(left)?, words.get(right)?);
        text.get(left.end as usize..right.start as usize)
    };
    let next = words.get(first + 1)?;
    let is_initial = next.end - next.start == 1 && next.is_capital;
    match gap(first, first + 1)? {
        " " if is_initial && matches!(gap(first + 1, first + 2), Some(". " | " ")) => {
            Some(first + 2)
        }
        " " if next.known.is(Known::PARTICLE) && gap(first + 1, first + 2) == Some(" ") => {
            let third = words.get(first + 2)?;
            let is_twofold = third.known.is(Known::PARTICLE);
            let is_joined = is_twofold && gap(first + 2, first + 3) == Some(" ");
            Some(if is_joined { first + 3 } else { first + 2 })
        }
        " " | ", " => Some(first + 1),
        _ => None,
    }
}

fn is_given(word: &Word) -> bool {
    word.known.is(Known::GIVEN)
}

fn is_family(word: &Word) -> bool {
    word.known.is(Known::FAMILY)
}

fn is_everyday(word: &Word) -> bool {
    word.known.is(Known::EVERYDAY)
}

/// Two capitalised words. One that is an everyday word too needs another name beside it.
fn is_pair(one: &Word, two: &Word) -> bool {
    if two.known.is(Known::NEVER) && !is_family(two) {
        return false;
    }
    let is_either = |word: &Word| is_given(word) || is_family(word);
    if is_given(one) {
        return !is_everyday(one) || is_either(two);
    }
    let is_long = one.end - one.start > 2;
    is_family(two) && !is_everyday(two) && is_long && !one.known.is(Known::NEVER)
}

/// Two words without capitals: both must be names and nothing else.
fn is_plain_pair(text: &str, one: &Word, two: &Word) -> bool {
    let adjoin = &text[one.end as usize..two.start as usize] == " ";
    let is_sure = |word: &Word| !is_everyday(word) && !word.known.is(Known::NEVER);
    adjoin && is_given(one) && is_family(two) && is_sure(one) && is_sure(two)
}

/// How many words after `last` go on with the name.
fn more(text: &str, words: &[Word], last: usize) -> usize {
    let mut count = 0;
    for (left, right) in words[last..]
        .iter()
        .zip(&words[last + 1..])
        .take(WORDS_MAX - 2)
    {
        let adjoin = &text[left.end as usize..right.start as usize] == " ";
        let is_name = right.is_capital && (is_given(right) || is_family(right));
        let is_rest = right.is_capital && right.known == Known::default() && is_given(left);
        if !adjoin || right.known.is(Known::NEVER) || !(is_name || is_rest) {
            break;
        }
        count += 1;
    }
    count
}

/// How many words of a name stand after a word that introduces a person.
fn introduced_at(text: &str, words: &[Word], first: usize) -> usize {
    let mut count = 0;
    for index in first..words.len().min(first + WORDS_MAX) {
        let word = &words[index];
        let gap = match index == first {
            true => " ",
            false => &text[words[index - 1].end as usize..word.start as usize],
        };
        let after_initial = index > first && words[index - 1].end - words[index - 1].start == 1;
        let adjoin = gap == " " || (gap == ". " && after_initial);
        let is_never = word.known.is(Known::NEVER) && !is_family(word) && !is_given(word);
        let is_name = word.is_capital && !is_never;
        if !adjoin || !(is_name || (count > 0 && word.known.is(Known::PARTICLE))) {
            break;
        }
        count += 1;
    }
    // A particle at the end joined nothing.
    while count > 0 && !words[first + count - 1].is_capital {
        count -= 1;
    }
    count
}
