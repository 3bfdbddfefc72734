//! What the readers asked for, table by table: for the test that compares it with the schema.
//!
//! Not part of the program. Called by `Table::finish` in tests.

use std::cell::RefCell;
use std::collections::BTreeSet;

thread_local! {
    static TABLES: RefCell<BTreeSet<BTreeSet<&'static str>>> = const { RefCell::new(BTreeSet::new()) };
}

/// A table was read: these keys would have been understood.
pub(super) fn note_keys<'a>(keys: impl Iterator<Item = &'a &'static str>) {
    TABLES.with_borrow_mut(|tables| tables.insert(keys.copied().collect()));
}

/// Forgets the keys that were asked for so far.
pub(crate) fn forget_tables() {
    TABLES.with_borrow_mut(BTreeSet::clear);
}

/// The tables that were read on this thread.
pub(crate) fn tables_read() -> Vec<BTreeSet<&'static str>> {
    TABLES.with_borrow(|tables| tables.iter().cloned().collect())
}
