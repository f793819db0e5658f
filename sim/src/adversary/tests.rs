//! What a cabal may sign, and what each behaviour does to a message.

mod rounds;

use std::collections::BTreeMap;
use std::sync::Arc;

use fedsim_protocols::raft::{
    Configuration, Entries, Entry, EntryKind, Raft, RaftConfig, RaftMessage, RaftPeer, VoteKind,
};
use fedsim_protocols::swim::{Alive, Incarnation, Nickname};
use fedsim_protocols::{
    KeyScheme, Keys, LocalTime, Outbox, Output, Payload, PeerId, RunKey, SecretSeed, Signed,
    SimDuration, Stream, StreamLabel,
};
use fedsim_scenarios::Scenario;
use fedsim_scenarios::spec::adversaries::BehaviourSettings;
use fedsim_scenarios::spec::{AdversarySpec, Behaviour, PeerSpec, Role, When, Who};

use super::cabal::{Cabal, Founding, Part};
use super::raft::{RaftForge, forged};
use super::roles::Conspiracy;
use super::{KeyRing, byzantine};

const NOW: LocalTime = LocalTime::from_nanos(5_000_000_000);

fn dice(purpose: &'static str) -> Stream {
    Stream::new(RunKey::from_seed(7), StreamLabel::global(purpose))
}

fn keys_of(slot: u32) -> Keys {
    Keys::new(KeyScheme::ed25519(), SecretSeed([slot as u8 + 1; 32]))
}

fn scenario(peers: u32, who: &[u32], what: &[Behaviour], settings: BehaviourSettings) -> Scenario {
    let peer = |slot| PeerSpec {
        nickname: format!("peer-{slot}"),
        organisation: ["acme", "globex"][slot as usize % 2].to_owned(),
        region: String::new(),
        role: Role::Member,
        starts_at: SimDuration::ZERO,
    };
    Scenario {
        peers: (0..peers).map(peer).collect(),
        adversaries: vec![AdversarySpec {
            label: "test".to_owned(),
            who: Who::Peers(who.iter().map(|slot| PeerId(*slot)).collect()),
            when: When::At(SimDuration::ZERO),
            lasts: None,
            heal_by: None,
            cabal: "plot".to_owned(),
            what: what.to_vec(),
            settings,
        }],
        ..Scenario::default()
    }
}

/// Peer 0 of five conspires, alone or with others, and does one thing.
struct Desk {
    cabal: Cabal<RaftPeer>,
    machine: RaftPeer,
}

impl Desk {
    fn new(who: &[u32], what: &[Behaviour], settings: BehaviourSettings) -> Self {
        let scenario = scenario(5, who, what, settings);
        let conspiracy = Conspiracy::new(&scenario, RunKey::from_seed(7)).expect("adversaries");
        let founding = Founding {
            forge: Arc::new(RaftForge {
                patience: SimDuration::from_millis(150),
                forgery: forged,
            }),
            scheme: KeyScheme::ed25519(),
            keys: who
                .iter()
                .map(|slot| (PeerId(*slot), keys_of(*slot)))
                .collect(),
            dice: [dice("adversary"), dice("adversary/halves")],
            peers: (0..5).map(PeerId).collect(),
            clients: Vec::new(),
            lookahead: SimDuration::from_millis(10),
        };
        let mut cabal = Cabal::new(&conspiracy, founding);
        for slot in who {
            cabal.turn(PeerId(*slot), 0, true);
        }
        let voters = Configuration::of_voters((0..5).map(PeerId));
        let machine = Raft::new(PeerId(0), Arc::new(RaftConfig::default()), voters);
        Self {
            cabal,
            machine: machine.into(),
        }
    }

    fn alone(what: Behaviour) -> Self {
        Self::new(&[0], &[what], BehaviourSettings::default())
    }

    /// What gets out, and how long it is held, when the machine sends `message` to all others.
    fn say(&mut self, message: &RaftMessage) -> BTreeMap<PeerId, Vec<(SimDuration, RaftMessage)>> {
        let mut outbox = Outbox::new();
        let payload = Payload::shared(message.clone());
        for to in (1..5).map(PeerId) {
            let payload = payload.clone();
            outbox.push(Output::Send { to, payload });
        }
        let part = Part {
            me: PeerId(0),
            is_twin: false,
        };
        let mut held = Vec::new();
        self.cabal
            .pass((part, NOW), &self.machine, &mut outbox, &mut held);
        let mut out: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for (to, payload) in sends(&mut outbox) {
            out.entry(to)
                .or_default()
                .push((SimDuration::ZERO, (*payload).clone()));
        }
        for parcel in held {
            let late = (parcel.hold, (*parcel.payload).clone());
            out.entry(parcel.to).or_default().push(late);
        }
        out
    }

    /// Whether the machine hears what peer 3 says, and what is sent because of it.
    fn hear(&mut self, message: &RaftMessage) -> (bool, Vec<(PeerId, RaftMessage)>) {
        let mut outbox = Outbox::new();
        let part = Part {
            me: PeerId(0),
            is_twin: false,
        };
        let heard = (PeerId(3), message);
        let is_kept = self
            .cabal
            .hear((part, NOW), heard, &self.machine, &mut outbox);
        let said = sends(&mut outbox).into_iter();
        (
            !is_kept,
            said.map(|(to, payload)| (to, (*payload).clone())).collect(),
        )
    }

    fn act(&mut self) -> Vec<(PeerId, RaftMessage)> {
        let mut outbox = Outbox::new();
        self.cabal
            .act((PeerId(0), NOW), 0, &mut self.machine, &mut outbox);
        let said = sends(&mut outbox).into_iter();
        said.map(|(to, payload)| (to, (*payload).clone())).collect()
    }
}

fn sends(outbox: &mut Outbox<RaftPeer>) -> Vec<(PeerId, Payload<RaftMessage>)> {
    let sends = outbox.drain().filter_map(|output| match output {
        Output::Send { to, payload } => Some((to, payload)),
        _ => None,
    });
    sends.collect()
}

fn append(term: u64) -> RaftMessage {
    let kind = EntryKind::Register {
        owner: PeerId(4),
        nonce: 8,
    };
    let entries: Entries = [Entry { term, kind }].into_iter().collect();
    RaftMessage::Append {
        term,
        prev_index: 3,
        prev_term: 1,
        commit: 2,
        round: 5,
        entries,
    }
}

fn vote(granted: bool) -> RaftMessage {
    let (term, pre) = (4, false);
    RaftMessage::VoteReply { term, pre, granted }
}

fn record(slot: u32, incarnation: u64) -> Alive {
    Alive {
        key: keys_of(slot).public(),
        address: PeerId(slot),
        nickname: Nickname("victim".into()),
        incarnation: Incarnation(incarnation),
        leaving: false,
    }
}

#[test]
fn a_cabal_signs_for_its_members_and_for_nobody_else() {
    // All that a forge is lent is a ring, dice and a memory. The ring refuses to sign for others;
    // keys that it makes up are nobody's; a signature moved to other content, another signer's name
    // on one's own signature, and an old signature on new content are all refused by everybody.
    let members = [0, 1].map(|slot| (PeerId(slot), keys_of(slot)));
    let mut ring = KeyRing::new(KeyScheme::ed25519(), members.to_vec());
    let mut judge = keys_of(9);
    let own = ring.sign(PeerId(1), record(1, 1)).expect("a member");
    assert!(judge.verify(&own));
    assert!(ring.holds(PeerId(1)) && !ring.holds(PeerId(2)));
    assert_eq!(ring.sign(PeerId(2), record(2, 1)), None);
    assert_eq!(ring.public(PeerId(2)), None);
    assert_eq!(ring.owner_of(&keys_of(2).public()), None);
    let victim = keys_of(2).sign(record(2, 1));
    let mut dice = dice("adversary");
    let mut made_up = ring.invent(&mut dice);
    assert!((0..10).all(|slot| keys_of(slot).public() != made_up.public()));
    let by_stranger = made_up.sign(record(2, 9));
    let forgeries = [
        Signed::from_parts(record(2, 9), keys_of(2).public(), victim.signature()),
        Signed::from_parts(record(2, 9), keys_of(2).public(), own.signature()),
        Signed::from_parts(record(2, 9), keys_of(2).public(), by_stranger.signature()),
    ];
    assert!(forgeries.iter().all(|forged| !judge.verify(forged)));
    let named = ring.sign(PeerId(1), record(2, 9)).expect("a member");
    assert_ne!(named.signer(), keys_of(2).public());
}

#[test]
fn a_silent_member_lets_nothing_out_and_a_gone_one_nothing_in() {
    assert!(Desk::alone(Behaviour::Silent).say(&append(1)).is_empty());
    let mut gone = Desk::alone(Behaviour::CrashStop);
    assert!(gone.say(&append(1)).is_empty());
    assert!(gone.cabal.is_gone(PeerId(0)));
    assert!(!Desk::alone(Behaviour::Silent).cabal.is_gone(PeerId(0)));
}

#[test]
fn what_is_late_is_late_by_just_less_than_the_others_wait() {
    // 150 ms less a twentieth and the 10 ms of the way; or as long as the scenario says.
    let mut desk = Desk::alone(Behaviour::Delay);
    let held = desk.say(&append(1))[&PeerId(1)][0].0;
    assert_eq!(held, SimDuration::from_micros(132_500));
    let settings = BehaviourSettings {
        by: Some(SimDuration::from_millis(7)),
        ..BehaviourSettings::default()
    };
    let mut desk = Desk::new(&[0], &[Behaviour::Delay], settings);
    assert_eq!(
        desk.say(&append(1))[&PeerId(1)][0].0,
        SimDuration::from_millis(7)
    );
}

#[test]
fn an_equivocator_tells_two_things_one_to_each_half() {
    // Two hear the original, two the same other message, and again the same two next time.
    let mut desk = Desk::alone(Behaviour::Equivocate);
    let original = append(1);
    let split = |said: BTreeMap<PeerId, Vec<(SimDuration, RaftMessage)>>| {
        let told: Vec<_> = said.values().map(|list| list[0].1.clone()).collect();
        let other: Vec<_> = told.iter().filter(|it| **it != original).cloned().collect();
        assert_eq!(other.len(), 2);
        assert_eq!(other[0], other[1]);
        said.iter()
            .filter(|it| it.1[0].1 != original)
            .map(|it| *it.0)
            .collect::<Vec<_>>()
    };
    let first = split(desk.say(&original));
    assert_eq!(split(desk.say(&original)), first);
    assert_eq!(
        desk.say(&vote(true))
            .values()
            .filter(|it| it[0].1 == vote(false))
            .count(),
        2
    );
}

#[test]
fn colluders_are_told_the_truth() {
    let mut desk = Desk::new(&[0, 2], &[Behaviour::Lie], BehaviourSettings::default());
    let said = desk.say(&vote(false));
    assert_eq!(said[&PeerId(2)][0].1, vote(false));
    assert_eq!(said[&PeerId(1)][0].1, vote(true));
}

#[test]
fn a_mutant_differs_by_one_step_in_one_field() {
    // Whichever field it is, or one entry less: put the six together again and the difference is one.
    let mut desk = Desk::alone(Behaviour::Mutate);
    let numbers = |message: &RaftMessage| match message {
        RaftMessage::Append {
            term,
            prev_index,
            prev_term,
            commit,
            round,
            entries,
        } => {
            let count = entries.as_slice().len() as u64;
            [*term, *prev_index, *prev_term, *commit, *round, count]
        }
        _ => [0; 6],
    };
    let original = numbers(&append(1));
    let mut fields = [0; 6];
    for _ in 0..30 {
        for said in desk.say(&append(1)).values() {
            let changed = numbers(&said[0].1);
            let steps: Vec<u64> = (0..6)
                .map(|it| changed[it].abs_diff(original[it]))
                .collect();
            assert_eq!(steps.iter().sum::<u64>(), 1, "{changed:?}");
            (0..6).for_each(|field| fields[field] += steps[field]);
        }
    }
    assert!(fields.iter().all(|count| *count > 0), "{fields:?}");
}

#[test]
fn a_corrupted_message_is_another_one_or_garbage() {
    // One bit of an append: most decode to something else; a bit in the tag or a length does not.
    let mut desk = Desk::alone(Behaviour::Corrupt);
    let mut arrived = 0;
    for _ in 0..50 {
        for said in desk.say(&append(1)).values() {
            assert_ne!(said[0].1, append(1));
            arrived += 1;
        }
    }
    let garbage = desk.cabal.take_misdeeds().garbage;
    assert!(arrived > 0 && garbage > 0);
    assert_eq!(arrived + garbage, 200);
}

#[test]
fn a_double_voter_votes_for_whoever_asks_and_keeps_its_machine_quiet() {
    let mut desk = Desk::alone(Behaviour::DoubleVote);
    let ask = RaftMessage::RequestVote {
        term: 4,
        last_index: 0,
        last_term: 0,
        kind: VoteKind::Vote,
    };
    assert_eq!(desk.hear(&ask), (true, vec![(PeerId(3), vote(true))]));
    assert!(desk.say(&vote(false)).is_empty());
    assert_eq!(desk.say(&append(1)).len(), 4);
}

#[test]
fn an_inflator_asks_for_votes_in_terms_that_rise_by_its_amount() {
    let settings = BehaviourSettings {
        amount: Some(10),
        ..BehaviourSettings::default()
    };
    let mut desk = Desk::new(&[0], &[Behaviour::TermInflation], settings);
    let term = |said: Vec<(PeerId, RaftMessage)>| match &said[..] {
        [(_, RaftMessage::RequestVote { term, .. }), _, _, _] => *term,
        other => panic!("{other:?}"),
    };
    assert_eq!([10, 20, 30], [(); 3].map(|()| term(desk.act())));
}

#[test]
fn omission_works_both_ways() {
    let settings = BehaviourSettings {
        target: Some(vec![PeerId(3)]),
        ..BehaviourSettings::default()
    };
    let mut desk = Desk::new(&[0], &[Behaviour::Omit], settings);
    assert!(!desk.hear(&append(1)).0);
    assert!(!desk.say(&append(1)).contains_key(&PeerId(3)));
    assert_eq!(desk.say(&append(1)).len(), 3);
}

#[test]
fn old_messages_come_again_as_they_were() {
    // Heard from peer 3, sent by itself, or overheard between others: nothing else is replayed.
    let settings = BehaviourSettings {
        amount: Some(40),
        ..BehaviourSettings::default()
    };
    let mut desk = Desk::new(&[0], &[Behaviour::Replay], settings);
    desk.hear(&append(1));
    desk.say(&append(2));
    desk.cabal
        .overhear(PeerId(1), PeerId(2), &Payload::Inline(append(3)));
    let said = desk.act();
    assert_eq!(said.len(), 40);
    let of = |term| said.iter().filter(|it| it.1 == append(term)).count();
    assert_eq!(of(1) + of(2) + of(3), 40);
    assert!([1, 2, 3].iter().all(|term| of(*term) > 0));
}

#[test]
fn who_is_byzantine_follows_from_the_seed() {
    // A count, a share and one of every organisation, drawn anew for another seed.
    let drawn = |who: Who, seed| {
        let mut scenario = scenario(10, &[0], &[Behaviour::Silent], BehaviourSettings::default());
        scenario.adversaries[0].who = who;
        scenario.seed = seed;
        byzantine(&scenario)
    };
    let all: Vec<PeerId> = (0..10).map(PeerId).collect();
    let three = |seed| {
        drawn(
            Who::Drawn {
                count: 3,
                of: all.clone(),
            },
            seed,
        )
    };
    assert_eq!(three(1).len(), 3);
    assert_eq!(three(1), three(1));
    assert!((2..20).any(|seed| three(seed) != three(1)));
    let fraction = fedsim_protocols::Probability::from_f64(0.3).expect("a share");
    assert_eq!(
        drawn(
            Who::Share {
                fraction,
                of: all.clone()
            },
            1
        )
        .len(),
        3
    );
    let one_each = drawn(Who::OnePerOrganisation, 1);
    let sides: Vec<u32> = one_each.iter().map(|peer| peer.0 % 2).collect();
    assert_eq!(sides.iter().sum::<u32>(), 1);
    assert_eq!(sides.len(), 2);
}
