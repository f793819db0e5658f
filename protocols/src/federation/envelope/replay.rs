//! Which envelopes were seen, for as long as they could be taken for fresh.
//!
//! What is remembered is the (source, nonce) of each envelope, not a highest number: honest
//! envelopes overtake each other. An entry may go once its envelope is too old for the freshness
//! stage; a clock that is set back afterwards does not bring it back to life, because what was
//! forgotten stays refused.

use std::collections::{BTreeMap, BTreeSet};
use std::marker::PhantomData;

use borsh::{BorshDeserialize, BorshSerialize};

use crate::federation::rules::{Rules, Strict};
use crate::federation::terms::Nonce;
use crate::fold_struct;
use crate::identity::Identity;
use crate::time::{LocalTime, SimDuration};

/// One envelope that was seen. Durable before the envelope has any effect.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, BorshSerialize, BorshDeserialize,
)]
pub struct Seen {
    /// When it can be forgotten: its expiry.
    pub expires_at: LocalTime,
    /// Whose it is.
    pub source: Identity,
    /// Which one.
    pub nonce: Nonce,
}

fold_struct!(Seen {
    expires_at,
    source,
    nonce
});

/// What the cache says of an envelope.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Admission {
    /// Not seen before; remembered from now on.
    New(Seen),
    /// Seen before, or of a time of which nothing is remembered any more.
    Seen,
    /// The source has as many envelopes under way as are remembered of one source.
    Full,
}

/// The envelopes that one peer remembers.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Replays<R: Rules = Strict> {
    /// The most entries a source; so no source fills the memory or pushes others out.
    capacity_per_source: u32,
    skew: SimDuration,
    by_source: BTreeMap<Identity, BTreeSet<Nonce>>,
    by_expiry: BTreeSet<Seen>,
    /// What expires earlier may have been forgotten.
    forgotten_before: LocalTime,
    /// What was issued up to here may have been seen by a peer whose disk forgot it.
    unknown_upto: Option<LocalTime>,
    rules: PhantomData<R>,
}

impl<R: Rules> Replays<R> {
    /// Remembers at most `capacity_per_source` envelopes a source until `skew` after their expiry.
    pub fn new(capacity_per_source: u32, skew: SimDuration) -> Self {
        Self {
            capacity_per_source,
            skew,
            by_source: BTreeMap::new(),
            by_expiry: BTreeSet::new(),
            forgotten_before: LocalTime::from_nanos(i64::MIN),
            unknown_upto: None,
            rules: PhantomData,
        }
    }

    /// Takes up again what was durable before a restart.
    ///
    /// Not `is_complete` if the disk lost some: then whatever was issued before now, by any clock
    /// within the assumed skew, counts as seen.
    pub fn restore(
        &mut self,
        seen: impl IntoIterator<Item = Seen>,
        is_complete: bool,
        now: LocalTime,
    ) {
        if !R::remembers_over_restart() {
            return;
        }
        seen.into_iter().for_each(|seen| self.remember(seen));
        if !is_complete {
            self.unknown_upto = Some(now + self.skew);
        }
    }

    /// Judges an envelope issued at `issued_at`, and remembers it if it is new.
    pub fn admit(&mut self, seen: Seen, issued_at: LocalTime, now: LocalTime) -> Admission {
        self.forget(now);
        let of_source = self.by_source.get(&seen.source);
        let is_known = of_source.is_some_and(|nonces| nonces.contains(&seen.nonce));
        let is_forgotten = seen.expires_at < self.forgotten_before
            || self.unknown_upto.is_some_and(|upto| issued_at <= upto);
        if !R::may_be_taken(is_known || is_forgotten) {
            return Admission::Seen;
        }
        if of_source.map_or(0, BTreeSet::len) >= self.capacity_per_source as usize {
            return Admission::Full;
        }
        self.remember(seen);
        Admission::New(seen)
    }

    fn remember(&mut self, seen: Seen) {
        if self
            .by_source
            .entry(seen.source)
            .or_default()
            .insert(seen.nonce)
        {
            self.by_expiry.insert(seen);
        }
    }

    /// Forgets what the freshness stage refuses anyway.
    fn forget(&mut self, now: LocalTime) {
        let skew = i64::try_from(self.skew.as_nanos()).unwrap_or(i64::MAX);
        let horizon = LocalTime::from_nanos(now.as_nanos().saturating_sub(skew));
        self.forgotten_before = self.forgotten_before.max(horizon);
        while let Some(seen) = self.by_expiry.first().copied()
            && seen.expires_at < self.forgotten_before
        {
            self.by_expiry.pop_first();
            if let Some(nonces) = self.by_source.get_mut(&seen.source) {
                nonces.remove(&seen.nonce);
                if nonces.is_empty() {
                    self.by_source.remove(&seen.source);
                }
            }
        }
    }

    /// How many envelopes are remembered.
    pub fn len(&self) -> usize {
        self.by_expiry.len()
    }

    /// Whether none is remembered.
    pub fn is_empty(&self) -> bool {
        self.by_expiry.is_empty()
    }
}
