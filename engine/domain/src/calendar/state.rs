//! Where a period stands: future, open, closed or finalized.
//!
//! Not the act of finalizing: users decide it, and the calendar receives the result. Called by
//! postings and by code that shows periods. Source: DOMAIN 2.11.
//!
//! **Architecture invariant:** the state of a period is a function of the period, the business date
//! and the days of finalization; nothing else is remembered.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::civil::Date;

use super::{Calendar, Period, PeriodKind};

/// Leaf periods by id, with the day at whose end they were finalized.
pub(super) type Finalizations = BTreeMap<String, Date>;

/// Where a period stands on a business date.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PeriodPhase {
    /// The period has not begun.
    Future,
    /// It has begun and not ended.
    Open,
    /// It has ended and may still change.
    Closed,
    /// The period never changes again.
    Finalized,
}

impl PeriodPhase {
    /// `future`, `open`, `closed` or `finalized`.
    pub fn as_str(self) -> &'static str {
        match self {
            PeriodPhase::Future => "future",
            PeriodPhase::Open => "open",
            PeriodPhase::Closed => "closed",
            PeriodPhase::Finalized => "finalized",
        }
    }
}

impl Calendar {
    /// The calendar, with the leaves of `period` finalized at the end of `day`. What is finalized
    /// already stays so: the earlier day counts.
    #[must_use]
    pub fn with_finalized(mut self, period: &Period, day: Date) -> Self {
        let leaves = self.leaf_periods(period);
        let finalized = Arc::make_mut(&mut self.finalized);
        for leaf in leaves {
            let known = finalized.entry(leaf.id).or_insert(day);
            *known = day.min(*known);
        }
        self
    }

    /// The calendar with no period finalized.
    #[must_use]
    pub fn without_finalizations(self) -> Self {
        Calendar { finalized: Arc::default(), ..self }
    }

    /// Where `period` stands on `date`; a parent is finalized when all of its leaves are.
    pub fn period_phase(&self, period: &Period, date: Date) -> PeriodPhase {
        let finalized = |leaf: &Period| self.finalized.get(&leaf.id).is_some_and(|day| *day < date);
        // Most calendars have hardly a finalized period, and most periods are leaves.
        if !self.finalized.is_empty() && self.leaf_periods(period).iter().all(finalized) {
            PeriodPhase::Finalized
        } else if date < period.first {
            PeriodPhase::Future
        } else if date < period.end {
            PeriodPhase::Open
        } else {
            PeriodPhase::Closed
        }
    }

    /// Leaf periods that are finalized before the business date, all of them without one, in the
    /// order in which that happened: by day, on one day by period.
    pub fn finalizations_before(&self, before: Option<Date>) -> Vec<(Date, Period)> {
        let days = self.finalized.iter().filter_map(|(id, day)| Some((*day, self.find(id)?)));
        let mut days: Vec<(Date, Period)> =
            days.filter(|(day, _)| before.is_none_or(|date| *day < date)).collect();
        days.sort_by_key(|(day, period)| (*day, period.first));
        days
    }

    /// The earliest leaf period at or after that of `date` that is not among `finalized`; none
    /// when the calendar has none.
    pub fn open_from(&self, date: Date, finalized: &BTreeSet<String>) -> Option<Period> {
        let own = self.period_on(date, PeriodKind::Leaf);
        let mut leaves = std::iter::successors(own, |leaf| self.next_leaf(leaf));
        leaves.find(|leaf| !finalized.contains(&leaf.id))
    }
}
