//! Who does not keep to the protocol, in words.

use fedsim_protocols::RunKey;
use fedsim_scenarios::spec::AdversarySpec;
use fedsim_scenarios::spec::adversaries::Scope;

use super::words::percent;
use super::{Text, foresee};
use crate::adversary::{Conspiracy, Role};
use crate::network::Fabric;

impl Text<'_> {
    /// Every adversary, whom the seed makes it, and what it does.
    pub(super) fn adversaries(&mut self, fabric: Fabric, key: RunKey) {
        let scenario = self.scenario;
        let Some(conspiracy) = Conspiracy::new(scenario, key) else {
            return;
        };
        self.heading("Adversaries");
        let lookahead = fabric.lookahead();
        let (bands, complete) = foresee(scenario, fabric, key);
        let roles = scenario.adversaries.iter().zip(conspiracy.roles.iter());
        for (number, (spec, role)) in (1..).zip(roles) {
            let lasts = match spec.lasts {
                Some(lasts) => format!(", for {lasts}"),
                None => ", to the end of the run".to_owned(),
            };
            let when = self.when(&spec.when, lookahead);
            let who = match role.peers.is_empty() {
                true => "the network".to_owned(),
                false => self.names(&role.peers),
            };
            let line = format!("{}: {when}{lasts}, {who}{}.", role.label, self.how(spec));
            self.wrapped(&format!("  {number}. "), "     ", &line);
            self.deeds(role);
            let place = scenario.faults.len() as u32 + number;
            let own: Vec<_> = bands.iter().filter(|band| band.fault == place).collect();
            self.strikes(&own, complete);
        }
    }

    fn deeds(&mut self, role: &Role) {
        for what in &role.what {
            let line = format!("{}: {}", what.name(), what.about());
            self.wrapped("       ", "         ", &line);
        }
    }

    /// The settings that are stated.
    fn how(&self, spec: &AdversarySpec) -> String {
        let settings = &spec.settings;
        let target = settings.target.as_ref();
        let kinds = settings.kinds.as_ref();
        let stated = [
            (!spec.cabal.is_empty()).then(|| format!("of cabal {}", spec.cabal)),
            target.map(|peers| format!("aimed at {}", self.names(peers))),
            kinds.map(|kinds| format!("messages {}", kinds.join(", "))),
            settings
                .share
                .map(|share| format!("{} of them", percent(share))),
            settings.pace.map(|pace| format!("every {pace}")),
            settings.by.map(|by| format!("by {by}")),
            settings.amount.map(|amount| format!("amount {amount}")),
            (settings.scope == Some(Scope::Round)).then(|| "by rounds".to_owned()),
            settings.rounds.map(|most| format!("{most} rounds at most")),
            settings
                .receivers
                .map(|peers| format!("against {peers} in each")),
        ];
        let stated = stated.into_iter().flatten();
        stated.map(|words| format!(", {words}")).collect()
    }
}
