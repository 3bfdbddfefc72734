//! What programs read beside what they are given: tables and people on the date of a run, periods,
//! exchange rates.
//!
//! Not which row of a table counts (`domain::tables`). Opened by what runs programs (`machine`,
//! `trace`, `workbench`), and read by `api::lookups`, `api::fields` and `api::views`: a function of
//! the table gets its arguments alone, so what surrounds a run belongs to the thread that runs it.
//!
//! **Architecture invariant:** a run sees the data of its own ruleset, on its own date, and when it
//! ends, whether by an answer or by a panic, nothing of it is left for the next run. Nothing here
//! belongs to one deal, so a deal that is kept from an earlier run still reads its own period.

use std::cell::RefCell;
use std::sync::Arc;

use jiff::civil::Date;

use crate::value::{Outcome, raise};
use crate::{PayeeView, RewardArguments, ScriptArguments};
use accredit_domain::calendar::Calendar;
use accredit_domain::exchange::ExchangeSettings;
use accredit_domain::organization::Organization;
use accredit_domain::tables::Tables;
use accredit_domain::transaction::NameColumns;

/// What programs read of a ruleset.
#[derive(Debug, Clone)]
pub struct ReferenceData {
    /// People, positions and teams, with their attributes.
    pub organization: Arc<Organization>,
    /// Rates and other values by keys.
    pub tables: Arc<Tables>,
    /// The periods in which deals lie.
    pub calendar: Calendar,
    /// The units and rates with which amounts are exchanged.
    pub exchange: ExchangeSettings,
}

/// What surrounds one run.
struct Surroundings {
    data: Arc<ReferenceData>,
    /// The incentive date, or the last day of a period; none where a deal has no date.
    date: Option<Date>,
    /// The columns that name whom the plan credits by default; none without a deal.
    default_names: Option<NameColumns>,
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

fn open(
    data: &Arc<ReferenceData>,
    date: Option<Date>,
    default_names: Option<NameColumns>,
) -> OpenSurroundings {
    let here = Surroundings { data: Arc::clone(data), date, default_names };
    OpenSurroundings { before: CURRENT.with_borrow_mut(|current| current.replace(here)) }
}

impl ScriptArguments<'_> {
    /// Opens the surroundings of a deal: its ruleset, on its incentive date.
    pub(crate) fn open_surroundings(&self) -> OpenSurroundings {
        open(self.reference, self.tx.incentive_date().ok(), Some(self.default_names))
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
        open(&self.reference, self.last_day, None)
    }
}

/// Reads the rules that surround the run, whatever its date is.
///
/// # Errors
/// Outside a run that has a ruleset.
pub(crate) fn in_ruleset<T>(read: impl FnOnce(&ReferenceData) -> Outcome<T>) -> Outcome<T> {
    CURRENT.with_borrow(|current| match current {
        Some(here) => read(&here.data),
        None => raise("periods and rates cannot be read here: no deal is decided"),
    })
}

/// The columns that name whom the plan of the run credits by default.
///
/// # Errors
/// Outside the run of a deal.
pub(crate) fn default_names() -> Outcome<NameColumns> {
    CURRENT.with_borrow(|current| match current {
        Some(Surroundings { default_names: Some(names), .. }) => Ok(*names),
        _ => raise("the default credit cannot be read here: no deal is decided"),
    })
}

/// Reads what surrounds the run on its date.
///
/// # Errors
/// When there is no date: in an intake policy, outside a run, or for a deal whose date is blank.
pub(crate) fn on_date<T>(read: impl FnOnce(&ReferenceData, Date) -> Outcome<T>) -> Outcome<T> {
    CURRENT.with_borrow(|current| match current {
        Some(Surroundings { data, date: Some(date), .. }) => read(data, *date),
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
        let data = crate::tests::reference();
        let day = || on_date(|_, date| Ok(date)).ok();
        assert_eq!(day(), None);
        {
            let _outer = open(data, Some(date(2026, 1, 1)), None);
            let inner = open(data, Some(date(2026, 2, 1)), None);
            assert_eq!(day(), Some(date(2026, 2, 1)));
            drop(inner);
            assert_eq!(day(), Some(date(2026, 1, 1)));
            let _undated = open(data, None, None);
            assert_eq!(day(), None);
        }

        let ended = std::panic::catch_unwind(|| {
            let _open = open(crate::tests::reference(), Some(date(2026, 1, 1)), None);
            panic!("a function of the host panics");
        });
        assert!(ended.is_err());
        assert_eq!(day(), None);
    }
}
