//! The watch as the runner asks it: what is of interest, what a reply means, what is left behind.

use fedsim_protocols::raft::{Operation, RaftEvent, RaftPeer, RaftReply, RaftRequest, Rules};
use fedsim_protocols::{PeerId, SimDuration};
use fedsim_record::{Attachment, Outcome as Answer};
use fedsim_scenarios::Scenario;

use super::measures::Measures;
use super::trace::{self, Trace};
use super::{
    APPEND_ONLY, COMPLETENESS, CONFIGURATION, DURABILITY, ELECTION_SAFETY, EXACTLY_ONCE,
    LINEARIZABLE, LOG_MATCHING, ONE_VOTE, PROGRESS, RaftWatch, STATE_MACHINE,
};
use crate::checkers::{Clients, Finding};
use crate::engine::{Notice, Observer, Outcome, World};
use crate::runner::{Watch, WatchReport};
use crate::time::SimTime;

impl<R: Rules> Observer<RaftPeer<R>> for RaftWatch {
    fn notice(&mut self, notice: &Notice<RaftPeer<R>>, _: &World<'_>) {
        self.happened(notice);
    }

    fn weather_changed(&mut self, now: SimTime, world: &World<'_>) {
        self.progress.disturb(now);
        self.measures.weather_changed(now, &self.cluster, world);
    }

    fn sample(&mut self, now: SimTime, world: &World<'_>) {
        self.progress.sample(now, &self.cluster, world);
        self.disks.inspect(now, &self.cluster);
        self.measures.sample(now, &self.cluster);
    }
}

impl<R: Rules> Watch<RaftPeer<R>> for RaftWatch {
    fn sample_every(&self, scenario: &Scenario) -> SimDuration {
        scenario.report.interval
    }

    fn finding(&mut self, invariant: &str, now: SimTime) -> Option<Finding> {
        let mut findings = self.findings(now).into_iter();
        findings.find(|finding| finding.name == invariant)
    }

    fn write_trace(&mut self) {
        self.trace = Some(Trace::new(self.names.clone(), &self.servers));
    }

    fn concerns(event: &RaftEvent, _: &[PeerId]) -> bool {
        !matches!(
            event,
            RaftEvent::Rejected { .. } | RaftEvent::ReadServed { .. }
        )
    }

    fn is_of_interest(&self, event: &RaftEvent) -> bool {
        match event {
            RaftEvent::BecameFollower { .. }
            | RaftEvent::BecamePreCandidate { .. }
            | RaftEvent::BecameCandidate { .. }
            | RaftEvent::LeaderElected { .. }
            | RaftEvent::Truncated { .. }
            | RaftEvent::SnapshotTaken { .. }
            | RaftEvent::SnapshotInstalled { .. }
            | RaftEvent::ConfigurationChanged { .. }
            | RaftEvent::ChangeAborted { .. }
            | RaftEvent::TransferStarted { .. }
            | RaftEvent::TransferAborted { .. }
            | RaftEvent::QuorumLost { .. }
            | RaftEvent::Recovered { .. }
            | RaftEvent::DamagedLog { .. }
            | RaftEvent::Repaired { .. } => true,
            RaftEvent::Voted { .. }
            | RaftEvent::Appended { .. }
            | RaftEvent::Durable { .. }
            | RaftEvent::Committed { .. }
            | RaftEvent::Applied { .. }
            | RaftEvent::ReadServed { .. }
            | RaftEvent::Acknowledged { .. }
            | RaftEvent::Rejected { .. } => false,
        }
    }

    fn operation(&self, request: &RaftRequest) -> &'static str {
        match request {
            RaftRequest::Operate { operation } => match operation {
                Operation::Read { .. } => "read",
                Operation::Write { .. } => "write",
                Operation::CompareAndSwap { .. } => "cas",
                Operation::Append { .. } => "append",
            },
            RaftRequest::ChangeMembership { .. } => "change-membership",
            RaftRequest::Transfer { .. } => "transfer",
            RaftRequest::TakeSnapshot => "take-snapshot",
        }
    }

    fn answer(&self, reply: &RaftReply) -> Answer {
        match reply {
            RaftReply::Ok { .. } => Answer::Ok,
            RaftReply::Fail { .. } => Answer::Failed,
            RaftReply::Unknown { .. } => Answer::Unanswered,
        }
    }

    fn finish(&mut self, outcome: &Outcome, report: &mut WatchReport) {
        let end = outcome.ended_at;
        report.findings = self.findings(end);
        self.measures.finish(end, &self.cluster, report);
        let (rows, note) = self.timeline.finish(end, &self.names);
        report.tables.timeline = rows;
        report.notes.extend(note);
        self.clients.report(report);
        if let Some(trace) = &mut self.trace {
            report.attachments.push(Attachment {
                name: trace::FILE.to_owned(),
                text: trace.take(),
            });
        }
    }

    fn metric_names() -> Vec<String> {
        let all = Measures::NAMES.iter().chain(&Clients::METRICS);
        all.map(|name| (*name).to_owned()).collect()
    }

    fn invariant_names() -> Vec<&'static str> {
        vec![
            ELECTION_SAFETY,
            ONE_VOTE,
            APPEND_ONLY,
            LOG_MATCHING,
            COMPLETENESS,
            STATE_MACHINE,
            DURABILITY,
            EXACTLY_ONCE,
            CONFIGURATION,
            PROGRESS,
            LINEARIZABLE,
        ]
    }
}
