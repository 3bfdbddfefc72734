//! Expected tables against what came out, as a difference a person can read.
//!
//! Not deciding (`run`) and not rewriting (`update`). Called by `run`.
//!
//! **Architecture invariant:** a table without a difference costs no text.

use super::rows::{TableRow, TableSubject};

/// A table, or the rows of one example, beside what came out.
#[derive(Debug)]
pub(super) struct TableComparison<'a> {
    /// What the table is about.
    pub(super) subject: TableSubject,
    /// The columns that are compared.
    pub(super) header: &'a [String],
    /// Line of the first row.
    pub(super) line: u32,
    /// What should have come out.
    pub(super) expected: Vec<&'a [String]>,
    /// The rows that came out.
    pub(super) actual: Vec<TableRow>,
    /// Whether the order of rows is ignored.
    pub(super) any_order: bool,
}

impl TableComparison<'_> {
    /// Whether everything is as expected.
    pub(super) fn is_same(&self) -> bool {
        if self.actual.len() != self.expected.len() {
            return false;
        }
        if self.any_order {
            return self.pair_rows().iter().all(|pair| pair.same);
        }
        let mut rows = self.expected.iter().zip(&self.actual);
        rows.all(|(expected, actual)| self.row_matches(expected, actual))
    }

    /// Whether a row is as expected: of a message, a part is enough.
    pub(super) fn row_matches(&self, expected: &[String], actual: &TableRow) -> bool {
        let mut cells = self.header.iter().zip(expected).zip(&actual.cells);
        cells.all(|((column, expected), actual)| self.cell_matches(column, expected, actual))
    }

    fn cell_matches(&self, column: &str, expected: &str, actual: &str) -> bool {
        match column {
            "message" => actual.contains(expected),
            "outcome" if self.subject == TableSubject::Example && expected.is_empty() => {
                actual == "credited"
            }
            _ => expected == actual,
        }
    }

    /// Every expected row with the actual row that it means, then the actual rows that none means.
    pub(super) fn pair_rows(&self) -> Vec<RowPair<'_>> {
        let mut free: Vec<&TableRow> = self.actual.iter().collect();
        let mut pairs: Vec<RowPair<'_>> = Vec::new();

        for expected in &self.expected {
            let found = free.iter().position(|row| self.row_matches(expected, row));
            let actual = found.map(|index| free.remove(index));
            pairs.push(RowPair { expected: Some(expected), actual, same: actual.is_some() });
        }

        // A row that has no equal is shown beside the one that is most like it.
        for pair in &mut pairs {
            let Some(expected) = pair.expected.filter(|_| pair.actual.is_none()) else { continue };
            let likeness = |row: &TableRow| {
                let cells = self.header.iter().zip(expected).zip(&row.cells);
                cells.filter(|((c, e), a)| !e.is_empty() && self.cell_matches(c, e, a)).count()
            };

            // Of rows that are equally like it the first one, so that reports are the same every
            // time.
            let nearest = free.iter().enumerate().rev().max_by_key(|(_, row)| likeness(row));
            if let Some((index, row)) = nearest
                && likeness(row) > 0
            {
                pair.actual = Some(free.remove(index));
            }
        }

        let rest = free.into_iter();
        pairs.extend(rest.map(|row| RowPair { expected: None, actual: Some(row), same: false }));
        pairs
    }

    /// Natural keys and plans of the rows that differ; of a plan that a row does not name, nothing.
    pub(super) fn differing_rows(&self) -> Vec<(&str, &str)> {
        let pairs = self.pair_rows();
        let differ = pairs.iter().filter(|pair| !pair.same);
        let mut about: Vec<(&str, &str)> = Vec::new();

        for pair in differ {
            let cell = |name: &str| {
                let index = self.header.iter().position(|column| column == name)?;
                pair.expected?.get(index).map(String::as_str)
            };

            let named = match pair.actual {
                Some(row) => (row.transaction.as_str(), row.plan.as_str()),
                None => (cell("transaction").unwrap_or(""), cell("plan").unwrap_or("")),
            };

            if !about.contains(&named) {
                about.push(named);
            }
        }

        about
    }

    /// Rows that were expected and did not come with `-`, rows that only came with `+`, and below
    /// two that belong together a line that marks the cells at fault.
    pub(super) fn render_difference(&self) -> String {
        let pairs = self.pair_rows();
        if pairs.iter().all(|pair| pair.same) {
            let came: Vec<&[String]> = self.actual.iter().map(|row| row.cells.as_slice()).collect();
            let widths = self.column_widths(came.iter().copied());
            let mut text = "the rows are the same, but in another order; the order is\n".to_owned();
            text.push_str(&render_line(' ', self.header, &widths));
            came.into_iter().for_each(|row| text.push_str(&render_line(' ', row, &widths)));
            return text;
        }

        let rows = pairs.iter().flat_map(|pair| {
            let actual = pair.actual.map(|row| row.cells.as_slice());
            [pair.expected, actual].into_iter().flatten()
        });

        let widths = self.column_widths(rows);
        let mut text = render_line(' ', self.header, &widths);
        for pair in &pairs {
            match (pair.expected, pair.actual) {
                (Some(expected), _) if pair.same => {
                    text.push_str(&render_line(' ', expected, &widths))
                }
                (Some(expected), Some(actual)) => {
                    text.push_str(&render_line('-', expected, &widths));
                    text.push_str(&render_line('+', &actual.cells, &widths));
                    text.push_str(&self.mark_differences(expected, actual, &widths));
                }
                (Some(expected), None) => text.push_str(&render_line('-', expected, &widths)),
                (None, Some(actual)) => text.push_str(&render_line('+', &actual.cells, &widths)),
                (None, None) => (),
            }
        }

        text
    }

    fn column_widths<'r>(&self, rows: impl Iterator<Item = &'r [String]>) -> Vec<usize> {
        let mut widths: Vec<usize> = self.header.iter().map(|cell| cell.chars().count()).collect();
        for row in rows {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = (*width).max(cell.chars().count());
            }
        }
        widths
    }

    fn mark_differences(&self, expected: &[String], actual: &TableRow, widths: &[usize]) -> String {
        let cells = self.header.iter().zip(expected).zip(&actual.cells).zip(widths);
        let marks = cells.map(|(((column, expected), actual), width)| {
            let length = actual.chars().count().max(expected.chars().count());
            let sign = if self.cell_matches(column, expected, actual) { " " } else { "^" };
            format!("{:width$}", sign.repeat(length), width = *width)
        });
        let marks: Vec<String> = marks.collect();
        format!("{}\n", format!("?   {}", marks.join("   ")).trim_end())
    }
}

/// An expected row and the row that came out for it.
#[derive(Debug)]
pub(super) struct RowPair<'a> {
    pub(super) expected: Option<&'a [String]>,
    pub(super) actual: Option<&'a TableRow>,
    /// Whether the two rows agree in every cell.
    pub(super) same: bool,
}

fn render_line(sign: char, row: &[String], widths: &[usize]) -> String {
    let cells = row.iter().zip(widths);
    let cells: Vec<String> =
        cells.map(|(cell, width)| format!("{cell:width$}", width = *width)).collect();
    format!("{sign} | {} |\n", cells.join(" | "))
}
