//! Who plays: what the engine asks of whoever stages a run.
//!
//! A cast builds the machines and their workloads; the engine knows nothing else of a protocol.

use std::sync::Arc;

use fedsim_protocols::{KeyScheme, PeerId, Protocol, RequestId, Stream};

use crate::adversary::{Forge, Plain};
use crate::time::SimTime;

/// Builds the machines of one run. Shared by all threads.
pub trait Cast: Send + Sync + 'static {
    /// What every peer of the run is; roles such as server and client are variants of it.
    type Machine: Protocol;

    /// A fresh machine for `peer`: at its start and again at every restart.
    fn machine(&self, peer: PeerId) -> Self::Machine;

    /// The name under which the machines draw and the run's protocol is known: `"swim"`.
    fn protocol(&self) -> &'static str;

    /// When `peer` starts.
    fn starts_at(&self, peer: PeerId) -> SimTime {
        let _ = peer;
        SimTime::ZERO
    }

    /// How signatures are made.
    fn key_scheme(&self) -> KeyScheme {
        KeyScheme::ed25519()
    }

    /// The request behind a name in a scenario's faults (`"leave"`), if the protocol has it.
    fn request(&self, name: &str) -> Option<<Self::Machine as Protocol>::Request> {
        let _ = name;
        None
    }

    /// What an adversary knows of the protocol; nothing, unless said otherwise.
    fn forge(&self) -> Arc<dyn Forge<Self::Machine>> {
        Arc::new(Plain)
    }

    /// What users at `peer` will ask, if there are any.
    fn workload(&self, peer: PeerId) -> Option<Box<dyn Workload<Self::Machine>>> {
        let _ = peer;
        None
    }
}

/// The users at one peer: when they ask what. Draws come from a stream of their own.
pub trait Workload<P: Protocol> {
    /// When the first request comes.
    fn first(&mut self, dice: &mut Stream) -> Option<SimTime>;

    /// The request that comes now, and when the next one comes if that is known already.
    fn arrive(
        &mut self,
        now: SimTime,
        id: RequestId,
        dice: &mut Stream,
    ) -> (P::Request, Option<SimTime>);

    /// A request was answered; when the next one comes if it waited for that.
    fn answered(
        &mut self,
        now: SimTime,
        id: RequestId,
        reply: &P::Reply,
        dice: &mut Stream,
    ) -> Option<SimTime>;
}
