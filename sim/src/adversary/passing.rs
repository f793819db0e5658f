//! What becomes of the messages that a Byzantine peer's honest machine wants sent.

use std::sync::Arc;

use borsh::BorshDeserialize;
use fedsim_protocols::{Folder, LocalTime, Outbox, Output, Payload, PeerId, Protocol, SimDuration};
use fedsim_scenarios::spec::Behaviour;
use fedsim_scenarios::spec::adversaries::Scope;

use super::cabal::{Cabal, Part, is_of_kinds};
use super::forge::Twist;

/// A message on its way out, held for some time.
pub(crate) struct Parcel<P: Protocol> {
    pub(crate) to: PeerId,
    pub(crate) payload: Payload<P::Message>,
    pub(crate) hold: SimDuration,
    /// Whether it was made up beside what the machine says.
    is_made_up: bool,
}

/// Who sends, when, and what his machine is like.
struct Scene<'a, P> {
    me: PeerId,
    now: LocalTime,
    machine: &'a P,
}

impl<P> Clone for Scene<'_, P> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<P> Copy for Scene<'_, P> {}

/// Replacements for parts of one multicast, so that equal ones are one allocation again.
struct Replacements<P: Protocol>(Vec<(*const (), Payload<P::Message>)>);

impl<P: Protocol> Replacements<P> {
    fn share(
        &mut self,
        original: &Payload<P::Message>,
        message: P::Message,
    ) -> Payload<P::Message> {
        let Payload::Shared(multicast) = original else {
            return Payload::Inline(message);
        };
        let address = Arc::as_ptr(multicast).cast::<()>();
        let hash = Folder::of(&message);
        let mut known = self.0.iter();
        if let Some((_, payload)) = known.find(|it| it.0 == address && it.1.hash() == hash) {
            return payload.clone();
        }
        let payload = Payload::shared(message);
        self.0.push((address, payload.clone()));
        payload
    }
}

impl<P: Protocol> Cabal<P> {
    /// Rewrites an outbox; what is to go later is put into `held`.
    pub(crate) fn pass(
        &mut self,
        (part, now): (Part, LocalTime),
        machine: &P,
        outbox: &mut Outbox<P>,
        held: &mut Vec<Parcel<P>>,
    ) {
        let does = self.does(part.me);
        let mut replacements = Replacements(Vec::new());
        for output in std::mem::take(outbox.outputs_mut()) {
            let Output::Send { to, payload } = output else {
                outbox.push(output);
                continue;
            };
            if to == part.me {
                outbox.push(Output::Send { to, payload });
                continue;
            }
            if self.is_cut_from(part, to) {
                continue;
            }
            if self.ring.holds(to) {
                self.remember(part.me, to, payload.clone());
                outbox.push(Output::Send { to, payload });
                continue;
            }
            let scene = Scene {
                me: part.me,
                now,
                machine,
            };
            for parcel in self.rewrite(scene, &does, (to, payload), &mut replacements) {
                self.remember(part.me, to, parcel.payload.clone());
                if parcel.hold.is_zero() {
                    let Parcel { to, payload, .. } = parcel;
                    outbox.push(Output::Send { to, payload });
                } else {
                    held.push(parcel);
                }
            }
        }
    }

    /// Whether an instance of a member must not be heard by a peer, because its twin is.
    fn is_cut_from(&mut self, part: Part, to: PeerId) -> bool {
        let Some((role, place)) = self.does_at_all(part.me, Behaviour::Twins) else {
            return part.is_twin;
        };
        let is_cut = self.is_on_twin_side(role, to) != part.is_twin;
        self.note(role, place, u64::from(is_cut));
        is_cut
    }

    fn rewrite(
        &mut self,
        scene: Scene<'_, P>,
        does: &[(usize, usize, Behaviour)],
        (to, payload): (PeerId, Payload<P::Message>),
        replacements: &mut Replacements<P>,
    ) -> Vec<Parcel<P>> {
        let mut parcels: Vec<Parcel<P>> = vec![Parcel {
            to,
            payload,
            hold: SimDuration::ZERO,
            is_made_up: false,
        }];
        for &(role, place, what) in does {
            let mut next: Vec<Parcel<P>> = Vec::with_capacity(parcels.len());
            for parcel in parcels {
                let is_touched = self.touches((scene.now, role), what, to, &parcel.payload);
                if !is_touched {
                    next.push(parcel);
                    continue;
                }
                let before = next.len();
                let hash = parcel.payload.hash();
                let was_held = parcel.hold;
                self.apply(scene, (role, what), parcel, replacements, &mut next);
                let is_same = matches!(&next[before..], [one] if one.hold == was_held && one.payload.hash() == hash);
                self.note(role, place, u64::from(!is_same));
            }
            parcels = next;
        }
        parcels
    }

    /// Whether a behaviour of a role touches a message to, or from, `other`.
    pub(super) fn touches(
        &mut self,
        (now, role): (LocalTime, usize),
        what: Behaviour,
        other: PeerId,
        message: &P::Message,
    ) -> bool {
        let roles = Arc::clone(&self.roles);
        let settings = &roles[role].settings;
        let takes = what.takes();
        let is_generic = what.protocols().is_empty();
        let is_target = settings
            .target
            .as_ref()
            .is_none_or(|target| target.contains(&other));
        if is_generic && takes.contains(&"target") && !is_target {
            return false;
        }
        if takes.contains(&"kinds") && !is_of_kinds::<P>(settings.kinds.as_deref(), message) {
            return false;
        }
        if takes.contains(&"scope") && settings.scope == Some(Scope::Round) {
            return self.touches_round((now, role), other, message);
        }
        !takes.contains(&"share") || settings.share.is_none_or(|share| self.dice.chance(share))
    }

    /// Whether a role acts against `other` in the round that a message belongs to.
    fn touches_round(
        &mut self,
        (now, role): (LocalTime, usize),
        other: PeerId,
        message: &P::Message,
    ) -> bool {
        let Some(round) = self.forge.round(message, now) else {
            return false;
        };
        let settings = &self.roles[role].settings;
        let others = settings.target.as_ref().unwrap_or(&self.others);
        let dice = &mut self.dice;
        self.rounds
            .touches((role, round), other, others, settings, dice)
    }

    fn apply(
        &mut self,
        scene: Scene<'_, P>,
        (role, what): (usize, Behaviour),
        parcel: Parcel<P>,
        replacements: &mut Replacements<P>,
        next: &mut Vec<Parcel<P>>,
    ) {
        let who = (scene.me, scene.now, role);
        match what {
            Behaviour::Silent | Behaviour::CrashStop | Behaviour::Drop | Behaviour::Omit => {}
            Behaviour::Delay => {
                let hold = parcel.hold + self.span(scene.me, role);
                next.push(Parcel { hold, ..parcel });
            }
            Behaviour::Duplicate => {
                for _ in 0..=self.roles[role].settings.amount() {
                    let payload = parcel.payload.clone();
                    next.push(Parcel { payload, ..parcel });
                }
            }
            Behaviour::Corrupt => {
                let message = self.corrupt(&parcel.payload);
                next.extend(message.map(|message| Parcel {
                    payload: Payload::Inline(message),
                    ..parcel
                }));
            }
            Behaviour::Equivocate | Behaviour::Lie | Behaviour::Mutate => {
                let changed = self.change(who, what, parcel.to, &parcel.payload);
                let payload = match changed {
                    Some(message) => replacements.share(&parcel.payload, message),
                    None => parcel.payload,
                };
                next.push(Parcel { payload, ..parcel });
            }
            attack => self.twist(scene, (role, attack), parcel, replacements, next),
        }
    }

    /// What an attack of the protocol's own makes of a message. What one attack made up no other takes
    /// back.
    fn twist(
        &mut self,
        scene: Scene<'_, P>,
        (role, attack): (usize, Behaviour),
        parcel: Parcel<P>,
        replacements: &mut Replacements<P>,
        next: &mut Vec<Parcel<P>>,
    ) {
        let Scene { me, now, machine } = scene;
        let (to, hold) = (parcel.to, parcel.hold);
        let twist = self.lend((me, now, role), |forge, means| {
            forge.twist(attack, (to, &parcel.payload), machine, means)
        });
        let made_up = std::mem::take(&mut self.sends).into_iter();
        next.extend(made_up.map(|(to, payload)| Parcel {
            to,
            payload,
            hold,
            is_made_up: true,
        }));
        match twist {
            Twist::Keep => next.push(parcel),
            Twist::Drop if parcel.is_made_up => next.push(parcel),
            Twist::Drop => {}
            Twist::Hold => {
                let hold = hold + self.span(me, role);
                next.push(Parcel { hold, ..parcel });
            }
            Twist::Replace(message) => {
                let payload = replacements.share(&parcel.payload, message);
                next.push(Parcel { payload, ..parcel });
            }
        }
    }

    /// What is told in place of a message, if anything.
    fn change(
        &mut self,
        who: (PeerId, LocalTime, usize),
        what: Behaviour,
        to: PeerId,
        message: &P::Message,
    ) -> Option<P::Message> {
        let is_other_half = self.halves.get(to.index()).copied().unwrap_or(false);
        if what == Behaviour::Equivocate && !is_other_half {
            return None;
        }
        let (_, now, role) = who;
        let round = self.forge.round(message, now);
        let of_round = round.and_then(|round| self.rounds.dice(role, round));
        let own = of_round.map(|dice| std::mem::replace(&mut self.dice, dice));
        let changed = self.lend(who, |forge, means| match what {
            Behaviour::Equivocate => forge.contradict(message, means),
            Behaviour::Lie => forge.lie(message, means),
            _ => forge.mutate(message, means),
        });
        if let Some(own) = own {
            self.dice = own;
        }
        changed
    }

    /// The message with one bit of its encoding turned; none if that is no message.
    fn corrupt(&mut self, message: &P::Message) -> Option<P::Message> {
        let mut bytes = borsh::to_vec(message).expect("writing to memory does not fail");
        let bit = self.dice.below(bytes.len().max(1) as u64 * 8);
        if let Some(byte) = bytes.get_mut(bit as usize / 8) {
            *byte ^= 1 << (bit % 8);
        }
        let read = P::Message::try_from_slice(&bytes).ok();
        if read.is_none() {
            self.note_garbage();
        }
        read
    }
}
