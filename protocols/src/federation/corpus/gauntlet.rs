//! The gauntlet: every kind under every evasion, in sentences that the rules were tuned on.
//!
//! Must not know `held_out`.

use super::values::{self, Make, Value};
use super::{Document, Evasion, complete, json_string, marked, pick};
use crate::federation::kind::Kind;
use crate::random::Stream;

/// What stands around a document's one sentence of interest.
const OPENINGS: [&str; 4] = [
    "The build of Tuesday is green again.",
    "As agreed on the call, here is what you need.",
    "Retry 3 of 5 went through after 1700000123 ms.",
    "Order 4711 left the warehouse on 2024-11-26.",
];

/// How a value of the kind is spoken of; `{}` is the value.
fn phrases(kind: Kind) -> &'static [&'static str] {
    match kind {
        Kind::PrivateKey => &["the key follows {}", "{}"],
        Kind::DatabaseUrl => &["connect to {} and retry", "DATABASE_URL={}"],
        Kind::Jwt => &["the session is {} until noon", "Authorization: Bearer {}"],
        Kind::CloudKey => &["use {} for the bucket", "export AWS_ACCESS_KEY_ID={}"],
        Kind::ApiKey => &["the api key is {} for now", "api_key={}"],
        Kind::Token => &["clone it with {} today", "token: {}"],
        Kind::Password => &[
            "password: {}",
            "login with password {} then",
            "the password is {} now",
        ],
        Kind::CreditCard => &["charge {} as usual", "card {}"],
        Kind::Ssn => &["SSN {} on file", "her social security number is {}"],
        Kind::Email => &["write to {} please", "From: <{}>"],
        Kind::Ipv6 => &["it came from {} at night", "host {}"],
        Kind::Ipv4 => &["it came from {} at night", "host {}"],
        Kind::Phone => &["call {} after six", "phone: {}"],
        Kind::PostalAddress => &["ship it to {} by Friday", "address: {}"],
        Kind::Name => &["it was {} who signed", "spoke with {} about it"],
    }
}

/// How a field that holds the kind is called.
fn fields(kind: Kind) -> &'static [&'static str] {
    match kind {
        Kind::PrivateKey => &["private_key", "pem"],
        Kind::DatabaseUrl => &["database_url", "primary"],
        Kind::Jwt => &["session", "id_token"],
        Kind::CloudKey => &["accessKeyId", "bucket"],
        Kind::ApiKey => &["api_key", "apiKey"],
        Kind::Token => &["token", "deploy"],
        Kind::Password => &["password", "dbPassword", "admin_passwd"],
        Kind::CreditCard => &["card_number", "payment"],
        Kind::Ssn => &["ssn", "taxpayer"],
        Kind::Email => &["email", "contact"],
        Kind::Ipv6 | Kind::Ipv4 => &["client_ip", "source"],
        Kind::Phone => &["phone", "mobile"],
        Kind::PostalAddress => &["address", "destination"],
        Kind::Name => &["full_name", "signer"],
    }
}

/// A document with one value of `kind`, hidden by `evasion`.
pub fn document(kind: Kind, evasion: Evasion, dice: &mut Stream) -> Document {
    let value = values::draw(kind, Make::Gauntlet, dice);
    let phrase = pick(phrases(kind), dice);
    let field = pick(fields(kind), dice);
    let opening = pick(&OPENINGS, dice);
    let is_value_alone = dice.below(2) == 0;
    let (draft, is_json, places) = match evasion {
        Evasion::Plain => (format!("{opening} {}", said(phrase, &value)), false, 1),
        Evasion::Field => (object(opening, field, &marked(&value.text)), true, 1),
        Evasion::Nested => (nested(opening, field, &value), true, 1),
        Evasion::JsonInString => (in_string(opening, field, &value, dice), true, 1),
        Evasion::Split => (split(opening, phrase, &value, dice), true, 2),
        Evasion::JsonEscapes => (escaped(field, &value), true, 1),
        _ if is_value_alone => (
            object(opening, field, &marked(&evasion.of(&value.text))),
            true,
            1,
        ),
        _ => {
            let hidden = marked(&evasion.of(&phrase.replace("{}", &value.text)));
            match dice.below(2) {
                0 => (format!("{opening} {hidden}"), false, 1),
                _ => (object(opening, "note", &hidden), true, 1),
            }
        }
    };
    complete(
        &draft,
        is_json,
        vec![value.planted(evasion)],
        &vec![0; places],
    )
}

fn said(phrase: &str, value: &Value) -> String {
    phrase.replace("{}", &marked(&value.text))
}

fn object(opening: &str, field: &str, value: &str) -> String {
    format!(
        "{{\"id\":90210,\"note\":{},\"body\":{{\"{field}\":{}}},\"ts\":1700000123}}",
        json_string(opening),
        json_string(value)
    )
}

fn nested(opening: &str, field: &str, value: &Value) -> String {
    let inner = format!("{{\"{field}\" : {}}}", json_string(&marked(&value.text)));
    format!(
        "{{\"a\":[1,{{\"b\":[[],[{{\"c\":{inner}}}],null]}},true],\"d\":{}}}",
        json_string(opening)
    )
}

fn in_string(opening: &str, field: &str, value: &Value, dice: &mut Stream) -> String {
    let mut payload = object(opening, field, &marked(&value.text));
    for _ in 0..dice.between(1, 2) {
        payload = format!("{{\"payload\":{},\"n\":7}}", json_string(&payload));
    }
    payload
}

/// Cuts the phrase in the middle of the value.
fn split(opening: &str, phrase: &str, value: &Value, dice: &mut Stream) -> String {
    let (before, after) = phrase.split_once("{}").expect("BUG: a phrase has a place");
    let letters: Vec<char> = value.text.chars().collect();
    let half = letters.len() / 2;
    let part = |letters: &[char]| marked(&letters.iter().collect::<String>());
    let first = format!("{before}{}", part(&letters[..half]));
    let second = format!("{}{after}", part(&letters[half..]));
    let (first, second) = (json_string(&first), json_string(&second));
    let opening = json_string(opening);
    match dice.below(2) {
        0 => format!("{{\"o\":{opening},\"part_1\":{first},\"part_2\":{second}}}"),
        _ => format!("{{\"o\":{opening},\"x\":{{\"head\":{first}}},\"n\":3,\"parts\":[{second}]}}"),
    }
}

fn escaped(field: &str, value: &Value) -> String {
    let text = marked(&Evasion::JsonEscapes.of(&value.text));
    format!("{{\"k\":1,\"{field}\":\"{text}\"}}")
}
