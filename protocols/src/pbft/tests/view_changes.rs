//! Section 4.4: what a crashed primary costs, what carries over, and what is refused.

use super::*;
use crate::pbft::message::{
    Batch, Checkpoint, NewView, PrePrepare, Prepare, PreparedCertificate, Request, ViewChange,
};

/// A batch of one write by the client in `slot`.
fn batch(slot: u32, timestamp: u64, value: &[u8]) -> Batch {
    Batch::new(vec![sign(
        slot,
        Request {
            client: PeerId(slot),
            timestamp: Timestamp(timestamp),
            operation: write(1, value),
            read_only: false,
        },
    )])
}

fn pre_prepare(primary: u32, view: u64, sequence: u64, batch: &Batch) -> Signed<PrePrepare> {
    sign(
        primary,
        PrePrepare {
            epoch: Epoch(0),
            view: View(view),
            sequence: Sequence(sequence),
            digest: batch.digest(),
        },
    )
}

fn prepare(by: u32, claims: u32, view: u64, sequence: u64, digest: Digest) -> Signed<Prepare> {
    sign(
        by,
        Prepare {
            epoch: Epoch(0),
            view: View(view),
            sequence: Sequence(sequence),
            digest,
            replica: ReplicaId(claims as u16),
        },
    )
}

/// The certificate of `batch` in `view` at n = 4 by these backups.
fn certificate(view: u64, sequence: u64, batch: &Batch, backups: &[u32]) -> PreparedCertificate {
    let votes = backups.iter();
    PreparedCertificate {
        pre_prepare: pre_prepare((view % 4) as u32, view, sequence, batch),
        batch: batch.clone(),
        prepares: votes
            .map(|by| prepare(*by, *by, view, sequence, batch.digest()))
            .collect(),
    }
}

fn view_change(by: u32, view: u64, prepared: Vec<PreparedCertificate>) -> Signed<ViewChange> {
    sign(
        by,
        ViewChange {
            epoch: Epoch(0),
            view: View(view),
            stable: Sequence(0),
            proof: Vec::new(),
            prepared,
            replica: ReplicaId(by as u16),
        },
    )
}

fn new_view(
    view: u64,
    view_changes: Vec<Signed<ViewChange>>,
    pre_prepares: Vec<Signed<PrePrepare>>,
) -> Signed<NewView> {
    sign(
        (view % 4) as u32,
        NewView {
            epoch: Epoch(0),
            view: View(view),
            view_changes,
            pre_prepares,
        },
    )
}

#[test]
fn a_crashed_primary_costs_what_the_literature_counts() {
    // (n-1)^2 view-changes and n-1 new-views, and the request is answered in view 1.
    for n in [4, 5, 6, 7, 8, 9, 10] {
        let mut group = Group::new(n, 1, PbftConfig::default());
        let carried = group.count_without([0]);
        group.ask(0, write(1, b"a"));
        group.run_ms(5_000);
        assert_eq!(group.table.replies.len(), 1, "n = {n}");
        let carried = carried.borrow();
        let n64 = u64::from(n);
        assert_eq!(carried["view-change"], (n64 - 1) * (n64 - 1), "n = {n}");
        assert_eq!(carried["new-view"], n64 - 1, "n = {n}");
        assert!(!carried.contains_key("status"), "nobody was stuck");
        assert_eq!(&group.views()[1..], vec![1; n as usize - 1]);
    }
}

#[test]
fn timeouts_double_up_to_their_bound_while_no_view_begins() {
    // With every new-view lost, the gaps between view changes are 1, 2, 4, 8, 16, 20, 20 seconds
    // and a few delays of 10 ms, as replicas do not time out at once: section 4.5.2.
    let mut group = Group::new(4, 1, PbftConfig::default());
    group.table.carry_if(|from, _, message| {
        from.0 != 0 && !matches!(message, PbftMessage::NewView { .. })
    });
    group.ask(0, write(1, b"a"));
    group.run_ms(80_000);
    let times: Vec<i64> = group
        .table
        .events
        .iter()
        .filter(|(_, peer, event)| {
            peer.0 == 3 && matches!(event, PbftEvent::ViewChangeStarted { .. })
        })
        .map(|(at, ..)| at.as_nanos() / 1_000_000)
        .collect();
    let gaps: Vec<i64> = times.windows(2).map(|pair| pair[1] - pair[0]).collect();
    let tenths: Vec<i64> = gaps.iter().map(|gap| gap / 100).collect();
    assert_eq!(tenths, [10, 20, 40, 80, 160, 200, 200]);
}

#[test]
fn a_lonely_replica_asks_once_and_waits_for_a_quorum() {
    // Cut off with a request, it leaves view 0 and goes no further: 4.5.2, third rule.
    let mut group = Group::new(4, 1, PbftConfig::default());
    let request = batch(4, 1, b"a").requests()[0].clone();
    group.cut_off([3]);
    group.hand(4, 3, PbftMessage::Request { request });
    group.run_ms(60_000);
    assert_eq!(group.replica(3).view(), View(1));
    assert_eq!(group.replica(3).status(), Status::Changing);
    assert_eq!(group.views()[..3], [0, 0, 0]);
}

#[test]
fn f_view_changes_move_nobody_and_f_plus_one_pull_to_the_smallest() {
    // One replica storms through views 1 to 5; the others stay. A second one makes them go along.
    let mut group = Group::new(4, 1, PbftConfig::default());
    for view in 1..=5 {
        let view_change = view_change(3, view, Vec::new());
        group.hand(3, 1, PbftMessage::ViewChange { view_change });
    }
    assert_eq!(group.replica(1).view(), View(0));
    let view_change = view_change(2, 2, Vec::new());
    group.hand(2, 1, PbftMessage::ViewChange { view_change });
    assert_eq!(group.replica(1).view(), View(2));
    assert!(group.events().any(|(peer, event)| peer.0 == 1
        && matches!(
            event,
            PbftEvent::ViewChangeStarted {
                cause: ViewChangeCause::Joined,
                ..
            }
        )));
}

#[test]
fn what_one_replica_executed_survives_a_view_change_that_denies_it() {
    // B5: commits reach replica 3 only, so it alone executes. Then it is cut off, and the faulty
    // primary claims that nothing prepared. The quorum {0, 1, 2} still holds an honest witness.
    let mut group = Group::new(4, 1, PbftConfig::default());
    group.table.carry_if(|from, to, message| {
        let commit = matches!(message, PbftMessage::Commit { .. });
        (!commit || to.0 == 3) && (commit || to.0 != 3 || from.0 != 2)
    });
    group.ask(0, write(1, b"a"));
    group.run_ms(100);
    assert_eq!(group.executions(3).len(), 1);
    assert!((0..3).all(|slot| group.executions(slot).is_empty()));
    group
        .table
        .carry_if(|from, to, _| from.0 != 0 && from.0 != 3 && to.0 != 3);
    let view_change = view_change(0, 1, Vec::new());
    for to in [1, 2] {
        let view_change = view_change.clone();
        group.hand(0, to, PbftMessage::ViewChange { view_change });
    }
    group.run_ms(3_000);
    assert!(group.replica(1).view() >= View(1));
    group.table.carry_if(|from, _, _| from.0 != 0);
    group.run_ms(20_000);
    let executed = group.executions(3);
    assert_eq!(executed.len(), 1);
    assert_eq!(group.executions(1), executed);
    assert_eq!(group.executions(2), executed);
    assert_eq!(group.table.replies.len(), 1);
    assert_eq!(group.disagreement(), None);
}

#[test]
fn a_prepared_request_survives_two_view_changes_in_a_row() {
    // n = 7, f = 2: no commit is ever carried before view 2; primaries 0 and 1 fall silent in turn.
    let mut group = Group::new(7, 1, PbftConfig::default());
    group.table.carry_if(|from, _, message| {
        let early = |view: View| view < View(2);
        let commit = matches!(message, PbftMessage::Commit { commit } if early(commit.view));
        let silent = from.0 == 1 && !matches!(message, PbftMessage::Prepare { .. });
        !commit && !silent
    });
    group.ask(0, write(1, b"a"));
    group.run_ms(20_000);
    let prepared = group.events().find_map(|(_, event)| match event {
        PbftEvent::Prepared { placement, .. } if placement.view == View(0) => {
            Some(placement.digest)
        }
        _ => None,
    });
    assert!(group.views().iter().all(|view| *view >= 2));
    let executed = group.executions(6);
    assert_eq!(Some(executed[0].1), prepared);
    assert_eq!(executed.len(), 1);
    assert_eq!(group.disagreement(), None);
    assert_eq!(group.table.replies.len(), 1);
}

#[test]
fn the_certificate_of_the_highest_view_wins_and_gaps_become_null() {
    // In either order of the view-changes; place 2 prepared nowhere and gets the null request.
    let (old, new) = (batch(4, 1, b"old"), batch(4, 1, b"new"));
    let low = view_change(1, 6, vec![certificate(0, 1, &old, &[1, 2])]);
    let high = view_change(
        2,
        6,
        vec![
            certificate(5, 1, &new, &[2, 3]),
            certificate(0, 3, &old, &[1, 2]),
        ],
    );
    for order in [[&low, &high], [&high, &low]] {
        let set = order.into_iter().map(Signed::content);
        let reissue = reissue::<Paper>(set);
        let digests: Vec<_> = reissue.batches.values().map(Batch::digest).collect();
        assert_eq!(
            digests,
            [new.digest(), Batch::null().digest(), old.digest()]
        );
        assert_eq!((reissue.min, reissue.max), (Sequence(0), Sequence(3)));
    }
}

#[test]
fn a_forged_view_change_is_refused_for_what_is_wrong_with_it() {
    // B4: each forgery differs from the accepted control in one point.
    let (a, b) = (batch(4, 1, b"a"), batch(4, 1, b"b"));
    let with = |certificate| view_change(3, 2, vec![certificate]);
    let control = certificate(0, 1, &a, &[1, 2]);
    let mut foreign = control.clone();
    foreign.prepares[1] = prepare(1, 2, 0, 1, a.digest());
    let mut primary_votes = control.clone();
    primary_votes.prepares[1] = prepare(0, 0, 0, 1, a.digest());
    let mut other_digest = control.clone();
    other_digest.prepares[1] = prepare(2, 2, 0, 1, b.digest());
    let mut other_batch = control.clone();
    other_batch.batch = b.clone();
    let mut not_primary = control.clone();
    not_primary.pre_prepare = pre_prepare(3, 0, 1, &a);
    let beyond = certificate(0, 201, &a, &[1, 2]);
    let cases = [
        certificate(0, 1, &a, &[1]),
        certificate(0, 1, &a, &[1, 1]),
        certificate(2, 1, &a, &[1, 3]),
        certificate(7, 1, &a, &[1, 2]),
        foreign,
        primary_votes,
        other_digest,
        other_batch,
        not_primary,
        beyond,
    ];
    for (number, forged) in cases.into_iter().enumerate() {
        let mut group = Group::new(4, 1, PbftConfig::default());
        let view_change = with(forged);
        group.hand(3, 2, PbftMessage::ViewChange { view_change });
        let wanted = [Reason::BadPreparedCertificate];
        assert_eq!(group.rejections(2), wanted, "case {number}");
        assert_eq!(group.replica(2).store_sizes().view_changes, 0);
    }
    let mut group = Group::new(4, 1, PbftConfig::default());
    let view_change = with(control);
    group.hand(3, 2, PbftMessage::ViewChange { view_change });
    assert_eq!(group.rejections(2), []);
}

#[test]
fn a_view_change_must_prove_its_checkpoint() {
    // Two proofs, or three of which two are by one replica, do not make a quorum at n = 4.
    let vote = |by: u32| {
        sign(
            by,
            Checkpoint {
                epoch: Epoch(0),
                sequence: Sequence(100),
                digest: Digest([1; 32]),
                replica: ReplicaId(by as u16),
            },
        )
    };
    let claim = |proof: Vec<Signed<Checkpoint>>| {
        sign(
            3,
            ViewChange {
                epoch: Epoch(0),
                view: View(1),
                stable: Sequence(100),
                proof,
                prepared: Vec::new(),
                replica: ReplicaId(3),
            },
        )
    };
    let cases = [
        claim(Vec::new()),
        claim(vec![vote(0), vote(1)]),
        claim(vec![vote(0), vote(1), vote(1)]),
    ];
    for view_change in cases {
        let mut group = Group::new(4, 1, PbftConfig::default());
        group.hand(3, 2, PbftMessage::ViewChange { view_change });
        assert_eq!(group.rejections(2), [Reason::BadCheckpointProof]);
    }
    let mut group = Group::new(4, 1, PbftConfig::default());
    let view_change = claim(vec![vote(0), vote(1), vote(3)]);
    group.hand(3, 2, PbftMessage::ViewChange { view_change });
    assert_eq!(group.rejections(2), []);
}

#[test]
fn a_dishonest_new_view_is_refused_for_what_is_wrong_with_it() {
    // Primary 1 of view 5 holds view-changes with certificates for place 1 in views 0 and 2.
    let (old, new) = (batch(4, 1, b"old"), batch(4, 1, b"new"));
    let set = || {
        vec![
            view_change(1, 5, vec![certificate(0, 1, &old, &[1, 2])]),
            view_change(2, 5, vec![certificate(2, 1, &new, &[0, 3])]),
            view_change(3, 5, Vec::new()),
        ]
    };
    let right = || vec![pre_prepare(1, 5, 1, &new)];
    let set_of_two = set()[..2].to_vec();
    let doubled = vec![set()[0].clone(), set()[1].clone(), set()[1].clone()];
    let mut other_view = set();
    other_view[2] = view_change(3, 4, Vec::new());
    let mut extra = right();
    extra.push(pre_prepare(1, 5, 2, &old));
    let cases = [
        (set_of_two, right(), Reason::BadViewChangeSet),
        (doubled, right(), Reason::BadViewChangeSet),
        (other_view, right(), Reason::BadViewChangeSet),
        (set(), Vec::new(), Reason::BadNewView),
        (set(), vec![pre_prepare(1, 5, 1, &old)], Reason::BadNewView),
        (set(), vec![pre_prepare(1, 5, 2, &new)], Reason::BadNewView),
        (set(), vec![pre_prepare(2, 5, 1, &new)], Reason::BadNewView),
        (set(), vec![pre_prepare(1, 1, 1, &new)], Reason::BadNewView),
        (set(), extra, Reason::BadNewView),
    ];
    for (number, (view_changes, pre_prepares, reason)) in cases.into_iter().enumerate() {
        let mut group = Group::new(4, 1, PbftConfig::default());
        let new_view = new_view(5, view_changes, pre_prepares);
        group.hand(1, 2, PbftMessage::NewView { new_view });
        assert_eq!(group.rejections(2), [reason], "case {number}");
        assert_eq!(group.replica(2).view(), View(0), "case {number}");
    }
    let mut group = Group::new(4, 1, PbftConfig::default());
    let new_view = new_view(5, set(), right());
    group.hand(1, 2, PbftMessage::NewView { new_view });
    assert_eq!(group.rejections(2), []);
    assert_eq!(group.replica(2).view(), View(5));
    assert_eq!(group.replica(2).status(), Status::Active);
}

#[test]
fn the_new_primary_proposes_what_waited_and_nothing_half_built() {
    // sawtooth-pbft PR 140: replica 0 is primary of views 0 and 4. What it had queued in view 0
    // must not come back out of order or twice.
    let mut group = Group::new(4, 4, PbftConfig::default());
    group
        .table
        .carry_if(|_, _, message| !matches!(message, PbftMessage::PrePrepare { pre_prepare, .. } if pre_prepare.view == View(0)));
    (0..4).for_each(|client| group.ask(client, write(u64::from(client), b"a")));
    group.run_ms(10_000);
    assert_eq!(group.table.replies.len(), 4);
    for slot in 0..4 {
        assert_eq!(group.executions(slot).len(), 4, "each once at {slot}");
    }
    assert_eq!(group.disagreement(), None);
}
