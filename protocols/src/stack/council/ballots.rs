//! The federation's rules on ballots and on whose they are, as its PBFT council keeps them.

use std::marker::PhantomData;

use borsh::BorshDeserialize;

use crate::federation::identity::IdentityRecord;
use crate::federation::rules::Rules;
use crate::identity::Keys;
use crate::pbft::{self, Rekeying, Roster};

/// PBFT whose ballots count by the rules `R`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Ballots<R: Rules>(PhantomData<R>);

impl<R: Rules> pbft::Rules for Ballots<R> {
    fn is_quorum(votes: usize, roster: &Roster) -> bool {
        votes >= R::quorum_of(roster.quorum())
    }

    fn is_prepared(prepares: usize, roster: &Roster) -> bool {
        prepares.saturating_add(1) >= R::quorum_of(roster.quorum())
    }

    fn counts_vote(voted_before: bool) -> bool {
        R::ballot_counts(voted_before)
    }

    fn is_member(key_is_of_member: bool) -> bool {
        R::voter_is_member(key_is_of_member)
    }

    fn signature_holds(verified: bool) -> bool {
        R::ballot_is_signed(verified)
    }

    fn is_this_epoch(equal: bool) -> bool {
        R::ballot_is_of_epoch(equal)
    }

    /// Keys are passed on and ended by the records that say so everywhere else.
    fn rekeying(proof: &[u8], keys: &mut Keys) -> Option<Rekeying> {
        let record = IdentityRecord::try_from_slice(proof).ok()?;
        record.verify::<R>(keys).ok()?;
        match record {
            IdentityRecord::Succession { said, .. } => Some(Rekeying {
                key: said.signer(),
                heir: Some(said.heir),
                by: said.signer(),
            }),
            IdentityRecord::Revocation { said } => Some(Rekeying {
                key: said.key,
                heir: said.replaced_by,
                by: said.signer(),
            }),
            IdentityRecord::Introduction { .. } | IdentityRecord::Enrolment { .. } => None,
        }
    }

    fn may_rekey(is_by_owner_or_guardian: bool) -> bool {
        R::may_reseat(is_by_owner_or_guardian)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::sync::Arc;

    use super::*;
    use crate::federation::terms::Organisation;
    use crate::federation::testing::needed;
    use crate::identity::KeyScheme;
    use crate::outbox::RequestId;
    use crate::pbft::{Epoch, Member, Operation, PbftConfig, PbftPeer};
    use crate::peer::PeerId;
    use crate::tabletop::{Tabletop, secret_seed};
    use crate::time::SimDuration;

    needed!(seats_are_their_owners: refuses_to_end_another_seat, SeatsForTheTaking, RecordsUnsigned);
    needed!(nobody_is_seated_unasked: refuses_an_unwilling_heir, HeirsUnasked);

    const OF: Organisation = Organisation(0);

    fn keys(slot: u32) -> Keys {
        Keys::new(KeyScheme::ideal([7; 32]), secret_seed(1, slot))
    }

    /// Four members that vote and a fifth one that only asks; the guardian of all is slot 9.
    fn council<R: Rules>() -> Tabletop<PbftPeer<Ballots<R>>> {
        let slots = || (0..5).map(PeerId);
        let member = |slot: PeerId| Member {
            slot,
            key: keys(slot.0).public(),
        };
        let clients = slots().map(|slot| (slot, keys(slot.0).public()));
        let roster = Roster::genesis(
            slots().take(4).map(member).collect(),
            clients.collect(),
            Default::default(),
        );
        let config = Arc::new(PbftConfig {
            checkpoint_interval: 4,
            window: 8,
            guardians: slots()
                .map(|slot| (slot, keys(9).public()))
                .collect::<BTreeMap<_, _>>(),
            ..PbftConfig::default()
        });
        let roster = Arc::new(roster);
        let seat = |slot: PeerId| match slot.0 {
            4 => PbftPeer::client(Arc::clone(&config), Arc::clone(&roster)),
            _ => PbftPeer::replica(Arc::clone(&config), Arc::clone(&roster)),
        };
        let delay = SimDuration::from_millis(10);
        let mut table = Tabletop::new(1, delay, slots().map(seat).collect());
        table.start_all();
        table
    }

    /// The roster at member 1 after slot 4 has put `record` to the council.
    fn after<R: Rules>(record: &IdentityRecord) -> Roster {
        let mut table = council::<R>();
        let proof = borsh::to_vec(record).expect("writing to memory does not fail");
        table.request(PeerId(4), RequestId(1), Operation::Rekey { proof });
        table.run_for(SimDuration::from_secs(3));
        let member = table.machine(PeerId(1)).as_replica();
        member.expect("a replica sits there").roster().clone()
    }

    fn refuses_to_end_another_seat<R: Rules>() -> bool {
        // Whoever is no guardian revokes, under its own name and under the guardian's.
        let said = |by: &mut Keys| IdentityRecord::revoke(by, OF, keys(2).public(), None);
        let own = said(&mut keys(4));
        let IdentityRecord::Revocation { said: real } = said(&mut keys(9)) else {
            return false;
        };
        let IdentityRecord::Revocation { said: other } = &own else {
            return false;
        };
        let forged =
            crate::signed::Signed::from_parts(*real.content(), real.signer(), other.signature());
        let forged = IdentityRecord::Revocation { said: forged };
        [own, forged].iter().all(|it| after::<R>(it).n() == 4)
    }

    fn refuses_an_unwilling_heir<R: Rules>() -> bool {
        // Slot 4 names a stranger its heir, who never said so.
        let mut thief = keys(4);
        let said = thief.sign(crate::federation::identity::Succession {
            heir: keys(7).public(),
        });
        let accepted = thief.sign(crate::federation::identity::Acceptance {
            predecessor: keys(4).public(),
        });
        let record = IdentityRecord::Succession { said, accepted };
        after::<R>(&record).epoch == Epoch(0)
    }

    #[test]
    fn a_guardian_ends_a_seat_and_an_owner_passes_it_on() {
        // The roster has one member less, or another key in the same seat, and names the next epoch.
        type Rules = crate::federation::rules::Strict;
        let revoked = IdentityRecord::revoke(&mut keys(9), OF, keys(2).public(), None);
        let roster = after::<Rules>(&revoked);
        assert_eq!(
            (roster.epoch, roster.n(), roster.quorum()),
            (Epoch(1), 3, 2)
        );
        assert_eq!(roster.replica_of(&keys(2).public()), None);
        let passed_on = IdentityRecord::succeed(&mut keys(2), &mut keys(7));
        let roster = after::<Rules>(&passed_on);
        assert_eq!((roster.epoch, roster.n()), (Epoch(1), 4));
        let seat = roster.replica_of(&keys(7).public());
        assert_eq!(roster.key_at(PeerId(2)), Some(keys(7).public()));
        assert_eq!(seat.map(|seat| seat.0), Some(2));
    }

    #[test]
    fn a_member_that_was_away_votes_under_its_other_key_when_it_is_back() {
        // It missed the handover to its own heir: it learns of it from others, who serve the key that it
        // still signs with. With member 1 silent its votes are needed.
        type Rules = crate::federation::rules::Strict;
        let mut table = council::<Rules>();
        table.give_keys(PeerId(2), vec![keys(7)]);
        table.carry_if(|from, to, _| from != PeerId(2) && to != PeerId(2));
        let proof = borsh::to_vec(&IdentityRecord::succeed(&mut keys(2), &mut keys(7)));
        let proof = proof.expect("writing to memory does not fail");
        table.request(PeerId(4), RequestId(1), Operation::Rekey { proof });
        table.run_for(SimDuration::from_secs(3));
        let epoch = |table: &Tabletop<PbftPeer<Ballots<Rules>>>| {
            let member = table.machine(PeerId(2)).as_replica();
            member.expect("a replica sits there").roster().epoch
        };
        assert_eq!(epoch(&table), Epoch(0));
        table.carry_if(|_, _, _| true);
        let enter = || Operation::Enter { value: vec![1] };
        table.request(PeerId(4), RequestId(2), enter());
        table.run_for(SimDuration::from_secs(5));
        assert_eq!(epoch(&table), Epoch(1));
        table.carry_if(|from, _, _| from != PeerId(1));
        table.request(PeerId(4), RequestId(3), enter());
        table.run_for(SimDuration::from_secs(10));
        let answered = table.replies.iter().map(|(id, _)| id.0);
        assert_eq!(answered.collect::<Vec<_>>(), [1, 2, 3]);
    }
}
