//! The words for single things: a link, a clock, a span, a share. Must not know who has them.

use fedsim_protocols::{Probability, SimDuration};
use fedsim_scenarios::Scenario;
use fedsim_scenarios::spec::{ClockSpec, CpuSpec, DiskSpec, Latency, LinkSpec, Routing, Topology};

use super::NAMES;
use crate::network::{Fabric, LatencyModel};

pub(super) fn topology(scenario: &Scenario, fabric: &Fabric) -> String {
    let name = match &scenario.topology {
        Topology::Complete => return "Everybody is linked with everybody.".to_owned(),
        Topology::Ring => "Members form a ring".to_owned(),
        Topology::Line => "Members form a line".to_owned(),
        Topology::Star { .. } => "Members form a star".to_owned(),
        Topology::RandomRegular { .. } => "Members form a random regular graph".to_owned(),
        Topology::SmallWorld { rewire, .. } => {
            format!(
                "Members form a small world ({} of the edges rewired)",
                percent(*rewire)
            )
        }
        Topology::ScaleFree { .. } => "Members form a scale-free graph".to_owned(),
        Topology::Gateways { per_organisation } => format!(
            "Organisations are linked through {} each",
            count(*per_organisation as usize, "gateway")
        ),
        Topology::Edges(_) => "Members are linked as the file says".to_owned(),
    };
    let figures = fabric.layout().figures();
    let (least, mean, most) = figures.degree;
    let degree = match least == most {
        true => format!("{least} neighbours each"),
        false => format!("{least} to {most} neighbours, {mean:.1} on average"),
    };
    let far = match figures.diameter {
        Some(hops) => format!(
            "{} at most from one to another",
            count(hops as usize, "hop")
        ),
        None => "and NOT everybody can be reached from everybody".to_owned(),
    };
    let routing = match scenario.routing {
        Routing::Neighbours => "Only neighbours reach each other.",
        Routing::Shortest => "Others are reached over the fewest hops, whose delays add up.",
    };
    format!("{name}: {degree}, {far}. {routing}")
}

pub(super) fn link(link: &LinkSpec) -> String {
    let mut parts = vec![latency_words(&link.latency)];
    parts.push(match link.loss.is_zero() {
        true => "no loss".to_owned(),
        false => format!("{} lost", percent(link.loss)),
    });
    if !link.duplicate.is_zero() {
        parts.push(format!("{} arrive twice", percent(link.duplicate)));
    }
    if let Some(reorder) = link.reorder {
        parts.push(format!(
            "{} held back by up to {}",
            percent(reorder.chance),
            reorder.by
        ));
    }
    if link.in_order {
        parts.push("in order".to_owned());
    }
    parts.push(link.bandwidth.map_or_else(
        || "unlimited bandwidth".to_owned(),
        |bandwidth| {
            let (rate, queue) = (bandwidth.bytes_per_second, bandwidth.queue_bytes);
            format!("{rate} bytes a second with room for {queue} waiting")
        },
    ));
    parts.join(", ")
}

pub(super) fn latency_words(latency: &Latency) -> String {
    let shape = match latency {
        Latency::Constant(always) => return format!("always {} one way", rounded(*always)),
        Latency::Uniform { .. } => "uniform",
        Latency::Normal { .. } => "normal",
        Latency::LogNormal { .. } => "log-normal",
        Latency::Pareto { .. } => "Pareto",
        Latency::Empirical { .. } => "measured",
    };
    let figures = LatencyModel::new(latency).figures();
    let mean = figures.mean.map_or("no finite mean".to_owned(), |mean| {
        format!("{} on average", rounded(mean))
    });
    format!(
        "{mean} one way, half within {}, 99% within {}, at least {} ({shape})",
        rounded(figures.median),
        rounded(figures.p99),
        rounded(latency.min())
    )
}

pub(super) fn clock(clock: ClockSpec, spread: ClockSpec) -> String {
    if clock == ClockSpec::default() && spread == ClockSpec::default() {
        return "exact".to_owned();
    }
    let offset = signed(clock.offset_nanos, "ahead", "behind");
    let drift = match clock.drift_ppm {
        0 => "at true speed".to_owned(),
        fast @ 1.. => format!("{fast} parts per million fast"),
        slow => format!("{} parts per million slow", slow.unsigned_abs()),
    };
    let around = match spread == ClockSpec::default() {
        true => String::new(),
        false => format!(
            "; each differs by up to {} and {} parts per million from that",
            SimDuration::from_nanos(spread.offset_nanos.unsigned_abs()),
            spread.drift_ppm.unsigned_abs()
        ),
    };
    format!("{offset}, {drift}{around}")
}

pub(super) fn signed(nanos: i64, positive: &str, negative: &str) -> String {
    let span = SimDuration::from_nanos(nanos.unsigned_abs());
    match nanos {
        0 => "on time at the start".to_owned(),
        1.. => format!("{span} {positive} at the start"),
        _ => format!("{span} {negative} at the start"),
    }
}

pub(super) fn processor(cpu: &CpuSpec) -> String {
    let costs = [
        (cpu.per_message, "a message handled"),
        (cpu.per_kib, "a KiB of it"),
        (cpu.per_send, "a message sent"),
        (cpu.per_signature, "a signature made"),
        (cpu.per_verification, "a signature checked"),
    ];
    let words: Vec<String> = costs
        .iter()
        .filter(|(span, _)| !span.is_zero())
        .map(|(span, what)| format!("{span} {what}"))
        .collect();
    match words.is_empty() {
        true => "take no time".to_owned(),
        false => words.join(", "),
    }
}

pub(super) fn disk(disk: &DiskSpec) -> String {
    let delay = match (disk.fsync_low, disk.fsync_high) {
        (low, high) if high.is_zero() && low.is_zero() => "writes are safe at once".to_owned(),
        (low, high) if low >= high => format!("writes are safe after {low}"),
        (low, high) => format!("writes are safe after {low} to {high}"),
    };
    let mut parts = vec![delay];
    if !disk.torn.is_zero() {
        parts.push(format!(
            "a crash tears the oldest unsafe one with {}",
            percent(disk.torn)
        ));
    }
    if !disk.corrupt.is_zero() {
        parts.push(format!(
            "{} of the records are found damaged at a restart",
            percent(disk.corrupt)
        ));
    }
    parts.join(", ")
}

pub(super) fn occurrences(nth: u32, times: u32) -> String {
    match (nth, times) {
        (1, 1) => "the first".to_owned(),
        (nth, 1) => format!("occurrence {nth} of"),
        (1, times) => format!("each of the first {times}"),
        (nth, u32::MAX) => format!("each occurrence from the {nth}. on of"),
        (nth, times) => format!("each of {times} occurrences from the {nth}. on of"),
    }
}

pub(super) fn percent(share: Probability) -> String {
    let hundredths = format!("{:.4}", share.as_f64() * 100.0);
    format!(
        "{}%",
        hundredths.trim_end_matches('0').trim_end_matches('.')
    )
}

pub(super) fn thousandths(milli: u64) -> String {
    let exact = format!("{}.{:03}", milli / 1_000, milli % 1_000);
    exact.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// The span with about three digits.
pub(super) fn rounded(span: SimDuration) -> String {
    let nanos = span.as_nanos();
    let unit = 10_u64.pow(nanos.checked_ilog10().unwrap_or(0).saturating_sub(2));
    SimDuration::from_nanos((nanos / unit).saturating_mul(unit)).to_string()
}

pub(super) fn count(number: usize, what: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {what}{plural}")
}

pub(super) fn starts(number: usize) -> String {
    let verb = if number == 1 { "starts" } else { "start" };
    format!("{} {verb}", count(number, "peer"))
}

pub(super) fn more(all: usize) -> String {
    match all.saturating_sub(NAMES) {
        0 => String::new(),
        rest => format!(" and {rest} more"),
    }
}
