//! As much of the extensible data notation (edn-format.org) as histories use.
//!
//! Everything well-formed is understood; what cannot be a value (sets, maps,
//! tagged elements inside others) becomes [`Form::Other`], to be skipped or
//! complained about. Must not know what a history is.

use super::super::read::ReadError;
use super::super::value::Value;

/// Nesting beyond this is refused, so that no input can exhaust the stack.
const DEPTH_MAX: usize = 64;

/// One EDN element.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Form {
    /// A keyword without its colon.
    Keyword(String),
    /// An atom that is a value.
    Value(Value),
    /// A vector or a list.
    Vector(Vec<Form>),
    /// A map.
    Map(Vec<(Form, Form)>),
    /// A set or an atom that is no value of its own, as it was written.
    Other(String),
}

impl Form {
    /// The form as a value, or how it reads if it cannot be one.
    pub(crate) fn to_value(&self) -> Result<Value, String> {
        match self {
            Form::Value(value) => Ok(value.clone()),
            Form::Keyword(name) => Ok(Value::Text(format!(":{name}"))),
            Form::Vector(items) => {
                let items: Result<Vec<Value>, String> = items.iter().map(Form::to_value).collect();
                items.map(Value::List)
            }
            Form::Other(text) if !text.starts_with('#') => Ok(Value::Text(text.clone())),
            Form::Other(_) | Form::Map(_) => Err(self.shown()),
        }
    }

    /// The word of a keyword, symbol or string.
    pub(crate) fn name(&self) -> Option<&str> {
        match self {
            Form::Keyword(name) | Form::Other(name) => Some(name),
            Form::Value(Value::Text(name)) => Some(name),
            Form::Value(_) | Form::Vector(_) | Form::Map(_) => None,
        }
    }

    /// The form for an error message.
    pub(crate) fn shown(&self) -> String {
        match self {
            Form::Keyword(name) => format!(":{name}"),
            Form::Value(value) => value.to_string(),
            Form::Vector(items) => format!("a vector of {}", items.len()),
            Form::Map(entries) => format!("a map of {}", entries.len()),
            Form::Other(text) => text.clone(),
        }
    }
}

/// All forms of a text.
pub(crate) fn forms(text: &str) -> Result<Vec<Form>, ReadError> {
    let mut reader = Reader::new(text);
    let mut forms = Vec::new();
    while reader.skip_blank(0)? {
        forms.push(reader.form(0)?);
    }
    Ok(forms)
}

/// The forms of a history with their lines: those of the text, or those of the
/// one vector or list in it.
pub(crate) fn top_level(text: &str) -> Result<Vec<(usize, Form)>, ReadError> {
    let mut reader = Reader::new(text);
    let mut forms = Vec::new();
    let mut closing = None;
    while reader.skip_blank(0)? {
        match (reader.peek(), closing) {
            (Some('['), None) => closing = Some((']', reader.line)),
            (Some('('), None) => closing = Some((')', reader.line)),
            (Some(found), Some((close, _))) if found == close => closing = None,
            _ => {
                forms.push((reader.line, reader.form(1)?));
                continue;
            }
        }
        reader.advance();
    }
    match closing {
        None => Ok(forms),
        Some((close, line)) => {
            let expected = format!("{close:?} for the one opened in line {line}");
            Err(ReadError::new(reader.line, expected, "the end"))
        }
    }
}

struct Reader<'a> {
    rest: &'a str,
    line: usize,
}

impl<'a> Reader<'a> {
    fn new(text: &'a str) -> Self {
        Self {
            rest: text,
            line: 1,
        }
    }

    fn peek(&self) -> Option<char> {
        self.rest.chars().next()
    }

    fn advance(&mut self) -> Option<char> {
        let mut characters = self.rest.chars();
        let character = characters.next()?;
        self.rest = characters.as_str();
        self.line += usize::from(character == '\n');
        Some(character)
    }

    fn eat(&mut self, expected: &str) -> bool {
        match self.rest.strip_prefix(expected) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn error<T>(&self, expected: &str) -> Result<T, ReadError> {
        let found = self.rest.lines().next().unwrap_or("the end");
        Err(ReadError::new(self.line, expected, found))
    }

    /// Skips blanks, comments, discarded forms and tags; whether anything is left.
    fn skip_blank(&mut self, depth: usize) -> Result<bool, ReadError> {
        let mut is_tagged = false;
        while let Some(next) = self.peek() {
            if next.is_whitespace() || next == ',' {
                self.advance();
            } else if next == ';' {
                self.skip_line();
            } else if self.eat("#_") {
                self.discarded(depth + 1)?;
            } else if next == '#' && !self.rest.starts_with("#{") && !self.rest.starts_with("##") {
                self.tag()?;
                is_tagged = true;
            } else {
                return Ok(true);
            }
        }
        match is_tagged {
            false => Ok(false),
            true => self.error("an element after a tag"),
        }
    }

    fn skip_line(&mut self) {
        while self.peek().is_some_and(|next| next != '\n') {
            self.advance();
        }
    }

    fn tag(&mut self) -> Result<(), ReadError> {
        self.advance();
        if self.token().is_empty() {
            return self.error("a tag, a set or a discarded form after #");
        }
        Ok(())
    }

    fn discarded(&mut self, depth: usize) -> Result<(), ReadError> {
        if depth >= DEPTH_MAX {
            return self.error("less nesting");
        }
        if !self.skip_blank(depth)? {
            return self.error("an element to discard");
        }
        self.form(depth).map(drop)
    }

    fn form(&mut self, depth: usize) -> Result<Form, ReadError> {
        if depth >= DEPTH_MAX {
            return self.error("less nesting");
        }
        match self.peek() {
            Some('[') => self.sequence(']', depth).map(Form::Vector),
            Some('(') => self.sequence(')', depth).map(Form::Vector),
            Some('{') => self.map(depth),
            Some('#') if self.eat("##") => Ok(Form::Other(self.token().to_owned())),
            Some('#') => {
                self.advance();
                let items = self.sequence('}', depth)?;
                Ok(Form::Other(format!("#{{a set of {}}}", items.len())))
            }
            Some('"') => self.string().map(|text| Form::Value(Value::Text(text))),
            Some('\\') => self.character(),
            Some(']' | ')' | '}') | None => self.error("an element"),
            Some(_) => self.atom(),
        }
    }

    /// The elements up to the closing bracket; the opening one is next.
    fn sequence(&mut self, close: char, depth: usize) -> Result<Vec<Form>, ReadError> {
        let opened_in = self.line;
        self.advance();
        let mut items = Vec::new();
        while self.skip_blank(depth + 1)? {
            if self.peek() == Some(close) {
                self.advance();
                return Ok(items);
            }
            items.push(self.form(depth + 1)?);
        }
        self.error(&format!("{close:?} for the one opened in line {opened_in}"))
    }

    fn map(&mut self, depth: usize) -> Result<Form, ReadError> {
        let opened_in = self.line;
        let items = self.sequence('}', depth)?;
        if items.len() % 2 == 1 {
            let found = format!("{} elements", items.len());
            let expected = "a value for each key of the map";
            return Err(ReadError::new(opened_in, expected, found));
        }
        let mut entries = Vec::with_capacity(items.len() / 2);
        let mut items = items.into_iter();
        while let (Some(key), Some(value)) = (items.next(), items.next()) {
            entries.push((key, value));
        }
        Ok(Form::Map(entries))
    }

    fn string(&mut self) -> Result<String, ReadError> {
        let opened_in = self.line;
        self.advance();
        let mut text = String::new();
        loop {
            match self.advance() {
                Some('"') => return Ok(text),
                Some('\\') => text.push(self.escape()?),
                Some(other) => text.push(other),
                None => {
                    let expected = format!("the end of the text begun in line {opened_in}");
                    return self.error(&expected);
                }
            }
        }
    }

    fn escape(&mut self) -> Result<char, ReadError> {
        match self.advance() {
            Some('n') => Ok('\n'),
            Some('t') => Ok('\t'),
            Some('r') => Ok('\r'),
            Some('b') => Ok('\u{8}'),
            Some('f') => Ok('\u{c}'),
            Some(plain @ ('"' | '\\' | '/')) => Ok(plain),
            Some('u') => self.unicode(),
            Some(_) | None => self.error("one of the escapes n t r b f u \" \\ behind a backslash"),
        }
    }

    /// Four hexadecimal digits, or twice that for a surrogate pair.
    fn unicode(&mut self) -> Result<char, ReadError> {
        let first = self.four_digits()?;
        let is_high_surrogate = (0xd800..0xdc00).contains(&first);
        let code = if is_high_surrogate && self.eat("\\u") {
            let second = self.four_digits()?;
            0x10000 + ((first - 0xd800) << 10) + (second.wrapping_sub(0xdc00) & 0x3ff)
        } else {
            first
        };
        match char::from_u32(code) {
            Some(character) => Ok(character),
            None => self.error("the code of a character"),
        }
    }

    fn four_digits(&mut self) -> Result<u32, ReadError> {
        let digits = self.rest.get(..4);
        let is_hex = |digits: &&str| digits.bytes().all(|digit| digit.is_ascii_hexdigit());
        let code = digits
            .filter(is_hex)
            .and_then(|digits| u32::from_str_radix(digits, 16).ok());
        match code {
            Some(code) => {
                self.rest = &self.rest[4..];
                Ok(code)
            }
            None => self.error("four hexadecimal digits"),
        }
    }

    /// `\a`, `\newline` and the like, kept as they are written.
    fn character(&mut self) -> Result<Form, ReadError> {
        self.advance();
        match self.advance() {
            Some(first) => {
                let more = self.token();
                Ok(Form::Other(format!("\\{first}{more}")))
            }
            None => self.error("a character behind a backslash"),
        }
    }

    fn token(&mut self) -> &'a str {
        let is_end =
            |character: char| character.is_whitespace() || ",;\"()[]{}".contains(character);
        let length = self.rest.find(is_end).unwrap_or(self.rest.len());
        let (token, rest) = self.rest.split_at(length);
        self.rest = rest;
        token
    }

    fn atom(&mut self) -> Result<Form, ReadError> {
        let token = self.token();
        if let Some(name) = token.strip_prefix(':') {
            return match name.is_empty() {
                true => self.error("a keyword behind the colon"),
                false => Ok(Form::Keyword(name.to_owned())),
            };
        }
        let digits = token.strip_suffix('N').unwrap_or(token);
        Ok(match (token, digits.parse()) {
            ("nil", _) => Form::Value(Value::Nil),
            ("true", _) => Form::Value(Value::Bool(true)),
            ("false", _) => Form::Value(Value::Bool(false)),
            (_, Ok(number)) => Form::Value(Value::Int(number)),
            (_, Err(_)) => Form::Other(token.to_owned()),
        })
    }
}
