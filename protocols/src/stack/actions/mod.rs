//! Actions that go from one peer to another: asked for, judged, done, and answered by a receipt.
//!
//! ```text
//!   source                                   audience
//!   sign ── action ─────────────────────────▶ judge ▸ remember (durable) ▸ work ▸ effect
//!        ◀───────────────────────── receipt ── remember (durable)
//!        ◀───────────────────────── refusal    a constant code
//! ```
//!
//! An action that is not answered in time is sent again, the same action in a new envelope, until
//! it has expired; then its outcome is unknown, and is said to be. Both sides keep a log of it:
//! `records` writes it, `desk` acts on it. Must not know councils.

mod addresses;
mod around;
mod bid;
mod book;
mod channels;
mod conduct;
mod config;
mod counter;
mod departures;
mod desk;
mod gossip;
mod office;
mod onward;
mod purse;
mod records;
mod regard;
mod rotation;
mod spending;

pub use bid::{Bid, BidName, BidStep};
pub use conduct::ConductConfig;
pub use config::{ActionsConfig, PrivacyGate, Screening};
pub use counter::ActionRecord;
pub use office::Directory;
pub(super) use office::{Office, Posting};
pub use onward::Delegation;
pub use purse::Pool;

use std::fmt;

use crate::federation::envelope::{Action, Code, framed_len};
use crate::federation::sanitise::Kind;
use crate::federation::terms::{ActionId, ActionKind, Capability, Digest, Money};
use crate::fold_struct;
use crate::peer::PeerId;
use crate::signed::Signed;
use crate::time::{LocalTime, SimDuration};

/// What a user wants another peer to do.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Errand {
    /// Who is asked.
    pub to: PeerId,
    /// What kind of action.
    pub kind: ActionKind,
    /// Which ability of the other it uses.
    pub capability: Capability,
    /// What goes with it.
    pub payload: Vec<u8>,
    /// How long it may take, by this peer's clock.
    pub lifetime: SimDuration,
    /// Most tokens that it may cost.
    pub tokens_max: u64,
    /// Most money that it may cost.
    pub money_max: Money,
    /// How often it may be handed on by the source's permission.
    pub hand_on: u8,
    /// Canaries that stand in the payload, with their kinds. For checkers alone: no layer reads
    /// them.
    pub planted: Vec<(Kind, String)>,
    /// Whether the payload was made to mislead whoever reads it. For checkers alone.
    pub is_hostile: bool,
}

fold_struct!(Errand {
    to,
    kind,
    capability,
    payload,
    lifetime,
    tokens_max,
    money_max,
    hand_on,
    planted,
    is_hostile
});

/// Without the bytes of the payload, which would drown whatever else is told.
impl fmt::Debug for Errand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Errand")
            .field("to", &self.to)
            .field("kind", &self.kind)
            .field("capability", &self.capability)
            .field("payload", &format_args!("{} B", self.payload.len()))
            .field("tokens_max", &self.tokens_max)
            .field("money_max", &self.money_max)
            .field("hand_on", &self.hand_on)
            .finish_non_exhaustive()
    }
}

/// How an errand ended, as far as the source knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Ending {
    /// It was done; a receipt proves it.
    Done,
    /// It was refused, in the words of the audience.
    Refused(Code),
    /// Nobody answered before it expired.
    Unknown,
}

impl crate::fold::Fold for Ending {
    fn fold(&self, into: &mut crate::fold::Folder) {
        match self {
            Self::Done => into.u64(0),
            Self::Refused(code) => {
                into.u64(1);
                code.fold(into);
            }
            Self::Unknown => into.u64(2),
        }
    }
}

/// What an action did, as its executor saw it: what the checkers judge.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Effect {
    /// Which action.
    pub action: ActionId,
    /// Whose.
    pub source: crate::identity::Identity,
    /// What kind.
    pub kind: ActionKind,
    /// By which ability.
    pub capability: Capability,
    /// The digest of what went with it.
    pub content: Digest,
    /// Bytes of the envelope on the wire.
    pub bytes: u64,
    /// When it was first sent, by its source's clock.
    pub issued_at: LocalTime,
    /// When it expires, by its source's clock.
    pub expires_at: LocalTime,
    /// When it had its effect, by the executor's clock.
    pub at: LocalTime,
}

impl Effect {
    /// What an action did, done at `at`.
    fn of(action: &Signed<Action>, at: LocalTime) -> Self {
        Self {
            action: action.id,
            source: action.source,
            kind: action.kind,
            capability: action.capability.clone(),
            content: Digest::of(&action.payload),
            bytes: framed_len(action) as u64,
            issued_at: action.issued_at,
            expires_at: action.expires_at,
            at,
        }
    }
}

fold_struct!(Effect {
    action,
    source,
    kind,
    capability,
    content,
    bytes,
    issued_at,
    expires_at,
    at
});
