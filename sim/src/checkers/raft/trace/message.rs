//! Events and messages of Raft as JSON. Digests are hexadecimal, as a number of JSON is a float to
//! many readers.

use fedsim_protocols::raft::{Answer, Chunk, Entry, EntryKind, RaftEvent, RaftMessage, VoteKind};
use fedsim_protocols::{Folder, Message, PeerId};
use serde_json::{Value as Json, json};

use super::state::Members;

fn hex(digest: u64) -> String {
    format!("{digest:016x}")
}

fn named(peer: Option<PeerId>, names: &[String]) -> Json {
    peer.map_or(Json::Null, |peer| json!(names[peer.index()]))
}

/// A message: its kind and its fields.
pub(super) fn json(message: &RaftMessage, names: &[String]) -> Json {
    let mut json = fields(message, names);
    json["kind"] = json!(RaftMessage::KINDS[message.kind()]);
    json
}

fn fields(message: &RaftMessage, names: &[String]) -> Json {
    match message {
        RaftMessage::RequestVote {
            term,
            last_index,
            last_term,
            kind,
        } => json!({
            "term": term, "last_index": last_index, "last_term": last_term,
            "transfer": *kind == VoteKind::Transfer,
        }),
        RaftMessage::VoteReply { term, granted, .. } => json!({"term": term, "granted": granted}),
        RaftMessage::Append {
            term,
            prev_index,
            prev_term,
            commit,
            round,
            entries,
        } => {
            let entries = entries.as_slice().iter().map(|it| entry(it, names));
            json!({
                "term": term, "prev_index": prev_index, "prev_term": prev_term, "commit": commit,
                "round": round, "entries": entries.collect::<Vec<Json>>(),
            })
        }
        RaftMessage::AppendAccepted { term, round, index } => {
            json!({"term": term, "round": round, "index": index})
        }
        RaftMessage::AppendRefused {
            term,
            round,
            prev_index,
            hint_index,
            hint_term,
        } => json!({
            "term": term, "round": round, "prev_index": prev_index,
            "hint_index": hint_index, "hint_term": hint_term,
        }),
        RaftMessage::InstallSnapshot { chunk } => piece(chunk),
        RaftMessage::SnapshotReply {
            term,
            round,
            index,
            received,
        } => json!({"term": term, "round": round, "index": index, "received": received}),
        RaftMessage::TimeoutNow { term } => json!({"term": term}),
        RaftMessage::ReadIndex { term, ticket } => json!({"term": term, "ticket": ticket}),
        RaftMessage::ReadIndexReply {
            term,
            ticket,
            index,
        } => json!({"term": term, "ticket": ticket, "index": index}),
        RaftMessage::Register { nonce } => json!({"nonce": nonce}),
        RaftMessage::Registered { nonce, client } => json!({"nonce": nonce, "client": client}),
        RaftMessage::Request { command } => {
            json!({"client": command.client, "serial": command.serial})
        }
        RaftMessage::Answer {
            client,
            serial,
            answer,
        } => json!({"client": client, "serial": serial, "answer": outcome(answer)}),
    }
}

fn piece(chunk: &Chunk) -> Json {
    json!({
        "term": chunk.term, "index": chunk.index, "last_term": chunk.last_term,
        "offset": chunk.offset, "total": chunk.total, "round": chunk.round,
        "bytes": chunk.bytes.len(),
    })
}

fn outcome(answer: &Answer) -> &'static str {
    match answer {
        Answer::Done { .. } => "done",
        Answer::Expired => "expired",
        Answer::NotLeader { .. } => "not-leader",
        Answer::Busy => "busy",
    }
}

fn entry(entry: &Entry, names: &[String]) -> Json {
    let mut json = match &entry.kind {
        EntryKind::Noop => json!({"kind": "noop"}),
        EntryKind::Command { command } => {
            json!({"kind": "command", "client": command.client, "serial": command.serial})
        }
        EntryKind::Register { owner, .. } => {
            json!({"kind": "register", "owner": names[owner.index()]})
        }
        EntryKind::Configuration { configuration } => {
            let configuration = Members::new(configuration, names);
            json!({"kind": "configuration", "configuration": configuration})
        }
    };
    json["term"] = json!(entry.term);
    json["digest"] = json!(hex(Folder::of(entry)));
    json
}

/// An event's own values.
pub(super) fn detail(event: &RaftEvent, names: &[String]) -> Json {
    let name = |peer: PeerId| names[peer.index()].as_str();
    match *event {
        RaftEvent::BecameFollower { term, leader } => {
            json!({"term": term, "leader": named(leader, names)})
        }
        RaftEvent::BecamePreCandidate { term }
        | RaftEvent::BecameCandidate { term }
        | RaftEvent::LeaderElected { term }
        | RaftEvent::ChangeAborted { term }
        | RaftEvent::QuorumLost { term } => json!({"term": term}),
        RaftEvent::Voted { term, candidate } => {
            json!({"term": term, "candidate": name(candidate)})
        }
        RaftEvent::Appended {
            index,
            term,
            digest,
        } => json!({"index": index, "term": term, "digest": hex(digest)}),
        RaftEvent::Truncated { from } => json!({"from": from}),
        RaftEvent::Durable { index } => json!({"index": index}),
        RaftEvent::Committed {
            first,
            index,
            term,
            digest,
        } => json!({"first": first, "index": index, "term": term, "digest": hex(digest)}),
        RaftEvent::Applied { .. } => applied(event),
        RaftEvent::SnapshotTaken { index, term, state } => {
            json!({"index": index, "term": term, "state": hex(state)})
        }
        RaftEvent::SnapshotInstalled {
            index,
            term,
            state,
            last,
        } => json!({"index": index, "term": term, "state": hex(state), "last": last}),
        RaftEvent::ConfigurationChanged {
            index,
            ref configuration,
        } => json!({"index": index, "configuration": Members::new(configuration, names)}),
        RaftEvent::TransferStarted { to } | RaftEvent::TransferAborted { to } => {
            json!({"to": name(to)})
        }
        RaftEvent::ReadServed {
            index,
            client,
            serial,
        }
        | RaftEvent::Acknowledged {
            index,
            client,
            serial,
        } => json!({"index": index, "client": client, "serial": serial}),
        RaftEvent::Recovered {
            term,
            vote,
            snapshot,
            last,
        } => json!({
            "term": term, "vote": named(vote, names), "snapshot": snapshot, "last": last,
        }),
        RaftEvent::DamagedLog { from, upto } => json!({"from": from, "upto": upto}),
        RaftEvent::Repaired { upto } => json!({"upto": upto}),
        RaftEvent::Rejected { reason } => json!({"reason": reason}),
    }
}

fn applied(event: &RaftEvent) -> Json {
    let RaftEvent::Applied {
        index,
        client,
        serial,
        fresh,
        digest,
        state,
    } = *event
    else {
        return Json::Null;
    };
    json!({
        "index": index, "client": client, "serial": serial, "fresh": fresh,
        "digest": hex(digest), "state": hex(state),
    })
}
