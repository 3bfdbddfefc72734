//! Rows of a table that contradict each other: two that could count for the same keys on the same
//! day, and none of them names more.
//!
//! Not messages (`workspace::tables`). Called once, when a table is read.
//!
//! **Architecture invariant:** where no rivals are found, at most one row counts for any keys,
//! ranges and day.

use std::collections::HashMap;
use std::sync::Arc;

use rust_decimal::Decimal;

use super::keyed::{KeyGroup, KeyedRow, KeyedRows};
use crate::calendar::Validity;
use crate::work;

/// Why two rows contradict each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rivalry {
    /// They name the same keys and have the same bounds, on the same days.
    SameRow,
    /// They name as many keys, but different ones, and both match some keys.
    SameRank,
}

/// Two rows that contradict each other, by their numbers in the file from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct RivalRows {
    /// The row that is reported: the later one in the file.
    pub later: usize,
    /// The other one.
    pub first: usize,
    /// Why they contradict each other.
    pub rivalry: Rivalry,
}

/// Rows of the same cells, for comparison with other patterns.
struct PatternSummary<'t> {
    cells: &'t [Arc<str>],
    /// The row that stands for all of them: the first one in the file.
    number: usize,
    /// The days on which any of them counts, in order and apart.
    days: Vec<Validity>,
    /// The lowest bound of each range.
    lowest: Vec<Option<Decimal>>,
}

impl<T> KeyedRows<T> {
    /// Pairs of rows that contradict each other, at most `most`, in the order of the file.
    ///
    /// Steps are counted, and the search stops when a check may not go on.
    pub fn find_rivals(&self, most: usize) -> Vec<RivalRows> {
        let mut found = Vec::new();
        for group in &self.groups {
            same_rows(group, &mut found);
        }

        for (index, one) in self.groups.iter().enumerate() {
            let others = self.groups.iter().skip(index + 1);
            for other in others.filter(|other| other.named.len() == one.named.len()) {
                if found.len() < most && !work::is_spent() {
                    self.same_ranks(one, other, most, &mut found);
                }
            }
        }

        found.sort_unstable();
        found.dedup_by_key(|pair| pair.later);
        found.truncate(most);
        found
    }

    /// Patterns of two groups that both match some keys, on days that no row which names the keys
    /// of both covers.
    fn same_ranks(
        &self,
        one: &KeyGroup<T>,
        other: &KeyGroup<T>,
        most: usize,
        found: &mut Vec<RivalRows>,
    ) {
        let shared: Vec<usize> =
            one.named.iter().copied().filter(|column| other.named.contains(column)).collect();
        let mut partners: HashMap<Vec<Arc<str>>, Vec<PatternSummary<'_>>> = HashMap::new();
        for pattern in summaries(other) {
            let cells = cells_in(&other.named, pattern.cells, &shared);
            partners.entry(cells).or_default().push(pattern);
        }
        // Most tables begin a new year with new rows, and no pair of two years shares a day.
        let days: HashMap<&Vec<Arc<str>>, Vec<Validity>> = partners
            .iter()
            .map(|(cells, of_cells)| {
                let all = of_cells.iter().flat_map(|pattern| pattern.days.iter().copied());
                (cells, merge_days(all.collect()))
            })
            .collect();

        for pattern in summaries(one) {
            let cells = cells_in(&one.named, pattern.cells, &shared);
            work::add_steps(1);
            let some =
                days.get(&cells).is_some_and(|days| !common_days(&pattern.days, days).is_empty());
            if !some {
                continue;
            }
            for partner in partners.get(&cells).into_iter().flatten() {
                work::add_steps(pattern.days.len() + partner.days.len());
                if found.len() >= most || work::is_spent() {
                    return;
                }

                let both = common_days(&pattern.days, &partner.days);
                if !both.is_empty() && !self.covers(one, other, (&pattern, partner), &both) {
                    found.push(RivalRows {
                        later: pattern.number.max(partner.number),
                        first: pattern.number.min(partner.number),
                        rivalry: Rivalry::SameRank,
                    });
                }
            }
        }
    }

    /// Whether rows that name the keys of both patterns count on all of `days`, whatever is given
    /// for the ranges.
    fn covers(
        &self,
        one: &KeyGroup<T>,
        other: &KeyGroup<T>,
        (pattern, partner): (&PatternSummary<'_>, &PatternSummary<'_>),
        days: &[Validity],
    ) -> bool {
        let mut named: Vec<(usize, &Arc<str>)> =
            one.named.iter().copied().zip(pattern.cells).collect();
        let more = other.named.iter().copied().zip(partner.cells);
        named.extend(more.filter(|(column, _)| !one.named.contains(column)));
        named.sort_unstable_by_key(|(column, _)| *column);

        let columns: Vec<usize> = named.iter().map(|(column, _)| *column).collect();
        let cells: Vec<Arc<str>> = named.iter().map(|(_, cell)| Arc::clone(cell)).collect();
        let Some(group) = self.groups.iter().find(|group| group.named == columns) else {
            return false;
        };
        let Some(rows) = group.patterns.get(&cells) else { return false };
        work::add_steps(rows.len());

        // Where both match, every range is at or above the lowest bounds of both.
        let least: Vec<Option<Decimal>> =
            pattern.lowest.iter().zip(&partner.lowest).map(|(a, b)| *a.max(b)).collect();
        let reached = |row: &&KeyedRow<T>| {
            !self.bounded || row.slots.iter().zip(&least).all(|(bound, least)| bound <= least)
        };
        let covered = merge_days(rows.iter().filter(reached).map(|row| row.validity).collect());
        days.iter().all(|day| covered.iter().any(|cover| contains_all(cover, day)))
    }
}

/// Rows of one pattern that have the same slots on the same days.
fn same_rows<T>(group: &KeyGroup<T>, found: &mut Vec<RivalRows>) {
    for (cells, rows) in &group.patterns {
        let numbers = group.numbers.get(cells).map(Vec::as_slice).unwrap_or_default();
        let mut dated: Vec<(&[Option<Decimal>], Validity, usize)> =
            rows.iter().zip(numbers).map(|(row, n)| (&*row.slots, row.validity, *n)).collect();
        dated.sort_unstable();
        work::add_steps(dated.len());

        // In order of their first days, a row overlaps an earlier one if it begins before the
        // latest end so far.
        let mut open: Option<(&[Option<Decimal>], Validity, usize)> = None;
        for row in dated {
            let Some(before) = open.filter(|(slots, ..)| *slots == row.0) else {
                open = Some(row);
                continue;
            };
            if before.1.overlaps(&row.1) {
                let (first, later) = (before.2.min(row.2), before.2.max(row.2));
                found.push(RivalRows { later, first, rivalry: Rivalry::SameRow });
            }
            if ends_later(&row.1, &before.1) {
                open = Some(row);
            }
        }
    }
}

/// The patterns of a group in the order of the file.
fn summaries<T>(group: &KeyGroup<T>) -> Vec<PatternSummary<'_>> {
    let mut all: Vec<PatternSummary<'_>> = group
        .patterns
        .iter()
        .map(|(cells, rows)| {
            let numbers = group.numbers.get(cells).into_iter().flatten();
            let mut lowest = rows.first().map(|row| row.slots.clone()).unwrap_or_default();
            for row in rows {
                for (least, slot) in lowest.iter_mut().zip(&row.slots) {
                    *least = (*least).min(*slot);
                }
            }
            PatternSummary {
                cells,
                number: numbers.min().copied().unwrap_or_default(),
                days: merge_days(rows.iter().map(|row| row.validity).collect()),
                lowest,
            }
        })
        .collect();
    all.sort_unstable_by_key(|pattern| pattern.number);
    all
}

/// The cells of a pattern in some of its columns.
fn cells_in(named: &[usize], cells: &[Arc<str>], columns: &[usize]) -> Vec<Arc<str>> {
    let pairs = named.iter().zip(cells).filter(|(column, _)| columns.contains(column));
    pairs.map(|(_, cell)| Arc::clone(cell)).collect()
}

/// The same days as few ranges, in order and apart.
pub(super) fn merge_days(mut days: Vec<Validity>) -> Vec<Validity> {
    days.sort_unstable();
    let mut merged: Vec<Validity> = Vec::new();
    for next in days {
        match merged.last_mut() {
            // Ranges that touch are one: the day after the last is the first of the next.
            Some(last)
                if last.until.is_none_or(|until| next.from.is_none_or(|from| from <= until)) =>
            {
                if ends_later(&next, last) {
                    last.until = next.until;
                }
            }
            _ => merged.push(next),
        }
    }
    merged
}

/// The days of both.
fn common_days(one: &[Validity], other: &[Validity]) -> Vec<Validity> {
    let mut both = Vec::new();
    let (mut left, mut right) = (one.iter().peekable(), other.iter().peekable());
    while let (Some(a), Some(b)) = (left.peek(), right.peek()) {
        if a.overlaps(b) {
            let until = if ends_later(a, b) { b.until } else { a.until };
            both.push(Validity { from: a.from.max(b.from), until });
        }
        if ends_later(a, b) {
            right.next();
        } else {
            left.next();
        }
    }
    both
}

fn ends_later(one: &Validity, other: &Validity) -> bool {
    match (one.until, other.until) {
        (_, None) => false,
        (None, Some(_)) => true,
        (Some(one), Some(other)) => one > other,
    }
}

fn contains_all(cover: &Validity, days: &Validity) -> bool {
    cover.from.is_none_or(|from| days.from.is_some_and(|first| from <= first))
        && !ends_later(days, cover)
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::{Date, date};
    use proptest::prelude::*;

    /// `laptop,*,10,3..5`: two keys, a bound or `-`, and days of January, the last one included.
    fn row(text: &str) -> KeyedRow<()> {
        let cells: Vec<&str> = text.split(',').map(str::trim).collect();
        let [one, two, bound, days] = cells.as_slice() else { panic!("{text}") };
        let key = |cell: &str| (cell != "*").then(|| Arc::from(cell));
        let day = |cell: &str| (!cell.is_empty()).then(|| date(2026, 1, cell.parse().unwrap()));
        let (from, to) = days.split_once("..").unwrap();
        KeyedRow {
            keys: vec![key(one), key(two)],
            slots: vec![bound.parse().ok()],
            validity: Validity::from_inclusive(day(from), day(to)),
            content: (),
        }
    }

    fn rivals(rows: &[&str]) -> Vec<(usize, usize, Rivalry)> {
        let rows = KeyedRows::with_bounds(rows.iter().map(|text| row(text)).collect());
        rows.find_rivals(10).iter().map(|pair| (pair.first, pair.later, pair.rivalry)).collect()
    }

    #[test]
    fn the_same_keys_and_bounds_on_the_same_day() {
        use Rivalry::SameRow;
        assert_eq!(rivals(&["a,b,0,..", "a,b,1,..", "*,b,0,.."]), []);
        assert_eq!(rivals(&["a,b,0,..", "a,b,0,.."]), [(0, 1, SameRow)]);
        assert_eq!(rivals(&["a,b,-,..", "a,b,-,5..5"]), [(0, 1, SameRow)]);
        assert_eq!(rivals(&["a,b,0,..4", "a,b,0,5.."]), []);
        assert_eq!(rivals(&["a,b,0,5..", "a,b,0,1..5"]), [(0, 1, SameRow)]);
        let nested = ["a,b,0,1..9", "a,b,0,2..3", "a,b,0,4..5", "a,b,0,10.."];
        assert_eq!(rivals(&nested), [(0, 1, SameRow), (0, 2, SameRow)]);
    }

    #[test]
    fn as_many_keys_but_others() {
        use Rivalry::SameRank;
        assert_eq!(rivals(&["a,*,0,..", "*,b,0,.."]), [(0, 1, SameRank)]);
        // What differs in their bounds does not help: both match a large number.
        assert_eq!(rivals(&["a,*,0,..", "*,b,100,.."]), [(0, 1, SameRank)]);
        assert_eq!(rivals(&["a,*,0,..4", "*,b,0,5.."]), []);
        // A row that names both decides, on all days and from the bounds of both on.
        assert_eq!(rivals(&["a,*,0,..", "*,b,5,..", "a,b,5,.."]), []);
        assert_eq!(rivals(&["a,*,0,..", "*,b,5,..", "a,b,6,.."]), [(0, 1, SameRank)]);
        assert_eq!(rivals(&["a,*,0,..", "*,b,0,..", "a,b,0,..4", "a,b,0,5.."]), []);
        assert_eq!(rivals(&["a,*,0,..", "*,b,0,..", "a,b,0,..4", "a,b,0,6.."]), [(0, 1, SameRank)]);
        assert_eq!(rivals(&["a,*,0,3..8", "*,b,0,5..", "a,b,0,5..8"]), []);
    }

    proptest! {
        /// Without rivals at most one row has the highest rank, for any keys, bound and day.
        #[test]
        fn without_rivals_no_two_rows_are_equal(
            cells in prop::collection::vec((0..3_usize, 0..3_usize, 0..3_i64, 1..5_i8, 0..4_i8), 1..6)
        ) {
            let name = |n: usize| (n > 0).then(|| Arc::<str>::from(["", "a", "b"][n]));
            let rows: Vec<KeyedRow<()>> = cells
                .iter()
                .map(|(one, two, bound, from, more)| KeyedRow {
                    keys: vec![name(*one), name(*two)],
                    slots: vec![Some(Decimal::from(*bound))],
                    validity: Validity::from_inclusive(
                        Some(date(2026, 1, *from)),
                        Some(date(2026, 1, from + more)),
                    ),
                    content: (),
                })
                .collect();
            let found = KeyedRows::with_bounds(rows.clone()).find_rivals(10);

            let mut equal = false;
            for (one, two, bound, day) in (1..3).flat_map(|one| {
                (1..3).flat_map(move |two| {
                    (0..4_i64).flat_map(move |bound| (1..9_i8).map(move |day| (one, two, bound, day)))
                })
            }) {
                equal |= is_tied(&rows, [name(one), name(two)], Decimal::from(bound), date(2026, 1, day));
            }
            // Coverage is judged by whole patterns: it may ask for a row more, never for one less.
            prop_assert!(!equal || !found.is_empty(), "{rows:?}");
        }
    }

    /// Whether two rows of the highest rank match: as many named keys, and of the same keys the
    /// same bound.
    fn is_tied(
        rows: &[KeyedRow<()>],
        keys: [Option<Arc<str>>; 2],
        given: Decimal,
        day: Date,
    ) -> bool {
        let matches = |row: &&KeyedRow<()>| {
            row.keys.iter().zip(&keys).all(|(cell, key)| cell.is_none() || cell == key)
                && row.slots[0].is_none_or(|bound| bound <= given)
                && row.validity.contains(day)
        };
        let rank = |row: &KeyedRow<()>| row.keys.iter().flatten().count();
        let fitting: Vec<&KeyedRow<()>> = rows.iter().filter(matches).collect();
        let Some(best) = fitting.iter().map(|row| rank(row)).max() else { return false };
        let top: Vec<&&KeyedRow<()>> = fitting.iter().filter(|row| rank(row) == best).collect();
        if top.iter().any(|row| row.keys != top[0].keys) {
            return true;
        }
        let most = top.iter().map(|row| row.slots[0]).max();
        top.iter().filter(|row| Some(row.slots[0]) == most).count() > 1
    }
}
