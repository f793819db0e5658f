//! What every member believes of every other, rebuilt from events, beside what is true.
//!
//! Tables are flat: one byte and one small number for each (observer, subject) pair. The number of
//! pairs in which a view differs from the truth is kept up to date with every event, so that
//! convergence is known to the nanosecond. Must not judge anything.

use fedsim_protocols::PeerId;
use fedsim_protocols::swim::{Bootstrap, Incarnation, SwimConfig, SwimEvent};
use fedsim_scenarios::Scenario;
use fedsim_scenarios::spec::SwimSpec;

use crate::adversary::byzantine;
use crate::time::SimTime;

/// What one member holds of another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Standing {
    Unknown,
    Alive,
    Suspect,
    Dead,
    Left,
}

impl Standing {
    /// Listed as a member (a suspect still is one, SWIM section 4.2).
    pub(super) fn is_listed(self) -> bool {
        match self {
            Self::Alive | Self::Suspect => true,
            Self::Unknown | Self::Dead | Self::Left => false,
        }
    }
}

/// Where a member really stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Truth {
    /// Never was in the group.
    Absent,
    /// In the group.
    Here,
    /// It crashed.
    Gone,
    /// It said farewell.
    Left,
}

/// One member's life as the world sees it.
#[derive(Clone, Debug)]
pub(super) struct Life {
    pub(super) truth: Truth,
    pub(super) paused: bool,
    /// Since when nothing has kept it from anybody: no pause, no cut, no crash.
    pub(super) clean_since: Option<SimTime>,
    /// Its incarnations in the order in which it announced them, and when.
    pub(super) announced: Vec<(Incarnation, SimTime)>,
    /// Since when it has a view.
    pub(super) sees_since: Option<SimTime>,
    pub(super) has_roster: bool,
    /// It does not keep to the protocol: it has no view that counts, and no view of it is wrong.
    pub(super) is_byzantine: bool,
}

/// One entry of one view changed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Change {
    pub(super) observer: PeerId,
    pub(super) subject: PeerId,
    pub(super) after: Standing,
    pub(super) incarnation: Incarnation,
}

/// How views stand all together.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Census {
    pub(super) views: u64,
    pub(super) alive: u64,
    pub(super) suspect: u64,
    pub(super) dead: u64,
    /// Live members that are listed, held for dead or known to have left; and pairs of live ones.
    pub(super) known: u64,
    pub(super) known_of: u64,
    pub(super) wrongly_dead: u64,
}

/// All members, their views, and the truth.
pub(super) struct Group {
    pub(super) lives: Vec<Life>,
    standing: Vec<Standing>,
    /// Which of its subject's announcements a view goes by, from 1; 0 for none.
    heard: Vec<u16>,
    wrong: u64,
    /// Since when no view has been wrong.
    right_since: Option<SimTime>,
}

impl Group {
    pub(super) fn new(scenario: &Scenario, spec: &SwimSpec) -> Self {
        let count = scenario.peers.len();
        let config = |slot: usize| config_of(scenario, spec, slot);
        let liars = byzantine(scenario);
        let life = |slot: usize| {
            let has_roster = config(slot).bootstrap == Bootstrap::Full;
            Life {
                truth: Truth::Absent,
                paused: false,
                clean_since: None,
                announced: Vec::new(),
                sees_since: None,
                has_roster,
                is_byzantine: liars.contains(&PeerId(slot as u32)),
            }
        };
        let mut lives: Vec<Life> = (0..count).map(life).collect();
        if lives.iter().any(|life| life.has_roster) {
            // A roster vouches for everyone's first record.
            let first = (Incarnation::FIRST, SimTime::ZERO);
            lives.iter_mut().for_each(|life| life.announced.push(first));
        }
        Self {
            lives,
            standing: vec![Standing::Unknown; count * count],
            heard: vec![0; count * count],
            wrong: 0,
            right_since: None,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.lives.len()
    }

    pub(super) fn peers(&self) -> impl Iterator<Item = PeerId> + use<> {
        (0..self.lives.len() as u32).map(PeerId)
    }

    pub(super) fn life(&self, peer: PeerId) -> &Life {
        &self.lives[peer.index()]
    }

    fn place(&self, observer: PeerId, subject: PeerId) -> usize {
        observer.index() * self.lives.len() + subject.index()
    }

    pub(super) fn standing(&self, observer: PeerId, subject: PeerId) -> Standing {
        self.standing[self.place(observer, subject)]
    }

    /// Whether the observer goes by its subject's last announcement.
    pub(super) fn is_up_to_date(&self, observer: PeerId, subject: PeerId) -> bool {
        let last = self.life(subject).announced.len();
        self.life(subject).is_byzantine
            || usize::from(self.heard[self.place(observer, subject)])
                >= last.min(usize::from(u16::MAX))
    }

    /// Whether the peer has a view that counts.
    pub(super) fn sees(&self, peer: PeerId) -> bool {
        self.life(peer).sees_since.is_some()
    }

    pub(super) fn right_since(&self) -> Option<SimTime> {
        self.right_since
    }

    fn is_wrong(&self, standing: Standing, subject: PeerId) -> bool {
        match self.life(subject).truth {
            _ if self.life(subject).is_byzantine => false,
            Truth::Here => !standing.is_listed(),
            Truth::Absent | Truth::Gone | Truth::Left => standing.is_listed(),
        }
    }

    fn wrong_in_row(&self, observer: PeerId) -> u64 {
        let others = self.peers().filter(|subject| *subject != observer);
        let wrong = |subject: &PeerId| self.is_wrong(self.standing(observer, *subject), *subject);
        others.filter(wrong).count() as u64
    }

    fn wrong_in_column(&self, subject: PeerId) -> u64 {
        let others = self
            .peers()
            .filter(|observer| *observer != subject && self.sees(*observer));
        let wrong = |observer: &PeerId| self.is_wrong(self.standing(*observer, subject), subject);
        others.filter(wrong).count() as u64
    }

    fn count(&mut self, at: SimTime, wrong: u64) {
        self.wrong = wrong;
        if wrong > 0 {
            self.right_since = None;
        } else if self.right_since.is_none() {
            self.right_since = Some(at);
        }
    }

    /// Says where a member really stands from now on.
    pub(super) fn set_truth(&mut self, at: SimTime, subject: PeerId, truth: Truth) {
        let before = self.wrong_in_column(subject);
        self.lives[subject.index()].truth = truth;
        let after = self.wrong_in_column(subject);
        self.count(at, self.wrong - before + after);
    }

    /// The peer's view is gone.
    pub(super) fn forget_view(&mut self, at: SimTime, observer: PeerId) {
        if self.sees(observer) {
            let gone = self.wrong_in_row(observer);
            self.count(at, self.wrong - gone);
        }
        self.lives[observer.index()].sees_since = None;
        let row = self.place(observer, PeerId(0))..self.place(observer, PeerId(0)) + self.len();
        self.standing[row.clone()].fill(Standing::Unknown);
        self.heard[row].fill(0);
    }

    /// The peer announced an incarnation; the first time since it started, its view begins.
    pub(super) fn announce(&mut self, at: SimTime, peer: PeerId, incarnation: Incarnation) {
        let life = &mut self.lives[peer.index()];
        if !life
            .announced
            .iter()
            .any(|(known, _)| *known == incarnation)
        {
            life.announced.push((incarnation, at));
        }
        if life.sees_since.is_none() && !life.is_byzantine {
            life.sees_since = Some(at);
            let has_roster = life.has_roster;
            self.begin_view(peer, has_roster);
            self.count(at, self.wrong + self.wrong_in_row(peer));
        }
        self.set_truth(at, peer, Truth::Here);
    }

    fn begin_view(&mut self, observer: PeerId, has_roster: bool) {
        if has_roster {
            for subject in self.peers().filter(|subject| *subject != observer) {
                let place = self.place(observer, subject);
                self.standing[place] = Standing::Alive;
                self.heard[place] = 1;
            }
        }
    }

    /// Takes in an event about another member; none if it is about none.
    pub(super) fn apply(
        &mut self,
        at: SimTime,
        observer: PeerId,
        event: &SwimEvent,
    ) -> Option<Change> {
        let (subject, incarnation, after) = entry(event)?;
        if let SwimEvent::MemberMoved { from, .. } = event {
            self.set(at, observer, *from, Standing::Unknown);
        }
        self.set(at, observer, subject, after);
        let announced = &self.life(subject).announced;
        let number = announced
            .iter()
            .rposition(|(known, _)| *known == incarnation);
        let place = self.place(observer, subject);
        let number = number.map_or(0, |number| number + 1);
        self.heard[place] = u16::try_from(number).unwrap_or(u16::MAX);
        Some(Change {
            observer,
            subject,
            after,
            incarnation,
        })
    }

    fn set(&mut self, at: SimTime, observer: PeerId, subject: PeerId, after: Standing) {
        let place = self.place(observer, subject);
        let before = std::mem::replace(&mut self.standing[place], after);
        if self.sees(observer) && observer != subject {
            let was = u64::from(self.is_wrong(before, subject));
            let is = u64::from(self.is_wrong(after, subject));
            self.count(at, self.wrong - was + is);
        }
    }

    /// Pairs of a view and somebody else in it.
    pub(super) fn pairs(&self) -> u64 {
        let views = self.peers().filter(|peer| self.sees(*peer)).count() as u64;
        views * (self.len() as u64).saturating_sub(1)
    }

    /// The share of pairs in which a view differs from the truth.
    pub(super) fn disagreement(&self) -> f64 {
        match self.pairs() {
            0 => 0.0,
            pairs => self.wrong as f64 / pairs as f64,
        }
    }

    /// How many views hold the subject for a member, of how many.
    pub(super) fn listed_by(&self, subject: PeerId) -> (u64, u64) {
        let others = self
            .peers()
            .filter(|observer| *observer != subject && self.sees(*observer));
        others.fold((0, 0), |(listed, views), observer| {
            let is_listed = self.standing(observer, subject).is_listed();
            (listed + u64::from(is_listed), views + 1)
        })
    }

    /// Counts all views; `connected` tells who could hear each other.
    pub(super) fn census(&self, connected: impl Fn(PeerId, PeerId) -> bool) -> Census {
        let mut census = Census::default();
        for observer in self.peers().filter(|peer| self.sees(*peer)) {
            census.views += 1;
            let row = self.place(observer, PeerId(0));
            let row = &self.standing[row..row + self.len()];
            for (subject, standing) in self.peers().zip(row) {
                if subject != observer {
                    let is_here = self.life(subject).truth == Truth::Here;
                    census.add(*standing, is_here, || connected(observer, subject));
                }
            }
        }
        census
    }
}

impl Census {
    fn add(&mut self, standing: Standing, is_here: bool, connected: impl Fn() -> bool) {
        let is_known = standing != Standing::Unknown;
        self.known_of += u64::from(is_here);
        self.known += u64::from(is_here && is_known);
        match standing {
            Standing::Unknown | Standing::Left => {}
            Standing::Alive => self.alive += 1,
            Standing::Suspect => self.suspect += 1,
            Standing::Dead => {
                self.dead += 1;
                self.wrongly_dead += u64::from(is_here && connected());
            }
        }
    }

    /// The share of live members whose keys are known, over all live views.
    pub(super) fn keys_known(&self) -> Option<f64> {
        (self.known_of > 0).then(|| self.known as f64 / self.known_of as f64)
    }
}

/// Whom an event is about, at which incarnation, and what it says of him.
fn entry(event: &SwimEvent) -> Option<(PeerId, Incarnation, Standing)> {
    match event {
        SwimEvent::MemberLearned {
            subject,
            incarnation,
            ..
        }
        | SwimEvent::MemberRefreshed {
            subject,
            incarnation,
        }
        | SwimEvent::MemberMoved {
            subject,
            incarnation,
            ..
        }
        | SwimEvent::MemberRefuted {
            subject,
            incarnation,
        }
        | SwimEvent::MemberRevived {
            subject,
            incarnation,
        } => Some((*subject, *incarnation, Standing::Alive)),
        SwimEvent::MemberSuspected {
            subject,
            incarnation,
            ..
        } => Some((*subject, *incarnation, Standing::Suspect)),
        SwimEvent::MemberDied {
            subject,
            incarnation,
            ..
        } => Some((*subject, *incarnation, Standing::Dead)),
        SwimEvent::MemberLeft {
            subject,
            incarnation,
        } => Some((*subject, *incarnation, Standing::Left)),
        SwimEvent::ProbeStarted { .. }
        | SwimEvent::Announced { .. }
        | SwimEvent::SuspicionRefuted { .. }
        | SwimEvent::Rejoined { .. }
        | SwimEvent::Joined { .. }
        | SwimEvent::Left
        | SwimEvent::HealthChanged { .. }
        | SwimEvent::Rejected { .. } => None,
    }
}

/// Whom an event is about.
pub(super) fn subject(event: &SwimEvent) -> Option<PeerId> {
    match event {
        SwimEvent::ProbeStarted { subject, .. } => Some(*subject),
        other => entry(other).map(|(subject, ..)| subject),
    }
}

/// How the member in a slot is set.
pub(super) fn config_of<'a>(
    scenario: &Scenario,
    spec: &'a SwimSpec,
    slot: usize,
) -> &'a SwimConfig {
    spec.members.of(&scenario.peers[slot].organisation)
}
