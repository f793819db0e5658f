//! When errands leave, and leave again.

use rand::Rng as _;

use crate::federation::envelope::Action;
use crate::federation::rules::Rules;
use crate::federation::terms::Nonce;
use crate::peer::PeerId;
use crate::signed::Signed;
use crate::stack::message::Load;
use crate::stack::{Ctx, StackEvent, StackTimer};

use super::Ending;
use super::office::{Office, Posting};

impl<R: Rules> Office<R> {
    /// The first byte of an errand leaves.
    pub(super) fn depart(&mut self, number: u64, ctx: &mut Ctx<'_, R>) -> Option<Posting> {
        let to = self.book.get_mut(number)?.to;
        if self.waits_under_old_key(number, ctx) {
            return None;
        }
        let session = self.session_with(to, ctx);
        let open = self.book.get_mut(number)?;
        if open.action.session != session {
            // The session that it was drawn up for is over.
            let again = open.action.again(session, nonce(ctx));
            open.action = ctx.sign(again);
        }
        let action = open.action.clone();
        ctx.notify(StackEvent::ActionLeft { action: action.id });
        Some(self.awaiting((number, to), action, ctx))
    }

    /// Whether an errand was drawn up under a key that is over: it is not sent again, and ends with
    /// an answer or its time.
    fn waits_under_old_key(&mut self, number: u64, ctx: &mut Ctx<'_, R>) -> bool {
        let identity = self.identity;
        let open = self.book.get_mut(number);
        let waits = open.is_some_and(|open| open.action.source != identity);
        if waits {
            ctx.set_timer(StackTimer::Resend { number }, self.config.resend_after);
        }
        waits
    }

    /// An action on its way, to be sent again unless it is answered in time.
    fn awaiting(
        &self,
        (number, to): (u64, PeerId),
        action: Signed<Action>,
        ctx: &mut Ctx<'_, R>,
    ) -> Posting {
        ctx.set_timer(StackTimer::Resend { number }, self.config.resend_after);
        let load = Load::Action { action };
        Posting { to, load }
    }

    /// No answer came in time: sends again, or gives up if the action has expired.
    pub(in crate::stack) fn resend(
        &mut self,
        number: u64,
        ctx: &mut Ctx<'_, R>,
    ) -> Option<Posting> {
        let open = self.book.get_mut(number)?;
        if ctx.now() >= open.action.expires_at {
            self.end(number, Ending::Unknown, ctx);
            return None;
        }
        let to = open.to;
        if self.waits_under_old_key(number, ctx) {
            return None;
        }
        let session = self.session_with(to, ctx);
        let open = self.book.get_mut(number)?;
        let again = open.action.again(session, nonce(ctx));
        open.action = ctx.sign(again);
        let action = open.action.clone();
        Some(self.awaiting((number, to), action, ctx))
    }
}

pub(super) fn nonce<R: Rules>(ctx: &mut Ctx<'_, R>) -> Nonce {
    let mut bytes = [0; 16];
    ctx.rng().fill_bytes(&mut bytes);
    Nonce(bytes)
}
