//! Every switch of a Raft peer and of its clients, with its default. Must not know how any of them
//! is carried out.

use thiserror::Error;

use crate::time::SimDuration;

/// How a leader changes who votes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MembershipMode {
    /// Through a joint configuration, any change at once (paper 6, dissertation 4.3).
    Joint,
    /// One voter at a time, with the rule of 2015 (dissertation 4.1, raft-dev 2015-07-10).
    SingleServer,
}

/// How a read is made linearizable, or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ReadMode {
    /// As a log entry like any other command.
    Log,
    /// From the leader's state after one round of heartbeats (dissertation 6.4).
    ReadIndex,
    /// From the leader's state while its lease lasts, else by `ReadIndex` (dissertation 6.4.1).
    ///
    /// Needs `leader_stickiness` and clocks that drift no more than `clock_drift_ppm`.
    Lease,
    /// From whatever the asked server holds. Not linearizable; the baseline that others improve on.
    Local,
}

/// What a Raft peer does and how long it waits; all peers of a cluster share one.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RaftConfig {
    /// Shortest election timeout. Ten times the broadcast time keeps split votes rare (paper 5.6).
    /// Default 1 s, for one-way latencies of 10-100 ms.
    pub election_timeout_min: SimDuration,
    /// Longest election timeout; equal to the shortest it makes all timers alike. Default 2 s.
    pub election_timeout_max: SimDuration,
    /// Time between heartbeats; well below the shortest election timeout. Default 200 ms.
    pub heartbeat_interval: SimDuration,
    /// Ask whether an election could be won before raising the term (dissertation 9.6). Default on.
    pub pre_vote: bool,
    /// Ignore vote requests while a leader is heard (dissertation 4.2.3). Default on.
    pub leader_stickiness: bool,
    /// A leader that hears no quorum for a shortest election timeout steps down (dissertation 6.2).
    /// Default on.
    pub check_quorum: bool,
    /// Ask for votes while the own vote is still on its way to disk. It counts once it is there, and
    /// only what is on disk of the log speaks for the candidate (dissertation 9.3). Default off.
    pub overlap_vote_write: bool,
    /// A new leader appends an entry that does nothing, so that older ones commit (paper 8).
    /// Default on.
    pub term_start_noop: bool,
    /// A refused append skips whole terms rather than single entries (paper 5.3). Default on.
    pub term_skip: bool,
    /// Appends under way to one follower at once, 1 or more (dissertation 10.2.1). Default 64.
    pub window: u32,
    /// Most entries of one append, 1 or more. Default 1024.
    pub batch_entries: u32,
    /// How long a proposal may wait for others to share its append; zero sends at once. Default 0.
    pub batch_delay: SimDuration,
    /// Tell followers of a new commit index at once rather than with the next append. Default off.
    pub eager_commit: bool,
    /// Proposals are refused while this many entries are not committed. Default 65,536.
    pub uncommitted_limit: u64,
    /// How membership changes. Default joint consensus.
    pub membership: MembershipMode,
    /// A leader changes the membership only once it has committed an entry of its own term (Ongaro,
    /// raft-dev, 2015-07-10). Off is the algorithm before that, which can lose committed changes of
    /// `SingleServer`; for showing why. Default on.
    pub own_commit_before_change: bool,
    /// Rounds a new voter may take to catch up as a learner before it votes; 0 lets it vote at once
    /// (dissertation 4.2.1). Default 10.
    pub catch_up_rounds: u32,
    /// Take a snapshot after this many applied entries; 0 never does (paper 7). Default 10,000.
    pub snapshot_every: u64,
    /// Entries kept behind a snapshot for slow followers. Default 1,000.
    pub snapshot_keep: u64,
    /// Bytes of a snapshot in one message, 1 or more. Default 65,536.
    pub chunk_bytes: u32,
    /// How reads are answered. Default `ReadIndex`.
    pub reads: ReadMode,
    /// Followers answer reads at an index that the leader confirmed (dissertation 6.4). Default off.
    pub follower_reads: bool,
    /// How much faster or slower than true a clock may run, in parts per million, below 1,000,000.
    /// Leases are shortened by it. Default 200.
    pub clock_drift_ppm: u64,
    /// Commands run once by (client, serial) (dissertation 6.3). Off, retries may run twice.
    /// Default on.
    pub sessions: bool,
    /// Sessions kept; the one unused for longest goes first, 1 or more. Default 10,000.
    pub session_limit: u32,
    /// A client asks another server when one has not answered for so long. Default 1 s.
    pub client_retry: SimDuration,
    /// A client gives up, outcome unknown, after so long. Default 10 s.
    pub client_give_up: SimDuration,
    /// The terms of the empty entries that a server's log holds when it first starts, 1 or more and
    /// never decreasing: for set-ups of the literature in which logs differ. Default none.
    pub log_terms: Vec<u64>,
}

impl Default for RaftConfig {
    fn default() -> Self {
        Self {
            election_timeout_min: SimDuration::from_millis(1_000),
            election_timeout_max: SimDuration::from_millis(2_000),
            heartbeat_interval: SimDuration::from_millis(200),
            pre_vote: true,
            leader_stickiness: true,
            check_quorum: true,
            overlap_vote_write: false,
            term_start_noop: true,
            term_skip: true,
            window: 64,
            batch_entries: 1_024,
            batch_delay: SimDuration::ZERO,
            eager_commit: false,
            uncommitted_limit: 65_536,
            membership: MembershipMode::Joint,
            own_commit_before_change: true,
            catch_up_rounds: 10,
            snapshot_every: 10_000,
            snapshot_keep: 1_000,
            chunk_bytes: 65_536,
            reads: ReadMode::ReadIndex,
            follower_reads: false,
            clock_drift_ppm: 200,
            sessions: true,
            session_limit: 10_000,
            client_retry: SimDuration::from_millis(1_000),
            client_give_up: SimDuration::from_millis(10_000),
            log_terms: Vec::new(),
        }
    }
}

/// Why a [`RaftConfig`] is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum RaftConfigError {
    /// The election range is empty or begins at zero.
    #[error("the election timeout must be above zero and its range must not be empty")]
    ElectionTimeout,
    /// Followers would time out between two heartbeats.
    #[error("the heartbeat interval must be above zero and below the shortest election timeout")]
    Heartbeat,
    /// A count that must be at least 1 is 0.
    #[error("{0} must be at least 1")]
    Zero(&'static str),
    /// A lease holds only while voters refuse other candidates.
    #[error(
        "lease reads need leader_stickiness: without it a voter may elect another leader at any time"
    )]
    LeaseWithoutStickiness,
    /// A clock cannot be wrong by all of its rate.
    #[error("clock_drift_ppm must be below 1000000")]
    Drift,
    /// The client would give up before it tries again.
    #[error("client_retry must be above zero and not above client_give_up")]
    ClientRetry,
    /// No log looks like this.
    #[error("log_terms must begin at 1 or above and never decrease")]
    LogTerms,
}

impl RaftConfig {
    /// Refuses a configuration that no cluster could run with.
    ///
    /// # Errors
    /// The first [`RaftConfigError`] that applies.
    pub fn validate(&self) -> Result<(), RaftConfigError> {
        if self.election_timeout_min.is_zero()
            || self.election_timeout_min > self.election_timeout_max
        {
            return Err(RaftConfigError::ElectionTimeout);
        }
        if self.heartbeat_interval.is_zero() || self.heartbeat_interval >= self.election_timeout_min
        {
            return Err(RaftConfigError::Heartbeat);
        }
        let counts = [
            ("window", u64::from(self.window)),
            ("batch_entries", u64::from(self.batch_entries)),
            ("uncommitted_limit", self.uncommitted_limit),
            ("chunk_bytes", u64::from(self.chunk_bytes)),
            ("session_limit", u64::from(self.session_limit)),
        ];
        if let Some((name, _)) = counts.iter().find(|(_, count)| *count == 0) {
            return Err(RaftConfigError::Zero(name));
        }
        if self.reads == ReadMode::Lease && !self.leader_stickiness {
            return Err(RaftConfigError::LeaseWithoutStickiness);
        }
        if self.clock_drift_ppm >= 1_000_000 {
            return Err(RaftConfigError::Drift);
        }
        if self.client_retry.is_zero() || self.client_retry > self.client_give_up {
            return Err(RaftConfigError::ClientRetry);
        }
        if self.log_terms.first() == Some(&0) || !self.log_terms.is_sorted() {
            return Err(RaftConfigError::LogTerms);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_is_valid_and_each_nonsense_is_named() {
        // One changed field a case, so the error can only come from it.
        assert_eq!(RaftConfig::default().validate(), Ok(()));
        let spoil = |change: fn(&mut RaftConfig)| {
            let mut config = RaftConfig::default();
            change(&mut config);
            config.validate().unwrap_err()
        };
        assert_eq!(
            spoil(|c| c.election_timeout_max = SimDuration::from_millis(1)),
            RaftConfigError::ElectionTimeout
        );
        assert_eq!(
            spoil(|c| c.heartbeat_interval = c.election_timeout_min),
            RaftConfigError::Heartbeat
        );
        assert_eq!(spoil(|c| c.window = 0), RaftConfigError::Zero("window"));
        assert_eq!(
            spoil(|c| {
                c.reads = ReadMode::Lease;
                c.leader_stickiness = false;
            }),
            RaftConfigError::LeaseWithoutStickiness
        );
        assert_eq!(
            spoil(|c| c.clock_drift_ppm = 1_000_000),
            RaftConfigError::Drift
        );
        assert_eq!(
            spoil(|c| c.client_retry = SimDuration::ZERO),
            RaftConfigError::ClientRetry
        );
        for terms in [vec![0, 1], vec![2, 1]] {
            let config = RaftConfig {
                log_terms: terms,
                ..RaftConfig::default()
            };
            assert_eq!(config.validate(), Err(RaftConfigError::LogTerms));
        }
    }
}
