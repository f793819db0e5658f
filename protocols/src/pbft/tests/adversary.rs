//! Votes and assignments of liars in the normal case, for every kind of group size.

use super::*;
use crate::pbft::message::{Batch, Commit, PrePrepare, Prepare, Request};
use crate::quorum::{byzantine_quorum, max_faulty};

/// The batch of the client in slot `client` whose only write is of `value`.
fn batch(client: u32, value: &[u8]) -> Batch {
    Batch::new(vec![sign(
        client,
        Request {
            client: PeerId(client),
            timestamp: Timestamp(1),
            operation: write(1, value),
            read_only: false,
        },
    )])
}

fn pre_prepare(primary: u32, view: u64, sequence: u64, batch: &Batch) -> PbftMessage {
    PbftMessage::PrePrepare {
        pre_prepare: sign(
            primary,
            PrePrepare {
                epoch: Epoch(0),
                view: View(view),
                sequence: Sequence(sequence),
                digest: batch.digest(),
            },
        ),
        batch: batch.clone(),
    }
}

fn prepare_content(replica: u32, digest: Digest) -> Prepare {
    Prepare {
        epoch: Epoch(0),
        view: View(0),
        sequence: Sequence(1),
        digest,
        replica: ReplicaId(replica as u16),
    }
}

fn prepare(by: u32, digest: Digest) -> PbftMessage {
    PbftMessage::Prepare {
        prepare: sign(by, prepare_content(by, digest)),
    }
}

fn commit_content(replica: u32, digest: Digest) -> Commit {
    Commit {
        epoch: Epoch(0),
        view: View(0),
        sequence: Sequence(1),
        digest,
        replica: ReplicaId(replica as u16),
    }
}

fn commit(by: u32, digest: Digest) -> PbftMessage {
    PbftMessage::Commit {
        commit: sign(by, commit_content(by, digest)),
    }
}

#[test]
fn thresholds_are_exact_at_every_size() {
    // At n = 4 to 13, 5, 6, 8 and 9 among them: q-2 prepares of backups (own included) are too
    // few and one more suffices; q-1 commits (own included) are too few and one more suffices.
    for n in 4..=13_u32 {
        let quorum = byzantine_quorum(n as usize) as u32;
        let mut group = Group::new(n, 1, PbftConfig::default());
        group.table.carry_if(|_, _, _| false);
        let batch = batch(n, b"a");
        let digest = batch.digest();
        group.hand(0, 1, pre_prepare(0, 0, 1, &batch));
        let others = 2..n;
        for (count, by) in others.clone().enumerate() {
            let prepared = group.replica(1).prepared().count() == 1;
            assert_eq!(prepared, count as u32 + 1 >= quorum - 1, "n = {n}");
            group.hand(by, 1, prepare(by, digest));
        }
        for (count, by) in others.enumerate() {
            let executed = group.replica(1).last_executed() == Sequence(1);
            assert_eq!(executed, count as u32 + 1 >= quorum, "n = {n}");
            group.hand(by, 1, commit(by, digest));
        }
    }
}

#[test]
fn the_primary_s_prepare_and_repeated_and_foreign_votes_do_not_count() {
    // n = 4: one more prepare of a backup is needed; none of these is one.
    let mut group = Group::new(4, 1, PbftConfig::default());
    group.table.carry_if(|_, _, _| false);
    let (a, b) = (batch(4, b"a"), batch(4, b"b"));
    let digest = a.digest();
    group.hand(0, 1, pre_prepare(0, 0, 1, &a));
    let stolen = PbftMessage::Prepare {
        prepare: sign(0, prepare_content(2, digest)),
    };
    let stranger = PbftMessage::Prepare {
        prepare: sign(4, prepare_content(9, digest)),
    };
    let forged = PbftMessage::Prepare {
        prepare: Signed::from_parts(
            prepare_content(2, digest),
            keys(2).public(),
            sign(3, prepare_content(2, digest)).signature(),
        ),
    };
    let late_epoch = PbftMessage::Prepare {
        prepare: sign(
            2,
            Prepare {
                epoch: Epoch(1),
                ..prepare_content(2, digest)
            },
        ),
    };
    let messages = [
        (prepare(0, digest), Some(Reason::PrimaryPrepare)),
        (prepare(1, digest), Some(Reason::DuplicateVote)),
        (stolen, Some(Reason::NotAMember)),
        (stranger, Some(Reason::NotAMember)),
        (forged, Some(Reason::BadSignature)),
        (late_epoch, None),
        (prepare(3, b.digest()), None),
        (prepare(3, digest), Some(Reason::DuplicateVote)),
    ];
    let mut wanted = Vec::new();
    for (message, reason) in messages {
        group.hand(2, 1, message);
        wanted.extend(reason);
        assert_eq!(group.rejections(1), wanted);
        assert_eq!(group.replica(1).prepared().count(), 0);
    }
    group.hand(2, 1, prepare(2, digest));
    assert_eq!(group.replica(1).prepared().count(), 1);
}

#[test]
fn a_prepare_s_signature_is_no_commit() {
    // B11: the same content under the signature of the other kind, from all three others.
    let moved = |by: u32, digest| PbftMessage::Commit {
        commit: Signed::from_parts(
            commit_content(by, digest),
            keys(by).public(),
            sign(by, prepare_content(by, digest)).signature(),
        ),
    };
    let batch = batch(4, b"a");
    let digest = batch.digest();
    let mut group = Group::new(4, 1, PbftConfig::default());
    let mut broken = Group::<mutants::DomainsShared>::with_rules(4, 1, PbftConfig::default());
    group.table.carry_if(|_, _, _| false);
    broken.table.carry_if(|_, _, _| false);
    for by in [0, 2, 3] {
        if by == 0 {
            group.hand(0, 1, pre_prepare(0, 0, 1, &batch));
            broken.hand(0, 1, pre_prepare(0, 0, 1, &batch));
        } else {
            group.hand(by, 1, prepare(by, digest));
            broken.hand(by, 1, prepare(by, digest));
        }
        group.hand(by, 1, moved(by, digest));
        broken.hand(by, 1, moved(by, digest));
    }
    assert_eq!(group.rejections(1), [Reason::BadSignature; 3]);
    assert_eq!(group.replica(1).last_executed(), Sequence(0));
    assert_eq!(broken.replica(1).last_executed(), Sequence(1));
}

#[test]
fn an_assignment_is_accepted_under_four_conditions_only() {
    // Section 4.2: primary's signature, digest, view, window, and no other digest before.
    let (a, b) = (batch(4, b"a"), batch(4, b"b"));
    let swapped = match pre_prepare(0, 0, 2, &a) {
        PbftMessage::PrePrepare { pre_prepare, .. } => PbftMessage::PrePrepare {
            pre_prepare,
            batch: b.clone(),
        },
        other => other,
    };
    let stranger = batch(9, b"a");
    let cases = [
        (pre_prepare(2, 0, 2, &a), Reason::NotThePrimary),
        (swapped, Reason::DigestMismatch),
        (pre_prepare(0, 0, 1, &b), Reason::ConflictingPrePrepare),
        (pre_prepare(0, 0, 401, &a), Reason::OutsideWindow),
        (pre_prepare(0, 0, 2, &stranger), Reason::UnknownClient),
    ];
    for (message, reason) in cases {
        let mut group = Group::new(4, 1, PbftConfig::default());
        group.hand(0, 1, pre_prepare(0, 0, 1, &a));
        let before = group.sent("prepare");
        group.hand(0, 1, message);
        assert_eq!(group.rejections(1), [reason]);
        assert_eq!(group.sent("prepare"), before);
    }
}

#[test]
fn an_equivocating_primary_splits_nobody_at_any_size() {
    // B1 at n = 4 to 10: batch a to the first half of the backups and b to the rest, with the
    // primary's own votes for both. Never two batches at one place; and both clients, who ask the
    // others when no reply comes, are served in a later view.
    for n in 4..=10_u32 {
        let mut group = Group::new(n, 2, PbftConfig::default());
        group.table.carry_if(|from, _, _| from.0 != 0);
        let batches = [batch(n, b"a"), batch(n + 1, b"b")];
        let half = 1 + (n - 1) / 2;
        for to in 1..n {
            let mine = &batches[usize::from(to >= half)];
            group.hand(0, to, pre_prepare(0, 0, 1, mine));
            group.hand(0, to, commit(0, mine.digest()));
        }
        group.ask(0, write(1, b"a"));
        group.ask(1, write(1, b"b"));
        group.run_ms(30_000);
        assert_eq!(group.disagreement(), None, "n = {n}");
        assert_eq!(group.table.replies.len(), 2, "n = {n}");
        for slot in 1..n {
            assert_eq!(group.executions(slot).len(), 2, "n = {n}, replica {slot}");
            assert!(group.replica(slot).view() >= View(1), "n = {n}");
        }
    }
}

#[test]
fn beyond_the_bound_agreement_breaks_and_below_it_does_not() {
    // B14 at n = 4 and 8: replicas 1.. of each half are honest; the colluders vote for both
    // batches. 2q-n of them fork the group, one fewer does not.
    for n in [4_u32, 5, 7, 8] {
        let quorum = byzantine_quorum(n as usize) as u32;
        let to_fork = 2 * quorum - n;
        assert!(to_fork > max_faulty(n as usize) as u32);
        for (liars, forks) in [(to_fork, true), (to_fork - 1, false)] {
            let mut group = Group::new(n, 2, PbftConfig::default());
            let batches = [batch(n, b"a"), batch(n + 1, b"b")];
            let honest_half = (n - liars).div_ceil(2);
            let side = move |slot: u32| usize::from(slot >= liars + honest_half);
            group
                .table
                .carry_if(move |from, to, _| from.0 >= liars && side(from.0) == side(to.0));
            for to in liars..n {
                let mine = &batches[side(to)];
                group.hand(0, to, pre_prepare(0, 0, 1, mine));
                for liar in 0..liars {
                    if liar > 0 {
                        group.hand(liar, to, prepare(liar, mine.digest()));
                    }
                    group.hand(liar, to, commit(liar, mine.digest()));
                }
            }
            group.run_ms(500);
            assert_eq!(
                group.disagreement().is_some(),
                forks,
                "n = {n}, {liars} liars"
            );
        }
    }
}

#[test]
fn a_mistaken_quorum_is_what_lets_an_accomplice_fork_eight() {
    // With 2f+1 = 5 instead of q = 6 at n = 8, primary and one accomplice, f in number, fork.
    let mut group = Group::<mutants::QuorumOfTwoThirds>::with_rules(8, 2, PbftConfig::default());
    let batches = [batch(8, b"a"), batch(9, b"b")];
    let side = |slot: u32| usize::from(slot >= 5);
    group
        .table
        .carry_if(move |from, to, _| from.0 >= 2 && side(from.0) == side(to.0));
    for to in 2..8 {
        let mine = &batches[side(to)];
        group.hand(0, to, pre_prepare(0, 0, 1, mine));
        for liar in [0, 1] {
            if liar > 0 {
                group.hand(liar, to, prepare(liar, mine.digest()));
            }
            group.hand(liar, to, commit(liar, mine.digest()));
        }
    }
    group.run_ms(500);
    assert_eq!(group.disagreement(), Some(Sequence(1)));
}

#[test]
fn a_skipped_place_stops_execution_until_a_view_change_fills_it() {
    // B2: replica 1 alone gets place 1, all get place 2; nobody executes 2 without 1. The next
    // view brings one or two batches to everybody in one order.
    let mut group = Group::new(4, 2, PbftConfig::default());
    group.table.carry_if(|from, _, _| from.0 != 0);
    let (a, b) = (batch(4, b"a"), batch(5, b"b"));
    group.hand(0, 1, pre_prepare(0, 0, 1, &a));
    for to in 1..4 {
        group.hand(0, to, pre_prepare(0, 0, 2, &b));
    }
    group.run_ms(500);
    assert!((1..4).all(|slot| group.executions(slot).is_empty()));
    group.run_ms(20_000);
    assert_eq!(group.disagreement(), None);
    for slot in 1..4 {
        assert_eq!(group.executions(slot).len(), 2);
    }
}

#[test]
fn commits_to_one_half_leave_the_other_to_catch_up_by_the_same_batch() {
    // B7: commits reach replicas 1 and 2 only, and replica 0 falls silent after them.
    let mut group = Group::new(4, 1, PbftConfig::default());
    group.table.carry_if(|from, to, message| {
        let commit = matches!(message, PbftMessage::Commit { .. });
        !commit || (to.0 != 3 && from.0 != to.0)
    });
    group.ask(0, write(1, b"a"));
    group.run_ms(100);
    assert_eq!(group.executions(1).len(), 1);
    assert_eq!(group.executions(3).len(), 0);
    group.silence([0]);
    group.run_ms(20_000);
    assert_eq!(group.executions(3), group.executions(1));
}

#[test]
fn votes_of_an_old_view_are_refused_after_it() {
    // B11: whatever was signed for view 0 is worth nothing in view 1.
    let mut group = Group::new(4, 2, PbftConfig::default());
    group.silence([0]);
    group.ask(0, write(1, b"a"));
    group.run_ms(5_000);
    assert_eq!(group.replica(2).view(), View(1));
    let batch = batch(5, b"b");
    let before = group.executions(2);
    for message in [
        pre_prepare(0, 0, 2, &batch),
        prepare(3, batch.digest()),
        commit(3, batch.digest()),
    ] {
        group.hand(0, 2, message);
    }
    assert_eq!(group.rejections(2), [Reason::OldView; 3]);
    assert_eq!(group.executions(2), before);
}

#[test]
fn a_slow_primary_is_replaced_only_where_a_rate_is_demanded() {
    // B9: the primary's pre-prepares take 800 ms of a timeout of 1 s. PBFT lives with it; with
    // Aardvark's rule on, another primary serves the same client faster.
    let served = |minimum_rate| {
        let config = PbftConfig {
            client_multicasts: true,
            client_timeout: SimDuration::from_secs(5),
            minimum_rate,
            ..PbftConfig::default()
        };
        let mut group = Group::new(4, 1, config);
        let held: Rc<RefCell<Vec<PbftMessage>>> = Rc::default();
        let holding = Rc::clone(&held);
        group.table.carry_if(move |from, to, message| {
            let slow = from.0 == 0 && matches!(message, PbftMessage::PrePrepare { .. });
            if slow && to.0 == 1 {
                holding.borrow_mut().push(message.clone());
            }
            !slow
        });
        for key in 0..400 {
            group.ask(0, write(key, b"a"));
        }
        for _ in 0..50 {
            group.run_ms(800);
            for message in held.borrow_mut().drain(..) {
                (1..4).for_each(|to| group.table.hand(PeerId(0), PeerId(to), &message));
            }
        }
        (group.table.replies.len(), group.views())
    };
    let (slow, views) = served(None);
    assert_eq!(views, [0; 4]);
    assert!(slow < 60, "{slow} replies in 40 s");
    let (cured, views) = served(Some(MinimumRate::default()));
    assert!(views.iter().all(|view| *view >= 1), "{views:?}");
    assert!(cured > 4 * slow, "{cured} against {slow}");
}
