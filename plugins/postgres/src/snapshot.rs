//! A snapshot: a read-only transaction, which is ended when the snapshot is dropped.

use std::cell::Cell;
use std::collections::HashMap;
use std::sync::Arc;

use accredit_seams::store::{Snapshot, StoreError, StoreRow, StoreTable};
use tokio_postgres::types::ToSql;
use tokio_postgres::{Row, SimpleQueryMessage};

use crate::SharedParts;
use crate::connection::{Connection, await_answer};
use crate::failure::AskError;
use crate::schema::{self, STORE_VERSION};
use crate::statements::{RowStatement, end_of_prefix};

/// The moment is that of the first row that is read: reading one is part of the beginning.
const BEGIN: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; \
                     SELECT version, commits FROM accredit_store WHERE name = 'store'";

/// A read-only transaction.
pub(crate) struct PostgresSnapshot {
    shared: Arc<SharedParts>,
    /// None once it is dropped.
    connection: Option<Connection>,
    is_lost: Cell<bool>,
    commits: u64,
}

impl PostgresSnapshot {
    pub(crate) fn begin(shared: &Arc<SharedParts>) -> Result<PostgresSnapshot, StoreError> {
        let begun = PostgresSnapshot::try_begin(shared);
        match &begun {
            Ok(_) => shared.trouble.clear_read_failure(),
            Err(error) => shared.trouble.read_failed(error),
        }
        begun
    }

    fn try_begin(shared: &Arc<SharedParts>) -> Result<PostgresSnapshot, StoreError> {
        loop {
            let (connection, is_new) = shared.pool.take(&shared.connector)?;
            let begun = await_answer(connection.client.simple_query(BEGIN));
            let mut snapshot = PostgresSnapshot {
                shared: Arc::clone(shared),
                connection: Some(connection),
                is_lost: Cell::new(false),
                commits: 0,
            };
            match begun {
                Ok(answer) => {
                    snapshot.commits = read_state(&answer, shared)?;
                    return Ok(snapshot);
                }
                // The server has ended kept connections, as at its restart: a new one tells.
                Err(error) if !is_new && error.is_lost() => {
                    snapshot.is_lost.set(true);
                    drop(snapshot);
                    shared.pool.forget_idle();
                }
                Err(error) => {
                    snapshot.is_lost.set(error.is_lost());
                    return Err(error.to_store_error(shared.connector.settings()));
                }
            }
        }
    }

    /// How many commits there were before it.
    pub(crate) fn commit_count(&self) -> u64 {
        self.commits
    }

    fn ask(
        &self,
        table: StoreTable,
        kind: RowStatement,
        parameters: &[&(dyn ToSql + Sync)],
    ) -> Result<Vec<Row>, StoreError> {
        let ended = || StoreError::Failed("the view has ended".to_owned());
        let connection = self.connection.as_ref().ok_or_else(ended)?;
        let statement = connection.statement(table, kind).map_err(|error| self.failed(&error))?;
        let rows = await_answer(connection.client.query(&statement, parameters));
        rows.map_err(|error| self.failed(&error))
    }

    fn failed(&self, error: &AskError) -> StoreError {
        self.is_lost.set(self.is_lost.get() || error.is_lost());
        let error = error.to_store_error(self.shared.connector.settings());
        self.shared.trouble.read_failed(&error);
        error
    }

    fn read<'a, T: tokio_postgres::types::FromSql<'a>>(
        &self,
        row: &'a Row,
        column: usize,
    ) -> Result<T, StoreError> {
        row.try_get(column).map_err(|error| self.failed(&error.into()))
    }

    fn read_rows(&self, rows: &[Row]) -> Result<Vec<StoreRow>, StoreError> {
        rows.iter().map(|row| Ok((self.read(row, 0)?, self.read(row, 1)?))).collect()
    }
}

/// The number of commits; an error where the database is of another version.
fn read_state(answer: &[SimpleQueryMessage], shared: &SharedParts) -> Result<u64, StoreError> {
    let row = schema::first_row(answer);
    let number = |column| row.and_then(|row| row.get(column)).and_then(|text| text.parse().ok());
    let version: Option<i64> = number(0).map(|version: u64| version.cast_signed());
    if version != Some(STORE_VERSION) {
        return Err(schema::version_error(version, shared.connector.settings()));
    }
    Ok(number(1).unwrap_or_default())
}

impl Drop for PostgresSnapshot {
    fn drop(&mut self) {
        let kept = self.connection.take().filter(|_| !self.is_lost.get());
        if let Some(connection) = &kept {
            connection.roll_back_later();
        }
        self.shared.pool.give_back(kept);
    }
}

impl Snapshot for PostgresSnapshot {
    fn get(&self, table: StoreTable, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        let rows = self.ask(table, RowStatement::Get, &[&key])?;
        rows.first().map(|row| self.read(row, 0)).transpose()
    }

    fn get_many(
        &self,
        table: StoreTable,
        keys: &[Vec<u8>],
    ) -> Result<Vec<Option<Vec<u8>>>, StoreError> {
        if let [only] = keys {
            return Ok(vec![self.get(table, only)?]);
        }
        if keys.is_empty() {
            return Ok(Vec::new());
        }
        let rows = self.ask(table, RowStatement::GetMany, &[&keys])?;
        let found: HashMap<Vec<u8>, Vec<u8>> = self.read_rows(&rows)?.into_iter().collect();
        // A key may be asked for twice.
        Ok(keys.iter().map(|key| found.get(key).cloned()).collect())
    }

    fn scan_prefix(
        &self,
        table: StoreTable,
        prefix: &[u8],
        from: &[u8],
        limit: usize,
    ) -> Result<Vec<StoreRow>, StoreError> {
        let start = from.max(prefix);
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let rows = match end_of_prefix(prefix) {
            Some(end) => self.ask(table, RowStatement::ScanBetween, &[&start, &end, &limit])?,
            None => self.ask(table, RowStatement::ScanFrom, &[&start, &limit])?,
        };
        let mut rows = self.read_rows(&rows)?;
        // A prefix of the highest bytes alone has no end in front of other keys.
        rows.retain(|(key, _)| key.starts_with(prefix));
        Ok(rows)
    }

    fn last_row(&self, table: StoreTable) -> Result<Option<StoreRow>, StoreError> {
        let rows = self.ask(table, RowStatement::Last, &[])?;
        Ok(self.read_rows(&rows)?.pop())
    }

    fn row_count(&self, table: StoreTable) -> Result<u64, StoreError> {
        let rows = self.ask(table, RowStatement::Count, &[])?;
        let count: Option<i64> = rows.first().map(|row| self.read(row, 0)).transpose()?;
        Ok(count.map_or(0, i64::cast_unsigned))
    }
}
