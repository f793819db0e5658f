//! The spans of time that SWIM promises, computed from the settings.
//!
//! | bound | is |
//! |---|---|
//! | detection, round robin | 2m periods (2m-1 until the probe, SWIM section 4.3, and one to judge it), and one more because the first is under way |
//! | detection, random | as many periods as fail with probability 10^-9 to contain the probe: each probe hits with 1/m (SWIM section 3) |
//! | suspicion | the longest of Lifeguard section IV-B for the whole group |
//! | dissemination | four exchanges of full state and twice lambda ceil(log10(n+1)) periods; without exchanges only the latter, doubled |
//!
//! All are stretched by the drift of clocks. Local health stretches periods as they pass: see
//! `completeness`.

use fedsim_protocols::SimDuration;
use fedsim_protocols::swim::{ProbeOrder, SwimConfig, push_pull_interval, suspicion_terms};
use fedsim_scenarios::Scenario;
use fedsim_scenarios::spec::Fault;

/// One member of how many may be missed by random probing for longer than the bound, per pair.
const MISSED: f64 = 1e-9;

/// Bounds for one member's settings in a group of so many.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    pub(super) period: SimDuration,
    /// From a crash to its detection by one observer at local health 0.
    pub(super) detection: SimDuration,
    pub(super) suspicion: SimDuration,
    pub(super) dissemination: SimDuration,
}

impl Bounds {
    pub(super) fn new(config: &SwimConfig, scenario: &Scenario) -> Self {
        let members = scenario.peers.len() as u32;
        let others = u64::from(members.saturating_sub(1).max(1));
        let stretch = |span: SimDuration| stretched(span, scenario);
        let suspicion = suspicion_terms(config, members).max;
        let periods = match config.probe_order {
            ProbeOrder::RoundRobin => 2 * others,
            ProbeOrder::Random => random_periods(others),
        };
        let health = u64::from(config.local_health_max);
        let slack = config.protocol_period * (1 + if config.local_health { health } else { 0 });
        let detection = config.protocol_period * periods + slack + suspicion;
        Self {
            period: stretch(config.protocol_period),
            detection: stretch(detection) + backward_jumps(scenario),
            suspicion: stretch(suspicion),
            dissemination: stretch(dissemination(config, members)),
        }
    }
}

/// Periods after which a probe of one of `others` has come with all but [`MISSED`] probability.
fn random_periods(others: u64) -> u64 {
    let misses = -libm::log1p(-1.0 / others.max(2) as f64);
    libm::ceil(-libm::log(MISSED) / misses) as u64
}

fn dissemination(config: &SwimConfig, members: u32) -> SimDuration {
    let digits = libm::ceil(libm::log10(f64::from(members) + 1.0)) as u64;
    let spread = config.protocol_period * (u64::from(config.retransmit_multiplier) * digits);
    let exchange = push_pull_interval(config, members);
    match exchange.is_zero() {
        true => spread * 4,
        false => exchange * 4 + spread * 2,
    }
}

/// The true span that a slow clock may take for `span`, and a little for rounding.
fn stretched(span: SimDuration, scenario: &Scenario) -> SimDuration {
    let network = &scenario.network;
    let spread = network.clock_spread.drift_ppm.unsigned_abs();
    let clocks = network.clocks.iter().map(|other| other.spec.drift_ppm);
    let slowest = clocks
        .chain([network.clock.drift_ppm])
        .map(|ppm| (-ppm).max(0))
        .max();
    let ppm = (slowest.unwrap_or(0).unsigned_abs() + spread).min(500_000);
    span.scale(1_000_000, 1_000_000 - ppm)
}

/// How far clocks are set back in the whole run, at most: every strike counted.
fn backward_jumps(scenario: &Scenario) -> SimDuration {
    let back = scenario.faults.iter().map(|spec| match spec.fault {
        Fault::ClockJump { by_nanos, .. } => (-by_nanos).max(0).unsigned_abs(),
        Fault::Partition(_)
        | Fault::Flapping { .. }
        | Fault::Crash(_)
        | Fault::Wipe(_)
        | Fault::Pause(_)
        | Fault::LatencyStorm { .. }
        | Fault::LossStorm { .. }
        | Fault::Links { .. }
        | Fault::Slow { .. }
        | Fault::RegionOutage(_)
        | Fault::Disk { .. }
        | Fault::Request { .. }
        | Fault::Turn { .. } => 0,
    });
    SimDuration::from_nanos(back.sum())
}
