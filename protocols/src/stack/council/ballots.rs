//! The federation's rules on ballots, as its PBFT council keeps them.

use std::marker::PhantomData;

use crate::federation::rules::Rules;
use crate::pbft::{self, Roster};

/// PBFT whose ballots count by the rules `R`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Ballots<R: Rules>(PhantomData<R>);

impl<R: Rules> pbft::Rules for Ballots<R> {
    fn is_quorum(votes: usize, roster: &Roster) -> bool {
        votes >= R::quorum_of(roster.quorum())
    }

    fn is_prepared(prepares: usize, roster: &Roster) -> bool {
        prepares.saturating_add(1) >= R::quorum_of(roster.quorum())
    }

    fn counts_vote(voted_before: bool) -> bool {
        R::ballot_counts(voted_before)
    }

    fn is_member(key_is_of_member: bool) -> bool {
        R::voter_is_member(key_is_of_member)
    }

    fn signature_holds(verified: bool) -> bool {
        R::ballot_is_signed(verified)
    }

    fn is_this_epoch(equal: bool) -> bool {
        R::ballot_is_of_epoch(equal)
    }
}
