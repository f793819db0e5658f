//! Attacks on the normal case: assignments and votes.

use fedsim_protocols::PeerId;
use fedsim_protocols::pbft::message::{Batch, Commit, PrePrepare, Prepare};
use fedsim_protocols::pbft::{Digest, PbftMessage, ReplicaId, Roster, Rules, Sequence, View};

use super::{PbftMeans, false_checkpoint, false_digest, other_batch};
use crate::adversary::pbft::steps::false_reply;

/// The place that a message is about.
pub(super) fn place(message: &PbftMessage) -> Option<(View, Sequence, Digest)> {
    match message {
        PbftMessage::PrePrepare {
            pre_prepare: it, ..
        } => Some((it.view, it.sequence, it.digest)),
        PbftMessage::Prepare { prepare: it } => Some((it.view, it.sequence, it.digest)),
        PbftMessage::Commit { commit: it } => Some((it.view, it.sequence, it.digest)),
        _ => None,
    }
}

/// Another batch at the same place, the vote for it, another checkpoint, another reply.
pub(super) fn contradiction<R: Rules>(
    message: &PbftMessage,
    means: &mut PbftMeans<'_, R>,
) -> Option<PbftMessage> {
    match message {
        PbftMessage::PrePrepare { pre_prepare, batch } => {
            let batch =
                told_before(pre_prepare, means).unwrap_or_else(|| other_batch(batch, means));
            let mut content = pre_prepare.content().clone();
            content.digest = batch.digest();
            let pre_prepare = means.sign(content);
            Some(PbftMessage::PrePrepare { pre_prepare, batch })
        }
        PbftMessage::Prepare { prepare } => {
            let mut content = prepare.content().clone();
            content.digest = other_digest(message, means);
            let prepare = means.sign(content);
            Some(PbftMessage::Prepare { prepare })
        }
        PbftMessage::Commit { commit } => {
            let mut content = commit.content().clone();
            content.digest = other_digest(message, means);
            let commit = means.sign(content);
            Some(PbftMessage::Commit { commit })
        }
        PbftMessage::Checkpoint { .. } => false_checkpoint(message, means),
        PbftMessage::Reply { .. } => false_reply(message, means),
        _ => None,
    }
}

/// What the cabal assigned to the same place before, if that was something else.
fn told_before<R: Rules>(pre_prepare: &PrePrepare, means: &PbftMeans<'_, R>) -> Option<Batch> {
    let here = (pre_prepare.view, pre_prepare.sequence);
    means
        .memory
        .newest_first()
        .find_map(|seen| match seen.payload {
            PbftMessage::PrePrepare {
                pre_prepare: it,
                batch,
            } if (it.view, it.sequence) == here
                && it.digest != pre_prepare.digest
                && means.ring.holds(seen.from) =>
            {
                Some(batch.clone())
            }
            _ => None,
        })
}

/// The digest of another batch at the place of a vote, or of none.
fn other_digest<R: Rules>(message: &PbftMessage, means: &PbftMeans<'_, R>) -> Digest {
    let Some((view, sequence, digest)) = place(message) else {
        return false_digest();
    };
    let mut places = means
        .memory
        .newest_first()
        .filter_map(|seen| place(seen.payload));
    let other = places.find(|it| (it.0, it.1) == (view, sequence) && it.2 != digest);
    other.map_or_else(false_digest, |it| it.2)
}

/// Whether the cabal told two things about the place of a vote.
pub(super) fn was_split<R: Rules>(message: &PbftMessage, means: &PbftMeans<'_, R>) -> bool {
    let Some((view, sequence, _)) = place(message) else {
        return false;
    };
    let mut digests = means
        .memory
        .newest_first()
        .filter_map(|seen| match seen.payload {
            PbftMessage::PrePrepare {
                pre_prepare: it, ..
            } if means.ring.holds(seen.from) && (it.view, it.sequence) == (view, sequence) => {
                Some(it.digest)
            }
            _ => None,
        });
    let first = digests.next();
    digests.any(|digest| Some(digest) != first)
}

/// What a peer is told of a place: the half it is in decides. The cabal's votes come along, signed by
/// each of its replicas.
pub(super) fn equivocate<R: Rules>(
    (to, message): (PeerId, &PbftMessage),
    roster: &Roster,
    means: &mut PbftMeans<'_, R>,
) -> Option<PbftMessage> {
    let is_other_half = means.is_in_second_half(to);
    let other = is_other_half
        .then(|| contradiction(message, means))
        .flatten();
    if let PbftMessage::PrePrepare { pre_prepare, .. } = other.as_ref().unwrap_or(message) {
        for (replica, member) in (0..).map(ReplicaId).zip(&roster.membership.replicas) {
            if means.ring.holds(member.slot) {
                vote(to, pre_prepare.content(), (replica, member.slot), means);
            }
        }
    }
    other
}

/// Sends the votes of one of the cabal for an assignment; the primary's own prepare too, which must
/// not count.
fn vote<R: Rules>(
    to: PeerId,
    told: &PrePrepare,
    (replica, slot): (ReplicaId, PeerId),
    means: &mut PbftMeans<'_, R>,
) {
    let prepare = Prepare {
        epoch: told.epoch,
        view: told.view,
        sequence: told.sequence,
        digest: told.digest,
        replica,
    };
    let commit = Commit {
        epoch: told.epoch,
        view: told.view,
        sequence: told.sequence,
        digest: told.digest,
        replica,
    };
    let prepare = means.ring.sign(slot, prepare);
    let prepare = prepare.map(|prepare| PbftMessage::Prepare { prepare });
    let commit = means.ring.sign(slot, commit);
    let commit = commit.map(|commit| PbftMessage::Commit { commit });
    for message in prepare.into_iter().chain(commit) {
        means.send(to, message);
    }
}

/// The same assignment at another place.
pub(super) fn moved<R: Rules>(
    message: &PbftMessage,
    sequence: Sequence,
    means: &mut PbftMeans<'_, R>,
) -> Option<PbftMessage> {
    let PbftMessage::PrePrepare { pre_prepare, batch } = message else {
        return None;
    };
    let mut content = pre_prepare.content().clone();
    content.sequence = sequence;
    let (pre_prepare, batch) = (means.sign(content), batch.clone());
    Some(PbftMessage::PrePrepare { pre_prepare, batch })
}

/// The same assignment, with nothing in place of the batch that it names.
pub(super) fn swapped(message: &PbftMessage) -> Option<PbftMessage> {
    let PbftMessage::PrePrepare { pre_prepare, .. } = message else {
        return None;
    };
    let (pre_prepare, batch) = (pre_prepare.clone(), Batch::null());
    Some(PbftMessage::PrePrepare { pre_prepare, batch })
}
