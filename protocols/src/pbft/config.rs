//! What a PBFT group agrees on before it starts, and what each replica may set for itself.

use std::collections::BTreeMap;

use thiserror::Error;

use crate::identity::PublicKey;
use crate::peer::PeerId;
use crate::time::SimDuration;

/// The settings of replicas and clients.
///
/// `checkpoint_interval`, `window`, `read_only`, `tentative` and `guardians` must be equal in a whole
/// group.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PbftConfig {
    /// K: a checkpoint every so many batches (OSDI'99 section 4.3, "e.g., 100"). 1 to `window`.
    pub checkpoint_interval: u64,
    /// L: how far the high watermark lies above the low one, in batches; the paper's 2K. From K to
    /// 30,000.
    pub window: u64,
    /// Most requests in one batch; 1 turns batching off (TOCS'02 section 5.1.4).
    pub batch_max: usize,
    /// Most batches in flight at the primary; requests wait and form batches beyond it.
    pub pipeline: u64,
    /// How long a backup waits for a request's execution before it asks for the next view.
    pub view_timeout: SimDuration,
    /// The bound on the doubling of `view_timeout`.
    pub max_timeout: SimDuration,
    /// How long a client waits for a reply before it sends its request to all replicas.
    pub client_timeout: SimDuration,
    /// Whether clients send every request to all replicas from the start.
    pub client_multicasts: bool,
    /// How long a replica sees no progress where there should be some before it asks the others
    /// to send again what it lacks (thesis section 5.2).
    pub retransmit_interval: SimDuration,
    /// How long a replica waits for the missing batches below a checkpoint that became stable
    /// without it, before it fetches the state.
    pub fetch_after: SimDuration,
    /// Read-only requests are answered unordered (TOCS'02 section 5.1.3).
    pub read_only: bool,
    /// Batches are executed once prepared (TOCS'02 section 5.1.2).
    pub tentative: bool,
    /// Whether votes, certificates and checkpoints reach the disk before they are sent.
    pub durable: bool,
    /// Replace a primary that is slower than its predecessors were (Aardvark, NSDI 2009).
    pub minimum_rate: Option<MinimumRate>,
    /// Whose word, beside its owner's, passes a client's key on or ends it.
    pub guardians: BTreeMap<PeerId, PublicKey>,
}

/// How fast a primary must be (Clement et al., NSDI 2009, section 5.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct MinimumRate {
    /// How long a new primary is not judged.
    pub grace: SimDuration,
    /// How often it is judged after that, and the demand raised.
    pub interval: SimDuration,
    /// What part of the best rate of the last n views it must reach at first, in percent.
    pub demand_percent: u64,
    /// How much the demand rises at each judgement, in percent of itself.
    pub raise_percent: u64,
}

impl Default for MinimumRate {
    /// Five seconds of grace, 90% and 1% as in Aardvark.
    fn default() -> Self {
        Self {
            grace: SimDuration::from_secs(5),
            interval: SimDuration::from_secs(1),
            demand_percent: 90,
            raise_percent: 1,
        }
    }
}

impl Default for PbftConfig {
    fn default() -> Self {
        Self {
            checkpoint_interval: 100,
            window: 200,
            batch_max: 1,
            pipeline: 200,
            view_timeout: SimDuration::from_secs(1),
            max_timeout: SimDuration::from_secs(20),
            client_timeout: SimDuration::from_millis(500),
            client_multicasts: false,
            retransmit_interval: SimDuration::from_millis(500),
            fetch_after: SimDuration::from_millis(200),
            read_only: false,
            tentative: false,
            durable: true,
            minimum_rate: None,
            guardians: BTreeMap::new(),
        }
    }
}

/// Why settings are refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Error)]
pub enum ConfigError {
    /// `checkpoint_interval` is 0 or larger than `window`.
    #[error("checkpoint_interval must be between 1 and window")]
    CheckpointInterval,
    /// `window` is larger than 30,000.
    #[error("window must be at most 30000")]
    Window,
    /// `batch_max` or `pipeline` is 0.
    #[error("batch_max and pipeline must be at least 1")]
    Batching,
    /// A timeout is 0, or `max_timeout` is below `view_timeout`.
    #[error("timeouts must be positive and max_timeout at least view_timeout")]
    Timeout,
}

impl PbftConfig {
    /// The largest `window`: every sequence number of it has a numbered slot on disk.
    pub const MAX_WINDOW: u64 = 30_000;

    /// Whether the settings can work together.
    ///
    /// # Errors
    /// The first rule that they break.
    pub fn validate(&self) -> Result<(), ConfigError> {
        let zero = SimDuration::ZERO;
        let spans = [
            self.view_timeout,
            self.client_timeout,
            self.retransmit_interval,
            self.fetch_after,
        ];
        if self.window > Self::MAX_WINDOW {
            Err(ConfigError::Window)
        } else if self.checkpoint_interval == 0 || self.checkpoint_interval > self.window {
            Err(ConfigError::CheckpointInterval)
        } else if self.batch_max == 0 || self.pipeline == 0 {
            Err(ConfigError::Batching)
        } else if spans.contains(&zero) || self.max_timeout < self.view_timeout {
            Err(ConfigError::Timeout)
        } else {
            Ok(())
        }
    }

    /// Whether a reply certificate needs a quorum and not f+1 replies.
    ///
    /// With read-only requests a write that only f+1 replicas vouch for can be missed by a later
    /// read quorum; with tentative execution only a quorum of replies survives a view change.
    pub const fn replies_need_quorum(&self) -> bool {
        self.read_only || self.tentative
    }
}
