//! A trace of a Raft run, to be checked against a formal specification: JSON, one line an event.
//!
//! ```json
//! {"n":17,"time_ns":214000000,"peer":"peer-2","event":"voted","detail":{"candidate":"peer-1","term":1},
//!  "role":"follower","term":1,"vote":"peer-1","commit":0,"snapshot":0,"last":0,
//!  "configuration":{"voters":["peer-1","peer-2","peer-3"]}}
//! ```
//!
//! | key | meaning |
//! |---|---|
//! | `n` | number of the line, from 1 |
//! | `time_ns` | virtual time in nanoseconds |
//! | `peer` | nickname |
//! | `event` | what happened: an event of the server, `sent`, `received`, `started`, `crashed`, `restarted`, `paused`, `resumed` |
//! | `detail` | the event's own values |
//! | `message` | for `sent` and `received`: `id`, `from`, `to`, `kind` and the message's fields |
//! | `role` | `follower`, `pre-candidate`, `candidate`, `leader`; `down` between crash and restart |
//! | `term` | the server's term |
//! | `vote` | whom it voted for in that term, once that is on disk |
//! | `commit` | its commit index |
//! | `snapshot` | what its snapshot covers, 0 without one |
//! | `last` | the last index of its log, what the snapshot covers included |
//! | `configuration` | the one in force: `voters`, and where they are not empty `outgoing`, `learners`, `demoted` |
//!
//! The state is that after the event, and every event is a line, so each line's state follows from
//! the same peer's line before it and from the event. Clients have no state. A message that the
//! network doubles is sent under two ids. Memory grows with the number of lines. Must not judge.

mod message;
mod state;

use fedsim_protocols::PeerId;
use fedsim_protocols::raft::{RaftEvent, RaftMessage, RaftPeer, Rules};
use serde::Serialize;
use serde_json::{Value as Json, json};

use crate::engine::{Happened, Notice, Passage};
use crate::time::SimTime;
use state::{State, StateKeys};

/// The file of the trace in a run directory.
pub(super) const FILE: &str = "raft_trace.ndjson";

/// Writes the trace as the run goes on.
pub(super) struct Trace {
    names: Vec<String>,
    /// None of a client, as far as is known.
    servers: Vec<Option<State>>,
    lines: u64,
    text: String,
}

#[derive(Serialize)]
struct Line<'a> {
    n: u64,
    time_ns: u64,
    peer: &'a str,
    event: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<Json>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<Json>,
    #[serde(flatten)]
    state: Option<StateKeys<'a>>,
}

impl Trace {
    /// A trace of peers with these nicknames, those of `servers` being servers.
    pub(super) fn new(names: Vec<String>, servers: &[bool]) -> Self {
        let state = |is_server: &bool| is_server.then(State::default);
        Self {
            names,
            servers: servers.iter().map(state).collect(),
            lines: 0,
            text: String::new(),
        }
    }

    /// What was written.
    pub(super) fn take(&mut self) -> String {
        std::mem::take(&mut self.text)
    }

    pub(super) fn hear<R: Rules>(&mut self, notice: &Notice<RaftPeer<R>>) {
        let (at, peer) = (notice.at, notice.peer);
        match &notice.what {
            Happened::Event(event) => self.event(at, peer, event),
            Happened::Sent(passage) => {
                for copy in 0..passage.copies {
                    self.message(at, (peer, passage.with), passage, copy);
                }
            }
            Happened::Received(passage) => self.message(at, (passage.with, peer), passage, 0),
            Happened::Started => self.line(at, peer, "started", None, None),
            Happened::Crashed => {
                self.change(peer, State::crash);
                self.line(at, peer, "crashed", None, None);
            }
            Happened::Restarted => {
                self.change(peer, State::restart);
                self.line(at, peer, "restarted", None, None);
            }
            Happened::Paused => self.line(at, peer, "paused", None, None),
            Happened::Resumed => self.line(at, peer, "resumed", None, None),
            Happened::Invoked(..) | Happened::Replied(..) => {}
        }
    }

    fn event(&mut self, at: SimTime, peer: PeerId, event: &RaftEvent) {
        use fedsim_protocols::Event;
        self.change(peer, |state| state.hear(event));
        let detail = message::detail(event, &self.names);
        self.line(at, peer, event.name(), Some(detail), None);
    }

    /// One end of a message's way; at the sender, of its copy number `copy`.
    fn message(
        &mut self,
        at: SimTime,
        (from, to): (PeerId, PeerId),
        passage: &Passage<RaftMessage>,
        copy: u64,
    ) {
        let is_sender = passage.with == to;
        let (peer, event) = match is_sender {
            true => (from, "sent"),
            false => (to, "received"),
        };
        let mut json = message::json(&passage.payload, &self.names);
        json["id"] = json!(format!("{}:{}", from.0, passage.seq + copy));
        json["from"] = json!(self.names[from.index()]);
        json["to"] = json!(self.names[to.index()]);
        self.line(at, peer, event, None, Some(json));
    }

    fn change(&mut self, peer: PeerId, change: impl FnOnce(&mut State)) {
        if let Some(state) = &mut self.servers[peer.index()] {
            change(state);
        }
    }

    fn line(
        &mut self,
        at: SimTime,
        peer: PeerId,
        event: &str,
        detail: Option<Json>,
        message: Option<Json>,
    ) {
        self.lines += 1;
        let state = self.servers[peer.index()].as_ref();
        let line = Line {
            n: self.lines,
            time_ns: at.as_nanos(),
            peer: &self.names[peer.index()],
            event,
            detail,
            message,
            state: state.map(|state| state.keys(&self.names)),
        };
        let line = serde_json::to_string(&line).expect("BUG: a line of a trace is plain JSON");
        self.text.push_str(&line);
        self.text.push('\n');
    }
}
