//! News from others: Alive records, claims, and everything that must not be believed.

use super::*;

fn gossip_due() -> (SwimTimer, SimDuration) {
    (SwimTimer::Gossip, SimDuration::from_millis(200))
}

#[test]
fn a_newcomer_is_learned_and_its_news_is_spread() {
    // The whole outbox: one event and the gossip timer; the record then rides on an ack unchanged.
    let mut solo = Solo::<Published>::among(0, SwimConfig::lan());
    solo.machine.gossip_due = false;
    let record = alive(1, nth(3));
    let happened = solo.hand(9, &says(Update::Alive(record.clone())));
    let learned = SwimEvent::MemberLearned {
        subject: PeerId(1),
        identity: keys(1).identity(),
        incarnation: nth(3),
    };
    let wanted = Happened {
        events: vec![learned],
        set: vec![gossip_due()],
        ..Happened::default()
    };
    assert_eq!(happened, wanted);
    assert_eq!(&*solo.machine.news_for(None), [Update::Alive(record)]);
    assert_eq!(solo.machine.live_members(), 2);
}

#[test]
fn news_that_are_known_change_nothing_and_say_nothing() {
    // Old suspicions, old deaths and repeated records must leave outbox and machine untouched.
    let mut solo = Solo::<Published>::among(2, SwimConfig::lan());
    solo.hand(2, &is_alive(1, nth(4)));
    let before = solo.machine.clone();
    for message in [
        is_alive(1, nth(4)),
        is_alive(1, nth(2)),
        is_suspect(2, 1, nth(3)),
        is_dead(2, 1, nth(3)),
    ] {
        assert_eq!(solo.hand(2, &message), Happened::default(), "{message:?}");
    }
    assert_eq!(solo.machine, before);
}

#[test]
fn an_alive_record_that_its_owner_did_not_sign_is_refused() {
    // Three forgeries: another's signature, another's name under it, a changed incarnation.
    let mut solo = Solo::<Published>::among(2, SwimConfig::lan());
    let before = solo.machine.clone();
    let content = alive_content(1, nth(9));
    let by_another = keys(2).sign(content.clone());
    let honest = alive(1, nth(1));
    let forgeries = [
        by_another.clone(),
        Signed::from_parts(content.clone(), content.key, by_another.signature()),
        Signed::from_parts(content, honest.signer(), honest.signature()),
        Signed::from_parts(
            alive_content(7, nth(0)),
            honest.signer(),
            honest.signature(),
        ),
    ];
    for forged in forgeries {
        let happened = solo.hand(2, &says(Update::Alive(forged)));
        assert_eq!(happened, refused(Refusal::UnownedAlive));
    }
    assert_eq!(solo.machine, before);
}

#[test]
fn an_accusation_at_an_incarnation_that_was_never_signed_is_refused() {
    // Suspect at the highest number would be irrefutable; it needs the subject's own signature.
    let mut solo = Solo::<Published>::among(2, SwimConfig::lan());
    let before = solo.machine.clone();
    let honest = alive(1, nth(0));
    let content = alive_content(1, Incarnation(u64::MAX));
    let forged = Signed::from_parts(content, honest.signer(), honest.signature());
    for kind in [ClaimKind::Suspect, ClaimKind::Dead] {
        let accusation = claim(kind, 2, forged.clone());
        let happened = solo.hand(2, &says(Update::Claim(accusation)));
        assert_eq!(happened, refused(Refusal::UnownedSubject));
    }
    assert_eq!(solo.machine, before);
}

#[test]
fn a_forged_accusation_of_oneself_does_not_raise_the_incarnation() {
    // Otherwise anybody could drive a member to the end of its incarnations.
    let mut solo = Solo::<Published>::among(2, SwimConfig::lan());
    let own = alive_content(0, Incarnation(u64::MAX));
    let forged = keys(2).sign(own);
    let accusation = claim(ClaimKind::Suspect, 2, forged);
    let happened = solo.hand(2, &says(Update::Claim(accusation)));
    assert_eq!(happened, refused(Refusal::UnownedSubject));
}

#[test]
fn a_claim_needs_a_members_signature() {
    // Unsigned claims and claims of strangers are told apart, and neither is believed.
    let mut solo = Solo::<Published>::among(2, SwimConfig::lan());
    let before = solo.machine.clone();
    let subject = alive(1, nth(0));
    let honest = claim(ClaimKind::Suspect, 2, subject.clone());
    let turned = Claim {
        kind: ClaimKind::Dead,
        subject: subject.clone(),
    };
    let unsigned = Signed::from_parts(turned, honest.signer(), honest.signature());
    let happened = solo.hand(2, &says(Update::Claim(unsigned)));
    assert_eq!(happened, refused(Refusal::UnsignedClaim));
    let by_stranger = claim(ClaimKind::Suspect, 77, subject);
    let happened = solo.hand(2, &says(Update::Claim(by_stranger)));
    assert_eq!(happened, refused(Refusal::UnknownAccuser));
    assert_eq!(solo.machine, before);
}

#[test]
fn dead_is_not_revived_by_a_replayed_record() {
    // Every record up to the incarnation of the death is old, under both rules.
    for dead in [DeadRule::Refutable, DeadRule::Final] {
        let mut solo = Solo::<Published>::among(
            2,
            SwimConfig {
                dead,
                ..SwimConfig::lan()
            },
        );
        solo.hand(2, &is_dead(2, 1, nth(3)));
        for count in 0..=3 {
            assert_eq!(solo.hand(2, &is_alive(1, nth(count))), Happened::default());
        }
        assert_eq!(solo.view_of(1), Some((Status::Dead, nth(3))));
    }
}

#[test]
fn the_tombstone_of_a_stranger_keeps_his_old_records_out() {
    // Dead before anything else was heard: one event, and the older Alive comes too late.
    let mut solo = Solo::<Published>::among(2, SwimConfig::lan());
    let happened = solo.hand(2, &is_dead(2, 9, nth(1)));
    let died = SwimEvent::MemberDied {
        subject: PeerId(9),
        incarnation: nth(1),
        by_own_timeout: false,
    };
    assert_eq!(happened.events, [died]);
    assert_eq!(solo.hand(2, &is_alive(9, nth(1))), Happened::default());
    assert_eq!(solo.machine.live_members(), 3);
}

#[test]
fn another_address_at_a_known_incarnation_is_a_conflict_and_at_a_higher_one_a_move() {
    // memberlist's aliveness after address conflict: the first address stands until the owner,
    // by a higher incarnation, says otherwise.
    let mut solo = Solo::<Published>::among(2, SwimConfig::lan());
    let at = |address, incarnation| {
        let content = alive_content(1, incarnation);
        let moved = keys(1).sign(Alive {
            address: PeerId(address),
            ..content
        });
        says(Update::Alive(moved))
    };
    let happened = solo.hand(2, &at(8, Incarnation::FIRST));
    assert_eq!(happened, refused(Refusal::AddressConflict));
    let happened = solo.hand(2, &at(8, nth(1)));
    let moved = SwimEvent::MemberMoved {
        from: PeerId(1),
        subject: PeerId(8),
        incarnation: nth(1),
    };
    assert_eq!(happened.events, [moved]);
}

#[test]
fn a_suspicion_of_a_revived_member_is_two_changes_with_an_event_each() {
    // The newer record inside the claim revives first, then the claim suspects.
    let mut solo = Solo::<Published>::among(2, SwimConfig::lan());
    solo.hand(2, &is_dead(2, 1, nth(0)));
    let happened = solo.hand(2, &is_suspect(2, 1, nth(1)));
    let (subject, incarnation) = (PeerId(1), nth(1));
    let wanted = [
        SwimEvent::MemberRevived {
            subject,
            incarnation,
        },
        SwimEvent::MemberSuspected {
            subject,
            incarnation,
            by_own_probe: false,
        },
    ];
    assert_eq!(happened.events, wanted);
}

#[test]
fn an_accused_member_speaks_up_once_its_new_incarnation_is_durable() {
    // Write first; nothing of the new incarnation may be sent before the disk has answered.
    let mut solo = Solo::<Published>::among(2, SwimConfig::lan());
    let happened = solo.hand(2, &is_suspect(2, 0, nth(0)));
    let wanted = Happened {
        written: vec![nth(1)],
        events: vec![
            SwimEvent::SuspicionRefuted {
                incarnation: nth(1),
            },
            SwimEvent::HealthChanged { score: 1 },
        ],
        ..Happened::default()
    };
    assert_eq!(happened, wanted);
    assert!(solo.machine.news_for(None).is_empty());
    let happened = solo.persisted(nth(1));
    assert_eq!(
        happened.events,
        [SwimEvent::Announced {
            incarnation: nth(1)
        }]
    );
    assert_eq!(
        &*solo.machine.news_for(None),
        [Update::Alive(alive(0, nth(1)))]
    );
}

#[test]
fn a_stale_accusation_does_not_raise_the_incarnation() {
    // The second copy arrives while the answer is still on its way to the disk, the third after.
    let mut solo = Solo::<Published>::among(2, SwimConfig::lan());
    solo.hand(2, &is_suspect(2, 0, nth(0)));
    assert_eq!(solo.hand(1, &is_suspect(1, 0, nth(0))), Happened::default());
    solo.persisted(nth(1));
    assert_eq!(solo.hand(1, &is_suspect(1, 0, nth(0))), Happened::default());
    assert_eq!(solo.view_of(0), Some((Status::Alive, nth(1))));
}

#[test]
fn a_notice_of_death_is_refuted_or_answered_by_a_new_life() {
    // The two published rules: one incarnation up, or a new generation.
    let answers = [
        (DeadRule::Refutable, nth(1)),
        (DeadRule::Final, Incarnation(2 << 32)),
    ];
    for (dead, wanted) in answers {
        let mut solo = Solo::<Published>::among(
            2,
            SwimConfig {
                dead,
                ..SwimConfig::lan()
            },
        );
        let claim = claim(ClaimKind::Dead, 2, alive(0, nth(0)));
        let happened = solo.hand(1, &SwimMessage::DeadNotice { claim });
        assert_eq!(happened.written, [wanted]);
        let event = match dead {
            DeadRule::Refutable => SwimEvent::SuspicionRefuted {
                incarnation: wanted,
            },
            DeadRule::Final => SwimEvent::Rejoined {
                incarnation: wanted,
            },
        };
        assert_eq!(happened.events[0], event);
    }
}

#[test]
fn a_death_at_an_older_incarnation_of_this_life_is_stale_only_where_it_may_be_refuted() {
    // Under the final rule others believe it whatever the incarnation, so its subject must rejoin;
    // a death of an earlier life is stale under both.
    let dead_at = |incarnation| is_dead(2, 0, incarnation);
    for (dead, written) in [
        (DeadRule::Refutable, vec![]),
        (DeadRule::Final, vec![Incarnation(3 << 32)]),
    ] {
        let mut solo = Solo::<Published>::among(
            2,
            SwimConfig {
                dead,
                ..SwimConfig::lan()
            },
        );
        let second_life = Incarnation((2 << 32) | 4);
        solo.input(|machine, ctx| machine.begin(second_life, ctx));
        solo.persisted(second_life);
        solo.machine.queue.clear();
        assert_eq!(solo.hand(2, &dead_at(nth(9))), Happened::default());
        let happened = solo.hand(2, &dead_at(Incarnation(2 << 32)));
        assert_eq!(happened.written, written);
    }
}

#[test]
fn who_is_dead_and_speaks_is_told_so() {
    // The notice carries the claim; answers and notices are not answered, or two that hold each
    // other dead would talk for ever.
    let mut solo = Solo::<Published>::among(2, SwimConfig::lan());
    let death = claim(ClaimKind::Dead, 2, alive(1, nth(0)));
    solo.hand(2, &says(Update::Claim(death.clone())));
    let nothing = || -> Box<[Update]> { Box::new([]) };
    let happened = solo.hand(1, &SwimMessage::Gossip { updates: nothing() });
    let notice = SwimMessage::DeadNotice {
        claim: death.clone(),
    };
    assert_eq!(happened.sent, [(PeerId(1), notice.clone())]);
    assert_eq!(solo.hand(1, &notice), Happened::default());
    let reply = SwimMessage::PushPullReply { state: nothing() };
    assert_eq!(solo.hand(1, &reply), Happened::default());
    solo.hand(1, &is_alive(1, nth(1)));
    let happened = solo.hand(1, &SwimMessage::Gossip { updates: nothing() });
    assert_eq!(happened, Happened::default());
}

#[test]
fn a_member_at_the_last_incarnation_cannot_speak_up_and_says_so() {
    // The owner did sign the last number (a restart of a very old member); no wrap, no panic.
    let last = Incarnation(u64::MAX);
    let mut solo = Solo::<Published>::fresh(SwimConfig::lan(), &[]);
    solo.input(|machine, ctx| machine.begin(last, ctx));
    solo.persisted(last);
    solo.hand(2, &is_alive(2, Incarnation::FIRST));
    let happened = solo.hand(2, &is_suspect(2, 0, last));
    assert_eq!(happened, refused(Refusal::IncarnationsExhausted));
}

#[test]
fn a_member_that_lost_its_disk_tops_its_own_old_record() {
    // Others still hold a higher incarnation; hearing it, the owner goes above.
    let mut solo = Solo::<Published>::among(1, SwimConfig::lan());
    let happened = solo.hand(1, &is_alive(0, nth(41)));
    assert_eq!(happened.written, [nth(42)]);
}

#[test]
fn what_a_full_state_calls_dead_is_only_suspected_while_it_may_refute() {
    // memberlist `mergeState`: the other half of a partition may have buried the living. Under the
    // final rule Dead is Dead wherever it is heard.
    for (dead, status) in [
        (DeadRule::Refutable, Status::Suspect),
        (DeadRule::Final, Status::Dead),
    ] {
        let mut solo = Solo::<Published>::among(
            2,
            SwimConfig {
                dead,
                ..SwimConfig::lan()
            },
        );
        let death = claim(ClaimKind::Dead, 2, alive(1, nth(0)));
        let state = Box::new([Update::Claim(death)]);
        solo.hand(2, &SwimMessage::PushPullReply { state });
        assert_eq!(solo.view_of(1), Some((status, nth(0))));
    }
}

#[test]
fn an_update_is_sent_no_more_often_than_the_limit_and_least_sent_first() {
    // 3 members: 4 * ceil(log10 4) = 4 sends. The later, unsent news goes before the sent one.
    let config = SwimConfig {
        piggyback_limit: 1,
        ..SwimConfig::lan()
    };
    let mut solo = Solo::<Published>::among(2, config);
    solo.hand(2, &is_alive(1, nth(1)));
    let first = Update::Alive(alive(1, nth(1)));
    assert_eq!(solo.machine.news_for(None).to_vec(), vec![first.clone()]);
    solo.hand(1, &is_alive(2, nth(1)));
    let second = Update::Alive(alive(2, nth(1)));
    let sent: Vec<Update> = (0..20).flat_map(|_| solo.machine.news_for(None)).collect();
    assert_eq!(sent[0], second);
    let times = |update| sent.iter().filter(|&sent| sent == update).count();
    assert_eq!((times(&first), times(&second)), (3, 4));
    assert!(solo.machine.queue.is_empty());
}

#[test]
fn newer_news_of_a_member_replaces_what_was_queued_of_it() {
    // Two changes in a row: only the last may be sent.
    let mut solo = Solo::<Published>::among(2, SwimConfig::lan());
    solo.hand(2, &is_alive(1, nth(1)));
    solo.hand(2, &is_alive(1, nth(2)));
    assert_eq!(
        &*solo.machine.news_for(None),
        [Update::Alive(alive(1, nth(2)))]
    );
}

#[test]
fn gossip_reaches_the_recently_dead_and_stops_in_time() {
    // One other member, dead: for 30 s it may be the target of gossip, afterwards never.
    let mut solo = Solo::<Published>::among(2, SwimConfig::lan());
    solo.hand(2, &is_dead(2, 1, nth(0)));
    assert!(solo.fire(SwimTimer::Gossip).sent_to().contains(&1));
    solo.pass(30_000);
    solo.hand(2, &is_alive(2, nth(1)));
    for _ in 0..10 {
        assert!(!solo.fire(SwimTimer::Gossip).sent_to().contains(&1));
    }
}

#[test]
fn a_full_state_is_heard_whatever_its_order() {
    // The claim stands before its accuser's record, and still the accuser is no stranger.
    let mut solo = Solo::<Published>::among(0, SwimConfig::lan());
    let suspicion = claim(ClaimKind::Suspect, 2, alive(1, nth(0)));
    let state = Box::new([Update::Claim(suspicion), Update::Alive(alive(2, nth(0)))]);
    solo.hand(2, &SwimMessage::PushPullReply { state });
    assert_eq!(solo.view_of(1), Some((Status::Suspect, nth(0))));
}
