//! Tables of a customer: rates and other values by keys, ranges and dates, and tiers by keys and
//! dates.
//!
//! Not reading the files (`workspace::tables`). Called by scripts (`lookup`, `find`) and by rewards
//! whose tiers are in a table. Source: FORMAT section 1.
//!
//! **Architecture invariant:** for one set of keys, ranges and one day at most one row counts, so
//! that an answer never depends on the order of rows.

pub mod keyed;
mod rivals;

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::civil::Date;
use rust_decimal::Decimal;

use self::keyed::{KeyedRow, KeyedRows};
use crate::declared::{DeclaredKind, DeclaredValue};
use crate::organization::fold_name;
use crate::plan::reward::{Tier, TierLimit};

pub use self::rivals::{RivalRows, Rivalry};

/// Columns of keys that a table may have.
pub const TABLE_KEYS_MAX: usize = 8;

/// Columns of ranges that a table may have.
pub const TABLE_RANGES_MAX: usize = 4;

/// Columns of values that a table may have.
pub const TABLE_VALUES_MAX: usize = 32;

/// The columns of a table of tiers, besides its keys and dates.
pub const TIER_COLUMNS: [&str; 2] = ["up_to", "rate"];

/// The declared columns of a table, besides `from` and `to`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TableShape {
    /// Columns whose cells must match, in the order in which `lookup` takes them.
    pub keys: Vec<Arc<str>>,
    /// Columns of lower bounds, in the order in which `lookup` takes them, after the keys.
    pub ranges: Vec<Arc<str>>,
    /// Columns of values with their kinds, by name.
    pub values: Vec<(Arc<str>, DeclaredKind)>,
}

impl TableShape {
    /// Whether the table holds tiers, several rows of which belong together: its values are
    /// `up_to` and `rate`, and it has no ranges.
    pub fn holds_tiers(&self) -> bool {
        let has = |column: &str| self.values.iter().any(|(name, _)| **name == *column);
        self.ranges.is_empty()
            && self.values.len() == TIER_COLUMNS.len()
            && TIER_COLUMNS.iter().all(|column| has(column))
    }

    /// How many arguments a look-up takes after the name of the table.
    pub fn argument_count(&self) -> usize {
        self.keys.len() + self.ranges.len()
    }
}

/// The values of a row, by column; none where a cell is blank.
pub type RowValues = Vec<Option<DeclaredValue>>;

/// A table whose rows are looked up.
#[derive(Debug, Clone)]
pub struct LookupTable {
    /// Its columns.
    pub shape: TableShape,
    /// Its rows; their slots are the lower bounds of the ranges.
    pub rows: KeyedRows<RowValues>,
}

impl LookupTable {
    /// A table of these rows.
    pub fn new(shape: TableShape, rows: Vec<KeyedRow<RowValues>>) -> LookupTable {
        LookupTable { shape, rows: KeyedRows::with_bounds(rows) }
    }

    /// The values that count for these keys and ranges on `date`: of the row that names the most
    /// keys, and of those of the row with the largest lower bound that is not above.
    pub fn find_row(&self, keys: &[&str], ranges: &[Decimal], date: Date) -> Option<&RowValues> {
        let keys = fold_keys(keys);
        self.rows.matching_patterns(&keys).find_map(|pattern| {
            // Rows of a pattern are in order of their bounds, and the last one that fits counts.
            let end = match ranges.first() {
                Some(first) => pattern.partition_point(|row| is_reached(row.slots.first(), first)),
                None => pattern.len(),
            };
            let below = pattern.get(..end).unwrap_or_default().iter().rev();
            let mut fitting = below.filter(|row| {
                let mut bounds = row.slots.iter().zip(ranges);
                row.validity.contains(date)
                    && bounds.all(|(bound, given)| is_reached(Some(bound), given))
            });
            fitting.next().map(|row| &row.content)
        })
    }
}

/// Whether a number is at or above a lower bound; every number is where there is none.
fn is_reached(bound: Option<&Option<Decimal>>, given: &Decimal) -> bool {
    bound.copied().flatten().is_none_or(|bound| bound <= *given)
}

/// Keys as they are compared.
fn fold_keys(keys: &[&str]) -> Vec<Arc<str>> {
    keys.iter().map(|key| Arc::from(fold_name(key))).collect()
}

/// A table of tiers for rewards.
#[derive(Debug, Clone)]
pub struct TierTable {
    /// The columns of its keys: words of a payee (`title`, `credit_type`) or attributes.
    pub keys: Vec<Arc<str>>,
    /// Its rows; their slots are the ends of the tiers.
    pub rows: KeyedRows<Tier>,
}

impl TierTable {
    /// A table of these rows.
    pub fn new(keys: Vec<Arc<str>>, rows: Vec<KeyedRow<Tier>>) -> TierTable {
        TierTable { keys, rows: KeyedRows::without_bounds(rows) }
    }

    /// The tiers for these keys on `date`, upwards: those of the rows that name the most keys.
    pub fn tiers_on(&self, keys: &[&str], date: Date) -> Option<Vec<Tier>> {
        let keys = fold_keys(keys);
        self.rows.matching_patterns(&keys).find_map(|pattern| {
            let valid = pattern.iter().filter(|row| row.validity.contains(date));
            let mut tiers: Vec<Tier> = valid.map(|row| row.content).collect();
            // A tier without an end is the last one.
            tiers.sort_by_key(|tier| (tier.up_to.is_none(), tier.up_to.map(limit_number)));
            (!tiers.is_empty()).then_some(tiers)
        })
    }

    /// Whether the end of a tier is a share of the quota.
    pub fn asks_for_quota(&self) -> bool {
        let mut rows = self.rows.iter();
        rows.any(|row| matches!(row.content.up_to, Some(TierLimit::OfQuota(_))))
    }
}

/// The number of a limit, whatever it is a number of.
pub fn limit_number(limit: TierLimit) -> Decimal {
    match limit {
        TierLimit::Amount(number) | TierLimit::OfQuota(number) => number,
    }
}

/// Every table of a workspace, by name.
#[derive(Debug, Clone, Default)]
pub struct Tables {
    /// Tables for `lookup` and `find`.
    pub lookups: BTreeMap<Arc<str>, LookupTable>,
    /// Tables for `tiers = "table:NAME"`.
    pub tiers: BTreeMap<Arc<str>, Arc<TierTable>>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calendar::Validity;
    use jiff::civil::date;

    pub(super) fn number(text: &str) -> Decimal {
        text.parse().unwrap()
    }

    fn row(text: &str) -> KeyedRow<RowValues> {
        let cells: Vec<&str> = text.split(',').map(str::trim).collect();
        let [product, region, quantity, rate, from] = cells.as_slice() else { panic!("{text}") };
        let key = |cell: &str| (cell != "*").then(|| Arc::from(fold_name(cell)));
        let from = if from.is_empty() { None } else { Some(from.parse::<Date>().unwrap()) };
        KeyedRow {
            keys: vec![key(product), key(region)],
            slots: vec![(!quantity.is_empty()).then(|| number(quantity))],
            validity: Validity::from_inclusive(from, None),
            content: vec![DeclaredKind::Number.read_value(rate)],
        }
    }

    fn rates() -> LookupTable {
        let rows = [
            "*,      *,    ,    0.01,",
            "*,      *,    100, 0.02,",
            "Laptop, *,    0,   0.03,",
            "Laptop, West, 0,   0.05,",
            "Laptop, West, 10,  0.06,",
            "Laptop, West, 10.5,0.07,",
            "Laptop, East, 0,   0.08, 2026-07-01",
        ];
        LookupTable::new(TableShape::default(), rows.map(row).into())
    }

    /// The row with the most named keys wins, then the largest bound that is not above.
    #[test]
    fn the_row_that_names_most_counts_then_the_largest_bound_that_is_reached() {
        let table = rates();
        let june = date(2026, 6, 30);
        let check = |keys: [&str; 2], quantity: &str, day: Date, expected: Option<&str>| {
            let found = table.find_row(&keys, &[number(quantity)], day);
            let expected = expected.map(|rate| vec![DeclaredKind::Number.read_value(rate)]);
            assert_eq!(found, expected.as_ref(), "{keys:?} {quantity} {day}");
        };
        check(["laptop", " WEST"], "9.99", june, Some("0.05"));
        check(["laptop", "West"], "10", june, Some("0.06"));
        check(["laptop", "West"], "10.4", june, Some("0.06"));
        check(["laptop", "West"], "1000", june, Some("0.07"));
        check(["Laptop", "East"], "5", june, Some("0.03"));
        check(["Laptop", "East"], "5", date(2026, 7, 1), Some("0.08"));
        // Below every bound of the rows that name it, the general row counts.
        check(["Laptop", "West"], "-1", june, Some("0.01"));
        check(["Phone", "West"], "99", june, Some("0.01"));
        check(["Phone", ""], "100", june, Some("0.02"));
    }

    #[test]
    fn a_table_without_a_general_row_may_have_nothing() {
        let table = LookupTable::new(TableShape::default(), vec![row("Laptop, West, 5, 1, ")]);
        let day = date(2026, 1, 1);
        assert_eq!(table.find_row(&["Laptop", "West"], &[number("4")], day), None);
        assert_eq!(table.find_row(&["Laptop", "East"], &[number("5")], day), None);
        assert!(table.find_row(&["Laptop", "West"], &[number("5")], day).is_some());
    }

    #[test]
    fn of_several_ranges_the_first_decides_first() {
        let bounds = |one: &str, two: &str, rate: &str| KeyedRow {
            keys: Vec::new(),
            slots: vec![Some(number(one)), Some(number(two))],
            validity: Validity::default(),
            content: vec![DeclaredKind::Number.read_value(rate)],
        };
        let rows = vec![bounds("100", "50", "3"), bounds("0", "10", "1"), bounds("0", "20", "2")];
        let table = LookupTable::new(TableShape::default(), rows);
        let check = |one: &str, two: &str, expected: &str| {
            let found = table.find_row(&[], &[number(one), number(two)], date(2026, 1, 1));
            assert_eq!(found, Some(&vec![DeclaredKind::Number.read_value(expected)]));
        };
        check("150", "60", "3");
        check("150", "40", "2");
        check("99", "15", "1");
    }

    #[test]
    fn tiers_of_the_rows_that_name_most_in_order_of_their_ends() {
        let tier = |title: &str, up_to: &str, rate: &str, to: Option<Date>| KeyedRow {
            keys: vec![(title != "*").then(|| Arc::from(title))],
            slots: vec![(!up_to.is_empty()).then(|| number(up_to))],
            validity: Validity::from_inclusive(None, to),
            content: Tier {
                up_to: (!up_to.is_empty()).then(|| TierLimit::Amount(number(up_to))),
                rate: number(rate),
            },
        };
        let march = Some(date(2026, 3, 31));
        let rows = vec![
            tier("*", "", "0.05", None),
            tier("rep", "", "0.3", march),
            tier("rep", "2000", "0.2", march),
            tier("rep", "1000", "0.1", march),
        ];
        let table = TierTable::new(vec![Arc::from("title")], rows);
        let rates = |title: &str, day: Date| -> Vec<Decimal> {
            table.tiers_on(&[title], day).unwrap().iter().map(|tier| tier.rate).collect()
        };
        assert_eq!(rates("Rep", date(2026, 3, 31)), ["0.1", "0.2", "0.3"].map(number));
        assert_eq!(rates("Rep", date(2026, 4, 1)), [number("0.05")]);
        assert_eq!(rates("Manager", date(2026, 3, 31)), [number("0.05")]);
        assert!(!table.asks_for_quota());
    }
}
