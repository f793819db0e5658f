//! When errands leave, and leave again.

use rand::Rng as _;

use crate::federation::rules::Rules;
use crate::federation::terms::Nonce;
use crate::stack::message::Load;
use crate::stack::{Ctx, StackEvent, StackTimer};

use super::Ending;
use super::office::{Office, Posting};

impl<R: Rules> Office<R> {
    /// The first byte of an errand leaves.
    pub(super) fn depart(&mut self, number: u64, ctx: &mut Ctx<'_, R>) -> Option<Posting> {
        let to = self.book.get_mut(number)?.to;
        if self.is_of_old_key(number) {
            ctx.set_timer(StackTimer::Resend { number }, self.config.resend_after);
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
        ctx.set_timer(StackTimer::Resend { number }, self.config.resend_after);
        let load = Load::Action { action };
        Some(Posting { to, load })
    }

    /// Whether an errand was drawn up under a key that is over: it is not sent again, and ends with
    /// an answer or its time.
    fn is_of_old_key(&mut self, number: u64) -> bool {
        let identity = self.identity;
        let open = self.book.get_mut(number);
        open.is_some_and(|open| open.action.source != identity)
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
        if self.is_of_old_key(number) {
            ctx.set_timer(StackTimer::Resend { number }, self.config.resend_after);
            return None;
        }
        let session = self.session_with(to, ctx);
        let open = self.book.get_mut(number)?;
        let again = open.action.again(session, nonce(ctx));
        open.action = ctx.sign(again);
        let action = open.action.clone();
        ctx.set_timer(StackTimer::Resend { number }, self.config.resend_after);
        let load = Load::Action { action };
        Some(Posting { to, load })
    }
}

pub(super) fn nonce<R: Rules>(ctx: &mut Ctx<'_, R>) -> Nonce {
    let mut bytes = [0; 16];
    ctx.rng().fill_bytes(&mut bytes);
    Nonce(bytes)
}
