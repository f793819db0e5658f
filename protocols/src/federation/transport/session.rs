//! Sessions: a channel over a carriage, with a lifetime.
//!
//! ```text
//!  Opening ──established──▶ Open ──lifetime over, silence, certificate over, told so──▶ Ended
//!     └── refused, not answered in time ──────────────────────────────────────────────▶ ▲
//!           renewed while Open: lives longer, never beyond the longest life ◀─ Open
//! ```
//!
//! Handshakes are dear and sessions are reused: the first message opens one, an hour of silence does
//! not. Both sides heartbeat; a side that is not heard three times over is taken for gone.

use std::fmt;

use crate::federation::rules::{Rules, Strict};
use crate::federation::terms::SessionId;
use crate::fold_enum;
use crate::identity::{Identity, Keys, PublicKey};
use crate::time::{LocalTime, SimDuration};

use super::carriage::{Carriage, Packet};
use super::channel::{Channel, ChannelError, Endpoint};

/// How long sessions live.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SessionConfig {
    /// A session ends so long after it was opened or renewed. Default 1 h.
    pub lifetime: SimDuration,
    /// However often renewed, it ends so long after it was opened. Default 24 h.
    pub lifetime_max: SimDuration,
    /// Each side says so often that it is there. Default 30 s.
    pub heartbeat: SimDuration,
    /// So many heartbeats missed end it. Default 3.
    pub missed_max: u32,
    /// A handshake that takes longer has failed. Default 10 s.
    pub handshake_max: SimDuration,
    /// What is not acknowledged is sent again after this. Default 1 s.
    pub resend_after: SimDuration,
    /// And then ever later, at most every so often. Default 8 s.
    pub resend_max: SimDuration,
}

impl Default for SessionConfig {
    fn default() -> Self {
        Self {
            lifetime: SimDuration::from_secs(3_600),
            lifetime_max: SimDuration::from_secs(86_400),
            heartbeat: SimDuration::from_secs(30),
            missed_max: 3,
            handshake_max: SimDuration::from_secs(10),
            resend_after: SimDuration::from_secs(1),
            resend_max: SimDuration::from_secs(8),
        }
    }
}

/// Why a session ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum End {
    /// The channel is of no use.
    Channel {
        /// Why.
        error: ChannelError,
    },
    /// The handshake took too long.
    Unanswered,
    /// Its time was over.
    Lapsed,
    /// The certificate of this side was.
    CertificateOver,
    /// The other side was not heard any more.
    Silent,
    /// Somebody ended it: this side, or the other.
    Terminated,
    /// The other side does not know it.
    Forgotten,
}

fold_enum!(End {
    0 = Channel { error },
    1 = Unanswered {},
    2 = Lapsed {},
    3 = CertificateOver {},
    4 = Silent {},
    5 = Terminated {},
    6 = Forgotten {},
});

impl End {
    /// The constant reason for counters.
    pub const fn reason(self) -> &'static str {
        match self {
            Self::Channel { error } => error.reason(),
            Self::Unanswered => "handshake-unanswered",
            Self::Lapsed => "session-lapsed",
            Self::CertificateOver => "own-certificate-over",
            Self::Silent => "peer-silent",
            Self::Terminated => "terminated",
            Self::Forgotten => "session-forgotten",
        }
    }
}

/// What a session has to say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SessionEvent {
    /// Messages can pass. The key is what the other side proved, if it had to.
    Established {
        /// That key.
        peer: Option<PublicKey>,
    },
    /// A message came.
    Message(Vec<u8>),
    /// It is over.
    Ended(End),
}

/// First bytes of what is said in a session.
const MESSAGE: u8 = 0;
const HEARTBEAT: u8 = 1;
const RENEWAL: u8 = 2;
const TERMINATION: u8 = 3;

/// One end of a session.
pub struct Session<R: Rules = Strict> {
    id: SessionId,
    config: SessionConfig,
    channel: Channel<R>,
    carriage: Carriage,
    opened_at: LocalTime,
    expires_at: LocalTime,
    certificate_until: LocalTime,
    heard_at: LocalTime,
    said_at: LocalTime,
    was_established: bool,
    end: Option<End>,
}

impl<R: Rules> fmt::Debug for Session<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} over {:?}", self.id, self.channel)
    }
}

impl<R: Rules> Session<R> {
    /// Opens session `id` to whoever holds the key of `expected`, or to anybody. `dice` are for
    /// this session alone.
    pub fn connect(
        endpoint: &Endpoint<R>,
        (id, dice): (SessionId, [u8; 32]),
        expected: Option<Identity>,
        (config, certificate_until): (SessionConfig, LocalTime),
        now: LocalTime,
    ) -> (Self, Vec<Packet>) {
        let channel = endpoint.connect(dice, expected);
        let mut session = Self::new(id, channel, config, certificate_until, now);
        let packets = session.take_packets(now);
        (session, packets)
    }

    /// Takes part in session `id`, which the other side opens.
    pub fn accept(
        endpoint: &Endpoint<R>,
        (id, dice): (SessionId, [u8; 32]),
        (config, certificate_until): (SessionConfig, LocalTime),
        now: LocalTime,
    ) -> Self {
        Self::new(id, endpoint.accept(dice), config, certificate_until, now)
    }

    fn new(
        id: SessionId,
        channel: Channel<R>,
        config: SessionConfig,
        certificate_until: LocalTime,
        now: LocalTime,
    ) -> Self {
        Self {
            id,
            config,
            channel,
            carriage: Carriage::new(config.resend_after, config.resend_max),
            opened_at: now,
            expires_at: now + config.lifetime,
            certificate_until,
            heard_at: now,
            said_at: now,
            was_established: false,
            end: None,
        }
    }

    /// Which session.
    pub fn id(&self) -> SessionId {
        self.id
    }

    /// The key that the other side proved to hold.
    pub fn peer(&self) -> Option<PublicKey> {
        self.channel.peer()
    }

    /// Whether messages can pass.
    pub fn is_open(&self) -> bool {
        self.end.is_none() && self.channel.is_established()
    }

    /// When it ends unless it is renewed.
    pub fn expires_at(&self) -> LocalTime {
        self.expires_at.min(self.certificate_until)
    }

    /// Sends a message, as soon as the session is established.
    pub fn send(&mut self, message: &[u8], now: LocalTime) -> Vec<Packet> {
        self.say(MESSAGE, message, now)
    }

    fn say(&mut self, kind: u8, message: &[u8], now: LocalTime) -> Vec<Packet> {
        if self.end.is_some() {
            return Vec::new();
        }
        self.said_at = now;
        self.channel.send(&[&[kind], message].concat());
        self.take_packets(now)
    }

    fn take_packets(&mut self, now: LocalTime) -> Vec<Packet> {
        let segment = self.channel.take_segment().into_iter();
        segment
            .map(|segment| self.carriage.send(segment, now))
            .collect()
    }

    /// Takes a packet of the other side.
    pub fn on_packet(
        &mut self,
        packet: &Packet,
        now: LocalTime,
        keys: &mut Keys,
    ) -> (Vec<SessionEvent>, Vec<Packet>) {
        if self.end.is_some() {
            return (Vec::new(), Vec::new());
        }
        let (segments, acknowledgement) = self.carriage.on_packet(packet);
        let mut events = Vec::new();
        for segment in segments {
            let taken = self.channel.on_segment(&segment.bytes, now, keys);
            if taken.is_ok() {
                self.heard_at = now;
            }
            self.note_established(&mut events);
            for message in self.channel.take_messages() {
                events.extend(self.on_message(&message, now));
            }
            if let Some(error) = self.channel.error() {
                events.extend(self.finish(End::Channel { error }));
                break;
            }
        }
        let mut packets = self.take_packets(now);
        if packets.is_empty() {
            packets.extend(acknowledgement);
        }
        (events, packets)
    }

    fn note_established(&mut self, events: &mut Vec<SessionEvent>) {
        if self.channel.is_established() && !self.was_established {
            self.was_established = true;
            let peer = self.channel.peer();
            events.push(SessionEvent::Established { peer });
        }
    }

    fn on_message(&mut self, message: &[u8], now: LocalTime) -> Option<SessionEvent> {
        match message.split_first() {
            Some((&MESSAGE, message)) => Some(SessionEvent::Message(message.to_vec())),
            Some((&HEARTBEAT, [])) => None,
            Some((&RENEWAL, [])) => {
                self.prolong(now);
                None
            }
            Some((&TERMINATION, [])) => self.finish(End::Terminated),
            Some(_) | None => self.finish(End::Channel {
                error: ChannelError::Malformed,
            }),
        }
    }

    fn finish(&mut self, end: End) -> Option<SessionEvent> {
        if self.end.is_some() {
            return None;
        }
        self.end = Some(end);
        Some(SessionEvent::Ended(end))
    }

    /// Whether it has less than a quarter of its lifetime left and may be given more.
    pub fn wants_renewal(&self, now: LocalTime) -> bool {
        let lifetime = self.config.lifetime;
        let longest = self.opened_at + self.config.lifetime_max;
        let is_near = self.expires_at.since(now) * 4 < lifetime;
        self.is_open() && is_near && self.expires_at < longest
    }

    /// Lives longer from now on, as far as the longest life allows; tells the other side.
    pub fn renew(&mut self, now: LocalTime) -> Vec<Packet> {
        if !self.is_open() {
            return Vec::new();
        }
        self.prolong(now);
        self.say(RENEWAL, &[], now)
    }

    fn prolong(&mut self, now: LocalTime) {
        let longest = self.opened_at + self.config.lifetime_max;
        self.expires_at = R::renewed_until(now + self.config.lifetime, longest);
    }

    /// Ends the session and tells the other side.
    pub fn terminate(&mut self, now: LocalTime) -> Vec<Packet> {
        let packets = self.say(TERMINATION, &[], now);
        self.end = self.end.or(Some(End::Terminated));
        packets
    }

    /// Does what is due: sends again, heartbeats, ends what is over.
    pub fn on_tick(&mut self, now: LocalTime) -> (Option<SessionEvent>, Vec<Packet>) {
        if self.end.is_some() {
            return (None, Vec::new());
        }
        if let Some(end) = self.over(now) {
            return (self.finish(end), Vec::new());
        }
        let mut packets = self.carriage.overdue(now);
        if self.is_open() && now.since(self.said_at) >= self.config.heartbeat {
            packets.extend(self.say(HEARTBEAT, &[], now));
        }
        (None, packets)
    }

    /// Why the session is over by now, if it is.
    fn over(&self, now: LocalTime) -> Option<End> {
        let heartbeats = u64::from(self.config.missed_max);
        let is_open = self.channel.is_established();
        if R::session_is_over(now > self.expires_at) {
            Some(End::Lapsed)
        } else if R::session_is_over(now > self.certificate_until) {
            Some(End::CertificateOver)
        } else if !is_open && now.since(self.opened_at) > self.config.handshake_max {
            Some(End::Unanswered)
        } else if is_open && now.since(self.heard_at) > self.config.heartbeat * heartbeats {
            Some(End::Silent)
        } else {
            None
        }
    }

    /// When [`Session::on_tick`] is due next.
    pub fn next_due(&self) -> LocalTime {
        let config = &self.config;
        let moments = [
            Some(self.expires_at()),
            Some(match self.channel.is_established() {
                true => {
                    let silence = config.heartbeat * u64::from(config.missed_max);
                    (self.said_at + config.heartbeat).min(self.heard_at + silence)
                }
                false => self.opened_at + config.handshake_max,
            }),
            self.carriage.next_due(),
        ];
        let due = moments.into_iter().flatten().min();
        due.unwrap_or(self.expires_at) + SimDuration::from_nanos(1)
    }
}
