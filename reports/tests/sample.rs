//! Hand-made records in the shape of real runs: a cluster of 32 peers over a minute.

use fedsim_record::{
    AuditRow, ConvergenceRow, DetectionRow, ElectionRow, EventRow, Expectation, FaultRow, Holds,
    Invariant, LatencyRow, LoadRow, MembershipRow, MessageRow, MessageTotals, Milliseconds,
    Outcome, PeerRow, RUN_SCHEMA, RunRecord, SampleRow, Seconds, StepRow, Summary, Tables,
    TimelineRow, Verdict, Violation,
};

const PEERS: u32 = 32;
const END_S: f64 = 60.0;

/// A run with a crash, overlapping faults, one that never took effect, and client requests.
pub(crate) fn record() -> RunRecord {
    RunRecord {
        summary: summary(),
        scenario: SCENARIO.to_owned(),
        attachments: Vec::new(),
        tables: Tables {
            peers: peers(),
            faults: faults(),
            events: events(),
            messages: messages(),
            load: load(),
            detection: detection(),
            convergence: convergence(),
            membership: membership(),
            latency: latency(),
            elections: elections(),
            audit: audit(),
            steps: steps(),
            timeline: timeline(),
            samples: samples(),
            trace: Vec::new(),
        },
    }
}

/// The same run under churn: sixty crashes and a few pauses, many at once.
pub(crate) fn under_churn() -> RunRecord {
    let mut churned = record();
    churned.tables.faults = (0..60).map(crash_or_pause).collect();
    churned
}

fn crash_or_pause(index: u32) -> FaultRow {
    let kind = if index % 7 == 3 { "pause" } else { "crash" };
    let from = 2.0 + f64::from(index) * 0.9 + noise(u64::from(index)) * 3.0;
    let to = from + 1.0 + 2.0 * noise(u64::from(index) + 100);
    FaultRow {
        kind: kind.to_owned(),
        ..fault(index + 1, kind, from, Some(to), "acme-3", 1)
    }
}

/// A log that was altered by its owner.
fn audit() -> Vec<AuditRow> {
    vec![AuditRow {
        peer: "acme-2".to_owned(),
        records: 120,
        proven_to: 96,
        pending: 1,
        problem: "records 7 to 9 altered".to_owned(),
        culprit: "acme-2".to_owned(),
    }]
}

fn seconds(value: f64) -> Seconds {
    Seconds::from_f64(value).unwrap()
}

fn milliseconds(value: f64) -> Milliseconds {
    Milliseconds::from_f64(value).unwrap()
}

/// A number from 0 to 1 that looks drawn at random and is the same each time (SplitMix64).
fn noise(index: u64) -> f64 {
    let mut mixed = index.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    (mixed >> 11) as f64 / (1_u64 << 53) as f64
}

const SCENARIO: &str = "\
# Claim: a crash is detected by everybody within two rounds, whatever else hurts the network.
name = \"healed-partition\"
seed = 7
duration = \"60s\"

[[orgs]]
name = \"acme\"
peers = 16

[network]
latency = { uniform = [\"10ms\", \"100ms\"] }
loss = 0.01

[expect]
detection_latency_p99_ms = \"<= 5000\"
";

fn summary() -> Summary {
    Summary {
        schema: RUN_SCHEMA.to_owned(),
        version: "0.1.0".to_owned(),
        commit: "8f7b20f".to_owned(),
        scenario: "gossip/healed-partition".to_owned(),
        seed: 7,
        threads: 2,
        digest: "3f9ab0c27d54e1886f0a915be2cc47d83f9ab0c27d54e1886f0a915be2cc47d8".to_owned(),
        virtual_seconds: seconds(END_S),
        wall_seconds: 0.418,
        events: 184_223,
        messages: MessageTotals {
            sent: 96_410,
            delivered: 92_077,
            dropped: 4_333,
            bytes: 6_170_240,
        },
        invariants: invariants(),
        expectations: expectations(),
        metrics: metrics(),
        claim: "A crash is detected by everybody within two rounds, whatever else hurts the \
                network."
            .to_owned(),
        verdict: Verdict::Violated,
        replay: "fedsim run gossip/healed-partition --seed 7".to_owned(),
        notes: vec!["fault 4 (clock jump) never took effect".to_owned()],
    }
}

fn invariants() -> Vec<Invariant> {
    let with = |name: &str, holds| Invariant {
        name: name.to_owned(),
        holds,
        first_violation: None,
    };
    let violation = Violation {
        at_s: seconds(24.816_204_117),
        peers: vec!["acme-3".to_owned(), "globex-11".to_owned()],
        message: "globex-11 holds acme-3 for dead while both are up and connected".to_owned(),
        events: vec![
            "24.101 globex-11 sent ping seq 812 to acme-3".to_owned(),
            "24.301 globex-11 suspected acme-3 at incarnation 0".to_owned(),
            "24.816 globex-11 declared acme-3 dead".to_owned(),
        ],
    };
    vec![
        Invariant {
            first_violation: Some(violation),
            ..with("swim/accuracy", Holds::Violated)
        },
        with("swim/completeness", Holds::Holds),
        with("swim/convergence", Holds::AssumptionBroken),
        with("swim/dissemination", Holds::Holds),
        with("swim/owned-records", Holds::NeverExercised),
    ]
}

fn expectations() -> Vec<Expectation> {
    let expectation = |name: &str, met, wanted: &str, got: &str| Expectation {
        name: name.to_owned(),
        met,
        wanted: wanted.to_owned(),
        got: got.to_owned(),
    };
    vec![
        expectation("detection_latency_p99_ms", true, "<= 5000", "4210.5"),
        expectation("false_positives", false, "= 0", "3"),
        expectation("converged_after_s", true, "<= 20", "11.25"),
    ]
}

fn metrics() -> std::collections::BTreeMap<String, f64> {
    [
        ("detection_latency_p50_ms", 1873.25),
        ("detection_latency_p99_ms", 4210.5),
        ("false_positives", 3.0),
        ("messages_per_peer_per_s", 50.213_541),
        ("bytes_per_peer_per_s", 3_213.666_66),
        ("converged_after_s", 11.25),
        ("request_latency_p50_ms", 61.0),
        ("request_latency_p99_ms", 2410.0),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into()
}

fn organisation(peer: u32) -> &'static str {
    if peer < PEERS / 2 { "acme" } else { "globex" }
}

fn nickname(peer: u32) -> String {
    format!("{}-{}", organisation(peer), peer % (PEERS / 2) + 1)
}

fn peers() -> Vec<PeerRow> {
    let row = |peer| PeerRow {
        peer,
        nickname: nickname(peer),
        organisation: organisation(peer).to_owned(),
        region: if peer % 2 == 0 { "eu-west" } else { "us-east" }.to_owned(),
        identity: format!("{peer:064x}"),
    };
    (0..PEERS).map(row).collect()
}

fn fault(number: u32, label: &str, from: f64, to: Option<f64>, peers: &str, took: u64) -> FaultRow {
    FaultRow {
        number,
        label: label.to_owned(),
        kind: label.split(' ').next().unwrap().to_owned(),
        from_s: seconds(from),
        to_s: to.map(seconds),
        peers: peers.to_owned(),
        took_effect: took,
    }
}

fn faults() -> Vec<FaultRow> {
    let everybody_in_the_north = "acme-1 acme-2 acme-3 acme-4 acme-5 acme-6 acme-7 acme-8 acme-9";
    vec![
        fault(1, "crash of acme-3", 10.0, None, "acme-3", 1),
        fault(
            2,
            "partition in halves",
            20.0,
            Some(35.0),
            everybody_in_the_north,
            3120,
        ),
        fault(3, "loss storm 20 %", 30.0, Some(40.0), "*", 811),
        fault(4, "clock jump", 45.0, Some(45.0), "globex-2", 0),
        fault(5, "pause", 45.4, Some(46.0), "globex-9", 1),
        fault(6, "latency storm", 45.8, Some(47.5), "*", 402),
    ]
}

fn events() -> Vec<EventRow> {
    let event = |at: f64, peer: Option<u32>, event: &str, detail: &str| EventRow {
        at_s: seconds(at),
        peer,
        nickname: peer.map(nickname).unwrap_or_default(),
        event: event.to_owned(),
        detail: detail.to_owned(),
    };
    vec![
        event(10.0, Some(2), "nemesis/crashed", "by fault 1"),
        event(11.31, Some(20), "swim/suspected", "acme-3 at incarnation 0"),
        event(13.24, Some(20), "swim/declared-dead", "acme-3"),
        event(20.0, None, "nemesis/partitioned", "16 | 16"),
    ]
}

fn messages() -> Vec<MessageRow> {
    let kinds = [
        ("swim/ping", 900),
        ("swim/ack", 880),
        ("swim/ping-req", 60),
        ("swim/push-pull", 16),
        ("kv/put", 120),
        ("kv/get", 240),
        ("kv/answer", 355),
        ("swim/leave", 2),
    ];
    let row = |second: u32, (index, (kind, rate)): (usize, (&str, u64))| {
        let wobble = noise(u64::from(second) * 10 + index as u64);
        let sent = (rate as f64 * (0.9 + 0.2 * wobble)) as u64;
        let cut = if (20..35).contains(&second) {
            sent / 2
        } else {
            0
        };
        let loss = if (30..40).contains(&second) {
            sent / 5
        } else {
            sent / 100
        };
        MessageRow {
            from_s: seconds(f64::from(second)),
            to_s: seconds(f64::from(second) + 1.0),
            kind: kind.to_owned(),
            sent,
            delivered: sent - cut.max(loss),
            dropped_loss: loss,
            dropped_cut: cut,
            dropped_down: if second > 10 { sent / 32 } else { 0 },
            dropped_queue: 0,
            duplicated: 0,
            bytes: sent * 64,
        }
    };
    (0..60)
        .flat_map(|second| {
            kinds
                .into_iter()
                .enumerate()
                .map(move |kind| row(second, kind))
        })
        .collect()
}

fn load() -> Vec<LoadRow> {
    let row = |second: u32| {
        let wobble = noise(u64::from(second) + 5000);
        let busy = if (20..40).contains(&second) { 1.4 } else { 1.0 };
        let mean = 48.0 * busy + 4.0 * wobble;
        LoadRow {
            from_s: seconds(f64::from(second)),
            to_s: seconds(f64::from(second) + 1.0),
            messages_mean: mean,
            messages_max: (mean * (1.3 + wobble)) as u64,
            bytes_mean: mean * 64.0,
            bytes_max: (mean * 64.0 * (1.4 + wobble)) as u64,
        }
    };
    (0..60).map(row).collect()
}

fn detection() -> Vec<DetectionRow> {
    let row = |observer: u32| {
        let draw = noise(u64::from(observer) + 900);
        let suspected = 600.0 + 1500.0 * draw;
        let censored = observer == 29;
        let latency = if censored {
            50_000.0
        } else {
            suspected + 900.0 + 1200.0 * draw * draw
        };
        DetectionRow {
            victim: "acme-3".to_owned(),
            observer: nickname(observer),
            crash_s: seconds(10.0),
            suspected_s: (!censored).then(|| seconds(10.0 + suspected / 1000.0)),
            detected_s: (!censored).then(|| seconds(10.0 + latency / 1000.0)),
            latency_ms: milliseconds(latency),
            censored,
        }
    };
    (0..PEERS).filter(|peer| *peer != 2).map(row).collect()
}

fn convergence() -> Vec<ConvergenceRow> {
    let things = [
        ("acme-3 is dead", 11.3, 2.2),
        ("globex-9 is suspect", 45.9, 5.0),
        ("key of globex-16", 0.4, 1.1),
        ("halves are whole again", 35.0, 0.7),
    ];
    let row = |at: f64, (subject, start, rate): (&str, f64, f64)| {
        let age = (at - start).max(0.0);
        let share = 1.0 / (1.0 + 31.0 * libm::exp(-rate * age * 1.4));
        ConvergenceRow {
            subject: subject.to_owned(),
            at_s: seconds(at),
            share: if at < start { 0.0 } else { share },
        }
    };
    things
        .into_iter()
        .flat_map(|thing| (0..600).map(move |step| row(f64::from(step) / 10.0, thing)))
        .collect()
}

fn membership() -> Vec<MembershipRow> {
    let row = |step: u32| {
        let at = f64::from(step) / 4.0;
        let parted = ((at - 22.0).clamp(0.0, 3.0) / 3.0) * ((38.0 - at).clamp(0.0, 3.0) / 3.0);
        let crash = if at > 10.0 {
            (3.5 - (at - 10.0)).max(0.0) / 3.5
        } else {
            0.0
        };
        MembershipRow {
            at_s: seconds(at),
            disagreement: 0.48 * parted + 0.03 * crash,
            alive_mean: 32.0 - 15.0 * parted - if at > 10.0 { 1.0 - crash } else { 0.0 },
            suspect_mean: 3.0 * parted * noise(u64::from(step)) + crash,
            dead_mean: 14.0 * parted + if at > 13.0 { 1.0 } else { 0.0 },
            false_positives: if (96..110).contains(&step) { 3 } else { 0 },
        }
    };
    (0..=240).map(row).collect()
}

fn latency() -> Vec<LatencyRow> {
    let row = |index: u32| {
        let draw = noise(u64::from(index) + 40_000);
        let at = f64::from(index) * 59.0 / 3000.0;
        let stormy = (20.0..36.0).contains(&at) && draw > 0.4;
        let usual = 25.0 + 40.0 * draw + 8.0 / (1.0 - draw).sqrt();
        let latency = if stormy {
            usual + 900.0 * draw * (36.0 - at) / 16.0
        } else {
            usual
        };
        let outcome = match index % 500 {
            499 if stormy => Outcome::Unanswered,
            77 => Outcome::Failed,
            _ => Outcome::Ok,
        };
        let answered = outcome != Outcome::Unanswered;
        let shown = if answered {
            latency
        } else {
            (END_S - at) * 1000.0
        };
        LatencyRow {
            operation: if index.is_multiple_of(3) {
                "kv/put"
            } else {
                "kv/get"
            }
            .to_owned(),
            invoked_s: seconds(at),
            returned_s: answered.then(|| seconds(at + latency / 1000.0)),
            latency_ms: milliseconds(shown),
            outcome,
        }
    };
    (0..3000).map(row).collect()
}

fn samples() -> Vec<SampleRow> {
    let row = |step: u32, series: String, unit: &str, value: f64| SampleRow {
        series,
        unit: unit.to_owned(),
        at_s: seconds(f64::from(step) / 2.0),
        value,
    };
    let health = |step: u32| {
        let value = 1.0 + 3.0 * noise(u64::from(step / 20) + 70_000).floor();
        row(
            step,
            "local health".to_owned(),
            "",
            value + f64::from(u8::from(step.is_multiple_of(20))),
        )
    };
    let queue = |step: u32, peer: u32| {
        let value = 20.0 * noise(u64::from(step * 40 + peer) + 80_000) + f64::from(peer);
        row(
            step,
            format!("queue length/{}", nickname(peer)),
            "messages",
            value,
        )
    };
    let offset = |step: u32| {
        row(
            step,
            "clock offset".to_owned(),
            "ms",
            f64::from(step) * -0.3,
        )
    };
    (0..120)
        .flat_map(|step| {
            let queues = (0..12).map(move |peer| queue(step, peer));
            [health(step), offset(step)].into_iter().chain(queues)
        })
        .collect()
}

/// Leaders of five servers: one every ten seconds, after a while without any.
fn elections() -> Vec<ElectionRow> {
    let election = |round: u32| ElectionRow {
        elected_s: Some(seconds(f64::from(round) * 10.0 + 1.0)),
        leader: format!("acme-{}", round % 5 + 1),
        term: Some(u64::from(round) + 1),
        terms: Some(1 + u64::from(round % 2)),
        downtime_ms: (round > 0).then(|| milliseconds(400.0 + 60.0 * f64::from(round))),
        censored: false,
    };
    (0..6).map(election).collect()
}

fn steps() -> Vec<StepRow> {
    let step = |index: u32, name: &str, least: f64| StepRow {
        step: name.to_owned(),
        at_s: seconds(1.5 + f64::from(index) * 0.1),
        duration_ms: milliseconds(least + 2.0 * least * noise(u64::from(index) + 900)),
    };
    let names = [
        ("commit", 40.0),
        ("decision", 35.0),
        ("phase/prepare", 15.0),
        ("phase/commit", 18.0),
    ];
    let rows = names.map(|(name, least)| (0..500).map(move |index| step(index, name, least)));
    rows.into_iter().flatten().collect()
}

/// Five servers of which one leads at a time and then crashes.
fn timeline() -> Vec<TimelineRow> {
    (0..5).flat_map(lane).collect()
}

fn lane(peer: u32) -> Vec<TimelineRow> {
    let turn = f64::from(peer) * 10.0;
    let pieces = [
        ("follower", 0.0, turn, Some(u64::from(peer))),
        ("candidate", turn, turn + 1.0, Some(u64::from(peer) + 1)),
        ("leader", turn + 1.0, turn + 10.0, Some(u64::from(peer) + 1)),
        ("down", turn + 10.0, turn + 13.0, None),
        ("follower", turn + 13.0, END_S, Some(u64::from(peer) + 2)),
    ];
    let pieces = pieces
        .into_iter()
        .filter(|piece| piece.1 < piece.2 && piece.1 < END_S);
    let piece = |(state, from, to, number): (&str, f64, f64, Option<u64>)| TimelineRow {
        timeline: "leadership".to_owned(),
        peer,
        nickname: format!("acme-{}", peer + 1),
        from_s: seconds(from),
        to_s: seconds(to.min(END_S)),
        state: state.to_owned(),
        number,
    };
    pieces.map(piece).collect()
}

/// So many servers that lead in turn, for `reign` seconds each.
pub(crate) fn election_every(reign: f64, peers: u32) -> Vec<TimelineRow> {
    let terms = (END_S / reign) as u64;
    let piece = |peer: u32, term: u64| {
        let leads = term % u64::from(peers) == u64::from(peer);
        let from = term as f64 * reign;
        TimelineRow {
            timeline: "leadership".to_owned(),
            peer,
            nickname: format!("acme-{}", peer + 1),
            from_s: seconds(from),
            to_s: seconds(from + reign),
            state: if leads { "leader" } else { "follower" }.to_owned(),
            number: Some(term + 1),
        }
    };
    let lane = |peer| (0..terms).map(move |term| piece(peer, term));
    (0..peers).flat_map(lane).collect()
}
