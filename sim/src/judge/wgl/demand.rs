//! Bookkeeping of who still needs which state and who can still make it.
//! Must not know in which order operations are tried.

use super::super::compile::{StateId, Step, Subhistory};

/// How often each state is still needed by a completed operation, and how
/// many operations not yet placed can make it.
pub(super) struct Demand {
    needed: Vec<u32>,
    makers: Vec<u32>,
}

impl Demand {
    pub(super) fn new(problem: &Subhistory) -> Self {
        let mut demand = Self {
            needed: vec![0; problem.states.len()],
            makers: vec![0; problem.states.len()],
        };
        for one in &problem.operations {
            demand.taken_back(one.step);
        }
        demand
    }

    pub(super) fn placed(&mut self, step: Step) {
        if let Some(state) = step.needs() {
            self.needed[state as usize] -= 1;
        }
        if let Some(state) = step.makes() {
            self.makers[state as usize] -= 1;
        }
    }

    pub(super) fn taken_back(&mut self, step: Step) {
        if let Some(state) = step.needs() {
            self.needed[state as usize] += 1;
        }
        if let Some(state) = step.makes() {
            self.makers[state as usize] += 1;
        }
    }

    /// Whether somebody still needs a state that nobody can make again.
    pub(super) fn is_unmet(&self, state: StateId) -> bool {
        self.needed[state as usize] > 0 && self.makers[state as usize] == 0
    }
}
