//! The network and the machines on it: links, topology, clocks, processors, disks.
//!
//! Everything here is plain data and arithmetic that a unit test drives by hand. It decides what
//! becomes of a message or a write, and never when anything is handled: that is the engine's. Must
//! not know actors, threads, or what peers say to each other. Start reading at [`fabric`].

pub mod clock;
pub mod cpu;
pub mod disk;
pub mod draw;
pub mod egress;
pub mod fabric;
#[cfg(test)]
pub(crate) mod fixture;
pub mod latency;
pub mod layout;
pub mod link;
pub mod links;
mod normal;
mod topology;
pub mod weather;

pub use clock::{PeerClock, clocks};
pub use cpu::{Cpu, Work};
pub use disk::DiskModel;
pub use draw::{Draw, DrawKey, Purpose};
pub use egress::Egress;
pub use fabric::{DropReason, Fabric, Fate};
pub use latency::{LatencyFigures, LatencyModel};
pub use layout::{Layout, LayoutFigures};
pub use link::LinkModel;
pub use links::LinkTable;
pub use weather::{Cut, Effect, PeerSet, Weather};

use fedsim_scenarios::spec::network::Override;
use fedsim_scenarios::spec::{CpuSpec, DiskSpec, NetworkSpec};

/// The processors of `peers` peers, by slot.
pub fn processors(network: &NetworkSpec, peers: usize) -> Vec<CpuSpec> {
    resolve(vec![network.cpu; peers], &network.cpus)
}

/// The disks of `peers` peers, by slot.
pub fn disks(network: &NetworkSpec, peers: usize) -> Vec<DiskSpec> {
    resolve(vec![network.disk; peers], &network.disks)
}

/// `general`, changed by overrides; the last that names a peer wins.
fn resolve<T: Copy>(mut general: Vec<T>, overrides: &[Override<T>]) -> Vec<T> {
    for over in overrides {
        for peer in &over.peers {
            if let Some(spec) = general.get_mut(peer.index()) {
                *spec = over.spec;
            }
        }
    }
    general
}
