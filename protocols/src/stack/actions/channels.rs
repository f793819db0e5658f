//! What an office does about sessions: in which one it asks, whose it closes, and what follows from
//! what others prove in them.

use crate::federation::grant::Parties as _;
use crate::federation::rules::Rules;
use crate::federation::terms::{Level, SessionId};
use crate::federation::transport::Packet;
use crate::identity::Identity;
use crate::peer::PeerId;
use crate::random::Stream;
use crate::stack::Ctx;
use crate::stack::message::{Load, StackMessage};
use crate::stack::sessions::{Channel, Said};
use crate::time::LocalTime;

use super::office::{Office, Posting};

impl<R: Rules> Office<R> {
    /// Who is to be found at an address.
    fn at(&self, to: PeerId) -> Option<Identity> {
        self.registry.current(self.addresses.get(to)?)
    }

    /// The session in which `to` is asked, begun if there is none.
    pub(super) fn session_with(&mut self, to: PeerId, ctx: &mut Ctx<'_, R>) -> SessionId {
        match self.at(to) {
            Some(expected) => self.sessions.begin(to, expected, ctx),
            None => SessionId([0; 16]),
        }
    }

    /// Sends what has been made ready: in a session, where there are any.
    pub(in crate::stack) fn carry_plainly(&mut self, posting: Posting, ctx: &mut Ctx<'_, R>) {
        let Posting { to, load } = posting;
        match self.at(to).filter(|_| self.sessions.are_used()) {
            Some(expected) => self.sessions.carry(to, expected, load, ctx),
            None if self.sessions.are_used() => {}
            None => {
                let load = Box::new(load);
                ctx.send(to, StackMessage::Plain { load });
            }
        }
    }

    /// The session in which `to` is asked, and what begins it if there is none.
    pub(in crate::stack) fn session_to(
        &mut self,
        to: PeerId,
        at: (LocalTime, &mut Stream),
    ) -> (SessionId, Vec<StackMessage>) {
        match self.at(to) {
            Some(expected) => self.sessions.to(to, expected, at),
            None => (SessionId([0; 16]), Vec::new()),
        }
    }

    /// What carries a load to `to` in its session, with what begins that if there is none.
    pub(in crate::stack) fn sealed(
        &mut self,
        to: PeerId,
        load: &Load,
        (now, dice): (LocalTime, &mut Stream),
    ) -> Vec<StackMessage> {
        let mut messages = match self.sessions.has_way(to, load) {
            true => Vec::new(),
            false => self.session_to(to, (now, dice)).1,
        };
        messages.extend(self.sessions.seal(to, load, now));
        messages
    }

    /// Whether there are sessions at all.
    pub(in crate::stack) fn has_sessions(&self) -> bool {
        self.sessions.are_used()
    }

    /// Leaves it to whoever holds the machine to seal what goes in sessions.
    pub(in crate::stack) fn leave_unsealed(&mut self) {
        self.sessions.leave_unsealed();
    }

    /// Whether there is such a session.
    pub(in crate::stack) fn has_session(&self, other: PeerId, session: SessionId) -> bool {
        self.sessions.has(other, session)
    }

    /// A packet of a session came; what it said.
    pub(in crate::stack) fn on_packet(
        &mut self,
        key: (PeerId, SessionId),
        packet: &Packet,
        ctx: &mut Ctx<'_, R>,
    ) -> Vec<(Channel, Load)> {
        let said = self.sessions.on_packet(key, packet, ctx);
        self.after(said, ctx)
    }

    /// The other side does not know a session.
    pub(in crate::stack) fn on_no_session(
        &mut self,
        key: (PeerId, SessionId),
        ctx: &mut Ctx<'_, R>,
    ) {
        let said = self.sessions.on_no_session(key, ctx);
        self.after(said, ctx);
    }

    /// Something is due in a session.
    pub(in crate::stack) fn on_sessions_due(&mut self, ctx: &mut Ctx<'_, R>) {
        let said = self.sessions.on_tick(ctx);
        self.after(said, ctx);
    }

    fn after(
        &mut self,
        said: impl IntoIterator<Item = Said>,
        ctx: &mut Ctx<'_, R>,
    ) -> Vec<(Channel, Load)> {
        let mut heard = Vec::new();
        for said in said {
            match said {
                Said::Opened(from, session, proven) => self.opened(from, session, proven, ctx),
                Said::Ended(session) => self.gate.close_session(session),
                Said::Heard(channel, load) => heard.push((channel, *load)),
            }
        }
        heard
    }

    fn opened(
        &mut self,
        from: PeerId,
        session: SessionId,
        proven: Option<Identity>,
        ctx: &mut Ctx<'_, R>,
    ) {
        let Some(identity) = proven else {
            return;
        };
        if !R::source_may_act(self.registry.is_barred(identity)) {
            return self.sessions.terminate(session, ctx);
        }
        self.gate.open_session(session, identity);
        if self.at(from) == Some(identity) {
            self.sessions.ask_in(from, session);
        }
    }

    /// Trusts a peer so far from now on. Whoever falls loses the sessions that it has: it may open
    /// others, at its new level.
    pub(super) fn trust(&mut self, peer: Identity, level: Level, ctx: &mut Ctx<'_, R>) {
        let change = self.gate.set_level(peer, level);
        if R::fall_ends_sessions(change.after < change.before) {
            self.close(change.sessions, ctx);
        }
    }

    pub(super) fn close(&mut self, sessions: Vec<SessionId>, ctx: &mut Ctx<'_, R>) {
        for session in sessions {
            self.sessions.terminate(session, ctx);
            self.gate.close_session(session);
        }
    }
}
