//! Third parties: who countersigns whose heads, and what they refuse.
//!
//! Must not know logs but by their heads.

use std::collections::BTreeMap;
use std::marker::PhantomData;

use super::record::{Entry, Record, Witness};
use crate::federation::head::Head;
use crate::federation::rules::{Rules, Strict};
use crate::identity::{Identity, Keys};
use crate::signed::Signed;
use crate::time::LocalTime;

/// What one peer remembers of the heads it countersigned.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Witnesses<R: Rules = Strict> {
    seen: BTreeMap<Identity, Signed<Head>>,
    rules: PhantomData<R>,
}

impl<R: Rules> Default for Witnesses<R> {
    fn default() -> Self {
        Self {
            seen: BTreeMap::new(),
            rules: PhantomData,
        }
    }
}

/// Two heads of one number that their owner signed: it keeps two logs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fork {
    /// The head seen first.
    pub seen: Signed<Head>,
    /// The other one.
    pub offered: Signed<Head>,
}

impl<R: Rules> Witnesses<R> {
    /// What was countersigned before a restart, as the own log has it.
    pub fn recover<'a>(records: impl IntoIterator<Item = &'a Record>) -> Self {
        let mut witnesses = Self::default();
        for record in records {
            if let Entry::Witnessed { head } = &record.entry {
                let owner = head.signer().identity();
                witnesses.seen.insert(owner, head.clone());
            }
        }
        witnesses
    }

    /// Countersigns a head. `Ok(None)` if it is not its owner's, or behind what was seen before.
    ///
    /// # Errors
    /// If the owner signed another head of this number before.
    pub fn countersign(
        &mut self,
        now: LocalTime,
        head: &Signed<Head>,
        keys: &mut Keys,
    ) -> Result<Option<Signed<Witness>>, Fork> {
        if !R::witnesses_signed(keys.verify(head)) {
            return Ok(None);
        }
        let owner = head.signer().identity();
        if let Some(seen) = self.seen.get(&owner) {
            if seen.number == head.number && seen.hash != head.hash {
                return Err(Fork {
                    seen: seen.clone(),
                    offered: head.clone(),
                });
            }
            if !R::witnesses_growth(head.number >= seen.number) {
                return Ok(None);
            }
        }
        self.seen.insert(owner, head.clone());
        let head = head.clone();
        Ok(Some(keys.sign(Witness { head, at: now })))
    }
}

/// Who countersigns in this round: so many of the candidates, in turn, so that all come to it.
pub fn third_parties(candidates: &[Identity], round: u64, count: usize) -> Vec<Identity> {
    let Some(length) = u64::try_from(candidates.len())
        .ok()
        .filter(|length| *length > 0)
    else {
        return Vec::new();
    };
    let count = count.min(candidates.len());
    let first = round.wrapping_mul(count as u64) % length;
    let nth = |nth: u64| candidates[((first + nth) % length) as usize];
    (0..count as u64).map(nth).collect()
}
