//! Taking off what hides single characters: escapes, other widths, look-alikes, nothing at all.
//!
//! Must not know words.

use super::view::{Unmasked, View};
use crate::federation::rules::Rules;

/// How often an escape may be inside an escape.
const ROUNDS_MAX: usize = 3;

/// The text with every character plain, unless it is so already.
pub(super) fn fold<R: Rules>(view: View<'_>) -> Option<Unmasked> {
    let mut folded: Option<Unmasked> = None;
    for _ in 0..ROUNDS_MAX {
        let now = folded.as_ref().map_or(view, Unmasked::view);
        match fold_once::<R>(now) {
            Some(next) => folded = Some(next),
            None => break,
        }
    }
    folded
}

fn fold_once<R: Rules>(view: View<'_>) -> Option<Unmasked> {
    let bytes = view.text.as_bytes();
    let is_suspect = |byte: &u8| SUSPECT[usize::from(*byte)];
    let first = bytes.iter().position(is_suspect)?;
    let mut out = Unmasked::with_room_for(view);
    let mut changed = false;
    let mut at = 0;
    let mut plain_until = first;
    while at < bytes.len() {
        if plain_until > at {
            out.append(view.part(at as u32, plain_until as u32));
            at = plain_until;
            continue;
        }
        let rest = &view.text[at..];
        let character = rest.chars().next().expect("a boundary");
        let escape = matches!(character, '\\' | '%' | '&')
            .then(|| escape(rest))
            .flatten()
            .filter(|_| R::decodes_escapes());
        let (step, became) = match escape {
            Some((step, became)) => (step, Some(became)),
            None => (character.len_utf8(), folded::<R>(character, rest, &out)),
        };
        changed |= step != character.len_utf8() || became != Some(character);
        if let Some(became) = became {
            out.push(became, view.place(at));
        }
        at += step;
        let next = bytes[at..].iter().position(is_suspect);
        plain_until = next.map_or(bytes.len(), |next| at + next);
    }
    changed.then(|| out.finish_like(view))
}

/// Bytes that begin an escape or a character beyond ASCII.
const SUSPECT: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0x80;
    while byte < 256 {
        table[byte] = true;
        byte += 1;
    }
    table[b'\\' as usize] = true;
    table[b'%' as usize] = true;
    table[b'&' as usize] = true;
    table
};

/// What a character stands for; `None` if for nothing.
fn folded<R: Rules>(character: char, rest: &str, before: &Unmasked) -> Option<char> {
    if character.is_ascii() {
        return Some(character);
    }
    if is_invisible(character) {
        return (!R::drops_invisible()).then_some(character);
    }
    if !R::folds_widths() {
        return Some(character);
    }
    let is_among_latin = || {
        let is_latin = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
        is_latin(before.view().text.as_bytes().last())
            || is_latin(rest.as_bytes().get(character.len_utf8()))
    };
    Some(match look_alike(character) {
        Some(latin) if is_among_latin() => latin,
        _ => compatible(character),
    })
}

/// Characters that show nothing. Tag characters show nothing either, but spell something.
fn is_invisible(character: char) -> bool {
    matches!(
        u32::from(character),
        0xad | 0x34f
            | 0x61c
            | 0x115f..=0x1160
            | 0x17b4..=0x17b5
            | 0x180b..=0x180e
            | 0x200b..=0x200f
            | 0x202a..=0x202e
            | 0x2060..=0x206f
            | 0x3164
            | 0xfe00..=0xfe0f
            | 0xfeff
            | 0xffa0
            | 0xe0000..=0xe001f
            | 0xe007f
            | 0xe0100..=0xe01ef
    )
}

/// The plain character of another width, weight or frame.
fn compatible(character: char) -> char {
    let code = u32::from(character);
    let ascii = |code: u32| char::from_u32(code).unwrap_or(character);
    let letter = |nth: u32| ascii(nth % 26 + if nth % 52 < 26 { 0x41 } else { 0x61 });
    match code {
        0xff01..=0xff5e => ascii(code - 0xfee0),
        0xe0020..=0xe007e => ascii(code - 0xe0000),
        0xa0 | 0x1680 | 0x2000..=0x200a | 0x202f | 0x205f | 0x3000 => ' ',
        0x2028 | 0x2029 | 0x85 => '\n',
        0x2010..=0x2015 | 0x2212 | 0xfe58 | 0xfe63 => '-',
        0x2018..=0x201b | 0x2032 => '\'',
        0x201c..=0x201f | 0x2033 => '"',
        0x2024 | 0x3002 | 0xff61 | 0xfe52 | 0xb7 => '.',
        0xfe55 | 0xa789 | 0x2236 => ':',
        0xfe6b => '@',
        0x2044 | 0x2215 => '/',
        0x1d7ce..=0x1d7ff => ascii(0x30 + (code - 0x1d7ce) % 10),
        0x1d400..=0x1d6a3 => letter(code - 0x1d400),
        0x24b6..=0x24e9 => letter((code - 0x24b6) % 26 + (code - 0x24b6) / 26 * 26),
        0x1f130..=0x1f149 => ascii(0x41 + code - 0x1f130),
        0x2460..=0x2468 => ascii(0x31 + code - 0x2460),
        0x2070 | 0x2074..=0x2079 => ascii(0x30 + code - 0x2070),
        0x2080..=0x2089 => ascii(0x30 + code - 0x2080),
        0xb9 => '1',
        0xb2 | 0xb3 => ascii(0x32 + code - 0xb2),
        0x660..=0x669 => ascii(0x30 + code - 0x660),
        0x6f0..=0x6f9 => ascii(0x30 + code - 0x6f0),
        0x966..=0x96f => ascii(0x30 + code - 0x966),
        _ => character,
    }
}

/// The Latin letter that a Cyrillic or Greek one is mistaken for.
fn look_alike(character: char) -> Option<char> {
    const PAIRS: &str =
        "аaеeоoрpсcуyхxіiѕsјjһhԁdԛqԝwАAВBЕEКKМMНHОOРPСCТTХXΑAΒBΕEΖZΗHΙIΚKΜMΝNΟOΡPΤTΥYΧXοoνv";
    let mut pairs = PAIRS.chars();
    while let (Some(foreign), Some(latin)) = (pairs.next(), pairs.next()) {
        if foreign == character {
            return Some(latin);
        }
    }
    None
}

/// The escape at the beginning of `rest`: how long it is and what it stands for.
fn escape(rest: &str) -> Option<(usize, char)> {
    let bytes = rest.as_bytes();
    match bytes[0] {
        b'\\' => backslash(rest),
        b'%' => percent(bytes),
        _ => entity(rest),
    }
}

fn backslash(rest: &str) -> Option<(usize, char)> {
    match rest.as_bytes().get(1)? {
        b'u' => unicode(rest),
        b'x' => Some((4, char::from(hex_byte(rest.as_bytes().get(2..4)?)?))),
        b'n' => Some((2, '\n')),
        b'r' => Some((2, '\r')),
        b't' => Some((2, '\t')),
        b'"' => Some((2, '"')),
        b'\'' => Some((2, '\'')),
        b'/' => Some((2, '/')),
        b'\\' => Some((2, '\\')),
        _ => None,
    }
}

/// `\uXXXX`, or two of them for a character beyond the first plane; a lone half is no character.
fn unicode(rest: &str) -> Option<(usize, char)> {
    let unit = |at: usize| {
        let escape = rest.get(at..at + 6)?;
        let digits = escape.strip_prefix("\\u")?;
        u32::from_str_radix(digits, 16).ok()
    };
    let first = unit(0)?;
    if let Some(character) = char::from_u32(first) {
        return Some((6, character));
    }
    let second = unit(6)?;
    let pair = char::decode_utf16([first as u16, second as u16]).next()?;
    pair.ok().map(|character| (12, character))
}

fn hex_byte(digits: &[u8]) -> Option<u8> {
    let text = std::str::from_utf8(digits).ok()?;
    u8::from_str_radix(text, 16).ok()
}

/// `%XX`, as many as one UTF-8 character needs.
fn percent(bytes: &[u8]) -> Option<(usize, char)> {
    let mut decoded = [0; 4];
    for length in 1..=4 {
        let escape = bytes.get(3 * (length - 1)..3 * length)?;
        if escape[0] != b'%' {
            return None;
        }
        decoded[length - 1] = hex_byte(&escape[1..])?;
        if let Ok(text) = std::str::from_utf8(&decoded[..length]) {
            return text.chars().next().map(|character| (3 * length, character));
        }
    }
    None
}

/// A character reference of HTML.
fn entity(rest: &str) -> Option<(usize, char)> {
    let window = &rest.as_bytes()[..rest.len().min(12)];
    let end = window.iter().position(|byte| *byte == b';')?;
    let name = rest.get(1..end)?;
    let character = match name {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        "nbsp" => ' ',
        "commat" => '@',
        "period" => '.',
        "colon" => ':',
        "sol" => '/',
        "equals" => '=',
        "lowbar" => '_',
        "hyphen" | "dash" => '-',
        "plus" => '+',
        _ => {
            let number = name.strip_prefix('#')?;
            let code = match number.strip_prefix(['x', 'X']) {
                Some(digits) => u32::from_str_radix(digits, 16),
                None => number.parse(),
            };
            char::from_u32(code.ok()?)?
        }
    };
    Some((end + 1, character))
}

/// The text of a JSON string between its quotes, decoded.
pub(super) fn unescape_json(view: View<'_>) -> Unmasked {
    let mut out = Unmasked::with_room_for(view);
    let mut at = 0;
    while let Some(found) = view.text[at..].find('\\') {
        let slash = at + found;
        out.append(view.part(at as u32, slash as u32));
        let (step, character) = match view.text.as_bytes().get(slash + 1) {
            Some(b'b') => (2, '\u{8}'),
            Some(b'f') => (2, '\u{c}'),
            // A lone half of a pair is a character to nobody; it shows as one that is none.
            _ => backslash(&view.text[slash..]).unwrap_or((6, char::REPLACEMENT_CHARACTER)),
        };
        out.push(character, view.place(slash));
        at = slash + step;
    }
    out.append(view.part(at as u32, view.text.len() as u32));
    out.finish_like(view)
}

/// A text as it stands inside a JSON string.
pub(super) fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"")
}
