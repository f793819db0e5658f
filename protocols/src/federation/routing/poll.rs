//! A vote of a roster on one proposal: signed ballots, each once, of this epoch, of members alone.

use std::collections::{BTreeMap, BTreeSet};
use std::marker::PhantomData;

use borsh::{BorshDeserialize, BorshSerialize};

use crate::federation::rules::{Rules, Strict};
use crate::federation::terms::Digest;
use crate::fold_struct;
use crate::identity::{Identity, Keys};
use crate::quorum::{byzantine_quorum, majority};
use crate::signed::{Signable, Signed};
use crate::time::LocalTime;

/// One member's word on a proposal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, BorshSerialize, BorshDeserialize)]
pub struct Ballot {
    /// Which proposal.
    pub proposal: Digest,
    /// Of which roster.
    pub epoch: u64,
    /// Yes or no.
    pub approves: bool,
}

fold_struct!(Ballot {
    proposal,
    epoch,
    approves
});

impl Signable for Ballot {
    const DOMAIN: &'static str = "fedsim/federation/v1/ballot";
}

/// How many votes decide.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Threshold {
    /// More than half: where nobody lies.
    Majority,
    /// ceil((n+f+1)/2): where members may lie.
    #[default]
    Byzantine,
    /// ceil(2n/3) of whoever is in session: what ruflo's federation asks for. The same number as the
    /// Byzantine one, but for nobody, of whom it asks nothing.
    TwoThirds,
}

impl Threshold {
    /// Votes that decide among `n`.
    pub const fn of(self, n: usize) -> usize {
        match self {
            Self::Majority => majority(n),
            Self::Byzantine => byzantine_quorum(n),
            Self::TwoThirds => (2 * n).div_ceil(3),
        }
    }
}

/// Why a ballot is not counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum BallotRefusal {
    /// It is on another proposal.
    OtherProposal,
    /// It is of another epoch, such as that of a member that left.
    OtherEpoch,
    /// Its signer is not of the roster.
    Stranger,
    /// Its signature is wrong.
    Forged,
    /// Its signer has voted.
    Twice,
    /// It came too late.
    Closed,
}

impl BallotRefusal {
    /// The constant reason for counters.
    pub const fn reason(self) -> &'static str {
        match self {
            Self::OtherProposal => "other-proposal",
            Self::OtherEpoch => "other-epoch",
            Self::Stranger => "stranger",
            Self::Forged => "forged-ballot",
            Self::Twice => "voted-twice",
            Self::Closed => "poll-closed",
        }
    }
}

/// How a poll stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PollOutcome {
    /// Votes can still decide it.
    Open,
    /// A quorum said yes.
    Approved,
    /// Not enough can still say yes.
    Rejected,
    /// Its time is over.
    Lapsed,
}

/// A vote of one roster on one proposal.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Poll<R: Rules = Strict> {
    proposal: Digest,
    epoch: u64,
    roster: BTreeSet<Identity>,
    threshold: Threshold,
    closes: LocalTime,
    votes: BTreeMap<Identity, Tally>,
    rules: PhantomData<R>,
}

/// What one voter said, and how often it is counted: once, by the strict rules.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
struct Tally {
    yes: usize,
    no: usize,
}

impl<R: Rules> Poll<R> {
    /// A poll of `roster`, which is that of `epoch`, until `closes`.
    pub fn new(
        (proposal, epoch): (Digest, u64),
        roster: BTreeSet<Identity>,
        threshold: Threshold,
        closes: LocalTime,
    ) -> Self {
        Self {
            proposal,
            epoch,
            roster,
            threshold,
            closes,
            votes: BTreeMap::new(),
            rules: PhantomData,
        }
    }

    /// Counts a ballot.
    ///
    /// # Errors
    /// Why it does not count.
    pub fn cast(
        &mut self,
        ballot: &Signed<Ballot>,
        now: LocalTime,
        keys: &mut Keys,
    ) -> Result<PollOutcome, BallotRefusal> {
        let voter = ballot.signer().identity();
        let refuse_unless = |holds: bool, refusal| if holds { Ok(()) } else { Err(refusal) };
        refuse_unless(
            ballot.proposal == self.proposal,
            BallotRefusal::OtherProposal,
        )?;
        refuse_unless(now <= self.closes, BallotRefusal::Closed)?;
        let is_of_epoch = R::ballot_is_of_epoch(ballot.epoch == self.epoch);
        refuse_unless(is_of_epoch, BallotRefusal::OtherEpoch)?;
        let is_member = R::voter_is_member(self.roster.contains(&voter));
        refuse_unless(is_member, BallotRefusal::Stranger)?;
        refuse_unless(
            R::ballot_is_signed(keys.verify(ballot)),
            BallotRefusal::Forged,
        )?;
        let has_voted = self.votes.contains_key(&voter);
        refuse_unless(R::ballot_counts(has_voted), BallotRefusal::Twice)?;
        let tally = self.votes.entry(voter).or_default();
        match ballot.approves {
            true => tally.yes += 1,
            false => tally.no += 1,
        }
        Ok(self.outcome(now))
    }

    /// Votes that decide.
    pub fn quorum(&self) -> usize {
        R::quorum_of(self.threshold.of(self.roster.len()))
    }

    /// How it stands at `now`.
    pub fn outcome(&self, now: LocalTime) -> PollOutcome {
        let yes: usize = self.votes.values().map(|tally| tally.yes).sum();
        let no: usize = self.votes.values().map(|tally| tally.no).sum();
        if yes >= self.quorum() {
            PollOutcome::Approved
        } else if self.roster.len().saturating_sub(no) < self.quorum() {
            PollOutcome::Rejected
        } else if now > self.closes {
            PollOutcome::Lapsed
        } else {
            PollOutcome::Open
        }
    }
}
