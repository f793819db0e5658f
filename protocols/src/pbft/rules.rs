//! Every rule of the paper on which safety or liveness rests, as one small named function.
//!
//! [`Paper`] is the protocol. Another implementation that overrides one function is PBFT with one
//! mistake: what checkers and searches are measured against. Must not know how rules are applied.

use std::fmt::Debug;
use std::hash::Hash;

use crate::identity::Keys;
use crate::time::SimDuration;

use super::numbers::{Digest, Sequence, View};
use super::rekeying::Rekeying;
use super::roster::Roster;

/// Under which domain a vote's signature may stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum VoteKind {
    /// The domain of prepares.
    Prepare,
    /// The domain of commits.
    Commit,
}

crate::chosen::rules! {
by default Paper;

/// The rules of PBFT. Sections are of Castro and Liskov, OSDI 1999, unless said otherwise.
pub trait Rules: 'static + Clone + Debug + Default + PartialEq + Eq + Hash + Send + Sync {
    /// Votes suffice to commit, to make a checkpoint stable, to begin a view: q (section 4.2).
    fn is_quorum(votes: usize, roster: &Roster) -> bool {
        votes >= roster.quorum()
    }

    /// Prepares of different backups suffice beside the pre-prepare: q-1 (section 4.2).
    fn is_prepared(prepares: usize, roster: &Roster) -> bool {
        votes_and_one(prepares) >= roster.quorum()
    }

    /// At least one voter is honest: f+1 (sections 4.1, 4.5.2).
    fn is_weak_quorum(votes: usize, roster: &Roster) -> bool {
        votes > roster.f()
    }

    /// A vote for `voted` is one for `wanted`: digests are equal (section 4.2).
    fn digest_matches(voted: Digest, wanted: Digest) -> bool {
        voted == wanted
    }

    /// A vote counts unless its signer voted before: votes are of different replicas.
    fn counts_vote(voted_before: bool) -> bool {
        !voted_before
    }

    /// The signer must be the member that the content names.
    fn is_member(key_is_of_member: bool) -> bool {
        key_is_of_member
    }

    /// A signature must verify (section 4).
    fn signature_holds(verified: bool) -> bool {
        verified
    }

    /// The domains under which a vote of this kind may have been signed: its own.
    fn domains(kind: VoteKind) -> &'static [VoteKind] {
        match kind {
            VoteKind::Prepare => &[VoteKind::Prepare],
            VoteKind::Commit => &[VoteKind::Commit],
        }
    }

    /// The primary's own prepare does not count beside its pre-prepare (section 4.2).
    fn counts_prepare_of(is_primary: bool) -> bool {
        !is_primary
    }

    /// A batch must have the digest under the primary's signature (section 4.2).
    fn batch_matches(batch: Digest, signed: Digest) -> bool {
        batch == signed
    }

    /// At most one digest is accepted for a view and sequence number (section 4.2).
    fn accepts_assignment(accepted: Option<Digest>, offered: Digest) -> bool {
        accepted.is_none_or(|accepted| accepted == offered)
    }

    /// Sequence numbers lie between the watermarks: h < n <= h + L (sections 4.2, 4.3).
    fn is_in_window(sequence: Sequence, low: Sequence, window: u64) -> bool {
        sequence > low && sequence <= low.plus(window)
    }

    /// A batch executes directly after its predecessor (section 4.2).
    fn may_execute(sequence: Sequence, executed: Sequence) -> bool {
        sequence == executed.next()
    }

    /// A request executes unless it, or a later one of its client, was executed (section 4.1).
    fn executes_again(executed_before: bool) -> bool {
        !executed_before
    }

    /// A replica's own state must have the digest that a quorum vouches for (section 4.3).
    fn checkpoint_matches(own: Digest, stable: Digest) -> bool {
        own == stable
    }

    /// A transferred state must have the digest that a quorum vouches for (TOCS'02 section 5.3).
    fn state_matches(state: Digest, proven: Digest) -> bool {
        state == proven
    }

    /// A prepared certificate of a view-change was made in an earlier view (section 4.4).
    fn is_earlier_view(certificate: View, wanted: View) -> bool {
        certificate < wanted
    }

    /// The certificates of a view-change must prove what it claims (section 4.4).
    fn certificate_holds(proven: bool) -> bool {
        proven
    }

    /// Of two certificates for one sequence number the one of the higher view wins (section 4.4).
    fn supersedes(view: View, best: View) -> bool {
        view > best
    }

    /// A backup enters a view only with the pre-prepares that it computed itself (section 4.4).
    fn new_view_holds(recomputed_equal: bool) -> bool {
        recomputed_equal
    }

    /// f+1 others in later views pull a replica along, its own timer notwithstanding (4.5.2).
    fn joins(others_ahead: usize, roster: &Roster) -> bool {
        others_ahead > roster.f()
    }

    /// Which of the later views to join: the smallest (section 4.5.2).
    fn view_to_join(views: &[View]) -> Option<View> {
        views.iter().min().copied()
    }

    /// The timer for a new view runs only once a quorum has asked for it (section 4.5.2).
    fn awaits_new_view(asked: usize, roster: &Roster) -> bool {
        asked >= roster.quorum()
    }

    /// The timeout after `consecutive` view changes without progress: doubled each (4.5.2).
    fn timeout(base: SimDuration, max: SimDuration, consecutive: u32) -> SimDuration {
        let factor = 1_u64.checked_shl(consecutive).unwrap_or(u64::MAX);
        (base * factor).min(max)
    }

    /// A replica that enters a view takes part in it, even while it fetches a state.
    fn takes_part_while_fetching() -> bool {
        true
    }

    /// A replica remembers across a restart what it voted for.
    fn remembers_votes() -> bool {
        true
    }

    /// Tentative executions are undone when the view ends before they commit (TOCS'02 5.1.2).
    fn undoes_tentative() -> bool {
        true
    }

    /// Replies suffice for a client: f+1, or a quorum (section 4.1; TOCS'02 section 5.1.2).
    fn accepts_result(votes: usize, needed: usize) -> bool {
        votes >= needed
    }

    /// Nothing is said, and no vote of one's own counts, before the disk has what it rests on.
    fn waits_for_disk() -> bool {
        true
    }

    /// Votes must be signed for the roster in force.
    fn is_this_epoch(equal: bool) -> bool {
        equal
    }

    /// What `proof` wants to become of a key, if its signatures verify. The papers fix the keys.
    fn rekeying(_proof: &[u8], _keys: &mut Keys) -> Option<Rekeying> {
        None
    }

    /// A key is passed on by its owner, or by whoever the group takes for its guardian.
    fn may_rekey(is_by_owner_or_guardian: bool) -> bool {
        is_by_owner_or_guardian
    }
}
}

const fn votes_and_one(votes: usize) -> usize {
    votes.saturating_add(1)
}

/// The protocol as published.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Paper;

impl Rules for Paper {}
