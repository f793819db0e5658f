//! What is asked of the protocols while they run.

use fedsim_protocols::{PeerId, Probability, SimDuration};

use super::federation::ErrandLoad;

/// So many in a span of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// How many; at least 1.
    pub events: u64,
    /// In how long; longer than zero.
    pub per: SimDuration,
}

impl Rate {
    /// The mean span from one to the next, rounded down to nanoseconds.
    pub fn mean_gap(self) -> SimDuration {
        self.per / self.events
    }
}

/// Peers that start spreading a rumor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RumorStart {
    /// The rumor's number, unique in the file; what it says.
    pub rumor: u64,
    /// Who knows it first.
    pub peers: Vec<PeerId>,
    /// When.
    pub at: SimDuration,
    /// Bytes that its body adds to each message that carries it; below 2^32.
    pub bytes: u64,
}

/// When clients put their next request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LoadLoop {
    /// A new request when an earlier one is answered or given up.
    Closed {
        /// How many are unanswered at once, per client; at least 1.
        in_flight: u32,
        /// Pause between an answer and the next request.
        think: SimDuration,
    },
    /// New requests whatever becomes of earlier ones; latencies count from the intended send.
    Open {
        /// How often, per client.
        rate: Rate,
        /// How regularly.
        arrivals: Arrivals,
    },
}

/// How regularly open-loop requests come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arrivals {
    /// As a Poisson process.
    Poisson,
    /// At equal spans.
    Steady,
}

/// Weights of the kinds of request; a kind's share is its weight over the sum.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mix {
    /// Reads.
    pub read: u32,
    /// Writes.
    pub write: u32,
    /// Compare-and-swap.
    pub cas: u32,
    /// Appends.
    pub append: u32,
}

/// What clients ask of a replicated store.
#[derive(Clone, Debug, PartialEq)]
pub struct RequestLoad {
    /// When the next request comes.
    pub rhythm: LoadLoop,
    /// The first request is put at this time.
    pub from: SimDuration,
    /// No new request at or after; none is the end of the run.
    pub until: Option<SimDuration>,
    /// At most so many requests by all clients together.
    pub operations: Option<u64>,
    /// Kinds of request.
    pub mix: Mix,
    /// How many keys there are; at least 1.
    pub keys: u32,
    /// Zipf exponent of the keys' popularity; 0 is uniform.
    pub skew: f64,
    /// Size of a written value.
    pub value_bytes: u64,
    /// After how long without an answer a client tries again.
    pub timeout: SimDuration,
    /// How often it tries again before it gives up, the outcome unknown.
    pub retries: u32,
    /// Chance that a retry goes to another member than the one before.
    pub switch: Probability,
}

impl Default for RequestLoad {
    /// A closed loop of one request per client, half reads, half writes, on ten equal keys.
    fn default() -> Self {
        Self {
            rhythm: LoadLoop::Closed {
                in_flight: 1,
                think: SimDuration::ZERO,
            },
            from: SimDuration::ZERO,
            until: None,
            operations: None,
            mix: Mix {
                read: 1,
                write: 1,
                cas: 0,
                append: 0,
            },
            keys: 10,
            skew: 0.0,
            value_bytes: 16,
            timeout: SimDuration::from_secs(2),
            retries: 5,
            switch: Probability::ONE,
        }
    }
}

/// `[workload]`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Workload {
    /// Rumors to spread.
    pub rumors: Vec<RumorStart>,
    /// What clients ask, if anything.
    pub requests: Option<RequestLoad>,
    /// What the users of a federation's peers want done.
    pub errands: Vec<ErrandLoad>,
}
