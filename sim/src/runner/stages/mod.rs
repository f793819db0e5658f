//! Which machines and which watch a scenario's protocol table stands for: one file a protocol.

mod federation;
mod operations;
mod papers;
mod pbft;
mod raft;
mod rumor;
mod swim;
mod users;

use std::sync::Arc;

use fedsim_protocols::{KeyScheme, Message, Protocol, RunKey, StreamLabel};
use fedsim_record::RunRecord;
use fedsim_scenarios::Scenario;
use fedsim_scenarios::spec::story::Step;
use fedsim_scenarios::spec::{ProtocolSpec, Signatures};

use super::directed::{run_story, verify_story};
use super::{Directed, RunFailure, RunOptions, Verification, Watch, run_cast, tables, verify_cast};
use crate::engine::{self, Cast, Observer, Options, Outcome, PeerPanic};

pub use federation::FederationCast;
pub(crate) use operations::{Fates, KeyEnd};
pub use pbft::PbftCast;
pub use raft::RaftCast;
pub use rumor::RumorCast;
pub use swim::SwimCast;

/// A scenario with its machines and its watch.
pub(super) trait Stage {
    fn run(&self, options: &RunOptions) -> Result<RunRecord, RunFailure>;
    fn verify(&self, options: &RunOptions) -> Result<Verification, RunFailure>;
    fn metric_names(&self) -> Vec<String>;
    fn invariant_names(&self) -> Vec<&'static str>;
}

/// The stage of the one protocol that `scenario` runs.
pub(super) fn of(scenario: &Scenario) -> Result<Box<dyn Stage + '_>, RunFailure> {
    match scenario.protocols.as_slice() {
        [ProtocolSpec::Swim(spec)] => swim::stage(scenario, spec),
        [ProtocolSpec::Rumor(settings)] => rumor::stage(scenario, settings),
        [ProtocolSpec::Raft(settings)] => raft::stage(scenario, settings),
        [ProtocolSpec::Pbft(spec)] => pbft::stage(scenario, spec),
        [ProtocolSpec::Federation(spec)] => federation::stage(scenario, spec),
        [_, _, ..] | [] => {
            let found = scenario.protocols.len();
            Err(RunFailure::Unsupported(format!(
                "a run has exactly one protocol table, this scenario has {found}"
            )))
        }
    }
}

/// Gives casts an engine that is built here, with this crate, and not again by whoever runs it.
macro_rules! built {
    ($($cast:ident),+) => {
        $(impl $cast {
            /// Has the engine run `scenario` with this cast: [`engine::run`], nothing around it.
            ///
            /// # Errors
            /// The earliest panic of a machine, if one panicked.
            pub fn perform(
                self: &Arc<Self>,
                scenario: &Scenario,
                options: &Options,
                observer: &mut dyn Observer<<Self as Cast>::Machine>,
            ) -> Result<Outcome, PeerPanic> {
                engine::run(scenario, self, options, observer)
            }
        })+
    };
}

built!(SwimCast, RumorCast, RaftCast, PbftCast, FederationCast);

/// How the peers of `scenario` sign. Only the engine can make the tags of ideal signatures: nobody
/// else is told what the oracle knows.
pub(crate) fn key_scheme(scenario: &Scenario) -> KeyScheme {
    match scenario.signatures {
        Signatures::Ed25519 => KeyScheme::ed25519(),
        Signatures::Ed25519PerReceiver => KeyScheme::ed25519_per_receiver(),
        Signatures::Ideal => {
            let key = RunKey::from_seed(scenario.seed);
            KeyScheme::ideal(key.derive(StreamLabel::global("oracle")))
        }
    }
}

/// How to make what a stage needs; made when it is needed, since names are asked for without a run.
struct Staged<'a, C, W> {
    scenario: &'a Scenario,
    cast: Box<dyn Fn() -> C + 'a>,
    watch: Box<dyn Fn() -> W + 'a>,
}

/// A stage on which a story is acted out.
struct Acted<'a, C: Directed, W> {
    staged: Staged<'a, C, W>,
    steps: &'a [Step<C::Words>],
}

impl<C: Directed, W: Watch<C::Machine>> Stage for Acted<'_, C, W> {
    fn run(&self, options: &RunOptions) -> Result<RunRecord, RunFailure> {
        let Staged {
            scenario,
            cast,
            watch,
        } = &self.staged;
        run_story(scenario, self.steps, &Arc::new(cast()), watch(), options)
    }

    fn verify(&self, options: &RunOptions) -> Result<Verification, RunFailure> {
        let Staged { scenario, cast, .. } = &self.staged;
        verify_story(scenario, self.steps, &Arc::new(cast()), options)
    }

    fn metric_names(&self) -> Vec<String> {
        self.staged.metric_names()
    }

    fn invariant_names(&self) -> Vec<&'static str> {
        C::TIMELESS.to_vec()
    }
}

impl<C: Cast, W: Watch<C::Machine>> Stage for Staged<'_, C, W> {
    fn run(&self, options: &RunOptions) -> Result<RunRecord, RunFailure> {
        run_cast(
            self.scenario,
            &Arc::new((self.cast)()),
            (self.watch)(),
            options,
        )
    }

    fn verify(&self, options: &RunOptions) -> Result<Verification, RunFailure> {
        verify_cast(self.scenario, &Arc::new((self.cast)()), options)
    }

    fn metric_names(&self) -> Vec<String> {
        let kinds = <<C::Machine as Protocol>::Message as Message>::KINDS;
        let kinds = kinds.iter().map(|kind| tables::kind_metric(kind));
        let general = tables::METRICS.iter().map(|name| (*name).to_owned());
        let adversaries = tables::ADVERSARY_METRICS
            .iter()
            .map(|name| (*name).to_owned());
        let adversaries = adversaries.filter(|_| !self.scenario.adversaries.is_empty());
        general
            .chain(adversaries)
            .chain(kinds)
            .chain(W::metric_names())
            .collect()
    }

    fn invariant_names(&self) -> Vec<&'static str> {
        W::invariant_names()
    }
}
