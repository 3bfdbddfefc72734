//! Where a period stands: future, open, ended, closed or finalized.
//!
//! Not the acts of closing and finalizing: users decide them, and the calendar receives the result. Called by
//! postings and by code that shows periods. Source: DOMAIN 2.11.
//!
//! **Architecture invariant:** the state of a period is a function of the period, the business date
//! and the days of closing and finalization; nothing else is remembered.

use crate::keys::PeriodKey;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::civil::Date;

use super::{Calendar, Period, PeriodKind};

/// Leaf periods by id, with the day at whose end they were finalized, or closed.
pub(super) type LockDays = BTreeMap<String, Date>;

/// The leaf periods that take no new entries: what would be posted in one of them is posted in the
/// earliest open period after it. A period is in one of the two sets at most.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LockedPeriods {
    /// Ids of those that never change again.
    pub finalized: BTreeSet<PeriodKey>,
    /// Ids of those that were closed and may be reopened.
    pub closed: BTreeSet<PeriodKey>,
}

impl LockedPeriods {
    /// These are finalized, and none is closed.
    pub fn of_finalized(finalized: BTreeSet<PeriodKey>) -> Self {
        LockedPeriods { finalized, closed: BTreeSet::new() }
    }

    /// Whether the leaf period `id` takes no new entries.
    pub fn contains(&self, id: &str) -> bool {
        self.finalized.contains(id) || self.closed.contains(id)
    }

    /// Whether every period takes new entries.
    pub fn is_empty(&self) -> bool {
        self.finalized.is_empty() && self.closed.is_empty()
    }
}

/// Where a period stands on a business date.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PeriodPhase {
    /// The period has not begun.
    Future,
    /// It has begun and not ended.
    Open,
    /// It has ended and takes what comes late.
    Ended,
    /// It takes no new entries until it is reopened.
    Closed,
    /// The period never changes again.
    Finalized,
}

impl PeriodPhase {
    /// `future`, `open`, `ended`, `closed` or `finalized`.
    pub fn as_str(self) -> &'static str {
        match self {
            PeriodPhase::Future => "future",
            PeriodPhase::Open => "open",
            PeriodPhase::Ended => "ended",
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
        lock_from_day(Arc::make_mut(&mut self.finalized), leaves, day);
        self
    }

    /// The calendar, with the leaves of `period` closed at the end of `day`. The earlier day counts.
    #[must_use]
    pub fn with_closed(mut self, period: &Period, day: Date) -> Self {
        let leaves = self.leaf_periods(period);
        lock_from_day(Arc::make_mut(&mut self.closed), leaves, day);
        self
    }

    /// The calendar with no period finalized.
    #[must_use]
    pub fn without_finalizations(self) -> Self {
        Calendar { finalized: Arc::default(), ..self }
    }

    /// The calendar with no period closed.
    #[must_use]
    pub fn without_closings(self) -> Self {
        Calendar { closed: Arc::default(), ..self }
    }

    /// Where `period` stands on `date`; a parent is finalized when all of its leaves are, and closed
    /// when all of them are closed or finalized.
    pub fn period_phase(&self, period: &Period, date: Date) -> PeriodPhase {
        let since = |days: &LockDays, leaf: &Period| {
            days.get(leaf.id.as_str()).is_some_and(|day| *day < date)
        };
        let finalized = |leaf: &Period| since(&self.finalized, leaf);
        let locked = |leaf: &Period| finalized(leaf) || since(&self.closed, leaf);
        // Most calendars have hardly a locked period, and most periods are leaves.
        if !self.finalized.is_empty() && self.leaf_periods(period).iter().all(finalized) {
            PeriodPhase::Finalized
        } else if !self.closed.is_empty() && self.leaf_periods(period).iter().all(locked) {
            PeriodPhase::Closed
        } else if date < period.first {
            PeriodPhase::Future
        } else if date < period.end {
            PeriodPhase::Open
        } else {
            PeriodPhase::Ended
        }
    }

    /// Leaf periods that are finalized before the business date, all of them without one, in the
    /// order in which that happened: by day, on one day by period.
    pub fn finalizations_before(&self, before: Option<Date>) -> Vec<(Date, Period)> {
        self.locks_in_order(&self.finalized, before)
    }

    /// The same of periods that are closed, whether they were finalized afterwards or not.
    pub fn closings_before(&self, before: Option<Date>) -> Vec<(Date, Period)> {
        self.locks_in_order(&self.closed, before)
    }

    /// The same of periods that are closed or finalized, each with the earlier of the two days:
    /// from then on it takes no new entries.
    pub fn locks_before(&self, before: Option<Date>) -> Vec<(Date, Period)> {
        let mut days = LockDays::clone(&self.finalized);
        for (id, closed) in self.closed.iter() {
            let day = days.entry(id.clone()).or_insert(*closed);
            *day = (*day).min(*closed);
        }
        self.locks_in_order(&days, before)
    }

    /// The periods that are closed or finalized before the business date, all of them without one.
    pub fn locked_before(&self, before: Option<Date>) -> LockedPeriods {
        let ids = |days: Vec<(Date, Period)>| -> BTreeSet<PeriodKey> {
            days.into_iter().map(|(_, leaf)| leaf.id).collect()
        };
        let finalized = ids(self.finalizations_before(before));
        let mut closed = ids(self.closings_before(before));
        closed.retain(|id| !finalized.contains(id));
        LockedPeriods { finalized, closed }
    }

    fn locks_in_order(&self, days: &LockDays, before: Option<Date>) -> Vec<(Date, Period)> {
        let days = days.iter().filter_map(|(id, day)| Some((*day, self.find(id)?)));
        let mut days: Vec<(Date, Period)> =
            days.filter(|(day, _)| before.is_none_or(|date| *day < date)).collect();
        days.sort_by_key(|(day, period)| (*day, period.first));
        days
    }

    /// The earliest leaf period at or after that of `date` that takes new entries; none when the
    /// calendar has none.
    pub fn open_from(&self, date: Date, locked: &LockedPeriods) -> Option<Period> {
        let own = self.period_on(date, PeriodKind::Leaf);
        let mut leaves = std::iter::successors(own, |leaf| self.next_leaf(leaf));
        leaves.find(|leaf| !locked.contains(&leaf.id))
    }
}

/// Locks leaf periods at the end of a day; of two days the earlier counts.
fn lock_from_day(days: &mut LockDays, leaves: Vec<Period>, day: Date) {
    for leaf in leaves {
        let known = days.entry(leaf.id.into()).or_insert(day);
        *known = day.min(*known);
    }
}
