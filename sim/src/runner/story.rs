//! The events that led to a violation, from a second run of the same scenario.
//!
//! A run is the same every time, so nothing has to be remembered while it goes well: when something
//! was violated it is run again to that moment, and what happened to those concerned is written
//! down. Must not know why anything is a violation.

use std::collections::VecDeque;
use std::marker::PhantomData;

use fedsim_protocols::{Event, PeerId, Protocol};
use fedsim_scenarios::Scenario;

use super::RunFailure;
use super::watch::Watch;
use crate::checkers::{Breach, Finding};
use crate::engine::{Cast, Happened, Notice, Observer, Outcome, World};
use crate::time::SimTime;

/// Events told of one violation at most: the last ones.
const LENGTH: usize = 40;

/// The story of each finding: empty for those that were not violated. `replay` makes the run again.
pub(super) fn tell<C: Cast, W: Watch<C::Machine>>(
    scenario: &Scenario,
    findings: &[Finding],
    replay: impl FnOnce(&mut dyn Observer<C::Machine>) -> Result<Outcome, RunFailure>,
) -> Result<Vec<Vec<String>>, RunFailure> {
    let breaches: Vec<Option<&Breach>> = findings.iter().map(|it| it.first.as_ref()).collect();
    let ends = breaches.iter().flatten().map(|breach| breach.at).max();
    let mut teller = Teller::<C::Machine, W> {
        scenario,
        lines: vec![VecDeque::new(); breaches.len()],
        breaches,
        ends: ends.unwrap_or_default(),
        is_over: false,
        watch: PhantomData,
    };
    if ends.is_some() {
        replay(&mut teller)?;
    }
    Ok(teller.lines.into_iter().map(Vec::from).collect())
}

struct Teller<'a, P, W> {
    scenario: &'a Scenario,
    breaches: Vec<Option<&'a Breach>>,
    lines: Vec<VecDeque<String>>,
    /// When the last violation was seen.
    ends: SimTime,
    is_over: bool,
    watch: PhantomData<fn(P) -> W>,
}

impl<P: Protocol, W: Watch<P>> Observer<P> for Teller<'_, P, W> {
    fn notice(&mut self, notice: &Notice<P>, _: &World<'_>) {
        self.is_over |= notice.at > self.ends;
        for (breach, lines) in self.breaches.iter().zip(&mut self.lines) {
            let told = breach.is_some_and(|breach| {
                notice.at <= breach.at && concerns::<P, W>(notice, &breach.peers)
            });
            if told {
                if lines.len() == LENGTH {
                    lines.pop_front();
                }
                lines.push_back(line(notice, self.scenario));
            }
        }
    }

    fn is_satisfied(&self) -> bool {
        self.is_over
    }
}

/// Whether the notice belongs to a story about `peers`; about nobody in particular means everybody.
fn concerns<P: Protocol, W: Watch<P>>(notice: &Notice<P>, peers: &[PeerId]) -> bool {
    if !peers.is_empty() && !peers.contains(&notice.peer) {
        return false;
    }
    match &notice.what {
        Happened::Event(event) => W::concerns(event, peers),
        Happened::Invoked(..)
        | Happened::Replied(..)
        | Happened::Started
        | Happened::Crashed
        | Happened::Restarted
        | Happened::Paused
        | Happened::Resumed => true,
        Happened::Sent(_) | Happened::Received(_) => false,
    }
}

fn line<P: Protocol>(notice: &Notice<P>, scenario: &Scenario) -> String {
    let nickname = &scenario.peers[notice.peer.index()].nickname;
    let what = match &notice.what {
        Happened::Event(event) => format!("{} {}", event.name(), event.detail()),
        Happened::Invoked(_, request) => format!("asked {request:?}"),
        Happened::Replied(_, reply) => format!("answered {reply:?}"),
        Happened::Started => "started".to_owned(),
        Happened::Crashed => "crashed".to_owned(),
        Happened::Restarted => "restarted".to_owned(),
        Happened::Paused => "paused".to_owned(),
        Happened::Resumed => "resumed".to_owned(),
        Happened::Sent(passage) => format!("sent {:?}", &*passage.payload),
        Happened::Received(passage) => format!("received {:?}", &*passage.payload),
    };
    format!("{:.6} s  {nickname}: {what}", notice.at.as_secs_f64())
}
