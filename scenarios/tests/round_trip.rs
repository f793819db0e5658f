//! Whatever can be said is written back so that it reads equal.

use fedsim_scenarios::spec::ProtocolSpec;
use fedsim_scenarios::{Document, Options, Style};

use crate::support::{Desk, again};

/// A file that uses every section, every distribution and every fault once.
const EVERYTHING: &str = r#"
name = "test/everything"
claim = "Everything that can be said reads back equal, quotes \" and \\ included"
seed = 7
runs = 3
duration = "5m"
warm_up = "1.5s"

[[orgs]]
name = "acme"
peers = 4
region = ["eu", "us"]

[[orgs]]
name = "globex"
names = ["alice", "bob", "carol"]
region = "us"

[clients]
count = 2

[[joins]]
peers = ["acme-3", "bob"]
at = "250us"

[network]
latency = { log-normal = { median = "40ms", sigma = 0.5, min = "10ms" } }
loss = "0.1%"
duplicate = 0.001
reorder = { chance = "2%", by = "30ms" }
in_order = false
bandwidth = { rate = "10Mbit/s", queue = "64KiB" }
regions = { rtt = "regions.csv", jitter = "10%" }
lan = { latency = { constant = "1ms" }, bandwidth = "unlimited" }
clock = { offset = "-3ms", drift_ppm = -40 }
clock_spread = { offset = "5ms", drift_ppm = 100 }
cpu = { per_message = "10us", per_signature = "14us" }
disk = { fsync_low = "1ms", fsync_high = "5ms", torn = "1%" }

[[network.links]]
from = "acme-*"
to = ["alice", "bob"]
latency = { pareto = { scale = "20ms", shape = 1.5 } }

[[network.links]]
from = "*"
to = "client-*"
rtt = { empirical = { file = "samples.csv" } }

[[network.links]]
from = "carol"
to = "alice"
latency = { normal = { mean = "50ms", deviation = "5ms", min = "12ms" } }

[[network.clocks]]
peers = "alice"
drift_ppm = 500

[[network.cpus]]
peers = "bob"
per_kib = "1us"

[[network.disks]]
peers = "carol"
corrupt = 0.25

[topology]
shape = { gateways = { per_organisation = 2 } }
routing = "shortest"

[assume]
faulty = 1
delay = "200ms"
stable_after = "1m"
drift_ppm = 300
skew = "10ms"

[swim]
preset = "wan"
seeds = ["acme-1", "alice"]

[swim.org.globex]
proxies = 1
dead = "final"

[rumor]
loss = { coin = 4 }
anti_entropy = "10s"

[raft]
reads = "lease"

[raft.org.acme]
pre_vote = false

[pbft]
minimum_rate = { grace = "2s" }

[[workload.rumors]]
rumor = 9
from = "alice"
at = "2s"
size = "1KiB"

[workload.requests]
loop = { open = { rate = "3/2s", arrivals = "steady" } }
mix = { read = 8, cas = 2 }
skew = 0.99
until = "4m"
operations = 1000

[[faults]]
label = "split"
at = "10s"
for = "5s"
partition = { sides = [["acme-*"], ["alice", "bob"]] }

[[faults]]
every = "20s"
for = "1s"
flapping = { cut = { bridge = "bob" }, down = "100ms", up = "200ms" }

[[faults]]
random = "30s"
from = "1m"
until = "2m"
for = "2s"
heal_by = "3m"
crash = { random = 2, of = ["acme-*", "carol"] }

[[faults]]
on = "leader-elected"
reported_by = "acme-*"
nth = 2
times = 3
delay = "1ms"
for = "1s"
partition = { isolate = "trigger" }

[[faults]]
after_operations = 100
times = 2
for = "1s"
pause = { last-to-report = "leader-elected" }

[[faults]]
at = "30s"
wipe = "alice"

[[faults]]
at = "31s"
clock-jump = { peers = { region = "us" }, by = "-5s" }

[[faults]]
at = "32s"
latency-storm = { peers = { organisation = "acme" }, factor = 2.5, plus = "20ms" }

[[faults]]
at = "33s"
loss-storm = { peers = "*", loss = "30%" }

[[faults]]
at = "34s"
links = { peers = "bob", like = { latency = { uniform = ["50ms", "80ms"] } } }

[[faults]]
at = "35s"
slow = { peers = "carol", per_input = "100ms" }

[[faults]]
at = "36s"
region-outage = "eu"

[[faults]]
at = "37s"
disk = { peers = "bob", fsync_low = "100ms", fsync_high = "1s" }

[[faults]]
at = "38s"
request = { peers = "bob", request = "leave" }

[[faults]]
at = "39s"
partition = { one-way = { from = "bob", to = "acme-*" } }

[[faults]]
at = "40s"
partition = "majority-ring"

[[faults]]
at = "41s"
partition = { star-around = "alice" }

[[adversaries]]
label = "liar"
who = "acme-1"
cabal = "plot"
at = "5s"
for = "30s"
heal_by = "2m"
what = ["equivocate", "delay", "term-inflation"]
target = ["bob", "carol"]
kinds = ["vote-reply", "heartbeat"]
share = "50%"
pace = "250ms"
by = "80ms"
amount = 3

[[adversaries]]
who = { count = 2, of = "acme-*" }
cabal = "plot"
on = "leader-elected"
nth = 2
for = "1s"
what = ["silent"]

[[adversaries]]
who = { fraction = "30%", of = "*" }
what = ["twins", "replay"]

[[adversaries]]
who = "one-per-organisation"
every = "10s"
for = "1s"
what = ["false-suspicion"]
target = "alice"

[[adversaries]]
who = "network"
what = ["aim-at-leader"]

[expect]
adversaries_take_effect = ["liar", "silent-2"]
tolerates = ["raft/durability"]
holds = ["raft/log-matching"]
violates = ["raft/lease-read"]
faults_take_effect = ["split", "wipe-6"]
false_positives = { equals = 0 }
detection_latency_p99_ms = { at_least = 1.5, at_most = 2e4 }

[expect.pooled]
coverage = { at_least = 0.999 }

[expect.pooled.median]
coverage = { equals = 1 }

[expect.pooled.p99]
detection_latency_p99_ms = { at_most = 2e4 }

[report]
interval = "500ms"
trace = true
"#;

const FILES: Desk = Desk(&[
    (
        "regions.csv",
        "# measured\nfrom,eu,us\neu,2,90\nus,90ms,2\n",
    ),
    ("samples.csv", "30,20ms\n25\n"),
]);

fn everything() -> Document {
    Document::read("everything.toml", EVERYTHING, &FILES, &Options::default())
        .unwrap_or_else(|errors| panic!("{}", errors.render(Style::Plain)))
}

#[test]
fn everything_that_can_be_said_reads_back_equal_and_without_files() {
    // `again` reads with no files at hand: a run directory must not need the CSV files.
    let scenario = everything().scenario;
    let back = again(&scenario);
    assert!(back == scenario, "{}", scenario.to_toml());
    assert_eq!(
        back.to_toml(),
        scenario.to_toml(),
        "writing twice changes nothing"
    );
}

#[test]
fn an_organisation_overrides_what_it_names_and_inherits_the_rest() {
    let scenario = everything().scenario;
    let swim = scenario.protocols.iter().find_map(|protocol| {
        if let ProtocolSpec::Swim(spec) = protocol {
            Some(spec)
        } else {
            None
        }
    });
    let members = &swim.expect("stated").members;
    let (acme, globex) = (members.of("acme"), members.of("globex"));
    assert_eq!((acme.proxies, globex.proxies), (3, 1));
    assert_eq!(acme.protocol_period, globex.protocol_period);
}

#[test]
fn region_files_give_each_direction_half_and_spread_it() {
    let scenario = everything().scenario;
    let matrix = scenario.network.regions.expect("stated");
    assert_eq!(matrix.regions, ["eu", "us"]);
    let there = &matrix.latency[0][1];
    assert_eq!(there.min().to_string(), "45ms");
    assert_eq!(*there, matrix.latency[1][0]);
    assert!(
        format!("{there:?}").contains("49500000"),
        "45ms and 10% more: {there:?}"
    );
}
