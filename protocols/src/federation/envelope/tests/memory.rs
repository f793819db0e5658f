//! What is remembered of envelopes, for how long, and what a prober learns.

use proptest::prelude::*;

use super::*;

#[test]
fn honest_envelopes_may_overtake_each_other() {
    // A highest-number rule would refuse all but the first of these.
    let mut desk = Desk::<Strict>::new();
    assert!((0..50).rev().all(|salt| desk.executes(action(salt))));
}

#[test]
fn a_disk_that_forgot_refuses_what_it_may_have_seen_and_takes_what_is_new() {
    // Skew is 30 s: what any honest clock stamped before the crash is within that of our now.
    let mut desk = Desk::<Strict>::new();
    desk.receiver.restore([], [], false, at(101));
    assert!(desk.refuses(action(1), Refusal::Replayed));
    desk.now = at(132);
    let mut fresh = action(2);
    (fresh.issued_at, fresh.expires_at) = (at(132), at(190));
    fresh.id = ActionId::new(fresh.expires_at, 2);
    assert!(desk.executes(fresh));
}

#[test]
fn a_clock_set_back_does_not_revive_a_forgotten_envelope() {
    // The entry is forgotten when the envelope has expired; then the clock is set back by minutes.
    let mut desk = Desk::<Strict>::new();
    assert!(desk.executes(action(1)));
    let mut later = action(2);
    (later.issued_at, later.expires_at) = (at(300), at(360));
    later.id = ActionId::new(later.expires_at, 2);
    desk.now = at(300);
    assert!(desk.executes(later));
    assert_eq!(desk.receiver.replays().len(), 1);
    desk.now = at(150);
    assert!(desk.refuses(action(1), Refusal::Replayed));
}

#[test]
fn memory_is_bounded_by_expiry_and_by_source() {
    // An hour of one envelope a second with a minute to live leaves what can still be fresh:
    // 60 s of life and 30 s of skew, both ends counted. And a flood is refused, not remembered.
    let skew = SimDuration::from_secs(30);
    let mut replays = Replays::<Strict>::new(128, skew);
    for second in 0..3_600 {
        let seen = Seen {
            expires_at: at(second + 60),
            source: id(SOURCE),
            nonce: Nonce((second as u128).to_be_bytes()),
        };
        assert_eq!(
            replays.admit(seen, at(second), at(second)),
            Admission::New(seen)
        );
        assert!(replays.len() <= 91, "{} at {second}", replays.len());
    }
    let flood = (0..200_u128).map(|number| Seen {
        expires_at: at(3_660),
        source: id(9),
        nonce: Nonce(number.to_be_bytes()),
    });
    let full = flood.filter(|seen| replays.admit(*seen, at(3_600), at(3_600)) == Admission::Full);
    assert_eq!(full.count(), 200 - 128);
}

#[test]
fn codes_do_not_tell_apart_what_a_prober_may_not_know() {
    // Whether a peer is revoked, cut off, screened or not allowed reads alike from outside.
    use Refusal::{Barred, BreakerOpen, Conflict, Denied, PolicyBlocked};
    let codes = [Barred, BreakerOpen, Conflict, Denied, PolicyBlocked].map(Refusal::code);
    assert!(codes.iter().all(|code| *code == Code::Denied));
    assert_eq!(Code::Denied.to_string(), "DENIED");
}

#[test]
fn a_stage_left_out_lets_through_what_it_alone_refuses() {
    // The list is the receiver: without the stage, its envelope passes and others' do not.
    let mut stages = Stage::ORDER.to_vec();
    stages.retain(|stage| *stage != Stage::Audience);
    let mut desk = Desk::<Strict>::new();
    desk.receiver = Receiver::with_stages(EnvelopeConfig::default(), stages);
    let mut elsewhere = action(1);
    elsewhere.audience = id(9);
    assert!(desk.executes(elsewhere));
    let mut closed = action(2);
    closed.session = SessionId([8; 16]);
    assert!(desk.refuses(closed, Refusal::NoSession));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_schedule_of_copies_and_restarts_takes_an_envelope_twice(
        schedule in prop::collection::vec((0..8_u64, 0..40_i64, any::<bool>()), 1..60),
    ) {
        // Copies of eight envelopes come in any order over clocks that move and restarts that
        // keep the disk: each is taken at most once.
        let mut desk = Desk::<Strict>::new();
        let (mut seen, mut intents, mut taken) = (Vec::new(), Vec::new(), [0; 8]);
        for (salt, step, restarts) in schedule {
            desk.now = desk.now + SimDuration::from_secs(step as u64 / 4);
            if restarts {
                let now = desk.now;
                desk = Desk::new();
                desk.now = now;
                desk.receiver.restore(seen.clone(), intents.clone(), true, now);
            }
            if let Verdict::Execute { seen: Some(new), intent: Some(intent), .. } =
                desk.take(&sign(action(salt)))
            {
                seen.push(new);
                intents.push(intent);
                taken[salt as usize] += 1;
            }
        }
        prop_assert!(taken.iter().all(|times| *times <= 1), "{:?}", taken);
    }
}
