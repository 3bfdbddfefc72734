//! Which of two versions of a transaction counts.
//!
//! Called by calculations and by the server's worker. Source: FORMAT section 2 (`updated`), DOMAIN
//! INV-T1, INV-T2, D20.

use std::cmp::Ordering;

use super::{Field, Transaction};

/// Whether two versions of a transaction are the same content, and if not which one is later by
/// the source's clock: `Less` means that `new` is older than `old` (FORMAT section 2, `updated`).
pub fn compare(old: &Transaction, new: &Transaction) -> Ordering {
    if old.content() == new.content() {
        return Ordering::Equal;
    }
    let order = match new.column_of(Field::Updated) {
        Some(_) => new.clock().cmp(&old.clock()),
        None => Ordering::Greater,
    };
    // Equal clocks and different content: the larger content wins, so that every order of arrival
    // ends at the same version.
    order.then_with(|| new.content().cmp(&old.content()))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::sync::Arc;

    use super::super::{Cell, Decoder, Fields, Record};
    use super::*;

    /// Clocks of one deal, earliest first: each counts against every one before it, whichever of
    /// the two arrives last.
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
                assert_eq!(compare(early, late), Ordering::Greater, "{clocks:?}");
                assert_eq!(compare(late, early), Ordering::Less, "{clocks:?}");
            }
        }
    }

    #[test]
    fn a_clock_is_not_compared_as_text() {
        check(&["", "9", "10", "1642068000000"]);
        check(&["2022-01-13T10:00:00Z", "2022-01-13T10:00:00.5Z", "2022-01-13T12:00:00+01:00"]);
        check(&["2022-01-13", "2022-01-13 09:00:00", "2022-01-13T10:00:00.000+0000", "2022-01-14"]);
    }
}
