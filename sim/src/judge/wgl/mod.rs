//! The search for a linearization of one key.
//!
//! Wing & Gong 1993 pick, again and again, an operation that
//! nobody precedes, and undo the pick when it leads nowhere; Lowe 2017
//! remembers every configuration, the set of operations already
//! placed with the state they left, and never tries one twice. Operations live
//! in a doubly linked list of calls and returns, as in Lowe's algorithm; Horn &
//! Kroening 2015 keep the sets as bits.
//!
//! Departs from the papers where that is safe and saves most of the work:
//! * A step that changes no state is placed as soon as it is legal. Moving it
//!   forward to there changes nothing for the others, so no alternative is lost.
//! * A state that somebody still needs and nobody can make again is not left.
//!   With appends around, whose states have too many makers to count, a state
//!   is not entered if it cannot grow into what a read must see before anything
//!   can overwrite it.
//! * Of operations that do the same the one goes first that begins and must end
//!   before the other; an open operation that would change nothing is not
//!   placed; and the search ends when all *completed* operations are placed.
//!
//! Must not know values, keys or how a failure is told.

mod demand;
mod entry_list;
mod placed_set;

use std::collections::BTreeSet;

use hashbrown::HashSet;
use rustc_hash::FxBuildHasher;

use super::compile::{Entry, StateId, States, Step, Subhistory};
use demand::Demand;
use entry_list::EntryList;
use placed_set::PlacedSet;

/// How many states in which the search got stuck are remembered.
const HELD_MAX: usize = 8;

/// How one search ended.
#[derive(Debug)]
pub(super) enum Ending {
    /// Operations in an order that explains the history.
    Found(Vec<u32>),
    /// There is no such order.
    Exhausted,
    /// The budget ran out first.
    OutOfBudget,
}

/// What a search found out.
#[derive(Debug)]
pub(super) struct Found {
    /// How it ended.
    pub(super) ending: Ending,
    /// Entries of the list looked at, and eight copied bytes count as one.
    pub(super) steps: u64,
    /// How many returns the search got past at least once: a prefix with that
    /// many returns is linearizable.
    pub(super) returns_passed: usize,
    /// The longest order on which the farthest return was out of reach.
    pub(super) longest: Vec<u32>,
    /// States the object could be in when the farthest return was out of reach.
    pub(super) held: BTreeSet<StateId>,
}

/// Searches with at most `budget` steps. `lookahead` forbids leaving a state
/// that is still needed: faster, but a failing search then stops short of the
/// return that proves it.
pub(super) fn search(problem: Subhistory, budget: u64, lookahead: bool) -> (Found, States) {
    let is_lost = lookahead && problem.has_foreign_state();
    let mut search = Search::new(problem, lookahead);
    let ending = match is_lost {
        true => Ending::Exhausted,
        false => search.run(budget),
    };
    let found = Found {
        ending,
        steps: search.total_steps(),
        returns_passed: search.farthest.returns_passed,
        longest: search.farthest.order,
        held: search.farthest.held,
    };
    (found, search.problem.states)
}

/// A placed operation, with what is needed to take it back.
#[derive(Clone, Copy)]
struct Placed {
    operation: u32,
    state_before: StateId,
    /// Placed because it was legal and pure: there is nothing else to try.
    forced: bool,
}

/// Where the failing search came farthest.
#[derive(Default)]
struct Farthest {
    returns_passed: usize,
    order: Vec<u32>,
    held: BTreeSet<StateId>,
}

struct Search {
    problem: Subhistory,
    list: EntryList,
    placed: PlacedSet,
    state: StateId,
    path: Vec<Placed>,
    seen: HashSet<Box<[u64]>, FxBuildHasher>,
    key: Vec<u64>,
    lookahead: bool,
    demand: Option<Demand>,
    /// For each entry that is a return, how many returns stand before it.
    return_rank: Vec<u32>,
    steps: u64,
    farthest: Farthest,
}

impl Search {
    fn new(problem: Subhistory, lookahead: bool) -> Self {
        let demand = (lookahead && !problem.has_append).then(|| Demand::new(&problem));
        let mut returns = 0;
        let return_rank = problem.entries.iter().map(|entry| {
            let rank = returns;
            returns += u32::from(matches!(entry, Entry::Return(_)));
            rank
        });
        Self {
            return_rank: return_rank.collect(),
            list: EntryList::new(&problem),
            placed: PlacedSet::new(problem.completed, problem.operations.len()),
            state: States::INITIAL,
            path: Vec::with_capacity(problem.operations.len()),
            seen: HashSet::default(),
            key: Vec::new(),
            lookahead,
            demand,
            steps: 0,
            farthest: Farthest::default(),
            problem,
        }
    }

    fn run(&mut self, budget: u64) -> Ending {
        self.place_pure();
        let mut cursor = self.list.first();
        while self.placed.completed_count < self.problem.completed {
            if self.total_steps() >= budget {
                return Ending::OutOfBudget;
            }
            self.steps += 1;
            let next = match self.entry(cursor) {
                Some(Entry::Call(operation)) if self.try_place(operation) => self.list.first(),
                Some(Entry::Call(_)) => self.list.next(cursor),
                Some(Entry::Return(_)) | None => {
                    self.note_blocked(cursor);
                    match self.backtrack() {
                        Some(operation) => self.list.next(self.list.call_of(operation)),
                        None => return Ending::Exhausted,
                    }
                }
            };
            cursor = next;
        }
        Ending::Found(self.order())
    }

    fn total_steps(&self) -> u64 {
        self.steps + self.problem.states.copied_bytes() / 8
    }

    fn entry(&self, cursor: u32) -> Option<Entry> {
        self.problem.entries.get(cursor as usize).copied()
    }

    /// Places a minimal operation and every pure one that then becomes legal,
    /// unless that is illegal or leads to a configuration already seen.
    fn try_place(&mut self, operation: u32) -> bool {
        let Some(state) = self.state_after(operation) else {
            return false;
        };
        self.place(operation, state, false);
        if self.is_dead_end() {
            self.take_back();
            return false;
        }
        self.place_pure();
        self.placed.write_key(self.state, &mut self.key);
        if self.seen.contains(self.key.as_slice()) {
            self.backtrack();
            return false;
        }
        self.seen.insert(self.key.as_slice().into());
        true
    }

    /// The state an operation would leave behind, if it may be placed now.
    /// Pure steps never may: the legal ones are placed already.
    fn state_after(&mut self, operation: u32) -> Option<StateId> {
        let one = self.problem.operations[operation as usize];
        let is_open = operation as usize >= self.problem.completed;
        if one.twin.is_some_and(|twin| !self.placed.contains(twin)) {
            return None;
        }
        let after = match one.step {
            Step::Read(_) | Step::Refuse(_) => return None,
            Step::Write(state) => state,
            Step::Swap(expected, new) | Step::MaybeSwap(expected, new) => {
                if self.state != expected {
                    return None;
                }
                new
            }
            Step::Append(piece) if self.leads_on(Some(piece)) => {
                self.problem
                    .states
                    .append(self.state, piece, self.lookahead)
            }
            Step::Append(_) => return None,
        };
        (!is_open || after != self.state).then_some(after)
    }

    /// Whether the operation just placed left a state that was still needed, or
    /// entered one that leads nowhere.
    fn is_dead_end(&self) -> bool {
        let Some(last) = self.path.last() else {
            return false;
        };
        match &self.demand {
            Some(demand) => last.state_before != self.state && demand.is_unmet(last.state_before),
            None => !self.leads_on(None),
        }
    }

    /// Whether the state, with `piece` appended, can still become what the
    /// next read must see that returns before any overwriting can start.
    fn leads_on(&self, piece: Option<StateId>) -> bool {
        let states = &self.problem.states;
        let Some(goal) = self.next_bound_read().filter(|_| self.lookahead) else {
            return true;
        };
        if self.state == States::UNNAMED {
            return false;
        }
        let (state, goal) = (states.value(self.state), states.value(goal));
        match piece {
            Some(piece) => state.leads_to_with(states.value(piece), goal),
            None => state.leads_to(goal),
        }
    }

    fn next_bound_read(&self) -> Option<StateId> {
        let mut cursor = self.list.first();
        loop {
            let (operation, is_return) = match self.entry(cursor)? {
                Entry::Call(operation) => (operation, false),
                Entry::Return(operation) => (operation, true),
            };
            match self.problem.operations[operation as usize].step {
                Step::Read(seen) if is_return => return Some(seen),
                Step::Write(_) | Step::Swap(..) | Step::MaybeSwap(..) if !is_return => return None,
                Step::Read(_) | Step::Write(_) | Step::Swap(..) => {}
                Step::MaybeSwap(..) | Step::Refuse(_) | Step::Append(_) => {}
            }
            cursor = self.list.next(cursor);
        }
    }

    fn is_legal_pure(&self, operation: u32) -> bool {
        let step = self.problem.operations[operation as usize].step;
        match step {
            Step::Read(seen) => seen == self.state,
            Step::Refuse(expected) => expected != self.state,
            Step::Write(_) | Step::Swap(..) | Step::MaybeSwap(..) | Step::Append(_) => false,
        }
    }

    /// Places every legal pure operation that nobody precedes.
    fn place_pure(&mut self) {
        let mut cursor = self.list.first();
        while let Some(Entry::Call(operation)) = self.entry(cursor) {
            self.steps += 1;
            // Placing takes the entry out of the list, perhaps with the one after it.
            let before = self.list.previous(cursor);
            if self.is_legal_pure(operation) {
                self.place(operation, self.state, true);
                cursor = self.list.next(before);
            } else {
                cursor = self.list.next(cursor);
            }
        }
    }

    fn place(&mut self, operation: u32, state: StateId, forced: bool) {
        self.path.push(Placed {
            operation,
            state_before: self.state,
            forced,
        });
        self.state = state;
        self.list.lift(operation);
        self.placed.insert(operation);
        if let Some(demand) = &mut self.demand {
            demand.placed(self.problem.operations[operation as usize].step);
        }
    }

    fn take_back(&mut self) -> Option<Placed> {
        let last = self.path.pop()?;
        self.state = last.state_before;
        self.list.unlift(last.operation);
        self.placed.remove(last.operation);
        if let Some(demand) = &mut self.demand {
            demand.taken_back(self.problem.operations[last.operation as usize].step);
        }
        Some(last)
    }

    /// Takes back the last pick with everything that followed from it.
    fn backtrack(&mut self) -> Option<u32> {
        loop {
            let last = self.take_back()?;
            if !last.forced {
                return Some(last.operation);
            }
        }
    }

    /// Remembers how far the search has come when a return is out of reach.
    fn note_blocked(&mut self, cursor: u32) {
        let Some(&rank) = self.return_rank.get(cursor as usize) else {
            return;
        };
        let passed = rank as usize;
        if passed < self.farthest.returns_passed {
            return;
        }
        if passed > self.farthest.returns_passed {
            self.farthest = Farthest {
                returns_passed: passed,
                ..Farthest::default()
            };
        }
        if self.farthest.held.len() < HELD_MAX {
            self.farthest.held.insert(self.state);
        }
        if self.farthest.order.is_empty() || self.path.len() > self.farthest.order.len() {
            self.farthest.order = self.order();
        }
    }

    fn order(&self) -> Vec<u32> {
        self.path.iter().map(|placed| placed.operation).collect()
    }
}
