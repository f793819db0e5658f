//! The held-out corpus: documents of other make than the gauntlet, to measure the rules by.
//!
//! Tickets, mails, logs, configurations, chats, payloads; some with several values, some with none
//! but full of numbers and words that look like some. No rule may be tuned on it: whoever reads a
//! figure from here must be able to believe it. Must not know `gauntlet`.

use super::values::{self, DIGITS, Make};
use super::{Document, Evasion, Planted, complete, json_string, marked, pick};
use crate::federation::kind::Kind;
use crate::random::Stream;

/// Texts; `{kind}` is a value, `{#n}` so many digits, `{word}` a word, `{hash}` a digest.
const TEXTS: [&str; 30] = [
    "Ticket {#6}: caller {name} reports a login loop. Callback requested on {phone}, mails go to {email}.",
    "Hi all,\n\nplease welcome {name}, who joins the {word} group on Monday. Desk 4.12, extension 2217.\n\nCheers",
    "2024-08-14T09:12:44Z WARN gateway conn from {ipv4} rejected after {#3} ms (attempt 4/5, trace {hash})",
    "2024-08-14T09:12:45Z INFO peer {ipv6} handshake ok, cipher TLS_AES_128_GCM_SHA256, {#5} bytes",
    "[db]\nurl = {database-url}\npool = 16\ntimeout_ms = {#4}\n",
    "production:\n  adapter: smtp\n  user: mailer\n  password: {password}\n  port: 587\n",
    "export TOKEN={token}\ncurl -s -H \"Authorization: token $TOKEN\" https://git.example.net/{word}",
    "Customer record 000{#6}; {name}; {postal-address}; {phone}; balance 1,2{#2}.50 EUR; last seen 2023-11-0{#1}",
    "Refund to the card ending soon? Full number on the slip: {credit-card}, valid thru 11/27, amount 84.{#2}.",
    "Applicant {name}, social security number {ssn}, lives at {postal-address}.",
    "We rotate the {word} credentials weekly; this week's access key id is {cloud-key}. Do not reuse it.",
    "The webhook wants X-Api-Key: {api-key} in the header, otherwise it answers 401.",
    "{private-key}\n",
    "Cookie: sid={hash}; jwt={jwt}; theme=dark",
    "chat> did you try the new password {password}?\nchat> yes, works on {word}",
    "Invoice {#8} dated 03.07.2024, 12 items, total 1.2{#2},00 EUR, VAT DE{#9}. No personal data.",
    "Commit {hash} touches {#2} files; see issue #{#4} and run {#10}. Reviewed on 2024-05-17 by two people.",
    "Sensor {word}-{#3} read 21.5 C, 40{#1} hPa, uptime {#7} s, firmware v2.14.{#2}, checksum {hash}.",
    "The quarterly plan of the {word} team: hire 3, ship version 4.2.{#1}, cut the budget by {#2} percent.",
    "Meeting notes: retention is {#2} days, the token bucket refills at {#3} per second, passwords must have 12 characters.",
    "Please forward this to {name} ({email}) before the audit, and copy {email}.",
    "Delivery note {#9}: parcel for {name}, {postal-address}. Driver rings twice.",
    "ERROR could not reach {ipv4}:{#4}, falling back to [{ipv6}]:{#4}; retry in {#2} s",
    "Emergency contact: {name}, {phone}. Insurance no. A{#9}.",
    "Our benchmark took {#5} ms for 10,000 rows at commit {hash}; p99 was 12.{#2} ms, seed {#12}.",
    "{name} asked whether the parcel {#12} was scanned at 14:05; it was, at depot 17.",
    "auth: user=svc-{word} secret={api-key} region=eu-central-1",
    "git remote add mirror https://ci:{token}@git.example.net/{word}.git",
    "Table 4. Mean 12.{#2}, deviation 3.{#2}, n = {#4}; the Fisher test gave p = 0.0{#2} for both groups.",
    "From: {email}\nTo: {email}\nSubject: Re: {word} outage\n\nIt was {ipv4} again, see the ticket {#6}.",
];

/// JSON texts, with the same places; a place stands where a string stands, or in one.
const PAYLOADS: [&str; 14] = [
    r#"{"event":"signup","at":17{#8},"user":{"fullName":"{name}","mail":"{email}","tel":"{phone}"}}"#,
    r#"{"claim":{"insured":"{name}","ssn":"{ssn}","home":"{postal-address}"},"amount":{#5}}"#,
    r#"{"kind":"charge","card_number":"{credit-card}","cents":{#4},"order":"{#9}"}"#,
    r#"{"env":[{"name":"DB_PASSWORD","value":"{password}"},{"name":"PORT","value":"5432"}]}"#,
    r#"{"service":"{word}","config":{"dsn":"{database-url}","retries":5,"backoff_ms":{#3}}}"#,
    r#"{"log":[{"ip":"{ipv4}","ms":{#3}},{"ip":"{ipv6}","ms":{#3}}],"trace":"{hash}"}"#,
    r#"{"aws":{"accessKeyId":"{cloud-key}","region":"us-east-1"},"bucket":"{word}-{#4}"}"#,
    r#"{"headers":{"authorization":"Bearer {jwt}"},"path":"/v2/{word}","status":200}"#,
    r#"{"integration":"{word}","apiKey":"{api-key}","enabled":true,"max_tokens":{#4}}"#,
    r#"{"repo":"{word}","token":"{token}","ref":"{hash}"}"#,
    r#"{"deploy":{"key":"{private-key}","host":"{word}.example.net","port":22}}"#,
    r#"{"messages":[{"role":"user","content":"Draft a reply to {name}, who wrote from {email} about order {#7}."}]}"#,
    r#"{"metrics":[{"id":"{hash}","count":{#6},"mean_ms":12.{#2}},{"id":"{hash}","count":{#6}}],"version":"3.1.{#1}","at":17{#8}}"#,
    r#"{"items":[{"sku":"{#8}","title":"{word} lamp","price":{#3}.99}],"note":"token limit {#4}, password policy v{#1}","shipped":"2024-06-1{#1}"}"#,
];

const WORDS: [&str; 16] = [
    "harvest", "beacon", "ledger", "orbit", "willow", "granite", "falcon", "meadow", "cobalt",
    "anchor", "juniper", "signal", "quarry", "lumen", "delta", "copper",
];

/// The kind of disguises that leave one place in one place.
const IN_PLACE: [Evasion; 6] = [
    Evasion::Percent,
    Evasion::Entities,
    Evasion::Base64,
    Evasion::FullWidth,
    Evasion::Invisible,
    Evasion::Spaced,
];

/// One document in four hides its values.
const HIDING: u64 = 4;

/// A document of the held-out corpus.
pub fn document(dice: &mut Stream) -> Document {
    let is_json = dice.below(3) == 0;
    let template = match is_json {
        true => pick(&PAYLOADS, dice),
        false => pick(&TEXTS, dice),
    };
    let hidden = (dice.below(HIDING) == 0).then(|| IN_PLACE[dice.below(6) as usize]);
    let evasion = hidden.unwrap_or(if is_json {
        Evasion::Field
    } else {
        Evasion::Plain
    });
    let mut draft = String::new();
    let mut planted: Vec<Planted> = Vec::new();
    let mut rest = template;
    while let Some((before, place, after)) = next_place(rest) {
        draft.push_str(before);
        match Kind::from_name(place) {
            Some(kind) => {
                let value = values::draw(kind, Make::HeldOut, dice);
                draft.push_str(&as_stands(&marked(&evasion.of(&value.text)), is_json));
                planted.push(value.planted(evasion));
            }
            None => draft.push_str(&filler(place, dice)),
        }
        rest = after;
    }
    draft.push_str(rest);
    let owners: Vec<usize> = (0..planted.len()).collect();
    complete(&draft, is_json, planted, &owners)
}

/// The next `{place}`: JSON has braces too, but no name right behind one.
fn next_place(text: &str) -> Option<(&str, &str, &str)> {
    let mut from = 0;
    loop {
        let open = from + text[from..].find('{')?;
        let is_name = |c: char| c.is_ascii_alphanumeric() || c == '#' || c == '-';
        let length = text[open + 1..].find(|c| !is_name(c))?;
        let close = open + 1 + length;
        if length > 0 && text[close..].starts_with('}') {
            return Some((&text[..open], &text[open + 1..close], &text[close + 1..]));
        }
        from = open + 1;
    }
}

fn as_stands(text: &str, is_json: bool) -> String {
    match is_json {
        true => json_string(text).trim_matches('"').to_owned(),
        false => text.to_owned(),
    }
}

fn filler(place: &str, dice: &mut Stream) -> String {
    match place {
        "word" => pick(&WORDS, dice).to_owned(),
        "hash" => values::string(40, "0123456789abcdef", dice),
        digits => {
            let count = digits.trim_start_matches('#').parse().unwrap_or(1);
            let first = values::string(1, "123456789", dice);
            first + &values::string(count - 1, DIGITS, dice)
        }
    }
}
