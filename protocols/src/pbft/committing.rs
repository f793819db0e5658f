//! The commit phase (section 4.2) and proofs of it.
//!
//! Must not know execution.

use std::sync::Arc;

use crate::signed::Signed;

use super::event::{PbftEvent, Placement, Reason};
use super::message::{Commit, CommitCertificate};
use super::numbers::Sequence;
use super::replica::{Ctx, Pbft};
use super::rules::Rules;
use super::votes::Tally;

impl<R: Rules> Pbft<R> {
    /// A commit (section 4.2).
    pub(super) fn on_commit(
        &mut self,
        commit: &Signed<Commit>,
        ctx: &mut Ctx<'_, R>,
    ) -> Result<(), Reason> {
        if self.count_vote(commit, ctx)? {
            self.check_committed(commit.sequence, ctx);
        }
        Ok(())
    }

    /// committed-local(m, v, n, i): prepared and a quorum of matching commits, own included.
    pub(super) fn check_committed(&mut self, sequence: Sequence, ctx: &mut Ctx<'_, R>) {
        let Some(slot) = self.log.slot(sequence) else {
            return;
        };
        let Some((pre_prepare, batch)) = &slot.assignment else {
            return;
        };
        let digest = pre_prepare.digest;
        let votes = slot.commits.count::<R>(digest);
        let done = slot.committed.is_some() || !slot.prepared;
        if done || !R::is_quorum(votes, &self.roster) {
            return;
        }
        let proof = CommitCertificate {
            batch: batch.clone(),
            commits: slot.commits.take::<R>(digest),
        };
        let placement = Placement {
            epoch: self.roster.epoch,
            view: self.view,
            sequence,
            digest,
        };
        slot.committed = Some((placement, Arc::new(proof)));
        let votes = votes as u64;
        ctx.notify(PbftEvent::CommittedLocal { placement, votes });
        self.execute_ready(ctx);
    }

    /// A proof that a batch committed, in whatever view: it needs no vote of this replica.
    pub(super) fn on_commit_proof(
        &mut self,
        proof: &CommitCertificate,
        ctx: &mut Ctx<'_, R>,
    ) -> Result<(), Reason> {
        let first = proof.commits.first().ok_or(Reason::BadCommitProof)?;
        let known = |slot: &super::log::Slot| slot.committed.is_some();
        if first.sequence <= self.log.low() || self.log.get(first.sequence).is_some_and(known) {
            return Ok(());
        }
        if !self.proves_commit(first, proof, ctx) {
            return Err(Reason::BadCommitProof);
        }
        let placement = Placement {
            epoch: first.epoch,
            view: first.view,
            sequence: first.sequence,
            digest: first.digest,
        };
        if !self.is_in_window(first.sequence) {
            return Err(Reason::OutsideWindow);
        }
        let slot = self.log.slot(first.sequence).ok_or(Reason::OutsideWindow)?;
        slot.committed = Some((placement, Arc::new(proof.clone())));
        let votes = proof.commits.len() as u64;
        ctx.notify(PbftEvent::CommittedLocal { placement, votes });
        self.execute_ready(ctx);
        Ok(())
    }

    fn proves_commit(
        &self,
        first: &Commit,
        proof: &CommitCertificate,
        ctx: &mut Ctx<'_, R>,
    ) -> bool {
        let mut tally = Tally::default();
        let holds = proof.commits.iter().all(|commit| {
            let same = (commit.epoch, commit.view, commit.sequence)
                == (first.epoch, first.view, first.sequence)
                && R::digest_matches(commit.digest, first.digest);
            same && self
                .check_member(commit.epoch, commit.replica, commit)
                .is_ok()
                && self.check_vote_signature(commit, ctx).is_ok()
                && tally.add::<R>(commit.replica, first.digest, ())
        });
        holds
            && R::batch_matches(proof.batch.digest(), first.digest)
            && R::is_quorum(tally.count::<R>(first.digest), &self.roster)
    }
}
