//! Periods as data, and the arithmetic of holds: which period a date falls in, where the next
//! quarter begins, what a month later is.
//!
//! Not a clock: no function here knows what day it is. Called by the pipeline and by releases.
//! Source: DOMAIN 2.10, 2.11, 3.7, decisions D13, D19.
//!
//! **Architecture invariant:** leaf periods neither overlap nor leave gaps inside the calendar.

use jiff::ToSpan;
use jiff::civil::Date;

/// Dates from `from` until before `until`; a missing end is unbounded (D19: stored half-open).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Validity {
    /// First day.
    pub from: Option<Date>,
    /// First day after the last.
    pub until: Option<Date>,
}

impl Validity {
    /// From the inclusive dates of a file.
    pub fn inclusive(from: Option<Date>, to: Option<Date>) -> Self {
        Validity { from, until: to.and_then(|to| to.tomorrow().ok()) }
    }

    /// Whether `date` lies inside.
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
    Month,
    /// Three leaf periods.
    Quarter,
    /// Twelve leaf periods.
    Year,
}

impl PeriodKind {
    /// The kind written as `month`, `quarter` or `year`.
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "month" => Some(PeriodKind::Month),
            "quarter" => Some(PeriodKind::Quarter),
            "year" => Some(PeriodKind::Year),
            _ => None,
        }
    }
}

/// A period: its id and its days.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Period {
    /// `2017-03`, `2017-Q1` or `2017`.
    pub id: String,
    /// First day.
    pub first: Date,
    /// First day after the last.
    pub end: Date,
}

impl Period {
    /// Whether `date` lies inside.
    pub fn contains(&self, date: Date) -> bool {
        self.first <= date && date < self.end
    }
}

/// The calendar of a workspace. Months; a fiscal year that starts in `year_starts` is named by the
/// calendar year it ends in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Calendar {
    /// First month of the fiscal year, 1 to 12.
    pub year_starts: i8,
}

impl Default for Calendar {
    fn default() -> Self {
        Calendar { year_starts: 1 }
    }
}

/// Years that a calendar covers; dates outside have no period.
const YEARS: std::ops::RangeInclusive<i16> = 1900..=2199;

impl Calendar {
    /// The period of `kind` that holds `date`; none outside the years 1900 to 2199.
    pub fn period(&self, date: Date, kind: PeriodKind) -> Option<Period> {
        if !YEARS.contains(&date.year()) {
            return None;
        }
        let fiscal_month = self.fiscal_month(date);
        let year = self.fiscal_year(date);
        let months = match kind {
            PeriodKind::Month => 1,
            PeriodKind::Quarter => 3,
            PeriodKind::Year => 12,
        };
        let back = i64::from(fiscal_month % months);
        let first = date.first_of_month().checked_sub(back.months()).ok()?;
        let end = first.checked_add(i64::from(months).months()).ok()?;
        let id = match kind {
            PeriodKind::Month => format!("{:04}-{:02}", date.year(), date.month()),
            PeriodKind::Quarter => format!("{year:04}-Q{}", fiscal_month / 3 + 1),
            PeriodKind::Year => format!("{year:04}"),
        };
        Some(Period { id, first, end })
    }

    /// The fiscal year of `date`, by the year it ends in.
    pub fn fiscal_year(&self, date: Date) -> i16 {
        date.year() + i16::from(self.year_starts > 1 && date.month() >= self.year_starts)
    }

    /// Months since the fiscal year began, from 0.
    fn fiscal_month(&self, date: Date) -> i8 {
        (date.month() - self.year_starts).rem_euclid(12)
    }

    /// The period called `id`: a month, a quarter or a year.
    pub fn find(&self, id: &str) -> Option<Period> {
        let (year, rest) = match id.split_once('-') {
            Some((year, rest)) => (year, Some(rest)),
            None => (id, None),
        };
        if year.len() != 4 {
            return None;
        }
        let year: i16 = year.parse().ok()?;
        let (month, kind) = match rest {
            None => (self.year_starts, PeriodKind::Year),
            Some(rest) => match rest.strip_prefix('Q') {
                Some(quarter) => {
                    let quarter = quarter.parse::<i8>().ok().filter(|q| (1..=4).contains(q))?;
                    ((self.year_starts - 1 + (quarter - 1) * 3) % 12 + 1, PeriodKind::Quarter)
                }
                None => (rest.parse().ok()?, PeriodKind::Month),
            },
        };
        let fiscal = kind != PeriodKind::Month && self.year_starts > 1 && month >= self.year_starts;
        let date = Date::new(year - i16::from(fiscal), month, 1).ok()?;
        self.period(date, kind).filter(|period| period.id == id)
    }

    /// The first day of the next period of `kind` after `date`.
    pub fn next(&self, date: Date, kind: PeriodKind) -> Option<Date> {
        self.period(date, kind).map(|period| period.end)
    }
}

/// A distance in time, as holds state it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Length {
    /// Days.
    Days(i32),
    /// Calendar months, clamped to the last day of a shorter month (D13).
    Months(i32),
}

impl Length {
    /// `count` of the unit written `days`, `months`, `quarters` or `years`.
    pub fn parse(count: i32, unit: &str) -> Option<Self> {
        match unit {
            "day" | "days" => Some(Length::Days(count)),
            "month" | "months" => Some(Length::Months(count)),
            "quarter" | "quarters" => count.checked_mul(3).map(Length::Months),
            "year" | "years" => count.checked_mul(12).map(Length::Months),
            _ => None,
        }
    }

    /// The day this long after `date`; none beyond the end of the calendar.
    pub fn after(self, date: Date) -> Option<Date> {
        match self {
            Length::Days(days) => date.checked_add(i64::from(days).days()).ok(),
            Length::Months(months) => date.checked_add(i64::from(months).months()).ok(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    #[test]
    fn holds_of_domain_3_7() {
        let from = date(2022, 1, 12);
        let check = |length: Length, expected: Date| assert_eq!(length.after(from), Some(expected));
        check(Length::Days(30), date(2022, 2, 11));
        check(Length::Months(1), date(2022, 2, 12));
        check(Length::Months(3), date(2022, 4, 12));
        check(Length::Months(12), date(2023, 1, 12));
        assert_eq!(Length::Months(1).after(date(2022, 1, 31)), Some(date(2022, 2, 28)));
        let next = Calendar::default().next(from, PeriodKind::Quarter);
        assert_eq!(next, Some(date(2022, 4, 1)));
    }

    #[test]
    fn periods_and_their_ids() {
        let check = |starts, day: Date, kind, id: &str, first: Date, end: Date| {
            let calendar = Calendar { year_starts: starts };
            let period = calendar.period(day, kind).unwrap();
            assert_eq!((period.id.as_str(), period.first, period.end), (id, first, end));
            assert_eq!(calendar.find(id), Some(period));
        };
        use PeriodKind::{Month, Quarter, Year};
        let day = date(2017, 3, 31);
        check(1, day, Month, "2017-03", date(2017, 3, 1), date(2017, 4, 1));
        check(1, day, Quarter, "2017-Q1", date(2017, 1, 1), date(2017, 4, 1));
        check(1, day, Year, "2017", date(2017, 1, 1), date(2018, 1, 1));
        check(4, day, Quarter, "2017-Q4", date(2017, 1, 1), date(2017, 4, 1));
        check(4, day, Year, "2017", date(2016, 4, 1), date(2017, 4, 1));
        check(4, date(2017, 4, 1), Quarter, "2018-Q1", date(2017, 4, 1), date(2017, 7, 1));
        check(2, date(2017, 1, 31), Quarter, "2017-Q4", date(2016, 11, 1), date(2017, 2, 1));
        check(12, date(2017, 12, 5), Year, "2018", date(2017, 12, 1), date(2018, 12, 1));
        for wrong in ["2017-13", "2017-Q5", "17", "2017-3", "x", "", "2017-P03"] {
            assert_eq!(Calendar::default().find(wrong), None, "{wrong}");
        }
    }

    /// INV-L2: every day of forty years is in exactly the period that names it.
    #[test]
    fn leaf_periods_neither_overlap_nor_leave_gaps() {
        for year_starts in 1..=12 {
            let calendar = Calendar { year_starts };
            let mut day = date(2000, 1, 1);
            for kind in [PeriodKind::Month, PeriodKind::Quarter, PeriodKind::Year] {
                while day < date(2040, 1, 1) {
                    let period = calendar.period(day, kind).unwrap();
                    assert!(period.contains(day));
                    let after = calendar.period(period.end, kind).unwrap();
                    assert_eq!(after.first, period.end);
                    day = period.end;
                }
                day = date(2000, 1, 1);
            }
        }
    }

    #[test]
    fn validity_is_half_open_inside_and_inclusive_outside() {
        let june = Validity::inclusive(Some(date(2022, 6, 1)), Some(date(2022, 6, 30)));
        assert!(june.contains(date(2022, 6, 30)) && !june.contains(date(2022, 7, 1)));
        let july = Validity::inclusive(Some(date(2022, 7, 1)), None);
        assert!(!june.overlaps(&july) && june.overlaps(&Validity::default()));
    }
}
