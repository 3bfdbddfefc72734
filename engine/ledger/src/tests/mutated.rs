//! Rows and dumps that say what no commit wrote, with a seal or a hash that is right: a fault of a
//! program, or an attacker.
//!
//! Bits that flip on a disk break the seal, and are found before a row is read. Called by nobody.

use accredit_fuzz::{Mutator, fuzz_target};

use super::*;
use crate::deals::DealQuery;
use crate::dump::{check_dump_trail, restore_dump};
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

/// A dump of these rows.
fn dump_of(rows: &[(StoreTable, Vec<u8>, Vec<u8>)]) -> String {
    let mut batch = WriteBatch::default();
    for (table, key, value) in rows {
        batch.put_row(*table, key.clone(), value.clone());
    }
    let store = Arc::new(MemoryStore::default());
    store.commit(&batch).unwrap();

    let mut dump = Vec::new();
    Ledger::new(store).dump("0.0.0", false, &mut dump).unwrap();
    String::from_utf8(dump).unwrap()
}

/// Lines with a last one that says how many rows they are and what their hash is.
fn with_last_line(lines: &str) -> String {
    let rows = lines.lines().count().saturating_sub(1);
    let hash = blake3::hash(lines.as_bytes()).to_hex();
    format!("{lines}{{\"rows\":{rows},\"skipped\":0,\"blake3\":\"{hash}\"}}\n")
}

#[test]
fn a_changed_dump_is_refused_or_restored() {
    let dump = dump_of(&rows_of_a_ledger());
    let (lines, _) = dump.trim_end().rsplit_once('\n').unwrap();
    let lines: Vec<&str> = lines.lines().collect();
    assert_eq!(with_last_line(&(lines.join("\n") + "\n")), dump, "the last line is that of a dump");
    fuzz_target!(|bytes: &[u8]| {
        let mut mutator = Mutator::new(bytes);
        let place = mutator.choices.below(lines.len());
        let changed = mutator.changed_text(&lines[place..=place]);
        let mut text = String::new();
        for (number, line) in lines.iter().enumerate() {
            text.push_str(if number == place { &changed } else { line });
            text.push('\n');
        }
        let text = with_last_line(&text);

        let _trail = check_dump_trail(&mut text.as_bytes(), None, &[]);
        let store = Arc::new(MemoryStore::default());
        let into = Arc::clone(&store) as Arc<dyn Store>;
        if restore_dump(into, &mut text.as_bytes()).is_ok() {
            read_everything(&Ledger::new(store));
        }
    });
}
