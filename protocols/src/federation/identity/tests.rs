//! What records are believed, how they merge, and what becomes of a key.

use proptest::prelude::*;

use super::*;
use crate::federation::grant::{Parties, Party};
use crate::federation::rules::{Rules, Strict};
use crate::federation::testing::{
    ACME, GLOBEX, empty_registry, keys, membership, needed, registry, root,
};
use crate::identity::{Identity, KeyScheme, Keys, SecretSeed};
use crate::peer::PeerId;
use crate::signed::Signed;

needed!(records_prove_themselves: refuses_a_forged_enrolment, RecordsUnsigned);
needed!(only_roots_enrol: refuses_an_enrolment_by_a_member, RootsUnchecked);
needed!(an_heir_consents: refuses_an_heir_who_was_not_asked, HeirsUnasked);
needed!(a_pin_holds: refuses_another_key_at_a_pinned_address, PinsIgnored);
needed!(two_heirs_are_none: follows_neither_of_two_heirs, DisputesIgnored);
needed!(a_root_revokes_its_own: keeps_its_member_against_another_root, AnyoneRevokes);
needed!(a_revoked_key_is_barred: bars_a_revoked_key, RevocationsIgnored);
needed!(strangers_are_bounded: keeps_no_more_strangers_than_it_must, StrangersUnbounded);
needed!(a_shared_name_is_nobody: takes_a_squatted_name_for_nobody, NicknamesIdentify);

fn id(number: u8) -> Identity {
    keys(number).identity()
}

fn learn<R: Rules>(registry: &mut Registry<R>, record: &IdentityRecord) -> bool {
    registry.learn(record, &mut keys(0)).is_ok()
}

fn introduce<R: Rules>(registry: &mut Registry<R>, number: u8, nickname: &str) {
    let record = IdentityRecord::introduce(&mut keys(number), ACME, nickname);
    assert!(learn(registry, &record));
}

/// The keys of a stranger among many.
fn stranger(number: usize) -> Keys {
    let mut seed = [0xaa; 32];
    seed[..8].copy_from_slice(&number.to_le_bytes());
    Keys::new(KeyScheme::ideal([9; 32]), SecretSeed(seed))
}

fn keeps_no_more_strangers_than_it_must<R: Rules>() -> bool {
    // Whoever an organisation vouches for is learnt however many strangers there are.
    let mut registry = empty_registry::<R>();
    for number in 0..Registry::<R>::STRANGERS_MAX {
        let record = IdentityRecord::introduce(&mut stranger(number), ACME, "somebody");
        assert!(registry.learn(&record, &mut stranger(number)).is_ok());
    }
    let mut late = stranger(Registry::<R>::STRANGERS_MAX);
    let introduction = IdentityRecord::introduce(&mut late, ACME, "somebody");
    let is_refused = registry.learn(&introduction, &mut late).is_err();
    let member = IdentityRecord::enrol(&mut root(ACME), ACME, late.public());
    assert!(learn(&mut registry, &member));
    registry.learn(&introduction, &mut late).is_ok() && is_refused
}

fn refuses_a_forged_enrolment<R: Rules>() -> bool {
    let mut registry = empty_registry::<R>();
    introduce(&mut registry, 3, "mallory");
    let honest = root(ACME).sign(Enrolment {
        organisation: ACME,
        key: keys(1).public(),
    });
    let content = Enrolment {
        organisation: ACME,
        key: keys(3).public(),
    };
    let said = Signed::from_parts(content, root(ACME).public(), honest.signature());
    !learn(&mut registry, &IdentityRecord::Enrolment { said })
        && registry.organisation(id(3)).is_none()
}

fn refuses_an_enrolment_by_a_member<R: Rules>() -> bool {
    let mut registry = registry::<R>();
    introduce(&mut registry, 3, "mallory");
    let record = IdentityRecord::enrol(&mut keys(1), ACME, keys(3).public());
    !learn(&mut registry, &record) && registry.organisation(id(3)).is_none()
}

fn refuses_an_heir_who_was_not_asked<R: Rules>() -> bool {
    // A liar makes an honest peer the heir of his own bad name.
    let mut registry = registry::<R>();
    let (mut liar, honest) = (keys(1), keys(2));
    let predecessor = liar.public();
    let record = IdentityRecord::Succession {
        said: liar.sign(Succession {
            heir: honest.public(),
        }),
        accepted: liar.sign(Acceptance { predecessor }),
    };
    !learn(&mut registry, &record) && !registry.is_same_party(id(1), id(2))
}

fn refuses_another_key_at_a_pinned_address<R: Rules>() -> bool {
    let (registry, mut pins) = (registry::<R>(), Pins::<R>::default());
    let address = PeerId(7);
    assert_eq!(pins.contact(address, id(1), &registry), Contact::First);
    !pins.contact(address, id(2), &registry).is_accepted() && pins.pinned(address) == Some(id(1))
}

fn follows_neither_of_two_heirs<R: Rules>() -> bool {
    let mut registry = registry::<R>();
    let (thief, owner) = (3, 4);
    for heir in [thief, owner] {
        introduce(&mut registry, heir, "alice");
        let record = IdentityRecord::succeed(&mut keys(1), &mut keys(heir));
        learn(&mut registry, &record);
    }
    registry.current(id(1)).is_none()
        && registry.organisation(id(thief)).is_none()
        && registry.organisation(id(owner)).is_none()
}

fn keeps_its_member_against_another_root<R: Rules>() -> bool {
    let mut registry = registry::<R>();
    let victim = keys(1).public();
    let record = IdentityRecord::revoke(&mut root(GLOBEX), GLOBEX, victim, None);
    learn(&mut registry, &record);
    registry.organisation(id(1)) == Some(ACME)
}

fn bars_a_revoked_key<R: Rules>() -> bool {
    let mut registry = registry::<R>();
    let record = IdentityRecord::revoke(&mut root(ACME), ACME, keys(1).public(), None);
    learn(&mut registry, &record);
    registry.is_barred(id(1)) && registry.organisation(id(1)).is_none()
}

fn takes_a_squatted_name_for_nobody<R: Rules>() -> bool {
    let mut registry = registry::<R>();
    assert_eq!(registry.named("peer-1"), Some(id(1)));
    let squatter = IdentityRecord::introduce(&mut keys(13), GLOBEX, "peer-1");
    learn(&mut registry, &squatter);
    registry.named("peer-1").is_none()
}

#[test]
fn membership_needs_the_key_and_the_root() {
    // Either alone is a claim about somebody else: a root cannot draft, a stranger cannot join.
    let [introduction, enrolment] = membership(&mut keys(5), ACME, "eve");
    let mut only_claims = registry::<Strict>();
    assert!(learn(&mut only_claims, &introduction));
    assert_eq!(only_claims.standing(id(5)), Standing::Introduced);
    let mut only_vouched = registry::<Strict>();
    assert!(learn(&mut only_vouched, &enrolment));
    assert_eq!(only_vouched.standing(id(5)), Standing::Unknown);
    assert!(learn(&mut only_vouched, &introduction));
    assert_eq!(only_vouched.organisation(id(5)), Some(ACME));
}

#[test]
fn what_was_given_to_a_key_follows_its_heirs() {
    // Two rotations; permission for the first identity reaches the last, and the middle is barred.
    let mut registry = registry::<Strict>();
    let mut pins = Pins::<Strict>::default();
    let address = PeerId(1);
    pins.contact(address, id(1), &registry);
    for (old, new) in [(1, 3), (3, 4)] {
        introduce(&mut registry, new, "alice");
        let rotation = IdentityRecord::succeed(&mut keys(old), &mut keys(new));
        assert!(learn(&mut registry, &rotation));
    }
    assert_eq!(registry.current(id(1)), Some(id(4)));
    assert_eq!(registry.organisation(id(4)), Some(ACME));
    assert!(registry.is_of(id(4), Party::Peer { identity: id(1) }));
    assert!(registry.is_barred(id(1)) && registry.is_barred(id(3)));
    let contact = pins.contact(address, id(4), &registry);
    assert_eq!(contact, Contact::Succeeded { from: id(1) });
    assert!(!pins.contact(address, id(1), &registry).is_accepted());
}

#[test]
fn a_thief_who_names_himself_heir_falls_with_the_revoked_key() {
    // The revocation must cut the line, not only the link; and the root can mend it.
    let mut registry = registry::<Strict>();
    introduce(&mut registry, 3, "alice");
    let theft = IdentityRecord::succeed(&mut keys(1), &mut keys(3));
    assert!(learn(&mut registry, &theft));
    assert_eq!(registry.organisation(id(3)), Some(ACME));
    let stolen = keys(1).public();
    let revocation = IdentityRecord::revoke(&mut root(ACME), ACME, stolen, None);
    assert!(learn(&mut registry, &revocation));
    assert_eq!(registry.organisation(id(3)), None);
    assert_eq!(registry.current(id(1)), None);
    introduce(&mut registry, 4, "alice");
    let heir = Some(keys(4).public());
    let replacement = IdentityRecord::revoke(&mut root(ACME), ACME, stolen, heir);
    assert!(learn(&mut registry, &replacement));
    assert_eq!(registry.current(id(1)), Some(id(4)));
    assert_eq!(registry.organisation(id(4)), Some(ACME));
}

#[test]
fn a_circle_of_heirs_is_nobody() {
    // Two keys of one liar name each other; following them must end.
    let mut registry = registry::<Strict>();
    for (old, new) in [(1, 2), (2, 1)] {
        let record = IdentityRecord::succeed(&mut keys(old), &mut keys(new));
        assert!(learn(&mut registry, &record));
    }
    assert_eq!(registry.current(id(1)), None);
    assert!(registry.is_barred(id(1)) && registry.is_barred(id(2)));
}

#[test]
fn contradictions_take_bounded_room() {
    // A key that names a hundred heirs and organisations leaves two of each, whatever the order.
    let mut registry = registry::<Strict>();
    let before = registry.records().count();
    let mut liar = keys(1);
    for number in 20..120 {
        let record = IdentityRecord::succeed(&mut liar, &mut keys(number));
        assert!(learn(&mut registry, &record));
        let record = IdentityRecord::introduce(
            &mut liar,
            crate::federation::terms::Organisation(u16::from(number)),
            "liar",
        );
        assert!(learn(&mut registry, &record));
    }
    assert_eq!(registry.records().count(), before + 2 + 1);
    assert_eq!(registry.standing(id(1)), Standing::Disputed);
}

/// Records that support, contradict and supersede each other.
fn pool() -> Vec<IdentityRecord> {
    let mut pool = Vec::new();
    for number in 1..5 {
        pool.extend(membership(&mut keys(number), ACME, "a"));
        pool.push(IdentityRecord::introduce(&mut keys(number), GLOBEX, "b"));
        let said = keys(number).sign(Introduction {
            organisation: ACME,
            nickname: "renamed".to_owned(),
            version: 1,
        });
        pool.push(IdentityRecord::Introduction { said });
    }
    for (old, new) in [(1, 2), (1, 3), (1, 4), (2, 3), (3, 4), (4, 1)] {
        pool.push(IdentityRecord::succeed(&mut keys(old), &mut keys(new)));
    }
    for (by, old, heir) in [
        (ACME, 1, None),
        (ACME, 1, Some(2)),
        (ACME, 1, Some(3)),
        (ACME, 2, Some(4)),
        (GLOBEX, 3, None),
    ] {
        let heir = heir.map(|number| keys(number).public());
        pool.push(IdentityRecord::revoke(
            &mut root(by),
            by,
            keys(old).public(),
            heir,
        ));
    }
    pool
}

fn learn_all(records: &[&IdentityRecord], keys: &mut Keys) -> Registry<Strict> {
    let mut registry = empty_registry();
    for record in records {
        registry.learn(record, keys).expect("proves itself");
    }
    registry
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn records_merge_in_any_order_any_number_of_times(
        picks in prop::collection::vec(0..27_usize, 0..40),
        order in any::<u64>(),
        cut in any::<prop::sample::Index>(),
    ) {
        // Gossip promises no order and no "once". Idempotent: twice is once. Commutative: shuffled
        // is equal. Associative: what two halves know together is what one learnt alone.
        let pool = pool();
        let mut keys = keys(0);
        let picked: Vec<&IdentityRecord> = picks.iter().map(|pick| &pool[pick % pool.len()]).collect();
        let straight = learn_all(&picked, &mut keys);
        let mut shuffled = [picked.clone(), picked.clone()].concat();
        let label = crate::random::StreamLabel::global("test");
        crate::random::Stream::new(crate::random::RunKey::from_seed(order), label).shuffle(&mut shuffled);
        prop_assert_eq!(&learn_all(&shuffled, &mut keys), &straight);
        let (left, right) = picked.split_at(cut.index(picked.len() + 1));
        let (left, right) = (learn_all(left, &mut keys), learn_all(right, &mut keys));
        let mut merged = right.clone();
        for record in left.records() {
            merged.learn(record, &mut keys).expect("proves itself");
        }
        prop_assert_eq!(&merged, &straight);
        for identity in (1..5).map(id) {
            prop_assert_eq!(merged.standing(identity), straight.standing(identity));
        }
    }
}
