//! What a replica must not forget, and what it may do when its disk forgot it.

use super::*;
use crate::pbft::message::PrePrepare;
use crate::protocol::{Durable, Stored};

impl<R: Rules> Group<R> {
    pub(super) fn restart(&mut self, slot: u32) {
        let (config, roster) = (Arc::clone(&self.config), Arc::clone(&self.roster));
        let machine = PbftPeer::replica(config, roster);
        self.table.restart(PeerId(slot), machine);
    }
}

/// A pre-prepare by primary 0 of view 0 at place 1 of a batch that differs with `value`.
fn assignment(value: &[u8]) -> PbftMessage {
    let request = sign(
        4,
        message::Request {
            client: PeerId(4),
            timestamp: Timestamp(1),
            operation: write(1, value),
            read_only: false,
        },
    );
    let batch = message::Batch::new(vec![request]);
    let pre_prepare = sign(
        0,
        PrePrepare {
            epoch: Epoch(0),
            view: View(0),
            sequence: Sequence(1),
            digest: batch.digest(),
        },
    );
    PbftMessage::PrePrepare { pre_prepare, batch }
}

#[test]
fn a_restarted_replica_stands_by_what_it_accepted() {
    // Before the crash it prepared batch a; afterwards batch b for the same place is refused.
    let mut group = Group::new(4, 1, PbftConfig::default());
    group.hand(0, 1, assignment(b"a"));
    group.restart(1);
    group.hand(0, 1, assignment(b"b"));
    assert_eq!(group.rejections(1), [Reason::ConflictingPrePrepare]);
}

#[test]
fn a_replica_that_forgets_its_votes_takes_both_sides() {
    // The mutant of the test above accepts the second batch: the rule is what stops it.
    let config = PbftConfig::default();
    let mut group = Group::<mutants::VotesForgotten>::with_rules(4, 1, config);
    group.hand(0, 1, assignment(b"a"));
    group.restart(1);
    group.hand(0, 1, assignment(b"b"));
    assert_eq!(group.rejections(1), []);
}

#[test]
fn all_replicas_restart_at_once_and_nothing_is_lost() {
    // Every replica crashed after it prepared and before any commit arrived; and again later,
    // after checkpoints. Each request executes once in the end, the state is everybody's.
    let mut group = Group::new(4, 1, short_window());
    group
        .table
        .carry_if(|_, _, message| !matches!(message, PbftMessage::Commit { .. }));
    group.ask(0, write(1, b"a"));
    group.run_ms(100);
    group.table.carry_if(|_, _, _| true);
    (0..4).for_each(|slot| group.restart(slot));
    group.run_ms(5_000);
    assert_eq!(group.table.replies.len(), 1);
    group.write_many(9);
    (0..4).for_each(|slot| group.restart(slot));
    group.write_many(3);
    group.run_ms(2_000);
    let states: BTreeSet<u64> = (0..4)
        .map(|slot| group.replica(slot).state().store.fingerprint())
        .collect();
    assert_eq!(states.len(), 1);
    assert_eq!(group.replica(2).last_executed(), Sequence(13));
    assert_eq!(group.disagreement(), None);
}

#[test]
fn a_replica_restarts_into_the_view_that_it_asked_for() {
    // It crashed waiting for view 1 with a prepared batch; it still waits and still has it.
    let mut group = Group::new(4, 1, PbftConfig::default());
    group.table.carry_if(|from, to, message| {
        let normal = matches!(
            message,
            PbftMessage::PrePrepare { .. }
                | PbftMessage::Prepare { .. }
                | PbftMessage::Request { .. }
        );
        normal && (from.0 != 0 || to.0 != 0)
    });
    group.ask(0, write(1, b"a"));
    group.run_ms(1_200);
    let before = group.replica(2).view_changes[2].clone();
    assert_eq!(group.replica(2).status(), Status::Changing);
    group.restart(2);
    assert_eq!(group.replica(2).view(), View(1));
    assert_eq!(group.replica(2).status(), Status::Changing);
    assert_eq!(group.replica(2).view_changes[2], before);
    assert_eq!(before.map(|change| change.prepared.len()), Some(1));
}

#[test]
fn a_replica_with_a_damaged_disk_is_silent_until_it_cannot_contradict_itself() {
    // One damaged entry: no vote of replica 3 before a checkpoint beyond L places; then it votes.
    let mut group = Group::new(4, 1, short_window());
    group.write_many(2);
    let mut machine =
        PbftPeer::<Paper>::replica(Arc::clone(&group.config), Arc::clone(&group.roster));
    let mut disk = Durable::default();
    disk.slots.insert(17, Stored::Damaged);
    let label = crate::random::StreamLabel::global("test");
    let mut dice = crate::random::Stream::new(crate::random::RunKey::from_seed(1), label);
    let mut keys = keys(3);
    let mut outbox = crate::outbox::Outbox::new();
    let mut ctx = crate::protocol::Context::new(
        LocalTime::default(),
        PeerId(3),
        &mut dice,
        &mut keys,
        &mut outbox,
    );
    crate::protocol::Protocol::on_restart(&mut machine, disk, &mut ctx);
    let replica = machine.as_replica().expect("a replica");
    assert!(!replica.may_vote());
    assert_eq!(replica.silent_until, Some(Sequence(8)));
    let votes = outbox.outputs().iter().filter(|output| {
        matches!(output, crate::outbox::Output::Send { payload, .. }
            if matches!(**payload, PbftMessage::ViewChange { .. } | PbftMessage::Prepare { .. }))
    });
    assert_eq!(votes.count(), 0);
}

#[test]
fn without_a_disk_a_restarted_replica_learns_and_never_votes() {
    // The switch `durable = false`: what it said is unknown for good.
    let config = PbftConfig {
        durable: false,
        ..short_window()
    };
    let mut group = Group::new(4, 1, config);
    group.write_many(2);
    group.restart(3);
    group.table.events.clear();
    group.write_many(10);
    group.run_ms(2_000);
    assert!(!group.replica(3).may_vote());
    assert!(group.replica(3).last_executed() >= Sequence(8));
    assert_eq!(group.disagreement(), None);
}
