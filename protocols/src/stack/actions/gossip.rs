//! How an office learns what became of keys, and tells others.
//!
//! What is new is told to a few others at once and a few times more, whoever it came from; later all
//! that was learnt is told to one other from time to time, so that it reaches whoever was away. A record
//! proves itself, so nobody needs to be believed. Must not know who may do what.

use crate::federation::grant::Parties as _;
use crate::federation::identity::{IdentityRecord, Learnt, Standing};
use crate::federation::rules::Rules;
use crate::identity::Identity;
use crate::outbox::Write;
use crate::peer::PeerId;
use crate::protocol::{Durable, Stored};
use crate::stack::lodger::Owner;
use crate::stack::message::Load;
use crate::stack::{Ctx, StackEvent, StackRecord, StackTimer};
use crate::time::SimDuration;

use super::office::{Office, Posting};

/// How many others are told at a time (Demers et al. 1987, rumor mongering).
const FANOUT: usize = 3;
/// How often what is new is told.
const ROUNDS: u32 = 5;
/// From one time to the next.
const PAUSE: SimDuration = SimDuration::from_millis(500);
/// How often one other is told all of it (ibid., anti-entropy by push).
const AGAIN: SimDuration = SimDuration::from_secs(10);

/// What was learnt since the beginning, and what of it is still told to several at a time.
#[derive(Debug, Default)]
pub(super) struct News {
    /// Oldest first.
    pub(super) learnt: Vec<IdentityRecord>,
    /// How many rounds are left to each of the last ones.
    rounds: Vec<u32>,
    /// What the council's roster is to follow.
    for_council: Vec<IdentityRecord>,
}

impl News {
    fn add(&mut self, record: IdentityRecord) {
        self.learnt.push(record);
        self.rounds.push(ROUNDS);
    }

    /// What is told this time, and to how many.
    fn round(&mut self) -> (Vec<IdentityRecord>, usize) {
        let first = self.learnt.len() - self.rounds.len();
        let fresh = self.learnt[first..].to_vec();
        self.rounds.iter_mut().for_each(|left| *left -= 1);
        self.rounds.retain(|left| *left > 0);
        match fresh.is_empty() {
            true => (self.learnt.clone(), 1),
            false => (fresh, FANOUT),
        }
    }
}

impl<R: Rules> Office<R> {
    /// Records came, from an organisation's own people or from another peer.
    pub(in crate::stack) fn on_records(
        &mut self,
        records: &[IdentityRecord],
        ctx: &mut Ctx<'_, R>,
    ) -> Vec<Posting> {
        let news: Vec<IdentityRecord> = records
            .iter()
            .filter(|record| self.learn(record, ctx))
            .cloned()
            .collect();
        if news.is_empty() {
            return Vec::new();
        }
        let first = self.news.learnt.len() as u32;
        let writes = news.iter().zip(first..).map(|(record, slot)| Write::Put {
            slot: Owner::Identity.slot(slot),
            record: StackRecord::Identity {
                record: record.clone(),
            },
        });
        ctx.persist(Owner::NOBODYS_TOKEN, writes.collect());
        news.into_iter().for_each(|record| self.news.add(record));
        self.on_spread(ctx)
    }

    /// Whether a record says something new.
    fn learn(&mut self, record: &IdentityRecord, ctx: &mut Ctx<'_, R>) -> bool {
        match self.registry.learn(record, ctx.keys()) {
            Ok(Learnt::Known) => false,
            Ok(Learnt::New {
                subject,
                before,
                after,
            }) => {
                let is_barred = self.registry.is_barred(subject);
                let is_member = self.registry.organisation(subject).is_some();
                let heir = match after {
                    Standing::Superseded { by } => Some(by),
                    _ => None,
                };
                ctx.notify(StackEvent::RecordLearnt {
                    record: Box::new(record.clone()),
                    heir,
                    is_barred,
                    is_member,
                });
                if let Some(heir) = heir {
                    self.follow(subject, heir);
                }
                if let (Standing::Superseded { by }, None) = (before, heir) {
                    // It had an heir, as far as anybody knew.
                    self.follow(by, subject);
                }
                if self.answers_for(record, ctx.me()) {
                    self.news.for_council.push(record.clone());
                }
                if is_barred {
                    let sessions = self.gate.sessions_of(subject);
                    self.close(sessions, ctx);
                }
                true
            }
            Err(refusal) => {
                let reason = refusal.reason();
                ctx.notify(StackEvent::Rejected { reason });
                false
            }
        }
    }

    /// Whether this peer is to tell the council: of its own keys, and of what its organisation says.
    fn answers_for(&self, record: &IdentityRecord, me: PeerId) -> bool {
        let own = self.federation.lines.get(&me).into_iter().flatten();
        match record {
            IdentityRecord::Succession { said, .. } => own
                .map(|link| link.keys.public())
                .any(|key| key == said.signer()),
            IdentityRecord::Revocation { said } => said.organisation == self.organisation,
            IdentityRecord::Introduction { .. } | IdentityRecord::Enrolment { .. } => false,
        }
    }

    /// What the council's roster is to follow, once.
    pub(in crate::stack) fn take_for_council(&mut self) -> Vec<IdentityRecord> {
        std::mem::take(&mut self.news.for_council)
    }

    /// `heir` takes the place of `old` in all that is thought and known of it.
    fn follow(&mut self, old: Identity, heir: Identity) {
        self.addresses.succeed(old, heir);
        self.gate.succeed(old, heir);
        self.conduct.succeed(old, heir);
    }

    /// Who is to be found at an address.
    pub(super) fn identity_at(&self, at: PeerId) -> Identity {
        let found = self.addresses.get(at);
        found.expect("BUG: an address that nobody has")
    }

    /// Whether an answer may be by the heir of whoever was asked, of whom this peer has not heard.
    pub(super) fn is_heard_early(&mut self, number: u64, signer: Identity) -> bool {
        let is_unknown = self.registry.standing(signer) == Standing::Unknown;
        is_unknown && self.book.get_mut(number).is_some()
    }

    /// Takes up again what the disk remembers of keys.
    pub(super) fn recall(&mut self, durable: &Durable<StackRecord>, ctx: &mut Ctx<'_, R>) {
        for (_, stored) in durable.slots.range(Owner::Identity.slots()) {
            if let Stored::Intact(StackRecord::Identity { record }) = stored
                && self.learn(record, ctx)
            {
                self.news.learnt.push(record.clone());
            }
        }
        if !self.news.learnt.is_empty() {
            ctx.set_timer(StackTimer::Spread, AGAIN);
        }
        self.resume_line(ctx);
    }

    /// It is time to tell again what is known.
    pub(in crate::stack) fn on_spread(&mut self, ctx: &mut Ctx<'_, R>) -> Vec<Posting> {
        let (records, count) = self.news.round();
        let is_fresh = !self.news.rounds.is_empty();
        ctx.set_timer(StackTimer::Spread, if is_fresh { PAUSE } else { AGAIN });
        let told = self.some_others(count, ctx).into_iter();
        told.map(|to| {
            let records = records.clone();
            let load = Load::Identity { records };
            Posting { to, load }
        })
        .collect()
    }

    fn some_others(&self, count: usize, ctx: &mut Ctx<'_, R>) -> Vec<PeerId> {
        let me = ctx.me();
        let all = self.federation.directory.identities.keys();
        let mut others: Vec<PeerId> = all.copied().filter(|peer| *peer != me).collect();
        ctx.rng().shuffle(&mut others);
        others.truncate(count);
        others
    }
}
