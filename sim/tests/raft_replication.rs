//! Replication of whole runs: how long a commit takes, how many messages, and what a storm leaves.

use fedsim_protocols::{RunKey, Stream, StreamLabel};
use fedsim_record::{RunRecord, Verdict};

use super::support::{asked_for, run, scenario, shipped, told};

#[test]
fn a_commit_in_an_idle_cluster_takes_the_second_fastest_of_four_round_trips() {
    // A leader of five commits when two followers have answered. The reference draws those four
    // round trips of two latencies each and sorts them; it knows nothing of Raft.
    let label = StreamLabel::global("direct-draw");
    let mut dice = Stream::new(RunKey::from_seed(1), label);
    let mut commits: Vec<f64> = (0..20_000)
        .map(|_| {
            let mut latency = || dice.between(10_000_000, 100_000_000) as f64 / 1e6;
            let mut trips = [(); 4].map(|()| latency() + latency());
            trips.sort_by(f64::total_cmp);
            trips[1]
        })
        .collect();
    commits.sort_by(f64::total_cmp);
    let metrics = run(&scenario(
        "name = \"test\"\nclaim = \"order statistics\"\nduration = \"20m\"\nwarm_up = \"10s\"\n\
         [peers]\ncount = 5\n[clients]\ncount = 1\n\
         [network]\nlatency = { uniform = [\"10ms\", \"100ms\"] }\n\
         [raft]\nheartbeat_interval = \"900ms\"\n[workload.requests]\nmix = { write = 1 }\n\
         loop = { open = { rate = \"2/s\", arrivals = \"steady\" } }\n",
    ))
    .summary
    .metrics;
    for (name, share) in [
        ("commit_latency_p50_ms", 0.50),
        ("commit_latency_p99_ms", 0.99),
    ] {
        let drawn = commits[(share * commits.len() as f64) as usize];
        let apart = metrics[name] / drawn - 1.0;
        assert!(apart.abs() < 0.03, "{name}: {} for {drawn}", metrics[name]);
    }
}

/// Messages of one kind: sent and delivered.
fn count(record: &RunRecord, kind: &str) -> (u64, u64) {
    let rows = record.tables.messages.iter();
    let rows = rows.filter(|row| row.kind == format!("raft/{kind}"));
    rows.fold((0, 0), |(sent, delivered), row| {
        (sent + row.sent, delivered + row.delivered)
    })
}

#[test]
fn steady_replication_sends_an_append_and_an_answer_to_each_follower_a_batch() {
    // A closed loop of one, so that each command is a batch of its own. Every entry costs n - 1
    // appends, and every append or heartbeat that arrives exactly one answer: nothing hidden.
    for servers in [3, 5, 7] {
        let record = run(&scenario(&format!(
            "name = \"test\"\nclaim = \"nothing hidden\"\nduration = \"30s\"\n\
             [peers]\ncount = {servers}\n[clients]\ncount = 1\n\
             [network]\nlatency = {{ constant = \"20ms\" }}\n[raft]\n\
             [workload.requests]\nfrom = \"5s\"\nuntil = \"25s\"\nmix = {{ write = 1 }}\n"
        )));
        let entries = record.summary.metrics["committed_entries"] as u64;
        assert!(entries > 200, "{entries} entries");
        let (appends, arrived) = count(&record, "append-entries");
        let (_, heartbeats) = count(&record, "heartbeat");
        assert_eq!(appends, (servers - 1) * entries);
        assert_eq!(count(&record, "append-accepted").0, arrived + heartbeats);
        assert_eq!(count(&record, "append-refused").0, 0);
    }
}

#[test]
fn no_seed_of_the_storm_breaks_anything() {
    // Whatever the seed draws, nothing is violated and the cluster serves in the end.
    // `FEDSIM_STORMS` asks for more than three seeds.
    let seeds = asked_for("FEDSIM_STORMS", 3);
    let mut storm = shipped("raft/storm", &[]);
    for seed in 1..=seeds {
        storm.seed = seed;
        let record = run(&storm);
        assert_eq!(record.summary.verdict, Verdict::Passed, "{}", told(&record));
    }
}
