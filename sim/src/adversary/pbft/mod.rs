//! PBFT's messages in the hands of an adversary.
//!
//! Everything in PBFT is signed, and a cabal signs with its members' keys only: what it takes from
//! others it can repeat, leave out and put where it does not belong. `primary` attacks the normal
//! case, `changes` view changes, `pretences` speaks in others' names, `stale` says what was once
//! true, `steps` makes small mutants of every kind of message.

mod changes;
mod pretences;
mod primary;
mod stale;
mod steps;
#[cfg(test)]
mod tests;

use fedsim_protocols::pbft::message::{Batch, Request};
use fedsim_protocols::pbft::{Digest, Operation, Outcome, Pbft, PbftMessage, PbftPeer, Rules};
use fedsim_protocols::{LocalTime, Message, PeerId, Signed, SimDuration};
use fedsim_scenarios::spec::Behaviour;

use super::forge::{Forge, Round, Twist};
use super::means::Means;

/// Knows PBFT.
pub(crate) struct PbftForge {
    /// How long a backup waits for a request's execution.
    pub(crate) patience: SimDuration,
}

pub(super) type PbftMeans<'a, R> = Means<'a, PbftPeer<R>>;

impl PbftForge {
    /// What an attack does by itself, once a pace.
    pub(super) fn strike<R: Rules>(
        &self,
        what: Behaviour,
        machine: &PbftPeer<R>,
        means: &mut PbftMeans<'_, R>,
    ) {
        let Some(replica) = machine.as_replica() else {
            return;
        };
        match what {
            Behaviour::ForgedViewChange => changes::forge(replica, means),
            Behaviour::BygoneVotes => stale::repeat_bygone(replica, means),
            Behaviour::ViewChangeStorm => changes::storm(replica, means),
            Behaviour::ForgedVotes => pretences::request_of_other(replica, means),
            _ => {}
        }
    }
}

impl<R: Rules> Forge<PbftPeer<R>> for PbftForge {
    fn leads(&self, message: &PbftMessage) -> bool {
        matches!(
            message,
            PbftMessage::PrePrepare { .. } | PbftMessage::NewView { .. }
        )
    }

    /// What is asked or told about one view and sequence number, or one request.
    fn round(&self, message: &PbftMessage, _: LocalTime) -> Option<Round> {
        let (view, place) = about(message);
        let phase = message.kind();
        Some(Round { view, place, phase })
    }

    fn patience(&self, _: PeerId) -> Option<SimDuration> {
        Some(self.patience)
    }

    fn is_evidence(&self, message: &PbftMessage) -> bool {
        matches!(
            message,
            PbftMessage::PrePrepare { .. }
                | PbftMessage::Prepare { .. }
                | PbftMessage::Checkpoint { .. }
                | PbftMessage::ViewChange { .. }
        )
    }

    fn contradict(
        &self,
        message: &PbftMessage,
        means: &mut PbftMeans<'_, R>,
    ) -> Option<PbftMessage> {
        primary::contradiction(message, means)
    }

    fn lie(&self, message: &PbftMessage, means: &mut PbftMeans<'_, R>) -> Option<PbftMessage> {
        match message {
            PbftMessage::Checkpoint { .. } => false_checkpoint(message, means),
            PbftMessage::Reply { .. } => steps::false_reply(message, means),
            PbftMessage::Status { status } => {
                let mut content = status.content().clone();
                content.executed = content.executed.plus(1_000);
                content.stable = content.stable.plus(1_000);
                let status = means.sign(content);
                Some(PbftMessage::Status { status })
            }
            PbftMessage::ViewChange { view_change } => {
                let mut content = view_change.content().clone();
                content.prepared.clear();
                let view_change = means.sign(content);
                Some(PbftMessage::ViewChange { view_change })
            }
            PbftMessage::StateReply { .. } => false_state(message),
            _ => None,
        }
    }

    fn mutate(&self, message: &PbftMessage, means: &mut PbftMeans<'_, R>) -> Option<PbftMessage> {
        steps::mutant(message, means)
    }

    fn twist(
        &self,
        what: Behaviour,
        (to, message): (PeerId, &PbftMessage),
        machine: &PbftPeer<R>,
        means: &mut PbftMeans<'_, R>,
    ) -> Twist<PbftMessage> {
        let replaced = match (what, message) {
            (Behaviour::EquivocatingPrimary, PbftMessage::PrePrepare { .. }) => {
                let replica = machine.as_replica();
                replica.and_then(|it| primary::equivocate((to, message), it.roster(), means))
            }
            (
                Behaviour::EquivocatingPrimary | Behaviour::VoteForBoth,
                PbftMessage::Prepare { .. } | PbftMessage::Commit { .. },
            ) if primary::was_split(message, means) => return Twist::Drop,
            (Behaviour::SkipSequence, PbftMessage::PrePrepare { pre_prepare, .. }) => {
                let place = pre_prepare.sequence.plus(1);
                primary::moved(message, place, means)
            }
            (Behaviour::JumpSequence, PbftMessage::PrePrepare { .. }) => machine
                .as_replica()
                .and_then(|replica| primary::moved(message, replica.high_watermark(), means)),
            (Behaviour::SlowPrimary, PbftMessage::PrePrepare { .. }) => return Twist::Hold,
            (Behaviour::SwappedBatch, PbftMessage::PrePrepare { .. })
                if means.is_in_second_half(to) =>
            {
                primary::swapped(message)
            }
            (Behaviour::ForgedVotes, PbftMessage::Commit { commit }) => {
                let replica = machine.as_replica();
                let roster = replica.map(Pbft::roster);
                roster.inspect(|it| pretences::votes_of_others((to, commit), it, means));
                None
            }
            (Behaviour::StaleCertificates, PbftMessage::ViewChange { view_change }) => {
                let replica = machine.as_replica();
                replica.map(|it| stale::view_change(view_change, it, means))
            }
            (Behaviour::DishonestNewView, PbftMessage::NewView { .. }) => {
                changes::dishonest(message, means)
            }
            (Behaviour::FalseCheckpoint, PbftMessage::Checkpoint { .. }) => {
                false_checkpoint(message, means)
            }
            (Behaviour::LyingStateTransfer, _) => false_state(message),
            (Behaviour::HalfCommits, PbftMessage::Commit { .. }) if means.is_in_second_half(to) => {
                return Twist::Drop;
            }
            (
                Behaviour::VoteWithholding,
                PbftMessage::Prepare { .. } | PbftMessage::Commit { .. },
            ) => return Twist::Drop,
            (Behaviour::TimestampReuse, PbftMessage::Request { request }) => {
                reuse_timestamp(request, machine, means);
                None
            }
            (Behaviour::SparePrimary, PbftMessage::Request { request }) => {
                return spare_primary(to, request, machine, means);
            }
            _ => None,
        };
        replaced.map_or(Twist::Keep, Twist::Replace)
    }

    fn hear(
        &self,
        what: Behaviour,
        (from, message): (PeerId, &PbftMessage),
        machine: &PbftPeer<R>,
        means: &mut PbftMeans<'_, R>,
    ) -> bool {
        if let (Behaviour::RecastVotes, PbftMessage::Prepare { prepare }, Some(replica)) =
            (what, message, machine.as_replica())
        {
            pretences::recast((from, prepare), replica.roster(), means);
        }
        false
    }

    fn act(&self, what: Behaviour, machine: &mut PbftPeer<R>, means: &mut PbftMeans<'_, R>) {
        self.strike(what, machine, means);
    }
}

/// The view and the sequence number, or the client's timestamp, that a message is about.
fn about(message: &PbftMessage) -> (u64, u64) {
    if let Some((view, sequence, _)) = primary::place(message) {
        return (view.0, sequence.0);
    }
    match message {
        PbftMessage::Request { request } | PbftMessage::Forward { request } => {
            (0, request.timestamp.0)
        }
        PbftMessage::Reply { reply } => (reply.view.0, reply.timestamp.0),
        PbftMessage::Checkpoint { checkpoint } => (0, checkpoint.sequence.0),
        PbftMessage::ViewChange { view_change } => (view_change.view.0, 0),
        PbftMessage::NewView { new_view } => (new_view.view.0, 0),
        PbftMessage::Status { status } => (status.view.0, status.executed.0),
        PbftMessage::StateRequest { request } => (0, request.executed.0),
        PbftMessage::CommitProof { certificate } => {
            let first = certificate.commits.first();
            (0, first.map_or(0, |commit| commit.sequence.0))
        }
        PbftMessage::CheckpointProof { certificate } => (0, certificate.sequence.0),
        PbftMessage::StateReply { reply } => {
            let state = reply.state.as_ref();
            (0, state.map_or(0, |(proof, _)| proof.sequence.0))
        }
        PbftMessage::PrePrepare { .. }
        | PbftMessage::Prepare { .. }
        | PbftMessage::Commit { .. } => unreachable!("BUG: a vote is about a place"),
    }
}

/// A digest of nothing that anybody has.
fn false_digest() -> Digest {
    Digest::of_bytes(b"forged")
}

fn false_checkpoint<R: Rules>(
    message: &PbftMessage,
    means: &mut PbftMeans<'_, R>,
) -> Option<PbftMessage> {
    let PbftMessage::Checkpoint { checkpoint } = message else {
        return None;
    };
    let mut content = checkpoint.content().clone();
    content.digest = false_digest();
    let checkpoint = means.sign(content);
    Some(PbftMessage::Checkpoint { checkpoint })
}

/// The state with one register more, under the proof of the true one.
fn false_state(message: &PbftMessage) -> Option<PbftMessage> {
    let PbftMessage::StateReply { reply } = message else {
        return None;
    };
    let mut altered = reply.clone();
    let (_, snapshot) = altered.state.as_mut()?;
    let (key, value) = (u64::MAX, b"forged".to_vec());
    snapshot.store.apply(&Operation::Write { key, value });
    Some(PbftMessage::StateReply { reply: altered })
}

/// The requests that the cabal has seen, newest first.
fn requests<'a, R: Rules>(
    means: &'a PbftMeans<'_, R>,
) -> impl Iterator<Item = &'a Signed<Request>> + 'a {
    means
        .memory
        .newest_first()
        .flat_map(|seen| match seen.payload {
            PbftMessage::Request { request } | PbftMessage::Forward { request } => {
                std::slice::from_ref(request)
            }
            PbftMessage::PrePrepare { batch, .. } => batch.requests(),
            _ => &[],
        })
}

/// Another batch than `batch`, of requests that clients signed: one that was seen before, or nothing.
fn other_batch<R: Rules>(batch: &Batch, means: &PbftMeans<'_, R>) -> Batch {
    let is_in = |request: &Signed<Request>| {
        let mut inside = batch.requests().iter();
        inside.any(|it| it.client == request.client && it.timestamp == request.timestamp)
    };
    match requests(means).find(|request| !is_in(request)) {
        Some(request) => Batch::new(vec![request.clone()]),
        None => Batch::null(),
    }
}

/// As a client: another request under the same timestamp, to half of the replicas.
fn reuse_timestamp<R: Rules>(
    request: &Signed<Request>,
    machine: &PbftPeer<R>,
    means: &mut PbftMeans<'_, R>,
) {
    let Some(client) = machine.as_client() else {
        return;
    };
    let mut content = request.content().clone();
    content.operation = Operation::Write {
        key: 0,
        value: b"reused".to_vec(),
    };
    let other = means.sign(content);
    let replicas: Vec<PeerId> = client.roster().others(None).collect();
    let half: Vec<PeerId> = replicas
        .into_iter()
        .filter(|to| means.is_in_second_half(*to))
        .collect();
    means.multicast(&half, PbftMessage::Request { request: other });
}

/// As a client: what would go to the primary goes to all others.
fn spare_primary<R: Rules>(
    to: PeerId,
    request: &Signed<Request>,
    machine: &PbftPeer<R>,
    means: &mut PbftMeans<'_, R>,
) -> Twist<PbftMessage> {
    let Some(client) = machine.as_client() else {
        return Twist::Keep;
    };
    let roster = client.roster();
    let primary = roster.member(roster.primary(client.believed_view()));
    if primary.is_none_or(|member| member.slot != to) {
        return Twist::Keep;
    }
    let others: Vec<PeerId> = roster.others(None).filter(|other| *other != to).collect();
    let request = request.clone();
    means.multicast(&others, PbftMessage::Request { request });
    Twist::Drop
}

/// What nobody's execution gave.
fn false_outcome() -> Outcome {
    Outcome::Value {
        value: Some(b"forged".to_vec()),
    }
}
