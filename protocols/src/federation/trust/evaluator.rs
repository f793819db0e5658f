//! The evaluator of one peer: whom it trusts how far, and why.

use std::collections::{BTreeMap, VecDeque};
use std::marker::PhantomData;

use crate::federation::rules::{Rules, Strict};
use crate::federation::terms::{Level, Organisation, Share};
use crate::identity::Identity;
use crate::time::{LocalTime, SimDuration};

use super::evidence::Evidence;
use super::ladder::{Move, Standing, Step, step};
use super::reference::Tally;
use super::sound::{Factor, SoundConfig, Weights};

/// Which formula moves levels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Model {
    /// The reference formula with its holes.
    Reference,
    /// Ours.
    #[default]
    Sound,
}

/// The knobs of an evaluator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TrustConfig {
    /// Which formula moves levels. Both are always computed.
    pub model: Model,
    /// How often scores are recomputed, by the own clock. Default 1 min.
    pub evaluate_every: SimDuration,
    /// In which time two threats make a fall. Default 1 h.
    pub threat_window: SimDuration,
    /// The sound model's knobs.
    pub sound: SoundConfig,
}

impl Default for TrustConfig {
    fn default() -> Self {
        Self {
            model: Model::default(),
            evaluate_every: SimDuration::from_secs(60),
            threat_window: SimDuration::from_secs(3_600),
            sound: SoundConfig::default(),
        }
    }
}

/// What a score is made of; each 0 to 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Components {
    /// How much of what was asked for was delivered.
    pub success: Share,
    /// How often it was there.
    pub uptime: Share,
    /// How much it threatened; the only one that counts against a peer.
    pub threat: Share,
    /// How well it signed.
    pub integrity: Share,
}

crate::fold_struct!(Components {
    success,
    uptime,
    threat,
    integrity
});

/// One peer's score at one evaluation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Assessment {
    /// Of whom.
    pub peer: Identity,
    /// The components under the model in force.
    pub components: Components,
    /// The score under the model in force.
    pub score: Share,
    /// The score under the reference formula.
    pub reference: Share,
    /// The score under the sound model.
    pub sound: Share,
    /// The interactions that count under the model in force.
    pub interactions: u64,
    /// The level after this evaluation.
    pub level: Level,
    /// The step taken, if one was.
    pub step: Option<Step>,
}

crate::fold_struct!(Assessment {
    peer,
    components,
    score,
    reference,
    sound,
    interactions,
    level,
    step
});

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Dossier {
    organisation: Organisation,
    level: Level,
    ceiling: Level,
    has_fallen: bool,
    is_attested: bool,
    is_approved: bool,
    recent_threats: VecDeque<LocalTime>,
    tally: Tally,
    weights: Weights,
}

/// What one peer thinks of the others.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Evaluator<R: Rules = Strict> {
    config: TrustConfig,
    factor: Factor,
    evaluated: Option<LocalTime>,
    dossiers: BTreeMap<Identity, Dossier>,
    rules: PhantomData<R>,
}

impl<R: Rules> Evaluator<R> {
    /// Knows nobody.
    pub fn new(config: TrustConfig) -> Self {
        Self {
            factor: Factor::halving_in(config.sound.half_life, config.evaluate_every),
            config,
            evaluated: None,
            dossiers: BTreeMap::new(),
            rules: PhantomData,
        }
    }

    /// Its settings.
    pub fn config(&self) -> &TrustConfig {
        &self.config
    }

    /// How far a peer is trusted.
    pub fn level(&self, peer: Identity) -> Level {
        let dossier = self.dossiers.get(&peer);
        dossier.map_or(Level::Untrusted, |dossier| dossier.level)
    }

    /// Whether a peer was ever met or spoken for.
    pub fn knows(&self, peer: Identity) -> bool {
        self.dossiers.contains_key(&peer)
    }

    /// A peer of `organisation` proved who it is. Level 1, unless it or one of its organisation
    /// fell and nobody has forgiven that.
    pub fn meet(&mut self, peer: Identity, organisation: Organisation) -> Option<Step> {
        let has_fallen = self
            .dossiers
            .values()
            .any(|dossier| dossier.organisation == organisation && dossier.has_fallen);
        let may_start = match self.config.model {
            Model::Reference => true,
            Model::Sound => R::may_start_over(has_fallen),
        };
        let dossier = self.dossier(peer, organisation);
        let to = if may_start {
            Level::Verified
        } else {
            Level::Untrusted
        };
        (dossier.level < to).then(|| dossier.set(to, Move::Met))
    }

    /// Opens the file of a peer of `organisation` that has not proved who it is, so that what it is
    /// caught at until then is held against it.
    pub fn open(&mut self, peer: Identity, organisation: Organisation) {
        self.dossier(peer, organisation);
    }

    fn dossier(&mut self, peer: Identity, organisation: Organisation) -> &mut Dossier {
        let config = &self.config;
        self.dossiers.entry(peer).or_insert_with(|| Dossier {
            organisation,
            level: Level::Untrusted,
            ceiling: Level::Privileged,
            has_fallen: false,
            is_attested: false,
            is_approved: false,
            recent_threats: VecDeque::new(),
            tally: Tally::default(),
            weights: Weights::new(&config.sound),
        })
    }

    /// A human sets a peer's level, forgives what made it fall and lets it rise from there.
    pub fn decree(&mut self, peer: Identity, organisation: Organisation, to: Level) -> Step {
        let sound = self.config.sound;
        let fresh = Weights::new(&sound);
        let dossier = self.dossier(peer, organisation);
        if dossier.has_fallen {
            (dossier.weights, dossier.tally) = (fresh, Tally::default());
            dossier.recent_threats.clear();
        }
        dossier.has_fallen = false;
        dossier.ceiling = Level::Privileged;
        if to > Level::Verified {
            dossier.weights.vouch(&sound);
        }
        dossier.set(to, Move::Decreed)
    }

    /// An institution vouches for a peer; needed for level 4.
    pub fn attest(&mut self, peer: Identity) {
        if let Some(dossier) = self.dossiers.get_mut(&peer) {
            dossier.is_attested = true;
        }
    }

    /// A human agrees that a peer may reach level 4.
    pub fn approve(&mut self, peer: Identity) {
        if let Some(dossier) = self.dossiers.get_mut(&peer) {
            dossier.is_approved = true;
        }
    }

    /// Notes what was seen on the channel of the authenticated peer `channel`, in a message that
    /// claims to be of `claimed`. The step if it makes somebody fall.
    pub fn observe(
        &mut self,
        channel: Identity,
        claimed: Identity,
        evidence: Evidence,
        now: LocalTime,
    ) -> Option<(Identity, Step)> {
        let charged = R::charged(channel, claimed);
        let (config, window) = (self.config.sound, self.config.threat_window);
        let dossier = self.dossiers.get_mut(&charged)?;
        dossier.tally.note(evidence);
        dossier.weights.note(evidence, &config);
        let is_bad = evidence == Evidence::BadSignature;
        if evidence == Evidence::Threat {
            dossier.recent_threats.push_back(now);
        }
        while let Some(first) = dossier.recent_threats.front()
            && now.since(*first) > window
        {
            dossier.recent_threats.pop_front();
        }
        if !R::falls(dossier.recent_threats.len(), is_bad) {
            return None;
        }
        dossier.recent_threats.clear();
        dossier.has_fallen = true;
        dossier.ceiling = Level::Untrusted;
        let step = dossier.set(Level::Untrusted, Move::Fell);
        (step.from != step.to).then_some((charged, step))
    }

    /// An heir takes the place of `old`, with everything that is held against it or for it.
    pub fn succeed(&mut self, old: Identity, heir: Identity) {
        let Some(mut inherited) = self.dossiers.remove(&old) else {
            return;
        };
        if let Some(known) = self.dossiers.remove(&heir) {
            inherited.level = inherited.level.min(known.level);
            inherited.ceiling = inherited.ceiling.min(known.ceiling);
            inherited.has_fallen |= known.has_fallen;
        }
        self.dossiers.insert(heir, inherited);
    }

    /// Recomputes every score; due every [`TrustConfig::evaluate_every`].
    pub fn evaluate(&mut self, now: LocalTime) -> Vec<Assessment> {
        let every = self.config.evaluate_every;
        let passed = self
            .evaluated
            .map_or(SimDuration::ZERO, |last| now.since(last));
        let steps = passed.as_nanos() / every.as_nanos().max(1);
        let span = SimDuration::from_nanos(every.as_nanos().saturating_mul(steps));
        self.evaluated = Some(self.evaluated.map_or(now, |last| last + span));
        let factor = self.factor.applied(steps);
        let config = self.config;
        let dossiers = self.dossiers.iter_mut();
        dossiers
            .map(|(peer, dossier)| {
                dossier.weights.pass(span, factor, &config.sound);
                dossier.assess::<R>(*peer, &config)
            })
            .collect()
    }
}

impl Dossier {
    fn set(&mut self, to: Level, why: Move) -> Step {
        let from = std::mem::replace(&mut self.level, to);
        Step { from, to, why }
    }

    fn assess<R: Rules>(&mut self, peer: Identity, config: &TrustConfig) -> Assessment {
        let (reference, sound) = (self.tally.score(), self.weights.score(&config.sound));
        let (components, score, interactions) = match config.model {
            Model::Reference => (self.tally.components(), reference, self.tally.messages),
            Model::Sound => (
                self.weights.components(&config.sound),
                sound,
                self.weights.interactions(),
            ),
        };
        let step = step::<R>(&Standing {
            level: self.level,
            score,
            interactions,
            ceiling: match config.model {
                Model::Reference => Level::Privileged,
                Model::Sound => self.ceiling,
            },
            is_attested: self.is_attested,
            is_approved: self.is_approved,
        });
        if let Some(step) = step {
            self.set(step.to, step.why);
            if step.why == Move::Lost && self.weights.has_blame() {
                self.ceiling = self.ceiling.min(step.to);
            }
        }
        Assessment {
            peer,
            components,
            score,
            reference,
            sound,
            interactions,
            level: self.level,
            step,
        }
    }
}
