//! The engine against what it promises, with a protocol that uses every input and output.

mod adversaries;
mod chatter;
mod determinism;
mod order;
mod physics;
mod sequential;

use fedsim_protocols::{PeerId, SimDuration};
use fedsim_scenarios::Scenario;
use fedsim_scenarios::spec::{Fault, FaultSpec, Latency, PeerSpec, Role, Select, When};

/// `peers` members on links of 10 to 100 ms for `seconds`.
fn scenario(peers: u32, seconds: u64) -> Scenario {
    let peer = |slot| PeerSpec {
        nickname: format!("peer-{slot}"),
        organisation: String::new(),
        region: String::new(),
        role: Role::Member,
        starts_at: SimDuration::ZERO,
    };
    Scenario {
        peers: (0..peers).map(peer).collect(),
        duration: SimDuration::from_secs(seconds),
        ..Scenario::default()
    }
}

/// The same on links that always take `millis`.
fn constant(peers: u32, seconds: u64, millis: u64) -> Scenario {
    let mut scenario = scenario(peers, seconds);
    scenario.network.link.latency = Latency::Constant(SimDuration::from_millis(millis));
    scenario
}

/// A fault at `at_millis` that lasts `lasts_millis`.
fn fault(at_millis: u64, lasts_millis: u64, fault: Fault) -> FaultSpec {
    FaultSpec {
        label: "test".to_owned(),
        when: When::At(SimDuration::from_millis(at_millis)),
        lasts: Some(SimDuration::from_millis(lasts_millis)),
        heal_by: None,
        fault,
    }
}

fn one(peer: u32) -> Select {
    Select::Peers(vec![PeerId(peer)])
}
