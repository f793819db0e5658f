//! Reconfiguration: a decided operation that takes effect at a checkpoint.

use super::*;
use crate::pbft::message::Prepare;

/// Seats 0 to 3 are the replicas, 4 is the administrator, 5 another client, 6 and 7 await the call.
fn group_with_candidates() -> Group {
    let mut group = Group::new(4, 2, short_window());
    let (roster, config) = (Arc::clone(&group.roster), Arc::clone(&group.config));
    let seat = |slot| match slot {
        4 | 5 => PbftPeer::client(Arc::clone(&config), Arc::clone(&roster)),
        _ => PbftPeer::replica(Arc::clone(&config), Arc::clone(&roster)),
    };
    group.table = Tabletop::new(SEED, DELAY, (0..8).map(seat).collect());
    group.table.start_all();
    group
}

fn reconfigure(slots: &[u32]) -> Operation {
    Operation::Reconfigure {
        membership: Membership {
            replicas: slots.iter().map(|slot| member(*slot)).collect(),
        },
    }
}

#[test]
fn a_new_group_takes_over_at_the_next_checkpoint_and_serves_the_same_state() {
    // Replica 0 leaves, 6 and 7 join: n = 5. The switch is at place 4, K after the start, although
    // the operation is the only request; the client follows by itself; the joiners fetch the state.
    let mut group = group_with_candidates();
    group.ask(0, write(7, b"kept"));
    group.ask(0, reconfigure(&[1, 2, 3, 6, 7]));
    group.run_ms(500);
    for slot in [1, 2, 3] {
        let replica = group.replica(slot);
        assert_eq!(replica.roster().epoch, Epoch(1));
        assert_eq!(replica.low_watermark(), Sequence(4));
        assert_eq!((replica.roster().n(), replica.view()), (5, View(0)));
    }
    assert_eq!(group.replica(0).number(), None);
    group.ask(0, read(7));
    group.ask(1, read(7));
    group.run_ms(8_000);
    let kept = Outcome::Value {
        value: Some(b"kept".to_vec()),
    };
    let answers: Vec<_> = group.table.replies.iter().skip(2).collect();
    assert_eq!(answers.len(), 2);
    assert!(answers.iter().all(|(_, outcome)| *outcome == kept));
    for slot in [6, 7] {
        assert_eq!(group.replica(slot).roster().epoch, Epoch(1));
        assert!(group.replica(slot).last_executed() >= Sequence(4));
    }
    // The joiners are needed now: with replica 1 silent the quorum of 4 is everybody else.
    group.silence([1]);
    group.ask(0, write(7, b"new"));
    group.run_ms(20_000);
    assert_eq!(group.table.replies.len(), 5);
    assert_eq!(group.disagreement(), None);
}

#[test]
fn only_administrators_reconfigure_and_only_to_a_group_that_can_serve() {
    // Client 5 is no administrator; an empty and a doubled group are refused.
    let mut group = group_with_candidates();
    group.ask(1, reconfigure(&[0, 1, 2]));
    group.ask(0, reconfigure(&[]));
    group.ask(0, reconfigure(&[0, 1, 1, 2]));
    group.run_ms(1_000);
    let outcomes: Vec<_> = group.table.replies.iter().map(|(_, o)| o.clone()).collect();
    assert_eq!(outcomes, vec![Outcome::Refused {}; 3]);
    group.write_many(8);
    assert_eq!(group.replica(1).roster().epoch, Epoch(0));
}

#[test]
fn a_vote_of_one_epoch_is_none_in_another() {
    // Members of both groups signed it; it still names epoch 0.
    let mut group = group_with_candidates();
    group.ask(0, reconfigure(&[0, 1, 2, 3, 6]));
    group.run_ms(3_000);
    assert_eq!(group.replica(2).roster().epoch, Epoch(1));
    let prepare = sign(
        1,
        Prepare {
            epoch: Epoch(0),
            view: View(0),
            sequence: Sequence(5),
            digest: Digest([1; 32]),
            replica: ReplicaId(1),
        },
    );
    group.hand(1, 2, PbftMessage::Prepare { prepare });
    assert_eq!(group.rejections(2).last(), Some(&Reason::WrongEpoch));
}

#[test]
fn a_member_that_missed_the_handover_follows_the_chain() {
    // Replica 3 is cut off while two groups follow each other; back again it proves both rosters
    // to itself from the certificates and serves in epoch 2.
    let mut group = group_with_candidates();
    let cut = group.cut_off([3]);
    group.ask(0, reconfigure(&[0, 1, 2, 3, 6]));
    group.run_ms(4_000);
    group.ask(0, reconfigure(&[0, 1, 2, 3, 6, 7]));
    group.run_ms(4_000);
    assert_eq!(group.replica(1).roster().epoch, Epoch(2));
    assert_eq!(group.replica(3).roster().epoch, Epoch(0));
    cut.set(false);
    group.ask(0, write(1, b"a"));
    group.run_ms(10_000);
    assert_eq!(group.replica(3).roster().epoch, Epoch(2));
    assert_eq!(group.disagreement(), None);
}

#[test]
fn a_replica_restarts_into_its_epoch() {
    // The roster is part of the stable checkpoint on disk.
    let mut group = group_with_candidates();
    group.ask(0, reconfigure(&[1, 2, 3, 6]));
    group.run_ms(3_000);
    let machine = PbftPeer::replica(Arc::clone(&group.config), Arc::clone(&group.roster));
    group.table.restart(PeerId(2), machine);
    let replica = group.replica(2);
    assert_eq!(replica.roster().epoch, Epoch(1));
    assert_eq!(replica.number(), Some(ReplicaId(1)));
    group.ask(0, write(1, b"a"));
    group.run_ms(3_000);
    assert_eq!(group.table.replies.len(), 2);
}
