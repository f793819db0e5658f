//! Which link model holds between which peers: default, organisations, regions, overrides.
//!
//! Must not know topology or faults.

use std::collections::BTreeMap;

use fedsim_protocols::PeerId;
use fedsim_scenarios::Scenario;
use fedsim_scenarios::spec::network::LinkOverride;
use fedsim_scenarios::spec::{LinkSpec, RegionMatrix};

use super::link::LinkModel;
use super::weather::PeerSet;

/// Above so many groups of peers overrides are searched instead of tabled.
const TABLED_GROUPS: usize = 2_048;
/// Not in any region or organisation; or: no override.
const NONE: u32 = u32::MAX;

/// The link models of a run and where each holds.
///
/// Of what matches, the last of `[[network.links]]` holds; else the link inside organisations; else
/// the usual link with the latency between the two regions; else the usual link.
#[derive(Debug)]
pub struct LinkTable {
    models: Vec<LinkModel>,
    /// True: the usual link holds everywhere.
    uniform: bool,
    places: Vec<Place>,
    lan: Option<u32>,
    /// Model between regions, by sender's region times `regions` plus the receiver's.
    regional: Vec<u32>,
    regions: u32,
    overrides: Overrides,
}

#[derive(Clone, Copy, Debug)]
struct Place {
    organisation: u32,
    region: u32,
    /// Peers of one group are in the same overrides.
    group: u32,
}

#[derive(Debug)]
enum Overrides {
    None,
    /// By sender's group times `groups` plus the receiver's; [`NONE`] where none holds.
    Table {
        groups: u32,
        model: Vec<u32>,
    },
    /// Senders, receivers, model; the last that matches.
    Search(Vec<(PeerSet, PeerSet, u32)>),
}

impl LinkTable {
    /// The links of `scenario`.
    pub fn new(scenario: &Scenario) -> Self {
        let network = &scenario.network;
        let mut models = vec![LinkModel::new(&network.link)];
        let mut add = |spec: &LinkSpec| {
            models.push(LinkModel::new(spec));
            models.len() as u32 - 1
        };
        let lan = network.lan.as_ref().map(&mut add);
        let regional = network.regions.as_ref().map_or_else(Vec::new, |matrix| {
            regional_specs(&network.link, matrix)
                .iter()
                .map(&mut add)
                .collect()
        });
        let numbers: Vec<u32> = network.links.iter().map(|over| add(&over.link)).collect();
        let mut places = places(scenario);
        let overrides = Overrides::new(&network.links, &numbers, &mut places);
        Self {
            uniform: models.len() == 1,
            models,
            places,
            lan,
            regional,
            regions: network
                .regions
                .as_ref()
                .map_or(0, |matrix| matrix.regions.len() as u32),
            overrides,
        }
    }

    /// The link from one peer to another.
    #[inline]
    pub fn between(&self, from: PeerId, to: PeerId) -> &LinkModel {
        if self.uniform {
            return &self.models[0];
        }
        &self.models[self.number(from, to) as usize]
    }

    /// The least of all minimum latencies, in nanoseconds.
    pub(crate) fn shortest_nanos(&self) -> u64 {
        let minima = self.models.iter().map(|model| model.latency.min_nanos());
        minima.min().unwrap_or(0)
    }

    fn number(&self, from: PeerId, to: PeerId) -> u32 {
        let place = |peer: PeerId| self.places.get(peer.index()).copied();
        let (Some(sender), Some(receiver)) = (place(from), place(to)) else {
            return 0;
        };
        if let Some(number) = self.overrides.find(from, to, sender, receiver) {
            return number;
        }
        match self.lan {
            Some(lan)
                if sender.organisation == receiver.organisation && sender.organisation != NONE =>
            {
                lan
            }
            Some(_) | None if sender.region != NONE && receiver.region != NONE => {
                self.regional[(sender.region * self.regions + receiver.region) as usize]
            }
            Some(_) | None => 0,
        }
    }
}

/// The usual link with each latency of the matrix, row by row.
fn regional_specs(link: &LinkSpec, matrix: &RegionMatrix) -> Vec<LinkSpec> {
    let latencies = matrix.latency.iter().flatten();
    latencies
        .map(|latency| LinkSpec {
            latency: latency.clone(),
            ..link.clone()
        })
        .collect()
}

fn places(scenario: &Scenario) -> Vec<Place> {
    let mut organisations = BTreeMap::new();
    let regions = scenario.network.regions.as_ref();
    let region_of = |name: &str| {
        regions
            .and_then(|matrix| matrix.regions.iter().position(|region| region == name))
            .map_or(NONE, |index| index as u32)
    };
    let mut place = |organisation: &str, region: &str| {
        let next = organisations.len() as u32;
        let number = *organisations.entry(organisation.to_owned()).or_insert(next);
        Place {
            organisation: if organisation.is_empty() {
                NONE
            } else {
                number
            },
            region: region_of(region),
            group: 0,
        }
    };
    let peers = scenario.peers.iter();
    peers
        .map(|peer| place(&peer.organisation, &peer.region))
        .collect()
}

impl Overrides {
    fn new(links: &[LinkOverride], numbers: &[u32], places: &mut [Place]) -> Self {
        if links.is_empty() {
            return Self::None;
        }
        let sets: Vec<(PeerSet, PeerSet, u32)> = links
            .iter()
            .zip(numbers)
            .map(|(over, &number)| (PeerSet::new(&over.from), PeerSet::new(&over.to), number))
            .collect();
        let representatives = group(&sets, places);
        let groups = representatives.len();
        if groups > TABLED_GROUPS {
            return Self::Search(sets);
        }
        let pairs = representatives
            .iter()
            .flat_map(|&from| representatives.iter().map(move |&to| (from, to)));
        Self::Table {
            groups: groups as u32,
            model: pairs
                .map(|(from, to)| last_match(&sets, from, to).unwrap_or(NONE))
                .collect(),
        }
    }

    fn find(&self, from: PeerId, to: PeerId, sender: Place, receiver: Place) -> Option<u32> {
        match self {
            Self::None => None,
            Self::Table { groups, model } => {
                let number = model[(sender.group * groups + receiver.group) as usize];
                (number != NONE).then_some(number)
            }
            Self::Search(sets) => last_match(sets, from, to),
        }
    }
}

/// Puts peers that are in the same overrides into one group; gives one peer of each.
fn group(sets: &[(PeerSet, PeerSet, u32)], places: &mut [Place]) -> Vec<PeerId> {
    let mut groups: BTreeMap<Vec<bool>, u32> = BTreeMap::new();
    let mut representatives = Vec::new();
    for (slot, place) in (0..).zip(places) {
        let peer = PeerId(slot);
        let signature = sets
            .iter()
            .flat_map(|(from, to, _)| [from.contains(peer), to.contains(peer)])
            .collect();
        place.group = *groups.entry(signature).or_insert_with(|| {
            representatives.push(peer);
            representatives.len() as u32 - 1
        });
    }
    representatives
}

fn last_match(sets: &[(PeerSet, PeerSet, u32)], from: PeerId, to: PeerId) -> Option<u32> {
    let matching = |(senders, receivers, _): &&(PeerSet, PeerSet, u32)| {
        senders.contains(from) && receivers.contains(to)
    };
    sets.iter().rev().find(matching).map(|found| found.2)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::fixture::{constant, ms, scenario, slots};
    use fedsim_scenarios::spec::Latency;

    /// Six peers in organisations a a a b b b and regions e e w w w and none.
    fn placed() -> Scenario {
        let mut scenario = scenario(6);
        let places = [
            ("a", "e"),
            ("a", "e"),
            ("a", "w"),
            ("b", "w"),
            ("b", "w"),
            ("b", ""),
        ];
        for (peer, (organisation, region)) in scenario.peers.iter_mut().zip(places) {
            peer.organisation = organisation.to_owned();
            peer.region = region.to_owned();
        }
        let row = |one, other| vec![Latency::Constant(ms(one)), Latency::Constant(ms(other))];
        scenario.network.regions = Some(RegionMatrix {
            regions: vec!["e".to_owned(), "w".to_owned()],
            latency: vec![row(20, 80), row(90, 30)],
        });
        scenario
    }

    fn over(from: &[u32], to: &[u32], millis: u64) -> LinkOverride {
        LinkOverride {
            from: slots(from.iter().copied()),
            to: slots(to.iter().copied()),
            link: constant(millis),
        }
    }

    fn millis(table: &LinkTable, from: u32, to: u32) -> u64 {
        table.between(PeerId(from), PeerId(to)).latency.min_nanos() / 1_000_000
    }

    #[test]
    fn regions_set_latencies_by_direction() {
        // e to w and w to e differ; a peer without a region keeps the usual link.
        let table = LinkTable::new(&placed());
        let pairs = [
            (0, 1, 20),
            (0, 2, 80),
            (2, 0, 90),
            (2, 3, 30),
            (0, 5, 10),
            (5, 0, 10),
        ];
        for (from, to, expected) in pairs {
            assert_eq!(millis(&table, from, to), expected, "{from} to {to}");
        }
    }

    #[test]
    fn regions_keep_the_rest_of_the_usual_link() {
        // Only the latency is the region's: a lossy usual link stays lossy between regions.
        let mut scenario = placed();
        scenario.network.link.in_order = true;
        let table = LinkTable::new(&scenario);
        assert!(table.between(PeerId(0), PeerId(2)).in_order);
    }

    #[test]
    fn the_more_particular_statement_wins() {
        // Overrides over organisations over regions over the usual link; of overrides the last.
        let mut scenario = placed();
        scenario.network.lan = Some(constant(1));
        scenario.network.links = vec![over(&[0, 1], &[2, 3], 5), over(&[1], &[3], 6)];
        let table = LinkTable::new(&scenario);
        let pairs = [
            (0, 1, 1),
            (0, 2, 5),
            (2, 0, 1),
            (1, 3, 6),
            (3, 1, 90),
            (0, 4, 80),
            (4, 5, 1),
        ];
        for (from, to, expected) in pairs {
            assert_eq!(millis(&table, from, to), expected, "{from} to {to}");
        }
        assert_eq!(
            table.shortest_nanos(),
            1_000_000,
            "the lookahead is the least of all"
        );
    }

    #[test]
    fn overrides_in_a_table_and_searched_are_the_same() {
        // Two ways to the same answer; every pair must agree.
        let links = [
            over(&[0, 1, 2], &[3, 4], 5),
            over(&[2], &[4], 6),
            over(&[5], &[0, 5], 7),
        ];
        let mut places = places(&scenario(6));
        let table = Overrides::new(&links, &[1, 2, 3], &mut places);
        assert!(matches!(table, Overrides::Table { .. }));
        let sets = links
            .iter()
            .zip(1..)
            .map(|(link, number)| (PeerSet::new(&link.from), PeerSet::new(&link.to), number));
        let search = Overrides::Search(sets.collect());
        for from in 0..6 {
            for to in 0..6 {
                let (sender, receiver) = (places[from as usize], places[to as usize]);
                let (from, to) = (PeerId(from), PeerId(to));
                let found = table.find(from, to, sender, receiver);
                assert_eq!(
                    found,
                    search.find(from, to, sender, receiver),
                    "{from} {to}"
                );
            }
        }
    }
}
