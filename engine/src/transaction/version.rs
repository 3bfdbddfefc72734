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
    let order = match (old.field(Field::Updated), new.field(Field::Updated)) {
        (Some(old), Some(new)) => new.cmp(&old),
        _ => Ordering::Greater,
    };
    // Equal clocks and different content: the larger content wins, so that every order of arrival
    // ends at the same version.
    order.then_with(|| new.content().cmp(&old.content()))
}
