//! Requests: put by users or by the nemesis, answered by the machine.

use fedsim_protocols::{Folder, Protocol, RequestId};

use super::Peer;
use crate::engine::agenda::{Class, Task};
use crate::engine::cell::Cell;
use crate::engine::notice::Happened;
use crate::engine::physique::Backlogged;
use crate::time::SimTime;

impl<P: Protocol> Peer<P> {
    /// Nobody asks this peer for anything.
    pub(crate) fn dismiss_users(&mut self) {
        self.users = None;
    }

    /// A user puts the next request.
    pub(super) fn invoke(&mut self, at: SimTime, cell: &mut Cell<P>) {
        let id = self.next_request();
        let Some(users) = &mut self.users else { return };
        let (request, next) = users.workload.arrive(at, id, &mut users.dice);
        self.expect_user(at, next);
        self.ask(at, id, request, cell);
    }

    pub(crate) fn next_request(&self) -> RequestId {
        RequestId((u64::from(self.id().0) << 32) | (self.steps & 0xffff_ffff))
    }

    /// What a user wanted while the peer was down is put now.
    fn expect_user(&mut self, now: SimTime, next: Option<SimTime>) {
        if let Some(next) = next {
            let key = self.key(next.max(now), Class::Timer);
            self.agenda.add(key, Task::Arrival);
        }
    }

    /// Puts a request to the machine.
    pub(crate) fn ask(
        &mut self,
        at: SimTime,
        id: RequestId,
        request: P::Request,
        cell: &mut Cell<P>,
    ) {
        self.note(at, Class::Timer, self.id(), id.0);
        self.fold.u64(Folder::of(&request));
        self.trace(cell, at, Class::Timer, self.id(), id.0, || {
            format!("request {request:?}")
        });
        cell.counters.events += 1;
        let told = Happened::Invoked(id, request.clone());
        self.tell(at, told, cell);
        if self.machine.is_none() {
            return;
        }
        let input = Backlogged::Request(id, request);
        if self.physique.must_wait(at) {
            return self.wait(at, input);
        }
        self.take_up(at, input, cell);
    }

    pub(super) fn give(&mut self, at: SimTime, id: RequestId, reply: P::Reply, cell: &mut Cell<P>) {
        self.note(at, Class::Timer, self.id(), id.0);
        self.fold.u64(Folder::of(&reply));
        self.trace(cell, at, Class::Timer, self.id(), id.0, || {
            format!("reply {reply:?}")
        });
        if let Some(users) = &mut self.users {
            let next = users.workload.answered(at, id, &reply, &mut users.dice);
            self.expect_user(at, next);
        }
        self.tell(at, Happened::Replied(id, reply), cell);
    }

    pub(super) fn begin_users(&mut self, at: SimTime) {
        if let Some(users) = &mut self.users {
            let first = users.workload.first(&mut users.dice);
            self.expect_user(at, first);
        }
    }
}
