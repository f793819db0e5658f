//! Who certifies whom in a federation whose peers prove who they are.

use std::collections::BTreeMap;
use std::sync::Arc;

use fedsim_protocols::federation::terms::Organisation;
use fedsim_protocols::federation::transport::{Mode, Validity, root_certificate};
use fedsim_protocols::stack::{Papers, Tls};
use fedsim_protocols::{Keys, LocalTime, PeerId, SecretSeed, SimDuration};
use fedsim_scenarios::spec::TransportSpec;

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

impl Owners {
    fn root_secret(&self, number: u16) -> SecretSeed {
        self.secret_of_other("organisation-root", u32::from(number))
    }

    /// What each peer proves itself with; empty where nobody does.
    pub(super) fn papers(
        &self,
        organisations: &[Vec<PeerId>],
        spec: &TransportSpec,
    ) -> BTreeMap<PeerId, Papers> {
        if spec.mode == Mode::None {
            return BTreeMap::new();
        }
        let numbers = 0..organisations.len() as u16;
        let roots = numbers.map(|number| (Organisation(number), self.root_secret(number)));
        let roots: Vec<(Organisation, SecretSeed)> = roots.collect();
        let keys = |secret: &SecretSeed| Keys::new(self.scheme.clone(), *secret);
        let certified = roots.iter().filter(|_| spec.tls == Tls::Real);
        let certified: Arc<[_]> = certified
            .map(|(of, secret)| root_certificate(secret, *of, validity(YEAR)))
            .collect();
        let known = roots.iter();
        let known = known.map(|(of, secret)| (*of, keys(secret).public()));
        let known: Arc<BTreeMap<_, _>> = Arc::new(known.collect());
        let members = roots.iter().zip(organisations);
        let members = members.flat_map(|(root, peers)| peers.iter().map(move |peer| (root, peer)));
        let papers = members.map(|((of, root), peer)| {
            let member = (*of, self.of_peer(*peer).public());
            let validity = validity(spec.certificate_until(*peer).unwrap_or(YEAR));
            let papers = match spec.tls {
                Tls::Modelled => {
                    Papers::modelled(&mut keys(root), member, validity, Arc::clone(&known))
                }
                Tls::Real => {
                    let secret = self.secret_of_peer(*peer);
                    Papers::real(root, member, secret, validity, Arc::clone(&certified))
                }
            };
            (*peer, papers)
        });
        papers.collect()
    }
}
