//! Periods as data, and the arithmetic of holds: which period a date falls in, where the next
//! quarter begins, what a month later is.
//!
//! Not a clock: no function here knows what day it is. Called by the pipeline, by postings and by
//! releases. Source: DOMAIN 2.10, 2.11, 3.7, decisions D13, D19.
//!
//! **Architecture invariant:** leaf periods neither overlap nor leave gaps inside the calendar.

mod listed;
mod months;
mod state;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use jiff::Span;
use jiff::civil::Date;

use crate::keys::PeriodKey;

pub use self::listed::{ListedPeriod, PeriodFault, PeriodList};
use self::state::LockDays;
pub use self::state::{LockedPeriods, PeriodPhase};

/// Dates from `from` until before `until`; a missing end is unbounded (D19: stored half-open).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Validity {
    /// First day, included.
    pub from: Option<Date>,
    /// First day after the last.
    pub until: Option<Date>,
}

impl Validity {
    /// From the inclusive dates of a file.
    pub fn from_inclusive(from: Option<Date>, to: Option<Date>) -> Self {
        Validity { from, until: to.and_then(|to| to.tomorrow().ok()) }
    }

    /// Whether `date` lies in the range.
    pub fn contains(&self, date: Date) -> bool {
        self.from.is_none_or(|from| from <= date) && self.until.is_none_or(|until| date < until)
    }

    /// Whether the two share a day.
    pub fn overlaps(&self, other: &Validity) -> bool {
        let before = |a: &Validity, b: &Validity| match (a.until, b.from) {
            (Some(until), Some(from)) => until <= from,
            _ => false,
        };
        !before(self, other) && !before(other, self)
    }
}

/// The length of a period in a plan or a hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PeriodKind {
    /// A leaf period: a calendar month, or a period of four or five weeks.
    Leaf,
    /// Three leaf periods of one year.
    Quarter,
    /// Twelve leaf periods, a fiscal year.
    Year,
}

impl PeriodKind {
    /// The word in a plan: `month` for every leaf period.
    pub fn name(self) -> &'static str {
        match self {
            PeriodKind::Leaf => "month",
            PeriodKind::Quarter => "quarter",
            PeriodKind::Year => "year",
        }
    }

    /// The kind written as `month`, `quarter` or `year`.
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "month" => Some(PeriodKind::Leaf),
            "quarter" => Some(PeriodKind::Quarter),
            "year" => Some(PeriodKind::Year),
            _ => None,
        }
    }
}

/// A period: its id and its days.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Period {
    /// `2017-03`, `2017-Q1` or `2017`.
    pub id: PeriodKey,
    /// First day, included.
    pub first: Date,
    /// First day after the last.
    pub end: Date,
}

impl Period {
    /// Whether `date` lies in the range.
    pub fn contains(&self, date: Date) -> bool {
        self.first <= date && date < self.end
    }
}

/// The calendar of a workspace: which periods there are, and which of them are closed or
/// finalized. Cheap to clone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Calendar {
    kind: PeriodSource,
    finalized: Arc<LockDays>,
    closed: Arc<LockDays>,
}

/// The source of the periods.
#[derive(Debug, Clone, PartialEq, Eq)]
enum PeriodSource {
    /// Calendar months; a fiscal year that starts in this month, 1 to 12, is named by the calendar
    /// year it ends in.
    Months(i8),
    /// A list: weeks, or a customer's own.
    Listed(Arc<PeriodList>),
}

impl Default for Calendar {
    fn default() -> Self {
        Calendar::of_months(1)
    }
}

/// Years that a calendar of months covers; dates outside have no period.
const COVERED_YEARS: std::ops::RangeInclusive<i16> = 1900..=2199;

impl Calendar {
    /// Calendar months, with a fiscal year that starts in the month `year_starts`, 1 to 12.
    pub fn of_months(year_starts: i8) -> Self {
        Calendar::of_source(PeriodSource::Months(year_starts))
    }

    /// A calendar of listed periods.
    pub fn of_periods(listed: PeriodList) -> Self {
        Calendar::of_source(PeriodSource::Listed(Arc::new(listed)))
    }

    fn of_source(kind: PeriodSource) -> Self {
        Calendar { kind, finalized: Arc::default(), closed: Arc::default() }
    }

    /// The period of `kind` that holds `date`; none outside the calendar, which is the years 1900
    /// to 2199 for months. Of a customer's own periods the leaf is the month, its parent the
    /// quarter and the root the year.
    pub fn period_on(&self, date: Date, kind: PeriodKind) -> Option<Period> {
        match &self.kind {
            PeriodSource::Months(starts) => month_period(*starts, date, kind),
            PeriodSource::Listed(listed) => listed.period_on(date, kind).cloned(),
        }
    }

    /// The id of the leaf period of a day; none outside the calendar.
    pub fn leaf_id_on(&self, date: Date) -> Option<PeriodKey> {
        match &self.kind {
            PeriodSource::Months(_) => months::month_id(date),
            PeriodSource::Listed(listed) => {
                listed.period_on(date, PeriodKind::Leaf).map(|period| period.id)
            }
        }
    }

    /// The period called `id`: a leaf or any parent.
    pub fn find(&self, id: &str) -> Option<Period> {
        match &self.kind {
            PeriodSource::Months(starts) => find_month(*starts, id),
            PeriodSource::Listed(listed) => listed.find(id).cloned(),
        }
    }

    /// The first day of the next period of `kind` after `date`.
    pub fn next_period_start(&self, date: Date, kind: PeriodKind) -> Option<Date> {
        self.period_on(date, kind).map(|period| period.end)
    }

    /// The leaf periods of `period`, in order; a leaf is its own.
    pub fn leaf_periods(&self, period: &Period) -> Vec<Period> {
        let first = self.period_on(period.first, PeriodKind::Leaf);
        let leaves = std::iter::successors(first, |leaf| self.next_leaf(leaf));
        leaves.take_while(|leaf| leaf.first < period.end).collect()
    }

    /// The periods of which `period` is the sum: the quarters of a year, the leaves of a quarter;
    /// a leaf has none.
    pub fn parts_of(&self, period: &Period) -> Vec<Period> {
        for kind in [PeriodKind::Quarter, PeriodKind::Leaf] {
            let parts = self.periods_within(period, kind);
            let is_itself = parts.first().is_none_or(|part| part.end >= period.end);
            if !is_itself {
                return parts;
            }
        }

        Vec::new()
    }

    /// The periods of `kind` that make up `asked`, in order: itself, or its parts. None when `asked`
    /// is shorter than a period of `kind`.
    pub fn periods_within(&self, asked: &Period, kind: PeriodKind) -> Vec<Period> {
        let next = |before: &Period| {
            // A period that did not begin later would go round for ever.
            self.period_on(before.end, kind).filter(|next| next.first > before.first)
        };
        let periods = std::iter::successors(self.period_on(asked.first, kind), next);
        let begun = periods.take_while(|period| period.first < asked.end);
        begun.filter(|one| asked.first <= one.first && one.end <= asked.end).collect()
    }

    /// The leaf period after the leaf `period`; none at the end of the calendar.
    pub fn next_leaf(&self, period: &Period) -> Option<Period> {
        // A leaf that did not begin later would go round for ever.
        self.period_on(period.end, PeriodKind::Leaf).filter(|next| next.first > period.first)
    }
}

fn month_period(starts: i8, date: Date, kind: PeriodKind) -> Option<Period> {
    if !COVERED_YEARS.contains(&date.year()) {
        return None;
    }

    // Months since the fiscal year began, from 0.
    let fiscal_month = (date.month() - starts).rem_euclid(12);
    // A fiscal year that begins later than January is named after the year in which it ends.
    let year = date.year() + i16::from(starts > 1 && date.month() >= starts);

    let months = match kind {
        PeriodKind::Leaf => 1,
        PeriodKind::Quarter => 3,
        PeriodKind::Year => 12,
    };

    let back = i64::from(fiscal_month % months);
    let first = months_after(date.first_of_month(), -back)?;
    let end = months_after(first, i64::from(months))?;

    let id = match kind {
        PeriodKind::Leaf => months::month_id(date)?,
        PeriodKind::Quarter => PeriodKey::from(format!("{year:04}-Q{}", fiscal_month / 3 + 1)),
        PeriodKind::Year => PeriodKey::from(format!("{year:04}")),
    };

    Some(Period { id, first, end })
}

fn find_month(starts: i8, id: &str) -> Option<Period> {
    let (year, rest) = match id.split_once('-') {
        Some((year, rest)) => (year, Some(rest)),
        None => (id, None),
    };

    if year.len() != 4 {
        return None;
    }

    let year: i16 = year.parse().ok()?;
    let (month, kind) = match rest {
        None => (starts, PeriodKind::Year),
        Some(rest) => match rest.strip_prefix('Q') {
            Some(quarter) => {
                let quarter = quarter.parse::<i8>().ok().filter(|q| (1..=4).contains(q))?;
                ((starts - 1 + (quarter - 1) * 3) % 12 + 1, PeriodKind::Quarter)
            }
            None => (rest.parse().ok()?, PeriodKind::Leaf),
        },
    };

    let fiscal = kind != PeriodKind::Leaf && starts > 1 && month >= starts;
    let date = Date::new(year - i16::from(fiscal), month, 1).ok()?;
    // Only the spelling that a period itself has: `2026-1` is no period.
    month_period(starts, date, kind).filter(|period| period.id == id)
}

/// The day `count` days after `date`, or before it when negative; none beyond the dates that can be
/// written, however large the count.
pub fn days_after(date: Date, count: i64) -> Option<Date> {
    let span = Span::new().try_days(count).ok()?;
    date.checked_add(span).ok()
}

/// The day `count` months after `date`, clamped to the last day of a shorter month (D13); none
/// beyond the dates that can be written.
pub fn months_after(date: Date, count: i64) -> Option<Date> {
    let span = Span::new().try_months(count).ok()?;
    date.checked_add(span).ok()
}

/// A distance in time, as holds state it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum HoldLength {
    /// Days.
    Days(i32),
    /// Calendar months, clamped to the last day of a shorter month (D13).
    Months(i32),
}

impl HoldLength {
    /// `count` of the unit written `days`, `months`, `quarters` or `years`.
    pub fn parse(count: i32, unit: &str) -> Option<Self> {
        match unit {
            "day" | "days" => Some(HoldLength::Days(count)),
            "month" | "months" => Some(HoldLength::Months(count)),
            "quarter" | "quarters" => count.checked_mul(3).map(HoldLength::Months),
            "year" | "years" => count.checked_mul(12).map(HoldLength::Months),
            _ => None,
        }
    }

    /// The day this long after `date`; none beyond the dates that can be written.
    pub fn date_after(self, date: Date) -> Option<Date> {
        match self {
            HoldLength::Days(days) => days_after(date, i64::from(days)),
            HoldLength::Months(months) => months_after(date, i64::from(months)),
        }
    }

    /// The day a hold of this length from `date` ends; none beyond the last year of a calendar.
    pub fn hold_end(self, date: Date) -> Option<Date> {
        self.date_after(date).filter(|end| end.year() <= *COVERED_YEARS.end())
    }

    /// Whether a hold of this length ends within the calendar for some date of it.
    pub fn is_possible_hold(self) -> bool {
        let first = Date::constant(*COVERED_YEARS.start(), 1, 1);
        self.hold_end(first).is_some()
    }
}
