//! Statistics that tell a faithful model from a toy.

use super::support::{run, scenario};

fn steady(members: u32) -> f64 {
    let text = format!(
        "name = \"test\"\nclaim = \"load is constant\"\nduration = \"30s\"\nwarm_up = \"5s\"\n\
         [peers]\ncount = {members}\n[network]\nlatency = {{ uniform = [\"10ms\", \"100ms\"] }}\n\
         [swim]\nbootstrap = \"full\"\npush_pull_interval = \"0s\"\n"
    );
    run(&scenario(&text)).summary.metrics["messages_per_peer_per_s"]
}

#[test]
fn load_of_a_member_does_not_grow_with_the_group() {
    // SWIM section 5: a ping and an ack a period, whatever n is. Ten times the members would show
    // any growth with n tenfold; 2 % is what the ends of the span leave.
    let (few, many) = (steady(20), steady(200));
    assert!((few - 2.0).abs() < 0.1, "{few}");
    assert!((many / few - 1.0).abs() < 0.02, "{few} {many}");
}

/// The first detection of a crash, in periods, with the fastest suspicion there is: mean over runs.
fn first_detection_periods(members: u32, runs: u64) -> f64 {
    let total: f64 = (1..=runs)
        .map(|seed| {
            let text = format!(
                "name = \"test\"\nclaim = \"e/(e-1)\"\nseed = {seed}\nduration = \"40s\"\n\
                 [peers]\ncount = {members}\n[network]\nlatency = {{ constant = \"10ms\" }}\n\
                 [swim]\nbootstrap = \"full\"\nprobe_order = \"random\"\nlocal_health = false\n\
                 dynamic_suspicion = false\ngossip_interval = \"0s\"\npush_pull_interval = \"0s\"\n\
                 [[faults]]\nlabel = \"crash\"\nat = \"10s\"\ncrash = \"peer-2\"\n"
            );
            let record = run(&scenario(&text));
            let suspected = record
                .tables
                .detection
                .iter()
                .filter_map(|row| row.suspected_s);
            let first = suspected.min().expect("somebody suspects it").as_f64();
            // The probe that failed was begun one period before the suspicion.
            (first - 1.0 - 10.0).max(0.0).ceil()
        })
        .sum();
    total / runs as f64
}

#[test]
fn first_detection_with_random_probing_takes_e_over_e_minus_1_periods() {
    // SWIM section 3.1: in each period some member probes the dead one with probability 1 - 1/e, so
    // the first to do so comes in the 1.58th on average. 60 runs give a standard error of 0.12.
    let mean = first_detection_periods(100, 60);
    assert!((mean - 1.582).abs() < 0.4, "{mean}");
}

/// The metrics of one rumor told by one of `peers` peers on a complete graph, as `rumor` says.
fn rumor(peers: u32, seed: u64, rumor: &str) -> std::collections::BTreeMap<String, f64> {
    let text = format!(
        "name = \"test\"\nclaim = \"as in the papers\"\nseed = {seed}\nduration = \"15s\"\n\
         [peers]\ncount = {peers}\n[network]\nlatency = {{ uniform = [\"10ms\", \"50ms\"] }}\n\
         [[workload.rumors]]\nrumor = 1\nfrom = \"peer-1\"\nat = \"50ms\"\n\
         [rumor]\nmode = \"push\"\nperiod = \"200ms\"\n{rumor}"
    );
    run(&scenario(&text)).summary.metrics
}

#[test]
fn push_from_one_source_takes_log2_n_plus_ln_n_rounds() {
    // Doerr and Kuennemann, "Tight analysis of randomized rumor spreading in complete graphs"
    // (2014): the mean lies within these bounds. A round has a standard deviation of about 1.5, so
    // the mean of 40 has 0.25; a copy that is passed on in its own round, or a call too few, would
    // leave the span.
    let (peers, runs) = (256_u32, 40);
    let settings = "rounds = \"synchronous\"\nloss = \"never\"\nmax_rounds = 60\n";
    let rounds = (1..=runs).map(|seed| {
        let metrics = rumor(peers, seed, settings);
        assert_eq!(metrics["coverage"], 1.0);
        metrics["rumor_rounds_max"]
    });
    let mean = rounds.sum::<f64>() / runs as f64;
    let n = f64::from(peers);
    let least = libm::log2(n).floor() + libm::log(n) - 1.12;
    let most = libm::log2(n).ceil() + libm::log(n) + 2.77;
    assert!(least <= mean && mean <= most, "{least} {mean} {most}");
}

#[test]
fn residue_of_push_mongering_is_e_to_the_minus_traffic() {
    // Demers et al. (1987), section 1.4: s = e^-m for any push, since each of n m copies goes to a
    // random peer. 2,000 peers and 8 runs leave a standard error of s of 2 % for k = 1 and of 4 %
    // for k = 2. Whoever heard it took one copy as news and sent k in vain, so m = (k + 1)(1 - s):
    // both together are the fixed point of their differential equations, 0.203 and 0.060.
    let runs = 8;
    for (counter, fixed_point) in [(1, 0.2032), (2, 0.0595)] {
        let settings = format!("rounds = \"own-phase\"\nloss = {{ counter = {counter} }}\n");
        let (mut residue, mut copies) = (0.0, 0.0);
        for seed in 1..=runs {
            let metrics = rumor(2_000, seed, &settings);
            residue += metrics["residue"] / runs as f64;
            copies += metrics["messages_push"] / 2_000.0 / runs as f64;
        }
        let law = libm::exp(-copies);
        assert!(
            (residue / law - 1.0).abs() < 0.1,
            "{counter}: {residue} {law}"
        );
        let told = f64::from(counter + 1) * (1.0 - residue);
        assert!((copies - told).abs() < 0.01, "{counter}: {copies} {told}");
        assert!(
            (residue / fixed_point - 1.0).abs() < 0.1,
            "{counter}: {residue}"
        );
    }
}

#[test]
fn no_member_waits_more_than_2m_minus_1_periods_with_round_robin() {
    // Section 4.3: with news turned off as far as they go, each observer relies on its own probe
    // only in the worst case; none may be later than 2m-1 periods, one to judge, and the suspicion.
    for seed in 1..=5 {
        let text = format!(
            "name = \"test\"\nclaim = \"2m-1\"\nseed = {seed}\nduration = \"60s\"\n\
             [peers]\ncount = 12\n[network]\nlatency = {{ constant = \"10ms\" }}\n\
             [swim]\nbootstrap = \"full\"\nprobe_order = \"round-robin\"\nlocal_health = false\n\
             dynamic_suspicion = false\ngossip_interval = \"0s\"\npush_pull_interval = \"0s\"\n\
             [[faults]]\nlabel = \"crash\"\nat = \"10s\"\ncrash = \"peer-2\"\n"
        );
        let record = run(&scenario(&text));
        let rows = &record.tables.detection;
        assert_eq!(rows.len(), 11);
        // 4 periods times log10 of 12 members.
        let suspicion_s = 4.0 * 1.0792;
        let bound_s = (2.0 * 11.0 - 1.0) + 2.0 + suspicion_s;
        let latest = rows.iter().map(|row| row.latency_ms.as_f64() / 1e3);
        let latest = latest.fold(0.0, f64::max);
        assert!(
            rows.iter().all(|row| !row.censored) && latest <= bound_s,
            "{latest}"
        );
    }
}
