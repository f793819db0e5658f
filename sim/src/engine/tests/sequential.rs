//! The driver by hand: nothing moves unless told to.

use std::sync::Arc;

use fedsim_protocols::{PeerId, RequestId, SimDuration};

use super::chatter::{Chat, Heard};
use super::scenario;
use crate::engine::{Happened, Sequential};
use crate::nemesis::Control;

fn table() -> Sequential<Chat> {
    let cast = Arc::new(Chat {
        peers: 3,
        panics_at: None,
    });
    Sequential::new(&scenario(3, 1), &cast)
}

fn heard(table: &mut Sequential<Chat>) -> Vec<(PeerId, Heard)> {
    let notices = table.take_notices().into_iter();
    let events = notices.filter_map(|notice| match notice.what {
        Happened::Event(event) => Some((notice.peer, event)),
        _ => None,
    });
    events.collect()
}

#[test]
fn a_message_waits_until_it_is_delivered_and_can_be_delivered_twice() {
    // Peer 1 hears exactly as often as it is told to, whatever was sent.
    let mut table = table();
    (0..3).for_each(|peer| table.start(PeerId(peer)));
    table.request(PeerId(1), RequestId(1), 20);
    assert_eq!(table.held().len(), 1);
    let held = table.held()[0].clone();
    table.take_notices();
    assert!(table.deliver(held.number) && !table.deliver(held.number));
    table.deliver_copy(held.clone());
    let word = Heard::Word {
        number: 20,
        from: PeerId(1),
    };
    assert_eq!(
        heard(&mut table),
        [(held.to, word.clone()), (held.to, word)]
    );
}

#[test]
fn time_moves_for_the_peer_that_is_told_to_and_for_nobody_else() {
    let mut table = table();
    (0..3).for_each(|peer| table.start(PeerId(peer)));
    table.take_notices();
    table.tick(PeerId(2), SimDuration::from_secs(1));
    let events = heard(&mut table);
    assert!(!events.is_empty() && events.iter().all(|event| event.0 == PeerId(2)));
    assert_eq!(table.now(PeerId(0)).as_nanos(), 0);
}

#[test]
fn expiring_fires_the_next_timer_and_no_more() {
    let mut table = table();
    table.start(PeerId(0));
    table.take_notices();
    assert_eq!(table.expire(PeerId(0)), Some(0));
    let rang = |event: &&(PeerId, Heard)| matches!(event.1, Heard::Rang { .. });
    let events = heard(&mut table);
    let rings: Vec<_> = events.iter().filter(rang).collect();
    assert_eq!(rings, [&(PeerId(0), Heard::Rang { timer: 0 })]);
}

#[test]
fn a_crash_and_a_restart_are_orders() {
    let mut table = table();
    table.start(PeerId(0));
    table.order(PeerId(0), Control::Crash);
    assert!(table.look(PeerId(0), |machine| machine.is_none()));
    table.order(PeerId(0), Control::Restart);
    assert!(table.look(PeerId(0), |machine| machine.is_some()));
    let remembered = Heard::Remembered { words: 0 };
    assert!(heard(&mut table).contains(&(PeerId(0), remembered)));
}
