//! The watch as the runner asks it: what is of interest, what a reply means, what is left behind.

use fedsim_protocols::pbft::{Operation, Outcome, PbftEvent, PbftMessage, PbftPeer, Rules};
use fedsim_protocols::{Message, PeerId};
use fedsim_record::{Attachment, Outcome as Answer};

use super::measures::Measures;
use super::trace::{self, Trace};
use super::{
    AGREEMENT, CERTIFICATES, CHECKPOINTS, INTEGRITY, LINEARIZABLE, LIVENESS, MEMORY, ORDER,
    PbftWatch, REPLIES, VALIDITY, VIEWS,
};
use crate::checkers::Clients;
use crate::engine::{Notice, Observer, Outcome as RunOutcome, World};
use crate::runner::{Watch, WatchReport};
use crate::time::SimTime;

/// The kinds of message that order a request.
const NORMAL_CASE: [&str; 3] = ["pre-prepare", "prepare", "commit"];

impl<R: Rules> Observer<PbftPeer<R>> for PbftWatch {
    fn notice(&mut self, notice: &Notice<PbftPeer<R>>, _: &World<'_>) {
        if let Some(trace) = &mut self.trace {
            trace.hear(notice);
        }
        self.happened(notice);
        self.reigns.follow(notice, &self.group, &self.views);
    }

    fn weather_changed(&mut self, now: SimTime, _: &World<'_>) {
        self.progress.disturb(now);
    }

    fn sample(&mut self, now: SimTime, world: &World<'_>) {
        self.progress.sample(now, &self.group, world);
        self.measures.sample(now);
    }
}

impl<R: Rules> Watch<PbftPeer<R>> for PbftWatch {
    fn write_trace(&mut self) {
        self.trace = Some(Trace::new(self.names.clone()));
    }

    fn concerns(event: &PbftEvent, _: &[PeerId]) -> bool {
        !matches!(event, PbftEvent::Rejected { .. })
    }

    fn is_of_interest(&self, event: &PbftEvent) -> bool {
        match event {
            PbftEvent::RolledBack { .. }
            | PbftEvent::CheckpointStable { .. }
            | PbftEvent::ViewChangeStarted { .. }
            | PbftEvent::PrimaryElected { .. }
            | PbftEvent::NewViewEntered { .. }
            | PbftEvent::StateTransferred { .. }
            | PbftEvent::Reconfigured { .. }
            | PbftEvent::Retransmitted { .. } => true,
            PbftEvent::PrePrepared { .. }
            | PbftEvent::Prepared { .. }
            | PbftEvent::CommittedLocal { .. }
            | PbftEvent::Executed { .. }
            | PbftEvent::ExecutedTentatively { .. }
            | PbftEvent::BatchExecuted { .. }
            | PbftEvent::ReadOnlyAnswered { .. }
            | PbftEvent::CheckpointTaken { .. }
            | PbftEvent::Requested { .. }
            | PbftEvent::ReplyAccepted { .. }
            | PbftEvent::Rejected { .. } => false,
        }
    }

    fn operation(&self, request: &Operation) -> &'static str {
        match request {
            Operation::Read { .. } => "read",
            Operation::Write { .. } => "write",
            Operation::CompareAndSwap { .. } => "cas",
            Operation::Append { .. } => "append",
            Operation::Enter { .. } => "enter",
            Operation::Reconfigure { .. } => "reconfigure",
            Operation::Rekey { .. } => "rekey",
        }
    }

    fn answer(&self, reply: &Outcome) -> Answer {
        match reply {
            Outcome::Value { .. }
            | Outcome::Written {}
            | Outcome::Swapped { .. }
            | Outcome::Appended { .. }
            | Outcome::Entered { .. }
            | Outcome::Reconfigured {} => Answer::Ok,
            Outcome::Refused {} => Answer::Failed,
        }
    }

    fn finish(&mut self, outcome: &RunOutcome, report: &mut WatchReport) {
        let end = outcome.ended_at;
        report.findings = self.findings(end);
        let kinds = PbftMessage::KINDS.iter().enumerate();
        let normal = kinds.filter(|(_, kind)| NORMAL_CASE.contains(kind));
        let sent = normal.map(|(kind, _)| outcome.counters.total(kind));
        let sent = sent.fold((0, 0), |sum, kind| (sum.0 + kind.sent, sum.1 + kind.bytes));
        self.measures.finish(end, sent, report);
        report.metric("log_max_places", self.memory.most.log as f64);
        report.metric("early_messages_max", self.memory.most.future as f64);
        self.clients.report(report);
        let (rows, note) = self.reigns.finish(end, &self.names);
        report.tables.timeline = rows;
        report.notes.extend(note);
        if let Some(trace) = &mut self.trace {
            report.attachments.push(Attachment {
                name: trace::FILE.to_owned(),
                text: trace.take(),
            });
        }
    }

    fn metric_names() -> Vec<String> {
        let all = Measures::names().chain(Clients::METRICS);
        let all = all.chain(["log_max_places", "early_messages_max"]);
        all.map(str::to_owned).collect()
    }

    fn invariant_names() -> Vec<&'static str> {
        vec![
            AGREEMENT,
            ORDER,
            VALIDITY,
            INTEGRITY,
            CERTIFICATES,
            CHECKPOINTS,
            VIEWS,
            REPLIES,
            LINEARIZABLE,
            MEMORY,
            LIVENESS,
        ]
    }
}
