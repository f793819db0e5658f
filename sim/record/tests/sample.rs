//! A small record with a row in every table.

use fedsim_record::{
    AuditRow, ConvergenceRow, DetectionRow, ElectionRow, EventRow, Expectation, FaultRow, Holds,
    Invariant, LatencyRow, LoadRow, MembershipRow, MessageRow, MessageTotals, Milliseconds,
    Outcome, PeerRow, RUN_SCHEMA, RunRecord, SampleRow, Seconds, StepRow, Summary, Tables,
    TimelineRow, TraceRow, Verdict, Violation,
};

/// A record with every kind of value: empty cells, commas and quotes, odd nanoseconds, third
/// floats.
pub(crate) fn record(seed: u64) -> RunRecord {
    RunRecord {
        summary: summary(seed),
        scenario: "name = \"one crash\" # a comment\nseed = 7\n".to_owned(),
        attachments: Vec::new(),
        tables: Tables {
            peers: vec![peer()],
            faults: vec![fault()],
            events: vec![event()],
            messages: vec![messages()],
            load: vec![load()],
            detection: vec![detection(None), detection(Some(at(9_000_000_001)))],
            convergence: vec![convergence()],
            membership: vec![membership()],
            latency: vec![latency(Outcome::Ok), latency(Outcome::Unanswered)],
            elections: vec![election(true), election(false)],
            audit: vec![audit()],
            steps: vec![step()],
            timeline: vec![span(Some(3)), span(None)],
            samples: vec![sample()],
            trace: vec![trace()],
        },
    }
}

pub(crate) fn at(nanos: u64) -> Seconds {
    Seconds::from_nanos(nanos)
}

fn summary(seed: u64) -> Summary {
    Summary {
        schema: RUN_SCHEMA.to_owned(),
        version: "0.1.0".to_owned(),
        commit: "abc1234".to_owned(),
        scenario: "one-crash".to_owned(),
        seed,
        threads: 2,
        digest: format!("{seed:064x}"),
        virtual_seconds: at(60_000_000_001),
        wall_seconds: 0.25,
        events: 1234,
        messages: MessageTotals {
            sent: 1000,
            delivered: 990,
            dropped: 10,
            bytes: 64_000,
        },
        invariants: vec![Invariant {
            name: "swim/accuracy".to_owned(),
            holds: Holds::Violated,
            first_violation: Some(Violation {
                at_s: at(12_000_000_001),
                peers: vec!["acme-1".to_owned()],
                message: "a live peer was held for dead".to_owned(),
                events: vec!["11.9 acme-1 suspected acme-2".to_owned()],
            }),
        }],
        expectations: vec![Expectation {
            name: "detection_latency_p99_ms".to_owned(),
            met: true,
            wanted: "<= 5000".to_owned(),
            got: "4210.5".to_owned(),
        }],
        metrics: [("third_share".to_owned(), 1.0 / 3.0)].into(),
        claim: "A crash is detected by everybody.".to_owned(),
        verdict: Verdict::Violated,
        replay: "fedsim run gossip/one-crash --seed 7".to_owned(),
        notes: vec!["fault 2 never took effect".to_owned()],
    }
}

fn peer() -> PeerRow {
    PeerRow {
        peer: 0,
        nickname: "acme-1".to_owned(),
        organisation: "acme".to_owned(),
        region: String::new(),
        identity: "00ff".to_owned(),
    }
}

fn fault() -> FaultRow {
    FaultRow {
        number: 1,
        label: "crash, then nothing".to_owned(),
        kind: "crash".to_owned(),
        from_s: at(10_000_000_000),
        to_s: None,
        peers: "acme-1".to_owned(),
        took_effect: 1,
    }
}

fn event() -> EventRow {
    EventRow {
        at_s: at(u64::MAX),
        peer: None,
        nickname: String::new(),
        event: "nemesis/crashed".to_owned(),
        detail: "says \"no\", twice\nand a line".to_owned(),
    }
}

fn messages() -> MessageRow {
    MessageRow {
        from_s: at(0),
        to_s: at(1_000_000_000),
        kind: "swim/ping".to_owned(),
        sent: 10,
        delivered: 5,
        dropped_loss: 1,
        dropped_cut: 2,
        dropped_down: 1,
        dropped_queue: 1,
        duplicated: 0,
        bytes: 640,
    }
}

fn load() -> LoadRow {
    LoadRow {
        from_s: at(0),
        to_s: at(1_000_000_000),
        messages_mean: 10.0 / 3.0,
        messages_max: 7,
        bytes_mean: 0.1 + 0.2,
        bytes_max: 700,
    }
}

fn detection(detected_s: Option<Seconds>) -> DetectionRow {
    DetectionRow {
        victim: "acme-1".to_owned(),
        observer: "acme-2".to_owned(),
        crash_s: at(5_000_000_000),
        suspected_s: None,
        detected_s,
        latency_ms: Milliseconds::from_nanos(4_000_000_001),
        censored: detected_s.is_none(),
    }
}

fn convergence() -> ConvergenceRow {
    ConvergenceRow {
        subject: "acme-1 is dead".to_owned(),
        at_s: at(6_000_000_000),
        share: 2.0 / 3.0,
    }
}

fn membership() -> MembershipRow {
    MembershipRow {
        at_s: at(1),
        disagreement: 1e-9,
        alive_mean: 4.0,
        suspect_mean: 0.5,
        dead_mean: 0.0,
        false_positives: 3,
    }
}

fn latency(outcome: Outcome) -> LatencyRow {
    LatencyRow {
        operation: "kv/put".to_owned(),
        invoked_s: at(2_000_000_000),
        returned_s: (outcome != Outcome::Unanswered).then(|| at(2_050_000_000)),
        latency_ms: Milliseconds::from_nanos(50_000_000),
        outcome,
    }
}

fn election(is_won: bool) -> ElectionRow {
    ElectionRow {
        elected_s: is_won.then(|| at(7_000_000_000)),
        leader: if is_won { "acme-1" } else { "" }.to_owned(),
        term: is_won.then_some(3),
        terms: is_won.then_some(2),
        downtime_ms: Some(Milliseconds::from_nanos(1_500_000_001)),
        censored: !is_won,
    }
}

fn audit() -> AuditRow {
    AuditRow {
        peer: "acme-1".to_owned(),
        records: 7,
        proven_to: 5,
        pending: 1,
        problem: "record 3 altered".to_owned(),
        culprit: "acme-1".to_owned(),
    }
}

fn step() -> StepRow {
    StepRow {
        step: "commit".to_owned(),
        at_s: at(8_000_000_000),
        duration_ms: Milliseconds::from_nanos(40_000_003),
    }
}

fn span(number: Option<u64>) -> TimelineRow {
    TimelineRow {
        timeline: "leadership".to_owned(),
        peer: 0,
        nickname: "acme-1".to_owned(),
        from_s: at(1),
        to_s: at(9_000_000_001),
        state: if number.is_some() { "leader" } else { "down" }.to_owned(),
        number,
    }
}

fn sample() -> SampleRow {
    SampleRow {
        series: "queue/acme-1".to_owned(),
        unit: "messages".to_owned(),
        at_s: at(3),
        value: -1.5e300,
    }
}

fn trace() -> TraceRow {
    TraceRow {
        sent_s: at(1),
        arrived_s: None,
        from: "acme-1".to_owned(),
        to: "acme-2".to_owned(),
        kind: "swim/ping".to_owned(),
        bytes: 64,
        fate: "loss".to_owned(),
    }
}
