//! What the peers of a federation are set to, and what each knows of the others at the start.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::federation::authorisation::Exposure;
use crate::federation::grant::Grant;
use crate::federation::injection::Patterns;
use crate::federation::sanitise::Sanitiser;
use crate::federation::terms::Level;
use crate::identity::{Identity, Keys};
use crate::pbft::{PbftConfig, Roster};
use crate::peer::PeerId;
use crate::raft::RaftConfig;
use crate::signed::Signed;

use super::actions::{ActionsConfig, Directory};
use super::sessions::Papers;

/// Who decides what concerns several organisations.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Across {
    /// Every peer is a PBFT replica.
    #[default]
    Flat,
    /// Every organisation is one PBFT replica, and decides by Raft what that replica says.
    TwoTier,
    /// Every peer is a Raft server: right only where nobody lies.
    Raft,
    /// Nobody: whoever proposes tells all others, and each takes it when it comes.
    Broadcast,
}

/// The settings of a peer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct StackConfig {
    /// Who decides across organisations.
    pub across: Across,
    /// How Raft is set, inside an organisation or across.
    pub raft: Arc<RaftConfig>,
    /// How PBFT is set.
    pub pbft: Arc<PbftConfig>,
    /// Whether it keeps what it owns for as long as it can.
    pub renews_leases: bool,
    /// How it deals with others.
    pub actions: Arc<ActionsConfig>,
    /// What it lets others use.
    pub exposures: Vec<Exposure>,
    /// How far it trusts others at the start; others not at all.
    pub levels: BTreeMap<Identity, Level>,
    /// What others let it do in their stead.
    pub grants: Vec<Standing>,
}

/// A permission that was given before anything was asked.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Standing {
    /// Where it is shown.
    pub at: Vec<PeerId>,
    /// The permission, for the peer that shows it.
    pub grant: Signed<Grant>,
}

/// What a peer knows of the federation at the start.
#[derive(Clone, Debug)]
pub struct Federation {
    /// The peers of each organisation, in slot order.
    pub organisations: Vec<Vec<PeerId>>,
    /// The replicas and clients of the council across organisations.
    pub roster: Arc<Roster>,
    /// What each organisation's delegate signs with; read by its own peers alone.
    pub organisation_keys: Vec<Keys>,
    /// Who is who.
    pub directory: Arc<Directory>,
    /// Finds and removes what must not leave.
    pub sanitiser: Arc<Sanitiser>,
    /// Finds prompt injections.
    pub patterns: Arc<Patterns>,
    /// What each organisation makes its pseudonyms from; read by its own peers alone.
    pub pseudonym_secrets: Vec<[u8; 32]>,
    /// What each peer proves itself with; read by that peer alone. Empty where nobody does.
    pub papers: BTreeMap<PeerId, Papers>,
    /// The keys that a peer has one after the other, the first one included; read by that peer
    /// alone. Empty for peers that keep the one they begin with.
    pub lines: BTreeMap<PeerId, Vec<Link>>,
}

/// One key of a line.
#[derive(Clone, Debug)]
pub struct Link {
    /// What its owner signs with.
    pub keys: Keys,
    /// What it proves itself with, where anybody does.
    pub papers: Option<Papers>,
}

impl Federation {
    /// The number of a peer's organisation.
    pub fn organisation_of(&self, peer: PeerId) -> Option<usize> {
        let mut all = self.organisations.iter();
        all.position(|members| members.contains(&peer))
    }

    /// Where a message to the replica at `slot` goes when replicas are organisations: to all peers
    /// of the organisation whose first peer that is.
    pub(super) fn peers_at(&self, slot: PeerId) -> &[PeerId] {
        let mut all = self.organisations.iter();
        let organisation = all.find(|members| members.first() == Some(&slot));
        organisation.map_or(&[], Vec::as_slice)
    }
}
