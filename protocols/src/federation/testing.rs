//! What the tests of several layers share: keys by number, a registry of two organisations, and the
//! macro that holds strict rules and a mutant's to one claim.

use std::collections::BTreeMap;

use crate::identity::{KeyScheme, Keys, SecretSeed};

use super::identity::{IdentityRecord, Registry};
use super::rules::Rules;
use super::terms::Organisation;

/// Holds the strict rules and a mutant's to one claim.
macro_rules! needed {
    ($test:ident: $claim:ident, $($mutant:ident),+) => {
        #[test]
        fn $test() {
            // The claim must be true of the strict rules and false of each mutant, or it proves
            // nothing.
            assert!($claim::<$crate::federation::rules::Strict>());
            $(assert!(
                !$claim::<$crate::federation::mutants::$mutant>(),
                stringify!($mutant)
            );)+
        }
    };
}
pub(crate) use needed;

pub(crate) const ACME: Organisation = Organisation(0);
pub(crate) const GLOBEX: Organisation = Organisation(1);

/// The keys with this number; roots are 200 and up.
pub(crate) fn keys(number: u8) -> Keys {
    Keys::new(KeyScheme::ideal([9; 32]), SecretSeed([number; 32]))
}

pub(crate) fn root(organisation: Organisation) -> Keys {
    keys(200 + organisation.0 as u8)
}

/// Knows the roots of two organisations and nobody else.
pub(crate) fn empty_registry<R: Rules>() -> Registry<R> {
    let roots = [ACME, GLOBEX].map(|organisation| (organisation, root(organisation).public()));
    Registry::new(BTreeMap::from(roots))
}

/// The records that make the owner of `keys` a member.
pub(crate) fn membership(keys: &mut Keys, of: Organisation, nickname: &str) -> [IdentityRecord; 2] {
    let public = keys.public();
    [
        IdentityRecord::introduce(keys, of, nickname),
        IdentityRecord::enrol(&mut root(of), of, public),
    ]
}

/// Peers 1 and 2 of the first organisation, 11 and 12 of the second.
pub(crate) fn registry<R: Rules>() -> Registry<R> {
    let mut registry = empty_registry();
    for (number, organisation) in [(1, ACME), (2, ACME), (11, GLOBEX), (12, GLOBEX)] {
        let mut member = keys(number);
        for record in membership(&mut member, organisation, &format!("peer-{number}")) {
            registry.learn(&record, &mut member).expect("proves itself");
        }
    }
    registry
}
