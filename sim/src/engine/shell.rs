//! The only place that knows actix: each peer is an actor, polled by hand.
//!
//! The driver owns every actor's future. It puts one message into one mailbox and polls exactly
//! that future with a waker that does nothing, so that no runtime schedules anything, order is the
//! driver's, and a panic surfaces where the driver stands.

use std::cell::RefCell;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context as TaskContext, Waker};

use actix::dev::ContextFut;
use actix::{Actor, Addr, AsyncContext, Context, Handler, Message};
use fedsim_protocols::Protocol;

use super::cell::{Cell, Post};
use super::peer::{Peer, Stage, Window};

/// What the actors of one shard share.
pub(crate) struct Shared<P: Protocol> {
    pub(crate) cell: Rc<RefCell<Cell<P>>>,
    pub(crate) post: Rc<RefCell<Post<P>>>,
    pub(crate) stage: Rc<dyn Stage<P>>,
}

impl<P: Protocol> Clone for Shared<P> {
    fn clone(&self) -> Self {
        Self {
            cell: Rc::clone(&self.cell),
            post: Rc::clone(&self.post),
            stage: Rc::clone(&self.stage),
        }
    }
}

struct PeerActor<P: Protocol> {
    peer: Peer<P>,
    shared: Shared<P>,
}

/// An actor has to be movable; nothing in a peer is ever pinned.
impl<P: Protocol> Unpin for PeerActor<P> {}

impl<P: Protocol> Actor for PeerActor<P> {
    type Context = Context<Self>;
}

impl Message for Window {
    type Result = ();
}

impl<P: Protocol> Handler<Window> for PeerActor<P> {
    type Result = ();

    fn handle(&mut self, window: Window, _: &mut Context<Self>) {
        let post = self.shared.post.borrow();
        let mut cell = self.shared.cell.borrow_mut();
        self.peer.run(window, &post, &mut cell, &*self.shared.stage);
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

    fn handle(&mut self, act: Act<P>, _: &mut Context<Self>) {
        let mut cell = self.shared.cell.borrow_mut();
        (act.0)(&mut self.peer, &mut cell, &*self.shared.stage);
    }
}

/// What actix runs an actor by.
type Life<P> = ContextFut<PeerActor<P>, Context<PeerActor<P>>>;

/// One actor, its address, and the future that is polled by hand.
pub(crate) struct Seat<P: Protocol> {
    address: Addr<PeerActor<P>>,
    future: Pin<Box<Life<P>>>,
}

impl<P: Protocol> Seat<P> {
    pub(crate) fn new(peer: Peer<P>, shared: Shared<P>) -> Self {
        let context = Context::new();
        let address = context.address();
        let future = Box::pin(context.into_future(PeerActor { peer, shared }));
        Self { address, future }
    }

    /// Has the actor run a window, now.
    #[inline]
    pub(crate) fn run(&mut self, window: Window) {
        self.address.do_send(window);
        self.poll();
    }

    /// Has the actor carry out a deed, now; what it gave.
    pub(crate) fn act<R: Send + 'static>(
        &mut self,
        deed: impl FnOnce(&mut Peer<P>, &mut Cell<P>, &dyn Stage<P>) -> R + Send + 'static,
    ) -> R {
        let (give, take) = std::sync::mpsc::channel();
        self.address.do_send(Act(Box::new(move |peer, cell, stage| {
            let _ = give.send(deed(peer, cell, stage));
        })));
        self.poll();
        take.recv().expect("BUG: an actor did not do its deed")
    }

    #[inline]
    fn poll(&mut self) {
        let waker = Waker::noop();
        let alive = self
            .future
            .as_mut()
            .poll(&mut TaskContext::from_waker(waker))
            .is_pending();
        assert!(alive, "BUG: a peer's actor ended by itself");
    }
}
