//! Literals that begin a secret or say what comes next, found in one pass.
//!
//! Must not know what is made of them.

use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};

use super::begins_word;
use super::shapes::SHAPES;
use crate::federation::kind::Kind;

/// What a literal means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Meaning {
    /// A secret of shape number so much may begin here.
    Shape(usize),
    /// What is assigned next is of this kind.
    Assigns(Kind),
    /// Digits that follow are of this kind.
    Announces(Kind),
    /// A person may be named next.
    IntroducesPerson,
    /// The at of a mail address, spelled out or in brackets.
    At,
}

/// A literal found in a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Mark {
    pub(super) meaning: Meaning,
    pub(super) start: u32,
    pub(super) end: u32,
}

/// What is assigned after these words.
const ASSIGNS: [(Kind, &[&str]); 4] = [
    (
        Kind::Password,
        &[
            "password",
            "passwd",
            "passphrase",
            "passwort",
            "passcode",
            "pwd",
            "kennwort",
            "contraseña",
            "mot de passe",
            "senha",
            "parola",
        ],
    ),
    (
        Kind::CloudKey,
        &[
            "secret_access_key",
            "secret access key",
            "secretaccesskey",
            "secret-access-key",
            "account_key",
            "account key",
            "storage key",
            "storage_key",
            "aws_secret",
            "aws secret",
        ],
    ),
    (
        Kind::ApiKey,
        &[
            "api key",
            "api-key",
            "api_key",
            "apikey",
            "secret key",
            "secret_key",
            "secretkey",
            "client_secret",
            "client secret",
            "client-secret",
            "secret",
            "access key",
            "access_key",
            "signing key",
            "signing_key",
            "license key",
            "service key",
        ],
    ),
    (
        Kind::Token,
        &[
            "token",
            "authorization",
            "session id",
            "session_id",
            "sessionid",
            "cookie",
        ],
    ),
];

/// Digits after these words are of the kind.
const ANNOUNCES: [(Kind, &[&str]); 3] = [
    (
        Kind::Ssn,
        &[
            "ssn",
            "social security",
            "social sec",
            "ss#",
            "taxpayer",
            "tax id",
            "tin",
        ],
    ),
    (
        Kind::Phone,
        &[
            "phone",
            "tel",
            "mobile",
            "call",
            "cell",
            "fax",
            "whatsapp",
            "dial",
            "reach",
            "text me",
            "ring",
            "sms",
            "handy",
            "number is",
            "signal",
        ],
    ),
    (
        Kind::CreditCard,
        &["card", "visa", "mastercard", "amex", "pan ", "debit"],
    ),
];

/// A person may be named after these words.
const INTRODUCES: [&str; 34] = [
    "mr ",
    "mr. ",
    "mrs ",
    "mrs. ",
    "ms ",
    "ms. ",
    "miss ",
    "dr ",
    "dr. ",
    "prof ",
    "prof. ",
    "professor ",
    "herr ",
    "frau ",
    "señor ",
    "señora ",
    "monsieur ",
    "madame ",
    "my name is ",
    "name is ",
    "name: ",
    "named ",
    "signed, ",
    "signed by ",
    "regards,\n",
    "sincerely,\n",
    "attn: ",
    "patient ",
    "cardholder ",
    "spoke with ",
    "spoke to ",
    "passenger ",
    "tenant ",
    "applicant ",
];

const AT: [&str; 7] = [" at ", "(at)", "[at]", "{at}", "<at>", " (at) ", " [at] "];

/// The automaton and what its literals mean.
#[derive(Debug)]
pub(super) struct Marks {
    automaton: AhoCorasick,
    meanings: Vec<Meaning>,
}

impl Marks {
    pub(super) fn new() -> Self {
        let shapes = SHAPES.iter().enumerate().flat_map(|(index, shape)| {
            shape
                .begins
                .iter()
                .map(move |begin| (*begin, Meaning::Shape(index)))
        });
        let assigns = ASSIGNS
            .iter()
            .flat_map(|(kind, words)| words.iter().map(|word| (*word, Meaning::Assigns(*kind))));
        let announces = ANNOUNCES
            .iter()
            .flat_map(|(kind, words)| words.iter().map(|word| (*word, Meaning::Announces(*kind))));
        let introduces = INTRODUCES
            .iter()
            .map(|word| (*word, Meaning::IntroducesPerson));
        let at = AT.iter().map(|word| (*word, Meaning::At));
        let (literals, meanings): (Vec<&str>, Vec<Meaning>) = shapes
            .chain(assigns)
            .chain(announces)
            .chain(introduces)
            .chain(at)
            .unzip();
        let automaton = AhoCorasick::builder()
            .ascii_case_insensitive(true)
            .match_kind(MatchKind::Standard)
            .kind(Some(AhoCorasickKind::DFA))
            .build(literals)
            .expect("BUG: the literals make an automaton");
        Self {
            automaton,
            meanings,
        }
    }

    /// Replaces `marks` by those of `text`, in order of their ends.
    pub(super) fn find(&self, text: &str, marks: &mut Vec<Mark>) {
        marks.clear();
        for found in self.automaton.find_overlapping_iter(text) {
            let meaning = self.meanings[found.pattern().as_usize()];
            if meaning == Meaning::At || begins_word(text, found.start()) || is_inner(meaning) {
                marks.push(Mark {
                    meaning,
                    start: found.start() as u32,
                    end: found.end() as u32,
                });
            }
        }
    }
}

/// Whether the literal may begin within a word, as the password of `dbpassword` does.
fn is_inner(meaning: Meaning) -> bool {
    match meaning {
        Meaning::Assigns(_) => true,
        Meaning::Shape(index) => SHAPES[index].is_inner,
        Meaning::Announces(_) | Meaning::IntroducesPerson | Meaning::At => false,
    }
}

/// Whether a mark of this meaning ends at most `reach` bytes before `at`.
pub(super) fn is_announced(marks: &[Mark], meaning: Meaning, at: usize, reach: usize) -> bool {
    let before = marks.partition_point(|mark| mark.end as usize <= at);
    marks[..before]
        .iter()
        .rev()
        .take_while(|mark| mark.end as usize + reach >= at)
        .any(|mark| mark.meaning == meaning)
}
