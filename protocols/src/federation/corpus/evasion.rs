//! The disguises under which canaries are planted.
//!
//! Must not know how they are taken off.

/// How a canary is hidden.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Evasion {
    /// Not at all, in running text.
    Plain,
    /// The value of a JSON field.
    Field,
    /// A field deep inside objects and arrays.
    Nested,
    /// A field of JSON that is itself a string, once or twice.
    JsonInString,
    /// One half in one field, the other half in the next.
    Split,
    /// JSON escapes, every character.
    JsonEscapes,
    /// Percent escapes, every byte.
    Percent,
    /// Character references of HTML, every character.
    Entities,
    /// Base64.
    Base64,
    /// Hexadecimal.
    Hex,
    /// Full-width characters.
    FullWidth,
    /// A character without width between any two.
    Invisible,
    /// A blank between any two characters.
    Spaced,
}

impl Evasion {
    /// All evasions.
    pub const ALL: [Self; 13] = [
        Self::Plain,
        Self::Field,
        Self::Nested,
        Self::JsonInString,
        Self::Split,
        Self::JsonEscapes,
        Self::Percent,
        Self::Entities,
        Self::Base64,
        Self::Hex,
        Self::FullWidth,
        Self::Invisible,
        Self::Spaced,
    ];

    /// The evasion's name in tables.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Field => "field",
            Self::Nested => "nested",
            Self::JsonInString => "json-in-string",
            Self::Split => "split",
            Self::JsonEscapes => "json-escapes",
            Self::Percent => "percent",
            Self::Entities => "entities",
            Self::Base64 => "base64",
            Self::Hex => "hex",
            Self::FullWidth => "full-width",
            Self::Invisible => "invisible",
            Self::Spaced => "spaced",
        }
    }

    /// The text in this disguise; those that are a matter of fields leave it as it is.
    pub fn of(self, text: &str) -> String {
        let each = |form: fn(char) -> String| text.chars().map(form).collect::<String>();
        match self {
            Self::Plain | Self::Field | Self::Nested | Self::JsonInString | Self::Split => {
                text.to_owned()
            }
            Self::JsonEscapes => text
                .encode_utf16()
                .map(|unit| format!("\\u{unit:04x}"))
                .collect(),
            Self::Percent => text.bytes().map(|byte| format!("%{byte:02X}")).collect(),
            Self::Entities => each(|c| format!("&#{};", u32::from(c))),
            Self::Base64 => base64(text.as_bytes()),
            Self::Hex => text.bytes().map(|byte| format!("{byte:02x}")).collect(),
            Self::FullWidth => text.chars().map(full_width).collect(),
            Self::Invisible => joined(text, '\u{200b}'),
            Self::Spaced => joined(text, ' '),
        }
    }
}

fn joined(text: &str, by: char) -> String {
    let mut out = String::with_capacity(4 * text.len());
    for character in text.chars() {
        if !out.is_empty() {
            out.push(by);
        }
        out.push(character);
    }
    out
}

fn full_width(character: char) -> char {
    match character {
        '!'..='~' => char::from_u32(u32::from(character) + 0xfee0).unwrap_or(character),
        other => other,
    }
}

/// Base64 with padding (RFC 4648, section 4).
pub fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let group = chunk.iter().enumerate().fold(0_u32, |group, (nth, byte)| {
            group | u32::from(*byte) << (16 - 8 * nth)
        });
        for nth in 0..4 {
            let digit = DIGITS[(group >> (18 - 6 * nth) & 63) as usize];
            out.push(if nth <= chunk.len() {
                char::from(digit)
            } else {
                '='
            });
        }
    }
    out
}
