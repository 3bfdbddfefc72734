//! Delimited text in which every row is a line: no cell is quoted, as in most exports of deals.
//!
//! Its lines can be read apart from one another, on several threads. Whatever is not that plain is left
//! to `table`, which also words what is wrong with a text. Called by readers of large files.
//!
//! **Architecture invariant:** what is plain has exactly the rows that `table` reads of it.

use super::{FileLayout, ROW_BYTES_MAX, TextBody, TextFormat, csv};

/// Where the rows of a plain text are, and its header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlainLines {
    columns: Vec<String>,
    delimiter: char,
    /// The byte behind the header.
    start: usize,
}

impl PlainLines {
    /// Looks at a whole body, with a byte order mark or without; none where it is not plain.
    pub fn find(body: &[u8], layout: &FileLayout) -> Option<PlainLines> {
        let text = std::str::from_utf8(body).ok()?;
        // A mark before the text, a quote, and rows that end early are rare: `table` reads them.
        if text.starts_with('\u{feff}') || text.contains('"') || layout.stop_at_blank {
            return None;
        }

        let delimiter = layout.delimiter.unwrap_or(',');
        let below = csv::skip_lines(text, layout.skip_rows);
        let (header, rows) = below.split_once('\n')?;
        let start = text.len() - rows.len();
        if is_blank_line(header, delimiter) || !is_one_line(header) {
            return None;
        }

        let count = count_cells(header, delimiter);
        let alone = count == 1 && layout.delimiter.is_none();
        let is_row = |line: &str| {
            is_one_line(line) && (count_cells(line, delimiter) == count || line.trim().is_empty())
        };
        if alone || !rows.split('\n').all(is_row) {
            return None;
        }

        // The header is read as every header is.
        let head = text.get(..start)?;
        let body = TextBody::open(TextFormat::Csv, head.as_bytes(), layout).ok()?;
        let (columns, _) = body.rows().ok()?;
        (columns.len() == count).then_some(PlainLines { columns, delimiter, start })
    }

    /// The columns of the header.
    pub fn columns(&self) -> &[String] {
        &self.columns
    }

    /// The lines below the header of `body`, the one that was looked at, in so many parts of about the
    /// same length.
    pub fn parts<'t>(&self, body: &'t [u8], count: usize) -> Vec<&'t str> {
        let text = std::str::from_utf8(body).unwrap_or_default();
        let mut rest = text.get(self.start..).unwrap_or_default();
        let length = rest.len() / count.max(1) + 1;

        let mut parts = Vec::with_capacity(count);
        while !rest.is_empty() {
            let near = rest.as_bytes().iter().skip(length).position(|byte| *byte == b'\n');
            let end = near.map_or(rest.len(), |near| length + near + 1);
            let (part, behind) = rest.split_at(end.min(rest.len()));
            parts.push(part);
            rest = behind;
        }
        parts
    }

    /// The rows of a part, each as its cells in the order of the columns; blank rows are passed over.
    pub fn rows<'t>(&self, part: &'t str) -> impl Iterator<Item = Vec<&'t str>> {
        let delimiter = self.delimiter;
        let lines = part.split('\n').map(|line| line.strip_suffix('\r').unwrap_or(line));
        let filled = lines.filter(move |line| !is_blank_line(line, delimiter));
        filled.map(move |line| line.split(delimiter).collect())
    }
}

fn count_cells(line: &str, delimiter: char) -> usize {
    line.matches(delimiter).count() + 1
}

/// Whether every cell of the line is blank.
fn is_blank_line(line: &str, delimiter: char) -> bool {
    line.chars().all(|sign| sign == delimiter || sign.is_whitespace())
}

/// Whether a line is no longer than a row may be, and has a carriage return at its end alone.
fn is_one_line(line: &str) -> bool {
    let line = line.strip_suffix('\r').unwrap_or(line);
    line.len() < ROW_BYTES_MAX && !line.contains('\r')
}

#[cfg(test)]
mod tests {
    use super::super::read_sheet;
    use super::*;
    use crate::transaction::Cell;
    use proptest::prelude::*;

    /// The rows of a text as the reader of tables has them; none where it is malformed.
    fn table_rows(text: &str, layout: &FileLayout) -> Option<Vec<Vec<String>>> {
        let sheet = read_sheet(TextFormat::Csv, text.as_bytes(), layout).ok()?;
        let cell = |(_, cell): (String, Cell)| match cell {
            Cell::Text(text) => text,
            other => panic!("{other:?}"),
        };
        let rows =
            sheet.rows.into_iter().map(|row| row.record.cells.into_iter().map(cell).collect());
        Some(rows.collect())
    }

    fn plain_rows(text: &str, layout: &FileLayout, parts: usize) -> Option<Vec<Vec<String>>> {
        let plain = PlainLines::find(text.as_bytes(), layout)?;
        let parts = plain.parts(text.as_bytes(), parts);
        assert_eq!(parts.concat(), text[plain.start..]);
        let rows = parts.iter().flat_map(|part| plain.rows(part));
        Some(rows.map(|row| row.into_iter().map(str::to_owned).collect()).collect())
    }

    #[test]
    fn plain_text_is_found() {
        let layout = FileLayout::default();
        let plain = |text: &str| plain_rows(text, &layout, 2);
        assert_eq!(plain("a,b\n1,2\r\n\n3,4"), table_rows("a,b\n1,2\r\n\n3,4", &layout));
        assert!(plain("a,b\n1,2\n").is_some());
        for other in ["a,b\n1,\"2\"\n", "a;b\n1;2\n", "a\n1\n", "a,b\n1\n", "a,b\r1,2\r", "\n", ""]
        {
            assert_eq!(plain(other), None, "{other:?}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(3_000))]

        /// Any text of the signs that matter has the same rows by both readers, however it is divided.
        #[test]
        fn plain_rows_are_those_of_the_table(
            text in "[ab1 ,;\t\r\n\"=]{0,40}",
            skip in 0_usize..3,
            semicolons in any::<bool>(),
            parts in 1_usize..5,
        ) {
            let delimiter = semicolons.then_some(';');
            let layout = FileLayout { delimiter, skip_rows: skip, stop_at_blank: false };
            if let Some(rows) = plain_rows(&text, &layout, parts) {
                prop_assert_eq!(Some(rows), table_rows(&text, &layout));
            }
        }
    }
}
