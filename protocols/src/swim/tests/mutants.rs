//! Each rule broken alone: what it guards breaks, so the rule and nothing else decides it.

use super::*;

macro_rules! mutant {
    ($name:ident, $rule:item) => {
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
        struct $name;
        impl SwimRules for $name {
            $rule
        }
    };
}

#[test]
fn without_the_owners_signature_forgeries_are_believed() {
    // The same forgery is refused in `news`.
    mutant!(
        Gullible,
        fn accepts_alive(_: RecordProof) -> bool {
            true
        }
    );
    let mut solo = Solo::<Gullible>::among(2, SwimConfig::lan());
    let forged = keys(2).sign(alive_content(1, nth(9)));
    solo.hand(2, &says(Update::Alive(forged)));
    assert_eq!(solo.view_of(1), Some((Status::Alive, nth(9))));
}

#[test]
fn without_the_accusers_signature_strangers_kill() {
    // Slot 77 is nobody's member.
    mutant!(
        Trusting,
        fn accepts_claim(_: ClaimProof) -> bool {
            true
        }
    );
    let mut solo = Solo::<Trusting>::among(2, SwimConfig::lan());
    solo.hand(2, &is_dead(77, 1, nth(0)));
    assert_eq!(solo.view_of(1), Some((Status::Dead, nth(0))));
}

#[test]
fn without_precedence_the_dead_return() {
    // The replay that `news` shows to be ignored.
    mutant!(
        LastWord,
        fn overrides(_: DeadRule, news: View, held: View) -> bool {
            news != held
        }
    );
    let mut solo = Solo::<LastWord>::among(2, SwimConfig::lan());
    solo.hand(2, &is_dead(2, 1, nth(0)));
    solo.hand(2, &is_alive(1, nth(0)));
    assert_eq!(solo.view_of(1), Some((Status::Alive, nth(0))));
}

#[test]
fn without_refutation_the_accused_keeps_silent() {
    mutant!(
        Meek,
        fn refutes(_: DeadRule, _: ClaimKind, _: Incarnation, _: Incarnation) -> bool {
            false
        }
    );
    let mut solo = Solo::<Meek>::among(2, SwimConfig::lan());
    assert_eq!(solo.hand(2, &is_suspect(2, 0, nth(0))), Happened::default());
}

#[test]
fn without_a_higher_incarnation_a_refutation_changes_nobodys_mind() {
    mutant!(
        Stuck,
        fn next_incarnation(
            _: DeadRule,
            _: ClaimKind,
            own: Incarnation,
            _: Incarnation,
        ) -> Option<Incarnation> {
            Some(own)
        }
    );
    let mut solo = Solo::<Stuck>::among(2, SwimConfig::lan());
    let happened = solo.hand(2, &is_suspect(2, 0, nth(0)));
    assert_eq!(happened.written, [nth(0)]);
}

#[test]
fn without_the_wait_for_the_disk_an_incarnation_is_spread_that_a_crash_forgets() {
    mutant!(
        Hasty,
        fn announces_before_durable() -> bool {
            true
        }
    );
    let mut solo = Solo::<Hasty>::among(2, SwimConfig::lan());
    solo.hand(2, &is_suspect(2, 0, nth(0)));
    assert_eq!(
        &*solo.machine.news_for(None),
        [Update::Alive(alive(0, nth(1)))]
    );
}

#[test]
fn without_suspicion_of_the_silent_no_crash_is_found() {
    mutant!(
        Patient,
        fn suspects_the_silent() -> bool {
            false
        }
    );
    let mut solo = Solo::<Patient>::among(1, SwimConfig::lan());
    solo.fire(SwimTimer::Period);
    solo.fire(SwimTimer::Period);
    assert_eq!(solo.view_of(1), Some((Status::Alive, nth(0))));
}

#[test]
fn without_a_suspicion_timeout_nobody_has_time_to_refute() {
    mutant!(
        Rash,
        fn suspicion_timeout(_: SuspicionTerms, _: u32) -> SimDuration {
            SimDuration::ZERO
        }
    );
    let mut solo = Solo::<Rash>::among(9, SwimConfig::lan());
    let happened = solo.hand(2, &is_suspect(2, 1, nth(0)));
    let timer = SwimTimer::Suspicion { place: Place(1) };
    assert_eq!(happened.set, [(timer, SimDuration::ZERO)]);
}

#[test]
fn without_sequence_numbers_a_late_ack_hides_a_crash() {
    mutant!(
        Careless,
        fn answer_counts(_: u32, _: u32) -> bool {
            true
        }
    );
    let mut solo = Solo::<Careless>::among(1, SwimConfig::lan());
    solo.fire(SwimTimer::Period);
    let updates = Box::new([]);
    let sequence = u32::MAX;
    solo.hand(1, &SwimMessage::Ack { sequence, updates });
    solo.fire(SwimTimer::Period);
    assert_eq!(solo.view_of(1), Some((Status::Alive, nth(0))));
}

#[test]
fn without_a_transmission_limit_news_never_rest() {
    mutant!(
        Chatty,
        fn transmission_limit(_: u32, _: u32) -> u32 {
            u32::MAX
        }
    );
    let mut solo = Solo::<Chatty>::among(2, SwimConfig::lan());
    solo.hand(2, &is_alive(1, nth(1)));
    assert!((0..1000).all(|_| solo.machine.news_for(None).len() == 1));
}

#[test]
fn without_the_probe_order_some_are_never_probed() {
    mutant!(
        Lazy,
        fn next_probe(_: ProbeOrder, _: usize, _: usize, _: &mut Stream) -> usize {
            0
        }
    );
    let mut solo = Solo::<Lazy>::among(5, SwimConfig::lan());
    let probed: std::collections::BTreeSet<u32> = (0..50)
        .map(|_| {
            solo.machine.probe = None;
            solo.fire(SwimTimer::Period).sent_to()[0]
        })
        .collect();
    assert!(probed.len() < 5, "{probed:?}");
}

#[test]
fn without_merging_a_join_teaches_nothing() {
    mutant!(
        Deaf,
        fn merges_full_state() -> bool {
            false
        }
    );
    let mut solo = Solo::<Deaf>::among(1, SwimConfig::lan());
    let state = Box::new([Update::Alive(alive(2, nth(0)))]);
    solo.hand(1, &SwimMessage::PushPullReply { state });
    assert_eq!(solo.view_of(2), None);
}
