//! What a document says once its disguises are taken off; shared by all that screen content.
//!
//! A document is text, or a sequence of JSON objects and arrays. [`read`] shows every part of it to
//! a [`Sink`] as a [`Part`]: plain text in which escapes are decoded, full-width and look-alike
//! characters are folded, invisible ones are gone, spaced-out words are closed up, base64 and hex
//! runs are opened, and the texts of neighbouring fields are put together. Every place of such a
//! text leads back to the bytes of the document it came from. Each step is taken once and depth is
//! bounded, so the whole is linear in the document. Must not know what anybody looks for.
//!
//! The closed list of disguises, in the order in which they are taken off: JSON escapes; backslash,
//! percent and entity escapes, up to three deep; full-width, mathematical, circled and look-alike
//! characters; invisible characters; words with a blank between all letters; JSON inside a string;
//! base64 (both alphabets) and hex; a text split over several fields.

mod encoded;
mod fold;
mod json;
mod spaced;
mod view;

pub use json::Lexed;
pub use view::View;

use view::Unmasked;

use super::rules::Rules;

/// How often a disguise may be inside another before the reader gives up.
pub const DEPTH_MAX: u32 = 4;

/// How much of a field's beginning and end takes part when fields are put together, in bytes.
const SHARE_OF_FIELD: usize = 2048;

/// What kind of place a part was found at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// Running text, or the string of a field.
    Text,
    /// The name of a field.
    Key,
    /// A JSON number: whatever replaces it needs quotes.
    Number,
}

/// One readable part of a document.
#[derive(Clone, Copy, Debug)]
pub struct Part<'a> {
    /// Its text and where that came from.
    pub view: View<'a>,
    /// What kind of place it stands at.
    pub place: Place,
    /// The name of the field it is the value of, with disguises.
    pub key: Option<&'a str>,
    /// The string that stands beside it in a field that names things: the `password` of
    /// `{"name": "password", "value": "..."}`.
    pub named: Option<&'a str>,
    /// The quote that a string needs here: inside a string of a string it is escaped.
    pub quote: &'a str,
    /// Where one field ends and the next begins, if fields were put together.
    pub joints: &'a [Joint],
}

/// A place of a joined text where one field ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Joint {
    /// The place in the joined text.
    pub at: u32,
    /// Where the field that ended there ends in the document.
    pub ends: u32,
}

/// What looks at parts.
pub trait Sink {
    /// Looks at one part.
    fn part(&mut self, part: &Part<'_>);
}

/// Shows every part of `document` to `sink`.
pub fn read<R: Rules>(document: &str, sink: &mut impl Sink) {
    let mut reader = Reader::<R, _> {
        sink,
        rules: std::marker::PhantomData,
    };
    let frame = Frame {
        depth: 0,
        quote: "\"",
        key: None,
        named: None,
    };
    reader.document(View::of(document), frame);
}

struct Reader<'s, R, S> {
    sink: &'s mut S,
    rules: std::marker::PhantomData<R>,
}

/// Where in the nest of disguises the reader is.
#[derive(Clone, Copy)]
struct Frame<'a> {
    depth: u32,
    quote: &'a str,
    key: Option<&'a str>,
    named: Option<&'a str>,
}

impl<'a> Frame<'a> {
    fn deeper(self) -> Self {
        Self {
            depth: self.depth + 1,
            ..self
        }
    }
}

impl<R: Rules, S: Sink> Reader<'_, R, S> {
    fn document(&mut self, view: View<'_>, frame: Frame<'_>) {
        match Lexed::of(view.text) {
            Some(lexed) if R::reads_structure() => self.json(view, &lexed, frame),
            _ => self.plain(view, Place::Text, frame, None),
        }
    }

    fn json(&mut self, view: View<'_>, lexed: &Lexed, frame: Frame<'_>) {
        let mut fields = Fields::default();
        for leaf in lexed.leaves() {
            let raw = view.part(leaf.start, leaf.end);
            let decoded = leaf.is_escaped.then(|| fold::unescape_json(raw));
            let inside = decoded.as_ref().map_or(raw, Unmasked::view);
            let inner = Frame {
                key: leaf.key.map(|key| lexed.text_of(view.text, key)),
                named: leaf.named.map(|named| lexed.text_of(view.text, named)),
                ..frame
            };
            match leaf.place {
                Place::Number => self.show(inside, Place::Number, inner),
                Place::Key => self.plain(inside, Place::Key, inner, None),
                Place::Text => self.string(inside, inner, &mut fields),
            }
        }
        if fields.joints.len() > 1 && R::joins_fields() {
            let joined = fields.joined.finish_like(view);
            self.sink.part(&Part {
                view: joined.view(),
                place: Place::Text,
                key: None,
                named: None,
                quote: frame.quote,
                joints: &fields.joints,
            });
        }
    }

    /// The string of a field: text, unless it is JSON once more.
    fn string(&mut self, view: View<'_>, frame: Frame<'_>, fields: &mut Fields) {
        let nested = (frame.depth < DEPTH_MAX)
            .then(|| Lexed::of(view.text))
            .flatten();
        match nested {
            Some(lexed) => {
                let quote = fold::escaped(frame.quote);
                let inner = Frame {
                    quote: &quote,
                    ..frame.deeper()
                };
                self.json(view, &lexed, inner);
            }
            None => self.plain(view, Place::Text, frame, Some(fields)),
        }
    }

    /// Takes off what hides single characters, then looks for whole words in disguise.
    fn plain(
        &mut self,
        view: View<'_>,
        place: Place,
        frame: Frame<'_>,
        fields: Option<&mut Fields>,
    ) {
        let folded = fold::fold::<R>(view);
        let view = folded.as_ref().map_or(view, Unmasked::view);
        self.show(view, place, frame);
        if let Some(fields) = fields {
            fields.add(view);
        }
        if R::closes_up_spaces()
            && let Some(closed) = spaced::close_up(view)
        {
            self.show(closed.view(), place, frame);
            self.encoded(closed.view(), frame);
        }
        self.encoded(view, frame);
    }

    fn encoded(&mut self, view: View<'_>, frame: Frame<'_>) {
        if frame.depth >= DEPTH_MAX || !R::opens_encodings() {
            return;
        }
        encoded::each(view, |opened| {
            self.document(opened.view(), frame.deeper());
        });
    }

    fn show(&mut self, view: View<'_>, place: Place, frame: Frame<'_>) {
        self.sink.part(&Part {
            view,
            place,
            key: frame.key,
            named: frame.named,
            quote: frame.quote,
            joints: &[],
        });
    }
}

/// The last boundary between characters that is not behind `at`.
pub(super) fn boundary_before(text: &str, at: usize) -> usize {
    let is_boundary = |at: &usize| text.is_char_boundary(*at);
    (0..=at.min(text.len()))
        .rev()
        .find(is_boundary)
        .unwrap_or(0)
}

/// The strings of neighbouring fields, put together.
#[derive(Default)]
struct Fields {
    joined: Unmasked,
    joints: Vec<Joint>,
}

impl Fields {
    /// Appends what may belong to a text that was split: a field's beginning and end.
    fn add(&mut self, field: View<'_>) {
        let length = field.text.len();
        if length <= 2 * SHARE_OF_FIELD {
            self.append(field);
        } else {
            let head = boundary_before(field.text, SHARE_OF_FIELD);
            let tail = boundary_before(field.text, length - SHARE_OF_FIELD);
            self.append(field.part(0, head as u32));
            self.append(field.part(tail as u32, length as u32));
        }
    }

    fn append(&mut self, piece: View<'_>) {
        self.joined.append(piece);
        self.joints.push(Joint {
            at: self.joined.len(),
            ends: piece.origin(0, piece.text.len()).1,
        });
    }
}
