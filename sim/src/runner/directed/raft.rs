//! How Raft acts out a story.

use fedsim_protocols::raft::{
    Answer, Configuration, Outcome, Raft, RaftEvent, RaftMessage, RaftPeer, RaftRecord, RaftReply,
    RaftRequest, RaftView, Role, Rules, SNAPSHOT_SLOT, VoteKind,
};
use fedsim_protocols::{Durable, PeerId, Stored};
use fedsim_scenarios::spec::RaftWords;
use fedsim_scenarios::spec::story::{RaftAsk, RaftClaim, RaftTold};

use super::{Directed, Names, Scene};
use crate::runner::RaftCast;

impl<R: Rules> Directed for RaftCast<R> {
    type Words = RaftWords;

    const TIMELESS: &'static [&'static str] = &[
        "raft/election-safety",
        "raft/one-vote-per-term",
        "raft/leader-append-only",
        "raft/log-matching",
        "raft/leader-completeness",
        "raft/state-machine-safety",
        "raft/durability",
        "raft/exactly-once",
        "raft/configuration-safety",
        "raft/linearizable",
    ];

    fn asked(
        &self,
        ask: &RaftAsk,
        peer: PeerId,
        scene: &mut Scene<'_, Self>,
    ) -> Result<RaftRequest, String> {
        let target = match ask {
            RaftAsk::Operate(operation) => {
                let operation = operation.clone();
                return Ok(RaftRequest::Operate { operation });
            }
            RaftAsk::Transfer(to) => return Ok(RaftRequest::Transfer { to: *to }),
            RaftAsk::TakeSnapshot => return Ok(RaftRequest::TakeSnapshot),
            RaftAsk::Change(target) => target.clone(),
            RaftAsk::Add(other) => {
                let now = configuration(peer, scene)?;
                let learners = now.learners.iter().filter(|learner| *learner != other);
                let voters = now.voters.iter().chain([other]);
                Configuration::new(voters.copied(), learners.copied())
            }
            RaftAsk::AddLearner(other) => {
                let now = configuration(peer, scene)?;
                let voters = now.voters.iter().filter(|voter| *voter != other);
                let learners = now.learners.iter().chain([other]);
                Configuration::new(voters.copied(), learners.copied())
            }
            RaftAsk::Remove(other) => {
                let now = configuration(peer, scene)?;
                let stays = |peer: &&PeerId| *peer != other;
                let voters = now.voters.iter().filter(stays).copied();
                Configuration::new(voters, now.learners.iter().filter(stays).copied())
            }
        };
        let target = Box::new(target);
        Ok(RaftRequest::ChangeMembership { target })
    }

    fn judge(
        &self,
        claim: &RaftClaim,
        peer: PeerId,
        scene: &mut Scene<'_, Self>,
    ) -> Result<(), String> {
        if let RaftClaim::Told(wanted) = claim {
            let told = scene.told[peer.index()].as_ref();
            return Claimed(scene.names, peer).told(wanted, told.map(|told| &told.1));
        }
        if let RaftClaim::HeldByQuorum = claim {
            return held_by_quorum::<R>(peer, scene);
        }
        if let RaftClaim::Holds(key, wanted) = claim {
            let key = *key;
            let held = server(peer, scene, move |it| it.machine().store.get(key).cloned())?;
            let held = held.map(|value| value.to_string());
            let words = |held: &Option<String>| held.clone().unwrap_or_else(|| "nothing".into());
            let what = format!("register {key}");
            return Claimed(scene.names, peer).same(&what, words(wanted), words(&held));
        }
        let view = server(peer, scene, Raft::view)?;
        Claimed(scene.names, peer).seen(claim, &view)
    }

    fn state(&self, machine: &RaftPeer<R>, names: &Names<'_>) -> String {
        match (machine.as_server(), machine.as_client()) {
            (Some(server), _) => server_state(&server.view(), names),
            (None, Some(client)) => {
                let session = client.session();
                let session = session.map_or("without a session".to_owned(), |session| {
                    format!("with session {session}")
                });
                format!("client {session}, {} open", client.open_operations())
            }
            (None, None) => String::new(),
        }
    }

    fn message(&self, message: &RaftMessage, names: &Names<'_>) -> String {
        message_words(message, names)
    }

    fn reply(&self, reply: &RaftReply) -> String {
        match reply {
            RaftReply::Ok { outcome } => outcome_words(outcome),
            RaftReply::Fail { reason } => format!("failed, {reason}"),
            RaftReply::Unknown { reason } => format!("unknown, {reason}"),
        }
    }

    fn remark(&self, event: &RaftEvent) -> Option<String> {
        match event {
            RaftEvent::Truncated { from } => Some(format!("cuts its log from entry {from} on")),
            RaftEvent::SnapshotTaken { index, .. } => {
                Some(format!("takes a snapshot up to entry {index}"))
            }
            RaftEvent::SnapshotInstalled { index, .. } => {
                Some(format!("installs a snapshot up to entry {index}"))
            }
            RaftEvent::ChangeAborted { .. } => Some("gives up the membership change".to_owned()),
            RaftEvent::TransferAborted { .. } => Some("gives up the transfer".to_owned()),
            RaftEvent::QuorumLost { .. } => Some("has lost its quorum".to_owned()),
            RaftEvent::DamagedLog { from, .. } => {
                Some(format!("lost its log from entry {from} on"))
            }
            RaftEvent::Repaired { .. } => Some("has a whole log again".to_owned()),
            RaftEvent::BecameFollower { .. }
            | RaftEvent::BecamePreCandidate { .. }
            | RaftEvent::BecameCandidate { .. }
            | RaftEvent::LeaderElected { .. }
            | RaftEvent::Voted { .. }
            | RaftEvent::Appended { .. }
            | RaftEvent::Durable { .. }
            | RaftEvent::Committed { .. }
            | RaftEvent::Applied { .. }
            | RaftEvent::ConfigurationChanged { .. }
            | RaftEvent::TransferStarted { .. }
            | RaftEvent::ReadServed { .. }
            | RaftEvent::Acknowledged { .. }
            | RaftEvent::Recovered { .. }
            | RaftEvent::Rejected { .. } => None,
        }
    }
}

/// What a server that runs says of itself.
fn server<R: Rules, T: Send + 'static>(
    peer: PeerId,
    scene: &mut Scene<'_, RaftCast<R>>,
    look: impl FnOnce(&Raft<R>) -> T + Send + 'static,
) -> Result<T, String> {
    let seen = scene.table.look(peer, |machine| {
        machine.and_then(RaftPeer::as_server).map(look)
    });
    seen.ok_or_else(|| format!("{} is no server that runs", scene.names.of(peer)))
}

fn configuration<R: Rules>(
    peer: PeerId,
    scene: &mut Scene<'_, RaftCast<R>>,
) -> Result<Configuration, String> {
    server(peer, scene, |server| (**server.configuration()).clone())
}

/// One server of whom something is claimed.
struct Claimed<'a>(Names<'a>, PeerId);

impl Claimed<'_> {
    fn same<T: PartialEq + ToString>(&self, what: &str, wanted: T, is: T) -> Result<(), String> {
        match wanted == is {
            true => Ok(()),
            false => Err(format!(
                "{what} of {} is {}",
                self.0.of(self.1),
                is.to_string()
            )),
        }
    }

    fn seen(&self, claim: &RaftClaim, view: &RaftView) -> Result<(), String> {
        let name = |peer: Option<PeerId>| {
            peer.map_or_else(|| "nobody".to_owned(), |peer| self.0.of(peer).to_owned())
        };
        match claim {
            RaftClaim::Role(role, term) => {
                let word = |role, term| format!("{} in term {term}", role_word(role));
                let wanted = word(*role, term.unwrap_or(view.term));
                self.same("the role", wanted, word(view.role, view.term))
            }
            RaftClaim::Term(term) => self.same("the term", *term, view.term),
            RaftClaim::Vote(vote) => self.same("the vote", name(*vote), name(view.vote)),
            RaftClaim::Leader(leader) => self.same("the leader", name(*leader), name(view.leader)),
            RaftClaim::Log(terms) => self.same("the log", list(terms), list(&view.log_terms)),
            RaftClaim::LastIndex(index) => self.same("the last index", *index, view.last_index),
            RaftClaim::LastTerm(term) => self.same("the last term", *term, view.last_term),
            RaftClaim::Commit(index) => self.same("the commit index", *index, view.commit),
            RaftClaim::Durable(index) => self.same("the durable index", *index, view.durable),
            RaftClaim::Snapshot(index) => self.same("the snapshot", *index, view.log_base),
            RaftClaim::Configuration(wanted) => {
                let words = |it: &Configuration| configuration_words(it, &self.0);
                let what = "the configuration";
                self.same(what, words(wanted), words(&view.configuration))
            }
            RaftClaim::Holds(..) | RaftClaim::HeldByQuorum | RaftClaim::Told(_) => {
                unreachable!("BUG: judged before")
            }
        }
    }

    fn told(&self, wanted: &RaftTold, told: Option<&Option<RaftReply>>) -> Result<(), String> {
        let reply = told.and_then(Option::as_ref);
        let is = match reply {
            None => RaftTold::Nothing,
            Some(RaftReply::Fail { .. }) => RaftTold::Failed,
            Some(RaftReply::Unknown { .. }) => RaftTold::Unknown,
            Some(RaftReply::Ok { outcome }) => match outcome {
                Outcome::Read { value } => RaftTold::Value(value.as_ref().map(ToString::to_string)),
                Outcome::Swapped { swapped: false } => RaftTold::Refused,
                Outcome::Swapped { swapped: true }
                | Outcome::Written
                | Outcome::Appended
                | Outcome::Accomplished => RaftTold::Done,
            },
        };
        if is == *wanted {
            return Ok(());
        }
        let words = match reply {
            None => "nothing".to_owned(),
            Some(RaftReply::Ok { outcome }) => outcome_words(outcome),
            Some(RaftReply::Fail { reason }) => format!("failed, {reason}"),
            Some(RaftReply::Unknown { reason }) => format!("unknown, {reason}"),
        };
        Err(format!("{} answered {words}", self.0.of(self.1)))
    }
}

/// Whether the disks of a quorum hold all that a server knows to be committed.
fn held_by_quorum<R: Rules>(
    peer: PeerId,
    scene: &mut Scene<'_, RaftCast<R>>,
) -> Result<(), String> {
    let view = server(peer, scene, Raft::view)?;
    let voters = view.configuration.all_voters();
    let holders: Vec<PeerId> = voters
        .into_iter()
        .filter(|voter| holds(&view, &scene.table.disk(*voter)))
        .collect();
    match fedsim_protocols::raft::Paper::has_quorum(&view.configuration, &|it| {
        holders.contains(&it)
    }) {
        true => Ok(()),
        false => Err(format!(
            "entries up to {} are on the disks of {} alone",
            view.commit,
            scene.names.list(&holders)
        )),
    }
}

/// Whether a disk holds the log that `view` knows to be committed.
fn holds(view: &RaftView, disk: &Durable<RaftRecord>) -> bool {
    let covered = match disk.slots.get(&SNAPSHOT_SLOT) {
        Some(Stored::Intact(RaftRecord::Snapshot { snapshot })) => snapshot.index,
        _ => 0,
    };
    let known = (view.log_base + 1..).zip(&view.log_terms);
    known
        .filter(|(index, _)| *index <= view.commit && *index > covered)
        .all(|(index, term)| {
            let place = index.checked_sub(disk.log_start);
            let stored = place.and_then(|place| disk.log.get(place as usize));
            matches!(stored, Some(Stored::Intact(RaftRecord::Entry { entry })) if entry.term == *term)
        })
}

fn role_word(role: Role) -> &'static str {
    match role {
        Role::Follower => "follower",
        Role::PreCandidate => "pre-candidate",
        Role::Candidate => "candidate",
        Role::Leader => "leader",
    }
}

fn list(numbers: &[u64]) -> String {
    let words: Vec<String> = numbers.iter().map(u64::to_string).collect();
    format!("[{}]", words.join(", "))
}

fn configuration_words(configuration: &Configuration, names: &Names<'_>) -> String {
    let mut words = names.list(&configuration.voters);
    for (what, peers) in [
        ("beside", &configuration.outgoing),
        ("learners", &configuration.learners),
        ("to be learners", &configuration.demoted),
    ] {
        if !peers.is_empty() {
            words += &format!(" {what} {}", names.list(peers));
        }
    }
    words
}

/// A server in a line, its configuration only where not all members vote; terms of its log up to [`LOG_SHOWN`] entries.
fn server_state(view: &RaftView, names: &Names<'_>) -> String {
    let mut words = format!("{}, term {}", role_word(view.role), view.term);
    if let Some(vote) = view.vote {
        words += &format!(", vote {}", names.of(vote));
    }
    let log = match view.log_terms.len() > LOG_SHOWN {
        true => format!(
            "{} entries up to term {}",
            view.log_terms.len(),
            view.last_term
        ),
        false => list(&view.log_terms),
    };
    if view.log_base > 0 {
        words += &format!(", snapshot up to {}", view.log_base);
    }
    words += &format!(", log {log}");
    if view.durable < view.last_index {
        words += &format!(" on disk up to {}", view.durable);
    }
    words += &format!(", commit {}", view.commit);
    if *view.configuration == Configuration::of_voters(names.members()) {
        return words;
    }
    let all = configuration_words(&view.configuration, names);
    format!("{words}, voters {all}")
}

/// Entries of a log that a transcript lists one by one.
const LOG_SHOWN: usize = 16;

fn outcome_words(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Read { value: None } => "nothing is there".to_owned(),
        Outcome::Read { value: Some(value) } => value.to_string(),
        Outcome::Written => "written".to_owned(),
        Outcome::Swapped { swapped: true } => "swapped".to_owned(),
        Outcome::Swapped { swapped: false } => "not swapped".to_owned(),
        Outcome::Appended => "appended".to_owned(),
        Outcome::Accomplished => "done".to_owned(),
    }
}

fn message_words(message: &RaftMessage, names: &Names<'_>) -> String {
    match message {
        RaftMessage::RequestVote {
            term,
            last_index,
            last_term,
            kind,
        } => {
            let sent = if *kind == VoteKind::Transfer {
                ", sent by the leader"
            } else {
                ""
            };
            format!("term {term}, last entry {last_index} of term {last_term}{sent}")
        }
        RaftMessage::VoteReply { term, granted, .. } => {
            let word = if *granted { "granted" } else { "refused" };
            format!("term {term}, {word}")
        }
        RaftMessage::Append { .. } => append_words(message),
        RaftMessage::AppendAccepted { term, index, .. } => format!("term {term}, up to {index}"),
        RaftMessage::AppendRefused {
            term,
            prev_index,
            hint_index,
            hint_term,
            ..
        } => format!(
            "term {term}, not after entry {prev_index}, perhaps after {hint_index} of term {hint_term}"
        ),
        RaftMessage::InstallSnapshot { chunk } => format!(
            "term {}, up to entry {} of term {}",
            chunk.term, chunk.index, chunk.last_term
        ),
        RaftMessage::SnapshotReply { term, received, .. } => {
            format!("term {term}, {received} bytes")
        }
        RaftMessage::TimeoutNow { term } | RaftMessage::ReadIndex { term, .. } => {
            format!("term {term}")
        }
        RaftMessage::ReadIndexReply { term, index, .. } => format!("term {term}, index {index}"),
        RaftMessage::Register { .. } => String::new(),
        RaftMessage::Registered { client, .. } => format!("session {client}"),
        RaftMessage::Request { command } => format!("serial {}", command.serial),
        RaftMessage::Answer { serial, answer, .. } => {
            format!("serial {serial}, {}", answer_words(answer, names))
        }
    }
}

fn append_words(message: &RaftMessage) -> String {
    let RaftMessage::Append {
        term,
        prev_index,
        prev_term,
        commit,
        entries,
        ..
    } = message
    else {
        return String::new();
    };
    let head = format!("term {term}, after entry {prev_index} of term {prev_term}");
    let terms: Vec<u64> = entries.as_slice().iter().map(|entry| entry.term).collect();
    let entries = match terms.is_empty() {
        true => String::new(),
        false => format!(", entries {}", list(&terms)),
    };
    format!("{head}{entries}, commit {commit}")
}

fn answer_words(answer: &Answer, names: &Names<'_>) -> String {
    match answer {
        Answer::Done { outcome } => outcome_words(outcome),
        Answer::Expired => "expired".to_owned(),
        Answer::NotLeader { leader } => {
            let who = leader.map_or("nobody", |leader| names.of(leader));
            format!("not leader, {who} may be")
        }
        Answer::Busy => "busy".to_owned(),
    }
}
