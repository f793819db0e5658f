//! `[swim]`: failure detection and membership.

use fedsim_protocols::swim::{Bootstrap, DeadRule, ProbeOrder, SwimConfig};

use super::{Overrides, Preset, Table, refuse_invalid};
use crate::layer::choice::only;
use crate::layer::names::Peers;
use crate::layer::quantity::{duration, positive_duration};
use crate::layer::scalar::{Flag, Words, count, words};
use crate::layer::shape::maybe;
use crate::layer::{Section, at};
use crate::spec::{ProtocolSpec, SwimSpec};

pub(super) fn table() -> Table<SwimSpec> {
    Table {
        name: "swim",
        about: "Members run SWIM, with Lifeguard unless switched off.",
        section,
        wrap: ProtocolSpec::Swim,
        unwrap: only!(ProtocolSpec::Swim(spec) => spec),
    }
}

fn section() -> Section<SwimSpec> {
    Section::new(
        "Failure detection and membership: SWIM (Das, Gupta, Motivala 2002) with Lifeguard \
         (Dadgar, Phillips, Currey 2018). Defaults are memberlist's for a local network. Spans \
         of time are by the member's own clock.",
        SwimSpec::default(),
    )
    .key(
        "seeds",
        maybe(Peers),
        at!(seeds),
        "Through whom members join; the first member if left out.",
    )
    .embed(config(), at!(members.base))
    .part(Overrides {
        section: config,
        lens: at!(SwimSpec => members),
    })
}

const PROBE_ORDERS: Words<ProbeOrder> = words(&[
    (
        "round-robin",
        "A shuffled list, walked to its end: nobody waits more than 2m-1 periods.",
        ProbeOrder::RoundRobin,
    ),
    (
        "random",
        "A uniformly random member each period.",
        ProbeOrder::Random,
    ),
]);

const DEAD_RULES: Words<DeadRule> = words(&[
    (
        "final",
        "SWIM 2002: nothing overrides Dead.",
        DeadRule::Final,
    ),
    (
        "refutable",
        "memberlist: a higher incarnation refutes it.",
        DeadRule::Refutable,
    ),
]);

const BOOTSTRAPS: Words<Bootstrap> = words(&[
    (
        "seeds",
        "A member joins through its seeds.",
        Bootstrap::Seeds,
    ),
    (
        "full",
        "A member starts with everyone's first record.",
        Bootstrap::Full,
    ),
]);

fn config() -> Section<SwimConfig> {
    let base = Section::new("Settings of a member.", SwimConfig::default()).part(Preset {
        key: "preset",
        presets: &[
            (
                "lan",
                "memberlist's values for a local network.",
                SwimConfig::lan,
            ),
            (
                "wan",
                "memberlist's values for a wide network.",
                SwimConfig::wan,
            ),
            (
                "local",
                "memberlist's values for one machine.",
                SwimConfig::local,
            ),
            (
                "swim-2002",
                "SWIM as published, without Lifeguard.",
                SwimConfig::swim_2002,
            ),
        ],
    });
    let section = lifeguard(dissemination(probing(base)));
    membership(section).check(|config, node, reader| {
        refuse_invalid(config.validate(), node, reader);
    })
}

fn probing(section: Section<SwimConfig>) -> Section<SwimConfig> {
    section
        .key(
            "protocol_period",
            positive_duration(),
            at!(protocol_period),
            "Time between two probes, T' in SWIM. Shorter finds crashes sooner and costs more \
             messages.",
        )
        .key(
            "probe_timeout",
            positive_duration(),
            at!(probe_timeout),
            "How long to wait for the direct ack before asking proxies; below the period.",
        )
        .key(
            "proxies",
            count(0..=1_000),
            at!(proxies),
            "How many proxies ping a silent member, k in SWIM.",
        )
        .key(
            "probe_order",
            PROBE_ORDERS,
            at!(probe_order),
            "In which order members are probed.",
        )
        .key(
            "suspicion_multiplier",
            count(1..=1_000_000),
            at!(suspicion_multiplier),
            "The shortest suspicion lasts this times max(1, log10 n) periods.",
        )
        .key(
            "suspicion_max_multiplier",
            count(1..=1_000_000),
            at!(suspicion_max_multiplier),
            "The longest lasts this times the shortest, with `dynamic_suspicion`.",
        )
        .key(
            "dead",
            DEAD_RULES,
            at!(dead),
            "Which of the two published rules holds for Dead.",
        )
}

fn dissemination(section: Section<SwimConfig>) -> Section<SwimConfig> {
    section
        .key(
            "retransmit_multiplier",
            count(1..=1_000_000),
            at!(retransmit_multiplier),
            "lambda: an update is sent at most lambda * ceil(log10(n + 1)) times.",
        )
        .key(
            "piggyback_limit",
            count(1..=1_000_000),
            at!(piggyback_limit),
            "Updates that fit into one message.",
        )
        .key(
            "gossip_interval",
            duration(),
            at!(gossip_interval),
            "Time between rounds of gossip beside the piggyback; zero for none.",
        )
        .key(
            "gossip_fanout",
            count(0..=1_000_000),
            at!(gossip_fanout),
            "Members that get gossip each round.",
        )
        .key(
            "gossip_to_dead",
            duration(),
            at!(gossip_to_dead),
            "How long a dead member still gets gossip; zero for never.",
        )
        .key(
            "push_pull_interval",
            duration(),
            at!(push_pull_interval),
            "Time between exchanges of full state with a random member; zero for never.",
        )
        .key(
            "push_pull_scaling",
            Flag,
            at!(push_pull_scaling),
            "Whether that interval grows by ceil(log2 n - 5) + 1 above 32 members.",
        )
        .key(
            "push_pull_to_dead",
            Flag,
            at!(push_pull_to_dead),
            "Whether dead members may be drawn for it, so that healed partitions merge.",
        )
}

fn lifeguard(section: Section<SwimConfig>) -> Section<SwimConfig> {
    section
        .key(
            "local_health",
            Flag,
            at!(local_health),
            "Lifeguard: who hears no answers probes more slowly and more patiently.",
        )
        .key(
            "local_health_max",
            count(1..=1_000_000),
            at!(local_health_max),
            "The local health score stays below this.",
        )
        .key(
            "dynamic_suspicion",
            Flag,
            at!(dynamic_suspicion),
            "Lifeguard: suspicion is long at first, shorter with each confirmation.",
        )
        .key(
            "buddy",
            Flag,
            at!(buddy),
            "Lifeguard: a suspect is told with the next ping it gets.",
        )
}

fn membership(section: Section<SwimConfig>) -> Section<SwimConfig> {
    section
        .key(
            "bootstrap",
            BOOTSTRAPS,
            at!(bootstrap),
            "How a member comes to know the others.",
        )
        .key(
            "join_retry",
            positive_duration(),
            at!(join_retry),
            "Time between two attempts to join through the seeds.",
        )
        .key(
            "leave_timeout",
            positive_duration(),
            at!(leave_timeout),
            "How long a leaving member waits for its news to be sent out.",
        )
        .key(
            "report_probes",
            Flag,
            at!(report_probes),
            "Whether each probe is reported as an event.",
        )
}
