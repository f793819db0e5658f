//! The reference formula (ruflo 3.38, ADR-078, trust evaluator), with its holes.

use crate::federation::terms::Share;

use super::evaluator::Components;
use super::evidence::Evidence;

/// What the reference counts of a peer: totals since the session began, nothing ever decays.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Tally {
    /// Messages in either direction; our own count too.
    pub messages: u64,
    /// Messages badly signed.
    pub bad_signatures: u64,
    /// Messages found to be threats.
    pub threats: u64,
    /// Heartbeats answered.
    pub alive: u64,
    /// Heartbeats not answered.
    pub silent: u64,
}

impl Tally {
    pub(super) fn note(&mut self, evidence: Evidence) {
        match evidence {
            Evidence::Served { .. }
            | Evidence::Failed { .. }
            | Evidence::Sent
            | Evidence::Received => self.messages += 1,
            Evidence::Alive => self.alive += 1,
            Evidence::Silent => self.silent += 1,
            Evidence::Threat => self.threats += 1,
            Evidence::BadSignature => {
                self.messages += 1;
                self.bad_signatures += 1;
            }
        }
    }

    /// The components: success and integrity are one signal; a failed task lowers none of them.
    pub fn components(&self) -> Components {
        let bad = Share::of(self.bad_signatures, self.messages);
        Components {
            success: bad.map_or(Share::ZERO, Share::complement),
            uptime: Share::of(self.alive, self.alive + self.silent).unwrap_or(Share::ONE),
            threat: Share::of(self.threats.saturating_mul(10), self.messages)
                .unwrap_or(Share::ZERO),
            integrity: bad.map_or(Share::ONE, Share::complement),
        }
    }

    /// 0.4 success + 0.2 uptime + 0.2 (1 - threat) + 0.2 integrity.
    pub fn score(&self) -> Share {
        let Components {
            success,
            uptime,
            threat,
            integrity,
        } = self.components();
        let fifths = [success, success, uptime, threat.complement(), integrity];
        Share::millionths(fifths.map(Share::as_millionths).iter().sum::<u32>() / 5)
    }
}
