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
    SecondPrePrepareAccepted, ROUNDS, "certificates": "4.2" "one digest is accepted for a view and sequence number";
    BatchUnchecked, SWAPPED_BATCHES, "total-order": "4.2" "the batch has the digest under the primary's signature";
    PrimaryPrepares, EQUIVOCATION, "liveness": "4.2" "the primary's prepare does not count beside its pre-prepare";
    DuplicatesCounted, REPEATED_VOTES, "certificates": "4.2" "votes are of different replicas";
    DuplicatesCounted, ROUNDS, "certificates": "4.2" "votes are of different replicas";
    DomainsShared, RECAST_VOTES, "certificates": "4.2" "a prepare is no commit";
    QuorumOfTwoThirds, EQUIVOCATION_5, "agreement": "4.2" "two quorums share an honest replica, whatever n is";
    QuorumOfTwoThirds, EQUIVOCATION_6, "agreement": "4.2" "two quorums share an honest replica, whatever n is";
    QuorumOfTwoThirds, PLOT_8, "agreement": "4.2" "two quorums share an honest replica, whatever n is";
    QuorumOfTwoThirds, PLOT_9, "agreement": "4.2" "two quorums share an honest replica, whatever n is";
    GapsSkipped, LOST_ASSIGNMENTS, "total-order": "4.2" "a batch executes directly after its predecessor";
    GapsSkipped, ROUNDS, "total-order": "4.2" "a batch executes directly after its predecessor";
    ExecutedAgain, EQUIVOCATION, "integrity": "4.1" "a request executes once";
    FirstReplyAccepted, FALSE_REPLIES, "client-validity": "4.1" "a client waits for f+1 equal replies";
    StateUnchecked, STATE, "checkpoints": "TOCS 5.3" "a transferred state has the digest that a quorum vouches for";
    CertificatesUnchecked, FORGED_VIEW_CHANGES, "validity": "4.4" "a view-change proves what it claims";
    NewViewUnchecked, DROPPED_BATCHES, "agreement": "4.4" "a backup computes what a new view reissues by itself";
    FirstCertificateWins, STALE_CERTIFICATES, "agreement": "4.4" "of two certificates that of the higher view wins";
    LowestViewWins, STALE_CERTIFICATES, "agreement": "4.4" "of two certificates that of the higher view wins";
    NeverJoins, LEFT_BEHIND, "liveness": "4.5.2" "f+1 others in later views pull a replica along";
    ImpatientTimer, LONELY, "liveness": "4.5.2" "the timer for a new view runs once a quorum asked for it";
    TimerNeverDoubled, SLOW_NETWORK, "liveness": "4.5.2" "timeouts double";
    EpochUnchecked, BYGONE_VOTES, "agreement": "ours" "votes are for the roster in force";
    SpeaksTooSoon, SLOW_DISK, "agreement": "ours" "a vote counts once the disk has what it rests on";
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
        "a certificate of the wanted view or a later one takes q-f honest replicas that entered that view; those who may still vote in the wanted one are too few for another batch, since 2(q-f) > n-f, so that f liars gain nothing by it",
    ),
    (
        "CheckpointUnchecked",
        "f liars give an honest replica no state of its own that a quorum does not vouch for; the rule is there for faults that are not modelled, such as memory that decays",
    ),
    (
        "StuckCatchingUp",
        "a replica that lacks batches sits out one view and has caught up before the next; the time promised has room for one more view",
    ),
];
