//! Which attack convicts which mistake, and of what.

use fedsim_protocols::pbft::mutants::*;
use fedsim_record::Summary;
use fedsim_scenarios::Scenario;

use super::attacks::{self, Attack};
use super::judged;

/// One mistake and what brings it to light.
pub(super) struct Case {
    pub(super) mistake: &'static str,
    /// The rule that it breaks.
    pub(super) rule: &'static str,
    /// Where the rule stands.
    pub(super) section: &'static str,
    pub(super) attack: Attack,
    /// The invariant that must convict it.
    pub(super) wanted: &'static str,
    /// Runs the mistake.
    pub(super) judged: fn(&Scenario) -> Summary,
}

macro_rules! cases {
    ($($mistake:ident, $attack:ident, $wanted:literal: $section:literal $rule:literal;)*) => {
        /// Every mistake that a run shows.
        pub(super) const CASES: &[Case] = &[$(Case {
            mistake: stringify!($mistake),
            rule: $rule,
            section: $section,
            attack: attacks::$attack,
            wanted: concat!("pbft/", $wanted),
            judged: judged::<$mistake>,
        }),*];
    };
}

cases! {
    DigestIgnored, EQUIVOCATION, "agreement": "4.2" "votes match on view, sequence number and digest";
    MembersUnchecked, IMPERSONATION, "agreement": "4.2" "a vote is signed by the replica that it names";
    SignaturesUnchecked, IMPERSONATION, "agreement": "4" "a signature must verify";
    SignaturesUnchecked, INVENTED_REQUESTS, "validity": "4.1" "a request is signed by its client";
    SecondPrePrepareAccepted, MUTATION, "certificates": "4.2" "one digest is accepted for a view and sequence number";
    BatchUnchecked, SWAPPED_BATCHES, "total-order": "4.2" "the batch has the digest under the primary's signature";
    PrimaryPrepares, EQUIVOCATION, "liveness": "4.2" "the primary's prepare does not count beside its pre-prepare";
    DuplicatesCounted, REPEATED_VOTES, "certificates": "4.2" "votes are of different replicas";
    DomainsShared, RECAST_VOTES, "certificates": "4.2" "a prepare is no commit";
    QuorumOfTwoThirds, EQUIVOCATION_5, "agreement": "4.2" "two quorums share an honest replica, whatever n is";
    QuorumOfTwoThirds, EQUIVOCATION_6, "agreement": "4.2" "two quorums share an honest replica, whatever n is";
    QuorumOfTwoThirds, PLOT_8, "agreement": "4.2" "two quorums share an honest replica, whatever n is";
    QuorumOfTwoThirds, PLOT_9, "agreement": "4.2" "two quorums share an honest replica, whatever n is";
    GapsSkipped, LOST_ASSIGNMENTS, "total-order": "4.2" "a batch executes directly after its predecessor";
    ExecutedAgain, EQUIVOCATION, "integrity": "4.1" "a request executes once";
    FirstReplyAccepted, FALSE_REPLIES, "client-validity": "4.1" "a client waits for f+1 equal replies";
    StateUnchecked, STATE, "checkpoints": "TOCS 5.3" "a transferred state has the digest that a quorum vouches for";
    CertificatesUnchecked, FORGED_VIEW_CHANGES, "validity": "4.4" "a view-change proves what it claims";
    JoinsAnyone, STORM_OF_VIEWS, "liveness": "4.5.2" "it takes f+1 others to pull a replica along";
    JoinsLargest, STORM_OF_VIEWS, "liveness": "4.5.2" "a replica joins the smallest of the later views";
}

/// Mistakes that no attack here shows, and where they are.
pub(super) const UNREACHED: &[(&str, &str)] = &[
    (
        "VotesForgotten",
        "convicted by storms of crashes and cuts in which nobody lies",
    ),
    (
        "TentativeKept",
        "convicted by storms of crashes and cuts in which nobody lies",
    ),
    (
        "WindowUnbounded",
        "convicted by storms of crashes and cuts in which nobody lies",
    ),
    (
        "AnyViewCertified",
        "no attack was tried: up to f liars should prove nothing in a view that has not begun",
    ),
    (
        "EpochUnchecked",
        "no attack was tried: places go on from one roster to the next, so that old votes should fit no new place",
    ),
    (
        "CheckpointUnchecked",
        "no attack was tried: an honest replica's own state should never be wrong",
    ),
    ("FirstCertificateWins", "no attack was tried"),
    (
        "LowestViewWins",
        "stale certificates were tried over 36 seeds and left no two true ones for one place",
    ),
    (
        "NewViewUnchecked",
        "half-commits under a one-way cut of the primary were tried over 9 seeds and dropped nothing that had committed",
    ),
    (
        "TimerNeverDoubled",
        "delays of 300 ms against a timeout of 500 ms were tried over 9 seeds",
    ),
    ("NeverJoins", "no attack was tried"),
    ("ImpatientTimer", "no attack was tried"),
    ("StuckCatchingUp", "no attack was tried"),
];
