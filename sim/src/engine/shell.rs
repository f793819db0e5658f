//! The only place that knows actix: each peer is an actor, polled by hand.
//!
//! The driver owns every actor's future. It lays one message out and polls exactly that future with
//! a waker that does nothing, so that no runtime schedules anything, order is the driver's, and a
//! panic surfaces where the driver stands. A window needs no queue, since its peer runs it at once:
//! a future in the actor's own context hands it to the handler, and the mailbox is left to the rare
//! deeds of the sequential driver.

use std::cell::RefCell;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context as TaskContext, Poll, Waker};

use actix::dev::ContextFut;
use actix::fut::ActorFuture;
use actix::{Actor, AsyncContext, Context, Handler, Message};
use fedsim_protocols::Protocol;

use super::cell::{Cell, Post, Turn, Window};
use super::peer::{Peer, Stage};

/// What the actors of one shard share.
pub(crate) struct Shared<P: Protocol> {
    pub(crate) cell: RefCell<Cell<P>>,
    pub(crate) post: RefCell<Post<P>>,
    pub(crate) stage: Box<dyn Stage<P>>,
}

struct PeerActor<P: Protocol> {
    peer: Peer<P>,
    shared: Rc<Shared<P>>,
}

/// An actor has to be movable; nothing in a peer is ever pinned.
impl<P: Protocol> Unpin for PeerActor<P> {}

impl<P: Protocol> Actor for PeerActor<P> {
    type Context = Context<Self>;

    fn started(&mut self, context: &mut Context<Self>) {
        context.wait(Attendance);
    }
}

impl Message for Window {
    type Result = ();
}

impl<P: Protocol> Handler<Window> for PeerActor<P> {
    type Result = ();

    #[inline]
    fn handle(&mut self, window: Window, _: &mut Context<Self>) {
        let post = self.shared.post.borrow();
        let mut cell = self.shared.cell.borrow_mut();
        self.peer.run(window, &post, &mut cell, &*self.shared.stage);
    }
}

/// What an actor waits for all its life: its turn. While it waits actix leaves its mailbox alone,
/// which costs more than a small window.
struct Attendance;

impl<P: Protocol> ActorFuture<PeerActor<P>> for Attendance {
    type Output = ();

    fn poll(
        self: Pin<&mut Self>,
        actor: &mut PeerActor<P>,
        context: &mut Context<PeerActor<P>>,
        _: &mut TaskContext<'_>,
    ) -> Poll<()> {
        let turn = actor.shared.cell.borrow_mut().turn.take();
        match turn {
            Some(Turn::Window(window)) => actor.handle(window, context),
            Some(Turn::Mail) => return Poll::Ready(()),
            None => {}
        }
        Poll::Pending
    }
}

/// What the sequential driver does to one peer outside any window.
type Deed<P> = Box<dyn FnOnce(&mut Peer<P>, &mut Cell<P>, &dyn Stage<P>) + Send>;

struct Act<P: Protocol>(Deed<P>);

impl<P: Protocol> Message for Act<P> {
    type Result = ();
}

impl<P: Protocol> Handler<Act<P>> for PeerActor<P> {
    type Result = ();

    fn handle(&mut self, act: Act<P>, context: &mut Context<Self>) {
        let mut cell = self.shared.cell.borrow_mut();
        (act.0)(&mut self.peer, &mut cell, &*self.shared.stage);
        context.wait(Attendance);
    }
}

/// What actix runs an actor by.
type Life<P> = ContextFut<PeerActor<P>, Context<PeerActor<P>>>;

/// One actor: its life, which is polled by hand.
pub(crate) struct Seat<P: Protocol>(Life<P>);

impl<P: Protocol> Seat<P> {
    pub(crate) fn new(peer: Peer<P>, shared: Rc<Shared<P>>) -> Self {
        Self(Context::new().into_future(PeerActor { peer, shared }))
    }

    /// Has the actor take its turn, which is laid out in the cell, now.
    #[inline]
    pub(crate) fn take_turn(&mut self) {
        let waker = Waker::noop();
        let life = Pin::new(&mut self.0);
        let alive = life.poll(&mut TaskContext::from_waker(waker)).is_pending();
        assert!(alive, "BUG: a peer's actor ended by itself");
    }

    /// Has the actor carry out a deed, now; what it gave.
    pub(crate) fn act<R: Send + 'static>(
        &mut self,
        cell: &RefCell<Cell<P>>,
        deed: impl FnOnce(&mut Peer<P>, &mut Cell<P>, &dyn Stage<P>) -> R + Send + 'static,
    ) -> R {
        let (give, take) = std::sync::mpsc::channel();
        let act = Act(Box::new(move |peer, cell, stage| {
            let _ = give.send(deed(peer, cell, stage));
        }));
        self.0.address().do_send(act);
        cell.borrow_mut().turn = Some(Turn::Mail);
        self.take_turn();
        take.recv().expect("BUG: an actor did not do its deed")
    }
}
