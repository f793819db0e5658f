//! Who certifies whom in a federation whose peers prove who they are.

use std::collections::BTreeMap;
use std::sync::Arc;

use fedsim_protocols::federation::terms::Organisation;
use fedsim_protocols::federation::transport::{Certificate, Validity, root_certificate};
use fedsim_protocols::stack::{Papers, Tls};
use fedsim_protocols::{LocalTime, PeerId, PublicKey, SecretSeed, SimDuration};
use fedsim_scenarios::spec::{FederationSpec, TransportSpec};

use super::federation::Owners;

/// Certificates are valid from a day before the run, so that no clock is behind them.
const SINCE: LocalTime = LocalTime::from_nanos(-86_400 * 1_000_000_000);
/// And for a year, unless the scenario says otherwise.
const YEAR: SimDuration = SimDuration::from_secs(365 * 86_400);

fn validity(until: SimDuration) -> Validity {
    Validity {
        from: SINCE,
        until: LocalTime::from_nanos(0) + until,
    }
}

/// Whose word is taken for whom.
struct Authorities {
    roots: Vec<(Organisation, SecretSeed)>,
    known: Arc<BTreeMap<Organisation, PublicKey>>,
    certified: Arc<[Certificate]>,
}

impl Owners {
    fn authorities(&self, organisations: usize, spec: &TransportSpec) -> Authorities {
        let numbers = 0..organisations as u16;
        let roots = numbers.map(|number| {
            let secret = self.secret_of_other("organisation-root", u32::from(number));
            (Organisation(number), secret)
        });
        let roots: Vec<(Organisation, SecretSeed)> = roots.collect();
        let certified = roots.iter().filter(|_| spec.tls == Tls::Real);
        let certified = certified.map(|(of, secret)| root_certificate(secret, *of, validity(YEAR)));
        let known = roots.iter();
        let known = known.map(|(of, secret)| (*of, self.keys(*secret).public()));
        Authorities {
            known: Arc::new(known.collect()),
            certified: certified.collect(),
            roots,
        }
    }

    /// What each peer proves itself with; empty where nobody does.
    pub(super) fn papers(
        &self,
        organisations: &[Vec<PeerId>],
        spec: &FederationSpec,
    ) -> BTreeMap<PeerId, Papers> {
        let everyone = organisations.iter().flatten();
        let secrets = everyone.map(|peer| (*peer, self.secret_of_peer(*peer)));
        let certified = self.certify(organisations, spec, secrets.collect());
        certified.into_iter().collect()
    }

    /// What peers prove themselves with that hold these secrets; nothing where nobody does.
    pub(super) fn certify(
        &self,
        organisations: &[Vec<PeerId>],
        spec: &FederationSpec,
        secrets: Vec<(PeerId, SecretSeed)>,
    ) -> Vec<(PeerId, Papers)> {
        if !spec.has_sessions() {
            return Vec::new();
        }
        let spec = &spec.transport;
        let authorities = self.authorities(organisations.len(), spec);
        let number = |peer: &PeerId| organisations.iter().position(|them| them.contains(peer));
        let members = secrets.into_iter();
        let members = members.filter_map(|(peer, secret)| {
            let root = authorities.roots[number(&peer)?];
            Some((peer, self.paper(&authorities, root, (peer, secret), spec)))
        });
        members.collect()
    }

    fn paper(
        &self,
        authorities: &Authorities,
        (of, root): (Organisation, SecretSeed),
        (peer, secret): (PeerId, SecretSeed),
        spec: &TransportSpec,
    ) -> Papers {
        let member = (of, self.keys(secret).public());
        let validity = validity(spec.certificate_until(peer).unwrap_or(YEAR));
        match spec.tls {
            Tls::Modelled => {
                let known = Arc::clone(&authorities.known);
                Papers::modelled(&mut self.keys(root), member, validity, known)
            }
            Tls::Real => {
                let certified = Arc::clone(&authorities.certified);
                Papers::real(&root, member, secret, validity, certified)
            }
        }
    }
}
