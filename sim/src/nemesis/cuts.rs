//! Turns the shape of a partition into the links it takes. Must not know when.

use fedsim_protocols::{PeerId, Stream};
use fedsim_scenarios::spec::Partition;

use super::aim::Aim;
use crate::network::{Cut, PeerSet};
use crate::time::SimTime;

/// The links that `partition` takes now, and the peers that lose some.
pub(super) fn resolve(
    partition: &Partition,
    aim: &Aim,
    horizon: SimTime,
    trigger: Option<PeerId>,
    dice: &mut Stream,
) -> (Cut, Vec<PeerId>) {
    let members = aim.members();
    let mut select = |select| aim.select(select, horizon, trigger, dice);
    match partition {
        Partition::Sides(sides) => between(aim, sides.clone()),
        Partition::OneWay { from, to } => {
            let (from, to) = (select(from), select(to));
            let cut = Cut::OneWay {
                from: PeerSet::new(&from),
                to: PeerSet::new(&to),
            };
            (cut, union([from, to].concat()))
        }
        Partition::Isolate(peers) => {
            let peers = select(peers);
            (Cut::Around(PeerSet::new(&peers)), peers)
        }
        Partition::StarAround(centre) => {
            let cut = Cut::BesidesStar {
                centre: PeerSet::new(&select(centre)),
                members: PeerSet::new(members),
            };
            (cut, members.to_vec())
        }
        Partition::MajorityRing => {
            let cut = Cut::BeyondRing {
                place: places(aim),
                length: members.len() as u32,
                reach: majority_reach(members.len() as u32),
            };
            (cut, members.to_vec())
        }
        Partition::Chain => (Cut::BeyondChain { place: places(aim) }, members.to_vec()),
        Partition::Bridge { over } => {
            let over = select(over);
            let others = members.iter().copied().filter(|peer| !over.contains(peer));
            between(aim, halves(others.collect(), dice))
        }
        Partition::Halves => between(aim, halves(members.to_vec(), dice)),
    }
}

/// Two random halves; the first has one more if their number is odd.
fn halves(mut peers: Vec<PeerId>, dice: &mut Stream) -> Vec<Vec<PeerId>> {
    dice.shuffle(&mut peers);
    let rest = peers.split_off(peers.len().div_ceil(2));
    vec![peers, rest]
}

fn between(aim: &Aim, sides: Vec<Vec<PeerId>>) -> (Cut, Vec<PeerId>) {
    let mut side = vec![0_u16; aim.slots()];
    for (number, peers) in (1..).zip(&sides) {
        for peer in peers {
            if let Some(of) = side.get_mut(peer.index()) {
                *of = number;
            }
        }
    }
    (Cut::Between(side.into()), union(sides.concat()))
}

fn union(mut peers: Vec<PeerId>) -> Vec<PeerId> {
    peers.sort_unstable();
    peers.dedup();
    peers
}

/// The least number of neighbours on either side with whom a peer is a majority:
/// `1 + 2 reach >= floor(n / 2) + 1`.
fn majority_reach(members: u32) -> u32 {
    (members / 2).div_ceil(2)
}

fn places(aim: &Aim) -> Box<[u32]> {
    let mut place = vec![Cut::NO_PLACE; aim.slots()];
    for (number, peer) in (0..).zip(aim.members()) {
        place[peer.index()] = number;
    }
    place.into()
}
