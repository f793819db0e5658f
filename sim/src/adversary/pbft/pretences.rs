//! Words in others' names. The cabal has no key of theirs, so that each is under a signature that is
//! its own, or that was made for something else.

use fedsim_protocols::pbft::message::{Commit, Prepare, Request};
use fedsim_protocols::pbft::{
    Member, Operation, Pbft, PbftMessage, ReplicaId, Roster, Rules, Timestamp,
};
use fedsim_protocols::{PeerId, PublicKey, Signable, Signed};

use super::{PbftMeans, requests};

/// With a commit of its own sends its receiver the votes of all others for the same batch.
pub(super) fn votes_of_others<R: Rules>(
    (to, commit): (PeerId, &Commit),
    roster: &Roster,
    means: &mut PbftMeans<'_, R>,
) {
    let victims: Vec<(ReplicaId, Member)> = (0..)
        .map(ReplicaId)
        .zip(roster.membership.replicas.iter().cloned())
        .filter(|(_, member)| member.slot != to && !means.ring.holds(member.slot))
        .collect();
    for (replica, member) in victims {
        let commit = Commit {
            replica,
            ..commit.clone()
        };
        let prepare = Prepare {
            epoch: commit.epoch,
            view: commit.view,
            sequence: commit.sequence,
            digest: commit.digest,
            replica,
        };
        for prepare in pretended(prepare, member.key, means) {
            means.send(to, PbftMessage::Prepare { prepare });
        }
        for commit in pretended(commit, member.key, means) {
            means.send(to, PbftMessage::Commit { commit });
        }
    }
}

/// Asks all replicas for something in the name of the client that asked last.
pub(super) fn request_of_other<R: Rules>(replica: &Pbft<R>, means: &mut PbftMeans<'_, R>) {
    let Some(invented) = invented_request(1, means) else {
        return;
    };
    let outside = |to: &PeerId| !means.ring.holds(*to);
    let to: Vec<PeerId> = replica.roster().others(None).filter(outside).collect();
    for request in pretended(invented.content().clone(), invented.signer(), means) {
        means.multicast(&to, PbftMessage::Request { request });
    }
}

/// A request that its client never made, `later` than its last one, under the signature of that.
pub(super) fn invented_request<R: Rules>(
    later: u64,
    means: &PbftMeans<'_, R>,
) -> Option<Signed<Request>> {
    let mut seen = requests(means);
    let last = seen.find(|request| !means.ring.holds(request.client))?;
    let mut content = last.content().clone();
    content.timestamp = Timestamp(content.timestamp.0.saturating_add(later));
    content.operation = Operation::Write {
        key: 0,
        value: b"invented".to_vec(),
    };
    Some(Signed::from_parts(content, last.signer(), last.signature()))
}

/// Passes on a prepare as its sender's commit.
pub(super) fn recast<R: Rules>(
    (from, prepare): (PeerId, &Signed<Prepare>),
    roster: &Roster,
    means: &mut PbftMeans<'_, R>,
) {
    let commit = Commit {
        epoch: prepare.epoch,
        view: prepare.view,
        sequence: prepare.sequence,
        digest: prepare.digest,
        replica: prepare.replica,
    };
    let commit = Signed::from_parts(commit, prepare.signer(), prepare.signature());
    let others = roster.others(None).filter(|to| *to != from);
    let others: Vec<PeerId> = others.filter(|to| !means.ring.holds(*to)).collect();
    means.multicast(&others, PbftMessage::Commit { commit });
}

/// Content under the acting member's own key, and under another's with the same signature.
fn pretended<R: Rules, T: Signable + Clone>(
    content: T,
    key: PublicKey,
    means: &mut PbftMeans<'_, R>,
) -> [Signed<T>; 2] {
    let own = means.sign(content.clone());
    let signature = own.signature();
    [own, Signed::from_parts(content, key, signature)]
}
