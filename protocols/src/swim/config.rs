//! What a SWIM member can be told: periods, bounds, and which of the published variants to follow.
//!
//! Must not know how a scenario file spells any of it.

use crate::time::SimDuration;

/// In which order members are probed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ProbeOrder {
    /// A shuffled list, walked to its end and shuffled again: no member waits more than 2m-1
    /// periods, m being the length of the list (SWIM section 4.3).
    RoundRobin,
    /// A uniformly random member each period: first detection of a crash takes e/(e-1) periods on
    /// average, but one observer may miss it for long (SWIM section 3).
    Random,
}

/// Whether a member that was declared dead may say otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DeadRule {
    /// SWIM section 4.2: Dead overrides Alive and Suspect at every incarnation of the same
    /// generation and nothing overrides it. Who was declared dead wrongly is told so and rejoins
    /// under a new generation, as `foca` does with a renewed identity.
    Final,
    /// memberlist: the higher incarnation wins, at equal incarnation Dead over Suspect over Alive;
    /// so whoever was declared dead wrongly refutes it with a higher incarnation.
    Refutable,
}

/// How a member comes to know the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Bootstrap {
    /// It exchanges full state with its seeds, again and again until one answers.
    Seeds,
    /// It starts with everyone's first signed Alive record, from a [`Roster`](super::Roster).
    Full,
}

/// The settings of one SWIM member. Spans of time are by the member's own clock.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SwimConfig {
    /// Time between two probes, T' in SWIM. Above zero. Shorter finds crashes sooner and costs more
    /// messages. memberlist `ProbeInterval`: 1 s LAN, 5 s WAN, 1 s local.
    pub protocol_period: SimDuration,
    /// How long to wait for the direct ack before asking proxies. Above zero and below
    /// [`protocol_period`](Self::protocol_period); about the 99th percentile of the round trip.
    /// memberlist `ProbeTimeout`: 500 ms LAN, 3 s WAN, 200 ms local.
    pub probe_timeout: SimDuration,
    /// How many proxies are asked to ping a silent member, k in SWIM; 0 asks nobody.
    /// memberlist `IndirectChecks`: 3 LAN, 3 WAN, 1 local.
    pub proxies: u32,
    /// In which order members are probed.
    pub probe_order: ProbeOrder,
    /// The shortest suspicion lasts this times `max(1, log10 n)` protocol periods. At least 1;
    /// higher gives the suspect more time to refute and finds crashes later.
    /// memberlist `SuspicionMult`: 4 LAN, 6 WAN, 3 local.
    pub suspicion_multiplier: u32,
    /// The longest suspicion lasts this times the shortest, if
    /// [`dynamic_suspicion`](Self::dynamic_suspicion) is on. At least 1. memberlist
    /// `SuspicionMaxTimeoutMult`: 6 (beta in Lifeguard section IV-B).
    pub suspicion_max_multiplier: u32,
    /// Which of the two published precedence rules holds for Dead.
    pub dead: DeadRule,
    /// lambda: an update is sent at most lambda * ceil(log10(n + 1)) times. At least 1; higher
    /// spreads news more surely. memberlist `RetransmitMult`: 4 LAN, 4 WAN, 2 local.
    pub retransmit_multiplier: u32,
    /// Updates that fit into one ping, ack, nack or gossip message. At least 1. Ours: 6, what
    /// memberlist's 1,400 bytes hold of our signed records.
    pub piggyback_limit: u32,
    /// Time between two rounds of gossip beside the piggyback; zero leaves piggyback alone, as in
    /// SWIM. memberlist `GossipInterval`: 200 ms LAN, 500 ms WAN, 100 ms local.
    pub gossip_interval: SimDuration,
    /// Members that get gossip each round; 0 is as good as no gossip. memberlist `GossipNodes`:
    /// 3 LAN, 4 WAN, 3 local.
    pub gossip_fanout: u32,
    /// How long a dead member still gets gossip, so that it learns of its death; zero for never.
    /// memberlist `GossipToTheDeadTime`: 30 s LAN, 60 s WAN, 15 s local.
    pub gossip_to_dead: SimDuration,
    /// Time between two exchanges of full state with a random member; zero for never.
    /// memberlist `PushPullInterval`: 30 s LAN, 60 s WAN, 15 s local.
    pub push_pull_interval: SimDuration,
    /// Whether that interval grows by ceil(log2 n - 5) + 1 above 32 members (memberlist
    /// `pushPullScale`).
    pub push_pull_scaling: bool,
    /// Whether dead members may be drawn for the exchange of full state. On, two halves of a group
    /// that declared each other dead merge after a heal however long they were apart; memberlist
    /// leaves that to Serf's reconnect and never draws one.
    pub push_pull_to_dead: bool,
    /// Lifeguard's self-awareness (section IV-A): a member whose own probes fail without nacks
    /// probes more slowly and more patiently.
    pub local_health: bool,
    /// Lifeguard's dynamic suspicion (section IV-B): long at first, shorter with each independent
    /// confirmation. Off, every suspicion lasts the shortest time.
    pub dynamic_suspicion: bool,
    /// Lifeguard's buddy (section IV-C): a suspect is told first, with the next ping it gets.
    pub buddy: bool,
    /// The local health score stays below this. At least 1. memberlist
    /// `AwarenessMaxMultiplier`: 8.
    pub local_health_max: u32,
    /// How a member comes to know the others; tells who builds the machine whether to call
    /// [`Swim::new`](super::Swim::new) or [`Swim::with_roster`](super::Swim::with_roster).
    pub bootstrap: Bootstrap,
    /// Time between two attempts to join through the seeds. Above zero. Ours: 1 s.
    pub join_retry: SimDuration,
    /// How long a leaving member waits for its news to be sent out. Above zero. Serf
    /// `BroadcastTimeout`: 5 s.
    pub leave_timeout: SimDuration,
    /// Whether each probe is reported. Off by default: it is the most frequent fact of all.
    pub report_probes: bool,
}

impl Default for SwimConfig {
    fn default() -> Self {
        Self::lan()
    }
}

impl SwimConfig {
    /// memberlist's `DefaultLANConfig`.
    pub fn lan() -> Self {
        Self {
            protocol_period: SimDuration::from_secs(1),
            probe_timeout: SimDuration::from_millis(500),
            proxies: 3,
            probe_order: ProbeOrder::RoundRobin,
            suspicion_multiplier: 4,
            suspicion_max_multiplier: 6,
            dead: DeadRule::Refutable,
            retransmit_multiplier: 4,
            piggyback_limit: 6,
            gossip_interval: SimDuration::from_millis(200),
            gossip_fanout: 3,
            gossip_to_dead: SimDuration::from_secs(30),
            push_pull_interval: SimDuration::from_secs(30),
            push_pull_scaling: true,
            push_pull_to_dead: true,
            local_health: true,
            dynamic_suspicion: true,
            buddy: true,
            local_health_max: 8,
            bootstrap: Bootstrap::Seeds,
            join_retry: SimDuration::from_secs(1),
            leave_timeout: SimDuration::from_secs(5),
            report_probes: false,
        }
    }

    /// memberlist's `DefaultWANConfig`.
    pub fn wan() -> Self {
        Self {
            protocol_period: SimDuration::from_secs(5),
            probe_timeout: SimDuration::from_secs(3),
            suspicion_multiplier: 6,
            gossip_interval: SimDuration::from_millis(500),
            gossip_fanout: 4,
            gossip_to_dead: SimDuration::from_secs(60),
            push_pull_interval: SimDuration::from_secs(60),
            ..Self::lan()
        }
    }

    /// memberlist's `DefaultLocalConfig`, for the loopback of one machine.
    pub fn local() -> Self {
        Self {
            probe_timeout: SimDuration::from_millis(200),
            proxies: 1,
            suspicion_multiplier: 3,
            retransmit_multiplier: 2,
            gossip_interval: SimDuration::from_millis(100),
            gossip_to_dead: SimDuration::from_secs(15),
            push_pull_interval: SimDuration::from_secs(15),
            ..Self::lan()
        }
    }

    /// SWIM as published in 2002: Dead is final, suspicion has one length, news travel on pings and
    /// acks alone, and nobody exchanges full state but who joins.
    pub fn swim_2002() -> Self {
        Self {
            dead: DeadRule::Final,
            gossip_interval: SimDuration::ZERO,
            push_pull_interval: SimDuration::ZERO,
            local_health: false,
            dynamic_suspicion: false,
            buddy: false,
            ..Self::lan()
        }
    }

    /// Whether the settings can work together.
    ///
    /// # Errors
    /// The name of the first field that cannot, and what is right.
    pub fn validate(&self) -> Result<(), (&'static str, String)> {
        let spans = [
            ("protocol_period", self.protocol_period),
            ("probe_timeout", self.probe_timeout),
            ("join_retry", self.join_retry),
            ("leave_timeout", self.leave_timeout),
        ];
        if let Some((field, _)) = spans.iter().find(|(_, span)| span.is_zero()) {
            return Err((field, "must be above zero".to_owned()));
        }
        if self.probe_timeout >= self.protocol_period {
            let period = self.protocol_period;
            let wanted = format!("must be below protocol_period, {period}");
            return Err(("probe_timeout", wanted));
        }
        let counts = [
            ("suspicion_multiplier", self.suspicion_multiplier),
            ("suspicion_max_multiplier", self.suspicion_max_multiplier),
            ("retransmit_multiplier", self.retransmit_multiplier),
            ("piggyback_limit", self.piggyback_limit),
            ("local_health_max", self.local_health_max),
        ];
        match counts.iter().find(|(_, count)| *count == 0) {
            Some((field, _)) => Err((field, "must be at least 1".to_owned())),
            None => Ok(()),
        }
    }
}
