//! Where threads meet between windows: a short spin, then politeness, then sleep.
//!
//! A long spin starves the very thread that is waited for when there are more threads than cores,
//! and one that only ever yields keeps the core that the other is waiting for.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// Turns of the spin before the thread yields.
const SPINS: u32 = 100;
/// Turns before it sleeps.
const TURNS: u32 = SPINS + 200;

/// A reusable barrier for a fixed number of threads.
pub(crate) struct Barrier {
    threads: usize,
    arrived: AtomicUsize,
    generation: AtomicUsize,
    broken: AtomicBool,
    /// How many sleep.
    asleep: Mutex<usize>,
    met: Condvar,
}

/// Breaks the barrier when its thread unwinds, so that nobody waits for the dead.
pub(crate) struct Presence<'a>(&'a Barrier);

impl Drop for Presence<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.broken.store(true, Ordering::Release);
            self.0.wake();
        }
    }
}

impl Barrier {
    pub(crate) fn new(threads: usize) -> Self {
        Self {
            threads,
            arrived: AtomicUsize::new(0),
            generation: AtomicUsize::new(0),
            broken: AtomicBool::new(false),
            asleep: Mutex::new(0),
            met: Condvar::new(),
        }
    }

    /// To be held by each thread for as long as others may wait for it.
    pub(crate) fn presence(&self) -> Presence<'_> {
        Presence(self)
    }

    /// Returns when all threads have called it.
    ///
    /// # Panics
    /// If a thread that is to come has panicked.
    pub(crate) fn wait(&self) {
        let generation = self.generation.load(Ordering::Acquire);
        if self.arrived.fetch_add(1, Ordering::AcqRel) + 1 == self.threads {
            self.arrived.store(0, Ordering::Relaxed);
            self.generation.store(generation + 1, Ordering::Release);
            return self.wake();
        }
        let mut turns = 0;
        while self.must_wait(generation) {
            turns += 1;
            match turns {
                0..SPINS => std::hint::spin_loop(),
                SPINS..TURNS => std::thread::yield_now(),
                _ => self.sleep(generation),
            }
        }
    }

    fn must_wait(&self, generation: usize) -> bool {
        assert!(
            !self.broken.load(Ordering::Acquire),
            "BUG: another thread of the run panicked"
        );
        self.generation.load(Ordering::Acquire) == generation
    }

    fn sleepers(&self) -> MutexGuard<'_, usize> {
        self.asleep.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Wakes whoever sleeps, after what they wait for was stored.
    fn wake(&self) {
        if *self.sleepers() > 0 {
            self.met.notify_all();
        }
    }

    /// Sleeps unless what is waited for came meanwhile.
    fn sleep(&self, generation: usize) {
        let mut asleep = self.sleepers();
        *asleep += 1;
        if self.generation.load(Ordering::Acquire) == generation
            && !self.broken.load(Ordering::Acquire)
        {
            let woken = self.met.wait(asleep);
            asleep = woken.unwrap_or_else(PoisonError::into_inner);
        }
        *asleep -= 1;
    }
}
