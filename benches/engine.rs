//! Engine against heap (first light).
#![allow(missing_docs, clippy::disallowed_methods)]
mod tokens;
use fedsim_protocols::{Probability, SimDuration};
use fedsim_scenarios::spec::*;
use fedsim_sim::engine::{Options, run};
use std::sync::Arc;
use std::time::Instant;

fn scenario(peers: u32, duration: SimDuration) -> Scenario {
    let link = LinkSpec {
        latency: Latency::Uniform {
            low: SimDuration::from_millis(10),
            high: SimDuration::from_millis(100),
        },
        loss: Probability::ZERO,
        duplicate: Probability::ZERO,
        reorder: None,
        in_order: false,
        bandwidth: None,
    };
    Scenario {
        name: "t".into(),
        claim: String::new(),
        seed: 1,
        runs: 1,
        duration,
        warm_up: SimDuration::ZERO,
        peers: (0..peers)
            .map(|n| PeerSpec {
                nickname: format!("p-{n}"),
                organisation: String::new(),
                region: String::new(),
                role: Role::Member,
                starts_at: SimDuration::ZERO,
            })
            .collect(),
        network: NetworkSpec {
            link,
            lan: None,
            regions: None,
            links: vec![],
            clock: ClockSpec::default(),
            clock_spread: ClockSpec::default(),
            clocks: vec![],
            cpu: CpuSpec::default(),
            cpus: vec![],
            disk: DiskSpec::default(),
            disks: vec![],
        },
        topology: Topology::Complete,
        routing: Routing::Neighbours,
        assume: Assume::default(),
        faults: vec![],
        expect: Expect::default(),
    }
}

fn main() {
    for (peers, in_flight, events) in [
        (4u32, 8u32, 4_000_000u64),
        (1_000, 5_000, 5_000_000),
        (1_000, 100_000, 10_000_000),
        (100_000, 1_000_000, 6_000_000),
    ] {
        let span = events * 55_000_000 / u64::from(in_flight);
        let tokens = Arc::new(tokens::Tokens { peers, in_flight });
        for _ in 0..3 {
            let t = Instant::now();
            let n = tokens::bare_heap(&tokens, 10_000_000, 100_000_000, span);
            let heap = n as f64 / t.elapsed().as_secs_f64() / 1e6;
            let sc = scenario(peers, SimDuration::from_nanos(span));
            let mut rates = vec![];
            for threads in if in_flight > 10_000 {
                vec![1, 2]
            } else {
                vec![1]
            } {
                let t = Instant::now();
                let out = run(
                    &sc,
                    &tokens,
                    &Options {
                        threads,
                        ..Options::default()
                    },
                    &mut (),
                )
                .unwrap();
                rates.push(out.counters.events as f64 / t.elapsed().as_secs_f64() / 1e6);
                println!(
                    "{peers} {in_flight} threads {threads} {:02x?} ev {}",
                    &out.digest[..4],
                    out.counters.events
                );
            }
            println!(
                "{peers},{in_flight}: heap {heap:.2} engine {:.2} two {:.2} ratio {:.2} speedup {:.2}",
                rates[0],
                rates.last().unwrap(),
                rates[0] / heap,
                rates.last().unwrap() / rates[0]
            );
        }
    }
}
