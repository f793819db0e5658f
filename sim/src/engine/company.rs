//! Who shares a seat: seats cabals, twins and everybody else.
//!
//! Must not know what a cabal does with its keys.

use std::cell::RefCell;
use std::rc::Rc;

use fedsim_protocols::PeerId;
use fedsim_scenarios::spec::Role;

use super::cast::Cast;
use super::driver::{End, Nursery};
use super::peer::Peer;
use super::peer::company::Company;
use super::peer::mask::Mask;
use crate::adversary::{Cabal, Conspiracy, Founding, Misdeeds};
use crate::network::Fabric;
use crate::time::SimTime;

/// Sequence numbers of a second instance begin here, so that they are not those of the first.
const TWIN_SEQ: u64 = 1 << 28;

/// Who lives in the seat of a slot, and when the first of them starts: never, if the peer lives in the
/// seat of its cabal and this one stays empty.
pub(super) fn tenant<C: Cast>(nursery: &Nursery<'_, C>, id: PeerId) -> (Peer<C::Machine>, SimTime) {
    let setup = nursery.setup;
    let starts_at = |peer: PeerId| setup.cast.starts_at(peer);
    let conspiracy = setup.conspiracy.as_ref();
    let cabal = conspiracy.and_then(|it| it.cabal_of(id).map(|number| (it, &it.cabals[number])));
    let Some((conspiracy, members)) = cabal else {
        return (nursery.peer(id), starts_at(id));
    };
    if members[0] != id {
        return (nursery.peer(id), SimTime::NEVER);
    }
    let cabal = Rc::new(RefCell::new(found(nursery, conspiracy, members)));
    let mut others: Vec<Peer<C::Machine>> = Vec::new();
    for &peer in members {
        if peer != id {
            let mut made = nursery.peer(peer);
            made.wear(Mask::new(&cabal, false, None));
            others.push(made);
        }
        if conspiracy.has_twin(peer) {
            let mut twin = nursery.peer(peer);
            twin.wear(Mask::new(&cabal, true, None));
            twin.sender.seq = TWIN_SEQ;
            twin.dismiss_users();
            others.push(twin);
        }
    }
    let is_shared = !others.is_empty() || conspiracy.homes().is_some();
    let company = is_shared.then(|| Company::new(others));
    let mut first = nursery.peer(id);
    first.wear(Mask::new(&cabal, false, company));
    let starts = members.iter().copied().map(starts_at);
    (first, starts.min().unwrap_or(SimTime::ZERO))
}

fn found<C: Cast>(
    nursery: &Nursery<'_, C>,
    conspiracy: &Conspiracy,
    members: &[PeerId],
) -> Cabal<C::Machine> {
    let setup = nursery.setup;
    let peers: Vec<PeerId> = (0..setup.scenario.peers.len() as u32).map(PeerId).collect();
    let is_client = |peer: &PeerId| setup.scenario.peers[peer.index()].role == Role::Client;
    let dice = ["adversary", "adversary/halves"].map(|of| setup.stream(of, members[0], 0));
    let founding = Founding {
        forge: setup.cast.forge(),
        scheme: nursery.scheme.clone(),
        keys: members
            .iter()
            .map(|peer| (*peer, nursery.keys(*peer)))
            .collect(),
        dice,
        clients: peers.iter().copied().filter(is_client).collect(),
        peers,
        lookahead: setup.fabric.lookahead(),
    };
    Cabal::new(conspiracy, founding)
}

/// What all shards' Byzantine peers, and the network, did.
pub(super) fn settle(conspiracy: &Conspiracy, ends: &[End], fabric: &Fabric) -> Misdeeds {
    let mut all = Misdeeds::new(conspiracy);
    ends.iter()
        .flat_map(|end| &end.misdeeds)
        .for_each(|done| all.merge(done));
    for (role, place, count) in fabric.schemer().into_iter().flat_map(|it| it.deeds()) {
        all.note(role, place, count);
    }
    all
}
