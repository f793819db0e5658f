//! What came of the faults: when and whom each struck, and whether it made a difference.

use fedsim_protocols::PeerId;
use fedsim_scenarios::spec::Fault;

use super::Nemesis;
use crate::network::Fabric;
use crate::time::SimTime;

/// One strike, as reports show it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FaultBand {
    /// The fault's number: its place in the scenario, from 1.
    pub fault: u32,
    /// Its label.
    pub label: String,
    /// When it struck.
    pub from: SimTime,
    /// When it ends; equal to `from` if it happens at once; none if it lasts to the end of the run.
    pub to: Option<SimTime>,
    /// Whom it hit, ascending; empty if nobody could be found.
    pub peers: Vec<PeerId>,
}

/// What one fault did in the whole run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FaultTally {
    /// The fault's number: its place in the scenario, from 1.
    pub fault: u32,
    /// Its label.
    pub label: String,
    /// How often it struck.
    pub strikes: u64,
    /// How often it really did something to a peer.
    pub peers: u64,
    /// How many messages it took, lengthened or carried over other links. A message that a cut
    /// touches both when sent and at arrival counts once: it is gone.
    pub messages: u64,
}

impl FaultTally {
    /// Whether anything would have been different without it, as far as can be counted.
    pub fn took_effect(&self) -> bool {
        self.peers > 0 || self.messages > 0
    }
}

impl Nemesis {
    /// Every strike so far, in order.
    pub fn bands(&self) -> Vec<FaultBand> {
        let band = |strike: &super::Strike| FaultBand {
            fault: strike.fault + 1,
            label: self.faults[strike.fault as usize].label.clone(),
            from: strike.from,
            to: strike.to,
            peers: strike.peers.clone(),
        };
        self.strikes.iter().map(band).collect()
    }

    /// The engine carried out an order of the fault with this index and it made a difference: a peer
    /// that was up is stopped, a request was accepted.
    pub fn note_effect(&mut self, fault: u32) {
        if let Some(count) = self.peers_touched.get_mut(fault as usize) {
            *count += 1;
        }
    }

    /// What every fault did so far, in the scenario's order; adversaries count for themselves.
    pub fn tallies(&self, fabric: &Fabric) -> Vec<FaultTally> {
        let messages = fabric.weather().touched();
        let mut strikes = vec![0; self.faults.len()];
        for strike in &self.strikes {
            strikes[strike.fault as usize] += 1;
        }
        (0..)
            .zip(&self.faults)
            .filter(|(_, spec)| !matches!(spec.fault, Fault::Turn { .. }))
            .map(|(index, spec)| FaultTally {
                fault: index + 1,
                label: spec.label.clone(),
                strikes: strikes[index as usize],
                peers: self.peers_touched[index as usize],
                messages: messages.get(index as usize).copied().unwrap_or(0),
            })
            .collect()
    }
}
