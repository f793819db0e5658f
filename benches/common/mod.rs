//! What the benchmarks share: token passing, a stopwatch, and the file of figures.

pub(crate) mod figures;
pub(crate) mod tokens;

use std::time::Instant;

use fedsim_protocols::SimDuration;
use fedsim_scenarios::Scenario;
use fedsim_scenarios::spec::{PeerSpec, Role};

/// Seconds that `work` takes by the wall clock, and what it gave.
#[allow(
    clippy::disallowed_methods,
    reason = "a benchmark measures real time; nothing it measures depends on it"
)]
pub(crate) fn timed<T>(work: impl FnOnce() -> T) -> (f64, T) {
    let start = Instant::now();
    let result = work();
    (start.elapsed().as_secs_f64(), result)
}

/// Turns that a measurement takes unless `FEDSIM_BENCH_TURNS` says how many, and the seconds after
/// which one turn is enough.
const TURNS: usize = 3;
const LONG_SECONDS: f64 = 2.0;

/// What `measure` gives in each of several turns; what takes long is measured once.
pub(crate) fn turns<T>(mut measure: impl FnMut() -> T) -> Vec<T> {
    let asked = std::env::var_os("FEDSIM_BENCH_TURNS");
    let asked = asked.and_then(|turns| turns.to_str()?.parse().ok());
    let wanted = asked.unwrap_or(TURNS);
    let (seconds, first) = timed(&mut measure);
    let mut all = vec![first];
    if seconds < LONG_SECONDS {
        all.extend((1..wanted).map(|_| measure()));
    }
    all
}

/// The middle of some figures.
pub(crate) fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}

/// `peers` members for `duration` on links of 10 to 100 ms, uniform.
pub(crate) fn scenario(peers: u32, duration: SimDuration) -> Scenario {
    let peer = |slot| PeerSpec {
        nickname: format!("peer-{slot}"),
        organisation: String::new(),
        region: String::new(),
        role: Role::Member,
        starts_at: SimDuration::ZERO,
    };
    Scenario {
        peers: (1..=peers).map(peer).collect(),
        duration,
        ..Scenario::default()
    }
}
