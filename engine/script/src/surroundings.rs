//! What programs look up beside what they are given: tables and people, on the date of a run.
//!
//! Not which row of a table counts (`domain::tables`). Opened by what runs programs (`machine`,
//! `trace`, `workbench`), and read by `api::lookups` and `api::fields`: a function of the table gets
//! its arguments alone, so what surrounds a run belongs to the thread that runs it.
//!
//! **Architecture invariant:** a run sees the data of its own ruleset, on its own date, and when it
//! ends, whether by an answer or by a panic, nothing of it is left for the next run.

use std::cell::RefCell;
use std::sync::Arc;

use jiff::civil::Date;

use crate::value::{Outcome, raise};
use crate::{PayeeView, RewardArguments, ScriptArguments};
use accredit_domain::organization::Organization;
use accredit_domain::tables::Tables;

/// The tables and people of a ruleset.
#[derive(Debug, Clone, Default)]
pub struct ReferenceData {
    /// People, positions and teams, with their attributes.
    pub organization: Arc<Organization>,
    /// Rates and other values by keys.
    pub tables: Arc<Tables>,
}

/// What surrounds one run.
struct Surroundings {
    data: Arc<ReferenceData>,
    /// The incentive date, or the last day of a period; none where a deal has no date.
    date: Option<Date>,
}

thread_local! {
    static CURRENT: RefCell<Option<Surroundings>> = const { RefCell::new(None) };
}

/// As long as it lives, programs of this thread look up in its surroundings.
#[must_use = "the surroundings end when this is dropped"]
pub(crate) struct OpenSurroundings {
    before: Option<Surroundings>,
}

impl Drop for OpenSurroundings {
    fn drop(&mut self) {
        let before = self.before.take();
        CURRENT.with_borrow_mut(|current| *current = before);
    }
}

fn open(data: &Arc<ReferenceData>, date: Option<Date>) -> OpenSurroundings {
    let here = Surroundings { data: Arc::clone(data), date };
    OpenSurroundings { before: CURRENT.with_borrow_mut(|current| current.replace(here)) }
}

impl ScriptArguments<'_> {
    /// Opens the surroundings of a deal: its ruleset, on its incentive date.
    pub(crate) fn open_surroundings(&self) -> OpenSurroundings {
        open(&self.tx.reference, self.tx.transaction.incentive_date().ok())
    }
}

impl RewardArguments<'_> {
    /// Opens the surroundings of a reward: its ruleset, on the last day of its period.
    pub(crate) fn open_surroundings(&self) -> OpenSurroundings {
        self.payee.open_surroundings()
    }
}

impl PayeeView {
    /// Opens the surroundings of a payee: the ruleset, on the last day of the period.
    pub(crate) fn open_surroundings(&self) -> OpenSurroundings {
        open(&self.reference, self.last_day)
    }
}

/// Reads what surrounds the run.
///
/// # Errors
/// When there is no date: in an intake policy, outside a run, or for a deal whose date is blank.
pub(crate) fn on_date<T>(read: impl FnOnce(&ReferenceData, Date) -> Outcome<T>) -> Outcome<T> {
    CURRENT.with_borrow(|current| match current {
        Some(Surroundings { data, date: Some(date) }) => read(data, *date),
        Some(_) => raise("the deal has no date on which tables and people could be read"),
        None => raise("tables and people cannot be read here: there is no deal with a date"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    #[test]
    fn surroundings_end_with_their_run_also_when_it_panics() {
        let data = Arc::new(ReferenceData::default());
        let day = || on_date(|_, date| Ok(date)).ok();
        assert_eq!(day(), None);
        {
            let _outer = open(&data, Some(date(2026, 1, 1)));
            let inner = open(&data, Some(date(2026, 2, 1)));
            assert_eq!(day(), Some(date(2026, 2, 1)));
            drop(inner);
            assert_eq!(day(), Some(date(2026, 1, 1)));
            let _undated = open(&data, None);
            assert_eq!(day(), None);
        }

        let ended = std::panic::catch_unwind(|| {
            let _open = open(&Arc::new(ReferenceData::default()), Some(date(2026, 1, 1)));
            panic!("a function of the host panics");
        });
        assert!(ended.is_err());
        assert_eq!(day(), None);
    }
}
