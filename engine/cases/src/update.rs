//! Tables of a case file rewritten to what came out: only tables, and of those only rows that
//! differ.
//!
//! Not deciding which (`compare`). Called by `accredit test --update`.
//!
//! **Architecture invariant:** prose, headers, rows that still hold and the alignment of a table
//! stay as they are, byte for byte.

use std::collections::BTreeMap;

use super::compare::TableComparison;
use super::parse::split_cells;

/// New rows in the place of old ones.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableEdit {
    /// Line of the first row, from 1.
    pub line: u32,
    /// How many rows are replaced.
    pub count: usize,
    rows: Vec<EditedRow>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum EditedRow {
    /// The row that stands at this distance from the first.
    Kept(usize),
    Cells(Vec<String>),
}

impl TableEdit {
    /// What makes the table of `comparison` true. Of an example, `given` are the cells before its
    /// expectation, which stand in the first row alone.
    pub(super) fn for_comparison(comparison: &TableComparison<'_>, given: &[String]) -> TableEdit {
        let mut free: Vec<(usize, &[String])> =
            comparison.expected.iter().copied().enumerate().collect();
        let mut rows: Vec<EditedRow> = Vec::new();
        // Rows that are right already stay as they were written, with the author's blanks.
        let mut old: Vec<Option<usize>> = Vec::new();

        for row in &comparison.actual {
            let found = free.iter().position(|(_, expected)| comparison.row_matches(expected, row));
            old.push(found.map(|found| free.remove(found).0));
        }

        for (index, (row, old)) in comparison.actual.iter().zip(old).enumerate() {
            // An example begins with its first row, so that one moves only with its transaction.
            let kept = old.filter(|old| given.is_empty() || (*old == 0) == (index == 0));
            rows.push(match kept {
                Some(old) => EditedRow::Kept(old),
                None => {
                    let given = given.iter().map(|cell| match index {
                        0 => cell.clone(),
                        _ => String::new(),
                    });
                    EditedRow::Cells(given.chain(row.cells.iter().cloned()).collect())
                }
            });
        }

        TableEdit { line: comparison.line, count: comparison.expected.len(), rows }
    }
}

/// The text with every edit applied.
pub fn apply_edits(text: &str, edits: &[TableEdit]) -> String {
    let ending = if text.contains("\r\n") { "\r\n" } else { "\n" };
    let lines: Vec<&str> = text.lines().collect();

    let edits: BTreeMap<usize, &TableEdit> =
        edits.iter().map(|edit| ((edit.line as usize).saturating_sub(1), edit)).collect();

    let mut written: Vec<String> = Vec::with_capacity(lines.len());
    let mut touched: Vec<usize> = Vec::new();
    let mut index = 0;

    while index <= lines.len() {
        let edit = edits.get(&index);
        if let Some(edit) = edit {
            touched.push(written.len().saturating_sub(1));
            let old = |row: usize| lines.get(index + row).map_or("", |line| *line).to_owned();
            written.extend(edit.rows.iter().map(|row| match row {
                EditedRow::Kept(row) => old(*row),
                EditedRow::Cells(cells) => row_text(cells),
            }));
        }

        let passed = edit.map_or(0, |edit| edit.count);
        if passed == 0 {
            written.extend(lines.get(index).map(|line| (*line).to_owned()));
        }

        index += passed.max(1);
    }

    // Only tables that were aligned are aligned again: a change touches no more than it must.
    let aligned = AlignedTables::find_aligned(&lines);
    for table in touched {
        realign_table(&mut written, table, &aligned);
    }

    let mut text_out = written.join(ending);
    if text.ends_with('\n') {
        text_out.push_str(ending);
    }

    text_out
}

/// A row as it is written where nothing is aligned.
pub(super) fn row_text(cells: &[String]) -> String {
    let mut text = "|".to_owned();
    for cell in cells {
        let cell = cell.replace('|', "\\|");
        text.push_str(&if cell.is_empty() { " |".to_owned() } else { format!(" {cell} |") });
    }
    text
}

/// The headers of tables whose bars stand below each other.
struct AlignedTables<'a>(Vec<&'a str>);

impl<'a> AlignedTables<'a> {
    fn find_aligned(lines: &[&'a str]) -> AlignedTables<'a> {
        let mut headers = Vec::new();
        let mut rest = lines;

        while let Some(start) = rest.iter().position(|line| line.starts_with('|')) {
            let table = rest.get(start..).unwrap_or_default();
            let length = table.iter().take_while(|line| line.starts_with('|')).count();
            let rows = table.get(..length).unwrap_or_default();

            // A header over dashes alone is aligned only if its dashes are as long as it is.
            if let Some(header) = rows.first()
                && rows.iter().all(|row| bar_positions(row) == bar_positions(header))
            {
                headers.push(*header);
            }

            rest = table.get(length..).unwrap_or_default();
        }
        AlignedTables(headers)
    }
}

fn bar_positions(line: &str) -> Vec<usize> {
    line.trim_end().chars().enumerate().filter(|(_, sign)| *sign == '|').map(|(at, _)| at).collect()
}

/// Pads the table that holds the line `at`, if it was padded before.
fn realign_table(lines: &mut [String], at: usize, aligned: &AlignedTables<'_>) {
    let is_row = |line: &String| line.starts_with('|');

    let above = lines.get(..=at).unwrap_or_default().iter().rev();
    let start = (at + 1) - above.take_while(|line| is_row(line)).count();
    let Some(table) = lines.get_mut(start..) else { return };

    if !table.first().is_some_and(|header| aligned.0.contains(&header.as_str())) {
        return;
    }

    let rows: Vec<Vec<String>> = table
        .iter()
        .take_while(|line| is_row(line))
        .map(|line| split_cells(line).into_iter().map(|cell| cell.replace('|', "\\|")).collect())
        .collect();
    let rule = |row: usize| row == 1;

    let mut widths: Vec<usize> = Vec::new();
    for row in rows.iter().enumerate().filter(|(index, _)| !rule(*index)).map(|(_, row)| row) {
        widths.resize(widths.len().max(row.len()), 0);
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    // A column is never narrower than it was written.
    if let Some(header) = table.first() {
        let places = bar_positions(header);
        for (width, pair) in widths.iter_mut().zip(places.windows(2)) {
            if let [left, right] = pair {
                *width = (*width).max((right - left).saturating_sub(3));
            }
        }
    }

    for (index, (line, row)) in table.iter_mut().zip(&rows).enumerate() {
        let padded = row.iter().zip(&widths).map(|(cell, width)| match rule(index) {
            true => rule_dashes(cell, *width),
            false => format!("{cell:width$}", width = *width),
        });
        *line = format!("| {} |", padded.collect::<Vec<_>>().join(" | "));
    }
}

/// A rule of this width, with the colons that it has.
fn rule_dashes(cell: &str, width: usize) -> String {
    let (left, right) = (cell.starts_with(':'), cell.ends_with(':') && cell.len() > 1);
    let dashes = width.saturating_sub(usize::from(left) + usize::from(right)).max(1);
    let colon = |wanted: bool| if wanted { ":" } else { "" };
    format!("{}{}{}", colon(left), "-".repeat(dashes), colon(right))
}
