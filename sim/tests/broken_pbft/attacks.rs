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
    /// The keys of `[pbft]`, as TOML.
    settings: &'static str,
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
            settings: "checkpoint_interval = 8\nwindow = 16\nmax_timeout = \"8s\"\n",
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

    const fn asked_by(self, clients: u32) -> Self {
        Self { clients, ..self }
    }

    const fn set(self, settings: &'static str) -> Self {
        Self { settings, ..self }
    }

    /// The text of its scenario.
    pub(super) fn text(&self) -> String {
        let Self {
            replicas,
            adversaries,
            faults,
            clients,
            duration,
            settings,
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
{settings}{adversaries}{faults}"#
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

/// Half of the rounds of one replica, told wrong to some, while the network cuts others.
pub(super) const ROUNDS: Attack = Attack::new(
    "rounds with one field changed, and rounds cut",
    4,
    "[assume]\ndelay = \"100ms\"\nstable_after = \"12s\"\n\
     [[adversaries]]\nwho = \"peer-1\"\nat = \"2s\"\nwhat = [\"mutate\"]\nscope = \"round\"\nshare = \"50%\"\n\
     [[adversaries]]\nwho = \"network\"\nat = \"2s\"\nfor = \"10s\"\nwhat = [\"cut-rounds\"]\nshare = \"5%\"\n",
)
.lasting("60s");

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

pub(super) const LOST_ASSIGNMENTS: Attack = Attack::new(
    "assignments kept from one backup",
    4,
    "[[adversaries]]\nwho = \"peer-1\"\nat = \"2s\"\nwhat = [\"drop\"]\ntarget = \"peer-3\"\nkinds = [\"pre-prepare\"]\nshare = \"30%\"\n",
)
.asked_by(4);

pub(super) const STORM_OF_VIEWS: Attack = Attack::new(
    "view-changes for one's own views, which never begin",
    4,
    "[[adversaries]]\nwho = \"peer-1\"\nat = \"2s\"\nwhat = [\"view-change-storm\", \"drop\"]\n\
     kinds = [\"pre-prepare\", \"new-view\"]\namount = 4\npace = \"500ms\"\n",
)
.lasting("90s");

/// Few checkpoints, and nothing that was lost is asked for within the attack.
const FORGETFUL: &str = "max_timeout = \"8s\"\nretransmit_interval = \"3s\"\n";

/// In view 0 the liar alone holds two certificates' worth of prepares; view 1 orders something else
/// there without peer-4, view 2 is begun without the primary of view 1.
pub(super) const STALE_CERTIFICATES: Attack = Attack::new(
    "certificates of a view before the last, kept for later",
    4,
    "[[adversaries]]\nwho = \"peer-1\"\nwhat = [\"stale-certificates\"]\n\
     [[adversaries]]\nwho = \"peer-1\"\nat = \"2s\"\nfor = \"900ms\"\nwhat = [\"skip-sequence\"]\n",
)
.set(FORGETFUL)
.lasting("25s")
.with(
    "[[faults]]\nat = \"2s\"\nfor = \"900ms\"\npartition = { sides = [[\"peer-2\"], [\"peer-3\"]] }\n\
     [[faults]]\nat = \"2s\"\nfor = \"3900ms\"\npartition = { isolate = \"peer-4\" }\n\
     [[faults]]\nat = \"4500ms\"\nfor = \"8s\"\ncrash = \"peer-2\"\n",
);

/// Only peer-1 and the liar see enough commits before the liar's view begins.
pub(super) const DROPPED_BATCHES: Attack = Attack::new(
    "commits kept from two, and the next view begun without what had committed",
    4,
    "[[adversaries]]\nwho = \"peer-2\"\nwhat = [\"dishonest-new-view\"]\n\
     [[adversaries]]\nwho = \"peer-2\"\nat = \"2s\"\nfor = \"900ms\"\nwhat = [\"drop\"]\n\
     kinds = [\"commit\"]\ntarget = [\"peer-3\", \"peer-4\"]\n",
)
.set(FORGETFUL)
.with(
    "[[faults]]\nat = \"2s\"\nfor = \"900ms\"\npartition = { sides = [[\"peer-3\"], [\"peer-4\"]] }\n",
);

/// Two of three honest replicas go on through views that the liar asks for, the third hears nothing.
pub(super) const LEFT_BEHIND: Attack = Attack::new(
    "view-changes for one's own views, while one replica is cut off",
    4,
    "[[adversaries]]\nwho = \"peer-1\"\nat = \"2s\"\nwhat = [\"view-change-storm\", \"drop\"]\n\
     kinds = [\"pre-prepare\", \"new-view\"]\namount = 4\npace = \"500ms\"\n",
)
.asked_by(1)
.lasting("130s")
.with("[[faults]]\nat = \"3s\"\nfor = \"40s\"\npartition = { isolate = \"peer-3\" }\n");

pub(super) const LONELY: Attack = Attack::new(
    "silence, when the one that was cut off is needed",
    4,
    "[[adversaries]]\nwho = \"peer-2\"\nat = \"29s\"\nwhat = [\"silent\"]\n",
)
.asked_by(1)
.lasting("80s")
.with("[[faults]]\nat = \"3s\"\nfor = \"27s\"\npartition = { isolate = \"peer-4\" }\n");

/// Three hops take longer than the first timeout.
pub(super) const SLOW_NETWORK: Attack = Attack::new(
    "delays as long as the network may make them",
    4,
    "[[adversaries]]\nwho = \"network\"\nwhat = [\"longest-delays\"]\n[assume]\ndelay = \"700ms\"\n",
)
.asked_by(1)
.set("max_timeout = \"20s\"\n")
.lasting("150s");

/// The old group's votes on a place behind its last checkpoint, told to one replica of the new.
pub(super) const BYGONE_VOTES: Attack = Attack::new(
    "votes for the roster before",
    4,
    "administrators = \"client-1\"\n\
     [[adversaries]]\nwho = \"peer-1\"\nat = \"3s\"\nfor = \"1s\"\nwhat = [\"jump-sequence\"]\nshare = \"30%\"\n\
     [[adversaries]]\nwho = \"peer-1\"\nat = \"3s\"\nwhat = [\"bygone-votes\"]\npace = \"100ms\"\ntarget = \"peer-3\"\n",
)
.with(
    "[[faults]]\nat = \"3s\"\nrequest = { peers = \"client-1\", request = \"replicas/peer-1/peer-2/peer-3/peer-4\" }\n",
);

/// Peer-1 counts its commit, answers and crashes while its disk is still writing; peer-2, which knows,
/// is cut off, and the liar denies.
pub(super) const SLOW_DISK: Attack = Attack::new(
    "denial of what prepared, and a crash before the disk has it",
    4,
    "[[adversaries]]\nwho = \"peer-4\"\nwhat = [\"lie\"]\nkinds = [\"view-change\"]\n",
)
.asked_by(6)
.set("max_timeout = \"8s\"\nview_timeout = \"2s\"\n")
.lasting("60s")
.with(
    "[[network.disks]]\npeers = \"peer-1\"\nfsync_low = \"150ms\"\nfsync_high = \"150ms\"\n\
     [[faults]]\nat = \"3s\"\nfor = \"3s\"\npartition = { isolate = \"peer-3\" }\n\
     [[faults]]\nat = \"6s\"\nfor = \"6s\"\ncrash = \"peer-1\"\n\
     [[faults]]\nat = \"6s\"\nfor = \"30s\"\npartition = { isolate = \"peer-2\" }\n",
);
