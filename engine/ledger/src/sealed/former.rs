//! Rows that version 0.1.0 wrote without seals get them, a few in a commit.
//!
//! The mark in `Meta` says how far that is. It is written in the commit of the rows that it speaks
//! of, so that a stop in the middle loses nothing and the next process continues.
//!
//! **Architecture invariant:** no row is sealed twice: a file that has seals and no mark is damaged.

use accredit_seams::store::{Snapshot, Store, StoreError, StoreTable, WriteBatch};

use super::{name_of_row, split_seal, with_seal};
use crate::LedgerResult;

/// The key of the row that marks the store as sealed. Files of version 0.1.0 do not have this row.
const SEALED_MARK: &[u8] = b"sealed";

/// What the mark says when every row is, and deals have rows of their own or get them at the next start
/// (`layout`). Versions of the program that do not know such rows refuse the file.
const ALL_ROWS: &[u8] = b"2";

/// What it said when every row was sealed and deals stood in blocks.
const ALL_ROWS_IN_BLOCKS: &[u8] = b"1";

/// What it begins with while some are not: the number of a table and the last key follow.
const ROWS_UP_TO: &[u8] = b"to";

/// Where version 0.1.0 kept the checksum of a block: behind this, its number.
const BLOCK_CHECKSUM: &[u8] = b"block/";

/// Rows that are sealed in one commit.
const ROWS_A_COMMIT: usize = 1024;

/// Bytes of rows that are sealed in one commit, about.
const BYTES_A_COMMIT: usize = 16 << 20;

/// Whether a row is the mark, which is of no use in another file.
pub(crate) fn is_mark(table: StoreTable, key: &[u8]) -> bool {
    table == StoreTable::Meta && key == SEALED_MARK
}

/// Seals every row of a file that was written before rows had seals.
///
/// # Errors
/// When it cannot be read or written, or is damaged. What was sealed until then stays so.
pub(crate) fn seal_former_rows(store: &dyn Store) -> LedgerResult<()> {
    let (mut table, mut from) = match find_sealed(&*store.snapshot()?)? {
        SealedRows::All => return Ok(()),
        SealedRows::AllInBlocks => return write_last_mark(store),
        SealedRows::Before(table, key) => (table, key),
    };

    loop {
        let (mut batch, last) = next_rows(&*store.snapshot()?, table, &from)?;
        if let Some(last) = last {
            let number = StoreTable::ALL.iter().position(|(known, _)| *known == table);
            let number = number.and_then(|number| u8::try_from(number).ok()).unwrap_or(u8::MAX);
            put_mark(&mut batch, &[ROWS_UP_TO, &[number], &last].concat());
            store.commit(&batch)?;
            from = key_after(&last);
            continue;
        }

        match StoreTable::ALL.iter().find(|(other, _)| *other > table) {
            Some((next, _)) => (table, from) = (*next, Vec::new()),
            None => break,
        }
    }

    write_last_mark(store)
}

fn write_last_mark(store: &dyn Store) -> LedgerResult<()> {
    let mut batch = WriteBatch::default();
    put_mark(&mut batch, ALL_ROWS);
    store.commit(&batch)
}

/// Which rows have a seal.
enum SealedRows {
    /// All.
    All,
    /// All, and the mark is that of a version whose deals stood in blocks.
    AllInBlocks,
    /// Those in front of this key of this table.
    Before(StoreTable, Vec<u8>),
}

fn find_sealed(snapshot: &dyn Snapshot) -> LedgerResult<SealedRows> {
    let Some(stored) = snapshot.get(StoreTable::Meta, SEALED_MARK)? else {
        refuse_seals(snapshot)?;
        return Ok(SealedRows::Before(StoreTable::Meta, Vec::new()));
    };
    let (mark, is_right) = split_seal(StoreTable::Meta, SEALED_MARK, stored);
    if !is_right {
        return Err(StoreError::Damaged(name_of_row(StoreTable::Meta, SEALED_MARK)));
    }
    if mark == ALL_ROWS {
        return Ok(SealedRows::All);
    }
    if mark == ALL_ROWS_IN_BLOCKS {
        return Ok(SealedRows::AllInBlocks);
    }

    let unknown = || {
        let detail = "a later version of the program wrote it; use that one";
        StoreError::Failed(detail.to_owned())
    };
    let (number, key) =
        mark.strip_prefix(ROWS_UP_TO).and_then(<[u8]>::split_first).ok_or_else(unknown)?;
    let (table, _) = StoreTable::ALL.get(usize::from(*number)).ok_or_else(unknown)?;
    Ok(SealedRows::Before(*table, key_after(key)))
}

/// A file whose mark is gone would look like one of version 0.1.0.
fn refuse_seals(snapshot: &dyn Snapshot) -> LedgerResult<()> {
    for (table, _) in StoreTable::ALL {
        let first = snapshot.scan_prefix(table, b"", b"", 1)?;
        for (key, stored) in first.into_iter().chain(snapshot.last_row(table)?) {
            if split_seal(table, &key, stored).1 {
                return Err(StoreError::Damaged(format!(
                    "{} is gone",
                    name_of_row(StoreTable::Meta, SEALED_MARK)
                )));
            }
        }
    }
    Ok(())
}

/// The next few rows of a table with their seals, and the key of the last one.
fn next_rows(
    snapshot: &dyn Snapshot,
    table: StoreTable,
    from: &[u8],
) -> LedgerResult<(WriteBatch, Option<Vec<u8>>)> {
    let (mut batch, mut last, mut bytes) = (WriteBatch::default(), None, 0);
    for (key, value) in snapshot.scan_prefix(table, b"", from, ROWS_A_COMMIT)? {
        bytes += value.len();
        if table == StoreTable::Blocks {
            check_block(snapshot, &key, &value)?;
        }

        if !is_mark(table, &key) {
            let sealed = with_seal(table, &key, &value);
            batch.put_row(table, key.clone(), sealed);
        }

        last = Some(key);
        if bytes > BYTES_A_COMMIT {
            break;
        }
    }
    Ok((batch, last))
}

/// Refuses a block that is not what version 0.1.0 wrote: its seal would say that it is right.
fn check_block(snapshot: &dyn Snapshot, key: &[u8], value: &[u8]) -> LedgerResult<()> {
    let place = [BLOCK_CHECKSUM, key].concat();
    let Some(stored) = snapshot.get(StoreTable::Meta, &place)? else { return Ok(()) };
    // `Meta` comes first, so that the checksum has its seal by now.
    let (checksum, _) = split_seal(StoreTable::Meta, &place, stored);
    if checksum != blake3::hash(value).as_bytes() {
        return Err(StoreError::Damaged(name_of_row(StoreTable::Blocks, key)));
    }
    Ok(())
}

fn put_mark(batch: &mut WriteBatch, mark: &[u8]) {
    batch.put_row(StoreTable::Meta, SEALED_MARK, with_seal(StoreTable::Meta, SEALED_MARK, mark));
}

/// The first key behind this one.
fn key_after(key: &[u8]) -> Vec<u8> {
    [key, &[0]].concat()
}
