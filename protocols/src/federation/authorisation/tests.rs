//! What is allowed, and what is not any more.

use proptest::prelude::*;

use super::*;
use crate::federation::grant::{Grant, Parties, Party, grant_digest};
use crate::federation::identity::{IdentityRecord, Registry};
use crate::federation::rules::{Rules, Strict};
use crate::federation::terms::{ActionId, ActionKind, Capability, Level, Scope, SessionId};
use crate::federation::testing::{ACME, GLOBEX, keys, needed, registry, root};
use crate::identity::Identity;
use crate::signed::Signed;
use crate::time::LocalTime;

needed!(nothing_is_allowed_by_default: denies_what_is_not_exposed, AllowsByDefault);
needed!(a_kind_needs_its_capability: denies_spawning_by_ping, KindsUnchecked);
needed!(a_level_is_needed: denies_above_the_level, LevelsUnchecked);
needed!(a_session_has_no_level_of_its_own: lowers_open_sessions, StaleSessions, SessionsOutliveFalls);
needed!(queued_work_is_judged_when_it_starts: drops_queued_work, QueueUnchecked);
needed!(grants_are_signed: denies_a_forged_grant, GrantsUnsigned);
needed!(grants_end: denies_an_expired_grant, GrantsEternal);
needed!(links_belong_together: denies_a_stolen_chain, LinksUnchecked);
needed!(issuers_stand: denies_the_grant_of_a_revoked_peer, IssuersUnchecked);
needed!(depth_ends: denies_handing_on_what_is_personal, DepthIgnored);
needed!(depth_is_used_up: denies_a_chain_that_renews_its_depth, DepthKept);
needed!(scopes_shrink: denies_a_widened_scope, ScopeWidened);

/// The gate under test is peer 1 of the first organisation; 11 and 12 are of the second.
const ME: u8 = 1;

fn at(secs: i64) -> LocalTime {
    LocalTime::from_nanos(secs * 1_000_000_000)
}

fn id(number: u8) -> Identity {
    keys(number).identity()
}

fn peer(number: u8) -> Party {
    Party::Peer {
        identity: id(number),
    }
}

fn capability(name: &str) -> Capability {
    Capability::new(name).unwrap()
}

struct Desk<R: Rules> {
    gate: Gate<R>,
    parties: Registry<Strict>,
}

impl<R: Rules> Desk<R> {
    /// Exposes `send` and `query-redacted` to peer 11, who may hand them on twice.
    fn new() -> Self {
        let mut gate = Gate::new(id(ME), ACME);
        for name in ["send", "query-redacted"] {
            gate.expose(Exposure {
                capability: capability(name),
                to: peer(11),
                depth: 2,
                level: Level::Untrusted,
            });
        }
        for number in [2, 11, 12] {
            gate.set_level(id(number), Level::Attested);
        }
        Self {
            gate,
            parties: registry(),
        }
    }

    fn decide(
        &self,
        source: u8,
        (kind, name): (ActionKind, &str),
        grants: &[Signed<Grant>],
    ) -> Result<Permit, Denial> {
        let capability = capability(name);
        let request = Request {
            source: id(source),
            session: None,
            kind,
            capability: &capability,
            grants,
        };
        let mut mine = keys(ME);
        self.gate
            .decide(&request, at(100), &self.parties, &mut mine)
    }

    fn send(&self, source: u8, grants: &[Signed<Grant>]) -> Result<Permit, Denial> {
        self.decide(source, (ActionKind::Message, "send"), grants)
    }

    fn revoke(&mut self, number: u8) {
        let key = keys(number).public();
        let record = IdentityRecord::revoke(&mut root(GLOBEX), GLOBEX, key, None);
        self.parties.learn(&record, &mut keys(0)).unwrap();
    }
}

fn grant(issuer: u8, subject: Party, depth: u8, parent: Option<&Signed<Grant>>) -> Signed<Grant> {
    scoped(issuer, subject, Scope::All, depth, parent)
}

fn scoped(
    issuer: u8,
    subject: Party,
    scope: Scope,
    depth: u8,
    parent: Option<&Signed<Grant>>,
) -> Signed<Grant> {
    keys(issuer).sign(Grant {
        subject,
        scope,
        depth,
        expires_at: at(200),
        parent: parent.map(grant_digest),
    })
}

fn denies_what_is_not_exposed<R: Rules>() -> bool {
    let desk = Desk::<R>::new();
    assert!(desk.send(11, &[]).is_ok());
    desk.send(12, &[]) == Err(Denial::NotExposed)
        && desk.decide(11, (ActionKind::Ping, "ping"), &[]) == Err(Denial::NotExposed)
}

fn denies_spawning_by_ping<R: Rules>() -> bool {
    let mut desk = Desk::<R>::new();
    desk.gate.expose(Exposure {
        capability: capability("ping"),
        to: peer(11),
        depth: 0,
        level: Level::Untrusted,
    });
    desk.gate.set_level(id(11), Level::Privileged);
    desk.decide(11, (ActionKind::AgentSpawn, "ping"), &[]) == Err(Denial::WrongCapability)
}

fn denies_above_the_level<R: Rules>() -> bool {
    let mut desk = Desk::<R>::new();
    desk.gate.set_level(id(11), Level::Verified);
    desk.send(11, &[]) == Err(Denial::LevelTooLow)
}

fn lowers_open_sessions<R: Rules>() -> bool {
    let mut desk = Desk::<R>::new();
    let session = SessionId([1; 16]);
    desk.gate.open_session(session, id(11));
    let change = desk.gate.set_level(id(11), Level::Verified);
    assert_eq!(change.sessions, [session]);
    let send = capability("send");
    let request = Request {
        source: id(11),
        session: Some(session),
        kind: ActionKind::Message,
        capability: &send,
        grants: &[],
    };
    let mut mine = keys(ME);
    let decided = desk
        .gate
        .decide(&request, at(100), &desk.parties, &mut mine);
    let sends = desk.gate.may_send(id(11), &send, Some(session));
    decided == Err(Denial::LevelTooLow) && !sends
}

fn drops_queued_work<R: Rules>() -> bool {
    // Both of the source's own work and of work that rests on a grant of the demoted peer.
    let mut desk = Desk::<R>::new();
    let actions = [1, 2].map(|salt| ActionId::new(at(200), salt));
    let chain = [grant(11, peer(12), 0, None)];
    let own = desk.send(11, &[]).unwrap();
    let delegated = desk.send(12, &chain).unwrap();
    desk.gate.queue(id(11), actions[0], own, at(100));
    desk.gate.queue(id(12), actions[1], delegated, at(100));
    desk.gate.set_level(id(11), Level::Verified);
    [(11, actions[0]), (12, actions[1])]
        .into_iter()
        .all(|(source, action)| desk.gate.start(id(source), action).is_err())
}

fn denies_a_forged_grant<R: Rules>() -> bool {
    let desk = Desk::<R>::new();
    let real = grant(11, peer(2), 0, None);
    let wanted = Grant {
        subject: peer(12),
        ..real.content().clone()
    };
    let forged = Signed::from_parts(wanted, keys(11).public(), real.signature());
    desk.send(12, &[forged]) == Err(Denial::Forged)
}

fn denies_an_expired_grant<R: Rules>() -> bool {
    let desk = Desk::<R>::new();
    let old = keys(11).sign(Grant {
        expires_at: at(99),
        ..grant(11, peer(12), 0, None).content().clone()
    });
    desk.send(12, &[old]) == Err(Denial::Expired)
}

fn denies_a_stolen_chain<R: Rules>() -> bool {
    // A grant for another, a chain that continues a grant for another, and a link under a parent
    // that it does not name.
    let desk = Desk::<R>::new();
    let for_two = grant(11, peer(2), 1, None);
    let hung_on = grant(12, peer(12), 0, Some(&for_two));
    let for_me = grant(11, peer(12), 1, None);
    let elsewhere = grant(12, peer(2), 0, Some(&for_two));
    desk.send(12, std::slice::from_ref(&for_two)) == Err(Denial::BrokenChain)
        && desk.send(12, &[for_two, hung_on]) == Err(Denial::BrokenChain)
        && desk.send(2, &[for_me, elsewhere]) == Err(Denial::BrokenChain)
}

fn denies_the_grant_of_a_revoked_peer<R: Rules>() -> bool {
    let mut desk = Desk::<R>::new();
    let chain = [grant(11, peer(12), 0, None)];
    assert!(desk.send(12, &chain).is_ok());
    desk.revoke(11);
    desk.gate.expose(Exposure {
        capability: capability("send"),
        to: peer(11),
        depth: 1,
        level: Level::Untrusted,
    });
    desk.send(12, &chain) == Err(Denial::Revoked) && desk.send(11, &[]) == Err(Denial::Revoked)
}

fn denies_handing_on_what_is_personal<R: Rules>() -> bool {
    let desk = Desk::<R>::new();
    let first = grant(11, peer(12), 0, None);
    let second = grant(12, peer(2), 0, Some(&first));
    desk.send(2, &[first, second]) == Err(Denial::TooDeep)
}

fn denies_a_chain_that_renews_its_depth<R: Rules>() -> bool {
    // The exposure allows two hops; three links each claim a depth of nine.
    let desk = Desk::<R>::new();
    let first = grant(11, peer(12), 9, None);
    let second = grant(12, peer(2), 9, Some(&first));
    let third = grant(2, peer(12), 9, Some(&second));
    assert!(desk.send(2, &[first.clone(), second.clone()]).is_ok());
    desk.send(12, &[first, second, third]) == Err(Denial::TooDeep)
}

fn denies_a_widened_scope<R: Rules>() -> bool {
    let desk = Desk::<R>::new();
    let ping_only = Scope::of([capability("ping")]);
    let first = scoped(11, peer(12), ping_only, 1, None);
    let second = grant(12, peer(2), 0, Some(&first));
    let nothing = scoped(11, peer(12), Scope::of([]), 1, None);
    desk.send(2, &[first, second]) == Err(Denial::OutOfScope)
        && desk.send(12, &[nothing]) == Err(Denial::OutOfScope)
}

#[test]
fn an_exposure_to_an_organisation_reaches_its_members_alone() {
    // Membership, not a name: a member of another organisation is denied.
    let mut desk = Desk::<Strict>::new();
    desk.gate.expose(Exposure {
        capability: capability("review-code"),
        to: Party::Members {
            organisation: GLOBEX,
        },
        depth: 0,
        level: Level::Attested,
    });
    let review = (ActionKind::Task, "review-code");
    assert!(desk.decide(12, review, &[]).is_ok());
    assert_eq!(desk.decide(2, review, &[]), Err(Denial::NotExposed));
}

#[test]
fn own_grants_extend_what_is_exposed_to_somebody_and_nothing_else() {
    // This peer and its root may sign for others, but only within what it has opted in to.
    let desk = Desk::<Strict>::new();
    let mine = grant(ME, peer(12), 0, None);
    assert!(desk.send(12, std::slice::from_ref(&mine)).is_ok());
    let by_root = root(ACME).sign(mine.content().clone());
    assert!(desk.send(12, &[by_root]).is_ok());
    let by_stranger = root(GLOBEX).sign(mine.content().clone());
    assert_eq!(desk.send(12, &[by_stranger]), Err(Denial::NotExposed));
    let ping = (ActionKind::Ping, "ping");
    assert_eq!(desk.decide(12, ping, &[mine]), Err(Denial::NotExposed));
}

#[test]
fn permission_follows_a_succession_and_so_does_distrust() {
    // The heir of an exposed peer may what it might; the heir of a demoted one is demoted.
    let mut desk = Desk::<Strict>::new();
    for record in [
        IdentityRecord::introduce(&mut keys(13), GLOBEX, "heir"),
        IdentityRecord::succeed(&mut keys(11), &mut keys(13)),
    ] {
        desk.parties.learn(&record, &mut keys(0)).unwrap();
    }
    desk.gate.set_level(id(13), Level::Privileged);
    assert_eq!(desk.gate.succeed(id(11), id(13)).after, Level::Attested);
    assert!(desk.send(13, &[]).is_ok());
    assert_eq!(desk.send(11, &[]), Err(Denial::Revoked));
    desk.gate.set_level(id(13), Level::Untrusted);
    assert_eq!(desk.send(13, &[]), Err(Denial::LevelTooLow));
}

#[test]
fn a_demoted_issuer_takes_its_delegates_down_with_it() {
    // Otherwise a demoted peer would act through a friend of good standing.
    let mut desk = Desk::<Strict>::new();
    let chain = [grant(11, peer(12), 0, None)];
    assert!(desk.send(12, &chain).is_ok());
    desk.gate.set_level(id(11), Level::Untrusted);
    assert_eq!(desk.send(12, &chain), Err(Denial::LevelTooLow));
}

#[test]
fn every_kind_needs_a_level_and_shared_state_needs_trust() {
    // The table is total, and nothing that changes shared state is open to attested peers.
    for kind in ActionKind::ALL {
        let level = level_of(capability_of(kind)).expect("in the table");
        assert!(
            !kind.changes_shared_state() || level >= Level::Trusted,
            "{kind:?}"
        );
    }
    let counts = Level::ALL.map(|level| {
        let within = |kind: &ActionKind| level_of(capability_of(*kind)) <= Some(level);
        ActionKind::ALL.into_iter().filter(within).count()
    });
    assert_eq!(counts, [0, 2, 4, 8, 13]);
}

/// Whom everybody may take for a current member.
#[derive(Debug)]
struct Everybody;

impl Parties for Everybody {
    fn organisation(&self, _: Identity) -> Option<crate::federation::terms::Organisation> {
        None
    }
    fn current(&self, identity: Identity) -> Option<Identity> {
        Some(identity)
    }
    fn is_barred(&self, _: Identity) -> bool {
        false
    }
    fn root(&self, _: crate::federation::terms::Organisation) -> Option<Identity> {
        None
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn no_chain_allows_more_than_every_one_of_its_links(
        links in prop::collection::vec((0..16_u8, any::<bool>(), 0..5_u8), 1..6),
        start in 0..6_u8,
    ) {
        // Attenuation by definition: what a chain allows, each link allows; and link i is followed
        // by no more links than it says.
        let names = ["a", "b", "c", "d"].map(capability);
        let mut chain: Vec<Signed<Grant>> = Vec::new();
        for (index, (mask, is_all, depth)) in links.iter().enumerate() {
            let chosen = names.iter().enumerate().filter(|(bit, _)| mask & (1 << bit) != 0);
            let scope = match is_all {
                true => Scope::All,
                false => Scope::of(chosen.map(|(_, name)| name.clone())),
            };
            let (issuer, subject) = (index as u8 + 20, peer(index as u8 + 21));
            chain.push(scoped(issuer, subject, scope, *depth, chain.last()));
        }
        let holder = id(links.len() as u8 + 20);
        let mut mine = keys(ME);
        let followed = follow::<Strict>(&chain, start, holder, at(100), &Everybody, &mut mine);
        let fits = (0..links.len()).all(|index| {
            let after = links.len() - 1 - index;
            usize::from(links[index].2) >= after
        }) && usize::from(start) >= links.len();
        prop_assert_eq!(followed.is_ok(), fits, "{:?}", followed);
        if let Ok(followed) = followed {
            for name in &names {
                let by_all = chain.iter().all(|grant| grant.scope.contains(name));
                prop_assert_eq!(followed.scope.contains(name), by_all);
            }
        }
    }
}
