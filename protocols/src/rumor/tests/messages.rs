//! What one peer does with each message; the whole outbox is compared.

use super::*;
use crate::outbox::Payload;
use crate::protocol::Message;
use crate::rumor::event::{Learned, Refusal};
use crate::rumor::message::{Contact, RumorMessage};
use crate::rumor::{RumorReply, RumorTimer};

pub(super) type Out = Output<Rumor>;

pub(super) fn send(to: u32, message: RumorMessage) -> Out {
    Output::Send {
        to: PeerId(to),
        payload: Payload::Inline(message),
    }
}

pub(super) fn learned(round: u32, hops: u32) -> Out {
    let rumor = RUMOR;
    let payload = copy(round, hops).payload;
    let learned = Learned {
        rumor,
        round,
        hops,
        payload,
    };
    Output::Notify(RumorEvent::Learned { learned })
}

pub(super) fn next_round(after_ms: u64) -> Out {
    Output::SetTimer {
        timer: RumorTimer::BeginRound,
        after: SimDuration::from_millis(after_ms),
    }
}

pub(super) fn reply(reply: RumorReply) -> Out {
    let request = RequestId(9);
    Output::Reply { request, reply }
}

pub(super) fn feedback(contact: Contact, needed: bool) -> RumorMessage {
    RumorMessage::Feedback {
        rumor: RUMOR,
        contact,
        needed,
    }
}

fn rejected(refusal: Refusal, rumor: RumorId) -> Out {
    let rumor = Some(rumor);
    Output::Notify(RumorEvent::Rejected { refusal, rumor })
}

pub(super) fn lost(round: u32) -> Out {
    let rumor = RUMOR;
    Output::Notify(RumorEvent::InterestLost { rumor, round })
}

impl Desk {
    #[track_caller]
    pub(super) fn hear(&mut self, millis: i64, message: RumorMessage, expected: Vec<Out>) {
        let from = PeerId(0);
        self.expect(
            millis,
            |peer, ctx| peer.on_message(from, &message, ctx),
            expected,
        );
    }

    #[track_caller]
    pub(super) fn begin_round(&mut self, millis: i64, expected: Vec<Out>) {
        let timer = RumorTimer::BeginRound;
        self.expect(millis, |peer, ctx| peer.on_timer(timer, ctx), expected);
    }
}

pub(super) fn desk(mode: Mode, contacts: Contacts) -> Desk {
    let loss = Loss::Counter { k: 1 };
    Desk::new(config(mode, Rounds::Synchronous, loss, contacts))
}

fn push(copy: RumorCopy) -> RumorMessage {
    RumorMessage::Push { copy }
}

#[test]
fn a_new_rumor_is_learned_and_told_from_the_next_round_on() {
    // The outbox holds the report and the timer of the round's end, and no send: one hop a round.
    let mut desk = desk(Mode::Push, Contacts::Feedback);
    desk.hear(110, push(copy(1, 1)), vec![learned(1, 1), next_round(90)]);
    desk.begin_round(200, vec![send(0, push(copy(2, 2))), next_round(100)]);
}

#[test]
fn a_second_copy_is_in_vain_from_the_next_round_on() {
    // In the round in which it was learned the peer answers as it entered it: it needed the rumor.
    let mut desk = desk(Mode::Push, Contacts::Feedback);
    desk.hear(110, push(copy(1, 1)), vec![learned(1, 1), next_round(90)]);
    desk.hear(120, push(copy(1, 1)), vec![]);
    let in_vain = send(0, feedback(Contact::Push, false));
    desk.hear(210, push(copy(2, 2)), vec![in_vain]);
}

#[test]
fn blind_peers_give_no_feedback() {
    let mut desk = desk(Mode::Push, Contacts::Blind);
    desk.hear(110, push(copy(1, 1)), vec![learned(1, 1), next_round(90)]);
    desk.hear(210, push(copy(2, 2)), vec![]);
}

#[test]
fn a_blind_peer_loses_interest_by_calling() {
    // Counter 1: the first call counts; with nothing hot no further round is awaited.
    let mut desk = desk(Mode::Push, Contacts::Blind);
    desk.hear(110, push(copy(1, 1)), vec![learned(1, 1), next_round(90)]);
    desk.begin_round(200, vec![send(0, push(copy(2, 2))), lost(2)]);
    assert!(desk.machine.knows(RUMOR) && !desk.machine.spreads(RUMOR));
}

#[test]
fn feedback_on_a_push_in_vain_ends_the_interest_once() {
    let mut desk = desk(Mode::Push, Contacts::Feedback);
    desk.hear(110, push(copy(1, 1)), vec![learned(1, 1), next_round(90)]);
    desk.hear(215, feedback(Contact::Push, true), vec![]);
    desk.hear(220, feedback(Contact::Push, false), vec![lost(2)]);
    desk.hear(230, feedback(Contact::Push, false), vec![]);
    desk.begin_round(300, vec![]);
}

#[test]
fn a_needed_push_begins_the_row_anew_where_rows_are_counted() {
    // In vain, needed, in vain: two in all, which ends a count of 2, but one in a row.
    for (loss, ends) in [
        (Loss::Counter { k: 2 }, true),
        (Loss::Consecutive { k: 2 }, false),
    ] {
        let rounds = Rounds::Synchronous;
        let mut desk = Desk::new(config(Mode::Push, rounds, loss, Contacts::Feedback));
        let mut first = vec![learned(1, 1), next_round(90)];
        // Only he who counts a row needs to hear that his push was of use.
        if !ends {
            first.push(send(0, feedback(Contact::Push, true)));
        }
        desk.hear(110, push(copy(1, 1)), first);
        desk.hear(220, feedback(Contact::Push, false), vec![]);
        desk.hear(230, feedback(Contact::Push, true), vec![]);
        let end = if ends { vec![lost(2)] } else { vec![] };
        desk.hear(240, feedback(Contact::Push, false), end);
    }
}

#[test]
fn feedback_about_an_unknown_rumor_changes_nothing() {
    let mut desk = desk(Mode::Push, Contacts::Feedback);
    let before = desk.machine.clone();
    desk.hear(110, feedback(Contact::Push, false), vec![]);
    desk.hear(110, feedback(Contact::Answer, false), vec![]);
    assert_eq!(desk.machine, before);
}

#[test]
fn a_pull_request_is_answered_with_what_was_known_when_the_round_began() {
    let mut desk = desk(Mode::Pull, Contacts::Feedback);
    desk.hear(105, RumorMessage::PullRequest, vec![]);
    let answer = |copy| RumorMessage::PullAnswer { copy };
    let needed = send(0, feedback(Contact::Answer, true));
    let expected = vec![learned(1, 1), next_round(90), needed];
    desk.hear(110, answer(copy(1, 1)), expected);
    desk.hear(120, RumorMessage::PullRequest, vec![]);
    let given = || send(0, answer(copy(2, 2)));
    desk.hear(210, RumorMessage::PullRequest, vec![given()]);
    desk.hear(211, RumorMessage::PullRequest, vec![given()]);
}

#[test]
fn answers_of_a_round_are_judged_together_at_its_end() {
    // One receiver in need outweighs two in vain; a round of answers in vain ends the interest.
    let mut desk = desk(Mode::Push, Contacts::Feedback);
    desk.hear(110, push(copy(1, 1)), vec![learned(1, 1), next_round(90)]);
    for needed in [false, true, false] {
        desk.hear(150, feedback(Contact::Answer, needed), vec![]);
    }
    desk.begin_round(200, vec![send(0, push(copy(2, 2))), next_round(100)]);
    desk.hear(250, feedback(Contact::Answer, false), vec![]);
    desk.begin_round(300, vec![lost(3)]);
}

#[test]
fn a_rumor_with_another_content_is_refused() {
    let mut desk = desk(Mode::Push, Contacts::Feedback);
    desk.hear(110, push(copy(1, 1)), vec![learned(1, 1), next_round(90)]);
    let before = desk.machine.clone();
    let mut forged = copy(1, 1);
    forged.payload += 1;
    let refused = vec![rejected(Refusal::ConflictingContent, RUMOR)];
    desk.hear(120, push(forged), refused);
    assert_eq!(desk.machine, before);
}

#[test]
fn a_rumor_of_ones_own_that_one_never_announced_is_refused() {
    // Neither a number never given nor one whose rumor is still on its way to the disk.
    let mut desk = desk(Mode::Push, Contacts::Feedback);
    let mut forged = copy(1, 1);
    forged.rumor.origin = PeerId(1);
    let refused = || vec![rejected(Refusal::ForgedOwn, forged.rumor)];
    desk.hear(110, push(forged), refused());
    let start = RumorRequest::Start {
        payload: 7,
        size: 100,
    };
    let (rng, keys) = (&mut desk.rng, &mut desk.keys);
    let mut outbox = Outbox::new();
    let now = LocalTime::default();
    let mut ctx = Context::new(now, PeerId(1), rng, keys, &mut outbox);
    desk.machine.on_request(RequestId(9), start, &mut ctx);
    desk.hear(120, push(forged), refused());
}

#[test]
fn a_full_table_refuses_further_rumors() {
    let mut small = config(
        Mode::Push,
        Rounds::Synchronous,
        Loss::Never,
        Contacts::Blind,
    );
    small.capacity = 1;
    let mut desk = Desk::new(small);
    desk.hear(110, push(copy(1, 1)), vec![learned(1, 1), next_round(90)]);
    let mut second = copy(1, 1);
    second.rumor.sequence = 1;
    desk.hear(
        120,
        push(second),
        vec![rejected(Refusal::TableFull, second.rumor)],
    );
}

#[test]
fn a_digest_is_answered_by_repairs_and_wishes() {
    // Each side gets exactly what it lacks: the peer knows 0/0 and not 0/5, the digest the reverse.
    let mut desk = desk(Mode::Push, Contacts::Feedback);
    desk.hear(110, push(copy(1, 1)), vec![learned(1, 1), next_round(90)]);
    let other = RumorId {
        sequence: 5,
        ..RUMOR
    };
    let known = Box::new([other]);
    let repair = RumorMessage::Repair { copy: copy(1, 2) };
    let missing = Box::new([other]);
    let wish = RumorMessage::Wanted { missing };
    desk.hear(
        120,
        RumorMessage::Digest { known },
        vec![send(0, repair.clone()), send(0, wish)],
    );
    let missing: Box<[RumorId]> = Box::new([RUMOR, other]);
    desk.hear(
        120,
        RumorMessage::Wanted {
            missing: missing.clone(),
        },
        vec![send(0, repair)],
    );
    let known = Box::new([RUMOR]);
    desk.hear(130, RumorMessage::Digest { known }, vec![]);
}

#[test]
fn a_repaired_rumor_is_hot_and_gets_no_feedback() {
    let mut desk = desk(Mode::Push, Contacts::Feedback);
    let repair = RumorMessage::Repair { copy: copy(9, 4) };
    desk.hear(110, repair.clone(), vec![learned(9, 4), next_round(90)]);
    desk.hear(210, repair, vec![]);
    assert!(desk.machine.spreads(RUMOR));
}

#[test]
fn extreme_ages_and_hops_do_not_overflow() {
    let mut desk = desk(Mode::Push, Contacts::Blind);
    let old = copy(u32::MAX, u32::MAX);
    let expected = vec![learned(u32::MAX, u32::MAX), next_round(90)];
    desk.hear(110, push(old), expected);
    desk.begin_round(200, vec![send(0, push(old)), lost(u32::MAX)]);
}

#[test]
fn messages_fit_inline_and_their_bytes_include_the_body() {
    assert!(size_of::<RumorMessage>() <= 64);
    // Tag 1, name 4 + 4, payload 8, size 4, age 4, hops 4, phase 4, body 100.
    assert_eq!(push(copy(1, 1)).encoded_len(), 33 + 100);
    assert_eq!(RumorMessage::PullRequest.encoded_len(), 1);
    let kinds: Vec<&str> = [
        push(copy(1, 1)),
        RumorMessage::PullRequest,
        RumorMessage::PullAnswer { copy: copy(1, 1) },
        feedback(Contact::Push, true),
        RumorMessage::Digest {
            known: Box::new([]),
        },
        RumorMessage::Wanted {
            missing: Box::new([]),
        },
        RumorMessage::Repair { copy: copy(1, 1) },
    ]
    .iter()
    .map(|message| RumorMessage::KINDS[message.kind()])
    .collect();
    assert_eq!(kinds, RumorMessage::KINDS);
}

#[test]
fn a_peer_of_a_large_group_is_small() {
    // 100,000 of them and their rumor must fit into 40 MB.
    assert!(size_of::<Rumor>() <= 256, "{}", size_of::<Rumor>());
}
