//! What a story can say of SWIM.

use fedsim_protocols::PeerId;
use fedsim_protocols::swim::{Swim, SwimTimer};

use super::Dialect;

/// The words for SWIM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SwimWords {}

impl Dialect for SwimWords {
    type Protocol = Swim;
    type Fact = SwimFact;
    type Ask = SwimAsk;
    type Claim = SwimClaim;

    const TIMERS: &'static [&'static str] = &[
        "period",
        "probe-timeout",
        "relay",
        "suspicion",
        "gossip",
        "push-pull",
        "join-retry",
        "leave-timeout",
    ];

    fn timer(timer: &SwimTimer) -> &'static str {
        match timer {
            SwimTimer::Period => "period",
            SwimTimer::ProbeTimeout => "probe-timeout",
            SwimTimer::Relay { .. } => "relay",
            SwimTimer::Suspicion { .. } => "suspicion",
            SwimTimer::Gossip => "gossip",
            SwimTimer::PushPull => "push-pull",
            SwimTimer::JoinRetry => "join-retry",
            SwimTimer::LeaveTimeout => "leave-timeout",
        }
    }
}

/// A member begins with what its scenario says; nothing more can be given to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SwimFact {}

/// What a member can be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SwimAsk {
    /// To leave the group.
    Leave,
    /// To join it through this member.
    Join(PeerId),
}

/// What a member believes of another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Belief {
    /// That it lives.
    Alive,
    /// That it may be dead.
    Suspect,
    /// That it is dead.
    Dead,
    /// That it left.
    Left,
    /// Nothing: it never heard of it, or has forgotten it.
    Unknown,
}

/// What can be claimed of a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SwimClaim {
    /// It believes this of another.
    Believes {
        /// Of whom; of oneself, what one says of oneself.
        of: PeerId,
        /// What.
        belief: Belief,
        /// At this incarnation, if one is named: generation in the upper half.
        incarnation: Option<u64>,
    },
    /// Its local health score, 0 for healthy.
    Health(u64),
    /// It takes so many for alive or suspect, itself included.
    Live(u64),
}
