//! JSON (RFC 8259) as a list of leaves that lie where they lay: names, strings and numbers.
//!
//! A document may be several objects or arrays, one after the other, as in JSON lines. What is not
//! exactly that is no JSON, and is read as text. Nothing is copied, so that a finding can be cut
//! out of the very bytes it stood in. Must not know what leaves mean.

use super::Place;

/// Deepest nesting; deeper documents are read as text.
const NESTING_MAX: usize = 128;

/// A name, string or number of a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Leaf {
    /// Where it begins, after the quote.
    pub(super) start: u32,
    /// Where it ends, before the quote.
    pub(super) end: u32,
    /// Its name's leaf: that of the array or of the holder of the value it is in, if it has none.
    pub(super) key: Option<u32>,
    /// The leaf that names what this one holds, as in `{"name": .., "value": ..}`.
    pub(super) named: Option<u32>,
    /// What it is.
    pub(super) place: Place,
    /// Whether there is a backslash in it.
    pub(super) is_escaped: bool,
}

/// A document taken apart.
#[derive(Clone, Debug, Default)]
pub struct Lexed {
    leaves: Vec<Leaf>,
}

impl Lexed {
    /// Takes `text` apart if it is a sequence of JSON objects and arrays.
    pub fn of(text: &str) -> Option<Self> {
        let begins = text.trim_ascii_start();
        if !begins.starts_with(['{', '[']) {
            return None;
        }
        let mut lexer = Lexer {
            bytes: text.as_bytes(),
            at: text.len() - begins.len(),
            open: Vec::new(),
            leaves: Vec::new(),
        };
        while lexer.at < lexer.bytes.len() {
            if !matches!(lexer.peek(), b'{' | b'[') {
                return None;
            }
            lexer.value()?;
            lexer.blank();
        }
        Some(Self {
            leaves: lexer.leaves,
        })
    }

    pub(super) fn leaves(&self) -> &[Leaf] {
        &self.leaves
    }

    /// The text of leaf number `index` in the text that was taken apart.
    pub(super) fn text_of<'a>(&self, text: &'a str, index: u32) -> &'a str {
        let leaf = &self.leaves[index as usize];
        &text[leaf.start as usize..leaf.end as usize]
    }
}

/// An object or array that is not closed yet.
struct Open {
    is_object: bool,
    /// The name of what it is the value of, for values that have none of their own.
    key: Option<u32>,
    /// The string beside `name` or `key` in it.
    named: Option<u32>,
}

struct Lexer<'a> {
    bytes: &'a [u8],
    at: usize,
    open: Vec<Open>,
    leaves: Vec<Leaf>,
}

/// Names of fields that say what the field beside them holds.
const NAMING: [&[u8]; 7] = [
    b"name",
    b"key",
    b"field",
    b"label",
    b"header",
    b"variable",
    b"id",
];

/// Names of fields that hold what the field around or beside them names.
const HOLDING: [&[u8]; 8] = [
    b"value", b"val", b"content", b"data", b"text", b"raw", b"current", b"plain",
];

impl Lexer<'_> {
    fn peek(&self) -> u8 {
        self.bytes.get(self.at).copied().unwrap_or(0)
    }

    fn blank(&mut self) {
        while matches!(self.peek(), b' ' | b'\n' | b'\r' | b'\t') {
            self.at += 1;
        }
    }

    fn take(&mut self, byte: u8) -> Option<()> {
        (self.peek() == byte).then(|| self.at += 1)
    }

    /// One whole value. Nesting is kept on a stack of our own.
    fn value(&mut self) -> Option<()> {
        let floor = self.open.len();
        let mut key = None;
        loop {
            let opened = self.begin_value(key)?;
            if opened {
                self.blank();
                if !self.closes() {
                    key = self.member()?;
                    continue;
                }
            }
            loop {
                if self.open.len() == floor {
                    return Some(());
                }
                self.blank();
                if self.peek() == b',' {
                    self.at += 1;
                    self.blank();
                    key = self.member()?;
                    break;
                }
                if !self.closes() {
                    return None;
                }
            }
        }
    }

    /// Closes the innermost object or array, if its end is here.
    fn closes(&mut self) -> bool {
        let Some(open) = self.open.last() else {
            return false;
        };
        let closes = self.peek() == if open.is_object { b'}' } else { b']' };
        if closes {
            self.at += 1;
            self.open.pop();
        }
        closes
    }

    /// The name of the next member and its colon; of an array, the array's own name.
    fn member(&mut self) -> Option<Option<u32>> {
        let open = self.open.last()?;
        if !open.is_object {
            return Some(open.key);
        }
        let index = self.leaves.len() as u32;
        self.string(Place::Key, None)?;
        self.blank();
        self.take(b':')?;
        self.blank();
        Some(Some(index))
    }

    /// A scalar, or the beginning of an object or array; says whether it was a beginning.
    fn begin_value(&mut self, key: Option<u32>) -> Option<bool> {
        let is_object = match self.peek() {
            b'"' => return self.string(Place::Text, key).map(|()| false),
            b'{' => true,
            b'[' => false,
            b't' => return self.word(b"true"),
            b'f' => return self.word(b"false"),
            b'n' => return self.word(b"null"),
            _ => return self.number(key).map(|()| false),
        };
        if self.open.len() >= NESTING_MAX {
            return None;
        }
        self.at += 1;
        self.open.push(Open {
            is_object,
            key,
            named: None,
        });
        Some(true)
    }

    fn word(&mut self, word: &[u8]) -> Option<bool> {
        self.bytes[self.at..].starts_with(word).then(|| {
            self.at += word.len();
            false
        })
    }

    fn string(&mut self, place: Place, key: Option<u32>) -> Option<()> {
        self.take(b'"')?;
        let start = self.at;
        let mut is_escaped = false;
        loop {
            match *self.bytes.get(self.at)? {
                b'"' => break,
                b'\\' => {
                    is_escaped = true;
                    self.escape()?;
                }
                0..=0x1f => return None,
                _ => self.at += 1,
            }
        }
        self.leaf(start, key, place, is_escaped);
        self.at += 1;
        Some(())
    }

    fn escape(&mut self) -> Option<()> {
        match *self.bytes.get(self.at + 1)? {
            b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => self.at += 2,
            b'u' => {
                let digits = self.bytes.get(self.at + 2..self.at + 6)?;
                if !digits.iter().all(u8::is_ascii_hexdigit) {
                    return None;
                }
                self.at += 6;
            }
            _ => return None,
        }
        Some(())
    }

    fn number(&mut self, key: Option<u32>) -> Option<()> {
        let start = self.at;
        if self.peek() == b'-' {
            self.at += 1;
        }
        let whole = self.digits();
        let is_padded = whole > 1 && self.bytes[self.at - whole] == b'0';
        if whole == 0 || is_padded {
            return None;
        }
        if self.peek() == b'.' {
            self.at += 1;
            (self.digits() > 0).then_some(())?;
        }
        if matches!(self.peek(), b'e' | b'E') {
            self.at += 1;
            if matches!(self.peek(), b'+' | b'-') {
                self.at += 1;
            }
            (self.digits() > 0).then_some(())?;
        }
        self.leaf(start, key, Place::Number, false);
        Some(())
    }

    fn digits(&mut self) -> usize {
        let start = self.at;
        while self.peek().is_ascii_digit() {
            self.at += 1;
        }
        self.at - start
    }

    fn leaf(&mut self, start: usize, key: Option<u32>, place: Place, is_escaped: bool) {
        let index = self.leaves.len() as u32;
        let (key, named) = match key {
            Some(own) => self.naming(own, index, place),
            None => (None, None),
        };
        self.leaves.push(Leaf {
            start: start as u32,
            end: self.at as u32,
            key,
            named,
            place,
            is_escaped,
        });
    }

    /// What names the value of the member `own`: its own name, or that of its holder.
    fn naming(&mut self, own: u32, value: u32, place: Place) -> (Option<u32>, Option<u32>) {
        let name = &self.leaves[own as usize];
        let name = &self.bytes[name.start as usize..name.end as usize];
        let is_one_of = |list: &[&[u8]]| list.iter().any(|one| name.eq_ignore_ascii_case(one));
        let Some(open) = self.open.last_mut() else {
            return (Some(own), None);
        };
        if open.is_object && place == Place::Text && is_one_of(&NAMING) {
            open.named = Some(value);
        }
        if open.is_object && is_one_of(&HOLDING) {
            return (Some(open.key.unwrap_or(own)), open.named);
        }
        (Some(own), None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A leaf with the texts of its names.
    type Shown = (String, Option<String>, Option<String>);

    fn shown(text: &str) -> Option<Vec<Shown>> {
        let lexed = Lexed::of(text)?;
        let of = |index: Option<u32>| index.map(|index| lexed.text_of(text, index).to_owned());
        let leaves = lexed.leaves().iter();
        let shown = leaves.map(|leaf| {
            let own = &text[leaf.start as usize..leaf.end as usize];
            (own.to_owned(), of(leaf.key), of(leaf.named))
        });
        Some(shown.collect())
    }

    #[test]
    fn leaves_carry_the_name_that_says_what_they_are() {
        // The three ways in which JSON names a value: its own name, that of the array or holder
        // around it, and a field beside it.
        let text = r#"{"pin":["1"],"box":{"value":2},"set":[{"name":"word","value":"x"}]}"#;
        let named = |own: &str, key: Option<&str>, named: Option<&str>| {
            (
                own.to_owned(),
                key.map(str::to_owned),
                named.map(str::to_owned),
            )
        };
        let wanted = vec![
            named("pin", None, None),
            named("1", Some("pin"), None),
            named("box", None, None),
            named("value", None, None),
            named("2", Some("box"), None),
            named("set", None, None),
            named("name", None, None),
            named("word", Some("name"), None),
            named("value", None, None),
            named("x", Some("set"), Some("word")),
        ];
        assert_eq!(shown(text), Some(wanted));
    }

    #[test]
    fn only_json_is_taken_for_json() {
        // Each of these breaks one rule of the grammar, or would hide digits from the text rules.
        for text in [
            "",
            "12",
            "\"a\"",
            "{",
            "[1,]",
            "[1 2]",
            "{\"a\"}",
            "{\"a\":}",
            "[01]",
            "[1.]",
            "[-]",
            "[\"\n\"]",
            "[\"\\x\"]",
            "[\"\\u12g4\"]",
            "[tru]",
            "[1]x",
            "{a:1}",
            "[}",
            "[1]]",
        ] {
            assert_eq!(shown(text), None, "{text}");
        }
        for text in [
            "[]",
            " {} \n",
            "[1]\n{\"a\":[true,null,-0.5e+3]}",
            "[\"\\u00e9\\n\"]",
        ] {
            assert!(shown(text).is_some(), "{text}");
        }
    }

    #[test]
    fn deep_nesting_is_refused_and_not_followed() {
        // A stack of our own: a thousand brackets must not become a thousand calls.
        let deep = |levels: usize| "[".repeat(levels) + &"]".repeat(levels);
        assert!(Lexed::of(&deep(NESTING_MAX)).is_some());
        assert!(Lexed::of(&deep(NESTING_MAX + 1)).is_none());
        assert!(Lexed::of(&deep(1_000_000)).is_none());
    }
}
