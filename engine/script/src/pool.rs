//! Machines that wait to be used again, so that the programs of a ruleset are compiled once a thread
//! and not once a batch.
//!
//! Not running programs (`machine`). A ruleset owns one pool; deciding, explaining and intake borrow
//! from it.
//!
//! **Architecture invariant:** a machine that is borrowed while a panic unwinds is dropped, never
//! used again.

use std::sync::{Mutex, PoisonError};

use accredit_domain::policy::Programs;

use crate::coverage::ProgramCoverage;
use crate::machine::Machine;

/// Idle machines that are kept for reuse: rarely do more threads decide at once.
const IDLE_MACHINES_MAX: usize = 16;

/// Idle machines for the programs of one ruleset.
#[derive(Default)]
pub struct MachinePool {
    idle: Mutex<Vec<Machine>>,
    counting: bool,
}

impl std::fmt::Debug for MachinePool {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("MachinePool")
    }
}

impl MachinePool {
    /// A pool whose machines count the lines and branches that run. None of them is ever dropped,
    /// because its counts would be lost.
    pub fn with_coverage() -> MachinePool {
        MachinePool { counting: true, ..MachinePool::default() }
    }

    /// What the idle machines of a counting pool ran so far, by program.
    pub fn collect_coverage(&self) -> Vec<ProgramCoverage> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.iter().flat_map(Machine::collect_coverage).collect()
    }

    /// Runs `work` with an idle machine, or with a new one that compiles `programs`, which must be
    /// the same at every call.
    pub fn with_machine<T>(&self, programs: &Programs, work: impl FnOnce(&mut Machine) -> T) -> T {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut machine = idle.unwrap_or_else(|| match self.counting {
            true => Machine::with_coverage(programs),
            false => Machine::new(programs),
        });

        // A panic in here drops the machine: its state is unknown.
        let result = work(&mut machine);
        machine.hand_in_counts();

        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if self.counting || idle.len() < IDLE_MACHINES_MAX {
            idle.push(machine);
        }
        result
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A machine was compiled for every batch and thread; now a second batch finds the first one's.
    #[test]
    fn a_machine_is_used_again_and_one_that_panicked_is_not() {
        let pool = MachinePool::default();
        let programs = Programs::default();
        let idle = || pool.idle.lock().unwrap().len();

        pool.with_machine(&programs, |_| assert_eq!(idle(), 0));
        assert_eq!(idle(), 1);
        pool.with_machine(&programs, |_| pool.with_machine(&programs, |_| assert_eq!(idle(), 0)));
        assert_eq!(idle(), 2);

        let broke_off = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            pool.with_machine(&programs, |_| panic!("a panic of a function of the host"));
        }));
        assert!(broke_off.is_err());
        assert_eq!(idle(), 1, "the machine of the panic is gone");
    }
}
