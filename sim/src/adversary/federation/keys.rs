//! Attacks on who is who: names that are taken, and records about keys of others.

use fedsim_protocols::federation::identity::{
    Acceptance, IdentityRecord, Introduction, Revocation, Succession,
};
use fedsim_protocols::federation::rules::Rules;
use fedsim_protocols::federation::terms::Organisation;
use fedsim_protocols::stack::{Load, StackPeer};
use fedsim_protocols::{Keys, PeerId, PublicKey, Signed};

use super::actions::{impersonated, pick, say, send};
use super::{StackForge, StackMeans, council};

/// Takes the nickname of another, and asks for something in that name.
pub(super) fn squat<R: Rules>(
    forge: &StackForge,
    machine: &mut StackPeer<R>,
    means: &mut StackMeans<'_, R>,
) {
    for _ in 0..means.settings.amount() {
        let (Some(to), Some(victim)) = (pick(&means.targets(), means), pick(means.others, means))
        else {
            return;
        };
        let nickname = forge.nickname(victim).to_owned();
        let organisation = forge.organisation(means.me);
        say(to, machine, means, |_, means| {
            let said = means.sign(Introduction {
                organisation,
                nickname,
                version: 0,
            });
            let records = vec![IdentityRecord::Introduction { said }];
            Some(Load::Identity { records })
        });
        send(to, machine, means, |to, means| {
            impersonated(forge, to, means)
        });
    }
}

/// Tells lies about the key of another.
pub(super) fn poison<R: Rules>(
    forge: &StackForge,
    machine: &mut StackPeer<R>,
    means: &mut StackMeans<'_, R>,
) {
    for _ in 0..means.settings.amount() {
        let (Some(to), Some(victim)) = (pick(&means.targets(), means), pick(means.others, means))
        else {
            return;
        };
        say(to, machine, means, |_, means| {
            let record = lie(forge, victim, means)?;
            let records = vec![record];
            Some(Load::Identity { records })
        });
        if let Some(record) = lie(forge, victim, means) {
            council::rekey(&record, machine, means);
        }
    }
}

/// Names two heirs of its own key, one to each half of the others.
pub(super) fn contest<R: Rules>(machine: &mut StackPeer<R>, means: &mut StackMeans<'_, R>) {
    let Some(own) = means.ring.public(means.me) else {
        return;
    };
    let records = [(); 2].map(|()| {
        let mut heir = means.ring.invent(means.dice);
        IdentityRecord::Succession {
            said: means.sign(Succession {
                heir: heir.public(),
            }),
            accepted: heir.sign(Acceptance { predecessor: own }),
        }
    });
    for to in means.targets() {
        let half = usize::from(means.is_in_second_half(to));
        let records = vec![records[half].clone()];
        say(to, machine, means, |_, _| Some(Load::Identity { records }));
    }
}

/// Introduces peers that do not exist, each by a key of its own.
pub(super) fn crowd<R: Rules>(
    forge: &StackForge,
    machine: &mut StackPeer<R>,
    means: &mut StackMeans<'_, R>,
) {
    let organisation = forge.organisation(means.me);
    let invented = (0..means.settings.amount()).map(|number| {
        let mut keys = means.ring.invent(means.dice);
        IdentityRecord::introduce(&mut keys, organisation, &format!("invented-{number}"))
    });
    let records: Vec<IdentityRecord> = invented.collect();
    for to in means.targets() {
        let records = records.clone();
        say(to, machine, means, |_, _| Some(Load::Identity { records }));
    }
}

fn lie<R: Rules>(
    forge: &StackForge,
    victim: PeerId,
    means: &mut StackMeans<'_, R>,
) -> Option<IdentityRecord> {
    let key = *forge.federation.roster.clients.get(&victim)?;
    let own = means.ring.public(means.me)?;
    let revocation = Revocation {
        organisation: forge.organisation(victim),
        key,
        replaced_by: None,
    };
    Some(match means.dice.below(5) {
        // In the name of the organisation, under another signature.
        0 => IdentityRecord::Revocation {
            said: means.sign(revocation),
        },
        1 => IdentityRecord::Revocation {
            said: signed_for(forge.root_of(victim)?, revocation, means),
        },
        // The victim names the liar its heir, which it never did.
        2 => IdentityRecord::Succession {
            said: signed_for(key, Succession { heir: own }, means),
            accepted: means.sign(Acceptance { predecessor: key }),
        },
        // The liar's own organisation ends a key that is not its own. Of its own it may end any.
        3 if forge.organisation(victim) == forge.organisation(means.me) => return None,
        3 => IdentityRecord::Revocation {
            said: forge.own_root(means.me)?.sign(Revocation {
                organisation: forge.organisation(means.me),
                ..revocation
            }),
        },
        // The liar names the victim the heir of its own name, and the victim was not asked.
        _ => IdentityRecord::Succession {
            said: means.sign(Succession { heir: key }),
            accepted: signed_for(key, Acceptance { predecessor: own }, means),
        },
    })
}

/// Content that names `signer`, with a signature of the member's own.
fn signed_for<R: Rules, T: fedsim_protocols::Signable + Clone>(
    signer: PublicKey,
    content: T,
    means: &mut StackMeans<'_, R>,
) -> Signed<T> {
    let own = means.sign(content);
    Signed::from_parts(own.content().clone(), signer, own.signature())
}

impl StackForge {
    fn organisation(&self, peer: PeerId) -> Organisation {
        let number = self.federation.organisation_of(peer);
        Organisation(number.map_or(u16::MAX, |number| number as u16))
    }

    fn nickname(&self, peer: PeerId) -> &str {
        let directory = &self.federation.directory;
        let identity = directory.identities.get(&peer);
        let nickname = identity.and_then(|identity| directory.registry.nickname(*identity));
        nickname.unwrap_or_default()
    }

    /// What the organisation of a liar speaks with.
    fn own_root(&self, liar: PeerId) -> Option<Keys> {
        let number = self.federation.organisation_of(liar)?;
        self.roots.get(number).cloned()
    }

    /// The root key of a peer's organisation.
    fn root_of(&self, peer: PeerId) -> Option<PublicKey> {
        let organisation = self.organisation(peer);
        let mut records = self.federation.directory.registry.records();
        records.find_map(|record| match record {
            IdentityRecord::Enrolment { said } if said.organisation == organisation => {
                Some(said.signer())
            }
            _ => None,
        })
    }
}
