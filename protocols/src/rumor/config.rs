//! The knobs of rumour spreading and what each of them may be set to.
//!
//! Must not know how a value is written in a file.

use thiserror::Error;

use crate::time::SimDuration;

/// Who hands the rumor over in a call (Demers et al. 1987, section 1.3; Karp et al. 2000).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Mode {
    /// The caller gives what it knows. A peer with nothing to say places no calls.
    Push,
    /// The caller is given what the called peer knows. Everybody calls in every round.
    Pull,
    /// Both at once. Everybody calls in every round.
    PushPull,
}

impl Mode {
    /// Whether a caller gives.
    pub const fn pushes(self) -> bool {
        match self {
            Self::Push | Self::PushPull => true,
            Self::Pull => false,
        }
    }

    /// Whether a caller is given.
    pub const fn pulls(self) -> bool {
        match self {
            Self::Pull | Self::PushPull => true,
            Self::Push => false,
        }
    }
}

/// When a peer's rounds begin by its own clock, and what it may pass on within one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Rounds {
    /// At every whole multiple of the period; all peers together if their clocks agree.
    ///
    /// The round model of the literature: a peer acts on what it knew when the round began. What it
    /// learns in a round it neither passes on nor counts as known before the next.
    Synchronous,
    /// At a phase of its own, drawn once, uniform in the period; a peer acts on all it knows.
    OwnPhase,
}

/// When a peer stops spreading a rumor (Demers et al. 1987, section 1.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Loss {
    /// Never, but for the age limit.
    Never,
    /// After `k` contacts that count, all in all: with feedback `s = e^-(k+1)(1-s)`.
    Counter {
        /// How many; at least 1. More spreads further and costs more messages.
        k: u32,
    },
    /// After `k` contacts that count, with none between that did not. This is what tables 1 and 3 of
    /// the paper were simulated with; it leaves less residue than [`Loss::Counter`] for `k` above 1.
    Consecutive {
        /// How many; at least 1. More spreads further and costs more messages.
        k: u32,
    },
    /// After each contact that counts, with probability 1/k.
    Coin {
        /// At least 1.
        k: u32,
    },
    /// The median-counter algorithm (Karp et al. 2000, section 3), for push-pull: a peer goes from
    /// phase to phase as soon as most partners of a round are as far as itself, so that `n` peers
    /// need O(n log log n) copies whatever `n` is. Feedback plays no part in it.
    MedianCounter {
        /// Phases that are counted so, and rounds that follow on them before interest is lost; at
        /// least 1, O(log log n) in the paper.
        max: u32,
    },
}

/// Which contacts count towards the loss of interest (Demers et al. 1987, section 1.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Contacts {
    /// Those that were in vain because the other knew already; the other says so. The answers of
    /// one round are one contact, and in vain only if nobody needed any of them.
    Feedback,
    /// All of them; nobody says anything.
    Blind,
}

/// How rumors spread. The same for all peers of a group in the papers; nothing depends on that.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RumorConfig {
    /// Who hands over in a call.
    pub mode: Mode,
    /// How many different peers one peer calls in a round; at least 1, as in the papers.
    pub fanout: u32,
    /// The length of a round by the peer's own clock; at least 1 ms.
    ///
    /// Keep it above twice the longest one-way delay when calls are answered, above three times
    /// when answers get feedback: then a round's calls are over within it, as the round model wants.
    pub period: SimDuration,
    /// When rounds begin.
    pub rounds: Rounds,
    /// When interest is lost.
    pub loss: Loss,
    /// Which contacts count towards that.
    pub contacts: Contacts,
    /// A rumor older than this many rounds is no longer spread (Karp et al. 2000, whose simplest
    /// scheme bounds the transmissions so). None: no limit.
    pub age_limit: Option<u32>,
    /// A peer places calls in this many rounds and no more, so that a pulling group comes to rest;
    /// it still answers. None: no limit.
    pub max_rounds: Option<u32>,
    /// Compare everything with one random peer this often, as a backup that makes the residue zero
    /// (Demers et al. 1987, sections 1.3 and 1.5); at least 1 ms. None: off.
    pub anti_entropy: Option<SimDuration>,
    /// Whether what is learned from others goes to disk. What a user starts always does.
    pub durable: bool,
    /// How many rumors a peer keeps; at least 1. More are refused, so that no peer can be flooded.
    pub capacity: u32,
}

impl Default for RumorConfig {
    /// Karp's push-pull in synchronous rounds of 200 ms with Demers' feedback and counter 3.
    fn default() -> Self {
        Self {
            mode: Mode::PushPull,
            fanout: 1,
            period: SimDuration::from_millis(200),
            rounds: Rounds::Synchronous,
            loss: Loss::Counter { k: 3 },
            contacts: Contacts::Feedback,
            age_limit: None,
            max_rounds: None,
            anti_entropy: None,
            durable: false,
            capacity: 256,
        }
    }
}

/// What a [`RumorConfig`] must not be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Error)]
pub enum RumorConfigError {
    /// Nobody would be called.
    #[error("fanout must be at least 1")]
    FanoutZero,
    /// A round too short to tell from the rounding of clocks.
    #[error("period must be at least 1ms")]
    PeriodTooShort,
    /// A counter or coin of nothing.
    #[error("k of the loss of interest must be at least 1")]
    LossZero,
    /// Rumors that nobody may spread.
    #[error("age_limit must be at least 1 round")]
    AgeLimitZero,
    /// Peers that never call.
    #[error("max_rounds must be at least 1")]
    MaxRoundsZero,
    /// Anti-entropy without pause.
    #[error("anti_entropy must be at least 1ms")]
    AntiEntropyTooOften,
    /// No room for a single rumor.
    #[error("capacity must be at least 1")]
    CapacityZero,
    /// A median over partners who do not tell how far they are.
    #[error("loss by median-counter needs mode \"push-pull\"")]
    MedianWithoutAnswers,
}

impl RumorConfig {
    /// The shortest period, of rounds and of anti-entropy.
    pub const PERIOD_MIN: SimDuration = SimDuration::from_millis(1);

    /// Whether partners tell each other how far they are, if a median is taken over that.
    pub fn has_answers_for_a_median(&self) -> bool {
        !matches!(self.loss, Loss::MedianCounter { .. }) || self.mode == Mode::PushPull
    }

    /// Whether every field is within its range.
    ///
    /// # Errors
    /// The first field that is not, in the order of declaration.
    pub fn validate(&self) -> Result<(), RumorConfigError> {
        let loss_is_zero = match self.loss {
            Loss::Never => false,
            Loss::Counter { k } | Loss::Consecutive { k } | Loss::Coin { k } => k == 0,
            Loss::MedianCounter { max } => max == 0,
        };
        let too_often = |every: SimDuration| every < Self::PERIOD_MIN;
        let checks = [
            (self.fanout == 0, RumorConfigError::FanoutZero),
            (too_often(self.period), RumorConfigError::PeriodTooShort),
            (loss_is_zero, RumorConfigError::LossZero),
            (self.age_limit == Some(0), RumorConfigError::AgeLimitZero),
            (self.max_rounds == Some(0), RumorConfigError::MaxRoundsZero),
            (
                self.anti_entropy.is_some_and(too_often),
                RumorConfigError::AntiEntropyTooOften,
            ),
            (self.capacity == 0, RumorConfigError::CapacityZero),
            (
                !self.has_answers_for_a_median(),
                RumorConfigError::MedianWithoutAnswers,
            ),
        ];
        match checks.into_iter().find(|(wrong, _)| *wrong) {
            Some((_, error)) => Err(error),
            None => Ok(()),
        }
    }
}
