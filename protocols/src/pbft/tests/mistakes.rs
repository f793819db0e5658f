//! Every rule is needed: without it the machine does what the paper forbids.
//!
//! Each claim is a function of the rules that says whether the machine behaves; the paper's must,
//! and the mutant's must not. Claims that have a test of their own elsewhere are not repeated.

use super::*;
use crate::pbft::Chosen;
use crate::pbft::message::{
    Batch, Checkpoint, Commit, PrePrepare, Prepare, PreparedCertificate, Reply, Request,
    StateReply, ViewChange,
};
use crate::pbft::mutants::*;

/// Holds the paper's rules and a mutant's to one claim.
macro_rules! needed {
    ($test:ident: $claim:ident, $($mutant:ident),+) => {
        #[test]
        fn $test() {
            // The claim must be true of the paper and false of each mutant, or it proves nothing.
            assert!($claim::<Chosen>());
            $(assert!(!Chosen::run_under::<$mutant, _>($claim::<Chosen>), stringify!($mutant));)+
        }
    };
}

needed!(votes_count_by_digest: ignores_votes_for_others, DigestIgnored);
needed!(votes_count_by_member: ignores_strangers, MembersUnchecked);
needed!(votes_count_once: ignores_repetition, DuplicatesCounted);
needed!(votes_count_by_signature: ignores_forgeries, SignaturesUnchecked);
needed!(votes_count_in_their_epoch: ignores_other_epochs, EpochUnchecked);
needed!(the_primary_has_no_prepare: ignores_the_primary, PrimaryPrepares);
needed!(a_place_is_assigned_once: keeps_the_first_assignment, SecondPrePrepareAccepted);
needed!(a_batch_is_the_one_assigned: refuses_another_batch, BatchUnchecked);
needed!(places_are_bounded: refuses_far_places, WindowUnbounded);
needed!(execution_has_no_gaps: waits_for_the_predecessor, GapsSkipped);
needed!(a_request_executes_once: executes_a_repeated_request_once, ExecutedAgain);
needed!(certificates_are_earlier: refuses_later_certificates, AnyViewCertified);
needed!(certificates_prove: refuses_small_certificates, CertificatesUnchecked);
needed!(the_highest_view_wins: reissues_the_latest, FirstCertificateWins, LowestViewWins);
needed!(f_plus_one_pull: follows_f_plus_one_only, NeverJoins, JoinsAnyone, JoinsLargest);
needed!(backups_compute_the_new_view: refuses_an_empty_new_view, NewViewUnchecked);
needed!(the_new_view_timer_waits: waits_for_a_quorum, ImpatientTimer);
needed!(timeouts_double: doubles_timeouts, TimerNeverDoubled);
needed!(catching_up_takes_part: takes_part_while_behind, StuckCatchingUp);
needed!(checkpoints_are_compared: distrusts_its_own_state, CheckpointUnchecked);
needed!(votes_are_durable: waits_for_its_disk, SpeaksTooSoon);
needed!(states_are_proven: refuses_a_planted_state, StateUnchecked);
needed!(tentative_is_undone: undoes_what_did_not_commit, TentativeKept);
needed!(a_client_wants_certificates: distrusts_one_reply, FirstReplyAccepted);

/// A group of which nothing is carried: messages come by hand.
fn quiet<R: Rules>() -> Group<R> {
    let mut group = Group::with_rules(4, 2, short_window());
    group.table.carry_if(|_, _, _| false);
    group
}

fn batch(client: u32, value: &[u8]) -> Batch {
    Batch::new(vec![sign(
        client,
        Request {
            client: PeerId(client),
            timestamp: Timestamp(1),
            operation: Operation::Append {
                key: 1,
                value: value.to_vec(),
            },
            read_only: false,
        },
    )])
}

fn assigned(sequence: u64, batch: &Batch) -> Signed<PrePrepare> {
    sign(
        0,
        PrePrepare {
            epoch: Epoch(0),
            view: View(0),
            sequence: Sequence(sequence),
            digest: batch.digest(),
        },
    )
}

fn prepare_of(by: u32, sequence: u64, batch: &Batch) -> Prepare {
    Prepare {
        epoch: Epoch(0),
        view: View(0),
        sequence: Sequence(sequence),
        digest: batch.digest(),
        replica: ReplicaId(by as u16),
    }
}

impl<R: Rules> Group<R> {
    fn assign(&mut self, sequence: u64, batch: &Batch) {
        let (pre_prepare, batch) = (assigned(sequence, batch), batch.clone());
        self.hand(0, 1, PbftMessage::PrePrepare { pre_prepare, batch });
    }

    fn prepare(&mut self, signer: u32, content: Prepare) {
        let prepare = sign(signer, content);
        self.hand(signer, 1, PbftMessage::Prepare { prepare });
    }

    fn commit_at(&mut self, sequence: u64, batch: &Batch) {
        self.prepare(2, prepare_of(2, sequence, batch));
        for by in [2, 3] {
            let commit = sign(
                by,
                Commit {
                    epoch: Epoch(0),
                    view: View(0),
                    sequence: Sequence(sequence),
                    digest: batch.digest(),
                    replica: ReplicaId(by as u16),
                },
            );
            self.hand(by, 1, PbftMessage::Commit { commit });
        }
    }

    fn is_prepared(&self) -> bool {
        self.replica(1).prepared().count() > 0
    }
}

/// One backup's own vote and this message must not make a prepared certificate at n = 4.
fn does_not_prepare<R: Rules>(signer: u32, content: Prepare) -> bool {
    let mut group = quiet::<R>();
    group.assign(1, &batch(4, b"a"));
    group.prepare(signer, content);
    !group.is_prepared()
}

fn ignores_votes_for_others<R: Rules>() -> bool {
    does_not_prepare::<R>(2, prepare_of(2, 1, &batch(4, b"b")))
}

fn ignores_strangers<R: Rules>() -> bool {
    does_not_prepare::<R>(5, prepare_of(2, 1, &batch(4, b"a")))
}

fn ignores_repetition<R: Rules>() -> bool {
    does_not_prepare::<R>(1, prepare_of(1, 1, &batch(4, b"a")))
}

fn ignores_the_primary<R: Rules>() -> bool {
    does_not_prepare::<R>(0, prepare_of(0, 1, &batch(4, b"a")))
}

fn ignores_forgeries<R: Rules>() -> bool {
    let mut group = quiet::<R>();
    let a = batch(4, b"a");
    group.assign(1, &a);
    let signature = sign(3, prepare_of(2, 1, &a)).signature();
    let prepare = Signed::from_parts(prepare_of(2, 1, &a), keys(2).public(), signature);
    group.hand(3, 1, PbftMessage::Prepare { prepare });
    !group.is_prepared()
}

/// A vote that names an epoch which is over: the group is handed a roster of epoch 1.
fn ignores_other_epochs<R: Rules>() -> bool {
    let mut group = Group::<R>::with_rules(4, 2, short_window());
    let membership = Membership {
        replicas: (0..4).map(member).collect(),
    };
    group.ask(0, Operation::Reconfigure { membership });
    group.run_ms(1_000);
    assert_eq!(group.replica(1).roster().epoch, Epoch(1));
    group.table.carry_if(|_, _, _| false);
    let a = batch(5, b"a");
    let current = PrePrepare {
        epoch: Epoch(1),
        ..assigned(5, &a).content().clone()
    };
    let (pre_prepare, batch) = (sign(0, current), a.clone());
    group.hand(0, 1, PbftMessage::PrePrepare { pre_prepare, batch });
    group.prepare(2, prepare_of(2, 5, &a));
    !group.is_prepared()
}

fn keeps_the_first_assignment<R: Rules>() -> bool {
    let mut group = quiet::<R>();
    group.assign(1, &batch(4, b"a"));
    group.assign(1, &batch(4, b"b"));
    group.rejections(1) == [Reason::ConflictingPrePrepare]
}

fn refuses_another_batch<R: Rules>() -> bool {
    let mut group = quiet::<R>();
    let (pre_prepare, batch) = (assigned(1, &batch(4, b"a")), batch(4, b"b"));
    group.hand(0, 1, PbftMessage::PrePrepare { pre_prepare, batch });
    group.rejections(1) == [Reason::DigestMismatch]
}

fn refuses_far_places<R: Rules>() -> bool {
    let mut group = quiet::<R>();
    group.assign(500, &batch(4, b"a"));
    group.replica(1).store_sizes().log == 0
}

fn waits_for_the_predecessor<R: Rules>() -> bool {
    let mut group = quiet::<R>();
    let a = batch(4, b"a");
    group.assign(2, &a);
    group.commit_at(2, &a);
    group.executions(1).is_empty()
}

fn executes_a_repeated_request_once<R: Rules>() -> bool {
    let mut group = quiet::<R>();
    let a = batch(4, b"a");
    for sequence in [1, 2] {
        group.assign(sequence, &a);
        group.commit_at(sequence, &a);
    }
    assert_eq!(group.replica(1).last_executed(), Sequence(2));
    group.executions(1).len() == 1
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

/// The certificate of a batch at place 1 in a view, by two backups of that view or by fewer.
fn certificate(view: u64, batch: &Batch, backups: usize) -> PreparedCertificate {
    let primary = (view % 4) as u32;
    let backup = (0..4).filter(|slot| *slot != primary).take(backups);
    PreparedCertificate {
        pre_prepare: sign(
            primary,
            PrePrepare {
                view: View(view),
                ..assigned(1, batch).content().clone()
            },
        ),
        batch: batch.clone(),
        prepares: backup
            .map(|by| {
                let content = prepare_of(by, 1, batch);
                let view = View(view);
                sign(by, Prepare { view, ..content })
            })
            .collect(),
    }
}

fn refuses_certificate<R: Rules>(certificate: PreparedCertificate) -> bool {
    let mut group = quiet::<R>();
    let view_change = view_change(3, 2, vec![certificate]);
    group.hand(3, 1, PbftMessage::ViewChange { view_change });
    group.rejections(1) == [Reason::BadPreparedCertificate]
}

fn refuses_later_certificates<R: Rules>() -> bool {
    refuses_certificate::<R>(certificate(2, &batch(4, b"a"), 2))
}

fn refuses_small_certificates<R: Rules>() -> bool {
    refuses_certificate::<R>(certificate(1, &batch(4, b"a"), 1))
}

fn reissues_the_latest<R: Rules>() -> bool {
    let (old, new) = (batch(4, b"old"), batch(4, b"new"));
    let low = view_change(1, 6, vec![certificate(0, &old, 2)]);
    let high = view_change(2, 6, vec![certificate(5, &new, 2)]);
    [[&low, &high], [&high, &low]].into_iter().all(|order| {
        let reissue = reissue::<R>(order.into_iter().map(Signed::content));
        reissue.batches[&Sequence(1)] == new
    })
}

fn follows_f_plus_one_only<R: Rules>() -> bool {
    let mut group = quiet::<R>();
    let mut views = Vec::new();
    for (by, view) in [(3, 7), (2, 5)] {
        let view_change = view_change(by, view, Vec::new());
        group.hand(by, 1, PbftMessage::ViewChange { view_change });
        views.push(group.replica(1).view().0);
    }
    views == [0, 5]
}

fn refuses_an_empty_new_view<R: Rules>() -> bool {
    let mut group = quiet::<R>();
    let a = batch(4, b"a");
    let new_view = sign(
        1,
        message::NewView {
            epoch: Epoch(0),
            view: View(1),
            view_changes: vec![
                view_change(1, 1, vec![certificate(0, &a, 2)]),
                view_change(2, 1, Vec::new()),
                view_change(3, 1, Vec::new()),
            ],
            pre_prepares: Vec::new(),
        },
    );
    group.hand(1, 2, PbftMessage::NewView { new_view });
    group.rejections(2) == [Reason::BadNewView]
}

fn waits_for_a_quorum<R: Rules>() -> bool {
    let mut group = quiet::<R>();
    let request = batch(4, b"a").requests()[0].clone();
    group.hand(4, 1, PbftMessage::Request { request });
    group.run_ms(20_000);
    group.replica(1).view() == View(1)
}

/// Without new-views, 40 s are room for views 1, 2, 4, 8 and 16 seconds long and no more.
fn doubles_timeouts<R: Rules>() -> bool {
    let mut group = Group::<R>::with_rules(4, 1, PbftConfig::default());
    group.table.carry_if(|from, _, message| {
        from.0 != 0 && !matches!(message, PbftMessage::NewView { .. })
    });
    group.ask(0, write(1, b"a"));
    group.run_ms(40_000);
    group.replica(3).view() <= View(6)
}

/// Replica 3 hears of view 1 and of a checkpoint in it that it has not reached.
fn takes_part_while_behind<R: Rules>() -> bool {
    let mut group = quiet::<R>();
    let vote = |by: u32| {
        sign(
            by,
            Checkpoint {
                epoch: Epoch(0),
                sequence: Sequence(4),
                digest: Digest([7; 32]),
                replica: ReplicaId(by as u16),
            },
        )
    };
    let change = |by: u32| {
        let content = ViewChange {
            stable: Sequence(4),
            proof: (0..3).map(vote).collect(),
            ..view_change(by, 1, Vec::new()).content().clone()
        };
        sign(by, content)
    };
    let new_view = sign(
        1,
        message::NewView {
            epoch: Epoch(0),
            view: View(1),
            view_changes: (0..3).map(change).collect(),
            pre_prepares: Vec::new(),
        },
    );
    group.hand(1, 3, PbftMessage::NewView { new_view });
    let replica = group.replica(3);
    assert!(replica.fetch.is_some(), "it knows that it is behind");
    (replica.status(), replica.view()) == (Status::Active, View(1))
}

/// A quorum vouches for a state at place 4 that is not the one this replica executed.
fn distrusts_its_own_state<R: Rules>() -> bool {
    let mut group = Group::<R>::with_rules(4, 1, short_window());
    group
        .table
        .carry_if(|_, _, message| !matches!(message, PbftMessage::Checkpoint { .. }));
    group.write_many(4);
    for by in [0, 2, 3] {
        let checkpoint = sign(
            by,
            Checkpoint {
                epoch: Epoch(0),
                sequence: Sequence(4),
                digest: Digest([7; 32]),
                replica: ReplicaId(by as u16),
            },
        );
        group.hand(by, 1, PbftMessage::Checkpoint { checkpoint });
    }
    group.replica(1).low_watermark() == Sequence(0) && group.replica(1).fetch.is_some()
}

/// Its own prepare and another's would do, but its disk is still writing.
fn waits_for_its_disk<R: Rules>() -> bool {
    let mut group = quiet::<R>();
    let a = batch(4, b"a");
    let (pre_prepare, batch) = (assigned(1, &a), a.clone());
    let prepare = sign(2, prepare_of(2, 1, &a));
    let told = [
        (0, PbftMessage::PrePrepare { pre_prepare, batch }),
        (2, PbftMessage::Prepare { prepare }),
    ];
    for (from, message) in told {
        group.table.hand(PeerId(from), PeerId(1), &message);
    }
    let early = group.is_prepared();
    group.run_ms(0);
    assert!(group.is_prepared());
    !early
}

fn refuses_a_planted_state<R: Rules>() -> bool {
    let mut group = Group::<R>::with_rules(4, 1, short_window());
    group.table.carry_if(|_, to, _| to.0 != 3);
    group.write_many(21);
    group
        .table
        .carry_if(|_, to, message| to.0 != 3 || !matches!(message, PbftMessage::StateReply { .. }));
    group.write_many(4);
    let stable = &group.replica(0).checkpoints.stable;
    let certificate = stable.certificate.as_ref().expect("it is proven");
    let mut planted = (*stable.snapshot).clone();
    planted.store.apply(&write(7, b"planted"));
    let reply = Box::new(StateReply {
        links: Vec::new(),
        state: Some(((**certificate).clone(), planted)),
    });
    group.hand(1, 3, PbftMessage::StateReply { reply });
    group.replica(3).state().store.get(7) != Some(&b"planted".to_vec())
}

/// A tentative append in view 0 of which view 1 knows nothing: replica 1 alone prepared it.
fn undoes_what_did_not_commit<R: Rules>() -> bool {
    let config = PbftConfig {
        tentative: true,
        ..short_window()
    };
    let mut group = Group::<R>::with_rules(4, 1, config);
    group.table.carry_if(|_, _, _| false);
    let a = batch(4, b"a");
    group.assign(1, &a);
    group.prepare(2, prepare_of(2, 1, &a));
    assert_eq!(group.replica(1).state().store.len(), 1);
    for by in [2, 3] {
        let view_change = view_change(by, 2, Vec::new());
        group.hand(by, 1, PbftMessage::ViewChange { view_change });
    }
    group.replica(1).state().store.is_empty()
}

fn distrusts_one_reply<R: Rules>() -> bool {
    let mut group = quiet::<R>();
    group.ask(0, read(1));
    let reply = sign(
        3,
        Reply {
            epoch: Epoch(0),
            view: View(0),
            timestamp: Timestamp(1),
            client: PeerId(4),
            replica: ReplicaId(3),
            outcome: Outcome::Written {},
            tentative: false,
        },
    );
    group.hand(3, 4, PbftMessage::Reply { reply });
    group.table.replies.is_empty()
}
