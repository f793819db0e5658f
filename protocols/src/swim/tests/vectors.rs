//! Published numbers, and the size of things.

use super::*;
use crate::protocol::Message;

#[test]
fn shortest_suspicions_of_a_lan_are_memberlists() {
    // 4 * max(1, log10 n) s, the factor cut to a thousandth, as `suspicionTimeout` does it.
    let cases = [
        (1, 4000),
        (10, 4000),
        (20, 5204),
        (50, 6792),
        (100, 8000),
        (1000, 12_000),
    ];
    for (members, millis) in cases {
        let terms = suspicion_terms(&SwimConfig::lan(), members);
        assert_eq!(terms.min, SimDuration::from_millis(millis), "n = {members}");
        assert_eq!(terms.max, terms.min * 6);
    }
}

#[test]
fn suspicions_shrink_as_in_memberlists_table() {
    // memberlist's own table for K = 3, 2 s to 30 s, elapsed time added back; confirmations past K
    // change nothing, which its floor at the minimum amounts to.
    let terms = SuspicionTerms {
        min: SimDuration::from_secs(2),
        max: SimDuration::from_secs(30),
        enough: 3,
    };
    let cases = [
        (0, 30_000),
        (1, 16_000),
        (2, 7810),
        (3, 2000),
        (4, 2000),
        (5, 2000),
    ];
    for (confirmations, millis) in cases {
        let wanted = SimDuration::from_millis(millis);
        assert_eq!(Published::suspicion_timeout(terms, confirmations), wanted);
    }
    let alone = SuspicionTerms { enough: 0, ..terms };
    assert_eq!(Published::suspicion_timeout(alone, 0), terms.min);
}

#[test]
fn confirmations_are_wanted_only_where_others_could_give_them() {
    // memberlist: K = 4 - 2, but 0 when n - 2 < K; WAN has K = 4. Without the dynamic timeout none.
    let enough = |config: &SwimConfig, members| suspicion_terms(config, members).enough;
    assert_eq!(
        [2, 3, 4, 100].map(|n| enough(&SwimConfig::lan(), n)),
        [0, 0, 2, 2]
    );
    assert_eq!([5, 6].map(|n| enough(&SwimConfig::wan(), n)), [0, 4]);
    let plain = suspicion_terms(&SwimConfig::swim_2002(), 100);
    assert_eq!((plain.enough, plain.max), (0, plain.min));
}

#[test]
fn retransmissions_grow_with_the_digits_of_the_group() {
    // mult * ceil(log10(n + 1)), checked on both sides of each power of ten.
    let cases = [
        (1, 4),
        (9, 4),
        (10, 8),
        (99, 8),
        (100, 12),
        (999, 12),
        (1000, 16),
    ];
    for (members, limit) in cases {
        assert_eq!(
            Published::transmission_limit(4, members),
            limit,
            "n = {members}"
        );
    }
}

#[test]
fn push_pull_slows_down_above_32_members() {
    // memberlist `pushPullScale`: 32 -> 1, 33 to 64 -> 2, 65 to 128 -> 3, and the closed form at 1000.
    let cases = [
        (1, 1),
        (32, 1),
        (33, 2),
        (64, 2),
        (65, 3),
        (128, 3),
        (129, 4),
        (1000, 6),
    ];
    for (members, factor) in cases {
        let interval = push_pull_interval(&SwimConfig::lan(), members);
        assert_eq!(
            interval,
            SimDuration::from_secs(30) * factor,
            "n = {members}"
        );
    }
    let unscaled = SwimConfig {
        push_pull_scaling: false,
        ..SwimConfig::lan()
    };
    assert_eq!(
        push_pull_interval(&unscaled, 1000),
        SimDuration::from_secs(30)
    );
    assert!(push_pull_interval(&SwimConfig::swim_2002(), 1000).is_zero());
}

#[test]
fn presets_are_valid_and_bad_settings_are_named() {
    // The name is what a scenario file underlines, so it must be the guilty field's.
    for preset in [
        SwimConfig::lan(),
        SwimConfig::wan(),
        SwimConfig::local(),
        SwimConfig::swim_2002(),
    ] {
        assert_eq!(preset.validate(), Ok(()));
    }
    type Spoil = fn(&mut SwimConfig);
    let spoilt: [(&str, Spoil); 6] = [
        ("protocol_period", |c| c.protocol_period = SimDuration::ZERO),
        ("probe_timeout", |c| c.probe_timeout = c.protocol_period),
        ("join_retry", |c| c.join_retry = SimDuration::ZERO),
        ("piggyback_limit", |c| c.piggyback_limit = 0),
        ("retransmit_multiplier", |c| c.retransmit_multiplier = 0),
        ("local_health_max", |c| c.local_health_max = 0),
    ];
    for (field, spoil) in spoilt {
        let mut config = SwimConfig::lan();
        spoil(&mut config);
        assert_eq!(config.validate().map_err(|(field, _)| field), Err(field));
    }
}

fn one_of_each_kind() -> Vec<SwimMessage> {
    let record = alive(3, nth(7));
    let accusation = claim(ClaimKind::Suspect, 2, alive(300, nth(0)));
    let news = || -> Box<[Update]> {
        let claim = Update::Claim(accusation.clone());
        Box::new([Update::Alive(record.clone()), claim])
    };
    let (sequence, target) = (9, record.key);
    vec![
        SwimMessage::Ping {
            sequence,
            target,
            updates: Box::new([]),
        },
        SwimMessage::PingRequest {
            sequence,
            target,
            address: PeerId(3),
            wants_nack: true,
            updates: news(),
        },
        SwimMessage::Ack {
            sequence,
            updates: news(),
        },
        SwimMessage::Nack {
            sequence,
            updates: news(),
        },
        SwimMessage::Gossip { updates: news() },
        SwimMessage::PushPullRequest { state: news() },
        SwimMessage::PushPullReply { state: news() },
        SwimMessage::DeadNotice {
            claim: accusation.clone(),
        },
    ]
}

#[test]
fn the_stated_length_is_the_length_on_the_wire_and_decoding_gives_it_back() {
    // The network charges for `encoded_len`, which adds up lengths instead of encoding.
    let messages = one_of_each_kind();
    let kinds: Vec<usize> = messages.iter().map(Message::kind).collect();
    assert_eq!(kinds, (0..SwimMessage::KINDS.len()).collect::<Vec<_>>());
    for message in messages {
        let bytes = borsh::to_vec(&message).unwrap();
        assert_eq!(message.encoded_len(), bytes.len(), "{message:?}");
        assert_eq!(borsh::from_slice::<SwimMessage>(&bytes).unwrap(), message);
    }
}

#[test]
fn messages_and_table_entries_stay_small() {
    // Messages stand inline in queues; a thousand members hold a million table entries.
    assert!(
        size_of::<SwimMessage>() <= 64,
        "{}",
        size_of::<SwimMessage>()
    );
    let entry = size_of::<crate::swim::members::Member>();
    assert!(entry <= 40, "{entry}");
}

#[test]
fn incarnations_carry_into_the_next_generation_and_end() {
    // A full lower half must not wrap to an older incarnation, nor the end of all numbers.
    let full = Incarnation((1 << 32) | 0xffff_ffff);
    assert_eq!(full.next(), Some(Incarnation(2 << 32)));
    assert_eq!(nth(5).next_generation(), Some(Incarnation(2 << 32)));
    assert_eq!(Incarnation(u64::MAX).next(), None);
    assert_eq!(Incarnation(u64::MAX).next_generation(), None);
}
