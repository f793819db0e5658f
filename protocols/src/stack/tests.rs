//! Councils of a small federation at one table.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::sync::Arc;

use crate::federation::authorisation::Exposure;
use crate::federation::envelope::{Code, Refusal};
use crate::federation::grant::Party;
use crate::federation::identity::{IdentityRecord, Registry};
use crate::federation::sanitise::{Policy, Sanitiser};
use crate::federation::terms::{ActionKind, Capability, Level, Money, Organisation};
use crate::federation::transport::{Mode, Validity};
use crate::identity::{KeyScheme, Keys};
use crate::outbox::RequestId;
use crate::pbft::{Member, Roster};
use crate::peer::PeerId;
use crate::tabletop::{Tabletop, secret_seed};
use crate::time::{LocalTime, SimDuration};

use super::{
    Across, ActionsConfig, Directory, Ending, Errand, Federation, Load, Papers, Scope, StackConfig,
    StackEvent, StackMessage, StackPeer, StackReply, StackRequest,
};

const SEED: u64 = 5;

/// The last message of a kind that passed.
type Tap = Rc<RefCell<Option<StackMessage>>>;

/// Slots from which root keys and keys of organisations are made.
const ROOTS: u32 = 2000;

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
        Across::Flat | Across::Raft | Across::Broadcast => {
            let peers = everyone.iter();
            peers.map(|peer| member(*peer, &keys(peer.0))).collect()
        }
    };
    let clients = everyone.iter();
    let clients: BTreeMap<_, _> = clients.map(|peer| (*peer, keys(peer.0).public())).collect();
    let roster = Arc::new(Roster::genesis(replicas, clients, BTreeSet::new()));
    let directory = Arc::new(directory(&organisations));
    let count = organisations.len();
    Arc::new(Federation {
        organisations,
        roster,
        organisation_keys,
        directory,
        sanitiser: Arc::new(Sanitiser::new(Arc::default(), Policy::default())),
        patterns: Arc::default(),
        pseudonym_secrets: vec![[3; 32]; count],
        papers: BTreeMap::new(),
        lines: BTreeMap::new(),
    })
}

fn directory(organisations: &[Vec<PeerId>]) -> Directory {
    let numbers = 0..organisations.len() as u16;
    let roots = numbers.clone().map(|number| {
        let root = keys(ROOTS + u32::from(number)).public();
        (Organisation(number), root)
    });
    let mut registry = Registry::new(roots.collect());
    let mut identities = BTreeMap::new();
    for (number, members) in numbers.zip(organisations) {
        let (of, mut root) = (Organisation(number), keys(ROOTS + u32::from(number)));
        for member in members {
            let mut own = keys(member.0);
            let public = own.public();
            let introduction = IdentityRecord::introduce(&mut own, of, "somebody");
            let enrolment = IdentityRecord::enrol(&mut root, of, public);
            for record in [introduction, enrolment] {
                registry.learn(&record, &mut own).expect("proves itself");
            }
            identities.insert(*member, public.identity());
        }
    }
    Directory {
        registry,
        identities,
    }
}

/// Everybody lets the first organisation send, and trusts peers as `level` says.
fn config(federation: &Federation, across: Across, level: Level) -> Arc<StackConfig> {
    let identities = federation.directory.identities.values();
    Arc::new(StackConfig {
        across,
        exposures: vec![Exposure {
            capability: Capability::new("send").unwrap(),
            to: Party::Members {
                organisation: Organisation(0),
            },
            depth: 0,
            level: Level::Untrusted,
        }],
        levels: identities.map(|identity| (*identity, level)).collect(),
        ..StackConfig::default()
    })
}

fn table(organisations: u32, size: u32, across: Across) -> Tabletop<StackPeer> {
    trusting(organisations, size, across, Level::Attested)
}

fn trusting(organisations: u32, size: u32, across: Across, level: Level) -> Tabletop<StackPeer> {
    let federation = federation(organisations, size, across);
    let config = config(&federation, across, level);
    seated(&federation, &config)
}

/// Everybody proves who he is, in the model of TLS.
fn proven(organisations: u32, size: u32, across: Across) -> Tabletop<StackPeer> {
    let mut federation = Federation::clone(&federation(organisations, size, across));
    let mut config = StackConfig::clone(&config(&federation, across, Level::Attested));
    let mut actions = ActionsConfig::clone(&config.actions);
    actions.transport.mode = Mode::Mutual;
    config.actions = Arc::new(actions);
    let numbers = (0..).map(Organisation).zip(&federation.organisations);
    let root = |number: u16| keys(ROOTS + u32::from(number));
    let roots = numbers.clone().map(|(of, _)| (of, root(of.0).public()));
    let roots = Arc::new(roots.collect());
    let validity = Validity {
        from: LocalTime::default(),
        until: LocalTime::default() + SimDuration::from_secs(1_000),
    };
    let papers = numbers.flat_map(|(of, members)| {
        let roots = Arc::clone(&roots);
        members.iter().map(move |peer| {
            let member = (of, keys(peer.0).public());
            let roots = Arc::clone(&roots);
            (
                *peer,
                Papers::modelled(&mut root(of.0), member, validity, roots),
            )
        })
    });
    federation.papers = papers.collect();
    seated(&Arc::new(federation), &Arc::new(config))
}

fn seated(federation: &Arc<Federation>, config: &Arc<StackConfig>) -> Tabletop<StackPeer> {
    let everyone = federation.organisations.concat();
    let machines = everyone
        .into_iter()
        .map(|peer| StackPeer::new(peer, config.clone(), federation.clone()))
        .collect();
    let mut table = Tabletop::new(SEED, SimDuration::from_millis(20), machines);
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
        if let StackEvent::Decided { proposal, .. } = event {
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
fn what_councils_say_leaves_an_organisation_in_sessions_alone() {
    // All that is plain stays inside; the very same words, plain from outside, are not listened to.
    for across in [Across::Flat, Across::TwoTier, Across::Raft] {
        let mut table = proven(4, 3, across);
        let is_inside = |from: PeerId, to: PeerId| from.0 / 3 == to.0 / 3;
        let (plain, packets) = (Tap::default(), Tap::default());
        let (inside, outside) = (Tap::clone(&plain), Tap::clone(&packets));
        table.carry_if(move |from, to, message| {
            match message {
                StackMessage::Plain { .. } => {
                    assert!(is_inside(from, to), "{across:?}: {message:?}");
                    *inside.borrow_mut() = Some(message.clone());
                }
                _ => *outside.borrow_mut() = Some(message.clone()),
            }
            true
        });
        propose(&mut table, 4, 1, Scope::Federation);
        table.run_for(SimDuration::from_secs(20));
        assert_eq!(decided(&table).len(), 12, "{across:?}");
        assert!(packets.borrow().is_some(), "{across:?}");
        let overheard = plain
            .borrow()
            .clone()
            .expect("peers of one organisation talk");
        table.hand(PeerId(1), PeerId(4), &overheard);
        let last = table.events.last().map(|(_, _, event)| event);
        let reason = "outside-session";
        assert_eq!(last, Some(&StackEvent::Rejected { reason }), "{across:?}");
    }
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

fn act(table: &mut Tabletop<StackPeer>, at: u32, to: u32, number: u64) {
    let errand = Box::new(Errand {
        to: PeerId(to),
        kind: ActionKind::Message,
        capability: Capability::new("send").unwrap(),
        payload: b"hello".to_vec(),
        hand_on: 0,
        planted: Vec::new(),
        is_hostile: false,
        lifetime: SimDuration::from_secs(60),
        tokens_max: 0,
        money_max: Money(0),
    });
    table.request(PeerId(at), RequestId(number), StackRequest::Act { errand });
}

/// How the errand of request `number` ended.
fn ending(table: &Tabletop<StackPeer>, number: u64) -> Option<Ending> {
    let mut replies = table.replies.iter();
    let found = replies.find(|(id, _)| *id == RequestId(number));
    found.and_then(|(_, reply)| match reply {
        StackReply::Ended { ending } => Some(*ending),
        StackReply::Decided {} | StackReply::Failed {} | StackReply::Published {} => None,
    })
}

fn executed(table: &Tabletop<StackPeer>) -> usize {
    let events = table.events.iter();
    let executed = |event: &StackEvent| matches!(event, StackEvent::ActionExecuted { .. });
    events.filter(|(_, _, event)| executed(event)).count()
}

#[test]
fn what_is_exposed_to_a_trusted_peer_is_done_and_nothing_else() {
    // The same errand by a member of the exposed organisation, by one of another, and by the first
    // one when it is not trusted far enough: only the first may have an effect.
    let mut table = table(2, 2, Across::Flat);
    act(&mut table, 0, 2, 1);
    act(&mut table, 3, 0, 2);
    table.run_for(SimDuration::from_secs(1));
    assert_eq!(ending(&table, 1), Some(Ending::Done));
    assert_eq!(ending(&table, 2), Some(Ending::Refused(Code::Denied)));
    assert_eq!(executed(&table), 1);
    let mut wary = trusting(2, 2, Across::Flat, Level::Verified);
    act(&mut wary, 0, 2, 1);
    wary.run_for(SimDuration::from_secs(1));
    assert_eq!(ending(&wary, 1), Some(Ending::Refused(Code::Denied)));
    assert_eq!(executed(&wary), 0);
}

#[test]
fn an_action_whose_receipts_are_lost_is_done_once_and_answered_in_the_end() {
    // The first three receipts vanish, so the source sends again; the audience must answer from
    // memory and not act again.
    let mut table = table(2, 2, Across::Flat);
    let mut lost = 0;
    table.carry_if(move |_, _, message| {
        let StackMessage::Plain { load } = message else {
            panic!("a session where there are none");
        };
        let is_receipt = matches!(**load, Load::Receipt { .. });
        lost += u32::from(is_receipt);
        !is_receipt || lost > 3
    });
    act(&mut table, 0, 2, 1);
    table.run_for(SimDuration::from_secs(20));
    assert_eq!(ending(&table, 1), Some(Ending::Done));
    assert_eq!(executed(&table), 1);
}

#[test]
fn a_replayed_envelope_is_refused_also_after_a_restart() {
    // The very envelope that was done comes again, before and after its audience lost its memory
    // but not its disk.
    let mut table = table(2, 2, Across::Flat);
    let taken = Tap::default();
    let tap = Tap::clone(&taken);
    table.carry_if(move |_, _, message| {
        let StackMessage::Plain { load } = message else {
            panic!("a session where there are none");
        };
        if matches!(**load, Load::Action { .. }) {
            *tap.borrow_mut() = Some(message.clone());
        }
        true
    });
    act(&mut table, 0, 2, 1);
    table.run_for(SimDuration::from_secs(1));
    let overheard: StackMessage = taken.borrow().clone().expect("an action was sent");
    table.hand(PeerId(1), PeerId(2), &overheard);
    let federation = federation(2, 2, Across::Flat);
    let config = config(&federation, Across::Flat, Level::Attested);
    table.restart(PeerId(2), StackPeer::new(PeerId(2), config, federation));
    table.hand(PeerId(1), PeerId(2), &overheard);
    table.run_for(SimDuration::from_secs(1));
    assert_eq!(executed(&table), 1);
    let refused = table.events.iter();
    let refused = refused.filter(|(_, _, event)| {
        matches!(
            event,
            StackEvent::ActionRefused {
                refusal: Refusal::Replayed,
                ..
            }
        )
    });
    assert_eq!(refused.count(), 2);
}
