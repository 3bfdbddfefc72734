//! Counted work of a check: letters looked at, links followed, nodes visited.
//!
//! Not time: the same files cost the same steps on every machine, so that a limit refuses the same
//! directory everywhere, and a test can say that twice the rows are twice the steps. Counted where
//! a directory could make it grow faster than itself.
//!
//! **Architecture invariant:** the count belongs to a thread, and it only decides whether a check
//! continues.

use std::cell::Cell;

/// Steps of one check: beyond them the check stops, with an error that names this limit.
pub const CHECK_STEPS_MAX: u64 = 2_000_000_000;

thread_local! {
    static STEPS_DONE: Cell<u64> = const { Cell::new(0) };
}

/// Adds `steps` to the count of work done.
pub fn add_steps(steps: usize) {
    let steps = u64::try_from(steps).unwrap_or(u64::MAX);
    STEPS_DONE.with(|done| done.set(done.get().saturating_add(steps)));
}

/// The steps of this thread so far.
pub fn steps_done() -> u64 {
    STEPS_DONE.with(Cell::get)
}

/// Counts from 0 again: a check begins.
pub fn begin_check() {
    STEPS_DONE.with(|done| done.set(0));
}

/// Whether a check on this thread has done more than it may.
pub fn is_spent() -> bool {
    steps_done() > CHECK_STEPS_MAX
}
