//! Periods as a plain list of leaves, and where holds end.

use jiff::civil::Date;

use super::Status;
use crate::oracle::world::{Calendar, Hold, Pays, PeriodRow, Plan};

/// A leaf period with those it belongs to; both days are included.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Leaf {
    pub(crate) id: String,
    pub(crate) quarter: String,
    pub(crate) year: String,
    pub(crate) first: Date,
    pub(crate) last: Date,
}

/// Years that months are listed for.
const YEARS: std::ops::Range<i16> = 2020..2028;

/// Every leaf of the calendar, in order.
pub(crate) fn leaves(calendar: &Calendar) -> Vec<Leaf> {
    match calendar {
        Calendar::Months(starts) => months(*starts),
        Calendar::Weeks(pattern, years) => weeks(*pattern, years),
        Calendar::Periods(rows) => listed(rows),
    }
}

fn months(starts: i8) -> Vec<Leaf> {
    let mut all = Vec::new();
    for year in YEARS {
        for month in 1..=12_i8 {
            let first = Date::new(year, month, 1).unwrap();
            let fiscal = if starts > 1 && month >= starts { year + 1 } else { year };
            let place = (month - starts).rem_euclid(12);
            all.push(Leaf {
                id: format!("{year}-{month:02}"),
                quarter: format!("{fiscal}-Q{}", place / 3 + 1),
                year: fiscal.to_string(),
                first,
                last: add_months(first, 1).yesterday().unwrap(),
            });
        }
    }
    all
}

fn later(mut date: Date, days: i64) -> Date {
    for _ in 0..days {
        date = date.tomorrow().unwrap();
    }
    date
}

fn weeks(pattern: [i64; 3], years: &[(i16, Date)]) -> Vec<Leaf> {
    let mut all: Vec<Leaf> = Vec::new();
    for (place, (year, begins)) in years.iter().enumerate() {
        let mut first = *begins;
        for n in 0..12 {
            let mut last = later(first, pattern[n % 3] * 7).yesterday().unwrap();
            if let (11, Some((_, next))) = (n, years.get(place + 1)) {
                last = next.yesterday().unwrap();
            }
            all.push(Leaf {
                id: format!("{year}-P{:02}", n + 1),
                quarter: format!("{year}-Q{}", n / 3 + 1),
                year: year.to_string(),
                first,
                last,
            });
            first = last.tomorrow().unwrap();
        }
    }
    all
}

fn listed(rows: &[PeriodRow]) -> Vec<Leaf> {
    let parent = |id: &str| rows.iter().find(|row| row.id == id).map(|row| row.parent.clone());
    let mut all = Vec::new();
    for row in rows.iter().filter(|row| !rows.iter().any(|other| other.parent == row.id)) {
        let mut year = row.id.clone();
        while let Some(above) = parent(&year).filter(|above| !above.is_empty()) {
            year = above;
        }
        let quarter = if row.parent.is_empty() { row.id.clone() } else { row.parent.clone() };
        let (first, last) = (row.span.from.unwrap(), row.span.to.unwrap());
        all.push(Leaf { id: row.id.clone(), quarter, year, first, last });
    }
    all.sort_by_key(|leaf| leaf.first);
    all
}

/// The leaf that holds the date.
pub(crate) fn leaf(leaves: &[Leaf], date: Date) -> Option<&Leaf> {
    leaves.iter().find(|leaf| leaf.first <= date && date <= leaf.last)
}

/// A period by which a plan is calculated.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Own {
    pub(crate) id: String,
    pub(crate) year: String,
    pub(crate) first: Date,
    pub(crate) last: Date,
}

impl Own {
    pub(crate) fn has(&self, leaf: &Leaf) -> bool {
        self.first <= leaf.first && leaf.last <= self.last
    }
}

/// The periods by which a plan is calculated, in order.
pub(crate) fn owns(leaves: &[Leaf], pays: Pays) -> Vec<Own> {
    let mut all: Vec<Own> = Vec::new();
    for leaf in leaves {
        let id = match pays {
            Pays::Month => &leaf.id,
            Pays::Quarter => &leaf.quarter,
            Pays::Year => &leaf.year,
        };
        match all.iter_mut().find(|own| own.id == *id) {
            Some(own) => own.last = leaf.last,
            None => {
                let (id, year) = (id.clone(), leaf.year.clone());
                all.push(Own { id, year, first: leaf.first, last: leaf.last });
            }
        }
    }
    all
}

/// The ids of the parts of a period; none of a leaf.
pub(crate) fn parts(leaves: &[Leaf], id: &str) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    for leaf in meant(leaves, id).into_iter().filter(|leaf| leaf.id != id) {
        let part =
            if leaf.quarter == id || leaf.quarter == leaf.year { &leaf.id } else { &leaf.quarter };
        if !all.contains(part) {
            all.push(part.clone());
        }
    }
    all
}

/// The ids of the leaves that a period's id means: itself, or those below it.
pub(crate) fn meant<'a>(leaves: &'a [Leaf], id: &str) -> Vec<&'a Leaf> {
    leaves.iter().filter(|l| l.id == id || l.quarter == id || l.year == id).collect()
}

pub(super) fn add_months(date: Date, months: i32) -> Date {
    let count = i32::from(date.year()) * 12 + i32::from(date.month()) - 1 + months;
    let (year, month) = (count.div_euclid(12) as i16, count.rem_euclid(12) as i8 + 1);
    let mut day = date.day();
    loop {
        if let Ok(found) = Date::new(year, month, day) {
            return found;
        }
        day -= 1;
    }
}

/// The day after the last one of the period that `of` calls by the same name as the date's.
fn next(leaves: &[Leaf], date: Date, of: impl Fn(&Leaf) -> &String) -> Date {
    let name = leaf(leaves, date).map(&of).unwrap();
    let same = leaves.iter().filter(|leaf| of(leaf) == name);
    same.map(|leaf| leaf.last).max().unwrap().tomorrow().unwrap()
}

/// The day on which a hold ends; nothing when it has none.
pub(super) fn end(leaves: &[Leaf], hold: &Hold, date: Date) -> Option<Date> {
    Some(match hold {
        Hold::None | Hold::Never | Hold::Indefinite => return None,
        Hold::Large(_) | Hold::Units | Hold::Policy(_) => return None,
        Hold::Days(days) | Hold::DaysAfter(days) => later(date, i64::from(*days)),
        Hold::Months(months) => add_months(date, *months),
        Hold::Quarters(quarters) => add_months(date, quarters * 3),
        Hold::Years(years) => add_months(date, years * 12),
        Hold::On(end) => *end,
        Hold::Until(id) => meant(leaves, id)[0].first,
        Hold::NextMonth => next(leaves, date, |leaf| &leaf.id),
        Hold::NextQuarter => next(leaves, date, |leaf| &leaf.quarter),
        Hold::NextYear => next(leaves, date, |leaf| &leaf.year),
    })
}

/// Held or not until the day; in another fiscal year held without one, unless the plan allows it.
pub(super) fn held(
    leaves: &[Leaf],
    plan: &Plan,
    (date, end): (Date, Date),
    as_of: Option<Date>,
) -> (Status, Option<Date>, &'static str) {
    if end <= date {
        return (Status::Active, None, "");
    }
    let year = |date| leaf(leaves, date).map(|leaf| &leaf.year);
    if year(date) != year(end) && !plan.across_years {
        return (Status::Held, None, "release_in_other_year");
    }
    let over = as_of.is_some_and(|as_of| end <= as_of);
    (if over { Status::Active } else { Status::Held }, Some(end), "")
}
