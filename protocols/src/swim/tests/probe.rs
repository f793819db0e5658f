//! Probes: acks early and late, proxies, nacks, local health, and whose turn it is.

use super::*;
use crate::swim::probe::ProbeList;

fn no_news() -> Box<[Update]> {
    Box::new([])
}

fn ack(sequence: u32) -> SwimMessage {
    let updates = no_news();
    SwimMessage::Ack { sequence, updates }
}

fn nack(sequence: u32) -> SwimMessage {
    let updates = no_news();
    SwimMessage::Nack { sequence, updates }
}

fn ping(sequence: u32, target: u32) -> SwimMessage {
    SwimMessage::Ping {
        sequence,
        target: keys(target).public(),
        updates: no_news(),
    }
}

/// Starts a probe; whom it is for, and its number.
fn begin_probe<R: SwimRules>(solo: &mut Solo<R>) -> (u32, u32) {
    let happened = solo.fire(SwimTimer::Period);
    match happened.sent.as_slice() {
        [(to, SwimMessage::Ping { sequence, .. })] => (to.0, *sequence),
        other => panic!("not one ping: {other:?}"),
    }
}

#[test]
fn a_period_pings_one_member_and_waits() {
    // The whole outbox of a healthy period.
    let mut solo = Solo::<Published>::among(1, SwimConfig::lan());
    let wanted = Happened {
        sent: vec![(PeerId(1), ping(1, 1))],
        set: vec![
            (SwimTimer::Period, SimDuration::from_secs(1)),
            (SwimTimer::ProbeTimeout, SimDuration::from_millis(500)),
        ],
        ..Happened::default()
    };
    assert_eq!(solo.fire(SwimTimer::Period), wanted);
}

#[test]
fn a_ping_is_answered_by_whom_it_is_for() {
    // A ping for another key at this address must not make that other look alive.
    let mut solo = Solo::<Published>::among(1, SwimConfig::lan());
    assert_eq!(solo.hand(1, &ping(8, 0)).sent, [(PeerId(1), ack(8))]);
    assert_eq!(solo.hand(1, &ping(8, 1)), refused(Refusal::WrongTarget));
}

#[test]
fn an_ack_in_time_ends_the_probe() {
    // Next period nobody is suspected.
    let mut solo = Solo::<Published>::among(1, SwimConfig::lan());
    let (target, sequence) = begin_probe(&mut solo);
    let happened = solo.hand(target, &ack(sequence));
    assert_eq!(happened.cancelled, [SwimTimer::ProbeTimeout]);
    assert_eq!(solo.fire(SwimTimer::Period).events, []);
}

#[test]
fn a_refutation_during_the_probe_is_an_answer() {
    // memberlist accuses at the incarnation it probed: a newer one heard meanwhile stands.
    let mut solo = Solo::<Published>::among(1, SwimConfig::lan());
    begin_probe(&mut solo);
    solo.hand(1, &is_alive(1, nth(1)));
    solo.fire(SwimTimer::Period);
    assert_eq!(solo.view_of(1), Some((Status::Alive, nth(1))));
}

#[test]
fn a_late_ack_does_not_count_for_a_newer_probe() {
    // The answer to probe 1 arrives during probe 2 of the same member, which stays silent.
    let mut solo = Solo::<Published>::among(1, SwimConfig::lan());
    let (target, first) = begin_probe(&mut solo);
    solo.hand(target, &ack(first));
    begin_probe(&mut solo);
    assert_eq!(solo.hand(target, &ack(first)), refused(Refusal::LateAnswer));
    solo.fire(SwimTimer::Period);
    assert_eq!(solo.view_of(1), Some((Status::Suspect, nth(0))));
}

#[test]
fn an_ack_of_somebody_who_was_not_asked_is_refused() {
    // Otherwise any member could vouch for a dead one by guessing a number.
    let mut solo = Solo::<Published>::among(2, SwimConfig::lan());
    let (target, sequence) = begin_probe(&mut solo);
    let other = 3 - target;
    let happened = solo.hand(other, &ack(sequence));
    assert_eq!(happened, refused(Refusal::AnswerFromStranger));
}

#[test]
fn a_silent_member_is_probed_through_k_proxies_and_saved_by_one() {
    // Three different proxies, never the target; one passes the ack on and nobody is suspected.
    let mut solo = Solo::<Published>::among(8, SwimConfig::lan());
    let (target, sequence) = begin_probe(&mut solo);
    let asked = solo.fire(SwimTimer::ProbeTimeout);
    let mut proxies = asked.sent_to();
    proxies.sort_unstable();
    proxies.dedup();
    assert_eq!(proxies.len(), 3);
    assert!(!proxies.contains(&target));
    for (_, message) in &asked.sent {
        let wanted = SwimMessage::PingRequest {
            sequence,
            target: keys(target).public(),
            address: PeerId(target),
            wants_nack: true,
            updates: no_news(),
        };
        assert_eq!(*message, wanted);
    }
    solo.hand(proxies[1], &ack(sequence));
    assert_eq!(solo.fire(SwimTimer::Period).events, []);
}

#[test]
fn a_proxy_pings_passes_the_ack_on_and_forgets() {
    // The proxy's ping has a number of its own; the asker gets back the asker's.
    let mut solo = Solo::<Published>::among(2, SwimConfig::lan());
    let request = SwimMessage::PingRequest {
        sequence: 77,
        target: keys(2).public(),
        address: PeerId(2),
        wants_nack: true,
        updates: no_news(),
    };
    let happened = solo.hand(1, &request);
    let relay = SwimTimer::Relay { sequence: 1 };
    let wanted = Happened {
        sent: vec![(PeerId(2), ping(1, 2))],
        set: vec![(relay, SimDuration::from_millis(400))],
        ..Happened::default()
    };
    assert_eq!(happened, wanted);
    assert_eq!(solo.hand(1, &ack(1)), refused(Refusal::AnswerFromStranger));
    let happened = solo.hand(2, &ack(1));
    assert_eq!(happened.sent, [(PeerId(1), ack(77))]);
    assert_eq!(happened.cancelled, [relay]);
    assert_eq!(solo.fire(relay), Happened::default());
}

#[test]
fn a_proxy_sends_a_nack_at_80_percent_and_still_passes_a_later_ack_on() {
    // Lifeguard section IV-A; the second timeout forgets the ping, so nothing is kept for ever.
    let mut solo = Solo::<Published>::among(2, SwimConfig::lan());
    let request = SwimMessage::PingRequest {
        sequence: 77,
        target: keys(2).public(),
        address: PeerId(2),
        wants_nack: true,
        updates: no_news(),
    };
    let relay = SwimTimer::Relay { sequence: 1 };
    solo.hand(1, &request);
    let happened = solo.fire(relay);
    assert_eq!(happened.sent, [(PeerId(1), nack(77))]);
    assert_eq!(happened.set, [(relay, SimDuration::from_millis(100))]);
    let mut late = solo.machine.clone();
    let happened = solo.hand(2, &ack(1));
    assert_eq!(happened.sent, [(PeerId(1), ack(77))]);
    std::mem::swap(&mut solo.machine, &mut late);
    assert_eq!(solo.fire(relay), Happened::default());
    assert!(solo.machine.relays.is_empty());
}

#[test]
fn relays_are_bounded() {
    // 1,024 pings for others under way; the next request is refused, not stored.
    let mut solo = Solo::<Published>::among(2, SwimConfig::lan());
    let request = SwimMessage::PingRequest {
        sequence: 1,
        target: keys(2).public(),
        address: PeerId(2),
        wants_nack: false,
        updates: no_news(),
    };
    for _ in 0..1024 {
        solo.hand(1, &request);
    }
    assert_eq!(solo.hand(1, &request), refused(Refusal::TooManyRelays));
    assert_eq!(solo.machine.relays.len(), 1024);
}

#[test]
fn local_health_counts_missed_nacks_and_recovers() {
    // Three proxies, one nack: +2. An answered probe: -1. No proxy at all: +1.
    let mut solo = Solo::<Published>::among(8, SwimConfig::lan());
    let (_, sequence) = begin_probe(&mut solo);
    let proxies = solo.fire(SwimTimer::ProbeTimeout).sent_to();
    solo.hand(proxies[0], &nack(sequence));
    solo.fire(SwimTimer::Period);
    assert_eq!(solo.machine.health_score(), 2);
    let probe = solo.machine.probe.clone().unwrap();
    solo.hand(probe.target.0, &ack(probe.sequence));
    assert_eq!(solo.machine.health_score(), 1);
    solo.fire(SwimTimer::Period);
    solo.fire(SwimTimer::Period);
    assert_eq!(solo.machine.health_score(), 2);
}

#[test]
fn a_degraded_member_probes_more_slowly_up_to_the_bound() {
    // Nobody ever answers: period and patience stretch by score + 1, to 8 s and 4 s in a LAN.
    let mut solo = Solo::<Published>::among(200, SwimConfig::lan());
    for _ in 0..20 {
        solo.fire(SwimTimer::Period);
    }
    let happened = solo.fire(SwimTimer::Period);
    let wanted = [
        (SwimTimer::Period, SimDuration::from_secs(8)),
        (SwimTimer::ProbeTimeout, SimDuration::from_secs(4)),
    ];
    for timer in wanted {
        assert!(happened.set.contains(&timer), "{:?}", happened.set);
    }
    let plain = SwimConfig {
        local_health: false,
        ..SwimConfig::lan()
    };
    let mut solo = Solo::<Published>::among(200, plain);
    for _ in 0..20 {
        solo.fire(SwimTimer::Period);
    }
    let happened = solo.fire(SwimTimer::Period);
    assert!(
        happened
            .set
            .contains(&(SwimTimer::Period, SimDuration::from_secs(1)))
    );
    assert_eq!(solo.machine.health_score(), 0);
}

#[test]
fn the_suspect_is_told_first_with_the_next_ping() {
    // Buddy: with room for one update and other news waiting, the ping carries the suspicion.
    for buddy in [true, false] {
        let config = SwimConfig {
            piggyback_limit: 1,
            buddy,
            ..SwimConfig::lan()
        };
        let mut solo = Solo::<Published>::among(1, config);
        let accusation = claim(ClaimKind::Suspect, 0, alive(1, nth(0)));
        begin_probe(&mut solo);
        solo.fire(SwimTimer::Period);
        solo.hand(1, &is_alive(2, nth(0)));
        solo.hand(1, &is_alive(3, nth(0)));
        let news = solo.machine.news_for(Some(solo.place(1)));
        assert_eq!(*news == [Update::Claim(accusation)], buddy);
    }
}

#[test]
fn round_robin_waits_at_most_2m_minus_1_periods_and_no_less_is_promised() {
    // 400 rounds over m = 7 members: the gap between two probes of one member reaches far beyond m
    // (else the list is not shuffled anew) and never exceeds 2m - 1.
    let (m, mut dice) = (7_usize, stream());
    let mut members = table_of(m as u32);
    let mut list = ProbeList::of_all(m as u32, None);
    let mut last = vec![0_usize; m];
    let mut widest = 0;
    for period in 1..=400 * m {
        let order = ProbeOrder::RoundRobin;
        let place = list
            .next::<Published>(order, &mut members, &mut dice)
            .unwrap();
        if last[place.0 as usize] > 0 {
            widest = widest.max(period - last[place.0 as usize]);
        }
        last[place.0 as usize] = period;
    }
    assert_eq!(widest, 2 * m - 1);
}

#[test]
fn newcomers_enter_the_round_at_a_random_position() {
    // After 5 of 10 had their turn, a newcomer's turn comes in this round with chance 6/11: 600
    // draws give 327 on average, standard deviation 12; 5 deviations either way.
    let mut dice = stream();
    let mut this_round = 0_i32;
    for _ in 0..600 {
        let mut members = table_of(11);
        let mut list = ProbeList::of_all(10, None);
        let order = ProbeOrder::RoundRobin;
        for _ in 0..5 {
            list.next::<Published>(order, &mut members, &mut dice);
        }
        list.insert(Place(10), &mut dice);
        let rest = list.len() - list.passed;
        let turn = (0..rest)
            .any(|_| list.next::<Published>(order, &mut members, &mut dice) == Some(Place(10)));
        this_round += i32::from(turn);
    }
    assert!((this_round - 327).abs() < 60, "{this_round}");
}

#[test]
fn the_dead_are_not_probed_and_the_revived_are() {
    // Lazy removal must neither probe a dead member nor list a revived one twice.
    let mut solo = Solo::<Published>::among(3, SwimConfig::lan());
    solo.hand(2, &is_dead(2, 1, nth(0)));
    let round = |solo: &mut Solo| -> Vec<u32> {
        let mut probed: Vec<u32> = (0..12)
            .map(|_| {
                let (target, sequence) = begin_probe(solo);
                solo.hand(target, &ack(sequence));
                target
            })
            .collect();
        probed.sort_unstable();
        probed
    };
    assert_eq!(round(&mut solo), [[2; 6], [3; 6]].concat());
    solo.hand(2, &is_alive(1, nth(1)));
    let counts = round(&mut solo);
    assert!(counts.iter().filter(|&&slot| slot == 1).count() >= 3);
    assert_eq!(solo.machine.probe_list.len(), 3);
}

#[test]
fn probes_are_reported_only_on_wish() {
    // The flag exists because this is the most frequent fact of all.
    for report_probes in [false, true] {
        let config = SwimConfig {
            report_probes,
            ..SwimConfig::lan()
        };
        let mut solo = Solo::<Published>::among(1, config);
        let started = SwimEvent::ProbeStarted {
            subject: PeerId(1),
            sequence: 1,
        };
        assert_eq!(
            solo.fire(SwimTimer::Period).events == [started],
            report_probes
        );
    }
}

fn stream() -> Stream {
    let label = StreamLabel::global("test");
    Stream::new(RunKey::from_seed(SEED), label)
}

fn table_of(count: u32) -> Members {
    let mut members = Members::default();
    for slot in 0..count {
        let record = alive(slot, Incarnation::FIRST);
        let status = Status::Alive;
        members.insert(super::super::members::Member::new(
            record,
            status,
            LocalTime::default(),
        ));
    }
    members
}
