//! Numbers that mean somebody: cards, social security numbers, telephones, IPv4 addresses.
//!
//! A stretch of digits is cut into groups at single separators; then every run of groups is held
//! against the few forms there are. Groups are bounded, so this is linear. Must not know words,
//! only that one was found before.

use super::marks::{self, Mark, Meaning};
use super::{Hit, begins_word, ends_word};
use crate::federation::kind::Kind;
use crate::federation::rules::Rules;

/// Most groups of one stretch; a longer list of numbers is none of these.
const GROUPS_MAX: usize = 24;

/// How far before a number the word may end that says what it is.
const REACH: usize = 40;

/// The groups of digits of one stretch.
#[derive(Debug)]
struct Groups {
    /// First and last byte of each, and how many digits stand before it in the stretch.
    at: [(u32, u32, u32); GROUPS_MAX],
    count: usize,
    digits: [u8; 64],
    total: usize,
}

/// A run of groups that is held against the forms.
#[derive(Clone, Copy)]
struct Run<'a> {
    text: &'a str,
    groups: &'a [(u32, u32, u32)],
    digits: &'a [u8],
}

impl Run<'_> {
    fn start(&self) -> usize {
        self.groups[0].0 as usize
    }

    fn end(&self) -> usize {
        self.groups[self.groups.len() - 1].1 as usize
    }

    /// Whether the groups have these lengths.
    fn is_grouped(&self, lengths: &[usize]) -> bool {
        let own = self.groups.iter().map(|(from, to, _)| (to - from) as usize);
        own.eq(lengths.iter().copied())
    }

    /// The separator between group `nth` and the next one.
    fn separator(&self, nth: usize) -> &str {
        &self.text[self.groups[nth].1 as usize..self.groups[nth + 1].0 as usize]
    }

    /// Whether all separators are the same.
    fn is_even(&self) -> bool {
        let count = self.groups.len().saturating_sub(1);
        (1..count).all(|nth| self.separator(nth) == self.separator(0))
    }
}

/// Appends the numbers that mean somebody.
pub(super) fn find<R: Rules>(text: &str, marks: &[Mark], named: Option<Kind>, hits: &mut Vec<Hit>) {
    let bytes = text.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        if !bytes[at].is_ascii_digit() {
            at += 1;
            continue;
        }
        if !begins_word(text, at) {
            at += bytes[at..]
                .iter()
                .take_while(|byte| byte.is_ascii_digit())
                .count();
            continue;
        }
        let (groups, end) = stretch(bytes, at);
        if let Some(groups) = groups {
            classify::<R>(text, &groups, marks, named, hits);
        }
        at = end;
    }
}

/// The groups that begin at `at`, unless they are too many or too long, and where they end.
fn stretch(bytes: &[u8], at: usize) -> (Option<Groups>, usize) {
    let mut groups = Groups {
        at: [(0, 0, 0); GROUPS_MAX],
        count: 0,
        digits: [0; 64],
        total: 0,
    };
    let mut is_bounded = true;
    let mut next = at;
    loop {
        let start = next;
        while next < bytes.len() && bytes[next].is_ascii_digit() {
            next += 1;
        }
        is_bounded &= groups.add(start, &bytes[start..next]);
        let gap = separator(&bytes[next..]);
        let goes_on = gap > 0 && bytes.get(next + gap).is_some_and(u8::is_ascii_digit);
        if !goes_on {
            return (is_bounded.then_some(groups), next);
        }
        next += gap;
    }
}

/// How long the separator is that stands here: one mark, or a mark among blanks or brackets.
fn separator(bytes: &[u8]) -> usize {
    let is_mark = |byte: &&u8| matches!(byte, b' ' | b'-' | b'.' | b'/' | b'_' | b'(' | b')');
    let length = bytes.iter().take(4).take_while(is_mark).count();
    if length > 3 { 0 } else { length }
}

impl Groups {
    /// Adds a group if there is room.
    fn add(&mut self, start: usize, digits: &[u8]) -> bool {
        let fits = self.count < GROUPS_MAX && self.total + digits.len() <= self.digits.len();
        if fits {
            self.at[self.count] = (
                start as u32,
                (start + digits.len()) as u32,
                self.total as u32,
            );
            self.digits[self.total..self.total + digits.len()].copy_from_slice(digits);
            self.count += 1;
            self.total += digits.len();
        }
        fits
    }

    fn run<'a>(&'a self, text: &'a str, from: usize, to: usize) -> Run<'a> {
        let first = self.at[from].2 as usize;
        let last = self.at[to - 1];
        let end = (last.2 + last.1 - last.0) as usize;
        Run {
            text,
            groups: &self.at[from..to],
            digits: &self.digits[first..end],
        }
    }
}

/// Finds the longest run of groups that is something, then goes on behind it.
fn classify<R: Rules>(
    text: &str,
    groups: &Groups,
    marks: &[Mark],
    named: Option<Kind>,
    hits: &mut Vec<Hit>,
) {
    let mut from = 0;
    while from < groups.count {
        let found = (from + 1..=groups.count).rev().find_map(|to| {
            let run = groups.run(text, from, to);
            let kind = kind_of::<R>(run, marks, named)?;
            Some((to, kind, run.start(), run.end()))
        });
        let Some((to, kind, start, end)) = found else {
            from += 1;
            continue;
        };
        let start = if kind == Kind::Phone {
            phone_start(text, start)
        } else {
            start
        };
        hits.push(Hit { kind, start, end });
        from = to;
    }
}

fn kind_of<R: Rules>(run: Run<'_>, marks: &[Mark], named: Option<Kind>) -> Option<Kind> {
    if !ends_word(run.text, run.end()) || !(4..=19).contains(&run.digits.len()) {
        return None;
    }
    let announced = |kind: Kind| {
        let meaning = Meaning::Announces(kind);
        named == Some(kind) || marks::is_announced(marks, meaning, run.start(), REACH)
    };
    if is_ipv4(run) {
        Some(Kind::Ipv4)
    } else if is_card::<R>(run) {
        Some(Kind::CreditCard)
    } else if is_ssn(run, || announced(Kind::Ssn)) {
        Some(Kind::Ssn)
    } else if is_phone(run, || announced(Kind::Phone)) {
        Some(Kind::Phone)
    } else {
        None
    }
}

fn is_ipv4(run: Run<'_>) -> bool {
    let before = &run.text.as_bytes()[..run.start()];
    let is_version = before
        .last()
        .is_some_and(|byte| matches!(byte, b'.' | b'v'));
    let after = run.text.as_bytes().get(run.end()..).unwrap_or_default();
    let goes_on = matches!(after, [b'.', digit, ..] if digit.is_ascii_digit());
    let is_dotted = run.groups.len() == 4 && (0..3).all(|nth| run.separator(nth) == ".");
    if !is_dotted || is_version || goes_on {
        return false;
    }
    let address = &run.text[run.start()..run.end()];
    let parsed = address.parse::<core::net::Ipv4Addr>();
    parsed.is_ok_and(|address| {
        !address.is_loopback() && !address.is_unspecified() && !address.is_broadcast()
    })
}

/// A card: a known issuer's prefix, its length, the check digit, and a usual grouping.
fn is_card<R: Rules>(run: Run<'_>) -> bool {
    let lengths = run.groups.len();
    let is_usual = lengths == 1
        || run.is_grouped(&[4, 4, 4, 4])
        || run.is_grouped(&[4, 6, 5])
        || run.is_grouped(&[4, 6, 4])
        || run.is_grouped(&[4, 4, 4, 4, 3])
        || run.is_grouped(&[6, 13]);
    let is_single = run.groups.iter().all(|(from, to, _)| to - from == 1);
    (is_usual || is_single)
        && run.is_even()
        && is_issued(run.digits)
        && R::card_holds(luhn(run.digits))
}

/// Whether an issuer gives out numbers of this prefix and length.
fn is_issued(digits: &[u8]) -> bool {
    let prefix = |length: usize| {
        digits
            .iter()
            .take(length)
            .fold(0_u32, |sum, digit| sum * 10 + u32::from(digit - b'0'))
    };
    match digits.len() {
        13 | 18 => prefix(1) == 4,
        14 => matches!(prefix(3), 300..=305 | 309) || matches!(prefix(2), 36 | 38 | 39),
        15 => matches!(prefix(2), 34 | 37),
        16 => {
            prefix(1) == 4
                || matches!(prefix(2), 51..=55 | 62 | 65 | 35)
                || matches!(prefix(4), 2221..=2720 | 6011)
                || matches!(prefix(3), 644..=649)
        }
        17 | 19 => prefix(1) == 4 || prefix(2) == 62,
        _ => false,
    }
}

/// The check digit of ISO/IEC 7812: doubling every second digit from the right, 10 divides the sum.
fn luhn(digits: &[u8]) -> bool {
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(nth, digit)| {
            let digit = u32::from(digit - b'0');
            match nth % 2 {
                0 => digit,
                _ if digit > 4 => 2 * digit - 9,
                _ => 2 * digit,
            }
        })
        .sum();
    sum.is_multiple_of(10)
}

/// 3-2-4 digits, or nine in a row after a word that says so. Areas 000, 666 and 9xx are given to
/// nobody, nor are groups of zeros.
fn is_ssn(run: Run<'_>, is_announced: impl Fn() -> bool) -> bool {
    let digits = run.digits;
    if digits.len() != 9 {
        return false;
    }
    let is_given = !matches!(&digits[..3], b"000" | b"666")
        && digits[0] != b'9'
        && &digits[3..5] != b"00"
        && &digits[5..] != b"0000";
    let is_formed = run.is_grouped(&[3, 2, 4]) && run.is_even();
    is_given && (is_formed || is_announced())
}

fn is_phone(run: Run<'_>, is_announced: impl Fn() -> bool) -> bool {
    let count = run.digits.len();
    let before = &run.text.as_bytes()[..run.start()];
    let is_international = match before {
        [.., b'+'] | [.., b'+', b'('] => (8..=15).contains(&count),
        _ => false,
    };
    let is_american = |from: usize| {
        let digits = &run.digits[from..];
        digits.len() == 10 && digits[0] >= b'2' && digits[3] >= b'2'
    };
    let grouped = (run.is_grouped(&[3, 3, 4]) && is_american(0))
        || (run.is_grouped(&[1, 3, 3, 4]) && run.digits[0] == b'1' && is_american(1));
    let is_national = run.digits[0] == b'0'
        && run.digits[1] != b'0'
        && (9..=11).contains(&count)
        && (2..=5).contains(&run.groups.len())
        && (run.groups[0].1 - run.groups[0].0) >= 2
        && !has_slashes_only(run);
    is_international
        || grouped
        || is_national
        || ((7..=15).contains(&count) && run.groups.len() <= 5 && is_announced())
}

/// Whether the run is written like a date.
fn has_slashes_only(run: Run<'_>) -> bool {
    run.groups.len() == 3
        && (0..2).all(|nth| matches!(run.separator(nth), "/" | "." | "-"))
        && run.groups[0].1 - run.groups[0].0 == 2
        && run.groups[1].1 - run.groups[1].0 == 2
}

/// A telephone number begins with its plus sign and bracket.
fn phone_start(text: &str, digits: usize) -> usize {
    let before = &text.as_bytes()[..digits];
    let marks = before
        .iter()
        .rev()
        .take(2)
        .take_while(|byte| matches!(byte, b'(' | b'+'));
    digits - marks.count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::federation::rules::Strict;

    fn found(text: &str) -> Vec<(Kind, String)> {
        let mut hits = Vec::new();
        find::<Strict>(text, &[], None, &mut hits);
        let of = |hit: &Hit| (hit.kind, text[hit.start..hit.end].to_owned());
        hits.iter().map(of).collect()
    }

    #[test]
    fn numbers_are_known_by_prefix_length_grouping_and_check_digit() {
        // One number of each form, amid other groups of digits where a reader would see it too.
        let cases = [
            (
                "4111 1111 1111 1111 12/27",
                Kind::CreditCard,
                "4111 1111 1111 1111",
            ),
            (
                "5500-0055-5555-5559.",
                Kind::CreditCard,
                "5500-0055-5555-5559",
            ),
            ("no 378282246310005 on", Kind::CreditCard, "378282246310005"),
            ("078-05-1120", Kind::Ssn, "078-05-1120"),
            ("078 05 1120", Kind::Ssn, "078 05 1120"),
            ("(415) 555-2671 x", Kind::Phone, "(415) 555-2671"),
            ("+44 20 7946 0958", Kind::Phone, "+44 20 7946 0958"),
            ("1-415-555-2671", Kind::Phone, "1-415-555-2671"),
            ("030 1234 5678", Kind::Phone, "030 1234 5678"),
            ("to 203.0.113.9:80", Kind::Ipv4, "203.0.113.9"),
        ];
        for (text, kind, value) in cases {
            assert_eq!(found(text), [(kind, value.to_owned())], "{text}");
        }
    }

    #[test]
    fn numbers_that_mean_nobody_are_left() {
        // Times, dates, versions, amounts, wrong check digits, numbers given to nobody.
        for text in [
            "1700000000",
            "1700000000000",
            "2024-11-26 10:00:00",
            "26.11.2024",
            "01/02/2024",
            "4111 1111 1111 1112",
            "666-12-3456",
            "000-12-3456",
            "900-12-3456",
            "123-00-4567",
            "v1.2.3.4",
            "1.2.3.4.5",
            "127.0.0.1",
            "999.1.1.1",
            "1,234,567.89",
            "123456789",
            "a4111111111111111",
            "12345678901234567890123",
        ] {
            assert_eq!(found(text), [], "{text}");
        }
    }

    #[test]
    fn luhn_finds_every_single_wrong_digit() {
        // What a check digit is for; so no number next to a card is one.
        let card = b"4111111111111111";
        assert!(luhn(card));
        for place in 0..card.len() {
            for digit in b'0'..=b'9' {
                let mut other = *card;
                other[place] = digit;
                assert_eq!(luhn(&other), digit == card[place]);
            }
        }
    }
}
