//! PBFT with one mistake each: what checkers, tests and searches must be able to find.
//!
//! Each is a mistake known from the literature or from real code bases, as the override of one
//! rule. Must not be used for anything but to be caught.

use crate::time::SimDuration;

use super::numbers::{Digest, Sequence, View};
use super::roster::Roster;
use super::rules::{Rules, VoteKind};

macro_rules! mutants {
    ($($(#[$doc:meta])* $name:ident { $($body:tt)* })*) => {
        $(
            $(#[$doc])*
            #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
            pub struct $name;

            impl Rules for $name {
                $($body)*
            }
        )*
        /// The names of all mutants.
        pub const NAMES: &[&str] = &[$(stringify!($name)),*];
    };
}

mutants! {
    /// Votes are counted whatever digest they name.
    DigestIgnored {
        fn digest_matches(_voted: Digest, _wanted: Digest) -> bool { true }
    }
    /// Votes of strangers are counted.
    MembersUnchecked {
        fn is_member(_key_is_of_member: bool) -> bool { true }
    }
    /// A second assignment of a place replaces the first.
    SecondPrePrepareAccepted {
        fn accepts_assignment(_accepted: Option<Digest>, _offered: Digest) -> bool { true }
    }
    /// The quorum is 2f+1 whatever n is.
    QuorumOfTwoThirds {
        fn is_quorum(votes: usize, roster: &Roster) -> bool { votes > 2 * roster.f() }
        fn is_prepared(prepares: usize, roster: &Roster) -> bool { prepares >= 2 * roster.f() }
        fn awaits_new_view(asked: usize, roster: &Roster) -> bool { asked > 2 * roster.f() }
    }
    /// A view-change may carry certificates of any view.
    AnyViewCertified {
        fn is_earlier_view(_certificate: View, _wanted: View) -> bool { true }
    }
    /// The certificates of a view-change are believed unseen.
    CertificatesUnchecked {
        fn certificate_holds(_proven: bool) -> bool { true }
    }
    /// Of several certificates the first one found wins.
    FirstCertificateWins {
        fn supersedes(_view: View, _best: View) -> bool { false }
    }
    /// Of several certificates that of the lowest view wins.
    LowestViewWins {
        fn supersedes(view: View, best: View) -> bool { view < best }
    }
    /// Backups enter whatever view the primary sends.
    NewViewUnchecked {
        fn new_view_holds(_recomputed_equal: bool) -> bool { true }
    }
    /// One replica's votes are counted again and again.
    DuplicatesCounted {
        fn counts_vote(_voted_before: bool) -> bool { true }
    }
    /// The primary's own prepare counts beside its pre-prepare.
    PrimaryPrepares {
        fn counts_prepare_of(_is_primary: bool) -> bool { true }
    }
    /// What committed is executed, whatever is missing before it.
    GapsSkipped {
        fn may_execute(sequence: Sequence, executed: Sequence) -> bool { sequence > executed }
    }
    /// A request executes each time it is ordered.
    ExecutedAgain {
        fn executes_again(_executed_before: bool) -> bool { true }
    }
    /// The timeout stays what it was.
    TimerNeverDoubled {
        fn timeout(base: SimDuration, _max: SimDuration, _consecutive: u32) -> SimDuration { base }
    }
    /// A replica never follows others into a later view.
    NeverJoins {
        fn joins(_others_ahead: usize, _roster: &Roster) -> bool { false }
    }
    /// A single replica pulls all others along.
    JoinsAnyone {
        fn joins(others_ahead: usize, _roster: &Roster) -> bool { others_ahead > 0 }
    }
    /// Replicas go for the largest of the later views.
    JoinsLargest {
        fn view_to_join(views: &[View]) -> Option<View> { views.iter().max().copied() }
    }
    /// The timer for a new view runs as soon as one wants it.
    ImpatientTimer {
        fn awaits_new_view(_asked: usize, _roster: &Roster) -> bool { true }
    }
    /// A replica that must catch up never leaves its view change.
    StuckCatchingUp {
        fn takes_part_while_fetching() -> bool { false }
    }
    /// Any quorum's checkpoint is taken for one's own.
    CheckpointUnchecked {
        fn checkpoint_matches(_own: Digest, _stable: Digest) -> bool { true }
    }
    /// Whatever state a peer sends is adopted.
    StateUnchecked {
        fn state_matches(_state: Digest, _proven: Digest) -> bool { true }
    }
    /// Signatures are not looked at.
    SignaturesUnchecked {
        fn signature_holds(_verified: bool) -> bool { true }
    }
    /// A prepare's signature serves as a commit's.
    DomainsShared {
        fn domains(_kind: VoteKind) -> &'static [VoteKind] {
            &[VoteKind::Prepare, VoteKind::Commit]
        }
    }
    /// The batch need not be the one that was assigned.
    BatchUnchecked {
        fn batch_matches(_batch: Digest, _signed: Digest) -> bool { true }
    }
    /// The primary may use any sequence number below the high watermark of another window.
    WindowUnbounded {
        fn is_in_window(sequence: Sequence, low: Sequence, window: u64) -> bool {
            sequence > low && sequence <= low.plus(window.saturating_mul(1_000))
        }
    }
    /// A replica forgets its votes when it restarts.
    VotesForgotten {
        fn remembers_votes() -> bool { false }
    }
    /// Tentative executions stay when their view ends.
    TentativeKept {
        fn undoes_tentative() -> bool { false }
    }
    /// A client believes the first reply.
    FirstReplyAccepted {
        fn accepts_result(votes: usize, _needed: usize) -> bool { votes > 0 }
    }
    /// A replica counts its vote while its disk does not have it.
    SpeaksTooSoon {
        fn waits_for_disk() -> bool { false }
    }
    /// Votes of earlier rosters count.
    EpochUnchecked {
        fn is_this_epoch(_equal: bool) -> bool { true }
    }
}
