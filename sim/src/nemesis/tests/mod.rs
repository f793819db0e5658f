//! Nemesis alone: what it does to the fabric, what it orders, and when.

mod explanation;
mod shapes;
mod timing;

use fedsim_protocols::Probability;
use fedsim_scenarios::spec::{DiskSpec, Partition, Role, Select};

use super::*;
use crate::network::fixture::{constant, ms, peer, scenario, slots};

/// A run of nemesis alone, on ten members.
struct Run {
    fabric: Fabric,
    nemesis: Nemesis,
}

fn at(millis: u64) -> SimTime {
    SimTime::from(ms(millis))
}

fn peers(of: impl IntoIterator<Item = u32>) -> Select {
    Select::Peers(slots(of))
}

fn fault(when: When, lasts: Option<u64>, fault: Fault) -> FaultSpec {
    FaultSpec {
        label: "a fault".to_owned(),
        when,
        lasts: lasts.map(ms),
        heal_by: None,
        fault,
    }
}

fn once(start: u64, lasts: u64, hurt: Fault) -> FaultSpec {
    fault(When::At(ms(start)), Some(lasts), hurt)
}

fn every(period: u64, from: u64, until: u64) -> When {
    When::Every {
        period: ms(period),
        from: ms(from),
        until: ms(until),
    }
}

impl Run {
    fn new(faults: Vec<FaultSpec>) -> Self {
        let mut scenario = scenario(10);
        scenario.faults = faults;
        Self::of(&scenario)
    }

    fn of(scenario: &Scenario) -> Self {
        let key = RunKey::from_seed(scenario.seed);
        let fabric = Fabric::new(scenario, key);
        let nemesis = Nemesis::new(scenario, &fabric, key);
        Self { fabric, nemesis }
    }

    /// Carries out everything up to `end` milliseconds; gives the orders with their times.
    fn until(&mut self, end: u64) -> Vec<(u64, u32, Control)> {
        let mut done = Vec::new();
        while let Some(due) = self.nemesis.next_at().filter(|&due| due <= at(end)) {
            let mut orders = Vec::new();
            self.nemesis.act(due, &mut self.fabric, &mut orders);
            let millis = due.as_nanos() / 1_000_000;
            done.extend(
                orders
                    .into_iter()
                    .map(|order| (millis, order.peer.0, order.what)),
            );
        }
        done
    }

    /// When each strike began, in milliseconds.
    fn strikes(&self) -> Vec<u64> {
        let bands = self.nemesis.bands();
        bands
            .iter()
            .map(|band| band.from.as_nanos() / 1_000_000)
            .collect()
    }

    fn connects(&self, from: u32, to: u32) -> bool {
        self.fabric.connects(PeerId(from), PeerId(to))
    }

    /// The members that each member can send to, as bits.
    fn reach(&self) -> Vec<Vec<u32>> {
        let to = |from| {
            (0..10)
                .filter(|&to| to != from && self.connects(from, to))
                .collect()
        };
        (0..10).map(to).collect()
    }
}
