//! A machine in somebody's hands, who reads and writes on its behalf what goes in its sessions.
//!
//! ```text
//!   packet ──▶ [ machine ] ──▶ heard ──▶ holder ──▶ the same, plain ──▶ [ machine ]
//!              [ machine ] ──▶ said, plain ──▶ holder ──▶ sealed ──▶ packet
//! ```
//!
//! Handshakes, heartbeats and acknowledgements remain the machine's own. Must not know who holds it.

use std::collections::VecDeque;

use crate::federation::rules::Rules;
use crate::federation::terms::SessionId;
use crate::peer::PeerId;
use crate::random::Stream;
use crate::time::LocalTime;

use super::StackMessage;
use super::message::Load;
use super::peer::StackPeer;
use super::sessions::Channel;

/// What was heard in sessions and waits for whoever holds the machine.
#[derive(Default)]
pub(super) struct Held {
    heard: VecDeque<(Channel, Load)>,
    /// Over what the load came that the holder has at present.
    given: Option<Channel>,
}

impl Held {
    pub(super) fn keep(&mut self, heard: Vec<(Channel, Load)>) {
        self.heard.extend(heard);
    }

    /// Over what a load comes that the holder hands back.
    pub(super) fn take_given(&mut self, from: PeerId) -> Option<Channel> {
        self.given.take().filter(|channel| channel.from == from)
    }
}

impl<R: Rules> StackPeer<R> {
    /// From now on whoever holds the machine seals what it says and passes it what it hears.
    pub fn hold(&mut self) {
        if self.held.is_none() {
            self.held = Some(Held::default());
            self.office.leave_unsealed();
        }
    }

    /// The next thing heard in a session, to be handed back as a message from there.
    pub fn take_heard(&mut self) -> Option<(PeerId, StackMessage)> {
        let held = self.held.as_mut()?;
        held.given = None;
        let (channel, load) = held.heard.pop_front()?;
        held.given = Some(channel);
        let load = Box::new(load);
        Some((channel.from, StackMessage::Plain { load }))
    }

    /// The session in which this peer would ask `to`, and what begins it if there is none. All zeros
    /// without sessions.
    pub fn session_to(
        &mut self,
        to: PeerId,
        at: (LocalTime, &mut Stream),
    ) -> (SessionId, Vec<StackMessage>) {
        self.office.session_to(to, at)
    }

    /// What carries a load to `to`; none if it goes as it is.
    pub fn sealed(
        &mut self,
        to: PeerId,
        load: &Load,
        at: (LocalTime, &mut Stream),
    ) -> Option<Vec<StackMessage>> {
        let goes_sealed = self.goes_sealed(to, load);
        goes_sealed.then(|| self.office.sealed(to, load, at))
    }

    /// Whether this peer has a session with `other`, open or begun.
    pub fn has_session(&self, other: PeerId, session: SessionId) -> bool {
        self.office.has_session(other, session)
    }
}
