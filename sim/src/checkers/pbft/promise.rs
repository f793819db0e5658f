//! Within what time PBFT promises an answer, once the network keeps to its bounds.

use fedsim_protocols::SimDuration;
use fedsim_protocols::pbft::{Paper, PbftConfig, Rules};
use fedsim_protocols::quorum::max_faulty;
use fedsim_scenarios::Scenario;
use fedsim_scenarios::spec::{Fault, FaultSpec, Latency, LinkSpec, NetworkSpec, Role, When};

/// Delays of a view until its requests are executed, state transfers and a new-view included.
const DELAYS: u64 = 12;

/// Rounds of retransmission that a view may need on links that lose messages.
const ROUNDS: u64 = 8;

/// Standard deviations up to which unbounded latencies are taken to stay.
const DEVIATIONS: f64 = 6.0;

/// Share of Pareto draws that may be longer than what is taken for the longest.
const TAIL: f64 = 1e-7;

/// What a run's settings promise.
#[derive(Clone, Debug)]
pub(crate) struct Promise {
    view_timeout: SimDuration,
    max_timeout: SimDuration,
    client_timeout: SimDuration,
    /// What a view needs once its primary is honest and reachable.
    round: SimDuration,
    faulty: u32,
    clients: u64,
}

impl Promise {
    /// The promise to the clients of `scenario`, whose replicas are set as `config` says.
    pub(crate) fn new(scenario: &Scenario, config: &PbftConfig) -> Self {
        let role = |role| scenario.peers.iter().filter(move |peer| peer.role == role);
        let n = role(Role::Member).count();
        let delay = step(scenario, n as u64);
        let mut round = delay * DELAYS + config.fetch_after;
        if loses(scenario) {
            round += config.retransmit_interval * ROUNDS;
        }
        let faulty = max_faulty(n) as u32;
        Self {
            view_timeout: config.view_timeout,
            max_timeout: config.max_timeout,
            client_timeout: config.client_timeout,
            round,
            faulty: scenario.assume.faulty.unwrap_or(faulty),
            clients: role(Role::Client).count() as u64,
        }
    }

    /// Whether the bound on timeouts leaves a view the time that it needs.
    pub(crate) fn is_kept(&self) -> bool {
        self.max_timeout >= self.round
    }

    /// What a view needs once its primary is honest and can be reached.
    pub(crate) fn round(&self) -> SimDuration {
        self.round
    }

    /// The span in which every request is answered, for replicas that have changed views
    /// `consecutive` times without progress, with `down` of them down (section 4.5.2).
    ///
    /// ```text
    /// client_timeout + one timeout + sum over wasted views of (timeout + round)
    ///                + one view_timeout a further client
    /// ```
    ///
    /// Views are wasted by the faulty primaries, f unless the scenario assumes fewer, and while the
    /// doubled timeout is shorter than a view needs. The primary of the first view waits twice as
    /// long as its backups, and they may need it. A slow primary may hold each of the requests
    /// before this one until just below the timeout.
    pub(crate) fn within(&self, consecutive: u32, down: u32) -> SimDuration {
        let timeout = |doubled| Paper::timeout(self.view_timeout, self.max_timeout, doubled);
        let mut span = self.client_timeout + timeout(consecutive);
        span += self.view_timeout * self.clients.saturating_sub(1);
        let mut useful = 0;
        for doubled in consecutive.. {
            span += timeout(doubled) + self.round;
            let is_long = timeout(doubled) >= self.round.min(self.max_timeout);
            useful += u32::from(is_long);
            if useful > self.faulty.max(down) {
                break;
            }
        }
        span
    }
}

/// One hop from replica to replica: the longest latency, handling, and the disk before it.
fn step(scenario: &Scenario, n: u64) -> SimDuration {
    let network = &scenario.network;
    let delay = scenario
        .assume
        .delay
        .unwrap_or_else(|| longest_delay(network, &scenario.faults));
    let cpus = std::iter::once(&network.cpu).chain(network.cpus.iter().map(|it| &it.spec));
    let handling = cpus.map(|cpu| {
        let each = cpu.per_message + cpu.per_verification + cpu.per_send + cpu.per_kib;
        each * n + cpu.per_signature
    });
    let disks = std::iter::once(&network.disk).chain(network.disks.iter().map(|it| &it.spec));
    let syncing = disks.map(|disk| disk.fsync_high).max();
    delay + handling.max().unwrap_or_default() + syncing.unwrap_or_default()
}

fn links(network: &NetworkSpec) -> impl Iterator<Item = &LinkSpec> {
    let others = network.links.iter().map(|differs| &differs.link);
    std::iter::once(&network.link)
        .chain(others)
        .chain(&network.lan)
}

fn longest_delay(network: &NetworkSpec, faults: &[FaultSpec]) -> SimDuration {
    let of_link = |link: &LinkSpec| {
        let held = link.reorder.map_or(SimDuration::ZERO, |reorder| reorder.by);
        longest(&link.latency) + held
    };
    let regions = network.regions.iter();
    let cells = regions.flat_map(|matrix| matrix.latency.iter().flatten());
    let calm = links(network).map(of_link).chain(cells.map(longest)).max();
    let calm = calm.unwrap_or_default();
    let stormy = faults.iter().map(|fault| match &fault.fault {
        Fault::LatencyStorm {
            factor_milli, plus, ..
        } if fault.lasts.is_none() => calm.scale(*factor_milli, 1_000) + *plus,
        Fault::Links { link, .. } => of_link(link),
        _ => calm,
    });
    stormy.max().unwrap_or(calm).max(calm)
}

/// The longest latency, or one that hardly any draw exceeds.
fn longest(latency: &Latency) -> SimDuration {
    let nanos = |span: &SimDuration| span.as_nanos() as f64;
    let far = match latency {
        Latency::Constant(always) => return *always,
        Latency::Uniform { high, .. } => return *high,
        Latency::Empirical { samples, .. } => return samples.last().copied().unwrap_or_default(),
        Latency::Normal {
            mean, deviation, ..
        } => nanos(mean) + DEVIATIONS * nanos(deviation),
        Latency::LogNormal { median, sigma, .. } => nanos(median) * libm::exp(DEVIATIONS * sigma),
        Latency::Pareto { scale, shape, .. } => nanos(scale) * libm::pow(TAIL, -1.0 / shape),
    };
    SimDuration::from_nanos(far as u64)
}

/// Whether messages may get lost without a fault.
fn loses(scenario: &Scenario) -> bool {
    let lossy = |link: &LinkSpec| !link.loss.is_zero() || link.bandwidth.is_some();
    let stormy = |fault: &FaultSpec| match &fault.fault {
        Fault::LossStorm { .. } => fault.lasts.is_none(),
        Fault::Links { link, .. } => lossy(link),
        _ => false,
    };
    links(&scenario.network).any(lossy) || scenario.faults.iter().any(stormy)
}

/// When the last fault whose time is known strikes or ends.
pub(crate) fn last_change(faults: &[FaultSpec]) -> SimDuration {
    let changes = faults.iter().map(|fault| {
        let strikes = match &fault.when {
            When::At(at) => *at,
            When::Every { until, .. } | When::Random { until, .. } => *until,
            When::On { delay, .. } => *delay,
            When::AfterOperations { .. } => SimDuration::ZERO,
        };
        let ends = strikes + fault.lasts.unwrap_or_default();
        fault.heal_by.map_or(ends, |heal_by| ends.min(heal_by))
    });
    changes.max().unwrap_or_default()
}
