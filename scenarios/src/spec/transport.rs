//! How the peers of a federation prove to each other who they are.

use fedsim_protocols::federation::transport::Mode;
use fedsim_protocols::stack::{Tls, TransportConfig};
use fedsim_protocols::{PeerId, SimDuration};

/// The keys of `[federation]` that are about sessions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TransportSpec {
    /// Who proves who he is.
    pub mode: Mode,
    /// Whether by TLS itself.
    pub tls: Tls,
    /// A session ends so long after it was opened or renewed.
    pub lifetime: SimDuration,
    /// However often renewed, it ends so long after it was opened.
    pub lifetime_max: SimDuration,
    /// Each side says so often that it is there.
    pub heartbeat: SimDuration,
    /// Whose certificates end within the run.
    pub certificates: Vec<CertificateSpec>,
}

/// Until when the certificates of some peers are valid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateSpec {
    /// Whose.
    pub of: Vec<PeerId>,
    /// Until when, by the reader's clock.
    pub until: SimDuration,
}

impl Default for TransportSpec {
    /// Nobody proves anything.
    fn default() -> Self {
        let config = TransportConfig::default();
        Self {
            mode: config.mode,
            tls: config.tls,
            lifetime: config.session.lifetime,
            lifetime_max: config.session.lifetime_max,
            heartbeat: config.session.heartbeat,
            certificates: Vec::new(),
        }
    }
}

impl TransportSpec {
    /// With nothing said but who proves who he is.
    pub fn of_mode(mode: Mode) -> Self {
        Self {
            mode,
            ..Self::default()
        }
    }

    /// The settings of a peer's sessions.
    pub fn config(&self) -> TransportConfig {
        let mut config = TransportConfig {
            mode: self.mode,
            tls: self.tls,
            ..TransportConfig::default()
        };
        config.session.lifetime = self.lifetime;
        config.session.lifetime_max = self.lifetime_max;
        config.session.heartbeat = self.heartbeat;
        config
    }

    /// Until when the certificate of `peer` is valid, if that is said.
    pub fn certificate_until(&self, peer: PeerId) -> Option<SimDuration> {
        let mut said = self.certificates.iter().rev();
        said.find(|it| it.of.contains(&peer)).map(|it| it.until)
    }
}
