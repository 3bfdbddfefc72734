//! A store in memory: for tests and for trying things out.

use std::collections::BTreeMap;
use std::sync::{Arc, RwLock};

use super::{Snapshot, Store, StoreError, StoreRow, StoreTable, WriteBatch};

type TableRows = BTreeMap<(StoreTable, Vec<u8>), Vec<u8>>;

/// Rows in a map that a commit replaces.
#[derive(Debug, Default)]
pub struct MemoryStore {
    tables: RwLock<Arc<TableRows>>,
}

struct MemorySnapshot(Arc<TableRows>);

impl MemoryStore {
    fn current_rows(&self) -> Arc<TableRows> {
        // A panic cannot leave the map half written: commits build a new one and swap it in.
        Arc::clone(&self.tables.read().unwrap_or_else(std::sync::PoisonError::into_inner))
    }
}

impl Store for MemoryStore {
    fn snapshot(&self) -> Result<Box<dyn Snapshot>, StoreError> {
        Ok(Box::new(MemorySnapshot(self.current_rows())))
    }

    fn commit(&self, batch: &WriteBatch) -> Result<(), StoreError> {
        let mut current = self.tables.write().unwrap_or_else(std::sync::PoisonError::into_inner);

        let holds = |(table, key, value): (StoreTable, &Vec<u8>, &Option<Vec<u8>>)| {
            current.get(&(table, key.clone())) == value.as_ref()
        };

        if !batch.expected.iter().all(|e| holds((e.table, &e.key, &e.value))) {
            return Err(StoreError::Conflict);
        }

        // Snapshots hold the old tables: a commit puts new ones in their place and changes none.
        let mut next = TableRows::clone(&current);
        for change in &batch.changes {
            let key = (change.table, change.key.clone());
            match &change.value {
                Some(value) => next.insert(key, value.clone()),
                None => next.remove(&key),
            };
        }

        *current = Arc::new(next);
        Ok(())
    }
}

impl Snapshot for MemorySnapshot {
    fn get(&self, table: StoreTable, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.0.get(&(table, key.to_vec())).cloned())
    }

    fn scan_prefix(
        &self,
        table: StoreTable,
        prefix: &[u8],
        from: &[u8],
        limit: usize,
    ) -> Result<Vec<StoreRow>, StoreError> {
        let start = (table, from.max(prefix).to_vec());
        let rows = self.0.range(start..);
        // All tables are in one map, so a scan ends with its table as well as with its prefix.
        let inside = rows.take_while(|((t, key), _)| *t == table && key.starts_with(prefix));
        Ok(inside.take(limit).map(|((_, key), value)| (key.clone(), value.clone())).collect())
    }

    fn last_row(&self, table: StoreTable) -> Result<Option<StoreRow>, StoreError> {
        let rows = self.0.range((table, Vec::new())..).take_while(|((t, _), _)| *t == table);
        Ok(rows.last().map(|((_, key), value)| (key.clone(), value.clone())))
    }

    fn row_count(&self, table: StoreTable) -> Result<u64, StoreError> {
        let rows = self.0.range((table, Vec::new())..).take_while(|((t, _), _)| *t == table);
        Ok(rows.count() as u64)
    }
}
