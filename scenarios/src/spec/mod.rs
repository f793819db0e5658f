//! What a scenario says, as plain data: read from TOML, resolved, checked, ready to be run.
//!
//! Names and globs are resolved to slots already; everything here is valid by construction of the
//! reader. Must not know TOML.

pub mod adversaries;
pub mod expect;
pub mod faults;
pub mod federation;
pub mod network;
pub mod peers;
pub mod profile;
pub mod protocol;
pub mod report;
pub mod story;
pub mod transport;
pub mod workload;

use fedsim_protocols::SimDuration;

pub use adversaries::{AdversarySpec, Behaviour, Who};
pub use expect::{Assume, Bound, Expect, Expectation, PooledExpect};
pub use faults::{Fault, FaultSpec, Partition, Select, When};
pub use federation::{
    BudgetSpec, ClaimKind, DelegateSpec, ErrandLoad, ExposeSpec, FederationSpec, GrantSpec,
    OperationSpec, SoftwareSpec, TrustSpec,
};
pub use network::{
    Bandwidth, ClockSpec, CpuSpec, DiskSpec, Latency, LinkSpec, NetworkSpec, RegionMatrix, Reorder,
    Routing, Topology,
};
pub use peers::{PeerSpec, Role};
pub use profile::Profile;
pub use protocol::{PbftSpec, PerOrganisation, ProtocolSpec, SwimSpec};
pub use report::Report;
pub use story::{PbftWords, RaftWords, RumorWords, Story, SwimWords};
pub use transport::{CertificateSpec, TransportSpec};
pub use workload::{Arrivals, LoadLoop, Mix, Rate, RequestLoad, RumorStart, Workload};

/// How signatures are made. It changes how long a run takes and nothing else.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Signatures {
    /// Real ed25519 signatures, each really verified, once for all receivers of a message.
    #[default]
    Ed25519,
    /// The same, verified by each receiver: what sharing a verdict saves.
    Ed25519PerReceiver,
    /// Keyed hashes whose keys the run alone holds: unforgeable inside the run, and quick.
    Ideal,
}

/// One experiment: a claim, what runs, under which weather, and what must come out.
#[derive(Clone, Debug, PartialEq)]
pub struct Scenario {
    /// The scenario's name; names its run directory. Lower case, digits, dashes and slashes.
    pub name: String,
    /// The one sentence that the run is to confirm or refute.
    pub claim: String,
    /// Everything random follows from it.
    pub seed: u64,
    /// How many seeds make one judgement, `seed`, `seed + 1`, ...; at least 1.
    pub runs: u32,
    /// Virtual length of a run.
    pub duration: SimDuration,
    /// The first part of the run, left out of latency and load statistics.
    pub warm_up: SimDuration,
    /// How signatures are made.
    pub signatures: Signatures,
    /// Who takes part, by slot.
    pub peers: Vec<PeerSpec>,
    /// Links, clocks, processors and disks.
    pub network: NetworkSpec,
    /// Who can talk to whom.
    pub topology: Topology,
    /// How messages travel between peers that are not neighbours.
    pub routing: Routing,
    /// What checkers may assume.
    pub assume: Assume,
    /// What every member runs, each kind at most once; empty where the caller brings a protocol.
    pub protocols: Vec<ProtocolSpec>,
    /// What is asked of the protocols.
    pub workload: Workload,
    /// What happens step by step, in a directed run; then nothing else does.
    pub story: Option<Story>,
    /// What hurts, in file order; a fault's number in reports is its position plus one.
    pub faults: Vec<FaultSpec>,
    /// Who does not keep to the protocol, in file order.
    pub adversaries: Vec<AdversarySpec>,
    /// What must come out.
    pub expect: Expect,
    /// What the run leaves behind beyond what every run does.
    pub report: Report,
}

impl Default for Scenario {
    /// One run of a minute with seed 1, nobody in it, and nothing that hurts.
    fn default() -> Self {
        Self {
            name: String::new(),
            claim: String::new(),
            seed: 1,
            runs: 1,
            duration: SimDuration::from_secs(60),
            warm_up: SimDuration::ZERO,
            signatures: Signatures::default(),
            peers: Vec::new(),
            network: NetworkSpec::default(),
            topology: Topology::default(),
            routing: Routing::default(),
            assume: Assume::default(),
            protocols: Vec::new(),
            workload: Workload::default(),
            story: None,
            faults: Vec::new(),
            adversaries: Vec::new(),
            expect: Expect::default(),
            report: Report::default(),
        }
    }
}

impl Scenario {
    /// The slots of the peers whose nickname matches a glob with `*`.
    pub fn slots_matching(&self, glob: &str) -> Vec<fedsim_protocols::PeerId> {
        peers::slots_matching(&self.peers, glob)
    }
}
