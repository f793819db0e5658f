//! What a receiver lets through, in which order, and what it remembers.

use super::*;
use crate::federation::grant::{Grant, Party};
use crate::federation::head::{Acknowledgement, Head};
use crate::federation::rules::{Rules, Strict};
use crate::federation::terms::{
    Account, ActionId, ActionKind, Budget, Capability, Digest, Money, Nonce, Scope, SessionId,
};
use crate::federation::testing::{keys, needed};
use crate::identity::{Identity, Keys};
use crate::signed::Signed;
use crate::time::{LocalTime, SimDuration};

mod memory;

needed!(size_is_bounded: refuses_a_large_envelope, SizeUnchecked);
needed!(fields_agree: refuses_a_contradiction, SchemaUnchecked);
needed!(the_source_signs: refuses_anothers_signature, SignaturesUnchecked);
needed!(the_audience_is_meant: refuses_what_is_for_others, AudienceUnchecked);
needed!(the_session_is_the_sources: refuses_a_foreign_session, SessionsUnchecked);
needed!(age_is_bounded: refuses_the_past_and_the_future, AgeUnchecked);
needed!(a_replay_is_refused: takes_an_envelope_once, ReplaysTaken);
needed!(a_replay_is_remembered: takes_it_once_over_a_restart, ReplaysForgotten, ReplaysTaken);
needed!(the_revoked_do_not_act: refuses_the_barred, BarredAct);
needed!(the_breaker_is_asked: refuses_at_an_open_breaker, BreakerUnasked);
needed!(the_policy_is_asked: refuses_what_is_not_clean, PolicyUnasked);
needed!(the_gate_is_asked: refuses_what_nobody_allowed, GateUnasked);
needed!(hops_are_bounded: refuses_what_came_too_far, HopsUnchecked);
needed!(an_effect_happens_once: executes_a_repeated_action_once, ExecutedAgain);

const SOURCE: u8 = 1;
const ME: u8 = 2;
const SESSION: SessionId = SessionId([7; 16]);

fn at(secs: i64) -> LocalTime {
    LocalTime::from_nanos(secs * 1_000_000_000)
}

fn id(number: u8) -> Identity {
    keys(number).identity()
}

/// Neighbours that answer as they are told, and say in which order they were asked.
#[derive(Clone, Debug)]
struct Told {
    is_barred: bool,
    is_closed: bool,
    is_clean: bool,
    is_authorised: bool,
    asked: Vec<Stage>,
}

impl Default for Told {
    fn default() -> Self {
        Self {
            is_barred: false,
            is_closed: true,
            is_clean: true,
            is_authorised: true,
            asked: Vec::new(),
        }
    }
}

impl Neighbours for Told {
    fn is_me(&self, audience: Identity) -> bool {
        audience == id(ME)
    }

    fn session_of(&self, action: &Action) -> (bool, bool) {
        (action.session == SESSION, action.source == id(SOURCE))
    }

    fn is_barred(&self, _source: Identity) -> bool {
        self.is_barred
    }

    fn is_closed(&mut self, _source: Identity, _now: LocalTime) -> bool {
        self.asked.push(Stage::Breaker);
        self.is_closed
    }

    fn is_clean(&mut self, _action: &Action) -> bool {
        self.asked.push(Stage::Policy);
        self.is_clean
    }

    fn is_authorised(&mut self, _action: &Action, _now: LocalTime, _keys: &mut Keys) -> bool {
        self.asked.push(Stage::Authorisation);
        self.is_authorised
    }
}

fn action(salt: u64) -> Action {
    let expires_at = at(160);
    Action {
        version: PROTOCOL_VERSION,
        id: ActionId::new(expires_at, salt),
        source: id(SOURCE),
        audience: id(ME),
        session: SESSION,
        kind: ActionKind::Message,
        capability: Capability::new("send").unwrap(),
        payload: br#"{"text":{"nested":"hello"}}"#.to_vec(),
        nonce: Nonce(u128::from(salt).to_be_bytes()),
        issued_at: at(100),
        expires_at,
        hops: 0,
        budget: Budget {
            account: Account([1; 16]),
            issuer: id(SOURCE),
            hops_max: Budget::HOPS_DEFAULT,
            tokens_max: 1_000,
            money_max: Money::from_cents(5),
        },
        grants: vec![keys(3).sign(Grant {
            subject: Party::Peer {
                identity: id(SOURCE),
            },
            scope: Scope::All,
            depth: 0,
            expires_at,
            parent: None,
        })],
        onward: None,
    }
}

fn sign(content: Action) -> Signed<Action> {
    keys(SOURCE).sign(content)
}

struct Desk<R: Rules> {
    receiver: Receiver<R>,
    told: Told,
    now: LocalTime,
}

impl<R: Rules> Desk<R> {
    fn new() -> Self {
        Self {
            receiver: Receiver::new(EnvelopeConfig::default()),
            told: Told::default(),
            now: at(101),
        }
    }

    fn take(&mut self, action: &Signed<Action>) -> Verdict {
        let bytes = frame(action);
        let mut mine = keys(ME);
        self.receiver
            .receive(Arrival::Bytes(&bytes), self.now, &mut mine, &mut self.told)
    }

    fn refuses(&mut self, action: Action, wanted: Refusal) -> bool {
        match self.take(&sign(action)) {
            Verdict::Refused { refusal, .. } => refusal == wanted,
            Verdict::Execute { .. } | Verdict::Begun(_) | Verdict::Repeat(_) => false,
        }
    }

    fn executes(&mut self, action: Action) -> bool {
        matches!(self.take(&sign(action)), Verdict::Execute { .. })
    }

    /// What is durable of an accepted envelope.
    fn accept(&mut self, action: Action) -> (Seen, Intent) {
        match self.take(&sign(action)) {
            Verdict::Execute {
                seen: Some(seen),
                intent: Some(intent),
                ..
            } => (seen, intent),
            other => panic!("{other:?}"),
        }
    }
}

fn refuses_a_large_envelope<R: Rules>() -> bool {
    let mut large = action(1);
    large.payload = vec![b'x'; 1 << 20];
    Desk::<R>::new().refuses(large, Refusal::TooLarge)
}

fn refuses_a_contradiction<R: Rules>() -> bool {
    let mut moved = action(2);
    moved.id = ActionId::new(at(161), 2);
    let mut unbounded = action(3);
    unbounded.budget.hops_max = Budget::HOPS_CEILING + 1;
    let mut backwards = action(4);
    backwards.issued_at = backwards.expires_at;
    let mut old = action(5);
    old.version = 0;
    let mut long = action(6);
    long.expires_at = at(500);
    long.id = ActionId::new(long.expires_at, 6);
    [moved, unbounded, backwards, old, long]
        .into_iter()
        .all(|bad| Desk::<R>::new().refuses(bad, Refusal::BadSchema))
}

fn refuses_what_came_too_far<R: Rules>() -> bool {
    let mut too_far = action(1);
    too_far.hops = too_far.budget.hops_max + 1;
    Desk::<R>::new().refuses(too_far, Refusal::TooFar)
}

fn refuses_anothers_signature<R: Rules>() -> bool {
    let mut desk = Desk::<R>::new();
    let by_another = keys(9).sign(action(1));
    let borrowed = Signed::from_parts(
        action(2),
        keys(SOURCE).public(),
        sign(action(1)).signature(),
    );
    [by_another, borrowed].iter().all(|forged| {
        matches!(
            desk.take(forged),
            Verdict::Refused {
                refusal: Refusal::BadSignature,
                ..
            }
        )
    })
}

fn refuses_what_is_for_others<R: Rules>() -> bool {
    let mut elsewhere = action(1);
    elsewhere.audience = id(9);
    Desk::<R>::new().refuses(elsewhere, Refusal::WrongAudience)
}

fn refuses_a_foreign_session<R: Rules>() -> bool {
    let mut closed = action(1);
    closed.session = SessionId([8; 16]);
    Desk::<R>::new().refuses(closed, Refusal::NoSession)
}

fn refuses_the_past_and_the_future<R: Rules>() -> bool {
    // Both ends, and the nanosecond on the other side of each: skew is 30 s.
    let mut desk = Desk::<R>::new();
    desk.now = LocalTime::from_nanos(at(70).as_nanos() - 1);
    let is_early = desk.refuses(action(1), Refusal::NotYet);
    desk.now = at(70);
    let is_begun = desk.executes(action(2));
    desk.now = at(190);
    let is_going_on = desk.executes(action(3));
    desk.now = LocalTime::from_nanos(at(190).as_nanos() + 1);
    let is_late = desk.refuses(action(4), Refusal::Expired);
    is_early && is_begun && is_going_on && is_late
}

fn takes_an_envelope_once<R: Rules>() -> bool {
    let mut desk = Desk::<R>::new();
    desk.executes(action(1)) && desk.refuses(action(1), Refusal::Replayed)
}

fn takes_it_once_over_a_restart<R: Rules>() -> bool {
    let mut desk = Desk::<R>::new();
    let (seen, intent) = desk.accept(action(1));
    let mut again = Desk::<R>::new();
    again.receiver.restore([seen], [intent], true, at(102));
    again.now = at(102);
    again.refuses(action(1), Refusal::Replayed) && again.executes(action(2))
}

fn refuses_the_barred<R: Rules>() -> bool {
    let mut desk = Desk::<R>::new();
    desk.told.is_barred = true;
    desk.refuses(action(1), Refusal::Barred)
}

fn refuses_at_an_open_breaker<R: Rules>() -> bool {
    let mut desk = Desk::<R>::new();
    desk.told.is_closed = false;
    desk.refuses(action(1), Refusal::BreakerOpen)
}

fn refuses_what_is_not_clean<R: Rules>() -> bool {
    let mut desk = Desk::<R>::new();
    desk.told.is_clean = false;
    desk.refuses(action(1), Refusal::PolicyBlocked)
}

fn refuses_what_nobody_allowed<R: Rules>() -> bool {
    let mut desk = Desk::<R>::new();
    desk.told.is_authorised = false;
    desk.refuses(action(1), Refusal::Denied)
}

fn retried(salt: u64, nonce: u8) -> Action {
    action(salt).again(SESSION, Nonce([nonce; 16]))
}

fn executes_a_repeated_action_once<R: Rules>() -> bool {
    let mut desk = Desk::<R>::new();
    desk.executes(action(1)) && matches!(desk.take(&sign(retried(1, 99))), Verdict::Begun(_))
}

#[test]
fn the_first_refusal_wins_and_later_stages_are_not_asked() {
    // Everything is wrong at once; mended one by one, the refusals come in the published order.
    let mut desk = Desk::<Strict>::new();
    desk.told = Told {
        is_barred: true,
        is_closed: false,
        is_clean: false,
        is_authorised: false,
        asked: Vec::new(),
    };
    desk.now = at(1_000);
    let mut bad = action(1);
    (bad.version, bad.session, bad.audience) = (9, SessionId([0; 16]), id(9));
    let mut got = Vec::new();
    for mended in 0..10 {
        match mended {
            1 => bad.version = PROTOCOL_VERSION,
            3 => bad.audience = id(ME),
            4 => bad.session = SESSION,
            5 => desk.now = at(101),
            6 => desk.told.is_barred = false,
            7 => desk.told.is_closed = true,
            8 => desk.told.is_clean = true,
            9 => desk.told.is_authorised = true,
            _ => {}
        }
        bad.nonce = Nonce([mended; 16]);
        let signer = if mended < 2 { 9 } else { SOURCE };
        match desk.take(&keys(signer).sign(bad.clone())) {
            Verdict::Refused { refusal, .. } => got.push(refusal.stage()),
            Verdict::Execute { .. } => got.push(Stage::Execution),
            Verdict::Begun(_) | Verdict::Repeat(_) => unreachable!("asked once"),
        }
    }
    let wanted = [
        Stage::Schema,
        Stage::Signature,
        Stage::Audience,
        Stage::Session,
        Stage::Freshness,
        Stage::Revocation,
        Stage::Breaker,
        Stage::Policy,
        Stage::Authorisation,
        Stage::Execution,
    ];
    assert_eq!(got, wanted);
    use Stage::{Authorisation, Breaker, Policy};
    let asked = [
        &[Breaker][..],
        &[Breaker, Policy],
        &[Breaker, Policy, Authorisation],
    ];
    let asked = [&asked.concat()[..], &[Breaker, Policy, Authorisation]].concat();
    assert_eq!(desk.told.asked, asked);
}

#[test]
fn one_changed_byte_anywhere_is_refused() {
    // "Covers everything" byte by byte: every flip of the frame is refused, and before any
    // neighbour that keeps books is asked.
    let signed = sign(action(1));
    let bytes = frame(&signed);
    let mut mine = keys(ME);
    for place in 0..bytes.len() {
        let mut flipped = bytes.clone();
        flipped[place] ^= 1;
        let mut receiver = Receiver::<Strict>::new(EnvelopeConfig::default());
        let mut told = Told::default();
        let verdict = receiver.receive(Arrival::Bytes(&flipped), at(101), &mut mine, &mut told);
        let is_refused = matches!(verdict, Verdict::Refused { refusal, .. }
            if refusal.stage() <= Stage::Signature);
        assert!(
            is_refused && told.asked.is_empty(),
            "byte {place}: {verdict:?}"
        );
    }
    for cut in [
        &bytes[..bytes.len() - 1],
        &bytes[..3],
        &[],
        &[&bytes[..], &[0]].concat(),
    ] {
        let mut receiver = Receiver::<Strict>::new(EnvelopeConfig::default());
        let mut told = Told::default();
        let verdict = receiver.receive(Arrival::Bytes(cut), at(101), &mut mine, &mut told);
        let refusal = Refusal::BadFrame;
        let action = None;
        assert_eq!(verdict, Verdict::Refused { refusal, action });
    }
}

#[test]
fn a_decoded_envelope_meets_the_same_verdict_as_its_bytes() {
    // The cheap way in must not be a way around: sizes are the frame's, the rest is one code.
    let signed = sign(action(1));
    assert_eq!(framed_len(&signed), frame(&signed).len());
    let mut desk = Desk::<Strict>::new();
    let by_bytes = desk.take(&signed);
    let mut decoded = Desk::<Strict>::new();
    let arrival = Arrival::Decoded {
        action: &signed,
        size: framed_len(&signed),
    };
    let verdict = decoded
        .receiver
        .receive(arrival, decoded.now, &mut keys(ME), &mut decoded.told);
    assert_eq!(verdict, by_bytes);
    let arrival = Arrival::Decoded {
        action: &signed,
        size: (1 << 20) + 1,
    };
    let verdict = decoded
        .receiver
        .receive(arrival, decoded.now, &mut keys(ME), &mut decoded.told);
    assert!(matches!(
        verdict,
        Verdict::Refused {
            refusal: Refusal::TooLarge,
            ..
        }
    ));
}

#[test]
fn an_action_that_was_done_is_answered_with_its_receipt_also_after_a_restart() {
    // A lost answer makes an honest source ask again: it gets the first receipt, and no effect.
    let mut desk = Desk::<Strict>::new();
    let (_, begun) = desk.accept(action(1));
    let receipt = Receipt {
        action: begun.action,
        source: begun.source,
        digest: begun.digest,
        outcome: Digest::of(&"done"),
        at: desk.now,
    };
    let word = keys(ME).sign(Acknowledgement {
        action: begun.action,
        receipt: Digest::of(&receipt),
        head: Head {
            number: 2,
            hash: Digest([0; 32]),
        },
    });
    let answer = Answer { receipt, word };
    assert!(answer.is_consistent());
    let done = desk.receiver.finish(answer.clone()).expect("it was begun");
    assert_eq!(
        desk.take(&sign(retried(1, 98))),
        Verdict::Repeat(answer.clone())
    );
    let mut restarted = Desk::<Strict>::new();
    let durable = [begun.clone(), done];
    restarted.receiver.restore([], durable, true, restarted.now);
    assert_eq!(
        restarted.take(&sign(retried(1, 99))),
        Verdict::Repeat(answer)
    );
    let mut in_doubt = Desk::<Strict>::new();
    in_doubt
        .receiver
        .restore([], [begun.clone()], true, in_doubt.now);
    assert!(in_doubt.receiver.executions().in_doubt().eq([&begun]));
    assert!(matches!(
        in_doubt.take(&sign(retried(1, 97))),
        Verdict::Begun(_)
    ));
}

#[test]
fn an_id_used_for_another_action_is_a_conflict() {
    // Otherwise the receipt of one action would stand for another.
    let mut desk = Desk::<Strict>::new();
    assert!(desk.executes(action(1)));
    let mut other = retried(1, 99);
    other.payload.push(b' ');
    assert!(desk.refuses(other, Refusal::Conflict));
}
