//! Kinds of personal data and secrets.
//!
//! Names only; how they are found and what is done about them is not here.

use std::fmt;

use borsh::{BorshDeserialize, BorshSerialize};

/// A kind of personal data or secret, the more telling first: where two kinds claim one place, the
/// earlier one names it.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, BorshSerialize, BorshDeserialize,
)]
pub enum Kind {
    /// A private key: PEM of any make, PuTTY, PGP.
    PrivateKey,
    /// The address of a database with what it takes to get in.
    DatabaseUrl,
    /// A JSON web token (RFC 7519).
    Jwt,
    /// A key of a cloud provider: AWS, Azure, DigitalOcean.
    CloudKey,
    /// A key of any other service.
    ApiKey,
    /// A token of a person, a bot or a session: GitHub, GitLab, Slack, npm, bearer.
    Token,
    /// A password.
    Password,
    /// The number of a payment card (ISO/IEC 7812).
    CreditCard,
    /// A US social security number.
    Ssn,
    /// A mail address.
    Email,
    /// An IPv6 address.
    Ipv6,
    /// An IPv4 address.
    Ipv4,
    /// A telephone number.
    Phone,
    /// A postal address: street and number, with what follows.
    PostalAddress,
    /// The name of a person.
    Name,
}

impl crate::fold::Fold for Kind {
    fn fold(&self, into: &mut crate::fold::Folder) {
        into.u64(*self as u64);
    }
}

impl Kind {
    /// All kinds, in order.
    pub const ALL: [Self; 15] = [
        Self::PrivateKey,
        Self::DatabaseUrl,
        Self::Jwt,
        Self::CloudKey,
        Self::ApiKey,
        Self::Token,
        Self::Password,
        Self::CreditCard,
        Self::Ssn,
        Self::Email,
        Self::Ipv6,
        Self::Ipv4,
        Self::Phone,
        Self::PostalAddress,
        Self::Name,
    ];

    /// The kind's name in scenarios, tables and redacted texts.
    pub const fn name(self) -> &'static str {
        match self {
            Self::PrivateKey => "private-key",
            Self::DatabaseUrl => "database-url",
            Self::Jwt => "jwt",
            Self::CloudKey => "cloud-key",
            Self::ApiKey => "api-key",
            Self::Token => "token",
            Self::Password => "password",
            Self::CreditCard => "credit-card",
            Self::Ssn => "ssn",
            Self::Email => "email",
            Self::Ipv6 => "ipv6",
            Self::Ipv4 => "ipv4",
            Self::Phone => "phone",
            Self::PostalAddress => "postal-address",
            Self::Name => "name",
        }
    }

    /// The kind of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// Whether something of the other kind inside something of this kind is a part of it.
    pub(crate) fn holds(self, other: Self) -> bool {
        match self {
            Self::PostalAddress => matches!(other, Self::PostalAddress | Self::Name),
            _ => self <= other,
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
