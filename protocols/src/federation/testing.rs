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
            use $crate::federation::{mutants, rules::Chosen};
            assert!($claim::<Chosen>());
            $(assert!(
                !Chosen::run_under::<mutants::$mutant, _>($claim::<Chosen>),
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

#[test]
fn every_mutant_is_caught_by_the_tests_of_a_layer() {
    // A gate that no claim holds to account could be left open without anybody noticing.
    let claims = [
        include_str!("audit/tests/keeping.rs"),
        include_str!("audit/tests/verification.rs"),
        include_str!("authorisation/tests.rs"),
        include_str!("breaker/tests.rs"),
        include_str!("budget/tests.rs"),
        include_str!("envelope/tests/mod.rs"),
        include_str!("identity/tests.rs"),
        include_str!("injection/tests.rs"),
        include_str!("../stack/council/ballots.rs"),
        include_str!("ownership/tests.rs"),
        include_str!("routing/tests.rs"),
        include_str!("sanitise/tests.rs"),
        include_str!("transport/tests.rs"),
        include_str!("trust/tests.rs"),
        include_str!("../stack/council/minutes.rs"),
        include_str!("../stack/tenure.rs"),
    ];
    let named = claims
        .iter()
        .flat_map(|text| text.split("needed!(").skip(1));
    let named: Vec<&str> = named.filter_map(|claim| claim.split(");").next()).collect();
    let is_caught = |name: &str| {
        let mut mutants = named.iter().flat_map(|claim| claim.split(',').skip(1));
        mutants.any(|mutant| mutant.trim() == name)
    };
    let uncaught: Vec<_> = super::mutants::NAMES
        .iter()
        .filter(|name| !is_caught(name))
        .collect();
    assert!(uncaught.is_empty() && named.len() > 40, "{uncaught:?}");
}
