//! Councils of a small federation at one table.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::sync::Arc;

use crate::identity::{KeyScheme, Keys};
use crate::outbox::RequestId;
use crate::pbft::{Member, PbftConfig, Roster};
use crate::peer::PeerId;
use crate::raft::RaftConfig;
use crate::tabletop::{Tabletop, secret_seed};
use crate::time::SimDuration;

use super::{
    Across, Federation, Scope, StackConfig, StackEvent, StackPeer, StackReply, StackRequest,
};

const SEED: u64 = 5;

fn keys(slot: u32) -> Keys {
    Keys::new(KeyScheme::ideal([7; 32]), secret_seed(SEED, slot))
}

/// Organisations of `size` peers each; organisation `o` signs with the key of slot 1000 + o.
fn federation(organisations: u32, size: u32, across: Across) -> Arc<Federation> {
    let organisations: Vec<Vec<PeerId>> = (0..organisations)
        .map(|o| (o * size..(o + 1) * size).map(PeerId).collect())
        .collect();
    let organisation_keys: Vec<Keys> = (0..organisations.len() as u32)
        .map(|o| keys(1000 + o))
        .collect();
    let everyone = organisations.concat();
    let member = |slot: PeerId, keys: &Keys| Member {
        slot,
        key: keys.public(),
    };
    let replicas = match across {
        Across::TwoTier => {
            let pairs = organisations.iter().zip(&organisation_keys);
            pairs.map(|(peers, keys)| member(peers[0], keys)).collect()
        }
        Across::Flat | Across::Raft => {
            let peers = everyone.iter();
            peers.map(|peer| member(*peer, &keys(peer.0))).collect()
        }
    };
    let clients = everyone.iter();
    let clients: BTreeMap<_, _> = clients.map(|peer| (*peer, keys(peer.0).public())).collect();
    let roster = Arc::new(Roster::genesis(replicas, clients, BTreeSet::new()));
    Arc::new(Federation {
        organisations,
        roster,
        organisation_keys,
    })
}

fn table(organisations: u32, size: u32, across: Across) -> Tabletop<StackPeer> {
    let federation = federation(organisations, size, across);
    let config = Arc::new(StackConfig {
        across,
        raft: Arc::new(RaftConfig::default()),
        pbft: Arc::new(PbftConfig::default()),
    });
    let peers = organisations * size;
    let peers = (0..peers).map(PeerId);
    let machines = peers.map(|peer| StackPeer::new(peer, config.clone(), federation.clone()));
    let mut table = Tabletop::new(SEED, SimDuration::from_millis(20), machines.collect());
    table.start_all();
    table.run_for(SimDuration::from_secs(5));
    table
}

fn propose(table: &mut Tabletop<StackPeer>, at: u32, number: u64, scope: Scope) {
    let content = number.to_le_bytes().to_vec();
    let request = StackRequest::Propose { scope, content };
    table.request(PeerId(at), RequestId(number), request);
}

/// What each peer knows as decided, in its order.
fn decided(table: &Tabletop<StackPeer>) -> BTreeMap<PeerId, Vec<u64>> {
    let mut all: BTreeMap<PeerId, Vec<u64>> = BTreeMap::new();
    for (_, peer, event) in &table.events {
        if let StackEvent::Decided { proposal } = event {
            all.entry(*peer).or_default().push(proposal.number);
        }
    }
    all
}

#[test]
fn every_council_decides_for_all_in_one_order() {
    // Three proposers at once; whatever decides, everybody must end with the same list of three.
    for across in [Across::Flat, Across::TwoTier, Across::Raft] {
        let mut table = table(4, 3, across);
        for (at, number) in [(0, 1), (4, 2), (11, 3)] {
            propose(&mut table, at, number, Scope::Federation);
        }
        table.run_for(SimDuration::from_secs(20));
        let decided = decided(&table);
        assert_eq!(decided.len(), 12, "{across:?}: {decided:?}");
        let first = &decided[&PeerId(0)];
        assert_eq!(first.len(), 3, "{across:?}: {decided:?}");
        assert!(
            decided.values().all(|list| list == first),
            "{across:?}: {decided:?}"
        );
        let answered = table.replies.iter();
        let answered = answered.filter(|(_, reply)| *reply == StackReply::Decided {});
        assert_eq!(answered.count(), 3, "{across:?}");
    }
}

#[test]
fn a_decision_inside_an_organisation_stays_inside() {
    // The organisation's three peers know it, and nobody else ever hears of it.
    let mut table = table(4, 3, Across::Flat);
    propose(&mut table, 4, 1, Scope::Organisation);
    table.run_for(SimDuration::from_secs(5));
    let know: Vec<PeerId> = decided(&table).into_keys().collect();
    assert_eq!(know, [3, 4, 5].map(PeerId));
}

#[test]
fn an_organisation_goes_on_where_its_last_leader_stopped() {
    // The delegate of one organisation is silenced half way; another of its peers must take over
    // from the records that Raft kept, and the next proposal must be decided in the same list.
    let mut table = table(4, 3, Across::TwoTier);
    propose(&mut table, 4, 1, Scope::Federation);
    table.run_for(SimDuration::from_secs(10));
    let speaks = |table: &Tabletop<StackPeer>| {
        let mut peers = (0..3).map(PeerId);
        peers.find(|peer| table.machine(*peer).is_delegate())
    };
    let first = speaks(&table).expect("an organisation has a leader after some seconds");
    table.carry_if(move |from, to, _| from != first && to != first);
    table.run_for(SimDuration::from_secs(10));
    let mut others = (0..3).map(PeerId).filter(|peer| *peer != first);
    let next = others.find(|peer| table.machine(*peer).is_delegate());
    assert!(next.is_some(), "nobody took over");
    propose(&mut table, 4, 2, Scope::Federation);
    table.run_for(SimDuration::from_secs(20));
    let decided = decided(&table);
    assert_eq!(decided[&next.unwrap()], [1, 2]);
    assert_eq!(decided[&PeerId(4)], [1, 2]);
}
