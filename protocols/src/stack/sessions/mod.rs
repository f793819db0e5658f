//! Sessions between peers: opened when there is something to carry, used again, renewed, closed.
//!
//! ```text
//!   asks      action, head      in a session in which the other side has proven itself, or is to
//!   councils  raft, pbft        likewise, to peers of other organisations
//!   answers   receipt, refusal  in the session that the last question came in
//! ```
//!
//! Where both sides prove themselves one session serves both; where only the accepting side does, it
//! learns nothing of the other and opens a session of its own to ask. What a session lost is asked
//! for again by whoever waits for an answer. Must not know what is carried, nor who may do what.

mod config;
mod papers;

use std::collections::BTreeMap;

use rand::Rng as _;

use crate::federation::rules::Rules;
use crate::federation::terms::{ActionId, SessionId};
use crate::federation::transport::{End, Endpoint, Packet, Session, SessionEvent};
use crate::identity::Identity;
use crate::peer::PeerId;
use crate::random::Stream;
use crate::stack::message::{Load, StackMessage};
use crate::stack::{Ctx, StackEvent, StackTimer};
use crate::time::{LocalTime, SimDuration};

pub use config::{Tls, TransportConfig};
pub use papers::Papers;

/// Nothing that is due in a session is done sooner than this.
const GRAIN: SimDuration = SimDuration::from_millis(10);

/// Sessions that one peer may have begun and not yet opened.
const HALF_OPEN_MAX: usize = 8;

/// Over what something came.
#[derive(Clone, Copy, Debug)]
pub(super) struct Channel {
    /// From which address.
    pub(super) from: PeerId,
    /// In which session, if in one.
    pub(super) session: Option<SessionId>,
    /// Who the other side has proven to be, if it had to.
    pub(super) proven: Option<Identity>,
}

impl Channel {
    /// Without a session.
    pub(super) fn open(from: PeerId) -> Self {
        Self {
            from,
            session: None,
            proven: None,
        }
    }
}

/// What sessions have to say to the office.
pub(super) enum Said {
    /// A session is open: whom the other side has proven to be.
    Opened(PeerId, SessionId, Option<Identity>),
    /// A session is over.
    Ended(SessionId),
    /// This came.
    Heard(Channel, Box<Load>),
}

/// One session with what it carries.
struct Line<R: Rules> {
    session: Session<R>,
    begun_at: LocalTime,
    is_client: bool,
    /// Actions that wait until it is open.
    waiting: Vec<ActionId>,
}

/// The sessions of one peer.
pub(super) struct Sessions<R: Rules> {
    config: TransportConfig,
    endpoint: Endpoint<R>,
    certificate_until: LocalTime,
    lines: BTreeMap<(PeerId, SessionId), Line<R>>,
    /// The session in which a peer is asked.
    asked_in: BTreeMap<PeerId, SessionId>,
    /// The session in which a peer was last heard.
    heard_in: BTreeMap<PeerId, SessionId>,
    /// When the timer goes off.
    due: Option<LocalTime>,
    /// Whether somebody else seals what is said.
    leaves_unsealed: bool,
}

fn drawn<const N: usize>(dice: &mut Stream) -> [u8; N] {
    let mut bytes = [0; N];
    dice.fill_bytes(&mut bytes);
    bytes
}

fn wrapped(session: SessionId, packets: Vec<Packet>) -> Vec<StackMessage> {
    let packets = packets.into_iter().map(Box::new);
    let message = |packet| StackMessage::Packet { session, packet };
    packets.map(message).collect()
}

fn send_all<R: Rules>(to: PeerId, messages: Vec<StackMessage>, ctx: &mut Ctx<'_, R>) {
    for message in messages {
        ctx.send(to, message);
    }
}

impl<R: Rules> Sessions<R> {
    /// None yet, of a peer that shows `papers`; without papers there are never any.
    pub(super) fn new(config: TransportConfig, papers: Option<&Papers>) -> Self {
        let papers = papers.filter(|_| config.has_sessions());
        Self {
            config,
            endpoint: papers.map_or(Endpoint::Clear, |papers| papers.endpoint(config.mode)),
            certificate_until: papers.map_or(LocalTime::default(), Papers::until),
            lines: BTreeMap::new(),
            asked_in: BTreeMap::new(),
            heard_in: BTreeMap::new(),
            due: None,
            leaves_unsealed: false,
        }
    }

    /// Whether there are sessions at all.
    pub(super) fn are_used(&self) -> bool {
        !matches!(self.endpoint, Endpoint::Clear)
    }

    /// Whether there is such a session, open or begun.
    pub(super) fn has(&self, with: PeerId, session: SessionId) -> bool {
        self.lines.contains_key(&(with, session))
    }

    /// All sessions, open or begun.
    pub(super) fn all(&self) -> Vec<SessionId> {
        self.lines.keys().map(|(_, session)| *session).collect()
    }

    /// With whom there are open sessions.
    pub(super) fn others(&self) -> Vec<PeerId> {
        let open = self.lines.iter();
        let open = open.filter(|(_, line)| line.session.is_open());
        let mut others: Vec<PeerId> = open.map(|((with, _), _)| *with).collect();
        others.dedup();
        others
    }

    /// Shows `papers` from now on.
    pub(super) fn certify(&mut self, papers: Option<&Papers>) {
        if let Some(papers) = papers.filter(|_| self.config.has_sessions()) {
            self.endpoint = papers.endpoint(self.config.mode);
            self.certificate_until = papers.until();
        }
    }

    /// The session in which `to` is asked, if there is one.
    pub(super) fn asked_in(&self, to: PeerId) -> Option<SessionId> {
        self.asked_in.get(&to).copied()
    }

    /// The session in which `to`, who must be `expected`, is asked; begun if there is none. All
    /// zeros without sessions.
    pub(super) fn to(
        &mut self,
        to: PeerId,
        expected: Identity,
        (now, dice): (LocalTime, &mut Stream),
    ) -> (SessionId, Vec<StackMessage>) {
        if !self.are_used() {
            return (SessionId([0; 16]), Vec::new());
        }
        if let Some(id) = self.asked_in(to) {
            return (id, Vec::new());
        }
        let (id, dice) = (SessionId(drawn(dice)), drawn(dice));
        let (session, packets) = Session::connect(
            &self.endpoint,
            (id, dice),
            Some(expected),
            (self.config.session, self.certificate_until),
            now,
        );
        self.keep(to, session, true, now);
        self.asked_in.insert(to, id);
        (id, wrapped(id, packets))
    }

    fn keep(&mut self, with: PeerId, session: Session<R>, is_client: bool, now: LocalTime) {
        let line = Line {
            begun_at: now,
            is_client,
            waiting: Vec::new(),
            session,
        };
        self.lines.insert((with, line.session.id()), line);
    }

    /// As [`Sessions::to`], with what begins it sent.
    pub(super) fn begin(
        &mut self,
        to: PeerId,
        expected: Identity,
        ctx: &mut Ctx<'_, R>,
    ) -> SessionId {
        let now = ctx.now();
        let (id, messages) = self.to(to, expected, (now, ctx.rng()));
        send_all(to, messages, ctx);
        self.schedule((to, id), ctx);
        id
    }

    /// The session in which a load for `to` goes, if there is one.
    fn way(&self, to: PeerId, load: &Load) -> Option<SessionId> {
        let heard_in = self.heard_in.get(&to).copied();
        match load.is_answer() {
            true => heard_in.or_else(|| self.asked_in(to)),
            false => self.asked_in(to),
        }
    }

    /// Whether there is one.
    pub(super) fn has_way(&self, to: PeerId, load: &Load) -> bool {
        self.way(to, load).is_some()
    }

    /// What is said is handed out as it is from now on.
    pub(super) fn leave_unsealed(&mut self) {
        self.leaves_unsealed = true;
    }

    /// What carries `load` to `to` in the session that it goes in; nothing if there is none.
    pub(super) fn seal(&mut self, to: PeerId, load: &Load, now: LocalTime) -> Vec<StackMessage> {
        let Some(id) = self.way(to, load) else {
            return Vec::new();
        };
        let Some(line) = self.lines.get_mut(&(to, id)) else {
            return Vec::new();
        };
        let mut packets = Vec::new();
        if line.session.wants_renewal(now) {
            packets.extend(line.session.renew(now));
        }
        let bytes = borsh::to_vec(load).expect("writing to memory does not fail");
        packets.extend(line.session.send(&bytes, now));
        wrapped(id, packets)
    }

    /// Sends a load to `to`, who must be `expected`; begins a session if there is none.
    pub(super) fn carry(
        &mut self,
        to: PeerId,
        expected: Identity,
        load: Load,
        ctx: &mut Ctx<'_, R>,
    ) {
        let id = match self.way(to, &load) {
            Some(id) => id,
            None => self.begin(to, expected, ctx),
        };
        if let Load::Action { action } = &load {
            self.note_sealed((to, id), action.id, ctx);
        }
        if self.leaves_unsealed {
            let load = Box::new(load);
            ctx.send(to, StackMessage::Plain { load });
        } else {
            let messages = self.seal(to, &load, ctx.now());
            send_all(to, messages, ctx);
        }
        self.schedule((to, id), ctx);
    }

    fn note_sealed(&mut self, key: (PeerId, SessionId), action: ActionId, ctx: &mut Ctx<'_, R>) {
        match self.lines.get_mut(&key) {
            Some(line) if line.session.is_open() => ctx.notify(StackEvent::ActionSealed { action }),
            Some(line) => line.waiting.push(action),
            None => {}
        }
    }

    /// A packet came from `from` in session `id`.
    pub(super) fn on_packet(
        &mut self,
        (from, id): (PeerId, SessionId),
        packet: &Packet,
        ctx: &mut Ctx<'_, R>,
    ) -> Vec<Said> {
        let (key, now) = ((from, id), ctx.now());
        if !self.lines.contains_key(&key) {
            if !self.may_begin(from, packet) {
                if packet.content.is_some() {
                    ctx.send(from, StackMessage::NoSession { session: id });
                }
                return Vec::new();
            }
            let dice = drawn(ctx.rng());
            let settings = (self.config.session, self.certificate_until);
            let session = Session::accept(&self.endpoint, (id, dice), settings, now);
            self.keep(from, session, false, now);
        }
        let line = self.lines.get_mut(&key).expect("BUG: just kept");
        let (events, packets) = line.session.on_packet(packet, now, ctx.keys());
        send_all(from, wrapped(id, packets), ctx);
        let said = events.into_iter();
        let said: Vec<Said> = said
            .filter_map(|event| self.hear(key, event, ctx))
            .collect();
        self.schedule(key, ctx);
        said
    }

    /// Whether a packet may begin a session.
    fn may_begin(&self, from: PeerId, packet: &Packet) -> bool {
        let content = packet.content.as_ref();
        let is_first = content.is_some_and(|content| content.number == 0);
        let first = (from, SessionId([0; 16]));
        let last = (from, SessionId([0xff; 16]));
        let half_open = self.lines.range(first..=last);
        let half_open = half_open.filter(|(_, line)| !line.session.is_open());
        self.are_used() && is_first && half_open.count() < HALF_OPEN_MAX
    }

    fn hear(
        &mut self,
        key: (PeerId, SessionId),
        event: SessionEvent,
        ctx: &mut Ctx<'_, R>,
    ) -> Option<Said> {
        let (from, id) = key;
        match event {
            SessionEvent::Established { peer } => {
                let proven = peer.map(|key| key.identity());
                self.opened(key, proven, ctx);
                Some(Said::Opened(from, id, proven))
            }
            SessionEvent::Message(bytes) => {
                self.heard_in.insert(from, id);
                let Ok(load) = borsh::from_slice(&bytes) else {
                    let reason = "malformed-load";
                    ctx.notify(StackEvent::Rejected { reason });
                    return None;
                };
                let proven = self.lines.get(&key)?.session.peer();
                let channel = Channel {
                    from,
                    session: Some(id),
                    proven: proven.map(|key| key.identity()),
                };
                Some(Said::Heard(channel, Box::new(load)))
            }
            SessionEvent::Ended(end) => self.drop_line(key, end, ctx),
        }
    }

    fn opened(
        &mut self,
        (with, session): (PeerId, SessionId),
        proven: Option<Identity>,
        ctx: &mut Ctx<'_, R>,
    ) {
        let Some(line) = self.lines.get_mut(&(with, session)) else {
            return;
        };
        ctx.notify(StackEvent::SessionOpened {
            session,
            with,
            proven,
            is_client: line.is_client,
            took: ctx.now().since(line.begun_at),
        });
        for action in std::mem::take(&mut line.waiting) {
            ctx.notify(StackEvent::ActionSealed { action });
        }
    }

    /// From now on `with` is asked in this session, unless there is another.
    pub(super) fn ask_in(&mut self, with: PeerId, session: SessionId) {
        self.asked_in.entry(with).or_insert(session);
    }

    fn drop_line(
        &mut self,
        key: (PeerId, SessionId),
        end: End,
        ctx: &mut Ctx<'_, R>,
    ) -> Option<Said> {
        let line = self.lines.remove(&key)?;
        let (with, session) = key;
        for ways in [&mut self.asked_in, &mut self.heard_in] {
            if ways.get(&with) == Some(&session) {
                ways.remove(&with);
            }
        }
        ctx.notify(StackEvent::SessionEnded {
            session,
            with,
            end,
            is_client: line.is_client,
        });
        Some(Said::Ended(session))
    }

    /// The other side does not know a session.
    pub(super) fn on_no_session(
        &mut self,
        key: (PeerId, SessionId),
        ctx: &mut Ctx<'_, R>,
    ) -> Option<Said> {
        self.drop_line(key, End::Forgotten, ctx)
    }

    /// Ends a session and tells the other side.
    pub(super) fn terminate(&mut self, session: SessionId, ctx: &mut Ctx<'_, R>) {
        let mut keys = self.lines.keys();
        let Some(key) = keys.find(|(_, id)| *id == session).copied() else {
            return;
        };
        let now = ctx.now();
        let line = self.lines.get_mut(&key).expect("BUG: just found");
        let packets = line.session.terminate(now);
        send_all(key.0, wrapped(session, packets), ctx);
        self.drop_line(key, End::Terminated, ctx);
    }

    /// Does what is due in all sessions.
    pub(super) fn on_tick(&mut self, ctx: &mut Ctx<'_, R>) -> Vec<Said> {
        let now = ctx.now();
        self.due = None;
        let lines = self.lines.iter();
        let due = lines.filter(|(_, line)| line.session.next_due() <= now);
        let due: Vec<(PeerId, SessionId)> = due.map(|(key, _)| *key).collect();
        let mut said = Vec::new();
        for key in due {
            let Some(line) = self.lines.get_mut(&key) else {
                continue;
            };
            let (event, packets) = line.session.on_tick(now);
            send_all(key.0, wrapped(key.1, packets), ctx);
            said.extend(event.and_then(|event| self.hear(key, event, ctx)));
        }
        let next = self.lines.values().map(|line| line.session.next_due());
        if let Some(next) = next.min() {
            self.wake(next, ctx);
        }
        said
    }

    fn schedule(&mut self, key: (PeerId, SessionId), ctx: &mut Ctx<'_, R>) {
        if let Some(line) = self.lines.get(&key) {
            self.wake(line.session.next_due(), ctx);
        }
    }

    fn wake(&mut self, at: LocalTime, ctx: &mut Ctx<'_, R>) {
        if self.due.is_none_or(|due| at < due) {
            self.due = Some(at);
            let after = at.since(ctx.now()).max(GRAIN);
            ctx.set_timer(StackTimer::Sessions, after);
        }
    }
}
