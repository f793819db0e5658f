//! How a log is kept, countersigned, written, read and told.

use super::*;
use crate::federation::testing::needed;

#[test]
fn logs_are_read_as_they_were_written_and_nothing_else_is() {
    // The hashes must come out of the lines again: a log read back verifies as before, and each
    // way to spoil a line is answered with its number.
    let logs = logs();
    let texts: Vec<String> = logs.iter().map(lines::write).collect();
    let again: Vec<KeptLog> = texts
        .iter()
        .map(|text| lines::read(text).expect("ours"))
        .collect();
    for (one, other) in logs.iter().zip(&again) {
        assert_eq!((&one.records, one.key), (&other.records, other.key));
    }
    assert_eq!(
        verify::<Strict>(&again, GRACE),
        verify::<Strict>(&logs, GRACE)
    );
    let spoiled: [(&str, &str, usize); 6] = [
        ("fedsim-audit/1", "fedsim-audit/2", 1),
        ("\"what\":\"sent\"", "\"what\":\"set\"", 2),
        ("\"level\":2", "\"level\":9", 2),
        ("\"number\":2", "\"number\":2,\"extra\":1", 3),
        ("\"kind\":\"task\"", "\"kind\":\"tusk\"", 2),
        ("\"previous\":\"00", "\"previous\":\"0G", 2),
    ];
    for (from, to, line) in spoiled {
        let text = texts[0].replacen(from, to, 1);
        assert_ne!(text, texts[0], "{from}");
        assert_eq!(lines::read(&text).expect_err("spoiled").line, line, "{to}");
    }
}

#[test]
fn one_action_is_told_from_both_sides_in_order() {
    // Sent, intended, done, answered: a reader sees the action go there and come back.
    let told = story(&logs(), "0101").expect("known");
    let order = [
        "alice, record 1: sends to bob",
        "bob, record 1: will do it for alice",
        "did it",
        "has the word of bob",
    ];
    let places: Vec<Option<usize>> = order.iter().map(|part| told.find(part)).collect();
    assert!(
        places.iter().all(Option::is_some) && places.is_sorted(),
        "{told}"
    );
    assert_eq!(story(&logs(), "ff"), None);
}

#[test]
fn a_keyed_hash_keeps_nothing_of_the_text() {
    // Who has text and key can show that it was this one; a guess without the key proves nothing.
    let kept = |key, text| Content::kept(ContentMode::KeyedHash, &[key; 32], text);
    assert_eq!(kept(1, "yes"), kept(1, "yes"));
    assert_ne!(kept(1, "yes"), kept(1, "no"));
    assert_ne!(kept(1, "yes"), kept(2, "yes"));
}

#[test]
fn third_parties_take_turns() {
    // Everybody comes to it, nobody twice in a round, and few candidates are no error.
    let all: Vec<Identity> = (1..=5).map(|number| keys(number).identity()).collect();
    let mut served: Vec<Identity> = (0..5)
        .flat_map(|round| third_parties(&all, round, 2))
        .collect();
    served.sort();
    served.dedup();
    assert_eq!(served.len(), 5);
    assert_eq!(third_parties(&all[..1], 3, 2), all[..1]);
    assert_eq!(third_parties(&[], 3, 2), []);
}

/// Whether an effect waits for its intent to be durable, and a byte for its record.
fn disk_comes_first<R: Rules>() -> bool {
    let mut log: AuditLog<R> = AuditLog::default();
    let other = keys(11).identity();
    let mut note = |action, stage| {
        let step = step(action, other, stage);
        log.append(at(1), Entry::Action { step }).number
    };
    note(id(1), Stage::Sent);
    let last = note(id(2), Stage::Intent);
    let waits = !log.may_send(other, id(1)) && !log.may_take_effect(other, id(2));
    log.persisted(last);
    let goes = log.may_send(other, id(1)) && log.may_take_effect(other, id(2));
    let unknown = !log.may_send(other, id(9)) && !log.may_take_effect(other, id(1));
    waits && goes && unknown
}

needed!(records_must_come_first: disk_comes_first, IntentAfterEffect, RecordAfterSend);

/// Whether a refusal is found in the log of whoever refused.
fn refusals_are_kept<R: Rules>() -> bool {
    let desks = desks::<R>();
    desks[1].records.iter().any(|record| {
        matches!(&record.entry, Entry::Action { step } if matches!(step.stage, Stage::Refused { .. }))
    })
}

needed!(refusals_must_be_recorded: refusals_are_kept, RefusalsUnrecorded);

/// Whether a crash between intent and outcome ends in a record that says so.
fn a_crash_is_owned_up_to<R: Rules>() -> bool {
    let mut alice: Clerk<R> = Clerk::new("alice", 1);
    let mut bob: Clerk<R> = Clerk::new("bob", 11);
    alice.note(1, step(id(1), bob.identity(), Stage::Sent));
    bob.note(2, step(id(1), alice.identity(), Stage::Intent));
    for clerk in [&mut alice, &mut bob] {
        clerk.log = AuditLog::recover(&clerk.records);
        for record in clerk.log.own_up(at(200)) {
            clerk.keep(record);
        }
    }
    let report = verify::<R>(&[alice.kept(), bob.kept()], SimDuration::ZERO);
    report.findings.is_empty() && alice.records.len() == 2 && bob.records.len() == 2
}

needed!(crashes_must_be_owned_up_to: a_crash_is_owned_up_to, CrashUnmentioned);

/// Whether only the word of whoever was asked is kept as an answer.
fn only_true_answers_are_kept<R: Rules>() -> bool {
    let mut alice: Clerk<R> = Clerk::new("alice", 1);
    let mut mallory: Clerk<R> = Clerk::new("mallory", 12);
    let bob = keys(11).identity();
    alice.note(1, step(id(1), bob, Stage::Sent));
    let word = mallory
        .log
        .acknowledge(id(1), Digest([1; 32]), &mut mallory.keys);
    alice
        .log
        .answered(at(2), (bob, bob), word, &mut alice.keys)
        .is_none()
}

needed!(answers_must_be_signed: only_true_answers_are_kept, AnswersUnchecked);

/// Whether a witness countersigns nothing but growing logs of their owners.
fn witnesses_look<R: Rules>() -> bool {
    let mut carol: Clerk<R> = Clerk::new("carol", 12);
    let head = |number, of: u8| {
        let hash = Digest([number as u8; 32]);
        keys(of).sign(Head { number, hash })
    };
    let stolen = crate::Signed::from_parts(*head(9, 2), keys(1).public(), head(9, 2).signature());
    let mut signs = |head: &crate::Signed<Head>| {
        let witness = carol.witnesses.countersign(at(1), head, &mut carol.keys);
        witness.is_ok_and(|witness| witness.is_some())
    };
    signs(&head(5, 1)) && !signs(&head(4, 1)) && signs(&head(6, 1)) && !signs(&stolen)
}

needed!(witnesses_must_look: witnesses_look, HeadsUnchecked, LogsShrink);

#[test]
fn a_torn_write_ends_the_log_and_the_chain_goes_on_from_there() {
    // What is not the next link was never ours: the peer must go on from the last whole record,
    // or its own log accuses it.
    let mut desks = desks::<Strict>();
    let alice = &mut desks[0];
    let mut on_disk = alice.records.clone();
    on_disk[6].at = at(0);
    let last = on_disk.pop().expect("a record");
    assert_eq!(AuditLog::<Strict>::recover(&on_disk).head().number, 7);
    assert_eq!(
        AuditLog::<Strict>::recover(on_disk.iter().chain([&last]))
            .head()
            .number,
        7
    );
    let mut log = AuditLog::<Strict>::recover(&on_disk[..5]);
    let record = log.append(
        at(99),
        Entry::KeyChanged {
            key: keys(2).public(),
        },
    );
    assert_eq!((record.number, record.previous), (6, on_disk[4].hash()));
}
