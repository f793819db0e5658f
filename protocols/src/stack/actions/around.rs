//! What the receiver of envelopes asks the rest of an office.

use crate::federation::authorisation::{Gate, Permit, Request};
use crate::federation::envelope::{Action, Neighbours};
use crate::federation::grant::Parties as _;
use crate::federation::identity::Registry;
use crate::federation::injection::{Direction, Screen};
use crate::federation::rules::Rules;
use crate::identity::{Identity, Keys};
use crate::time::LocalTime;

use crate::stack::sessions::Channel;

use super::addresses::Addresses;
use super::conduct::Conduct;

/// What the receiver asks its neighbours.
pub(super) struct Around<'a, R: Rules> {
    pub(super) identity: Identity,
    pub(super) addresses: &'a Addresses,
    pub(super) registry: &'a Registry<R>,
    pub(super) gate: &'a Gate<R>,
    pub(super) conduct: &'a Conduct<R>,
    pub(super) screen: Option<&'a Screen<R>>,
    /// Over what the envelope came.
    pub(super) channel: Channel,
    /// What the gate allowed, and on whose account.
    pub(super) permit: Option<Permit>,
}

impl<R: Rules> Neighbours for Around<'_, R> {
    fn is_me(&self, audience: Identity) -> bool {
        let first = |key| self.addresses.first(key);
        audience == self.identity || first(audience) == first(self.identity)
    }

    fn session_of(&self, action: &Action) -> (bool, bool) {
        let is_open = self.channel.session == Some(action.session);
        // Where nobody proves anything, whoever asks is believed.
        let proven = self.channel.proven;
        (is_open, proven.is_none_or(|proven| proven == action.source))
    }

    fn is_barred(&self, source: Identity) -> bool {
        self.registry.is_barred(source)
    }

    fn is_closed(&mut self, source: Identity, _: LocalTime) -> bool {
        self.conduct.serves(source)
    }

    fn is_clean(&mut self, action: &Action) -> bool {
        is_clean(self.screen, &action.payload, Direction::Inbound)
    }

    fn is_authorised(&mut self, action: &Action, now: LocalTime, keys: &mut Keys) -> bool {
        let request = Request {
            source: action.source,
            session: self.channel.session,
            kind: action.kind,
            capability: &action.capability,
            grants: &action.grants,
        };
        self.permit = self.gate.decide(&request, now, self.registry, keys).ok();
        self.permit.is_some()
    }
}

/// Whether a screen lets a payload through; what it cannot read it does not.
pub(super) fn is_clean<R: Rules>(
    screen: Option<&Screen<R>>,
    payload: &[u8],
    direction: Direction,
) -> bool {
    screen.is_none_or(|screen| {
        let text = std::str::from_utf8(payload);
        text.is_ok_and(|text| !screen.screen(text, direction).is_refused)
    })
}
