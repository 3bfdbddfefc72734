//! Files of transactions as deals: lines that workers decode, where all files are plain, else decoded once.
//!
//! Deals that are more than memory is given for are kept in temporary files. Not which rows a reader of
//! findings needs (`directory::read_rows`). Called by verbs that calculate.
//!
//! **Architecture invariant:** the deals are those of the rows of the same files, in their order,
//! wherever they are kept.

mod indexed;
mod kept_rows;
mod line_parts;
mod merge;
mod partitions;
mod plain_file;
mod spill;
mod stored;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;

use accredit_crediting::calculation::stream::{DealsInMemory, OrderedDeals};
use accredit_crediting::calculation::{self, Latest};
use accredit_domain::calendar::{Calendar, Period};
use accredit_domain::transaction::read::{self, FileLayout, PlainLines, TextFormat};
use accredit_domain::transaction::{Decoder, Field, Record, RowDecoder, Transaction};
use accredit_workspace::Ruleset;
use jiff::civil::Date;

use self::indexed::{INDEXED_BYTES, IndexedDeals};
use self::kept_rows::KeptRows;
use self::partitions::Partitions;
use self::plain_file::PlainFile;
use self::stored::{RowDecoders, StoredCells};
use super::formats::{self, RowFormat};
use super::{DirectoryError, DirectoryRows, read_failure};

/// Files of transactions that were opened: their columns are known, and their deals are not yet read.
#[derive(Debug, Default)]
pub(crate) struct DealFiles {
    /// In natural order of names.
    files: Vec<DealFile>,
    /// The columns that headers and rows name.
    pub(crate) columns: BTreeSet<String>,
    volume: RowVolume,
    /// Bytes of rows that are in memory as delivered.
    kept_bytes: u64,
}

/// Takes the next row.
pub(crate) type RowTaker<'a> = dyn FnMut(Record) -> Result<(), DirectoryError> + 'a;

/// A file of transactions.
#[derive(Debug)]
enum DealFile {
    /// Delimited text in which every row is a line.
    Plain(PlainFile),
    /// Any other file, with its rows.
    Rows(KeptRows),
}

/// How much there is to decode.
#[derive(Debug, Clone, Copy, Default)]
struct RowVolume {
    rows: u64,
    cells: u64,
    text_bytes: u64,
}

/// Which deals are wanted.
#[derive(Debug, Clone, Copy)]
pub(crate) struct DealFilter<'a> {
    /// The business date: rows that were received later are not seen.
    pub(crate) as_of: Option<Date>,
    /// Deals of other days are left out; those without a date, or with one that no period of `calendar`
    /// holds, belong to every period: they are parked there until they are corrected.
    pub(crate) period: &'a Period,
    /// The periods of the workspace.
    pub(crate) calendar: &'a Calendar,
    /// How often all deals are gone through: once a plan.
    pub(crate) passes: usize,
}

/// What deals may take, and where those are kept that need more.
#[derive(Debug)]
pub(crate) struct DealRoom {
    /// Bytes of memory.
    pub(crate) bytes: u64,
    /// The folder of temporary files.
    pub(crate) folder: PathBuf,
}

/// Parts of what is read for each thread: threads that are slower take fewer of them.
const PARTS_PER_THREAD: usize = 4;

/// Lines are decoded as often at most, where decoded deals fit as well.
const DECODINGS_MAX: usize = 4;

/// What a deal needs in memory beside its cells, and a cell beside its text. Measured, and rounded up.
const DEAL_BYTES: u64 = 400;
const CELL_BYTES: u64 = 48;

impl RowVolume {
    fn add(&mut self, rows: usize, cells: usize, text_bytes: usize) {
        self.rows += rows as u64;
        self.cells += cells as u64;
        self.text_bytes += text_bytes as u64;
    }

    /// What the deals need in memory as lines.
    fn indexed_bytes(self) -> u64 {
        self.rows * INDEXED_BYTES + self.text_bytes
    }

    /// What the deals need in memory when each row is one.
    fn decoded_bytes(self) -> u64 {
        self.rows * DEAL_BYTES + self.cells * CELL_BYTES + self.text_bytes
    }
}

impl DealFilter<'_> {
    /// Whether a deal with this date is wanted.
    fn wants(&self, date: Option<Date>) -> bool {
        let is_in_none = |date| self.calendar.leaf_id_on(date).is_none();
        date.is_none_or(|date| self.period.contains(date) || is_in_none(date))
    }
}

impl DealFiles {
    /// Opens a file, or every file of a folder.
    ///
    /// # Errors
    /// The first file that cannot be read as rows.
    pub(crate) fn open(
        path: &Path,
        layout: &FileLayout,
        room: &DealRoom,
    ) -> Result<DealFiles, DirectoryError> {
        let mut opened = DealFiles::default();
        for (file, name) in super::row_files(path)? {
            opened.open_file(&file, name, layout, room)?;
        }
        Ok(opened)
    }

    fn open_file(
        &mut self,
        path: &Path,
        name: String,
        layout: &FileLayout,
        room: &DealRoom,
    ) -> Result<(), DirectoryError> {
        if formats::of_name(path) == Some((RowFormat::Text(TextFormat::Csv), false)) {
            let plain = PlainFile::open(path, layout, &mut self.volume);
            if let Some(plain) = plain.map_err(|error| read_failure(path, error))? {
                self.columns.extend(plain.lines.columns().iter().cloned());
                self.files.push(DealFile::Plain(plain));
                return Ok(());
            }
        }

        let (mut rows, mut kept) = (DirectoryRows::default(), KeptRows::default());
        super::file_rows(path, name, layout, &mut rows, &mut |rows| {
            self.keep_rows(&mut kept, &mut rows.records, room)
        })?;

        self.columns.append(&mut rows.columns);
        self.files.push(DealFile::Rows(kept));
        Ok(())
    }

    /// Keeps rows that come one after the other, as a file of their own; `read` gives each of them away.
    ///
    /// # Errors
    /// What `read` says, or that there is no room for the rows.
    pub(crate) fn keep_piped(
        read: impl FnOnce(&mut RowTaker<'_>) -> Result<(), DirectoryError>,
        room: &DealRoom,
    ) -> Result<DealFiles, DirectoryError> {
        let (mut opened, mut kept) = (DealFiles::default(), KeptRows::default());
        let mut next: Vec<Record> = Vec::with_capacity(1);
        read(&mut |record| {
            next.push(record);
            opened.keep_rows(&mut kept, &mut next, room)
        })?;
        opened.files.push(DealFile::Rows(kept));
        Ok(opened)
    }

    /// Moves rows to those that are kept, in a temporary file where there is no room for them.
    fn keep_rows(
        &mut self,
        kept: &mut KeptRows,
        rows: &mut Vec<Record>,
        room: &DealRoom,
    ) -> Result<(), DirectoryError> {
        for record in rows.iter() {
            let text_bytes = record.cells.iter().map(kept_rows::text_bytes).sum();
            self.volume.add(1, record.cells.len(), text_bytes);
            self.kept_bytes += kept_rows::row_bytes(record);
        }
        kept.add(rows);

        // Half of the room is for the deals that are made of the rows.
        if self.kept_bytes > room.bytes / 2 {
            kept.spill(&room.folder).map_err(|error| no_room(&room.folder, &error))?;
            self.kept_bytes = 0;
        }
        Ok(())
    }

    /// The latest version of every deal that is wanted, in the order of calculations, decoded on so many
    /// threads. Deals that need more memory than there is room for are in a temporary file.
    ///
    /// # Errors
    /// What to tell the user: a file was changed meanwhile, or a temporary file cannot be written.
    pub(crate) fn read_deals(
        self,
        ruleset: &Ruleset,
        filter: DealFilter<'_>,
        room: &DealRoom,
        threads: usize,
    ) -> Result<Box<dyn OrderedDeals>, String> {
        let fits = self.volume.decoded_bytes() + self.kept_bytes <= room.bytes;
        let left = room.bytes.saturating_sub(self.volume.indexed_bytes() + self.kept_bytes);
        // A line is decoded anew for each plan.
        let is_decoded_often = filter.passes > DECODINGS_MAX && fits;
        if left > 0
            && !is_decoded_often
            && let Some(deals) = self.index_deals(ruleset, filter, left, threads)?
        {
            return Ok(Box::new(deals));
        }
        if fits {
            let mut deals = self.latest_deals(ruleset, filter.as_of, threads)?;
            deals.retain(|deal| filter.wants(deal.incentive_date().ok()));
            return Ok(Box::new(DealsInMemory::new(deals)));
        }
        self.spill_deals(ruleset, filter, room, threads)
    }

    /// The deals as lines in memory; none where not every row is a line, where rows count by the day on
    /// which they were received, or where the versions of deals need more than `room` bytes.
    fn index_deals(
        &self,
        ruleset: &Ruleset,
        filter: DealFilter<'_>,
        room: u64,
        threads: usize,
    ) -> Result<Option<IndexedDeals>, String> {
        // Before a large file is read in vain.
        let by_receipt = ruleset.settings.fields.mapped.contains_key(&Field::Received);
        let is_plain = |file: &DealFile| matches!(file, DealFile::Plain(_));
        if (filter.as_of.is_some() && by_receipt) || !self.files.iter().all(is_plain) {
            return Ok(None);
        }

        let decoder = Decoder::new(Arc::clone(&ruleset.settings.fields));
        let mut indexed = IndexedDeals::default();
        for file in &self.files {
            let DealFile::Plain(plain) = file else { continue };
            let rows = decoder.row_decoder(plain.lines.columns());
            indexed.add_file(plain.lines.clone(), rows);
            plain.read_lines(&mut |lines| {
                indexed.add_lines(lines);
                Ok(())
            })?;
        }

        let a_row = self.volume.decoded_bytes() / self.volume.rows.max(1);
        let found = indexed.find_deals(filter, threads, room / a_row.max(1));
        let found = found.map_err(|error| error.to_string())?;
        Ok(found.then_some(indexed))
    }

    /// The latest version of every deal on the business date.
    fn latest_deals(
        self,
        ruleset: &Ruleset,
        as_of: Option<Date>,
        threads: usize,
    ) -> Result<Vec<Arc<Transaction>>, String> {
        let mut decoder = Decoder::new(Arc::clone(&ruleset.settings.fields));
        let mut latest = Latest::default();
        let mut add = |deal: Transaction| {
            if !calculation::is_received_after(as_of, &deal) {
                latest.add(deal);
            }
        };

        for file in self.files {
            match file {
                DealFile::Plain(plain) => {
                    let rows = decoder.row_decoder(plain.lines.columns());
                    let mut decoded: Vec<Vec<Transaction>> = Vec::new();
                    plain.read_lines(&mut |lines| {
                        // Versions are compared on this thread while others decode what is next.
                        let add_decoded = || decoded.drain(..).flatten().for_each(&mut add);
                        let next = decode_lines((&plain.lines, &rows), lines, threads, add_decoded);
                        decoded = next;
                        Ok(())
                    })?;
                    decoded.into_iter().flatten().for_each(&mut add);
                }
                DealFile::Rows(rows) => {
                    let read = rows.read(&mut |record| {
                        add(decoder.decode(record));
                        Ok(())
                    });
                    read.map_err(|error| error.to_string())?;
                }
            }
        }

        Ok(latest.end())
    }

    /// The same deals by way of temporary files.
    fn spill_deals(
        self,
        ruleset: &Ruleset,
        filter: DealFilter<'_>,
        room: &DealRoom,
        threads: usize,
    ) -> Result<Box<dyn OrderedDeals>, String> {
        let fields = Arc::clone(&ruleset.settings.fields);
        let mut decoder = Decoder::new(Arc::clone(&fields));
        let mut decoders = RowDecoders { fields, plain: Vec::new() };
        let needed = (self.volume.decoded_bytes(), room.bytes);
        let partitions = Partitions::create(&room.folder, needed, threads);
        let mut partitions = partitions.map_err(|error| with_advice(&error))?;

        for file in self.files {
            match file {
                DealFile::Plain(plain) => {
                    let rows = decoder.row_decoder(plain.lines.columns());
                    let number = decoders.plain.len();
                    plain.read_lines(&mut |lines| {
                        for row in plain.lines.rows(lines) {
                            let key = rows.natural_key(&plain.lines.cells(row));
                            let added = partitions.add(&key, StoredCells::Line(number, row));
                            added.map_err(|error| with_advice(&error))?;
                        }
                        Ok(())
                    })?;
                    decoders.plain.push((plain.lines, rows));
                }
                DealFile::Rows(rows) => {
                    let spilled = rows.read(&mut |record| {
                        let key = decoder.natural_key(record);
                        partitions.add(&key, StoredCells::Record(Cow::Borrowed(record)))
                    });
                    spilled.map_err(|error| with_advice(&error))?;
                }
            }
        }

        let deals = partitions.sort_deals(&room.folder, decoders, filter, threads);
        Ok(Box::new(deals.map_err(|error| with_advice(&error))?))
    }
}

/// What to do when there is no room for a temporary file.
const ADVICE: &str = "make room there, or give a larger --memory";

fn with_advice(error: &io::Error) -> String {
    format!("{error}; {ADVICE}")
}

/// The same as an error about the folder of temporary files.
fn no_room(folder: &Path, error: &io::Error) -> DirectoryError {
    DirectoryError { help: ADVICE.to_owned(), ..read_failure(folder, error) }
}

/// The deals of some lines in order, part by part; `meanwhile` is done beside the threads.
fn decode_lines(
    (plain, rows): (&PlainLines, &RowDecoder),
    lines: &str,
    threads: usize,
    meanwhile: impl FnOnce(),
) -> Vec<Vec<Transaction>> {
    let parts = read::split_lines(lines, threads.saturating_mul(PARTS_PER_THREAD));
    let decode = |part: &&str| plain.rows(part).map(|row| rows.decode(&plain.cells(row))).collect();
    if threads <= 1 {
        meanwhile();
        return parts.iter().map(decode).collect();
    }

    let share = parts.len().div_ceil(threads).max(1);
    thread::scope(|scope| {
        let shares = parts.chunks(share);
        let running: Vec<_> = shares
            .map(|share| scope.spawn(|| share.iter().map(decode).collect::<Vec<_>>()))
            .collect();
        meanwhile();
        // A panic of a thread is a panic of the verb.
        let done = running.into_iter().map(|one| one.join());
        done.flat_map(|part| part.unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
            .collect()
    })
}
