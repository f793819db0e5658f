//! Where threads meet between windows: a short spin, then politeness.
//!
//! A long spin starves the very thread that is waited for when there are more threads than cores.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// Turns of the spin before the thread yields.
const SPINS: u32 = 100;

/// A reusable barrier for a fixed number of threads.
pub(crate) struct Barrier {
    threads: usize,
    arrived: AtomicUsize,
    generation: AtomicUsize,
    broken: AtomicBool,
}

/// Breaks the barrier when its thread unwinds, so that nobody waits for the dead.
pub(crate) struct Presence<'a>(&'a Barrier);

impl Drop for Presence<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.broken.store(true, Ordering::Release);
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
            return;
        }
        let mut turns = 0;
        while self.generation.load(Ordering::Acquire) == generation {
            assert!(
                !self.broken.load(Ordering::Acquire),
                "BUG: another thread of the run panicked"
            );
            turns += 1;
            if turns < SPINS {
                std::hint::spin_loop();
            } else {
                std::thread::yield_now();
            }
        }
    }
}
