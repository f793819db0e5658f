//! Arbitrary inputs in any order: no panic, and what holds after each.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::outbox::PersistToken;
use crate::rumor::RumorTimer;
use crate::rumor::message::{Contact, RumorMessage};

const CAPACITY: u32 = 3;

#[derive(Clone, Debug)]
enum Input {
    Hear(RumorMessage),
    Fire(RumorTimer),
    Start,
    Written(u64),
}

fn rumor() -> impl Strategy<Value = RumorId> {
    (0..3_u32, 0..3_u32).prop_map(|(origin, sequence)| RumorId {
        origin: PeerId(origin),
        sequence,
    })
}

fn any_copy() -> impl Strategy<Value = RumorCopy> {
    let numbers = (0..2_u64, any::<u32>(), any::<u32>());
    (rumor(), numbers).prop_map(|(rumor, (payload, age, hops))| RumorCopy {
        rumor,
        payload,
        size: 0,
        age,
        hops,
        phase: hops % 5,
    })
}

fn message() -> impl Strategy<Value = RumorMessage> {
    let names = || prop::collection::vec(rumor(), 0..5).prop_map(Vec::into_boxed_slice);
    let contact = prop_oneof![Just(Contact::Push), Just(Contact::Answer)];
    prop_oneof![
        any_copy().prop_map(|copy| RumorMessage::Push { copy }),
        Just(RumorMessage::PullRequest),
        any_copy().prop_map(|copy| RumorMessage::PullAnswer { copy }),
        (rumor(), contact, any::<bool>()).prop_map(|(rumor, contact, needed)| {
            RumorMessage::Feedback {
                rumor,
                contact,
                needed,
            }
        }),
        names().prop_map(|known| RumorMessage::Digest { known }),
        names().prop_map(|missing| RumorMessage::Wanted { missing }),
        any_copy().prop_map(|copy| RumorMessage::Repair { copy }),
    ]
}

fn input() -> impl Strategy<Value = Input> {
    prop_oneof![
        6 => message().prop_map(Input::Hear),
        2 => Just(Input::Fire(RumorTimer::BeginRound)),
        1 => Just(Input::Fire(RumorTimer::Reconcile)),
        1 => Just(Input::Start),
        1 => (0..4_u64).prop_map(Input::Written),
    ]
}

fn any_config() -> impl Strategy<Value = RumorConfig> {
    let modes = prop_oneof![Just(Mode::Push), Just(Mode::Pull), Just(Mode::PushPull)];
    let rounds = prop_oneof![Just(Rounds::Synchronous), Just(Rounds::OwnPhase)];
    let contacts = prop_oneof![Just(Contacts::Feedback), Just(Contacts::Blind)];
    let loss = prop_oneof![
        Just(Loss::Never),
        (1..3_u32).prop_map(|k| Loss::Counter { k }),
        (1..3_u32).prop_map(|k| Loss::Consecutive { k }),
        (1..3_u32).prop_map(|k| Loss::Coin { k }),
    ];
    let switches = (any::<bool>(), prop::option::of(1..5_u32));
    (modes, rounds, loss, contacts, switches).prop_map(
        |(mode, rounds, loss, contacts, (durable, age_limit))| RumorConfig {
            durable,
            age_limit,
            capacity: CAPACITY,
            anti_entropy: Some(PERIOD),
            ..config(mode, rounds, loss, contacts)
        },
    )
}

/// Gives one input and returns what the peer reported.
fn give(desk: &mut Desk, now: i64, input: Input) -> Vec<RumorEvent> {
    let mut outbox = Outbox::new();
    let now = LocalTime::from_nanos(now);
    let (rng, keys) = (&mut desk.rng, &mut desk.keys);
    let mut ctx = Context::new(now, PeerId(1), rng, keys, &mut outbox);
    let start = RumorRequest::Start {
        payload: 7,
        size: 0,
    };
    let peer = &mut desk.machine;
    match input {
        Input::Hear(message) => peer.on_message(PeerId(0), &message, &mut ctx),
        Input::Fire(timer) => peer.on_timer(timer, &mut ctx),
        Input::Start => peer.on_request(RequestId(0), start, &mut ctx),
        Input::Written(token) => peer.on_persisted(PersistToken(token), &mut ctx),
    }
    let reported = outbox.drain().filter_map(|output| match output {
        Output::Notify(event) => Some(event),
        Output::Send { .. }
        | Output::SetTimer { .. }
        | Output::CancelTimer { .. }
        | Output::Persist { .. }
        | Output::Reply { .. } => None,
    });
    reported.collect()
}

proptest! {
    /// A rumor is learned at most once and lost at most once, after it was learned; what was
    /// learned stays known; no more is kept than allowed. Clocks may jump either way.
    #[test]
    fn every_rumor_goes_from_unknown_to_hot_to_cold(
        config in any_config(),
        inputs in prop::collection::vec((any::<i64>(), input()), 0..60),
    ) {
        let mut desk = Desk::new(config);
        let mut lost: BTreeMap<RumorId, bool> = BTreeMap::new();
        for (now, input) in inputs {
            for event in give(&mut desk, now, input) {
                match event {
                    RumorEvent::Learned { learned } => {
                        prop_assert_eq!(lost.insert(learned.rumor, false), None);
                    }
                    RumorEvent::InterestLost { rumor, .. } => {
                        prop_assert_eq!(lost.insert(rumor, true), Some(false));
                    }
                    RumorEvent::Recovered { .. } => prop_assert!(false, "no restart here"),
                    RumorEvent::Rejected { .. } => {}
                }
            }
            prop_assert!(lost.len() <= CAPACITY as usize);
            for (rumor, lost) in &lost {
                prop_assert!(desk.machine.knows(*rumor));
                prop_assert_eq!(desk.machine.spreads(*rumor), !lost);
            }
        }
    }
}
