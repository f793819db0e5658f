//! Who does not keep to the protocol, when, and how.

use fedsim_protocols::{PeerId, Probability, SimDuration};

use super::faults::When;

/// Whom an entry of `[[adversaries]]` means.
#[derive(Clone, Debug, PartialEq)]
pub enum Who {
    /// These.
    Peers(Vec<PeerId>),
    /// So many of these, drawn once a run.
    Drawn {
        /// How many; at least 1.
        count: u32,
        /// Of whom.
        of: Vec<PeerId>,
    },
    /// This share of these, rounded down, drawn once a run.
    Share {
        /// Which share.
        fraction: Probability,
        /// Of whom.
        of: Vec<PeerId>,
    },
    /// One member of every organisation, drawn once a run.
    OnePerOrganisation,
    /// No peer: whoever decides how long each message takes.
    Network,
}

/// The settings that a behaviour may have; each has a usual value where nothing is said.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct BehaviourSettings {
    /// Whom it is aimed at; everybody else if nothing is said.
    pub target: Option<Vec<PeerId>>,
    /// Which kinds of message it touches; all if nothing is said.
    pub kinds: Option<Vec<String>>,
    /// The share of the messages that it could touch which it does touch; all if nothing is said.
    pub share: Option<Probability>,
    /// From one of its own acts to the next; 500 ms if nothing is said.
    pub pace: Option<SimDuration>,
    /// How long it holds messages; just below the protocol's timeout if nothing is said.
    pub by: Option<SimDuration>,
    /// How much of it at a time: copies, sybils, steps, records; 1 if nothing is said.
    pub amount: Option<u32>,
    /// What it does to records of its audit log.
    pub tamper: Option<Tamper>,
    /// To which records.
    pub stretch: Option<Stretch>,
    /// Of what a `share` is drawn.
    pub scope: Option<Scope>,
    /// In how many rounds it acts at most; in all that are drawn if nothing is said.
    pub rounds: Option<u32>,
    /// How many peers it acts against in each round; any number if nothing is said.
    pub receivers: Option<u32>,
}

/// What a behaviour draws: each message by itself, or whole rounds of the protocol.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Scope {
    /// One message to one peer.
    #[default]
    Message,
    /// All messages of one kind about one thing (a view and sequence number, a term and index, a
    /// period), to some of the peers, drawn anew for each round (Winter et al. 2023).
    Round,
}

/// What is done to records of an audit log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tamper {
    /// They say something else.
    #[default]
    Alter,
    /// They are gone.
    Remove,
}

/// Which records of an audit log are meant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Stretch {
    /// The last ones before a head that a third party countersigned.
    #[default]
    Countersigned,
    /// The last ones, behind every head that its owner signed to somebody.
    Latest,
}

impl BehaviourSettings {
    /// The span between acts.
    pub fn pace(&self) -> SimDuration {
        self.pace.unwrap_or(SimDuration::from_millis(500))
    }

    /// The share of messages touched.
    pub fn share(&self) -> Probability {
        self.share.unwrap_or(Probability::ONE)
    }

    /// How much at a time.
    pub fn amount(&self) -> u32 {
        self.amount.unwrap_or(1)
    }
}

/// One entry of `[[adversaries]]`.
#[derive(Clone, Debug, PartialEq)]
pub struct AdversarySpec {
    /// Its name in reports.
    pub label: String,
    /// Who.
    pub who: Who,
    /// When it begins.
    pub when: When,
    /// How long it lasts; none is until the end of the run.
    pub lasts: Option<SimDuration>,
    /// Over for good at this time.
    pub heal_by: Option<SimDuration>,
    /// The cabal whose members share keys and all they know, at once; empty: each for himself.
    pub cabal: String,
    /// What they do, all of it together.
    pub what: Vec<Behaviour>,
    /// How.
    pub settings: BehaviourSettings,
}

macro_rules! behaviours {
    ($($variant:ident $name:literal [$($of:literal)*] [$($takes:literal)*] $about:literal)*) => {
        /// One thing that an adversary does.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Behaviour {
            $(#[doc = $about] $variant,)*
        }

        impl Behaviour {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// Its word in scenario files.
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// The protocols that it is made for; empty for any.
            pub fn protocols(self) -> &'static [&'static str] {
                match self { $(Self::$variant => &[$($of),*],)* }
            }

            /// The settings that change it.
            pub fn takes(self) -> &'static [&'static str] {
                match self { $(Self::$variant => &[$($takes),*],)* }
            }

            /// What it does, in a sentence.
            pub fn about(self) -> &'static str {
                match self { $(Self::$variant => $about,)* }
            }
        }
    };
}

behaviours! {
    Silent "silent" [] [] "Hears everything and sends nothing."
    CrashStop "crash-stop" [] [] "Handles nothing and sends nothing."
    Delay "delay" [] ["by" "target" "kinds" "share" "scope" "rounds" "receivers"] "Holds what it sends by `by`; just below the protocol's timeout if that is left out."
    Drop "drop" [] ["target" "kinds" "share" "scope" "rounds" "receivers"] "Sends nothing to `target`."
    Omit "omit" [] ["target" "kinds" "share" "scope" "rounds" "receivers"] "Neither sends to nor hears `target`: general omission (Perry and Toueg 1986)."
    Duplicate "duplicate" [] ["target" "kinds" "share" "amount" "scope" "rounds" "receivers"] "Sends `amount` further copies."
    Replay "replay" [] ["target" "kinds" "pace" "amount"] "Every `pace` sends `amount` old messages again: its own, those it got, and those it overheard between others."
    Corrupt "corrupt" [] ["target" "kinds" "share" "scope" "rounds" "receivers"] "Turns one bit of the encoding; what does not decode is garbage and is counted."
    Equivocate "equivocate" [] ["kinds" "share"] "Tells a fixed half of the others something else than the rest."
    Flood "flood" [] ["target" "kinds" "pace" "amount"] "Every `pace` sends its last message `amount` times more to everybody."
    Lie "lie" [] ["target" "kinds" "share" "scope" "rounds" "receivers"] "Tells others that it is in another state than it is."
    Twins "twins" [] ["target"] "Two instances with one identity on both sides of a cut (Bano et al. 2020): `target` hears the second only, the others the first."
    Mutate "mutate" [] ["target" "kinds" "share" "scope" "rounds" "receivers"] "Changes one field of a message by a small step and signs it anew (small-scope mutation, Winter et al. 2023); with `scope = \"round\"` in the same way to all who get it."
    Random "random" [] ["amount"] "Draws `amount` behaviours from those that fit the protocol, anew in each run."
    TermInflation "term-inflation" ["raft" "federation"] ["target" "pace" "amount"] "Every `pace` stands for election in a term `amount` higher."
    SeizeLeadership "seize-leadership" ["raft" "federation"] ["pace" "target"] "Every `pace`, unless it leads, has `target` begin another term, until it is the one elected."
    DoubleVote "double-vote" ["raft" "federation"] ["share"] "Votes for everybody who asks."
    ForgedLog "forged-log" ["raft" "federation"] ["pace" "target"] "Every `pace` appends invented entries to the logs of followers, as if it led."
    LyingLeader "lying-leader" ["raft" "federation"] ["share"] "While it leads, gives a fixed half of the followers other commands than the rest."
    ForgedCommitIndex "forged-commit-index" ["raft" "federation"] ["share" "target"] "While it leads, calls everything it sends committed; as a follower, acknowledges what it does not have."
    VoteWithholding "vote-withholding" ["raft" "pbft" "federation"] [] "Never gives a vote that others need."
    FalseSuspicion "false-suspicion" ["swim"] ["target" "pace"] "Every `pace` accuses `target`, who is alive: suspected first, then dead."
    IncarnationInflation "incarnation-inflation" ["swim"] ["target" "pace"] "Every `pace` announces the highest incarnation there is, its own, and `target`'s under its own signature."
    Resurrection "resurrection" ["swim"] ["target" "pace"] "Every `pace` tells everybody that `target`, who is dead, lives: by its old records and by a newer one with a signature that is not its."
    Sybil "sybil" ["swim"] ["amount" "pace"] "Every `pace` announces `amount` members that do not exist, each with a key of its own."
    LiveSybil "live-sybil" ["swim"] ["amount" "pace"] "Announces `amount` members that do not exist, after a `pace`, and holds them alive: answers pings for them and refutes whatever is said against them."
    Eclipse "eclipse" ["swim" "rumor"] ["target"] "Sends `target` nothing, and nobody anything about `target`; answers others in its place."
    PoisonedRecords "poisoned-records" ["swim" "rumor"] ["pace" "target"] "Passes on records whose content it has changed."
    IdSuppression "id-suppression" ["rumor"] ["target" "pace" "amount"] "Every `pace` tells `amount` rumors under the ids that `target` will use next."
    RefuseRelay "refuse-relay" ["swim" "rumor"] [] "Takes part, but passes on nobody's news."
    EquivocatingPrimary "equivocating-primary" ["pbft" "federation"] ["share"] "As primary, assigns two batches to one place, one for each half of the backups, and votes for both."
    VoteForBoth "vote-for-both" ["pbft" "federation"] [] "Votes for whatever the cabal's primary assigned, to whom it was assigned; the primary itself does so anyway."
    SkipSequence "skip-sequence" ["pbft" "federation"] ["share"] "As primary, leaves places out."
    JumpSequence "jump-sequence" ["pbft" "federation"] ["share"] "As primary, assigns the highest place within the watermarks."
    SlowPrimary "slow-primary" ["pbft" "federation"] ["by"] "As primary, assigns places only just before the backups lose patience."
    ForgedViewChange "forged-view-change" ["pbft" "federation"] ["pace"] "Every `pace` asks for the next view with certificates that are too small, doubly or wrongly signed, or of a request that nobody made."
    StaleCertificates "stale-certificates" ["pbft" "federation"] [] "In its view-changes names for each place the oldest batch that it can prove prepared, and none of the view just left."
    BygoneVotes "bygone-votes" ["pbft" "federation"] ["pace" "target"] "Every `pace` sends `target` again what was signed for an earlier roster about places that the present one orders."
    DishonestNewView "dishonest-new-view" ["pbft" "federation"] [] "As the next primary, begins a view without what had prepared, or with too few different view-changes."
    ViewChangeStorm "view-change-storm" ["pbft" "federation"] ["pace" "amount"] "Every `pace` asks for the view `amount` higher."
    FalseCheckpoint "false-checkpoint" ["pbft" "federation"] ["share"] "Vouches for states that nobody has."
    LyingStateTransfer "lying-state-transfer" ["pbft" "federation"] ["share"] "Answers those who fell behind with an altered state."
    ForgedVotes "forged-votes" ["pbft" "federation"] ["pace"] "With each of its commits votes in everybody's name, and every `pace` asks for something in a client's: under its own key, and under theirs with a signature that does not verify."
    RecastVotes "recast-votes" ["pbft" "federation"] [] "Passes on the prepares that it gets as commits, under the signatures of the prepares."
    SwappedBatch "swapped-batch" ["pbft" "federation"] ["share"] "As primary, sends a fixed half of the backups another batch than the one whose digest it signed."
    HalfCommits "half-commits" ["pbft" "federation"] [] "Sends commits to a fixed half of the others only."
    TimestampReuse "timestamp-reuse" ["pbft" "federation"] [] "As a client, puts different requests under one timestamp."
    SparePrimary "spare-primary" ["pbft" "federation"] [] "As a client, asks everybody but the primary."
    Impersonate "impersonate" ["federation"] ["target" "pace" "amount"] "Every `pace` asks `target` for something in the name of another peer, under its own signature."
    Tamper "tamper" ["federation"] ["target" "pace" "amount"] "Every `pace` sends `target` an action that it overheard with another content, under the signature that stood on it."
    Overreach "overreach" ["federation"] ["target" "pace" "amount"] "Every `pace` asks `target` for what needs a capability that it has not: to start an agent, for memory, for a hand-off."
    PrivilegeClaim "privilege-claim" ["federation"] ["target" "pace" "amount"] "Every `pace` asks `target` to start an agent, and calls that by a capability that it has."
    SelfMadeGrant "self-made-grant" ["federation"] ["target" "pace" "amount"] "Every `pace` asks `target` for its memory, with a chain of grants that it made itself."
    ExpiredAction "expired-action" ["federation"] ["target" "pace" "amount"] "Every `pace` asks `target` for something that has expired, or will have, before it is done, for longer than clocks may differ."
    MalformedAction "malformed-action" ["federation"] ["target" "pace" "amount"] "Every `pace` sends `target` an envelope that is too large, is valid for too long or contradicts itself."
    BudgetCopying "budget-copying" ["federation"] ["target" "pace" "amount"] "Every `pace` asks `target` for something of its own, `amount` times, and names the account that pays for what it was asked for last."
    DelegationRing "delegation-ring" ["federation"] ["pace" "amount"] "Every `pace` asks whoever asked it last for the same, `amount` times, under the same budget and as if nobody had handed it on."
    HopInflation "hop-inflation" ["federation"] ["target" "share"] "Says of what it hands on that nobody handed it on before, and that it may go as far as anything may."
    CostCascade "cost-cascade" ["federation"] ["target" "share" "amount"] "Gives each part of what it hands on `amount` times the money that it has for it, twice at least."
    RelayHandshake "relay-handshake" ["federation"] ["target"] "Passes on every session that another begins with it to the first `target`, and what that answers back."
    StolenKey "stolen-key" ["federation"] ["target" "pace" "amount"] "Every `pace` sends `target` an action signed with the key that it began with."
    NameSquatting "name-squatting" ["federation"] ["target" "pace" "amount"] "Every `pace` introduces itself to `target` under the nickname of another, and asks for something in that name."
    PoisonedKeys "poisoned-keys" ["federation"] ["target" "pace" "amount"] "Every `pace` tells `target`, and puts to the council, something of another's key that neither that one nor its organisation said: that it was revoked, that it has an heir, or that it is one."
    TwoHeirs "two-heirs" ["federation"] ["target" "pace"] "Every `pace` names two heirs of its own key, one to each half of the others."
    InventedPeers "invented-peers" ["federation"] ["target" "pace" "amount"] "Every `pace` introduces `amount` peers that do not exist, each by a key of its own."
    BorrowedNames "borrowed-names" ["federation"] ["target" "pace" "amount"] "Every `pace` puts `amount` proposals to the council in the name of `target`."
    AuditTamper "audit-tamper" ["federation"] ["tamper" "stretch" "amount"] "Changes `amount` records of its own audit log before it hands the log over at the end of the run."
    LongestDelays "longest-delays" [] [] "Every message takes as long as `[assume]` allows."
    RandomDelays "random-delays" [] [] "Every message takes any time that `[assume]` allows."
    AimAtLeader "aim-at-leader" [] [] "Messages from and to whoever it last overheard leading take longest, all others the shortest time."
    SplitDelays "split-delays" [] ["pace"] "Messages between two halves, drawn anew every `pace`, take longest, all others the shortest time."
    CutRounds "cut-rounds" [] ["share"] "In a `share` of the protocol's rounds messages between two halves, drawn anew for each round, take longest; all others as long as their links say (network faults of Winter et al. 2023)."
    NewestFirst "newest-first" [] [] "What was sent earlier within each bound arrives later."
}

impl Behaviour {
    /// Whether it is about the delays of the network and not about a peer.
    pub fn is_of_network(self) -> bool {
        matches!(
            self,
            Self::LongestDelays
                | Self::RandomDelays
                | Self::AimAtLeader
                | Self::SplitDelays
                | Self::CutRounds
                | Self::NewestFirst
        )
    }

    /// Whether whoever does it overhears what others say to each other.
    pub fn overhears(self) -> bool {
        matches!(self, Self::Replay | Self::Tamper)
    }

    /// Whether peers that run one of `protocols` can do it.
    pub fn fits(self, protocols: &[&str]) -> bool {
        let of = self.protocols();
        of.is_empty() || protocols.iter().any(|name| of.contains(name))
    }
}
