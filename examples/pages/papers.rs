//! Elections beside the published ones: runs every scenario of `papers/` and writes `docs/papers.md`
//! with its pictures.

use std::fmt::Write as _;
use std::io;
use std::path::Path;

use fedsim_record::RunRow;
use fedsim_reports::{Pooled, comparison, pooled};
use fedsim_scenarios::{Document, Options as Reading, Scenario};
use fedsim_sim::runner::{self, RunOptions};

/// One published number: of which scenario, what it is, how it was read, and where it stands.
struct Published {
    scenario: &'static str,
    metric: &'static str,
    statistic: &'static str,
    of: fn(&Pooled) -> f64,
    value: f64,
}

/// A statistic over runs, and its name.
type Statistic = (&'static str, fn(&Pooled) -> f64);

const SPLIT: &str = "first_term_split";
const ELECTION: &str = "first_election_ms";
const DOWNTIME: &str = "election_downtime_mean_ms";

const fn published(
    scenario: &'static str,
    metric: &'static str,
    (statistic, of): Statistic,
    value: f64,
) -> Published {
    Published {
        scenario,
        metric,
        statistic,
        of,
        value,
    }
}

const MEAN: Statistic = ("mean", |pooled| pooled.mean);
const MEDIAN: Statistic = ("median", |pooled| pooled.median);
const P99: Statistic = ("99th percentile", |pooled| pooled.p99);
const WORST: Statistic = ("worst", |pooled| pooled.max);

/// Dissertation 9.2: the closed form.
const SPLIT_VOTES: [Published; 3] = [
    published("split-vote-5-of-5", SPLIT, MEAN, 0.057_92),
    published("split-vote-4-of-5", SPLIT, MEAN, 0.1808),
    published("split-vote-3-of-5", SPLIT, MEAN, 0.488),
];

/// Dissertation 9.4: points of the curves of the simulated WAN.
const WAN: [Published; 9] = [
    published("wan-5-of-5", ELECTION, MEDIAN, 409.6),
    published("wan-5-of-5", ELECTION, MEAN, 430.0),
    published("wan-5-of-5", ELECTION, P99, 833.7),
    published("wan-4-of-5", ELECTION, MEDIAN, 423.3),
    published("wan-4-of-5", ELECTION, MEAN, 468.7),
    published("wan-4-of-5", ELECTION, P99, 1006.8),
    published("wan-3-of-5", ELECTION, MEDIAN, 468.7),
    published("wan-3-of-5", ELECTION, MEAN, 631.6),
    published("wan-3-of-5", ELECTION, P99, 1932.6),
];

/// Paper, figure 16: text and points of the curves.
const FIGURE_16: [Published; 15] = [
    published("downtime-150-150", DOWNTIME, MEDIAN, f64::INFINITY),
    published("downtime-150-151", DOWNTIME, MEDIAN, 736.5),
    published("downtime-150-155", DOWNTIME, MEDIAN, 287.3),
    published("downtime-150-155", DOWNTIME, MEAN, 345.3),
    published("downtime-150-175", DOWNTIME, MEDIAN, 141.0),
    published("downtime-150-200", DOWNTIME, MEDIAN, 146.5),
    published("downtime-150-200", DOWNTIME, MEAN, 156.0),
    published("downtime-150-200", DOWNTIME, WORST, 512.4),
    published("downtime-150-300", DOWNTIME, MEDIAN, 171.3),
    published("downtime-150-300", DOWNTIME, MEAN, 180.7),
    published("downtime-100-200", DOWNTIME, MEDIAN, 120.1),
    published("downtime-50-100", DOWNTIME, MEDIAN, 66.7),
    published("downtime-25-50", DOWNTIME, MEDIAN, 43.0),
    published("downtime-12-24", DOWNTIME, MEDIAN, 30.0),
    published("downtime-12-24", DOWNTIME, MEAN, 34.7),
];

/// The rows of all runs of a scenario of `papers/`, by seed.
fn rows(name: &str) -> Vec<RunRow> {
    eprintln!("papers/{name}");
    let document = Document::open(&format!("papers/{name}"), &Reading::default());
    let scenario = document.expect("a shipped scenario").scenario;
    let runs: Vec<u64> = (0..scenario.runs.into()).collect();
    crate::on_all_threads(&runs, |n| row(&scenario, *n))
}

/// The `n`th run of `scenario`.
fn row(scenario: &Scenario, n: u64) -> RunRow {
    let mut scenario = scenario.clone();
    scenario.seed += n;
    let options = RunOptions {
        threads: Some(1),
        ..RunOptions::default()
    };
    let record = runner::run(&scenario, &options).expect("it can be run");
    RunRow::from(&record.summary)
}

/// A table of published numbers beside ours, and the values behind it by scenario.
fn table(published: &[Published], page: &mut String) -> Vec<(String, Vec<f64>)> {
    let heads = "scenario | statistic | published | fedsim | ratio | runs";
    let _ = writeln!(page, "| {heads} |\n|---|---|---:|---:|---:|---:|");
    let mut sets: Vec<(String, Vec<f64>)> = Vec::new();
    for same in published.chunk_by(|a, b| a.scenario == b.scenario) {
        let (name, rows) = (same[0].scenario, rows(same[0].scenario));
        let metrics = pooled(&rows);
        for one in same {
            let ours = metrics.get(one.metric).map_or(f64::INFINITY, one.of);
            let _ = writeln!(
                page,
                "| `papers/{name}` | {} | {} | {} | {} | {} |",
                one.statistic,
                number(one.value),
                number(ours),
                if ours.is_finite() {
                    format!("{:.2}", ours / one.value)
                } else {
                    "–".to_owned()
                },
                rows.len()
            );
        }
        let values = rows
            .iter()
            .filter_map(|row| row.metrics.get(same[0].metric));
        sets.push((label(name), values.copied().collect()));
    }
    sets.retain(|(_, values)| !values.is_empty());
    sets
}

/// `downtime-12-24` as `12-24 ms`, `wan-3-of-5` as `3 of 5 live`.
fn label(name: &str) -> String {
    match (name.strip_prefix("downtime-"), name.strip_prefix("wan-")) {
        (Some(range), _) => format!("{range} ms"),
        (None, Some(live)) => format!("{} live", live.replace('-', " ")),
        (None, None) => name.to_owned(),
    }
}

fn number(value: f64) -> String {
    match value {
        _ if value.is_infinite() => "above 10 s".to_owned(),
        _ if value < 1.0 => format!("{:.1} %", value * 100.0),
        _ => format!("{value:.1} ms"),
    }
}

/// Writes a picture of `sets` beside the page, and points to it.
fn picture(
    name: &str,
    what: &str,
    sets: &[(String, Vec<f64>)],
    page: &mut String,
    docs: &Path,
) -> io::Result<()> {
    let picture = comparison(name, what, sets).map_err(io::Error::other)?;
    std::fs::write(docs.join(format!("{name}.svg")), picture.svg)?;
    let _ = writeln!(page, "\n![{}]({name}.svg)", picture.caption);
    Ok(())
}

const HEAD: &str = "# Elections beside the published ones

Numbers that were published for Raft's elections, beside those of the scenarios of `papers/`. Made by

```sh
cargo run --release --example pages -- papers
```

Each scenario can be run by itself (`fedsim run papers/wan-4-of-5`) and holds itself to what was
published; its file says how it is set up.

";

const SPLIT_TEXT: &str = "## Split votes

Ongaro's dissertation, 9.2: of `n` servers `s` live, and one-way latency is fixed at the share `l` of
the range of timeouts. The first term elects nobody with probability `P = sum over k >= c - 1 of
C(s,k) l^k (1-l)^(s-k)`, `c = s - floor(n/2) + 1`. Here `n = 5`, `l = 0.2`.

";

const WAN_TEXT: &str = "
## A simulated WAN

Dissertation, 9.4: five servers, latency 30 to 40 ms, timeouts 300 to 600 ms, every timer fresh when
the leader fails, plain RequestVote; to the winner's majority. Published numbers are points of the
curves; the text rounds the means to 475 and 650 ms.

";

const FIGURE_TEXT: &str = "
## A crashed leader on a LAN

Paper, figure 16: five servers, broadcast time roughly 15 ms (here a round trip of 4 ms on average and
a disk write of 10.5 ms), a leader that crashes uniformly within its heartbeat interval of half the
shortest timeout, two of the four that stay behind not eligible by their logs; to the majority of the
next. The range of timeouts is in the scenario's name. With 1 ms of randomness real servers did better
than ours, which have no randomness but that of the network.

";

/// Writes `docs/papers.md` and its pictures.
pub(crate) fn write(root: &Path) -> io::Result<()> {
    let docs = root.join("docs");
    let mut page = HEAD.to_owned();
    page.push_str(SPLIT_TEXT);
    table(&SPLIT_VOTES, &mut page);
    page.push_str(WAN_TEXT);
    let sets = table(&WAN, &mut page);
    picture(
        "papers-wan",
        "time to elect a leader",
        &sets,
        &mut page,
        &docs,
    )?;
    page.push_str(FIGURE_TEXT);
    let sets = table(&FIGURE_16, &mut page);
    let (scaled, randomness): (Vec<_>, Vec<_>) = sets
        .into_iter()
        .partition(|(name, _)| !name.starts_with("150"));
    picture(
        "papers-randomness",
        "time without a leader",
        &randomness,
        &mut page,
        &docs,
    )?;
    picture(
        "papers-scale",
        "time without a leader",
        &scaled,
        &mut page,
        &docs,
    )?;
    std::fs::write(docs.join("papers.md"), page)
}
