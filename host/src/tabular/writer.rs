//! Credits on their way into a file: in blocks, which several threads make of them, and in order.
//!
//! Not the bytes of a block (`credits`, `columns`). Called by verbs that write credits.

use std::io::{self, Write};
use std::thread;

use accredit_domain::credit::fields::CREDIT_COLUMNS;
use accredit_domain::credit::posted::PostedCredit;
use arrow_array::RecordBatch;

use super::arrow::{ArrowFile, CreditBatches};
use super::columns::{CreditColumns, CreditFile, RowGroup};
use super::{credits, csv_header};

/// Credits of a block of text.
const TEXT_BLOCK_CREDITS: usize = 1 << 13;

/// Credits of a block of Parquet, which is a row group: readers skip whole ones.
const ROW_GROUP_CREDITS: usize = 1 << 16;

/// What a file of credits is written in.
#[derive(Debug, Clone)]
pub(crate) enum CreditFormat {
    /// A row each, below a header.
    Csv,
    /// An object of JSON each, on a line.
    Ndjson,
    /// Typed columns.
    Parquet(CreditColumns),
    /// Typed columns as a stream.
    Arrow(CreditBatches),
}

/// A block of credits, ready to be written.
pub(crate) enum CreditBlock {
    /// Rows of text.
    Text(Vec<u8>),
    /// Columns.
    RowGroup(RowGroup),
    /// Columns of a stream.
    Batch(RecordBatch),
}

impl CreditFormat {
    /// Credits of a block.
    pub(crate) fn block_credits(&self) -> usize {
        match self {
            CreditFormat::Csv | CreditFormat::Ndjson | CreditFormat::Arrow(_) => TEXT_BLOCK_CREDITS,
            CreditFormat::Parquet(_) => ROW_GROUP_CREDITS,
        }
    }

    /// Makes a block of credits. It depends on nothing else, so threads can make blocks at the same
    /// time.
    ///
    /// # Errors
    /// When the format cannot hold a value.
    pub(crate) fn format_block(&self, block: &[PostedCredit]) -> io::Result<CreditBlock> {
        match self {
            CreditFormat::Parquet(columns) => Ok(CreditBlock::RowGroup(columns.row_group(block)?)),
            CreditFormat::Arrow(columns) => Ok(CreditBlock::Batch(columns.credit_batch(block)?)),
            text => text.format_rows(block.iter()).ok_or_else(unknown_format),
        }
    }

    /// Makes a block of credits where each is a row of text; none of another format.
    pub(crate) fn format_rows<'a>(
        &self,
        credits: impl ExactSizeIterator<Item = &'a PostedCredit>,
    ) -> Option<CreditBlock> {
        match self {
            CreditFormat::Csv => Some(CreditBlock::Text(credits::csv_credits(credits))),
            CreditFormat::Ndjson => Some(CreditBlock::Text(credits::json_credits(credits))),
            CreditFormat::Parquet(_) | CreditFormat::Arrow(_) => None,
        }
    }

    /// Makes blocks of credits, on as many threads as there are blocks.
    fn format_blocks(&self, blocks: &[&[PostedCredit]]) -> Vec<io::Result<CreditBlock>> {
        if let [block] = blocks {
            return vec![self.format_block(block)];
        }

        thread::scope(|scope| {
            let workers = blocks.iter().map(|block| scope.spawn(|| self.format_block(block)));
            let workers: Vec<_> = workers.collect();
            let ended = || Err(io::Error::other("a worker ended"));
            workers.into_iter().map(|worker| worker.join().unwrap_or_else(|_| ended())).collect()
        })
    }
}

/// A file of credits that is being written.
pub(crate) struct CreditWriter<W: Write + Send> {
    format: CreditFormat,
    threads: usize,
    file: OpenFile<W>,
    /// Credits of the next blocks.
    waiting: Vec<PostedCredit>,
}

enum OpenFile<W: Write + Send> {
    Text(W),
    Parquet(CreditFile<W>),
    Arrow(ArrowFile<W>),
}

impl<W: Write + Send> CreditWriter<W> {
    /// Begins a file whose blocks are made on `threads` threads.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(crate) fn begin(mut out: W, format: CreditFormat, threads: usize) -> io::Result<Self> {
        let file = match &format {
            CreditFormat::Csv => {
                out.write_all(&csv_header(&CREDIT_COLUMNS).map_err(io::Error::other)?)?;
                OpenFile::Text(out)
            }
            CreditFormat::Ndjson => OpenFile::Text(out),
            CreditFormat::Parquet(columns) => OpenFile::Parquet(columns.begin_file(out)?),
            CreditFormat::Arrow(columns) => OpenFile::Arrow(columns.begin_file(out)?),
        };
        Ok(CreditWriter { format, threads: threads.max(1), file, waiting: Vec::new() })
    }

    /// Adds credits behind the others.
    ///
    /// # Errors
    /// When they cannot be written.
    pub(crate) fn add(&mut self, credits: Vec<PostedCredit>) -> io::Result<()> {
        if self.waiting.is_empty() {
            self.waiting = credits;
        } else {
            self.waiting.extend(credits);
        }

        // A row group is whole; what is left waits for more.
        let size = self.format.block_credits();
        let whole = self.waiting.len() / size * size;
        if whole < size.saturating_mul(self.threads) {
            return Ok(());
        }
        let rest = self.waiting.split_off(whole);
        let ready = std::mem::replace(&mut self.waiting, rest);
        self.write_credits(&ready)
    }

    /// Writes a block behind the others, made by [`CreditFormat::format_block`].
    ///
    /// # Errors
    /// When it cannot be written.
    pub(crate) fn write_block(&mut self, block: CreditBlock) -> io::Result<()> {
        match (&mut self.file, block) {
            (OpenFile::Text(out), CreditBlock::Text(rows)) => out.write_all(&rows),
            (OpenFile::Parquet(file), CreditBlock::RowGroup(rows)) => file.write_group(rows),
            (OpenFile::Arrow(file), CreditBlock::Batch(rows)) => file.write_batch(&rows),
            _ => Err(unknown_format()),
        }
    }

    /// Writes what waits, and the end of the file; returns what it is written to.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(crate) fn finish(mut self) -> io::Result<W> {
        let ready = std::mem::take(&mut self.waiting);
        self.write_credits(&ready)?;
        match self.file {
            OpenFile::Text(out) => Ok(out),
            OpenFile::Parquet(file) => file.finish(),
            OpenFile::Arrow(file) => file.finish(),
        }
    }

    fn write_credits(&mut self, credits: &[PostedCredit]) -> io::Result<()> {
        let blocks: Vec<&[PostedCredit]> = credits.chunks(self.format.block_credits()).collect();
        for together in blocks.chunks(self.threads) {
            for block in self.format.format_blocks(together) {
                self.write_block(block?)?;
            }
        }
        Ok(())
    }
}

fn unknown_format() -> io::Error {
    io::Error::other("a block of another format")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn credits(count: usize) -> Vec<PostedCredit> {
        let credit = |number: usize| {
            let row = json!({
                "id": format!("crd_{number:032x}"), "transaction": format!("crm:D{}", number / 8),
                "incentive_date": "2026-03-15", "plan": "p", "rule": "r", "result": "c",
                "kind": "direct", "period": "2026-03", "credit_type": "credit",
                "unit_type": "USD", "amount": "-12.50", "status": "held", "origin": "late",
                "ruleset": "rs",
            });
            serde_json::from_value(row).unwrap()
        };
        (0..count).map(credit).collect()
    }

    /// The order of rows is a promise, and threads must not change it.
    #[test]
    fn a_file_is_the_same_for_every_number_of_threads_and_every_cut() {
        let credits = credits(3 * TEXT_BLOCK_CREDITS + 7);
        let write = |threads: usize, parts: usize| {
            let mut writer = CreditWriter::begin(Vec::new(), CreditFormat::Csv, threads).unwrap();
            for part in credits.chunks(parts) {
                writer.add(part.to_vec()).unwrap();
            }
            writer.finish().unwrap()
        };

        let expected = [csv_header(&CREDIT_COLUMNS).unwrap(), credits::csv_credits(credits.iter())];
        for (threads, parts) in [(1, 1000), (1, credits.len()), (3, 5000), (4, credits.len())] {
            assert!(write(threads, parts) == expected.concat(), "{threads} {parts}");
        }
    }

    #[test]
    fn without_credits_there_is_a_header_alone() {
        let empty = |format| CreditWriter::begin(Vec::new(), format, 2).unwrap().finish().unwrap();
        assert_eq!(empty(CreditFormat::Csv), csv_header(&CREDIT_COLUMNS).unwrap());
        assert!(empty(CreditFormat::Ndjson).is_empty());
    }
}
