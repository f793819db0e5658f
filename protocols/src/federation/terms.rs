//! The nouns that several layers share: organisation, level, capability, action, money, digest.
//!
//! Values only; no rule of any layer is here.

use std::borrow::Borrow;
use std::collections::BTreeSet;
use std::fmt;
use std::io;
use std::sync::Arc;

use borsh::{BorshDeserialize, BorshSerialize};

use crate::fold::{Fold, Folder};
use crate::time::LocalTime;
use crate::{fold_enum, fold_tuple};

/// An organisation, numbered in the order of the scenario.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, BorshSerialize, BorshDeserialize,
)]
pub struct Organisation(pub u16);

fold_tuple!(Organisation(number));

/// How far a peer is trusted; each level adds to what the one below may do.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    BorshSerialize,
    BorshDeserialize,
)]
pub enum Level {
    /// 0: may discover.
    #[default]
    Untrusted,
    /// 1: its key is known; may ask for status.
    Verified,
    /// 2: its organisation vouches for it; may send and receive.
    Attested,
    /// 3: it proved itself; may share context and work together.
    Trusted,
    /// 4: as one of our own; may use memory and start agents.
    Privileged,
}

fold_enum!(Level {
    0 = Untrusted {},
    1 = Verified {},
    2 = Attested {},
    3 = Trusted {},
    4 = Privileged {},
});

impl Level {
    /// All levels, lowest first.
    pub const ALL: [Self; 5] = [
        Self::Untrusted,
        Self::Verified,
        Self::Attested,
        Self::Trusted,
        Self::Privileged,
    ];

    /// The level's number, 0 to 4.
    pub const fn number(self) -> u8 {
        self as u8
    }

    /// The level with this number.
    pub fn from_number(number: u8) -> Option<Self> {
        Self::ALL.get(usize::from(number)).copied()
    }

    /// The next higher level; the highest stays.
    pub fn raised(self) -> Self {
        Self::from_number(self.number() + 1).unwrap_or(self)
    }

    /// The next lower level; the lowest stays.
    pub fn lowered(self) -> Self {
        Self::from_number(self.number().saturating_sub(1)).unwrap_or(self)
    }

    /// The level's name in scenarios and tables.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Untrusted => "untrusted",
            Self::Verified => "verified",
            Self::Attested => "attested",
            Self::Trusted => "trusted",
            Self::Privileged => "privileged",
        }
    }
}

/// The name of one ability that a peer exposes: lower case with dashes, 1 to 64 bytes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Capability(Arc<str>);

impl Capability {
    /// The longest name in bytes.
    pub const LEN_MAX: usize = 64;

    /// The capability of this name, if it is one.
    pub fn new(name: &str) -> Option<Self> {
        let is_of_name = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
        let is_valid = (1..=Self::LEN_MAX).contains(&name.len())
            && name.bytes().all(|byte| is_of_name(byte) || byte == b'-');
        is_valid.then(|| Self(Arc::from(name)))
    }

    /// The name.
    pub fn name(&self) -> &str {
        &self.0
    }
}

impl Borrow<str> for Capability {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Capability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Fold for Capability {
    fn fold(&self, into: &mut Folder) {
        self.0.fold(into);
    }
}

impl BorshSerialize for Capability {
    fn serialize<W: io::Write>(&self, writer: &mut W) -> io::Result<()> {
        self.name().serialize(writer)
    }
}

impl BorshDeserialize for Capability {
    fn deserialize_reader<R: io::Read>(reader: &mut R) -> io::Result<Self> {
        let name = String::deserialize_reader(reader)?;
        Self::new(&name).ok_or_else(|| io::Error::from(io::ErrorKind::InvalidData))
    }
}

/// Which capabilities a statement is about.
#[derive(Clone, Debug, PartialEq, Eq, Hash, BorshSerialize, BorshDeserialize)]
pub enum Scope {
    /// Not limited: the list was left out.
    All,
    /// These and no others; an empty list denies all.
    Only {
        /// The names.
        names: BTreeSet<Capability>,
    },
}

impl Scope {
    /// The scope of exactly these.
    pub fn of(names: impl IntoIterator<Item = Capability>) -> Self {
        let names = names.into_iter().collect();
        Self::Only { names }
    }

    /// Whether `capability` is within.
    pub fn contains(&self, capability: &Capability) -> bool {
        match self {
            Self::All => true,
            Self::Only { names } => names.contains(capability),
        }
    }

    /// What both allow.
    pub fn intersect(&self, other: &Self) -> Self {
        match (self, other) {
            (Self::All, scope) | (scope, Self::All) => scope.clone(),
            (Self::Only { names: left }, Self::Only { names: right }) => {
                Self::of(left.intersection(right).cloned())
            }
        }
    }
}

impl Fold for Scope {
    fn fold(&self, into: &mut Folder) {
        match self {
            Self::All => into.u64(0),
            Self::Only { names } => {
                into.u64(1 + names.len() as u64);
                names.iter().for_each(|name| name.fold(into));
            }
        }
    }
}

macro_rules! sixteen_bytes {
    ($($(#[$doc:meta])* $name:ident, $tag:literal;)*) => {$(
        $(#[$doc])*
        #[derive(
            Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, BorshSerialize, BorshDeserialize,
        )]
        pub struct $name(pub [u8; 16]);

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let [.., a, b, c, d] = self.0;
                write!(f, concat!($tag, ":{:02x}{:02x}{:02x}{:02x}"), a, b, c, d)
            }
        }

        fold_tuple!($name(bytes));
    )*};
}

sixteen_bytes! {
    /// One action of its source, however often it is sent.
    ///
    /// It begins with the action's expiry, so that nobody can ask for the same action again once
    /// its receivers may have forgotten it.
    ActionId, "action";
    /// One session between two peers; drawn by whoever opens it.
    SessionId, "session";
    /// One envelope; drawn anew for every sending, also of the same action.
    Nonce, "nonce";
    /// One account in a ledger of budgets.
    Account, "account";
}

impl Account {
    /// Nobody's account: whoever works bears the cost.
    pub const NONE: Self = Self([0; 16]);

    /// The account that everything draws on which a peer asks for of itself.
    pub fn pool_of(issuer: crate::identity::Identity) -> Self {
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&issuer.0[..16]);
        Self(bytes)
    }

    /// The account that pays for one action which was handed on.
    pub const fn of_action(action: ActionId) -> Self {
        Self(action.0)
    }
}

impl ActionId {
    /// Flips the sign so that ids sort by expiry.
    const SIGN: u64 = 1 << 63;

    /// An action that expires at `expires_at` by its source's clock; `salt` tells it from others.
    pub fn new(expires_at: LocalTime, salt: u64) -> Self {
        let mut bytes = [0; 16];
        let ordered = expires_at.as_nanos() as u64 ^ Self::SIGN;
        bytes[..8].copy_from_slice(&ordered.to_be_bytes());
        bytes[8..].copy_from_slice(&salt.to_be_bytes());
        Self(bytes)
    }

    /// When the action expires.
    pub fn expires_at(&self) -> LocalTime {
        let [a, b, c, d, e, f, g, h, ..] = self.0;
        let ordered = u64::from_be_bytes([a, b, c, d, e, f, g, h]);
        LocalTime::from_nanos((ordered ^ Self::SIGN) as i64)
    }
}

/// The BLAKE3 hash of some canonical bytes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, BorshSerialize, BorshDeserialize)]
pub struct Digest(pub [u8; 32]);

fold_tuple!(Digest(bytes));

impl Digest {
    /// The digest of a value's canonical bytes.
    pub fn of<T: BorshSerialize>(value: &T) -> Self {
        let bytes = borsh::to_vec(value).expect("writing to memory does not fail");
        Self(*blake3::hash(&bytes).as_bytes())
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, ..] = self.0;
        write!(f, "digest:{a:02x}{b:02x}{c:02x}{d:02x}")
    }
}

/// An amount in millionths of a US dollar. Arithmetic saturates.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    BorshSerialize,
    BorshDeserialize,
)]
pub struct Money(pub u64);

fold_tuple!(Money(micros));

impl Money {
    /// Whole cents.
    pub const fn from_cents(cents: u64) -> Self {
        Self(cents.saturating_mul(10_000))
    }
}

impl std::ops::Add for Money {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl std::iter::Sum for Money {
    fn sum<I: Iterator<Item = Self>>(amounts: I) -> Self {
        amounts.fold(Self(0), |sum, amount| sum + amount)
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:06} USD", self.0 / 1_000_000, self.0 % 1_000_000)
    }
}

/// Tokens and money together. Arithmetic saturates.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, BorshSerialize, BorshDeserialize)]
pub struct Amount {
    /// Tokens.
    pub tokens: u64,
    /// Money.
    pub money: Money,
}

crate::fold_struct!(Amount { tokens, money });

impl Amount {
    /// Nothing.
    pub const ZERO: Self = Self {
        tokens: 0,
        money: Money(0),
    };

    /// Money alone.
    pub const fn money(money: Money) -> Self {
        Self { tokens: 0, money }
    }

    /// Whether both parts are within those of `other`.
    pub fn fits(self, other: Self) -> bool {
        self.tokens <= other.tokens && self.money <= other.money
    }

    /// One of `parts` equal parts of so many hundredths, rounded down.
    pub fn part(self, percent: u8, parts: u8) -> Self {
        let whole = 100 * u128::from(parts.max(1));
        let of = |amount: u64| (u128::from(amount) * u128::from(percent.min(100)) / whole) as u64;
        Self {
            tokens: of(self.tokens),
            money: Money(of(self.money.0)),
        }
    }

    /// The smaller of each part.
    pub fn least(self, other: Self) -> Self {
        Self {
            tokens: self.tokens.min(other.tokens),
            money: self.money.min(other.money),
        }
    }
}

impl std::ops::Add for Amount {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self {
            tokens: self.tokens.saturating_add(other.tokens),
            money: self.money + other.money,
        }
    }
}

impl std::ops::Sub for Amount {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        Self {
            tokens: self.tokens.saturating_sub(other.tokens),
            money: Money(self.money.0.saturating_sub(other.money.0)),
        }
    }
}

/// A share of a whole in millionths, 0 to 1,000,000.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Share(u32);

fold_tuple!(Share(millionths));

impl Share {
    /// Nothing.
    pub const ZERO: Self = Self(0);
    /// The whole.
    pub const ONE: Self = Self(1_000_000);

    /// This many millionths, at most the whole.
    pub const fn millionths(millionths: u32) -> Self {
        Self(if millionths > 1_000_000 {
            1_000_000
        } else {
            millionths
        })
    }

    /// `part` of `whole`, rounded down, at most the whole; `None` of nothing.
    pub fn of(part: u64, whole: u64) -> Option<Self> {
        let share = (u128::from(part) * 1_000_000).checked_div(u128::from(whole))?;
        Some(Self(share.min(1_000_000) as u32))
    }

    /// Millionths.
    pub const fn as_millionths(self) -> u32 {
        self.0
    }

    /// The rest of the whole.
    pub const fn complement(self) -> Self {
        Self(1_000_000 - self.0)
    }

    /// This share of `other`, rounded down.
    pub const fn times(self, other: Self) -> Self {
        Self((self.0 as u64 * other.0 as u64 / 1_000_000) as u32)
    }
}

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:06}", self.0 / 1_000_000, self.0 % 1_000_000)
    }
}

/// What kind of action an envelope asks for.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, BorshSerialize, BorshDeserialize,
)]
pub enum ActionKind {
    /// Says how a peer is.
    Status,
    /// Asks whether a peer is there.
    Ping,
    /// Hands over a message.
    Message,
    /// Asks a question.
    Query,
    /// Hands over context.
    ContextShare,
    /// Asks for work.
    Task,
    /// Reads the receiver's memory.
    MemoryQuery,
    /// Changes how far a peer is trusted by all.
    TrustChange,
    /// Changes who is connected to whom.
    TopologyChange,
    /// Changes who belongs.
    RosterChange,
    /// Starts an agent at the receiver.
    AgentSpawn,
    /// Hands ownership of a resource over.
    HandOff,
    /// Merges work into what is shared.
    Merge,
}

fold_enum!(ActionKind {
    0 = Status {},
    1 = Ping {},
    2 = Message {},
    3 = Query {},
    4 = ContextShare {},
    5 = Task {},
    6 = MemoryQuery {},
    7 = TrustChange {},
    8 = TopologyChange {},
    9 = RosterChange {},
    10 = AgentSpawn {},
    11 = HandOff {},
    12 = Merge {},
});

impl ActionKind {
    /// All kinds, in the order of their numbers.
    pub const ALL: [Self; 13] = [
        Self::Status,
        Self::Ping,
        Self::Message,
        Self::Query,
        Self::ContextShare,
        Self::Task,
        Self::MemoryQuery,
        Self::TrustChange,
        Self::TopologyChange,
        Self::RosterChange,
        Self::AgentSpawn,
        Self::HandOff,
        Self::Merge,
    ];

    /// The kind's name in scenarios and tables.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Status => "status",
            Self::Ping => "ping",
            Self::Message => "message",
            Self::Query => "query",
            Self::ContextShare => "context-share",
            Self::Task => "task",
            Self::MemoryQuery => "memory-query",
            Self::TrustChange => "trust-change",
            Self::TopologyChange => "topology-change",
            Self::RosterChange => "roster-change",
            Self::AgentSpawn => "agent-spawn",
            Self::HandOff => "hand-off",
            Self::Merge => "merge",
        }
    }

    /// Whether such an action changes state that peers share.
    pub const fn changes_shared_state(self) -> bool {
        match self {
            Self::TrustChange
            | Self::TopologyChange
            | Self::RosterChange
            | Self::AgentSpawn
            | Self::HandOff
            | Self::Merge => true,
            Self::Status
            | Self::Ping
            | Self::Message
            | Self::Query
            | Self::ContextShare
            | Self::Task
            | Self::MemoryQuery => false,
        }
    }
}

/// What may be spent on an action and on all that follows from it.
///
/// It travels signed inside the envelope. It is a promise of the issuer's ledger, not a coin: who
/// copies it names the same account twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, BorshSerialize, BorshDeserialize)]
pub struct Budget {
    /// The account that pays.
    pub account: Account,
    /// Who keeps the account.
    pub issuer: crate::identity::Identity,
    /// Most hops from the originator, at most [`Budget::HOPS_CEILING`]. 0 forbids delegation.
    pub hops_max: u8,
    /// Most tokens.
    pub tokens_max: u64,
    /// Most money.
    pub money_max: Money,
}

crate::fold_struct!(Budget {
    account,
    issuer,
    hops_max,
    tokens_max,
    money_max,
});

impl Budget {
    /// How many hops an action may take if nothing else is said.
    pub const HOPS_DEFAULT: u8 = 8;
    /// The most hops that may be asked for.
    pub const HOPS_CEILING: u8 = 64;
    /// The most tokens that may be asked for.
    pub const TOKENS_CEILING: u64 = 1_000_000_000;
    /// The most money that may be asked for.
    pub const MONEY_CEILING: Money = Money(1_000_000_000_000);

    /// The most that may be spent.
    pub fn most(&self) -> Amount {
        Amount {
            tokens: self.tokens_max,
            money: self.money_max,
        }
    }

    /// Whether somebody must be asked before this is spent.
    pub fn has_keeper(&self) -> bool {
        self.account != Account::NONE && self.most() != Amount::ZERO
    }

    /// Whether every bound is within its ceiling.
    pub fn is_valid(&self) -> bool {
        self.hops_max <= Self::HOPS_CEILING
            && self.tokens_max <= Self::TOKENS_CEILING
            && self.money_max <= Self::MONEY_CEILING
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn capability(name: &str) -> Capability {
        Capability::new(name).unwrap()
    }

    #[test]
    fn an_empty_list_denies_all_and_no_list_denies_nothing() {
        // The two must never be confused: one is a refusal, the other no limit.
        let (send, all, none) = (capability("send"), Scope::All, Scope::of([]));
        assert!(all.contains(&send) && !none.contains(&send));
        assert_eq!(all.intersect(&none), none);
        let both = Scope::of([send.clone(), capability("ping")]);
        assert_eq!(
            both.intersect(&Scope::of([send.clone()])),
            Scope::of([send])
        );
    }

    #[test]
    fn a_capability_has_one_spelling_on_the_wire_too() {
        // A name that the constructor refuses must not come in through decoding.
        for name in ["", "Send", "a b", "caf\u{e9}", &"x".repeat(65)] {
            assert!(Capability::new(name).is_none(), "{name:?}");
            let bytes = borsh::to_vec(&name.to_owned()).unwrap();
            assert!(borsh::from_slice::<Capability>(&bytes).is_err(), "{name:?}");
        }
        let send = capability("send");
        let bytes = borsh::to_vec(&send).unwrap();
        assert_eq!(borsh::from_slice::<Capability>(&bytes).unwrap(), send);
    }

    #[test]
    fn shares_are_exact_at_their_ends_and_never_leave_them() {
        // A score is compared with thresholds: the ends must be reached and not passed.
        assert_eq!(Share::of(0, 7), Some(Share::ZERO));
        assert_eq!(Share::of(7, 7), Some(Share::ONE));
        assert_eq!(Share::of(u64::MAX, 1), Some(Share::ONE));
        assert_eq!(Share::of(1, 0), None);
        assert_eq!(Share::ONE.times(Share::millionths(3)), Share::millionths(3));
        assert_eq!(Share::ZERO.complement(), Share::ONE);
    }

    #[test]
    fn levels_and_kinds_are_numbered_in_order() {
        // Tables index by these numbers.
        for (index, level) in Level::ALL.into_iter().enumerate() {
            assert_eq!(usize::from(level.number()), index);
            assert_eq!(Level::from_number(level.number()), Some(level));
        }
        assert_eq!(Level::Privileged.raised(), Level::Privileged);
        assert_eq!(Level::Untrusted.lowered(), Level::Untrusted);
        let numbers = ActionKind::ALL.map(|kind| borsh::to_vec(&kind).unwrap()[0]);
        assert!(
            numbers
                .iter()
                .enumerate()
                .all(|(i, n)| i == usize::from(*n))
        );
    }
}
