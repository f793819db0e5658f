//! Whatever a forge makes is signed by the cabal, or was said before.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use fedsim_protocols::pbft::message::{
    Batch, Checkpoint, Commit, PrePrepare, Prepare, Request, Status, ViewChange,
};
use fedsim_protocols::pbft::{
    Digest, Epoch, Member, Operation, PbftMessage, PbftPeer, ReplicaId, Roster, Sequence,
    Timestamp, View,
};
use fedsim_protocols::{
    KeyScheme, Keys, LocalTime, Outbox, Output, Payload, PeerId, RunKey, SecretSeed, Signable,
    Signed, SimDuration, Stream, StreamLabel,
};
use fedsim_scenarios::Scenario;
use fedsim_scenarios::spec::adversaries::BehaviourSettings;
use fedsim_scenarios::spec::{AdversarySpec, Behaviour, PeerSpec, Role, When, Who};

use super::PbftForge;
use crate::adversary::cabal::{Cabal, Founding, Part};
use crate::adversary::roles::Conspiracy;

const NOW: LocalTime = LocalTime::from_nanos(5_000_000_000);
const EPOCH: Epoch = Epoch(0);
const VIEW: View = View(0);
const HERE: Sequence = Sequence(1);

fn keys_of(slot: u32) -> Keys {
    Keys::new(KeyScheme::ed25519(), SecretSeed([slot as u8 + 1; 32]))
}

fn sign<T: Signable>(slot: u32, content: T) -> Signed<T> {
    keys_of(slot).sign(content)
}

fn request(value: &[u8]) -> Signed<Request> {
    let operation = Operation::Write {
        key: 1,
        value: value.to_vec(),
    };
    let (client, timestamp, read_only) = (PeerId(4), Timestamp(value[0].into()), false);
    sign(
        4,
        Request {
            client,
            timestamp,
            operation,
            read_only,
        },
    )
}

/// What replica `slot` says in the normal case about a batch, and a wish for the next view.
fn words(slot: u32, batch: &Batch) -> Vec<PbftMessage> {
    let (digest, replica) = (batch.digest(), ReplicaId(slot as u16));
    let (epoch, view, sequence) = (EPOCH, VIEW, HERE);
    let prepare = Prepare {
        epoch,
        view,
        sequence,
        digest,
        replica,
    };
    let commit = Commit {
        epoch,
        view,
        sequence,
        digest,
        replica,
    };
    let checkpoint = Checkpoint {
        epoch,
        sequence,
        digest: Digest::of_bytes(b"state"),
        replica,
    };
    let view_change = ViewChange {
        epoch,
        view: View(1),
        stable: Sequence(0),
        proof: Vec::new(),
        prepared: Vec::new(),
        replica,
    };
    let status = Status {
        epoch,
        view,
        changing: false,
        stable: Sequence(0),
        executed: HERE,
        replica,
    };
    vec![
        PbftMessage::Prepare {
            prepare: sign(slot, prepare),
        },
        PbftMessage::Commit {
            commit: sign(slot, commit),
        },
        PbftMessage::Checkpoint {
            checkpoint: sign(slot, checkpoint),
        },
        PbftMessage::ViewChange {
            view_change: sign(slot, view_change),
        },
        PbftMessage::Status {
            status: sign(slot, status),
        },
    ]
}

fn assignment(batch: &Batch) -> PbftMessage {
    let pre_prepare = PrePrepare {
        epoch: EPOCH,
        view: VIEW,
        sequence: HERE,
        digest: batch.digest(),
    };
    PbftMessage::PrePrepare {
        pre_prepare: sign(0, pre_prepare),
        batch: batch.clone(),
    }
}

/// Whether the signature on a message is its signer's.
fn is_genuine(message: &PbftMessage) -> bool {
    let mut judge = keys_of(9);
    match message {
        PbftMessage::Request { request } | PbftMessage::Forward { request } => {
            judge.verify(request)
        }
        PbftMessage::PrePrepare { pre_prepare, .. } => judge.verify(pre_prepare),
        PbftMessage::Prepare { prepare } => judge.verify(prepare),
        PbftMessage::Commit { commit } => judge.verify(commit),
        PbftMessage::Checkpoint { checkpoint } => judge.verify(checkpoint),
        PbftMessage::ViewChange { view_change } => judge.verify(view_change),
        PbftMessage::NewView { new_view } => judge.verify(new_view),
        PbftMessage::Status { status } => judge.verify(status),
        PbftMessage::Reply { reply } => judge.verify(reply),
        PbftMessage::StateRequest { request } => judge.verify(request),
        PbftMessage::CommitProof { .. }
        | PbftMessage::CheckpointProof { .. }
        | PbftMessage::StateReply { .. } => true,
    }
}

fn roster() -> Roster {
    let member = |slot| Member {
        slot: PeerId(slot),
        key: keys_of(slot).public(),
    };
    let clients = BTreeMap::from([(PeerId(4), keys_of(4).public())]);
    Roster::genesis((0..4).map(member).collect(), clients, BTreeSet::new())
}

/// Replicas 0 and 3 conspire against 1 and 2; 0 is the primary.
fn cabal(what: Behaviour) -> Cabal<PbftPeer> {
    let peer = |slot| PeerSpec {
        nickname: format!("peer-{slot}"),
        organisation: String::new(),
        region: String::new(),
        role: if slot == 4 {
            Role::Client
        } else {
            Role::Member
        },
        starts_at: SimDuration::ZERO,
    };
    let scenario = Scenario {
        peers: (0..5).map(peer).collect(),
        adversaries: vec![AdversarySpec {
            label: "test".to_owned(),
            who: Who::Peers(vec![PeerId(0), PeerId(3)]),
            when: When::At(SimDuration::ZERO),
            lasts: None,
            heal_by: None,
            cabal: "plot".to_owned(),
            what: vec![what],
            settings: BehaviourSettings::default(),
        }],
        ..Scenario::default()
    };
    let key = RunKey::from_seed(7);
    let conspiracy = Conspiracy::new(&scenario, key).expect("adversaries");
    let dice = ["adversary", "adversary/halves"];
    let founding = Founding {
        forge: Arc::new(PbftForge {
            patience: SimDuration::from_secs(1),
        }),
        scheme: KeyScheme::ed25519(),
        keys: [0, 3].map(|slot| (PeerId(slot), keys_of(slot))).to_vec(),
        dice: dice.map(|purpose| Stream::new(key, StreamLabel::global(purpose))),
        peers: (0..5).map(PeerId).collect(),
        clients: vec![PeerId(4)],
        lookahead: SimDuration::from_millis(10),
    };
    let mut cabal = Cabal::new(&conspiracy, founding);
    cabal.turn(PeerId(0), 0, true);
    cabal
}

/// All that gets out of a primary that has heard the others, and acts ten times.
fn said(what: Behaviour, heard: &[(u32, PbftMessage)], own: &[PbftMessage]) -> Vec<PbftMessage> {
    let mut cabal = cabal(what);
    let mut machine = PbftPeer::replica(Arc::default(), Arc::new(roster()));
    let mut outbox = Outbox::new();
    let part = Part {
        me: PeerId(0),
        is_twin: false,
    };
    for (from, message) in heard {
        cabal.hear((part, NOW), (PeerId(*from), message), &machine, &mut outbox);
    }
    let mut held = Vec::new();
    for message in own {
        let payload = Payload::shared(message.clone());
        let to = (1..5).map(PeerId);
        to.for_each(|to| {
            outbox.push(Output::Send {
                to,
                payload: payload.clone(),
            })
        });
    }
    cabal.pass((part, NOW), &machine, &mut outbox, &mut held);
    for _ in 0..10 {
        cabal.act((PeerId(0), NOW), 0, &mut machine, &mut outbox);
    }
    let sent = outbox.drain().filter_map(|output| match output {
        Output::Send { payload, .. } => Some((*payload).clone()),
        _ => None,
    });
    let held = held.into_iter().map(|parcel| (*parcel.payload).clone());
    sent.chain(held).collect()
}

#[test]
fn whatever_gets_out_is_signed_by_the_cabal_or_was_said_before() {
    // Every behaviour that fits PBFT, on every kind of message: what bears the signature of one of
    // the honest is, bit for bit, what he said; all else that is genuine is the cabal's own.
    let (a, b) = (
        Batch::new(vec![request(b"a")]),
        Batch::new(vec![request(b"b")]),
    );
    let mut heard: Vec<(u32, PbftMessage)> = Vec::new();
    for slot in [1, 2] {
        heard.extend(words(slot, &a).into_iter().map(|word| (slot, word)));
    }
    let asked = [b"a", b"b"].map(|value| PbftMessage::Request {
        request: request(value),
    });
    heard.extend(asked.into_iter().map(|asked| (4, asked)));
    let mut own = words(0, &a);
    own.push(assignment(&a));
    own.push(assignment(&b));
    let cabal: Vec<_> = [0, 3].map(|slot| keys_of(slot).public()).to_vec();
    let mut forged = 0;
    let fitting = Behaviour::ALL
        .iter()
        .filter(|it| it.fits(&["pbft"]) && !it.is_of_network());
    for what in fitting {
        for message in said(*what, &heard, &own) {
            let Some(signer) = message.signer() else {
                continue;
            };
            let is_ours = cabal.contains(&signer);
            let is_old = heard.iter().any(|(_, old)| *old == message);
            assert!(
                is_ours || is_old || !is_genuine(&message),
                "{what:?}: {message:?}"
            );
            forged += usize::from(is_ours && is_genuine(&message) && !own.contains(&message));
        }
    }
    assert!(forged > 50, "{forged}");
}

#[test]
fn an_equivocating_primary_tells_each_half_one_story_with_the_votes_to_it() {
    // One backup and one half hear of batch a, the other of another batch at the same place, each
    // with a commit of both conspirators and a prepare of the accomplice for just that batch.
    let a = Batch::new(vec![request(b"a")]);
    let asked = PbftMessage::Request {
        request: request(b"b"),
    };
    let out = said(
        Behaviour::EquivocatingPrimary,
        &[(4, asked)],
        &[assignment(&a)],
    );
    let mut told: BTreeMap<Digest, usize> = BTreeMap::new();
    let mut votes: BTreeMap<Digest, usize> = BTreeMap::new();
    for message in &out {
        match message {
            PbftMessage::PrePrepare { pre_prepare, batch } => {
                assert_eq!(pre_prepare.digest, batch.digest());
                *told.entry(batch.digest()).or_default() += 1;
            }
            PbftMessage::Prepare { prepare } => *votes.entry(prepare.digest).or_default() += 1,
            PbftMessage::Commit { commit } => *votes.entry(commit.digest).or_default() += 1,
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(told.contains_key(&a.digest()));
    assert!(told.keys().eq(votes.keys()), "{votes:?}");
}

/// Pairs of what was said: who signed, whom it names.
fn signers(out: &[PbftMessage]) -> Vec<(bool, ReplicaId)> {
    let votes = out.iter().filter_map(|message| match message {
        PbftMessage::Prepare { prepare } => Some(prepare.replica),
        PbftMessage::Commit { commit } => Some(commit.replica),
        _ => None,
    });
    let genuine = out.iter().map(is_genuine);
    genuine.zip(votes).collect()
}

#[test]
fn forged_votes_name_every_other_replica_and_are_under_no_signature_of_theirs() {
    // With a commit of its own each receiver gets prepare and commit of the honest one that it is
    // not, both under the cabal's key and under that one's key; the latter verify nowhere. Once a
    // pace a request in the client's name goes out in the same two ways.
    let a = Batch::new(vec![request(b"a")]);
    let own: Vec<PbftMessage> = words(0, &a).into_iter().skip(1).take(1).collect();
    let asked = PbftMessage::Request {
        request: request(b"b"),
    };
    let out = said(Behaviour::ForgedVotes, &[(4, asked)], &own);
    let is_vote = |message: &&PbftMessage| {
        matches!(
            message,
            PbftMessage::Prepare { .. } | PbftMessage::Commit { .. }
        )
    };
    let votes: Vec<PbftMessage> = out.iter().filter(is_vote).cloned().collect();
    let forged = votes.iter().filter(|vote| !own.contains(vote)).cloned();
    let forged: Vec<PbftMessage> = forged.collect();
    let of = |replica: u16, is_signed: bool| {
        let told = signers(&forged).into_iter();
        told.filter(|it| *it == (is_signed, ReplicaId(replica)))
            .count()
    };
    // Each of the honest is named to the other one and to the client, never to itself.
    for replica in [1, 2] {
        assert_eq!((of(replica, true), of(replica, false)), (4, 4));
    }
    assert_eq!((of(0, true), of(3, true)), (0, 0));
    let is_invented = |message: &&PbftMessage| matches!(message, PbftMessage::Request { .. });
    let invented: Vec<bool> = out.iter().filter(is_invented).map(is_genuine).collect();
    assert!(invented.contains(&true) && invented.contains(&false));
}

#[test]
fn recast_votes_are_prepares_of_others_as_commits_under_the_prepares_signatures() {
    // The other honest replica gets replica 1's prepare as a commit: the same place and signature,
    // which does not hold for a commit.
    let a = Batch::new(vec![request(b"a")]);
    let prepare = words(1, &a).remove(0);
    let PbftMessage::Prepare { prepare: original } = &prepare else {
        panic!("the first word is a prepare");
    };
    let out = said(Behaviour::RecastVotes, &[(1, prepare.clone())], &[]);
    let [PbftMessage::Commit { commit }] = out.as_slice() else {
        panic!("{out:?}");
    };
    assert_eq!(commit.signature(), original.signature());
    assert_eq!((commit.replica, commit.digest), (ReplicaId(1), a.digest()));
    assert!(!is_genuine(&out[0]));
}

#[test]
fn a_swapped_batch_goes_to_one_half_under_the_digest_of_the_other() {
    // Every assignment bears the one that the primary signed; for some receivers, and not for all,
    // the batch beside it has another digest.
    let a = Batch::new(vec![request(b"a")]);
    let out = said(Behaviour::SwappedBatch, &[], &[assignment(&a)]);
    let fits: Vec<bool> = out
        .iter()
        .map(|message| match message {
            PbftMessage::PrePrepare { pre_prepare, batch } => {
                assert!(is_genuine(message) && pre_prepare.digest == a.digest());
                batch.digest() == a.digest()
            }
            other => panic!("{other:?}"),
        })
        .collect();
    assert!(fits.contains(&true) && fits.contains(&false), "{fits:?}");
}

#[test]
fn stale_certificates_are_those_of_views_before_the_last() {
    // What prepared in view 0 is not in the wish for view 1, the view just left, and is in the wish
    // for view 2; the accomplice gets that one as it is.
    let a = Batch::new(vec![request(b"a")]);
    let votes = [1, 2].map(|slot| (slot, words(slot, &a).remove(0)));
    let wish = |view: u64| {
        let content = ViewChange {
            epoch: EPOCH,
            view: View(view),
            stable: Sequence(0),
            proof: Vec::new(),
            prepared: Vec::new(),
            replica: ReplicaId(0),
        };
        PbftMessage::ViewChange {
            view_change: sign(0, content),
        }
    };
    let own = [assignment(&a), wish(1), wish(2)];
    let out = said(Behaviour::StaleCertificates, &votes, &own);
    let named: BTreeSet<(View, usize)> = out
        .iter()
        .filter_map(|message| match message {
            PbftMessage::ViewChange { view_change } => {
                Some((view_change.view, view_change.prepared.len()))
            }
            _ => None,
        })
        .collect();
    assert_eq!(
        named,
        BTreeSet::from([(View(1), 0), (View(2), 0), (View(2), 1)])
    );
}
