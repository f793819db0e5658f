//! What the process tells its caller: one number, by kind of outcome.
//!
//! Must not know how an outcome came about.

use std::process::ExitCode;

use fedsim_record::Verdict;

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// All that was asked for holds.
    Met,
    /// An invariant was violated or an expectation missed.
    Failed,
    /// The input makes no sense; nothing was written.
    BadInput,
    /// The fault is ours.
    Bug,
    /// Nothing was violated, and something could not be judged.
    Unknown,
    /// The user stopped it.
    Interrupted,
}

impl Exit {
    /// The number, a contract with scripts.
    pub(crate) fn code(self) -> u8 {
        match self {
            Self::Met => 0,
            Self::Failed => 1,
            Self::BadInput => 2,
            Self::Bug => 3,
            Self::Unknown => 4,
            Self::Interrupted => 130,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

impl From<Verdict> for Exit {
    fn from(verdict: Verdict) -> Self {
        match verdict {
            Verdict::Passed => Self::Met,
            Verdict::Violated => Self::Failed,
            Verdict::Unknown => Self::Unknown,
        }
    }
}
