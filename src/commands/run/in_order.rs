//! Work side by side, results one after the other in order, with bounded memory.
//!
//! ```text
//!   next index ──▶ worker ─┐
//!   next index ──▶ worker ─┼──▶ results wait for those before them ──▶ take(0), take(1), ...
//!   next index ──▶ worker ─┘
//! ```
//!
//! Must not know what the work is.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

use crate::progress;

/// Results that may wait for a slower one before them, a worker.
const WAITING_A_WORKER: u64 = 4;

type Finished<T> = (u64, thread::Result<Option<T>>);

/// Whose turn it is.
struct Turns {
    count: u64,
    ahead: u64,
    state: Mutex<State>,
    moved: Condvar,
}

#[derive(Default)]
struct State {
    started: u64,
    taken: u64,
    closed: bool,
}

impl Turns {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next index to work on; none when there is no more to begin.
    fn begin(&self) -> Option<u64> {
        let is_early =
            |state: &mut State| !state.closed && state.started >= state.taken + self.ahead;
        let state = self.state();
        let mut state = self
            .moved
            .wait_while(state, is_early)
            .unwrap_or_else(PoisonError::into_inner);
        if state.closed || state.started == self.count {
            return None;
        }
        state.started += 1;
        Some(state.started - 1)
    }

    fn taken(&self) {
        self.state().taken += 1;
        self.moved.notify_all();
    }

    fn close(&self) {
        self.state().closed = true;
        self.moved.notify_all();
    }
}

/// Calls `work` with 0 to `count` on `jobs` threads, and `take` with the results in that order.
///
/// Once `work` gives nothing, no more is begun, and what is under way is taken still. When `take`
/// breaks, no more is begun, and what is under way is waited for and dropped. A panic of `work`
/// goes on in the caller. `wait` is called now and then.
pub(crate) fn in_order<T: Send>(
    count: u64,
    jobs: NonZeroUsize,
    work: impl Fn(u64) -> Option<T> + Sync,
    wait: impl FnMut(),
    take: impl FnMut(T) -> ControlFlow<()>,
) {
    let jobs = jobs.get() as u64;
    let turns = Turns {
        count,
        ahead: jobs * (1 + WAITING_A_WORKER),
        state: Mutex::default(),
        moved: Condvar::new(),
    };
    let (turns, work) = (&turns, &work);
    thread::scope(|scope| {
        let (sender, finished) = mpsc::channel();
        for _ in 0..jobs.min(count) {
            let sender = sender.clone();
            scope.spawn(move || take_turns(turns, work, &sender));
        }
        drop(sender);
        collect(turns, &finished, wait, take);
    });
}

fn take_turns<T>(turns: &Turns, work: &impl Fn(u64) -> Option<T>, finished: &Sender<Finished<T>>) {
    while let Some(index) = turns.begin() {
        let result = catch_unwind(AssertUnwindSafe(|| work(index)));
        if matches!(result, Ok(None)) {
            turns.close();
        }
        if finished.send((index, result)).is_err() {
            return;
        }
    }
}

fn collect<T>(
    turns: &Turns,
    finished: &Receiver<Finished<T>>,
    mut wait: impl FnMut(),
    mut take: impl FnMut(T) -> ControlFlow<()>,
) {
    let mut waiting = BTreeMap::new();
    let mut next = 0;
    while let Some((index, result)) = progress::next(finished, &mut wait) {
        waiting.insert(index, result);
        while let Some(result) = waiting.remove(&next) {
            next += 1;
            let taken = result.map(|some| some.map_or(ControlFlow::Continue(()), &mut take));
            match taken {
                Ok(ControlFlow::Continue(())) => turns.taken(),
                Ok(ControlFlow::Break(())) => return turns.close(),
                Err(panic) => {
                    turns.close();
                    resume_unwind(panic);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;

    const JOBS: NonZeroUsize = NonZeroUsize::new(4).unwrap();

    #[test]
    fn results_come_in_order_whoever_ends_first() {
        // The first index may not end before a later one has: results then arrive out of order.
        let later = (Mutex::new(false), Condvar::new());
        let mut taken = Vec::new();
        let work = |index| {
            if index == 0 {
                let done = later.0.lock().unwrap();
                drop(later.1.wait_while(done, |done| !*done).unwrap());
            }
            if index == 3 {
                *later.0.lock().unwrap() = true;
                later.1.notify_all();
            }
            Some(index)
        };
        in_order(
            100,
            JOBS,
            work,
            || (),
            |index| {
                taken.push(index);
                ControlFlow::Continue(())
            },
        );
        assert_eq!(taken, (0..100).collect::<Vec<_>>());
    }

    #[test]
    fn nobody_runs_far_ahead_of_what_was_taken() {
        // Otherwise one slow run would have the records of all later ones pile up in memory.
        let (begun, taken) = (AtomicU64::new(0), AtomicU64::new(0));
        let most = AtomicU64::new(0);
        let work = |_| {
            let begun = begun.fetch_add(1, Ordering::SeqCst) + 1;
            most.fetch_max(begun - taken.load(Ordering::SeqCst), Ordering::SeqCst);
            Some(())
        };
        in_order(
            1000,
            JOBS,
            work,
            || (),
            |()| {
                taken.fetch_add(1, Ordering::SeqCst);
                ControlFlow::Continue(())
            },
        );
        let bound = 4 * (1 + WAITING_A_WORKER) + 1;
        assert!(most.into_inner() <= bound);
        assert_eq!(taken.into_inner(), 1000);
    }

    #[test]
    fn a_break_begins_nothing_more() {
        // Of a million, only those within reach of the third can have begun.
        let begun = AtomicU64::new(0);
        let mut taken = 0;
        let work = |_| {
            begun.fetch_add(1, Ordering::SeqCst);
            Some(())
        };
        in_order(
            1_000_000,
            JOBS,
            work,
            || (),
            |()| {
                taken += 1;
                match taken {
                    3 => ControlFlow::Break(()),
                    _ => ControlFlow::Continue(()),
                }
            },
        );
        assert_eq!(taken, 3);
        assert!(begun.into_inner() <= 3 + 4 * (1 + WAITING_A_WORKER));
    }

    #[test]
    fn once_there_is_no_more_what_was_done_is_kept() {
        // Ctrl-C during the tenth: the nine before it are done, and nearly nothing comes after.
        let begun = AtomicU64::new(0);
        let mut taken = Vec::new();
        let work = |index| {
            begun.fetch_add(1, Ordering::SeqCst);
            (index < 9).then_some(index)
        };
        in_order(
            1_000_000,
            JOBS,
            work,
            || (),
            |index| {
                taken.push(index);
                ControlFlow::Continue(())
            },
        );
        assert_eq!(taken, (0..9).collect::<Vec<_>>());
        assert!(begun.into_inner() <= 9 + 4);
    }

    #[test]
    fn a_panic_of_the_work_reaches_the_caller() {
        // Nobody may wait forever for the result that does not come.
        let work = |index| {
            assert_ne!(index, 7);
            Some(())
        };
        let run = || in_order(50, JOBS, work, || (), ControlFlow::Continue);
        assert!(catch_unwind(run).is_err());
    }
}
