//! The credits that programs see as `existing`.
//!
//! Not which program sees them (`policy` of `domain`). Called by `machine` and by `compile`; a decision
//! keeps one [`SharedCredits`] for all its runs.
//!
//! **Architecture invariant:** a credit becomes a value of scripts once a decision, and only where a program
//! asks for `existing` as a value.

use std::cell::RefCell;
use std::sync::Arc;

use accredit_domain::credit::Credit;

use crate::value::ScriptValue;

/// Credits of one transaction in the order in which they were made: those that the plan takes from others,
/// then its own. Programs see those that count.
#[derive(Debug, Clone, Copy, Default)]
pub struct ExistingCredits<'a> {
    /// The credits of each plan that this one takes credits from.
    pub taken: &'a [&'a [Credit]],
    /// Earlier credits of the plan itself.
    pub own: &'a [Credit],
    /// What was made of them in earlier runs of the same decision.
    pub shared: Option<&'a SharedCredits>,
}

/// Credits as values of scripts, kept between the runs of one decision, whose credits do not change once
/// they are made.
#[derive(Debug, Default)]
pub struct SharedCredits(RefCell<Vec<Arc<Credit>>>);

impl ExistingCredits<'_> {
    /// The credits that count, as an array of a script.
    pub(crate) fn to_value(self) -> ScriptValue {
        match self.shared {
            Some(shared) => self.values_of(&mut shared.0.borrow_mut()),
            None => self.values_of(&mut Vec::new()),
        }
    }

    fn values_of(self, known: &mut Vec<Arc<Credit>>) -> ScriptValue {
        let all = self.taken.iter().copied().flatten().chain(self.own);
        known.extend(all.skip(known.len()).map(|credit| Arc::new(credit.clone())));

        let count = self.taken.iter().map(|list| list.len()).sum::<usize>() + self.own.len();
        let counting = known.iter().take(count).filter(|credit| credit.counts_as_existing());
        ScriptValue::Array(counting.map(|credit| ScriptValue::Credit(Arc::clone(credit))).collect())
    }
}
