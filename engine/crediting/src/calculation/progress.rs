//! How far a calculation is: workers count, and another thread may look.
//!
//! Not showing it (the command line). Called by `calculation`.

use std::sync::atomic::{AtomicUsize, Ordering};

/// How many deals there are to decide, and how many are decided. Where periods are locked, the same
/// deals are decided once for each day on which one was.
#[derive(Debug, Default)]
pub struct CalculationProgress {
    deals: AtomicUsize,
    decided: AtomicUsize,
}

impl CalculationProgress {
    /// How many deals are to be decided, as far as it is known.
    pub fn deals(&self) -> usize {
        self.deals.load(Ordering::Relaxed)
    }

    /// How many of them are decided.
    pub fn decided(&self) -> usize {
        self.decided.load(Ordering::Relaxed)
    }

    /// Counts deals that are to be decided.
    pub fn expect_deals(&self, deals: usize) {
        self.deals.fetch_add(deals, Ordering::Relaxed);
    }

    /// Counts deals that were decided.
    pub fn count_decided(&self, deals: usize) {
        self.decided.fetch_add(deals, Ordering::Relaxed);
    }
}
