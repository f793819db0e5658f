//! Section 4.3 and TOCS'02 section 5.3: stability, watermarks, garbage, and states from liars.

use super::*;
use crate::pbft::message::{Checkpoint, CheckpointCertificate, StateReply};
use crate::pbft::state::Snapshot;

/// A group of four whose replica 3 missed `missed` writes; it is back, and nothing ran since.
fn group_with_laggard(missed: u64) -> Group {
    let mut group = Group::new(4, 1, short_window());
    let cut = group.cut_off([3]);
    group.write_many(missed);
    cut.set(false);
    group
}

#[test]
fn a_stable_checkpoint_moves_the_watermarks_and_drops_the_log() {
    // After 10 batches with K = 4 and L = 8: h = 8, H = 16, and only places 9 and 10 are kept.
    let mut group = Group::new(4, 1, short_window());
    group.write_many(10);
    for slot in 0..4 {
        let replica = group.replica(slot);
        assert_eq!(replica.low_watermark(), Sequence(8));
        assert_eq!(replica.high_watermark(), Sequence(16));
        let sizes = replica.store_sizes();
        assert_eq!((sizes.log, sizes.snapshots), (2, 1));
        assert_eq!((sizes.waiting, sizes.future), (0, 0));
    }
    let digests: BTreeSet<_> = group
        .events()
        .filter_map(|(_, event)| match event {
            PbftEvent::CheckpointStable {
                sequence, digest, ..
            } => Some((sequence, digest)),
            _ => None,
        })
        .collect();
    assert_eq!(digests.len(), 2, "one digest for each of two checkpoints");
}

#[test]
fn checkpoints_need_a_quorum_of_equal_digests() {
    // Two equal votes and one other at n = 4 are no quorum; the third equal one makes it.
    let mut group = Group::new(4, 1, short_window());
    group
        .table
        .carry_if(|_, _, message| !matches!(message, PbftMessage::Checkpoint { .. }));
    group.write_many(4);
    let vote = |by: u32, digest: Digest| PbftMessage::Checkpoint {
        checkpoint: sign(
            by,
            Checkpoint {
                epoch: Epoch(0),
                sequence: Sequence(4),
                digest,
                replica: ReplicaId(by as u16),
            },
        ),
    };
    let digest = group
        .events()
        .find_map(|(_, event)| match event {
            PbftEvent::CheckpointTaken { digest, .. } => Some(digest),
            _ => None,
        })
        .expect("a checkpoint was taken");
    group.hand(1, 0, vote(1, digest));
    group.hand(2, 0, vote(2, Digest([9; 32])));
    group.hand(1, 0, vote(1, digest));
    assert_eq!(group.replica(0).low_watermark(), Sequence(0));
    assert_eq!(group.rejections(0), [Reason::DuplicateVote]);
    group.hand(3, 0, vote(3, digest));
    assert_eq!(group.replica(0).low_watermark(), Sequence(4));
}

#[test]
fn a_replica_past_two_checkpoints_fetches_the_state_and_takes_part_again() {
    // 21 batches missed with a window of 8: the log is gone, only a state can help. Afterwards it
    // has everybody's state and its votes are needed: replica 1 is silent.
    let mut group = group_with_laggard(21);
    group.write_many(4);
    group.run_ms(2_000);
    assert_eq!(
        group.count(|event| matches!(event, PbftEvent::StateTransferred { .. })),
        1
    );
    group.silence([1]);
    group.write_many(6);
    group.run_ms(1_000);
    let state = group.replica(0).state();
    assert_eq!(state, group.replica(3).state());
    assert_eq!(group.replica(3).last_executed(), Sequence(31));
    assert_eq!(group.disagreement(), None);
}

#[test]
fn a_lying_peer_cannot_plant_a_state() {
    // B12: the laggard gets, before the honest answer, four lies: another state, another state
    // with votes of one replica thrice, a proof for another place, a state nobody vouches for.
    let mut group = group_with_laggard(21);
    group
        .table
        .carry_if(|_, to, message| to.0 != 3 || !matches!(message, PbftMessage::StateReply { .. }));
    group.write_many(4);
    group.run_ms(300);
    let stable = |by: &Group| {
        let machine = by.replica(0);
        let stable = &machine.checkpoints.stable;
        let certificate = stable.certificate.as_ref().expect("proven");
        ((**certificate).clone(), (*stable.snapshot).clone())
    };
    let (honest, snapshot) = stable(&group);
    let mut other: Snapshot = snapshot.clone();
    other.store.apply(&write(7, b"planted"));
    let vote = |sequence| {
        sign(
            1,
            Checkpoint {
                epoch: Epoch(0),
                sequence,
                digest: other.parts().digest(),
                replica: ReplicaId(1),
            },
        )
    };
    let forged = CheckpointCertificate {
        digest: other.parts().digest(),
        votes: vec![vote(honest.sequence); 3],
        ..honest.clone()
    };
    let moved = CheckpointCertificate {
        sequence: honest.sequence.plus(4),
        ..honest.clone()
    };
    let unproven = CheckpointCertificate {
        votes: honest.votes[..2].to_vec(),
        ..honest.clone()
    };
    let lies = [
        (honest.clone(), other.clone()),
        (forged, other),
        (moved, snapshot.clone()),
        (unproven, snapshot.clone()),
    ];
    let before = group.replica(3).last_executed();
    for state in lies {
        let reply = Box::new(StateReply {
            links: Vec::new(),
            state: Some(state),
        });
        group.hand(1, 3, PbftMessage::StateReply { reply });
    }
    let refused = group.rejections(3).into_iter();
    let refused = refused.filter(|reason| *reason == Reason::BadState);
    assert_eq!(refused.count(), 4);
    assert_eq!(group.replica(3).last_executed(), before);
    group.table.carry_if(|_, _, _| true);
    group.run_ms(2_000);
    assert!(group.replica(3).last_executed() >= honest.sequence);
    assert_eq!(group.replica(3).state().store.get(7), snapshot.store.get(7));
}

#[test]
fn a_primary_is_bounded_by_the_window() {
    // B3: no checkpoint gets through, so after L = 8 batches nothing more is proposed.
    let mut group = Group::new(4, 12, short_window());
    group
        .table
        .carry_if(|_, _, message| !matches!(message, PbftMessage::Checkpoint { .. }));
    (0..12).for_each(|client| group.ask(client, write(1, b"a")));
    group.run_ms(300);
    assert_eq!(group.table.replies.len(), 8);
    assert_eq!(group.sent("pre-prepare"), 8 * 3);
    assert!(group.replica(0).store_sizes().log <= 8);
}

#[test]
fn lost_checkpoint_votes_are_sent_again() {
    // All first votes are lost; the group notices that it stands still below H and goes on.
    let mut group = Group::new(4, 12, short_window());
    let cut = Rc::new(Cell::new(true));
    let switch = Rc::clone(&cut);
    group.table.carry_if(move |_, _, message| {
        !switch.get() || !matches!(message, PbftMessage::Checkpoint { .. })
    });
    (0..12).for_each(|client| group.ask(client, write(1, b"a")));
    group.run_ms(300);
    cut.set(false);
    group.run_ms(3_000);
    assert_eq!(group.table.replies.len(), 12);
    assert_eq!(group.views(), [0, 0, 0, 0]);
}

#[test]
fn stores_stay_bounded_under_a_flood_of_early_messages() {
    // One member signs votes for 10,000 later views and places; its share is 3 L messages.
    let mut group = Group::new(4, 1, short_window());
    for number in 0..10_000_u64 {
        let commit = sign(
            3,
            crate::pbft::message::Commit {
                epoch: Epoch(0),
                view: View(1 + number % 50),
                sequence: Sequence(1 + number % 16),
                digest: Digest([number as u8; 32]),
                replica: ReplicaId(3),
            },
        );
        group.hand(3, 1, PbftMessage::Commit { commit });
        let checkpoint = sign(
            3,
            Checkpoint {
                epoch: Epoch(0),
                sequence: Sequence(4 * number),
                digest: Digest([number as u8; 32]),
                replica: ReplicaId(3),
            },
        );
        group.hand(3, 1, PbftMessage::Checkpoint { checkpoint });
    }
    let sizes = group.replica(1).store_sizes();
    assert!(sizes.future <= 24, "{sizes:?}");
    assert!(sizes.checkpoint_votes <= 3, "{sizes:?}");
    assert!(sizes.log <= 8, "{sizes:?}");
}
