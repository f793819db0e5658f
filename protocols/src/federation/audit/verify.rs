//! Verification of kept logs: what holds, what does not, and whose fault that is.
//!
//! Signed heads are gathered from all logs: those that third parties countersigned, and those in
//! acknowledgements. Each binds its owner, whose log must have that record at that place with that
//! hash, in an unbroken chain. What contradicts a head that binds is its owner's doing. What
//! contradicts nothing but itself, behind the last head, may be anybody's who held the file.
//!
//! Must not know where logs come from.

use std::collections::BTreeMap;

use super::record::{ActionRecord, Entry, Record, Stage};
use super::{KeptLog, KeptRecord};
use crate::federation::head::{Acknowledgement, Head};
use crate::federation::rules::Rules;
use crate::federation::terms::ActionId;
use crate::identity::{Identity, PublicKey};
use crate::time::{LocalTime, SimDuration};

/// The longest that an action may be under way: what envelopes allow, and the skew of two clocks.
const LIFETIME_MAX: SimDuration = SimDuration::from_secs(330);

/// What is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Problem {
    /// Records differ from what their owner signed.
    Altered {
        /// The first that may differ.
        from: u64,
        /// The last that may differ.
        to: u64,
    },
    /// Records that their owner signed are not there.
    Removed {
        /// The first.
        from: u64,
        /// The last.
        to: u64,
    },
    /// The owner signed two heads of one number.
    Forked {
        /// The number.
        number: u64,
    },
    /// The owner acknowledged an action that its log does not say was done.
    Unrecorded {
        /// Which action.
        action: ActionId,
        /// The record that should say so.
        number: u64,
    },
    /// A record holds a signature that is none.
    BadSignature {
        /// Which record.
        number: u64,
    },
    /// An action was sent, and the sender's log never says what came of it.
    NoAnswer {
        /// Which action.
        action: ActionId,
    },
    /// An action was begun, and the executor's log never says what came of it.
    NoOutcome {
        /// Which action.
        action: ActionId,
    },
    /// An action was done, and the log of its sender does not know it.
    NoSender {
        /// Which action.
        action: ActionId,
    },
    /// Others hold heads of a peer whose log is not there.
    LogMissing,
}

impl Problem {
    /// The first record that it is about; 0 if about none.
    fn first(&self) -> u64 {
        match self {
            Self::Altered { from, .. } | Self::Removed { from, .. } => *from,
            Self::Forked { number } | Self::BadSignature { number } => *number,
            Self::Unrecorded { number, .. } => *number,
            Self::NoAnswer { .. }
            | Self::NoOutcome { .. }
            | Self::NoSender { .. }
            | Self::LogMissing => 0,
        }
    }
}

/// Something wrong and, where it can be proven, whose doing it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The peer whose log it is about.
    pub peer: String,
    /// What is wrong.
    pub problem: Problem,
    /// Who did it; `None` if that cannot be attributed.
    pub culprit: Option<String>,
}

/// How far the log of one peer is proven.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// The peer.
    pub peer: String,
    /// How many records it has.
    pub records: u64,
    /// The number of the last head that binds it and holds; all up to there is proven.
    pub bound: u64,
    /// Actions that were open when the log ended and too young to be missed.
    pub pending: u64,
}

/// What verification found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Each peer's log, in the order given.
    pub standings: Vec<Standing>,
    /// What is wrong, by peer.
    pub findings: Vec<Finding>,
}

impl Report {
    /// Whether something is wrong and its culprit known.
    pub fn is_attributed(&self) -> bool {
        self.findings
            .iter()
            .any(|finding| finding.culprit.is_some())
    }
}

/// A head that binds its owner, found in somebody's log.
#[derive(Clone, Copy, Debug)]
struct Binding {
    head: Head,
    /// The action that it acknowledges, if it does.
    acknowledges: Option<Acknowledgement>,
}

/// Verifies logs against themselves and each other. An action that had not expired `grace` before
/// its log ended is pending and not missed.
pub fn verify<R: Rules>(logs: &[KeptLog], grace: SimDuration) -> Report {
    let owners: BTreeMap<Identity, usize> = logs
        .iter()
        .enumerate()
        .flat_map(|(index, log)| keys_of(log).map(move |key| (key.identity(), index)))
        .collect();
    let mut report = Report::default();
    let mut bindings: Vec<Vec<Binding>> = vec![Vec::new(); logs.len()];
    let mut absent: BTreeMap<Identity, u64> = BTreeMap::new();
    for log in logs {
        gather(log, &mut report, |signer, binding| {
            match owners.get(&signer.identity()) {
                Some(owner) => bindings[*owner].push(binding),
                None => *absent.entry(signer.identity()).or_default() += 1,
            }
        });
    }
    for (log, bindings) in logs.iter().zip(&bindings) {
        let bound = check_log::<R>(log, bindings, &mut report);
        let pending = check_actions(log, grace, &mut report);
        report.standings.push(Standing {
            peer: log.peer.clone(),
            records: log.records.len() as u64,
            bound,
            pending,
        });
    }
    check_pairs(logs, &owners, &mut report);
    report
        .findings
        .extend(absent.into_keys().map(|owner| Finding {
            peer: format!("{owner:?}"),
            problem: Problem::LogMissing,
            culprit: None,
        }));
    report
}

/// The keys that signed for a log's owner.
fn keys_of(log: &KeptLog) -> impl Iterator<Item = PublicKey> + '_ {
    let later = log
        .records
        .iter()
        .filter_map(|kept| match &kept.record.entry {
            Entry::KeyChanged { key } => Some(*key),
            Entry::Action { .. } | Entry::Witnessed { .. } | Entry::Countersigned { .. } => None,
        });
    std::iter::once(log.key).chain(later)
}

fn unattributed(log: &KeptLog, problem: Problem) -> Finding {
    Finding {
        peer: log.peer.clone(),
        problem,
        culprit: None,
    }
}

/// Shows every head that stands signed in a log to `found`; signatures that are none are reported.
fn gather(log: &KeptLog, report: &mut Report, mut found: impl FnMut(PublicKey, Binding)) {
    for kept in &log.records {
        let (holds, signer, binding) = match &kept.record.entry {
            Entry::Witnessed { head } => {
                let binding = Binding {
                    head: **head,
                    acknowledges: None,
                };
                (head.verdict(&log.scheme), head.signer(), binding)
            }
            Entry::Countersigned { witness } => {
                let head = &witness.head;
                let binding = Binding {
                    head: **head,
                    acknowledges: None,
                };
                let holds = witness.verdict(&log.scheme) && head.verdict(&log.scheme);
                // One who countersigns his own head binds nobody but by his own copy.
                let is_third = witness.signer() != head.signer();
                (holds && is_third, head.signer(), binding)
            }
            Entry::Action { step } => {
                let Stage::Answered { acknowledgement } = &step.stage else {
                    continue;
                };
                let binding = Binding {
                    head: acknowledgement.head,
                    acknowledges: Some(**acknowledgement),
                };
                let holds =
                    acknowledgement.verdict(&log.scheme) && acknowledgement.action == step.action;
                (holds, acknowledgement.signer(), binding)
            }
            Entry::KeyChanged { .. } => continue,
        };
        if holds {
            found(signer, binding);
        } else {
            let number = kept.record.number;
            report
                .findings
                .push(unattributed(log, Problem::BadSignature { number }));
        }
    }
}

/// Holds one log against itself and the heads that bind its owner; says how far it is proven.
fn check_log<R: Rules>(log: &KeptLog, bindings: &[Binding], report: &mut Report) -> u64 {
    let mut bindings = bindings.to_vec();
    bindings.sort_by_key(|binding| (binding.head.number, binding.head.hash));
    let mut found = |problem: Problem, is_bound: bool| {
        report.findings.push(Finding {
            peer: log.peer.clone(),
            problem,
            culprit: is_bound.then(|| log.peer.clone()),
        });
    };
    for pair in bindings.windows(2) {
        let (one, other) = (pair[0].head, pair[1].head);
        if one.number == other.number && R::contradicts(one.hash != other.hash) {
            found(Problem::Forked { number: one.number }, true);
        }
    }
    let last_bound = bindings.last().map_or(0, |binding| binding.head.number);
    let broken = breaks::<R>(&log.records);
    let first_break = broken.iter().map(Problem::first).min().unwrap_or(u64::MAX);
    for problem in broken {
        let is_bound = problem.first() <= last_bound;
        found(problem, is_bound);
    }
    let mut bound = 0;
    for binding in &bindings {
        let number = binding.head.number;
        match difference::<R>(log, binding.head, bound) {
            Some(problem) if first_break > number || problem.first() > number => {
                found(problem, true);
                break;
            }
            Some(_) => break,
            None if first_break <= number => break,
            None => bound = number,
        }
        let word = binding.acknowledges.filter(|word| !says_so(log, word));
        if let Some(Acknowledgement { action, .. }) = word {
            found(Problem::Unrecorded { action, number }, true);
        }
    }
    if let Some(closing) = &log.closing {
        let is_signed = keys_of(log).any(|key| key == closing.head.signer());
        let holds = is_signed && closing.head.verdict(&log.scheme);
        let changed = match holds {
            true => difference::<R>(log, *closing.head, bound),
            false => Some(Problem::BadSignature {
                number: closing.head.number,
            }),
        };
        let is_told = |problem: &Problem| problem.first() <= last_bound || first_break != u64::MAX;
        if let Some(problem) = changed.filter(|problem| !is_told(problem)) {
            found(problem, false);
        }
    }
    bound
}

/// How a log differs from a signed head of it; everything after `proven` may differ.
fn difference<R: Rules>(log: &KeptLog, head: Head, proven: u64) -> Option<Problem> {
    let end = log.records.last().map_or(0, |kept| kept.record.number);
    match record(log, head.number) {
        None => R::contradicts(head.number > end).then_some(Problem::Removed {
            from: end + 1,
            to: head.number,
        }),
        Some(record) => R::contradicts(record.hash() != head.hash).then_some(Problem::Altered {
            from: proven + 1,
            to: head.number,
        }),
    }
}

/// The record of this number; a log with numbers left out is searched.
fn record(log: &KeptLog, number: u64) -> Option<&Record> {
    let index = usize::try_from(number.checked_sub(1)?).ok()?;
    let is_it = |kept: &&KeptRecord| kept.record.number == number;
    let kept = log.records.get(index).filter(is_it);
    let kept = kept.or_else(|| log.records.iter().find(is_it));
    kept.map(|kept| &kept.record)
}

/// Whether a record says what was acknowledged.
fn says_so(log: &KeptLog, word: &Acknowledgement) -> bool {
    let entry = record(log, word.head.number).map(|record| &record.entry);
    let Some(Entry::Action { step }) = entry else {
        return false;
    };
    let is_receipt = matches!(&step.stage, Stage::Executed { receipt } if *receipt == word.receipt);
    step.action == word.action && is_receipt
}

/// Where the chain is broken: numbers left out, or a record that the next one does not follow.
fn breaks<R: Rules>(records: &[KeptRecord]) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut last: Option<&Record> = None;
    for kept in records {
        let record = &kept.record;
        let expected = last.map_or(1, |last| last.number + 1);
        let follows = match last {
            None => record.previous.0 == [0; 32],
            Some(last) => record.previous == last.hash(),
        };
        if record.number != expected {
            if R::contradicts(true) {
                problems.push(match record.number > expected {
                    true => Problem::Removed {
                        from: expected,
                        to: record.number - 1,
                    },
                    false => Problem::Altered {
                        from: record.number,
                        to: expected,
                    },
                });
            }
        } else if R::contradicts(!follows) {
            let number = expected.saturating_sub(1).max(1);
            problems.push(Problem::Altered {
                from: number,
                to: number,
            });
        }
        last = Some(record);
    }
    problems
}

fn steps(log: &KeptLog) -> impl Iterator<Item = (&Record, &ActionRecord)> {
    log.records
        .iter()
        .filter_map(|kept| match &kept.record.entry {
            Entry::Action { step } => Some((&kept.record, step)),
            Entry::Witnessed { .. } | Entry::Countersigned { .. } | Entry::KeyChanged { .. } => {
                None
            }
        })
}

/// Every action that a log begins must end in it; says how many are too young for that.
fn check_actions(log: &KeptLog, grace: SimDuration, report: &mut Report) -> u64 {
    let mut sent: BTreeMap<(ActionId, Identity), LocalTime> = BTreeMap::new();
    let mut begun: BTreeMap<(ActionId, Identity), LocalTime> = BTreeMap::new();
    for (record, step) in steps(log) {
        let key = (step.action, step.other);
        match step.stage {
            Stage::Sent => drop(sent.insert(key, due(step.action, record.at))),
            Stage::Intent => drop(begun.insert(key, due(step.action, record.at))),
            Stage::Executed { .. } => drop(begun.remove(&key)),
            Stage::Answered { .. } => drop(sent.remove(&key)),
            Stage::Refused { .. } | Stage::OutcomeUnknown => {
                if begun.remove(&key).is_none() {
                    sent.remove(&key);
                }
            }
            Stage::CopyRefused { .. } => {}
        }
    }
    let last = log.records.last().map(|kept| kept.record.at);
    let end = log.closing.as_ref().map(|closing| closing.at).or(last);
    let is_young = |due: &LocalTime| end.is_none_or(|end| end < *due + grace);
    let mut pending = 0;
    for ((action, _), at) in sent {
        match is_young(&at) {
            true => pending += 1,
            false => report
                .findings
                .push(unattributed(log, Problem::NoAnswer { action })),
        }
    }
    for ((action, _), at) in begun {
        match is_young(&at) {
            true => pending += 1,
            false => report
                .findings
                .push(unattributed(log, Problem::NoOutcome { action })),
        }
    }
    pending
}

/// By when an action that began at `at` has expired; its id says so, if it can be believed.
fn due(action: ActionId, at: LocalTime) -> LocalTime {
    let expiry = action.expires_at();
    let is_believable = expiry > at && expiry.since(at) <= LIFETIME_MAX;
    if is_believable { expiry } else { at }
}

/// What an executor did, its sender must have sent. Whose record is false, nobody can tell.
fn check_pairs(logs: &[KeptLog], owners: &BTreeMap<Identity, usize>, report: &mut Report) {
    let sent: Vec<Vec<ActionId>> = logs
        .iter()
        .map(|log| {
            let of_sender = steps(log).filter(|(_, step)| matches!(step.stage, Stage::Sent));
            let mut actions: Vec<ActionId> = of_sender.map(|(_, step)| step.action).collect();
            actions.sort_unstable();
            actions
        })
        .collect();
    for log in logs {
        let done = steps(log).filter(|(_, step)| matches!(step.stage, Stage::Executed { .. }));
        for (_, step) in done {
            let sender = owners.get(&step.other);
            let is_known =
                sender.is_none_or(|sender| sent[*sender].binary_search(&step.action).is_ok());
            if !is_known {
                let action = step.action;
                report
                    .findings
                    .push(unattributed(log, Problem::NoSender { action }));
            }
        }
    }
}
