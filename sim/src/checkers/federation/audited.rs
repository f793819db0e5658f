//! Whether everything that crosses a boundary is written down, in time and for good.
//!
//! While the run goes on, a peer's word is held against what is durable of its log: no first byte
//! before the sender's record, no effect before the executor's intent, no refusal without a record.
//! When it is over, the logs are handed over, those of tampering adversaries as these changed them,
//! and verified as `fedsim audit` does it, from the logs alone. An honest peer that is up must have
//! said of every action how it ended, [`SLACK`] and the time of a piece of work after it expired,
//! if only that nobody knows; and no honest peer may be blamed. Must not know how a log is kept.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use fedsim_protocols::federation::audit::{
    self, Closing, Entry, Finding, KeptLog, KeptRecord, Problem, Record, Report, Stage, lines,
};
use fedsim_protocols::federation::envelope::Refusal;
use fedsim_protocols::federation::rules::Rules;
use fedsim_protocols::federation::terms::ActionId;
use fedsim_protocols::stack::StackEvent;
use fedsim_protocols::{Identity, KeyScheme, Keys, PeerId, RunKey, SimDuration};
use fedsim_record::{Attachment, AuditRow};
use fedsim_scenarios::Scenario;
use fedsim_scenarios::spec::adversaries::Stretch;
use fedsim_scenarios::spec::{Behaviour, FederationSpec};

use crate::adversary::{BehaviourTally, Conspiracy, audit::tamper};
use crate::checkers::Ledger;
use crate::engine::identity_seed;
use crate::runner::{WatchReport, key_scheme};
use crate::time::SimTime;

/// Both sides of whatever is done have it on record before it happens, and say how it ended.
pub(super) const AUDITED: &str = "federation/audited";

/// How long after the expiry of an action its two sides may take to say how it ended, beyond the
/// skew of clocks, one wait for an answer and one piece of work.
const SLACK: SimDuration = SimDuration::from_secs(10);

/// Which side of an action a record is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Side {
    Sender,
    Executor,
}

/// What is known of one peer's log.
#[derive(Default)]
struct Desk {
    durable: Vec<KeptRecord>,
    pending: VecDeque<KeptRecord>,
    /// Actions begun and not ended, with the numbers of the records that began them: more than one
    /// where nobody remembers that an action was begun before.
    begun: BTreeMap<(Side, Identity, ActionId), Vec<u64>>,
    /// The last head of each other peer that it countersigned.
    witnessed: BTreeMap<Identity, u64>,
    /// Whether the disk lost records that were durable: no rule of a log survives that.
    lost_disk: bool,
    is_down: bool,
    /// Records that a crash took before they were durable.
    lost: u64,
    /// Outcomes that it did not know: of what it had sent, and of what it was doing.
    unknown: [u64; 2],
}

impl Desk {
    fn upto(&self) -> u64 {
        self.durable.last().map_or(0, |kept| kept.record.number)
    }

    /// Notes a record; whether what it countersigned has only grown.
    fn note(&mut self, at: SimTime, record: &Record) -> bool {
        if let Entry::Action { step } = &record.entry {
            let key = |side| (side, step.other, step.action);
            match step.stage {
                Stage::Sent => self.begin(key(Side::Sender), record.number),
                Stage::Intent => self.begin(key(Side::Executor), record.number),
                Stage::Executed { .. } => {
                    self.end(key(Side::Executor));
                }
                Stage::Answered { .. } => {
                    self.end(key(Side::Sender));
                }
                Stage::Refused { .. } | Stage::OutcomeUnknown => {
                    let as_executor = self.end(key(Side::Executor));
                    if !as_executor {
                        self.end(key(Side::Sender));
                    }
                    if step.stage == Stage::OutcomeUnknown {
                        self.unknown[usize::from(as_executor)] += 1;
                    }
                }
                Stage::CopyRefused { .. } => {}
            }
        }
        self.pending.push_back(KeptRecord {
            record: record.clone(),
            virtual_ns: Some(at.as_nanos()),
        });
        self.witness(&record.entry)
    }

    fn witness(&mut self, entry: &Entry) -> bool {
        let Entry::Witnessed { head } = entry else {
            return true;
        };
        let owner = head.signer().identity();
        let before = self.witnessed.insert(owner, head.number);
        before.is_none_or(|before| before <= head.number)
    }

    fn begin(&mut self, key: (Side, Identity, ActionId), number: u64) {
        self.begun.entry(key).or_default().push(number);
    }

    /// Ends what was begun first; whether anything was.
    fn end(&mut self, key: (Side, Identity, ActionId)) -> bool {
        let Some(numbers) = self.begun.get_mut(&key) else {
            return false;
        };
        numbers.remove(0);
        if numbers.is_empty() {
            self.begun.remove(&key);
        }
        true
    }

    fn settle(&mut self, upto: u64) {
        while let Some(kept) = self.pending.pop_front() {
            if kept.record.number > upto {
                self.pending.push_front(kept);
                return;
            }
            self.durable.push(kept);
        }
    }

    /// The peer begins again with what its disk holds.
    fn restart(&mut self, upto: u64) {
        self.lost_disk |= upto < self.upto();
        self.settle(upto);
        self.lost += self.pending.len() as u64;
        self.pending.clear();
        self.durable.retain(|kept| kept.record.number <= upto);
        self.witnessed.clear();
        for place in 0..self.durable.len() {
            let entry = self.durable[place].record.entry.clone();
            self.witness(&entry);
        }
        self.begun.retain(|_, numbers| {
            numbers.retain(|number| *number <= upto);
            !numbers.is_empty()
        });
    }

    fn has_begun(&self, key: (Side, Identity, ActionId)) -> bool {
        let upto = self.upto();
        let first = self.begun.get(&key).and_then(|numbers| numbers.first());
        first.is_some_and(|number| *number <= upto)
    }

    /// Whether the last record says that something was refused for this reason.
    fn has_just_refused(&self, refusal: Refusal) -> bool {
        let last = self.pending.back().or(self.durable.last());
        let Some(Entry::Action { step }) = last.map(|kept| &kept.record.entry) else {
            return false;
        };
        match &step.stage {
            Stage::Refused { reason } | Stage::CopyRefused { reason } => reason == refusal.reason(),
            Stage::Sent
            | Stage::Intent
            | Stage::Executed { .. }
            | Stage::Answered { .. }
            | Stage::OutcomeUnknown => false,
        }
    }
}

/// Checks, verifies and hands over the logs of all peers.
pub(super) struct Audited {
    ledger: Ledger,
    desks: Vec<Desk>,
    nicknames: Vec<String>,
    peers: BTreeMap<Identity, PeerId>,
    liars: BTreeSet<PeerId>,
    /// How long an action may be without an end after it expired.
    grace: SimDuration,
    is_kept: bool,
    scheme: KeyScheme,
    key: RunKey,
    conspiracy: Option<Conspiracy>,
}

impl Audited {
    pub(super) const METRICS: &'static [&'static str] = &[
        "audit_records",
        "audit_countersigned",
        "audit_records_lost",
        "audit_unknown_to_sender",
        "audit_unknown_to_executor",
        "audit_attributed",
        "audit_unattributed",
        "audit_honest_blamed",
    ];

    pub(super) fn new(
        scenario: &Scenario,
        spec: &FederationSpec,
        peers: BTreeMap<Identity, PeerId>,
        liars: BTreeSet<PeerId>,
    ) -> Self {
        use fedsim_protocols::federation::envelope::Stage as Check;
        let key = RunKey::from_seed(scenario.seed);
        let nicknames = scenario.peers.iter().map(|peer| peer.nickname.clone());
        Self {
            ledger: Ledger::new(AUDITED),
            desks: scenario.peers.iter().map(|_| Desk::default()).collect(),
            nicknames: nicknames.collect(),
            peers,
            liars,
            grace: spec.skew + spec.resend_after + spec.work_max + SLACK,
            is_kept: !spec.without.contains(&Check::Audit),
            scheme: key_scheme(scenario),
            key,
            conspiracy: Conspiracy::new(scenario, key),
        }
    }

    /// What a peer says of its log; of liars as well, for what they hand over is theirs.
    pub(super) fn kept(&mut self, at: SimTime, peer: PeerId, event: &StackEvent) {
        let desk = &mut self.desks[peer.index()];
        match event {
            StackEvent::Recorded { record } => {
                let grows = desk.note(at, record);
                if !grows && !self.liars.contains(&peer) {
                    self.ledger.breach(at, &[peer], || {
                        "countersigned a head behind one that it had countersigned".to_owned()
                    });
                }
            }
            StackEvent::RecordsDurable { upto } => desk.settle(*upto),
            StackEvent::RecordsFound { upto } => desk.restart(*upto),
            _ => {}
        }
    }

    pub(super) fn crashed(&mut self, peer: PeerId) {
        self.desks[peer.index()].is_down = true;
    }

    pub(super) fn restarted(&mut self, peer: PeerId) {
        self.desks[peer.index()].is_down = false;
    }

    /// The first byte of an action to `audience` left.
    pub(super) fn left(&mut self, at: SimTime, peer: PeerId, audience: Identity, action: ActionId) {
        self.ledger.exercise();
        let key = (Side::Sender, audience, action);
        if !self.desks[peer.index()].has_begun(key) {
            self.ledger.breach(at, &[peer], || {
                format!("sent {action:?} before its record was durable")
            });
        }
    }

    /// An action of `source` had its effect.
    pub(super) fn executed(
        &mut self,
        at: SimTime,
        peer: PeerId,
        source: Identity,
        action: ActionId,
    ) {
        self.ledger.exercise();
        let key = (Side::Executor, source, action);
        if !self.desks[peer.index()].has_begun(key) {
            self.ledger.breach(at, &[peer], || {
                format!("did {action:?} before its intent was durable")
            });
        }
    }

    /// An envelope was refused.
    pub(super) fn refused(&mut self, at: SimTime, peer: PeerId, refusal: Refusal) {
        self.ledger.exercise();
        if !self.desks[peer.index()].has_just_refused(refusal) {
            let reason = refusal.reason();
            self.ledger.breach(at, &[peer], || {
                format!("refused an envelope ({reason}) without a record of it")
            });
        }
    }

    /// Hands the logs over and has them verified by the rules `R`.
    pub(super) fn finish<R: Rules>(&mut self, ended_at: SimTime, report: &mut WatchReport) {
        if self.is_kept {
            let mut logs: Vec<KeptLog> = (0..self.desks.len() as u32)
                .map(|slot| self.hand_over(PeerId(slot), ended_at))
                .collect();
            report.deeds.extend(self.tamper(&mut logs));
            let found = audit::verify::<R>(&logs, self.grace);
            self.judge(ended_at, &logs, &found);
            self.judge_tampering(ended_at, &report.deeds, &found);
            self.tell(&logs, &found, report);
        }
        report.findings.push(self.ledger.clone().finding());
    }

    fn keys(&self, peer: PeerId) -> Keys {
        Keys::new(self.scheme.clone(), identity_seed(self.key, peer))
    }

    /// A peer's log as it hands it over: closed and signed, unless it is down.
    fn hand_over(&mut self, peer: PeerId, ended_at: SimTime) -> KeptLog {
        let mut keys = self.keys(peer);
        let desk = &mut self.desks[peer.index()];
        let records = std::mem::take(&mut desk.durable);
        let last = records.last().filter(|_| !desk.is_down);
        let closing = last.map(|last| {
            let written = last.virtual_ns.map_or(ended_at, SimTime::from_nanos);
            Closing {
                at: last.record.at + ended_at.since(written),
                head: keys.sign(last.record.head()),
            }
        });
        KeptLog {
            peer: self.nicknames[peer.index()].clone(),
            key: keys.public(),
            scheme: self.scheme.clone(),
            records,
            closing,
        }
    }

    /// Adversaries that tamper change their own logs.
    fn tamper(&self, logs: &mut [KeptLog]) -> Vec<BehaviourTally> {
        let mut deeds = Vec::new();
        let roles = self.conspiracy.iter().flat_map(|it| it.roles.iter());
        for role in roles.filter(|role| role.what.contains(&Behaviour::AuditTamper)) {
            for peer in &role.peers {
                let log = &mut logs[peer.index()];
                deeds.push(BehaviourTally {
                    adversary: role.label.clone(),
                    behaviour: Behaviour::AuditTamper.name(),
                    deeds: tamper(log, &role.settings, &mut self.keys(*peer)),
                });
            }
        }
        deeds
    }

    fn slot(&self, nickname: &str) -> Option<PeerId> {
        let place = self.nicknames.iter().position(|known| known == nickname)?;
        Some(PeerId(place as u32))
    }

    /// Whether a peer keeps to the protocol and its disk to its word.
    fn is_sound(&self, peer: PeerId) -> bool {
        !self.liars.contains(&peer) && !self.desks[peer.index()].lost_disk
    }

    fn judge(&mut self, at: SimTime, logs: &[KeptLog], found: &Report) {
        for finding in &found.findings {
            let Some(peer) = self.slot(&finding.peer) else {
                continue;
            };
            let others = other_side(&logs[peer.index()], finding);
            let others = others.and_then(|identity| self.peers.get(&identity).copied());
            let concerned: Vec<PeerId> = std::iter::once(peer).chain(others).collect();
            if concerned.iter().all(|peer| self.is_sound(*peer)) {
                let problem = &finding.problem;
                self.ledger
                    .breach(at, &concerned, || format!("its log: {problem}"));
            }
        }
    }

    /// Whoever changed what a third party had countersigned must be named.
    fn judge_tampering(&mut self, at: SimTime, deeds: &[BehaviourTally], found: &Report) {
        let roles = self.conspiracy.iter().flat_map(|it| it.roles.iter());
        let provable = roles.filter(|role| {
            let stretch = role.settings.stretch.unwrap_or_default();
            role.what.contains(&Behaviour::AuditTamper) && stretch == Stretch::Countersigned
        });
        let named = |peer: &PeerId| {
            let name = &self.nicknames[peer.index()];
            let culprits = found.findings.iter().filter_map(|it| it.culprit.as_ref());
            culprits.clone().any(|culprit| culprit == name)
        };
        let is_done = |label: &str| deeds.iter().any(|it| it.adversary == label && it.deeds > 0);
        let missed: Vec<PeerId> = provable
            .filter(|role| role.peers.len() == 1 && is_done(&role.label))
            .flat_map(|role| role.peers.iter().copied())
            .filter(|peer| !named(peer))
            .collect();
        if !missed.is_empty() {
            self.ledger.breach(at, &missed, || {
                "changed what a third party had countersigned, and nobody is named".to_owned()
            });
        }
    }

    fn tell(&self, logs: &[KeptLog], found: &Report, report: &mut WatchReport) {
        let records = logs.iter().flat_map(|log| &log.records);
        let entries = records.map(|kept| &kept.record.entry);
        let count = |is_it: fn(&Entry) -> bool| entries.clone().filter(|it| is_it(it)).count();
        let sum = |of: fn(&Desk) -> u64| self.desks.iter().map(of).sum::<u64>() as usize;
        let blamed = found.findings.iter().filter(|finding| {
            let culprit = finding.culprit.as_deref();
            let culprit = culprit.and_then(|culprit| self.slot(culprit));
            culprit.is_some_and(|culprit| self.is_sound(culprit))
        });
        let attributed = found.findings.iter().filter(|it| it.culprit.is_some());
        let attributed = attributed.count();
        let numbers = [
            count(|_| true),
            count(|it| matches!(it, Entry::Countersigned { .. })),
            sum(|desk| desk.lost),
            sum(|desk| desk.unknown[0]),
            sum(|desk| desk.unknown[1]),
            attributed,
            found.findings.len() - attributed,
            blamed.count(),
        ];
        for (name, number) in Self::METRICS.iter().zip(numbers) {
            report.metric(name, number as f64);
        }
        report.tables.audit = rows(found);
        let files = logs.iter().map(|log| Attachment {
            name: lines::file_name(&log.peer),
            text: lines::write(log),
        });
        report.attachments.extend(files);
    }
}

/// The other side of the action that a finding is about.
fn other_side(log: &KeptLog, finding: &Finding) -> Option<Identity> {
    let Problem::NoSender { action } = finding.problem else {
        return None;
    };
    let mut entries = log.records.iter().map(|kept| &kept.record.entry);
    entries.find_map(|entry| match entry {
        Entry::Action { step } if step.action == action => Some(step.other),
        Entry::Action { .. }
        | Entry::Witnessed { .. }
        | Entry::Countersigned { .. }
        | Entry::KeyChanged { .. } => None,
    })
}

/// One row a peer whose log holds, else one a finding.
fn rows(found: &Report) -> Vec<AuditRow> {
    let mut rows = Vec::new();
    for standing in &found.standings {
        let row = |problem: String, culprit: String| AuditRow {
            peer: standing.peer.clone(),
            records: standing.records,
            proven_to: standing.bound,
            pending: standing.pending,
            problem,
            culprit,
        };
        let findings = found.findings.iter().filter(|it| it.peer == standing.peer);
        let before = rows.len();
        rows.extend(findings.map(|it| {
            let culprit = it.culprit.clone().unwrap_or_default();
            row(it.problem.to_string(), culprit)
        }));
        if rows.len() == before {
            rows.push(row(String::new(), String::new()));
        }
    }
    rows
}
