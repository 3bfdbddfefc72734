//! Deals of several sorted runs in one order, block by block; a worker decodes the deals of its block.
//!
//! Not how runs are made (`partitions`). Called by the stream of credits.
//!
//! **Architecture invariant:** the order is that of deals in memory (`DealsInMemory`), and memory holds
//! one buffer of each run and the blocks that are worked on.

use std::cmp::Ordering;
use std::collections::BinaryHeap;
use std::collections::binary_heap::PeekMut;
use std::io;

use accredit_crediting::calculation::stream::{BLOCK_DEALS, DealBlock, OrderedDeals};

use super::spill::{self, ListReader, SpillFile, SpilledList};
use super::stored::{self, DealKey, RowDecoders};

/// Deals in sorted runs of a temporary file.
#[derive(Debug)]
pub(super) struct SpilledDeals {
    file: SpillFile,
    runs: Vec<SpilledList>,
    count: usize,
    rows: RowDecoders,
}

impl SpilledDeals {
    /// So many deals in `runs`, each of which is sorted.
    pub(super) fn new(
        file: SpillFile,
        runs: Vec<SpilledList>,
        count: usize,
        rows: RowDecoders,
    ) -> SpilledDeals {
        SpilledDeals { file, runs, count, rows }
    }
}

impl OrderedDeals for SpilledDeals {
    fn count(&self) -> usize {
        self.count
    }

    fn blocks(&self) -> Box<dyn Iterator<Item = DealBlock<'_>> + Send + '_> {
        let runs = self.runs.iter().map(|run| RunHead::open(run.read(&self.file)));
        let runs = runs.filter_map(Result::transpose).collect::<io::Result<BinaryHeap<_>>>();
        match runs {
            Ok(runs) => Box::new(MergedBlocks { runs, rows: &self.rows }),
            Err(failed) => Box::new(std::iter::once(failed_block(failed))),
        }
    }
}

/// The next deal of a run, and those behind it.
struct RunHead<'a> {
    key: DealKey<'static>,
    reader: ListReader<'a>,
}

impl<'a> RunHead<'a> {
    /// The first deal of a run; none of an empty one.
    fn open(mut reader: ListReader<'a>) -> io::Result<Option<RunHead<'a>>> {
        if !reader.advance()? {
            return Ok(None);
        }
        let key = stored::split_deal(reader.record())?.0.key.into_owned();
        Ok(Some(RunHead { key, reader }))
    }
}

impl Ord for RunHead<'_> {
    /// The largest of a heap comes first, and the smallest key is to.
    fn cmp(&self, other: &Self) -> Ordering {
        other.key.cmp(&self.key)
    }
}

impl PartialOrd for RunHead<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for RunHead<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for RunHead<'_> {}

/// The deals of all runs in blocks.
struct MergedBlocks<'a> {
    runs: BinaryHeap<RunHead<'a>>,
    rows: &'a RowDecoders,
}

impl MergedBlocks<'_> {
    /// The bytes of the next deals; none behind the last one.
    fn next_deals(&mut self) -> io::Result<Vec<u8>> {
        let mut records = Vec::new();
        for _ in 0..BLOCK_DEALS {
            let Some(mut first) = self.runs.peek_mut() else { break };
            spill::push_record(&mut records, first.reader.record())?;
            if first.reader.advance()? {
                first.key = stored::split_deal(first.reader.record())?.0.key.into_owned();
            } else {
                PeekMut::pop(first);
            }
        }
        Ok(records)
    }
}

impl<'a> Iterator for MergedBlocks<'a> {
    type Item = DealBlock<'a>;

    fn next(&mut self) -> Option<DealBlock<'a>> {
        let rows = self.rows;
        match self.next_deals() {
            Ok(records) if records.is_empty() => None,
            Ok(records) => Some(DealBlock::Stored(Box::new(move || rows.decode_deals(&records)))),
            Err(failed) => {
                self.runs.clear();
                Some(failed_block(failed))
            }
        }
    }
}

/// A block in place of deals that cannot be read: its worker finds the error.
fn failed_block<'a>(failed: io::Error) -> DealBlock<'a> {
    DealBlock::Stored(Box::new(move || Err(failed)))
}
