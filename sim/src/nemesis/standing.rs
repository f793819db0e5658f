//! What faults hold each peer in, so that overlapping ones add up. Must not know links.

use std::collections::BTreeMap;

use fedsim_protocols::{PeerId, SimDuration};
use fedsim_scenarios::spec::{DiskSpec, Fault};

use super::order::Control;

/// The peers that some fault holds in something.
#[derive(Debug)]
pub(super) struct Standing {
    usual_disks: Vec<DiskSpec>,
    peers: BTreeMap<PeerId, Held>,
}

/// The strikes that hold one peer, oldest first.
#[derive(Debug, Default)]
struct Held {
    stopped: Vec<u64>,
    paused: Vec<u64>,
    slowed: Vec<(u64, SimDuration)>,
    disks: Vec<(u64, DiskSpec)>,
}

impl Standing {
    /// Nobody is held; disks without a fault are `usual_disks`, by slot.
    pub(super) fn new(usual_disks: Vec<DiskSpec>) -> Self {
        Self {
            usual_disks,
            peers: BTreeMap::new(),
        }
    }

    /// What is to be done to `peer` now that `strike` of `fault` hits it.
    pub(super) fn begin(&mut self, peer: PeerId, strike: u64, fault: &Fault) -> Option<Control> {
        let held = self.peers.entry(peer).or_default();
        match fault {
            Fault::Crash(_) => {
                held.stopped.push(strike);
                (held.stopped.len() == 1).then_some(Control::Crash)
            }
            Fault::Wipe(_) => {
                held.stopped.push(strike);
                Some(Control::Wipe)
            }
            Fault::Pause(_) => {
                held.paused.push(strike);
                (held.paused.len() == 1).then_some(Control::Pause)
            }
            Fault::ClockJump { by_nanos, .. } => Some(Control::ClockJump(*by_nanos)),
            Fault::Slow { per_input, .. } => {
                held.slowed.push((strike, *per_input));
                Some(held.slowness())
            }
            Fault::Disk { disk, .. } => {
                held.disks.push((strike, *disk));
                Some(Control::Disk(*disk))
            }
            Fault::Request { request, .. } => Some(Control::Request(request.clone())),
            Fault::Turn { role, .. } => Some(Control::Turn {
                role: *role,
                on: true,
            }),
            Fault::Partition(_)
            | Fault::Flapping { .. }
            | Fault::LatencyStorm { .. }
            | Fault::LossStorm { .. }
            | Fault::Links { .. }
            | Fault::RegionOutage(_) => None,
        }
    }

    /// What is to be done to `peer` now that `strike` of `fault` ends.
    pub(super) fn end(&mut self, peer: PeerId, strike: u64, fault: &Fault) -> Option<Control> {
        let held = self.peers.get_mut(&peer)?;
        match fault {
            Fault::Crash(_) | Fault::Wipe(_) => {
                held.stopped.retain(|&by| by != strike);
                held.stopped.is_empty().then_some(Control::Restart)
            }
            Fault::Pause(_) => {
                held.paused.retain(|&by| by != strike);
                held.paused.is_empty().then_some(Control::Resume)
            }
            Fault::Slow { .. } => {
                held.slowed.retain(|&(by, _)| by != strike);
                Some(held.slowness())
            }
            Fault::Disk { .. } => {
                held.disks.retain(|&(by, _)| by != strike);
                let usual = self.usual_disks.get(peer.index()).copied();
                let latest = held.disks.last().map(|&(_, disk)| disk);
                latest.or(usual).map(Control::Disk)
            }
            Fault::Turn { role, .. } => Some(Control::Turn {
                role: *role,
                on: false,
            }),
            Fault::Partition(_)
            | Fault::Flapping { .. }
            | Fault::ClockJump { .. }
            | Fault::LatencyStorm { .. }
            | Fault::LossStorm { .. }
            | Fault::Links { .. }
            | Fault::RegionOutage(_)
            | Fault::Request { .. } => None,
        }
    }
}

impl Held {
    fn slowness(&self) -> Control {
        let spans = self.slowed.iter().map(|&(_, span)| span);
        Control::Slow(spans.fold(SimDuration::ZERO, |sum, span| sum + span))
    }
}
