//! What is said before a run.

use super::*;
use crate::network::fixture::share;
use fedsim_scenarios::spec::network::{LinkOverride, Override};
use fedsim_scenarios::spec::{
    Bandwidth, ClockSpec, CpuSpec, Latency, RegionMatrix, Reorder, Routing, Topology,
};

/// Three organisations of four members in two regions, and a client.
fn federation() -> Scenario {
    let mut scenario = scenario(12);
    scenario.name = "federation".to_owned();
    for (slot, member) in scenario.peers.iter_mut().enumerate() {
        member.organisation = ["acme", "globex", "initech"][slot / 4].to_owned();
        member.region = ["east", "west"][slot % 2].to_owned();
        member.nickname = format!("{}-{}", member.organisation, slot % 4 + 1);
    }
    let mut client = peer("client-1");
    client.role = Role::Client;
    client.starts_at = ms(2_000);
    scenario.peers.push(client);
    scenario.topology = Topology::Gateways {
        per_organisation: 1,
    };
    scenario.routing = Routing::Shortest;
    scenario
}

fn with_everything_said_of_the_network(mut scenario: Scenario) -> Scenario {
    let log_normal = |median| Latency::LogNormal {
        median: ms(median),
        sigma: 0.3,
        min: ms(median / 2),
    };
    let network = &mut scenario.network;
    network.link.loss = share(0.015);
    network.link.duplicate = share(0.001);
    network.link.reorder = Some(Reorder {
        chance: share(0.02),
        by: ms(5),
    });
    network.link.bandwidth = Some(Bandwidth {
        bytes_per_second: 1_000_000,
        queue_bytes: 65_536,
    });
    let matrix = vec![
        vec![log_normal(12), log_normal(80)],
        vec![log_normal(90), log_normal(14)],
    ];
    network.regions = Some(RegionMatrix {
        regions: vec!["east".to_owned(), "west".to_owned()],
        latency: matrix,
    });
    network.links = vec![LinkOverride {
        from: slots([0]),
        to: slots([4, 8]),
        link: constant(25),
    }];
    network.clock_spread = ClockSpec {
        offset_nanos: 5_000_000,
        drift_ppm: 50,
    };
    network.cpu.per_message = SimDuration::from_micros(20);
    network.cpus = vec![Override {
        peers: slots([1]),
        spec: CpuSpec {
            per_verification: SimDuration::from_micros(60),
            ..CpuSpec::default()
        },
    }];
    network.disk = DiskSpec {
        fsync_low: ms(1),
        fsync_high: ms(4),
        torn: share(0.1),
        corrupt: Probability::ZERO,
    };
    scenario
}

/// Two of all members.
fn some() -> Select {
    Select::Random {
        count: 2,
        of: slots(0..12),
    }
}

/// Something of each kind that hurts, with each way to aim.
fn hurts() -> Vec<Fault> {
    vec![
        Fault::Partition(Partition::Sides(vec![slots([0, 1]), slots([2])])),
        Fault::Flapping {
            cut: Partition::MajorityRing,
            down: ms(200),
            up: ms(300),
        },
        Fault::Wipe(some()),
        Fault::Pause(Select::LastToReport("leader-elected".to_owned())),
        Fault::ClockJump {
            peers: Select::Organisation("globex".to_owned()),
            by_nanos: -3_000_000,
        },
        Fault::LatencyStorm {
            peers: Select::Region("west".to_owned()),
            factor_milli: 2_500,
            plus: ms(10),
        },
        Fault::LossStorm {
            peers: peers([3]),
            loss: share(0.25),
        },
        Fault::Links {
            peers: peers([4]),
            link: constant(200),
        },
        Fault::Slow {
            peers: peers([5]),
            per_input: ms(3),
        },
        Fault::RegionOutage("east".to_owned()),
        Fault::Disk {
            peers: peers(0..12),
            disk: DiskSpec {
                corrupt: share(0.5),
                ..DiskSpec::default()
            },
        },
        Fault::Request {
            peers: peers([6]),
            request: "leave".to_owned(),
        },
    ]
}

/// One fault of each kind and of each way to strike.
fn one_of_each() -> Vec<FaultSpec> {
    let mut faults: Vec<FaultSpec> = (1..)
        .zip(hurts())
        .map(|(second, hurt)| once(second * 1_000, 500, hurt))
        .collect();
    let churn = When::Random {
        mean: ms(4_000),
        from: ms(20_000),
        until: ms(80_000),
    };
    faults.push(fault(churn, Some(2_000), Fault::Crash(some())));
    let elected = When::On {
        event: "leader-elected".to_owned(),
        peers: Vec::new(),
        nth: 2,
        times: 1,
        delay: ms(100),
    };
    faults.push(fault(elected, None, Fault::Crash(Select::Trigger)));
    let answered = When::AfterOperations {
        count: 500,
        times: 1,
    };
    let isolate = Fault::Partition(Partition::Isolate(peers([0])));
    let mut last = fault(answered, None, isolate);
    last.heal_by = Some(ms(90_000));
    faults.push(last);
    faults
}

#[test]
fn an_explanation_says_what_will_happen() {
    // The whole text for a scenario with something of everything, so that wording and figures stay
    // readable. Change the file only with a text that you can explain.
    let mut scenario = with_everything_said_of_the_network(federation());
    scenario.faults = one_of_each();
    assert_eq!(explain(&scenario), include_str!("explanation.txt"));
}

#[test]
fn an_explanation_fits_a_terminal() {
    // Names of peers and labels are the author's; with usual ones no line may pass 79 columns.
    let mut scenario = with_everything_said_of_the_network(federation());
    scenario.faults = one_of_each();
    let text = explain(&scenario);
    assert!(text.lines().all(|line| line.chars().count() < 80), "{text}");
}

#[test]
fn the_strikes_it_names_are_those_of_the_run() {
    // Explaining walks the same timeline: times and victims of a random fault must be the run's.
    let mut scenario = federation();
    scenario.faults = one_of_each().split_off(12);
    let mut run = Run::of(&scenario);
    run.until(40_000);
    let text = explain(&scenario);
    let bands = run.nemesis.bands();
    assert!(bands.len() >= 3, "{bands:?}");
    for band in &bands[..3] {
        let names: Vec<&str> = band
            .peers
            .iter()
            .map(|peer| scenario.peers[peer.index()].nickname.as_str())
            .collect();
        let line = format!(
            "{} to {}: {}",
            band.from,
            band.to.unwrap(),
            names.join(", ")
        );
        assert!(text.contains(&line), "{line} is not in\n{text}");
    }
}

#[test]
fn a_fault_that_strikes_without_pause_is_explained_all_the_same() {
    // A strike every nanosecond for 100 s cannot be resolved to its end; it must say so and stop.
    let mut scenario = federation();
    let when = When::Every {
        period: SimDuration::from_nanos(1),
        from: ms(0),
        until: ms(100_000),
    };
    scenario.faults = vec![fault(
        when,
        None,
        Fault::Request {
            peers: peers([0]),
            request: "leave".to_owned(),
        },
    )];
    assert!(explain(&scenario).contains("and at least 19995 more"));
}
