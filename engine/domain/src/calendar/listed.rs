//! Periods that are listed one by one: years of weeks, and a customer's own tree.
//!
//! Not reading a file (`workspace` does) and not months, which need no list. Called by the code
//! that builds a [`Calendar`](super::Calendar). Source: FORMAT sections 1 and 2, DOMAIN 2.11,
//! INV-L2.
//!
//! **Architecture invariant:** a list exists only when its leaves follow each other without a gap
//! and every parent is a row of neighbouring leaves; so a period is always one stretch of days.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;

use super::{Period, PeriodKind, Validity, days_after};

/// Weeks of a year; one in five or six has another.
const WEEKS_PER_YEAR: i64 = 52;

/// The number of days in a week.
const DAYS_PER_WEEK: i64 = 7;

/// Listed periods: leaves in order, each with its quarter and year.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PeriodList {
    leaves: Vec<LeafPeriod>,
    named: BTreeMap<String, Period>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct LeafPeriod {
    month: Period,
    quarter: Period,
    year: Period,
}

/// A row of a customer's own periods.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedPeriod {
    /// Its id, unique among the periods.
    pub id: String,
    /// The id of the period that it is a part of.
    pub parent: Option<String>,
    /// Its days; a parent may leave them to its leaves.
    pub days: Validity,
}

/// What is wrong with a list, and in which of its rows, from 0.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PeriodFault {
    /// The row, counted from 0.
    pub row: usize,
    /// What is wrong, in one sentence.
    pub message: String,
}

impl PeriodFault {
    fn new(row: usize, message: String) -> Self {
        PeriodFault { row, message }
    }
}

impl PeriodList {
    /// Years of twelve periods, in which the three periods of a quarter have so many weeks. `years`
    /// are names and first days in order; a year ends where the next one begins, the last after 52
    /// weeks. A 53rd week belongs to the last period.
    ///
    /// # Errors
    /// The first year that has neither 52 nor 53 weeks, or ends beyond what can be written.
    pub fn from_weeks(
        weeks: [i64; 3],
        years: &[(String, Date)],
    ) -> Result<PeriodList, PeriodFault> {
        let mut listed = PeriodList { leaves: Vec::new(), named: BTreeMap::new() };
        for (row, (name, first)) in years.iter().enumerate() {
            let length = match years.get(row + 1) {
                Some((_, next)) => i64::from((*next - *first).get_days()),
                None => WEEKS_PER_YEAR * DAYS_PER_WEEK,
            };

            if length != WEEKS_PER_YEAR * DAYS_PER_WEEK
                && length != (WEEKS_PER_YEAR + 1) * DAYS_PER_WEEK
            {
                let message = format!("the year {name} has {length} days, not 364 or 371");
                return Err(PeriodFault::new(row, message));
            }

            let after = |weeks: i64| days_after(*first, weeks * DAYS_PER_WEEK);
            let year = listed.add_year(weeks, length / DAYS_PER_WEEK, name, after);
            year.ok_or_else(|| PeriodFault::new(row, format!("the year {name} ends too late")))?;
        }

        Ok(listed)
    }

    /// Adds a year of so many weeks in all; `after` is the day so many weeks after its first.
    fn add_year(
        &mut self,
        weeks: [i64; 3],
        length: i64,
        name: &str,
        after: impl Fn(i64) -> Option<Date>,
    ) -> Option<()> {
        let year = Period { id: name.into(), first: after(0)?, end: after(length)? };

        let quarter_weeks: i64 = weeks.iter().sum();
        let mut number = 0;
        for quarter in 0..4 {
            let start = quarter * quarter_weeks;
            // A 53rd week belongs to the last quarter, and in it to the last period.
            let end = if quarter == 3 { length } else { start + quarter_weeks };
            let id = format!("{name}-Q{}", quarter + 1);
            let quarter = Period { id: id.into(), first: after(start)?, end: after(end)? };

            let mut week = start;
            for (index, weeks) in weeks.into_iter().enumerate() {
                number += 1;
                let last = if index == 2 { end } else { week + weeks };
                let id = format!("{name}-P{number:02}");
                let month = Period { id: id.into(), first: after(week)?, end: after(last)? };
                week = last;
                self.index_period(&month);
                self.leaves.push(LeafPeriod { month, quarter, year });
            }

            self.index_period(&quarter);
        }

        self.index_period(&year);
        Some(())
    }

    fn index_period(&mut self, period: &Period) {
        self.named.insert(period.id.into(), *period);
    }

    /// A tree: leaves are the rows without children.
    ///
    /// # Errors
    /// Everything that is wrong, by row: a parent that does not exist, a cycle, a leaf without
    /// days, leaves that overlap or leave a gap, leaves of a parent that are not neighbours, a
    /// parent whose days are not those of its leaves.
    pub fn from_tree_rows(rows: &[ListedPeriod]) -> Result<PeriodList, Vec<PeriodFault>> {
        let tree =
            PeriodTree { rows, ids: rows.iter().map(|row| row.id.as_str()).zip(0..).collect() };
        let mut faults = tree.check_parents();
        // Leaves are looked for only in a proper tree, without cycles.
        if !faults.is_empty() {
            return Err(faults);
        }

        let leaves = tree.collect_leaves(&mut faults);
        if !faults.is_empty() {
            return Err(faults);
        }

        let named = tree.row_spans(&leaves, &mut faults);

        let leaves = leaves.into_iter().filter_map(|(row, month)| {
            let ancestors = tree.ancestor_rows(row);
            let period = |row: Option<&usize>| {
                row.map_or(Some(&month), |row| named.get(&rows.get(*row)?.id)).cloned()
            };
            let (quarter, year) = (period(ancestors.first())?, period(ancestors.last())?);
            Some(LeafPeriod { month, quarter, year })
        });

        let leaves = leaves.collect();
        if faults.is_empty() { Ok(PeriodList { leaves, named }) } else { Err(faults) }
    }

    /// The period of `kind` that holds `date`.
    pub fn period_on(&self, date: Date, kind: PeriodKind) -> Option<&Period> {
        let index = self.leaves.partition_point(|leaf| leaf.month.end <= date);
        let leaf = self.leaves.get(index).filter(|leaf| leaf.month.contains(date))?;
        Some(match kind {
            PeriodKind::Leaf => &leaf.month,
            PeriodKind::Quarter => &leaf.quarter,
            PeriodKind::Year => &leaf.year,
        })
    }

    /// The period called `id`.
    pub fn find(&self, id: &str) -> Option<&Period> {
        self.named.get(id)
    }
}

/// Rows of a tree, and where each id stands.
struct PeriodTree<'a> {
    rows: &'a [ListedPeriod],
    ids: BTreeMap<&'a str, usize>,
}

impl PeriodTree<'_> {
    fn parent_row(&self, row: usize) -> Option<usize> {
        let parent = self.rows.get(row)?.parent.as_deref()?;
        self.ids.get(parent).copied()
    }

    /// The rows above `row`, from its parent to the root; in a cycle each row once.
    fn ancestor_rows(&self, row: usize) -> Vec<usize> {
        let mut above = Vec::new();
        let mut next = self.parent_row(row);
        while let Some(parent) = next.filter(|parent| !above.contains(parent)) {
            above.push(parent);
            next = self.parent_row(parent);
        }
        above
    }

    /// Parents that do not exist, and cycles.
    fn check_parents(&self) -> Vec<PeriodFault> {
        let mut faults = Vec::new();
        for (index, row) in self.rows.iter().enumerate() {
            if let Some(parent) = &row.parent
                && !self.ids.contains_key(parent.as_str())
            {
                faults.push(PeriodFault::new(index, format!("there is no period `{parent}`")));
            } else if self.ancestor_rows(index).contains(&index) {
                faults.push(PeriodFault::new(
                    index,
                    format!("the period `{}` contains itself", row.id),
                ));
            }
        }
        faults
    }

    /// The leaves in order of their days.
    fn collect_leaves(&self, faults: &mut Vec<PeriodFault>) -> Vec<(usize, Period)> {
        let parents: BTreeSet<&str> =
            self.rows.iter().filter_map(|row| row.parent.as_deref()).collect();

        let mut leaves = Vec::new();
        for (index, row) in self.rows.iter().enumerate() {
            match row.days.from.zip(row.days.until) {
                _ if parents.contains(row.id.as_str()) => (),
                Some((first, end)) => {
                    leaves.push((index, Period { id: (&row.id).into(), first, end }));
                }
                None => {
                    let message = format!("the period `{}` has no `from` or no `to`", row.id);
                    faults.push(PeriodFault::new(index, message));
                }
            }
        }

        if !faults.is_empty() {
            // What has no days would be missed as a gap.
            return leaves;
        }

        leaves.sort_by_key(|(index, leaf)| (leaf.first, *index));
        for ((_, earlier), (row, later)) in leaves.iter().zip(leaves.iter().skip(1)) {
            let what = match earlier.end.cmp(&later.first) {
                std::cmp::Ordering::Equal => continue,
                std::cmp::Ordering::Less => "leave a gap",
                std::cmp::Ordering::Greater => "overlap",
            };
            let message = format!("the periods `{}` and `{}` {what}", earlier.id, later.id);
            faults.push(PeriodFault::new(*row, message));
        }

        leaves
    }

    /// The days of every row, of parents from their leaves.
    fn row_spans(
        &self,
        leaves: &[(usize, Period)],
        faults: &mut Vec<PeriodFault>,
    ) -> BTreeMap<String, Period> {
        let mut named = BTreeMap::new();
        // Of each parent: its period so far, and the place of its last leaf.
        let mut parents: BTreeMap<usize, (Period, usize)> = BTreeMap::new();
        for (place, (row, leaf)) in leaves.iter().enumerate() {
            named.insert(leaf.id.into(), *leaf);
            for parent in self.ancestor_rows(*row) {
                let Some(above) = self.rows.get(parent) else { continue };
                let start = (Period { id: (&above.id).into(), ..*leaf }, place);
                let (period, last) = parents.entry(parent).or_insert(start);
                if *last + 1 < place {
                    let message =
                        format!("`{}` is not beside the other periods of `{}`", leaf.id, period.id);
                    faults.push(PeriodFault::new(*row, message));
                }
                (period.end, *last) = (leaf.end, place);
            }
        }

        for (row, (period, _)) in parents {
            // A parent may leave its days to its leaves; if it has some, they must be the same.
            let days = self.rows.get(row).map(|row| row.days).unwrap_or_default();
            if days.from.is_some_and(|first| first != period.first)
                || days.until.is_some_and(|end| end != period.end)
            {
                let message = format!("the days of `{}` are not those of its parts", period.id);
                faults.push(PeriodFault::new(row, message));
            }
            named.insert(period.id.into(), period);
        }

        named
    }
}
