//! Why an envelope is refused: the reason that is kept, and the code that is told.

use std::fmt;

use borsh::{BorshDeserialize, BorshSerialize};

use crate::fold_enum;

use super::receiver::Stage;

/// Why an envelope was refused, for the receiver's own record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Refusal {
    /// More bytes than the receiver takes.
    TooLarge,
    /// Not one whole frame.
    BadFrame,
    /// Not the canonical bytes of an envelope, or fields that contradict each other.
    BadSchema,
    /// Not signed by the source that it names.
    BadSignature,
    /// For somebody else.
    WrongAudience,
    /// Not in an open session of its source.
    NoSession,
    /// Issued in the future.
    NotYet,
    /// Expired.
    Expired,
    /// Seen before, or of a time of which nothing is remembered.
    Replayed,
    /// Too many of this source to remember.
    Busy,
    /// Its source was revoked, superseded or is disputed.
    Barred,
    /// The breaker is open.
    BreakerOpen,
    /// Its content is against the policy.
    PolicyBlocked,
    /// Nobody allowed it.
    Denied,
    /// Another action of the same source has this id.
    Conflict,
    /// It was handed on too often.
    TooFar,
    /// Nobody pays for it.
    OverBudget,
    /// What it was handed on to others for did not get done.
    NotDoneOnward,
}

fold_enum!(Refusal {
    0 = TooLarge {},
    1 = BadFrame {},
    2 = BadSchema {},
    3 = BadSignature {},
    4 = WrongAudience {},
    5 = NoSession {},
    6 = NotYet {},
    7 = Expired {},
    8 = Replayed {},
    9 = Busy {},
    10 = Barred {},
    11 = BreakerOpen {},
    12 = PolicyBlocked {},
    13 = Denied {},
    14 = Conflict {},
    15 = TooFar {},
    16 = OverBudget {},
    17 = NotDoneOnward {},
});

/// What a refused sender is told. One constant for everything that he could otherwise tell apart
/// by asking: nobody learns from it what he may, what is left, or who is known.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, BorshSerialize, BorshDeserialize,
)]
pub enum Code {
    /// The bytes are not an envelope.
    Malformed,
    /// It does not prove whose it is.
    Unauthentic,
    /// It is of another time.
    Stale,
    /// Later, perhaps.
    Busy,
    /// No.
    Denied,
}

fold_enum!(Code {
    0 = Malformed {},
    1 = Unauthentic {},
    2 = Stale {},
    3 = Busy {},
    4 = Denied {},
});

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Malformed => "MALFORMED",
            Self::Unauthentic => "UNAUTHENTIC",
            Self::Stale => "STALE",
            Self::Busy => "BUSY",
            Self::Denied => "DENIED",
        })
    }
}

impl Refusal {
    /// All reasons, in the order of the checks.
    pub const ALL: [Self; 18] = [
        Self::TooLarge,
        Self::BadFrame,
        Self::BadSchema,
        Self::BadSignature,
        Self::WrongAudience,
        Self::NoSession,
        Self::NotYet,
        Self::Expired,
        Self::Replayed,
        Self::Busy,
        Self::Barred,
        Self::BreakerOpen,
        Self::PolicyBlocked,
        Self::Denied,
        Self::Conflict,
        Self::TooFar,
        Self::OverBudget,
        Self::NotDoneOnward,
    ];

    /// The constant reason for counters and tables.
    pub const fn reason(self) -> &'static str {
        match self {
            Self::TooLarge => "too-large",
            Self::BadFrame => "bad-frame",
            Self::BadSchema => "bad-schema",
            Self::BadSignature => "bad-signature",
            Self::WrongAudience => "wrong-audience",
            Self::NoSession => "no-session",
            Self::NotYet => "not-yet",
            Self::Expired => "expired",
            Self::Replayed => "replayed",
            Self::Busy => "busy",
            Self::Barred => "barred",
            Self::BreakerOpen => "breaker-open",
            Self::PolicyBlocked => "policy-blocked",
            Self::Denied => "denied",
            Self::Conflict => "action-conflict",
            Self::TooFar => "too-many-hops",
            Self::OverBudget => "over-budget",
            Self::NotDoneOnward => "not-done-onward",
        }
    }

    /// Which stage refuses so.
    pub const fn stage(self) -> Stage {
        match self {
            Self::TooLarge | Self::BadFrame => Stage::Framing,
            Self::BadSchema => Stage::Schema,
            Self::BadSignature => Stage::Signature,
            Self::WrongAudience => Stage::Audience,
            Self::NoSession => Stage::Session,
            Self::NotYet | Self::Expired => Stage::Freshness,
            Self::Replayed | Self::Busy => Stage::Replay,
            Self::Barred => Stage::Revocation,
            Self::BreakerOpen => Stage::Breaker,
            Self::PolicyBlocked => Stage::Policy,
            Self::Denied => Stage::Authorisation,
            Self::TooFar | Self::OverBudget => Stage::Budget,
            Self::Conflict | Self::NotDoneOnward => Stage::Execution,
        }
    }

    /// What the sender is told.
    pub const fn code(self) -> Code {
        match self {
            Self::TooLarge | Self::BadFrame | Self::BadSchema => Code::Malformed,
            Self::BadSignature | Self::WrongAudience | Self::NoSession => Code::Unauthentic,
            Self::NotYet | Self::Expired | Self::Replayed => Code::Stale,
            Self::Busy => Code::Busy,
            Self::Barred
            | Self::BreakerOpen
            | Self::PolicyBlocked
            | Self::Denied
            | Self::Conflict
            | Self::TooFar
            | Self::OverBudget
            | Self::NotDoneOnward => Code::Denied,
        }
    }
}
