//! Attacks on view changes.

use std::collections::BTreeMap;

use fedsim_protocols::Signed;
use fedsim_protocols::pbft::message::{
    Batch, Checkpoint, PrePrepare, PreparedCertificate, ViewChange,
};
use fedsim_protocols::pbft::{Digest, Pbft, PbftMessage, Rules, Sequence, View};

use super::PbftMeans;
use super::pretences::invented_request;

/// Asks for the next view with a certificate that is wrong in one of four ways.
pub(super) fn forge<R: Rules>(replica: &Pbft<R>, means: &mut PbftMeans<'_, R>) {
    let Some(mut content) = wish(replica, replica.view().next(), means) else {
        return;
    };
    let Some(mut certificate) = some_certificate(means) else {
        return;
    };
    let quorum = replica.roster().quorum();
    match means.dice.below(4) {
        // A request that nobody made, at the end of the window.
        3 => {
            let Some(invented) = invented_request(1_000, means) else {
                return;
            };
            certificate.batch = Batch::new(vec![invented]);
            certificate.pre_prepare = means.sign(PrePrepare {
                epoch: content.epoch,
                view: replica.view(),
                sequence: replica.high_watermark(),
                digest: certificate.batch.digest(),
            });
        }
        // Too few.
        0 => certificate.prepares.truncate(1),
        // The same one again and again.
        1 => {
            let first = certificate.prepares[0].clone();
            certificate.prepares = vec![first; quorum - 1];
        }
        // Others' names under a signature that is not theirs.
        _ => {
            let first = certificate.prepares[0].clone();
            let named = replica.roster().membership.replicas.iter().zip(0_u16..);
            let forged = named.map(|(member, number)| {
                let mut content = first.content().clone();
                content.replica = fedsim_protocols::pbft::ReplicaId(number);
                Signed::from_parts(content, member.key, first.signature())
            });
            certificate.prepares = forged.take(quorum - 1).collect();
        }
    }
    content.prepared = vec![certificate];
    send(content, means);
}

/// Asks for a view far away.
pub(super) fn storm<R: Rules>(replica: &Pbft<R>, means: &mut PbftMeans<'_, R>) {
    let asked = means
        .memory
        .newest_first()
        .filter_map(|seen| match seen.payload {
            PbftMessage::ViewChange { view_change } if means.ring.holds(seen.from) => {
                Some(view_change.view)
            }
            _ => None,
        });
    let highest = asked.take(32).fold(replica.view(), View::max);
    let view = View(highest.0.saturating_add(u64::from(means.settings.amount())));
    if let Some(content) = wish(replica, view, means) {
        send(content, means);
    }
}

fn send<R: Rules>(content: ViewChange, means: &mut PbftMeans<'_, R>) {
    let everybody = means.others.to_vec();
    let view_change = means.sign(content);
    means.multicast(&everybody, PbftMessage::ViewChange { view_change });
}

/// A view-change that says nothing prepared, with true proof of the last stable checkpoint.
fn wish<R: Rules>(replica: &Pbft<R>, view: View, means: &PbftMeans<'_, R>) -> Option<ViewChange> {
    let stable = replica.low_watermark();
    Some(ViewChange {
        epoch: replica.roster().epoch,
        view,
        stable,
        proof: proof_of(stable, replica.roster().quorum(), means)?,
        prepared: Vec::new(),
        replica: replica.number()?,
    })
}

/// A quorum of votes for a checkpoint among those seen; none needed at the beginning.
fn proof_of<R: Rules>(
    stable: Sequence,
    quorum: usize,
    means: &PbftMeans<'_, R>,
) -> Option<Vec<Signed<Checkpoint>>> {
    if stable == Sequence(0) {
        return Some(Vec::new());
    }
    let mut votes: BTreeMap<Digest, BTreeMap<_, Signed<Checkpoint>>> = BTreeMap::new();
    for seen in means.memory.newest_first() {
        if let PbftMessage::Checkpoint { checkpoint } = seen.payload
            && checkpoint.sequence == stable
        {
            let of_digest = votes.entry(checkpoint.digest).or_default();
            of_digest.insert(checkpoint.replica, checkpoint.clone());
        }
    }
    let mut enough = votes.into_values().filter(|votes| votes.len() >= quorum);
    let votes = enough.next()?;
    Some(votes.into_values().take(quorum).collect())
}

/// An assignment that was seen with a vote for it.
fn some_certificate<R: Rules>(means: &PbftMeans<'_, R>) -> Option<PreparedCertificate> {
    let (pre_prepare, batch) = means
        .memory
        .newest_first()
        .find_map(|seen| match seen.payload {
            PbftMessage::PrePrepare { pre_prepare, batch } => Some((pre_prepare, batch)),
            _ => None,
        })?;
    let prepare = means
        .memory
        .newest_first()
        .find_map(|seen| match seen.payload {
            PbftMessage::Prepare { prepare } => Some(prepare),
            _ => None,
        })?;
    Some(PreparedCertificate {
        pre_prepare: pre_prepare.clone(),
        batch: batch.clone(),
        prepares: vec![prepare.clone()],
    })
}

/// The same new view in which what prepared last is replaced by nothing, or whose proof counts one
/// view-change several times, or is too small; in turns, and the same for all receivers.
pub(super) fn dishonest<R: Rules>(
    message: &PbftMessage,
    means: &mut PbftMeans<'_, R>,
) -> Option<PbftMessage> {
    let PbftMessage::NewView { new_view } = message else {
        return None;
    };
    let mut content = new_view.content().clone();
    let first = content.view_changes.first().cloned();
    match (content.view.0 % 3, content.pre_prepares.last_mut(), first) {
        (1, Some(last), _) => {
            let mut dropped = last.content().clone();
            dropped.digest = Batch::null().digest();
            *last = means.sign(dropped);
        }
        (2, _, Some(first)) => content.view_changes.fill(first),
        _ => drop(content.view_changes.pop()),
    }
    let new_view = means.sign(content);
    Some(PbftMessage::NewView { new_view })
}
