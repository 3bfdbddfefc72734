//! The whole data file as lines of text, and back: to keep it, to read it with other programs, to
//! bring it into another store, and to save what can still be read of a damaged one.
//!
//! Each line is a JSON object. The first is the head: `{"accredit_dump":1,"version":"0.1.0"}`. Then
//! comes a line a row, in the order of tables and keys, with `table`, `key` and `value`: bytes that
//! are text are a JSON string, others an object `{"base64":"…"}`. Definitions, activations, the audit
//! trail, releases, statements, periods, runs and enquiries are JSON texts; the other values begin
//! with a version byte and are in the encoding of Postcard. The last line is the end:
//! `{"rows":12,"skipped":0,"blake3":"…"}`, with the number of rows, of damaged rows that were left
//! out, and the hash of every byte before it. Not the reading and writing of files. Called by
//! `accredit dump` and `accredit restore`.
//!
//! **Architecture invariant:** what is restored has the same rows as what was dumped; a dump that was
//! cut off or changed is refused.

use std::io::{BufRead, Write};
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

use super::audit::{ChainCheck, HEAD_KEY, TrailMark};
use super::codec::key_number;
use super::integrity::TrailReport;
use super::sealed::{SealedStore, is_mark, seal_former_rows};
use super::{Ledger, LedgerResult};
use accredit_seams::store::{Store, StoreError, StoreTable, WriteBatch};

/// The version of the format.
const DUMP_FORMAT: u32 = 1;

/// Rows that are read or written at a time.
const DUMP_BATCH_ROWS: usize = 1000;

/// Bytes of rows that are written at a time, about.
const DUMP_BATCH_BYTES: usize = 16 << 20;

/// Bytes of one line at most: a delivery of a MiB in base64, several times over.
const LINE_BYTES_MAX: u64 = 256 << 20;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct DumpHead {
    accredit_dump: u32,
    version: String,
}

/// Bytes as text where they are text.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
enum DumpBytes {
    Text(String),
    Binary { base64: String },
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct DumpLine {
    table: String,
    key: DumpBytes,
    value: DumpBytes,
}

/// What a dump or a restoration came to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DumpSummary {
    /// Rows that are in the dump.
    pub rows: u64,
    /// Damaged rows that were left out.
    pub skipped: u64,
    /// The BLAKE3 hash of every byte before the last line.
    pub blake3: String,
}

impl DumpBytes {
    fn from_bytes(bytes: Vec<u8>) -> DumpBytes {
        String::from_utf8(bytes).map_or_else(
            |binary| DumpBytes::Binary { base64: STANDARD.encode(binary.as_bytes()) },
            DumpBytes::Text,
        )
    }

    fn into_bytes(self) -> Option<Vec<u8>> {
        match self {
            DumpBytes::Text(text) => Some(text.into_bytes()),
            DumpBytes::Binary { base64 } => STANDARD.decode(base64).ok(),
        }
    }
}

fn dump_error(error: impl std::fmt::Display) -> StoreError {
    StoreError::Failed(error.to_string())
}

/// Lines on their way out, and their hash.
struct DumpWriter<'a> {
    out: &'a mut dyn Write,
    hasher: blake3::Hasher,
}

impl DumpWriter<'_> {
    fn write_line(&mut self, line: &impl Serialize) -> LedgerResult<()> {
        let mut bytes = serde_json::to_vec(line).map_err(dump_error)?;
        bytes.push(b'\n');
        self.hasher.update(&bytes);
        self.out.write_all(&bytes).map_err(dump_error)
    }
}

impl Ledger {
    /// Writes every row to `out`. Damaged rows end it, or are left out and counted where
    /// `is_lenient`.
    ///
    /// # Errors
    /// When the data cannot be read, or `out` not be written.
    pub fn dump(
        &self,
        version: &str,
        is_lenient: bool,
        out: &mut dyn Write,
    ) -> LedgerResult<DumpSummary> {
        let (snapshot, mut dumped) = (self.store.checked_snapshot()?, DumpSummary::default());
        let mut output = DumpWriter { out, hasher: blake3::Hasher::new() };
        output.write_line(&DumpHead { accredit_dump: DUMP_FORMAT, version: version.to_owned() })?;

        for (table, name) in StoreTable::ALL {
            let mut from = Vec::new();
            loop {
                let rows = snapshot.scan_checked(table, &from, DUMP_BATCH_ROWS)?;

                let Some((last, _)) = rows.last() else { break };
                from = [last.as_slice(), &[0]].concat();

                for (key, value) in rows {
                    let value = match value {
                        Err(StoreError::Damaged(_)) if is_lenient => {
                            dumped.skipped += 1;
                            continue;
                        }
                        value => value?,
                    };

                    // Marks of seals belong to this file, and the restored one makes its own.
                    if is_mark(table, &key) {
                        continue;
                    }
                    let (key, value) = (DumpBytes::from_bytes(key), DumpBytes::from_bytes(value));
                    output.write_line(&DumpLine { table: name.to_owned(), key, value })?;
                    dumped.rows += 1;
                }
            }
        }

        dumped.blake3 = output.hasher.finalize().to_hex().to_string();
        output.write_line(&dumped)?;
        output.out.flush().map_err(dump_error)?;
        Ok(dumped)
    }
}

/// Puts the rows of a dump into an empty store.
///
/// # Errors
/// When `lines` are no dump of a version that is known, or are not whole: then the store holds a
/// part of it, and must not be used. When the store is not empty, or cannot be written.
pub fn restore_dump(store: Arc<dyn Store>, lines: &mut dyn BufRead) -> LedgerResult<DumpSummary> {
    let snapshot = store.snapshot()?;
    for (table, _) in StoreTable::ALL {
        if snapshot.last_row(table)?.is_some() {
            return Err(dump_error("it already has rows; restore a dump into an empty file"));
        }
    }
    drop(snapshot);
    seal_former_rows(&*store)?;

    let store = SealedStore::new(store);
    let mut input = DumpReader { lines, hasher: blake3::Hasher::new(), number: 0 };
    input.read_head()?;

    let (mut batch, mut bytes, mut rows) = (WriteBatch::default(), 0, 0);
    loop {
        let Some((hash, line)) = input.next_line::<serde_json::Value>()? else {
            return Err(dump_error("the dump was cut off: its last line is missing"));
        };
        if line.get("blake3").is_some() {
            let end: DumpSummary =
                serde_json::from_value(line).map_err(|error| input.line_error(&error))?;
            if end.rows != rows || end.blake3 != hash {
                return Err(dump_error(
                    "the dump was changed: its last line does not match the others",
                ));
            }
            store.commit(&batch)?;
            return Ok(end);
        }

        let (table, key, value) = input.parse_row(line)?;
        bytes += value.len();
        rows += 1;
        batch.put_row(table, key, value);
        if batch.changes.len() >= DUMP_BATCH_ROWS || bytes > DUMP_BATCH_BYTES {
            store.commit(&std::mem::take(&mut batch))?;
            bytes = 0;
        }
    }
}

/// Verifies the audit trail in a dump, as [`ChainCheck`] does; what else is in it is not looked at.
///
/// # Errors
/// When `lines` are no dump of a version that is known, or are not whole.
pub fn check_dump_trail(
    lines: &mut dyn BufRead,
    head: Option<&str>,
    marks: &[TrailMark],
) -> LedgerResult<TrailReport> {
    let mut input = DumpReader { lines, hasher: blake3::Hasher::new(), number: 0 };
    input.read_head()?;
    let (mut chain, mut kept_head) = (ChainCheck::new(head, marks), None);
    loop {
        let Some((hash, line)) = input.next_line::<serde_json::Value>()? else {
            return Err(dump_error("the dump was cut off: its last line is missing"));
        };
        if let Some(known) = line.get("blake3") {
            if known.as_str() != Some(&hash) {
                chain.problem("the last line of the dump does not match the others".to_owned());
            }
            break;
        }
        match input.parse_row(line)? {
            (StoreTable::Audit, key, row) => drop(chain.add_row(Some(key_number(&key)), &row)),
            (StoreTable::Meta, key, row) if key == HEAD_KEY => kept_head = Some(row),
            _ => (),
        }
    }
    if kept_head.is_some_and(|kept| kept != chain.head().as_bytes()) {
        chain.problem("the last row was changed, or rows after it are gone".to_owned());
    }
    Ok(chain.end())
}

/// Lines on their way in, and their hash.
struct DumpReader<'a> {
    lines: &'a mut dyn BufRead,
    hasher: blake3::Hasher,
    number: u64,
}

impl DumpReader<'_> {
    fn line_error(&self, why: &dyn std::fmt::Display) -> StoreError {
        dump_error(format!("line {} of the dump cannot be read: {why}", self.number))
    }

    /// Reads the first line.
    fn read_head(&mut self) -> LedgerResult<()> {
        let head: DumpHead = self.next_line()?.ok_or_else(|| dump_error("the dump is empty"))?.1;
        if head.accredit_dump == DUMP_FORMAT {
            return Ok(());
        }
        let known = head.accredit_dump;
        Err(dump_error(format!(
            "the dump has the format {known}, and this program knows {DUMP_FORMAT}"
        )))
    }

    /// The next line with the hash of all before it; none at the end.
    fn next_line<T: serde::de::DeserializeOwned>(&mut self) -> LedgerResult<Option<(String, T)>> {
        let mut line = Vec::new();
        let mut limited = std::io::Read::take(&mut *self.lines, LINE_BYTES_MAX);
        limited.read_until(b'\n', &mut line).map_err(dump_error)?;
        if line.is_empty() {
            return Ok(None);
        }

        self.number += 1;
        let before = self.hasher.finalize().to_hex().to_string();
        self.hasher.update(&line);
        let line = serde_json::from_slice(&line).map_err(|error| self.line_error(&error))?;
        Ok(Some((before, line)))
    }

    fn parse_row(&self, line: serde_json::Value) -> LedgerResult<(StoreTable, Vec<u8>, Vec<u8>)> {
        let line: DumpLine =
            serde_json::from_value(line).map_err(|error| self.line_error(&error))?;
        let known = StoreTable::ALL.iter().find(|(_, name)| *name == line.table);
        let (table, _) = known.ok_or_else(|| self.line_error(&"unknown table"))?;
        let (key, value) = line
            .key
            .into_bytes()
            .zip(line.value.into_bytes())
            .ok_or_else(|| self.line_error(&"it is not base64"))?;
        Ok((*table, key, value))
    }
}

#[cfg(test)]
mod tests {
    use accredit_seams::store::memory::MemoryStore;
    use proptest::prelude::*;

    use super::*;

    fn rows(store: &dyn Store) -> Vec<(StoreTable, Vec<u8>, Vec<u8>)> {
        let snapshot = store.snapshot().unwrap();
        let rows = StoreTable::ALL.into_iter().flat_map(|(table, _)| {
            let rows = snapshot.scan_prefix(table, b"", b"", usize::MAX).unwrap().into_iter();
            rows.map(move |(key, value)| (table, key, value))
        });
        rows.collect()
    }

    fn dumped(store: &Arc<MemoryStore>) -> Vec<u8> {
        let ledger = Ledger::open(Arc::clone(store) as Arc<dyn Store>).unwrap();
        let mut out = Vec::new();
        ledger.dump("0.0.0", false, &mut out).unwrap();
        out
    }

    fn filled(rows: &[(usize, Vec<u8>, Vec<u8>)]) -> Arc<MemoryStore> {
        let store = Arc::new(MemoryStore::default());
        seal_former_rows(&*store).unwrap();
        let mut batch = WriteBatch::default();
        for (table, key, value) in rows {
            batch.put_row(
                StoreTable::ALL[table % StoreTable::ALL.len()].0,
                key.clone(),
                value.clone(),
            );
        }
        SealedStore::new(Arc::clone(&store) as Arc<dyn Store>).commit(&batch).unwrap();
        store
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        /// A dump restores exactly the same bytes for any row; cut off or changed anywhere it is
        /// refused.
        #[test]
        fn a_dump_is_restored_whole_or_not(
            content in prop::collection::vec(
                (0..31_usize, prop::collection::vec(any::<u8>(), 1..9), ".{0,12}|\\PC*"), 0..20
            ),
            place in any::<prop::sample::Index>(),
        ) {
            let content: Vec<_> =
                content.into_iter().map(|(t, key, value)| (t, key, value.into_bytes())).collect();
            let store = filled(&content);
            let text = dumped(&store);
            let again = Arc::new(MemoryStore::default());
            restore_dump(Arc::clone(&again) as Arc<dyn Store>, &mut &text[..]).unwrap();
            prop_assert_eq!(rows(&*again), rows(&*store));

            let cut = place.index(text.len() - 1);
            let part = restore_dump(Arc::new(MemoryStore::default()), &mut &text[..cut]);
            prop_assert!(part.is_err(), "cut at {}", cut);
            let mut changed = text.clone();
            changed[place.index(text.len())] ^= 1;
            let other = Arc::new(MemoryStore::default());
            let restored = restore_dump(Arc::clone(&other) as Arc<dyn Store>, &mut &changed[..]);
            let is_same = rows(&*other) == rows(&*store);
            prop_assert!(restored.is_err() || is_same, "changed at {}", place.index(text.len()));
        }
    }

    #[test]
    fn a_damaged_row_ends_a_dump_or_is_counted() {
        let store = filled(&[(0, b"a".to_vec(), b"1".to_vec()), (0, b"b".to_vec(), b"2".to_vec())]);
        let mut batch = WriteBatch::default();
        batch.put_row(StoreTable::Meta, "a", "something else");
        store.commit(&batch).unwrap();

        let ledger = Ledger::open(Arc::clone(&store) as Arc<dyn Store>).unwrap();
        let refused = ledger.dump("0", false, &mut Vec::new()).unwrap_err();
        assert!(refused.to_string().contains("damaged"), "{refused}");
        let mut text = Vec::new();
        let dumped = ledger.dump("0", true, &mut text).unwrap();
        assert_eq!((dumped.rows, dumped.skipped), (1, 1));
        let again = Arc::new(MemoryStore::default());
        assert_eq!(restore_dump(again, &mut &text[..]).unwrap(), dumped);
    }

    #[test]
    fn a_dump_goes_into_an_empty_store_alone() {
        let store = filled(&[(3, b"a".to_vec(), b"1".to_vec())]);
        let text = dumped(&store);
        assert!(restore_dump(store, &mut &text[..]).is_err());
        let newer = b"{\"accredit_dump\":2,\"version\":\"9\"}\n";
        let refused = restore_dump(Arc::new(MemoryStore::default()), &mut &newer[..]).unwrap_err();
        assert!(refused.to_string().contains("format 2"), "{refused}");
    }
}
