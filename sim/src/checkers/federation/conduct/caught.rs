//! Who was caught at what by whom, and who has worked for whom.
//!
//! A bad signature, or two threats within an hour, is proof; it counts against the peer that the
//! message came from. Clocks of peers may differ, so threats must be clearly within the hour.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use fedsim_protocols::federation::authorisation::level_of;
use fedsim_protocols::federation::envelope::Refusal;
use fedsim_protocols::federation::terms::{Capability, Level};
use fedsim_protocols::federation::trust::{Model, Move, SoundConfig, Step};
use fedsim_protocols::stack::ActionsConfig;
use fedsim_protocols::{PeerId, SimDuration};

use crate::checkers::{Finding, Ledger};
use crate::time::SimTime;

/// Whoever is caught is served nothing that takes trust, and nobody falls for what another sent.
pub(crate) const CHARGED: &str = "federation/charged";
/// No level is earned without the work that it takes, the highest not without a human.
pub(crate) const EARNED: &str = "federation/earned";

/// Two threats at most this far apart are proof, whatever clock measures it.
const SURELY_AN_HOUR: SimDuration = SimDuration::from_secs(54 * 60);

/// Who judges, and whom.
type Pair = (PeerId, PeerId);

/// What one peer knows of another.
#[derive(Default)]
struct File {
    threats: VecDeque<SimTime>,
    is_caught: bool,
    served: u64,
}

pub(super) struct Caught {
    /// By which model each peer moves trust; those that move none are left out.
    models: BTreeMap<PeerId, Model>,
    /// Who belongs to whom.
    organisations: Vec<String>,
    files: BTreeMap<Pair, File>,
    /// Who fell just now in the eyes of each peer; the cause must follow.
    fallen: BTreeMap<PeerId, PeerId>,
    charged: Ledger,
    earned: Ledger,
}

impl Caught {
    pub(super) fn new(
        actions: &BTreeMap<PeerId, ActionsConfig>,
        organisations: Vec<String>,
    ) -> Self {
        let models = actions.iter();
        let models = models.filter_map(|(peer, config)| Some((*peer, config.conduct.trust?.model)));
        Self {
            models: models.collect(),
            organisations,
            files: BTreeMap::new(),
            fallen: BTreeMap::new(),
            charged: Ledger::new(CHARGED),
            earned: Ledger::new(EARNED),
        }
    }

    /// An envelope that came from `of` was refused; whether that catches it at an attack.
    pub(super) fn refused(&mut self, at: SimTime, (by, of): Pair, refusal: Refusal) -> bool {
        let is_attack = matches!(refusal, Refusal::BadSignature | Refusal::PolicyBlocked);
        let fallen = self.fallen.remove(&by);
        if fallen.is_some_and(|fallen| !is_attack || fallen != of) {
            self.blame_wrong(at, by, fallen);
        }
        if !is_attack {
            return false;
        }
        if self.models.contains_key(&by) {
            self.charged.exercise();
        }
        let file = self.files.entry((by, of)).or_default();
        if refusal == Refusal::PolicyBlocked {
            file.threats.push_back(at);
        }
        while let Some(first) = file.threats.front()
            && at.since(*first) > SURELY_AN_HOUR
        {
            file.threats.pop_front();
        }
        file.is_caught |= refusal == Refusal::BadSignature || file.threats.len() > 1;
        true
    }

    fn blame_wrong(&mut self, at: SimTime, by: PeerId, fallen: Option<PeerId>) {
        let concerned: Vec<PeerId> = fallen.into_iter().chain([by]).collect();
        self.charged.breach(at, &concerned, || {
            "fell for something that it did not send".to_owned()
        });
    }

    /// Work for `of` begins; whether it had been caught before.
    pub(super) fn begun(&mut self, at: SimTime, (by, of): Pair, uses: &Capability) -> bool {
        let file = self.files.get(&(by, of));
        let was_caught = file.is_some_and(|file| file.is_caught);
        let takes_trust = level_of(uses.name()).is_some_and(|level| level > Level::Untrusted);
        if was_caught && takes_trust && self.models.contains_key(&by) {
            self.charged.breach(at, &[by, of], || {
                format!("began {uses} for a peer that it had caught")
            });
        }
        was_caught
    }

    /// `of` delivered what `by` had asked for.
    pub(super) fn served(&mut self, pair: Pair) {
        self.files.entry(pair).or_default().served += 1;
    }

    /// `by` trusts `of` further or less far.
    pub(super) fn moved(&mut self, at: SimTime, (by, of): Pair, step: Step) {
        match step.why {
            Move::Fell => {
                let before = self.fallen.insert(by, of);
                if before.is_some() {
                    self.blame_wrong(at, by, before);
                }
            }
            Move::Earned => self.judge_rise(at, (by, of), step.to),
            Move::Met => self.judge_start(at, (by, of)),
            Move::Lost | Move::Decreed => {}
        }
    }

    /// By the sound model nobody begins above nothing if one of his organisation was caught.
    fn judge_start(&mut self, at: SimTime, (by, of): Pair) {
        let own = &self.organisations[of.index()];
        let of_own = |(who, whom): &Pair| *who == by && self.organisations[whom.index()] == *own;
        let mut of_own = self.files.iter().filter(|(pair, _)| of_own(pair));
        let is_tainted = of_own.any(|(_, file)| file.is_caught);
        if is_tainted && self.models.get(&by) == Some(&Model::Sound) {
            self.charged.breach(at, &[by, of], || {
                "began anew although one of its organisation had been caught".to_owned()
            });
        }
    }

    fn judge_rise(&mut self, at: SimTime, (by, of): Pair, to: Level) {
        self.earned.exercise();
        // By the reference formula an interaction is any message, and nobody counts those here.
        let needed = match (to, self.models.get(&by)) {
            (Level::Privileged, _) => u64::MAX,
            (Level::Trusted, Some(Model::Sound)) => 500,
            (Level::Attested, Some(Model::Sound)) => 50,
            _ => 0,
        };
        let vouched = u64::from(SoundConfig::default().vouched);
        let served = self.files.get(&(by, of)).map_or(0, |file| file.served);
        if served.saturating_add(vouched) < needed {
            self.earned.breach(at, &[by, of], || {
                format!("rose to {} for {served} pieces of work", to.name())
            });
        }
    }

    pub(super) fn restarted(&mut self, by: PeerId) {
        self.files.retain(|(who, _), _| *who != by);
        self.fallen.remove(&by);
    }

    pub(super) fn finish(&mut self, ended_at: SimTime) -> [Finding; 2] {
        let unexplained: BTreeSet<Pair> = std::mem::take(&mut self.fallen).into_iter().collect();
        for (by, of) in unexplained {
            self.blame_wrong(ended_at, by, Some(of));
        }
        [&self.charged, &self.earned].map(|ledger| ledger.clone().finding())
    }
}
