//! Which level adds which capability, and which capability each kind of action needs.
//!
//! | level | adds |
//! |---|---|
//! | 0 untrusted | discovery |
//! | 1 verified | status, ping |
//! | 2 attested | send, receive, query-redacted |
//! | 3 trusted | share-context, collaborative-task, hand-off, merge |
//! | 4 privileged | full-memory, remote-spawn, change-trust, change-topology, change-roster |
//!
//! The names are those of ruflo's ADR-078, section on trust levels, except hand-off, merge and the
//! three changes: there they fall under `send`, so that an attested peer may change who is trusted.

use crate::federation::terms::{ActionId, ActionKind, Level, SessionId};
use crate::identity::Identity;

const TABLE: [(Level, &[&str]); 5] = [
    (Level::Untrusted, &["discovery"]),
    (Level::Verified, &["status", "ping"]),
    (Level::Attested, &["send", "receive", "query-redacted"]),
    (
        Level::Trusted,
        &["share-context", "collaborative-task", "hand-off", "merge"],
    ),
    (
        Level::Privileged,
        &[
            "full-memory",
            "remote-spawn",
            "change-trust",
            "change-topology",
            "change-roster",
        ],
    ),
];

/// The level that adds a capability of the table; others are at the discretion of who exposes them.
pub fn level_of(capability: &str) -> Option<Level> {
    let row = TABLE.iter().find(|(_, names)| names.contains(&capability));
    row.map(|(level, _)| *level)
}

/// The capability of the table that a kind of action needs.
pub const fn capability_of(kind: ActionKind) -> &'static str {
    match kind {
        ActionKind::Status => "status",
        ActionKind::Ping => "ping",
        ActionKind::Message => "send",
        ActionKind::Query => "query-redacted",
        ActionKind::ContextShare => "share-context",
        ActionKind::Task => "collaborative-task",
        ActionKind::MemoryQuery => "full-memory",
        ActionKind::TrustChange => "change-trust",
        ActionKind::TopologyChange => "change-topology",
        ActionKind::RosterChange => "change-roster",
        ActionKind::AgentSpawn => "remote-spawn",
        ActionKind::HandOff => "hand-off",
        ActionKind::Merge => "merge",
    }
}

/// Whether an action of this kind may use the capability: the one of the table; messages, queries
/// and tasks also one that its owner invented.
pub(super) fn serves(kind: ActionKind, capability: &str) -> bool {
    let is_open = match kind {
        ActionKind::Message | ActionKind::Query | ActionKind::Task => true,
        ActionKind::Status
        | ActionKind::Ping
        | ActionKind::ContextShare
        | ActionKind::MemoryQuery
        | ActionKind::TrustChange
        | ActionKind::TopologyChange
        | ActionKind::RosterChange
        | ActionKind::AgentSpawn
        | ActionKind::HandOff
        | ActionKind::Merge => false,
    };
    capability == capability_of(kind) || (is_open && level_of(capability).is_none())
}

/// What a change of level took with it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct LevelChange {
    /// The level before.
    pub before: Level,
    /// The level now.
    pub after: Level,
    /// Queued work that will not start any more: whose, and which.
    pub cancelled: Vec<(Identity, ActionId)>,
    /// Open sessions with the peer, which from now on count at the new level.
    pub sessions: Vec<SessionId>,
}
