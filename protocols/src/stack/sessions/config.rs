//! How peers prove to each other who they are, and how long that lasts.

use crate::federation::transport::{Mode, SessionConfig};

/// Whether sessions are the real thing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Tls {
    /// The model of TLS: its flights, sizes and checks.
    #[default]
    Modelled,
    /// TLS 1.3 itself. About a millisecond of the machine a handshake.
    Real,
}

/// How peers prove to each other who they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TransportConfig {
    /// Who proves who he is; [`Mode::None`] is without sessions. Default none.
    pub mode: Mode,
    /// Whether by the real thing. Default modelled.
    pub tls: Tls,
    /// How long sessions live.
    pub session: SessionConfig,
}

impl Default for TransportConfig {
    fn default() -> Self {
        Self {
            mode: Mode::None,
            tls: Tls::default(),
            session: SessionConfig::default(),
        }
    }
}

impl TransportConfig {
    /// Whether there are sessions at all.
    pub fn has_sessions(&self) -> bool {
        self.mode != Mode::None
    }
}
