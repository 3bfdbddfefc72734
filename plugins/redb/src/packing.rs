//! Rows in full pages: those that are appended, and all of a file that is compacted.
//!
//! A row that is inserted splits a full page into two half full ones, and rows that come in the order of
//! their keys never fill them again. What is put behind the last row of a table goes through a cursor
//! instead, which fills each page. Called by commits and by `compact`.

use std::ops::Bound;

use accredit_seams::store::{RowChange, StoreError, StoreTable};
use redb::{Database, ReadableTable, Table, TableDefinition, WriteTransaction};

use crate::{store_error, table_definition};

/// A table of rows that are bytes, open for writing.
type WrittenTable<'t> = Table<'t, &'static [u8], &'static [u8]>;

/// Where the rows of a table are while it is written anew.
const ANEW: TableDefinition<'static, &'static [u8], &'static [u8]> = TableDefinition::new("anew");

/// Makes the changes of a table in their order.
pub(crate) fn change_rows(
    table: &mut WrittenTable<'_>,
    changes: &[&RowChange],
) -> Result<(), StoreError> {
    let last = table.last().map_err(store_error)?;
    let mut last = last.map(|(key, _)| key.value().to_vec());

    let mut rest = changes;
    while let Some((change, others)) = rest.split_first() {
        let (appended, behind) = rest.split_at(count_appended(last.as_deref(), rest));
        if let Some(end) = appended.last() {
            append_rows(table, appended)?;
            last = Some(end.key.clone());
            rest = behind;
            continue;
        }

        let key = change.key.as_slice();
        match &change.value {
            Some(value) => table.insert(key, value.as_slice()).map_err(store_error)?,
            None => table.remove(key).map_err(store_error)?,
        };
        rest = others;
    }
    Ok(())
}

/// How many of the first changes put rows behind the last one of a table, one behind the other. A last
/// row that was deleted meanwhile only makes them fewer.
fn count_appended<'c>(mut last: Option<&'c [u8]>, changes: &'c [&RowChange]) -> usize {
    let mut count = 0;
    for change in changes {
        let key = change.key.as_slice();
        if change.value.is_none() || last.is_some_and(|last| key <= last) {
            break;
        }
        last = Some(key);
        count += 1;
    }
    count
}

fn append_rows(table: &mut WrittenTable<'_>, rows: &[&RowChange]) -> Result<(), StoreError> {
    let end = Bound::<&[u8]>::Unbounded;
    let mut cursor = table.upper_bound_mut(end).map_err(store_error)?;
    for row in rows {
        let value = row.value.as_deref().unwrap_or_default();
        cursor.insert_before(row.key.as_slice(), value).map_err(store_error)?;
    }
    cursor.close().map_err(store_error)
}

/// Writes every table anew, in full pages, a table in a commit.
pub(crate) fn write_tables_anew(database: &Database) -> Result<(), StoreError> {
    for (table, _) in StoreTable::ALL {
        let mut transaction = database.begin_write().map_err(store_error)?;
        transaction.set_quick_repair(true);
        write_table_anew(&transaction, table)?;
        transaction.commit().map_err(store_error)?;
    }
    Ok(())
}

fn write_table_anew(transaction: &WriteTransaction, table: StoreTable) -> Result<(), StoreError> {
    let former = transaction.open_table(table_definition(table)).map_err(store_error)?;
    let mut anew = transaction.open_table(ANEW).map_err(store_error)?;

    let end = Bound::<&[u8]>::Unbounded;
    let mut cursor = anew.upper_bound_mut(end).map_err(store_error)?;
    for row in former.iter().map_err(store_error)? {
        let (key, value) = row.map_err(store_error)?;
        cursor.insert_before(key.value(), value.value()).map_err(store_error)?;
    }
    cursor.close().map_err(store_error)?;
    drop((former, anew));

    transaction.delete_table(table_definition(table)).map_err(store_error)?;
    transaction.rename_table(ANEW, table_definition(table)).map_err(store_error)
}
