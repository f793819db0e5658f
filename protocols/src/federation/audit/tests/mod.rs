//! The layer as a whole: three peers' logs, every way to change them, every rule left out once.

mod keeping;
mod verification;

use super::*;
use crate::federation::rules::{Rules, Strict};
use crate::federation::terms::{ActionId, ActionKind, Capability, Digest, Level};
use crate::federation::testing::keys;
use crate::identity::{Identity, Keys};

const GRACE: SimDuration = SimDuration::from_secs(60);

fn at(seconds: i64) -> LocalTime {
    LocalTime::from_nanos(seconds * 1_000_000_000)
}

fn id(number: u8) -> ActionId {
    ActionId([number; 16])
}

fn step(action: ActionId, other: Identity, stage: Stage) -> ActionRecord {
    ActionRecord {
        action,
        other,
        kind: ActionKind::Task,
        capability: Capability::new("review").expect("a name"),
        level: Level::Attested,
        budget: None,
        content: Content::kept(ContentMode::Full, &[0; 32], "look at pull request 7"),
        stage,
    }
}

/// One peer with its log and what it has on disk.
struct Clerk<R: Rules> {
    name: &'static str,
    keys: Keys,
    log: AuditLog<R>,
    witnesses: Witnesses<R>,
    records: Vec<Record>,
}

impl<R: Rules> Clerk<R> {
    fn new(name: &'static str, number: u8) -> Self {
        Self {
            name,
            keys: keys(number),
            log: AuditLog::default(),
            witnesses: Witnesses::default(),
            records: Vec::new(),
        }
    }

    fn identity(&self) -> Identity {
        self.keys.identity()
    }

    fn keep(&mut self, record: Record) {
        self.log.persisted(record.number);
        self.records.push(record);
    }

    fn note(&mut self, seconds: i64, step: ActionRecord) {
        let record = self.log.append(at(seconds), Entry::Action { step });
        self.keep(record);
    }

    fn kept(&self) -> KeptLog {
        let kept = |record: &Record| KeptRecord {
            record: record.clone(),
            virtual_ns: None,
        };
        KeptLog {
            peer: self.name.to_owned(),
            key: self.keys.public(),
            scheme: crate::KeyScheme::ideal([9; 32]),
            records: self.records.iter().map(kept).collect(),
            closing: None,
        }
    }
}

/// Carries an action of `sender` out at `executor`, answer included.
fn act<R: Rules>(action: ActionId, from: i64, sender: &mut Clerk<R>, executor: &mut Clerk<R>) {
    let (source, target) = (sender.identity(), executor.identity());
    let receipt = Digest([action.0[0]; 32]);
    sender.note(from, step(action, target, Stage::Sent));
    executor.note(from + 1, step(action, source, Stage::Intent));
    executor.note(from + 2, step(action, source, Stage::Executed { receipt }));
    let word = executor
        .log
        .acknowledge(action, receipt, &mut executor.keys);
    let record = sender
        .log
        .answered(at(from + 3), (target, target), word, &mut sender.keys);
    sender.keep(record.expect("the executor's word"));
}

/// Has `owner`'s head countersigned by `third`; both keep a record of it.
fn countersign<R: Rules>(seconds: i64, owner: &mut Clerk<R>, third: &mut Clerk<R>) {
    let head = owner.log.signed_head(&mut owner.keys);
    let witness = third
        .witnesses
        .countersign(at(seconds), &head, &mut third.keys);
    let witness = witness.expect("no fork").expect("a head of its owner");
    let record = third.log.append(at(seconds), Entry::Witnessed { head });
    third.keep(record);
    let record = owner
        .log
        .countersigned(at(seconds), witness, &mut owner.keys);
    owner.keep(record.expect("ours"));
}

/// Four actions between two peers, the first two of them before a countersigned head.
fn desks<R: Rules>() -> [Clerk<R>; 3] {
    let mut alice = Clerk::new("alice", 1);
    let mut bob = Clerk::new("bob", 11);
    let mut carol = Clerk::new("carol", 12);
    act(id(1), 10, &mut alice, &mut bob);
    act(id(2), 20, &mut bob, &mut alice);
    countersign(30, &mut alice, &mut carol);
    countersign(31, &mut bob, &mut carol);
    act(id(3), 40, &mut alice, &mut bob);
    let refusal = Stage::Refused {
        reason: "denied".to_owned(),
    };
    alice.note(50, step(id(4), bob.identity(), Stage::Sent));
    if let Some(record) = bob
        .log
        .refuse(at(51), step(id(4), alice.identity(), refusal.clone()))
    {
        bob.keep(record);
    }
    alice.note(52, step(id(4), bob.identity(), refusal));
    [alice, bob, carol]
}

fn kept<R: Rules>(desks: &[Clerk<R>; 3]) -> Vec<KeptLog> {
    desks.iter().map(Clerk::kept).collect()
}

fn logs() -> Vec<KeptLog> {
    kept(&desks::<Strict>())
}

/// Makes the chain of a changed log whole again, as its owner can.
fn relink(log: &mut KeptLog) {
    let mut previous = Digest([0; 32]);
    for (index, kept) in log.records.iter_mut().enumerate() {
        kept.record.number = index as u64 + 1;
        kept.record.previous = previous;
        previous = kept.record.hash();
    }
}

fn alter(log: &mut KeptLog, number: usize) {
    match &mut log.records[number - 1].record.entry {
        Entry::Action { step } => step.level = Level::Privileged,
        other => panic!("not an action: {other:?}"),
    }
}

fn culprits(report: &Report) -> Vec<&str> {
    report
        .findings
        .iter()
        .filter_map(|finding| finding.culprit.as_deref())
        .collect()
}
