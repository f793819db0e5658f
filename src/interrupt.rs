//! Ctrl-C: the first has every run stop at its next window edge, the second ends at once.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use fedsim_sim::engine::RunControl;

use crate::exit::Exit;
use crate::terminal;

/// Listens for Ctrl-C and passes it on to runs.
#[derive(Clone, Debug, Default)]
pub(crate) struct Interrupt(Arc<State>);

#[derive(Debug, Default)]
struct State {
    pressed: AtomicBool,
    runs: Mutex<Vec<Weak<RunControl>>>,
}

impl Interrupt {
    /// Begins to listen. Where that is not possible, Ctrl-C ends the process as it always did.
    pub(crate) fn listen() -> Self {
        let interrupt = Self::default();
        let pressed = interrupt.clone();
        if let Err(error) = ctrlc::set_handler(move || pressed.press()) {
            terminal::remark(&format!("note: Ctrl-C will end at once: {error}"));
        }
        interrupt
    }

    fn press(&self) {
        if self.0.pressed.swap(true, Ordering::SeqCst) {
            std::process::exit(i32::from(Exit::Interrupted.code()));
        }
        terminal::remark("stopping; press Ctrl-C again to end at once");
        let runs = self.runs();
        let alive = runs.iter().filter_map(Weak::upgrade);
        alive.for_each(|run| run.cancel());
    }

    /// Whether the user wants an end.
    pub(crate) fn is_pressed(&self) -> bool {
        self.0.pressed.load(Ordering::SeqCst)
    }

    /// Has a run stop with the others; at once if they are stopping already.
    pub(crate) fn covers(&self, run: &Arc<RunControl>) {
        let mut runs = self.runs();
        runs.retain(|other| other.strong_count() > 0);
        runs.push(Arc::downgrade(run));
        drop(runs);
        if self.is_pressed() {
            run.cancel();
        }
    }

    fn runs(&self) -> std::sync::MutexGuard<'_, Vec<Weak<RunControl>>> {
        self.0.runs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ctrl_c_stops_runs_that_began_before_and_after_it() {
        // A run that registers in the moment of the key press must not be missed.
        let interrupt = Interrupt::default();
        let (before, after) = (Arc::default(), Arc::default());
        interrupt.covers(&before);
        assert!(!before.is_cancelled());
        interrupt.press();
        interrupt.covers(&after);
        assert!(before.is_cancelled() && after.is_cancelled());
    }
}
