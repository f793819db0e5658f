//! A federation of organisations, and what its users want done.

use fedsim_protocols::federation::audit::ContentMode;
use fedsim_protocols::federation::breaker::BreakerConfig;
use fedsim_protocols::federation::envelope::Stage;
use fedsim_protocols::federation::terms::{ActionKind, Amount, Capability, Level};
use fedsim_protocols::federation::transport::Mode;
use fedsim_protocols::federation::trust::{Model, TrustConfig};
use fedsim_protocols::stack::{Across, ActionsConfig, Delegation, Pool, PrivacyGate, Screening};
use fedsim_protocols::{PeerId, Probability, SimDuration};

use super::profile::Profile;
use super::transport::TransportSpec;
use super::workload::{Arrivals, Rate};

/// `[federation]`.
#[derive(Clone, Debug, PartialEq)]
pub struct FederationSpec {
    /// Who decides what concerns several organisations.
    pub across: Across,
    /// K of a council that decides by PBFT, in decisions. 1 to 100.
    pub checkpoint_interval: u64,
    /// How far everybody trusts everybody at the start.
    pub level: Level,
    /// Whom some trust otherwise, in file order; later ones win.
    pub trust: Vec<TrustSpec>,
    /// Who lets whom use what; nothing else may be used.
    pub expose: Vec<ExposeSpec>,
    /// Whom its own organisation has revoked before the run begins.
    pub revoked: Vec<PeerId>,
    /// What organisations do about their members within the run.
    pub operations: Vec<OperationSpec>,
    /// Whose software is another, in file order; later ones win.
    pub software: Vec<SoftwareSpec>,
    /// Checks of envelopes that are left out.
    pub without: Vec<Stage>,
    /// When private data is taken out of payloads.
    pub gate: PrivacyGate,
    /// How far apart two honest clocks may be.
    pub skew: SimDuration,
    /// Whether owners keep what they have for as long as they can.
    pub renew_leases: bool,
    /// How long a source waits for an answer before it sends again.
    pub resend_after: SimDuration,
    /// The least that a piece of work takes.
    pub work_min: SimDuration,
    /// The most that it takes.
    pub work_max: SimDuration,
    /// What audit logs keep of what is said.
    pub audit_content: ContentMode,
    /// How often the heads of audit logs are countersigned.
    pub audit_every: SimDuration,
    /// How trust moves.
    pub trust_model: Option<Model>,
    /// How often scores are recomputed.
    pub trust_every: SimDuration,
    /// Whether there are circuit breakers.
    pub breaker: bool,
    /// Which payloads are screened for prompt injections.
    pub screening: Screening,
    /// What may be spent in whose name, in file order; later ones win.
    pub budgets: Vec<BudgetSpec>,
    /// Who hands on what it is asked for.
    pub delegate: Vec<DelegateSpec>,
    /// Who lets whom act in its stead, where.
    pub grants: Vec<GrantSpec>,
    /// How peers prove to each other who they are.
    pub transport: TransportSpec,
}

impl Default for FederationSpec {
    /// Everybody is attested, nothing is exposed, every check stands, and every peer is a replica.
    fn default() -> Self {
        let actions = ActionsConfig::default();
        Self {
            across: Across::default(),
            checkpoint_interval: 100,
            level: Level::Attested,
            trust: Vec::new(),
            expose: Vec::new(),
            revoked: Vec::new(),
            operations: Vec::new(),
            software: Vec::new(),
            without: Vec::new(),
            gate: actions.gate,
            skew: actions.envelope.skew,
            renew_leases: false,
            resend_after: actions.resend_after,
            work_min: actions.work_min,
            work_max: actions.work_max,
            audit_content: actions.audit.content,
            audit_every: actions.audit.countersign_every,
            trust_model: None,
            trust_every: TrustConfig::default().evaluate_every,
            breaker: false,
            screening: actions.screening,
            budgets: Vec::new(),
            delegate: Vec::new(),
            grants: Vec::new(),
            transport: TransportSpec::default(),
        }
    }
}

impl FederationSpec {
    /// How peers deal with each other.
    pub fn actions(&self) -> ActionsConfig {
        let mut actions = ActionsConfig::default();
        if self.transport.mode != Mode::None {
            actions.stages.push(Stage::Session);
        }
        actions.transport = self.transport.config();
        actions.stages.retain(|stage| !self.without.contains(stage));
        actions.gate = self.gate;
        actions.envelope.skew = self.skew;
        actions.resend_after = self.resend_after;
        (actions.work_min, actions.work_max) = (self.work_min, self.work_max);
        actions.audit.content = self.audit_content;
        actions.audit.countersign_every = self.audit_every;
        actions.conduct.trust = self.trust_model.map(|model| TrustConfig {
            model,
            evaluate_every: self.trust_every,
            ..TrustConfig::default()
        });
        actions.conduct.breaker = self.breaker.then(BreakerConfig::default);
        actions.screening = self.screening;
        actions
    }

    /// Who is in no council across organisations from the start: whoever was revoked before it, where
    /// peers vote by PBFT for themselves.
    pub fn out_of_council(&self) -> &[PeerId] {
        match self.across {
            Across::Flat => &self.revoked,
            Across::TwoTier | Across::Raft | Across::Broadcast => &[],
        }
    }

    /// How one peer deals with others: with the layers of its own software.
    pub fn actions_of(&self, peer: PeerId) -> ActionsConfig {
        let shared = self.actions_of_software(peer);
        let own = self.delegate.iter().filter(|it| it.by.contains(&peer));
        let delegations = own.map(|it| Delegation {
            capability: it.capability.clone(),
            to: it.to.iter().copied().filter(|to| *to != peer).collect(),
            parts: it.parts,
            percent: it.percent,
        });
        ActionsConfig {
            pool: self.budget_of(peer).map(|budget| Pool {
                cap: budget.cap,
                hops_max: budget.hops,
            }),
            delegations: delegations.collect(),
            ..shared
        }
    }

    /// What may be spent in a peer's name.
    pub fn budget_of(&self, peer: PeerId) -> Option<&BudgetSpec> {
        let mut own = self.budgets.iter().rev();
        own.find(|it| it.by.contains(&peer))
    }

    /// Whether anybody has sessions.
    pub fn has_sessions(&self) -> bool {
        let own = self.software.iter().filter_map(|it| it.transport);
        let mut all = own.chain([self.transport.mode]);
        all.any(|mode| mode != Mode::None)
    }

    fn actions_of_software(&self, peer: PeerId) -> ActionsConfig {
        let mut own = self.software.iter().rev();
        let Some(own) = own.find(|it| it.by.contains(&peer)) else {
            return self.actions();
        };
        let preset = own.profile.map(Profile::preset);
        let layers = preset.as_ref().unwrap_or(self);
        let spec = Self {
            without: own.without.as_ref().unwrap_or(&layers.without).clone(),
            gate: own.gate.unwrap_or(layers.gate),
            trust_model: own.trust_model.unwrap_or(layers.trust_model),
            breaker: own.breaker.unwrap_or(layers.breaker),
            screening: own.screening.unwrap_or(layers.screening),
            transport: TransportSpec {
                mode: own.transport.unwrap_or(self.transport.mode),
                ..self.transport.clone()
            },
            ..self.clone()
        };
        spec.actions()
    }
}

/// What an organisation does about members of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OperationSpec {
    /// When.
    pub at: SimDuration,
    /// Whom it revokes.
    pub revoke: Vec<PeerId>,
    /// Who takes up a new key.
    pub rotate: Vec<PeerId>,
}

/// Peers that run other software than the rest.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SoftwareSpec {
    /// Who.
    pub by: Vec<PeerId>,
    /// Whose layers they have; those of the federation without one.
    pub profile: Option<Profile>,
    /// Who proves who he is in their sessions, if not as in the federation.
    pub transport: Option<Mode>,
    /// As [`FederationSpec::without`], if not as in the profile; so are those below.
    pub without: Option<Vec<Stage>>,
    /// When they take private data out of payloads.
    pub gate: Option<PrivacyGate>,
    /// How their trust moves.
    pub trust_model: Option<Option<Model>>,
    /// Whether they have circuit breakers.
    pub breaker: Option<bool>,
    /// Which payloads they screen.
    pub screening: Option<Screening>,
}

/// Whom some trust, and how far.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrustSpec {
    /// Who trusts.
    pub by: Vec<PeerId>,
    /// Whom.
    pub of: Vec<PeerId>,
    /// How far.
    pub level: Level,
}

/// Who lets whom use what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExposeSpec {
    /// Who opts in.
    pub by: Vec<PeerId>,
    /// Who may use it.
    pub to: Vec<PeerId>,
    /// What.
    pub capability: Capability,
    /// The level it needs beyond that of its name.
    pub level: Level,
    /// How often they may hand it on.
    pub depth: u8,
}

/// What may be spent in somebody's name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BudgetSpec {
    /// In whose; each of them has as much.
    pub by: Vec<PeerId>,
    /// The most.
    pub cap: Amount,
    /// How often what they ask for may be handed on.
    pub hops: u8,
}

/// Who lets whom act in its stead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GrantSpec {
    /// Who gives the permission.
    pub by: Vec<PeerId>,
    /// To whom.
    pub to: Vec<PeerId>,
    /// Where it is shown.
    pub at: Vec<PeerId>,
    /// For which ability.
    pub capability: Capability,
}

/// Who hands on what it is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DelegateSpec {
    /// Who.
    pub by: Vec<PeerId>,
    /// What it is asked for by this ability.
    pub capability: Capability,
    /// To whom; drawn anew for each part, never the peer itself.
    pub to: Vec<PeerId>,
    /// In how many parts.
    pub parts: u8,
    /// How much of the money goes with them, in hundredths.
    pub percent: u8,
}

/// Who is to own what a hand-off is about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ClaimKind {
    /// Whoever asks.
    #[default]
    Acquire,
    /// Another, in the place of whoever asks and owns it.
    HandOver,
    /// Nobody, in the place of whoever asks and owns it.
    Release,
}

/// Errands that the users of some peers want done by others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ErrandLoad {
    /// Whose users.
    pub by: Vec<PeerId>,
    /// By whom; drawn anew for each errand, never the peer itself.
    pub to: Vec<PeerId>,
    /// What kind; one that changes shared state is decided, not sent.
    pub kind: ActionKind,
    /// By which ability; none is that of the kind.
    pub capability: Option<Capability>,
    /// How often, per peer.
    pub rate: Rate,
    /// How regularly.
    pub arrivals: Arrivals,
    /// The first at this time.
    pub from: SimDuration,
    /// None at or after; none is the end of the run.
    pub until: Option<SimDuration>,
    /// Bytes of its payload, if that is filler.
    pub bytes: u64,
    /// The chance that its payload is a document with a canary in it.
    pub canaries: Probability,
    /// The chance that its payload is a document with a prompt injection in it.
    pub injections: Probability,
    /// What it is worth and may cost, in millionths of a USD.
    pub micro_usd: u32,
    /// How many tokens it may cost.
    pub tokens: u64,
    /// How often it may be handed on by the source's permission.
    pub hand_on: u8,
    /// What a hand-off is about; none is nothing that anybody owns.
    pub resource: Option<u32>,
    /// Who is to own that.
    pub claim: ClaimKind,
    /// How long it may take.
    pub lifetime: SimDuration,
}
