//! `[raft]`: a replicated log among peers that trust each other.

use fedsim_protocols::raft::{MembershipMode, RaftConfig, RaftConfigError, ReadMode};

use super::{Overrides, Table, refuse_invalid};
use crate::layer::choice::only;
use crate::layer::quantity::{duration, positive_duration};
use crate::layer::scalar::{Flag, Words, count, words};
use crate::layer::shape::list;
use crate::layer::{Section, at};
use crate::spec::{PerOrganisation, ProtocolSpec};

pub(super) fn table() -> Table<PerOrganisation<RaftConfig>> {
    Table {
        name: "raft",
        about: "Members replicate a log with Raft.",
        section,
        wrap: ProtocolSpec::Raft,
        unwrap: only!(ProtocolSpec::Raft(spec) => spec),
    }
}

fn section() -> Section<PerOrganisation<RaftConfig>> {
    Section::new(
        "Raft (Ongaro and Ousterhout 2014; Ongaro's dissertation 2014). Each part has a switch of \
         its own; defaults suit one-way latencies of 10 to 100 ms.",
        PerOrganisation::default(),
    )
    .embed(config(), at!(base))
    .part(Overrides {
        section: config,
        lens: at!(),
    })
}

const MEMBERSHIPS: Words<MembershipMode> = words(&[
    (
        "joint",
        "Through a joint configuration.",
        MembershipMode::Joint,
    ),
    (
        "single-server",
        "One voter at a time, with the rule of 2015.",
        MembershipMode::SingleServer,
    ),
]);

const READS: Words<ReadMode> = words(&[
    ("log", "As a log entry.", ReadMode::Log),
    (
        "read-index",
        "From the leader's state after a round of heartbeats.",
        ReadMode::ReadIndex,
    ),
    (
        "lease",
        "From the leader's state while its lease lasts.",
        ReadMode::Lease,
    ),
    (
        "local",
        "From whatever the asked server holds: not linearizable.",
        ReadMode::Local,
    ),
]);

fn config() -> Section<RaftConfig> {
    let section = Section::new("Settings of a server.", RaftConfig::default());
    clients(services(replication(elections(section)))).check(|config, node, reader| {
        let verdict = config.validate();
        let located = verdict.map_err(|error| (key_of(error), error.to_string()));
        refuse_invalid(located, node, reader);
    })
}

/// The key at which an error is shown.
fn key_of(error: RaftConfigError) -> &'static str {
    match error {
        RaftConfigError::ElectionTimeout => "election_timeout_min",
        RaftConfigError::Heartbeat => "heartbeat_interval",
        RaftConfigError::Zero(key) => key,
        RaftConfigError::LeaseWithoutStickiness => "reads",
        RaftConfigError::Drift => "clock_drift_ppm",
        RaftConfigError::ClientRetry => "client_retry",
        RaftConfigError::LogTerms => "log_terms",
    }
}

fn elections(section: Section<RaftConfig>) -> Section<RaftConfig> {
    section
        .key(
            "election_timeout_min",
            positive_duration(),
            at!(election_timeout_min),
            "Shortest election timeout. Ten times the broadcast time keeps split votes rare.",
        )
        .key(
            "election_timeout_max",
            positive_duration(),
            at!(election_timeout_max),
            "Longest election timeout; equal to the shortest it makes all timers alike.",
        )
        .key(
            "heartbeat_interval",
            positive_duration(),
            at!(heartbeat_interval),
            "Time between heartbeats; below the shortest election timeout.",
        )
        .key(
            "pre_vote",
            Flag,
            at!(pre_vote),
            "Ask whether an election could be won before raising the term.",
        )
        .key(
            "leader_stickiness",
            Flag,
            at!(leader_stickiness),
            "Ignore vote requests while a leader is heard.",
        )
        .key(
            "check_quorum",
            Flag,
            at!(check_quorum),
            "A leader that hears no quorum for a shortest election timeout steps down.",
        )
        .key(
            "overlap_vote_write",
            Flag,
            at!(overlap_vote_write),
            "Ask for votes while the own vote is still on its way to disk; it counts once it is \
             there.",
        )
}

fn replication(section: Section<RaftConfig>) -> Section<RaftConfig> {
    section
        .key(
            "term_start_noop",
            Flag,
            at!(term_start_noop),
            "A new leader appends an entry that does nothing, so that older ones commit.",
        )
        .key(
            "term_skip",
            Flag,
            at!(term_skip),
            "A refused append skips whole terms.",
        )
        .key(
            "window",
            count(1..=u32::MAX),
            at!(window),
            "Appends under way to one follower at once.",
        )
        .key(
            "batch_entries",
            count(1..=u32::MAX),
            at!(batch_entries),
            "Most entries of one append.",
        )
        .key(
            "batch_delay",
            duration(),
            at!(batch_delay),
            "How long a proposal may wait for others to share its append; zero sends at once.",
        )
        .key(
            "eager_commit",
            Flag,
            at!(eager_commit),
            "Tell followers of a new commit index at once rather than with the next append.",
        )
        .key(
            "uncommitted_limit",
            count(1..=u64::MAX),
            at!(uncommitted_limit),
            "Proposals are refused while this many entries are not committed.",
        )
}

fn services(section: Section<RaftConfig>) -> Section<RaftConfig> {
    section
        .key(
            "membership",
            MEMBERSHIPS,
            at!(membership),
            "How membership changes.",
        )
        .key(
            "own_commit_before_change",
            Flag,
            at!(own_commit_before_change),
            "A leader changes the membership only once it has committed an entry of its own term. \
             Off is Raft before 2015, which can lose committed changes of `single-server`.",
        )
        .key(
            "catch_up_rounds",
            count(0..=u32::MAX),
            at!(catch_up_rounds),
            "Rounds a new voter may take to catch up as a learner; 0 lets it vote at once.",
        )
        .key(
            "snapshot_every",
            count(0..=u64::MAX),
            at!(snapshot_every),
            "Take a snapshot after this many applied entries; 0 never does.",
        )
        .key(
            "snapshot_keep",
            count(0..=u64::MAX),
            at!(snapshot_keep),
            "Entries kept behind a snapshot for slow followers.",
        )
        .key(
            "chunk_bytes",
            count(1..=u32::MAX),
            at!(chunk_bytes),
            "Bytes of a snapshot in one message.",
        )
        .key("reads", READS, at!(reads), "How reads are answered.")
        .key(
            "follower_reads",
            Flag,
            at!(follower_reads),
            "Followers answer reads at an index that the leader confirmed.",
        )
        .key(
            "clock_drift_ppm",
            count(0..=999_999),
            at!(clock_drift_ppm),
            "How far a clock's rate may be off; leases are shortened by it.",
        )
}

fn clients(section: Section<RaftConfig>) -> Section<RaftConfig> {
    section
        .key(
            "sessions",
            Flag,
            at!(sessions),
            "Commands run once by client and serial number.",
        )
        .key(
            "session_limit",
            count(1..=u32::MAX),
            at!(session_limit),
            "Sessions kept; the one unused for longest goes first.",
        )
        .key(
            "client_retry",
            positive_duration(),
            at!(client_retry),
            "A client asks another server when one has not answered for so long.",
        )
        .key(
            "client_give_up",
            positive_duration(),
            at!(client_give_up),
            "A client gives up, outcome unknown, after so long.",
        )
        .key(
            "log_terms",
            list(count(1..=u64::MAX)),
            at!(log_terms),
            "Terms of the empty entries that a server's log holds when it first starts; never \
             decreasing. For set-ups of the literature in which logs differ.",
        )
}
