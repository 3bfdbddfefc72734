//! Rows that say what no commit wrote, with a seal that is right: a fault of a program, or an attacker.
//!
//! Bits that flip on a disk break the seal, and are found before a row is read. Called by nobody.

use accredit_fuzz::{Mutator, fuzz_target};

use super::*;
use crate::deals::DealQuery;
use crate::notes::NoteQuery;

/// A ledger with a few deals, parked ones among them, and deliveries.
fn rows_of_a_ledger() -> Vec<(StoreTable, Vec<u8>, Vec<u8>)> {
    let store = Arc::new(MemoryStore::default());
    let ledger = Ledger::new(Arc::clone(&store) as Arc<dyn Store>);
    ledger.receive_deliveries(&[delivery("m1", "{}"), delivery("m2", "[]")]).unwrap();
    for number in 0..4 {
        let id = format!("D{number}");
        let statuses = ["active", "held", "suppressed"];
        let credits = (0..number).map(|place| {
            credit(&id, &format!("rep {place}"), 10 + place as i64, statuses[place % 3])
        });
        ledger.commit_batch(&work(&id, 100, credits.collect())).unwrap();
    }

    let snapshot = store.snapshot().unwrap();
    let rows = StoreTable::ALL.into_iter().flat_map(|(table, _)| {
        let rows = snapshot.scan_prefix(table, b"", b"", usize::MAX).unwrap();
        rows.into_iter().map(move |(key, value)| (table, key, value))
    });
    rows.collect()
}

/// Reads everything that there is; an error is an answer, and a panic is none.
fn read_everything(ledger: &Ledger) {
    let _damage = ledger.find_damage();
    let _trail = ledger.check_trail(None, &[]);
    let _counts = ledger.counts();
    let _columns = ledger.known_columns();
    let _notes = ledger.note_page(&NoteQuery { limit: 50, ..NoteQuery::default() });
    let _parked = ledger.parked_notes();
    let _pending = ledger.pending_deliveries(50);
    let _letters = ledger.dead_letters(0, 50);
    let _states = ledger.period_states();
    let _holds = ledger.due_holds(date(2026, 12, 31));
    let query = CreditQuery { limit: 50, ..CreditQuery::within(ReadScope::All) };
    let _credits = ledger.credit_page(&query);
    let _deals = ledger.deal_page(&DealQuery { limit: 50, ..DealQuery::default() });
    for number in 0..4 {
        let _deal = ledger.find_transaction(&format!("D{number}"));
    }
}

#[test]
fn a_changed_row_is_an_error_or_an_answer() {
    let rows = rows_of_a_ledger();
    assert!(rows.len() > 20, "{} rows", rows.len());
    fuzz_target!(|bytes: &[u8]| {
        let mut mutator = Mutator::new(bytes);
        let place = mutator.choices.below(rows.len());
        let (table, key, stored) = &rows[place];
        let value = &stored[..stored.len() - SEAL_BYTES];
        let changed = mutator.changed_bytes(value);

        let mut batch = WriteBatch::default();
        for (other, key, value) in &rows {
            batch.put_row(*other, key.clone(), value.clone());
        }
        batch.put_row(*table, key.clone(), with_seal(*table, key, &changed));
        let store = Arc::new(MemoryStore::default());
        store.commit(&batch).unwrap();
        read_everything(&Ledger::new(store));
    });
}
