//! Files of the former layout, with blocks of 64 deals, become files of today.

use std::sync::Mutex;

use super::*;
use accredit_seams::store::{Snapshot, Store, StoreError, StoreTable, WriteBatch};

/// How many deals the former file has: several blocks, more than are moved in one commit.
const DEALS: u64 = 64 * 70;

/// A sealed row of a former file.
fn put_former(batch: &mut WriteBatch, table: StoreTable, key: Vec<u8>, value: &[u8]) {
    let sealed = with_seal(table, &key, value);
    batch.put_row(table, key, sealed);
}

fn former_deal(number: u64) -> TransactionRecord {
    let id = format!("D{number}");
    let credits = vec![
        credit(&id, ["ann", "bob"][(number % 2) as usize], 5, "active"),
        credit(&id, "max", 2, if number.is_multiple_of(5) { "held" } else { "active" }),
    ];
    let decisions = vec![decision(&id, DecisionOutcome::Credited, credits)];
    TransactionRecord {
        number,
        decisions,
        ..TransactionRecord::first_version(id.clone(), record(&id, 5), 1)
    }
}

/// A file as the former layout had it.
fn former_store() -> MemoryStore {
    let store = MemoryStore::default();
    let mut batch = WriteBatch::default();
    put_former(&mut batch, StoreTable::Meta, b"sealed".to_vec(), b"1");

    let deals: Vec<TransactionRecord> = (0..DEALS).map(former_deal).collect();
    let mut counts = LedgerCounts::default();
    for (number, block) in deals.chunks(64).enumerate() {
        let key = codec::number_key(number as u64).to_vec();
        put_former(&mut batch, StoreTable::Blocks, key, &codec::pack_row(&block).unwrap());
        for stored in block {
            let number = codec::number_key(stored.number);
            put_former(&mut batch, StoreTable::Keys, record::natural_key(&stored.id), &number);
            counts.transactions += 1;
            counts.add_decisions(&stored.decisions, 1);
            for key in record::hold_keys(stored.number, &stored.decisions) {
                put_former(&mut batch, StoreTable::Holds, key, b"");
            }
        }
    }
    for row in 0..5000_u32 {
        let key = [b"ann\x002026-03\x00", &row.to_be_bytes()[..]].concat();
        put_former(&mut batch, StoreTable::Segments, key, b"\x02former statements");
    }

    let counts = codec::pack_row(&counts).unwrap();
    put_former(&mut batch, StoreTable::Meta, b"counts".to_vec(), &counts);
    let next = codec::number_key(DEALS);
    put_former(&mut batch, StoreTable::Meta, b"next_transaction".to_vec(), &next);
    store.commit(&batch).unwrap();
    store
}

/// A store whose commits fail after some.
struct Stopping(Arc<MemoryStore>, Mutex<u32>);

impl Store for Stopping {
    fn snapshot(&self) -> LedgerResult<Box<dyn Snapshot>> {
        self.0.snapshot()
    }

    fn commit(&self, batch: &WriteBatch) -> LedgerResult<()> {
        let mut left = self.1.lock().unwrap();
        *left = left.checked_sub(1).ok_or_else(|| StoreError::Failed("no power".to_owned()))?;
        self.0.commit(batch)
    }
}

fn is_empty(store: &MemoryStore, table: StoreTable) -> bool {
    store.snapshot().unwrap().last_row(table).unwrap().is_none()
}

fn assert_whole(ledger: &Ledger) {
    assert_eq!(ledger.find_damage().unwrap(), Vec::<String>::new());
    for number in [0, 63, 64, DEALS - 1] {
        let stored = ledger.find_transaction(&format!("D{number}")).unwrap();
        assert_eq!(stored, Some(former_deal(number)));
    }
    let query = CreditQuery {
        payee: Some("ann".to_owned()),
        periods: Some(vec!["2026-03".into()]),
        limit: usize::MAX,
        ..CreditQuery::within(ReadScope::All)
    };
    assert_eq!(ledger.credit_page(&query).unwrap().rows.len() as u64, DEALS / 2);
}

/// A stop between two commits must neither lose a deal nor leave it twice.
#[test]
fn moving_goes_on_where_a_stop_interrupted_it() {
    let (mut commits, mut is_done) = (0, false);
    while !is_done {
        let store = Arc::new(former_store());
        let stopping = Stopping(Arc::clone(&store), Mutex::new(commits));
        is_done = Ledger::open(Arc::new(stopping)).is_ok();

        let ledger = Ledger::open(Arc::clone(&store) as Arc<dyn Store>).unwrap();
        assert_whole(&ledger);
        assert!(is_empty(&store, StoreTable::Blocks) && is_empty(&store, StoreTable::Segments));
        commits += 1;
    }
    assert!(commits > 4, "{commits}");
}

/// The version of the program that wrote the former layout must not take the file for an empty one.
#[test]
fn a_former_version_refuses_a_file_of_today() {
    let store = Arc::new(former_store());
    Ledger::open(Arc::clone(&store) as Arc<dyn Store>).unwrap();
    let mark = store.snapshot().unwrap().get(StoreTable::Meta, b"sealed").unwrap().unwrap();
    // It knows `1`, and what begins with `to`.
    assert_eq!(&mark[..mark.len() - SEAL_BYTES], b"2");
}

/// A block that is damaged must not keep the others from being read, and its deals are not gone.
#[test]
fn a_damaged_block_stays_and_is_reported() {
    let store = Arc::new(former_store());
    let key = codec::number_key(1);
    let mut row = store.snapshot().unwrap().get(StoreTable::Blocks, &key).unwrap().unwrap();
    row[100] ^= 1;
    let mut batch = WriteBatch::default();
    batch.put_row(StoreTable::Blocks, key, row);
    store.commit(&batch).unwrap();

    let ledger = Ledger::open(Arc::clone(&store) as Arc<dyn Store>).unwrap();
    assert_eq!(ledger.find_transaction("D63").unwrap(), Some(former_deal(63)));
    assert!(matches!(ledger.find_transaction("D64"), Err(StoreError::Damaged(_))));
    let damage = ledger.find_damage().unwrap().join("\n");
    assert!(damage.contains("transactions 64 to 127"), "{damage}");
    assert!(ledger.health().is_err());
    // Nothing is recorded in the place of what cannot be read.
    assert!(ledger.commit_batch(&work("D64", 1, Vec::new())).is_err());
}
