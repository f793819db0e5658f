//! What a chain of grants is worth. Pure: nothing is remembered.

use crate::federation::grant::{Grant, Parties, grant_digest};
use crate::federation::rules::Rules;
use crate::federation::terms::Scope;
use crate::identity::{Identity, Keys};
use crate::signed::Signed;
use crate::time::LocalTime;

use super::gate::Denial;

/// What a chain allows its last subject.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chain {
    /// What all links allow together.
    pub scope: Scope,
    /// How many more links may follow.
    pub depth: u8,
    /// Who issued the links, first to last.
    pub issuers: Vec<Identity>,
}

/// Follows a chain whose first issuer may hand on `depth` times, down to `holder`.
///
/// # Errors
/// The first link that does not hold.
pub fn follow<R: Rules>(
    grants: &[Signed<Grant>],
    depth: u8,
    holder: Identity,
    now: LocalTime,
    parties: &impl Parties,
    keys: &mut Keys,
) -> Result<Chain, Denial> {
    let mut chain = Chain {
        scope: Scope::All,
        depth,
        issuers: Vec::with_capacity(grants.len()),
    };
    let mut parent: Option<&Signed<Grant>> = None;
    for grant in grants {
        let issuer = grant.signer().identity();
        let continues = grant.parent == parent.map(grant_digest)
            && parent.is_none_or(|parent| parties.is_of(issuer, parent.subject));
        deny_unless(R::link_holds(continues), Denial::BrokenChain)?;
        deny_unless(R::may_hand_on(chain.depth), Denial::TooDeep)?;
        deny_unless(R::grant_is_valid(now > grant.expires_at), Denial::Expired)?;
        let stands = parties.current(issuer).is_some();
        deny_unless(R::party_stands(stands), Denial::Revoked)?;
        deny_unless(R::grant_is_signed(keys.verify(grant)), Denial::Forged)?;
        chain.scope = R::scope_after(&chain.scope, &grant.scope);
        chain.depth = R::depth_after(chain.depth, grant.depth);
        chain.issuers.push(issuer);
        parent = Some(grant);
    }
    let is_holder = parent.is_none_or(|last| parties.is_of(holder, last.subject));
    deny_unless(R::link_holds(is_holder), Denial::BrokenChain)?;
    Ok(chain)
}

fn deny_unless(holds: bool, denial: Denial) -> Result<(), Denial> {
    if holds { Ok(()) } else { Err(denial) }
}
