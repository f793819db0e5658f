//! Whole groups at a table: joining, crashes, partitions, and views rebuilt from events.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::rc::Rc;

use super::*;
use crate::tabletop::Tabletop;

pub(super) const PEERS: u32 = 12;

/// What the network does, changed while the table runs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Weather {
    Fair,
    /// Slots below 6 and the others cannot reach each other.
    Split,
    /// Nothing reaches or leaves this slot.
    Without(u32),
    /// Each seventh message is lost.
    Lossy,
}

pub(super) struct Group {
    table: Tabletop<Swim>,
    weather: Rc<Cell<Weather>>,
    config: Arc<SwimConfig>,
    roster: Option<Roster>,
    /// Who started anew, and at which event.
    restarts: Vec<(usize, PeerId)>,
}

fn machine(slot: u32, config: &Arc<SwimConfig>, roster: Option<&Roster>) -> Swim {
    let (config, me) = (Arc::clone(config), PeerId(slot));
    let nickname = format!("peer-{slot}").into();
    match roster.cloned() {
        None => Swim::new(config, me, nickname, Arc::new([PeerId(0), PeerId(1)])),
        Some(roster) => Swim::with_roster(config, me, nickname, Arc::new([]), roster),
    }
}

impl Group {
    /// Started, and joined through slots 0 and 1 or from a roster.
    pub(super) fn new(config: SwimConfig) -> Self {
        let config = Arc::new(config);
        let peer = |slot: u32| (PeerId(slot), format!("peer-{slot}").into(), keys(slot));
        let roster = match config.bootstrap {
            Bootstrap::Seeds => None,
            Bootstrap::Full => Some(Roster::sign((0..PEERS).map(peer))),
        };
        let machines = (0..PEERS)
            .map(|slot| machine(slot, &config, roster.as_ref()))
            .collect();
        let mut table = Tabletop::new(SEED, SimDuration::from_millis(20), machines);
        let weather = Rc::new(Cell::new(Weather::Fair));
        let (seen, mut count) = (Rc::clone(&weather), 0_u64);
        table.carry_if(move |from, to, _| {
            count += 1;
            match seen.get() {
                Weather::Fair => true,
                Weather::Split => (from.0 < 6) == (to.0 < 6),
                Weather::Without(slot) => from.0 != slot && to.0 != slot,
                Weather::Lossy => !count.is_multiple_of(7),
            }
        });
        table.start_all();
        let mut group = Self {
            table,
            weather,
            config,
            roster,
            restarts: Vec::new(),
        };
        group.run(5, Weather::Fair);
        group
    }

    pub(super) fn run(&mut self, secs: u64, weather: Weather) {
        self.weather.set(weather);
        self.table.run_for(SimDuration::from_secs(secs));
    }

    pub(super) fn restart(&mut self, slot: u32) {
        let peer = PeerId(slot);
        self.restarts.push((self.table.events.len(), peer));
        self.table
            .restart(peer, machine(slot, &self.config, self.roster.as_ref()));
    }

    pub(super) fn leave(&mut self, slot: u32) {
        let id = RequestId(u64::from(slot));
        self.table.request(PeerId(slot), id, SwimRequest::Leave);
    }

    /// Lets everyone join again; who never left only asks for news.
    pub(super) fn rejoin_all(&mut self) {
        for slot in 0..PEERS {
            let seeds = vec![PeerId((slot + 1) % PEERS), PeerId((slot + 5) % PEERS)];
            let id = RequestId(u64::from(PEERS + slot));
            self.table
                .request(PeerId(slot), id, SwimRequest::Join { seeds });
        }
    }

    /// What each observer but `without` holds of `subject`.
    fn views_of(&self, subject: u32, without: u32) -> Vec<Option<Status>> {
        let key = keys(subject).public();
        let observers = (0..PEERS).filter(|&slot| slot != without && slot != subject);
        let view = |slot| self.table.machine(PeerId(slot)).view_of(&key);
        observers
            .map(|slot| view(slot).map(|view| view.status))
            .collect()
    }

    pub(super) fn assert_all_alive(&self) {
        for slot in 0..PEERS {
            let views = self.views_of(slot, slot);
            assert!(
                views.iter().all(|view| *view == Some(Status::Alive)),
                "{slot}: {views:?}"
            );
        }
    }

    fn count(&self, name: &str) -> usize {
        let events = self.table.events.iter();
        events
            .filter(|(_, _, event)| crate::Event::name(event) == name)
            .count()
    }
}

pub(super) type Views = BTreeMap<PeerId, (Status, Incarnation)>;

/// Applies one event to a rebuilt view, holding it to the table in `event.rs`.
pub(super) fn replay(views: &mut Views, event: &SwimEvent) {
    use Status::{Alive, Dead, Left, Suspect};
    use SwimEvent as E;
    let (subject, now, before): (_, _, &[Option<Status>]) = match *event {
        E::MemberLearned {
            subject,
            incarnation,
            ..
        } => (subject, (Alive, incarnation), &[None]),
        E::MemberRefreshed {
            subject,
            incarnation,
        } => (subject, (Alive, incarnation), &[Some(Alive)]),
        E::MemberSuspected {
            subject,
            incarnation,
            ..
        } => (subject, (Suspect, incarnation), &[Some(Alive)]),
        E::MemberRefuted {
            subject,
            incarnation,
        } => (subject, (Alive, incarnation), &[Some(Suspect)]),
        E::MemberDied {
            subject,
            incarnation,
            ..
        } => (
            subject,
            (Dead, incarnation),
            &[None, Some(Alive), Some(Suspect), Some(Dead), Some(Left)],
        ),
        E::MemberLeft {
            subject,
            incarnation,
        } => (
            subject,
            (Left, incarnation),
            &[None, Some(Alive), Some(Suspect), Some(Dead), Some(Left)],
        ),
        E::MemberRevived {
            subject,
            incarnation,
        } => (subject, (Alive, incarnation), &[Some(Dead), Some(Left)]),
        E::MemberMoved { .. } => panic!("nobody moves at this table"),
        E::ProbeStarted { .. }
        | E::Announced { .. }
        | E::SuspicionRefuted { .. }
        | E::Rejoined { .. }
        | E::Joined { .. }
        | E::Left
        | E::HealthChanged { .. }
        | E::Rejected { .. } => return,
    };
    let held = views.insert(subject, now);
    assert!(
        before.contains(&held.map(|held| held.0)),
        "{event:?} over {held:?}"
    );
    assert_ne!(held, Some(now), "{event:?} changes nothing");
}

/// Every observer's view, rebuilt from its events, is its table; and every incarnation that anyone
/// came to believe was announced by its owner before.
pub(super) fn assert_events_tell_all(group: &Group) {
    let mut views: BTreeMap<PeerId, Views> = BTreeMap::new();
    let mut announced: BTreeMap<PeerId, Vec<Incarnation>> = BTreeMap::new();
    if group.roster.is_some() {
        announced.extend((0..PEERS).map(|slot| (PeerId(slot), vec![Incarnation::FIRST])));
    }
    for (at, (_, peer, event)) in group.table.events.iter().enumerate() {
        if let SwimEvent::Announced { incarnation } = event {
            announced.entry(*peer).or_default().push(*incarnation);
        }
        for (_, restarted) in group.restarts.iter().filter(|(since, _)| *since == at) {
            views.remove(restarted);
        }
        let views = views.entry(*peer).or_default();
        let joins = matches!(event, SwimEvent::Joined { .. });
        if joins && group.roster.is_some() && views.is_empty() {
            let others = (0..PEERS).map(PeerId).filter(|other| other != peer);
            views.extend(others.map(|other| (other, (Status::Alive, Incarnation::FIRST))));
        }
        replay(views, event);
        for (subject, (_, incarnation)) in views.iter() {
            assert!(
                announced[subject].contains(incarnation),
                "{event:?} at {peer}"
            );
        }
    }
    for slot in 0..PEERS {
        let machine = group.table.machine(PeerId(slot));
        let table: Views = machine
            .members()
            .filter(|(record, _)| record.address != PeerId(slot))
            .map(|(record, status)| (record.address, (status, record.incarnation)))
            .collect();
        assert_eq!(views[&PeerId(slot)], table, "at {slot}");
    }
}

#[test]
fn everyone_joins_through_two_seeds_and_the_keys_spread() {
    // Five seconds after all started at once everyone lists everyone, under keys that nobody was
    // given; and nobody was suspected on the way.
    let group = Group::new(SwimConfig::lan());
    group.assert_all_alive();
    assert_eq!(group.count("member-suspected"), 0);
    assert_events_tell_all(&group);
}

#[test]
fn a_crash_is_found_by_all_and_a_restart_revives() {
    // Completeness within (2m - 1) periods and the longest suspicion, 26 s for 12 members; the
    // restarted one comes back by a higher incarnation and nobody else was accused.
    let mut group = Group::new(SwimConfig::lan());
    group.run(21 + 27, Weather::Without(3));
    assert!(
        group
            .views_of(3, 3)
            .iter()
            .all(|view| *view == Some(Status::Dead))
    );
    let accused = |event: &SwimEvent| match event {
        SwimEvent::MemberDied { subject, .. } => *subject != PeerId(3),
        _ => false,
    };
    let others = group
        .table
        .events
        .iter()
        .filter(|(_, peer, _)| *peer != PeerId(3));
    assert_eq!(others.filter(|(_, _, event)| accused(event)).count(), 0);
    group.weather.set(Weather::Fair);
    group.restart(3);
    group.run(10, Weather::Fair);
    group.assert_all_alive();
    assert!(group.count("member-revived") >= 11);
    assert_events_tell_all(&group);
}

#[test]
fn halves_that_declared_each_other_dead_merge_after_the_heal() {
    // Two minutes apart, longer than gossip to the dead lasts: under either rule both halves find
    // each other again by the exchange of full state, and every view ends Alive.
    for dead in [DeadRule::Refutable, DeadRule::Final] {
        let mut group = Group::new(SwimConfig {
            dead,
            ..SwimConfig::lan()
        });
        group.run(120, Weather::Split);
        let far = group.table.machine(PeerId(0)).view_of(&keys(11).public());
        assert_eq!(far.map(|view| view.status), Some(Status::Dead));
        group.run(240, Weather::Fair);
        group.assert_all_alive();
        assert_events_tell_all(&group);
        let rejoins = group.count("rejoined");
        assert_eq!(rejoins > 0, dead == DeadRule::Final);
    }
}

#[test]
fn loss_makes_suspects_but_the_living_refute() {
    // One message in seven lost for two minutes and no proxy to help: one probe in four fails, yet
    // whoever is suspected speaks up in time.
    let mut group = Group::new(SwimConfig {
        proxies: 0,
        ..SwimConfig::lan()
    });
    group.run(120, Weather::Lossy);
    assert!(group.count("member-suspected") > 100);
    group.run(30, Weather::Fair);
    group.assert_all_alive();
    assert_eq!(group.count("member-died"), 0);
    assert_events_tell_all(&group);
}

#[test]
fn a_farewell_is_not_a_death_and_the_leaver_may_return() {
    // All hold Left, nobody suspects; the second life is announced, and all revive it.
    let mut group = Group::new(SwimConfig::lan());
    group
        .table
        .request(PeerId(4), RequestId(1), SwimRequest::Leave);
    group.run(10, Weather::Fair);
    assert!(
        group
            .views_of(4, 4)
            .iter()
            .all(|view| *view == Some(Status::Left))
    );
    let seeds = vec![PeerId(1)];
    group
        .table
        .request(PeerId(4), RequestId(2), SwimRequest::Join { seeds });
    group.run(10, Weather::Fair);
    group.assert_all_alive();
    assert_eq!(group.count("member-suspected"), 0);
    let replies = &group.table.replies;
    assert_eq!(replies[0], (RequestId(1), SwimReply::Left));
    assert_eq!(
        replies[1],
        (RequestId(2), SwimReply::Joined { members: PEERS })
    );
    assert_events_tell_all(&group);
}

#[test]
fn swim_as_of_2002_finds_a_crash_by_piggyback_alone() {
    // No gossip, no exchange of state, one length of suspicion: the news ride on pings and acks.
    let mut group = Group::new(SwimConfig::swim_2002());
    group.run(60, Weather::Fair);
    group.assert_all_alive();
    group.run(21 + 5 + 10, Weather::Without(3));
    assert!(
        group
            .views_of(3, 3)
            .iter()
            .all(|view| *view == Some(Status::Dead))
    );
    assert_events_tell_all(&group);
}

#[test]
fn views_that_began_as_a_roster_are_told_by_events_too() {
    // The roster stands in for the events of the join; everything after it is told one by one.
    let bootstrap = Bootstrap::Full;
    let mut group = Group::new(SwimConfig {
        bootstrap,
        ..SwimConfig::lan()
    });
    assert_eq!(group.count("member-learned"), 0);
    group.run(48, Weather::Without(3));
    group.weather.set(Weather::Fair);
    group.restart(3);
    group.run(10, Weather::Fair);
    group.assert_all_alive();
    assert_events_tell_all(&group);
}

#[test]
fn the_same_group_runs_the_same_way_twice() {
    // Equal machines after equal inputs, down to the dice.
    let run = || {
        let mut group = Group::new(SwimConfig::lan());
        group.run(30, Weather::Lossy);
        group
    };
    let (one, other) = (run(), run());
    assert_eq!(one.table.events, other.table.events);
    assert!(
        (0..PEERS).all(|slot| one.table.machine(PeerId(slot)) == other.table.machine(PeerId(slot)))
    );
}
