//! Delimited text in which every row is a line: no cell is quoted, as in most exports of deals.
//!
//! Such a text need not be in memory as a whole, and its lines can be read apart from one another, on
//! several threads. Whatever is not that plain is left to `table`, which also words what is wrong with a
//! text. Called by readers of large files.
//!
//! **Architecture invariant:** a text whose header and all of whose lines are plain has exactly the rows
//! that `table` reads of it.

use super::{FileLayout, ROW_BYTES_MAX, TextBody, TextFormat, csv};

/// The header of a plain text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlainLines {
    columns: Vec<String>,
    delimiter: char,
    /// The byte behind the header.
    start: usize,
}

impl PlainLines {
    /// Looks at the beginning of a text, as far as the end of some line; none where its header is not
    /// plain or not in it.
    pub fn find_header(beginning: &[u8], layout: &FileLayout) -> Option<PlainLines> {
        let text = std::str::from_utf8(beginning).ok()?;
        // A mark before the text, and rows that end early are rare: `table` reads them.
        if text.starts_with('\u{feff}') || layout.stop_at_blank {
            return None;
        }

        let delimiter = layout.delimiter.unwrap_or(',');
        let below = csv::skip_lines(text, layout.skip_rows);
        let (header, rows) = below.split_once('\n')?;
        let start = text.len() - rows.len();
        if is_blank_line(header, delimiter) || !is_one_line(header) {
            return None;
        }

        let head = text.get(..start)?;
        let count = count_cells(header, delimiter);
        let alone = count == 1 && layout.delimiter.is_none();
        if alone || head.contains('"') {
            return None;
        }

        // The header is read as every header is.
        let body = TextBody::open(TextFormat::Csv, head.as_bytes(), layout).ok()?;
        let (columns, _) = body.rows().ok()?;
        (columns.len() == count).then_some(PlainLines { columns, delimiter, start })
    }

    /// The columns of the header.
    pub fn columns(&self) -> &[String] {
        &self.columns
    }

    /// The byte at which the first line below the header begins.
    pub fn start(&self) -> usize {
        self.start
    }

    /// How many rows these lines have, whole ones from below the header; none where one is not plain.
    pub fn count_rows(&self, lines: &[u8]) -> Option<usize> {
        let text = std::str::from_utf8(lines).ok()?;
        if text.contains('"') {
            return None;
        }

        let mut rows = 0;
        for line in text.split('\n') {
            let whole = count_cells(line, self.delimiter) == self.columns.len();
            if !is_one_line(line) || !(whole || line.trim().is_empty()) {
                return None;
            }
            rows += usize::from(!is_blank_line(line, self.delimiter));
        }
        Some(rows)
    }

    /// The rows of some lines, each as it is written; blank ones are passed over.
    pub fn rows<'t>(&self, lines: &'t str) -> impl Iterator<Item = &'t str> {
        let delimiter = self.delimiter;
        let lines = lines.split('\n').map(|line| line.strip_suffix('\r').unwrap_or(line));
        lines.filter(move |line| !is_blank_line(line, delimiter))
    }

    /// The cells of a row in the order of the columns.
    pub fn cells<'t>(&self, row: &'t str) -> Vec<&'t str> {
        row.split(self.delimiter).collect()
    }

    /// Puts the cells of a row in place of those in `cells`.
    pub fn read_cells<'t>(&self, row: &'t str, cells: &mut Vec<&'t str>) {
        cells.clear();
        cells.extend(row.split(self.delimiter));
    }
}

/// Lines in so many parts of about the same length, each of whole lines.
pub fn split_lines(lines: &str, count: usize) -> Vec<&str> {
    let mut rest = lines;
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
        let plain = PlainLines::find_header(text.as_bytes(), layout)?;
        let below = &text[plain.start()..];
        let parts = split_lines(below, parts);
        assert_eq!(parts.concat(), below);

        let mut rows: Vec<Vec<String>> = Vec::new();
        for part in parts {
            let count = plain.count_rows(part.as_bytes())?;
            let cells = plain.rows(part).map(|row| plain.cells(row));
            let cells: Vec<Vec<&str>> = cells.collect();
            assert_eq!(cells.len(), count);
            rows.extend(
                cells.iter().map(|row| row.iter().map(|cell| (*cell).to_owned()).collect()),
            );
        }
        Some(rows)
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
