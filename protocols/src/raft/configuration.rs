//! Who votes, who learns, and whose agreement that takes. Pure data and arithmetic.

use borsh::{BorshDeserialize, BorshSerialize};
use thiserror::Error;

use crate::fold_struct;
use crate::peer::PeerId;

/// One configuration of a cluster: majority, or joint while `outgoing` is not empty (paper 6).
///
/// All lists are sorted and free of duplicates; a peer is voter or learner, not both, except that
/// `demoted` peers still vote in `outgoing` and become learners when the joint configuration ends.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, BorshSerialize, BorshDeserialize)]
pub struct Configuration {
    /// Whose majority agrees: C_new while joint.
    pub voters: Vec<PeerId>,
    /// Whose majority must agree too while joint: C_old. Empty otherwise.
    pub outgoing: Vec<PeerId>,
    /// Who receives the log and never counts (dissertation 4.2.1).
    pub learners: Vec<PeerId>,
    /// Voters of `outgoing` that will be learners.
    pub demoted: Vec<PeerId>,
}
fold_struct!(Configuration {
    voters,
    outgoing,
    learners,
    demoted
});

/// Why a membership change is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Error)]
pub enum ChangeError {
    /// Nobody would be left to vote.
    #[error("a configuration needs a voter")]
    NoVoters,
    /// A peer was named as voter and as learner.
    #[error("a peer cannot be voter and learner")]
    VoterAndLearner,
    /// The configuration is joint already.
    #[error("a joint configuration must end before the next change")]
    Joint,
    /// There is no joint configuration to leave.
    #[error("the configuration is not joint")]
    NotJoint,
    /// Two majorities of such neighbours need not meet (dissertation 4.1).
    #[error("a single-server change moves one voter at a time")]
    MoreThanOneVoter,
}

fn sorted(mut peers: Vec<PeerId>) -> Vec<PeerId> {
    peers.sort_unstable();
    peers.dedup();
    peers
}

impl Configuration {
    /// The configuration with these voters.
    pub fn of_voters(voters: impl IntoIterator<Item = PeerId>) -> Self {
        Self::new(voters, [])
    }

    /// The configuration with these voters and learners.
    pub fn new(
        voters: impl IntoIterator<Item = PeerId>,
        learners: impl IntoIterator<Item = PeerId>,
    ) -> Self {
        Self {
            voters: sorted(voters.into_iter().collect()),
            learners: sorted(learners.into_iter().collect()),
            ..Self::default()
        }
    }

    /// Whether two majorities must agree.
    pub fn is_joint(&self) -> bool {
        !self.outgoing.is_empty()
    }

    /// Whether the peer's vote counts in either half.
    pub fn is_voter(&self, peer: PeerId) -> bool {
        self.voters.binary_search(&peer).is_ok() || self.outgoing.binary_search(&peer).is_ok()
    }

    /// Whether the peer receives the log and does not count.
    pub fn is_learner(&self, peer: PeerId) -> bool {
        !self.is_voter(peer) && self.learners.binary_search(&peer).is_ok()
    }

    /// Everyone who receives the log, in order.
    pub fn members(&self) -> Vec<PeerId> {
        let all = [&self.voters, &self.outgoing, &self.learners, &self.demoted];
        sorted(all.into_iter().flatten().copied().collect())
    }

    /// Everyone whose vote counts, in order.
    pub fn all_voters(&self) -> Vec<PeerId> {
        sorted(self.voters.iter().chain(&self.outgoing).copied().collect())
    }

    fn checked(self) -> Result<Self, ChangeError> {
        if self.voters.is_empty() {
            return Err(ChangeError::NoVoters);
        }
        if self.voters.iter().any(|peer| self.learners.contains(peer)) {
            return Err(ChangeError::VoterAndLearner);
        }
        Ok(self)
    }

    /// C_old,new on the way from here to `target` (paper 6).
    ///
    /// # Errors
    /// If this configuration is joint already or the target is not a configuration.
    pub fn enter_joint(&self, target: &Self) -> Result<Self, ChangeError> {
        if self.is_joint() || target.is_joint() {
            return Err(ChangeError::Joint);
        }
        let target = target.clone().checked()?;
        let votes_still = |peer: &PeerId| self.voters.contains(peer);
        let (demoted, learners) = target.learners.into_iter().partition(votes_still);
        Ok(Self {
            voters: target.voters,
            outgoing: self.voters.clone(),
            learners,
            demoted,
        })
    }

    /// C_new behind this C_old,new.
    ///
    /// # Errors
    /// If this configuration is not joint.
    pub fn leave_joint(&self) -> Result<Self, ChangeError> {
        if !self.is_joint() {
            return Err(ChangeError::NotJoint);
        }
        let learners = self.learners.iter().chain(&self.demoted).copied();
        Ok(Self::new(self.voters.iter().copied(), learners))
    }

    /// `target` itself, reached in one step (dissertation 4.1).
    ///
    /// # Errors
    /// If more than one voter comes or goes, or either configuration is joint.
    pub fn change_one(&self, target: &Self) -> Result<Self, ChangeError> {
        if self.is_joint() || target.is_joint() {
            return Err(ChangeError::Joint);
        }
        let target = target.clone().checked()?;
        let one_way =
            |from: &[PeerId], to: &[PeerId]| from.iter().filter(|peer| !to.contains(peer)).count();
        if one_way(&self.voters, &target.voters) + one_way(&target.voters, &self.voters) > 1 {
            return Err(ChangeError::MoreThanOneVoter);
        }
        Ok(target)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peers(slots: &[u32]) -> Vec<PeerId> {
        slots.iter().copied().map(PeerId).collect()
    }

    fn configuration(voters: &[u32], learners: &[u32]) -> Configuration {
        Configuration::new(peers(voters), peers(learners))
    }

    #[test]
    fn a_joint_configuration_ends_in_its_target() {
        // Paper 6: whatever the target, entering and leaving arrives exactly there.
        let old = configuration(&[1, 2, 3], &[4]);
        for target in [
            configuration(&[3, 4, 5], &[]),
            configuration(&[1], &[2, 3]),
            configuration(&[4], &[1]),
        ] {
            let joint = old.enter_joint(&target).unwrap();
            assert_eq!(joint.outgoing, old.voters);
            assert_eq!(joint.leave_joint().unwrap(), target);
        }
    }

    #[test]
    fn a_demoted_voter_votes_until_the_joint_configuration_ends() {
        // etcd's "learners next": a learner inside C_old would be counted in neither role.
        let joint = configuration(&[1, 2, 3], &[])
            .enter_joint(&configuration(&[1, 2], &[3]))
            .unwrap();
        assert!(joint.is_voter(PeerId(3)) && !joint.is_learner(PeerId(3)));
        assert!(joint.leave_joint().unwrap().is_learner(PeerId(3)));
    }

    #[test]
    fn illegal_changes_are_refused_by_name() {
        // The legality table of etcd's confchange tests.
        let old = configuration(&[1, 2, 3], &[]);
        let joint = old.enter_joint(&configuration(&[1, 2, 4], &[])).unwrap();
        let no_voters = configuration(&[], &[1]);
        assert_eq!(old.leave_joint(), Err(ChangeError::NotJoint));
        assert_eq!(old.enter_joint(&no_voters), Err(ChangeError::NoVoters));
        assert_eq!(old.change_one(&no_voters), Err(ChangeError::NoVoters));
        assert_eq!(joint.enter_joint(&old), Err(ChangeError::Joint));
        assert_eq!(joint.change_one(&old), Err(ChangeError::Joint));
        assert_eq!(
            old.change_one(&configuration(&[1, 2, 4], &[])),
            Err(ChangeError::MoreThanOneVoter)
        );
        assert_eq!(
            old.enter_joint(&configuration(&[1], &[1])),
            Err(ChangeError::VoterAndLearner)
        );
        assert!(old.change_one(&configuration(&[1, 2], &[3])).is_ok());
        assert!(old.change_one(&configuration(&[1, 2, 3, 4], &[])).is_ok());
    }
}
