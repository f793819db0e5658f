//! What was once true, said where it no longer is: old certificates, and votes for old rosters.

use std::collections::BTreeMap;

use fedsim_protocols::PeerId;
use fedsim_protocols::Signed;
use fedsim_protocols::pbft::message::{
    Batch, PrePrepare, Prepare, PreparedCertificate, ViewChange,
};
use fedsim_protocols::pbft::{Digest, Epoch, Pbft, PbftMessage, ReplicaId, Rules, Sequence, View};

use super::PbftMeans;
use super::primary::place;

/// What stands at a place in a view.
type Ballot = (Sequence, View, Digest);

/// The same wish with the oldest certificate for each place, of views before the one just left.
pub(super) fn view_change<R: Rules>(
    wish: &ViewChange,
    replica: &Pbft<R>,
    means: &mut PbftMeans<'_, R>,
) -> PbftMessage {
    let mut oldest: BTreeMap<Sequence, PreparedCertificate> = BTreeMap::new();
    for (ballot, (pre_prepare, batch)) in assignments(wish, means) {
        if oldest.contains_key(&ballot.0) {
            continue;
        }
        let prepares = prepares(ballot, replica, means);
        if prepares.len() + 1 >= replica.roster().quorum() {
            let certificate = PreparedCertificate {
                pre_prepare,
                batch,
                prepares,
            };
            oldest.insert(ballot.0, certificate);
        }
    }
    let mut content = wish.clone();
    content.prepared = oldest.into_values().collect();
    let view_change = means.sign(content);
    PbftMessage::ViewChange { view_change }
}

/// The assignments seen that a wish may name, by place and rising view.
fn assignments<R: Rules>(
    wish: &ViewChange,
    means: &PbftMeans<'_, R>,
) -> BTreeMap<Ballot, (Signed<PrePrepare>, Batch)> {
    let seen = means.memory.newest_first();
    let fitting = seen.filter_map(|seen| match seen.payload {
        PbftMessage::PrePrepare { pre_prepare, batch } => {
            let is_old = pre_prepare.view.next() < wish.view;
            let is_open = pre_prepare.sequence > wish.stable && pre_prepare.epoch == wish.epoch;
            let ballot = (pre_prepare.sequence, pre_prepare.view, pre_prepare.digest);
            (is_old && is_open).then(|| (ballot, (pre_prepare.clone(), batch.clone())))
        }
        _ => None,
    });
    fitting.collect()
}

/// The prepares seen for a ballot, of different backups: a quorum with the assignment, if there are
/// so many.
fn prepares<R: Rules>(
    ballot: Ballot,
    replica: &Pbft<R>,
    means: &PbftMeans<'_, R>,
) -> Vec<Signed<Prepare>> {
    let roster = replica.roster();
    let mut votes: BTreeMap<ReplicaId, Signed<Prepare>> = BTreeMap::new();
    for seen in means.memory.newest_first() {
        if let PbftMessage::Prepare { prepare } = seen.payload
            && (prepare.sequence, prepare.view, prepare.digest) == ballot
            && prepare.epoch == roster.epoch
            && prepare.replica != roster.primary(ballot.1)
            && roster.is_key_of(prepare.replica, &prepare.signer())
        {
            votes.insert(prepare.replica, prepare.clone());
        }
    }
    votes.into_values().take(roster.quorum() - 1).collect()
}

/// Sends assignments and votes of earlier rosters for places above the last stable checkpoint.
pub(super) fn repeat_bygone<R: Rules>(replica: &Pbft<R>, means: &mut PbftMeans<'_, R>) {
    let (epoch, low) = (replica.roster().epoch, replica.low_watermark());
    let is_bygone = |message: &PbftMessage| {
        let is_open = place(message).is_some_and(|(_, sequence, _)| sequence > low);
        is_open && message.epoch().is_some_and(|of: Epoch| of < epoch)
    };
    let seen = means.memory.newest_first();
    let bygone = seen.filter(|seen| is_bygone(seen.payload));
    let mut bygone: Vec<PbftMessage> = bygone.map(|seen| seen.payload.clone()).collect();
    bygone.reverse();
    bygone.dedup();
    let targets: Vec<PeerId> = means.targets();
    for message in bygone {
        means.multicast(&targets, message);
    }
}
