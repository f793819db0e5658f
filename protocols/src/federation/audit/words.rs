//! Findings and ids in words.
//!
//! Must not know how anything is found.

use std::fmt;

use super::verify::Problem;

/// Bytes as they are written and asked for.
pub struct Hex<'a>(pub &'a [u8]);

impl fmt::Display for Hex<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let span = |f: &mut fmt::Formatter<'_>, from: &u64, to: &u64, what: &str| match from == to {
            true => write!(f, "record {from} {what}"),
            false => write!(f, "records {from} to {to} {what}"),
        };
        match self {
            Self::Altered { from, to } => span(f, from, to, "altered"),
            Self::Removed { from, to } => span(f, from, to, "removed"),
            Self::Forked { number } => write!(f, "two heads of number {number} signed"),
            Self::Unrecorded { action, number } => write!(
                f,
                "action {} acknowledged, and record {number} does not say that it was done",
                Hex(&action.0)
            ),
            Self::BadSignature { number } => write!(f, "record {number} holds a false signature"),
            Self::NoAnswer { action } => {
                write!(
                    f,
                    "action {} sent, and nothing said of its outcome",
                    Hex(&action.0)
                )
            }
            Self::NoOutcome { action } => {
                write!(
                    f,
                    "action {} begun, and nothing said of its outcome",
                    Hex(&action.0)
                )
            }
            Self::NoSender { action } => {
                write!(
                    f,
                    "action {} done, and unknown to its sender's log",
                    Hex(&action.0)
                )
            }
            Self::LogMissing => write!(f, "others hold its heads, and there is no log of it"),
        }
    }
}
