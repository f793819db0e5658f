//! The safety rules of SWIM as small named functions, so that each can be broken alone.
//!
//! [`Published`] is the protocol as published. A checker proves its worth against a type that
//! overrides one function here; nothing else in the machine decides what these decide.

use std::fmt::Debug;
use std::hash::Hash;

use crate::random::Stream;
use crate::time::SimDuration;

use super::config::{DeadRule, ProbeOrder};
use super::message::{ClaimKind, Incarnation};

/// What one member believes of another, in rising precedence at equal incarnation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Status {
    /// It answers, as far as anyone has said.
    Alive,
    /// Somebody got no answer; it may refute.
    Suspect,
    /// It did not refute in time.
    Dead,
    /// It said farewell.
    Left,
}

impl Status {
    /// Whether a member of this status is probed, gossiped to and counted.
    pub const fn is_live(self) -> bool {
        match self {
            Self::Alive | Self::Suspect => true,
            Self::Dead | Self::Left => false,
        }
    }
}

/// A status at an incarnation: what news say, or what is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct View {
    /// What the member is said to be.
    pub status: Status,
    /// At which of its incarnations.
    pub incarnation: Incarnation,
}

/// What was found out about the signature of an Alive record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RecordProof {
    /// The signer is the key that the record speaks for.
    pub signed_by_owner: bool,
    /// The signature is the signer's.
    pub signature_holds: bool,
}

/// What was found out about a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ClaimProof {
    /// The accuser's signature holds.
    pub signature_holds: bool,
    /// The accuser is on the list of members, in whatever status.
    pub accuser_listed: bool,
}

/// How long a suspicion may last, in Lifeguard's terms.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SuspicionTerms {
    /// With enough confirmations.
    pub min: SimDuration,
    /// With none; at least `min`.
    pub max: SimDuration,
    /// K: how many independent confirmations are enough.
    pub enough: u32,
}

/// The safety rules; every default is the published rule.
pub trait SwimRules: Clone + Debug + Default + Eq + Hash + Send + Sync + 'static {
    /// Whether an Alive record is believed to be its owner's.
    fn accepts_alive(proof: RecordProof) -> bool {
        proof.signed_by_owner && proof.signature_holds
    }

    /// Whether a claim is believed to be a member's. The record inside is judged by
    /// [`accepts_alive`](Self::accepts_alive).
    fn accepts_claim(proof: ClaimProof) -> bool {
        proof.signature_holds && proof.accuser_listed
    }

    /// Whether `news` replace what is `held` of the same member (SWIM section 4.2; memberlist
    /// `aliveNode`, `suspectNode`, `deadNode`).
    ///
    /// Under both rules a farewell ranks above Dead, so that all come to hold the same.
    fn overrides(rule: DeadRule, news: View, held: View) -> bool {
        match rule {
            DeadRule::Refutable => {
                (news.incarnation, news.status) > (held.incarnation, held.status)
            }
            DeadRule::Final => overrides_final(news, held),
        }
    }

    /// Whether a member that is at `own` answers a claim of `kind` made at `accused`; an older one
    /// is stale. Under the final rule Dead of any incarnation of the same life ends that life, so
    /// that one is never stale in it.
    fn refutes(rule: DeadRule, kind: ClaimKind, own: Incarnation, accused: Incarnation) -> bool {
        match (rule, kind) {
            (DeadRule::Final, ClaimKind::Dead) => accused.generation() >= own.generation(),
            (DeadRule::Final, ClaimKind::Suspect) | (DeadRule::Refutable, _) => accused >= own,
        }
    }

    /// The incarnation that answers a claim of `kind` made at `accused`, or `None` when there is no
    /// higher one. Under the final rule only a new generation answers Dead.
    fn next_incarnation(
        rule: DeadRule,
        kind: ClaimKind,
        own: Incarnation,
        accused: Incarnation,
    ) -> Option<Incarnation> {
        match (rule, kind) {
            (DeadRule::Final, ClaimKind::Dead) => own.max(accused).next_generation(),
            (DeadRule::Final, ClaimKind::Suspect) | (DeadRule::Refutable, _) => {
                own.max(accused).next()
            }
        }
    }

    /// Whether one's own record may be sent before its incarnation is durable.
    fn announces_before_durable() -> bool {
        false
    }

    /// Whether a probe that nobody answered leads to suspicion.
    fn suspects_the_silent() -> bool {
        true
    }

    /// How long a suspicion lasts after `confirmations` independent ones (Lifeguard section IV-B,
    /// memberlist `remainingSuspicionTime`): `max - (max - min) ln(C + 1) / ln(K + 1)`, to the
    /// millisecond below, never under `min`.
    fn suspicion_timeout(terms: SuspicionTerms, confirmations: u32) -> SimDuration {
        super::suspicion::timeout(terms, confirmations)
    }

    /// Whether an answer to the probe `answered` counts for the probe `current`.
    fn answer_counts(current: u32, answered: u32) -> bool {
        current == answered
    }

    /// How often one update is sent by one member in a group of `members`:
    /// `multiplier * ceil(log10(members + 1))`.
    fn transmission_limit(multiplier: u32, members: u32) -> u32 {
        multiplier.saturating_mul(ceil_log10(u64::from(members) + 1))
    }

    /// Which of the `len` places of the probe list is probed next, when the first `passed` have
    /// had their turn (`passed < len`).
    fn next_probe(order: ProbeOrder, passed: usize, len: usize, dice: &mut Stream) -> usize {
        let first = match order {
            ProbeOrder::RoundRobin => passed,
            ProbeOrder::Random => 0,
        };
        first + dice.below((len - first) as u64) as usize
    }

    /// Whether what a full state tells is taken over.
    fn merges_full_state() -> bool {
        true
    }
}

/// SWIM and Lifeguard as published.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Published;

impl SwimRules for Published {}

/// SWIM section 4.2 within one generation; a generation is what the paper calls another member.
fn overrides_final(news: View, held: View) -> bool {
    let generations = (news.incarnation.generation(), held.incarnation.generation());
    if generations.0 != generations.1 {
        return generations.0 > generations.1;
    }
    match (news.status, held.status) {
        (Status::Alive, Status::Alive | Status::Suspect) | (Status::Suspect, Status::Suspect) => {
            news.incarnation > held.incarnation
        }
        (Status::Suspect, Status::Alive) => news.incarnation >= held.incarnation,
        (Status::Dead, Status::Alive | Status::Suspect) => true,
        (Status::Left, Status::Alive | Status::Suspect | Status::Dead) => true,
        (Status::Alive | Status::Suspect | Status::Dead, Status::Dead | Status::Left) => false,
        (Status::Left, Status::Left) => false,
    }
}

/// The least `k` with `10^k >= n`, for `n >= 1`.
fn ceil_log10(n: u64) -> u32 {
    match n {
        0 | 1 => 0,
        _ => (n - 1).ilog10() + 1,
    }
}
