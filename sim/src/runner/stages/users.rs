//! The users of a federation: what they want of whom, and what those in charge have told.

use std::collections::VecDeque;

use fedsim_protocols::federation::authorisation;
use fedsim_protocols::federation::corpus::injections::{self, Phrasing};
use fedsim_protocols::federation::corpus::{Evasion, gauntlet};
use fedsim_protocols::federation::ownership::Resource;
use fedsim_protocols::federation::rules::Rules;
use fedsim_protocols::federation::sanitise::Kind;
use fedsim_protocols::federation::terms::{ActionKind, Capability, Money};
use fedsim_protocols::stack::{Errand, Scope, StackPeer, StackReply, StackRequest, Wish};
use fedsim_protocols::{PeerId, Probability, RequestId, Stream};
use fedsim_scenarios::spec::{ClaimKind, ErrandLoad, LoadLoop, RequestLoad};

use super::operations::{Deed, Operation};
use crate::engine::Workload;
use crate::time::SimTime;
use crate::workload::Rhythm;

/// What goes with an errand.
#[derive(Default)]
struct Content {
    payload: Vec<u8>,
    /// The canaries in it.
    planted: Vec<(Kind, String)>,
    is_hostile: bool,
}

/// One kind of errand that the users at a peer want done again and again.
pub(super) struct ErrandStream {
    kind: ActionKind,
    capability: Capability,
    to: Vec<PeerId>,
    bytes: usize,
    canaries: Probability,
    injections: Probability,
    money_max: Money,
    tokens_max: u64,
    hand_on: u8,
    resource: Option<u32>,
    claim: ClaimKind,
    lifetime: fedsim_protocols::SimDuration,
    scope: Scope,
    rhythm: Rhythm,
    next: Option<SimTime>,
}

impl ErrandStream {
    /// What `load` wants of `to`, who are all that it concerns in `scope`.
    pub(super) fn new(load: &ErrandLoad, to: Vec<PeerId>, scope: Scope) -> Self {
        let rhythm = RequestLoad {
            rhythm: LoadLoop::Open {
                rate: load.rate,
                arrivals: load.arrivals,
            },
            from: load.from,
            until: load.until,
            ..RequestLoad::default()
        };
        let usual = authorisation::capability_of(load.kind);
        let usual = Capability::new(usual).expect("BUG: a valid name");
        Self {
            capability: load.capability.clone().unwrap_or(usual),
            kind: load.kind,
            to,
            bytes: load.bytes as usize,
            canaries: load.canaries,
            injections: load.injections,
            money_max: Money(u64::from(load.micro_usd)),
            tokens_max: load.tokens,
            hand_on: load.hand_on,
            resource: load.resource,
            claim: load.claim,
            lifetime: load.lifetime,
            scope,
            rhythm: Rhythm::new(&rhythm, 0, 1),
            next: None,
        }
    }

    /// An action for one peer, or a proposal for all that it concerns.
    fn request(&self, id: RequestId, dice: &mut Stream) -> StackRequest {
        let claimed = self.resource.filter(|_| self.kind == ActionKind::HandOff);
        if let Some(number) = claimed {
            return StackRequest::Claim {
                scope: self.scope,
                resource: Resource(u64::from(number)),
                wish: self.wish(dice),
            };
        }
        if self.kind.changes_shared_state() {
            return StackRequest::Propose {
                scope: self.scope,
                content: self.filler(id),
            };
        }
        let place = dice.below(self.to.len() as u64) as usize;
        let Content {
            payload,
            planted,
            is_hostile,
        } = self.content(id, dice);
        StackRequest::Act {
            errand: Box::new(Errand {
                to: self.to[place],
                kind: self.kind,
                capability: self.capability.clone(),
                payload,
                lifetime: self.lifetime,
                tokens_max: self.tokens_max,
                hand_on: self.hand_on,
                money_max: self.money_max,
                planted,
                is_hostile,
            }),
        }
    }

    fn wish(&self, dice: &mut Stream) -> Wish {
        match self.claim {
            ClaimKind::Acquire => Wish::Acquire {},
            ClaimKind::HandOver => {
                let place = dice.below(self.to.len() as u64) as usize;
                let to = self.to[place];
                Wish::HandOver { to }
            }
            ClaimKind::Release => Wish::Release {},
        }
    }

    /// What goes with an errand.
    fn content(&self, id: RequestId, dice: &mut Stream) -> Content {
        if self.injections > Probability::ZERO && dice.chance(self.injections) {
            let attack = injections::attack(Phrasing::Seen, dice);
            return Content {
                payload: attack.text.into_bytes(),
                is_hostile: true,
                ..Content::default()
            };
        }
        match dice.chance(self.canaries) {
            true => document(dice),
            false => Content {
                payload: self.filler(id),
                ..Content::default()
            },
        }
    }

    fn filler(&self, id: RequestId) -> Vec<u8> {
        let mut payload = format!("{} {}", self.kind.name(), id.0).into_bytes();
        payload.resize(self.bytes.max(payload.len()), b'.');
        payload
    }
}

/// A document with one value of some kind, in some disguise.
fn document(dice: &mut Stream) -> Content {
    let kind = Kind::ALL[dice.below(Kind::ALL.len() as u64) as usize];
    let evasion = Evasion::ALL[dice.below(Evasion::ALL.len() as u64) as usize];
    let document = gauntlet::document(kind, evasion, dice);
    let planted = document.planted.into_iter();
    let planted = planted.map(|planted| (planted.kind, planted.tell));
    Content {
        payload: document.text.into_bytes(),
        planted: planted.collect(),
        is_hostile: false,
    }
}

/// The users at one peer.
pub(super) struct Users {
    streams: Vec<ErrandStream>,
    /// What those in charge want told.
    operations: VecDeque<Operation>,
}

impl Users {
    /// The users of a peer, if it has any.
    pub(super) fn new(streams: Vec<ErrandStream>, operations: VecDeque<Operation>) -> Option<Self> {
        let is_idle = streams.is_empty() && operations.is_empty();
        (!is_idle).then_some(Self {
            streams,
            operations,
        })
    }

    /// The stream whose turn is next, and when; an operation comes before all streams.
    fn due(&self) -> Option<(SimTime, Option<usize>)> {
        let dues = self.streams.iter().zip(0..);
        let dues = dues.filter_map(|(stream, place)| Some((stream.next?, Some(place))));
        let operation = self.operations.front();
        dues.chain(operation.map(|operation| (operation.at, None)))
            .min()
    }
}

impl<R: Rules> Workload<StackPeer<R>> for Users {
    fn first(&mut self, _: &mut Stream) -> Option<SimTime> {
        for stream in &mut self.streams {
            stream.next = stream.rhythm.first();
        }
        self.due().map(|(at, _)| at)
    }

    fn arrive(
        &mut self,
        now: SimTime,
        id: RequestId,
        dice: &mut Stream,
    ) -> (StackRequest, Option<SimTime>) {
        let (_, place) = self.due().expect("BUG: a request that nobody wants");
        let request = match place {
            Some(place) => {
                let stream = &mut self.streams[place];
                let request = stream.request(id, dice);
                stream.next = stream.rhythm.arrived(now, dice);
                request
            }
            None => {
                let operation = self.operations.pop_front();
                let operation = operation.expect("BUG: an operation that nobody wants");
                match operation.what {
                    Deed::Publish(records) => StackRequest::Publish { records },
                    Deed::Rotate => StackRequest::Rotate {},
                }
            }
        };
        (request, self.due().map(|(at, _)| at))
    }

    fn answered(
        &mut self,
        _: SimTime,
        _: RequestId,
        _: &StackReply,
        _: &mut Stream,
    ) -> Option<SimTime> {
        None
    }
}
