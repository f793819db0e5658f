//! What happens in a directed run: steps in order, and nothing besides.
//!
//! The verbs of [`Deed`] are those of every protocol. What one protocol adds (its timers, what it
//! can be asked, what can be claimed of its peers, in which state they begin) is its [`Dialect`].

mod pbft;
mod raft;
mod rumor;
mod swim;

use std::fmt::Debug;

use fedsim_protocols::{PeerId, Protocol, SimDuration};

pub use pbft::{PbftClaim, PbftFact, PbftWords};
pub use raft::{RaftAsk, RaftClaim, RaftFact, RaftTold, RaftWords};
pub use rumor::{RumorAsk, RumorClaim, RumorFact, RumorWords};
pub use swim::{Belief, SwimAsk, SwimClaim, SwimFact, SwimWords};

/// What a story can say of one protocol beyond what it can say of any.
pub trait Dialect: Clone + Debug + PartialEq + 'static {
    /// The protocol; its messages and timers are those of all its variants.
    type Protocol: Protocol;
    /// What a peer is given before it starts.
    type Fact: Clone + Debug + PartialEq + 'static;
    /// What a peer can be asked.
    type Ask: Clone + Debug + PartialEq + 'static;
    /// What can be claimed of a peer.
    type Claim: Clone + Debug + PartialEq + 'static;

    /// The names of the timers, by what they bring about: lower case with dashes.
    const TIMERS: &'static [&'static str];

    /// The name of a timer, one of [`Dialect::TIMERS`].
    fn timer(timer: &<Self::Protocol as Protocol>::Timer) -> &'static str;
}

/// The story of a scenario, in the words of its protocol.
#[derive(Clone, Debug, PartialEq)]
pub enum Story {
    /// Members of a SWIM group.
    Swim(Vec<Step<SwimWords>>),
    /// Peers that spread rumors.
    Rumor(Vec<Step<RumorWords>>),
    /// Servers and clients of Raft.
    Raft(Vec<Step<RaftWords>>),
    /// Replicas and clients of PBFT.
    Pbft(Vec<Step<PbftWords>>),
}

impl Story {
    /// The steps as they are written, in order.
    pub fn lines(&self) -> Vec<&str> {
        fn of<D: Dialect>(steps: &[Step<D>]) -> Vec<&str> {
            steps.iter().map(|step| step.text.as_str()).collect()
        }
        match self {
            Self::Swim(steps) => of(steps),
            Self::Rumor(steps) => of(steps),
            Self::Raft(steps) => of(steps),
            Self::Pbft(steps) => of(steps),
        }
    }
}

/// One line of a story.
#[derive(Clone, Debug, PartialEq)]
pub struct Step<D: Dialect> {
    /// As written, with single blanks and without remarks.
    pub text: String,
    /// What it says.
    pub deed: Deed<D>,
}

/// What is done in one step, or claimed.
#[derive(Clone, Debug, PartialEq)]
pub enum Deed<D: Dialect> {
    /// Peers that have not started yet will find themselves in a state.
    Given {
        /// Which.
        peers: Vec<PeerId>,
        /// The state.
        facts: Vec<D::Fact>,
    },
    /// Peers start for the first time.
    Start(Vec<PeerId>),
    /// The time of peers passes; timers and writes that come due in it do so.
    Tick {
        /// Whose.
        peers: Vec<PeerId>,
        /// By how much, in true time.
        by: SimDuration,
    },
    /// The time of peers passes until a timer fires.
    Expire {
        /// Whose.
        peers: Vec<PeerId>,
        /// Which, one of [`Dialect::TIMERS`]; none is the one that fires first.
        timer: Option<&'static str>,
    },
    /// The time of peers passes until the oldest of their writes under way is on disk.
    Sync(Vec<PeerId>),
    /// Something becomes of messages that wait.
    Carry {
        /// What.
        fate: Fate,
        /// Of which.
        which: Which,
    },
    /// No message gets from some to others, those that wait included.
    Cut(Links),
    /// Messages get through again.
    Connect(Links),
    /// Peers crash, come back and so on.
    Life {
        /// Which.
        peers: Vec<PeerId>,
        /// What befalls them.
        turn: Turn,
    },
    /// Somebody asks peers for something.
    Ask {
        /// Whom.
        peers: Vec<PeerId>,
        /// What.
        ask: D::Ask,
    },
    /// Something must be so now.
    Assert(Claim<D>),
}

/// What becomes of a message that waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It arrives.
    Deliver,
    /// It is lost.
    Drop,
    /// A copy arrives; the message itself goes on waiting.
    Duplicate,
    /// Messages like it are passed over by all other steps, until they are released.
    Hold,
    /// Messages like it are no longer held.
    Release,
}

/// Which of the messages that wait.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Which {
    /// How many of those that fit.
    pub many: Many,
    /// Of this kind, an index in the protocol's kinds of message; none is any.
    pub kind: Option<usize>,
    /// From one of these; none is anybody.
    pub from: Option<Vec<PeerId>>,
    /// To one of these; none is anybody.
    pub to: Option<Vec<PeerId>>,
}

/// How many of the messages that fit a description.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Many {
    /// The one that waits longest.
    #[default]
    Next,
    /// The one sent last.
    Last,
    /// All, those included that this step brings about.
    All,
}

/// Links between peers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Links {
    /// One end.
    pub from: Vec<PeerId>,
    /// The other end; none is everybody else.
    pub to: Option<Vec<PeerId>>,
    /// Whether the way back is meant as well.
    pub both_ways: bool,
}

/// What befalls a peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// It loses all but its disk.
    Crash,
    /// It loses its disk too.
    Wipe,
    /// It begins again with what its disk kept.
    Restart,
    /// It handles nothing until it resumes.
    Pause,
    /// It goes on where it paused.
    Resume,
}

/// What must be so.
#[derive(Clone, Debug, PartialEq)]
pub enum Claim<D: Dialect> {
    /// Of each of these peers.
    Of {
        /// Which.
        peers: Vec<PeerId>,
        /// What.
        claim: D::Claim,
    },
    /// They run, or they do not.
    Up {
        /// Which.
        peers: Vec<PeerId>,
        /// Whether they do.
        up: bool,
    },
    /// So many messages of a description wait, held ones included.
    Waiting {
        /// Which.
        which: Which,
        /// How many.
        count: u64,
    },
    /// A checker says this of its invariant by now.
    Invariant {
        /// `protocol/invariant`.
        name: String,
        /// True: it holds; false: it is violated.
        holds: bool,
    },
}
