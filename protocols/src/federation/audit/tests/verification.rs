//! What verification finds, and whom it names.

use super::*;
use crate::federation::testing::needed;

#[test]
fn honest_logs_have_no_finding_and_are_bound_up_to_their_last_head() {
    // A verifier that accuses the honest is worse than none; what is bound is what was signed to
    // others: bob's to his last acknowledgement, alice's to her last countersigned head.
    let report = verify::<Strict>(&logs(), GRACE);
    assert_eq!(report.findings, []);
    let bound: Vec<(u64, u64)> = report
        .standings
        .iter()
        .map(|one| (one.records, one.bound))
        .collect();
    assert_eq!(bound, [(9, 4), (8, 7), (2, 0)]);
}

#[test]
fn every_record_altered_before_a_head_that_binds_names_its_owner() {
    // Each record in turn, with the chain left broken and with the chain made whole again: the
    // owner of the log, and nobody else, is named, and the record is within what is said to differ.
    for (owner, bound) in [(0, 4), (1, 7)] {
        for number in 1..=bound {
            for is_relinked in [false, true] {
                let mut logs = logs();
                if !matches!(
                    logs[owner].records[number - 1].record.entry,
                    Entry::Action { .. }
                ) {
                    continue;
                }
                alter(&mut logs[owner], number);
                if is_relinked {
                    relink(&mut logs[owner]);
                }
                let report = verify::<Strict>(&logs, GRACE);
                let name = logs[owner].peer.clone();
                let is_told = report.findings.iter().any(|finding| {
                    let within = matches!(finding.problem, Problem::Altered { from, to }
                        if from <= number as u64 && number as u64 <= to);
                    within && finding.culprit.as_deref() == Some(name.as_str())
                });
                assert!(is_told, "{name} {number} {is_relinked}: {report:?}");
                assert!(
                    culprits(&report).iter().all(|culprit| *culprit == name),
                    "{report:?}"
                );
            }
        }
    }
}

#[test]
fn records_removed_before_a_head_that_binds_name_their_owner() {
    // From the middle with and without numbering anew, and from the end.
    let removals: [fn(&mut KeptLog); 3] = [
        |log| drop(log.records.remove(2)),
        |log| {
            log.records.remove(2);
            relink(log);
        },
        |log| log.records.truncate(3),
    ];
    for remove in removals {
        let mut logs = logs();
        remove(&mut logs[1]);
        let report = verify::<Strict>(&logs, GRACE);
        let culprits = culprits(&report);
        assert!(
            !culprits.is_empty() && culprits.iter().all(|one| *one == "bob"),
            "{report:?}"
        );
    }
}

#[test]
fn what_is_changed_behind_the_last_head_is_nobodys() {
    // Alice's last records are bound by nothing that others hold: a broken chain there is seen and
    // not attributed; a log closed by its owner shows also what leaves the chain whole.
    let mut desks = desks::<Strict>();
    let head = desks[0].log.signed_head(&mut desks[0].keys);
    let changes: [fn(&mut KeptLog); 3] = [
        |log| alter(log, 8),
        |log| {
            alter(log, 8);
            relink(log);
        },
        |log| log.records.truncate(8),
    ];
    for change in changes {
        let mut logs = kept(&desks);
        logs[0].closing = Some(Closing {
            at: at(60),
            head: head.clone(),
        });
        assert_eq!(verify::<Strict>(&logs, GRACE).findings, []);
        change(&mut logs[0]);
        let report = verify::<Strict>(&logs, GRACE);
        let is_alices = |finding: &Finding| finding.peer == "alice" && finding.culprit.is_none();
        let changed = |finding: &&Finding| {
            matches!(
                finding.problem,
                Problem::Altered { .. } | Problem::Removed { .. }
            )
        };
        assert!(
            report
                .findings
                .iter()
                .any(|one| is_alices(one) && changed(&one)),
            "{report:?}"
        );
        assert!(!report.is_attributed(), "{report:?}");
    }
}

#[test]
fn two_heads_of_one_number_are_found_by_the_witness_and_by_the_verifier() {
    // Who keeps two logs shows one to each; the signed heads meet at one witness, or later here.
    let mut desks = desks::<Strict>();
    let mut other = desks[1].log.head();
    other.hash = Digest([5; 32]);
    let forked = desks[1].keys.sign(other);
    let honest = desks[1].log.signed_head(&mut desks[1].keys);
    let [_, _, carol] = &mut desks;
    assert!(
        carol
            .witnesses
            .countersign(at(60), &honest, &mut carol.keys)
            .is_ok_and(|w| w.is_some())
    );
    let fork = carol
        .witnesses
        .countersign(at(61), &forked, &mut carol.keys);
    assert!(fork.is_err_and(|fork| fork.seen == honest && fork.offered == forked));
    for head in [honest, forked] {
        let record = carol.log.append(at(62), Entry::Witnessed { head });
        carol.keep(record);
    }
    let report = verify::<Strict>(&kept(&desks), GRACE);
    let forks = |finding: &Finding| matches!(finding.problem, Problem::Forked { number: 8 });
    assert!(
        report.findings.iter().any(forks) && culprits(&report).contains(&"bob"),
        "{report:?}"
    );
}

#[test]
fn missing_answers_and_outcomes_are_found_and_nobodys() {
    // The answer may have been lost, or kept back by either side: no log can tell. What is
    // younger than the grace when the log ends is pending.
    let mut alice: Clerk<Strict> = Clerk::new("alice", 1);
    let mut bob: Clerk<Strict> = Clerk::new("bob", 11);
    alice.note(1, step(id(1), bob.identity(), Stage::Sent));
    bob.note(2, step(id(1), alice.identity(), Stage::Intent));
    let receipt = Digest([7; 32]);
    bob.note(
        3,
        step(id(2), alice.identity(), Stage::Executed { receipt }),
    );
    alice.note(90, step(id(3), bob.identity(), Stage::Sent));
    bob.note(91, step(id(3), alice.identity(), Stage::Intent));
    let report = verify::<Strict>(&[alice.kept(), bob.kept()], GRACE);
    let problems: Vec<&Problem> = report
        .findings
        .iter()
        .map(|finding| &finding.problem)
        .collect();
    let wanted = [
        &Problem::NoAnswer { action: id(1) },
        &Problem::NoOutcome { action: id(1) },
        &Problem::NoSender { action: id(2) },
    ];
    assert_eq!(problems, wanted);
    assert!(!report.is_attributed());
    assert_eq!(
        [1, 1],
        [0, 1].map(|index: usize| report.standings[index].pending)
    );
}

#[test]
fn an_acknowledgement_without_its_record_convicts_the_executor() {
    // It signed that record so-and-so says "done"; the record is there and says something else.
    let mut alice: Clerk<Strict> = Clerk::new("alice", 1);
    let mut bob: Clerk<Strict> = Clerk::new("bob", 11);
    alice.note(1, step(id(1), bob.identity(), Stage::Sent));
    bob.note(2, step(id(1), alice.identity(), Stage::Intent));
    let word = bob.log.acknowledge(id(1), Digest([1; 32]), &mut bob.keys);
    let target = bob.identity();
    let record = alice
        .log
        .answered(at(3), (target, target), word, &mut alice.keys);
    alice.keep(record.expect("signed by whom it should be"));
    let report = verify::<Strict>(&[alice.kept(), bob.kept()], GRACE);
    let unrecorded = Finding {
        peer: "bob".to_owned(),
        problem: Problem::Unrecorded {
            action: id(1),
            number: 1,
        },
        culprit: Some("bob".to_owned()),
    };
    assert_eq!(report.findings, [unrecorded]);
}

#[test]
fn a_log_that_is_not_there_is_missed() {
    // Others hold heads of it; without any log there is nobody to ask.
    let report = verify::<Strict>(&logs()[..1], GRACE);
    assert!(
        report
            .findings
            .iter()
            .any(|finding| finding.problem == Problem::LogMissing)
    );
}

/// Whether an altered record before a head that binds is found.
fn alteration_is_found<R: Rules>() -> bool {
    let desks = desks::<R>();
    let is_quiet = verify::<R>(&kept(&desks), GRACE).findings.is_empty();
    let mut logs = kept(&desks);
    alter(&mut logs[1], 2);
    is_quiet && verify::<R>(&logs, GRACE).is_attributed()
}

needed!(records_must_be_chained_and_checked: alteration_is_found, ChainCut, ContradictionsIgnored);
