//! Attacks on a PBFT group that the paper's rules withstand.

use fedsim_scenarios::Scenario;

use crate::support::scenario;

/// A group under attack.
#[derive(Clone, Copy)]
pub(super) struct Attack {
    /// In words.
    pub(super) name: &'static str,
    pub(super) replicas: u32,
    /// `[[adversaries]]`, as TOML.
    pub(super) adversaries: &'static str,
    /// Faults, as TOML.
    faults: &'static str,
    clients: u32,
    duration: &'static str,
}

impl Attack {
    const fn new(name: &'static str, replicas: u32, adversaries: &'static str) -> Self {
        Self {
            name,
            replicas,
            adversaries,
            faults: "",
            clients: 2,
            duration: "20s",
        }
    }

    const fn at(self, replicas: u32) -> Self {
        Self { replicas, ..self }
    }

    const fn lasting(self, duration: &'static str) -> Self {
        Self { duration, ..self }
    }

    const fn with(self, faults: &'static str) -> Self {
        Self { faults, ..self }
    }

    /// The text of its scenario.
    pub(super) fn text(&self) -> String {
        let Self {
            replicas,
            adversaries,
            faults,
            clients,
            duration,
            ..
        } = self;
        format!(
            r#"
name = "test/attack"
claim = "An attack."
duration = "{duration}"
signatures = "ideal"
[peers]
count = {replicas}
[clients]
count = {clients}
[network]
latency = {{ uniform = ["10ms", "50ms"] }}
[workload.requests]
loop = {{ closed = {{ in_flight = 1, think = "100ms" }} }}
mix = {{ read = 1, write = 2, cas = 1, append = 2 }}
keys = 2
[pbft]
checkpoint_interval = 8
window = 16
max_timeout = "8s"
{adversaries}{faults}"#
        )
    }

    /// Its scenario.
    pub(super) fn scenario(&self, seed: u64) -> Scenario {
        let mut scenario = scenario(&self.text());
        scenario.seed = seed;
        scenario
    }
}

pub(super) const EQUIVOCATION: Attack = Attack::new(
    "equivocating primary",
    4,
    "[[adversaries]]\nwho = \"peer-1\"\nwhat = [\"equivocating-primary\"]\n",
);
pub(super) const EQUIVOCATION_5: Attack = EQUIVOCATION.at(5);
pub(super) const EQUIVOCATION_6: Attack = EQUIVOCATION.at(6);

pub(super) const PLOT_8: Attack = Attack::new(
    "equivocating primary and accomplice",
    8,
    "[[adversaries]]\nwho = \"peer-1\"\ncabal = \"plot\"\nwhat = [\"equivocating-primary\"]\n\
     [[adversaries]]\nwho = \"peer-2\"\ncabal = \"plot\"\nwhat = [\"vote-for-both\"]\n",
);
pub(super) const PLOT_9: Attack = PLOT_8.at(9);

pub(super) const IMPERSONATION: Attack = Attack::new(
    "equivocating primary that votes in others' names",
    4,
    "[[adversaries]]\nwho = \"peer-1\"\nwhat = [\"equivocating-primary\", \"forged-votes\"]\npace = \"1s\"\n",
);

pub(super) const INVENTED_REQUESTS: Attack = Attack::new(
    "requests in clients' names",
    4,
    "[[adversaries]]\nwho = \"peer-4\"\nat = \"2s\"\nwhat = [\"forged-votes\"]\npace = \"1s\"\n",
);

pub(super) const MUTATION: Attack = Attack::new(
    "assignments with one field changed",
    4,
    "[[adversaries]]\nwho = \"peer-1\"\nat = \"2s\"\nwhat = [\"mutate\"]\nkinds = [\"pre-prepare\"]\nshare = \"30%\"\n",
);

pub(super) const SWAPPED_BATCHES: Attack = Attack::new(
    "another batch under a signed digest",
    4,
    "[[adversaries]]\nwho = \"peer-1\"\nat = \"2s\"\nwhat = [\"swapped-batch\"]\n",
);

pub(super) const RECAST_VOTES: Attack = Attack::new(
    "prepares passed on as commits",
    4,
    "[[adversaries]]\nwho = \"peer-4\"\nwhat = [\"recast-votes\"]\n",
);

pub(super) const REPEATED_VOTES: Attack = Attack::new(
    "votes sent three times",
    4,
    "[[adversaries]]\nwho = \"peer-4\"\nwhat = [\"duplicate\"]\nkinds = [\"prepare\", \"commit\"]\namount = 2\n",
);

pub(super) const STATE: Attack = Attack::new(
    "lying state transfer",
    4,
    "[[adversaries]]\nwho = \"peer-1\"\nwhat = [\"lying-state-transfer\"]\n",
)
.lasting("30s")
.with("[[faults]]\nat = \"5s\"\nfor = \"15s\"\ncrash = \"peer-4\"\n");

pub(super) const FALSE_REPLIES: Attack = Attack::new(
    "false replies",
    4,
    "[[adversaries]]\nwho = \"peer-4\"\nwhat = [\"lie\"]\nkinds = [\"reply\"]\n",
);

pub(super) const FORGED_VIEW_CHANGES: Attack = Attack::new(
    "forged view-changes, and the primary crashes",
    4,
    "[[adversaries]]\nwho = \"peer-4\"\nat = \"5s\"\nwhat = [\"forged-view-change\"]\npace = \"500ms\"\n",
)
.lasting("30s")
.with("[[faults]]\nat = \"5100ms\"\nfor = \"10s\"\ncrash = \"peer-1\"\n");

pub(super) const LOST_ASSIGNMENTS: Attack = Attack {
    clients: 4,
    ..Attack::new(
        "assignments kept from one backup",
        4,
        "[[adversaries]]\nwho = \"peer-1\"\nat = \"2s\"\nwhat = [\"drop\"]\ntarget = \"peer-3\"\nkinds = [\"pre-prepare\"]\nshare = \"30%\"\n",
    )
};

pub(super) const STORM_OF_VIEWS: Attack = Attack::new(
    "view-changes for one's own views, which never begin",
    4,
    "[[adversaries]]\nwho = \"peer-1\"\nat = \"2s\"\nwhat = [\"view-change-storm\", \"drop\"]\n\
     kinds = [\"pre-prepare\", \"new-view\"]\namount = 4\npace = \"500ms\"\n",
)
.lasting("90s");
