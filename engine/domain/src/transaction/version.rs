//! Which of two versions of a transaction counts.
//!
//! Called by calculations and by the server's worker. Source: FORMAT section 2 (`updated`), DOMAIN
//! INV-T1, INV-T2, D20.

use std::cmp::Ordering;
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use super::{Field, Remark, SourceClock, Transaction};

/// Whether two versions of a transaction are the same content, and if not which one is later by
/// the source's clock: `Less` means that `new` is older than `old` (FORMAT section 2, `updated`).
pub fn compare_versions(old: &Transaction, new: &Transaction) -> Ordering {
    if old.comparable_content() == new.comparable_content() {
        return Ordering::Equal;
    }
    // Without a clock, in order of receipt. Equal clocks and different content: the larger content
    // wins, so that every order of arrival ends at the same version.
    match compare_clocks(old, new) {
        None => Ordering::Greater,
        Some(order) => order.then_with(|| new.comparable_content().cmp(&old.comparable_content())),
    }
}

/// What the source's clock says of `new` beside `old`; none when no column is mapped to it, or when
/// it is blank in both.
fn compare_clocks(old: &Transaction, new: &Transaction) -> Option<Ordering> {
    new.column_of(Field::Updated)?;
    let (old, new) = (old.source_clock(), new.source_clock());
    let none = old == SourceClock::Blank && new == SourceClock::Blank;
    (!none).then(|| new.cmp(&old))
}

/// Whether two versions differ and nothing says which one is later: neither the source's clock nor
/// the days on which they were received.
pub fn versions_contradict(one: &Transaction, other: &Transaction) -> bool {
    let by_clock = compare_clocks(one, other).is_some_and(Ordering::is_ne);
    // A file that is kept as rows are loaded, one below the other, has its order of receipt in it.
    let by_receipt = one.field_value(Field::Received) != other.field_value(Field::Received);
    !by_clock && !by_receipt && one.comparable_content() != other.comparable_content()
}

/// The version that counts of each deal among rows that arrived together.
#[derive(Debug, Default)]
pub struct NewestVersions {
    deals: HashMap<Arc<str>, (Arc<Transaction>, bool)>,
}

impl NewestVersions {
    /// Adds a row; one without a natural key is not compared with others.
    pub fn add(&mut self, transaction: &Arc<Transaction>) {
        if transaction.id.is_empty() {
            return;
        }
        let Some((newest, conflict)) = self.deals.get_mut(&transaction.id) else {
            let first = (Arc::clone(transaction), false);
            self.deals.insert(Arc::clone(&transaction.id), first);
            return;
        };

        let order = compare_versions(newest, transaction);
        if order.is_eq() {
            return;
        }
        // A row that is later than those in conflict ends it; an earlier one says nothing.
        if versions_contradict(newest, transaction) {
            *conflict = true;
        } else if order.is_gt() {
            *conflict = false;
        }
        if order.is_gt() {
            *newest = Arc::clone(transaction);
        }
    }

    /// Whether the newest rows of this deal contradict each other.
    pub fn in_conflict(&self, id: &str) -> bool {
        self.deals.get(id).is_some_and(|(_, conflict)| *conflict)
    }

    /// The deals whose newest rows contradict each other, in order of their keys.
    pub fn conflicting_deals(&self) -> BTreeSet<&str> {
        let conflicts = self.deals.iter().filter(|(_, (_, conflict))| *conflict);
        conflicts.map(|(id, _)| id.as_ref()).collect()
    }
}

/// The mapped columns that a deal had and that its next version does not bring, those included that
/// it had lost before.
pub fn lost_columns(old: &Transaction, new: &Transaction) -> BTreeSet<String> {
    let had = old.comparable_content();
    let mapped = old.layout.fields.named_columns();
    let mut lost: BTreeSet<&str> =
        mapped.filter(|column| had.iter().any(|(name, _)| name == column)).collect();
    for remark in old.row_remarks() {
        if let Remark::ColumnsMissing(before) = remark {
            lost.extend(before.iter().map(String::as_str));
        }
    }
    lost.into_iter().filter(|column| !new.has_column(column)).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::sync::Arc;

    use super::super::{Cell, Decoder, Fields, Record};
    use super::*;

    /// Clocks of one deal, earliest first: each is compared with all versions before it,
    /// independent of the order of arrival.
    #[track_caller]
    fn check(clocks: &[&str]) {
        let fields = Fields {
            id: vec!["id".to_owned()],
            mapped: BTreeMap::from([(Field::Updated, "clock".to_owned())]),
            ..Fields::default()
        };
        let mut decoder = Decoder::new(Arc::new(fields));
        let cell = |column: &str, text: &str| (column.to_owned(), Cell::Text(text.to_owned()));
        let versions: Vec<Transaction> = (clocks.iter().rev().zip(1..))
            .map(|(clock, content)| {
                let cells =
                    vec![cell("id", "A"), cell("n", &format!("{content}")), cell("clock", clock)];
                decoder.decode(&Record { cells })
            })
            .collect();
        for (index, late) in versions.iter().enumerate() {
            for early in versions.iter().skip(index + 1) {
                assert_eq!(compare_versions(early, late), Ordering::Greater, "{clocks:?}");
                assert_eq!(compare_versions(late, early), Ordering::Less, "{clocks:?}");
            }
        }
    }

    /// A file of invoices has each again when it is paid, with the day on which it was loaded: that is
    /// its order of receipt, and no contradiction.
    #[test]
    fn rows_that_were_received_on_different_days_do_not_contradict_each_other() {
        let fields = Fields {
            id: vec!["id".to_owned()],
            mapped: BTreeMap::from([(Field::Received, "loaded".to_owned())]),
            ..Fields::default()
        };
        let mut decoder = Decoder::new(Arc::new(fields));
        let mut row = |paid: &str, loaded: &str| {
            let cell = |column: &str, text: &str| (column.to_owned(), Cell::Text(text.to_owned()));
            let cells = vec![cell("id", "A"), cell("paid", paid), cell("loaded", loaded)];
            decoder.decode(&Record { cells })
        };
        let (open, paid) = (row("", "2026-01-06"), row("2026-02-03", "2026-02-03"));
        let again = row("2026-02-04", "2026-02-03");
        assert!(!versions_contradict(&open, &paid));
        assert!(versions_contradict(&paid, &again), "loaded on one day, they say two things");
    }

    #[test]
    fn a_clock_is_not_compared_as_text() {
        check(&["", "9", "10", "1642068000000"]);
        check(&["2022-01-13T10:00:00Z", "2022-01-13T10:00:00.5Z", "2022-01-13T12:00:00+01:00"]);
        check(&["2022-01-13", "2022-01-13 09:00:00", "2022-01-13T10:00:00.000+0000", "2022-01-14"]);
    }
}
