//! In which view each replica is and what it is there, from when to when. Must not judge.

use fedsim_protocols::PeerId;
use fedsim_protocols::pbft::{Epoch, PbftEvent, PbftPeer, Rules, View};
use fedsim_record::TimelineRow;

use super::group::Group;
use super::views::Views;
use crate::checkers::Timeline;
use crate::engine::{Happened, Notice};
use crate::time::SimTime;

/// The views of all replicas as a timeline. Of a replica that lies nothing is told, as what it says
/// of itself counts for nothing.
pub(super) struct Reigns {
    timeline: Timeline,
    /// What each replica is while it runs.
    standing: Vec<Option<(&'static str, u64)>>,
}

impl Reigns {
    pub(super) fn new(peers: usize) -> Self {
        Self {
            timeline: Timeline::new("views", peers),
            standing: vec![None; peers],
        }
    }

    /// Takes note of what happened, which `group` and `views` know already.
    pub(super) fn follow<R: Rules>(
        &mut self,
        notice: &Notice<PbftPeer<R>>,
        group: &Group,
        views: &Views,
    ) {
        let (at, peer) = (notice.at, notice.peer);
        if !group.is_member(peer) || !group.is_honest(peer) {
            return;
        }
        match &notice.what {
            Happened::Event(event) => self.heard(at, peer, event, group),
            Happened::Started => self.enter(at, peer, (Epoch(0), View(0)), group),
            Happened::Restarted => self.enter(at, peer, views.of(peer), group),
            Happened::Crashed => self.timeline.set(at, peer, "down", None),
            Happened::Paused => self.timeline.set(at, peer, "paused", None),
            Happened::Resumed => {
                if let Some((state, view)) = self.standing[peer.index()] {
                    self.timeline.set(at, peer, state, Some(view));
                }
            }
            Happened::Invoked(..)
            | Happened::Replied(..)
            | Happened::Sent(_)
            | Happened::Received(_) => {}
        }
    }

    fn heard(&mut self, at: SimTime, peer: PeerId, event: &PbftEvent, group: &Group) {
        match event {
            PbftEvent::ViewChangeStarted { view, .. } => {
                self.stand(at, peer, ("view-changing", view.0));
            }
            PbftEvent::NewViewEntered { epoch, view, .. }
            | PbftEvent::PrimaryElected { epoch, view, .. } => {
                self.enter(at, peer, (*epoch, *view), group);
            }
            PbftEvent::Reconfigured { epoch, .. } => {
                self.enter(at, peer, (*epoch, View(0)), group);
            }
            PbftEvent::PrePrepared { .. }
            | PbftEvent::Prepared { .. }
            | PbftEvent::CommittedLocal { .. }
            | PbftEvent::Executed { .. }
            | PbftEvent::ExecutedTentatively { .. }
            | PbftEvent::RolledBack { .. }
            | PbftEvent::BatchExecuted { .. }
            | PbftEvent::ReadOnlyAnswered { .. }
            | PbftEvent::CheckpointTaken { .. }
            | PbftEvent::CheckpointStable { .. }
            | PbftEvent::StateTransferred { .. }
            | PbftEvent::Requested { .. }
            | PbftEvent::Retransmitted { .. }
            | PbftEvent::ReplyAccepted { .. }
            | PbftEvent::Rejected { .. } => {}
        }
    }

    /// A replica is in a view; one that is not on the roster is in none.
    fn enter(&mut self, at: SimTime, peer: PeerId, here: (Epoch, View), group: &Group) {
        let (epoch, view) = here;
        if !group.replicas().contains(&peer) {
            return;
        }
        let state = match group.primary(epoch, view) == Some(peer) {
            true => "primary",
            false => "backup",
        };
        self.stand(at, peer, (state, view.0));
    }

    fn stand(&mut self, at: SimTime, peer: PeerId, (state, view): (&'static str, u64)) {
        self.standing[peer.index()] = Some((state, view));
        self.timeline.set(at, peer, state, Some(view));
    }

    /// The rows of the run, which ended at `end`; a remark if some were left out.
    pub(super) fn finish(
        &mut self,
        end: SimTime,
        names: &[String],
    ) -> (Vec<TimelineRow>, Option<String>) {
        self.timeline.finish(end, names)
    }
}
