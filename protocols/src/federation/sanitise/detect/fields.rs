//! What the name of a field says about its value.
//!
//! Must not know how values of known make look.

use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};

use super::{Hit, is_replacement};
use crate::federation::kind::Kind;
use crate::federation::unmask::{Part, Place};

/// Where in a name a word must stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stands {
    /// Anywhere.
    Within,
    /// At the end.
    Last,
    /// Alone.
    Alone,
}

use Stands::{Alone, Last, Within};

/// Words of names, squeezed to lower-case letters and digits. `None`: such a name says nothing.
const WORDS: &[(Option<Kind>, Stands, &[&str])] = &[
    (
        None,
        Within,
        &[
            "policy",
            "count",
            "length",
            "expir",
            "limit",
            "attempt",
            "enabled",
            "required",
            "strength",
            "changed",
            "updated",
            "created",
            "reset",
            "used",
            "budget",
            "maxtoken",
            "mintoken",
            "tokenizer",
            "tokentype",
        ],
    ),
    (
        Some(Kind::Password),
        Within,
        &[
            "password",
            "passwd",
            "passwort",
            "passphrase",
            "passcode",
            "kennwort",
            "contrasena",
        ],
    ),
    (Some(Kind::Password), Last, &["pwd", "pass", "senha"]),
    (
        Some(Kind::CloudKey),
        Within,
        &[
            "secretaccesskey",
            "awssecret",
            "accountkey",
            "storagekey",
            "awsaccesskey",
        ],
    ),
    (
        Some(Kind::ApiKey),
        Within,
        &[
            "apikey",
            "secretkey",
            "clientsecret",
            "accesskey",
            "signingkey",
            "servicekey",
        ],
    ),
    (Some(Kind::ApiKey), Last, &["secret"]),
    (
        Some(Kind::Token),
        Last,
        &[
            "token",
            "authorization",
            "bearer",
            "sessionid",
            "cookie",
            "jwt",
        ],
    ),
    (Some(Kind::PrivateKey), Within, &["privatekey", "sshkey"]),
    (
        Some(Kind::DatabaseUrl),
        Last,
        &["databaseurl", "dburl", "dsn", "connectionstring"],
    ),
    (Some(Kind::Ssn), Within, &["ssn", "socialsecurity"]),
    (
        Some(Kind::CreditCard),
        Within,
        &["creditcard", "cardnumber", "ccnumber", "debitcard"],
    ),
    (Some(Kind::CreditCard), Alone, &["pan", "card", "cc"]),
    (
        Some(Kind::Phone),
        Within,
        &[
            "phone",
            "mobile",
            "telephone",
            "cellnumber",
            "faxnumber",
            "whatsapp",
        ],
    ),
    (Some(Kind::Phone), Alone, &["tel", "cell", "fax"]),
    (
        Some(Kind::Name),
        Within,
        &[
            "fullname",
            "firstname",
            "lastname",
            "surname",
            "givenname",
            "familyname",
            "customername",
            "contactname",
            "patientname",
            "personname",
            "clientname",
            "employeename",
            "cardholder",
            "legalname",
            "realname",
            "recipientname",
            "guestname",
        ],
    ),
    (
        Some(Kind::PostalAddress),
        Within,
        &[
            "streetaddress",
            "postaladdress",
            "mailingaddress",
            "homeaddress",
            "shippingaddress",
            "billingaddress",
            "deliveryaddress",
            "residence",
        ],
    ),
    (
        Some(Kind::PostalAddress),
        Alone,
        &["address", "street", "addr", "shipto"],
    ),
];

/// Longest name that is looked at.
const NAME_MAX: usize = 64;

/// The words as an automaton.
#[derive(Debug)]
pub(super) struct Fields {
    automaton: AhoCorasick,
    meanings: Vec<(Option<Kind>, Stands)>,
}

impl Fields {
    pub(super) fn new() -> Self {
        let words = WORDS.iter().flat_map(|(kind, stands, words)| {
            words.iter().map(move |word| (*word, (*kind, *stands)))
        });
        let (words, meanings): (Vec<&str>, Vec<(Option<Kind>, Stands)>) = words.unzip();
        let automaton = AhoCorasick::builder()
            .match_kind(MatchKind::Standard)
            .kind(Some(AhoCorasickKind::DFA))
            .build(words)
            .expect("BUG: the words make an automaton");
        Self {
            automaton,
            meanings,
        }
    }

    /// The kind of value that a field of this name holds.
    pub(super) fn kind_of(&self, name: &str) -> Option<Kind> {
        let mut squeezed = [0; NAME_MAX];
        let mut length = 0;
        for byte in name.bytes().filter(u8::is_ascii_alphanumeric) {
            *squeezed.get_mut(length)? = byte.to_ascii_lowercase();
            length += 1;
        }
        // A split value is often numbered: `password2` is a password.
        let digits = squeezed[..length]
            .iter()
            .rev()
            .take_while(|byte| byte.is_ascii_digit());
        let length = length - digits.count();
        let mut kind = None;
        for found in self.automaton.find_overlapping_iter(&squeezed[..length]) {
            let (means, stands) = self.meanings[found.pattern().as_usize()];
            let holds = match stands {
                Within => true,
                Last => found.end() == length,
                Alone => found.start() == 0 && found.end() == length,
            };
            if holds {
                let means = means?;
                kind = Some(kind.map_or(means, |earlier: Kind| earlier.min(means)));
            }
        }
        kind
    }
}

/// The value of a field whose name says that it holds `kind`, if it can.
pub(super) fn by_name(kind: Kind, part: &Part<'_>, hits: &mut Vec<Hit>) {
    let text = part.view.text;
    let value = text.trim();
    if value.is_empty() || is_replacement(value) {
        return;
    }
    if can_be(kind, value, part.place) {
        let start = text.len() - text.trim_start().len();
        hits.push(Hit {
            kind,
            start,
            end: start + value.len(),
        });
    }
}

fn can_be(kind: Kind, value: &str, place: Place) -> bool {
    let bytes = value.as_bytes();
    let digits = bytes.iter().filter(|byte| byte.is_ascii_digit()).count();
    let letters = value.chars().filter(|c| c.is_alphabetic()).count();
    let only = |marks: &str| {
        value
            .chars()
            .all(|c| c.is_ascii_digit() || marks.contains(c))
    };
    let words = value.split_whitespace().count();
    let is_number = place == Place::Number;
    match kind {
        Kind::Password => {
            let is_talk = [
                "null", "none", "true", "false", "required", "optional", "string",
            ];
            let is_masked = value.bytes().all(|byte| byte == b'*');
            !is_masked && words <= 8 && !is_talk.iter().any(|word| value.eq_ignore_ascii_case(word))
        }
        Kind::ApiKey | Kind::Token | Kind::CloudKey | Kind::Jwt => {
            !is_number && bytes.len() >= 8 && words <= 2 && (digits > 0 || bytes.len() >= 24)
        }
        Kind::PrivateKey => !is_number && bytes.len() >= 16,
        Kind::DatabaseUrl => value.contains("://") || value.contains('='),
        Kind::Ssn => digits == 9 && only(" -./_"),
        Kind::CreditCard => (12..=19).contains(&digits) && only(" -./_"),
        Kind::Phone => (7..=15).contains(&digits) && only(" -./()+x"),
        Kind::Name => {
            let is_of_name = |c: char| c.is_alphabetic() || " .'-’,".contains(c);
            (1..=5).contains(&words) && letters >= 2 && value.chars().all(is_of_name)
        }
        Kind::PostalAddress => digits > 0 && letters >= 3 && words >= 2,
        Kind::Email | Kind::Ipv4 | Kind::Ipv6 => false,
    }
}
