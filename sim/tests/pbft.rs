//! PBFT through the engine: the counts and latencies of the papers, and signatures of both kinds.

use std::collections::BTreeMap;

use fedsim_protocols::{PeerId, RunKey, SimDuration, Stream, StreamLabel, quorum};
use fedsim_record::{Holds, RunRecord, Verdict};
use fedsim_scenarios::Scenario;
use fedsim_scenarios::spec::{Behaviour, Role, Who};

use super::support::{asked_for, run, scenario, shipped, told};

/// One client that asks `operations` things of `n` replicas, one after the other; `more` ends the
/// file.
fn quiet(n: usize, latency: &str, operations: u32, more: &str) -> RunRecord {
    let seconds = operations / 2 + 30;
    run(&scenario(&format!(
        r#"
name = "test/pbft"
claim = "The papers count right."
duration = "{seconds}s"
signatures = "ideal"
[peers]
count = {n}
[clients]
count = 1
[network]
latency = {latency}
[pbft]
[workload.requests]
loop = {{ closed = {{ in_flight = 1, think = "300ms" }} }}
from = "1s"
operations = {operations}
{more}"#
    )))
}

const TEN: &str = r#"{ constant = "10ms" }"#;
const WIDE: &str = r#"{ uniform = ["10ms", "100ms"] }"#;

/// How many messages of each kind were sent.
fn sent(record: &RunRecord, kinds: &[&str]) -> Vec<u64> {
    let metrics = &record.summary.metrics;
    let count = |kind: &&str| metrics[&format!("messages_{kind}")] as u64;
    kinds.iter().map(count).collect()
}

#[test]
fn a_request_costs_just_the_messages_that_the_paper_counts() {
    // n-1 pre-prepares, (n-1)^2 prepares, n(n-1) commits, n replies, and nothing else at all: K is
    // beyond the ten requests, so not even a checkpoint. Between replicas 24, 84, 180, 312.
    for (n, among) in [(4_u64, 24), (7, 84), (10, 180), (13, 312)] {
        let record = quiet(n as usize, TEN, 10, "");
        let kinds = ["request", "pre_prepare", "prepare", "commit", "reply"];
        let each = [1, n - 1, (n - 1) * (n - 1), n * (n - 1), n];
        assert_eq!(
            sent(&record, &kinds),
            each.map(|count| 10 * count),
            "n = {n}"
        );
        assert_eq!(each[1..4].iter().sum::<u64>(), among);
        let all = record.summary.messages.sent;
        assert_eq!(all, 10 * each.iter().sum::<u64>(), "n = {n}");
    }
}

#[test]
fn silent_backups_save_their_own_votes_only() {
    // With s of n silent: (n-1) + (n-1-s)(n-1) + (n-s)(n-1).
    for (n, s) in [(4_u64, 1_u64), (7, 1), (7, 2), (10, 3)] {
        let names: Vec<String> = (n - s + 1..=n).map(|it| format!("\"peer-{it}\"")).collect();
        let names = names.join(", ");
        let fault = format!("[[faults]]\nat = \"500ms\"\ncrash = [{names}]\n");
        let record = quiet(n as usize, TEN, 10, &fault);
        let each = [n - 1, (n - 1 - s) * (n - 1), (n - s) * (n - 1), n - s];
        let kinds = ["pre_prepare", "prepare", "commit", "reply"];
        let counts = sent(&record, &kinds);
        assert_eq!(counts, each.map(|count| 10 * count), "n = {n}, s = {s}");
    }
}

#[test]
fn a_view_change_costs_just_the_messages_that_the_paper_counts() {
    // The primary is dead when the only request comes: (n-1)^2 view-changes, n-1 new-views; the
    // request comes to nobody, then to all n, is forwarded to the dead primary by the n-1 others,
    // and is ordered by the n-1 that are left.
    for n in [4_u64, 7, 10, 13] {
        let fault = "[[faults]]\nat = \"500ms\"\ncrash = \"peer-1\"\n";
        let record = quiet(n as usize, TEN, 1, fault);
        let kinds = ["request", "forward", "view_change", "new_view"];
        let counts = sent(&record, &kinds);
        let retransmissions = counts[0] / n;
        assert_eq!(counts[2..], [(n - 1) * (n - 1), n - 1], "n = {n}");
        assert_eq!(counts[0], 1 + retransmissions * n, "n = {n}");
        assert_eq!(counts[1] % (n - 1), 0, "n = {n}");
        let kinds = ["pre_prepare", "prepare", "commit", "reply"];
        let ordered = [n - 1, (n - 2) * (n - 1), (n - 1) * (n - 1), n - 1];
        assert_eq!(sent(&record, &kinds), ordered, "n = {n}");
    }
}

#[test]
fn a_request_takes_five_one_way_delays() {
    // Request, pre-prepare, prepare, commit, reply: at 10 ms each and with free processors exactly
    // 50 ms, whatever n is.
    for n in [4, 7, 10, 13] {
        let metrics = quiet(n, TEN, 10, "").summary.metrics;
        for name in ["decision_latency_min_ms", "decision_latency_max_ms"] {
            assert_eq!(metrics[name], 50.0, "n = {n}");
        }
    }
}

/// The k-th smallest, k from 1.
fn smallest(mut times: Vec<f64>, k: usize) -> f64 {
    times.sort_by(f64::total_cmp);
    times[k - 1]
}

/// From request to reply in milliseconds, all delays drawn from U[10,100] ms, by nothing but the
/// rules of who waits for how many of whom.
fn drawn(n: usize, dice: &mut Stream) -> f64 {
    let quorum = quorum::byzantine_quorum(n);
    let mut delay = || dice.between(10_000_000, 100_000_000) as f64 / 1e6;
    let assigned = delay();
    let accepted: Vec<f64> = (0..n)
        .map(|i| assigned + if i == 0 { 0.0 } else { delay() })
        .collect();
    let mut heard = |sent: &[f64], senders: std::ops::Range<usize>, at: usize| -> Vec<f64> {
        let hear = |from: usize| sent[from] + if from == at { 0.0 } else { delay() };
        senders.map(hear).collect()
    };
    let prepared: Vec<f64> = (0..n)
        .map(|at| accepted[at].max(smallest(heard(&accepted, 1..n, at), quorum - 1)))
        .collect();
    let committed: Vec<f64> = (0..n)
        .map(|at| prepared[at].max(smallest(heard(&prepared, 0..n, at), quorum)))
        .collect();
    let replies = committed.iter().map(|sent| sent + delay()).collect();
    smallest(replies, quorum::max_faulty(n) + 1)
}

#[test]
fn the_mean_latency_is_that_of_the_quorums_order_statistics() {
    // The direct draw knows neither messages nor views; 3% is four standard errors of 700
    // requests. And it hardly grows: three times the replicas wait a tenth longer, since the
    // quorum's place in the order of arrivals hardly moves.
    let label = StreamLabel::global("test");
    let mut dice = Stream::new(RunKey::from_seed(7), label);
    let mut means = BTreeMap::new();
    for n in [4, 7, 13] {
        let draws = 20_000;
        let sum: f64 = (0..draws).map(|_| drawn(n, &mut dice)).sum();
        let wanted = sum / f64::from(draws);
        let record = quiet(n, WIDE, 700, "");
        let measured = record.summary.metrics["decision_latency_mean_ms"];
        let off = (measured / wanted - 1.0).abs();
        assert!(off < 0.03, "n = {n}: {measured} ms, drawn {wanted} ms");
        means.insert(n, measured);
    }
    assert!(means[&13] < 1.15 * means[&4], "{means:?}");
}

#[test]
fn real_ideal_and_repeatedly_verified_signatures_make_the_same_run() {
    // Everything but the seconds on the wall must be equal: counts, latencies, digest. A processor
    // that pays for signatures makes their number part of the run.
    let records = ["ed25519", "ed25519-per-receiver", "ideal"].map(|signatures| {
        run(&scenario(&format!(
            r#"
name = "test/pbft"
claim = "Signatures are signatures."
duration = "20s"
signatures = "{signatures}"
[peers]
count = 4
[clients]
count = 2
[network]
cpu = {{ per_message = "10us", per_signature = "50us", per_verification = "100us" }}
[pbft]
checkpoint_interval = 10
window = 20
[workload.requests]
loop = {{ closed = {{ in_flight = 1, think = "100ms" }} }}
[[faults]]
at = "5s"
for = "5s"
partition = {{ isolate = "peer-1" }}
"#
        )))
    });
    let [real, each, ideal] = records.map(|record| {
        assert_eq!(record.summary.verdict, Verdict::Passed, "{}", told(&record));
        assert!(record.summary.metrics["verifications_asked"] > 1_000.0);
        (record.summary.digest, record.summary.metrics)
    });
    assert_eq!(real, ideal);
    assert_eq!(real, each);
}

/// The shipped storm at `4 + seed % 7` replicas, of which f, drawn anew, do whatever comes to mind
/// from 5 s to 35 s.
fn plotted_storm(seed: u64) -> Scenario {
    let replicas = 4 + seed % 7;
    let mut storm = shipped("pbft/storm", &[&format!("peers.count={replicas}")]);
    let plot = shipped("adversary/pbft-storm", &[]).adversaries;
    storm.adversaries = plot;
    for plotter in &mut storm.adversaries {
        let seats = storm.peers.iter().enumerate();
        let members = seats.filter(|(_, peer)| peer.role == Role::Member);
        plotter.who = Who::Drawn {
            count: quorum::max_faulty(replicas as usize) as u32,
            of: members.map(|(slot, _)| PeerId(slot as u32)).collect(),
        };
        plotter.lasts = Some(SimDuration::from_secs(30));
    }
    storm.seed = seed;
    storm
}

#[test]
fn colluders_fork_the_others_also_where_each_is_primary_and_accomplice() {
    // What one behaviour makes up for another half the other must not take back for its own.
    let mut plot = shipped("adversary/pbft-colluders-fork-4", &[]);
    for colluder in &mut plot.adversaries {
        colluder.what = vec![Behaviour::EquivocatingPrimary, Behaviour::VoteForBoth];
    }
    let record = run(&plot);
    let mut invariants = record.summary.invariants.iter();
    let agreement = invariants.find(|it| it.name == "pbft/agreement");
    let holds = agreement.map(|it| it.holds);
    assert_eq!(holds, Some(Holds::Violated), "{}", told(&record));
}

/// Storms, `FEDSIM_PBFT_SEEDS` of them or one of every size, from `FEDSIM_PBFT_FROM` on.
#[test]
fn no_plot_in_a_storm_contradicts_anything_and_all_are_served_again_in_time() {
    // Each of the shipped storm's invariants must hold, liveness among them, at n = 4 to 10, and the
    // plotters must really have acted; hardly any plot comes to nothing by itself.
    let seeds = asked_for("FEDSIM_PBFT_SEEDS", 7);
    let from = asked_for("FEDSIM_PBFT_FROM", 1);
    let (mut failed, mut idle) = (Vec::new(), Vec::new());
    for seed in from..from + seeds {
        let record = run(&plotted_storm(seed));
        let deeds = record.summary.metrics.get("adversary_deeds");
        if deeds.is_none_or(|it| *it == 0.0) {
            idle.push(seed);
        }
        if record.summary.verdict != Verdict::Passed {
            failed.push(format!("seed {seed}: {}", told(&record)));
        }
    }
    assert!(100 * idle.len() as u64 <= seeds, "nobody plots: {idle:?}");
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}
