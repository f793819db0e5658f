//! A text and, for every place of it, where in the document it came from.
//!
//! Must not know how the text came about.

/// A text that leads back to its document.
#[derive(Clone, Copy, Debug)]
pub struct View<'a> {
    /// The text.
    pub text: &'a str,
    places: Places<'a>,
}

#[derive(Clone, Copy, Debug)]
enum Places<'a> {
    /// The text is a piece of the document that begins here.
    From(u32),
    /// Where each byte came from, and where the last one ended.
    Each(&'a [u32]),
    /// Every byte stands for all of this piece.
    Whole(u32, u32),
}

impl<'a> View<'a> {
    /// The document itself.
    pub fn of(document: &'a str) -> Self {
        Self {
            text: document,
            places: Places::From(0),
        }
    }

    /// The bytes of the document that `start..end` of the text came from.
    pub fn origin(&self, start: usize, end: usize) -> (u32, u32) {
        match self.places {
            Places::From(base) => (base + start as u32, base + end as u32),
            Places::Each(places) => (places[start], places[end]),
            Places::Whole(start, end) => (start, end),
        }
    }

    /// Whether the text came out of an encoded run, so that every byte of it stands for the run.
    pub fn is_coarse(&self) -> bool {
        matches!(self.places, Places::Whole(..))
    }

    /// A piece of the text.
    pub fn part(&self, start: u32, end: u32) -> Self {
        let (from, to) = (start as usize, end as usize);
        let places = match self.places {
            Places::From(base) => Places::From(base + start),
            Places::Each(places) => Places::Each(&places[from..=to]),
            whole @ Places::Whole(..) => whole,
        };
        Self {
            text: &self.text[from..to],
            places,
        }
    }

    pub(super) fn place(&self, at: usize) -> u32 {
        self.origin(at, at).0
    }
}

/// A text of our own making.
#[derive(Clone, Debug, Default)]
pub(super) struct Unmasked {
    text: String,
    /// Where each byte came from and, once finished, where the last one ended.
    places: Vec<u32>,
    /// The piece of the document that all of the text stands for, if it is no finer.
    whole: Option<(u32, u32)>,
}

impl Unmasked {
    /// Room for a text that is hardly longer than `view`.
    pub(super) fn with_room_for(view: View<'_>) -> Self {
        Self {
            text: String::with_capacity(view.text.len()),
            places: Vec::with_capacity(view.text.len() + 1),
            whole: None,
        }
    }

    /// A text every byte of which stands for `piece` of the document.
    pub(super) fn whole(text: String, piece: (u32, u32)) -> Self {
        Self {
            text,
            places: Vec::new(),
            whole: Some(piece),
        }
    }

    /// Appends a character that began at `place` of the document.
    pub(super) fn push(&mut self, character: char, place: u32) {
        self.text.push(character);
        self.places.resize(self.text.len(), place);
    }

    /// Appends a piece of `view` as it is.
    pub(super) fn append(&mut self, view: View<'_>) {
        self.text.push_str(view.text);
        match view.places {
            Places::From(base) => self.places.extend(base..base + view.text.len() as u32),
            Places::Each(places) => self.places.extend(&places[..view.text.len()]),
            Places::Whole(start, _) => self.places.resize(self.text.len(), start),
        }
    }

    /// Ends the text, which was made from `source` and is no finer than it.
    pub(super) fn finish_like(mut self, source: View<'_>) -> Self {
        if let Places::Whole(start, end) = source.places {
            self.whole = Some((start, end));
        }
        self.places.push(source.origin(0, source.text.len()).1);
        self
    }

    pub(super) fn len(&self) -> u32 {
        self.text.len() as u32
    }

    pub(super) fn view(&self) -> View<'_> {
        let places = match self.whole {
            Some((start, end)) => Places::Whole(start, end),
            None => Places::Each(&self.places),
        };
        View {
            text: &self.text,
            places,
        }
    }
}
