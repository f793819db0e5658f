//! Checkpoints (section 4.3): votes on the state every K batches, stability, garbage collection.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::signed::Signed;

use super::event::{PbftEvent, Reason};
use super::message::{Checkpoint, CheckpointCertificate, PbftMessage};
use super::numbers::{Digest, Sequence};
use super::replica::{Ctx, Pbft};
use super::roster::Roster;
use super::rules::Rules;
use super::state::{ReplicatedState, Snapshot};
use super::votes::Tally;

/// The last checkpoint with a proof.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct StableCheckpoint {
    /// The state.
    pub(super) snapshot: Arc<Snapshot>,
    /// Its digest.
    pub(super) digest: Digest,
    /// The proof; `None` for the genesis state.
    pub(super) certificate: Option<Arc<CheckpointCertificate>>,
}

/// The replica's own snapshots and everybody's votes above the last stable checkpoint.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Checkpoints {
    /// The last stable one.
    pub(super) stable: StableCheckpoint,
    /// Own snapshots above it, with their digests.
    pub(super) own: BTreeMap<Sequence, (Arc<Snapshot>, Digest)>,
    /// Votes within the window.
    votes: BTreeMap<Sequence, Tally<Signed<Checkpoint>>>,
    /// The highest vote of each replica above the window: how one that fell behind learns of it.
    beyond: Vec<Option<Signed<Checkpoint>>>,
}

impl Checkpoints {
    /// The genesis state is stable without a proof.
    pub(super) fn genesis(state: &ReplicatedState, n: usize) -> Self {
        let snapshot = Arc::new(state.snapshot(Sequence::default()));
        Self::from_stable(
            StableCheckpoint {
                digest: snapshot.parts().digest(),
                snapshot,
                certificate: None,
            },
            n,
        )
    }

    /// Begins anew above a stable checkpoint.
    pub(super) fn from_stable(stable: StableCheckpoint, n: usize) -> Self {
        Self {
            stable,
            own: BTreeMap::new(),
            votes: BTreeMap::new(),
            beyond: vec![None; n],
        }
    }

    /// How many votes are kept.
    pub(super) fn votes(&self) -> usize {
        let within: usize = self.votes.values().map(Tally::len).sum();
        within + self.beyond.iter().flatten().count()
    }

    /// How many snapshots are kept.
    pub(super) fn snapshots(&self) -> usize {
        self.own.len() + 1
    }

    /// Counts a vote; false if its signer voted on this sequence number before.
    fn add<R: Rules>(&mut self, vote: &Signed<Checkpoint>, high: Sequence) -> bool {
        if vote.sequence <= high {
            let tally = self.votes.entry(vote.sequence).or_default();
            return tally.add::<R>(vote.replica, vote.digest, vote.clone());
        }
        let Some(place) = self.beyond.get_mut(vote.replica.index()) else {
            return false;
        };
        let newer = place
            .as_ref()
            .is_none_or(|old| old.sequence < vote.sequence);
        if newer {
            *place = Some(vote.clone());
        }
        newer
    }

    /// The votes like this one.
    fn like<R: Rules>(&self, vote: &Checkpoint) -> Vec<Signed<Checkpoint>> {
        let within = self.votes.get(&vote.sequence);
        let within = within.into_iter().flat_map(|t| t.votes::<R>(vote.digest));
        let beyond = self.beyond.iter().flatten().filter(|other| {
            other.sequence == vote.sequence && R::digest_matches(other.digest, vote.digest)
        });
        within.chain(beyond).cloned().collect()
    }

    fn count<R: Rules>(&self, vote: &Checkpoint, high: Sequence) -> usize {
        if vote.sequence <= high {
            let tally = self.votes.get(&vote.sequence);
            return tally.map_or(0, |tally| tally.count::<R>(vote.digest));
        }
        self.like::<R>(vote).len()
    }

    /// Forgets what lies at or below a checkpoint that became stable.
    fn advance(&mut self, stable: StableCheckpoint) {
        let sequence = stable.snapshot.sequence;
        self.own.retain(|own, _| *own > sequence);
        self.votes.retain(|voted, _| *voted > sequence);
        for place in &mut self.beyond {
            if place.as_ref().is_some_and(|vote| vote.sequence <= sequence) {
                *place = None;
            }
        }
        self.stable = stable;
    }
}

impl<R: Rules> Pbft<R> {
    /// Keeps the state after the batch just executed and votes for it.
    pub(super) fn take_checkpoint(&mut self, ctx: &mut Ctx<'_, R>) {
        let mut state = self.state.clone();
        state.take_effect();
        let sequence = self.executed;
        let snapshot = Arc::new(state.snapshot(sequence));
        let digest = snapshot.parts().digest();
        self.checkpoints.own.insert(sequence, (snapshot, digest));
        let epoch = self.roster.epoch;
        ctx.notify(PbftEvent::CheckpointTaken {
            epoch,
            sequence,
            digest,
        });
        if let Some(vote) = self.sign_checkpoint(sequence, digest, ctx) {
            self.checkpoints.add::<R>(&vote, self.log.high());
            let checkpoint = vote.clone();
            self.multicast(PbftMessage::Checkpoint { checkpoint }, ctx);
            self.check_stable(&vote, ctx);
        }
    }

    /// The replica's vote for its own snapshot.
    pub(super) fn sign_checkpoint(
        &self,
        sequence: Sequence,
        digest: Digest,
        ctx: &mut Ctx<'_, R>,
    ) -> Option<Signed<Checkpoint>> {
        let replica = self.me.filter(|_| self.may_vote())?;
        let epoch = self.roster.epoch;
        Some(ctx.sign(Checkpoint {
            epoch,
            sequence,
            digest,
            replica,
        }))
    }

    /// A checkpoint vote.
    pub(super) fn on_checkpoint(
        &mut self,
        vote: &Signed<Checkpoint>,
        ctx: &mut Ctx<'_, R>,
    ) -> Result<(), Reason> {
        if vote.sequence <= self.log.low() || vote.epoch < self.roster.epoch {
            return Ok(());
        }
        if self.boundary(vote.sequence) != vote.sequence {
            return Err(Reason::OutsideWindow);
        }
        self.check_signer(vote.epoch, vote.replica, vote, ctx)?;
        if !self.checkpoints.add::<R>(vote, self.log.high()) {
            return Err(Reason::DuplicateVote);
        }
        self.check_stable(vote, ctx);
        Ok(())
    }

    fn check_stable(&mut self, vote: &Checkpoint, ctx: &mut Ctx<'_, R>) {
        let votes = self.checkpoints.count::<R>(vote, self.log.high());
        if R::is_quorum(votes, &self.roster) {
            let certificate = CheckpointCertificate {
                epoch: vote.epoch,
                sequence: vote.sequence,
                digest: vote.digest,
                votes: self.checkpoints.like::<R>(vote),
            };
            self.on_proven(certificate, ctx);
        }
    }

    /// A checkpoint proof, sent by whoever noticed that this replica lacks it.
    pub(super) fn on_checkpoint_proof(
        &mut self,
        certificate: &CheckpointCertificate,
        ctx: &mut Ctx<'_, R>,
    ) -> Result<(), Reason> {
        if certificate.sequence <= self.log.low() {
            return Ok(());
        }
        if !self.proves_checkpoint(certificate, &self.roster, ctx) {
            return Err(Reason::BadCheckpointProof);
        }
        self.on_proven(certificate.clone(), ctx);
        Ok(())
    }

    /// A certificate is complete: the state it names is stable, or must be fetched.
    pub(super) fn on_proven(&mut self, certificate: CheckpointCertificate, ctx: &mut Ctx<'_, R>) {
        if certificate.sequence <= self.log.low() {
            return;
        }
        let own = self.checkpoints.own.get(&certificate.sequence);
        match own {
            Some((snapshot, digest)) if R::checkpoint_matches(*digest, certificate.digest) => {
                let stable = StableCheckpoint {
                    snapshot: Arc::clone(snapshot),
                    digest: *digest,
                    certificate: Some(Arc::new(certificate)),
                };
                self.make_stable(stable, ctx);
            }
            // Executed by another rule than a quorum's: its own state is wrong.
            Some(_) => self.begin_fetch(Some(certificate), ctx),
            None => self.expect_state(certificate, ctx),
        }
    }

    /// Moves the watermarks and forgets everything below (section 4.3).
    pub(super) fn make_stable(&mut self, stable: StableCheckpoint, ctx: &mut Ctx<'_, R>) {
        let sequence = stable.snapshot.sequence;
        let digest = stable.digest;
        let votes = stable.certificate.as_ref();
        let votes = votes.map_or(0, |certificate| certificate.votes.len() as u64);
        let hands_over = stable.snapshot.roster.epoch > self.roster.epoch;
        let sizes = self.store_sizes();
        self.checkpoints.advance(stable);
        self.log.advance(sequence);
        self.assigned = self.assigned.max(sequence);
        self.persist_stable(ctx);
        self.speak_again(sequence);
        ctx.notify(PbftEvent::CheckpointStable {
            epoch: self.roster.epoch,
            sequence,
            digest,
            votes,
            sizes,
        });
        if hands_over {
            self.hand_over(ctx);
        }
        self.replay_future(ctx);
        self.propose(ctx);
    }

    /// Whether a certificate holds a quorum of equal votes by different members of `roster`.
    pub(super) fn proves_checkpoint(
        &self,
        certificate: &CheckpointCertificate,
        roster: &Roster,
        ctx: &mut Ctx<'_, R>,
    ) -> bool {
        let mut tally = Tally::default();
        for vote in &certificate.votes {
            let same = vote.epoch == certificate.epoch
                && vote.sequence == certificate.sequence
                && R::digest_matches(vote.digest, certificate.digest);
            let member = R::is_member(roster.is_key_of(vote.replica, &vote.signer()));
            if !same || !member || !R::signature_holds(ctx.verify(vote)) {
                return false;
            }
            if !tally.add::<R>(vote.replica, certificate.digest, ()) {
                return false;
            }
        }
        certificate.epoch == roster.epoch
            && R::is_quorum(tally.count::<R>(certificate.digest), roster)
    }
}
