//! One protected channel between two peers, real or modelled, carrying whole messages.

use std::fmt;

use borsh::{BorshDeserialize, BorshSerialize};

use crate::federation::rules::{Rules, Strict};
use crate::fold::{Fold, Folder};
use crate::fold_enum;
use crate::identity::{Identity, Keys, PublicKey};
use crate::time::LocalTime;

use super::modelled::{ModelledChannel, ModelledEndpoint};
use super::tls::{TlsChannel, TlsEndpoint};

/// Who proves who he is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Mode {
    /// Both sides.
    #[default]
    Mutual,
    /// Whoever accepts; whoever connects says who he is, and is believed or not.
    ServerOnly,
    /// Nobody, and nothing is protected.
    None,
}

/// Why a channel is of no use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ChannelError {
    /// What came is not what should have come, or was changed on the way.
    Malformed,
    /// The certificate is none.
    BadCertificate,
    /// The certificate has expired.
    Expired,
    /// The certificate is not valid yet.
    NotYetValid,
    /// No root that is believed has signed the certificate.
    UnknownIssuer,
    /// The other side does not hold the key of its certificate.
    Unproven,
    /// The other side shows no certificate.
    NoCertificate,
    /// The other side is somebody else than was looked for.
    Impostor,
    /// The other side found fault with us.
    Refused,
    /// The other side is done.
    Closed,
}

fold_enum!(ChannelError {
    0 = Malformed {},
    1 = BadCertificate {},
    2 = Expired {},
    3 = NotYetValid {},
    4 = UnknownIssuer {},
    5 = Unproven {},
    6 = NoCertificate {},
    7 = Impostor {},
    8 = Refused {},
    9 = Closed {},
});

impl ChannelError {
    /// The constant reason for counters.
    pub const fn reason(self) -> &'static str {
        match self {
            Self::Malformed => "malformed-record",
            Self::BadCertificate => "bad-certificate",
            Self::Expired => "expired-certificate",
            Self::NotYetValid => "certificate-not-yet-valid",
            Self::UnknownIssuer => "unknown-issuer",
            Self::Unproven => "unproven-key",
            Self::NoCertificate => "no-certificate",
            Self::Impostor => "impostor",
            Self::Refused => "refused-by-peer",
            Self::Closed => "closed-by-peer",
        }
    }
}

/// Bytes on the way, and how many more the real thing would have.
#[derive(Clone, Debug, PartialEq, Eq, Hash, BorshSerialize, BorshDeserialize)]
pub struct Segment {
    /// What is said.
    pub bytes: Vec<u8>,
    /// Bytes that are on the wire and say nothing.
    pub padding: u32,
}

impl Fold for Segment {
    /// How much is said, not what: signatures are part of it.
    fn fold(&self, into: &mut Folder) {
        into.u64(self.wire_len() as u64);
    }
}

impl Segment {
    /// Bytes on the wire.
    pub fn wire_len(&self) -> usize {
        self.bytes.len() + self.padding as usize
    }
}

/// What one peer needs for its channels.
#[derive(Debug)]
pub enum Endpoint<R: Rules = Strict> {
    /// TLS.
    Tls(Box<TlsEndpoint<R>>),
    /// The model of it.
    Modelled(Box<ModelledEndpoint>),
    /// Nothing: channels in the clear.
    Clear,
}

impl<R: Rules> Endpoint<R> {
    /// Begins a channel to whoever holds the key of `expected`, or to anybody. `dice` are for this
    /// channel alone.
    pub fn connect(&self, dice: [u8; 32], expected: Option<Identity>) -> Channel<R> {
        Channel::new(match self {
            Self::Tls(endpoint) => Kind::Tls(Box::new(endpoint.connect(dice, expected))),
            Self::Modelled(endpoint) => {
                Kind::Modelled(Box::new(ModelledChannel::connect(endpoint, dice, expected)))
            }
            Self::Clear => Kind::Clear(Vec::new(), Vec::new()),
        })
    }

    /// Waits for a channel. `dice` are for this channel alone.
    pub fn accept(&self, dice: [u8; 32]) -> Channel<R> {
        Channel::new(match self {
            Self::Tls(endpoint) => Kind::Tls(Box::new(endpoint.accept(dice))),
            Self::Modelled(endpoint) => {
                Kind::Modelled(Box::new(ModelledChannel::accept(endpoint, dice)))
            }
            Self::Clear => Kind::Clear(Vec::new(), Vec::new()),
        })
    }
}

enum Kind {
    Tls(Box<TlsChannel>),
    Modelled(Box<ModelledChannel>),
    /// What is to be sent, and what came.
    Clear(Vec<u8>, Vec<u8>),
}

/// One channel: segments in and out, whole messages in and out.
///
/// Segments must arrive once each and in order; see [`Carriage`](super::Carriage). After an error
/// the channel is dead, and what it still sends tells the other side so.
pub struct Channel<R: Rules = Strict> {
    kind: Kind,
    error: Option<ChannelError>,
    waiting: Vec<Vec<u8>>,
    incoming: Vec<u8>,
    rules: std::marker::PhantomData<R>,
}

impl<R: Rules> fmt::Debug for Channel<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let peer = self.peer();
        write!(f, "Channel({peer:?}, {:?})", self.error)
    }
}

/// The longest message in a channel: 2 MiB.
const MESSAGE_MAX: usize = 1 << 21;

impl<R: Rules> Channel<R> {
    fn new(kind: Kind) -> Self {
        Self {
            kind,
            error: None,
            waiting: Vec::new(),
            incoming: Vec::new(),
            rules: std::marker::PhantomData,
        }
    }

    /// Takes the next segment of the other side.
    ///
    /// # Errors
    /// Why the channel is dead from now on.
    pub fn on_segment(
        &mut self,
        bytes: &[u8],
        now: LocalTime,
        keys: &mut Keys,
    ) -> Result<(), ChannelError> {
        if let Some(error) = self.error {
            return Err(error);
        }
        let result = match &mut self.kind {
            Kind::Tls(channel) => channel.on_bytes(bytes, now),
            Kind::Modelled(channel) => channel.on_bytes::<R>(bytes, now, keys),
            Kind::Clear(_, plain) => {
                plain.extend_from_slice(bytes);
                Ok(())
            }
        };
        self.error = result.err();
        if self.is_established() {
            let waiting = std::mem::take(&mut self.waiting);
            waiting.iter().for_each(|message| self.write(message));
        }
        result
    }

    /// The next segment for the other side, if there is one.
    pub fn take_segment(&mut self) -> Option<Segment> {
        let clear = |bytes: Vec<u8>| {
            let segment = Segment { bytes, padding: 0 };
            (!segment.bytes.is_empty()).then_some(segment)
        };
        match &mut self.kind {
            Kind::Tls(channel) => clear(channel.take_bytes()),
            Kind::Modelled(channel) => channel.take_segment(),
            Kind::Clear(out, _) => clear(std::mem::take(out)),
        }
    }

    /// Sends a message, as soon as the channel is established.
    pub fn send(&mut self, message: &[u8]) {
        match self.is_established() {
            true => self.write(message),
            false => self.waiting.push(message.to_vec()),
        }
    }

    fn write(&mut self, message: &[u8]) {
        let length = u32::try_from(message.len()).expect("BUG: a message of 4 GiB");
        let framed = [&length.to_le_bytes()[..], message].concat();
        match &mut self.kind {
            Kind::Tls(channel) => channel.write(&framed),
            Kind::Modelled(channel) => channel.write(&framed),
            Kind::Clear(out, _) => out.extend(framed),
        }
    }

    /// Messages of the other side that are whole.
    pub fn take_messages(&mut self) -> Vec<Vec<u8>> {
        let plain = match &mut self.kind {
            Kind::Tls(channel) => channel.read(),
            Kind::Modelled(channel) => channel.read(),
            Kind::Clear(_, plain) => std::mem::take(plain),
        };
        self.incoming.extend(plain);
        let mut messages = Vec::new();
        while let Some((length, rest)) = self.incoming.split_first_chunk::<4>() {
            let length = u32::from_le_bytes(*length) as usize;
            if length > MESSAGE_MAX {
                self.error = Some(ChannelError::Malformed);
                self.incoming.clear();
                break;
            }
            let Some(message) = rest.get(..length) else {
                break;
            };
            messages.push(message.to_vec());
            self.incoming.drain(..4 + length);
        }
        messages
    }

    /// Whether messages can pass.
    pub fn is_established(&self) -> bool {
        self.error.is_none()
            && match &self.kind {
                Kind::Tls(channel) => channel.is_established(),
                Kind::Modelled(channel) => channel.is_established(),
                Kind::Clear(..) => true,
            }
    }

    /// The key that the other side proved to hold; nothing where it need not prove any.
    pub fn peer(&self) -> Option<PublicKey> {
        match &self.kind {
            Kind::Tls(channel) => channel.peer(),
            Kind::Modelled(channel) => channel.peer(),
            Kind::Clear(..) => None,
        }
    }

    /// Why the channel is dead, if it is.
    pub fn error(&self) -> Option<ChannelError> {
        self.error
    }
}
