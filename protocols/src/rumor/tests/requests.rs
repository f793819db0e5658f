//! What one peer does when a user starts a rumor, and after a restart.

use super::messages::{Out, desk, next_round, reply};
use super::*;
use crate::outbox::{PersistToken, Write};
use crate::protocol::{Durable, Stored};
use crate::rumor::event::{Learned, Refusal};
use crate::rumor::{RumorReply, RumorTimer};

const OWN: RumorId = RumorId {
    origin: PeerId(1),
    sequence: 0,
};

fn own(sequence: u32) -> RumorCopy {
    RumorCopy {
        rumor: RumorId { sequence, ..OWN },
        ..copy(0, 0)
    }
}

fn written(index: u64, record: RumorCopy) -> Out {
    Output::Persist {
        token: PersistToken(index),
        writes: vec![Write::Append { index, record }],
    }
}

impl Desk {
    #[track_caller]
    fn start_rumor(&mut self, millis: i64, expected: Vec<Out>) {
        let start = RumorRequest::Start {
            payload: 7,
            size: 100,
        };
        let id = RequestId(9);
        self.expect(
            millis,
            |peer, ctx| peer.on_request(id, start, ctx),
            expected,
        );
    }

    #[track_caller]
    fn written(&mut self, millis: i64, token: u64, expected: Vec<Out>) {
        let token = PersistToken(token);
        self.expect(millis, |peer, ctx| peer.on_persisted(token, ctx), expected);
    }
}

#[test]
fn a_started_rumor_is_told_only_once_it_is_on_disk() {
    // Neither report, reply nor timer before the disk answers; a foreign token changes nothing.
    let mut desk = desk(Mode::Push, Contacts::Feedback);
    desk.start_rumor(10, vec![written(0, own(0))]);
    desk.written(15, 77, vec![]);
    let learned = Learned {
        rumor: OWN,
        round: 0,
        hops: 0,
        payload: own(0).payload,
    };
    let expected = vec![
        Output::Notify(RumorEvent::Learned { learned }),
        next_round(80),
        reply(RumorReply::Started { rumor: OWN }),
    ];
    desk.written(20, 0, expected);
    desk.written(25, 0, vec![]);
}

#[test]
fn every_rumor_of_a_peer_has_its_own_name() {
    let mut desk = desk(Mode::Push, Contacts::Feedback);
    desk.start_rumor(10, vec![written(0, own(0))]);
    desk.start_rumor(10, vec![written(1, own(1))]);
}

#[test]
fn a_full_peer_refuses_to_start() {
    // What is on its way to the disk counts, or a burst would overrun the table.
    let mut small = config(
        Mode::Push,
        Rounds::Synchronous,
        Loss::Never,
        Contacts::Blind,
    );
    small.capacity = 1;
    let mut desk = Desk::new(small);
    desk.start_rumor(10, vec![written(0, own(0))]);
    let (refusal, rumor) = (Refusal::TableFull, None);
    let expected = vec![
        Output::Notify(RumorEvent::Rejected { refusal, rumor }),
        reply(RumorReply::Refused),
    ];
    desk.start_rumor(11, expected);
}

#[test]
fn a_restarted_peer_spreads_what_is_on_disk_and_gives_no_name_twice() {
    // The damaged record may have been 1/1, so the next name is 1/2, at the log's end.
    let mut desk = desk(Mode::Push, Contacts::Feedback);
    let durable = Durable {
        log: vec![Stored::Intact(own(0)), Stored::Damaged],
        ..Durable::default()
    };
    let expected = vec![
        Output::Notify(RumorEvent::Recovered { rumor: OWN }),
        next_round(50),
    ];
    desk.expect(150, |peer, ctx| peer.on_restart(durable, ctx), expected);
    assert!(desk.machine.spreads(OWN));
    desk.start_rumor(160, vec![written(2, own(2))]);
}

#[test]
fn a_durable_peer_remembers_what_it_heard() {
    // The same crash: with `durable` the rumor is read back, without it is gone.
    for durable in [true, false] {
        let mut config = config(
            Mode::Push,
            Rounds::Synchronous,
            Loss::Never,
            Contacts::Blind,
        );
        config.durable = durable;
        let config = Arc::new(config);
        let machine = || Rumor::new(Arc::clone(&config), Partners::Everyone { peers: 2 });
        let mut table = Tabletop::new(1, DELAY, vec![machine(), machine()]);
        table.start_all();
        let start = RumorRequest::Start {
            payload: 7,
            size: 0,
        };
        table.request(PeerId(0), RequestId(0), start);
        table.run_for(PERIOD * 2);
        assert!(table.machine(PeerId(1)).knows(RUMOR));
        table.carry_if(|_, _, _| false);
        table.restart(PeerId(1), machine());
        assert_eq!(
            table.machine(PeerId(1)).payload(RUMOR),
            durable.then_some(7)
        );
    }
}

#[test]
fn an_idle_pushing_peer_sets_no_timer() {
    let start = |peer: &mut Rumor, ctx: &mut Context<'_, Rumor>| peer.on_start(ctx);
    desk(Mode::Push, Contacts::Feedback).expect(0, start, vec![]);
    for mode in [Mode::Pull, Mode::PushPull] {
        desk(mode, Contacts::Feedback).expect(0, start, vec![next_round(100)]);
    }
}

#[test]
fn anti_entropy_begins_within_its_period() {
    let mut config = config(
        Mode::Push,
        Rounds::Synchronous,
        Loss::Never,
        Contacts::Blind,
    );
    config.anti_entropy = Some(PERIOD);
    let mut rng = Desk::new(config.clone()).rng;
    let after = SimDuration::from_nanos(rng.below(PERIOD.as_nanos()));
    let timer = RumorTimer::Reconcile;
    let expected = vec![Output::SetTimer { timer, after }];
    Desk::new(config).expect(0, |peer, ctx| peer.on_start(ctx), expected);
}
