//! The layer as a whole: the gauntlet, the policy, what stays whole, and every rule left out once.

use std::sync::{Arc, OnceLock};

use super::*;
use crate::federation::canary::Canaries;
use crate::federation::corpus::{self, Document, Evasion, gauntlet};
use crate::federation::testing::needed;
use crate::federation::unmask::Lexed;
use crate::random::{RunKey, Stream, StreamLabel};

/// Documents of each kind under each evasion.
const TURNS: usize = 4;

fn detector() -> Arc<Detector> {
    static DETECTOR: OnceLock<Arc<Detector>> = OnceLock::new();
    Arc::clone(DETECTOR.get_or_init(Arc::default))
}

fn pair() -> PairKey {
    PairKey::new(&[7; 32], b"acme", b"globex")
}

fn sanitiser<R: Rules>(policy: Policy) -> Sanitiser<R> {
    Sanitiser::new(detector(), policy)
}

fn uniform<R: Rules>(action: Action) -> Sanitiser<R> {
    sanitiser(Policy::uniform(action))
}

fn redacted(document: &str) -> String {
    let scrubbed = uniform::<Strict>(Action::Redact).scrub(document, Level::Untrusted, &pair());
    scrubbed.text.expect("nothing is blocked")
}

fn documents(turns: usize) -> Vec<Document> {
    let label = StreamLabel::global("test/gauntlet");
    let mut dice = Stream::new(RunKey::from_seed(1), label);
    let mut documents = Vec::new();
    for kind in Kind::ALL {
        for evasion in Evasion::ALL {
            documents.extend((0..turns).map(|_| gauntlet::document(kind, evasion, &mut dice)));
        }
    }
    documents
}

/// What is wrong with what leaves of a document: a canary that must not, or a broken payload.
fn offence<R: Rules>(
    sanitiser: &Sanitiser<R>,
    document: &Document,
    level: Level,
) -> Option<String> {
    let planted = &document.planted[0];
    let action = sanitiser.policy().action(planted.kind, level);
    let scrubbed = sanitiser.scrub(&document.text, level, &pair());
    let name = format!(
        "{} {} at {}",
        planted.kind,
        planted.evasion.name(),
        level.number()
    );
    let Some(text) = scrubbed.text else {
        let is_due = scrubbed
            .findings
            .iter()
            .any(|one| one.action == Action::Block);
        return (!is_due).then(|| format!("{name}: blocked for nothing: {}", document.text));
    };
    if document.is_json && Lexed::of(&text).is_none() {
        return Some(format!(
            "{name}: no longer parses: {} -> {text}",
            document.text
        ));
    }
    if action == Action::Block {
        return Some(format!("{name}: not blocked: {}", document.text));
    }
    let is_seen = !Canaries::new([planted.tell.as_str()])
        .seen_in(&text)
        .is_empty();
    (is_seen && action != Action::Pass).then(|| format!("{name}: {} -> {text}", document.text))
}

#[test]
fn the_gauntlet_has_no_miss_at_any_level() {
    // Five levels, all kinds, all evasions: nothing leaves that the policy does not pass, judged by
    // an eye that shares no code with the layer, and what leaves of JSON is JSON.
    let sanitiser = sanitiser::<Strict>(Policy::default());
    let documents = documents(TURNS);
    let offences: Vec<String> = Level::ALL
        .into_iter()
        .flat_map(|level| documents.iter().map(move |one| (one, level)))
        .filter_map(|(document, level)| offence(&sanitiser, document, level))
        .collect();
    assert!(
        offences.is_empty(),
        "{} of {}:\n{}",
        offences.len(),
        5 * documents.len(),
        offences.join("\n")
    );
}

#[test]
fn the_gauntlet_has_no_miss_when_everything_is_cut_out() {
    // Blocking hides what redaction would have left behind; here nothing is blocked, so that every
    // piece of every value must really be cut out, or really be replaced.
    let documents = documents(TURNS);
    for action in [Action::Redact, Action::Pseudonymise] {
        let sanitiser = uniform::<Strict>(action);
        let offences: Vec<String> = documents
            .iter()
            .filter_map(|document| offence(&sanitiser, document, Level::Untrusted))
            .collect();
        assert!(
            offences.is_empty(),
            "{}:\n{}",
            offences.len(),
            offences.join("\n")
        );
    }
}

#[test]
fn what_passes_is_untouched_and_what_was_scrubbed_stays() {
    // A level that may see everything gets the very bytes; scrubbing twice is scrubbing once, or
    // a relay would change what was signed.
    let pass = uniform::<Strict>(Action::Pass);
    for action in [Action::Redact, Action::Pseudonymise] {
        let sanitiser = uniform::<Strict>(action);
        for document in documents(1) {
            let passed = pass.scrub(&document.text, Level::Privileged, &pair()).text;
            assert_eq!(passed.as_deref(), Some(document.text.as_str()));
            let once = sanitiser
                .scrub(&document.text, Level::Untrusted, &pair())
                .text
                .unwrap();
            let twice = sanitiser
                .scrub(&once, Level::Untrusted, &pair())
                .text
                .unwrap();
            assert_eq!(once, twice, "{}", document.text);
        }
    }
}

#[test]
fn the_measured_misses_of_the_reference_are_none_of_ours() {
    // Each line passed unchanged through the reference (plugin 1.0.0-alpha.17) at level 0.
    let cases = [
        (r#"{"password":"hunter2x"}"#, "hunter2x"),
        ("SSN 123 45 6789", "6789"),
        ("SSN: 123456789", "123456789"),
        ("Alice Johnson signed it", "Johnson"),
        ("alice at example dot com", "alice"),
        ("alice\u{ff20}example.com", "alice"),
        ("ali\u{200b}ce@exam\u{200b}ple.com", "ce@exam"),
        ("YWxpY2VAZXhhbXBsZS5jb20=", "YWxpY2"),
        (
            r#"{"a":"ghp_16C7e42F292c69","b":"12ab7e78c1b4"}"#,
            "7e78c1b4",
        ),
        ("host fd00::17:2", "fd00"),
        ("ring +44 20 7946 0958", "7946"),
        (
            "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXk",
            "b3Blbn",
        ),
        ("sk-ant-api03-R2D2c3po4567890abcdef", "R2D2"),
        ("sk-proj-R2D2c3po4567890abcdef", "R2D2"),
        (
            "aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
            "wJalr",
        ),
    ];
    for (document, secret) in cases {
        let text = redacted(document);
        assert!(!text.contains(secret), "{document} -> {text}");
    }
}

#[test]
fn the_measured_defects_of_the_reference_are_none_of_ours() {
    // A time stamp is no telephone; what follows a database address survives it; a number that is
    // cut out leaves JSON behind; overlapping findings do not shift each other.
    let stamp = r#"{"ts":1700000123,"ms":1700000123456}"#;
    assert_eq!(redacted(stamp), stamp);
    let url = r#"{"dsn":"postgres://u:p4ss@h/db","next":["x",1]}"#;
    assert_eq!(
        redacted(url),
        r#"{"dsn":"[redacted:database-url]","next":["x",1]}"#
    );
    let number = r#"{"ssn":123456789,"deep":"{\"ssn\":123456789}"}"#;
    let cut = r#"{"ssn":"[redacted:ssn]","deep":"{\"ssn\":\"[redacted:ssn]\"}"}"#;
    assert_eq!(redacted(number), cut);
    let overlapping = "to bob7@mail.example.com 203.0.113.9 or bob7@203.0.113.9.example.com.";
    assert_eq!(
        redacted(overlapping),
        "to [redacted:email] [redacted:ipv4] or [redacted:email]."
    );
}

#[test]
fn a_value_that_is_whole_in_its_field_takes_nothing_from_its_neighbours() {
    // Put together the three strings read as one longer address; the neighbours must stay. And one
    // place is found once, however many words of it say what it is.
    let text = r#"{"who":"Zed","mail":"bob7@example.com","say":"My word"}"#;
    let cut = r#"{"who":"Zed","mail":"[redacted:email]","say":"My word"}"#;
    assert_eq!(redacted(text), cut);
    let sanitiser = uniform::<Strict>(Action::Redact);
    let address = "12 Maple Street, Springfield, IL 62704";
    let scrubbed = sanitiser.scrub(address, Level::Untrusted, &pair());
    assert_eq!(scrubbed.findings.len(), 1, "{:?}", scrubbed.findings);
}

#[test]
fn names_of_fields_that_are_cut_out_stay_different_names() {
    // Two members with one name lose one of them at the next parser.
    let text = redacted(r#"{"bob7@example.com":1,"eve8@example.com":2}"#);
    assert_eq!(text, r#"{"[redacted:email]":1,"[redacted:email:2]":2}"#);
}

#[test]
fn a_pseudonym_stands_for_the_value_however_it_was_written() {
    // The receiver can join on it: the same in text, in a field, spaced out, in another document.
    let sanitiser = uniform::<Strict>(Action::Pseudonymise);
    let scrub = |text: &str| sanitiser.scrub(text, Level::Trusted, &pair()).text.unwrap();
    let plain = scrub("Mail bob7@example.com");
    let name = plain.strip_prefix("Mail ").expect("the rest stays");
    assert_eq!(
        scrub(r#"{"x":"bob7@example.com"}"#),
        format!(r#"{{"x":"{name}"}}"#)
    );
    assert_eq!(scrub("Mail Bob7@Example.com"), plain);
    assert_eq!(scrub("Mail bob7\u{ff20}example.com"), plain);
    let other = PairKey::new(&[7; 32], b"acme", b"initech");
    let elsewhere = sanitiser.scrub("Mail bob7@example.com", Level::Trusted, &other);
    assert_ne!(elsewhere.text, Some(plain));
}

#[test]
fn one_cell_of_the_policy_can_be_changed() {
    // Key by key: the cell changes and its neighbours do not.
    let mut policy = Policy::default();
    policy.set(Kind::Email, Level::Attested, Action::Pass);
    let sanitiser = sanitiser::<Strict>(policy);
    let scrub = |level| {
        sanitiser
            .scrub("bob7@example.com +1 415 555 2671", level, &pair())
            .text
    };
    assert_eq!(
        scrub(Level::Attested).as_deref(),
        Some("bob7@example.com [redacted:phone]")
    );
    assert_eq!(scrub(Level::Verified), None);
    assert!(scrub(Level::Trusted).is_some_and(|text| text.starts_with("[email:")));
}

#[test]
fn time_grows_with_the_document_and_not_with_its_square() {
    // Openings of secrets that never end, nests and runs: the bytes that a naive search reads
    // again and again. Four times the text must not take more than some eight times the steps;
    // counted in findings and finished at all, since a test has no clock.
    for unit in [
        "-----BEGIN RSA PRIVATE KEY-----\nMII",
        "a@",
        "1 ",
        "[",
        "eyJhbGciOiJ.",
        "\\u00",
        "password ",
        "eyJ",
        "sk-",
        "token=",
    ] {
        let text = unit.repeat(100_000 / unit.len());
        let scrubbed = uniform::<Strict>(Action::Redact).scrub(&text, Level::Untrusted, &pair());
        assert!(
            scrubbed.text.is_some_and(|out| out.len() <= 2 * text.len()),
            "{unit}"
        );
    }
}

/// Whether the gauntlet, everything cut out, has no miss.
fn nothing_leaks<R: Rules>() -> bool {
    let sanitiser = uniform::<R>(Action::Redact);
    let documents = documents(TURNS);
    documents
        .iter()
        .all(|document| offence(&sanitiser, document, Level::Untrusted).is_none())
}

needed!(everything_that_is_found_must_be_acted_on: nothing_leaks, EverythingPasses);
needed!(names_of_fields_must_be_read: nothing_leaks, NamesUnread);
needed!(fields_must_be_read_together: nothing_leaks, FieldsUnjoined);
needed!(escapes_must_be_decoded: nothing_leaks, EscapesUndecoded);
needed!(widths_must_be_folded: nothing_leaks, WidthsUnfolded);
needed!(invisible_characters_must_be_dropped: nothing_leaks, InvisibleKept);
needed!(spaces_must_be_closed_up: nothing_leaks, SpacesKept);
needed!(encodings_must_be_opened: nothing_leaks, EncodingsUnopened);
needed!(structure_must_be_read: nothing_leaks, StructureUnread);

/// Whether a document with a card in it leaves in no form.
fn blocked_is_refused<R: Rules>() -> bool {
    let sanitiser = sanitiser::<R>(Policy::default());
    let document = "charge 4111 1111 1111 1111";
    sanitiser
        .scrub(document, Level::Privileged, &pair())
        .is_blocked()
}

needed!(what_is_blocked_must_not_leave: blocked_is_refused, BlockedLeaves, EverythingPasses);

/// Whether a number that only looks like a card leaves.
fn orders_are_no_cards<R: Rules>() -> bool {
    let sanitiser = sanitiser::<R>(Policy::default());
    !sanitiser
        .scrub("order 4111111111111112", Level::Privileged, &pair())
        .is_blocked()
}

needed!(check_digits_must_be_right: orders_are_no_cards, CardsUnchecked);

/// Whether a roster gets what its least trusted member may see, and a roster of nobody nothing.
fn a_roster_is_as_trusted_as_its_least<R: Rules>() -> bool {
    let sanitiser = sanitiser::<R>(Policy::default());
    let scrub = |levels: &[Level]| {
        sanitiser
            .scrub_for_all("bob7@example.com", levels.iter().copied(), &pair())
            .text
    };
    scrub(&[Level::Privileged, Level::Attested]).as_deref() == Some("[redacted:email]")
        && scrub(&[]).is_none()
}

needed!(a_roster_must_count_its_least: a_roster_is_as_trusted_as_its_least, HighestOfRoster);

#[test]
fn the_held_out_corpus_is_scrubbed_without_breaking_it() {
    // No claim about recall, which the benchmark measures: what leaves of JSON must be JSON, and
    // findings lie where the document has bytes, in order.
    let label = StreamLabel::global("test/held-out");
    let mut dice = Stream::new(RunKey::from_seed(2), label);
    let sanitiser = uniform::<Strict>(Action::Redact);
    for _ in 0..300 {
        let document = corpus::held_out::document(&mut dice);
        let scrubbed = sanitiser.scrub(&document.text, Level::Untrusted, &pair());
        let text = scrubbed.text.expect("nothing is blocked");
        assert!(
            !document.is_json || Lexed::of(&text).is_some(),
            "{} -> {text}",
            document.text
        );
        assert!(scrubbed.findings.is_sorted_by_key(|one| one.start));
        let length = document.text.len() as u32;
        assert!(
            scrubbed
                .findings
                .iter()
                .all(|one| one.start < one.end && one.end <= length)
        );
    }
}
