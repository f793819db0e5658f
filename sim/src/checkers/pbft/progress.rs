//! Liveness: some time after the last fault every honest client is answered.

use fedsim_protocols::pbft::{Epoch, Timestamp, View};
use fedsim_protocols::{PeerId, SimDuration};
use fedsim_scenarios::Scenario;

use super::LIVENESS;
use super::group::Group;
use super::promise::Promise;
use crate::checkers::{Ledger, blame};
use crate::engine::World;
use crate::time::SimTime;

/// Judges that requests are answered within what [`Promise`] says, counted from the last change to
/// the network or the peers, or from the moment that the scenario states.
///
/// Promised as long as a quorum of honest replicas that run can talk to each other and to the
/// client; where there is none, the run is outside of what is promised.
pub(super) struct Progress {
    ledger: Ledger,
    promise: Promise,
    calm_since: SimTime,
    /// View changes of each replica since it last executed anything.
    wasted: Vec<u32>,
    /// The most of them when the calm began.
    consecutive: u32,
    /// What each honest client waits for, and since when.
    waiting: Vec<Option<(Timestamp, SimTime)>>,
    /// The replicas' views when something was last executed, for the verdict.
    latest: (Epoch, View),
    hopeless: bool,
}

impl Progress {
    pub(super) fn new(scenario: &Scenario, promise: Promise) -> Self {
        let stable = scenario.assume.stable_after.unwrap_or_default();
        Self {
            ledger: Ledger::new(LIVENESS),
            promise,
            calm_since: SimTime::from(stable),
            wasted: vec![0; scenario.peers.len()],
            consecutive: 0,
            waiting: vec![None; scenario.peers.len()],
            latest: (Epoch(0), View(0)),
            hopeless: false,
        }
    }

    /// Something hurt or healed.
    pub(super) fn disturb(&mut self, at: SimTime) {
        if at >= self.calm_since {
            self.calm_since = at;
            self.consecutive = self.wasted.iter().copied().max().unwrap_or(0);
            self.hopeless = false;
        }
    }

    /// A replica gives up on a primary.
    pub(super) fn changes_view(&mut self, at: SimTime, peer: PeerId, here: (Epoch, View)) {
        let wasted = &mut self.wasted[peer.index()];
        *wasted = wasted.saturating_add(1);
        self.latest = self.latest.max(here);
        if at <= self.calm_since {
            self.consecutive = self.consecutive.max(*wasted);
        }
    }

    /// A replica executes a request.
    pub(super) fn executed(&mut self, peer: PeerId) {
        self.wasted[peer.index()] = 0;
    }

    pub(super) fn asked(&mut self, at: SimTime, client: PeerId, timestamp: Timestamp) {
        self.waiting[client.index()] = Some((timestamp, at));
    }

    pub(super) fn answered(&mut self, at: SimTime, client: PeerId, group: &Group) {
        if let Some((_, asked)) = self.waiting[client.index()].take() {
            let within = self.within(group);
            if at.since(asked.max(self.calm_since)) <= within && at > self.calm_since {
                self.ledger.exercise();
            }
        }
    }

    /// A client forgets what it asked.
    pub(super) fn crashed(&mut self, peer: PeerId) {
        self.waiting[peer.index()] = None;
        self.wasted[peer.index()] = 0;
    }

    fn within(&self, group: &Group) -> SimDuration {
        self.promise.within(self.consecutive, group.down())
    }

    /// Judges what waits too long.
    pub(super) fn sample(&mut self, now: SimTime, group: &Group, world: &World<'_>) {
        if self.hopeless || now < self.calm_since {
            return;
        }
        let within = self.within(group);
        let slots = (0..).map(PeerId).zip(&self.waiting);
        let overdue = slots.filter_map(|(client, waits)| {
            let (timestamp, asked) = (*waits)?;
            let since = asked.max(self.calm_since);
            (now.since(since) > within).then_some((client, timestamp))
        });
        let Some((client, timestamp)) = overdue.into_iter().next() else {
            return;
        };
        if !can_be_served(client, group, world) {
            self.hopeless = true;
            return;
        }
        let view = self.latest.1;
        blame(&mut self.ledger, now, &[client], || {
            format!(
                "{client} waits for request {timestamp} longer than {within}, though nothing hurts \
                 a quorum any more; replicas ask for {view}"
            )
        });
    }

    /// What to say of it in the end: see [`Ledger`].
    pub(super) fn ledger(&mut self) -> &mut Ledger {
        if std::mem::take(&mut self.hopeless) {
            self.ledger.leave_assumptions(|| {
                "no quorum of honest replicas that can talk to each other and to the client"
                    .to_owned()
            });
        }
        if !self.promise.is_kept() {
            self.ledger.leave_assumptions(|| {
                "max_timeout is shorter than a view needs on this network".to_owned()
            });
        }
        &mut self.ledger
    }
}

/// Whether a quorum of honest replicas that run and remember can all talk to each other and to the
/// client. Those that lack most links are left out first.
fn can_be_served(client: PeerId, group: &Group, world: &World<'_>) -> bool {
    let talk =
        |one: PeerId, other: PeerId| world.connected(one, other) && world.connected(other, one);
    let is_able = |peer: &&PeerId| {
        let condition = group.conditions[peer.index()];
        group.is_honest(**peer)
            && condition.is_up
            && !condition.is_paused
            && !condition.is_silent
            && talk(**peer, client)
    };
    let mut able: Vec<PeerId> = group.replicas().iter().filter(is_able).copied().collect();
    while able.len() >= group.quorum() {
        let lacking = |peer: PeerId| {
            let others = able.iter().filter(|other| **other != peer);
            others.filter(|other| !talk(peer, **other)).count()
        };
        let worst = able.iter().map(|peer| (lacking(*peer), *peer)).max();
        match worst {
            Some((lacks, peer)) if lacks > 0 => able.retain(|other| *other != peer),
            Some(_) | None => return true,
        }
    }
    false
}
