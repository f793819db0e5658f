//! A federation's runs do not depend on how signatures are made.

use fedsim_record::Verdict;

use crate::support::{run, scenario, told};

#[test]
fn real_ideal_and_repeatedly_verified_signatures_make_the_same_run() {
    // Everything but the seconds on the wall must be equal: counts, latencies, digest. A processor
    // that pays for signatures makes their number part of the run.
    let records = ["ed25519", "ed25519-per-receiver", "ideal"].map(|signatures| {
        run(&scenario(&format!(
            r#"
name = "test/federation"
claim = "Signatures are signatures."
duration = "20s"
signatures = "{signatures}"
[[orgs]]
name = "acme"
peers = 2
[[orgs]]
name = "globex"
peers = 2
[network]
cpu = {{ per_message = "10us", per_signature = "50us", per_verification = "100us" }}
[federation]
[[federation.expose]]
by = "globex-*"
to = "acme-*"
capability = "send"
[[workload.errands]]
by = "acme-*"
to = "globex-*"
rate = "2/s"
[[workload.errands]]
by = "globex-1"
to = "*"
kind = "merge"
rate = "1/2s"
[[workload.errands]]
by = "globex-2"
to = "acme-*"
rate = "1/s"
"#
        )))
    });
    let [real, each, ideal] = records.map(|record| {
        assert_eq!(record.summary.verdict, Verdict::Passed, "{}", told(&record));
        assert!(record.summary.metrics["actions_done"] > 20.0);
        assert!(record.summary.metrics["actions_refused"] > 5.0);
        (record.summary.digest, record.summary.metrics)
    });
    assert_eq!(real, ideal);
    assert_eq!(real, each);
}
