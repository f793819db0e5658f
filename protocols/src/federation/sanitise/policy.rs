//! What is done about what is found, by kind and by the receiver's trust level.

use std::fmt;

use borsh::{BorshDeserialize, BorshSerialize};

use crate::federation::kind::Kind;
use crate::federation::terms::Level;

/// What is done about one kind, the milder first.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, BorshSerialize, BorshDeserialize,
)]
pub enum Action {
    /// It leaves as it is.
    Pass,
    /// A pseudonym leaves: the same for the same value between the same two organisations.
    Pseudonymise,
    /// Its kind leaves.
    Redact,
    /// Nothing leaves of the whole document.
    Block,
}

impl Action {
    /// All actions, in order.
    pub const ALL: [Self; 4] = [Self::Pass, Self::Pseudonymise, Self::Redact, Self::Block];

    /// The action's name in scenarios and tables.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Pseudonymise => "pseudonymise",
            Self::Redact => "redact",
            Self::Block => "block",
        }
    }

    /// The action of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|action| action.name() == name)
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A table of actions: one row a kind, one column a level.
///
/// The default is the table of ruflo's ADR-078 (plugin 1.0.0-alpha.17, `pii-pipeline-service`),
/// whose `hash` is a pseudonym here; its `aws_key` is a cloud key, its `github_token` a token, and
/// both versions of IP have its row for `ip_address`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Policy {
    rows: [[Action; 5]; 15],
}

impl Default for Policy {
    fn default() -> Self {
        use Action::{Block as B, Pass as O, Pseudonymise as P, Redact as R};
        let row = |kind| match kind {
            Kind::PrivateKey | Kind::CloudKey | Kind::Password => [B, B, B, B, B],
            Kind::CreditCard | Kind::Ssn => [B, B, B, B, B],
            Kind::DatabaseUrl | Kind::Jwt | Kind::ApiKey | Kind::Token => [B, B, B, B, R],
            Kind::Email | Kind::Phone => [B, B, R, P, O],
            Kind::Ipv6 | Kind::Ipv4 => [B, B, P, P, O],
            Kind::PostalAddress | Kind::Name => [B, B, R, R, O],
        };
        Self {
            rows: Kind::ALL.map(row),
        }
    }
}

impl Policy {
    /// One action for every kind at every level.
    pub const fn uniform(action: Action) -> Self {
        Self {
            rows: [[action; 5]; 15],
        }
    }

    /// What is done about `kind` towards receivers of `level`.
    pub fn action(&self, kind: Kind, level: Level) -> Action {
        self.rows[kind as usize][usize::from(level.number())]
    }

    /// Changes one cell of the table.
    pub fn set(&mut self, kind: Kind, level: Level, action: Action) {
        self.rows[kind as usize][usize::from(level.number())] = action;
    }
}
