//! What members run.

use fedsim_protocols::PeerId;
use fedsim_protocols::pbft::PbftConfig;
use fedsim_protocols::raft::RaftConfig;
use fedsim_protocols::rumor::RumorConfig;
use fedsim_protocols::swim::SwimConfig;

use super::federation::FederationSpec;

/// A protocol's configuration, which organisations may override.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PerOrganisation<C> {
    /// What holds for everybody else.
    pub base: C,
    /// Whole configurations by organisation, in file order.
    pub overrides: Vec<(String, C)>,
}

impl<C> PerOrganisation<C> {
    /// The same for everybody.
    pub fn uniform(base: C) -> Self {
        Self {
            base,
            overrides: Vec::new(),
        }
    }

    /// What holds for the peers of an organisation.
    pub fn of(&self, organisation: &str) -> &C {
        self.overrides
            .iter()
            .find(|(name, _)| name == organisation)
            .map_or(&self.base, |(_, config)| config)
    }
}

/// One protocol table of a scenario.
#[derive(Clone, Debug, PartialEq)]
pub enum ProtocolSpec {
    /// `[swim]`.
    Swim(SwimSpec),
    /// `[rumor]`.
    Rumor(PerOrganisation<RumorConfig>),
    /// `[raft]`.
    Raft(PerOrganisation<RaftConfig>),
    /// `[pbft]`.
    Pbft(PbftSpec),
    /// `[federation]`.
    Federation(FederationSpec),
}

impl ProtocolSpec {
    /// The name of its table.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Swim(_) => "swim",
            Self::Rumor(_) => "rumor",
            Self::Raft(_) => "raft",
            Self::Pbft(_) => "pbft",
            Self::Federation(_) => "federation",
        }
    }
}

/// Failure detection and membership.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SwimSpec {
    /// Through whom members join; none is the first member.
    pub seeds: Option<Vec<PeerId>>,
    /// How members are set.
    pub members: PerOrganisation<SwimConfig>,
}

/// A group of replicas that may lie, and their clients.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PbftSpec {
    /// The clients whose requests may change the group; none is nobody.
    pub administrators: Option<Vec<PeerId>>,
    /// How replicas and clients are set.
    pub members: PerOrganisation<PbftConfig>,
}
