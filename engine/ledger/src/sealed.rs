//! Rows with a seal: a checksum of table, key and value behind every value, checked when it is read.
//!
//! Not the meaning of rows. One decorator of the store, so that no table can be forgotten; a row
//! that was changed in the file, or that stands under another key, is an error and never an answer.
//! An attacker who can compute the seal can forge a row. The audit trail detects that.
//!
//! **Architecture invariant:** nothing that was read without its seal leaves here, but for those who
//! look for damage (`integrity`).

mod former;

use std::sync::{Arc, Mutex, PoisonError};

use accredit_seams::store::{
    RowChange, Snapshot, Store, StoreError, StoreRow, StoreTable, WriteBatch,
};

use rayon::prelude::*;

use super::LedgerResult;
pub(super) use former::{is_mark, seal_former_rows};

/// Bytes of a seal: the head of a BLAKE3 hash.
pub const SEAL_BYTES: usize = 16;

/// Bytes of a row that is hashed in one piece: a hash of several short ones takes twice as long.
const HASHED_WHOLE_MAX: usize = 4 << 10;

/// Rows from which on several threads make the seals of a commit.
const SHARED_SEALS_MIN: usize = 1024;

fn compute_seal(table: StoreTable, key: &[u8], value: &[u8]) -> [u8; SEAL_BYTES] {
    let parts = [table.table_name().as_bytes(), &(key.len() as u64).to_be_bytes(), key, value];
    let bytes: usize = parts.iter().map(|part| part.len()).sum();

    let hash = if bytes <= HASHED_WHOLE_MAX {
        blake3::hash(&parts.concat())
    } else {
        let mut hasher = blake3::Hasher::new();
        parts.iter().for_each(|part| {
            hasher.update(part);
        });
        hasher.finalize()
    };

    let mut seal = [0; SEAL_BYTES];
    seal.copy_from_slice(hash.as_bytes().split_at(SEAL_BYTES).0);
    seal
}

/// The value followed by its seal, as stored.
pub fn with_seal(table: StoreTable, key: &[u8], value: &[u8]) -> Vec<u8> {
    [value, &compute_seal(table, key, value)].concat()
}

/// The value in front of its seal, and whether the seal is right.
fn split_seal(table: StoreTable, key: &[u8], mut stored: Vec<u8>) -> (Vec<u8>, bool) {
    let Some(length) = stored.len().checked_sub(SEAL_BYTES) else { return (stored, false) };
    let found = stored.split_off(length);
    let is_right = found == compute_seal(table, key, &stored);
    (stored, is_right)
}

/// A key as text, for a message.
fn readable_key(key: &[u8]) -> String {
    let visible = |byte: &u8| byte.is_ascii_graphic();
    if !key.is_empty() && key.iter().all(visible) {
        return String::from_utf8_lossy(key).into_owned();
    }
    key.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What a row is called in messages.
pub(super) fn name_of_row(table: StoreTable, key: &[u8]) -> String {
    format!("row `{}` of table `{}`", readable_key(key), table.table_name())
}

/// The first damage that was met, until the process ends.
type FirstDamage = Arc<Mutex<Option<String>>>;

/// A store whose rows are sealed.
pub(super) struct SealedStore {
    inner: Arc<dyn Store>,
    damage: FirstDamage,
}

impl SealedStore {
    pub(super) fn new(inner: Arc<dyn Store>) -> SealedStore {
        SealedStore { inner, damage: FirstDamage::default() }
    }

    /// A view that gives rows whether or not their seal is right, for those who look for damage.
    pub(super) fn lenient_snapshot(&self) -> LedgerResult<Box<dyn Snapshot>> {
        let inner = self.inner.snapshot()?;
        Ok(Box::new(SealedView { inner, damage: None }))
    }

    /// A view that tells damaged rows from others.
    pub(super) fn checked_snapshot(&self) -> LedgerResult<SealedView> {
        let inner = self.inner.snapshot()?;
        Ok(SealedView { inner, damage: Some(Arc::clone(&self.damage)) })
    }

    /// Rows whose seal is not right, in words.
    ///
    /// # Errors
    /// When the data cannot be read at all.
    pub(super) fn broken_seals(&self) -> LedgerResult<Vec<String>> {
        const PAGE: usize = 1000;
        let snapshot = self.inner.snapshot()?;
        let mut broken = Vec::new();

        for (table, _) in StoreTable::ALL {
            let mut from = Vec::new();
            loop {
                let rows = snapshot.scan_prefix(table, b"", &from, PAGE)?;
                let last = rows.last().map(|(key, _)| [key.as_slice(), &[0]].concat());
                let is_full = rows.len() == PAGE;

                for (key, stored) in rows {
                    let name = name_of_row(table, &key);
                    if !split_seal(table, &key, stored).1 {
                        broken.push(format!("{name} is damaged"));
                    }
                }

                match last {
                    Some(next) if is_full => from = next,
                    _ => break,
                }
            }
        }

        Ok(broken)
    }
}

impl Store for SealedStore {
    fn snapshot(&self) -> LedgerResult<Box<dyn Snapshot>> {
        Ok(Box::new(self.checked_snapshot()?))
    }

    fn commit(&self, batch: &WriteBatch) -> LedgerResult<()> {
        let sealed = |change: &RowChange| {
            let RowChange { table, key, value } = change;
            let value = value.as_ref().map(|value| with_seal(*table, key, value));
            RowChange { table: *table, key: key.clone(), value }
        };
        let expected = batch.expected.iter().map(sealed).collect();
        let changes = if batch.changes.len() < SHARED_SEALS_MIN {
            batch.changes.iter().map(sealed).collect()
        } else {
            batch.changes.par_iter().map(sealed).collect()
        };
        self.inner.commit(&WriteBatch { expected, changes, is_shared: batch.is_shared })
    }

    fn shared_commit_count(&self) -> LedgerResult<Option<u64>> {
        self.inner.shared_commit_count()
    }

    fn check_health(&self) -> LedgerResult<()> {
        self.inner.check_health()?;
        let damage = self.damage.lock().unwrap_or_else(PoisonError::into_inner);
        damage.as_ref().map_or(Ok(()), |what| Err(StoreError::Damaged(what.clone())))
    }

    fn probe_writing(&self) -> LedgerResult<()> {
        self.inner.probe_writing()
    }
}

/// A row that was looked at: its key, and its value or why it cannot be read.
type CheckedRow = (Vec<u8>, LedgerResult<Vec<u8>>);

/// A view of one moment of a sealed store.
pub(super) struct SealedView {
    inner: Box<dyn Snapshot>,
    /// Where damage is noted; none for those who look for it.
    damage: Option<FirstDamage>,
}

impl SealedView {
    fn open_row(&self, table: StoreTable, key: &[u8], stored: Vec<u8>) -> LedgerResult<Vec<u8>> {
        let (value, is_right) = split_seal(table, key, stored);
        let Some(damage) = &self.damage else { return Ok(value) };
        if is_right {
            return Ok(value);
        }
        let name = name_of_row(table, key);
        damage.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert_with(|| name.clone());
        Err(StoreError::Damaged(name))
    }

    /// At most `limit` rows of a table from the key `from` on; the damaged ones as what is wrong.
    pub(super) fn scan_checked(
        &self,
        table: StoreTable,
        from: &[u8],
        limit: usize,
    ) -> LedgerResult<Vec<CheckedRow>> {
        let rows = self.note_damage(self.inner.scan_prefix(table, b"", from, limit))?.into_iter();
        let looked = rows.map(|(key, stored)| {
            let value = self.open_row(table, &key, stored);
            (key, value)
        });
        Ok(looked.collect())
    }

    /// Notes damage that the store below found.
    fn note_damage<T>(&self, read: LedgerResult<T>) -> LedgerResult<T> {
        if let (Err(StoreError::Damaged(what)), Some(damage)) = (&read, &self.damage) {
            let mut damage = damage.lock().unwrap_or_else(PoisonError::into_inner);
            damage.get_or_insert_with(|| what.clone());
        }
        read
    }
}

impl Snapshot for SealedView {
    fn get(&self, table: StoreTable, key: &[u8]) -> LedgerResult<Option<Vec<u8>>> {
        let stored = self.note_damage(self.inner.get(table, key))?;
        stored.map(|stored| self.open_row(table, key, stored)).transpose()
    }

    fn scan_prefix(
        &self,
        table: StoreTable,
        prefix: &[u8],
        from: &[u8],
        limit: usize,
    ) -> LedgerResult<Vec<StoreRow>> {
        let rows =
            self.note_damage(self.inner.scan_prefix(table, prefix, from, limit))?.into_iter();
        let opened = rows.map(|(key, stored)| {
            let value = self.open_row(table, &key, stored)?;
            Ok((key, value))
        });
        opened.collect()
    }

    fn get_many(&self, table: StoreTable, keys: &[Vec<u8>]) -> LedgerResult<Vec<Option<Vec<u8>>>> {
        let stored = self.note_damage(self.inner.get_many(table, keys))?;
        let opened = keys.iter().zip(stored).map(|(key, stored)| {
            stored.map(|stored| self.open_row(table, key, stored)).transpose()
        });
        opened.collect()
    }

    fn last_row(&self, table: StoreTable) -> LedgerResult<Option<StoreRow>> {
        let row = self.note_damage(self.inner.last_row(table))?;
        let Some((key, stored)) = row else { return Ok(None) };
        let value = self.open_row(table, &key, stored)?;
        Ok(Some((key, value)))
    }

    fn row_count(&self, table: StoreTable) -> LedgerResult<u64> {
        self.note_damage(self.inner.row_count(table))
    }
}

#[cfg(test)]
mod tests {
    use accredit_seams::store::conformance;
    use accredit_seams::store::memory::MemoryStore;

    use super::*;

    fn row(table: StoreTable, key: &str, value: &[u8]) -> WriteBatch {
        let mut batch = WriteBatch::default();
        batch.put_row(table, key, value);
        batch
    }

    #[test]
    fn a_sealed_store_conforms() {
        conformance::check_store(&SealedStore::new(Arc::new(MemoryStore::default()))).unwrap();
    }

    /// Eight bytes of a released statement were changed in the file, and the payee was shown
    /// 92,345.07 for 12,345.07: no table but the blocks had a checksum.
    #[test]
    fn a_changed_row_is_an_error_in_every_table_and_at_every_byte() {
        for (table, _) in StoreTable::ALL {
            let memory = Arc::new(MemoryStore::default());
            let store = SealedStore::new(Arc::clone(&memory) as Arc<dyn Store>);
            store.commit(&row(table, "k", b"12345.07")).unwrap();
            let stored = memory.snapshot().unwrap().get(table, b"k").unwrap().unwrap();

            for place in 0..stored.len() {
                let mut changed = stored.clone();
                changed[place] ^= 4;
                memory.commit(&row(table, "k", &changed)).unwrap();
                let store = SealedStore::new(Arc::clone(&memory) as Arc<dyn Store>);
                let view = store.snapshot().unwrap();
                assert!(store.check_health().is_ok());
                assert!(
                    matches!(view.get(table, b"k"), Err(StoreError::Damaged(_))),
                    "{table:?} {place}"
                );
                assert!(matches!(
                    view.scan_prefix(table, b"", b"", 9),
                    Err(StoreError::Damaged(_))
                ));
                assert!(matches!(view.last_row(table), Err(StoreError::Damaged(_))));
                assert!(store.check_health().is_err(), "damage that was met is remembered");
                assert_eq!(store.broken_seals().unwrap().len(), 1);
            }

            // The same bytes under another key are no row of that key.
            memory.commit(&row(table, "other", &stored)).unwrap();
            let view = SealedStore::new(memory).snapshot().unwrap();
            assert!(matches!(view.get(table, b"other"), Err(StoreError::Damaged(_))));
        }
    }

    #[test]
    fn rows_of_a_former_file_are_sealed_once() {
        let memory = Arc::new(MemoryStore::default());
        memory.commit(&row(StoreTable::Keys, "k", b"value")).unwrap();
        seal_former_rows(&*memory).unwrap();
        seal_former_rows(&*memory).unwrap();

        let store = SealedStore::new(memory);
        let view = store.snapshot().unwrap();
        assert_eq!(view.get(StoreTable::Keys, b"k").unwrap().as_deref(), Some(&b"value"[..]));
        assert!(store.broken_seals().unwrap().is_empty());
    }

    /// A memory whose commits fail after some.
    struct Failing(MemoryStore, Mutex<u32>);

    impl Store for Failing {
        fn snapshot(&self) -> LedgerResult<Box<dyn Snapshot>> {
            self.0.snapshot()
        }

        fn commit(&self, batch: &WriteBatch) -> LedgerResult<()> {
            let mut left = self.1.lock().unwrap();
            *left = left.checked_sub(1).ok_or_else(|| StoreError::Failed("no power".to_owned()))?;
            self.0.commit(batch)
        }
    }

    /// A stop between two of its commits must neither leave rows without seals nor seal one twice.
    #[test]
    fn sealing_goes_on_where_a_stop_interrupted_it() {
        let mut commits = 0;
        let mut is_done = false;
        while !is_done {
            let memory = MemoryStore::default();
            for (number, (table, _)) in StoreTable::ALL.iter().enumerate() {
                memory.commit(&row(*table, &format!("k{number}"), b"value")).unwrap();
                memory.commit(&row(*table, "zz", b"")).unwrap();
            }
            let store = Failing(memory, Mutex::new(commits));
            is_done = seal_former_rows(&store).is_ok();

            *store.1.lock().unwrap() = u32::MAX;
            seal_former_rows(&store).unwrap();
            let store = SealedStore::new(Arc::new(store.0));
            assert_eq!(store.broken_seals().unwrap(), Vec::<String>::new(), "after {commits}");
            let view = store.snapshot().unwrap();
            assert_eq!(view.get(StoreTable::Keys, b"zz").unwrap().as_deref(), Some(&b""[..]));
            assert_eq!(view.get(StoreTable::Meta, b"k0").unwrap().as_deref(), Some(&b"value"[..]));
            commits += 1;
        }
        assert!(commits > 30, "{commits}");
    }

    /// Without its mark a file of today would be taken for a former one, and be sealed twice.
    #[test]
    fn a_file_with_seals_and_without_their_mark_is_damaged() {
        let memory = Arc::new(MemoryStore::default());
        seal_former_rows(&*memory).unwrap();
        let store = SealedStore::new(Arc::clone(&memory) as Arc<dyn Store>);
        store.commit(&row(StoreTable::Keys, "k", b"value")).unwrap();

        let mut batch = WriteBatch::default();
        batch.delete_row(StoreTable::Meta, "sealed");
        memory.commit(&batch).unwrap();
        assert!(matches!(seal_former_rows(&*memory), Err(StoreError::Damaged(_))));
    }
}
