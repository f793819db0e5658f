//! Raft's messages in the hands of an adversary.
//!
//! Nothing in Raft is signed, and nothing in it claims to survive a liar: what is here shows how it
//! fails, and that it fails for no less.

use fedsim_protocols::raft::{
    Answer, Command, Entries, Entry, EntryKind, Operation, Outcome, Raft, RaftMessage, RaftPeer,
    Role, Rules, Shared, Value, VoteKind,
};
use fedsim_protocols::{LocalTime, Message, PeerId, SimDuration};
use fedsim_scenarios::spec::Behaviour;

use super::forge::{Forge, Round, Twist};
use super::means::Means;

/// Knows Raft.
pub(crate) struct RaftForge {
    /// The shortest election timeout.
    pub(crate) patience: SimDuration,
    /// What it says in place of an operation.
    pub(crate) forgery: Forgery,
}

/// Makes an operation that is not the one that was asked for.
pub(crate) type Forgery = fn(&Operation) -> Operation;

type RaftMeans<'a, R> = Means<'a, RaftPeer<R>>;

impl RaftForge {
    /// What an attack does by itself, once a pace.
    pub(super) fn strike<R: Rules>(
        &self,
        what: Behaviour,
        machine: &RaftPeer<R>,
        means: &mut RaftMeans<'_, R>,
    ) {
        let Some(server) = machine.as_server() else {
            return;
        };
        match what {
            Behaviour::TermInflation => inflate(server, means),
            Behaviour::ForgedLog => invade(server, self.forgery, means),
            Behaviour::SeizeLeadership if server.role() != Role::Leader => inflate(server, means),
            _ => {}
        }
    }
}

impl<R: Rules> Forge<RaftPeer<R>> for RaftForge {
    fn leads(&self, message: &RaftMessage) -> bool {
        matches!(
            message,
            RaftMessage::Append { .. } | RaftMessage::InstallSnapshot { .. }
        )
    }

    /// Terms, and in them what is asked or told about one log index.
    fn round(&self, message: &RaftMessage, _: LocalTime) -> Option<Round> {
        let (view, place) = about(message);
        let phase = message.kind();
        Some(Round { view, place, phase })
    }

    fn patience(&self, _: PeerId) -> Option<SimDuration> {
        Some(self.patience)
    }

    fn contradict(&self, message: &RaftMessage, _: &mut RaftMeans<'_, R>) -> Option<RaftMessage> {
        contradiction(message, self.forgery)
    }

    fn lie(&self, message: &RaftMessage, _: &mut RaftMeans<'_, R>) -> Option<RaftMessage> {
        Some(pretended(message.clone()))
    }

    fn mutate(&self, message: &RaftMessage, means: &mut RaftMeans<'_, R>) -> Option<RaftMessage> {
        let mut changed = message.clone();
        if means.dice.below(4) == 0 && step_shape(&mut changed) {
            return Some(changed);
        }
        let fields = numbers(&mut changed);
        let up = means.dice.below(2) == 1;
        let field = means.dice.below(fields.len().max(1) as u64) as usize;
        let number = fields.into_iter().nth(field)?;
        *number = if up {
            number.saturating_add(1)
        } else {
            number.saturating_sub(1)
        };
        (changed != *message).then_some(changed)
    }

    fn twist(
        &self,
        what: Behaviour,
        (to, message): (PeerId, &RaftMessage),
        _: &RaftPeer<R>,
        means: &mut RaftMeans<'_, R>,
    ) -> Twist<RaftMessage> {
        let is_vote = matches!(message, RaftMessage::VoteReply { .. });
        let replaced = match what {
            Behaviour::DoubleVote | Behaviour::VoteWithholding if is_vote => return Twist::Drop,
            Behaviour::LyingLeader if means.is_in_second_half(to) => {
                contradiction(message, self.forgery)
            }
            Behaviour::ForgedCommitIndex if means.targets().contains(&to) => {
                let forged = all_committed(message);
                forged.filter(|forged| forged != message)
            }
            _ => None,
        };
        replaced.map_or(Twist::Keep, Twist::Replace)
    }

    fn hear(
        &self,
        what: Behaviour,
        (from, message): (PeerId, &RaftMessage),
        _: &RaftPeer<R>,
        means: &mut RaftMeans<'_, R>,
    ) -> bool {
        match (what, message) {
            (Behaviour::DoubleVote, RaftMessage::RequestVote { term, kind, .. }) => {
                let (term, pre) = (*term, *kind == VoteKind::PreVote);
                let granted = true;
                means.send(from, RaftMessage::VoteReply { term, pre, granted });
            }
            (Behaviour::ForgedCommitIndex, RaftMessage::Append { .. }) => {
                acknowledge(from, message, means);
            }
            _ => {}
        }
        false
    }

    fn act(&self, what: Behaviour, machine: &mut RaftPeer<R>, means: &mut RaftMeans<'_, R>) {
        self.strike(what, machine, means);
    }
}

/// An operation that is not the one that was asked for.
pub(crate) fn forged(operation: &Operation) -> Operation {
    let key = match operation {
        Operation::Read { key }
        | Operation::Write { key, .. }
        | Operation::CompareAndSwap { key, .. }
        | Operation::Append { key, .. } => *key,
    };
    let value = Value::from("forged");
    Operation::Write { key, value }
}

fn forged_entry(entry: &Entry, forgery: Forgery) -> Entry {
    let kind = match &entry.kind {
        EntryKind::Command { command } => EntryKind::Command {
            command: Shared::new(Command {
                operation: forgery(&command.operation),
                ..(**command).clone()
            }),
        },
        EntryKind::Register { owner, nonce } => EntryKind::Register {
            owner: *owner,
            nonce: nonce ^ 1,
        },
        EntryKind::Noop => EntryKind::Register {
            owner: PeerId(0),
            nonce: 1,
        },
        other @ EntryKind::Configuration { .. } => other.clone(),
    };
    Entry {
        term: entry.term,
        kind,
    }
}

/// Other entries at the same places, the other vote, another answer.
fn contradiction(message: &RaftMessage, forgery: Forgery) -> Option<RaftMessage> {
    let mut other = message.clone();
    match &mut other {
        RaftMessage::Append { entries, .. } if !entries.as_slice().is_empty() => {
            let forged = entries.as_slice().iter();
            *entries = forged.map(|entry| forged_entry(entry, forgery)).collect();
        }
        RaftMessage::VoteReply { granted, .. } => *granted = !*granted,
        RaftMessage::Answer { answer, .. } => {
            let value = Some(Value::from("forged"));
            *answer = match answer {
                Answer::Done { .. } => Answer::Done {
                    outcome: Outcome::Read { value },
                },
                _ => Answer::Busy,
            };
        }
        _ => return None,
    }
    (other != *message).then_some(other)
}

/// What the message says, as one would say it who has more than he has.
fn pretended(message: RaftMessage) -> RaftMessage {
    match message {
        RaftMessage::RequestVote {
            term,
            last_index,
            kind,
            ..
        } => RaftMessage::RequestVote {
            term,
            last_index: last_index + 1_000,
            last_term: term,
            kind,
        },
        RaftMessage::VoteReply { term, pre, granted } => RaftMessage::VoteReply {
            term,
            pre,
            granted: !granted,
        },
        RaftMessage::AppendRefused {
            term,
            round,
            prev_index,
            ..
        } => RaftMessage::AppendAccepted {
            term,
            round,
            index: prev_index,
        },
        RaftMessage::AppendAccepted { term, round, index } => RaftMessage::AppendAccepted {
            term,
            round,
            index: index + 1,
        },
        RaftMessage::ReadIndexReply { term, ticket, .. } => RaftMessage::ReadIndexReply {
            term,
            ticket,
            index: 0,
        },
        other => other,
    }
}

/// The term and the place in the log, or among a client's requests, that a message is about.
fn about(message: &RaftMessage) -> (u64, u64) {
    match message {
        RaftMessage::RequestVote {
            term, last_index, ..
        } => (*term, *last_index),
        RaftMessage::VoteReply { term, .. } | RaftMessage::TimeoutNow { term } => (*term, 0),
        RaftMessage::Append {
            term, prev_index, ..
        }
        | RaftMessage::AppendRefused {
            term, prev_index, ..
        } => (*term, *prev_index),
        RaftMessage::AppendAccepted { term, index, .. }
        | RaftMessage::SnapshotReply { term, index, .. } => (*term, *index),
        RaftMessage::InstallSnapshot { chunk } => (chunk.term, chunk.index),
        RaftMessage::ReadIndex { term, ticket }
        | RaftMessage::ReadIndexReply { term, ticket, .. } => (*term, *ticket),
        RaftMessage::Register { nonce } | RaftMessage::Registered { nonce, .. } => (0, *nonce),
        RaftMessage::Request { command } => (0, command.serial),
        RaftMessage::Answer { serial, .. } => (0, *serial),
    }
}

/// Turns a vote round, or leaves out the last entry; false if there is neither.
fn step_shape(message: &mut RaftMessage) -> bool {
    match message {
        RaftMessage::VoteReply { granted, .. } => *granted = !*granted,
        RaftMessage::Append { entries, .. } if !entries.as_slice().is_empty() => {
            let all = entries.as_slice();
            *entries = all[..all.len() - 1].iter().cloned().collect();
        }
        _ => return false,
    }
    true
}

/// The numbers in a message that a small step can change.
fn numbers(message: &mut RaftMessage) -> Vec<&mut u64> {
    match message {
        RaftMessage::RequestVote {
            term,
            last_index,
            last_term,
            ..
        } => vec![term, last_index, last_term],
        RaftMessage::VoteReply { term, .. } | RaftMessage::TimeoutNow { term } => vec![term],
        RaftMessage::Append {
            term,
            prev_index,
            prev_term,
            commit,
            round,
            ..
        } => vec![term, prev_index, prev_term, commit, round],
        RaftMessage::AppendAccepted { term, round, index } => vec![term, round, index],
        RaftMessage::AppendRefused {
            term,
            round,
            prev_index,
            hint_index,
            hint_term,
        } => vec![term, round, prev_index, hint_index, hint_term],
        RaftMessage::InstallSnapshot { chunk } => {
            let chunk = &mut **chunk;
            vec![
                &mut chunk.term,
                &mut chunk.index,
                &mut chunk.last_term,
                &mut chunk.offset,
            ]
        }
        RaftMessage::SnapshotReply {
            term,
            round,
            index,
            received,
        } => vec![term, round, index, received],
        RaftMessage::ReadIndex { term, ticket } => vec![term, ticket],
        RaftMessage::ReadIndexReply {
            term,
            ticket,
            index,
        } => vec![term, ticket, index],
        RaftMessage::Register { nonce } => vec![nonce],
        RaftMessage::Registered { nonce, client } => vec![nonce, client],
        RaftMessage::Answer { client, serial, .. } => vec![client, serial],
        RaftMessage::Request { .. } => Vec::new(),
    }
}

/// The same append with everything in it, and before it, committed.
fn all_committed(message: &RaftMessage) -> Option<RaftMessage> {
    let mut forged = message.clone();
    if let RaftMessage::Append {
        prev_index,
        commit,
        entries,
        ..
    } = &mut forged
    {
        *commit = *prev_index + entries.as_slice().len() as u64;
        return Some(forged);
    }
    None
}

/// Says that all of an append is on disk, whatever the machine makes of it.
fn acknowledge<R: Rules>(from: PeerId, message: &RaftMessage, means: &mut RaftMeans<'_, R>) {
    if let RaftMessage::Append {
        term,
        prev_index,
        round,
        entries,
        ..
    } = message
    {
        let accepted = RaftMessage::AppendAccepted {
            term: *term,
            round: *round,
            index: prev_index + entries.as_slice().len() as u64,
        };
        means.send(from, accepted);
    }
}

/// The highest term that the cabal has heard of.
fn highest_term<R: Rules>(server: &Raft<R>, means: &RaftMeans<'_, R>) -> u64 {
    let terms = means
        .memory
        .newest_first()
        .filter_map(|seen| match seen.payload {
            RaftMessage::RequestVote { term, .. }
            | RaftMessage::VoteReply { term, .. }
            | RaftMessage::Append { term, .. }
            | RaftMessage::AppendAccepted { term, .. } => Some(*term),
            _ => None,
        });
    terms.take(64).fold(server.term(), u64::max)
}

/// Stands for election in a higher term, in words that no stickiness withstands.
fn inflate<R: Rules>(server: &Raft<R>, means: &mut RaftMeans<'_, R>) {
    let end = server.log_end();
    let step = u64::from(means.settings.amount());
    let term = highest_term(server, means).saturating_add(step);
    let message = RaftMessage::RequestVote {
        term,
        last_index: end.index,
        last_term: end.term,
        kind: VoteKind::Transfer,
    };
    let targets = means.targets();
    means.multicast(&targets, message);
}

/// Appends invented entries in the name of a leader of the next term, over what is not committed.
fn invade<R: Rules>(server: &Raft<R>, forgery: Forgery, means: &mut RaftMeans<'_, R>) {
    let term = highest_term(server, means).saturating_add(1);
    let prev_index = server.commit();
    let prev_term = server.entry(prev_index).map_or(0, |entry| entry.term);
    let entry = |number| Entry {
        term,
        kind: EntryKind::Command {
            command: Shared::new(Command {
                client: 0,
                serial: number,
                answered_below: 0,
                operation: Operation::Write {
                    key: number,
                    value: Value::from("forged"),
                },
            }),
        },
    };
    let entries: Entries = (0..3).map(entry).collect();
    let targets = means.targets();
    for to in targets {
        let message = RaftMessage::Append {
            term,
            prev_index,
            prev_term,
            commit: prev_index + 3,
            round: 1,
            entries: entries.clone(),
        };
        // Half of them get something else, so that whoever believes it disagrees.
        let other = means
            .is_in_second_half(to)
            .then(|| contradiction(&message, forgery))
            .flatten();
        means.send(to, other.unwrap_or(message));
    }
}
