//! Whatever anyone sends, in whatever order: no panic, no unowned record, a view that its events
//! tell.

use std::collections::BTreeMap;

use proptest::prelude::*;
use proptest::test_runner::RngSeed;

use super::group::{Group, PEERS, Views, Weather, assert_events_tell_all, replay};
use super::*;

/// Slots that appear, oneself in slot 0 among them.
const SLOTS: u32 = 5;

#[derive(Clone, Debug)]
enum Step {
    Hear { from: u32, message: SwimMessage },
    Fire(SwimTimer),
    Durable(Incarnation),
    Leave,
    Join,
    Pass { millis: u64 },
}

fn incarnation() -> impl Strategy<Value = Incarnation> {
    prop_oneof![
        (0..4_u64).prop_map(nth),
        (0..3_u64).prop_map(|count| Incarnation((2 << 32) | count)),
        Just(Incarnation(u64::MAX)),
    ]
}

/// Records signed by their owners, and now and then by somebody else.
fn record() -> impl Strategy<Value = Signed<Alive>> {
    let signer = prop_oneof![9 => Just(None), 1 => (0..SLOTS).prop_map(Some)];
    (0..SLOTS, incarnation(), prop::bool::weighted(0.2), signer).prop_map(
        |(slot, incarnation, leaving, signer)| {
            let content = alive_content(slot, incarnation);
            keys(signer.unwrap_or(slot)).sign(Alive { leaving, ..content })
        },
    )
}

fn update() -> impl Strategy<Value = Update> {
    let kind = prop_oneof![Just(ClaimKind::Suspect), Just(ClaimKind::Dead)];
    prop_oneof![
        record().prop_map(Update::Alive),
        (kind, 0..SLOTS + 1, record())
            .prop_map(|(kind, accuser, record)| Update::Claim(claim(kind, accuser, record))),
    ]
}

fn timer() -> impl Strategy<Value = SwimTimer> {
    prop_oneof![
        Just(SwimTimer::Period),
        Just(SwimTimer::ProbeTimeout),
        Just(SwimTimer::Gossip),
        Just(SwimTimer::PushPull),
        Just(SwimTimer::JoinRetry),
        Just(SwimTimer::LeaveTimeout),
        (0..9_u32).prop_map(|sequence| SwimTimer::Relay { sequence }),
        (0..SLOTS).prop_map(|place| SwimTimer::Suspicion {
            place: Place(place)
        }),
    ]
}

fn message() -> impl Strategy<Value = SwimMessage> {
    let updates = || -> Box<[Update]> { Box::new([]) };
    let state = |update| -> Box<[Update]> { Box::new([update]) };
    let (number, target) = (
        || 0..12_u32,
        || (0..SLOTS).prop_map(|slot| keys(slot).public()),
    );
    let relay = move |(sequence, slot): (u32, u32)| SwimMessage::PingRequest {
        sequence,
        target: keys(slot).public(),
        address: PeerId(slot),
        wants_nack: true,
        updates: updates(),
    };
    prop_oneof![
        4 => update().prop_map(says),
        4 => update().prop_map(move |update| SwimMessage::PushPullRequest { state: state(update) }),
        1 => update().prop_map(move |update| SwimMessage::PushPullReply { state: state(update) }),
        1 => (number(), target()).prop_map(move |(sequence, target)| SwimMessage::Ping {
            sequence,
            target,
            updates: updates(),
        }),
        1 => (number(), 0..SLOTS).prop_map(relay),
        1 => number().prop_map(move |sequence| SwimMessage::Ack { sequence, updates: updates() }),
        1 => number().prop_map(move |sequence| SwimMessage::Nack { sequence, updates: updates() }),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        12 => (0..SLOTS, message()).prop_map(|(from, message)| Step::Hear { from, message }),
        4 => timer().prop_map(Step::Fire),
        2 => incarnation().prop_map(Step::Durable),
        1 => Just(Step::Leave),
        1 => Just(Step::Join),
        2 => (0..40_000_u64).prop_map(|millis| Step::Pass { millis }),
    ]
}

fn take(solo: &mut Solo, id: u64, step: Step) -> Happened {
    match step {
        Step::Hear { from, message } => solo.hand(from, &message),
        Step::Fire(timer) => solo.fire(timer),
        Step::Durable(incarnation) => solo.persisted(incarnation),
        Step::Leave => solo.ask(id, SwimRequest::Leave),
        Step::Join => {
            let seeds = vec![PeerId(1)];
            solo.ask(id, SwimRequest::Join { seeds })
        }
        Step::Pass { millis } => {
            solo.pass(millis);
            Happened::default()
        }
    }
}

/// What must hold of any table.
fn assert_sound(solo: &Solo, views: &Views) {
    let mut verifier = keys(99);
    let members = &solo.machine.members;
    for (_, member) in members.iter() {
        assert_eq!(member.record.signer(), member.record.key);
        assert!(verifier.verify(&member.record));
        let is_claimed = matches!(member.status, Status::Suspect | Status::Dead);
        assert_eq!(member.claim.is_some(), is_claimed);
        let timed = solo
            .machine
            .suspicions
            .contains_key(&solo.place(member.record.address.0));
        let is_up = !matches!(solo.machine.stage, Stage::Left | Stage::Starting);
        assert_eq!(timed, member.status == Status::Suspect && is_up);
    }
    let live = members
        .iter()
        .filter(|(_, member)| member.status.is_live())
        .count();
    assert_eq!(members.live() as usize, live);
    let table: BTreeMap<_, _> = members
        .iter()
        .filter(|(place, _)| *place != solo.machine.place)
        .map(|(_, member)| {
            (
                member.record.address,
                (member.status, member.record.incarnation),
            )
        })
        .collect();
    assert_eq!(&table, views);
}

fn survive(dead: DeadRule, steps: Vec<Step>) {
    let mut solo = Solo::<Published>::fresh(
        SwimConfig {
            dead,
            ..SwimConfig::lan()
        },
        &[],
    );
    let mut views = Views::new();
    solo.start();
    for (id, step) in (0..).zip(steps) {
        let happened = take(&mut solo, id, step);
        happened
            .events
            .iter()
            .for_each(|event| replay(&mut views, event));
        assert_sound(&solo, &views);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { rng_seed: RngSeed::Fixed(1), ..ProptestConfig::default() })]

    #[test]
    fn any_history_leaves_a_sound_table_that_the_events_tell(
        refutable in any::<bool>(),
        steps in prop::collection::vec(step(), 0..60),
    ) {
        // Forged records, strangers' claims, own records of the future, stale timers and answers
        // to nothing, in any order: the table holds owned records only, exactly what was reported.
        let dead = if refutable { DeadRule::Refutable } else { DeadRule::Final };
        survive(dead, steps);
    }

    #[test]
    fn random_bytes_never_panic_the_decoder(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        // A message is an error or decodes to something that encodes again.
        if let Ok(message) = borsh::from_slice::<SwimMessage>(&bytes) {
            prop_assert_eq!(borsh::to_vec(&message).unwrap(), bytes);
        }
    }
}

fn weather() -> impl Strategy<Value = Weather> {
    prop_oneof![
        Just(Weather::Fair),
        Just(Weather::Split),
        Just(Weather::Lossy),
        (0..PEERS).prop_map(Weather::Without),
    ]
}

/// What the weather is, for how many seconds, and who restarts and who leaves at its end.
fn spell() -> impl Strategy<Value = (Weather, u64, Option<u32>, Option<u32>)> {
    let somebody = || prop::option::of(0..PEERS);
    (weather(), 1..60_u64, somebody(), somebody())
}

proptest! {
    #![proptest_config(ProptestConfig {
        rng_seed: RngSeed::Fixed(2),
        cases: ProptestConfig::default().cases.div_ceil(16),
        ..ProptestConfig::default()
    })]

    #[test]
    fn whatever_the_weather_was_a_healed_group_agrees_that_all_are_alive(
        refutable in any::<bool>(),
        spells in prop::collection::vec(spell(), 1..5),
    ) {
        // Two phases: partitions, isolation, loss, restarts and farewells as they come, then five
        // minutes of calm, ten exchanges of full state each, after which no death and no farewell
        // of those who came back may be left standing.
        let dead = if refutable { DeadRule::Refutable } else { DeadRule::Final };
        let mut group = Group::new(SwimConfig { dead, ..SwimConfig::lan() });
        for (weather, secs, restarts, leaves) in spells {
            group.run(secs, weather);
            if let Some(slot) = restarts {
                group.restart(slot);
            }
            if let Some(slot) = leaves {
                group.leave(slot);
            }
        }
        group.run(10, Weather::Fair);
        group.rejoin_all();
        group.run(300, Weather::Fair);
        group.assert_all_alive();
        assert_events_tell_all(&group);
    }
}
