//! A store in memory: for tests and for trying things out.

use std::collections::BTreeMap;
use std::sync::{Arc, RwLock};

use super::{Batch, Error, Row, Snapshot, Store, Table};

type Tables = BTreeMap<(Table, Vec<u8>), Vec<u8>>;

/// Rows in a map that a commit replaces.
#[derive(Debug, Default)]
pub struct Memory {
    tables: RwLock<Arc<Tables>>,
}

struct View(Arc<Tables>);

impl Memory {
    fn current(&self) -> Arc<Tables> {
        // A panic cannot leave the map half written: commits build a new one and swap it in.
        Arc::clone(&self.tables.read().unwrap_or_else(std::sync::PoisonError::into_inner))
    }
}

impl Store for Memory {
    fn snapshot(&self) -> Result<Box<dyn Snapshot>, Error> {
        Ok(Box::new(View(self.current())))
    }

    fn commit(&self, batch: &Batch) -> Result<(), Error> {
        let mut current = self.tables.write().unwrap_or_else(std::sync::PoisonError::into_inner);

        let holds = |(table, key, value): (Table, &Vec<u8>, &Option<Vec<u8>>)| {
            current.get(&(table, key.clone())) == value.as_ref()
        };

        if !batch.expected.iter().all(|e| holds((e.table, &e.key, &e.value))) {
            return Err(Error::Conflict);
        }

        // Snapshots hold the old tables: a commit puts new ones in their place and changes none.
        let mut next = Tables::clone(&current);
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

impl Snapshot for View {
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, Error> {
        Ok(self.0.get(&(table, key.to_vec())).cloned())
    }

    fn scan(
        &self,
        table: Table,
        prefix: &[u8],
        from: &[u8],
        limit: usize,
    ) -> Result<Vec<Row>, Error> {
        let start = (table, from.max(prefix).to_vec());
        let rows = self.0.range(start..);
        // All tables are in one map, so a scan ends with its table as well as with its prefix.
        let inside = rows.take_while(|((t, key), _)| *t == table && key.starts_with(prefix));
        Ok(inside.take(limit).map(|((_, key), value)| (key.clone(), value.clone())).collect())
    }

    fn last(&self, table: Table) -> Result<Option<Row>, Error> {
        let rows = self.0.range((table, Vec::new())..).take_while(|((t, _), _)| *t == table);
        Ok(rows.last().map(|((_, key), value)| (key.clone(), value.clone())))
    }
}
