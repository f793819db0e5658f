//! Requests: leaving, joining, joining again.

use super::*;

fn done(id: u64, reply: SwimReply) -> Vec<(RequestId, SwimReply)> {
    vec![(RequestId(id), reply)]
}

fn state_of(records: &[Signed<Alive>]) -> SwimMessage {
    let state = records.iter().cloned().map(Update::Alive).collect();
    SwimMessage::PushPullReply { state }
}

#[test]
fn a_farewell_is_sent_as_often_as_news_and_then_silence_falls() {
    // 3 others: 4 sends. Each gossip round serves 3; the second round ends it.
    let mut solo = Solo::<Published>::among(3, SwimConfig::lan());
    let happened = solo.ask(1, SwimRequest::Leave);
    assert_eq!(happened.replies, []);
    let news = farewell(0, nth(0));
    let mut sent = 0;
    let last = loop {
        let happened = solo.fire(SwimTimer::Gossip);
        for (_, message) in &happened.sent {
            assert_eq!(updates_of(message), [Update::Alive(news.clone())]);
            sent += 1;
        }
        if !happened.replies.is_empty() {
            break happened;
        }
        assert!(sent < 4);
    };
    assert_eq!(sent, 4);
    assert_eq!(last.replies, done(1, SwimReply::Left));
    assert_eq!(last.events, [SwimEvent::Left]);
    assert!(last.cancelled.contains(&SwimTimer::Period));
    assert_eq!(solo.fire(SwimTimer::Period), Happened::default());
}

#[test]
fn who_has_left_answers_pings_with_its_farewell_and_nothing_else() {
    // A member that missed the farewell learns of it by its next ping instead of suspecting.
    let mut solo = Solo::<Published>::among(3, SwimConfig::lan());
    solo.ask(1, SwimRequest::Leave);
    let happened = solo.fire(SwimTimer::LeaveTimeout);
    assert_eq!(happened.replies, done(1, SwimReply::Left));
    let ping = SwimMessage::Ping {
        sequence: 4,
        target: keys(0).public(),
        updates: Box::new([]),
    };
    let answer = SwimMessage::Ack {
        sequence: 4,
        updates: Box::new([Update::Alive(farewell(0, nth(0)))]),
    };
    assert_eq!(solo.hand(1, &ping).sent, [(PeerId(1), answer)]);
    assert_eq!(solo.hand(1, &is_suspect(1, 0, nth(0))), Happened::default());
}

#[test]
fn a_leaving_member_does_not_refute() {
    // It goes anyway; a higher incarnation would revive it at others.
    let mut solo = Solo::<Published>::among(3, SwimConfig::lan());
    solo.ask(1, SwimRequest::Leave);
    assert_eq!(solo.hand(1, &is_suspect(1, 0, nth(0))), Happened::default());
}

#[test]
fn the_last_member_leaves_at_once() {
    // Nobody is there to hear it, so nothing is waited for.
    let mut solo = Solo::<Published>::among(0, SwimConfig::lan());
    let happened = solo.ask(1, SwimRequest::Leave);
    assert_eq!(happened.replies, done(1, SwimReply::Left));
}

#[test]
fn joining_asks_every_seed_until_one_answers() {
    // The retry goes out again; the answer cancels it and is counted in the reply.
    let mut solo = Solo::<Published>::among(0, SwimConfig::lan());
    let seeds = vec![PeerId(1), ME, PeerId(2)];
    let happened = solo.ask(7, SwimRequest::Join { seeds });
    assert_eq!(happened.sent_to(), [1, 2]);
    let retry = (SwimTimer::JoinRetry, SimDuration::from_secs(1));
    assert_eq!((happened.set, happened.replies), (vec![retry], vec![]));
    assert_eq!(solo.fire(SwimTimer::JoinRetry).sent_to(), [1, 2]);
    let state = state_of(&[alive(1, nth(0)), alive(2, nth(0))]);
    let happened = solo.hand(2, &state);
    assert_eq!(happened.replies, done(7, SwimReply::Joined { members: 3 }));
    assert!(happened.cancelled.contains(&SwimTimer::JoinRetry));
    assert_eq!(solo.fire(SwimTimer::JoinRetry), Happened::default());
}

#[test]
fn who_left_returns_with_a_new_generation_that_is_durable_first() {
    // Under either rule a farewell is final for its generation.
    for dead in [DeadRule::Refutable, DeadRule::Final] {
        let mut solo = Solo::<Published>::among(
            2,
            SwimConfig {
                dead,
                ..SwimConfig::lan()
            },
        );
        solo.ask(1, SwimRequest::Leave);
        solo.fire(SwimTimer::LeaveTimeout);
        let seeds = vec![PeerId(1)];
        let happened = solo.ask(2, SwimRequest::Join { seeds });
        let second = Incarnation(2 << 32);
        let wanted = Happened {
            written: vec![second],
            ..Happened::default()
        };
        assert_eq!(happened, wanted);
        let happened = solo.persisted(second);
        assert_eq!(
            happened.events,
            [SwimEvent::Announced {
                incarnation: second
            }]
        );
        let [(PeerId(1), SwimMessage::PushPullRequest { state })] = happened.sent.as_slice() else {
            panic!("not one question: {happened:?}");
        };
        assert_eq!(state[0], Update::Alive(alive(0, second)));
        let happened = solo.hand(1, &state_of(&[alive(1, nth(0))]));
        assert_eq!(happened.replies, done(2, SwimReply::Joined { members: 3 }));
    }
}

#[test]
fn untimely_requests_are_refused() {
    // Leaving twice, and joining while a join is under way.
    let mut solo = Solo::<Published>::among(2, SwimConfig::lan());
    solo.ask(
        1,
        SwimRequest::Join {
            seeds: vec![PeerId(1)],
        },
    );
    let wanted = |id| Happened {
        replies: done(id, SwimReply::Refused),
        ..refused(Refusal::UntimelyRequest)
    };
    assert_eq!(solo.ask(2, SwimRequest::Join { seeds: vec![] }), wanted(2));
    assert_eq!(solo.ask(3, SwimRequest::Leave), wanted(3));
    solo.hand(1, &state_of(&[]));
    solo.ask(4, SwimRequest::Leave);
    assert_eq!(solo.ask(5, SwimRequest::Leave), wanted(5));
}

#[test]
fn an_exchange_of_full_state_tells_all_and_learns_all() {
    // The answer holds what was known before, so the asker's own records are not sent back.
    let mut solo = Solo::<Published>::among(1, SwimConfig::lan());
    let news = Update::Alive(alive(2, nth(0)));
    let state = Box::new([news]);
    let happened = solo.hand(2, &SwimMessage::PushPullRequest { state });
    let known = [alive(0, nth(0)), alive(1, nth(0))];
    assert_eq!(happened.sent, [(PeerId(2), state_of(&known))]);
    assert_eq!(solo.view_of(2), Some((Status::Alive, nth(0))));
}

#[test]
fn the_partner_of_an_exchange_may_be_dead_but_not_gone() {
    // The dead one is drawn now and then, the one that left never; the switch leaves the living.
    for push_pull_to_dead in [true, false] {
        let config = SwimConfig {
            push_pull_to_dead,
            ..SwimConfig::lan()
        };
        let mut solo = Solo::<Published>::among(3, config);
        solo.hand(2, &is_dead(2, 1, nth(0)));
        solo.hand(2, &says(Update::Alive(farewell(3, nth(0)))));
        let mut asked: Vec<u32> = (0..60)
            .flat_map(|_| solo.fire(SwimTimer::PushPull).sent_to())
            .collect();
        asked.sort_unstable();
        asked.dedup();
        let wanted: &[u32] = if push_pull_to_dead { &[1, 2] } else { &[2] };
        assert_eq!(asked, wanted);
    }
}
