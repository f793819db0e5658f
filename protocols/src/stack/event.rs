//! What a peer of a federation reports, its inner machines' facts included.

use std::collections::BTreeMap;

use crate::event::Event;
use crate::federation::audit::Record;
use crate::federation::envelope::Refusal;
use crate::federation::identity::IdentityRecord;
use crate::federation::ownership::Resource;
use crate::federation::terms::{ActionId, ActionKind, Amount, Capability, SessionId};
use crate::federation::transport::End;
use crate::federation::trust::{Assessment, Step};
use crate::fold_enum;
use crate::identity::Identity;
use crate::outbox::RequestId;
use crate::pbft::PbftEvent;
use crate::peer::PeerId;
use crate::raft::RaftEvent;
use crate::time::SimDuration;

use super::Scope;
use super::actions::{Effect, Ending};
use super::council::Proposal;

/// A fact about one peer of a federation.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum StackEvent {
    /// Its Raft server or client reports.
    Raft {
        /// What.
        event: RaftEvent,
    },
    /// Its PBFT replica or client reports.
    Pbft {
        /// What.
        event: PbftEvent,
    },
    /// It put a proposal to a council.
    Proposed {
        /// The proposal.
        proposal: Proposal,
    },
    /// It learned that a proposal was decided, for the first time in this life.
    Decided {
        /// Whom it binds.
        scope: Scope,
        /// The proposal.
        proposal: Proposal,
    },
    /// It asked another peer to do something.
    ActionSent {
        /// Which user's request it is for; none if it was handed on.
        request: Option<RequestId>,
        /// Which action.
        action: ActionId,
        /// Whom it asked.
        to: Identity,
        /// What kind.
        kind: ActionKind,
        /// By which ability of the other.
        capability: Capability,
        /// The plaintext that enters the transport.
        payload: Vec<u8>,
    },
    /// It found, once an action was under way, what should not have left.
    PrivateDataSent {
        /// For whom.
        to: Identity,
        /// How many pieces.
        found: u64,
    },
    /// It did not ask: nothing of what was to be said may leave, or there is no such peer.
    ActionWithheld {
        /// Which user's request it was for; none if it was to be handed on.
        request: Option<RequestId>,
        /// Whom it was to ask.
        to: PeerId,
    },
    /// What it had asked for came to an end.
    ActionEnded {
        /// Which action.
        action: ActionId,
        /// How.
        ending: Ending,
    },
    /// It did what another had asked for.
    ActionExecuted {
        /// What.
        effect: Effect,
    },
    /// It refused what another had asked for.
    ActionRefused {
        /// From where it came.
        from: PeerId,
        /// Who asked, as the envelope says.
        source: Option<Identity>,
        /// Why.
        refusal: Refusal,
    },
    /// It was answered by what proves nothing.
    AnsweredBadly {
        /// Whom it had asked.
        of: Identity,
    },
    /// The first byte of an action left.
    ActionLeft {
        /// Which action.
        action: ActionId,
    },
    /// It wrote a record of its audit log, which is not durable yet.
    Recorded {
        /// The record.
        record: Box<Record>,
    },
    /// Records of its audit log are durable.
    RecordsDurable {
        /// Up to this number.
        upto: u64,
    },
    /// It began again with the audit log that its disk holds.
    RecordsFound {
        /// Up to this number.
        upto: u64,
    },
    /// Work that another had asked for begins.
    WorkBegun {
        /// Which action.
        action: ActionId,
        /// Whose.
        source: Identity,
        /// By which ability.
        capability: Capability,
    },
    /// It trusts another peer further or less far than before.
    TrustMoved {
        /// Whom.
        of: Identity,
        /// From where to where, and why.
        step: Step,
    },
    /// The score of another peer has changed.
    TrustScored {
        /// To what, and out of what.
        assessment: Box<Assessment>,
    },
    /// The breaker of another peer has changed.
    BreakerMoved {
        /// Whose.
        of: Identity,
        /// The state before.
        from: &'static str,
        /// The state after.
        to: &'static str,
    },
    /// It asks another for part of what it was asked for itself.
    HandedOn {
        /// What it was asked for.
        whole: ActionId,
        /// The part.
        action: ActionId,
    },
    /// It begins to spend what another pays for.
    SpendingBegun {
        /// On which action.
        action: ActionId,
        /// Who pays.
        issuer: Identity,
        /// How much it may be.
        amount: Amount,
    },
    /// It has spent what another pays for.
    Spent {
        /// On which action.
        action: ActionId,
        /// Who pays.
        issuer: Identity,
        /// How much it was.
        amount: Amount,
    },
    /// It was told what an action has cost that it pays for.
    CostReported {
        /// Which action.
        action: ActionId,
    },
    /// It learned that a claim was decided which holds.
    LeaseGranted {
        /// On what.
        resource: Resource,
        /// Whose it is.
        owner: Identity,
        /// Under which fencing epoch.
        epoch: u64,
    },
    /// It uses what it owns.
    Used {
        /// What.
        resource: Resource,
        /// Under which fencing epoch.
        epoch: u64,
    },
    /// Somebody uses what it keeps.
    Touched {
        /// What.
        resource: Resource,
        /// Under which fencing epoch.
        epoch: u64,
        /// Whether that passes.
        passes: bool,
    },
    /// It does not pay for something.
    BudgetRefused {
        /// For which action.
        action: ActionId,
        /// Why: a constant.
        reason: &'static str,
    },
    /// It learned something new of a key.
    RecordLearnt {
        /// What.
        record: Box<IdentityRecord>,
        /// Who takes the place of its subject, if anybody.
        heir: Option<Identity>,
        /// Whether that one may act no more.
        is_barred: bool,
        /// Whether that one is a member of its organisation now.
        is_member: bool,
    },
    /// The roster of its council names other keys than before.
    SeatsChanged {
        /// In which epoch.
        epoch: u64,
        /// Who asks and votes, by address.
        seats: BTreeMap<PeerId, Identity>,
    },
    /// An action entered a session that is open.
    ActionSealed {
        /// Which action.
        action: ActionId,
    },
    /// A session is open.
    SessionOpened {
        /// Which.
        session: SessionId,
        /// With which address.
        with: PeerId,
        /// Who that has proven to be, if it had to.
        proven: Option<Identity>,
        /// Whether this peer began it.
        is_client: bool,
        /// How long that took.
        took: SimDuration,
    },
    /// A session, open or not, is over.
    SessionEnded {
        /// Which.
        session: SessionId,
        /// With which address.
        with: PeerId,
        /// Why.
        end: End,
        /// Whether this peer began it.
        is_client: bool,
    },
    /// An input was refused.
    Rejected {
        /// Why: a constant.
        reason: &'static str,
    },
}

fold_enum!(StackEvent {
    1 = Raft { event },
    2 = Pbft { event },
    3 = Proposed { proposal },
    4 = Decided { scope, proposal },
    5 = Rejected { reason },
    6 = ActionSent { request, action, to, kind, capability, payload },
    7 = ActionEnded { action, ending },
    8 = ActionExecuted { effect },
    9 = ActionRefused { from, source, refusal },
    10 = ActionWithheld { request, to },
    11 = PrivateDataSent { to, found },
    12 = ActionLeft { action },
    13 = Recorded { record },
    14 = RecordsDurable { upto },
    15 = RecordsFound { upto },
    16 = WorkBegun { action, source, capability },
    17 = TrustMoved { of, step },
    18 = TrustScored { assessment },
    19 = BreakerMoved { of, from, to },
    50 = HandedOn { whole, action },
    51 = SpendingBegun { action, issuer, amount },
    52 = Spent { action, issuer, amount },
    53 = CostReported { action },
    54 = BudgetRefused { action, reason },
    40 = AnsweredBadly { of },
    55 = LeaseGranted { resource, owner, epoch },
    57 = Used { resource, epoch },
    56 = Touched { resource, epoch, passes },
    24 = SeatsChanged { epoch, seats },
    20 = ActionSealed { action },
    23 = RecordLearnt { record, heir, is_barred, is_member },
    21 = SessionOpened { session, with, proven, is_client, took },
    22 = SessionEnded { session, with, end, is_client },
});

impl Event for StackEvent {
    fn name(&self) -> &'static str {
        match self {
            Self::Raft { event } => event.name(),
            Self::Pbft { event } => event.name(),
            Self::Proposed { .. } => "proposed",
            Self::Decided { .. } => "decided",
            Self::ActionSent { .. } => "action-sent",
            Self::PrivateDataSent { .. } => "private-data-sent",
            Self::ActionWithheld { .. } => "action-withheld",
            Self::ActionEnded { .. } => "action-ended",
            Self::ActionExecuted { .. } => "action-executed",
            Self::ActionRefused { .. } => "action-refused",
            Self::AnsweredBadly { .. } => "answered-badly",
            Self::ActionLeft { .. } => "action-left",
            Self::Recorded { .. } => "recorded",
            Self::RecordsDurable { .. } => "records-durable",
            Self::RecordsFound { .. } => "records-found",
            Self::WorkBegun { .. } => "work-begun",
            Self::TrustMoved { .. } => "trust-moved",
            Self::TrustScored { .. } => "trust-scored",
            Self::BreakerMoved { .. } => "breaker-moved",
            Self::HandedOn { .. } => "handed-on",
            Self::SpendingBegun { .. } => "spending-begun",
            Self::Spent { .. } => "spent",
            Self::CostReported { .. } => "cost-reported",
            Self::BudgetRefused { .. } => "budget-refused",
            Self::LeaseGranted { .. } => "lease-granted",
            Self::Touched { .. } => "touched",
            Self::Used { .. } => "used",
            Self::ActionSealed { .. } => "action-sealed",
            Self::RecordLearnt { .. } => "record-learnt",
            Self::SeatsChanged { .. } => "seats-changed",
            Self::SessionOpened { .. } => "session-opened",
            Self::SessionEnded { .. } => "session-ended",
            Self::Rejected { .. } => "rejected",
        }
    }

    fn rejected(&self) -> Option<&'static str> {
        match self {
            Self::Raft { event } => event.rejected(),
            Self::Pbft { event } => event.rejected(),
            Self::Rejected { reason } | Self::BudgetRefused { reason, .. } => Some(reason),
            Self::ActionRefused { refusal, .. } => Some(refusal.reason()),
            Self::Proposed { .. }
            | Self::Decided { .. }
            | Self::ActionSent { .. }
            | Self::ActionWithheld { .. }
            | Self::PrivateDataSent { .. }
            | Self::ActionEnded { .. }
            | Self::ActionExecuted { .. }
            | Self::AnsweredBadly { .. }
            | Self::ActionLeft { .. }
            | Self::Recorded { .. }
            | Self::RecordsDurable { .. }
            | Self::RecordsFound { .. }
            | Self::WorkBegun { .. }
            | Self::TrustMoved { .. }
            | Self::TrustScored { .. }
            | Self::BreakerMoved { .. }
            | Self::HandedOn { .. }
            | Self::SpendingBegun { .. }
            | Self::Spent { .. }
            | Self::CostReported { .. }
            | Self::LeaseGranted { .. }
            | Self::Touched { .. }
            | Self::Used { .. }
            | Self::ActionSealed { .. }
            | Self::RecordLearnt { .. }
            | Self::SeatsChanged { .. }
            | Self::SessionOpened { .. }
            | Self::SessionEnded { .. } => None,
        }
    }

    fn detail(&self) -> String {
        match self {
            Self::Raft { event } => event.detail(),
            Self::Pbft { event } => event.detail(),
            Self::Proposed { proposal } | Self::Decided { proposal, .. } => {
                format!("number {} of {}", proposal.number, proposal.proposer)
            }
            Self::ActionSent {
                action,
                to,
                capability,
                ..
            } => format!("{action:?}, {capability} of {to:?}"),
            Self::PrivateDataSent { to, found } => format!("{found} pieces to {to:?}"),
            Self::ActionWithheld { to, .. } => format!("for {to}"),
            Self::ActionEnded { action, ending } => format!("{action:?}, {ending:?}"),
            Self::ActionExecuted { effect } => {
                let Effect {
                    action,
                    source,
                    capability,
                    ..
                } = effect;
                format!("{action:?}, {capability} for {source:?}")
            }
            Self::ActionRefused {
                source, refusal, ..
            } => format!("{source:?}, {}", refusal.reason()),
            Self::AnsweredBadly { of } => format!("{of:?}"),
            Self::ActionLeft { action } | Self::ActionSealed { action } => format!("{action:?}"),
            Self::RecordLearnt {
                record, is_barred, ..
            } => match is_barred {
                true => format!("{:?} may act no more", record.subject()),
                false => format!("{:?}", record.subject()),
            },
            Self::SeatsChanged { epoch, seats } => {
                format!("epoch {epoch}, {} members", seats.len())
            }
            Self::SessionOpened {
                session,
                with,
                took,
                ..
            } => format!("{session:?} with {with}, after {took}"),
            Self::SessionEnded {
                session, with, end, ..
            } => format!("{session:?} with {with}, {}", end.reason()),
            Self::Recorded { record } => record.in_words(),
            Self::RecordsDurable { upto } | Self::RecordsFound { upto } => format!("to {upto}"),
            Self::WorkBegun { action, source, .. } => format!("{action:?} for {source:?}"),
            Self::TrustMoved { of, step } => format!(
                "{of:?}, {} to {}, {}",
                step.from.name(),
                step.to.name(),
                step.why.name()
            ),
            Self::TrustScored { assessment } => {
                format!("{:?}, {}", assessment.peer, assessment.score)
            }
            Self::BreakerMoved { of, from, to } => format!("{of:?}, {from} to {to}"),
            Self::Rejected { reason } => (*reason).to_owned(),
            money_or_lease => money_or_lease.account(),
        }
    }
}

impl StackEvent {
    /// What it says of budgets and leases.
    fn account(&self) -> String {
        match self {
            Self::HandedOn { whole, action } => format!("{action:?} of {whole:?}"),
            Self::SpendingBegun {
                action,
                issuer,
                amount,
            }
            | Self::Spent {
                action,
                issuer,
                amount,
            } => {
                let Amount { tokens, money } = amount;
                format!("{action:?}, {money} and {tokens} tokens of {issuer:?}")
            }
            Self::CostReported { action } => format!("{action:?}"),
            Self::LeaseGranted {
                resource: Resource(resource),
                owner,
                epoch,
            } => format!("resource {resource}, epoch {epoch}, to {owner:?}"),
            Self::Touched {
                resource: Resource(resource),
                epoch,
                passes,
            } => format!("resource {resource}, epoch {epoch}, passes {passes}"),
            Self::BudgetRefused { action, reason } => format!("{action:?}, {reason}"),
            other => other.name().to_owned(),
        }
    }
}
