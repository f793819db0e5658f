//! Small scenarios for tests of the network and of nemesis.

use fedsim_protocols::{PeerId, Probability, SimDuration};
use fedsim_scenarios::Scenario;
use fedsim_scenarios::spec::{Latency, LinkSpec, NetworkSpec, PeerSpec, Role};

/// So many milliseconds.
pub(crate) fn ms(millis: u64) -> SimDuration {
    SimDuration::from_millis(millis)
}

/// A probability that is one.
pub(crate) fn share(p: f64) -> Probability {
    Probability::from_f64(p).expect("BUG: a test's probability is none")
}

/// A link of constant latency that does nothing else.
pub(crate) fn constant(millis: u64) -> LinkSpec {
    LinkSpec {
        latency: Latency::Constant(ms(millis)),
        loss: Probability::ZERO,
        duplicate: Probability::ZERO,
        reorder: None,
        in_order: false,
        bandwidth: None,
    }
}

/// `members` members on links of 10 ms, everybody linked with everybody, no faults, 100 s.
pub(crate) fn scenario(members: usize) -> Scenario {
    let names = (1..=members).map(|number| format!("p-{number}"));
    Scenario {
        name: "test".to_owned(),
        claim: "A claim.".to_owned(),
        seed: 1,
        runs: 1,
        duration: ms(100_000),
        peers: names.map(|name| peer(&name)).collect(),
        network: NetworkSpec {
            link: constant(10),
            ..NetworkSpec::default()
        },
        ..Scenario::default()
    }
}

/// A member without organisation and region.
pub(crate) fn peer(nickname: &str) -> PeerSpec {
    PeerSpec {
        nickname: nickname.to_owned(),
        organisation: String::new(),
        region: String::new(),
        role: Role::Member,
        starts_at: SimDuration::ZERO,
    }
}

/// These slots.
pub(crate) fn slots(slots: impl IntoIterator<Item = u32>) -> Vec<PeerId> {
    slots.into_iter().map(PeerId).collect()
}
