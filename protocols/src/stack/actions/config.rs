//! How a peer deals with others: which checks stand, and how long things take.

use crate::federation::audit::AuditConfig;
use crate::federation::envelope::{EnvelopeConfig, Stage};
use crate::time::SimDuration;

use crate::stack::sessions::TransportConfig;

use super::conduct::ConductConfig;
use super::onward::Delegation;
use super::purse::Pool;

/// How a peer deals with others.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ActionsConfig {
    /// What is checked of an envelope.
    pub envelope: EnvelopeConfig,
    /// Which checks stand; the rest are layers left out.
    pub stages: Vec<Stage>,
    /// How long a source waits for an answer before it sends again.
    pub resend_after: SimDuration,
    /// The least that a piece of work takes.
    pub work_min: SimDuration,
    /// The most that it takes.
    pub work_max: SimDuration,
    /// When what must not leave is taken out of a payload.
    pub gate: PrivacyGate,
    /// What follows from how others behave.
    pub conduct: ConductConfig,
    /// Which payloads are screened for prompt injections.
    pub screening: Screening,
    /// How the audit log is kept, if [`Stage::Audit`] stands.
    pub audit: AuditConfig,
    /// What may be spent on what it asks for; without, whoever works for it bears the cost.
    pub pool: Option<Pool>,
    /// What it hands on.
    pub delegations: Vec<Delegation>,
    /// How peers prove to each other who they are. Sessions are judged by [`Stage::Session`].
    pub transport: TransportConfig,
}

/// When private data is taken out of a payload.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum PrivacyGate {
    /// Before the action is signed and sent.
    #[default]
    BeforeSend,
    /// Once it is under way: what is found is known, and gone.
    AfterSend,
    /// Never.
    Off,
}

/// Which payloads are screened for prompt injections.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Screening {
    /// None.
    #[default]
    Off,
    /// What others send.
    Inbound,
    /// What others send, and what is sent to them.
    Both,
}

impl Default for ActionsConfig {
    /// All checks, 2 s for an answer, no time for work. No sessions, and no stage that
    /// asks for them.
    fn default() -> Self {
        let stages = Stage::ORDER.into_iter();
        Self {
            envelope: EnvelopeConfig::default(),
            stages: stages.filter(|stage| *stage != Stage::Session).collect(),
            resend_after: SimDuration::from_secs(2),
            work_min: SimDuration::ZERO,
            work_max: SimDuration::ZERO,
            gate: PrivacyGate::default(),
            conduct: ConductConfig::default(),
            screening: Screening::default(),
            audit: AuditConfig::default(),
            pool: None,
            delegations: Vec::new(),
            transport: TransportConfig::default(),
        }
    }
}
