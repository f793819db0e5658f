//! Suspicion: its clock, its confirmations, its end.

use super::*;

fn timer() -> SwimTimer {
    SwimTimer::Suspicion { place: Place(1) }
}

fn suspected(by_own_probe: bool) -> SwimEvent {
    SwimEvent::MemberSuspected {
        subject: PeerId(1),
        incarnation: nth(0),
        by_own_probe,
    }
}

#[test]
fn an_unanswered_probe_leads_to_suspicion_and_in_time_to_death() {
    // 10 members on a LAN: 24 s without confirmation, of which none comes.
    let mut solo = Solo::<Published>::among(9, SwimConfig::lan());
    let target = loop {
        let happened = solo.fire(SwimTimer::Period);
        if solo.machine.probe.as_ref().unwrap().target == Place(1) {
            break happened;
        }
        let probe = solo.machine.probe.take();
        assert!(probe.is_some());
    };
    assert_eq!(target.sent_to(), [1]);
    let happened = solo.fire(SwimTimer::Period);
    assert!(happened.events.contains(&suspected(true)));
    assert!(
        happened
            .set
            .contains(&(timer(), SimDuration::from_secs(24)))
    );
    let happened = solo.fire(timer());
    let died = SwimEvent::MemberDied {
        subject: PeerId(1),
        incarnation: nth(0),
        by_own_timeout: true,
    };
    assert_eq!(happened.events, [died]);
    assert_eq!(solo.machine.live_members(), 9);
    let death = claim(ClaimKind::Dead, 0, alive(1, nth(0)));
    assert!(solo.machine.news_for(None).contains(&Update::Claim(death)));
}

#[test]
fn independent_confirmations_shorten_the_rest_and_repeats_change_nothing() {
    // K = 2, min 4 s, max 24 s: 24 - 20 ln 2 / ln 3 = 11.381 s after one, 4 s after two, less the
    // second that has passed; the first accuser and repeaters count once, a third not at all.
    let mut solo = Solo::<Published>::among(9, SwimConfig::lan());
    let happened = solo.hand(2, &is_suspect(2, 1, nth(0)));
    assert_eq!(happened.events, [suspected(false)]);
    assert!(
        happened
            .set
            .contains(&(timer(), SimDuration::from_secs(24)))
    );
    solo.pass(1000);
    assert_eq!(solo.hand(2, &is_suspect(2, 1, nth(0))), Happened::default());
    let happened = solo.hand(3, &is_suspect(3, 1, nth(0)));
    assert_eq!(happened.set, [(timer(), SimDuration::from_millis(10_381))]);
    assert_eq!(happened.events, []);
    assert_eq!(solo.hand(3, &is_suspect(3, 1, nth(0))), Happened::default());
    let happened = solo.hand(4, &is_suspect(4, 1, nth(0)));
    assert_eq!(happened.set, [(timer(), SimDuration::from_secs(3))]);
    assert_eq!(solo.hand(5, &is_suspect(5, 1, nth(0))), Happened::default());
}

#[test]
fn ones_own_failed_probe_confirms_what_another_began() {
    // One's own word is as independent as another's, and is passed on.
    let mut solo = Solo::<Published>::among(9, SwimConfig::lan());
    solo.hand(2, &is_suspect(2, 1, nth(0)));
    let happened = solo.input(|machine, ctx| machine.accuse(Place(1), true, ctx));
    assert_eq!(happened.set, [(timer(), SimDuration::from_millis(11_381))]);
    let own = Update::Claim(claim(ClaimKind::Suspect, 0, alive(1, nth(0))));
    assert!(solo.machine.news_for(None).contains(&own));
}

#[test]
fn without_the_dynamic_timeout_suspicion_has_one_length() {
    // SWIM 2002: 4 s in a group of 10, and no confirmation is even looked at.
    let mut solo = Solo::<Published>::among(9, SwimConfig::swim_2002());
    let happened = solo.hand(2, &is_suspect(2, 1, nth(0)));
    assert_eq!(happened.set, [(timer(), SimDuration::from_secs(4))]);
    assert_eq!(solo.hand(3, &is_suspect(3, 1, nth(0))), Happened::default());
}

#[test]
fn a_higher_incarnation_refutes_and_stops_the_clock() {
    // The suspect's own newer record ends it; the old timer, should it fire, does no harm.
    let mut solo = Solo::<Published>::among(9, SwimConfig::lan());
    solo.hand(2, &is_suspect(2, 1, nth(0)));
    let happened = solo.hand(3, &is_alive(1, nth(1)));
    let wanted = Happened {
        events: vec![SwimEvent::MemberRefuted {
            subject: PeerId(1),
            incarnation: nth(1),
        }],
        cancelled: vec![timer()],
        ..Happened::default()
    };
    assert_eq!(happened, wanted);
    assert_eq!(solo.fire(timer()), Happened::default());
    assert_eq!(solo.view_of(1), Some((Status::Alive, nth(1))));
}
