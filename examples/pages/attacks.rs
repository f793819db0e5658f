//! What each attack does: runs every scenario of `adversary/` and the same without its adversaries,
//! and writes `docs/attacks.md` and `docs/attacks.csv`.

use std::fmt::Write as _;
use std::fs::File;
use std::io;
use std::path::Path;

use fedsim_record::{Holds, Outcome, RunRecord, Seconds, Summary};
use fedsim_scenarios::spec::Behaviour;
use fedsim_scenarios::{Document, Options as Reading, Scenario, library};
use fedsim_sim::runner::{self, RunOptions};

const FOLDER: &str = "adversary/";

/// A protocol, the invariant that says whether it gets anywhere, and the metrics that an attack on
/// it changes.
struct Subject {
    protocol: &'static str,
    progress: &'static str,
    metrics: [&'static str; 2],
}

const SUBJECTS: [Subject; 4] = [
    Subject {
        protocol: "pbft",
        progress: "pbft/liveness",
        metrics: ["operations_ok", "decision_latency_p99_ms"],
    },
    Subject {
        protocol: "raft",
        progress: "raft/progress",
        metrics: ["operations_ok", "commit_latency_p99_ms"],
    },
    Subject {
        protocol: "swim",
        progress: "swim/completeness",
        metrics: ["false_positives", "detection_latency_p99_ms"],
    },
    Subject {
        protocol: "rumor",
        progress: "rumor/coverage",
        metrics: ["coverage", "messages_delivered"],
    },
];

/// A scenario with its adversaries and without them.
struct Attack {
    name: String,
    protocol: &'static str,
    /// What the adversaries do.
    what: String,
    attacked: Summary,
    left_alone: Summary,
    /// Whether clients were answered to the end; none if nobody asks anything.
    is_served: Option<bool>,
}

fn run(scenario: &Scenario) -> RunRecord {
    let options = RunOptions {
        threads: Some(1),
        ..RunOptions::default()
    };
    let record = runner::run(scenario, &options);
    record.expect("a shipped scenario can be run")
}

/// Whether anybody was answered in the last quarter of a run.
fn is_served(record: &RunRecord, scenario: &Scenario) -> Option<bool> {
    let late = scenario.duration.as_nanos() / 4 * 3;
    let asked = &record.tables.latency;
    let is_late = |at: Seconds| at.as_nanos() >= late;
    let mut answered = asked.iter().filter(|it| it.outcome == Outcome::Ok);
    let is_any = answered.any(|it| it.returned_s.is_some_and(is_late));
    (!asked.is_empty()).then_some(is_any)
}

fn attack(name: &String) -> Attack {
    eprintln!("{name}");
    let document = Document::open(name, &Reading::default());
    let scenario = document.expect("a shipped scenario").scenario;
    let does = scenario.adversaries.iter().flat_map(|it| &it.what);
    let what: Vec<&str> = does.map(|it: &Behaviour| it.name()).collect();
    let mut peaceful = scenario.clone();
    peaceful.adversaries.clear();
    let attacked = run(&scenario);
    Attack {
        name: name.clone(),
        protocol: scenario.protocols[0].name(),
        what: what.join(", "),
        is_served: is_served(&attacked, &scenario),
        attacked: attacked.summary,
        left_alone: run(&peaceful).summary,
    }
}

/// What was violated, progress aside; `yes` if nothing was.
fn safe(subject: &Subject, summary: &Summary) -> String {
    let found = summary.invariants.iter();
    let violated = found.filter(|it| it.holds == Holds::Violated && it.name != subject.progress);
    let names: Vec<String> = violated.map(|it| format!("`{}`", it.name)).collect();
    match names.is_empty() {
        true => "yes".to_owned(),
        false => format!("no: {}", names.join(", ")),
    }
}

/// Whether the protocol got on in time, or went on at all where it promises nothing.
fn live(subject: &Subject, attack: &Attack) -> &'static str {
    let found = attack.attacked.invariants.iter();
    let mut progress = found.filter(|it| it.name == subject.progress);
    match (progress.next().map(|it| it.holds), attack.is_served) {
        (Some(Holds::Holds), _) => "yes",
        (Some(Holds::Violated), _) => "no",
        (_, Some(true)) => "served",
        (_, Some(false)) => "starved",
        (_, None) => "not judged",
    }
}

fn value(summary: &Summary, metric: &str) -> String {
    match summary.metrics.get(metric) {
        Some(value) if value.fract() == 0.0 => format!("{value}"),
        Some(value) if *value < 1.0 => format!("{value:.3}"),
        Some(value) => format!("{value:.1}"),
        None => "–".to_owned(),
    }
}

/// A table of the attacks on one protocol.
fn table(subject: &Subject, attacks: &[&Attack]) -> String {
    let [first, second] = subject.metrics;
    let mut text = format!(
        "\n## {}\n\n| attack | behaviours | safe | live | `{first}` | `{second}` |\n\
         |---|---|---|---|---:|---:|\n",
        subject.protocol
    );
    for one in attacks {
        let change = |metric| {
            let (before, after) = (&one.left_alone, &one.attacked);
            format!("{} → {}", value(before, metric), value(after, metric))
        };
        let _ = writeln!(
            text,
            "| `{}` | {} | {} | {} | {} | {} |",
            one.name,
            one.what,
            safe(subject, &one.attacked),
            live(subject, one),
            change(first),
            change(second)
        );
    }
    text
}

/// One line an attack and metric.
fn lines(subject: &Subject, one: &Attack, csv: &mut csv::Writer<File>) -> csv::Result<()> {
    for metric in subject.metrics {
        csv.write_record([
            &one.name,
            one.protocol,
            &one.what,
            &safe(subject, &one.attacked).replace('`', ""),
            live(subject, one),
            metric,
            &value(&one.left_alone, metric),
            &value(&one.attacked, metric),
        ])?;
    }
    Ok(())
}

const HEAD: &str = "# What each attack does

Every scenario of `adversary/`, and beside it the same scenario and seed without its adversaries. Made
by

```sh
cargo run --release --example pages -- attacks
```

*safe*: nothing that the protocol promises was violated, or what was; *live*: it got on within the
time that it promises; where it promises nothing, as Raft to liars, clients were *served* or *starved*
in the last quarter of the run. The last columns are metrics without the adversaries and with them. Each
scenario can be run by itself (`fedsim run adversary/pbft-silent`); its file says what is attacked and
why that comes of it. The same numbers are in [attacks.csv](attacks.csv).
";

const COLUMNS: [&str; 8] = [
    "scenario",
    "protocol",
    "behaviours",
    "safe",
    "live",
    "metric",
    "without",
    "with",
];

/// Writes `docs/attacks.md` and `docs/attacks.csv`.
pub(crate) fn write(root: &Path) -> io::Result<()> {
    let names = library::list().into_iter().map(|entry| entry.name);
    let names: Vec<String> = names.filter(|name| name.starts_with(FOLDER)).collect();
    let attacks = crate::on_all_threads(&names, attack);
    let mut page = HEAD.to_owned();
    let docs = root.join("docs");
    let mut csv = csv::Writer::from_path(docs.join("attacks.csv"))?;
    csv.write_record(COLUMNS)?;
    for subject in &SUBJECTS {
        let on_it = attacks.iter().filter(|it| it.protocol == subject.protocol);
        let on_it: Vec<&Attack> = on_it.collect();
        page.push_str(&table(subject, &on_it));
        for one in on_it {
            lines(subject, one, &mut csv)?;
        }
    }
    csv.flush()?;
    std::fs::write(docs.join("attacks.md"), page)
}
