//! Rows by what they name: for each set of named keys the rows that name the same.
//!
//! Not which of these rows counts (`tables`). Called by `tables`.
//!
//! **Architecture invariant:** patterns that match come with the most named keys first.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use rust_decimal::Decimal;

use crate::calendar::Validity;

/// One row of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyedRow<T> {
    /// What each key must be, folded; none matches anything.
    pub keys: Vec<Option<Arc<str>>>,
    /// What tells rows of the same keys apart: lower bounds, or the end of a tier.
    pub slots: Vec<Option<Decimal>>,
    /// The days on which it counts.
    pub validity: Validity,
    /// What it says.
    pub content: T,
}

/// The rows of a table.
#[derive(Debug, Clone)]
pub struct KeyedRows<T> {
    /// By the number of named keys, the most first.
    pub(super) groups: Vec<KeyGroup<T>>,
    /// Whether slots are lower bounds, below which a row does not match.
    pub(super) bounded: bool,
}

/// The rows that name the same columns.
#[derive(Debug, Clone)]
pub(super) struct KeyGroup<T> {
    /// Which columns, upwards.
    pub(super) named: Vec<usize>,
    /// The rows by their cells in these columns, in order of their slots.
    pub(super) patterns: HashMap<Vec<Arc<str>>, Vec<KeyedRow<T>>>,
    /// The number of each row in the file, beside its row.
    pub(super) numbers: HashMap<Vec<Arc<str>>, Vec<usize>>,
}

impl<T> KeyedRows<T> {
    /// Rows whose slots are lower bounds.
    pub fn with_bounds(rows: Vec<KeyedRow<T>>) -> KeyedRows<T> {
        KeyedRows { groups: group_rows(rows), bounded: true }
    }

    /// Rows that match whatever their slots are.
    pub fn without_bounds(rows: Vec<KeyedRow<T>>) -> KeyedRows<T> {
        KeyedRows { groups: group_rows(rows), bounded: false }
    }

    /// All rows, in no order.
    pub fn iter(&self) -> impl Iterator<Item = &KeyedRow<T>> {
        self.groups.iter().flat_map(|group| group.patterns.values().flatten())
    }

    /// The rows that these folded keys match, as one slice for each set of named keys.
    pub fn matching_patterns(&self, keys: &[Arc<str>]) -> impl Iterator<Item = &[KeyedRow<T>]> {
        self.groups.iter().filter_map(move |group| {
            let named = group.named.iter();
            let cells: Option<Vec<Arc<str>>> =
                named.map(|column| keys.get(*column).map(Arc::clone)).collect();
            group.patterns.get(&cells?).map(Vec::as_slice)
        })
    }
}

/// Rows by their named cells, each with its number in the file.
type NumberedPatterns<T> = HashMap<Vec<Arc<str>>, Vec<(usize, KeyedRow<T>)>>;

fn group_rows<T>(rows: Vec<KeyedRow<T>>) -> Vec<KeyGroup<T>> {
    let mut groups: BTreeMap<Vec<usize>, NumberedPatterns<T>> = BTreeMap::new();

    for (number, row) in rows.into_iter().enumerate() {
        let named = row.keys.iter().enumerate();
        let named: Vec<(usize, Arc<str>)> =
            named.filter_map(|(column, key)| Some((column, Arc::clone(key.as_ref()?)))).collect();
        let (columns, cells) = named.into_iter().unzip();
        groups.entry(columns).or_default().entry(cells).or_default().push((number, row));
    }

    let mut groups: Vec<KeyGroup<T>> = groups
        .into_iter()
        .map(|(named, patterns)| {
            let (mut rows, mut numbers) = (HashMap::new(), HashMap::new());
            for (cells, mut pattern) in patterns {
                pattern.sort_by(|(_, a), (_, b)| a.slots.cmp(&b.slots));
                let (of_file, of_pattern): (Vec<usize>, Vec<KeyedRow<T>>) =
                    pattern.into_iter().unzip();
                numbers.insert(cells.clone(), of_file);
                rows.insert(cells, of_pattern);
            }
            KeyGroup { named, patterns: rows, numbers }
        })
        .collect();

    // Stable: groups of as many keys stay in the order of their columns.
    groups.sort_by_key(|group| std::cmp::Reverse(group.named.len()));
    groups
}
