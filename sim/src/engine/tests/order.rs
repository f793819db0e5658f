//! Timers, own messages, requests: what happens when, at one peer.

use std::sync::Arc;

use fedsim_scenarios::spec::Fault;

use super::chatter::{Chat, Diary};
use super::{constant, fault, one};
use crate::engine::{Options, run};

fn diary(scenario: &fedsim_scenarios::Scenario) -> Diary {
    let mut diary = Diary::default();
    let cast = Arc::new(Chat {
        peers: scenario.peers.len() as u64,
        panics_at: None,
    });
    run(scenario, &cast, &Options::default(), &mut diary).expect("nobody panics");
    diary
}

#[test]
fn what_happens_is_told_in_order_of_time_then_peer() {
    // Observers build their view of the world from this order.
    let diary = diary(&constant(6, 5, 10));
    let keys: Vec<_> = diary.lines.iter().map(|line| (line.0, line.1)).collect();
    assert!(keys.is_sorted());
}

#[test]
fn a_request_of_the_nemesis_is_answered_like_a_users() {
    // Request 41 is put to peer 1 at 500 ms; its answer is 42.
    let mut scenario = constant(2, 1, 10);
    scenario.faults = vec![fault(
        500,
        1,
        Fault::Request {
            peers: one(1),
            request: "41".to_owned(),
        },
    )];
    let diary = diary(&scenario);
    let ours = |line: &&(_, fedsim_protocols::PeerId, String)| line.1.0 == 1;
    let texts: Vec<&str> = diary
        .lines
        .iter()
        .filter(ours)
        .map(|line| line.2.as_str())
        .collect();
    assert!(
        texts
            .iter()
            .any(|text| text.starts_with("invoked") && text.ends_with(" 41"))
    );
    assert!(
        texts
            .iter()
            .any(|text| text.starts_with("replied") && text.ends_with(" 42"))
    );
}

#[test]
fn a_crashed_peer_is_silent_until_it_restarts() {
    // Between crash and restart a peer may report nothing at all.
    let mut scenario = constant(4, 6, 10);
    scenario.faults = vec![fault(1_000, 2_000, Fault::Crash(one(2)))];
    let diary = diary(&scenario);
    let of_two: Vec<_> = diary.lines.iter().filter(|line| line.1.0 == 2).collect();
    let crash = of_two.iter().position(|line| line.2 == "crashed").unwrap();
    assert_eq!(of_two[crash + 1].2, "restarted");
    assert_eq!(of_two[crash].0.as_nanos(), 1_000_000_000);
    assert_eq!(of_two[crash + 1].0.as_nanos(), 3_000_000_000);
    assert!(of_two[crash + 2].2.starts_with("Remembered"));
    assert!(of_two.len() > crash + 3, "it must go on after its restart");
}

#[test]
fn a_paused_peer_keeps_its_state_and_catches_up() {
    // Nothing is reported while paused; at the end of the pause what came in is handled at once.
    let mut scenario = constant(4, 6, 10);
    scenario.faults = vec![fault(1_000, 2_000, Fault::Pause(one(2)))];
    let diary = diary(&scenario);
    let of_two: Vec<_> = diary.lines.iter().filter(|line| line.1.0 == 2).collect();
    let pause = of_two.iter().position(|line| line.2 == "paused").unwrap();
    assert_eq!(of_two[pause + 1].2, "resumed");
    let resumed_at = of_two[pause + 1].0;
    let at_once = of_two[pause + 2..]
        .iter()
        .filter(|line| line.0 == resumed_at);
    assert!(at_once.count() > 5, "the backlog of two seconds");
}
