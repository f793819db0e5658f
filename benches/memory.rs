//! What peers and messages cost in memory, as the allocator counts it.
//!
//! Apart from the engine benchmark because counting allocations slows them down.

#[allow(dead_code, reason = "each benchmark uses its own part")]
mod common;

use std::sync::Arc;

use common::figures::{Figures, Reach};
use common::scenario;
use common::tokens::Tokens;
use fedsim_protocols::{Protocol, SimDuration};
use fedsim_sim::SimTime;
use fedsim_sim::engine::{Notice, Observer, Options, World, run};
use peak_alloc::PeakAlloc;

#[global_allocator]
static ALLOCATOR: PeakAlloc = PeakAlloc;

/// Reads the allocator while the run is in full swing.
#[derive(Default)]
struct Gauge {
    bytes: usize,
}

impl<P: Protocol> Observer<P> for Gauge {
    fn notice(&mut self, _: &Notice<P>, _: &World<'_>) {}

    fn sample(&mut self, now: SimTime, _: &World<'_>) {
        if now > SimTime::ZERO {
            self.bytes = ALLOCATOR.current_usage();
        }
    }
}

/// Bytes in use half a second into a run of so many peers and tokens, beyond those before it.
fn bytes_in_use(peers: u32, in_flight: u32) -> f64 {
    let scenario = scenario(peers, SimDuration::from_millis(600));
    let tokens = Arc::new(Tokens { peers, in_flight });
    let before = ALLOCATOR.current_usage();
    let mut gauge = Gauge::default();
    let options = Options {
        sample_every: Some(SimDuration::from_millis(500)),
        ..Options::default()
    };
    run(&scenario, &tokens, &options, &mut gauge).expect("passing tokens does not panic");
    (gauge.bytes - before) as f64
}

fn main() {
    let mut figures = Figures::default();
    let idle = bytes_in_use(100_000, 0) / 100_000.0;
    figures.add("bytes_per_idle_peer", idle, Reach::AtMost(2_048.0));
    let (few, many) = (bytes_in_use(1_000, 100_000), bytes_in_use(1_000, 1_100_000));
    let each = (many - few) / 1_000_000.0;
    figures.add("bytes_per_message_in_flight", each, Reach::AtMost(128.0));
    figures.write();
}
