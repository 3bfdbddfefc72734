//! Delimited text as rows of cells, each with the place it was read at: the one reader of CSV.
//!
//! Not what the cells mean: transactions (`transaction::read`) and the files of an organisation
//! (the workspace) both read with it. csv-core separates the cells. This module adds places and
//! blank rows. It also refuses rows that are too long, and a quote that is never closed, because
//! the library would read the rest of the file into it.

use csv_core::{ReadFieldResult, Reader, ReaderBuilder};

/// Bytes that a cell has at first.
const CELL_BYTES: usize = 256;

/// A cell without its quotes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DelimitedCell {
    /// Its text, with the blanks around it unless it was quoted.
    pub text: String,
    /// The byte at which its text begins.
    pub offset: usize,
}

/// What is no row: the byte at which the cell at fault begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BrokenRow {
    /// A quoted cell does not end with its quote.
    OpenQuote(usize),
    /// With this cell the row is longer than a row may be.
    TooLong(usize),
}

/// The rows of a text, one after the other.
pub struct DelimitedRows<'t> {
    text: &'t str,
    delimiter: char,
    reader: Reader,
    at: usize,
    /// Bytes that a row may have.
    row_bytes_max: usize,
    /// Where a cell is put together.
    cell: Vec<u8>,
}

impl<'t> DelimitedRows<'t> {
    /// The rows of `text`, whose cells are separated by `delimiter`, an ASCII character.
    pub fn new(text: &'t str, delimiter: char) -> Self {
        let sign = u8::try_from(delimiter).unwrap_or(b',');
        let reader = ReaderBuilder::new().delimiter(sign).build();
        let row_bytes_max = usize::MAX;
        DelimitedRows { text, delimiter, reader, at: 0, row_bytes_max, cell: vec![0; CELL_BYTES] }
    }

    /// The same rows, with a limit of bytes for each row.
    #[must_use]
    pub fn with_row_limit(self, bytes: usize) -> Self {
        DelimitedRows { row_bytes_max: bytes, ..self }
    }

    /// The next row; one without cells is an empty line, and none is the end.
    ///
    /// # Errors
    /// The first cell whose quote stays open, that is quoted in part, or that makes its row too long;
    /// nothing behind it is read.
    pub fn next_row(&mut self) -> Result<Option<Vec<DelimitedCell>>, BrokenRow> {
        if self.at >= self.text.len() {
            return Ok(None);
        }
        let length = self.remaining_text().len();
        self.skip_line_break();
        if self.remaining_text().len() < length {
            return Ok(Some(Vec::new()));
        }

        let mut row = Vec::new();
        let row_end = self.at.saturating_add(self.row_bytes_max);
        while let Some(ends) = self.next_cell(&mut row, row_end)? {
            if ends {
                // The library stops behind the first sign of a line break of two.
                if self.text.get(..self.at).is_some_and(|read| read.ends_with('\r')) {
                    self.at += usize::from(self.remaining_text().starts_with('\n'));
                }
                break;
            }
        }
        Ok(Some(row))
    }

    /// The byte at which the next row begins.
    pub fn byte_offset(&self) -> usize {
        self.at
    }

    fn remaining_text(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn skip_line_break(&mut self) {
        let rest = self.remaining_text();
        let breaks = ["\r\n", "\n", "\r"];
        let length =
            breaks.iter().find(|sign| rest.starts_with(**sign)).map_or(0, |sign| sign.len());
        self.at += length;
    }

    /// Reads a cell that must end before `row_end`; whether the row ends with it, none behind the
    /// last one.
    fn next_cell(
        &mut self,
        row: &mut Vec<DelimitedCell>,
        row_end: usize,
    ) -> Result<Option<bool>, BrokenRow> {
        let delimiter = self.delimiter;
        let blanks = |c: char| matches!(c, ' ' | '\t') && c != delimiter;
        let trimmed = self.remaining_text().trim_start_matches(blanks);
        let quoted = trimmed.starts_with('"');
        if quoted {
            self.at = self.text.len() - trimmed.len();
        }

        let start = self.at;
        let read = self.read_cell(row_end).ok_or(BrokenRow::TooLong(start))?;
        let Some((length, row_ends, text_ends)) = read else { return Ok(None) };
        let end = if text_ends { self.at } else { self.at.saturating_sub(1) };
        let raw = self.text.get(start..end).unwrap_or_default();
        let bytes = self.cell.get(..length).unwrap_or_default();
        let mut text = String::from_utf8_lossy(bytes).into_owned();
        if quoted {
            let behind = raw.len() - raw.trim_end_matches(blanks).len();
            if !is_quoted(raw.trim_end_matches(blanks)) {
                return Err(BrokenRow::OpenQuote(start));
            }
            text.truncate(text.len() - behind);
        }
        row.push(DelimitedCell { text, offset: start + usize::from(quoted) });
        Ok(Some(row_ends))
    }

    /// Bytes of the next cell, whether its row ends with it, and whether the text does; none inside
    /// behind the last cell, and none at all where `row_end` comes first.
    fn read_cell(&mut self, row_end: usize) -> Option<Option<(usize, bool, bool)>> {
        let mut length = 0;
        loop {
            let input = self.text.as_bytes().get(self.at..).unwrap_or_default();
            let text_ends = input.is_empty();
            let output = self.cell.get_mut(length..).unwrap_or_default();
            let (result, read, written) = self.reader.read_field(input, output);
            self.at += read;
            length += written;

            // The buffer has at most twice the bytes of a row: it grows a step at a time.
            if self.at > row_end {
                return None;
            }

            match result {
                ReadFieldResult::InputEmpty => (),
                ReadFieldResult::OutputFull => self.cell.resize(self.cell.len() * 2, 0),
                ReadFieldResult::Field { record_end } => {
                    return Some(Some((length, record_end, text_ends)));
                }
                ReadFieldResult::End => return Some(None),
            }
        }
    }
}

/// Whether `raw`, which begins with a quote, is quoted to its end.
fn is_quoted(raw: &str) -> bool {
    let inner = raw.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    inner.is_some_and(|inner| !inner.replace("\"\"", "").contains('"'))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Rows as `cell@offset`, or where a quote stays open.
    fn shown(text: &str, delimiter: char) -> String {
        let mut rows = DelimitedRows::new(text, delimiter);
        let mut lines = Vec::new();
        loop {
            match rows.next_row() {
                Ok(Some(row)) => {
                    let cells = row.iter().map(|cell| format!("{}@{}", cell.text, cell.offset));
                    lines.push(cells.collect::<Vec<_>>().join(" "));
                }
                Ok(None) => return lines.join("/"),
                Err(BrokenRow::TooLong(offset)) => {
                    lines.push(format!("long {offset}"));
                    return lines.join("/");
                }
                Err(BrokenRow::OpenQuote(offset)) => {
                    lines.push(format!("open {offset}"));
                    return lines.join("/");
                }
            }
        }
    }

    #[test]
    fn cells_have_places() {
        assert_eq!(shown("a,b\r\n\r\n1,\"2, \"\"x\"\"\"\n", ','), "a@0 b@2//1@7 2, \"x\"@10");
        assert_eq!(shown("a, \"b\" ,\n", ','), "a@0 b@4 @8");
        assert_eq!(shown("a;b,c\n1;2", ';'), "a@0 b,c@2/1@6 2@8");
        assert_eq!(shown("a\t\"b\"\t\tc", '\t'), "a@0 b@3 @6 c@7");
        assert_eq!(shown("a,", ','), "a@0 @2");
        assert_eq!(shown("", ','), "");
        assert_eq!(shown("a,5\" pipe\n", ','), "a@0 5\" pipe@2");
        let long = "x".repeat(10_000);
        assert_eq!(shown(&format!("\"{long}\""), ','), format!("{long}@1"));
    }

    #[test]
    fn a_cell_that_is_quoted_in_part_is_refused() {
        assert_eq!(shown("a,b\n1,\"x\n2,y\n", ','), "a@0 b@2/open 6");
        assert_eq!(shown("1,\"x\"y\n", ','), "open 2");
        assert_eq!(shown("1,\"x\"y\"\n", ','), "open 2");
        assert_eq!(shown("1,\"", ','), "open 2");
        // Three rows were one cell of the second column, and two deals were gone.
        assert_eq!(shown("A,\"ann,100\nB,bob,200\nC,\"cat,300\n", ','), "open 2");
    }

    /// A quote that stayed open made one cell of all that followed, as large as the file.
    #[test]
    fn a_row_is_no_longer_than_its_limit() {
        let read = |text: &str| {
            let mut rows = DelimitedRows::new(text, ',').with_row_limit(1000);
            while let Some(row) = rows.next_row()? {
                assert!(!row.is_empty());
            }
            assert!(rows.cell.len() < 2000);
            Ok(())
        };
        let long = "x".repeat(997);
        assert_eq!(read(&format!("1,{long}\n2,{long}\n")), Ok(()));
        assert_eq!(read(&format!("1,2\n3,4{long}\n")), Err(BrokenRow::TooLong(6)));
        assert_eq!(read(&format!("1,\"{}", "2,y\n".repeat(9000))), Err(BrokenRow::TooLong(2)));
        assert_eq!(read(&",".repeat(9000)), Err(BrokenRow::TooLong(1000)));
    }

    proptest! {
        #[test]
        fn rows_without_quotes_are_those_of_the_library(text in "[a;\n \r\u{e4}]{0,24}") {
            let mut reader = csv::ReaderBuilder::new();
            let reader = reader.flexible(true).has_headers(false).delimiter(b';');
            let expected: Vec<Vec<String>> = reader
                .from_reader(text.as_bytes())
                .records()
                .map(|row| row.unwrap().iter().map(str::to_owned).collect())
                .collect();

            let mut rows = DelimitedRows::new(&text, ';');
            let mut found = Vec::new();
            while let Ok(Some(row)) = rows.next_row() {
                for cell in &row {
                    prop_assert_eq!(text.get(cell.offset..cell.offset + cell.text.len()), Some(&*cell.text));
                }
                found.push(row.into_iter().map(|cell| cell.text).collect::<Vec<_>>());
            }
            found.retain(|row| !row.is_empty());
            prop_assert_eq!(found, expected);
        }
    }
}
