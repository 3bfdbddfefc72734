//! The rows of an import as the body of a delivery: column names once, then the cells of each row.
//!
//! Not the rows that a deal keeps (`packed/deal`). Written when an import is cut into deliveries, read
//! when they are decided. The same rows always make the same bytes.
//!
//! **Architecture invariant:** what is read is the record that was added, cell by cell.

use accredit_domain::keys::Name;
use accredit_domain::transaction::Record;

use super::names::{KnownNames, NewNames};
use super::packed::deal::{read_cells, write_cells};
use super::packed::{ReadResult, RowReader, RowWriter, UnreadableRow};

/// The first byte of such a body. One of an earlier version of the program is JSON, and begins with `[`.
const IMPORT_BODY_VERSION: u8 = 1;

/// Rows on their way into a delivery.
#[derive(Default)]
pub struct ImportRows {
    names: NewNames,
    rows: Vec<u8>,
    count: usize,
}

impl ImportRows {
    /// Adds a row.
    pub fn add(&mut self, record: &Record) {
        let rows = std::mem::take(&mut self.rows);
        let mut row = RowWriter::behind(rows, &mut self.names);
        write_cells(&mut row, record);
        self.rows = row.into_bytes();
        self.count += 1;
    }

    /// How many rows there are.
    pub fn count(&self) -> usize {
        self.count
    }

    /// About how many bytes they are.
    pub fn byte_count(&self) -> usize {
        self.rows.len()
    }

    /// The body with these rows.
    pub fn into_body(self) -> Vec<u8> {
        let texts = self.names.fresh_texts();
        let mut no_names = NewNames::default();
        let mut body = RowWriter::behind(vec![IMPORT_BODY_VERSION], &mut no_names);
        body.put_length(texts.len());
        texts.iter().for_each(|text| body.put_text(text.text()));
        body.put_length(self.count);

        let mut body = body.into_bytes();
        body.extend_from_slice(&self.rows);
        body
    }
}

/// The rows of a body.
///
/// # Errors
/// Why it is none.
pub fn read_import_rows(body: &[u8]) -> Result<Vec<Record>, String> {
    if body.starts_with(b"[") {
        return serde_json::from_slice(body).map_err(|error| error.to_string());
    }
    read_rows(body).map_err(|error| error.as_damage().to_string())
}

fn read_rows(body: &[u8]) -> ReadResult<Vec<Record>> {
    let Some((&IMPORT_BODY_VERSION, rest)) = body.split_first() else {
        return Err(UnreadableRow::Broken("its version is not known"));
    };

    let no_names = KnownNames::default();
    let mut head = RowReader::with_names(rest, &no_names);
    let mut names = KnownNames::default();
    for _ in 0..head.take_number()? {
        names.push(Name::of(head.take_text()?));
    }
    let count = head.take_number()?;

    let mut row = head.with_other_names(&names);
    let mut records = Vec::new();
    for _ in 0..count {
        records.push(read_cells(&mut row)?);
    }
    row.end()?;
    Ok(records)
}

#[cfg(test)]
mod tests {
    use accredit_domain::transaction::Cell;

    use super::*;

    fn record(cells: &[(&str, Cell)]) -> Record {
        let cells = cells.iter().map(|(column, cell)| ((*column).to_owned(), cell.clone()));
        Record { cells: cells.collect() }
    }

    #[test]
    fn rows_are_read_as_they_were_added() {
        let text = |text: &str| Cell::Text(text.to_owned());
        let rows = [
            record(&[("id", text("D1")), ("amount", Cell::Number("1.50".to_owned()))]),
            record(&[]),
            record(&[("amount", Cell::Null), ("id", text("")), ("won", Cell::Bool(true))]),
            record(&[("id", Cell::Nested("{}".to_owned())), (&"x".repeat(300), text("y"))]),
        ];
        let mut import = ImportRows::default();
        rows.iter().for_each(|row| import.add(row));
        assert_eq!(import.count(), 4);

        let body = import.into_body();
        assert_eq!(read_import_rows(&body).unwrap(), rows);
        for cut in 0..body.len() {
            assert!(read_import_rows(&body[..cut]).is_err(), "{cut}");
        }
    }

    /// A server that is updated between an import and its decision has bodies of both kinds.
    #[test]
    fn rows_that_an_earlier_version_stored_are_read() {
        let row = record(&[("id", Cell::Text("D1".to_owned()))]);
        let body = serde_json::to_vec(std::slice::from_ref(&row)).unwrap();
        assert_eq!(read_import_rows(&body).unwrap(), [row]);
        assert!(read_import_rows(b"{}").is_err());
    }
}
