//! Files of transactions as deals, decoded while they are read: no row is kept as it was delivered.
//!
//! Not which rows a reader of findings needs (`directory::read_rows`). Called by verbs that calculate.
//!
//! **Architecture invariant:** the deals are those of the rows of the same files, in their order.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::thread;

use accredit_crediting::calculation::{self, Latest};
use accredit_domain::transaction::read::{FileLayout, PlainLines, TextFormat};
use accredit_domain::transaction::{Decoder, Record, RowDecoder, Transaction};
use accredit_workspace::Ruleset;
use jiff::civil::Date;

use super::formats::{self, RowFormat};
use super::{DirectoryError, DirectoryRows, read_failure};

/// Files of transactions that were opened: their columns are known, and their deals are not yet read.
#[derive(Debug, Default)]
pub(crate) struct DealFiles {
    /// In natural order of names.
    files: Vec<DealFile>,
    /// The columns that headers and rows name.
    pub(crate) columns: BTreeSet<String>,
}

/// A file of transactions.
#[derive(Debug)]
enum DealFile {
    /// Delimited text in which every row is a line.
    Plain { body: Vec<u8>, lines: PlainLines },
    /// Any other file, with its rows.
    Rows(Vec<Record>),
}

/// Parts of a file for each thread: threads that are slower take fewer of them.
const PARTS_PER_THREAD: usize = 4;

impl DealFiles {
    /// Opens a file, or every file of a folder.
    ///
    /// # Errors
    /// The first file that cannot be read as rows.
    pub(crate) fn open(path: &Path, layout: &FileLayout) -> Result<DealFiles, DirectoryError> {
        let mut opened = DealFiles::default();
        for (file, name) in super::row_files(path)? {
            opened.open_file(&file, name, layout)?;
        }
        Ok(opened)
    }

    fn open_file(
        &mut self,
        path: &Path,
        name: String,
        layout: &FileLayout,
    ) -> Result<(), DirectoryError> {
        if formats::of_name(path) == Some((RowFormat::Text(TextFormat::Csv), false)) {
            let body = fs::read(path).map_err(|error| read_failure(path, error))?;
            if let Some(lines) = PlainLines::find(&body, layout) {
                self.columns.extend(lines.columns().iter().cloned());
                self.files.push(DealFile::Plain { body, lines });
                return Ok(());
            }
        }

        let mut rows = DirectoryRows::default();
        super::file_rows(path, name, layout, &mut rows)?;
        self.columns.append(&mut rows.columns);
        self.files.push(DealFile::Rows(rows.records));
        Ok(())
    }

    /// The latest version of every deal on the business date, decoded on so many threads.
    pub(crate) fn latest_deals(
        self,
        ruleset: &Ruleset,
        as_of: Option<Date>,
        threads: usize,
    ) -> Vec<Arc<Transaction>> {
        let mut decoder = Decoder::new(Arc::clone(&ruleset.settings.fields));
        let mut latest = Latest::default();
        let mut add = |deal: Transaction| {
            if !calculation::is_received_after(as_of, &deal) {
                latest.add(deal);
            }
        };

        for file in self.files {
            match file {
                DealFile::Plain { body, lines } => {
                    let rows = decoder.row_decoder(lines.columns());
                    for part in decode_parts(&lines, &body, &rows, threads) {
                        part.into_iter().for_each(&mut add);
                    }
                }
                DealFile::Rows(records) => {
                    records.iter().for_each(|record| add(decoder.decode(record)));
                }
            }
        }

        latest.end()
    }
}

/// The deals of a plain text in order, part by part.
fn decode_parts(
    lines: &PlainLines,
    body: &[u8],
    rows: &RowDecoder,
    threads: usize,
) -> Vec<Vec<Transaction>> {
    let parts = lines.parts(body, threads.saturating_mul(PARTS_PER_THREAD));
    let decode = |part: &&str| lines.rows(part).map(|cells| rows.decode(&cells)).collect();
    if threads <= 1 {
        return parts.iter().map(decode).collect();
    }

    let share = parts.len().div_ceil(threads).max(1);
    thread::scope(|scope| {
        let shares = parts.chunks(share);
        let running: Vec<_> = shares
            .map(|share| scope.spawn(|| share.iter().map(decode).collect::<Vec<_>>()))
            .collect();
        // A panic of a thread is a panic of the verb.
        let done = running.into_iter().map(|one| one.join());
        done.flat_map(|part| part.unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
            .collect()
    })
}
