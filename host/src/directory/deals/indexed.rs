//! Deals of plain files in memory as the lines that they are written in, and where the line of each is, in
//! the order of calculations; the worker that decides a deal decodes it.
//!
//! Not files whose rows are no lines, and not more deals than memory is given for (`partitions`). Called by
//! `deals`.
//!
//! **Architecture invariant:** the deals are those that all rows together come to when they are decoded: a
//! key that several rows have is looked at with their values, every other row is a deal of its own.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io;
use std::sync::Arc;
use std::thread;

use accredit_crediting::calculation::Latest;
use accredit_crediting::calculation::stream::{BLOCK_DEALS, DatedDeal, DealBlock, OrderedDeals};
use accredit_domain::transaction::read::PlainLines;
use accredit_domain::transaction::{RowDecoder, Transaction};
use jiff::civil::Date;

use super::DealFilter;

/// What a deal needs in memory beside its line, at most: its entry, once more with its hash while
/// versions are looked for, and its key where that is more than a cell.
pub(super) const INDEXED_BYTES: u64 = 200;

/// Lines of plain files, and the deals in them.
#[derive(Debug, Default)]
pub(super) struct IndexedDeals {
    files: Vec<(PlainLines, RowDecoder)>,
    parts: Vec<LinePart>,
    deals: Vec<IndexedDeal>,
}

/// Some lines of a file.
#[derive(Debug)]
struct LinePart {
    file: usize,
    text: String,
}

/// A deal, and what sorts it.
#[derive(Debug)]
struct IndexedDeal {
    date: Option<Date>,
    /// The first bytes of the key as a number, which decides most comparisons.
    key_begin: u64,
    key: DealKey,
    row: DealRow,
}

/// A natural key.
#[derive(Debug)]
enum DealKey {
    /// A cell of the line as it is written: where it begins in the line, and its bytes.
    InLine(u32, u32),
    /// Made of several cells, or in another form.
    Own(Box<str>),
}

/// The row of a deal.
#[derive(Debug)]
enum DealRow {
    /// A line.
    Line(LinePlace),
    /// The version that counts of several rows.
    Decoded(Arc<Transaction>),
}

/// Where a line is: its part, and its bytes there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct LinePlace {
    part: u32,
    start: u32,
    bytes: u32,
}

/// A row with the hash of its key; none where its key is blank.
type HashedRow = (Option<u64>, IndexedDeal);

impl IndexedDeals {
    /// Adds a file; its lines follow.
    pub(super) fn add_file(&mut self, lines: PlainLines, rows: RowDecoder) {
        self.files.push((lines, rows));
    }

    /// Adds the next lines of the file that was added last.
    pub(super) fn add_lines(&mut self, text: &str) {
        let file = self.files.len().saturating_sub(1);
        self.parts.push(LinePart { file, text: text.to_owned() });
    }

    /// Finds the deals that `filter` lets through, on so many threads; false where more than `rivals_max`
    /// rows are versions of each other.
    ///
    /// # Errors
    /// None that is known: every line is one of a file that was added.
    pub(super) fn find_deals(
        &mut self,
        filter: DealFilter<'_>,
        threads: usize,
        rivals_max: u64,
    ) -> io::Result<bool> {
        let rows = self.index_rows(threads);
        let rivals = rival_rows(&rows);
        if rivals.len() as u64 > rivals_max {
            return Ok(false);
        }

        let mut latest = Latest::default();
        let mut deals: Vec<IndexedDeal> = Vec::with_capacity(rows.len() - rivals.len());
        let mut next_rival = rivals.iter().peekable();
        for (number, (_, deal)) in rows.into_iter().enumerate() {
            if next_rival.next_if(|rival| **rival == number).is_some() {
                if let DealRow::Line(place) = deal.row {
                    latest.add(self.decode_line(place, &mut Vec::new())?);
                }
            } else if filter.wants(deal.date) {
                deals.push(deal);
            }
        }

        let newest = latest.end().into_iter().map(IndexedDeal::of_decoded);
        deals.extend(newest.filter(|deal| filter.wants(deal.date)));
        deals.sort_unstable_by(|a, b| self.order(a, b));
        self.deals = deals;
        Ok(true)
    }

    /// Every row of all files, in their order.
    fn index_rows(&self, threads: usize) -> Vec<HashedRow> {
        let parts: Vec<usize> = (0..self.parts.len()).collect();
        let share = parts.len().div_ceil(threads.max(1)).max(1);
        let index = |parts: &[usize]| {
            let mut rows: Vec<HashedRow> = Vec::new();
            parts.iter().for_each(|part| self.index_part(*part, &mut rows));
            rows
        };

        thread::scope(|scope| {
            let workers = parts.chunks(share).map(|parts| scope.spawn(move || index(parts)));
            let workers: Vec<_> = workers.collect();
            let mut rows = Vec::new();
            for worker in workers {
                // A panic of a thread is a panic of the verb.
                let found = worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
                if rows.is_empty() { rows = found } else { rows.extend(found) }
            }
            rows
        })
    }

    fn index_part(&self, number: usize, rows: &mut Vec<HashedRow>) {
        let Some(part) = self.parts.get(number) else { return };
        let Some((lines, decoder)) = self.files.get(part.file) else { return };
        let mut cells: Vec<&str> = Vec::new();

        for line in lines.rows(&part.text) {
            lines.read_cells(line, &mut cells);
            let key = decoder.natural_key(&cells);
            let hash = (!key.is_empty()).then(|| hash_key(&key));
            let deal = IndexedDeal {
                date: decoder.incentive_date(&cells),
                key_begin: first_bytes(&key),
                key: match key {
                    Cow::Borrowed(key) => DealKey::InLine(offset_in(line, key), short(key.len())),
                    Cow::Owned(key) => DealKey::Own(key.into()),
                },
                row: DealRow::Line(LinePlace {
                    part: short(number),
                    start: offset_in(&part.text, line),
                    bytes: short(line.len()),
                }),
            };
            rows.push((hash, deal));
        }
    }

    /// A line, and what decodes it; none of another place than those of the index.
    fn line(&self, place: LinePlace) -> Option<(&str, &(PlainLines, RowDecoder))> {
        let part = self.parts.get(place.part as usize)?;
        let start = place.start as usize;
        let line = part.text.get(start..start + place.bytes as usize)?;
        Some((line, self.files.get(part.file)?))
    }

    fn decode_line<'t>(
        &'t self,
        place: LinePlace,
        cells: &mut Vec<&'t str>,
    ) -> io::Result<Transaction> {
        let lost = || io::Error::other("the line of a deal is not where it was found");
        let (line, (lines, decoder)) = self.line(place).ok_or_else(lost)?;
        lines.read_cells(line, cells);
        Ok(decoder.decode(cells))
    }

    fn key<'d>(&'d self, deal: &'d IndexedDeal) -> &'d str {
        match (&deal.key, &deal.row) {
            (DealKey::Own(key), _) => key,
            (DealKey::InLine(start, bytes), DealRow::Line(place)) => {
                let line = self.line(*place).map_or("", |(line, _)| line);
                let start = *start as usize;
                line.get(start..start + *bytes as usize).unwrap_or_default()
            }
            (DealKey::InLine(..), DealRow::Decoded(deal)) => &deal.id,
        }
    }

    /// The order of calculations: by date, those without one first, by key, by row.
    fn order(&self, a: &IndexedDeal, b: &IndexedDeal) -> Ordering {
        let quick = (a.date, a.key_begin).cmp(&(b.date, b.key_begin));
        let by_key = quick.then_with(|| self.key(a).cmp(self.key(b)));
        by_key.then_with(|| match (&a.row, &b.row) {
            (DealRow::Line(a), DealRow::Line(b)) => a.cmp(b),
            // Only rows without a key have equal ones, and these are lines.
            _ => Ordering::Equal,
        })
    }

    fn decode_deals(&self, deals: &[IndexedDeal]) -> io::Result<Vec<DatedDeal>> {
        let mut cells: Vec<&str> = Vec::new();
        let decoded = deals.iter().map(|deal| {
            let decoded = match &deal.row {
                DealRow::Decoded(decoded) => Arc::clone(decoded),
                DealRow::Line(place) => Arc::new(self.decode_line(*place, &mut cells)?),
            };
            Ok((deal.date, decoded))
        });
        decoded.collect()
    }
}

impl OrderedDeals for IndexedDeals {
    fn count(&self) -> usize {
        self.deals.len()
    }

    fn blocks(&self) -> Box<dyn Iterator<Item = DealBlock<'_>> + Send + '_> {
        let blocks = self.deals.chunks(BLOCK_DEALS);
        Box::new(blocks.map(|deals| DealBlock::Stored(Box::new(|| self.decode_deals(deals)))))
    }
}

impl IndexedDeal {
    fn of_decoded(deal: Arc<Transaction>) -> IndexedDeal {
        IndexedDeal {
            date: deal.incentive_date().ok(),
            key_begin: first_bytes(&deal.id),
            key: DealKey::Own(Box::from(&*deal.id)),
            row: DealRow::Decoded(deal),
        }
    }
}

/// The numbers of the rows whose keys may be those of other rows as well, in order.
fn rival_rows(rows: &[HashedRow]) -> Vec<usize> {
    let hashes = rows.iter().enumerate().filter_map(|(row, (hash, _))| Some(((*hash)?, row)));
    let mut hashes: Vec<(u64, usize)> = hashes.collect();
    hashes.sort_unstable();

    let rivals = hashes.chunk_by(|a, b| a.0 == b.0).filter(|rows| rows.len() > 1);
    let mut rivals: Vec<usize> = rivals.flatten().map(|(_, row)| *row).collect();
    rivals.sort_unstable();
    rivals
}

fn hash_key(key: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    key.hash(&mut hasher);
    hasher.finish()
}

/// The first eight bytes as a number that orders as they do.
fn first_bytes(key: &str) -> u64 {
    let mut begin = [0; 8];
    begin.iter_mut().zip(key.bytes()).for_each(|(into, byte)| *into = byte);
    u64::from_be_bytes(begin)
}

/// Where `inner`, a part of `outer`, begins in it.
fn offset_in(outer: &str, inner: &str) -> u32 {
    short((inner.as_ptr() as usize).saturating_sub(outer.as_ptr() as usize))
}

/// A length inside a part of a file, which is a few megabytes.
fn short(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}
