//! The store on a file and on disks that fail: what is refused, what recovers by itself.

use accredit_seams::store::conformance::check_store;
use accredit_seams::store::{Store, StoreError, StoreTable, WriteBatch};

use super::failing::FailingDisk as Disk;
use super::*;

/// Rows that were inserted in the order of their keys left every page half empty.
#[test]
fn appended_and_compacted_rows_fill_their_pages() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("packed.redb");
    let store = RedbStore::open(&path).unwrap();
    let value = |number: u32| vec![7; 200 + number as usize % 90];
    let numbers = || (0..8000_u32).map(|number| number.wrapping_mul(2_654_435_761));

    for chunk in numbers().collect::<Vec<_>>().chunks(1000) {
        let mut batch = WriteBatch::default();
        for (place, number) in chunk.iter().enumerate() {
            batch.put_row(StoreTable::Blocks, number.to_be_bytes(), value(*number));
            // A row that is put twice, and one that is deleted again, between others that are appended.
            batch.put_row(StoreTable::Inbox, place.to_be_bytes(), value(1));
            batch.put_row(StoreTable::Inbox, place.to_be_bytes(), value(*number));
            if place % 7 == 0 {
                batch.delete_row(StoreTable::Inbox, place.to_be_bytes());
            }
        }
        store.commit(&batch).unwrap();
    }

    let rows = |store: &RedbStore, table| {
        store.snapshot().unwrap().scan_prefix(table, b"", b"", usize::MAX).unwrap()
    };
    let before = [StoreTable::Blocks, StoreTable::Inbox].map(|table| rows(&store, table));
    let last = numbers().skip(7000).enumerate().filter(|(place, _)| place % 7 != 0);
    let last = last.map(|(place, number)| (place.to_be_bytes().to_vec(), value(number)));
    assert_eq!(before[1], last.collect::<Vec<_>>());
    assert_eq!(before[0].len(), 8000);

    store.compact().unwrap();
    let after = [StoreTable::Blocks, StoreTable::Inbox].map(|table| rows(&store, table));
    assert_eq!(after, before);
    let bytes: usize = before.iter().flatten().map(|(key, value)| key.len() + value.len()).sum();
    drop(store);
    let file = std::fs::metadata(&path).unwrap().len() as usize;
    assert!(file < bytes * 5 / 4, "{file} bytes for {bytes}");
    let again = RedbStore::open(&path).unwrap();
    assert_eq!(rows(&again, StoreTable::Blocks), before[0]);
}

#[test]
fn redb_conforms() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.redb");
    let store = RedbStore::open(&path).unwrap();
    check_store(&store).unwrap();
    assert!(matches!(RedbStore::open(&path), Err(StoreError::Busy)));
    drop(store);
    let again = RedbStore::open(&path).unwrap();
    let kept = again.snapshot().unwrap().get(StoreTable::Keys, b"b").unwrap();
    assert_eq!(kept.as_deref(), Some(&b"second"[..]));
}

/// A commit of one row that holds its number, and of another that is large.
fn row(number: u32) -> WriteBatch {
    let mut batch = WriteBatch::default();
    batch.put_row(StoreTable::Keys, number.to_be_bytes(), number.to_string());
    batch.put_row(StoreTable::Blocks, number.to_be_bytes(), vec![7; 3000]);
    batch
}

fn rows(store: &RedbStore) -> Vec<u32> {
    let rows =
        store.snapshot().unwrap().scan_prefix(StoreTable::Keys, b"", b"", usize::MAX).unwrap();
    rows.into_iter().map(|(key, _)| u32::from_be_bytes(key.try_into().unwrap())).collect()
}

/// One operation of the disk failed, and the store refused every commit from then on, while the
/// server went on saying that it was ready. Now each operation fails once in turn: the commit is
/// there, or its error says that it is not, and the next one succeeds.
#[test]
fn an_error_at_any_operation_costs_one_commit_at_most() {
    let mut fail_at = 0;
    loop {
        let disk = Disk::default();
        let handle = disk.clone();
        let store = RedbStore::with_backends(move || handle.clone()).unwrap();
        store.commit(&row(0)).unwrap();

        disk.fail_once_after(fail_at);
        let mut expected = vec![0];
        for number in 1..6 {
            match store.commit(&row(number)) {
                Ok(()) => expected.push(number),
                Err(error) => assert!(matches!(error, StoreError::Failed(_)), "{fail_at}: {error}"),
            }
        }
        assert_eq!(rows(&store), expected, "operation {fail_at}");
        assert!(expected.len() >= 5, "operation {fail_at}: {expected:?}");
        assert!(store.check_health().is_ok(), "operation {fail_at}");
        if !disk.has_failed() {
            break;
        }
        fail_at += 1;
    }
    assert!(fail_at > 20, "the commits made {fail_at} operations");
}

/// A full disk needed a restart after there was room again.
#[test]
fn a_full_disk_is_a_fault_until_there_is_room() {
    let disk = Disk::default();
    let handle = disk.clone();
    let store = RedbStore::with_backends(move || handle.clone()).unwrap();
    store.commit(&row(0)).unwrap();

    disk.limit_bytes(Some(disk.file_bytes()));
    let mut large = WriteBatch::default();
    large.put_row(StoreTable::Blocks, "large", vec![1; 8 << 20]);
    let refused = store.commit(&large);
    assert!(matches!(refused, Err(StoreError::Failed(_))), "{refused:?}");
    assert!(store.check_health().unwrap_err().to_string().contains("could not be written"));
    assert!(store.probe_writing().is_err(), "a small write would succeed, one as large does not");
    assert!(store.check_health().is_err());
    assert_eq!(rows(&store), [0], "it is read all the same");

    disk.limit_bytes(None);
    store.probe_writing().unwrap();
    store.check_health().unwrap();
    store.commit(&large).unwrap();
}

#[test]
fn a_read_that_fails_is_a_fault_until_a_write_succeeds() {
    let disk = Disk::default();
    let handle = disk.clone();
    let store = RedbStore::with_backends(move || handle.clone()).unwrap();
    for number in 0..4000 {
        let mut batch = WriteBatch::default();
        batch.put_row(StoreTable::Keys, u32::to_be_bytes(number), "x");
        batch.put_row(StoreTable::Blocks, u32::to_be_bytes(number), vec![7; 9000]);
        if number % 1000 == 0 {
            store.commit(&batch).unwrap();
        }
    }
    disk.fail_reads(true);
    store.trouble.set_latched(true);
    assert!(store.snapshot().is_err());
    disk.fail_reads(false);
    std::thread::sleep(std::time::Duration::from_millis(250));
    assert_eq!(rows(&store).len(), 4);
}

/// The file was deleted under the server, and deliveries went on being acknowledged into nothing.
#[test]
fn a_file_that_is_gone_takes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let (path, aside) = (dir.path().join("a.redb"), dir.path().join("aside"));
    let store = RedbStore::open(&path).unwrap();
    store.commit(&row(0)).unwrap();

    std::fs::rename(&path, &aside).unwrap();
    assert!(matches!(store.commit(&row(1)), Err(StoreError::Failed(_))));
    assert!(store.check_health().unwrap_err().to_string().contains("is gone"));

    std::fs::write(&path, "").unwrap();
    assert!(matches!(store.commit(&row(1)), Err(StoreError::Failed(_))));
    assert!(store.check_health().unwrap_err().to_string().contains("another file"));

    std::fs::rename(&aside, &path).unwrap();
    store.check_health().unwrap();
    store.commit(&row(2)).unwrap();
    assert_eq!(rows(&store), [0, 2]);
}

#[test]
fn a_file_can_be_opened_for_reading_alone() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.redb");
    RedbStore::open(&path).unwrap().commit(&row(1)).unwrap();

    let before = std::fs::read(&path).unwrap();

    let store = RedbStore::open_read_only(&path).unwrap();
    assert_eq!(rows(&store), [1]);
    store.commit(&row(2)).unwrap();
    assert_eq!(rows(&store), [1, 2], "what is written stays in memory");
    assert!(matches!(RedbStore::open(&path), Err(StoreError::Busy)));
    drop(store);
    assert_eq!(std::fs::read(&path).unwrap(), before);
}
