//! A trace of a PBFT run, to be checked against a formal specification: JSON, one line an event.
//!
//! ```json
//! {"n":41,"time_ns":214000000,"action":"received","replica":"peer-2","sender":"peer-1","kind":"prepare",
//!  "id":"0:17","epoch":0,"view":0,"sequence":3,"digest":"9f86d081..."}
//! {"n":42,"time_ns":214000000,"action":"prepared","replica":"peer-2","epoch":0,"view":0,"sequence":3,
//!  "digest":"9f86d081...","detail":{"votes":2}}
//! ```
//!
//! | key | meaning |
//! |---|---|
//! | `n` | number of the line, from 1 |
//! | `time_ns` | virtual time in nanoseconds |
//! | `action` | what happened: an event of the protocol, `sent`, `received`, `started`, `crashed`, `restarted`, `paused`, `resumed` |
//! | `replica` | nickname of whom it happened to; clients act too |
//! | `sender`, `to` | of a message: who sent it, and to whom |
//! | `kind`, `id` | of a message: its kind; what tells it from all others, the same at both ends |
//! | `epoch`, `view`, `sequence`, `digest` | what the event or the message says of them |
//! | `client`, `timestamp` | whose request it is about, and which |
//! | `signer` | the replica's number under the message, where it is a vote |
//! | `detail` | further values of the event |
//!
//! Keys that an action has nothing to say of are left out. A message that the network doubles is
//! sent under two ids. Memory grows with the number of lines. Must not judge.

use fedsim_protocols::pbft::{
    Digest, Epoch, PbftEvent, PbftMessage, PbftPeer, Placement, Rules, Sequence, Timestamp, View,
};
use fedsim_protocols::{Event, Message, PeerId};
use serde::Serialize;
use serde_json::{Value as Json, json};

use crate::engine::{Happened, Notice, Passage};
use crate::time::SimTime;

/// The file of the trace in a run directory.
pub(super) const FILE: &str = "pbft_trace.ndjson";

/// Writes the trace as the run goes on.
pub(super) struct Trace {
    names: Vec<String>,
    lines: u64,
    text: String,
}

/// What one line says beside who and when.
#[derive(Default, Serialize)]
struct Facts {
    #[serde(skip_serializing_if = "Option::is_none")]
    epoch: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    view: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sequence: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    digest: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    client: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    timestamp: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    signer: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<Json>,
}

impl Facts {
    fn in_view(epoch: Epoch, view: View) -> Self {
        Self {
            epoch: Some(epoch.0),
            view: Some(view.0),
            ..Self::default()
        }
    }

    fn at(self, sequence: Sequence, digest: Digest) -> Self {
        let hex = digest.0.iter().map(|byte| format!("{byte:02x}"));
        Self {
            sequence: Some(sequence.0),
            digest: Some(hex.collect()),
            ..self
        }
    }

    fn placed(placement: &Placement) -> Self {
        Self::in_view(placement.epoch, placement.view).at(placement.sequence, placement.digest)
    }

    fn of(self, client: PeerId, timestamp: Timestamp) -> Self {
        Self {
            client: Some(client.0),
            timestamp: Some(timestamp.0),
            ..self
        }
    }

    fn by(self, signer: u16) -> Self {
        Self {
            signer: Some(signer),
            ..self
        }
    }

    fn with(self, detail: Json) -> Self {
        Self {
            detail: Some(detail),
            ..self
        }
    }
}

/// The ends of a message's way.
struct Ends {
    from: PeerId,
    to: PeerId,
    kind: &'static str,
    id: String,
}

/// The same by nicknames.
#[derive(Serialize)]
struct Way<'a> {
    sender: &'a str,
    to: &'a str,
    kind: &'static str,
    id: String,
}

#[derive(Serialize)]
struct Line<'a> {
    n: u64,
    time_ns: u64,
    action: &'a str,
    replica: &'a str,
    #[serde(flatten)]
    way: Option<Way<'a>>,
    #[serde(flatten)]
    facts: Facts,
}

impl Trace {
    /// A trace of peers with these nicknames.
    pub(super) fn new(names: Vec<String>) -> Self {
        Self {
            names,
            lines: 0,
            text: String::new(),
        }
    }

    /// What was written.
    pub(super) fn take(&mut self) -> String {
        std::mem::take(&mut self.text)
    }

    pub(super) fn hear<R: Rules>(&mut self, notice: &Notice<PbftPeer<R>>) {
        let (at, peer) = (notice.at, notice.peer);
        let plain = match &notice.what {
            Happened::Event(event) => {
                return self.line(at, (peer, event.name()), None, told(event));
            }
            Happened::Sent(passage) => {
                for copy in 0..passage.copies {
                    self.message(at, (peer, "sent"), (peer, passage.with), passage, copy);
                }
                return;
            }
            Happened::Received(passage) => {
                return self.message(at, (peer, "received"), (passage.with, peer), passage, 0);
            }
            Happened::Invoked(..) | Happened::Replied(..) => return,
            Happened::Started => "started",
            Happened::Crashed => "crashed",
            Happened::Restarted => "restarted",
            Happened::Paused => "paused",
            Happened::Resumed => "resumed",
        };
        self.line(at, (peer, plain), None, Facts::default());
    }

    /// One end of a message's way; at the sender, of its copy number `copy`.
    fn message(
        &mut self,
        at: SimTime,
        whose: (PeerId, &str),
        (from, to): (PeerId, PeerId),
        passage: &Passage<PbftMessage>,
        copy: u64,
    ) {
        let message: &PbftMessage = &passage.payload;
        let kind = PbftMessage::KINDS[message.kind()];
        let id = format!("{}:{}", from.0, passage.seq + copy);
        let ends = Ends { from, to, kind, id };
        self.line(at, whose, Some(ends), said(message));
    }

    fn line(
        &mut self,
        at: SimTime,
        (peer, action): (PeerId, &str),
        ends: Option<Ends>,
        facts: Facts,
    ) {
        self.lines += 1;
        let name = |peer: PeerId| self.names[peer.index()].as_str();
        let line = Line {
            n: self.lines,
            time_ns: at.as_nanos(),
            action,
            replica: name(peer),
            way: ends.map(|ends| Way {
                sender: name(ends.from),
                to: name(ends.to),
                kind: ends.kind,
                id: ends.id,
            }),
            facts,
        };
        let line = serde_json::to_string(&line).expect("BUG: a line of a trace is plain JSON");
        self.text.push_str(&line);
        self.text.push('\n');
    }
}

/// What a message says.
fn said(message: &PbftMessage) -> Facts {
    match message {
        PbftMessage::Request { request } | PbftMessage::Forward { request } => {
            let request = request.content();
            Facts::default().of(request.client, request.timestamp)
        }
        PbftMessage::PrePrepare { pre_prepare, batch } => {
            let it = pre_prepare.content();
            let requests = json!({"requests": batch.requests().len()});
            let facts = Facts::in_view(it.epoch, it.view).at(it.sequence, it.digest);
            facts.with(requests)
        }
        PbftMessage::Prepare { prepare } => {
            let it = prepare.content();
            let facts = Facts::in_view(it.epoch, it.view).at(it.sequence, it.digest);
            facts.by(it.replica.0)
        }
        PbftMessage::Commit { commit } => {
            let it = commit.content();
            let facts = Facts::in_view(it.epoch, it.view).at(it.sequence, it.digest);
            facts.by(it.replica.0)
        }
        PbftMessage::Reply { reply } => {
            let it = reply.content();
            let facts = Facts::in_view(it.epoch, it.view).of(it.client, it.timestamp);
            facts.by(it.replica.0)
        }
        PbftMessage::Checkpoint { checkpoint } => {
            let it = checkpoint.content();
            let facts = Facts::default().at(it.sequence, it.digest);
            Facts {
                epoch: Some(it.epoch.0),
                ..facts.by(it.replica.0)
            }
        }
        PbftMessage::ViewChange { .. } | PbftMessage::NewView { .. } => said_of_views(message),
        PbftMessage::Status { .. }
        | PbftMessage::CommitProof { .. }
        | PbftMessage::CheckpointProof { .. }
        | PbftMessage::StateRequest { .. }
        | PbftMessage::StateReply { .. } => said_to_who_is_behind(message),
    }
}

fn said_of_views(message: &PbftMessage) -> Facts {
    match message {
        PbftMessage::ViewChange { view_change } => {
            let it = view_change.content();
            let prepared = it.prepared.iter().map(|it| it.pre_prepare.content());
            let prepared: Vec<Json> = prepared
                .map(|it| json!({"view": it.view.0, "sequence": it.sequence.0}))
                .collect();
            let facts = Facts::in_view(it.epoch, it.view).by(it.replica.0);
            facts.with(json!({"stable": it.stable.0, "prepared": prepared}))
        }
        PbftMessage::NewView { new_view } => {
            let it = new_view.content();
            let signers = it.view_changes.iter().map(|it| it.content().replica.0);
            let again = it.pre_prepares.iter().map(|it| it.content().sequence.0);
            Facts::in_view(it.epoch, it.view).with(json!({
                "view_changes": signers.collect::<Vec<u16>>(),
                "pre_prepares": again.collect::<Vec<u64>>(),
            }))
        }
        _ => Facts::default(),
    }
}

fn said_to_who_is_behind(message: &PbftMessage) -> Facts {
    match message {
        PbftMessage::Status { status } => {
            let it = status.content();
            let facts = Facts::in_view(it.epoch, it.view).by(it.replica.0);
            facts.with(json!({
                "changing": it.changing, "stable": it.stable.0, "executed": it.executed.0,
            }))
        }
        PbftMessage::CommitProof { certificate } => match certificate.commits.first() {
            Some(commit) => {
                let it = commit.content();
                let facts = Facts::in_view(it.epoch, it.view).at(it.sequence, it.digest);
                facts.with(json!({"votes": certificate.commits.len()}))
            }
            None => Facts::default(),
        },
        PbftMessage::CheckpointProof { certificate } => Facts {
            epoch: Some(certificate.epoch.0),
            ..Facts::default().at(certificate.sequence, certificate.digest)
        },
        PbftMessage::StateRequest { request } => Facts {
            epoch: Some(request.content().epoch.0),
            sequence: Some(request.content().executed.0),
            ..Facts::default()
        },
        PbftMessage::StateReply { reply } => match &reply.state {
            Some((certificate, _)) => Facts {
                epoch: Some(certificate.epoch.0),
                ..Facts::default().at(certificate.sequence, certificate.digest)
            },
            None => Facts::default(),
        },
        _ => Facts::default(),
    }
}

/// What an event tells.
fn told(event: &PbftEvent) -> Facts {
    match event {
        PbftEvent::PrePrepared {
            placement,
            requests,
        } => Facts::placed(placement).with(json!({"requests": requests})),
        PbftEvent::Prepared { placement, votes }
        | PbftEvent::CommittedLocal { placement, votes } => {
            Facts::placed(placement).with(json!({"votes": votes}))
        }
        PbftEvent::BatchExecuted { placement } => Facts::placed(placement),
        PbftEvent::Executed { execution, .. } | PbftEvent::ExecutedTentatively { execution } => {
            let facts = Facts::placed(&execution.placement);
            facts.of(execution.client, execution.timestamp)
        }
        PbftEvent::RolledBack { sequence } => Facts {
            sequence: Some(sequence.0),
            ..Facts::default()
        },
        PbftEvent::ReadOnlyAnswered {
            client,
            timestamp,
            sequence,
        } => Facts {
            sequence: Some(sequence.0),
            ..Facts::default().of(*client, *timestamp)
        },
        PbftEvent::Requested {
            client, timestamp, ..
        }
        | PbftEvent::Retransmitted { client, timestamp } => {
            Facts::default().of(*client, *timestamp)
        }
        PbftEvent::ReplyAccepted {
            client,
            timestamp,
            votes,
            tentative,
            read_only,
            ..
        } => Facts::default().of(*client, *timestamp).with(json!({
            "votes": votes, "tentative": tentative, "read_only": read_only,
        })),
        PbftEvent::Rejected { reason } => Facts::default().with(json!({"reason": reason.name()})),
        PbftEvent::CheckpointTaken { .. }
        | PbftEvent::CheckpointStable { .. }
        | PbftEvent::ViewChangeStarted { .. }
        | PbftEvent::PrimaryElected { .. }
        | PbftEvent::NewViewEntered { .. }
        | PbftEvent::StateTransferred { .. }
        | PbftEvent::Reconfigured { .. } => told_of_views_and_states(event),
    }
}

fn told_of_views_and_states(event: &PbftEvent) -> Facts {
    match event {
        PbftEvent::CheckpointTaken {
            epoch,
            sequence,
            digest,
        }
        | PbftEvent::CheckpointStable {
            epoch,
            sequence,
            digest,
            ..
        } => Facts {
            epoch: Some(epoch.0),
            ..Facts::default().at(*sequence, *digest)
        },
        PbftEvent::ViewChangeStarted { epoch, view, cause } => {
            Facts::in_view(*epoch, *view).with(json!({"cause": format!("{cause:?}")}))
        }
        PbftEvent::PrimaryElected {
            epoch,
            view,
            primary,
        } => Facts::in_view(*epoch, *view).with(json!({"primary": primary.0})),
        PbftEvent::NewViewEntered {
            epoch,
            view,
            primary,
            reissued,
        } => {
            Facts::in_view(*epoch, *view).with(json!({"primary": primary.0, "reissued": reissued}))
        }
        PbftEvent::StateTransferred {
            from,
            sequence,
            digest,
        } => Facts::default()
            .at(*sequence, *digest)
            .with(json!({"from": from.0})),
        PbftEvent::Reconfigured {
            epoch,
            sequence,
            replicas,
        } => Facts {
            epoch: Some(epoch.0),
            sequence: Some(sequence.0),
            ..Facts::default()
        }
        .with(json!({"replicas": replicas})),
        _ => Facts::default(),
    }
}
