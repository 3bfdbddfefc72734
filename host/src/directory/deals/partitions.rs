//! More rows than memory holds, put into partitions by their natural keys: all rows of a deal are in one,
//! so each partition can be looked at alone for the version that counts, and be sorted.
//!
//! Not the order over all partitions (`merge`). Called by `deals`.
//!
//! **Architecture invariant:** a partition comes to the deals that its rows come to in memory.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use accredit_crediting::calculation::{self, Latest};
use accredit_domain::transaction::{Decoder, Transaction};
use jiff::civil::Date;

use super::DealFilter;
use super::merge::SpilledDeals;
use super::spill::{SpillFile, SpilledList};
use super::stored::{self, RowDecoders, StoredCells, StoredRow};

/// Partitions at most: each of them has a buffer.
const PARTITIONS_MAX: u64 = 4096;

/// Bytes that a partition collects before they are written.
const BUFFER_BYTES_MAX: u64 = 256 << 10;
const BUFFER_BYTES_MIN: u64 = 4 << 10;

/// Rows in partitions.
#[derive(Debug)]
pub(super) struct Partitions {
    file: SpillFile,
    lists: Vec<SpilledList>,
    buffer_bytes: usize,
    rows: u64,
    /// The bytes of a row, kept to be used again.
    bytes: Vec<u8>,
}

/// The deals of a partition in order, and how many they are.
struct SortedRun {
    deals: SpilledList,
    count: usize,
}

impl Partitions {
    /// Partitions in a temporary file in `folder`, for rows that need `needed` bytes when all of them are
    /// decoded; `threads` of them are to be in memory at a time, in `budget` bytes.
    ///
    /// # Errors
    /// When the file cannot be made.
    pub(super) fn create(
        folder: &Path,
        (needed, budget): (u64, u64),
        threads: usize,
    ) -> io::Result<Partitions> {
        // A quarter is for buffers.
        let for_deals = (budget / 4 * 3 / threads.max(1) as u64).max(1);
        let count = needed.div_ceil(for_deals).clamp(1, PARTITIONS_MAX);
        let buffer_bytes = (budget / 4 / count).clamp(BUFFER_BYTES_MIN, BUFFER_BYTES_MAX);

        let lists = (0..count).map(|_| SpilledList::default()).collect();
        let file = SpillFile::create(folder)?;
        let buffer_bytes = usize::try_from(buffer_bytes).unwrap_or(usize::MAX);
        Ok(Partitions { file, lists, buffer_bytes, rows: 0, bytes: Vec::new() })
    }

    /// Adds the next row, whose natural key is `key`.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(super) fn add(&mut self, key: &str, cells: StoredCells<'_>) -> io::Result<()> {
        let place = self.rows;
        self.rows += 1;
        stored::write_row(&mut self.bytes, &StoredRow { place, cells })?;

        // Without a key every row is a deal of its own, which may be anywhere.
        let mut hasher = DefaultHasher::new();
        if key.is_empty() {
            place.hash(&mut hasher)
        } else {
            key.hash(&mut hasher)
        }
        let partition = hasher.finish() % self.lists.len() as u64;
        let list = usize::try_from(partition).ok().and_then(|place| self.lists.get_mut(place));
        list.map_or(Ok(()), |list| list.push(&self.file, &self.bytes, self.buffer_bytes))
    }

    /// The deals that `filter` lets through, sorted in another temporary file in `folder`, partition by
    /// partition, on so many threads.
    ///
    /// # Errors
    /// When a file cannot be read or written.
    pub(super) fn sort_deals(
        mut self,
        folder: &Path,
        rows: RowDecoders,
        filter: DealFilter<'_>,
        threads: usize,
    ) -> io::Result<SpilledDeals> {
        for list in &mut self.lists {
            list.finish(&self.file)?;
        }

        let runs = SpillFile::create(folder)?;
        let (buffer_bytes, file) = (self.buffer_bytes, &self.file);
        let left = Mutex::new(self.lists.drain(..));
        let sort_partitions = || {
            let mut sorted: Vec<SortedRun> = Vec::new();
            let next = || left.lock().unwrap_or_else(PoisonError::into_inner).next();
            while let Some(rows_of_partition) = next() {
                let deals = newest_deals((file, &rows_of_partition), &rows, filter)?;
                sorted.push(write_run((&runs, buffer_bytes), deals)?);
            }
            Ok::<_, io::Error>(sorted)
        };

        let sorted = thread::scope(|scope| {
            let workers: Vec<_> =
                (0..threads.max(1)).map(|_| scope.spawn(sort_partitions)).collect();
            let mut sorted: Vec<SortedRun> = Vec::new();
            for worker in workers {
                // A panic of a thread is a panic of the verb.
                let done = worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
                sorted.append(&mut done?);
            }
            Ok::<_, io::Error>(sorted)
        })?;

        let count = sorted.iter().map(|run| run.count).sum();
        let lists = sorted.into_iter().map(|run| run.deals).collect();
        Ok(SpilledDeals::new(runs, lists, count, rows))
    }
}

/// A deal with its date, and the row of it that counts: its number and its bytes.
type DealWithRow = (Option<Date>, Arc<Transaction>, (u64, Box<[u8]>));

/// The deals of a partition in their order.
fn newest_deals(
    (file, list): (&SpillFile, &SpilledList),
    rows: &RowDecoders,
    filter: DealFilter<'_>,
) -> io::Result<Vec<DealWithRow>> {
    let mut decoder = Decoder::new(Arc::clone(&rows.fields));
    let mut latest: Latest<(u64, Box<[u8]>)> = Latest::default();

    let mut reader = list.read(file);
    while reader.advance()? {
        let bytes = reader.record();
        let (place, deal) = rows.decode_bytes(bytes, &mut decoder)?;
        if !calculation::is_received_after(filter.as_of, &deal) {
            latest.add_row(deal, (place, bytes.into()));
        }
    }

    let dated = latest.end_rows().into_iter().map(|(deal, row)| {
        let date = deal.incentive_date().ok();
        (date, deal, row)
    });
    let mut deals: Vec<DealWithRow> = dated.filter(|(date, ..)| filter.wants(*date)).collect();
    // Deals without a natural key stay in order of their rows.
    deals.sort_by(|a, b| (a.0, &a.1.id).cmp(&(b.0, &b.1.id)));
    Ok(deals)
}

fn write_run(
    (file, buffer_bytes): (&SpillFile, usize),
    deals: Vec<DealWithRow>,
) -> io::Result<SortedRun> {
    let mut run = SortedRun { deals: SpilledList::default(), count: deals.len() };
    let mut bytes = Vec::new();
    for (date, deal, (place, row)) in deals {
        stored::write_deal(&mut bytes, (date, &deal), (place, &row))?;
        run.deals.push(file, &bytes, buffer_bytes)?;
    }
    run.deals.finish(file)?;
    Ok(run)
}
