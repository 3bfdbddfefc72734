//! Rows and deals as bytes of a temporary file: a row as it was delivered, a deal as the row that counts,
//! with what sorts it and what is remarked about it.
//!
//! Not where the bytes are (`spill`). Called by `partitions` and `merge`.
//!
//! **Architecture invariant:** a stored row is decoded to the deal that the row itself is decoded to.

use std::borrow::Cow;
use std::io;
use std::sync::Arc;

use accredit_crediting::calculation::stream::DatedDeal;
use accredit_domain::transaction::read::PlainLines;
use accredit_domain::transaction::{Decoder, Fields, Record, Remark, RowDecoder, Transaction};
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::spill;

/// A row.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct StoredRow<'a> {
    /// Its number among all rows.
    pub(super) place: u64,
    #[serde(borrow)]
    pub(super) cells: StoredCells<'a>,
}

/// The cells of a row.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum StoredCells<'a> {
    /// A line of the plain file with this number.
    Line(usize, &'a str),
    /// A row of any other file.
    Record(Cow<'a, Record>),
}

/// What sorts a deal, and what is remarked about its rows; its row is behind it.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct StoredDeal<'a> {
    #[serde(borrow)]
    pub(super) key: DealKey<'a>,
    remarks: Cow<'a, [Remark]>,
}

/// What deals are sorted by: those without a date come first.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) struct DealKey<'a> {
    /// Year, month and day.
    date: Option<(i16, i8, i8)>,
    #[serde(borrow)]
    id: Cow<'a, str>,
    /// Deals without a natural key are in order of their rows.
    place: u64,
}

impl DealKey<'_> {
    /// The same for longer than the bytes that it was read from.
    pub(super) fn into_owned(self) -> DealKey<'static> {
        DealKey { date: self.date, id: Cow::Owned(self.id.into_owned()), place: self.place }
    }
}

/// What is needed to decode rows.
#[derive(Debug)]
pub(super) struct RowDecoders {
    pub(super) fields: Arc<Fields>,
    /// Those of plain files by their numbers.
    pub(super) plain: Vec<(PlainLines, RowDecoder)>,
}

impl RowDecoders {
    /// Decodes a row; `decoder` is that of records.
    ///
    /// # Errors
    /// When it is of a file that is not known.
    fn decode_row(&self, row: &StoredRow<'_>, decoder: &mut Decoder) -> io::Result<Transaction> {
        match &row.cells {
            StoredCells::Record(record) => Ok(decoder.decode(record)),
            StoredCells::Line(file, line) => {
                let (lines, decoder) = self.plain.get(*file).ok_or_else(damaged)?;
                Ok(decoder.decode(&lines.cells(line)))
            }
        }
    }

    /// Decodes the bytes of a row.
    ///
    /// # Errors
    /// When they are damaged.
    pub(super) fn decode_bytes(
        &self,
        bytes: &[u8],
        decoder: &mut Decoder,
    ) -> io::Result<(u64, Transaction)> {
        let row: StoredRow<'_> = postcard::from_bytes(bytes).map_err(|_| damaged())?;
        Ok((row.place, self.decode_row(&row, decoder)?))
    }

    /// Decodes deals that follow each other.
    ///
    /// # Errors
    /// When their bytes are damaged.
    pub(super) fn decode_deals(&self, records: &[u8]) -> io::Result<Vec<DatedDeal>> {
        let mut decoder = Decoder::new(Arc::clone(&self.fields));
        let (mut deals, mut next) = (Vec::new(), 0);

        while let Some(record) = spill::record_at(records, next)? {
            next = record.end;
            let bytes = records.get(record).unwrap_or_default();
            let (stored, row) = split_deal(bytes)?;
            let (_, mut deal) = self.decode_bytes(row, &mut decoder)?;
            if !stored.remarks.is_empty() {
                deal = deal.with_remarks(stored.remarks.into_owned());
            }
            deals.push((deal.incentive_date().ok(), Arc::new(deal)));
        }
        Ok(deals)
    }
}

/// What is in front of a deal's row, and the row.
///
/// # Errors
/// When the bytes are damaged.
pub(super) fn split_deal(bytes: &[u8]) -> io::Result<(StoredDeal<'_>, &[u8])> {
    postcard::take_from_bytes(bytes).map_err(|_| damaged())
}

/// Writes a row in place of what is in `bytes`.
///
/// # Errors
/// None that is known: every row can be written as bytes.
pub(super) fn write_row(bytes: &mut Vec<u8>, row: &StoredRow<'_>) -> io::Result<()> {
    bytes.clear();
    *bytes = postcard::to_extend(row, std::mem::take(bytes)).map_err(io::Error::other)?;
    Ok(())
}

/// Writes a deal whose row, with this number, is `row`, in place of what is in `bytes`.
///
/// # Errors
/// None that is known: every deal can be written as bytes.
pub(super) fn write_deal(
    bytes: &mut Vec<u8>,
    (date, deal): (Option<Date>, &Transaction),
    (place, row): (u64, &[u8]),
) -> io::Result<()> {
    let date = date.map(|date| (date.year(), date.month(), date.day()));
    let key = DealKey { date, id: Cow::Borrowed(&deal.id), place };
    let stored = StoredDeal { key, remarks: Cow::Borrowed(deal.row_remarks()) };

    bytes.clear();
    *bytes = postcard::to_extend(&stored, std::mem::take(bytes)).map_err(io::Error::other)?;
    bytes.extend_from_slice(row);
    Ok(())
}

fn damaged() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "a temporary file of deals is damaged")
}
