//! The commit phase (section 4.2), proofs of it, and the signatures of the normal case's votes.
//!
//! Must not know execution.

use std::sync::Arc;

use crate::signed::Signed;

use super::event::{PbftEvent, Placement, Reason};
use super::message::{Commit, CommitCertificate, PbftMessage, Prepare};
use super::numbers::{Digest, Sequence};
use super::ordering::Arrival;
use super::replica::{Ctx, Pbft};
use super::rules::{Rules, VoteKind};
use super::votes::Tally;

impl<R: Rules> Pbft<R> {
    /// Votes to commit and tells all.
    pub(super) fn send_commit(&mut self, sequence: Sequence, digest: Digest, ctx: &mut Ctx<'_, R>) {
        let (Some(replica), true) = (self.me, self.may_vote()) else {
            return;
        };
        let commit = ctx.sign(Commit {
            epoch: self.roster.epoch,
            view: self.view,
            sequence,
            digest,
            replica,
        });
        if let Some(slot) = self.log.slot(sequence) {
            slot.own_commit = Some(commit.clone());
            slot.commits.add::<R>(replica, digest, commit.clone());
        }
        self.multicast(PbftMessage::Commit { commit }, ctx);
    }

    /// A commit (section 4.2).
    pub(super) fn on_commit(
        &mut self,
        commit: &Signed<Commit>,
        ctx: &mut Ctx<'_, R>,
    ) -> Result<(), Reason> {
        let arrival = self.arrival(commit.view, commit.sequence)?;
        self.check_member(commit.epoch, commit.replica, commit)?;
        match arrival {
            Arrival::Late => return Ok(()),
            Arrival::Early => {
                self.check_vote_signature(VoteKind::Commit, commit, ctx)?;
                let commit = commit.clone();
                self.future
                    .keep(commit.replica, PbftMessage::Commit { commit });
                return Ok(());
            }
            Arrival::Now => {}
        }
        // Once committed, a further commit can change nothing and need not be verified.
        let committed = |slot: &super::log::Slot| slot.committed.is_some();
        if self.log.get(commit.sequence).is_some_and(committed) {
            return Ok(());
        }
        self.check_vote_signature(VoteKind::Commit, commit, ctx)?;
        let slot = self.log.slot(commit.sequence);
        let slot = slot.ok_or(Reason::OutsideWindow)?;
        let fresh = slot
            .commits
            .add::<R>(commit.replica, commit.digest, commit.clone());
        if !fresh {
            return Err(Reason::DuplicateVote);
        }
        self.expect_progress(ctx);
        self.check_committed(commit.sequence, ctx);
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
                && self
                    .check_vote_signature(VoteKind::Commit, commit, ctx)
                    .is_ok()
                && tally.add::<R>(commit.replica, first.digest, ())
        });
        holds
            && R::batch_matches(proof.batch.digest(), first.digest)
            && R::is_quorum(tally.count::<R>(first.digest), &self.roster)
    }

    /// Whether a vote was signed, under a domain that its kind allows.
    pub(super) fn check_vote_signature<V: Vote>(
        &self,
        kind: VoteKind,
        vote: &Signed<V>,
        ctx: &mut Ctx<'_, R>,
    ) -> Result<(), Reason> {
        let signed = R::domains(kind).iter().any(|domain| {
            if *domain == kind {
                return ctx.verify(vote);
            }
            match domain {
                VoteKind::Prepare => ctx.verify(&vote.moved(vote.content().as_prepare())),
                VoteKind::Commit => ctx.verify(&vote.moved(vote.content().as_commit())),
            }
        });
        if R::signature_holds(signed) {
            Ok(())
        } else {
            Err(Reason::BadSignature)
        }
    }
}

/// A vote of the normal case, readable as one of the other kind.
pub(super) trait Vote: crate::signed::Signable {
    fn as_prepare(&self) -> Prepare;
    fn as_commit(&self) -> Commit;
}

macro_rules! vote {
    ($name:ident) => {
        impl Vote for $name {
            fn as_prepare(&self) -> Prepare {
                Prepare {
                    epoch: self.epoch,
                    view: self.view,
                    sequence: self.sequence,
                    digest: self.digest,
                    replica: self.replica,
                }
            }
            fn as_commit(&self) -> Commit {
                Commit {
                    epoch: self.epoch,
                    view: self.view,
                    sequence: self.sequence,
                    digest: self.digest,
                    replica: self.replica,
                }
            }
        }
    };
}
vote!(Prepare);
vote!(Commit);

/// Content under the signature made for other content.
trait Moved {
    fn moved<U>(&self, content: U) -> Signed<U>;
}

impl<T> Moved for Signed<T> {
    fn moved<U>(&self, content: U) -> Signed<U> {
        Signed::from_parts(content, self.signer(), self.signature())
    }
}
