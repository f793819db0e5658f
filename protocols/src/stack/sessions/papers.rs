//! What a peer shows to prove itself, and whose word it takes for others.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::federation::rules::Rules;
use crate::federation::terms::Organisation;
use crate::federation::transport::{
    Certificate, Credential, Endpoint, Mode, ModelledEndpoint, TlsEndpoint, Validity,
    member_certificate,
};
use crate::identity::{Keys, PublicKey, SecretSeed};
use crate::signed::Signed;
use crate::time::LocalTime;

/// What one peer shows, and whom it believes.
#[derive(Clone, Debug)]
pub struct Papers {
    until: LocalTime,
    kind: Kind,
}

#[derive(Clone, Debug)]
enum Kind {
    Modelled {
        credential: Signed<Credential>,
        roots: Arc<BTreeMap<Organisation, PublicKey>>,
    },
    Real {
        secret: SecretSeed,
        certificate: Certificate,
        roots: Arc<[Certificate]>,
    },
}

impl Papers {
    /// For the model of TLS: the organisation's `root` vouches for a member's key.
    pub fn modelled(
        root: &mut Keys,
        (organisation, key): (Organisation, PublicKey),
        validity: Validity,
        roots: Arc<BTreeMap<Organisation, PublicKey>>,
    ) -> Self {
        let credential = ModelledEndpoint::credential(root, organisation, key, validity);
        Self {
            until: validity.until,
            kind: Kind::Modelled { credential, roots },
        }
    }

    /// For TLS itself: the holder of `root` certifies the member that holds `secret`.
    pub fn real(
        root: &SecretSeed,
        (organisation, key): (Organisation, PublicKey),
        secret: SecretSeed,
        validity: Validity,
        roots: Arc<[Certificate]>,
    ) -> Self {
        let certificate = member_certificate(root, organisation, key, validity);
        Self {
            until: validity.until,
            kind: Kind::Real {
                secret,
                certificate,
                roots,
            },
        }
    }

    /// Until when what is shown is valid.
    pub(super) fn until(&self) -> LocalTime {
        self.until
    }

    /// What channels are made from.
    pub(super) fn endpoint<R: Rules>(&self, mode: Mode) -> Endpoint<R> {
        match &self.kind {
            Kind::Modelled { credential, roots } => {
                Endpoint::Modelled(Box::new(ModelledEndpoint {
                    credential: credential.clone(),
                    roots: BTreeMap::clone(roots),
                    mode,
                }))
            }
            Kind::Real {
                secret,
                certificate,
                roots,
            } => Endpoint::Tls(Box::new(TlsEndpoint::new(secret, certificate, roots, mode))),
        }
    }
}
