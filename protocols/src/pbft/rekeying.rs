//! A member's key ends, or another takes its place: decided like a change of the group.
//!
//! Ours, as the papers fix the keys as well. A proof is read by [`Rules::rekeying`], since PBFT does not
//! know in which words keys are passed on; whose word counts is decided here:
//!
//! ```text
//!   the key itself ──names its heir──▶ the heir signs as replica and as client
//!   its guardian ──names an heir, or none──▶ the same, or its owner leaves the group
//! ```
//!
//! In force from the next checkpoint on, when votes name another epoch.

use crate::identity::PublicKey;
use crate::peer::PeerId;

use super::message::Request;
use super::replica::{Ctx, Pbft};
use super::roster::Roster;
use super::rules::Rules;
use super::store::Operation;

/// What is to become of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Rekeying {
    /// The key.
    pub key: PublicKey,
    /// What takes its place, if anything.
    pub heir: Option<PublicKey>,
    /// Who says so.
    pub by: PublicKey,
}

impl<R: Rules> Pbft<R> {
    /// What a request wants to become of a key, if whoever may say so does.
    pub(super) fn warranted(&self, request: &Request, ctx: &mut Ctx<'_, R>) -> Option<Rekeying> {
        let Operation::Rekey { proof } = &request.operation else {
            return None;
        };
        let rekeying = R::rekeying(proof, ctx.keys())?;
        let (owner, present) = self.state.latest_roster().holder_of(&rekeying.key)?;
        let is_own = rekeying.by == rekeying.key && present == rekeying.key;
        let is_guardians = self.config.guardians.get(&owner) == Some(&rekeying.by);
        R::may_rekey(is_own || is_guardians).then_some(rekeying)
    }
}

impl Roster {
    /// Whose key it is or was, and what that one signs with now.
    pub(super) fn holder_of(&self, key: &PublicKey) -> Option<(PeerId, PublicKey)> {
        let clients = self.clients.iter().map(|(slot, key)| (*slot, *key));
        let replicas = self.membership.replicas.iter();
        let mut all = clients.chain(replicas.map(|member| (member.slot, member.key)));
        all.find(|(_, present)| present == key).or_else(|| {
            let slot = *self.former.get(key)?;
            Some((slot, self.key_at(slot)?))
        })
    }

    /// This roster with a key passed on or ended; none if it is nobody's, or nobody would be left.
    pub(super) fn rekeyed(&self, rekeying: &Rekeying) -> Option<Self> {
        let (slot, present) = self.holder_of(&rekeying.key)?;
        let mut next = self.clone();
        next.former.insert(present, slot);
        let (clients, replicas) = (&mut next.clients, &mut next.membership.replicas);
        match rekeying.heir {
            Some(heir) if self.holder_of(&heir).is_some() => return None,
            Some(heir) => {
                let of_client = clients.values_mut().filter(|key| **key == present);
                let of_replica = replicas.iter_mut().map(|member| &mut member.key);
                let all = of_client.chain(of_replica.filter(|key| **key == present));
                all.for_each(|key| *key = heir);
            }
            None => {
                clients.retain(|_, key| *key != present);
                replicas.retain(|member| member.key != present);
            }
        }
        next.membership.is_valid().then_some(next)
    }
}
